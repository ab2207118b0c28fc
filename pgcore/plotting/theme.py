"""Charts: pure functions from tidy frames to Vega-Lite.

A live chart is a constant spec, built once, and new rows: `spec(chart)` strips the data so that
the browser keeps its view and only the rows change. Colours come from the theme, by the
place that an algorithm's entry names, so each keeps its own whoever else is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from math import inf
from typing import Any, ParamSpec, TypeVar

import altair as alt
import pandas as pd

from pgcore.algorithms import ALGORITHMS

HEIGHT = 330
# Text that is less than the data and yet legible, on the page's own background (WCAG: 4.5 to 1).
FAINT = {"expr": "luminance(background) > 0.5 ? '#5C5F66' : '#A9ADB5'"}
# Half of what a window has below a laptop's 720 pixels goes to a chart that is more than a strip.
TALLER = "{} + (windowSize()[0] < 1280 ? 0 : clamp((windowSize()[1] - 720) / 2, 0, 250))"
TALL = 250  # pixels
GROUND = {"expr": "background"}  # the page's own, for halos behind labels
_WORDS = {"labelColor": FAINT, "titleColor": FAINT, "labelFontSize": 12, "titleFontSize": 14}
WORDS: dict[str, dict[str, Any]] = {"axis": _WORDS, "legend": _WORDS | {"labelFontSize": 13}}
# What the app's theme holds for light backgrounds, for a notebook, which has no such theme.
PALETTE = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#C98500", "#3FA7E0"),
    *("#6A3D9A", "#8C564B", "#2B2B2B", "#7F7F7F", "#C2187A"),
)


Arguments = ParamSpec("Arguments")
Built = TypeVar("Built")


def built_once(
    maxsize: int,
) -> Callable[[Callable[Arguments, Built]], Callable[Arguments, Built]]:
    """`lru_cache` for what takes long to build: who asks for it meanwhile waits, and builds not.

    A hundred viewers who need the same new spec at once would build it a hundred times.
    """

    def decorate(build: Callable[Arguments, Built]) -> Callable[Arguments, Built]:
        cached, lock = lru_cache(maxsize)(build), threading.RLock()

        @wraps(build)
        def ask(*args: Arguments.args, **named: Arguments.kwargs) -> Built:
            with lock:
                return cached(*args, **named)  # type: ignore[arg-type]

        return ask

    return decorate


def keys() -> list[str]:
    """The algorithms in the order of the palette."""
    return sorted(ALGORITHMS, key=lambda key: ALGORITHMS[key].colour)


def colour(field: str = "algorithm", **options: Any) -> alt.Color:
    """The fixed colour of each algorithm."""
    return alt.Color(f"{field}:N", scale=alt.Scale(domain=keys()), **options)


def place(field: str = "colour", palette: Sequence[str] | None = None) -> alt.Color:
    """The colour at a place of the palette: the theme's own, or `palette` where there is none."""
    places = [str(number) for number in range(len(PALETTE))]
    scale = alt.Scale(domain=places, range=list(palette)) if palette else alt.Scale(domain=places)
    return alt.Color(f"{field}:N", scale=scale, legend=None)


def spec(chart: Any) -> dict[str, Any]:
    """The chart as a Vega-Lite dict without its data, for `st.vega_lite_chart(rows, spec)`."""
    built: dict[str, Any] = _without_data(chart.to_dict())
    height = built.get("height")
    if built.get("width") == "container" and isinstance(height, int) and height >= TALL:
        built.setdefault("params", []).append({"name": "height", "expr": TALLER.format(height)})
    config = built.setdefault("config", {})
    for part, words in WORDS.items():
        config[part] = words | config.get(part, {})
    return built


def named(chart: Any, expression: str) -> Any:
    """The chart with a name for each mark, read aloud: a Vega expression of its row.

    A mark without one is read as a list of its fields; hide it with `aria=False` when other marks
    or the chart's `alt` say the same.
    """
    return chart.transform_calculate(name_aloud=expression).encode(description="name_aloud:N")


def bounds_aloud(number: str, low: str = "low", high: str = "high") -> str:
    """A Vega expression of a row's interval: " [119.0, 174.6]" for the format ".1f"."""
    return f"' [' + format(datum.{low}, '{number}') + ', ' + format(datum.{high}, '{number}') + ']'"


def silent(built: Any) -> Any:
    """The spec with every mark hidden from screen readers: a picture that its `alt` tells in full.

    Vega calls a layer without rows a picture, and nothing names it.
    """
    if isinstance(built, list):
        return [silent(item) for item in built]
    if not isinstance(built, dict):
        return built
    return {k: v | {"aria": False} if k == "mark" else silent(v) for k, v in built.items()}


def _without_data(node: Any) -> Any:
    if isinstance(node, dict):
        return {k: _without_data(v) for k, v in node.items() if k not in ("data", "datasets")}
    if isinstance(node, list):
        return [_without_data(item) for item in node]
    return node


def spread(values: pd.Series, gap: float, low: float = -inf, high: float = inf) -> pd.Series:
    """Where direct labels can stand: at least `gap` apart, within [low, high], moved least.

    With y sorted and z_i = y_i - i gap, the z that rise and lie nearest to these in squares are
    the isotonic regression (pool adjacent violators; Barlow et al. 1972), clipped to the bounds.
    A range too short for all of them makes the gap smaller.
    """
    placed = values.sort_values(kind="stable")
    last = len(placed) - 1
    gap = min(gap, (high - low) / last) if last > 0 else gap
    pools: list[tuple[float, int]] = []  # (mean, members), rising
    for i, value in enumerate(placed):
        mean, size = value - i * gap, 1
        while pools and pools[-1][0] > mean:
            before, members = pools.pop()
            mean, size = (before * members + mean * size) / (members + size), members + size
        pools.append((mean, size))
    risen = [min(max(mean, low), high - last * gap) for mean, size in pools for _ in range(size)]
    return pd.Series([z + i * gap for i, z in enumerate(risen)], index=placed.index)
