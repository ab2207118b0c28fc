"""axe-core on every page, light and dark: nothing serious."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import settled, visitor
from playwright.sync_api import Browser

from ui.shell.pages import PAGES

pytestmark = pytest.mark.browser
THEIRS = (".stCode", ".stDataFrame")  # Streamlit's colours of code, and its canvas of tables


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("listed", PAGES, ids=lambda listed: listed.file)
def test_axe_finds_nothing_serious(browser: Browser, server: str, listed, scheme: str):
    with visitor(browser, viewport={"width": 1280, "height": 720}, color_scheme=scheme) as page:
        page.goto(f"{server}/{'' if listed is PAGES[0] else listed.file}")
        page.get_by_text(listed.question).first.wait_for()
        settled(page)
        show = page.get_by_role("button", name="Just show")
        if show.count():
            show.first.click()
            settled(page)
        page.get_by_test_id("stProgress").first.wait_for(state="detached")
        page.locator("[data-stale=true]").first.wait_for(state="detached")
        settled(page)
        page.wait_for_timeout(3000)  # Streamlit fades in what it has drawn
        found = Axe().run(page, context={"exclude": [[part] for part in THEIRS]}).response
        assert len(found["passes"]) > 10
        assert [
            (violation["id"], [node["html"][:200] for node in violation["nodes"]])
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
        ] == []
