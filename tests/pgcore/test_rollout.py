"""Rollouts: when a batch is complete, what it holds, and where the lab's variant differs."""

from __future__ import annotations

import numpy as np
import pytest
from batches import GOES_ON, TERMINATED, TRUNCATED, config_for, filled_rollout, random_ends

from pgcore import Config
from pgcore.envs.cartpole import THETA_LIMIT, X_LIMIT
from pgcore.learners import State, compiled
from pgcore.rollout import Rollout, sample


def collected(config: Config, until: int) -> tuple[Rollout, np.ndarray]:
    rollout = Rollout(config, config.seeds)
    params = State.initial(config, config.seeds).params
    compiled.collect(rollout, params, until)
    return rollout, params


def test_sampling_inverts_the_cumulative_distribution() -> None:
    probs = np.tile([0.25, 0.75], (4, 1))
    assert sample(probs, np.array([0.0, 0.7499, 0.7501, 0.9999])).tolist() == [1, 1, 0, 0]
    three = np.tile([0.5, 0.2, 0.3], (4, 1))
    assert sample(three, np.array([0.1, 0.29, 0.31, 0.6])).tolist() == [2, 2, 1, 0]
    draws = np.random.default_rng(0).random(100_000)
    shares = np.bincount(sample(np.tile([0.5, 0.2, 0.3], (100_000, 1)), draws)) / 100_000
    np.testing.assert_allclose(shares, [0.5, 0.2, 0.3], atol=0.01)


def test_a_step_methods_batch_is_complete_after_its_steps() -> None:
    rollout, _ = collected(Config(num_seeds=5, batch_size=40), until=1000)
    assert rollout.ready.all() and (rollout.clock == 40).all()
    valid = rollout.batch(rollout.rewards, rollout.rewards).valid
    assert valid.all() and valid.shape == (5, 40)


def test_agents_pause_in_mid_batch_and_go_on() -> None:
    """Pauses at 7, 20 and 33 steps leave the same batch as none."""
    config = Config(num_seeds=5, batch_size=40)
    straight, params = collected(config, until=40)
    halting = Rollout(config, config.seeds)
    for until in (7, 20, 33):
        compiled.collect(halting, params, until)
        assert not halting.ready.any() and (halting.clock == until).all()
        assert not halting.batch(halting.rewards, halting.rewards).valid.any()
    compiled.collect(halting, params, 40)
    for name in ("obs", "final_obs", "actions", "probs", "rewards", "terminated", "ready"):
        np.testing.assert_array_equal(getattr(halting, name), getattr(straight, name))


def test_a_whole_episode_method_goes_on_to_the_episodes_end() -> None:
    config = Config(algorithm="reinforce", num_seeds=50, batch_size=30)
    rollout, params = collected(config, until=1000)
    valid = rollout.batch(rollout.rewards, rollout.rewards).valid
    ended = rollout.terminated | rollout.truncated
    assert rollout.ready.all() and (rollout.length >= 30).all()
    assert len(set(rollout.length.tolist())) > 10
    last = rollout.length - 1
    rows = np.arange(50)
    assert ended[rows, last].all()
    assert not ended[:, 29:][np.arange(29, ended.shape[1]) < last[:, None]].any()  # no end skipped
    np.testing.assert_array_equal(valid.sum(1), rollout.length)
    compiled.collect(rollout, params, 1000)  # the next batch begins with the next episode
    np.testing.assert_array_equal(rollout.clock, rollout.length + last + 1)
    assert np.abs(rollout.obs[:, 0]).max() <= 0.05


def test_what_followed_is_what_is_seen_next_unless_the_episode_ended() -> None:
    rollout, _ = collected(Config(num_seeds=20, batch_size=200), until=200)
    ended = (rollout.terminated | rollout.truncated)[:, :-1]
    seen, followed = rollout.obs[:, 1:], rollout.final_obs[:, :-1]
    np.testing.assert_array_equal(seen[~ended], followed[~ended])
    assert ended.sum() > 50
    assert (np.abs(seen[ended]) <= 0.05).all()  # a new start
    out = (np.abs(followed[..., 0]) > X_LIMIT) | (np.abs(followed[..., 2]) > THETA_LIMIT)
    np.testing.assert_array_equal(out, ended)


