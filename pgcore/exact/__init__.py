"""Laboratories small enough to enumerate: each expectation here is a finite sum.

A batch estimate is g = (1/T) sum_t Psi_t psi_t with psi_t = grad log pi(a_t | s_t). When every
batch that can occur is listed with its probability, its mean and its variance are exact, and the
sampled laboratory has a truth to meet. `bandit` and `toypole` list the batches; the four
quantities below read the list.

Shapes: W listed batches, T steps in a batch, D parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]
MOST_BATCHES = 1_000_000


class Moments(NamedTuple):
    """Mean [D] and trace of the covariance of an estimate."""

    mean: Array
    tr_var: float


class Parabola(NamedTuple):
    """tr Var(b) = curvature b^2 - 2 covariance b + at_zero: variance against a constant baseline.

    With g(b) = G - b Psi: curvature = tr Var(Psi), covariance = tr Cov(G, Psi),
    at_zero = tr Var(G), so three numbers answer for every b
    (Greensmith, Bartlett & Baxter 2004).
    """

    curvature: float
    covariance: float
    at_zero: float

    def __call__(self, b: ArrayLike) -> Array:
        """tr Var at each b; the shape of b."""
        b = np.asarray(b, float)
        return self.curvature * b**2 - 2 * self.covariance * b + self.at_zero

    @property
    def vertex(self) -> float:
        """b*, the constant baseline of least variance."""
        return self.covariance / self.curvature

    @property
    def harmless(self) -> tuple[float, float]:
        """The interval between 0 and 2 b*; outside it a baseline is worse than none."""
        low, high = sorted((0.0, 2 * self.vertex))
        return low, high


def batch_gradients(weights: Array, scores: Array) -> Array:
    """g = (1/T) sum_t Psi_t psi_t.  weights [W, T], scores [W, T, D] -> [W, D]"""
    return np.einsum("wt,wtd->wd", weights, scores) / weights.shape[1]


def moments(probability: Array, gradients: Array) -> Moments:
    """E g and E|g - E g|^2 over listed outcomes.  probability [W], gradients [W, D]"""
    mean = probability @ gradients  # [D]
    return Moments(mean, float(probability @ ((gradients - mean) ** 2).sum(-1)))


def parabola(probability: Array, gradients: Array, mean_scores: Array) -> Parabola:
    """The batch-level parabola of g(b) = G - b Psi.

    probability [W]; gradients G [W, D] made without a baseline; mean_scores Psi [W, D].
    """
    g = gradients - probability @ gradients
    psi = mean_scores - probability @ mean_scores
    curvature, covariance, at_zero = (
        float(probability @ (left * right).sum(-1))
        for left, right in ((psi, psi), (g, psi), (g, g))
    )
    return Parabola(curvature, covariance, at_zero)


def iid_batches(probability: Array, size: int) -> tuple[Array, NDArray[np.intp]]:
    """All O^size batches of independent outcomes.

    probability [O] of one outcome -> probability [W] of each batch, and which outcome stands at
    each place, [W, size]. Raises ValueError when there are more than a million batches.
    """
    if size < 1 or len(probability) ** size > MOST_BATCHES:
        raise ValueError(
            f"{len(probability)} outcomes in batches of {size} cannot be listed; "
            f"the size must be at least 1 and the batches at most {MOST_BATCHES:,}."
        )
    which = np.indices((len(probability),) * size).reshape(size, -1).T  # [W, size]
    return probability[which].prod(-1), which
