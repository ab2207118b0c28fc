"""Two learners, one truth: the hand-written gradients against autograd, Adam against torch's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

import numpy as np
import pytest
import torch
from batches import config_for, filled_rollout, random_batch, random_ends
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcore import ALGORITHMS, Batch, Config, seeding
from pgcore.learners import State, autograd, compiled, learning_rates, shape_of
from pgcore.learners.compiled import LANES
from pgcore.rollout import Rollout
from pgcore.train import minibatches
from tests.parts import by_python

EVERY = pytest.mark.parametrize("algorithm", ALGORITHMS)
LEARNERS = pytest.mark.parametrize("learner", [autograd, compiled])
FLOAT32 = 1e-5  # of the largest entry of a gradient row: its sums have up to 40 terms


@st.composite
def cases(draw) -> tuple[np.ndarray, dict, np.random.Generator]:
    """How each step ends [S, T], what a config may change, and a generator for the rest."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    share = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    ends = random_ends(draw(st.integers(1, 3)), draw(st.integers(1, 40)), rng, share)
    changes = dict(
        hidden_dim=draw(st.sampled_from([1, 2, 3, 8, 31, 32, 128]) | st.integers(1, 128)),
        gamma=draw(st.sampled_from([0.0, 0.9, 0.99, 1.0])),
        reward_offset=draw(st.sampled_from([0.0, -1.0, 1.5])),
        value_coef=draw(st.sampled_from([0.0, 0.5, 2.0])),
        entropy_coef=draw(st.sampled_from([0.0, 0.1])),
        bootstrap_truncation=draw(st.booleans()),
        minibatch_size=draw(st.integers(1, 40)),
        learning_rate=5e-4,
        critic_learning_rate=1e-3,
    )
    return ends, changes, rng


def schedule(config: Config, state: State, psi: np.ndarray) -> Iterator[np.ndarray]:
    """Which steps enter each update, batch after batch of the same size."""
    keys = seeding.keys(config.seeds, "minibatches")
    every_step = np.tile(np.arange(psi.shape[1]), (len(psi), 1))
    while True:
        yield from minibatches(config, keys, state.updates, every_step)


def assert_same_gradient(config: Config, params, batch: Batch, psi, index) -> None:
    ours = compiled.gradient(params, batch, psi, index, config)
    reference = autograd.gradient(params, batch, psi, index, config)
    size = shape_of(config).policy_size
    for part in (slice(0, size), slice(size, None)):  # the policy's, the critic's
        largest = np.abs(reference[:, part]).max(-1, keepdims=True)
        assert (np.abs(ours - reference)[:, part] <= FLOAT32 * largest).all()


# --- The gradient ----------------------------------------------------------------------------


@EVERY
@settings(deadline=None, derandomize=True, max_examples=20)
@given(case=cases())
def test_gradients_agree(algorithm: str, case) -> None:
    """Any sizes, any ends, all steps and a minibatch, and padding of any length."""
    ends, changes, rng = case
    config = config_for(algorithm, ends, **changes)
    params, batch, psi = random_batch(config, ends, rng)
    state = State.initial(config, config.seeds)
    padded = replace(batch, valid=np.arange(psi.shape[1]) < rng.integers(41, size=(len(psi), 1)))
    for index in islice(schedule(config, state, psi), 2):
        assert_same_gradient(config, params, batch, psi, index)
        assert_same_gradient(config, params, padded, psi, index)


@EVERY
@pytest.mark.parametrize("bootstrap", [True, False])
def test_ends_in_every_position(algorithm: str, bootstrap: bool) -> None:
    """All 81 ways in which four steps can go on, terminate or be truncated, a row each."""
    ends = np.array([*product(range(3), repeat=4)])
    config = config_for(algorithm, ends, hidden_dim=8, bootstrap_truncation=bootstrap)
    params, batch, psi = random_batch(config, ends, np.random.default_rng(0))
    index = np.broadcast_to(np.arange(psi.shape[1]), psi.shape)
    assert_same_gradient(config, params, batch, psi, index)


@LEARNERS
def test_the_score_has_mean_zero(learner) -> None:
    """E_a psi = 0 in every parameter: one state, both actions, weighed by their probabilities."""
    ends = np.zeros((5, 2), int)
    config = config_for("policy_gradient", ends, value_coef=0.0)
    params, batch, _ = random_batch(config, ends, np.random.default_rng(0))
    batch.obs[:, 1], batch.actions[:] = batch.obs[:, 0], [0, 1]
    pi = autograd._policy(params, config)(batch.obs[:, 0])
    index = np.broadcast_to(np.arange(2), (5, 2))
    np.testing.assert_allclose(learner.gradient(params, batch, pi, index, config), 0, atol=1e-7)
    assert np.abs(learner.gradient(params, batch, 0 * pi + 1, index, config)).max() > 1e-2


