"""Studies of n seeds from a pool: what they would have concluded, and how often they mislead.

Scores are one number a seed, [S]. Pairs read (worse, better) by the pool's means, so that a
positive difference is the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import combinations

import altair as alt
import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.charts import colour
from pgcore.charts.curves import written
from pgcore.charts.seeds import GREY, Pools, compact
from pgcore.history import History

RIGHT, HALF, WRONG, OPEN = "#5B8DB8", "#E0A100", "#C8324A", "#B8B8B8"
MAX_STUDY = 50
ALPHA = 0.05
POWER = 0.8
DRAWS = 2_000  # relabellings of a permutation test beyond those that are all tried


def name(key: str) -> str:
    return ALGORITHMS[key].name


def pairs(pools: Pools) -> list[tuple[str, str]]:
    """All (worse, better), the closest first."""
    ranked = sorted(pools, key=lambda key: pools[key].mean())
    return sorted(
        combinations(ranked, 2), key=lambda pair: pools[pair[1]].mean() - pools[pair[0]].mean()
    )


def separate(pool: np.ndarray, n: int) -> np.ndarray:
    """The pool cut into studies that share no seed.  [n, studies]"""
    studies = len(pool) // n
    return pool[: studies * n].reshape(studies, n).T


def p_text(p: float) -> str:
    """A p value for a table; nan where the seeds cannot tell."""
    if np.isnan(p):
        return "cannot tell"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


LABELS = alt.Axis(ticks=False, domain=False, labelOverlap=False)  # each row keeps its name


# --- The lottery ---------------------------------------------------------------------------------

RISKS = {"wrong winner": WRONG, "wrong ranking": HALF}


def risk_rows(lottery: stats.Lottery) -> pd.DataFrame:
    """A lottery's curve, tidy."""
    parts = []
    for risk, share in zip(RISKS, (lottery.wrong_winner, lottery.wrong_ranking), strict=True):
        rows = {"n": lottery.n, "share": share.estimate, "low": share.low, "high": share.high}
        parts.append(pd.DataFrame(rows).assign(risk=risk))
    return pd.concat(parts, ignore_index=True)


