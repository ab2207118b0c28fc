"""The axis of a `Mark`: the reader's mark on it, and after the reveal the measured number."""

from __future__ import annotations

import altair as alt
import pandas as pd

from pgcore.plotting.theme import named
from pgcore.stats import Interval
from ui.shell.question import Mark

GREY = "#808495"
HEIGHT = 34


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


def spec(question: Mark) -> dict:
    """Mark above the line, measurement on it with its interval."""
    x = alt.X(
        "at:Q", title=question.axis, axis=alt.Axis(grid=False),
        scale=alt.Scale(domain=[question.low, question.high], clamp=True),
    )  # fmt: skip
    colour = alt.Color(
        "what:N", legend=None, scale=alt.Scale(domain=["mark", "truth"], range=[GREY, "#2a9d5c"])
    )
    base = alt.Chart().encode(x=x, color=colour)
    whole = base.transform_filter("datum.what == 'truth'")
    layers = [
        whole.mark_rule(strokeWidth=5, opacity=0.45, aria=False).encode(
            x=alt.X("low:Q"), x2="high:Q", y=alt.value(HEIGHT / 2)
        ),
        named(
            base.mark_point(filled=True, size=150, opacity=1).encode(
                y=alt.value(HEIGHT / 2),
                shape=alt.Shape(
                    "what:N", legend=None,
                    scale=alt.Scale(domain=["mark", "truth"], range=["triangle-down", "circle"]),
                ),
            ),
            "datum.text",
        ),
        base.mark_text(dy=-16, fontSize=13, fontWeight=600, aria=False).encode(
            y=alt.value(HEIGHT / 2), text="text:N",
            opacity=alt.condition("datum.what == 'mark'", alt.value(1), alt.value(0)),
        ),
        base.mark_text(dy=17, fontSize=13, fontWeight=600, aria=False).encode(
            y=alt.value(HEIGHT / 2), text="text:N",
            opacity=alt.condition("datum.what == 'truth'", alt.value(1), alt.value(0)),
        ),
    ]  # fmt: skip
    return alt.layer(*layers).properties(height=HEIGHT).to_dict()


def description(question: Mark, said: float | None, truth: Interval | None = None) -> str:
    """The axis in words."""
    parts = [f"{question.axis}, from {question.written(question.low)} to "
             f"{question.written(question.high)}"]  # fmt: skip
    parts += [str(row.text) for row in rows(question, said, truth).itertuples()]
    return "; ".join(parts) + "."
