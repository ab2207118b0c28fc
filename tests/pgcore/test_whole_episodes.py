"""The bias of dividing by a random length: known answers, and batches as training collects them."""

from __future__ import annotations

import numpy as np
import pytest

from pgcore import Config, train
from pgcore.gradients import whole_episodes
from pgcore.gradients.whole_episodes import length_bias, ratio_bias, whole_batches
from pgcore.learners import autograd, shape_of

CONFIG = Config(algorithm="reinforce", total_timesteps=4000, num_seeds=2)


@pytest.fixture(scope="module")
def params():
    return train(CONFIG).checkpoints[-1, 0]


def long_batches_pull_harder(n, rng):
    """L is 1 or 3, X/L is (1, 0) or (2, 0) and noise: E[X/L] = 1.5, E[X]/E[L] = 7/4."""
    lengths = rng.choice([1, 3], n)
    gradients = rng.normal(0, 1, (n, 4))
    gradients[:, 0] += np.where(lengths == 1, 1, 2)
    return gradients, lengths


def test_a_bias_by_hand_and_its_interval_s_coverage():
    """-1/7 of the truth, held by some 95 of 100 intervals; wrong signs and lengths are not."""
    rng, held = np.random.default_rng(0), 0
    for k in range(300):
        found = ratio_bias(*long_batches_pull_harder(400, rng), seed=k)
        held += found.along.low <= 1.5 / 1.75 - 1 <= found.along.high
    assert 0.91 <= held / 300 <= 0.98
    many = ratio_bias(*long_batches_pull_harder(100_000, rng))
    assert many.along.estimate == pytest.approx(-1 / 7, abs=0.01)
    assert many.along.high < 0
    assert many.steps.estimate == pytest.approx(2, abs=0.02)
    assert many.along.n == many.steps.n == 100_000


def test_lengths_that_do_not_vary_leave_no_bias():
    gradients, _ = long_batches_pull_harder(500, np.random.default_rng(1))
    found = ratio_bias(gradients, np.full(500, 32))
    assert found.along[:3] == pytest.approx((0, 0, 0), abs=1e-5)
    assert found.steps[:3] == (32, 32, 32)


def test_halves_of_unlike_length_and_strength_have_one_unit():
    """X/L is (1, 0) in even rows with L = 1, and (2, 0) in odd ones with L = 3, without noise."""
    odd = np.arange(400) % 2
    gradients = np.stack([1.0 + odd, 0.0 * odd], 1)
    found = ratio_bias(gradients, 1.0 + 2 * odd)
    assert found.along.estimate == pytest.approx(-1 / 7)
    assert ratio_bias(5 * gradients, 1.0 + 2 * odd).along == pytest.approx(found.along)


def test_each_half_takes_the_direction_of_the_other():
    """Pure noise has no direction: with a direction of its own, E[L a] would be far above 0."""
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(400, 50))
    found = ratio_bias(noise, rng.choice([1, 3], 400)).along
    assert not abs(found.high - found.low) < 1  # a share of nothing is not known


def test_batches_are_whole_independent_and_autograd_s(params, monkeypatch):
    gradients, lengths = whole_batches(params, CONFIG, 600, 5)  # two blocks
    assert (lengths >= CONFIG.batch_size).all() and len(np.unique(lengths)) > 20
    assert len(np.unique(gradients, axis=0)) == 600  # no stream is played twice
    few, _ = whole_batches(params, CONFIG, 10, 5)  # the fewest
    np.testing.assert_array_equal(few, gradients[:10])
    other, _ = whole_batches(params, CONFIG, 20, 6)
    assert not (other == gradients[:20]).all(axis=1).any()

    monkeypatch.setattr(whole_episodes, "compiled", autograd)
    theirs, same = whole_batches(params, CONFIG, 20, 5)
    np.testing.assert_array_equal(same, lengths[:20])
    np.testing.assert_allclose(theirs, gradients[:20], rtol=1e-3, atol=1e-4)


def test_a_policy_that_never_falls_has_batches_of_one_length():
    config = Config(algorithm="reinforce", hidden_dim=2)
    params = np.zeros((1, shape_of(config).size), np.float32)
    policy = shape_of(config).policy(params)
    policy.w1[0, :, 0] = (0.1, 0.2, 1.0, 0.3)
    policy.w1[0, :, 1] = -policy.w1[0, :, 0]
    policy.w2[0, 1] = (30, -30)
    found = length_bias(params[0], config, 40)
    assert found.steps[:3] == (500, 500, 500)
    assert found.along[:3] == pytest.approx((0, 0, 0), abs=1e-3)


def test_reinforce_s_own_bias_is_a_shrink(params):
    """A longer batch holds longer returns: X / L grows with L, so its mean is too short."""
    found = length_bias(params, CONFIG, 4000)
    assert -0.9 < found.along.low < found.along.high < 0
    other = length_bias(params, CONFIG, 4000, seed=1)
    assert other.along.low < found.along.high and found.along.low < other.along.high


@pytest.mark.parametrize(
    ("change", "count", "said"),
    [
        ({"algorithm": "gae"}, 100, "gae does not wait for the end of an episode"),
        ({"env_id": "Acrobot-v1"}, 100, "CartPole alone"),
        ({"hidden_dim": 7}, 100, "must be 94 numbers"),
        ({}, 9, "at least 10"),
    ],
)
def test_what_it_cannot_measure_is_refused(params, change, count, said):
    with pytest.raises(ValueError, match=said):
        length_bias(params, CONFIG.replace(**change), count)