@LEARNERS
def test_nothing_valid_gives_no_gradient(learner) -> None:
    ends = np.zeros((2, 6), int)
    config = config_for("actor_critic", ends, entropy_coef=0.1)
    params, batch, psi = random_batch(config, ends, np.random.default_rng(0))
    batch.valid[0] = False
    index = np.broadcast_to(np.arange(6), (2, 6))
    gradient = learner.gradient(params, batch, psi, index, config)
    assert (gradient[0] == 0).all() and (gradient[1] != 0).any()


# --- Adam ------------------------------------------------------------------------------------


@EVERY
@settings(deadline=None, derandomize=True, max_examples=8)
@given(case=cases())
def test_twenty_adam_steps_agree(algorithm: str, case) -> None:
    """Parameters after twenty updates, each learner on its own gradients.

    Adam divides by a gradient's size, so where one nearly cancels its rounding is all that is
    left: one parameter in a hundred may stray, by little beside the way that all have gone.
    """
    ends, changes, rng = case
    config = config_for(algorithm, ends, **changes)
    params, batch, psi = random_batch(config, ends, rng)
    every, ends_at = np.ones(len(params), np.bool_), []
    for learner in (compiled, autograd):
        zeros = np.zeros_like(params)
        state = State(params.copy(), zeros, zeros.copy(), np.zeros(len(params), np.int64))
        for index in islice(schedule(config, state, psi), 20):
            gradient = learner.gradient(state.params, batch, psi, index, config)
            learner.step(state, gradient, every, config)
        assert (state.updates == 20).all()
        ends_at.append(state.params)
    ours, reference = ends_at
    difference = np.abs(ours - reference)
    assert np.quantile(difference, 0.99) < 5e-6
    assert np.linalg.norm(difference) <= 2e-3 * np.linalg.norm(reference - params)


@LEARNERS
def test_adam_is_torchs(learner) -> None:
    """Twenty gradients of very different sizes; a row that is not ready stands still."""
    config = Config(num_seeds=3, hidden_dim=5, learning_rate=1e-2, critic_learning_rate=3e-3)
    state, rng = State.initial(config, config.seeds), np.random.default_rng(0)
    before, size = state.params.copy(), shape_of(config).policy_size
    parts = [torch.from_numpy(p.copy()) for p in (before[:, :size], before[:, size:])]
    rates = (config.learning_rate, config.critic_learning_rate)
    adam = torch.optim.Adam([dict(params=[p], lr=r) for p, r in zip(parts, rates, strict=True)])
    scale = 10.0 ** rng.integers(-6, 4, size=before.shape)
    for _ in range(20):
        gradient = (rng.normal(size=before.shape) * scale).astype(np.float32)
        learner.step(state, gradient, np.array([True, False, True]), config)
        parts[0].grad, parts[1].grad = (torch.from_numpy(g) for g in np.split(gradient, [size], 1))
        adam.step()
    expected = np.concatenate([p.numpy() for p in parts], axis=1)
    np.testing.assert_allclose(state.params[[0, 2]], expected[[0, 2]], rtol=0, atol=3e-6)
    np.testing.assert_array_equal(state.params[1], before[1])
    assert state.updates.tolist() == [20, 0, 20]
    assert not state.m[1].any() and not state.v[1].any()


def test_the_critic_has_its_own_rate() -> None:
    config = Config(hidden_dim=3, learning_rate=0.25, critic_learning_rate=0.5)
    assert learning_rates(config).tolist() == [0.25] * 23 + [0.5] * 19


# --- Acting and judging ----------------------------------------------------------------------


@EVERY
def test_both_learners_collect_the_same_batches(algorithm: str) -> None:
    """The same streams and parameters: the same actions, ends and, to rounding, observations."""
    config = Config(algorithm=algorithm, num_seeds=6, batch_size=50, hidden_dim=16)
    params = State.initial(config, config.seeds).params
    rollouts = [Rollout(config, config.seeds) for _ in range(2)]
    for until in (30, 77, 700):  # a pause in mid-batch, then two more batches
        for learner, rollout in zip((compiled, autograd), rollouts, strict=True):
            learner.collect(rollout, params, until)
        ours, reference = rollouts
        valid = np.arange(ours.obs.shape[1]) < ours.length[:, None]
        for name in ("clock", "length", "ready"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(reference, name))
        for name in ("actions", "rewards", "terminated", "truncated"):
            np.testing.assert_array_equal(
                getattr(ours, name)[valid], getattr(reference, name)[valid]
            )
        for name in ("obs", "final_obs", "probs"):
            np.testing.assert_allclose(
                getattr(ours, name)[valid], getattr(reference, name)[valid], rtol=1e-5, atol=1e-6
            )
        judged = [
            learner.assess(rollout, params)
            for learner, rollout in zip((compiled, autograd), rollouts, strict=True)
        ]
        where = judged[0].valid
        np.testing.assert_array_equal(where, judged[1].valid)
        for name in ("values", "final_values", "q_values"):
            mine, other = (getattr(batch, name)[where] for batch in judged)
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    assert ours.ready.all()


