"""Exact bandit and ToyPole on a phone: nothing leaves the page, no label covers another."""

from __future__ import annotations

import urllib.parse

import pytest
from conftest import settled, visitor
from playwright.sync_api import Browser, Page

from ui.shell.pages import BANDIT_VIEWS, POLE_VIEWS

PHONE = {"width": 390, "height": 844}
VISITS = [
    *(("bandit", "bandit_view", view) for view in BANDIT_VIEWS),
    *(("toypole", "pole_view", view) for view in POLE_VIEWS),
]
# Pairs of labels of one chart whose letters meet; a text's box has 3 pixels of air on each side.
OVERLAPS = """charts => charts.flatMap(chart => {
  const texts = [...chart.querySelectorAll('svg text')].filter(text => text.textContent.trim());
  const boxes = texts.map(text => text.getBoundingClientRect());
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 6;
  return texts.flatMap((text, i) => texts.slice(i + 1)
    .filter((_, k) => meet(boxes[i], boxes[i + 1 + k]))
    .map(other => [text.textContent, other.textContent]));
})"""
SIDEWAYS = "page => page.scrollWidth - page.clientWidth"


def show(page: Page, address: str) -> None:
    """Open a page, its question answered, its charts drawn."""
    page.goto(address)
    charts = page.get_by_test_id("stVegaLiteChart")
    ask = page.get_by_role("button", name="Just show")
    charts.or_(ask).first.wait_for()
    settled(page)
    if ask.count():
        ask.first.click()
    charts.first.locator("svg text").first.wait_for(state="attached")
    settled(page)


@pytest.mark.parametrize(("file", "name", "view"), VISITS)
def test_on_a_phone_no_label_covers_another(
    browser: Browser, server: str, file: str, name: str, view: str
):
    with visitor(browser, viewport=PHONE) as page:
        show(page, f"{server}/{file}?{urllib.parse.urlencode({name: view})}")
        charts = page.get_by_test_id("stVegaLiteChart")
        assert charts.locator("svg text").count() > 3
        assert charts.evaluate_all(OVERLAPS) == []
        assert page.get_by_test_id("stMain").evaluate(SIDEWAYS) == 0


def test_a_wrong_answer_stays_wrong_when_a_slider_moves(page: Page, server: str):
    """At γ = .7, λ = 1 is not the best with errors of .5; with errors of 3 it is."""
    page.goto(f"{server}/toypole?pole_view=Lambda&pole_gamma=0.7")
    page.get_by_text("No, λ = 1 is best", exact=True).click()
    page.get_by_role("button", name="I am guessing").click()
    wrong = page.get_by_text("You predicted No, λ = 1 is best. It is: No, some λ between is best")
    wrong.wait_for()
    page.get_by_role("slider", name="Error of the critic").press("End")
    now = "The settings have changed since. With the present ones: No, λ = 1 is best."
    page.get_by_text(now, exact=False).wait_for()
    settled(page)
    assert wrong.is_visible()
    assert page.get_by_text("You predicted it", exact=False).count() == 0
