"""The parabola, drawn: variance against a constant baseline, and what training makes of it.

Variance is relative to that without a baseline: above 1 it is larger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.gradients import SampledParabola
from pgcore.gradients.constant_baseline import relative_variance
from pgcore.history import History
from pgcore.plotting.theme import FAINT, GROUND, HEIGHT, built_once, spec, spread

NONE, BEST, YOURS = "none", "b*", "b"
COLOURS = alt.Scale(domain=[NONE, BEST, YOURS], range=["#888888", "#2A9D5C", "#D55E00"])
WORSE, GREY = "#D55E00", "#888888"
POINT = alt.expr(
    "(isValid(datum.text) ? datum.text : 'measured, b = ' + format(datum.b, '.3~f'))"
    " + ', variance ' + format(datum.ratio, '.3~f')"
)
VARIANCE = "variance, without a baseline = 1"
LABEL_ROOM = 104  # pixels right of the learning curves
CURVE = alt.expr("'learning curve, ' + datum.baseline")


# --- variance --------------------------------------------------------------------------------


def span(parabola: SampledParabola, b: float) -> tuple[float, float]:
    """The baselines to show: the zone from 0 to 2 b*, as much again on its sides, and b."""
    best = parabola.vertex.estimate
    low, high = sorted((-best, 3 * best))
    return min(low, b), max(high, b)


def rows(
    parabola: SampledParabola, b: float, averages: Mapping[str, float], points: pd.DataFrame | None
) -> pd.DataFrame:
    """The curve, its marks, the measured points, b, and the zones of more variance.

    Args:
        averages: constants that have a name, such as the mean return.
    """
    low, high = span(parabola, b)
    grid = np.linspace(low, high, 121)
    curve = pd.DataFrame({"part": "curve", "b": grid})
    curve["ratio"] = parabola.curve(grid) / parabola.curve.at_zero
    best, here = parabola.vertex.estimate, relative_variance(parabola, b)
    near = high - low < 8 * abs(best)  # on a wider axis their names would overlap
    named = {f"{key} {x:.3g}": x for key, x in averages.items() if near}
    marks = [
        {
            "part": "mark",
            "b": x,
            "ratio": relative_variance(parabola, x).estimate,
            "text": text,
            "side": "inside" if x == best else "left" if x < best else "right",
        }
        for text, x in ({f"b* = {best:.3g}": best} | named).items()
        if low <= x <= high
    ]
    left, right = parabola.curve.harmless
    zones = [(low, left), (right, high)]
    worse = [
        {
            "part": "worse",
            "b": x,
            "b2": x2,
            "text": "more variance" if x2 - x > (high - low) / 5 and not x < b <= x2 else "",
        }
        for x, x2 in zones
    ]
    yours = {"part": "here", "b": b, "ratio": here.estimate, "low": here.low, "high": here.high}
    yours |= {"text": f"b = {b:g}: {here.estimate:.3g}", "side": "left" if b > best else "right"}
    frames = [curve, pd.DataFrame([*worse, *marks, yours])]
    if points is not None:
        frames.append(points.assign(part="point"))
    return pd.concat(frames, ignore_index=True)


@built_once(maxsize=256)
def parabola_spec(low: float, high: float, top: float) -> dict:
    """The chart of `rows` from `low` to `high`; `top` is the highest variance shown."""
    base = alt.Chart().encode(
        x=alt.X(
            "b:Q", title="constant baseline b", axis=alt.Axis(grid=False),
            scale=alt.Scale(domain=[low, high], nice=False),
        )
    )  # fmt: skip
    scale, title = alt.Scale(domain=[0, top], nice=False), VARIANCE
    y = alt.Y("ratio:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5))

    def part(name: str) -> alt.Chart:
        return base.transform_filter(f"datum.part == '{name}'")

    def tooltip(*fields: str) -> list[alt.Tooltip]:
        return [alt.Tooltip(f"{field}:Q", format=".3~f") for field in fields]

    beside: dict[str, dict[str, Any]] = {
        "left": {"align": "right", "dx": -8},
        "right": {"align": "left", "dx": 8},
    }
    worse, mark, point, here = part("worse"), part("mark"), part("point"), part("here")
    layers = [
        worse.mark_rect(color=WORSE, opacity=0.14, aria=False).encode(x2="b2:Q"),
        worse.mark_text(color=WORSE, fontSize=12, baseline="top", dy=6, aria=False)
        .transform_calculate(middle="(datum.b + datum.b2) / 2")
        .encode(x="middle:Q", y=alt.value(0), text="text:N"),
        alt.Chart().transform_aggregate(count="count()")
        .mark_rule(color=GREY, strokeDash=[3, 3], aria=False)
        .encode(x=alt.value(0), x2=alt.value("width"), y=alt.Y(datum=1, scale=scale)),
        part("curve").mark_line(strokeWidth=2.6, clip=True, aria=False).encode(y=y),
        point.mark_rule(strokeWidth=1.5, color=GREY, clip=True, aria=False).encode(
            y=alt.Y("low:Q", scale=scale, title=title), y2="high:Q"
        ),
        point.mark_point(
            filled=True, size=45, opacity=1, color=GREY, clip=True, description=POINT
        ).encode(
            y=y, tooltip=tooltip("b", "ratio", "low", "high")
        ),
        mark.mark_point(
            shape="diamond", filled=True, size=80, opacity=1, color="#2A9D5C", description=POINT
        ).encode(
            y=y, tooltip=tooltip("b", "ratio")
        ),
        *_beside(mark.encode(y=y, text="text:N")),
        here.mark_rule(color=WORSE, strokeWidth=1.5, aria=False),
        here.mark_point(
            filled=True, size=140, opacity=1, color=WORSE, description=POINT
        ).encode(
            y=y, tooltip=tooltip("b", "ratio", "low", "high")
        ),
        *(
            here.transform_filter(f"datum.side == '{side}'")
            .mark_text(fontSize=15, fontWeight=600, color=WORSE, aria=False, **place)
            .encode(y=alt.value(36), text="text:N")
            for side, place in beside.items()
        ),
    ]  # fmt: skip
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


def _beside(text: alt.Chart) -> list[alt.Chart]:
    """Labels where the curve leaves room: b* in the bowl, the others below it, to their side."""
    places = {
        "inside": dict(align="center", dy=-14),
        "left": dict(align="right", dx=-7, dy=9),
        "right": dict(align="left", dx=7, dy=9),
        "above": dict(align="left", dx=7, dy=-14),
    }
    layers = []
    for side, place in places.items():
        here = text.transform_filter(f"datum.side == '{side}'")
        words: dict[str, Any] = place | dict(fontSize=12, fontWeight=600, aria=False)
        layers.append(here.mark_text(stroke=GROUND, strokeWidth=4, strokeOpacity=0.8, **words))
        layers.append(here.mark_text(color="#2A9D5C", **words))
    return layers


def waiting_rows() -> pd.DataFrame:
    """The picture before the reader has predicted: no baseline, whose variance is the unit."""
    start = {"part": "mark", "b": 0.0, "ratio": 1.0, "text": "no baseline: 1", "side": "above"}
    return pd.DataFrame([start])


def top(parabola: SampledParabola, b: float) -> float:
    """How high the chart must reach: over the curve's ends and over b."""
    ends = parabola.curve(np.array(span(parabola, b))) / parabola.curve.at_zero
    return float(np.ceil(max(ends.max(), 1.2) * 11) / 10)


