"""Studies of n seeds from a pool: what they would have concluded, and how often they mislead.

Scores are one number a seed, [S]. Pairs read (worse, better) by the pool's means, so that a
positive difference is the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

import altair as alt
import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.plotting.theme import bounds_aloud, built_once, named
from ui.seeds import words
from ui.seeds.charts import GREY, Pools, compact

RIGHT, HALF, WRONG, OPEN = "#5B8DB8", "#E0A100", "#C8324A", "#9E9E9E"
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


BOUNDS = ("share", "low", "high")
# A Vega expression of a row: its share with the interval, as read aloud.
SHARE = f"format(datum.share, '.1%') + {bounds_aloud('.1%')}"
# Each row keeps its name, and the name stands beside it: flush, the outermost would move.
LABELS = alt.Axis(ticks=False, domain=False, labelOverlap=False, labelFlush=False)


# --- The lottery ---------------------------------------------------------------------------------

RISKS = {"wrong winner": WRONG, "wrong ranking": HALF}


def risk_rows(lottery: stats.Lottery, n: int) -> pd.DataFrame:
    """A lottery's curve, tidy; the chosen n is marked."""
    parts = []
    for risk, share in zip(RISKS, (lottery.wrong_winner, lottery.wrong_ranking), strict=True):
        rows = {"n": lottery.n, "share": share.estimate, "low": share.low, "high": share.high}
        parts.append(pd.DataFrame(rows).assign(risk=risk))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(chosen=rows["n"] == n)


@built_once(maxsize=1)
def risk_spec() -> dict:
    """The constant spec of `risk_rows`: the risk against n, with a rule at the chosen one."""
    across = alt.Scale(domain=[1, MAX_STUDY], nice=False)
    x = alt.X("n:Q", title="seeds in a study, n", scale=across, axis=alt.Axis(grid=False))
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
    at = base.transform_filter("datum.chosen")  # its values are written beside the chart
    layers = [
        alt.Chart().transform_filter("datum.chosen")
        .mark_rule(color=GREY, strokeDash=[3, 3], aria=False).encode(x=x),
        base.mark_area(opacity=0.25, aria=False)
        .encode(y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q"),
        base.mark_line(strokeWidth=2.4, aria=False).encode(y=y, tooltip=tooltip),
        at.mark_point(filled=True, size=90, opacity=1, aria=False).encode(y=y),
    ]  # fmt: skip
    return compact(alt.layer(*layers), 270)


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


@built_once(maxsize=1)
def outcome_spec() -> dict:
    """The constant spec of `outcome_rows`.

    Not a hundred names for a screen reader: the shares stand beside it in words.
    """
    hue = alt.Color(
        "outcome:N",
        scale=alt.Scale(domain=list(OUTCOMES), range=list(OUTCOMES.values())),
        legend=alt.Legend(orient="bottom", title=None, columns=1, labelFontSize=13, labelLimit=300),
    )
    gaps = alt.Scale(paddingInner=0.15)
    squares = alt.Chart().mark_rect(aria=False).encode(
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
    except ValueError:
        return "over a billion" if np.isfinite(d) else "cannot tell"


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

    `pools` maps a score's label to its pools. Their n stands in the table's title.
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
                    "difference [95%]": f"{stats.difference_interval(x, y):.1f}",
                    "effect d [95%]": f"{effect:.2f}",
                    "seeds each": needed,
                    "over d's interval": between,
                }
            )
    return pd.DataFrame(rows)


def detectable(pools: Mapping[str, Pools], pair: tuple[str, str], difference: float) -> dict:
    """Cohen's d of a given difference in each score, measured in the spread of the pair's seeds."""
    x, y = pair
    spreads = {
        label: np.sqrt((pool[x].var(ddof=1) + pool[y].var(ddof=1)) / 2)
        for label, pool in pools.items()
    }
    return {label: difference / spread for label, spread in spreads.items() if spread > 0}


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


