"""Randomness by address: published numbers, uniform draws, streams that never meet."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pgcore import seeding

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
    key, counters = np.array([1234567], U64), np.arange(5, dtype=U64)
    assert seeding.fold(key, counters).tolist() == published
    assert [int(seeding.fold_kernel(U64(1234567), U64(n))) for n in range(5)] == published


def test_kernels_draw_what_numpy_draws() -> None:
    key = seeding.keys([7], "actions")
    draws = seeding.uniform(key, np.arange(1000, dtype=U64))
    assert draws.tolist() == [seeding.uniform_kernel(key[0], n) for n in range(1000)]


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


def test_a_seeds_keys_are_its_own() -> None:
    keys = seeding.keys(range(10), "resets")
    assert seeding.keys([7], "resets") == keys[7]
    keys[:] = 0  # a copy: nobody else's keys change
    assert seeding.keys(range(10), "resets").all()
