"""The Watch page's sentences: their sign, their numbers, their n, and where they turn."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pgcore import Config, stats
from pgcore.episodes import landscape
from pgcore.learners import shape_of
from pgcore.networks import initial_parameters
from ui.shell.glossary import TERM, linked
from ui.watch import words

RNG = np.random.default_rng(3)
BEFORE = RNG.integers(10, 40, 20)
LONG, SHORT, ALIKE = BEFORE + RNG.integers(60, 90, 20), BEFORE - 5, BEFORE[::-1]


def test_an_agent_that_learned_holds_the_pole_longer():
    gain = stats.mean_t_interval(LONG - BEFORE)
    assert words.learned(LONG, BEFORE, 10_000) == (
        f"After 10,000 steps of learning it holds the pole **{gain:.0f}** steps longer than its "
        "untrained self, over n = 20 episodes of each."
    )


def test_an_agent_that_learned_to_fall_holds_it_shorter():
    spread = BEFORE + 3 * RNG.integers(0, 2, 20) - 9
    lost = stats.mean_t_interval(BEFORE - spread)
    text = words.learned(spread, BEFORE, 500)
    assert f"the pole **{lost:.0f}** steps shorter than" in text and lost.low > 0
    assert "**5 [5, 5]** steps shorter" in words.learned(SHORT, BEFORE, 500)


@pytest.mark.parametrize("own", [ALIKE, BEFORE])
def test_episodes_that_do_not_tell_say_so_and_never_that_both_are_the_same(own):
    text = words.learned(own, BEFORE, 500)
    assert "20 episodes do not tell this agent from its untrained self" in text
    gain = stats.mean_t_interval(own - BEFORE)
    assert f"{gain:.0f} steps longer".replace("-", "−") in text
    assert "same" not in text


def test_before_learning_only_its_own_mean_is_said():
    text = words.learned(BEFORE, BEFORE, 0)
    assert f"**{stats.mean_t_interval(BEFORE):.0f}** steps on average, over n = 20" in text
    assert "untrained self" not in text


@pytest.mark.parametrize("together", [True, False])
def test_the_episode_has_its_place_among_the_others(together):
    text = words.episode("best", 1, [30, 90, 50], "greedy", together)
    assert "the best one of n = 3 episodes: it lasts 90 steps, and the 3 last 30 to 90." in text
    assert "Its actions are always the likelier one." in text
    assert ("All start in the same" in text) == together


def test_the_maps_are_read_from_the_landscape():
    over = landscape(initial_parameters(shape_of(Config()), [5])[0], Config(), cells=9)
    text = words.maps(over, 7)
    assert f"with probability {over.probs[:4, :4].mean():.2f}. " in text
    assert f"turns right, it does so with {over.probs[5:, 5:].mean():.2f}. " in text
    assert f"runs from {over.values.min():.1f} to {over.values.max():.1f}." in text
    assert "the dot is step 7, where the player stopped" in text


def test_sentences_are_short_and_their_terms_known():
    over = landscape(initial_parameters(shape_of(Config()), [5])[0], Config(), cells=9)
    texts = [
        *(words.learned(own, BEFORE, 500) for own in (LONG, SHORT, ALIKE)),
        words.learned(BEFORE, BEFORE, 0),
        words.episode("typical", 0, [30, 90], "sampled", True),
        words.maps(over, 3),
    ]
    for text in texts:
        assert "[[" not in linked(text)
        for sentence in re.split(r"(?<=[.;]) ", TERM.sub("term", text)):
            assert len(sentence.split()) <= 25, sentence