@EVERY
def test_a_shift_of_the_rewards_reaches_both_learners(algorithm: str) -> None:
    """The same batch, its rewards shifted: the same Q, weights and gradient in both."""
    ends = random_ends(4, 30, np.random.default_rng(0))
    plain = config_for(algorithm, ends, hidden_dim=8)
    for config in (plain, plain.replace(reward_offset=-2.0)):
        params, batch, psi = random_batch(config, ends, np.random.default_rng(1))
        judged = autograd.assess(filled_rollout(config, ends, np.random.default_rng(1)), params)
        np.testing.assert_array_equal(batch.rewards, judged.rewards)
        ours, reference = (x.q_values[x.valid] for x in (batch, judged))
        np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-5)
        index = np.broadcast_to(np.arange(psi.shape[1]), psi.shape)
        assert_same_gradient(config, params, batch, psi, index)
        if config is plain:
            before = compiled.gradient(params, batch, psi, index, config)
    assert not np.allclose(compiled.gradient(params, batch, psi, index, config), before)


@LEARNERS
def test_with_r_minus_1_nothing_is_left_but_the_critics_guess(learner) -> None:
    """CartPole's rewards are all 0 then: Q is 0, or a discounted V where the batch was cut."""
    config = Config(num_seeds=8, batch_size=64, hidden_dim=8, reward_offset=-1.0)
    params = State.initial(config, config.seeds).params
    rollout = Rollout(config, config.seeds)
    learner.collect(rollout, params, 64)
    batch = learner.assess(rollout, params)
    assert batch.valid.all() and not batch.rewards.any()
    later = batch.terminated[:, ::-1].cumsum(1)[:, ::-1] > 0  # the episode's end lies in the batch
    assert later.any() and not later.all()
    left = 64 - np.arange(64)
    guess = 0.99**left * batch.final_values[:, -1:]
    np.testing.assert_allclose(batch.q_values, np.where(later, 0, guess), rtol=1e-4, atol=1e-7)
    assert (rollout.rewards == 1).all()  # what the environment paid


@LEARNERS
def test_evaluation_counts_the_environments_own_rewards(learner) -> None:
    config = Config(num_seeds=3, hidden_dim=8)
    params = State.initial(config, config.seeds).params
    shifted = config.replace(reward_offset=-2.0)
    own, found = (learner.evaluate(params, c, c.seeds, 500) for c in (config, shifted))
    np.testing.assert_array_equal(own, found)
    assert own.min() > 0


@LEARNERS
@pytest.mark.parametrize(("env_id", "limit"), [("CartPole-v0", 200), ("CartPole-v1", 500)])
def test_the_clock_truncates_what_a_learner_collects(learner, env_id: str, limit: int) -> None:
    """Two hidden units that balance the pole: no episode ends before its time, or after it."""
    config = Config(env_id=env_id, num_seeds=3, batch_size=1024, hidden_dim=2)
    rollout, w = Rollout(config, config.seeds), np.array([1.0, 5.0, 100.0, 20.0])
    params = np.zeros((3, shape_of(config).size), np.float32)
    policy = shape_of(config).policy(params)
    policy.w1[:], policy.w2[:, 1] = np.stack([w, -w], axis=1), [1, -1]
    for until in (300, 1024):
        learner.collect(rollout, params, until)
    assert not rollout.terminated.any()
    assert (rollout.truncated == (np.arange(1, 1025) % limit == 0)).all()


