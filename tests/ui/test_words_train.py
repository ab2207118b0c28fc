"""What the Train page says: where seeds do not tell, the next step; how the chart is read."""

from __future__ import annotations

import re

import pytest

from pgcore import Config
from pgcore.plotting.bands import BANDS, quick
from ui.shell import controls, figures
from ui.shell.glossary import TERM, linked
from ui.shell.series import DEFAULT, FIELDS, Figure
from ui.train import words


@pytest.mark.parametrize(
    ("seeds", "more"), [(1, 300), (10, 300), (299, 300), (300, 1000), (999, 1000), (1000, None)]
)
def test_the_next_step_is_more_seeds_until_there_are_no_more(seeds, more):
    assert words.next_seeds(seeds) == more
    if more:
        Config(num_seeds=more)


def test_the_offer_names_seeds_and_time_and_never_less_than_a_second():
    assert words.offer(300, 3.6) == "Run 300 seeds, about 4 s"
    assert words.offer(1000, 0.2) == "Run 1,000 seeds, about 1 s"


@pytest.mark.parametrize("band", BANDS)
def test_the_reading_names_the_band_the_episodes_and_the_terms(band):
    text = figures.reading(DEFAULT, band)
    assert BANDS[band].meaning in text and "of 5 episodes, played with sampled actions." in text
    assert {key for key, _ in TERM.findall(text)} == {"n", "seed", "episodic_return"}
    assert "[[" not in linked(text)


def test_the_reading_follows_what_was_evaluated():
    config = Config(algorithm="gae", eval_greedy=True, eval_episodes=3)
    text = figures.reading(Figure(("gae",), config), "95%")
    assert "3 episodes, played with the most probable action at each step." in text


def test_every_setting_says_what_turning_it_does_in_short_sentences():
    assert set(controls.HELP) == set(FIELDS) - {"algorithm", "env_id"}
    for text in [*controls.HELP.values(), controls.NOTEBOOK, *(p[3] for p in controls.PRESETS)]:
        for sentence in re.split(r"(?<=[.:]) ", text):
            assert len(sentence.split()) <= 25, sentence


def test_every_quick_band_has_a_name_that_its_picker_shows():
    assert set(controls.SHORT) == set(quick())
