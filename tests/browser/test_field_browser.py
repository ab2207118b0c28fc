"""Start's field in Chromium: carts that move, training time that is played and dragged, agents.

In a page of its own the clock is Playwright's, so that a second is a second on a busy machine too.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from conftest import settled, visitor
from playwright.sync_api import Page, expect
from test_player_browser import mount, scripts

from pgcore import Config, stats, train
from pgcore.algorithms import ALGORITHMS
from ui.player.field import Group, payload
from ui.shell.series import DEFAULT
from ui.start import words

pytestmark = pytest.mark.browser

KEYS = ("policy_gradient", "actor_critic")
CONFIG = Config(num_seeds=4, total_timesteps=2000)
HISTORIES = {key: train(CONFIG.replace(algorithm=key)) for key in KEYS}
GROUPS = [
    Group(key, ALGORITHMS[key].name, "a note", ALGORITHMS[key].colour, history)
    for key, history in HISTORIES.items()
]
SAID = words.said(HISTORIES)
DATA = payload(GROUPS, SAID, {"solved": 475.0})


@pytest.fixture
def tab(browser):
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    page.close()
    assert problems == []


def picture(page: Page, name: str = "carts") -> str:
    """What a canvas shows."""
    return page.locator(f".{name}").evaluate("canvas => canvas.toDataURL()")


def said(page: Page) -> str:
    return page.locator(".said").inner_text()


def learned(page: Page) -> int:
    """The training time that is shown, in steps."""
    return int(page.locator(".clock").inner_text().split(" / ")[0].replace(",", ""))


def cell(page: Page, x: float, y: float) -> tuple[float, float]:
    """A point of the carts' canvas, in the window."""
    box = page.locator(".carts").bounding_box()
    assert box is not None
    return box["x"] + x, box["y"] + y


def test_carts_move_at_once_and_the_time_runs_to_its_end_in_20_seconds(tab):
    mount(tab, "field", DATA)
    assert learned(tab) == 0
    assert said(tab) == SAID[0]
    before = picture(tab)
    tab.clock.run_for(200)
    assert picture(tab) != before
    tab.clock.run_for(9800)
    assert 950 <= learned(tab) <= 1050
    tab.clock.run_for(11_000)
    assert learned(tab) == 2000
    assert said(tab) == SAID[4]
    before = picture(tab)
    tab.clock.run_for(200)
    assert picture(tab) != before  # the carts play on


def test_pause_stops_everything_and_play_goes_on(tab):
    mount(tab, "field", DATA)
    tab.clock.run_for(3000)
    tab.get_by_role("button", name="Pause").click()
    before, frames, time = picture(tab), tab.evaluate("frames"), learned(tab)
    tab.clock.run_for(1000)
    assert picture(tab) == before
    assert (tab.evaluate("frames"), learned(tab)) == (frames, time)
    tab.locator(".field").press(" ")
    tab.clock.run_for(1000)
    assert picture(tab) != before
    assert learned(tab) > time


def test_the_curves_grow_with_the_time_and_not_before_it(tab):
    mount(tab, "field", DATA)
    tab.get_by_role("button", name="Pause").click()
    slider = tab.get_by_role("slider")

    def coloured(share: tuple[float, float]) -> int:
        """Coloured pixels between two shares of the chart's width."""
        return tab.locator(".curves").evaluate(
            """(canvas, [from, to]) => {
              const { width, height } = canvas;
              const at = (share) => Math.round(40 + share * (width - 40 - 118));
              const context = canvas.getContext("2d");
              const { data } = context.getImageData(at(from), 0, at(to) - at(from), height);
              let count = 0;
              for (let i = 0; i < data.length; i += 4) {
                const [r, g, b, a] = data.slice(i, i + 4);
                if (a > 40 && Math.max(r, g, b) - Math.min(r, g, b) > 30) count++;
              }
              return count;
            }""",
            list(share),
        )

    slider.press("End")
    assert coloured((0.3, 0.48)) > 100
    assert coloured((0.75, 0.98)) > 100
    slider.press("Home")
    assert coloured((0.02, 0.98)) == 0
    for _ in range(2):
        slider.press("ArrowRight")
    assert coloured((0.3, 0.48)) > 100


