"""The axis of a `Mark`: the reader's mark on it, and after the reveal the measured number."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from pgcore.plotting.theme import GROUND, built_once, named
from pgcore.stats import Interval
from ui.shell.question import Mark

GREY, GREEN = "#808495", "#2a9d5c"
NAME = "axis_of_a_mark"  # of the spec, by which it is known among a page's charts
LINE, TICKS = 26, 34  # pixels: of the mark or the measurement, and of the axis below them


def rows(question: Mark, said: float | None, truth: Interval | None = None) -> pd.DataFrame:
    """A row for the mark and one for the measurement, with its interval's ends."""
    found: list[dict] = []
    if said is not None:
        text = f"your mark, {question.written(said)}"
        found.append({"what": "mark", "at": said, "low": said, "high": said, "text": text})
    if truth is not None:
        text = f"measured, {question.written(truth.estimate)}"
        found.append(
            {"what": "truth", "at": truth.estimate, "low": truth.low, "high": truth.high}
            | {"text": text}
        )
    return pd.DataFrame(found, columns=["what", "at", "low", "high", "text"])


@built_once(maxsize=64)
def spec(question: Mark) -> dict:
    """The mark above the axis, the measurement with its interval below the mark."""
    x = alt.X(
        "at:Q", title=None, axis=alt.Axis(grid=False, domain=True, tickCount=10),
        scale=alt.Scale(domain=[question.low, question.high], clamp=True),
    )  # fmt: skip
    kinds = ["mark", "truth"]
    y = alt.Y("what:N", axis=None, scale=alt.Scale(domain=kinds))
    colour = alt.Color("what:N", legend=None, scale=alt.Scale(domain=kinds, range=[GREY, GREEN]))
    shape = alt.Shape(
        "what:N", legend=None, scale=alt.Scale(domain=kinds, range=["triangle-down", "circle"])
    )
    base = alt.Chart().encode(x=x, y=y, color=colour)
    right = f"datum.at > {(question.low + question.high) / 2}"
    style: dict[str, Any] = {
        "align": alt.ExprRef(f"{right} ? 'right' : 'left'"),
        "dx": alt.ExprRef(f"{right} ? -14 : 14"),
        "fontSize": 14, "fontWeight": 600, "aria": False,
    }  # fmt: skip
    name = base.encode(text="text:N")
    layers = [
        base.mark_rule(strokeWidth=6, opacity=0.4, aria=False).encode(x="low:Q", x2="high:Q"),
        named(base.mark_point(filled=True, size=150, opacity=1).encode(shape=shape), "datum.text"),
        name.mark_text(stroke=GROUND, strokeWidth=5, **style),  # or the axis' line crosses it
        name.mark_text(**style),
    ]  # fmt: skip
    return alt.layer(*layers).properties(height=2 * LINE + TICKS, name=NAME).to_dict()


def description(question: Mark, said: float | None, truth: Interval | None = None) -> str:
    """The axis in words."""
    parts = [f"{question.axis}, from {question.written(question.low)} to "
             f"{question.written(question.high)}"]  # fmt: skip
    parts += [str(row.text) for row in rows(question, said, truth).itertuples()]
    return "; ".join(parts) + "."
