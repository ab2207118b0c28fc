"""The Train page in Chromium, as a person uses it."""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.parse import parse_qs, urlparse

import pytest
from conftest import PATIENCE, quiet, served, settled, visitor
from playwright.sync_api import Browser, Page, expect

from pgcore import ALGORITHMS, Config, train
from pgcore.stats import mean_t_interval

pytestmark = pytest.mark.browser
LONG = "/train?algorithms=actor_critic&num_seeds=200&total_timesteps=1000000&eval_interval=10000"


def steps_done(page: Page) -> int:
    """The number that the progress bar shows."""
    text = page.get_by_test_id("stProgress").inner_text()
    return int(text.split(" of ")[0].replace(",", ""))


def start_long_run(page: Page, url: str, first_seed: int) -> None:
    """A run of its own for each test: the registry would share an equal one."""
    page.goto(f"{url}{LONG}&first_seed={first_seed}")
    page.get_by_role("button", name=re.compile("^Run, about")).click()
    page.get_by_text(re.compile(r"[1-9][\d,]* of 200,000,000 steps")).wait_for()


def cancel(page: Page) -> None:
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_text("Cancelled at").wait_for()


def chart_says(page: Page) -> str:
    """The chart in words, as a screen reader has it."""
    chart = page.locator('[aria-label^="Episodic return against"]').first
    return chart.get_attribute("aria-label") or ""


def test_defaults_train_at_once_and_show_what_pgcore_computes(page: Page, server: str):
    page.goto(f"{server}/train")
    page.get_by_text("environment steps and every evaluation").wait_for()
    said = chart_says(page)
    for key in ("policy_gradient", "batch_mean", "actor_critic"):
        final = train(Config(algorithm=key)).final_returns
        assert f"at {mean_t_interval(final):.0f} after 10,000 steps (n = 10)" in said


def test_a_long_run_grows_pauses_and_is_cancelled(page: Page, server: str):
    start_long_run(page, server, 1000)
    first = steps_done(page)
    page.wait_for_function(
        "done => Number(document.querySelector('[data-testid=stProgress]')"
        ".innerText.split(' of ')[0].replaceAll(',', '')) > done",
        arg=first,
    )
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text("paused").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    cancel(page)
    assert page.get_by_role("button", name=re.compile("^Run again")).is_visible()


def test_a_refresh_finds_the_run_again(page: Page, server: str):
    start_long_run(page, server, 2000)
    before = steps_done(page)
    page.reload()
    page.get_by_text(re.compile(r"of 200,000,000 steps,")).wait_for()
    assert steps_done(page) >= before
    cancel(page)


def test_a_second_tab_sees_the_same_run_and_other_clicks_do_not_end_it(
    browser: Browser, page: Page, server: str
):
    start_long_run(page, server, 3000)
    before = steps_done(page)
    with visitor(browser) as other:
        other.goto(page.evaluate("location.href"))
        other.get_by_text(re.compile(r"of 200,000,000 steps,")).wait_for()
        assert steps_done(other) >= before
    page.get_by_role("radio", name="95% interval").click()
    page.get_by_text("mean with its 95% t interval").wait_for()
    assert steps_done(page) >= before
    cancel(page)


def test_the_copied_link_shows_the_same_numbers_in_a_new_browser(browser: Browser, server: str):
    with visitor(browser) as page:
        page.goto(f"{server}/train?algorithms=batch_mean,leave_one_out&num_seeds=7&gamma=0.95")
        page.get_by_text("environment steps and every evaluation").wait_for()
        said = chart_says(page)
        page.get_by_text("Link, CSV, picture, code").click()
        link = page.get_by_test_id("stCode").filter(has_text="http").first.inner_text().strip()
    assert set(parse_qs(urlparse(link).query)) >= {"v", "gamma", "num_seeds", "band", "learner"}
    with visitor(browser) as stranger:
        stranger.goto(link)
        stranger.get_by_text("environment steps and every evaluation").wait_for()
        assert chart_says(stranger) == said
        assert "n = 7" in said


def test_a_deep_link_may_be_the_first_request_of_a_server(browser: Browser):
    with served() as url, visitor(browser) as page:
        page.goto(f"{url}/train?algorithms=ppo&num_seeds=5")
        page.get_by_text("environment steps and every evaluation").wait_for()
        assert "PPO at" in chart_says(page)
        assert page.get_by_text("Experiment").count() >= 1  # the frame is there


def test_the_lab_preset_and_a_kept_run(page: Page, server: str):
    page.goto(f"{server}/train")
    page.get_by_text("environment steps and every evaluation").wait_for()
    page.get_by_role("button", name="Keep these curves", exact=True).click()
    page.get_by_role("button", name="Drop the kept curves").wait_for()
    page.get_by_role("button", name="The lab notebook, as written", exact=True).click()
    page.wait_for_function("location.search.includes('fixed_start=True')")
    settled(page)
    assert "kept=" in page.evaluate("location.search")
    final = mean_t_interval(train(Config.lab(algorithm="actor_critic")).final_returns)
    expect(page.locator(f'[aria-label*="Actor-critic at {final:.0f} after"]').first).to_be_visible()


def test_more_settings_show_their_values_whenever_they_are_opened(page: Page, server: str):
    """The browser makes a popover's widgets when it opens, many runs of the page later."""
    page.goto(f"{server}/train?gae_lambda=0.9")
    page.get_by_text("environment steps and every evaluation").wait_for()
    for seeds in ("5", "6"):
        box = page.get_by_role("spinbutton", name="Seeds")
        box.fill(seeds)
        box.press("Enter")
        page.wait_for_function(f"location.search.includes('num_seeds={seeds}')")
        settled(page)
    page.get_by_role("button", name="More settings").click()
    environment = page.get_by_role("textbox", name="Gymnasium environment")
    expect(environment).to_have_value("CartPole-v1")
    expect(page.get_by_role("slider", name="GAE's lambda")).to_have_value("0.9")


