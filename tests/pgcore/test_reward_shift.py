"""Shifted rewards: what they do to learning, and to Q."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pgcore import Config, stats, train
from pgcore.gradients.reward_shift import (
    OFFSETS,
    outcomes,
    returns_to_go,
    untrained_returns,
)
from pgcore.learners import compiled, shape_of

CONFIG = Config(num_seeds=30)
HISTORIES = {offset: train(CONFIG.replace(reward_offset=offset)) for offset in OFFSETS}
PARAMS = HISTORIES[0.0].checkpoints[4, 0]


def test_outcomes_are_those_of_the_runs():
    found = outcomes(HISTORIES)
    assert [*found] == [*OFFSETS]
    before = untrained_returns(HISTORIES[0.0])
    for offset, outcome in found.items():
        final = HISTORIES[offset].final_returns
        assert outcome.before == stats.mean_t_interval(before)
        assert outcome.final == stats.mean_t_interval(final)
        assert outcome.change.estimate == pytest.approx((final - before).mean(), abs=1e-4)
        assert outcome.gap.estimate == pytest.approx(
            final.mean() - HISTORIES[0.0].final_returns.mean(), abs=1e-4
        )
        assert outcome.final.n == outcome.change.n == 30
        assert outcome.gap.n == (30, 30)
    assert found[0.0].gap.estimate == 0


def test_the_change_is_paired_over_seeds():
    """Final returns that are those before training, plus 5: no spread is left."""
    plain = HISTORIES[0.0]
    before = untrained_returns(plain)
    moved = np.repeat(before[None, :, None] + 5, plain.config.eval_episodes, axis=2)
    later = replace(plain, eval_steps=plain.eval_steps[:1], eval_episode_returns=moved)
    change = outcomes({0.0: later})[0.0].change
    assert change.low == pytest.approx(5, abs=1e-3)
    assert change.high == pytest.approx(5, abs=1e-3)


def test_the_lesson_holds_with_the_labs_settings():
    """r is learned; with r - 1 nothing is; with r - 2 the agent falls sooner than untrained."""
    found = outcomes(HISTORIES)
    assert found[0.0].change.low > 100
    assert found[-1.0].change.high < 5
    assert found[-2.0].change.high < -5
    assert found[-2.0].final.high < found[-1.0].final.low


def test_untrained_is_checkpoint_0():
    history = HISTORIES[-2.0]
    found = untrained_returns(history)
    assert found.shape == (30,)
    episodes = compiled.evaluate(
        history.checkpoints[0], CONFIG.replace(eval_episodes=100), CONFIG.seeds, 0
    )
    np.testing.assert_array_equal(found, episodes.mean(-1))
    np.testing.assert_array_equal(found, untrained_returns(HISTORIES[0.0]))


def test_without_a_bootstrap_r_minus_1_moves_no_policy():
    """REINFORCE waits for the end: every weight is 0, and the policy keeps every bit."""
    config = CONFIG.replace(algorithm="reinforce", num_seeds=3, total_timesteps=2000)
    size = shape_of(config).policy_size
    for offset, moves in ((-1.0, False), (0.0, True)):
        policies = train(config.replace(reward_offset=offset)).checkpoints[:, :, :size]
        assert (policies[-1] != policies[0]).any() == moves


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
def test_q_is_a_geometric_sum_over_the_steps_left(gamma):
    config = CONFIG.replace(gamma=gamma, reward_offset=5.0)  # its own offset does not count
    found = returns_to_go(PARAMS, config, seed=0, at=2000, episodes=20)
    for offset, one in found.items():
        weights = gamma ** np.arange(one.steps_left.max())
        expected = (1 + offset) * weights.cumsum()[one.steps_left - 1]
        np.testing.assert_allclose(one.q, expected, rtol=1e-4)
        left, q = one.by_steps_left()
        assert left.tolist() == [*range(1, one.steps_left.max() + 1)]
        np.testing.assert_allclose(q, (1 + offset) * weights.cumsum(), rtol=1e-4)
        assert one.last == 1 + offset
        np.testing.assert_array_equal(one.steps_left, found[0.0].steps_left)


def test_the_first_steps_have_an_interval_over_episodes():
    found = returns_to_go(PARAMS, CONFIG, seed=0, at=2000, episodes=50)
    plain = found[0.0]
    first = np.flatnonzero(np.diff(plain.steps_left, prepend=1) >= 0)  # the count starts anew
    assert len(first) == plain.first.n == 50
    assert plain.first == stats.mean_t_interval(plain.q[first])
    assert plain.first.low < plain.first.estimate < plain.first.high
    assert found[-2.0].first.estimate == pytest.approx(-plain.first.estimate)


def test_episodes_that_the_clock_ended_are_counted():
    """A policy that never falls, as in test_gradients."""
    config = Config(hidden_dim=2, num_seeds=1)
    params = np.zeros((1, shape_of(config).size), np.float32)
    policy = shape_of(config).policy(params)
    policy.w1[0, :, 0] = (0.1, 0.2, 1.0, 0.3)
    policy.w1[0, :, 1] = -policy.w1[0, :, 0]
    policy.w2[0, 1] = (30, -30)
    balanced = returns_to_go(params[0], config, 0, 0, episodes=5)
    assert balanced[0.0].cut == 5 and balanced[0.0].steps_left.max() == 500
    assert returns_to_go(PARAMS, CONFIG, 0, 2000, episodes=5)[0.0].cut == 0