def test_the_time_is_dragged_and_held_there_and_the_checkpoint_follows(tab):
    mount(tab, "field", DATA)
    box = tab.locator(".curves").bounding_box()
    left, wide = box["x"] + 40, box["width"] - 40 - 118

    def at(share: float) -> None:
        tab.mouse.move(left + share * wide, box["y"] + 100)

    at(0.1)
    tab.mouse.down()
    for share, checkpoint in ((0.6, 2), (0.9, 3), (0.3, 1), (0.05, 0)):
        at(share)
        assert learned(tab) == pytest.approx(2000 * share, abs=10)
        assert said(tab) == SAID[checkpoint]
    at(0.8)
    tab.mouse.up()
    time, before = learned(tab), picture(tab)
    tab.clock.run_for(1000)
    assert learned(tab) == time  # held
    assert picture(tab) != before  # and played
    hold = tab.get_by_role("button", name="Hold the time")
    expect(hold).to_have_attribute("aria-pressed", "true")
    hold.click()
    tab.clock.run_for(1000)
    assert learned(tab) > time


def test_the_keyboard_goes_from_checkpoint_to_checkpoint(tab):
    mount(tab, "field", DATA)
    slider = tab.get_by_role("slider")
    for key, checkpoint in (("ArrowRight", 1), ("ArrowUp", 2), ("ArrowLeft", 1), ("End", 4),
                            ("ArrowRight", 4), ("Home", 0), ("ArrowDown", 0)):  # fmt: skip
        slider.press(key)
        assert learned(tab) == 500 * checkpoint
        assert tab.locator(".spoken").inner_text() == SAID[checkpoint]
    assert slider.get_attribute("aria-valuetext") == "0 of 2,000 steps learned"


def test_the_policy_of_the_checkpoint_plays(tab):
    """Still pictures differ in the weights alone: every agent's stream begins anew for each."""
    mount(tab, "field", DATA)
    tab.get_by_role("button", name="Pause").click()
    slider = tab.get_by_role("slider")
    pictures = []
    for key in ("End", "Home", "End"):
        slider.press(key)
        pictures.append(picture(tab))
    assert pictures[0] == pictures[2] != pictures[1]


def test_the_states_are_those_of_the_policy_and_the_physics(tab):
    """The field's step is policy.js and physics.js under the agent's own stream."""
    scripts(tab, "physics.js", "policy.js")
    tab.add_script_tag(content=_field_functions())
    params = HISTORIES["actor_critic"].checkpoints[-1, 2].tolist()
    ours, expected = tab.evaluate(
        """([params, hidden]) => {
          const cart = { params, random: stream(2, 5) };
          begin(cart);
          const random = stream(2, 5);
          let state = [0, 0, 0, 0].map(() => (2 * random() - 1) * 0.05);
          const [ours, expected] = [[cart.state], [state]];
          while (!cart.ended) {
            live(cart, hidden, 500);
            state = advance(state, random() < probability(params, hidden, state) ? FORCE : -FORCE);
            ours.push(cart.state);
            expected.push(state);
          }
          return [ours, expected];
        }""",
        [params, CONFIG.hidden_dim],
    )
    assert len(ours) > 10
    np.testing.assert_array_equal(ours, expected)


def _field_functions() -> str:
    from ui.player.episodes import inline

    return inline("field.js").split("export default")[0]


def test_the_mouse_shows_an_agent_and_a_click_reports_it(tab):
    mount(tab, "field", DATA)
    tab.clock.run_for(12_000)
    tab.mouse.move(*cell(tab, 20, 60))
    tab.clock.run_for(100)
    tip = tab.locator(".tip")
    returned = HISTORIES["policy_gradient"].eval_returns[1, 0]
    assert f"Policy gradient, seed 0\nReturn after 1,000 steps: {returned:.1f}" in tip.inner_text()
    tab.mouse.click(*cell(tab, 20, 122 + 60))
    agent = {"agent": "actor_critic", "seed": 0, "checkpoint": 2}
    assert tab.evaluate("reports") == [["watch", agent]]
    tab.mouse.move(5, 700)
    tab.clock.run_for(100)
    assert tip.is_hidden()


