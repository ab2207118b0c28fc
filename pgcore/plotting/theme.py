"""Charts: pure functions from tidy frames to Vega-Lite.

A live chart is a constant spec, built once, and new rows: `spec(chart)` strips the data so that
the browser keeps its view and only the rows change. Colours come from the theme, by the
place that an algorithm's entry names, so each keeps its own whoever else is shown.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from pgcore.algorithms import ALGORITHMS

HEIGHT = 330


def keys() -> list[str]:
    """The algorithms in the order of the palette."""
    return sorted(ALGORITHMS, key=lambda key: ALGORITHMS[key].colour)


def colour(field: str = "algorithm", **options: Any) -> alt.Color:
    """The fixed colour of each algorithm."""
    return alt.Color(f"{field}:N", scale=alt.Scale(domain=keys()), **options)


def spec(chart: Any) -> dict:
    """The chart as a Vega-Lite dict without its data, for `st.vega_lite_chart(rows, spec)`."""
    return _without_data(chart.to_dict())


def _without_data(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _without_data(v) for k, v in node.items() if k not in ("data", "datasets")}
    if isinstance(node, list):
        return [_without_data(item) for item in node]
    return node


def spread(values: pd.Series, gap: float) -> pd.Series:
    """Move values apart until neighbours differ by `gap`: where direct labels can stand."""
    placed = values.sort_values()
    positions: list[float] = []
    for value in placed:
        positions.append(max(value, positions[-1] + gap) if positions else value)
    excess = max(0.0, (positions[-1] - placed.iloc[-1]) / 2) if positions else 0.0
    return pd.Series([p - excess for p in positions], index=placed.index)
