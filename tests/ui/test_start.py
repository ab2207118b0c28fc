"""Start: what its field is given, what its sentences say, what is offered and where it leads."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config, runs, stats, train
from pgcore.learners import shape_of
from pgcore.train import RANDOM_EPISODES, random_return
from ui.player.field import Group, Picked, payload, picked
from ui.shell.series import DEFAULT, LAB
from ui.start import view, words

ROOT = Path(__file__).parents[2]
CONFIG = Config(num_seeds=3, first_seed=5, total_timesteps=1500)
KEYS = ("policy_gradient", "actor_critic")
HISTORIES = {key: train(CONFIG.replace(algorithm=key)) for key in KEYS}
GROUPS = [
    Group(key, key, "a note", place, history)
    for place, (key, history) in enumerate(HISTORIES.items())
]


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


# --- what the browser gets ---


def test_every_agent_s_policy_at_every_checkpoint_arrives():
    data = payload(GROUPS, ["said"] * 4, {})
    numbers = np.frombuffer(base64.b64decode(data["weights"]), "<f4")
    size = shape_of(CONFIG).policy_size
    weights = numbers.reshape(4, 6, size)  # checkpoints, agents in the order of the groups
    for g, history in enumerate(HISTORIES.values()):
        np.testing.assert_array_equal(
            weights[:, 3 * g : 3 * g + 3], history.checkpoints[:, :, :size]
        )
    assert data["steps"] == [0, 500, 1000, 1500]
    assert data["limit"] == 500
    assert [group["seeds"] for group in data["groups"]] == [[5, 6, 7], [5, 6, 7]]


def test_the_curves_are_pgcore_s_means_with_95_percent_intervals():
    for group, history in zip(
        payload(GROUPS, [""] * 4, {})["groups"], HISTORIES.values(), strict=True
    ):
        for k, returns in enumerate(history.eval_returns):
            interval = stats.mean_t_interval(returns)
            assert group["mean"][k] == pytest.approx(interval.estimate)
            assert (group["low"][k], group["high"][k]) == pytest.approx(interval[1:3])
            assert group["ends"][k] == f"{interval.estimate:.0f}"
        np.testing.assert_allclose(np.array(group["returns"]).T, history.eval_returns, atol=0.01)


def test_other_agents_are_another_field():
    again, other = (payload(GROUPS[:n], [""] * 4, {})["id"] for n in (2, 1))
    assert again == payload(GROUPS, [""] * 4, {})["id"] != other


@pytest.mark.parametrize(
    "clicked",
    [
        None,
        "policy_gradient",
        {},
        {"agent": "policy_gradient", "seed": 5},
        {"agent": "gae", "seed": 5, "checkpoint": 0},
        {"agent": "policy_gradient", "seed": 8, "checkpoint": 0},
        {"agent": "policy_gradient", "seed": "5", "checkpoint": 0},
        {"agent": "policy_gradient", "seed": 5, "checkpoint": 4},
        {"agent": "policy_gradient", "seed": 5, "checkpoint": -1},
        {"agent": "policy_gradient", "seed": True, "checkpoint": 1},
    ],
)
def test_what_the_browser_makes_up_is_nobody(clicked):
    assert picked(clicked, GROUPS) is None


def test_a_click_names_an_agent():
    clicked = {"agent": "actor_critic", "seed": 7, "checkpoint": 3}
    assert picked(clicked, GROUPS) == Picked("actor_critic", 7, 3)


# --- what is said ---


def test_each_sentence_has_that_checkpoint_s_means_intervals_and_n():
    before, *after = words.said(HISTORIES)
    assert "no agent has learned yet" in before
    assert "after 500 steps" in before
    assert len(after) == 3
    for k, sentence in enumerate(after):
        assert sentence.startswith(
            f"After {500 * (k + 1):,} steps, the mean return of 5 episodes: "
        )
        for key, name in zip(KEYS, ("Policy gradient", "Actor-critic"), strict=True):
            interval = stats.mean_t_interval(HISTORIES[key].eval_returns[k])
            assert f"{name} {interval:.0f}" in sentence
        assert sentence.endswith("95% intervals, n = 3 seeds each.")


def test_the_dotted_lines_have_their_heights_and_n():
    mean = random_return("CartPole-v1", 200)
    said = words.on_references(475.0, mean, 200)
    assert "calls 475 the threshold" in said
    assert said.endswith(f"random actions reach {mean:.0f} on average (n = 200 episodes).")
    assert "(n = 1,000 episodes)" in words.on_references(475.0, mean, RANDOM_EPISODES)


def test_every_agent_of_the_field_has_its_note():
    assert set(words.NOTES) == set(DEFAULT.algorithms)


def test_no_sentence_is_longer_than_25_words():
    texts = (words.OPENING, words.QUESTION, words.LEARN, words.EXPLORE, words.TEACH,
             words.on_references(475.0, 22.0, 1000))  # fmt: skip
    for sentence in re.split(r"[.?:;] ", " ".join(texts)):
        assert len(sentence.split()) <= 25, sentence


# --- the page ---


def test_ten_seeds_speak_first_and_a_thousand_are_offered_and_not_started():
    app = opened()
    assert any(text.value.startswith("10 seeds do not tell") for text in app.markdown)
    (offer,) = (b for b in app.button if b.label.startswith("Train 1,000 seeds of each, about "))
    assert re.fullmatch(r"Train 1,000 seeds of each, about [\d,]+ s", offer.label)
    assert not any(runs.get(config) for config in view.with_seeds(1000).configs.values())
    assert not app.get("vega_lite_chart")


def test_the_offer_answers_with_curves_and_a_verdict(monkeypatch):
    few = view.with_seeds(4)
    monkeypatch.setattr(view, "with_seeds", lambda seeds: few if seeds == 1000 else DEFAULT)
    for config in few.configs.values():
        assert runs.run(config).finished.wait(300)
    app = opened()
    assert len(app.get("vega_lite_chart")) == 1
    verdicts = re.findall(r"\d+ seeds do not tell", " ".join(text.value for text in app.markdown))
    assert verdicts == ["10 seeds do not tell", "4 seeds do not tell"]


def test_three_hundred_carts_are_a_link_s_and_a_button_s():
    app = opened(carts="300")
    assert any(text.value.endswith("with 100 seeds each.") for text in app.markdown)
    assert app.query_params["carts"] == "300"


@pytest.mark.parametrize(
    ("label", "page", "figure"),
    [
        ("Start the first lesson", "The cloud", None),
        ("Change something", "Train", DEFAULT),
        ("The lab notebook, as written", "Train", LAB),
        ("Show luck to a class", "Seeds", None),
    ],
)
def test_the_ways_on_lead_on(label, page, figure):
    app = opened()
    (button,) = (b for b in app.button if b.label == label)
    button.click().run()
    assert not app.exception
    assert any(text.value.startswith(f"#### {page} · ") for text in app.markdown)
    if page == "Seeds":
        assert app.session_state["settings"]["seeds_view"] == "lottery"
    if figure:
        chosen = app.session_state["settings"]
        assert chosen["fixed_start"] == figure.config.fixed_start
        assert chosen["changes"] == figure.changes


def test_the_notebook_is_explained_before_its_button():
    app = opened()
    texts = [element.value for element in app.markdown]
    assert any("**lab notebook** is the exercise" in text for text in texts)
