"""Where the spread of final returns comes from: the seed that trained, or the few episodes that
judged it."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.history import History
from pgcore.plotting.theme import built_once, colour, named, spread
from ui.seeds.charts import GREY, compact
from ui.seeds.study_charts import HALF, LABELS, RIGHT, name

SOURCES = {"between seeds": RIGHT, "evaluation": HALF}
NAME_HEIGHT = 0.09  # of a line's name, as a share of the axis


def parts(returns: np.ndarray) -> tuple[stats.Interval, stats.Interval]:
    """Variance between seeds, and of an evaluation's mean, from returns [S, E], with t intervals.

    Both are means over seeds: of c_s = (x_s - mean x)^2 S/(S-1) - v_s/E and of v_s/E, where x_s
    and v_s are a seed's mean and variance over its E episodes. They equal `stats.random_effects`.
    """
    seeds, episodes = returns.shape
    within = returns.var(axis=1, ddof=1) / episodes
    means = returns.mean(axis=1)
    between = (means - means.mean()) ** 2 * seeds / (seeds - 1) - within
    return stats.mean_t_interval(between), stats.mean_t_interval(within)


def variances(history: History) -> dict[str, stats.Interval]:
    """`parts` of the last evaluation, by SOURCES."""
    returns = history.eval_episode_returns[-1].astype(np.float64)
    return dict(zip(SOURCES, parts(returns), strict=True))


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


def error_rows(histories: Mapping[str, History], n: int, wanted: int) -> pd.DataFrame:
    """The standard error of a study's mean against evaluation episodes.

    `floor` is what no number of episodes lowers, and `at` where the line's name stands.
    """
    episodes = np.unique(np.geomspace(1, 100, 40).round().astype(int))
    parts = []
    for key, history in histories.items():
        effects = stats.random_effects(history.eval_episode_returns[-1])
        errors = np.sqrt(stats.variance_of_mean(effects, n, episodes))
        floor = float(np.sqrt(max(effects.seed_variance, 0) / n))
        rows = {"episodes": episodes, "error": errors, "floor": floor, "wanted": wanted}
        parts.append(pd.DataFrame(rows).assign(algorithm=key, name=name(key)))
    last = pd.Series([rows["error"].iloc[-1] for rows in parts])
    highest = max(rows["error"].max() for rows in parts)
    places = spread(last, NAME_HEIGHT * highest)
    named = [rows.assign(at=places[i]) for i, rows in enumerate(parts)]
    return pd.concat(named, ignore_index=True)


def noise_table(
    histories: Mapping[str, History], n: int, episodes: int, wanted: int
) -> pd.DataFrame:
    """The two variances, and the standard error of a study now, with `wanted` episodes instead of
    `episodes`, and with twice the seeds instead."""
    rows = []
    for key, history in histories.items():
        effects = stats.random_effects(history.eval_episode_returns[-1])
        between, within = variances(history).values()

        def error(seeds: int, count: int, effects: stats.RandomEffects = effects) -> str:
            return f"{np.sqrt(stats.variance_of_mean(effects, seeds, count)):.1f}"

        rows.append(
            {
                "estimator": name(key),
                "variance between seeds [95%]": f"{between:.0f}",
                f"of {episodes} episodes' mean [95%]": f"{within:.0f}",
                f"standard error, n = {n}": error(n, episodes),
                f"with {wanted} episodes": error(n, wanted),
                f"with n = {2 * n}": error(2 * n, episodes),
            }
        )
    return pd.DataFrame(rows)


@built_once(maxsize=1)
def error_spec() -> dict:
    """The constant spec of `error_rows`: a rule at the number wanted, dashes at the floors."""
    x = alt.X(
        "episodes:Q",
        title="episodes per evaluation",
        scale=alt.Scale(type="log", domain=[1, 400], nice=False),  # names stand behind 100
        axis=alt.Axis(values=[1, 2, 5, 10, 20, 50, 100], grid=False),
    )
    y = alt.Y("error:Q", title="standard error of a study's mean", scale=alt.Scale(zero=True))
    base = alt.Chart().encode(color=colour(legend=None))
    tooltip: list = ["algorithm:N", "episodes:Q"]
    tooltip += [alt.Tooltip(f"{c}:Q", format=".1f") for c in ("error", "floor")]
    wanted = named(
        alt.Chart().transform_aggregate(episodes="min(wanted)"),
        "'Chosen: ' + datum.episodes + ' episodes per evaluation'",
    )
    end = named(
        base.transform_filter("datum.episodes == 100"),
        "datum.name + ', standard error ' + format(datum.error, '.1f') + "
        "' with 100 episodes, ' + format(datum.floor, '.1f') + ' with endless episodes'",
    )
    layers = [
        wanted.mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=x),
        base.transform_aggregate(
            floor="min(floor)",
            episodes="min(episodes)",
            last="max(episodes)",  # a floor ends where its line does
            groupby=["algorithm"],
        )
        .mark_rule(strokeDash=[5, 4], aria=False)
        .encode(x=x, x2="last:Q", y="floor:Q"),
        base.mark_line(strokeWidth=2.4, interpolate="monotone", aria=False).encode(
            x=x, y=y, tooltip=tooltip
        ),
        end.mark_text(align="left", dx=6, fontSize=12, fontWeight=600).encode(
            x=x, y="at:Q", text="name:N"
        ),
    ]
    return compact(alt.layer(*layers), 220)


@built_once(maxsize=1)
def variance_spec() -> dict:
    """The constant spec of `variance_rows`."""
    hue = alt.Color(
        "source:N",
        scale=alt.Scale(domain=list(SOURCES), range=list(SOURCES.values())),
        legend=alt.Legend(orient="bottom", title=None),
    )
    part = named(
        alt.Chart(),
        "datum.estimator + ', ' + datum.source + ': ' + format(datum.share, '.0%') + "
        "' of the variance, ' + format(datum.variance, ',.0f')",
    )
    bars = (
        part.mark_bar()
        .encode(
            y=alt.Y("estimator:N", sort=None, title=None, axis=LABELS),
            x=alt.X("share:Q", title="variance of one seed's final return, so evaluated",
                    scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=4)),
            color=hue,
            order=alt.Order("source:N"),
            tooltip=["estimator:N", "source:N", alt.Tooltip("share:Q", format=".0%"),
                     alt.Tooltip("variance:Q", format=",.0f")],
        )
    )  # fmt: skip
    return compact(bars, 190)
