"""The pool: every seed a line, how their scores are distributed, and what a band can mean.

A pool is one run of many seeds for each algorithm; a study is n of them. Scores are one number a
seed, [S]: its final return, or the area under its curve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from pgcore import envs, stats
from pgcore.algorithms import ALGORITHMS
from pgcore.charts import colour, spec
from pgcore.charts.curves import written
from pgcore.history import History

Pools = Mapping[str, np.ndarray]  # scores [S] by algorithm

SCORES: dict[str, tuple[str, Callable[[History], np.ndarray]]] = {
    "final": ("final return", lambda history: history.final_returns),
    "area": ("area under the curve", lambda history: history.area_under_curve),
}
GREY = "#888888"
CLICKABLE = 5_000  # points on a chart of lines; the browser finds the nearest among them
BINS = 25


def scores(histories: Mapping[str, History], score: str) -> dict[str, np.ndarray]:
    """One number a seed, [S], of each algorithm."""
    _, measure = SCORES[score]
    return {key: measure(history).astype(np.float64) for key, history in histories.items()}


def bounds(env_id: str) -> tuple[float, float]:
    """The returns that an episode can have, for a fixed axis."""
    env = envs.describe(env_id)
    longest = float(env.max_episode_steps)
    return (0.0, longest) if env.is_cartpole else (-longest, 0.0)


# --- Every seed ----------------------------------------------------------------------------------

FAN = {"middle 90%": 0.9, "middle 50%": 0.5}


def line_rows(history: History, picked: int | None = None) -> pd.DataFrame:
    """The rows of `lines_spec`: all seeds, the fan of their quantiles, the picked seed once more.

    The seeds make one long path with a gap, a row without a value, after each: a mark a seed would
    take the browser seconds.
    """
    steps, returns, seeds = history.eval_steps, history.eval_returns, np.array(history.config.seeds)
    ends, gaps = np.append(steps, steps[-1]), np.full(len(seeds), np.nan)
    parts = [
        pd.DataFrame(
            {
                "seed": np.repeat(seeds, len(ends)),
                "step": np.tile(ends, len(seeds)),
                "value": np.vstack([returns, gaps]).T.ravel(),
                "kind": "seed",
            }
        )
    ]
    for kind, share in FAN.items():
        band = stats.quantile_band(returns.T, share)
        rows = {"step": steps, "value": band.low, "high": band.high, "kind": kind}
        parts.append(pd.DataFrame(rows))
    parts.append(pd.DataFrame({"step": steps, "value": band.estimate, "kind": "median"}))
    if picked is not None:
        line = returns[:, picked - history.config.first_seed]
        rows = {"seed": picked, "step": steps, "value": line, "kind": "picked"}
        parts.append(pd.DataFrame(rows))
    frame = pd.concat(parts, ignore_index=True)
    frame["seed"] = frame["seed"].fillna(-1)
    types = {"seed": "int32", "step": "int32", "value": "float32", "high": "float32"}
    return frame.astype(types | {"kind": "category"})  # small, for it goes over the wire


def stride(history: History) -> int:
    """Environment steps between the evaluations that can be clicked."""
    points = history.eval_returns.size
    return int(history.config.eval_interval * -(-points // CLICKABLE))


@lru_cache(maxsize=64)
def lines_spec(
    algorithm: str, last_step: int, low: float, high: float, num_seeds: int, stride: int
) -> dict:
    """The constant spec of `line_rows`; a click gives the seed whose line is nearest."""
    domain = alt.Scale(domain=[low, high], nice=False)
    x = alt.X(
        "step:Q",
        title="environment steps",
        scale=alt.Scale(domain=[0, last_step], nice=False),
        axis=alt.Axis(format="~s", grid=False, tickCount=4),
    )
    y = alt.Y("value:Q", title="episodic return", scale=domain)
    base = alt.Chart().encode(x=x, y=y)

    def kind(name: str) -> alt.Chart:
        return base.transform_filter(f"datum.kind == '{name}'")

    own = colour(legend=None)
    tinted = {"color": alt.value(None), "stroke": own}
    name = base.transform_calculate(algorithm=f"'{algorithm}'")
    seeds = kind("seed").transform_calculate(algorithm=f"'{algorithm}'")
    pick = alt.selection_point(name="pick", fields=["seed"], on="click", nearest=True, empty=False)
    there = f"isValid(datum.value) && ({last_step} - datum.step) % {stride} == 0"
    opacity = float(np.clip(40 / num_seeds, 0.06, 0.7))
    del tinted, name
    tooltip = ["seed:O", alt.Tooltip("step:Q", format=","), alt.Tooltip("value:Q", format=".1f")]
    fan = [
        kind(name)
        .transform_calculate(algorithm=f"'{algorithm}'")
        .mark_area(opacity=0.22, clip=True)
        .encode(y2="high:Q", color=own)
        for name in FAN
    ]
    layers = [
        seeds.mark_line(order=None, strokeWidth=0.7, opacity=opacity).encode(color=own),
        *fan,
        kind("median").mark_line(strokeWidth=2.6, color=GREY),
        kind("picked").mark_line(strokeWidth=2.2, color=PICKED),
        seeds.transform_filter(there).mark_point(opacity=0).encode(tooltip=tooltip).add_params(pick),
    ]
    return spec(alt.layer(*layers).properties(height=215, width="container"))
