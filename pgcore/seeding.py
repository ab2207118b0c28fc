"""Randomness, explicit: one stream per seed and purpose, every draw addressed by its counter.

A draw is a pure function of (seed, purpose, counter), so a seed's curve cannot depend on how many
other seeds run beside it, on the number of threads, or on whether evaluation draws in between.
Keys come from numpy's SeedSequence; the counter is mixed in with SplitMix64 (Steele, Lea and
Flood 2014, "Fast splittable pseudorandom number generators").
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pgcore.compilation import inlined

PURPOSES = ("weights", "actions", "resets", "evaluation", "minibatches", "measurement")

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_ULP = 2.0**-53


def sequence(seed: int, purpose: str) -> np.random.SeedSequence:
    """The root of all randomness of one seed for one purpose.

    Purposes count from 1: `SeedSequence([s, 0])` is `SeedSequence(s)`, which Gymnasium's
    `reset(seed=s)` and everybody else's first generator use.
    """
    return np.random.SeedSequence([seed, 1 + PURPOSES.index(purpose)])


@lru_cache(maxsize=64)
def _keys(seeds: tuple[int, ...], purpose: str) -> np.ndarray:
    return np.array([sequence(s, purpose).generate_state(1, np.uint64)[0] for s in seeds])


def keys(seeds: Sequence[int], purpose: str) -> np.ndarray:
    """One 64-bit key a seed.  [S] uint64"""
    return _keys(tuple(seeds), purpose).copy()


def fold(key, counter):
    """A new key from a key and a counter (both uint64, scalars in kernels, arrays in numpy)."""
    z = key + (counter + np.uint64(1)) * _GOLDEN
    z = (z ^ (z >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    return z ^ (z >> _31)


def uniform(key, counter):
    """The draw at `counter` of the stream `key`: uniform on [0, 1), 53 bits."""
    return (fold(key, counter) >> _11) * _ULP


fold_kernel = inlined(fold)


@inlined
def uniform_kernel(key, counter):
    """`uniform` for use inside compiled loops."""
    return (fold_kernel(key, np.uint64(counter)) >> _11) * _ULP
