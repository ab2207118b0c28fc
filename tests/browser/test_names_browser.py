"""What a screen reader finds in the charts: every mark that is not hidden says what it is.

Vega reads a mark's fields aloud where nobody named it ("x: 0.55; y: 0.43; order: 0"). That is no
name. A mark either has a description of its own or is hidden, and the chart's `alt` speaks for it.
"""

from __future__ import annotations

import re
import urllib.parse

import pytest
from conftest import settled
from playwright.sync_api import Page

from ui.shell.pages import BANDIT_VIEWS, POLE_VIEWS, SEEDS_VIEWS, STAGES

pytestmark = pytest.mark.browser

# Pages whose marks are all named; a page that is put in order is added here. Start draws Train's
# chart, and only when asked.
VISITS = [
    *(("bandit", {"bandit_view": view}) for view in BANDIT_VIEWS),
    *(("toypole", {"pole_view": view}) for view in POLE_VIEWS),
    *(("seeds", {"seeds_view": view, "seeds_pool": "30"}) for view in SEEDS_VIEWS),
    *(("inside", {"stage": stage}) for stage in STAGES),
    *((file, {}) for file in ("train", "cloud", "parabola", "variance", "bootstrap")),
    *((file, {}) for file in ("baseline", "rewards")),
]
DUMP = re.compile(r"^[^;:]+: [^;]*;")  # field: value; ...
LABELS = """charts => charts.flatMap(chart =>
  [...chart.querySelectorAll('[role=graphics-symbol]')]
    .filter(mark => !mark.closest('[aria-hidden=true]'))
    .map(mark => mark.getAttribute('aria-label') ?? ''))"""


def show(page: Page, address: str) -> None:
    """Open a page, its question answered, its charts drawn."""
    page.goto(address)
    charts = page.get_by_test_id("stVegaLiteChart")
    ask = page.get_by_role("button", name="Just show")
    charts.or_(ask).first.wait_for()
    settled(page)
    if ask.count():
        button = ask.first.element_handle()
        button.click()
        page.wait_for_function("button => !button.isConnected", arg=button)
    charts.first.locator("svg .mark-group, canvas").first.wait_for(state="attached")
    settled(page)


def labels(page: Page) -> list[str]:
    """What is read aloud of every mark, axis and legend."""
    return page.get_by_test_id("stVegaLiteChart").evaluate_all(LABELS)


def nameless(names: list[str]) -> list[str]:
    """Those that say nothing, or Vega's own list of fields."""
    return [name for name in names if not name.strip() or DUMP.match(name)]


@pytest.mark.parametrize(
    ("file", "query"),
    VISITS,
    ids=["-".join([file, *query.values()]) for file, query in VISITS],
)
def test_every_mark_has_a_name_or_is_hidden(page: Page, server: str, file: str, query: dict):
    show(page, f"{server}/{file}?{urllib.parse.urlencode(query)}")
    for _ in range(100):  # a chart that has just been drawn may still wait for its rows
        if not nameless(labels(page)):
            break
        page.wait_for_timeout(200)
    assert nameless(labels(page)) == []
    for chart in page.get_by_test_id("stVegaLiteChart").all():  # hidden marks have this to speak
        assert chart.get_attribute("aria-label")


def test_a_list_of_fields_is_no_name():
    assert nameless(["x: 0.55; y: 0.43; order: 0", "", "State 2: V is 6.69"]) == [
        "x: 0.55; y: 0.43; order: 0",
        "",
    ]