@built_once(maxsize=4)
def power_spec(most: int = 100) -> dict:
    """The constant spec of `power_rows`."""
    dash = alt.StrokeDash("score:N", legend=alt.Legend(orient="bottom", title=None, labelLimit=300))
    line = (
        alt.Chart()
        .mark_line(strokeWidth=2.4, color=RIGHT, aria=False)  # the seeds for 80% stand below
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
        .mark_rule(color=GREY, strokeDash=[3, 3], aria=False)
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
        difference = stats.difference_interval(x, y)
        permutation = stats.permutation_test(x, y, draws=DRAWS)
        rows.append(
            {
                "pair": f"{name(better)} − {name(worse)}",
                "difference [95%]": f"{difference:.1f}",
                "verdict": words.verdict(difference, name(better), name(worse)),
                "Welch p": p_text(p),
                "permutation p": p_text(permutation.p),
                "P(better wins) [95%]": f"{stats.probability_of_improvement(x, y):.2f}",
                "n": f"{n} + {n}",
            }
        )
    table = pd.DataFrame(rows)
    if len(rows) > 1:
        adjusted = stats.holm(np.nan_to_num(p_values, nan=1.0))
        table.insert(4, "Holm p", [p_text(p) for p in adjusted])
    return table


def tested(pools: Pools, n: int) -> list[tuple[str, stats.Interval, float]]:
    """Every pair by the first n seeds: its title, its difference, Welch's p after Holm."""
    every = [(pools[worse][:n], pools[better][:n]) for worse, better in pairs(pools)]
    p_values = [float(stats.welch_test(x, y).p) for x, y in every]
    adjusted = stats.holm(np.nan_to_num(p_values, nan=1.0))
    return [
        (f"{name(better)} − {name(worse)}", stats.difference_interval(x, y), float(p))
        for (worse, better), (x, y), p in zip(pairs(pools), every, adjusted, strict=True)
    ]


CONCLUSIONS = {"better": RIGHT, "not told apart": OPEN, "worse": WRONG}


def conclusion(low: float, high: float) -> str:
    """What an interval of the difference says of the one that is better."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not told apart"


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


@built_once(maxsize=1)
def first_spec() -> dict:
    """The constant spec of `first_rows`."""
    y = alt.Y("n:N", sort=None, title=None, axis=LABELS)
    base = alt.Chart().encode(y=y, color=CONCLUSION_COLOUR)
    tooltip: list = ["n:N", "conclusion:N"]
    tooltip += [alt.Tooltip(f"{c}:Q", format=".1f") for c in ("difference", "low", "high")]
    zero = alt.Chart().transform_aggregate(rows="count()")
    point = named(
        base,
        "datum.n + ': difference ' + format(datum.difference, '.1f') + (isValid(datum.low) ? "
        f"{bounds_aloud('.1f')} : '') + "
        "', ' + datum.conclusion",
    )
    layers = [
        zero.mark_rule(color=GREY, strokeDash=[3, 3], aria=False).encode(x=alt.X(datum=0)),
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=3, aria=False)
        .encode(x=alt.X("low:Q", title=None), x2="high:Q"),
        point.mark_point(filled=True, size=80, opacity=1).encode(x="difference:Q", tooltip=tooltip),
    ]
    return compact(alt.layer(*layers), 95)


@built_once(maxsize=1)
def conclusion_spec() -> dict:
    """The constant spec of `conclusion_rows`."""
    tooltip: list = ["n:N", "conclusion:N", "studies:Q"]
    tooltip += [alt.Tooltip(f"{c}:Q", format=".0%") for c in BOUNDS]
    share = named(
        alt.Chart(),
        f"datum.n + ': ' + datum.conclusion + ' in ' + {SHARE} + ' of ' + datum.studies + "
        "' studies'",
    )
    bars = (
        share.mark_bar()
        .encode(
            y=alt.Y("n:N", sort=None, title=None, axis=LABELS),
            x=alt.X("share:Q", title=None, stack="zero",
                    scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=4)),
            color=CONCLUSION_COLOUR,
            order="order:Q",
            tooltip=tooltip,
        )
    )  # fmt: skip
    return compact(bars, 95)
