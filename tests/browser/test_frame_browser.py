"""What all pages share, in Chromium: tabs that answer every click, buttons that can be read."""

from __future__ import annotations

import re

import pytest
from conftest import settled, visitor
from playwright.sync_api import Browser, Page

from ui.shell.pages import PARAMETERS

TABS = {"bandit": "bandit_view", "toypole": "pole_view", "watch": "watch_view"}


@pytest.mark.parametrize("file", TABS)
def test_every_click_on_a_tab_opens_it_and_the_link_says_which(page: Page, server: str, file: str):
    """Twice round: a `default` that changes swallowed every second click."""
    parameter = PARAMETERS[TABS[file]]
    page.goto(f"{server}/{file}")
    settled(page)
    for label in [*parameter.options[1:], *parameter.options, *reversed(parameter.options)]:
        tab = page.get_by_role("tab", name=label, exact=True)
        tab.click()
        page.wait_for_function("tab => tab.ariaSelected === 'true'", arg=tab.element_handle())
        page.wait_for_function(
            "([name, value]) => new URLSearchParams(location.search).get(name) === value",
            arg=[parameter.name, None if label == parameter.default else label],
        )
        settled(page)
        page.wait_for_function("[...document.images].every(image => image.complete)")
        assert tab.get_attribute("aria-selected") == "true"  # and stays open


def test_a_link_opens_its_tab(page: Page, server: str):
    page.goto(f"{server}/toypole?pole_view=Two+gradients")
    tab = page.get_by_role("tab", name="Two gradients")
    page.wait_for_function("tab => tab.ariaSelected === 'true'", arg=tab.element_handle())
    page.get_by_text("the gradient of", exact=False).first.wait_for()


def test_the_true_gradient_links_to_the_tab_that_explains_it(page: Page, server: str):
    """From a page under a path of its own; the link is relative to it."""
    page.goto(f"{server}/cloud")
    page.get_by_role("button", name="Just show").click()
    page.get_by_text("All the numbers").first.click()
    link = page.get_by_role("link", name="ToyPole shows the two gradients")
    with page.expect_popup() as opened:
        link.first.click()
    toypole = opened.value
    tab = toypole.get_by_role("tab", name="Two gradients")
    toypole.wait_for_function("tab => tab.ariaSelected === 'true'", arg=tab.element_handle())


CONTRAST = """element => {
  const numbers = colour => {
    const found = colour.match(/[0-9.]+/g).map(Number);
    const unit = colour.startsWith("color(srgb") ? 255 : 1;
    return found.map((x, place) => place < 3 ? unit * x : x);
  };
  const over = ([r, g, b, a = 1], under) =>
    [r, g, b].map((x, i) => a * x + (1 - a) * under[i]);
  const light = rgb => rgb.map(x => x / 255)
    .map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = [];
  const box = element.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  for (let at = element; at; at = at.parentElement) {  // a slider's value stands above its parent
    const { left, right, top, bottom } = at.getBoundingClientRect();
    if (x < left || x > right || y < top || y > bottom) continue;
    behind.unshift(numbers(getComputedStyle(at).backgroundColor));
  }
  const ground = behind.reduce((under, colour) => over(colour, under), [255, 255, 255]);
  const style = getComputedStyle(element);
  const text = over(numbers(element instanceof SVGElement ? style.fill : style.color), ground);
  const [a, b] = [text, ground].map(light);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
SIZE = "element => parseFloat(getComputedStyle(element).fontSize)"
READ = {  # on the page Train: what is read, and its smallest size in pixels
    "[role=tab][aria-selected=true] p": 14,
    "[data-testid=stSliderThumbValue]": 14,
    "[aria-checked=true] p": 14,
    "[data-testid=stCaptionContainer] p": 14,
    "[data-testid=stVegaLiteChart] .role-axis-label text": 12,
    "[data-testid=stVegaLiteChart] .role-axis-title text": 14,
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_primary_button_can_be_read(browser: Browser, server: str, scheme: str):
    """WCAG 2.2, 1.4.3: text of this size needs 4.5 to 1."""
    with visitor(browser, color_scheme=scheme) as page:
        page.goto(server)
        button = page.get_by_role("button", name=re.compile("Start the first lesson"))
        button.wait_for()
        settled(page)
        assert button.evaluate(CONTRAST) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chosen_values_can_be_read(browser: Browser, server: str, scheme: str):
    """They stand on the primary colour, as a button's words do, in a popover."""
    with visitor(browser, color_scheme=scheme) as page:
        page.goto(f"{server}/train?v=2&algorithms=actor_critic&vary=gamma&values=0.5,0.9")
        page.get_by_text("environment steps and every evaluation").wait_for()
        page.get_by_role("button", name="Comparing gamma").click()
        value = page.get_by_title("0.5", exact=True)
        value.wait_for()
        assert value.evaluate(CONTRAST) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_small_text_can_be_read(browser: Browser, server: str, scheme: str):
    """The chosen tab and pill, a slider's value, captions, and the words of a chart's axes."""
    with visitor(browser, color_scheme=scheme) as page:
        page.goto(f"{server}/train")
        page.get_by_text("environment steps and every evaluation").wait_for()
        settled(page)
        for selector, smallest in READ.items():
            text = page.locator(selector).first
            text.wait_for()
            text.scroll_into_view_if_needed()  # else nothing of the page lies behind it
            assert text.evaluate(CONTRAST) >= 4.5, selector
            assert text.evaluate(SIZE) >= smallest, selector
