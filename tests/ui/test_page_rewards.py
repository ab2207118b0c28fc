"""Shifted rewards: what a reader does there, and sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config, train
from pgcore.gradients.reward_shift import OFFSETS, outcomes
from ui.rewards import words
from ui.shell.lesson import Answer

ROOT = Path(__file__).parents[2]


def opened(page: str = "rewards", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in ({"v": "2"} | query).items():
        app.query_params[name] = value
    app.run()
    return settled(app.switch_page(f"pages/{page}.py").run())


def settled(app: AppTest) -> AppTest:
    """Run on, as the page's timers would, until no progress bar is left."""
    for _ in range(100):
        assert not app.exception
        if not app.get("progress"):
            return app
        app.run()
    raise AssertionError("the page does not come to rest")


def press(app: AppTest, label: str) -> AppTest:
    (button,) = (button for button in app.button if button.label == label)
    return settled(button.click().run())


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.info])


def explanation(config: Config) -> str:
    histories = {c: train(config.replace(reward_offset=c)) for c in OFFSETS}
    return words.explanation(outcomes(histories), config.total_timesteps)


def test_only_the_agent_with_r_is_shown_before_the_reader_has_predicted():
    app = opened()
    (curves,) = app.get("vega_lite_chart")
    assert "r at " in curves.proto.alt and "r − " not in curves.proto.alt
    assert words.QUESTION.text in app.radio[0].label
    assert "with r − 1" not in said(app).split(words.INTRODUCTION)[1]


def test_a_wrong_prediction_meets_the_runs():
    app = opened(rewards_seeds="30")
    app.radio[0].set_value(words.QUESTION.texts[0]).run()
    press(app, "I am guessing")
    assert len(app.get("vega_lite_chart")) == 2
    assert (
        f"You predicted *{words.QUESTION.texts[0]}*. It is: *{words.QUESTION.texts[2]}*."
        in said(app)
    )
    assert explanation(Config(num_seeds=30)) in said(app)
    assert "(n = 30 seeds each)" in said(app)
    assert "every evaluation counts the environment's own rewards" in said(app)
    labels = app.get("vega_lite_chart")[0].proto.alt
    assert all(f"{words.name(offset)} at " in labels for offset in OFFSETS)


def test_agent_and_seeds_are_the_readers_and_stand_in_the_link():
    app = press(opened(total_timesteps="5000"), "Just show")
    app.select_slider(key="set_rewards_seeds").set_value(30).run()
    settled(app)
    app.session_state["set_agent"] = "batch_mean"
    settled(app.run())
    config = Config(algorithm="batch_mean", num_seeds=30, total_timesteps=5000)
    assert explanation(config) in said(app)
    kept = app.session_state["settings"]
    assert (kept["rewards_seeds"], kept["agent"]) == (30, "batch_mean")
    assert (kept["reward_offset"], kept["vary"]) == (0.0, None)  # the page varies it, no setting


def test_reinforce_has_no_guess_to_learn_from():
    app = press(opened(algorithms="reinforce", rewards_seeds="30"), "Just show")
    assert words.on_the_bootstrap(False) in said(app)
    assert f"It is: *{words.QUESTION.texts[2]}*." in said(app)


def test_the_readers_own_offset_and_comparison_do_not_stand_in_the_way():
    query = {"reward_offset": "3", "vary": "gamma", "values": "0.9,0.99", "rewards_seeds": "30"}
    app = press(opened(**query), "Just show")
    assert explanation(Config(num_seeds=30)) in said(app)


def test_another_environment_is_refused_in_a_sentence():
    app = opened(env_id="Acrobot-v1")
    assert "on CartPole alone" in said(app)
    assert not app.get("vega_lite_chart")


def test_long_runs_are_offered_with_their_time():
    app = press(opened(total_timesteps="200000", eval_interval="10000"), "Just show")
    assert any(button.label.startswith("Train all three, about") for button in app.button)
    assert not app.get("vega_lite_chart")


@pytest.mark.parametrize(
    ("page", "name", "value"),
    [
        ("cloud", "reward_offset", "-1"),  # every reward is 0
        ("baseline", "reward_offset", "-1"),
        ("parabola", "gamma", "0"),  # no later reward counts
        ("variance", "gamma", "0"),
    ],
)
def test_where_the_true_gradient_is_0_there_is_no_truth_to_measure_against(page, name, value):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    shown = Answer(None, sure=False)
    app.session_state["answers"] = dict.fromkeys(("right_way", "harm", "critic"), shown)
    for key, setting in {name: value, "num_seeds": "2", "total_timesteps": "1000"}.items():
        app.query_params[key] = setting
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert "there is nothing to measure an update against" in said(app)
