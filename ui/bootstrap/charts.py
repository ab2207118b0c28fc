"""Why bootstrap, drawn: three targets along a batch, their bias and variance, episode lengths."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore.gradients.bootstrapping import CRITIC, CUT, FOLLOWED, TARGETS, Bootstrapping
from pgcore.plotting.theme import HEIGHT, built_once, place, spec, spread
from ui.bootstrap.words import NAMES

COLOURS = {CUT: "1", CRITIC: "2", FOLLOWED: "0"}  # places of the palette
GREY = "#888888"
LABEL_ROOM = 96  # pixels right of the lines
FEW = 64  # steps of a batch whose every position has a point
DEEPEST, HIGHEST = -2.5, 1.0  # biases beyond are drawn at the edge
BINS = 24


# --- returns along a batch -------------------------------------------------------------------


def return_rows(found: Bootstrapping) -> pd.DataFrame:
    """Mean Q_t of each target at each position of the batch, with its 95% t interval."""
    parts = []
    for key in TARGETS:
        q = found.mean_q[key]
        line = pd.DataFrame({"t": np.arange(len(q.estimate)), "q": q.estimate})
        line["low"], line["high"] = q.low, q.high
        line["label"] = np.where(line.index == len(line) - 1, NAMES[key], "")
        parts.append(line.assign(target=key, colour=COLOURS[key], name=NAMES[key]))
    frame = pd.concat(parts, ignore_index=True)
    ends = frame["label"] != ""
    frame.loc[ends, "label_y"] = spread(frame.loc[ends, "q"], return_top(found) / 16)
    return frame


def return_top(found: Bootstrapping) -> float:
    """The top of the axis of returns."""
    return float(np.ceil(max(q.high.max() for q in found.mean_q.values()) * 1.05))


@built_once(maxsize=64)
def return_spec(steps: int, top: float) -> dict:
    """The chart of `return_rows` for batches of `steps`."""
    scale = alt.Scale(
        domain=[-0.5, steps - 0.5], nice=False, range=[0, alt.expr(f"width - {LABEL_ROOM}")]
    )
    base = alt.Chart().encode(
        x=alt.X(
            "t:Q", title="step of the batch", scale=scale,
            axis=alt.Axis(grid=False, tickCount=min(steps, 8), tickMinStep=1, format="d"),
        ),
        color=place(),
    )  # fmt: skip
    y_scale, title = alt.Scale(domain=[0, top], nice=False), "mean Q (discounted)"
    y = alt.Y("q:Q", title=title, scale=y_scale, axis=alt.Axis(tickCount=5))
    line = alt.expr("'mean Q along the batch: ' + datum.name")
    point = alt.expr("datum.name + ', step ' + datum.t + ': ' + format(datum.q, '.1f')")
    dots = base.transform_filter(f"{steps} <= {FEW}")
    layers = [
        base.mark_area(opacity=0.2, clip=True, aria=False).encode(
            y=alt.Y("low:Q", scale=y_scale, title=title), y2="high:Q"
        ),
        base.mark_line(strokeWidth=2.6, clip=True, description=line).encode(y=y),
        dots.mark_point(filled=True, size=24, opacity=1, description=point).encode(
            y=y,
            tooltip=[
                alt.Tooltip("name:N", title="what follows"), alt.Tooltip("t:Q", title="step"),
                *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("q", "low", "high")),
            ],
        ),
        base.transform_filter("datum.label")
        .mark_text(align="left", dx=9, fontSize=14, fontWeight=600, aria=False)
        .encode(y=alt.Y("label_y:Q", scale=y_scale), text="label:N"),
    ]  # fmt: skip
    return spec(alt.layer(*layers).properties(height=HEIGHT - 40, width="container"))


# --- bias and variance -----------------------------------------------------------------------


def update_rows(found: Bootstrapping) -> pd.DataFrame:
    """Bias along the true gradient and relative variance of each target, with intervals.

    What truly followed stands at no bias and variance 1, by theory and by the choice of the unit.
    Where a bias cannot be given, the target is left out.
    """
    rows: list[dict[str, Any]] = []
    for key in TARGETS:
        measured = found.measurements[key]
        row: dict[str, Any] = {"target": key, "name": NAMES[key], "colour": COLOURS[key]}
        for name, interval in (("bias", measured.bias.along), ("variance", measured.ratio)):
            row |= {
                name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high
            }  # fmt: skip
        if key == FOLLOWED:
            row |= dict.fromkeys(("bias", "bias_low", "bias_high"), 0.0)
            row |= dict.fromkeys(("variance", "variance_low", "variance_high"), 1.0)
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame = frame[np.isfinite(frame["bias"])].reset_index(drop=True)
    low, high = (np.log(bound) for bound in variance_range(found))
    right = (np.log(frame["variance"]) - low) / (high - low) > 0.6
    frame["side"] = np.where(right, "left", "right")
    below = frame["bias"] == frame["bias"].min()
    frame["dy"] = np.where(below & (frame["target"] != FOLLOWED), "below", "above")
    return frame


def bias_range(found: Bootstrapping) -> tuple[float, float]:
    """The axis of the bias: from -100% or lower to a little above 0."""
    biases = [found.measurements[key].bias.along for key in (CUT, CRITIC)]
    lows = [b.low for b in biases if np.isfinite(b.low)]
    highs = [b.high for b in biases if np.isfinite(b.high)]
    low, high = min([-1.1, *lows]), max([0.15, *highs])
    return max(np.floor(low * 10) / 10, DEEPEST), min(np.ceil(high * 20) / 20, HIGHEST)


def variance_range(found: Bootstrapping) -> tuple[float, float]:
    """The logarithmic axis of the variance: every point, and room beside it."""
    ratios = [found.measurements[key].ratio for key in (CUT, CRITIC)]
    return min(0.5, *(r.low for r in ratios)) / 1.6, max(1.0, *(r.high for r in ratios)) * 1.6


@built_once(maxsize=64)
def update_spec(bias: tuple[float, float], variance: tuple[float, float]) -> dict:
    """The chart of `update_rows`: unbiased on the dashed line, quiet on the left."""
    x_scale = alt.Scale(type="log", domain=[*variance], nice=False)
    y_scale = alt.Scale(domain=[*bias], nice=False)
    ticks = [m * 10.0**k for k in range(-4, 5) for m in (1, 2, 5)]
    few = [t for t in ticks if variance[0] <= t <= variance[1]]
    if len(few) > 7:
        few = [t for t in few if np.isclose(np.log10(t) % 1, 0) or np.isclose(np.log10(t) % 1, 1)]
    x_title = "variance (what followed = 1), log scale"
    y_title = "bias along the true gradient"
    base = alt.Chart().encode(color=place())
    x = alt.X(
        "variance:Q",
        title=x_title,
        scale=x_scale,
        axis=alt.Axis(grid=False, values=few, format="~g"),
    )
    sign = "datum.value == 0 ? '0%' : format(datum.value, '+.0%')"
    y = alt.Y(
        "bias:Q", title=y_title, scale=y_scale, axis=alt.Axis(labelExpr=sign, tickCount=6)
    )  # fmt: skip
    point = alt.expr(
        "datum.name + ': bias ' + format(datum.bias, '+.0%') + ', variance ' + "
        "format(datum.variance, '.2f')"
    )
    once = alt.Chart().transform_filter(f"datum.target == '{FOLLOWED}'")
    layers: list[Any] = [
        once.mark_rule(color=GREY, strokeDash=[4, 4], aria=False).encode(
            y=alt.Y("bias:Q", scale=y_scale, title=y_title)
        ),
        once.mark_text(color=GREY, fontSize=12, align="left", dx=4, dy=-7, aria=False).encode(
            x=alt.value(0), y=alt.Y("bias:Q", scale=y_scale), text=alt.value("no bias")
        ),
        base.mark_rule(strokeWidth=2, clip=True, aria=False).encode(
            x=x, y=alt.Y("bias_low:Q", scale=y_scale, title=y_title), y2="bias_high:Q"
        ),
        base.mark_rule(strokeWidth=2, clip=True, aria=False).encode(
            x=alt.X("variance_low:Q", scale=x_scale, title=x_title), x2="variance_high:Q", y=y
        ),
        base.mark_point(filled=True, size=130, opacity=1, clip=True, description=point).encode(
            x=x, y=y,
            tooltip=[
                alt.Tooltip("name:N", title="what follows"),
                *(alt.Tooltip(f"bias{e}:Q", format="+.1%") for e in ("", "_low", "_high")),
                *(alt.Tooltip(f"variance{e}:Q", format=".3f") for e in ("", "_low", "_high")),
            ],
        ),
    ]  # fmt: skip
    for side, (align, dx) in {"right": ("left", 11), "left": ("right", -11)}.items():
        for height, dy in {"above": -11, "below": 13}.items():
            here = base.transform_filter(f"datum.side == '{side}' && datum.dy == '{height}'")
            words: dict[str, Any] = dict(align=align, dx=dx, dy=dy, fontSize=14, fontWeight=600)
            layers.append(here.mark_text(aria=False, **words).encode(x=x, y=y, text="name:N"))
    return spec(alt.layer(*layers).properties(height=HEIGHT - 40, width="container"))


# --- episode lengths -------------------------------------------------------------------------


def length_rows(found: Bootstrapping) -> pd.DataFrame:
    """Episodes by length: `count` of them from `low` steps to less than `high`."""
    longest = int(found.lengths.max())
    width = max(1, -(-longest // BINS))
    edges = np.arange(0, longest + width + 1, width)
    counts, _ = np.histogram(found.lengths, edges)
    frame = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "count": counts})
    frame["batch"] = found.batch_size
    return frame


@built_once(maxsize=64)
def length_spec(last: int, most: int, batch_size: int) -> dict:
    """The chart of `length_rows`, with the batch's own length as a dashed line.

    Args:
        last: the longest length.
        most: the highest bar; the label of the line stands above it.
    """
    end = max(last, batch_size) * 1.02
    scale = alt.Scale(domain=[0, end], nice=False)
    x = alt.X(
        "low:Q", title="steps of an episode", scale=scale, axis=alt.Axis(grid=False, tickCount=6)
    )
    y_scale = alt.Scale(domain=[0, most * 1.2], nice=False)
    y = alt.Y("count:Q", title="episodes", scale=y_scale, axis=alt.Axis(tickCount=3))
    bar = alt.expr(
        "datum.count + ' episodes of ' + datum.low + ' to ' + (datum.high - 1) + ' steps'"
    )
    once = alt.Chart().transform_aggregate(batch="max(batch)")
    side: dict[str, Any] = {"align": "left", "dx": 6}
    if batch_size > end / 2:
        side = {"align": "right", "dx": -6}
    layers = [
        alt.Chart()
        .transform_calculate(none="0")
        .mark_rect(color=GREY, opacity=0.8, description=bar)
        .encode(
            x=x, x2="high:Q", y=y, y2="none:Q",
            tooltip=[alt.Tooltip("low:Q"), alt.Tooltip("high:Q"), alt.Tooltip("count:Q")],
        ),
        once.mark_rule(color="#D55E00", strokeWidth=2, strokeDash=[5, 4], aria=False).encode(
            x=alt.X("batch:Q", scale=scale)
        ),
        once.mark_text(
            color="#D55E00", fontSize=13, fontWeight=600, baseline="top", aria=False, **side
        ).encode(
            x=alt.X("batch:Q", scale=scale), y=alt.value(2),
            text=alt.value(f"the batch: {batch_size}"),
        ),
    ]  # fmt: skip
    return spec(alt.layer(*layers).properties(height=190, width="container"))
