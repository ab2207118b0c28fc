"""Randomness by address: published numbers, uniform draws, streams that never meet."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pgcore import seeding
from pgcore.envs.cartpole import CartPole
from pgcore.networks import Shape, initial_parameters
from tests.parts import by_python

U64 = np.uint64


def test_fold_is_splitmix64() -> None:
    """The reference generator's first outputs from the seed 1234567."""
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    fold = by_python(seeding.fold_kernel)
    key, counters = np.array([1234567], U64), np.arange(5, dtype=U64)
    assert seeding.fold(key, counters).tolist() == published
    assert [int(fold(U64(1234567), U64(n))) for n in range(5)] == published


def test_kernels_draw_what_numpy_draws() -> None:
    key = seeding.keys([7], "actions")
    draws = seeding.uniform(key, np.arange(1000, dtype=U64))
    uniform = by_python(seeding.uniform_kernel)
    assert draws.tolist() == [uniform(key[0], n) for n in range(1000)]


@pytest.mark.parametrize("purpose", seeding.PURPOSES)
def test_draws_are_uniform_and_uncorrelated(purpose: str) -> None:
    """Along one seed's stream, and across the first draws of neighbouring seeds."""
    keys = seeding.keys(range(2000), purpose)
    for draws in (
        seeding.uniform(keys[:1], np.arange(2000, dtype=U64)),
        seeding.uniform(keys, np.zeros(2000, U64)),
    ):
        assert draws.min() >= 0 and draws.max() < 1
        assert stats.kstest(draws, "uniform").pvalue > 1e-3
        assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.1


def test_no_two_streams_are_alike() -> None:
    keys = [seeding.keys(range(1000), purpose) for purpose in seeding.PURPOSES]
    assert len(np.unique(keys)) == 1000 * len(seeding.PURPOSES)


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31 - 1])
def test_no_purpose_is_the_seeds_own_sequence(seed: int) -> None:
    """`SeedSequence([s, 0])` is `SeedSequence(s)`, where Gymnasium's reset(seed=s) begins."""
    own = np.random.SeedSequence(seed).generate_state(4).tolist()
    assert np.random.SeedSequence([seed, 0]).generate_state(4).tolist() == own  # the trap
    for purpose in seeding.PURPOSES:
        assert seeding.sequence(seed, purpose).generate_state(4).tolist() != own


def test_streams_of_all_purposes_and_of_neighbouring_seeds_are_uncorrelated() -> None:
    draws = [
        seeding.uniform(seeding.keys([seed], purpose), np.arange(5000, dtype=U64))
        for purpose in seeding.PURPOSES
        for seed in (0, 1, 2)
    ]
    between = np.corrcoef(draws)[np.triu_indices(len(draws), k=1)]
    assert abs(between).max() < 5 / np.sqrt(5000)  # 153 pairs; one beyond has p < 1e-4


def test_a_fixed_start_is_not_the_first_weights() -> None:
    """Purpose 0 made the lab's start state the first four weights, divided by ten."""
    starts = CartPole(seeding.keys(range(5), "resets"), 500, range(5)).starts
    weights = initial_parameters(Shape(4, 32, 2), range(5))[:, :4]
    assert not np.isclose(starts, weights / 10, atol=1e-4).any()
    assert abs(np.corrcoef(starts.ravel(), weights.ravel())[0, 1]) < 0.7


def test_a_seeds_keys_are_its_own() -> None:
    keys = seeding.keys(range(10), "resets")
    assert seeding.keys([7], "resets") == keys[7]
    keys[:] = 0  # a copy: nobody else's keys change
    assert seeding.keys(range(10), "resets").all()
