"""The pool: every seed a line, how the scores are distributed, and what a band can mean.

A pool is one run of many seeds for each algorithm; a study is n of them. Scores are one number a
seed, [S]: its final return, or the area under its curve.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore import envs, stats
from pgcore.algorithms import ALGORITHMS
from pgcore.history import History
from pgcore.plotting.bands import BANDS
from pgcore.plotting.theme import built_once, colour, named, spec

Pools = Mapping[str, np.ndarray]  # scores [S] by algorithm

SCORES: dict[str, tuple[str, Callable[[History], np.ndarray]]] = {
    "final": ("final return", lambda history: history.final_returns),
    "area": ("area under the curve", lambda history: history.area_under_curve),
}
FAN = {"middle 90%": 0.9, "middle 50%": 0.5}
CLICKABLE = 4_000  # points of a chart of lines among which the browser finds the nearest
BINS = 25
SEEDS_A_PATH = 5
GREY = "#888888"
# A Vega expression of a row: the algorithm's name.
NAME = f"{json.dumps({key: entry.name for key, entry in ALGORITHMS.items()})}[datum.algorithm]"
CANVAS = {"embedOptions": {"renderer": "canvas"}}  # where SVG would be too slow


def compact(chart: Any, height: int) -> dict:
    """A chart's spec with little room round it, for several charts stand on one screen."""
    edge = {"left": 2, "right": 8, "top": 6, "bottom": 2}
    chart = chart.properties(height=height, width="container", padding=edge)
    chart = chart.configure_axis(titlePadding=6, labelPadding=5)
    return spec(chart.configure_legend(padding=0, offset=6))


def scores(histories: Mapping[str, History], score: str) -> dict[str, np.ndarray]:
    """One number a seed, [S], for each algorithm."""
    _, measure = SCORES[score]
    return {key: measure(history).astype(np.float64) for key, history in histories.items()}


def limits(env_id: str) -> tuple[float, float]:
    """The lowest and highest return of an episode, for axes that stay as they are."""
    return envs.describe(env_id).return_range


# --- Every seed ----------------------------------------------------------------------------------


def line_rows(history: History) -> pd.DataFrame:
    """All seeds, and the fan of their quantiles.

    After each seed comes a gap, a row without a value, so that several can share a path: a mark a
    seed takes the browser longer, and so does one path of all.
    """
    steps, returns, seeds = history.eval_steps, history.eval_returns, np.array(history.config.seeds)
    with_gap = np.vstack([returns, np.full(len(seeds), np.nan)])  # [K + 1, S]
    lines = {
        "seed": np.repeat(seeds, len(with_gap)),
        "step": np.tile(np.append(steps, steps[-1]), len(seeds)),
        "value": with_gap.T.ravel(),
        "kind": "seed",
    }
    parts = [pd.DataFrame(lines)]
    for kind, share in FAN.items():
        band = stats.quantile_band(returns.T, share)
        parts.append(
            pd.DataFrame({"step": steps, "value": band.low, "high": band.high, "kind": kind})
        )
    parts.append(pd.DataFrame({"step": steps, "value": band.estimate, "kind": "median"}))
    frame = pd.concat(parts, ignore_index=True).assign(algorithm=history.config.algorithm)
    frame["seed"] = frame["seed"].fillna(-1)
    small = {"seed": "int32", "step": "int32", "value": "float32", "high": "float32"}
    return frame.astype(small | {"kind": "category", "algorithm": "category"})


def picked_rows(history: History, seed: int | None) -> pd.DataFrame:
    """The line of one seed, or of none."""
    place = [] if seed is None else [seed - history.config.first_seed]
    values = history.eval_returns[:, place]  # [K, 1] or [K, 0]
    return pd.DataFrame({"step": history.eval_steps[: values.size], "value": values.ravel()})


