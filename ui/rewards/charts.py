"""Shifted rewards, drawn: Q against the steps left, for r, r − 1, r − 2, and for Q − b."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore.gradients.reward_shift import ReturnsToGo
from pgcore.plotting.theme import FAINT, HEIGHT, built_once, place, spec, spread
from ui.rewards import words

GREY = "#888888"
BASELINE = "Q − b"
ROOM = 0.24  # of the axis, right of the lines, for their names
LABEL_SHARE = 1 / 13  # of the chart's height, for a label
POINTS = 60  # of a line that a reader can point at


def q_rows(found: Mapping[float, ReturnsToGo]) -> pd.DataFrame:
    """A line an offset, and the line of r less its mean; names stand at the lines' ends."""
    lines = {words.name(offset): one.by_steps_left() for offset, one in found.items()}
    left, q = found[0.0].by_steps_left()
    lines[BASELINE] = left, q - found[0.0].q.mean()
    parts = []
    for number, (label, (left, q)) in enumerate(lines.items()):
        line = pd.DataFrame({"steps_left": left, "q": q, "line": label, "colour": str(number)})
        line["label"] = np.where(line.index == len(line) - 1, label, "")
        line["told"] = line.index % max(len(line) // POINTS, 1) == 0
        parts.append(line)
    frame = pd.concat(parts, ignore_index=True)
    low, high = q_range(found)
    ends = frame["label"] != ""
    gap = (high - low) * LABEL_SHARE
    frame.loc[ends, "label_y"] = spread(frame.loc[ends, "q"], gap, low + gap / 2, high - gap / 2)
    return frame


def q_range(found: Mapping[float, ReturnsToGo]) -> tuple[float, float]:
    """The lowest and the highest Q, with a little room."""
    values = [one.q for one in found.values()]
    values.append(found[0.0].q - found[0.0].q.mean())
    low, high = min(q.min() for q in values), max(q.max() for q in values)
    room = 0.1 * max(high - low, 1.0)
    return float(low - room), float(high + room)


@built_once(maxsize=64)
def q_spec(longest: int, low: float, high: float) -> dict[str, Any]:
    """The chart of `q_rows`; the colours of r, r − 1, r − 2 are those of their learning curves."""
    x = alt.X(
        "steps_left:Q", title="steps left in the episode",
        axis=alt.Axis(grid=False, tickCount=6),
        scale=alt.Scale(domain=[0, longest * (1 + ROOM)], nice=False),
    )  # fmt: skip
    scale = alt.Scale(domain=[low, high], nice=False)
    axis = alt.Axis(grid=False, tickCount=6)
    y = alt.Y("q:Q", title="Q, discounted return", scale=scale, axis=axis)
    base = alt.Chart().encode(x=x)
    shifted, less = (
        base.transform_filter(f"datum.line {sign} '{BASELINE}'") for sign in ("!=", "==")
    )
    told = "datum.line + ', ' + datum.steps_left + ' steps left: Q ' + format(datum.q, '.1f')"
    points = (
        base.transform_filter("datum.told")
        .transform_calculate(spoken=told)
        .mark_point(size=60, opacity=0, description="Q")
        .encode(
            y=y, description="spoken:N",
            tooltip=[alt.Tooltip("line:N"), alt.Tooltip("steps_left:Q", title="steps left"),
                     alt.Tooltip("q:Q", title="Q", format=".1f")],
        )
    )  # fmt: skip
    written: dict[str, Any] = dict(align="left", dx=6, fontSize=14, fontWeight=600, aria=False)

    def names(part: alt.Chart) -> alt.Chart:
        return part.transform_filter("datum.label").encode(
            y=alt.Y("label_y:Q", scale=scale), text="label:N"
        )

    layers = [
        less.mark_line(color=GREY, strokeWidth=2.2, strokeDash=[5, 4], aria=False).encode(y=y),
        shifted.mark_line(strokeWidth=2.8, aria=False).encode(y=y, color=place()),
        points,
        names(shifted).mark_text(**written).encode(color=place()),
        names(less).mark_text(color=FAINT, **written),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))
