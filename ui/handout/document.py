"""The handout as one HTML file: a slide a page of A4, pictures inside, no script, no request."""

from __future__ import annotations

import datetime
import html
import math
import re
import urllib.parse
from collections.abc import Sequence
from typing import Any, NamedTuple

import pgcore
from ui.handout import pictures
from ui.handout.answers import Heard
from ui.handout.capture import Drawn, Listed, Moving, Row, Said, Shown
from ui.handout.markup import formula, inline, rich

WIDTH, HEIGHT = 700, 1015  # pixels that A4 leaves for a slide, at 96 a inch
GAP = 18  # between figures
LETTER, LINE = 7.0, 17  # pixels of a letter and of a line, about: they decide the pictures' height
SCALES = (1.4, 1.2, 1.0, 0.85, 0.7)
MOVES = "This part is to be watched or done on the page: follow the link."
READING = (
    "Brackets hold 95% intervals, unless a sentence says otherwise; n counts what was measured. "
    "Every figure was made by the page that its link opens, with the settings above it."
)
STYLE = """
@page { size: A4; margin: 10mm 12mm }
:root { color-scheme: light }
body { margin: 0 auto; max-width: 700px; background: #fff; color: #14161c;
  font: 13px/17px Arial, "Liberation Sans", Helvetica, sans-serif }
h1 { font-size: 19px; line-height: 24px; margin: 0 }
h2 { font-size: 17px; line-height: 22px; margin: 0 }
h4 { font-size: 14px; margin: 6px 0 2px }
p, ul { margin: 0 0 6px }
ul { padding-left: 18px }
a { color: #005a8f }
img { display: block; max-width: 100%; height: auto }
.front { border-bottom: 2px solid #14161c; margin-bottom: 12px; padding-bottom: 6px }
.slide { break-after: page; margin-bottom: 40px }
.slide:last-of-type { break-after: auto }
.head { display: flex; justify-content: space-between; gap: 16px; margin-bottom: 6px }
.head img { width: 92px; height: 92px; flex: none }
.page, .settings, .caption, .link, .made { color: #50535a; font-size: 12px; line-height: 15px }
body { overflow-wrap: anywhere }
.asked { border-left: 3px solid #0072b2; padding-left: 8px }
.row { display: flex; flex-wrap: wrap; gap: 6px 18px; break-inside: avoid }
.row > div { max-width: 100% }
.figure { break-inside: avoid; margin-bottom: 6px }
.class { border: 1px solid #c9cbd1; border-radius: 6px; padding: 6px 10px; margin-bottom: 6px;
  break-inside: avoid }
table { border-collapse: collapse; font-size: 12px; margin-bottom: 6px }
th, td { text-align: left; padding: 1px 10px 1px 0; vertical-align: top }
.bar { display: inline-block; height: 10px; background: #0072b2; margin-right: 6px }
pre { font-size: 11px; line-height: 14px; white-space: pre-wrap; overflow-wrap: anywhere }
.class, pre, math { max-width: 100%; overflow-x: auto }
@media screen { body { padding: 16px } .slide { border-bottom: 1px solid #c9cbd1 } }
@media print { a { color: inherit; text-decoration: none } .slide { margin: 0 } }
"""


class Sheet(NamedTuple):
    """One slide of the lecture, with what its link shows."""

    title: str
    address: str  # absolute; nothing, if the link leads to no page of the lab
    shown: Shown
    heard: tuple[Heard, ...] = ()


class Piece(NamedTuple):
    """HTML, and about how many pixels it is high."""

    html: str
    height: float


def document(title: str, sheets: Sequence[Sheet], base: str) -> str:
    """The whole file.

    Args:
        base: the app's address, for links inside the pages' sentences.
    """
    front = (
        f'<header class="front"><h1>{html.escape(title)}</h1>'
        f'<p class="made">Policy Gradient Lab {pgcore.__version__}, '
        f"{datetime.date.today():%d %B %Y}, {len(sheets)} slides. {READING}</p></header>"
    )
    slides = [
        _slide(sheet, f"{place} of {len(sheets)}", base, HEIGHT - (70 if place == 1 else 0))
        for place, sheet in enumerate(sheets, 1)
    ]
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{front}{''.join(slides)}</body></html>"
    )


def _slide(sheet: Sheet, place: str, base: str, room: float) -> str:
    """One page; pictures are drawn less high where the page would not hold them."""
    head = _stacked([_head(sheet, place, base), *(_heard(one, base) for one in sheet.heard)])
    for scale in SCALES:
        body = _stacked([_piece(node, base, WIDTH, scale) for node in sheet.shown.content])
        if head.height + body.height <= room:
            break
    return f'<section class="slide">{head.html}{body.html}</section>'