def test_one_start_for_ever_as_in_the_lab() -> None:
    for fixed, starts in ((True, 1), (False, 5)):
        rollout, _ = collected(Config(num_seeds=1, batch_size=400, fixed_start=fixed), until=400)
        ends = np.flatnonzero(rollout.terminated[0])
        found = {tuple(obs) for obs in rollout.obs[0][[0, *(ends[:4] + 1)]].tolist()}
        assert len(found) == starts


def test_truncation_in_closed_form_and_in_the_lab() -> None:
    """Reward 1 and V = 1/(1-gamma): Q = 1/(1-gamma); the lab's Q counts down to each truncation."""
    ends = np.full((2, 40), GOES_ON)
    ends[:, 9::10] = TRUNCATED
    for bootstrap in (True, False):
        config = config_for("actor_critic", ends, bootstrap_truncation=bootstrap)
        rollout = filled_rollout(config, ends, np.random.default_rng(0))
        rollout.rewards[:] = 1
        worth = np.full_like(rollout.rewards, 100)
        q = rollout.batch(worth, worth).q_values
        left = 10 - np.arange(40) % 10
        expected = worth if bootstrap else np.tile(100 * (1 - 0.99**left), (2, 1))
        np.testing.assert_allclose(q, expected, rtol=1e-5)
    assert (q < 10).all()


def test_the_batch_alone_holds_the_shift_of_the_rewards() -> None:
    """`reward_offset` 0 leaves every bit; another moves the batch's rewards and no buffer."""
    ends = random_ends(3, 12, np.random.default_rng(0))
    for offset in (0.0, -1.5):
        config = config_for("actor_critic", ends, reward_offset=offset)
        rollout = filled_rollout(config, ends, np.random.default_rng(0))
        paid, zeros = rollout.rewards.copy(), np.zeros_like(rollout.rewards)
        batch = rollout.batch(zeros, zeros)
        assert batch.rewards.dtype == np.float32
        np.testing.assert_array_equal(batch.rewards, paid + np.float32(offset))
        np.testing.assert_array_equal(rollout.rewards, paid)
        again = rollout.batch(zeros, zeros)  # not added twice
        np.testing.assert_array_equal(again.q_values, batch.q_values)
        last = ends == TERMINATED
        np.testing.assert_array_equal(batch.q_values[last], batch.rewards[last])


def test_the_running_mean_moves_with_complete_batches_only() -> None:
    ends = random_ends(3, 8, np.random.default_rng(0))
    rollout = filled_rollout(config_for("running_mean", ends), ends, np.random.default_rng(0))
    rollout.ready[1] = False
    before, values = rollout.past_mean.copy(), np.zeros_like(rollout.rewards)
    batch = rollout.batch(values, values)
    np.testing.assert_array_equal(batch.past_mean, before)
    np.testing.assert_array_equal(batch.valid.all(1), [True, False, True])
    expected = 0.9 * before + 0.1 * batch.q_values.mean(1)
    np.testing.assert_allclose(rollout.past_mean[[0, 2]], expected[[0, 2]], rtol=1e-5)
    assert rollout.past_mean[1] == before[1]


def test_the_mean_counts_the_batchs_steps_alone() -> None:
    ends = random_ends(2, 4, np.random.default_rng(0))
    rollout = filled_rollout(config_for("running_mean", ends), ends, np.random.default_rng(0))
    rollout.length[0], before = 2, rollout.past_mean.copy()
    q = rollout.batch(*[np.zeros_like(rollout.rewards)] * 2).q_values
    means = np.array([q[0, :2].mean(), q[1].mean()])
    np.testing.assert_allclose(rollout.past_mean, 0.9 * before + 0.1 * means, rtol=1e-5)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "CartPole-v0"])
def test_probabilities_are_those_of_the_actions_taken(env_id: str) -> None:
    config = Config(env_id=env_id, num_seeds=200, batch_size=64)
    rollout, _ = collected(config, until=64)
    assert ((rollout.probs > 0) & (rollout.probs < 1)).all()
    # A calibrated forecast: sum of the sampled actions against the sum of their probabilities.
    right = np.where(rollout.actions == 1, rollout.probs, 1 - rollout.probs).astype(float)
    error = (rollout.actions - right).sum() / np.sqrt((right * (1 - right)).sum())
    assert abs(error) < 4
