"""Learning curves: a line an algorithm, with its band or its seeds, and the reference lines."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.history import History
from pgcore.plotting.theme import HEIGHT, colour, spec, spread

BANDS = {
    "std": "mean ± standard deviation of the seeds (the lab's; not an interval for the mean)",
    "95%": "mean with its 95% t interval",
    "seeds": "mean and single seeds",
}
SEED_LINES = 30  # thin lines drawn per algorithm


def interval(returns: np.ndarray, band: str) -> stats.Interval:
    """Mean and band of [K, S] returns along the evaluations."""
    return stats.std_band(returns.T) if band == "std" else stats.mean_t_interval(returns.T)


def rows(histories: Mapping[str, History], band: str, suffix: str = "") -> pd.DataFrame:
    """Tidy rows of the chart: lines, band and labels; `suffix` marks a kept run."""
    parts = []
    for key, history in histories.items():
        steps, returns = history.eval_steps, history.eval_returns
        middle = interval(returns, band)
        line = pd.DataFrame({"step": steps, "mean": middle.estimate})
        if band != "seeds" and returns.shape[1] > 1:
            line["low"], line["high"] = middle.low, middle.high
        line["label"] = ""
        name = f"{ALGORITHMS[key].name}, n = {returns.shape[1]}{suffix}"
        line.loc[len(line) - 1, "label"] = name
        parts.append(line.assign(algorithm=key, seed=-1, kept=bool(suffix)))
        if band == "seeds":
            shown = returns[:, :SEED_LINES]
            thin = pd.DataFrame({"step": np.repeat(steps, shown.shape[1])})
            thin["mean"], thin["seed"] = shown.ravel(), np.tile(range(shown.shape[1]), len(steps))
            parts.append(thin.assign(algorithm=key, label="", kept=bool(suffix)))
    frame = pd.concat(parts, ignore_index=True)
    return frame.reindex(columns=[*COLUMNS])


COLUMNS = ("algorithm", "step", "mean", "low", "high", "seed", "kept", "label", "label_y")


def place_labels(frame: pd.DataFrame, top: float, bottom: float = 0.0) -> pd.DataFrame:
    """Give each line's label a height of its own near the line's end."""
    labelled = frame["label"].fillna("") != ""
    frame.loc[labelled, "label_y"] = spread(frame.loc[labelled, "mean"], (top - bottom) / 16)
    return frame


@lru_cache(maxsize=32)
def curves_spec(
    last_step: int,
    lowest: float,
    highest: float,
    threshold: float | None,
    random: float | None,
    background: str = "#FFFFFF",
) -> dict:
    """The constant spec; the rows come from `joined`. `background` is the page's, behind labels."""
    x = alt.X(
        "step:Q",
        title="environment steps",
        scale=alt.Scale(domain=[0, last_step], nice=False),
        axis=alt.Axis(format="~s", grid=False, tickCount=6),
    )
    y_scale = alt.Scale(domain=[lowest, highest], nice=False)
    base = alt.Chart().encode(x=x, color=colour(legend=None))
    y = alt.Y("mean:Q", title="episodic return", scale=y_scale)
    dash = alt.StrokeDash(
        "kept:N", scale=alt.Scale(domain=[False, True], range=[[1, 0], [5, 4]]), legend=None
    )
    tooltip = [
        alt.Tooltip("algorithm:N"),
        alt.Tooltip("step:Q", format=","),
        alt.Tooltip("mean:Q", format=".1f"),
        alt.Tooltip("low:Q", format=".1f"),
        alt.Tooltip("high:Q", format=".1f"),
    ]
    means = base.transform_filter("datum.seed < 0")
    thin = base.transform_filter("datum.seed >= 0").mark_line(strokeWidth=0.8, opacity=0.45)
    band = means.transform_filter("isValid(datum.low)").mark_area(opacity=0.16, clip=True)
    line = means.mark_line(strokeWidth=2.6, clip=True)
    points = means.mark_point(size=60, opacity=0, clip=True)
    label = base.transform_filter("datum.label").encode(
        y=alt.Y("label_y:Q", scale=y_scale), text="label:N"
    )
    early = f"datum.step < {0.6 * last_step}"  # a run that goes on: its label stands before it
    written: Any = dict(
        align=alt.ExprRef(f"{early} ? 'left' : 'right'"),
        dx=alt.ExprRef(f"{early} ? 6 : -4"),
        dy=alt.ExprRef(f"{early} ? 4 : -9"),
        fontSize=13,
        fontWeight=600,
    )
    halo = label.mark_text(stroke=background, strokeWidth=4, strokeOpacity=0.8, **written)
    layers = [
        *(_rule(value, text) for value, text in ((threshold, "solved"), (random, "random"))
          if value is not None),
        band.encode(y=alt.Y("low:Q", scale=y_scale, title="episodic return"), y2="high:Q",
                    detail=["kept:N"]),
        thin.encode(y=y, detail=["seed:N", "kept:N"], strokeDash=dash),
        line.encode(y=y, strokeDash=dash, detail=["kept:N"]),
        points.encode(y=y, tooltip=tooltip),
        halo,
        label.mark_text(**written),
    ]  # fmt: skip
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


def _rule(value: float, text: str) -> alt.LayerChart:
    once = alt.Chart().transform_aggregate(rows="count()")  # one mark, not one a row
    at = alt.Y(datum=value)
    rule = once.mark_rule(strokeDash=[2, 3], color="#888888", opacity=0.9).encode(y=at)
    words = once.mark_text(align="left", dx=4, dy=-7, color="#888888", fontSize=12)
    return rule + words.encode(y=at, x=alt.value(0), text=alt.value(f"{text} {value:.0f}"))


def table(histories: Mapping[str, History], threshold: float | None) -> pd.DataFrame:
    """Final return, area under the curve and seeds that reached the threshold, each with n."""
    rows = []
    for key, history in histories.items():
        seeds = history.config.num_seeds
        row = {
            "estimator": ALGORITHMS[key].name,
            "final return": written(stats.mean_t_interval(history.final_returns)),
            "mean return over training": written(stats.mean_t_interval(history.area_under_curve)),
        }
        if threshold is not None:
            reached = int(history.reached(threshold).sum())
            share = stats.proportion_interval(reached, seeds)
            row[f"reached {threshold:.0f}"] = (
                f"{reached} of {seeds} [{100 * share.low:.0f}%, {100 * share.high:.0f}%]"
            )
        rows.append(row | {"n": seeds})
    return pd.DataFrame(rows)


def written(interval: stats.Interval, digits: int = 1) -> str:
    """A number with its uncertainty; a single seed has none, and that is said."""
    if np.isnan(interval.low):
        return f"{interval.estimate:.{digits}f} (no interval from one seed)"
    low, high = f"{interval.low:.{digits}f}", f"{interval.high:.{digits}f}"
    return f"{interval.estimate:.{digits}f} [{low}, {high}]"


def joined(frames: list[pd.DataFrame], top: float, bottom: float) -> pd.DataFrame:
    """Several `rows` on one chart, labels placed; empty before the first evaluation."""
    if not frames:
        return pd.DataFrame(columns=[*COLUMNS])
    return place_labels(pd.concat(frames, ignore_index=True), top, bottom)
