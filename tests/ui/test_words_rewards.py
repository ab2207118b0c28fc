"""What Shifted rewards says: the sign, the number and the n of every sentence."""

from __future__ import annotations

import numpy as np
import pytest

from pgcore import Config, train
from pgcore.gradients.reward_shift import (
    OFFSETS,
    Outcome,
    ReturnsToGo,
    outcomes,
    returns_to_go,
)
from pgcore.stats import Interval, mean_t_interval
from ui.rewards import words

RISE, FALL, NEITHER = (40.0, 30.0, 50.0), (-10.0, -12.0, -8.0), (-1.0, -3.0, 1.0)
PARAMS = train("policy_gradient", num_seeds=1, total_timesteps=1000).checkpoints[-1, 0]
FOUND = returns_to_go(PARAMS, Config(), 0, 1000)


def outcome(change=NEITHER, final=20.0, gap=(-200.0, -210.0, -190.0)) -> Outcome:
    return Outcome(
        Interval(21.6, 20.5, 22.7, 100),
        Interval(final, final - 1, final + 1, 100),
        Interval(change[0], change[1], change[2], 100),
        Interval(gap[0], gap[1], gap[2], (100, 100)),
    )


def runs(plain=RISE, one=NEITHER, two=FALL) -> dict[float, Outcome]:
    return dict(zip(OFFSETS, map(outcome, (plain, one, two)), strict=True))


@pytest.mark.parametrize(
    ("one", "two", "which"),
    [
        (NEITHER, FALL, 2),
        (FALL, (-12.0, -12.5, -12.1), 2),
        (FALL, (-12.0, -14.0, -9.0), 1),  # both have fallen; not told apart
        (NEITHER, NEITHER, 1),
        ((2.0, -1.0, 5.0), (-0.5, -0.9, 0.2), 1),  # no clear fall
        ((5.0, 1.0, 9.0), (3.0, -2.0, 8.0), 0),
        (NEITHER, RISE, 0),
        (RISE, RISE, 0),
    ],
)
def test_the_truth_is_what_the_intervals_allow(one, two, which):
    assert words.truth(runs(one=one, two=two)) == which


@pytest.mark.parametrize(
    ("changes", "which"),
    [
        ({}, 2),
        ({"algorithm": "batch_mean"}, 2),
        ({"algorithm": "reinforce"}, 2),
        ({"learning_rate": 1e-5}, 1),  # nobody learns anything
        ({"gamma": 0.0}, 1),  # Q is the reward alone, whatever the action
    ],
)
def test_the_answer_that_the_labs_own_runs_give(changes, which):
    config = Config(num_seeds=30).replace(**changes)
    histories = {c: train(config.replace(reward_offset=c)) for c in OFFSETS}
    assert words.truth(outcomes(histories)) == which


def test_one_seed_tells_nothing():
    alone = mean_t_interval([-50.0])
    found = {c: one._replace(change=alone) for c, one in runs().items()}
    assert words.truth(found) == 1
    assert "neither a rise nor a fall is clear" in words.moved(alone)


def test_the_explanation_names_every_return_and_n():
    said = words.explanation(runs(), 10_000)
    assert said.startswith("After 10,000 steps the episodic return is 20.0 [19.0, 21.0] with r, ")
    assert "20.0 [19.0, 21.0] with r − 1 and 20.0 [19.0, 21.0] with r − 2." in said
    assert said.endswith("Before training it is 21.6 [20.5, 22.7] (n = 100 seeds each).")
    assert words.explanation(runs(plain=NEITHER), 500).endswith("With r too, no rise is clear.")


def test_a_change_is_said_with_its_sign_and_no_more_than_its_interval():
    assert words.moved(Interval(*RISE, 9)) == "rises by 40.0 [30.0, 50.0]"
    assert words.moved(Interval(*FALL, 9)) == "falls by 10.0 [8.0, 12.0]"
    assert "neither a rise nor a fall is clear" in words.moved(Interval(*NEITHER, 9))
    assert words.compared(Interval(5, 2, 8, 9)) == "lies 5.0 [2.0, 8.0] above that with r"
    assert words.compared(Interval(-5, -8, -2, 9)) == "lies 5.0 [2.0, 8.0] below that with r"
    assert words.compared(Interval(-5, -8, 2, 9)).endswith("the two are not told apart")


def test_a_shift_says_what_it_did():
    assert words.on_learning(runs(), -2.0) == (
        "**r − 2**: over training the return falls by 10.0 [8.0, 12.0]. At the end it lies "
        "200.0 [190.0, 210.0] below that with r. n = 100 seeds."
    )


@pytest.mark.parametrize(
    ("offset", "name"), [(0.0, "r"), (-1.0, "r − 1"), (-2.0, "r − 2"), (0.5, "r + 0.5")]
)
def test_a_reward_is_named_as_it_is_written(offset, name):
    assert words.name(offset) == name


def test_q_is_said_for_every_offset_with_n():
    said, first = words.on_q(FOUND), FOUND[0.0].first
    assert f"Q is {first:.1f} with r, exactly 0 with r − 1 and −{first.estimate:.1f} [−" in said
    assert "(n = 200 episodes). At the last step it is 1, 0 and −1." in said
    assert said.endswith(
        "**more than the last one** with r, **exactly as much as the last one** with r − 1 and "
        "**less than the last one** with r − 2."
    )


def test_the_worth_of_a_long_rest_follows_the_numbers():
    """At γ = 0 every step has the same Q; a few episodes of any length tell nothing."""
    short = returns_to_go(PARAMS, Config(gamma=0.0), 0, 1000)
    assert words.on_worth(short).count("**exactly as much as the last one**") == 3
    wide = ReturnsToGo(np.arange(1, 4), np.arange(3.0), Interval(1.0, -3.0, 5.0, 2), 1.0, 0)
    assert "**not clearly more or less than the last one** with r," in words.on_worth(
        dict.fromkeys(OFFSETS, wide)
    )


def test_the_caption_counts_what_the_clock_ended():
    assert f"b = {FOUND[0.0].q.mean():.1f}, the mean Q" in words.on_the_lines(FOUND)
    assert "clock" not in words.on_the_lines(FOUND)
    plain = FOUND[0.0]
    cut = ReturnsToGo(plain.steps_left, plain.q, plain.first, plain.last, 3)
    assert "The clock ended 3 of the 200 episodes" in words.on_the_lines({0.0: cut})


def test_only_what_bootstraps_has_a_guess_to_learn_from():
    assert "critic's guess" in words.on_the_bootstrap(True)
    assert "never changes" in words.on_the_bootstrap(False)


def test_the_picture_is_said_in_words():
    said, longest = words.description(FOUND), FOUND[0.0].steps_left.max()
    assert f"from 1 to {longest}" in said
    _, q = FOUND[0.0].by_steps_left()
    assert f"r: from 1.0 to {q[-1]:.1f}; r − 1: from 0.0 to 0.0; r − 2: from -1.0 to " in said
