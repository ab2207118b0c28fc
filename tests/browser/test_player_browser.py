"""The player and Push it, in Chromium: physics, policy, geometry, keys, and nothing left behind.

The clock is Playwright's, so that a second is a second on a busy machine too.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from PIL import Image, ImageDraw

from pgcore import Config
from pgcore.episodes import Episode, play
from pgcore.learners import shape_of
from pgcore.networks import initial_parameters
from pgcore.render import HEIGHT, INKS, WIDTH, draw
from ui.player.episodes import encode, inline, table

pytestmark = pytest.mark.browser

CONFIG = Config(num_seeds=1)

MOUNT = """async ([html, css, js, data]) => {
  document.body.innerHTML = `<style>${css}</style>${html}`;
  const url = URL.createObjectURL(new Blob([js], { type: "text/javascript" }));
  const component = await import(url);
  window.reports = [];
  window.show = (data) => {
    const setStateValue = (name, value) => window.reports.push([name, value]);
    const told = { data, parentElement: document.body, setStateValue };
    window.leave = component.default({ ...told, setTriggerValue: setStateValue });
  };
  const observe = ResizeObserver.prototype.observe;
  const disconnect = ResizeObserver.prototype.disconnect;
  window.observers = 0;
  ResizeObserver.prototype.observe = function (el) { window.observers++; observe.call(this, el); };
  ResizeObserver.prototype.disconnect = function () { window.observers--; disconnect.call(this); };
  const request = window.requestAnimationFrame;
  window.frames = 0;
  window.requestAnimationFrame = (tick) => { window.frames++; return request(tick); };
  window.show(data);
}"""


@pytest.fixture
def tab(browser):
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    page.close()
    assert page.problems == []


def scripts(tab, *files: str) -> None:
    tab.add_script_tag(content=inline(*files))


def test_the_physics_is_gymnasium_s_over_500_steps_of_100_random_sequences(tab):
    rng = np.random.default_rng(4)
    starts = rng.uniform(-0.05, 0.05, (100, 4))
    actions = rng.integers(0, 2, (100, 500))
    env, expected = CartPoleEnv(), np.zeros((100, 501, 4))
    expected[:, 0] = starts
    for i in range(100):
        env.state = starts[i]
        for t, action in enumerate(actions[i].tolist()):
            env.steps_beyond_terminated = None  # the pole may go round: the physics goes on
            env.step(action)
            expected[i, t + 1] = env.state
    scripts(tab, "physics.js")
    states = tab.evaluate(
        """([starts, actions]) => starts.map((state, i) => {
          const states = [state];
          for (const a of actions[i]) states.push(state = advance(state, a ? FORCE : -FORCE));
          return states;
        })""",
        [starts.tolist(), actions.tolist()],
    )
    assert np.abs(np.array(states) - expected).max() < 1e-6


@pytest.mark.parametrize(
    ("state", "down"),
    [
        ([2.4, 0, 0, 0], False),
        ([-2.401, 0, 0, 0], True),
        ([0, 9, math.radians(11.99), 9], False),
        ([0, 0, math.radians(-12.01), 0], True),
    ],
)
def test_it_falls_where_gymnasium_s_does(tab, state, down):
    scripts(tab, "physics.js")
    assert tab.evaluate("fallen", state) is down


def test_the_policy_is_the_network(tab):
    row = initial_parameters(shape_of(CONFIG), [3])
    obs = np.random.default_rng(1).normal(0, 1, (50, 4))
    logits = shape_of(CONFIG).policy(row)
    hidden = np.maximum(obs.astype(np.float32) @ logits.w1[0] + logits.b1[0], 0)
    z = hidden @ (logits.w2[0, 1] - logits.w2[0, 0]) + logits.b2[0, 1] - logits.b2[0, 0]
    scripts(tab, "policy.js")
    probs = tab.evaluate(
        "([row, hidden, obs]) => obs.map((state) => probability(decode(row), hidden, state))",
        [encode(row[0, : shape_of(CONFIG).policy_size]), CONFIG.hidden_dim, obs.tolist()],
    )
    assert np.allclose(probs, 1 / (1 + np.exp(-z)), atol=1e-6)
    assert np.std(probs) > 0.01


@pytest.mark.parametrize("x", [-1.7, 0.0, 0.83])
@pytest.mark.parametrize("theta", [-0.2, 0.0, 0.03, 0.2])
def test_the_canvas_draws_where_gymnasium_draws(tab, x, theta):
    scripts(tab, "physics.js", "scene.js")
    shape = tab.evaluate("geometry", [x, 0, theta, 0])
    frame = draw(np.array([x, 0.0, theta, 0.0]))
    for name, ink, drawn_over in (("cart", INKS[1], ["pole"]), ("pole", INKS[2], [])):
        mine = filled(shape[name])
        for other in drawn_over:
            mine &= ~filled(shape[other])
        axle = shape["axle"]
        y, col = np.mgrid[:HEIGHT, :WIDTH] + 0.5
        mine &= np.hypot(col - axle["x"], y - axle["y"]) > axle["radius"] + 1
        theirs = np.all(np.abs(frame.astype(int) - ink) < 40, -1)
        theirs[round(shape["track"]) - 1, :] &= mine[round(shape["track"]) - 1, :]
        theirs &= np.hypot(col - axle["x"], y - axle["y"]) > axle["radius"] + 1
        share = (mine & theirs).sum() / (mine | theirs).sum()
        assert share > 0.85, (name, share)
        offset = np.argwhere(mine).mean(0) - np.argwhere(theirs).mean(0)
        assert np.abs(offset).max() < 1.5, (name, offset)  # pygame cuts corners to whole pixels


def filled(corners: list[list[float]]) -> np.ndarray:
    """[400, 600] bool: the pixels of a polygon."""
    image = Image.new("1", (WIDTH * 4, HEIGHT * 4))
    ImageDraw.Draw(image).polygon([(4 * x, 4 * y) for x, y in corners], fill=1)
    return np.asarray(image)[2::4, 2::4].copy()


def mount(tab, name: str, data: dict) -> None:
    tab.clock.install(time=0)
    tab.clock.pause_at(1000)
    files = [inline(f"{name}.html"), inline(f"{name}.css")]
    tab.evaluate(MOUNT, [*files, inline("physics.js", "policy.js", "scene.js", f"{name}.js"), data])


def of_length(steps: int, terminated: bool = True) -> Episode:
    """An episode of a given length, with something in every column."""
    t = np.arange(steps + 1)
    states = np.stack([0.01 * t, 0.5 + 0 * t, 0.05 * np.sin(t / 9), 0.1 * np.cos(t / 9)], -1)
    ones = np.ones(steps, np.float32)
    return Episode(states, t[:-1] % 2, ones * 0.7, ones * 20, ones * 9, terminated)


def player_data(*episodes: Episode) -> dict:
    shown = [
        {
            "label": f"Episode {i}",
            "colour": i,
            "terminated": episode.terminated,
            "table": encode(table(episode)),
        }
        for i, episode in enumerate(episodes)
    ]
    return {"id": str([episode.length for episode in episodes]), "episodes": shown}


def clock(tab) -> str:
    return tab.locator(".clock").inner_text()


def test_the_player_plays_in_real_time_and_stops_at_the_end(tab):
    mount(tab, "player", player_data(of_length(120)))
    assert clock(tab) == "0 / 120"
    tab.clock.run_for(1000)
    step = int(clock(tab).split(" / ")[0])
    assert 48 <= step <= 51
    tab.clock.run_for(2000)
    assert clock(tab) == "120 / 120"
    assert tab.get_by_role("button", name="Play").is_visible()
    assert "fell at step 120" in tab.locator(".caption").inner_text()
    assert tab.evaluate("reports") == [["stop", {"id": "[120]", "step": 120}]]
    frames = tab.evaluate("frames")
    tab.clock.run_for(1000)
    assert tab.evaluate("frames") == frames


def test_speed_changes_the_pace(tab):
    mount(tab, "player", player_data(of_length(400)))
    tab.get_by_label("Speed").select_option("4")
    tab.clock.run_for(1000)
    assert 190 <= int(clock(tab).split(" / ")[0]) <= 202


def test_the_keyboard_plays_steps_and_scrubs(tab):
    mount(tab, "player", player_data(of_length(120), of_length(60)))
    root = tab.locator(".player")
    root.press(" ")
    assert tab.get_by_role("button", name="Play").is_visible()
    root.press("End")
    assert clock(tab) == "120 / 120"
    root.press("Home")
    for _ in range(3):
        root.press("ArrowRight")
    root.press("ArrowLeft")
    assert clock(tab) == "2 / 120"
    assert "Episode 1: step 2" in tab.locator(".spoken").inner_text()
    scrub = tab.get_by_label("Step of the episode")
    scrub.press("ArrowRight")
    assert clock(tab) == "3 / 120"
    assert scrub.get_attribute("aria-valuetext") == "step 3 of 120"
    scrub.press("End")
    assert clock(tab) == "120 / 120"
    scrub.press(" ")  # at the end, play begins anew
    tab.clock.run_for(200)
    assert 5 <= int(clock(tab).split(" / ")[0]) <= 11
    assert ["stop", {"id": "[120, 60]", "step": 2}] in tab.evaluate("reports")


def test_the_shorter_episode_waits_at_its_end(tab):
    mount(tab, "player", player_data(of_length(120), of_length(60, terminated=False)))
    tab.locator(".player").press("End")
    captions = tab.locator(".caption").all_inner_texts()
    assert "fell at step 120" in captions[0]
    assert "the clock ended it at step 60" in captions[1]


def test_the_plots_are_a_scrubber_too(tab):
    mount(tab, "player", player_data(of_length(100)))
    box = tab.locator(".timeline").bounding_box()
    assert box is not None
    tab.mouse.click(box["x"] + 46 + (box["width"] - 56) / 2, box["y"] + 60)
    assert clock(tab) == "50 / 100"
    rule = tab.locator(".rule").bounding_box()
    assert rule is not None
    assert rule["x"] + 1 == pytest.approx(box["x"] + 46 + (box["width"] - 56) / 2, abs=1)


def test_the_same_episodes_again_keep_the_playhead_and_others_begin_anew(tab):
    first = player_data(of_length(100))
    mount(tab, "player", first)
    tab.locator(".player").press("End")
    tab.evaluate("show", first)
    assert clock(tab) == "100 / 100"
    tab.evaluate("show", player_data(of_length(80)))
    assert clock(tab) == "0 / 80"
    assert tab.locator(".stage").count() == 1


def test_an_episode_of_one_step_plays(tab):
    mount(tab, "player", player_data(of_length(1)))
    tab.clock.run_for(500)
    assert clock(tab) == "1 / 1"
    assert "fell at step 1" in tab.locator(".caption").inner_text()


def test_reduced_motion_waits_for_the_reader(tab):
    tab.emulate_media(reduced_motion="reduce")
    mount(tab, "player", player_data(of_length(100)))
    tab.clock.run_for(1000)
    assert clock(tab) == "0 / 100"
    tab.get_by_role("button", name="Play").click()
    tab.clock.run_for(1000)
    assert clock(tab) != "0 / 100"


def push_data(row: np.ndarray, greedy: bool = False) -> dict:
    weights = encode(row[: shape_of(CONFIG).policy_size])
    hidden = CONFIG.hidden_dim
    return {"id": "a", "params": weights, "hidden": hidden, "colour": 0, "greedy": greedy}


def balancing_row() -> np.ndarray:
    """Push to where the pole leans, swings and drifts: one linear rule through two ReLUs."""
    row = np.zeros((1, shape_of(CONFIG).size), np.float32)
    policy = shape_of(CONFIG).policy(row)
    policy.w1[0, :, 0] = 0.1, 0.3, 3.0, 1.0
    policy.w1[0, :, 1] = -policy.w1[0, :, 0]
    policy.w2[0, 1, :2] = 1, -1
    return row[0]


def score(tab) -> int:
    return int(tab.locator(".score").inner_text().split()[0])


def test_the_policy_balances_until_it_is_pushed_over(tab):
    assert play(balancing_row(), CONFIG, 0, 0, 5, greedy=True)[0].length == 500
    mount(tab, "push", push_data(balancing_row(), greedy=True))
    tab.get_by_role("button", name="Start").click()
    tab.clock.run_for(5000)
    assert 240 <= score(tab) <= 250
    tab.locator(".push").focus()
    tab.keyboard.down("ArrowRight")
    tab.clock.run_for(10000)
    tab.keyboard.up("ArrowRight")
    fell_at = score(tab)
    assert fell_at < 700
    assert tab.get_by_role("button", name="Again").is_visible()
    tab.keyboard.press("r")
    assert score(tab) == 0
    assert f"best {fell_at}" in tab.locator(".score").inner_text()


def test_every_animation_frame_is_drawn_and_every_fiftieth_of_a_second_is_one_step(tab):
    mount(tab, "push", push_data(balancing_row(), greedy=True))
    tab.evaluate(
        """() => {
          const clear = CanvasRenderingContext2D.prototype.clearRect;
          window.drawn = 0;
          CanvasRenderingContext2D.prototype.clearRect = function (...box) {
            window.drawn++;
            clear.apply(this, box);
          };
        }"""
    )
    tab.get_by_role("button", name="Start").click()
    tab.clock.run_for(2000)
    frames, drawn = tab.evaluate("[frames, drawn]")
    assert frames >= 120
    assert abs(drawn - frames) <= 2
    assert 98 <= score(tab) <= 101


@pytest.mark.parametrize("way", ["button", "drag", "key"])
def test_without_a_policy_the_reader_s_push_alone_fells_it(tab, way):
    mount(tab, "push", push_data(balancing_row()))
    tab.get_by_label("How the policy acts").select_option("off")
    field = tab.locator(".field").bounding_box()
    assert field is not None
    if way == "button":
        tab.get_by_role("button", name="Push right").hover()
        tab.mouse.down()
    elif way == "drag":
        tab.mouse.move(field["x"] + field["width"] * 0.5, field["y"] + 50)
        tab.mouse.down()
        tab.mouse.move(field["x"] + field["width"] * 0.9, field["y"] + 50)
    else:
        tab.locator(".push").focus()
        tab.keyboard.down("ArrowRight")
    tab.clock.run_for(3000)
    assert 5 <= score(tab) <= 60
    assert tab.get_by_role("button", name="Again").is_visible()


def test_sampled_actions_of_a_balancing_policy_last_longer_than_none(tab):
    mount(tab, "push", push_data(10 * balancing_row()))
    tab.get_by_role("button", name="Start").click()
    tab.clock.run_for(4000)
    sampled = score(tab)
    tab.get_by_role("button", name="Reset").click()
    tab.get_by_label("How the policy acts").select_option("off")
    tab.get_by_role("button", name="Start").click()
    tab.clock.run_for(4000)
    assert score(tab) < sampled


@pytest.mark.parametrize("name", ["player", "push"])
def test_nothing_is_left_running_after_leaving(tab, name):
    data = player_data(of_length(400)) if name == "player" else push_data(balancing_row())
    mount(tab, name, data)
    if name == "push":
        tab.get_by_role("button", name="Start").click()
    tab.clock.run_for(300)
    frames = tab.evaluate("frames")
    assert frames > 10
    assert tab.evaluate("observers") == 1
    tab.evaluate("leave()")
    tab.clock.run_for(1000)
    assert tab.evaluate("frames") == frames
    assert tab.evaluate("observers") == 0
