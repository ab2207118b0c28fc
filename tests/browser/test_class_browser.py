"""A class from the page Class on: the lecturer opens a room, the projector follows, phones vote."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import PATIENCE

pytestmark = pytest.mark.browser

# Streamlit's front end throws it when a timer draws while one page follows another.
LOST = "Bad delta path index"


class Hall:
    """A lecturer's page with a room, the projector, and the remote control."""

    def __init__(self, browser: Browser, server: str) -> None:
        self.browser, self.server = browser, server
        self.errors: list[str] = []
        self.lecturer = self.person(f"{server}/class")
        self.lecturer.get_by_role("button", name="Open a room").click()
        self.projector = self.person(self._link("Open the projector"))
        self.host = self.person(self._link("Open it here"), 390, 844)
        address = self.lecturer.get_by_text(f"{server}/room/").first.inner_text()
        self.phones: list[Page] = []
        self.room = address.strip()

    def person(self, url: str, width: int = 1280, height: int = 720) -> Page:
        """A page of a browser of its own."""
        context = self.browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        return page

    def _link(self, name: str) -> str:
        address = self.lecturer.get_by_role("link", name=name).get_attribute("href")
        assert address is not None
        return address

    def join(self) -> Page:
        self.phones.append(self.person(self.room, 390, 844))
        self.phones[-1].get_by_text("connected", exact=True).wait_for()
        return self.phones[-1]

    def press(self, name: str) -> None:
        """A button of the remote control."""
        self.host.get_by_role("button", name=name).click()

    def sees(self, text: str) -> None:
        """The projector shows it."""
        expect(self.projector.get_by_text(text).first).to_be_visible(timeout=PATIENCE)


@pytest.fixture
def hall(browser: Browser, fresh_server: str) -> Iterator[Hall]:
    hall = Hall(browser, fresh_server)
    yield hall
    for context in browser.contexts:
        context.close()
    assert [error for error in hall.errors if LOST not in error] == []


def test_a_class_predicts_on_the_projector_s_page(hall):
    phones = [hall.join() for _ in range(3)]
    hall.sees("3 phones are here")
    for _ in range(3):  # join, start, the cloud, inside one update
        hall.press("Next")
    hall.sees("Inside one update")
    hall.sees("The vote has not begun")
    hall.press("Open the vote")
    for phone, option in zip(phones, ("Both can", "Both can", "Neither can"), strict=True):
        phone.get_by_role("button", name=option).click()
        phone.get_by_role("button", name="I am sure").click()
    hall.sees("3 of 3 have answered")
    histogram = hall.projector.locator(".st-key-whole_window svg.marks")
    assert histogram.count() == 0
    hall.press("Close the vote")
    histogram.wait_for()
    assert hall.projector.get_by_text("were right").count() == 0
    hall.press("Reveal")
    hall.sees("0 of 3 were right.")
    expect(phones[0].get_by_text("It is: One sample can")).to_be_visible(timeout=PATIENCE)
    address = hall.projector.url
    with hall.projector.expect_navigation():  # a page that is lost is loaded again, in its state
        hall.projector.evaluate(f"setTimeout(() => {{ throw new Error('{LOST} 1') }})")
    hall.sees("0 of 3 were right.")
    assert hall.projector.url == address
    hall.press("Blank the screen")
    hall.projector.locator("div[style*='background: #000'], div[style*='rgb(0, 0, 0)']").wait_for()
