"""Stacked networks: one row a seed, laid out without gaps, each row a network of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pgcore import networks
from pgcore.networks import Shape

SHAPES = [Shape(4, 32, 2), Shape(4, 1, 2), Shape(6, 17, 3), Shape(1, 128, 5)]


@pytest.mark.parametrize("shape", SHAPES)
def test_policy_and_critic_share_a_row_without_gap_or_overlap(shape: Shape) -> None:
    rows = np.arange(3 * shape.size).reshape(3, shape.size)
    arrays = [*shape.policy(rows), *shape.critic(rows)]
    for s in range(3):
        assert np.concatenate([a[s].ravel() for a in arrays]).tolist() == rows[s].tolist()
    d, h, o = shape.obs_dim, shape.hidden_dim, shape.num_actions
    shapes = [(3, d, h), (3, h), (3, o, h), (3, o), (3, d, h), (3, h), (3, 1, h), (3, 1)]
    assert [a.shape for a in arrays] == shapes
    arrays[0][:] = -1
    assert (rows[:, : d * h] == -1).all()  # views, not copies


@pytest.mark.parametrize("shape", SHAPES)
def test_forward_is_two_linear_layers(shape: Shape) -> None:
    rows = networks.initial_parameters(shape, range(3))
    x = np.random.default_rng(0).normal(size=(3, 10, shape.obs_dim)).astype(np.float32)
    for network in (shape.policy(rows), shape.critic(rows)):
        outputs = networks.forward(network, x)
        for s in range(3):
            w1, b1, w2, b2 = (torch.from_numpy(a[s]) for a in network)
            hidden = torch.nn.functional.linear(torch.from_numpy(x[s]), w1.T, b1).relu()
            expected = torch.nn.functional.linear(hidden, w2, b2)
            np.testing.assert_allclose(outputs[s], expected, atol=1e-6)
    as_torch = networks.forward(shape.policy(torch.from_numpy(rows)), torch.from_numpy(x))
    np.testing.assert_allclose(as_torch, networks.forward(shape.policy(rows), x), atol=1e-6)


@pytest.mark.parametrize("hidden_dim", [1, 17, 32, 64])
@pytest.mark.parametrize("steps", [1, 5, 13, 32, 531])
def test_stacked_is_separate_bit_for_bit(hidden_dim: int, steps: int) -> None:
    """Outputs and gradients of a row are the same bits, whatever rows stand beside it."""
    shape, rng = Shape(4, hidden_dim, 2), np.random.default_rng(0)
    rows = rng.normal(size=(9, shape.size)).astype(np.float32)
    x = torch.from_numpy(rng.normal(size=(9, steps, 4)).astype(np.float32))

    def outputs_and_gradient(which: slice) -> list[torch.Tensor]:
        leaf = torch.from_numpy(rows[which].copy()).requires_grad_()
        outputs = [networks.forward(f(leaf), x[which]) for f in (shape.policy, shape.critic)]
        sum((y**2).sum() for y in outputs).backward()
        assert leaf.grad is not None
        return [*outputs, leaf.grad]

    stacked = outputs_and_gradient(slice(0, 9))
    for which in (slice(0, 1), slice(5, 6), slice(3, 5), slice(1, 9)):
        for whole, part in zip(stacked, outputs_and_gradient(which), strict=True):
            assert torch.equal(whole[which], part)


def test_initial_parameters_start_as_torchs_linear_does() -> None:
    """Uniform on +-1/sqrt(fan_in), which is 1/2 behind 4 observations, 1/8 behind 64 units."""
    shape = Shape(4, 64, 2)
    rows = networks.initial_parameters(shape, range(300))
    assert rows.shape == (300, shape.size) and rows.dtype == np.float32
    for network in (shape.policy(rows), shape.critic(rows)):
        for array, bound in zip(network, (1 / 2, 1 / 2, 1 / 8, 1 / 8), strict=True):
            assert np.abs(array).max() <= bound
            assert array.std() == pytest.approx(bound / 3**0.5, rel=0.1)
            assert abs(array.mean()) < 5 * bound / (3 * array.size) ** 0.5


def test_a_seed_has_its_weights_whoever_else_there_is() -> None:
    shape = Shape(4, 8, 2)
    some, one = (networks.initial_parameters(shape, seeds) for seeds in (range(5), [3]))
    np.testing.assert_array_equal(some[3:4], one)
    assert len(np.unique(some[:, 0])) == 5