# --- training --------------------------------------------------------------------------------


def training_rows(histories: Mapping[str, History], names: Mapping[str, str]) -> pd.DataFrame:
    """Learning curves of none, b* and b: the mean over seeds with its 95% t interval.

    Args:
        names: the label of each curve.
    """
    parts = []
    for key, history in histories.items():
        middle = stats.mean_t_interval(history.eval_returns.T)
        line = pd.DataFrame({"step": history.eval_steps, "mean": middle.estimate})
        line["low"], line["high"] = middle.low, middle.high
        line["label"] = np.where(line.index == len(line) - 1, names[key], "")
        parts.append(line.assign(baseline=key))
    if not parts:
        return pd.DataFrame(columns=["step", "mean", "low", "high", "label", "baseline", "label_y"])
    frame = pd.concat(parts, ignore_index=True)
    ends = frame["label"] != ""
    frame.loc[ends, "label_y"] = spread(frame.loc[ends, "mean"], 34)
    return frame


@built_once(maxsize=16)
def training_spec(last_step: int, highest: float) -> dict:
    """The chart of `training_rows`."""
    x = alt.X(
        "step:Q", title="environment steps", axis=alt.Axis(format="~s", grid=False, tickCount=5),
        scale=alt.Scale(
            domain=[0, last_step], nice=False, range=[0, alt.expr(f"width - {LABEL_ROOM}")]
        ),
    )  # fmt: skip
    scale, title = alt.Scale(domain=[0, highest], nice=False), "episodic return (undiscounted)"
    base = alt.Chart().encode(x=x, color=alt.Color("baseline:N", scale=COLOURS, legend=None))
    y = alt.Y("mean:Q", title=title, scale=scale)
    label = base.transform_filter("datum.label").encode(
        y=alt.Y("label_y:Q", scale=scale),
        text="label:N",
        color=alt.condition(
            f"datum.baseline == '{NONE}'",
            alt.value(FAINT),
            alt.Color("baseline:N", scale=COLOURS, legend=None),
        ),
    )
    layers = [
        base.transform_filter("isValid(datum.low)")
        .mark_area(opacity=0.16, clip=True, aria=False)
        .encode(y=alt.Y("low:Q", scale=scale, title=title), y2="high:Q"),
        base.mark_line(strokeWidth=2.6, clip=True, description=CURVE).encode(y=y),
        label.mark_text(align="left", dx=8, fontSize=14, fontWeight=600, aria=False),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))