@built_once(maxsize=32)
def lines_spec(last_step: int, eval_interval: int, num_seeds: int, low: float, high: float) -> dict:
    """The constant spec of `line_rows` and `picked_rows`, as the data sets `seeds` and `picked`.

    A click gives the seed whose line is nearest. Apart, so that a click redraws one line only.
    A canvas has no marks for a screen reader: the chart's `alt` speaks.
    """
    x = alt.X(
        "step:Q",
        title="environment steps",
        scale=alt.Scale(domain=[0, last_step], nice=False),
        axis=alt.Axis(format="~s", grid=False, tickCount=4),
    )
    y = alt.Y("value:Q", title="episodic return", scale=alt.Scale(domain=[low, high], nice=False))
    base = alt.Chart().encode(x=x, y=y)
    own = base.encode(color=colour(legend=None))
    seeds = "datum.kind == 'seed'"
    pick = alt.selection_point(name="pick", fields=["seed"], on="click", nearest=True, empty=False)
    evaluations = last_step // eval_interval
    stride = eval_interval * -(-evaluations * num_seeds // CLICKABLE)
    behind = f"{evaluations * eval_interval} - datum.step"
    clickable = f"{seeds} && isValid(datum.value) && ({behind}) % {stride} == 0"
    tooltip = [alt.Tooltip("seed:O"), alt.Tooltip("step:Q", format=",")]
    tooltip += [alt.Tooltip("value:Q", format=".1f", title="episodic return")]
    layers = [
        own.transform_filter(seeds)
        .transform_calculate(path=f"floor(datum.seed / {SEEDS_A_PATH})")
        .mark_line(
            order=None,
            strokeWidth=0.7,
            opacity=float(np.clip(45 / num_seeds, 0.06, 0.7)),
            aria=False,
        )
        .encode(detail="path:N"),
        *(
            own.transform_filter(f"datum.kind == '{kind}'")
            .mark_area(opacity=0.2, clip=True, aria=False)
            .encode(y2="high:Q")
            for kind in FAN
        ),
        own.transform_filter("datum.kind == 'median'").mark_line(strokeWidth=3, aria=False),
        base.mark_line(strokeWidth=4.5, color="white", aria=False),
        base.mark_line(strokeWidth=1.8, color="black", aria=False),
        base.transform_filter(clickable)
        .mark_point(opacity=0, aria=False)
        .encode(tooltip=tooltip)
        .add_params(pick),
    ]
    built = compact(alt.layer(*layers).properties(usermeta=CANVAS), 205)
    for layer in built["layer"]:
        picked = layer["mark"].get("color") in ("white", "black")
        layer["data"] = {"name": "picked" if picked else "seeds"}
    return built


def presets(pool: np.ndarray) -> dict[str, int]:
    """Which place in the pool the worst, the median and the best score have."""
    order = pool.argsort(kind="stable")
    return {"unlucky": order[0], "median": order[(len(order) - 1) // 2], "lucky": order[-1]}


def score_table(histories: Mapping[str, History], seeds: range) -> pd.DataFrame:
    """Both scores of every seed: a row a seed, two columns an algorithm."""
    columns = {
        f"{ALGORITHMS[key].name}, {label}": measure(history).astype(np.float64).round(1)
        for key, history in histories.items()
        for label, measure in SCORES.values()
    }
    return pd.DataFrame({"seed": list(seeds)} | columns)


# --- The distribution of a score -----------------------------------------------------------------


def distribution_rows(pools: Pools, low: float, high: float, picked: float) -> pd.DataFrame:
    """A histogram of each pool, as shares of its seeds, its mean, and the picked seed's score."""
    parts = []
    for key, pool in pools.items():
        count, edges = np.histogram(pool, BINS, (low, high))
        share = np.append(count, 0) / len(pool)
        bars = pd.DataFrame({"score": edges, "share": share, "kind": "share"})
        mean = pd.DataFrame({"score": [pool.mean()], "kind": "mean"})
        parts.append(pd.concat([bars, mean]).assign(algorithm=key))
    parts.append(pd.DataFrame({"score": [picked], "kind": "picked"}))
    return pd.concat(parts, ignore_index=True)


@built_once(maxsize=32)
def distribution_spec(low: float, high: float, title: str) -> dict:
    """The constant spec of `distribution_rows`."""
    x = alt.X("score:Q", title=title, scale=alt.Scale(domain=[low, high], nice=False))
    y = alt.Y("share:Q", title="seeds", stack=None, axis=alt.Axis(format="%", tickCount=3))
    base = alt.Chart().encode(x=x)
    own = base.encode(color=colour(legend=None))
    bars = own.transform_filter("datum.kind == 'share'").encode(y=y)
    mean = own.transform_filter("datum.kind == 'mean'")
    picked = base.transform_filter("datum.kind == 'picked'")
    number = "format(datum.score, '.0f')"
    layers = [
        bars.mark_area(interpolate="step-after", opacity=0.25, aria=False),
        bars.mark_line(interpolate="step-after", strokeWidth=1.6, aria=False),
        named(mean, f"{NAME} + ', mean of the seeds: ' + {number}")
        .mark_rule(strokeWidth=2, strokeDash=[5, 3]),
        picked.mark_rule(strokeWidth=4.5, color="white", aria=False),
        named(picked, f"'The chosen seed: ' + {number}").mark_rule(strokeWidth=1.8, color="black"),
    ]  # fmt: skip
    return compact(alt.layer(*layers), 150)


# --- What a band means ---------------------------------------------------------------------------


def band_rows(histories: Mapping[str, History], band: str, n: int) -> pd.DataFrame:
    """The band of the first n seeds along the training, and what the whole pool says."""
    parts = []
    for place, (key, history) in enumerate(histories.items()):
        returns = history.eval_returns.T.astype(np.float64)  # [S, K]
        shown = BANDS[band].of(returns[:n])
        parts.append(
            pd.DataFrame(
                {
                    "algorithm": key,
                    "step": history.eval_steps,
                    "value": shown.estimate,
                    "low": shown.low,
                    "high": shown.high,
                    "pool": BANDS[band].centre(returns),
                    "place": place,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def names(base: alt.Chart, key_step: int, low: float, high: float) -> alt.Chart:
    """The names of the lines, in their colours, where curves that rise leave room."""
    at = f"{high} - {(high - low) / 13} * (datum.place + 0.6)"
    return (
        base.transform_filter(f"datum.step == {key_step}")
        .transform_calculate(name=NAME, at=at)
        .mark_text(align="left", fontSize=12, fontWeight=600, aria=False)
        .encode(x=alt.value(5), y=alt.Y("at:Q", title=None), text="name:N")
    )


@built_once(maxsize=32)
def band_spec(last_step: int, eval_interval: int, low: float, high: float) -> dict:
    """The constant spec of `band_rows`: the n seeds solid, the pool dashed."""
    scale = alt.Scale(domain=[low, high], nice=False)
    x = alt.X(
        "step:Q",
        title=None,
        scale=alt.Scale(domain=[0, last_step], nice=False),
        axis=alt.Axis(format="~s", grid=False, tickCount=3),
    )
    y = alt.Y("value:Q", title=None, scale=scale)
    base = alt.Chart().encode(x=x, y=y, color=colour(legend=None))
    tooltip: list = ["algorithm:N", alt.Tooltip("step:Q", format=",")]
    tooltip += [alt.Tooltip(f"{name}:Q", format=".1f") for name in ("value", "low", "high", "pool")]
    layers = [
        base.transform_filter("isValid(datum.low)")
        .mark_area(opacity=0.25, clip=True, aria=False)
        .encode(y=alt.Y("low:Q", scale=scale, title=None), y2="high:Q"),
        base.mark_line(strokeWidth=2, clip=True, aria=False),
        base.mark_line(strokeWidth=1.2, strokeDash=[4, 3], clip=True, aria=False).encode(
            y="pool:Q"
        ),
        names(base, last_step // eval_interval * eval_interval, low, high),
        base.mark_point(opacity=0, size=60, aria=False).encode(tooltip=tooltip),
    ]
    return compact(alt.layer(*layers).properties(usermeta=CANVAS), 205)


def band_numbers(pools: Pools, band: str, n: int) -> list[str]:
    """The band of each algorithm's score, in words."""
    return [f"{ALGORITHMS[key].name} {BANDS[band].of(pool[:n]):.0f}" for key, pool in pools.items()]
