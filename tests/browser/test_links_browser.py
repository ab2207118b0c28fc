"""What a link holds never leaves the page as Markdown: no foreign request, no planted link."""

from __future__ import annotations

import urllib.parse

import pytest
from conftest import settled, visitor
from playwright.sync_api import Browser, Page

from ui.shell.pages import PAGES, PARAMETERS
from ui.shell.series import FIELDS

FOREIGN = "evil.example"
PLANTED = f"![](//{FOREIGN}) [c](//{FOREIGN})"  # 40 characters: a sentence quotes no more
FIGURE = ("algorithms", "band", "kept", "vary", "values", "v", "unknown", PLANTED)
NAMES = (*FIGURE, *(name for name in FIELDS if name != "algorithm"), *PARAMETERS)
CHUNK = 40


def planted_nothing(page: Page) -> None:
    """No element of the page was made from the link's Markdown."""
    assert page.locator(f'img[src*="{FOREIGN}"]').count() == 0
    assert page.locator(f'a[href*="{FOREIGN}"]').count() == 0


# The frame reads every page's link. A few stand for all; `pytest -m slow` asks the others, too.
FEW = ("start", "train", "museum", "class")
REST = [page.file for page in PAGES if page.file not in FEW]


@pytest.mark.parametrize(
    "file", [*FEW, *(pytest.param(file, marks=pytest.mark.slow) for file in REST)]
)
def test_no_parameter_of_any_page_is_shown_as_markdown(browser: Browser, server: str, file: str):
    """A visitor's requests are watched throughout: `visitor` fails on any that leaves."""
    for first in range(0, len(NAMES), CHUNK):
        names = NAMES[first : first + CHUNK]
        query = urllib.parse.urlencode(dict.fromkeys(names, PLANTED))
        with visitor(browser) as page:
            page.goto(f"{server}/{'' if file == 'start' else file}?{query}")
            page.get_by_text("This link asks for values", exact=False).first.wait_for()
            settled(page)
            planted_nothing(page)
            assert page.get_by_text(PLANTED, exact=False).count() > 0


@pytest.mark.parametrize("name", ["algorithms", "seeds_view", "formula"])
def test_what_was_asked_for_is_said_letter_by_letter(page: Page, server: str, name: str):
    page.goto(f"{server}/train?{urllib.parse.urlencode({name: '![a](http://' + FOREIGN + ')'})}")
    page.get_by_text(f"![a](http://{FOREIGN}", exact=False).first.wait_for()
    settled(page)
    planted_nothing(page)
