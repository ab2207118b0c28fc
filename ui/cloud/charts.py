"""The cloud, drawn: arrows of single updates round the true gradient, and what shrinks them.

One panel an estimator, all to one scale. The true gradient points right and has length 1: an arrow
that ends in the right half is within 90 degrees of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore.gradients import Cloud
from pgcore.plotting.theme import FAINT, HEIGHT, built_once, colour, spec, spread
from pgcore.stats import Interval
from ui.cloud.words import NAMES

DRAWN = 300  # arrows in a panel
GREY = "#888888"
TRUTH, MEAN = "#FFC20A", "#FFFFFF"  # each with a black edge: they must show on any cloud
HEAD = "M-0.55,1L0,-1L0.55,1Z"
PARTS = {"truth": "the true gradient", "mean": "the mean of all updates", "update": "one update"}
UNIT = "1 = the true gradient's length"
LABEL_ROOM = 190  # pixels right of the lines against the batch size


# --- arrows ----------------------------------------------------------------------------------


def radius(cloud: Cloud, keys: Sequence[str]) -> float:
    """Half the height of the panels: a round number; the longest arrows of `keys` leave them."""
    reach = max(float(np.quantile(np.abs(cloud.arrows[key]), 0.93)) for key in keys)
    grid = [digit * 10.0**power for power in range(-1, 5) for digit in (1, 1.5, 2, 3, 5, 7)]
    return next((r for r in grid if r >= max(reach, 1.2)), reach)


def truth_row() -> pd.DataFrame:
    """The true gradient alone: the picture before the reader has predicted."""
    return arrow_rows(np.empty((0, 2))).query("part == 'truth'")


def arrow_rows(arrows: np.ndarray, drawn: int = DRAWN) -> pd.DataFrame:
    """The first arrows, the mean of all, and the true gradient."""
    middle = arrows.mean(0, keepdims=True) if len(arrows) else np.empty((0, 2))
    mean = pd.DataFrame(middle, columns=["x", "y"]).assign(part="mean")
    truth = pd.DataFrame({"x": [1.0], "y": [0.0], "part": ["truth"]})
    single = pd.DataFrame(arrows[:drawn], columns=["x", "y"]).assign(part="update")
    frame = pd.concat([single, truth, mean], ignore_index=True)
    frame["angle"] = np.degrees(np.arctan2(frame["x"], frame["y"]))  # clockwise from upwards
    return frame.round(4)


@built_once(maxsize=128)
def panel_spec(half: float, key: str, height: int = 200) -> dict:
    """One estimator's arrows from `arrow_rows`; x and y have one scale, whatever the width.

    Args:
        half: half the height; the true gradient's length is 1.
        key: whose colour.
    """
    wide = [{"expr": f"{sign}{half} * width / height"} for sign in ("-", "")]
    axis = alt.Axis(grid=False, title=UNIT, titleFontSize=12, tickCount=5, ticks=False)
    x_scale, y_scale = alt.Scale(domain=wide, nice=False), alt.Scale(domain=[-half, half])
    marked = alt.Chart().transform_calculate(
        zero="0",
        algorithm=f"'{key}'",
        way="datum.x > 0 ? 'right' : 'wrong'",
        arrow=f"{json.dumps(PARTS)}[datum.part]",
    )
    stroke = marked.encode(
        x=alt.X("zero:Q", scale=x_scale, axis=None),
        y=alt.Y("zero:Q", scale=y_scale, axis=axis),
        x2="x:Q",
        y2="y:Q",
    )
    head = marked.encode(
        x=alt.X("x:Q", scale=x_scale, axis=None),
        y=alt.Y("y:Q", scale=y_scale, axis=axis),
        angle=alt.Angle("angle:Q", scale=alt.Scale(domain=[-360, 360], range=[-360, 360])),
        tooltip=[
            alt.Tooltip("arrow:N"),
            alt.Tooltip("x:Q", title="along the true gradient"),
            alt.Tooltip("y:Q", title="across it"),
        ],
    )

    def part(chart: alt.Chart, name: str) -> alt.Chart:
        return chart.transform_filter(f"datum.part == '{name}'")

    way = alt.condition("datum.way == 'right'", colour(legend=None), alt.value(GREY))
    layers = [
        part(marked, "truth")
        .mark_rect(color="#2A9D5C", opacity=0.1, aria=False)
        .encode(x=alt.X("zero:Q", scale=x_scale, axis=None), x2=alt.value("width")),
        part(stroke, "update").mark_rule(clip=True, opacity=0.45, aria=False).encode(color=way),
        part(head, "update")
        .mark_point(shape=HEAD, filled=True, size=30, clip=True, opacity=0.75, aria=False)
        .encode(color=way),
    ]
    stem, tip = part(stroke, "truth"), part(head, "truth")
    layers += [
        stem.mark_rule(color="black", strokeWidth=9, aria=False),
        tip.mark_point(shape=HEAD, size=220, opacity=1, color="black", strokeWidth=2, aria=False),
        stem.mark_rule(color=TRUTH, strokeWidth=7, aria=False),
        tip.mark_point(
            shape=HEAD, filled=True, size=220, opacity=1, color=TRUTH, description=PARTS["truth"]
        ),
        part(head, "mean").mark_point(
            shape="circle", filled=True, size=70, opacity=1, fill=MEAN, stroke="black",
            strokeWidth=2, aria=False,  # not there before the reveal; the chart's `alt` says it
        ),
    ]  # fmt: skip
    return spec(alt.layer(*layers).properties(width="container", height=height))


# --- the mean, magnified --------------------------------------------------------------------


def mean_rows(mean: Interval) -> pd.DataFrame:
    """The true gradient and the mean of all updates along it, one below the other.

    Args:
        mean: in lengths of the true gradient, with its interval; n counts updates.
    """
    rows = [
        {"part": "truth", "x": 1.0, "low": 1.0, "high": 1.0, "text": "true gradient: 1"},
        {"part": "mean", "x": mean.estimate, "low": mean.low, "high": mean.high,
         "text": f"mean of {mean.n:,} updates: {mean:.2f}"},
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["angle"] = np.where(frame["x"] < 0, -90, 90)
    return frame


def mean_range(means: Sequence[Interval]) -> tuple[float, float]:
    """The axis of the magnified means, one for all panels: from 0 or below to a little above 1."""
    low, high = min(0.0, *(m.low for m in means)), max(1.0, *(m.high for m in means))
    return float(np.floor(low * 5) / 5), float(np.ceil(high * 5 + 0.25) / 5)


@built_once(maxsize=128)
def mean_spec(low: float, high: float, key: str) -> dict:
    """The chart of `mean_rows`: each arrow below its label, the mean with its 95% interval."""
    scale = alt.Scale(domain=[low, high], nice=False)
    axis = alt.Axis(grid=False, tickCount=4, title=UNIT, titleFontSize=12)
    marked = alt.Chart().transform_calculate(
        zero="0", algorithm=f"'{key}'", row="datum.part == 'truth' ? 0 : 1",
        above="datum.row - 0.42", below="datum.row + 0.36",
    )  # fmt: skip
    rows = alt.Scale(domain=[1.5, -0.7], nice=False)
    x, y = alt.X("x:Q", scale=scale, axis=axis), alt.Y("row:Q", scale=rows, axis=None)
    shade = alt.condition("datum.part == 'truth'", alt.value(TRUTH), colour(legend=None))
    stem = marked.encode(x=alt.X("zero:Q", scale=scale, axis=axis), x2="x:Q", y=y)
    angle = alt.Angle("angle:Q", scale=alt.Scale(domain=[-360, 360], range=[-360, 360]))
    tip = marked.encode(x=x, y=y, angle=angle)
    layers = [
        stem.mark_rule(color="black", strokeWidth=7, aria=False),
        tip.mark_point(shape=HEAD, size=130, color="black", strokeWidth=3, aria=False),
        stem.mark_rule(strokeWidth=5, aria=False).encode(color=shade),
        tip.mark_point(
            shape=HEAD, filled=True, size=130, opacity=1, description=alt.expr("datum.text")
        ).encode(color=shade),
        marked.mark_rule(strokeWidth=2, color=FAINT, aria=False).encode(
            x=alt.X("low:Q", scale=scale, axis=axis),
            x2="high:Q",
            y=alt.Y("below:Q", scale=rows, axis=None),
        ),
        marked.mark_text(
            align="left", dx=2, fontSize=13, fontWeight=600, color=FAINT, aria=False
        ).encode(x=alt.value(0), y=alt.Y("above:Q", scale=rows, axis=None), text="text:N"),
    ]
    return spec(alt.layer(*layers).properties(width="container", height=132))


# --- the batch size --------------------------------------------------------------------------


def batch_rows(measured: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """tr Sigma against the batch size for `keys`, and how plain PG would fall if steps were
    independent: tr Sigma(1) / T."""
    shown = measured[measured["algorithm"].isin([*keys, "score"]) & (measured["tr_sigma"] > 0)]
    lines = shown.assign(name=shown["algorithm"].map(NAMES), part="measured")
    plain = measured[measured["algorithm"] == "policy_gradient"]
    law = pd.DataFrame(
        {
            "algorithm": "law",
            "batch_size": plain["batch_size"],
            "tr_sigma": plain["tr_sigma"].iloc[0] / plain["batch_size"],
            "name": "1/T, if steps were independent",
            "part": "law",
        }
    )
    frame = pd.concat([lines, law], ignore_index=True)
    last = frame["batch_size"] == frame["batch_size"].max()
    ends = np.log(frame.loc[last, "tr_sigma"])
    room = (np.log(frame["tr_sigma"]).max() - np.log(frame["tr_sigma"]).min()) / 10
    frame["label"] = np.where(last, frame["name"], "")
    frame.loc[last, "label_y"] = np.exp(spread(ends, room))
    return frame


POINT = alt.expr(
    "datum.name + ', batches of ' + datum.batch_size + ': ' + format(datum.tr_sigma, '.3~g')"
)


@built_once(maxsize=8)
def batch_spec(longest: int) -> dict:
    """The chart of `batch_rows` for batches of 1 to `longest` steps, on logarithmic axes."""
    base = alt.Chart().encode(
        x=alt.X(
            "batch_size:Q",
            title="steps in a batch, T",
            scale=alt.Scale(
                type="log",
                base=2,
                domain=[1, longest],
                nice=False,
                range=[0, alt.expr(f"width - {LABEL_ROOM}")],
            ),
            axis=alt.Axis(grid=False, values=[2**k for k in range(longest.bit_length())]),
        ),
        color=alt.condition(
            "indexof(domain('color'), datum.algorithm) < 0", alt.value(FAINT), colour(legend=None)
        ),
    )
    y_scale = alt.Scale(type="log")
    title = "variance of an update, tr Σ"
    ticks = alt.Axis(format="~g", values=[10.0**power for power in range(-6, 9)])
    y = alt.Y("tr_sigma:Q", title=title, scale=y_scale, axis=ticks)
    tooltip = [
        alt.Tooltip("name:N"),
        alt.Tooltip("batch_size:Q", title="steps in a batch"),
        *(
            alt.Tooltip(f"{name}:Q", format=".3~g")
            for name in ("tr_sigma", "tr_sigma_low", "tr_sigma_high", "design_effect")
        ),
    ]
    measured = base.transform_filter("datum.part == 'measured'")
    law = base.transform_filter("datum.part == 'law'")
    label = base.transform_filter("datum.label").encode(
        y=alt.Y("label_y:Q", scale=y_scale), text="label:N"
    )
    placed: dict[str, Any] = dict(align="left", dx=10, fontSize=13, fontWeight=600, aria=False)
    layers = [
        measured.mark_area(opacity=0.18, aria=False).encode(
            y=alt.Y("tr_sigma_low:Q", scale=y_scale, title=title),
            y2="tr_sigma_high:Q",
            detail="name:N",
        ),
        law.mark_line(strokeDash=[5, 4], strokeWidth=1.6, aria=False).encode(y=y),
        measured.mark_line(strokeWidth=2.4, aria=False).encode(y=y, detail="name:N"),
        measured.mark_point(filled=True, size=40, opacity=1, description=POINT).encode(
            y=y, tooltip=tooltip
        ),
        label.mark_text(**placed),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))