def test_without_a_mouse_an_agent_is_chosen_from_a_list(tab):
    mount(tab, "field", DATA)
    watch = tab.get_by_role("button", name="Watch it")
    assert watch.is_disabled()
    tab.get_by_label("Agent", exact=True).select_option(label="Actor-critic, seed 3")
    assert (
        "Actor-critic, seed 3. Not trained, not evaluated yet"
        in tab.locator(".spoken").inner_text()
    )
    watch.click()
    agent = {"agent": "actor_critic", "seed": 3, "checkpoint": 0}
    assert tab.evaluate("reports") == [["watch", agent]]


def test_a_tap_shows_an_agent_and_leads_nowhere(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    mount(page, "field", DATA)
    page.touchscreen.tap(*cell(page, 20, 50))
    page.clock.run_for(100)
    assert "Policy gradient, seed 0" in page.locator(".tip").inner_text()
    assert page.evaluate("reports") == []
    assert page.get_by_role("button", name="Watch it").is_enabled()
    for control in page.locator(".bar button, .bar select, .bar input").all():
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_who_prefers_less_motion_gets_a_picture_that_stands_still(browser):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    mount(page, "field", DATA)
    before = picture(page)
    page.clock.run_for(1000)
    assert picture(page) == before
    assert learned(page) == 2000
    assert re.search(r"stands still, 2 seconds after .*: [0-8] of 8 poles are up\.$", said(page))
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1000)
    assert picture(page) != before
    assert 50 <= learned(page) <= 150  # from the beginning
    assert "stands still" not in said(page)
    context.close()


def test_the_same_agents_again_go_on_and_others_begin(tab):
    mount(tab, "field", DATA)
    tab.clock.run_for(5000)
    time = learned(tab)
    tab.evaluate("data => show(data)", DATA)
    assert learned(tab) == time > 0
    tab.evaluate("data => show(data)", payload(GROUPS[:1], SAID, {}))
    assert learned(tab) == 0
    assert tab.locator(".agent option").count() == 5


def test_nothing_is_left_running_after_leaving(tab):
    mount(tab, "field", DATA)
    tab.clock.run_for(300)
    frames = tab.evaluate("frames")
    assert frames > 10
    assert tab.evaluate("observers") == 1
    tab.evaluate("leave()")
    tab.clock.run_for(1000)
    assert tab.evaluate("frames") == frames
    assert tab.evaluate("observers") == 0


# --- on the page ---


def test_start_s_numbers_are_pgcore_s(page: Page, server: str):
    page.goto(server)
    slider = page.get_by_role("slider", name="Training time")
    slider.press("End")
    for key in DEFAULT.algorithms:
        interval = stats.mean_t_interval(train(DEFAULT.config_of(key)).final_returns)
        expect(page.locator(".said")).to_contain_text(f"{ALGORITHMS[key].name} {interval:.0f}")
    expect(page.locator(".said")).to_contain_text("n = 10 seeds each")


def test_start_is_alive_and_a_click_leads_to_watch_with_that_agent(page: Page, server: str):
    page.goto(server)
    page.locator(".field .clock").wait_for()
    before = picture(page)
    page.wait_for_function("""before => {
      const hosts = [...document.querySelectorAll('*')].filter(node => node.shadowRoot);
      const canvas = hosts.map(host => host.shadowRoot.querySelector('.carts')).find(Boolean);
      return canvas && canvas.toDataURL() !== before;
    }""", arg=before)  # fmt: skip
    page.get_by_role("slider", name="Training time").press("ArrowRight")
    page.locator(".carts").click(position={"x": 20, "y": 122 + 60})
    name = page.locator(".player .name").first  # beside it, its untrained self
    expect(name).to_have_text(re.compile(r"^Batch mean, seed 0, (500|1,000) steps$"))
    settled(page)
    assert "agent=batch_mean" in page.url


@pytest.mark.parametrize("carts", [30, 300])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_on_a_phone(browser, server: str, scheme: str, carts: int):
    with visitor(browser, viewport={"width": 390, "height": 844}, color_scheme=scheme) as page:
        page.goto(f"{server}/?carts={carts}")
        page.locator(".field .clock").wait_for()
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
