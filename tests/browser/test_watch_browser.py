"""The Watch page in Chromium, as a person uses it."""

from __future__ import annotations

import re

import pytest
from conftest import settled
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

COUNT_FRAMES = """
  const request = window.requestAnimationFrame.bind(window);
  window.asked = 0;
  window.requestAnimationFrame = (tick) => {
    if (/Player|Game|this\\.(seek|advance)/.test(tick.toString())) window.asked++;
    return request(tick);
  };
"""


def open_watch(page: Page, server: str, query: str = "") -> None:
    page.goto(f"{server}/watch{query}")
    page.locator(".player .clock").wait_for()


def step(page: Page) -> int:
    return int(page.locator(".player .clock").inner_text().split(" / ")[0])


def show(page: Page, tab: str) -> None:
    page.get_by_role("tab", name=tab).click()


def test_it_plays_stops_and_is_scrubbed_by_keyboard(page: Page, server: str):
    open_watch(page, server)
    expect(page.locator(".player .clock")).not_to_have_text(re.compile("^0 /"))
    page.locator(".player").press(" ")
    page.locator(".player").press("Home")
    page.locator(".player").press("ArrowRight")
    page.locator(".player").press("ArrowRight")
    assert step(page) == 2
    scrub = page.get_by_label("Step of the episode")
    scrub.press("ArrowRight")
    assert step(page) == 3
    show(page, "How it thinks")
    page.get_by_text("the dot is step 3, where the player stopped").wait_for()
    settled(page)
    assert step(page) == 3


def test_another_checkpoint_is_another_episode_from_its_start(page: Page, server: str):
    open_watch(page, server)
    page.locator(".player").press("End")
    before = page.locator(".player .name").first.inner_text()
    assert before.endswith("10,000 steps")
    page.get_by_role("slider", name=re.compile("Checkpoint")).press("Home")
    expect(page.locator(".player .name").first).to_have_text(re.compile(", 0 steps$"))
    page.locator(".player").press("Home")
    assert step(page) == 0


def test_three_agents_share_one_playhead(page: Page, server: str):
    open_watch(page, server, "?beside=all")
    page.locator(".player").press("End")
    endings = page.locator(".player .caption").all_inner_texts()
    assert len(endings) == 3
    assert all(re.search("fell|left the track|clock ended it", text) for text in endings)


def test_the_agent_is_pushed_until_it_falls(page: Page, server: str):
    open_watch(page, server)
    show(page, "Push it")
    field = page.locator(".push")
    field.focus()
    page.keyboard.down("ArrowRight")
    page.get_by_role("button", name="Again").wait_for()
    page.keyboard.up("ArrowRight")
    steps = page.locator(".push .score").inner_text().split()[0]
    assert page.locator(".push .score").inner_text().endswith(f"best {steps}")
    page.keyboard.press("r")
    expect(page.locator(".push .score")).to_have_text(re.compile("^0 steps"))


def test_nothing_runs_on_after_leaving(page: Page, server: str):
    page.add_init_script(COUNT_FRAMES)
    open_watch(page, server)
    page.get_by_label("Speed").select_option("0.1")  # plays for the better part of a minute
    show(page, "Push it")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function("asked > 20")
    page.get_by_role("button", name="Experiment").click()
    page.get_by_role("menuitem", name="Train").click()
    page.get_by_text("environment steps and every evaluation").wait_for()
    settled(page)
    count = page.evaluate("asked")
    page.evaluate(
        "() => new Promise((done) => { let n = 0; const tick = () => ++n > 20 ? "
        "done() : requestAnimationFrame(tick); tick(); })"
    )
    assert page.evaluate("asked") == count


def test_gymnasium_s_picture_is_made_and_downloaded(page: Page, server: str):
    open_watch(page, server)
    show(page, "Gymnasium's picture")
    for name, first in (("GIF", b"GIF89a"), ("WebP", b"RIFF")):
        page.get_by_role("button", name=f"Make the {name}").click()
        ready = page.get_by_role("button", name=re.compile(f"Download the {name}"))
        ready.wait_for()
        with page.expect_download() as download:
            ready.click()
        assert (
            download.value.suggested_filename == f"cartpole-policy_gradient-0-10000.{name.lower()}"
        )
        assert download.value.path().read_bytes().startswith(first)
    moving = page.get_by_role("tabpanel").locator("img[src^='data:image/webp']")
    moving.wait_for()
