"""The lab's charts as pictures: Vega-Lite to SVG, without a browser.

vl-convert runs Vega-Lite itself, of the version that Altair writes its specs for, so a picture is
what a page shows.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, NamedTuple

import segno
import vl_convert

from pgcore.plotting.theme import PALETTE

# Places are measured here and filled on a reader's system. These two are equally wide, one of them
# is nearly everywhere, and what stands in for them elsewhere is narrower.
FONT = "DejaVu Sans, Verdana, sans-serif"
INK, FAINT, GRID = "#14161C", "#5C5F66", "#E3E4E8"
STRIP = 190  # pixels; a chart that is less high holds rows of text, or its axis has no room
ROOM, MARGIN = 1.35, 40  # for labels right of a chart: the app's own letters are narrower
SIZES = {"labelFontSize": 11, "titleFontSize": 12}  # a page's are larger, and its letters narrower
_WORDS = {"labelColor": FAINT, "titleColor": FAINT, "titleFontWeight": 400}
# What the app's front end adds to each chart of the light theme.
CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "#FFFFFF",
    "fieldTitle": "verbal",
    "autosize": {"type": "fit", "contains": "padding"},
    "title": {"anchor": "start", "color": INK, "fontSize": 14, "fontWeight": 600, "offset": 12},
    "header": _WORDS | SIZES,
    "axis": _WORDS
    | {"ticks": False, "domain": False, "gridColor": GRID, "domainColor": GRID}
    | {"labelFlush": True, "labelOverlap": True, "titlePadding": 10, "labelPadding": 8},
    "legend": _WORDS | {"padding": 6},
    "range": {"category": list(PALETTE)},
    "view": {"strokeWidth": 0, "stroke": "transparent"},
    "concat": {"columns": 1},
    "mark": {"color": PALETTE[0]},
    "axisDiscrete": {"grid": False},
}
_LONG = re.compile(r"\d+\.\d{3,}(?!e)")  # a hundredth of a pixel is enough
_SIZE = re.compile(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"')


class Picture(NamedTuple):
    """An SVG as an address that holds it, and its size in pixels."""

    address: str
    width: float
    height: float


def chart(
    spec: dict[str, Any],
    rows: dict[str | None, list[dict[str, Any]]],
    width: int,
    scale: float = 1.0,
) -> Picture:
    """A chart as wide as its place, or as its spec says.

    Args:
        rows: by the name of the data set; None is the one without a name.
        width: pixels; for specs that fill their container.
        scale: of the height, down to a strip's; beyond that, or where the spec has a width of its
            own, of the whole picture.
    """
    placed, zoom = _placed(spec, rows, width), scale
    if not _has_width(spec) and (height := placed.get("height")):
        placed["height"] = max(round(scale * height), STRIP) if height > STRIP else height
        zoom = min(max(scale * height / placed["height"], 0.8), 1.0)
    svg = vl_convert.vegalite_to_svg(placed, vl_version="6.4", config=CONFIG)
    size = _SIZE.search(svg)
    assert size, svg[:200]
    zoom = min(zoom, width / float(size[1]))
    svg = _LONG.sub(lambda found: f"{float(found[0]):.2f}", svg)
    return Picture(address(svg), zoom * float(size[1]), zoom * float(size[2]))


def _placed(
    spec: dict[str, Any], rows: dict[str | None, list[dict[str, Any]]], width: int
) -> dict[str, Any]:
    """The spec with its rows, of a fixed size: nothing here knows a window."""
    named = {name: data for name, data in rows.items() if name}
    free: dict[str, Any] = json.loads(json.dumps(spec), object_hook=_unlimited)
    free["params"] = [p for p in free.get("params", []) if p["name"] not in ("width", "height")]
    free["datasets"] = named
    if None in rows:
        free["data"] = {"values": rows[None]}
        if len(named) == 1:  # as the front end has it: the rows take the place of an empty set
            free["datasets"] = dict.fromkeys(named, rows[None])
    if not _has_width(spec):
        free["width"] = width
    config = free.setdefault("config", {})
    for part in ("axis", "legend"):
        config[part] = config.get(part, {}) | SIZES
    edge = spec["padding"] if isinstance(spec.get("padding"), dict) else {}
    right = edge.get("right", 5) * ROOM + (MARGIN if '"limit"' in json.dumps(spec) else 0)
    free["padding"] = {"left": 5, "top": 5, "bottom": 5} | edge | {"right": right}
    return free


def _unlimited(node: dict[str, Any]) -> dict[str, Any]:
    """A label that ends where its words end."""
    return {k: v for k, v in node.items() if k != "limit"} if node.get("type") == "text" else node


def _has_width(spec: dict[str, Any]) -> bool:
    """Whether the spec has a width of its own; the others fill their place."""
    return spec.get("width") not in (None, "container")


def qr_code(text: str) -> Picture | None:
    """A QR code; None for a text that is too long for one that a phone can read."""
    if len(text) > 600:
        return None
    code = segno.make(text, error="m", micro=False)
    return Picture(code.svg_data_uri(border=2), *code.symbol_size(border=2))


def address(svg: str) -> str:
    """A data URL: what such a picture holds can neither run nor ask for anything."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