@LEARNERS
@pytest.mark.parametrize("batch_size", [32, 200, 201])
def test_a_whole_episode_batch_ends_at_the_clock(learner, batch_size: int) -> None:
    """REINFORCE with a policy that balances the pole for 200 steps, CartPole-v0's clock.

    The batch is complete at the first truncation from `batch_size` on, nothing stands in for what
    would have followed, and the gradient is the sum written out by hand.
    """
    config = Config(
        algorithm="reinforce", env_id="CartPole-v0", num_seeds=2, batch_size=batch_size,
        hidden_dim=2, value_coef=0.0,
    )  # fmt: skip
    rollout, w = Rollout(config, config.seeds), np.array([0.1, 0.5, 10.0, 2.0])
    params = np.zeros((2, shape_of(config).size), np.float32)
    policy = shape_of(config).policy(params)
    policy.w1[:], policy.w2[:, 1] = np.stack([w, -w], axis=1), [1, -1]
    length = 200 if batch_size <= 200 else 400  # one episode, or two
    learner.collect(rollout, params, 1000)
    assert rollout.ready.all() and (rollout.length == length).all()
    assert (rollout.clock == length).all()  # nobody has played on
    batch = learner.assess(rollout, params)
    ends = np.arange(1, length + 1) % 200 == 0
    np.testing.assert_array_equal(batch.truncated[:, :length], [ends, ends])
    assert not batch.terminated.any()
    np.testing.assert_array_equal(batch.valid.sum(1), length)

    psi = ALGORITHMS["reinforce"].weight(batch, config)
    left = 200 - np.arange(length) % 200  # steps until the clock
    np.testing.assert_allclose(psi[:, :length], np.tile((1 - 0.99**left) / 0.01, (2, 1)), rtol=1e-4)
    index = np.broadcast_to(np.arange(psi.shape[1]), psi.shape)
    gradient = learner.gradient(params, batch, psi, index, config)
    sign = 2 * batch.actions[:, :length] - 1
    by_hand = -(psi[:, :length] * sign * (1 - batch.probs[:, :length])).mean(-1)  # dL/d b2[1]
    np.testing.assert_allclose(shape_of(config).policy(gradient).b2[:, 1], by_hand, rtol=1e-3)
    assert (np.abs(by_hand) > 1e-3).all()
    assert_same_gradient(config, params, batch, psi, index)


@pytest.mark.parametrize("hidden_dim", [1, 7, 32, 128])
def test_both_critics_say_the_same(hidden_dim: int) -> None:
    ends = random_ends(4, 30, np.random.default_rng(0), 0.5)
    config = config_for("actor_critic", ends, hidden_dim=hidden_dim)
    rollout = filled_rollout(config, ends, np.random.default_rng(0))
    params = State.initial(config, config.seeds).params
    ours, reference = (learner.assess(rollout, params) for learner in (compiled, autograd))
    for name in ("values", "final_values"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(reference, name), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("greedy", [False, True])
def test_any_number_of_agents_side_by_side(greedy: bool) -> None:
    """Fewer than the lanes, as many, one more: a seed does what it does alone, to the last bit."""
    config = Config(num_seeds=40, eval_episodes=3, eval_greedy=greedy)
    params = State.initial(config, config.seeds).params
    alone = [compiled.evaluate(params[s : s + 1], config, range(s, s + 1), 7) for s in range(40)]
    for count in (1, 5, LANES - 1, LANES, LANES + 1, 40):
        together = compiled.evaluate(params[:count], config, range(count), 7)
        np.testing.assert_array_equal(together, np.concatenate(alone[:count]))


def test_the_sigmoid() -> None:
    sigmoid = by_python(compiled.sigmoid)
    z = np.concatenate([np.linspace(-100, 100, 20_001), np.linspace(-1, 1, 20_001)])
    ours = np.array([sigmoid(x) for x in z.astype(np.float32)], np.float32)
    exact = 1 / (1 + np.exp(-z.astype(np.float32).astype(float)))
    assert (ours > 0).all() and (ours <= 1).all()
    np.testing.assert_allclose(ours, exact.clip(1e-37), rtol=1e-6, atol=1e-37)
    assert sigmoid(np.float32(0)) == 0.5


# --- A toy -----------------------------------------------------------------------------------


@LEARNERS
def test_a_toy_is_learned(learner) -> None:
    """One batch again and again: what is weighed 1 becomes probable, V fits its targets."""
    ends = random_ends(3, 16, np.random.default_rng(0))
    config = config_for("policy_gradient", ends, critic_learning_rate=0.02)
    params, batch, _ = random_batch(config, ends, np.random.default_rng(0))
    batch.actions[:] = batch.obs[..., 0] > 0  # the lesson: go where x is positive
    psi, index = np.ones((3, 16), np.float32), np.broadcast_to(np.arange(16), (3, 16))
    state = State.initial(config, config.seeds)
    state.params[:] = params

    def losses_now() -> list[np.ndarray]:
        """Minus mean log pi of the actions, and the mean squared error of the critic."""
        terms = [config.replace(value_coef=c) for c in (0.0, 1.0)]
        leaf = torch.from_numpy(state.params)
        policy, both = (autograd.loss(leaf, batch, psi, index, c).numpy() for c in terms)
        return [policy, both - policy]

    before = losses_now()
    for _ in range(300):
        gradient = learner.gradient(state.params, batch, psi, index, config)
        learner.step(state, gradient, np.ones(3, np.bool_), config)
    after = losses_now()
    assert (before[0] > 0.5).all() and (after[0] < 0.1).all()
    assert (after[1] < 0.05 * before[1]).all()