def _head(sheet: Sheet, place: str, base: str) -> Piece:
    """Beside the QR code: where this is, its settings, what the page asked."""
    shown, link, code = sheet.shown, "", ""
    said = f" · {shown.page.title}: {shown.page.question}" if shown.page else ""
    if sheet.address:
        address = html.escape(sheet.address)
        link = f'<p class="link"><a href="{address}">{address}</a></p>'
        if picture := pictures.qr_code(sheet.address):
            code = f'<img src="{picture.address}" alt="QR code of the link">'
    settings = "; ".join(
        f"{inline(one.label, base)}: {inline(one.value, base)}" for one in shown.settings
    )
    asked = [f'<div class="asked">{rich(one, base)}</div>' for one in shown.questions.values()]
    text = (
        f'<div class="head"><div><p class="page">{html.escape(place + said)}</p>'
        f"<h2>{html.escape(sheet.title)}</h2>{link}"
        + (f'<p class="settings">{settings}.</p>' if settings else "")
        + f"{''.join(asked)}</div>{code}</div>"
        + (f"<p>{html.escape(shown.trouble)}</p>" if shown.trouble else "")
    )
    words = [sheet.title, sheet.address, settings, *shown.questions.values()]
    lines = sum(_lines(one, WIDTH - 110) for one in words)
    return Piece(text, max(110, LINE * (lines + 2) + 6 * len(asked)))


def _lines(text: str, width: float) -> int:
    """Lines of a text, whose tags take no room."""
    return math.ceil(len(re.sub(r"<[^>]*>", "", text)) * LETTER / width)


def _stacked(pieces: Sequence[Piece]) -> Piece:
    return Piece("".join(p.html for p in pieces), sum(p.height for p in pieces))


def _piece(node: Any, base: str, width: int, scale: float) -> Piece:
    if isinstance(node, Drawn):
        picture = pictures.chart(node.spec, node.rows, width, scale)
        alt = html.escape(node.alt)
        size = f'width="{picture.width:.0f}" height="{picture.height:.0f}"'
        text = f'<img class="figure" src="{picture.address}" alt="{alt}" {size}>'
        return Piece(text, picture.height + 6)
    if isinstance(node, Row):
        return _row(node, base, scale)
    if isinstance(node, Moving):
        return Piece(f'<p class="caption">{MOVES}</p>', LINE + 6)
    if isinstance(node, Listed):
        text = node.table.to_html(index=False, border=0, escape=True)
        return Piece(text, 18 * (len(node.table) + 1) + 8)
    return _said(node, base, width)


def _row(row: Row, base: str, scale: float) -> Piece:
    """Two or three figures beside each other, the next ones below."""
    across = len(row.cells) if len(row.cells) < 4 else 2 if len(row.cells) == 4 else 3
    width = (WIDTH - GAP * (across - 1)) // across
    cells = [_stacked([_piece(node, base, width, scale) for node in cell]) for cell in row.cells]
    text = "".join(f'<div style="width:{width}px">{cell.html}</div>' for cell in cells)
    heights = [
        max(cell.height for cell in cells[first : first + across])
        for first in range(0, len(cells), across)
    ]
    return Piece(f'<div class="row">{text}</div>', sum(heights) + 6 * len(heights))


def _said(said: Said, base: str, width: int) -> Piece:
    height = LINE * _lines(said.text, width) + 6
    if said.kind == "plain":
        return Piece(f"<p>{html.escape(said.text)}</p>", height)
    if said.kind == "code":
        lines = said.text.count("\n") + 1
        return Piece(f"<pre>{html.escape(said.text)}</pre>", 14 * lines + 24)
    if said.kind == "formula":
        return Piece(f"<p>{formula(said.text.strip().strip('$'), True)}</p>", 48)
    if said.kind == "caption":
        return Piece(f'<div class="caption">{rich(said.text, base)}</div>', height)
    return Piece(rich(said.text, base), height)


def _heard(one: Heard, base: str) -> Piece:
    """What the class answered, a bar for each answer and round."""
    totals = one.totals
    most = max(max(bar.votes) for bar in one.bars)
    names = ["The vote"] if len(totals) == 1 else ["First vote", "After the discussion"]
    heads = "".join(
        f"<th>{names[min(turn, 1)]}, n = {total}</th>" for turn, total in enumerate(totals)
    )
    rows = "".join(
        f"<tr><td>{'✓' if bar.right else ''}</td><td>{inline(bar.label, base)}</td>"
        + "".join(
            f'<td><span class="bar" style="width:{100 * votes / most:.0f}px"></span>{votes}</td>'
            for votes in bar.votes
        )
        + "</tr>"
        for bar in one.bars
    )
    truth = f"<div>✓ {inline(one.truth, base)}</div>" if one.truth else ""
    text = (
        f'<div class="class"><strong>The class.</strong> {inline(one.text, base)}'
        f"<table><tr><th></th><th></th>{heads}</tr>{rows}</table>{truth}</div>"
    )
    lines = _lines(one.text, WIDTH) + _lines(one.truth, WIDTH)
    return Piece(text, 50 + LINE * lines + 20 * len(one.bars))


def based(address: str) -> str:
    """The app's address, checked, with a slash at its end.

    Raises: ValueError, one sentence.
    """
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"The lab's address is {address[:40]!r}; it must begin with http(s)://.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"
