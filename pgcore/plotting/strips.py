"""Several panels in one view, each with a strip of its width or height.

Concatenated charts do not take their container's width; a single view does. A scale's range is
then a share of the view, and its domain two parameters, so that the chart is built once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt


def strip(share: Sequence[float], of: str) -> list[Any]:
    """The range of a scale: from one share `of` the view's "width" or "height" to another."""
    return [alt.expr(f"{end} * {of}") for end in share]


def domain(panel: int) -> list[Any]:
    """The domain of a panel's scale, whose ends are parameters."""
    return [alt.expr(f"low_{panel}"), alt.expr(f"high_{panel}")]


def parameters(axes: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """The parameters that `domain` names, for a spec's `params`."""
    return [
        {"name": f"{end}_{panel}", "value": value}
        for panel, ends in enumerate(axes)
        for end, value in zip(("low", "high"), ends, strict=True)
    ]
