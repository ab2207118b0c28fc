"""Returns worked by hand, equal to the slow plain loop, and the closed form under truncation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcore import returns

# One seed, six steps, gamma = 1/2: an episode terminates at t = 1, another is truncated at t = 3.
REWARDS = np.array([[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]])
VALUES = np.array([[10.0, 20.0, 30.0, 40.0, 50.0, 60.0]])
FINAL_VALUES = np.array([[20.0, 99.0, 40.0, 12.0, 60.0, 64.0]])  # 99 follows the termination
NONE = np.zeros((1, 6), np.bool_)
TERMINATED, TRUNCATED = NONE.copy(), NONE.copy()
TERMINATED[0, 1], TRUNCATED[0, 3] = True, True


def test_bootstrapped_q_by_hand() -> None:
    q = returns.bootstrapped_q(REWARDS, FINAL_VALUES, TERMINATED, TRUNCATED, 0.5)
    #        1 + 2/2, 2, 4 + 14/2, 8 + 12/2, 16 + 64/2, 32 + 64/2
    assert q.tolist() == [[2, 2, 11, 14, 48, 64]]


def test_the_labs_variant_by_hand() -> None:
    """A truncation that counts as a termination: 8, not 8 + 12/2."""
    q = returns.bootstrapped_q(REWARDS, FINAL_VALUES, TERMINATED | TRUNCATED, TRUNCATED, 0.5)
    assert q.tolist() == [[2, 2, 8, 8, 48, 64]]


def test_gae_by_hand() -> None:
    """delta = 1, -18, -6, -26, -4, 4; A_t = delta_t + A_{t+1} / 4 within an episode."""
    advantages = returns.gae(
        REWARDS, VALUES, FINAL_VALUES, TERMINATED, TRUNCATED, gamma=0.5, gae_lambda=0.5
    )
    assert advantages.tolist() == [[-3.5, -18, -12.5, -26, -3, 4]]


def test_monte_carlo_by_hand() -> None:
    """The returns of three episodes; the last one is cut off by the end of the arrays."""
    g = returns.monte_carlo(REWARDS, TERMINATED | TRUNCATED, 0.5)
    assert g.tolist() == [[2, 2, 8, 8, 32, 32]]
    assert returns.monte_carlo(REWARDS[:, :3], NONE[:, :3], 1.0).tolist() == [[7, 6, 4]]


def test_rewards_one_two_three() -> None:
    """Where a well-known implementation answers 8, 6, 3."""
    g = returns.monte_carlo(np.array([[1.0, 2.0, 3.0]]), np.array([[False, False, True]]), 0.5)
    assert g.tolist() == [[2.75, 3.5, 3]]


# --- The slow plain loop is the specification ------------------------------------------------


class Episodes(NamedTuple):
    rewards: np.ndarray  # [S, T], as all
    values: np.ndarray
    final_values: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    gamma: float
    gae_lambda: float


def slow_q(e: Episodes, s: int, t: int) -> float:
    if e.terminated[s, t]:
        return e.rewards[s, t]
    if e.truncated[s, t] or t == e.rewards.shape[1] - 1:
        return e.rewards[s, t] + e.gamma * e.final_values[s, t]
    return e.rewards[s, t] + e.gamma * slow_q(e, s, t + 1)


def slow_gae(e: Episodes, s: int, t: int) -> float:
    """The sum over l of (gamma lambda)^l delta_{t+l}, up to the episode's end."""
    total, weight = 0.0, 1.0
    for k in range(t, e.rewards.shape[1]):
        follows = 0 if e.terminated[s, k] else e.final_values[s, k]
        total += weight * (e.rewards[s, k] + e.gamma * follows - e.values[s, k])
        weight *= e.gamma * e.gae_lambda
        if e.terminated[s, k] or e.truncated[s, k]:
            break
    return total


def slow_monte_carlo(e: Episodes, s: int, t: int) -> float:
    """The sum over k of gamma^k r_{t+k}, up to the episode's end."""
    total = 0.0
    for k in range(t, e.rewards.shape[1]):
        total += e.gamma ** (k - t) * e.rewards[s, k]
        if e.terminated[s, k] or e.truncated[s, k]:
            break
    return total


discounts = st.one_of(st.sampled_from([0.0, 0.5, 0.99, 1.0]), st.floats(0, 1))


@st.composite
def episodes(draw) -> Episodes:
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    how = rng.choice(3, size=shape, p=draw(st.sampled_from([(1, 0, 0), (0.8, 0.1, 0.1)])))
    r, v, f = rng.normal(size=(3, *shape)).astype(dtype)
    gamma, gae_lambda = dtype(draw(discounts)), dtype(draw(discounts))
    return Episodes(r, v, f, how == 1, how == 2, gamma, gae_lambda)


@settings(deadline=None, derandomize=True)
@given(episodes())
def test_kernels_equal_the_slow_loop(e: Episodes) -> None:
    r, v, f, terminated, truncated, gamma, gae_lambda = e
    fast = {
        slow_q: returns.bootstrapped_q(r, f, terminated, truncated, gamma),
        slow_gae: returns.gae(r, v, f, terminated, truncated, gamma, gae_lambda),
        slow_monte_carlo: returns.monte_carlo(r, terminated | truncated, gamma),
    }
    r64, v64, f64 = np.array([r, v, f], np.float64)
    exact = Episodes(r64, v64, f64, terminated, truncated, float(gamma), float(gae_lambda))
    for slow, got in fast.items():
        wanted = [[slow(exact, s, t) for t in range(r.shape[1])] for s in range(len(r))]
        assert got.dtype == r.dtype
        np.testing.assert_allclose(got, wanted, rtol=0, atol=500 * np.finfo(r.dtype).eps)


# --- The closed form under truncation --------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("length", [1, 3, 10, 32])
def test_truncation_in_closed_form(gamma: float, length: int) -> None:
    """Reward 1 for ever is worth 1/(1-gamma), however often the clock cuts it into episodes."""
    ones, worth = np.ones((2, 64)), np.full((2, 64), 1 / (1 - gamma))
    never, clock = np.zeros(ones.shape, np.bool_), np.zeros(ones.shape, np.bool_)
    clock[:, length - 1 :: length] = True
    q = returns.bootstrapped_q(ones, worth, never, clock, gamma)
    np.testing.assert_allclose(q, worth, rtol=1e-12)
    np.testing.assert_allclose(
        returns.gae(ones, worth, worth, never, clock, gamma, 0.95), 0, atol=1e-11
    )
    # The negative control: truncation as termination promises (1 - gamma^left) / (1 - gamma).
    left = length - np.arange(64) % length
    wrong = returns.bootstrapped_q(ones, worth, clock, clock, gamma)
    complete = slice(0, 64 - 64 % length)
    expected = (1 - gamma**left) / (1 - gamma)
    np.testing.assert_allclose(wrong[0, complete], expected[complete], rtol=1e-9)
    assert (wrong[:, complete] < q[:, complete]).all()