@lru_cache(maxsize=64)
def risk_spec(n: int) -> dict:
    """The risk against n, with a rule at the n that was chosen."""
    x = alt.X("n:Q", title="seeds in a study, n", scale=alt.Scale(domain=[1, MAX_STUDY]))
    scale = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(format="%", tickCount=5)
    y = alt.Y("share:Q", title="share of studies", scale=scale, axis=axis)
    hue = alt.Color(
        "risk:N",
        scale=alt.Scale(domain=list(RISKS), range=list(RISKS.values())),
        legend=alt.Legend(orient="top-right", title=None, labelFontSize=13, symbolOpacity=1),
    )
    tooltip: list = ["risk:N", "n:Q"] + [alt.Tooltip(f"{c}:Q", format=".1%") for c in BOUNDS]
    base = alt.Chart().encode(x=x, color=hue)
    at = base.transform_filter(f"datum.n == {n}")
    layers = [
        alt.Chart().transform_aggregate(rows="count()").mark_rule(color=GREY, strokeDash=[3, 3])
        .encode(x=alt.X(datum=n)),
        base.mark_area(opacity=0.25).encode(y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q"),
        base.mark_line(strokeWidth=2.4).encode(y=y, tooltip=tooltip),
        at.mark_point(filled=True, size=90, opacity=1).encode(y=y),
        *(
            at.transform_filter(f"datum.risk == '{risk}'")
            .mark_text(align="left", dx=8, dy=dy, fontSize=14, fontWeight=600)
            .encode(y=y, text=alt.Text("share:Q", format=".0%"))
            for risk, dy in zip(RISKS, (14, -10), strict=True)
        ),
    ]  # fmt: skip
    return compact(alt.layer(*layers), 270)


BOUNDS = ("share", "low", "high")
OUTCOMES = {
    "ranking right": RIGHT,
    "winner right, ranking wrong": HALF,
    "winner wrong": WRONG,
}


def outcome_rows(wrong_winner: float, wrong_ranking: float) -> pd.DataFrame:
    """A hundred studies as a hundred squares. A wrong winner is always a wrong ranking too."""
    edges = np.round(100 * np.array([1 - wrong_ranking, 1 - wrong_winner, 1])).astype(int)
    counts = np.diff(edges, prepend=0)
    outcomes = np.repeat(list(OUTCOMES), counts)
    labels = {o: f"{o}: {count}" for o, count in zip(OUTCOMES, counts, strict=True)}
    place = np.arange(100)
    return pd.DataFrame(
        {
            "column": place % 20,
            "row": place // 20,
            "outcome": outcomes,
            "label": [labels[o] for o in outcomes],
        }
    )


@lru_cache(maxsize=1)
def outcome_spec() -> dict:
    """The constant spec of `outcome_rows`."""
    hue = alt.Color(
        "outcome:N",
        scale=alt.Scale(domain=list(OUTCOMES), range=list(OUTCOMES.values())),
        legend=alt.Legend(orient="bottom", title=None, columns=1, labelFontSize=13, labelLimit=300),
    )
    gaps = alt.Scale(paddingInner=0.15)
    squares = alt.Chart().mark_rect().encode(
        x=alt.X("column:O", axis=None, scale=gaps),
        y=alt.Y("row:O", axis=None, scale=gaps),
        color=hue,
        tooltip="label:N",
    )  # fmt: skip
    return compact(squares, 190)


# --- How many seeds a difference needs -----------------------------------------------------------


def seeds_for(d: float) -> str:
    """Seeds in each group for 80% power, in words."""
    try:
        return f"{stats.seeds_needed(abs(d), POWER, ALPHA):,}"
    except ValueError:  # no spread, or hardly any effect
        return "no number of"


def seeds_needed(effect: stats.Interval) -> tuple[str, str]:
    """Seeds in each group: at the effect's estimate, and over its interval.

    An effect whose interval holds 0 may need any number.
    """
    estimate, low, high, _ = effect
    if estimate < 0:
        low, high = -high, -low
    most = seeds_for(low) if low > 0 else "any number"
    return seeds_for(estimate), f"{seeds_for(high)} to {most}"


def power_table(pools: Mapping[str, Pools]) -> pd.DataFrame:
    """For every pair and every score: the difference, the effect, and the seeds that it needs.

    `pools` maps a score's label to its pools.
    """
    rows = []
    for worse, better in pairs(next(iter(pools.values()))):
        for label, pool in pools.items():
            x, y = pool[worse], pool[better]
            effect = stats.effect_size(x, y)
            needed, between = seeds_needed(effect)
            rows.append(
                {
                    "pair": f"{name(better)} − {name(worse)}",
                    "score": label,
                    "difference": written(stats.difference_interval(x, y)),
                    "effect d": written(effect, 2),
                    "seeds each": needed,
                    "over 95%": between,
                    "n": len(x),
                }
            )
    return pd.DataFrame(rows)


def detectable(pools: Mapping[str, Pools], pair: tuple[str, str], difference: float) -> dict:
    """Cohen's d of a given difference, by score: it is measured in the pair's own spread."""
    x, y = pair
    return {
        label: abs(difference) / np.sqrt((pool[x].var(ddof=1) + pool[y].var(ddof=1)) / 2)
        for label, pool in pools.items()
    }


def power_rows(effects: Mapping[str, float], most: int = 100) -> pd.DataFrame:
    """The power of a two-sample t test against n, a line a score."""
    n = np.arange(2, most + 1)
    return pd.concat(
        [
            pd.DataFrame({"n": n, "power": stats.power_two_sample_t(d, n, ALPHA), "score": label})
            for label, d in effects.items()
        ],
        ignore_index=True,
    )


@lru_cache(maxsize=4)
def power_spec(most: int = 100) -> dict:
    """The constant spec of `power_rows`."""
    dash = alt.StrokeDash("score:N", legend=alt.Legend(orient="bottom", title=None, labelLimit=300))
    line = (
        alt.Chart()
        .mark_line(strokeWidth=2.4, color=RIGHT)
        .encode(
            x=alt.X("n:Q", title="seeds of each", scale=alt.Scale(domain=[2, most], nice=False)),
            y=alt.Y(
                "power:Q",
                title="chance to see it (power)",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", tickCount=5),
            ),
            strokeDash=dash,
            tooltip=["score:N", "n:Q", alt.Tooltip("power:Q", format=".0%")],
        )
    )
    rule = (
        alt.Chart()
        .transform_aggregate(rows="count()")
        .mark_rule(color=GREY, strokeDash=[3, 3])
        .encode(y=alt.Y(datum=POWER))
    )
    return compact(alt.layer(rule, line), 225)


# --- Comparing two -------------------------------------------------------------------------------


def comparison_table(pools: Pools, n: int) -> pd.DataFrame:
    """Every pair by the first n seeds: difference, tests, Holm over the pairs, P(improvement)."""
    rows, p_values = [], []
    for worse, better in pairs(pools):
        x, y = pools[worse][:n], pools[better][:n]
        p = float(stats.welch_test(x, y).p)
        p_values.append(p)
        permutation = stats.permutation_test(x, y, draws=DRAWS)
        rows.append(
            {
                "pair": f"{name(better)} − {name(worse)}",
                "difference [95%]": written(stats.difference_interval(x, y)),
                "Welch p": p_text(p),
                "permutation p": p_text(permutation.p),
                "P(better wins) [95%]": written(stats.probability_of_improvement(x, y), 2),
                "n": f"{n} + {n}",
            }
        )
    table = pd.DataFrame(rows)
    if len(rows) > 1:
        adjusted = stats.holm(np.nan_to_num(p_values, nan=1.0))
        table.insert(3, "Holm p", [p_text(p) for p in adjusted])
    return table


CONCLUSIONS = {"better": RIGHT, "cannot tell": OPEN, "worse": WRONG}


def conclusion(low: float, high: float) -> str:
    """What an interval of the difference says of the one that is better."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else "cannot tell"


def first_rows(pools: Pools, pair: tuple[str, str], sizes: Iterable[int]) -> pd.DataFrame:
    """The difference and its interval that the first n seeds of the pool give, for several n."""
    x, y = (pools[key] for key in pair)
    rows = []
    for n in sizes:
        difference = stats.difference_interval(x[:n], y[:n])
        low, high = difference.low, difference.high
        rows.append(
            {
                "n": f"n = {n}",
                "difference": difference.estimate,
                "low": low,
                "high": high,
                "conclusion": conclusion(low, high),
            }
        )
    return pd.DataFrame(rows)


def conclusion_rows(pools: Pools, pair: tuple[str, str], sizes: Iterable[int]) -> pd.DataFrame:
    """What all separate studies of n seeds in the pool conclude, as shares with intervals."""
    x, y = (pools[key] for key in pair)
    rows = []
    for n in sizes:
        interval = stats.difference_interval(separate(x, n), separate(y, n))
        studies = len(interval.low)
        better, worse = int((interval.low > 0).sum()), int((interval.high < 0).sum())
        counts = zip(CONCLUSIONS, (better, studies - better - worse, worse), strict=True)
        for order, (verdict, count) in enumerate(counts):
            share = stats.proportion_interval(count, studies)
            rows.append(
                {
                    "n": f"n = {n}",
                    "conclusion": verdict,
                    "order": order,
                    "share": share.estimate,
                    "low": share.low,
                    "high": share.high,
                    "studies": studies,
                }
            )
    return pd.DataFrame(rows)


CONCLUSION_COLOUR = alt.Color(
    "conclusion:N",
    scale=alt.Scale(domain=list(CONCLUSIONS), range=list(CONCLUSIONS.values())),
    legend=None,
)


@lru_cache(maxsize=1)
def first_spec() -> dict:
    """The constant spec of `first_rows`."""
    y = alt.Y("n:N", sort=None, title=None, axis=LABELS)
    base = alt.Chart().encode(y=y, color=CONCLUSION_COLOUR)
    tooltip: list = ["n:N", "conclusion:N"]
    tooltip += [alt.Tooltip(f"{c}:Q", format=".1f") for c in ("difference", "low", "high")]
    zero = alt.Chart().transform_aggregate(rows="count()")
    layers = [
        zero.mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=alt.X(datum=0)),
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=3)
        .encode(x=alt.X("low:Q", title=None), x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(x="difference:Q", tooltip=tooltip),
    ]
    return compact(alt.layer(*layers), 100)


@lru_cache(maxsize=1)
def conclusion_spec() -> dict:
    """The constant spec of `conclusion_rows`."""
    tooltip: list = ["n:N", "conclusion:N", "studies:Q"]
    tooltip += [alt.Tooltip(f"{c}:Q", format=".0%") for c in BOUNDS]
    bars = (
        alt.Chart()
        .mark_bar()
        .encode(
            y=alt.Y("n:N", sort=None, title=None, axis=LABELS),
            x=alt.X("share:Q", title=None, stack="zero",
                    scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=4)),
            color=CONCLUSION_COLOUR,
            order="order:Q",
            tooltip=tooltip,
        )
    )  # fmt: skip
    return compact(bars, 100)


# --- Where the noise comes from ------------------------------------------------------------------

SOURCES = {"between seeds": RIGHT, "evaluation": HALF}


def variances(history: History) -> dict[str, stats.Interval]:
    """Variance of a final return's parts: between seeds, and of an evaluation's mean.

    Both are means over seeds of c_s = (x_s - mean x)^2 S/(S-1) - v_s/E and v_s/E, with x_s and v_s
    a seed's mean and variance over its E episodes; the means are `stats.random_effects`, and the
    t intervals those of the means.
    """
    returns = history.eval_episode_returns[-1].astype(np.float64)  # [S, E]
    seeds, episodes = returns.shape
    within = returns.var(axis=1, ddof=1) / episodes
    means = returns.mean(axis=1)
    between = (means - means.mean()) ** 2 * seeds / (seeds - 1) - within
    parts = (between, within)
    return {s: stats.mean_t_interval(part) for s, part in zip(SOURCES, parts, strict=True)}


def variance_rows(histories: Mapping[str, History], episodes: int) -> pd.DataFrame:
    """The variance of one seed's final return, in shares, if it were evaluated so often."""
    rows = []
    for key, history in histories.items():
        effects = stats.random_effects(history.eval_episode_returns[-1])
        total = float(stats.variance_of_mean(effects, 1, episodes))
        evaluation = effects.episode_variance / episodes
        for source, part in zip(SOURCES, (total - evaluation, evaluation), strict=True):
            rows.append({"estimator": name(key), "source": source, "variance": part,
                         "share": part / total if total else 0.0})  # fmt: skip
    return pd.DataFrame(rows)


def error_rows(histories: Mapping[str, History], n: int) -> pd.DataFrame:
    """The standard error of a study's mean against evaluation episodes; the floor is endless."""
    episodes = np.unique(np.geomspace(1, 100, 40).round().astype(int))
    parts = []
    for key, history in histories.items():
        effects = stats.random_effects(history.eval_episode_returns[-1])
        errors = np.sqrt(stats.variance_of_mean(effects, n, episodes))
        floor = float(np.sqrt(max(effects.seed_variance, 0) / n))
        parts.append(pd.DataFrame({"algorithm": key, "episodes": episodes, "error": errors,
                                   "floor": floor, "name": name(key)}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def noise_table(
    histories: Mapping[str, History], n: int, episodes: int, wanted: int
) -> pd.DataFrame:
    """The two variances, and the standard error of a study now, with `wanted` episodes instead of
    `episodes`, and with twice the seeds instead."""
    rows = []
    for key, history in histories.items():
        effects = stats.random_effects(history.eval_episode_returns[-1])
        between, within = variances(history).values()

        def error(seeds: int, count: int, effects: stats.RandomEffects = effects) -> float:
            return round(float(np.sqrt(stats.variance_of_mean(effects, seeds, count))), 1)

        rows.append(
            {
                "estimator": name(key),
                "variance between seeds [95%]": written(between, 0),
                f"of {episodes} episodes' mean [95%]": written(within, 0),
                f"standard error, n = {n}": error(n, episodes),
                f"with {wanted} episodes": error(n, wanted),
                f"with n = {2 * n}": error(2 * n, episodes),
            }
        )
    return pd.DataFrame(rows)


@lru_cache(maxsize=64)
def error_spec(episodes: int) -> dict:
    """What more evaluation episodes buy; a rule at the number chosen, dashes at the floors."""
    x = alt.X(
        "episodes:Q",
        title="episodes per evaluation",
        scale=alt.Scale(type="log", domain=[1, 100]),
        axis=alt.Axis(values=[1, 2, 5, 10, 20, 50, 100], grid=False),
    )
    y = alt.Y("error:Q", title="standard error of a study's mean", scale=alt.Scale(zero=True))
    base = alt.Chart().encode(color=colour(legend=None))
    tooltip: list = ["algorithm:N", "episodes:Q"]
    tooltip += [alt.Tooltip(f"{c}:Q", format=".1f") for c in ("error", "floor")]
    once = alt.Chart().transform_aggregate(rows="count()")
    layers = [
        once.mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=alt.X(datum=episodes)),
        base.transform_aggregate(floor="min(floor)", groupby=["algorithm"])
        .mark_rule(strokeDash=[5, 4])
        .encode(y="floor:Q"),
        base.mark_line(strokeWidth=2.4, interpolate="monotone").encode(x=x, y=y, tooltip=tooltip),
        base.transform_filter("datum.episodes == 100")
        .mark_text(align="right", dy=-9, fontSize=12, fontWeight=600)
        .encode(x=x, y=y, text="name:N"),
    ]
    return compact(alt.layer(*layers), 220)


@lru_cache(maxsize=128)
def variance_spec(episodes: int) -> dict:
    """The spec of `variance_rows`."""
    hue = alt.Color(
        "source:N",
        scale=alt.Scale(domain=list(SOURCES), range=list(SOURCES.values())),
        legend=alt.Legend(orient="bottom", title=None),
    )
    bars = (
        alt.Chart()
        .mark_bar()
        .encode(
            y=alt.Y("estimator:N", sort=None, title=None, axis=LABELS),
            x=alt.X("share:Q", title=f"variance of one seed's final return, {episodes} episodes",
                    scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=4)),
            color=hue,
            order=alt.Order("source:N"),
            tooltip=["estimator:N", "source:N", alt.Tooltip("share:Q", format=".0%"),
                     alt.Tooltip("variance:Q", format=",.0f")],
        )
    )  # fmt: skip
    return compact(bars, 190)


# --- Coverage ------------------------------------------------------------------------------------

INTERVALS = {"t interval": stats.mean_t_interval, "bootstrap": stats.bootstrap_interval}
DANCERS = 60


def dance_rows(pool: np.ndarray, n: int, interval: str) -> pd.DataFrame:
    """The 95% intervals of separate studies of n seeds, and which of them miss the pool's mean."""
    shown = INTERVALS[interval](separate(pool, n)[:, :DANCERS])
    truth = pool.mean()
    return pd.DataFrame(
        {
            "study": np.arange(len(shown.low)),
            "low": shown.low,
            "high": shown.high,
            "mean": shown.estimate,
            "truth": truth,
            "verdict": np.where((shown.low <= truth) & (truth <= shown.high), "holds", "misses"),
        }
    )


@lru_cache(maxsize=32)
def dance_spec(low: float, high: float) -> dict:
    """The constant spec of `dance_rows`: one whisker a study, the truth across."""
    scale = alt.Scale(domain=[low, high], nice=False)
    hue = alt.Color(
        "verdict:N", scale=alt.Scale(domain=["holds", "misses"], range=[RIGHT, WRONG]), legend=None
    )
    across = alt.Scale(zero=False, nice=False, padding=6)
    x = alt.X("study:Q", title="study", scale=across, axis=alt.Axis(grid=False))
    base = alt.Chart().encode(x=x, color=hue)
    tooltip = [alt.Tooltip(f"{c}:Q", format=".0f") for c in ("low", "high", "truth")]
    layers = [
        base.mark_rule(strokeWidth=2, clip=True)
        .encode(y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q", tooltip=tooltip),
        base.mark_point(filled=True, size=14, opacity=1).encode(y=alt.Y("mean:Q", scale=scale)),
        alt.Chart().transform_aggregate(truth="min(truth)")
        .mark_rule(color=GREY, strokeWidth=2).encode(y=alt.Y("truth:Q", scale=scale)),
    ]  # fmt: skip
    return compact(alt.layer(*layers), 250)


def coverage_rows(measured: Iterable[stats.Coverage]) -> pd.DataFrame:
    """Shares of the studies whose interval holds the truth, tidy."""
    return pd.DataFrame(
        {"n": c.n, "interval": kind, "share": s.estimate, "low": s.low, "high": s.high}
        for c in measured
        for kind, s in zip(INTERVALS, (c.t, c.bootstrap), strict=True)
    )


@lru_cache(maxsize=1)
def coverage_spec() -> dict:
    """The constant spec of `coverage_rows`: what 95% is worth."""
    hue = alt.Color(
        "interval:N",
        scale=alt.Scale(domain=list(INTERVALS), range=[RIGHT, HALF]),
        legend=alt.Legend(orient="bottom", title=None),
    )
    scale, axis = alt.Scale(domain=[0.65, 1], clamp=True), alt.Axis(format="%", tickCount=6)
    x = alt.X("n:O", title="seeds in a study, n", axis=alt.Axis(labelAngle=0))
    base = alt.Chart().encode(x=x, xOffset="interval:N", color=hue)
    tooltip: list = ["interval:N", "n:O"] + [alt.Tooltip(f"{c}:Q", format=".1%") for c in BOUNDS]
    y = alt.Y("share:Q", title="studies that hold the truth", scale=scale, axis=axis)
    once = alt.Chart().transform_aggregate(rows="count()")
    layers = [
        once.mark_rule(color=GREY, strokeDash=[3, 3]).encode(y=alt.Y(datum=0.95, scale=scale)),
        base.mark_rule(strokeWidth=2.5).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(y=y, tooltip=tooltip),
    ]
    return compact(alt.layer(*layers), 250)
