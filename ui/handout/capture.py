"""What a page of the lab shows for a link, taken from the page itself.

Streamlit's own test driver runs the page's script here, in a process of its own: it stands in for
the server that it would otherwise disturb. A reader who answers "just show" and waits sees the
same. So every number of a handout is the page's own.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from ui.shell import axis, link, pages

APP = Path(__file__).parents[2] / "app.py"
PATIENCE = 120.0  # seconds; what a page has not done by then is left out
MOST_STEPS = 12  # questions and Run buttons of one page
MOST_ROWS = 12  # of a table
FOLDED = ("expander", "popover", "status", "dialog")
ASKS, SAYS, SHOWS, SETS = "predict_", "say_", "show_", "set_"  # how keys of widgets begin
NO_SERVER = "streamlit.runtime.scriptrunner_utils.script_run_context"  # its logger warns of it
RUN = ":material/play_arrow:"
_DO = re.compile(r"(Press|Click|Tap|Drag) [^.]*\. ?")  # what paper cannot be told to do


class Said(NamedTuple):
    """Words of the page: Markdown of its own, or plain text that may quote the visitor."""

    text: str
    kind: str = "text"  # or heading, caption, formula, plain, code


class Drawn(NamedTuple):
    """A chart: its spec, its rows by the name of the data set, and what it shows in words."""

    spec: dict[str, Any]
    rows: dict[str | None, list[dict[str, Any]]]
    alt: str


class Listed(NamedTuple):
    """A table."""

    table: pd.DataFrame


class Row(NamedTuple):
    """Figures that stand beside each other, each with its words."""

    cells: tuple[tuple[Any, ...], ...]


class Moving(NamedTuple):
    """What is to be watched or done on the page: paper cannot show it."""


class Setting(NamedTuple):
    """A widget that the link keeps, as the page shows it."""

    label: str
    value: str


class Step(NamedTuple):
    """What must happen before the page is complete: a question, a Run button, a progress bar."""

    name: str
    words: str = ""
    button: Any = None  # what to press; None: wait


class Shown(NamedTuple):
    """What a page shows for a link."""

    page: pages.Page | None  # None, if the lab has no such page
    questions: dict[str, str]  # what the page asked, by name
    settings: tuple[Setting, ...]
    content: tuple[Any, ...]
    trouble: str = ""  # one sentence, if something is missing


def shown(address: str) -> Shown:
    """Open a link, answer its questions by "just show", wait, and take what is in sight.

    Args:
        address: relative to the app: "cloud?window_steps=256". It is the visitor's input.
    """
    file, query = link.split(address)
    page = next((page for page in pages.PAGES if page.file == file), None)
    if page is None:
        return Shown(None, {}, (), (), "The lab has no page of this name.")
    logging.getLogger(NO_SERVER).setLevel(logging.ERROR)
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    for name, value in ({"v": str(link.VERSION)} | query).items():
        app.query_params[name] = value
    try:
        app.run()  # the first page registers the others
        app.switch_page(page.path).run()
        questions, found, trouble = _completed(app)
    except RuntimeError:  # the script took too long
        return Shown(page, {}, (), (), "The page took too long.")
    if app.exception:
        return Shown(page, questions, (), (), "The page made a mistake.")
    settings = tuple(node for node in found if isinstance(node, Setting))
    content = tuple(node for node in found if not isinstance(node, Setting | Step))
    if all(isinstance(node, Said) and node.kind != "code" for node in content):
        content += (Moving(),)
    return Shown(page, questions, settings, content, trouble)


def _completed(app: AppTest) -> tuple[dict[str, str], list[Any], str]:
    """Go on until nothing in sight has yet to be asked, run or waited for."""
    questions: dict[str, str] = {}
    pressed, until = 0, time.monotonic() + PATIENCE
    while True:
        found = in_sight(list(_nodes(app.main)))
        steps = [node for node in found if isinstance(node, Step)]
        if not steps or app.exception:
            return questions, found, ""
        if time.monotonic() > until or pressed == MOST_STEPS:
            return questions, found, "The page took too long; what it had by then is shown."
        buttons = [step for step in steps if step.button is not None]
        if buttons:
            if buttons[0].words:
                questions[buttons[0].name] = buttons[0].words
            buttons[0].button.click()
            pressed += 1
        else:
            time.sleep(0.1)
        app.run()


def in_sight(nodes: Sequence[Any]) -> list[Any]:
    """The nodes of a page down to the next heading below its figure."""
    drawn = False
    for place, node in enumerate(nodes):
        if drawn and isinstance(node, Said) and node.kind == "heading":
            return list(nodes[:place])
        drawn = drawn or isinstance(node, Drawn | Row)
    return list(nodes)


def _nodes(block: Any) -> Iterator[Any]:
    """What a reader sees in a block, in the order of the page; folded parts are left out."""
    children = list(block.children.values())
    if any(child.type == "page_link" for child in children):  # a list of ways on
        return
    widgets = any(getattr(child, "key", None) or child.type == "button" for child in children)
    words = any(child.type in ("markdown", "vega_lite_chart") for child in children)
    for child in children:
        if not isinstance(child, Block):
            if not (child.type == "caption" and widgets and not words):  # words beside widgets
                yield from _element(child)
        elif child.type not in FOLDED:
            yield from _block(child)


def _block(block: Any) -> Iterator[Any]:
    key = block.key or ""
    if key.startswith(ASKS):
        yield _question(block, key.removeprefix(ASKS))
    elif _bordered(block):
        yield from _notice(block)
    elif block.type == "tab_container":
        seen = block.root.session_state[key] if key.startswith(SETS) else ""  # others only add
        for tab in block.children.values():
            if tab.label == seen:
                yield from _nodes(tab)
    else:
        columns = [child for child in block.children.values() if child.type == "column"]
        yield from _columns(columns) if columns else _nodes(block)


def _bordered(block: Any) -> bool:
    proto = block.proto
    if block.type == "column":
        return bool(getattr(proto, "show_border", False))
    return bool(getattr(getattr(proto, "flex_container", proto), "border", False))


def _notice(block: Any) -> Iterator[Any]:
    """The sentences of a notice; other frames hold ways on, and are left out."""
    yield from (Said(one.value, "plain") for one in block.children.values() if one.type == "text")


def _columns(columns: Sequence[Any]) -> Iterator[Any]:
    """Figures beside each other stay so; all else goes below each other, as on a phone."""
    cells = [[] if _bordered(column) else list(_nodes(column)) for column in columns]
    drawn = [any(isinstance(node, Drawn) for node in cell) for cell in cells]
    if sum(drawn) < 2 or any(isinstance(node, Row) for cell in cells for node in cell):
        for cell in cells:
            yield from cell
        return
    yield from (node for cell in cells for node in cell if isinstance(node, Setting | Step))
    stay = [[node for node in cell if not isinstance(node, Setting | Step)] for cell in cells]
    yield Row(tuple(tuple(cell) for cell, figure in zip(stay, drawn, strict=True) if figure))
    for cell, figure in zip(stay, drawn, strict=True):
        yield from () if figure else cell


def _question(block: Any, name: str) -> Step:
    words = next(
        (node.label for node in block if getattr(node, "key", "") == SAYS + name), ""
    ).removeprefix("**Predict.** ")
    return Step(name, words, block.button(key=SHOWS + name))


def _element(element: Any) -> Iterator[Any]:
    """One element; widgets whose value no link keeps are left out."""
    kind = element.type
    if kind == "markdown":
        if not element.value.startswith("#### "):  # the page's title and question
            head = element.value.startswith("##### ")
            yield Said(_DO.sub("", element.value), "heading" if head else "text")
    elif kind == "caption":
        if not element.value.startswith(":material/"):  # how long it took, on this machine
            yield Said(_DO.sub("", element.value), "caption")
    elif kind == "latex":
        yield Said(element.value, "formula")
    elif kind == "code":
        yield Said(element.value, "code")
    elif kind in ("text", "info", "warning", "error"):
        yield Said(element.value, "plain")
    elif kind == "vega_lite_chart":
        chart = _chart(element.proto)
        if chart.spec.get("name") != axis.NAME:  # the sentence above it says the same
            yield chart
    elif kind in ("table", "dataframe"):
        yield Listed(element.value.head(MOST_ROWS))
    elif kind in ("bidi_component", "imgs"):
        yield Moving()
    elif kind == "progress":
        yield Step("progress")
    elif kind == "button" and element.proto.icon == RUN and element.proto.type == "primary":
        yield Step("run", button=element)
    elif (element.key or "").startswith(SETS) and (value := _value(element)):
        yield Setting(element.label, value)


def _value(widget: Any) -> str:
    """A widget's value, as it is written there."""
    value = widget.value
    many = value if isinstance(value, list | tuple) else [value]
    if widget.type == "toggle":
        return "on" if value else "off"
    written = getattr(widget, "format_func", None) or "{:,}".format
    return ", ".join(str(written(one)) for one in many if one is not None)


def _chart(proto: Any) -> Drawn:
    rows: dict[str | None, list[dict[str, Any]]] = {}
    if proto.data.data:
        rows[None] = _rows(proto.data.data)
    for dataset in proto.datasets:
        rows[dataset.name if dataset.has_name else None] = _rows(dataset.data.data)
    return Drawn(json.loads(proto.spec), rows, proto.alt)


def _rows(arrow: bytes) -> list[dict[str, Any]]:
    with pa.ipc.open_stream(arrow) as stream:
        rows: list[dict[str, Any]] = stream.read_all().to_pylist()
    return rows
