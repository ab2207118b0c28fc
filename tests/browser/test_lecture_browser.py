"""A lecture on a projector: walked with the keys alone, from one link, on a fresh server."""

from __future__ import annotations

import re
import time

import pytest
from conftest import quiet
from playwright.sync_api import Page

from ui.lecture.present import included
from ui.shell import link
from ui.shell.pages import PAGES

pytestmark = pytest.mark.browser
FIRST = PAGES[0].file  # whose address is "/"
BODY, CHART = 20, 16  # pixels of type, at least, on a projector of 720
SILENCE = 2.0  # seconds without an answer or a sign of work
# What is in sight and reaches over the window's edge.
CUT = """() => [...document.querySelectorAll('.stMainBlockContainer .stElementContainer')]
  .filter(it => it.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter(it => { const { height, right, bottom } = it.getBoundingClientRect();
    return height > 1 && (bottom > innerHeight + 1 || right > innerWidth + 1); })
  .map(it => it.textContent)"""
SMALL = """([body, chart]) => {
  const zoom = document.querySelector('.stMainBlockContainer').currentCSSZoom;
  const small = (within, least) => [...document.querySelectorAll(within)]
    .filter(it => it.textContent.trim()
      && it.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .filter(it => parseFloat(getComputedStyle(it).fontSize) * zoom < least - 0.01)
    .map(it => it.textContent);
  return [...small('.stMainBlockContainer :is(p, li, h4)', body),
          ...small('.stVegaLiteChart svg text', chart)];
}"""
IN_SIGHT = """() => [...document.querySelectorAll(
    '.stVegaLiteChart svg, .stVegaLiteChart canvas, [data-testid=stBidiComponentIsolated]')]
  .filter(it => !it.closest('[class*=st-key-predict_]')
    && it.checkVisibility({ visibilityProperty: true }))
  .map(it => it.getBoundingClientRect())
  .some(it => it.height > 50 && it.right <= innerWidth + 1 && it.bottom <= innerHeight)"""
SCROLLED = """() => { const it = document.querySelector('[data-testid=stMain]');
  it.scrollTop = 500; document.documentElement.scrollTop = 500;
  return it.scrollTop + document.documentElement.scrollTop; }"""
# Whether something is under way, and whether the class sees a sign of it.
AT_WORK = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const bar = document.querySelector('[data-testid=stProgress], [data-testid=stSpinner]');
  const pulse = app && Number(getComputedStyle(app, '::before').opacity) > 0.1;
  return [app?.dataset.testScriptState !== 'notRunning' || !!bar, !!bar || !!pulse];
}"""


def answered(page: Page) -> float:
    """Wait until the slide stands; the longest time in which the class saw no sign of work."""
    longest = silent = 0.0
    still, last = 0, time.monotonic()
    while still < 6:
        page.wait_for_timeout(50)
        now = time.monotonic()
        working, sign = page.evaluate(AT_WORK)
        silent = silent + now - last if working and not sign else 0.0
        longest, last, still = max(longest, silent), now, 0 if working else still + 1
    quiet(page)
    return longest


def looked_at(page: Page) -> None:
    """What holds on every slide."""
    page.wait_for_function(IN_SIGHT)
    page.wait_for_timeout(300)  # what does not fit is taken out of sight a moment later
    assert page.get_by_test_id("stException").count() == 0
    assert page.evaluate(SCROLLED) == 0
    assert page.evaluate(CUT) == []
    assert page.evaluate(SMALL, [BODY, CHART]) == []
    assert not page.get_by_test_id("stHeader").is_visible()


def walk(page: Page, url: str, lecture: str) -> list[float]:
    """Every slide with its question and its answer.

    Returns: the longest silence of each, in seconds.
    """
    silences, every = [], included(lecture).slides
    page.goto(f"{url}/?present=1&lecture={lecture}")
    for number, slide in enumerate(every, start=1):
        page.locator(".place", has_text=f"{number} / {len(every)}").wait_for()
        file = link.split(slide.link)[0]
        address = re.compile(rf"/{file if file != FIRST else ''}\?")
        page.wait_for_url(address, wait_until="commit")
        silences += both_states(page)
        page.keyboard.press("PageDown")
    return silences


def both_states(page: Page) -> list[float]:
    """A slide as it opens, and after Enter."""
    silences = [answered(page)]
    looked_at(page)
    question = page.locator("[class*=st-key-predict_]")
    asked = question.count()
    page.keyboard.press("Enter")
    if asked:
        question.wait_for(state="detached")
    silences.append(answered(page))
    looked_at(page)
    return silences


def test_the_short_lecture_is_walked_with_a_clicker(page: Page, server: str):
    walk(page, server, "short")


@pytest.mark.slow
@pytest.mark.parametrize("lecture", ["course", "short"])
def test_a_lecture_never_waits_without_a_sign_on_a_fresh_server(page, fresh_server, lecture):
    silences = walk(page, fresh_server, lecture)
    assert max(silences) < SILENCE, silences


def test_keys_steer_but_not_what_has_a_use_for_them(page: Page, server: str):
    page.goto(f"{server}/?present=1&lecture=short&slide=3")
    heading = page.locator("h4", has_text="Exact bandit")
    heading.wait_for()
    quiet(page)
    slider = page.locator(".st-key-set_bandit_b").get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".st-key-set_bandit_b", has_text="0.10").wait_for()
    page.keyboard.press("PageUp")  # the clicker's
    cloud = page.locator("h4", has_text="The cloud")
    cloud.wait_for()
    quiet(page)
    page.keyboard.press("b")
    black = "getComputedStyle(document.querySelector('[data-testid=stApp]'), '::after').position"
    page.wait_for_function(f"{black} === 'fixed'")
    page.keyboard.press(".")
    page.wait_for_function(f"{black} !== 'fixed'")
    page.reload()  # F5, which some clickers send
    page.locator(".place", has_text="2 / 5").wait_for()
    cloud.wait_for()
    quiet(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Present").wait_for()
    assert "present=1" not in page.url


def test_every_page_has_a_way_into_lecture_mode(page: Page, server: str):
    page.goto(f"{server}/bandit")
    page.get_by_role("button", name="Present").click()
    page.get_by_role("button", name="This page").click()
    page.get_by_test_id("stHeader").wait_for(state="hidden")
    quiet(page)
    page.keyboard.press("ArrowRight")  # the path's next lesson
    page.locator("h4", has_text="The parabola").wait_for()
    assert page.locator(".stPopover").count() == 0