def test_replay_walks_through_a_finished_run(page: Page, server: str):
    page.goto(f"{server}/train")
    page.get_by_text("evaluation 20 of 20").wait_for()
    page.get_by_role("button", name="Step", exact=True).click()
    page.get_by_text("evaluation 1 of 20").wait_for()
    assert "after 500 steps" in chart_says(page)
    page.get_by_role("button", name="Whole run", exact=True).click()
    page.get_by_text("evaluation 20 of 20").wait_for()
    page.get_by_text("fast", exact=True).click()
    page.get_by_role("button", name="Replay", exact=True).click()
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    page.get_by_role("button", name="Replay", exact=True).wait_for()  # it ends by itself
    page.get_by_text("evaluation 20 of 20").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_question_verdict_chart_and_replay_stand_on_one_screen(
    browser: Browser, server: str, scheme: str
):
    with visitor(browser, color_scheme=scheme) as page:
        page.goto(f"{server}/train")
        page.get_by_text("evaluation 20 of 20").wait_for()
        quiet(page)
        for shown in (
            page.get_by_role("heading", name="Does a baseline help?"),
            page.get_by_text(re.compile("10 seeds do not tell|ends .* above")).first,
            page.get_by_test_id("stVegaLiteChart").first,
            page.get_by_role("button", name="Replay", exact=True),
        ):
            box = shown.bounding_box()
            assert box is not None and box["y"] > 50 and box["y"] + box["height"] <= 720


def test_three_hundred_seeds_are_one_click_away(page: Page, server: str):
    page.goto(f"{server}/train")
    page.get_by_role("button", name=re.compile("^Run 300 seeds, about")).click()
    page.get_by_text("9,000,000 environment steps and every evaluation").wait_for()
    assert "n = 300" in chart_says(page)
    expect(page.get_by_role("spinbutton", name="Seeds")).to_have_value("300")


def test_on_a_phone_the_chart_and_a_slider_are_seen_together(browser: Browser, server: str):
    with visitor(browser, viewport={"width": 390, "height": 844}) as page:
        page.goto(f"{server}/train")
        page.get_by_text("evaluation 20 of 20").wait_for()
        settled(page)
        chart = page.get_by_test_id("stVegaLiteChart").first.bounding_box()
        slider = page.get_by_role("slider", name="Learning rate of the policy").bounding_box()
        assert chart is not None and slider is not None
        assert 0 < slider["y"] - chart["y"] < 844 - 60  # the bar at the top takes 60


BOXES = """texts => texts.map(text => {
  const { left, right, top, bottom } = text.getBoundingClientRect();
  return { left, right, top, bottom };
})"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("count", [3, 6, 8])
def test_labels_lie_neither_on_lines_nor_on_each_other(
    browser: Browser, server: str, width: int, count: int
):
    names = list(ALGORITHMS)[:count]
    with visitor(browser, viewport={"width": width, "height": 844}) as page:
        page.goto(f"{server}/train?v=2&algorithms={','.join(names)}")
        page.get_by_text("environment steps and every evaluation").wait_for()
        settled(page)
        chart = page.get_by_test_id("stVegaLiteChart").first
        words = chart.locator("text").filter(has_text="n = 10")
        expect(words).to_have_count(count, timeout=PATIENCE)
        labels = words.evaluate_all(BOXES)
        lines = chart.locator(".mark-line path").evaluate_all(BOXES)
        labels.sort(key=lambda box: box["top"])
        for above, below in pairwise(labels):
            assert (below["top"] + below["bottom"]) - (above["top"] + above["bottom"]) >= 2 * 13
        end = max(box["right"] for box in lines)
        assert all(end < box["left"] and box["right"] <= width for box in labels)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("algorithms=sarsa", "must name some of policy_gradient"),
        ("num_seeds=-3", "num_seeds is -3; it must be a whole number from 1 to 1,000"),
        ("total_timesteps=99999999999999", "it must be a whole number from 32 to 1,000,000"),
        ("gamma=nan", "gamma is nan; it must be a number from 0.0 to 1.0"),
        ("learning_rate=fast", "learning_rate is 'fast'; it must be a number"),
        ("env_id=Pendulum-v1", "it must have discrete actions"),
        ("env_id=os:Evil-v0", "it must be an environment that Gymnasium knows"),
        ("band=wide", "band is 'wide'; it must be one of"),
        ("colour=red", "'colour' is no setting"),
        ("v=99", "the link is of version '99'"),
    ],
)
def test_a_bad_link_is_one_sentence_and_the_default(
    page: Page, server: str, query: str, sentence: str
):
    page.goto(f"{server}/train?{query}")
    page.get_by_text(sentence).wait_for()
    page.get_by_text("environment steps and every evaluation").wait_for()
    assert "n = 10" in chart_says(page)


def test_settings_that_clash_are_said_and_the_way_on_stays(page: Page, server: str):
    page.goto(f"{server}/train?num_seeds=1000&total_timesteps=1000000&eval_interval=1000")
    page.get_by_text("raise eval_interval").first.wait_for()
    page.get_by_role("button", name="Start values", exact=True).click()
    page.get_by_text("environment steps and every evaluation").wait_for()
