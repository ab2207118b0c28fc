"""axe-core on every page, light and dark: nothing serious, before its question and after."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import quiet, visitor
from playwright.sync_api import Browser, Page

from ui.path.lessons import LESSONS
from ui.shell.pages import PARAMETERS

pytestmark = pytest.mark.browser
THEIRS = (".stCode", ".stDataFrame")  # Streamlit's colours of code, and its canvas of tables
THEMED = "scheme => getComputedStyle(document.querySelector('.stApp')).colorScheme === scheme"


class Visit(NamedTuple):
    """A page in a state, and how many questions it asks one after the other."""

    file: str
    state: Mapping[str, Any] = {}
    asks: int = 0

    @property
    def address(self) -> str:
        known = [name for name in self.state if name in PARAMETERS]
        query = {name: PARAMETERS[name].write(self.state[name]) for name in known}
        return f"{self.file}?{urllib.parse.urlencode(query)}"


VISITS = [
    *(Visit(lesson.page, lesson.state, len(lesson.asks)) for lesson in LESSONS),
    *(Visit(file) for file in ("", "train", "seeds", "watch", "baseline", "toypole", "exercises")),
    Visit("museum", asks=1),
    Visit("museum", {"museum_view": "Exhibits"}, asks=1),
]


def serious(page: Page) -> list:
    """What axe calls serious or critical, in both themes."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(THEMED, arg=scheme)
        quiet(page)
        told = Axe().run(page, context={"exclude": [[part] for part in THEIRS]}).response
        assert len(told["passes"]) > 10
        found += [
            (scheme, violation["id"], [node["html"][:200] for node in violation["nodes"]])
            for violation in told["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
    return found


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.address)
def test_axe_finds_nothing_serious(browser: Browser, server: str, visit: Visit):
    with visitor(browser, color_scheme="light") as page:
        page.goto(f"{server}/{visit.address}")
        page.locator("h4").first.wait_for()
        show = page.get_by_role("button", name="Just show")
        if visit.asks:
            show.first.wait_for()
        assert serious(page) == []
        for _ in range(visit.asks):
            show.first.wait_for()
            asked = show.first.element_handle()
            asked.click()
            page.wait_for_function("button => !button.isConnected", arg=asked)
            quiet(page)
        if visit.asks:
            assert show.count() == 0
            assert serious(page) == []
