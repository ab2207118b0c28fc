"""The Watch page: choices, links that ask for what is not there, and films off its thread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config, train
from pgcore.algorithms import ALGORITHMS
from pgcore.episodes import play, policy_of
from pgcore.jobs import Busy, Engine, Lane
from tests import tasks
from ui.player import episodes as player
from ui.watch import agents, film, words

ROOT = Path(__file__).parents[2]
CONFIG = Config(num_seeds=2, total_timesteps=1000)
HISTORIES = {key: train(CONFIG.replace(algorithm=key)) for key in ("batch_mean", "actor_critic")}


def watching(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    settings = {"num_seeds": "2", "total_timesteps": "1000"} | query
    for name, value in settings.items():
        app.query_params[name] = value
    app.run()
    app.switch_page("pages/watch.py").run()
    assert not app.exception
    return app


def test_it_opens_on_the_last_checkpoint_of_the_first_agent():
    app = watching()
    assert [box.value for box in app.selectbox] == ["policy_gradient", 0, "before"]
    assert app.select_slider[0].value == 2
    assert not app.warning
    assert any("typical" in text.value and "of n = 20" in text.value for text in app.caption)
    assert any("its untrained self" in text.value for text in app.markdown)
    assert "The same seed, untrained" in app.dataframe[0].value


def test_a_link_chooses_agent_seed_and_checkpoint():
    app = watching(agent="batch_mean", seed="1", checkpoint="1", acts="greedy", beside="all")
    assert [box.value for box in app.selectbox] == ["batch_mean", 1, "all"]
    assert app.select_slider[0].value == 1
    assert any(
        "Its actions are always the likelier one. All start" in text.value for text in app.caption
    )
    assert app.query_params["seed"] == "1"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"seed": "7"}, "seed is 7; here it must be from 0 to 1. 0 is shown."),
        ({"checkpoint": "3"}, "checkpoint is 3; here it must be from 0 to 2. 2 is shown."),
        ({"agent": "ppo"}, "agent is ppo; here it must be one of policy_gradient, batch_mean, act"),
    ],
)
def test_what_the_runs_do_not_have_is_said_and_something_else_shown(query, sentence):
    app = watching(**query)
    assert any(text.value.startswith(sentence) for text in app.text)
    assert any("of n = 20" in text.value for text in app.caption)


def test_another_environment_is_refused_in_a_sentence():
    app = watching(env_id="Acrobot-v1", algorithms="reinforce", num_seeds="1")
    assert any(
        text.value.startswith("Episodes of CartPole alone can be watched") for text in app.info
    )


STEPS: list[Any] = [-1, 101, "7", 7.5, True, None, [], 10**400]
WORDS: list[Any] = [None, 7, "a", [], {}, {"id": "a"}, {"step": 7}, [["id", "a"]]]


@pytest.mark.parametrize(
    ("sent", "step"),
    [
        ({"id": "a", "step": 7}, 7),
        ({"id": "a", "step": 100}, 100),
        ({"id": "b", "step": 7}, 0),
        *[({"id": "a", "step": wrong}, 0) for wrong in STEPS],
        *[(wrong, 0) for wrong in WORDS],
    ],
)
def test_the_player_stands_where_the_browser_says_if_there_is_such_a_step(sent, step):
    assert player.stopped(sent, "a", 100) == step


CHOICE = agents.Choice("batch_mean", 1, 2, 1000, "typical", greedy=False, beside="alone")


def test_the_cast_is_the_chosen_agent_s_episode():
    roles, learned, shown, table = agents.cast(HISTORIES, replace(CHOICE, episode="best"))
    params = policy_of(HISTORIES["batch_mean"], 1, 2)
    lengths = [e.length for e in play(params, CONFIG, 1, 1000, agents.EPISODES)]
    assert [role.episode.length for role in roles] == [max(lengths)]
    assert roles[0].colour == ALGORITHMS["batch_mean"].colour
    assert roles[0].label == "Batch mean, seed 1, 1,000 steps"
    assert f"lasts {max(lengths)} steps, and the 20 last {min(lengths)} to {max(lengths)}" in shown
    assert table[roles[0].label].tolist() == lengths
    untrained = policy_of(HISTORIES["batch_mean"], 1, 0)
    before = [e.length for e in play(untrained, CONFIG, 1, 1000, agents.EPISODES)]
    assert learned == words.learned(lengths, before, 1000)


@pytest.mark.parametrize(
    ("beside", "second"),
    [("before", "The same seed, untrained"), ("all", ALGORITHMS["actor_critic"].name)],
)
def test_those_side_by_side_start_in_the_same_state(beside, second):
    roles = agents.cast(HISTORIES, replace(CHOICE, beside=beside)).roles
    assert [role.label for role in roles][1:] == [second]
    assert np.array_equal(roles[0].episode.states[0], roles[1].episode.states[0])
    assert not np.array_equal(roles[0].episode.probs[:5], roles[1].episode.probs[:5])


def test_before_any_learning_an_agent_has_no_other_untrained_self():
    cast = agents.cast(HISTORIES, replace(CHOICE, beside="before", checkpoint=0, step=0))
    assert [role.label for role in cast.roles] == ["Batch mean, seed 1, 0 steps"]
    assert cast.learned.startswith("This agent has not learned yet")


def test_an_episode_is_a_few_kilobytes():
    episode = agents.cast(HISTORIES, CHOICE).roles[0].episode
    sent = player.encode(player.table(episode))
    assert len(sent) == 4 * -(-(episode.length + 1) * 8 * 4 // 3)
    assert 4 * -(-501 * 8 * 4 // 3) < 22_000
    assert len(player.encode(episode.states)) < 0.52 * len(sent)


STATES = np.array([[0.1 * t, 0, 0.01 * t, 0] for t in range(4)])


@pytest.fixture
def engine(monkeypatch) -> Engine:
    """No films yet."""
    made = Engine()
    monkeypatch.setattr(film, "ENGINE", made)
    return made


@pytest.mark.parametrize(("format", "first"), [("WebP", b"RIFF"), ("GIF", b"GIF89a")])
def test_a_film_is_made_once_in_another_process(engine, format, first):
    made = film.order(STATES, format)
    assert film.order(STATES.copy(), format) is made
    assert film.moving(STATES) is None
    assert made.finished.wait(300)
    assert (made.status, made.error, made.share) == ("done", "", 1.0)
    assert made.result == film.FORMATS[format][0](STATES)  # the same bytes as from this process
    assert made.result.startswith(first)
    assert film.moving(STATES).startswith(f"data:image/{format.lower()};base64,")
    assert film.moving(STATES[:2]) is None


def test_films_do_not_queue_without_end(engine):
    engine.lanes = {"film": Lane(0, waiting=2)}
    for i in range(2):
        film.order(STATES + i, "GIF")
    with pytest.raises(Busy, match="try again in a minute"):
        film.order(STATES - 1, "GIF")


def shown(states: np.ndarray) -> AppTest:
    """The panel of one episode's films."""

    def page(states):
        from ui.watch import film

        film.panel(states, "name")

    return AppTest.from_function(page, kwargs={"states": states}, default_timeout=300).run()


def test_a_film_that_fails_says_so_and_may_be_tried_again(engine, monkeypatch):
    monkeypatch.setitem(film.FORMATS, "GIF", (tasks.refuses, "for slides"))
    app = shown(STATES)
    app.button[0].click().run()
    assert engine.get(film.identity(STATES, "GIF")).finished.wait(300)
    app.run()
    assert "The GIF could not be made" in app.error[0].value
    assert "The disk is full." in app.error[0].value
    assert app.button[0].label.startswith("Make the GIF")


def test_a_film_is_asked_for_and_downloaded(engine):
    app = shown(STATES)
    assert len(app.button) == 2
    app.button[1].click().run()
    assert engine.get(film.identity(STATES, "WebP")).finished.wait(300)
    app.run()
    assert [button.label for button in app.button] == ["Make the GIF: for slides"]
    assert app.get("download_button")[0].proto.label.startswith("Download the WebP, ")
