"""The path from Start to the museum, walked with the keyboard alone."""

from __future__ import annotations

import re

import pytest
from conftest import quiet
from playwright.sync_api import Locator, Page, expect

from ui.path.lessons import LESSONS

pytestmark = pytest.mark.browser
MOST_TABS = 60
WIDE, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
TRIED = LESSONS[2]  # whose first "Try this" is pressed: exact numbers, nothing to measure
HAS_FOCUS = "it => it === document.activeElement || it.contains(document.activeElement)"
FITS = """() => [document.documentElement, document.querySelector('[data-testid=stMain]')]
  .every(it => it.scrollWidth <= innerWidth)"""
# The lower edges of the title and of the first figure, the page being at its top.
LOWER_EDGES = """() => {
  const above = document.querySelector('[data-testid=stMain]').scrollTop;
  const figure = [...document.querySelectorAll('[data-testid=stVegaLiteChart]')]
    .find(chart => !chart.closest('[class*=st-key-axis_]') && chart.getClientRects().length)
    ?.querySelector('svg, canvas');
  return [document.querySelector('h4'), figure]
    .map(it => it ? above + it.getBoundingClientRect().bottom : Infinity);
}"""


def reach(page: Page, wanted: Locator) -> None:
    """Press Tab until a control has the focus, and see that it shows it."""
    expect(wanted).to_be_enabled()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate(HAS_FOCUS):
            break
    else:
        pytest.fail(f"{MOST_TABS} presses of Tab do not reach {wanted}")


def shows_focus(page: Page) -> bool:
    """Whether what has the focus looks another way without it."""
    focused = page.evaluate_handle("document.activeElement").as_element()
    edges = focused.bounding_box()
    assert edges is not None
    clip = {"x": edges["x"] - 12, "y": edges["y"] - 12}
    clip |= {"width": edges["width"] + 24, "height": edges["height"] + 24}
    with_focus = page.screenshot(clip=clip, animations="disabled")
    focused.evaluate("it => it.blur()")
    without = page.screenshot(clip=clip, animations="disabled")
    focused.evaluate("it => it.focus({focusVisible: true})")
    return with_focus != without


def fits(page: Page) -> None:
    """Nothing is wider than the window, on a laptop and on a phone."""
    assert page.get_by_test_id("stException").count() == 0
    for size in (PHONE, WIDE):  # charts follow a new width a moment later
        page.set_viewport_size(size)
        page.wait_for_function(FITS)
        quiet(page)


def answer(page: Page, name: str) -> None:
    """Predict, and commit to it."""
    asked = page.locator(f".st-key-say_{name}")
    control = asked.get_by_role("radio").or_(asked.get_by_role("slider")).first
    control.wait_for()
    quiet(page)
    reach(page, control)
    assert shows_focus(page)
    page.keyboard.press("Space" if asked.get_by_role("radio").count() else "ArrowRight")
    reach(page, page.locator(f".st-key-commit_True_{name}").get_by_role("button"))
    assert shows_focus(page)
    page.keyboard.press("Enter")
    page.locator(f".st-key-again_{name}").wait_for()
    quiet(page)


def onward(page: Page, key: str, name: str) -> None:
    """Press the button that leads to the next lesson."""
    button = page.locator(f".st-key-{key}").get_by_role("button", name=f"Next: {name}")
    reach(page, button)
    assert shows_focus(page)
    page.keyboard.press("Enter")


def test_the_whole_path_is_walked_with_the_keyboard(page: Page, server: str):
    page.goto(server)
    page.locator("h4").wait_for()
    quiet(page)
    onward(page, "next_above", LESSONS[0].title)
    edges = []
    for place, lesson in enumerate(LESSONS):
        page.get_by_text(f"Lesson {place + 1} of {len(LESSONS)}").wait_for()
        page.locator(f".st-key-say_{lesson.asks[0]}").wait_for()
        quiet(page)
        fits(page)
        edges.append((lesson.title, "asked", page.evaluate(LOWER_EDGES)))
        for number, name in enumerate(lesson.asks, start=1):
            answer(page, name)
            expect(page.get_by_text(re.compile(r"You (predicted|marked)"))).to_have_count(number)
            if number == 1:
                edges.append((lesson.title, "shown", page.evaluate(LOWER_EDGES)))
        fits(page)
        if lesson is TRIED:
            reach(page, page.get_by_role("button", name=lesson.tries[0].label))
            page.keyboard.press("Enter")
            page.get_by_text("At b = 6 the").wait_for()
            fits(page)
        after = [*(lesson.title for lesson in LESSONS), "the museum"][place + 1]
        onward(page, "next_below", after)
    page.get_by_text("After the path").wait_for()
    quiet(page)
    fits(page)
    assert [seen for seen in edges if max(seen[2]) > WIDE["height"]] == []
