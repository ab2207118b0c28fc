"""The parabola of a constant baseline: three numbers, and every b is answered.

With G = (1/T) sum_t Q_t psi_t and S = (1/T) sum_t psi_t, the batch gradient is g(b) = G - b S, so

    tr Var(b) = b^2 tr Var(S) - 2 b tr Cov(G, S) + tr Var(G)

(Greensmith, Bartlett & Baxter 2004). A constant is worse than none outside the zone from 0 to
2 b*, where b* = tr Cov(G, S) / tr Var(S) is the vertex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pgcore.exact import Parabola
from pgcore.gradients.inference import (
    DRAWS,
    Array,
    centred_products,
    percentile_interval,
    resampled_means,
)
from pgcore.stats import Interval


@dataclass(frozen=True)
class SampledParabola:
    """tr Var(b) = b^2 tr Var(S) - 2 b tr Cov(G, S) + tr Var(G) for g(b) = G - b S, any b at once.

    S = (1/T) sum_t grad log pi(a_t | s_t). One pass gives three numbers and their resamples;
    after that b, b* and the harm zone cost nothing (Greensmith, Bartlett & Baxter 2004).
    """

    curve: Parabola
    draws: Array  # [R, 3] curvature, covariance, at zero
    n: int

    def __call__(self, b: float) -> Interval:
        """tr Var of the constant b."""
        curvature, covariance, at_zero = self.draws.T
        resampled = b**2 * curvature - 2 * b * covariance + at_zero
        return percentile_interval(float(self.curve(b)), resampled, self.n)

    @property
    def vertex(self) -> Interval:
        """b*, the constant of least variance: the middle of the harmless zone from 0 to 2 b*."""
        curvature, covariance, _ = self.draws.T
        with np.errstate(divide="ignore", invalid="ignore"):
            best = np.divide(self.curve.covariance, self.curve.curvature)
            return percentile_interval(best, covariance / curvature, self.n)

    @property
    def least(self) -> Interval:
        """tr Var at b*, as a share of tr Var without a baseline."""
        curvature, covariance, at_zero = self.draws.T
        c = self.curve
        with np.errstate(divide="ignore", invalid="ignore"):
            best = 1 - np.divide(c.covariance**2, c.curvature * c.at_zero)
            resampled = 1 - covariance**2 / (curvature * at_zero)
            return percentile_interval(best, resampled, self.n)


def parabola_of(
    gradients: Array, scores: Array, draws: int = DRAWS, seed: int = 0
) -> SampledParabola:
    """From clouds without a baseline, G [N, P], and of mean scores, S [N, P]."""
    terms = parabola_terms(gradients, scores)
    curve = Parabola(*(float(term) for term in terms.mean(0)))
    return SampledParabola(curve, resampled_means(terms, draws, seed), len(terms))


def parabola_terms(gradients: Array, scores: Array) -> Array:
    """Per window, what averages to tr Var(S), tr Cov(G, S) and tr Var(G).  [N, 3]"""
    n = len(gradients)
    pairs = (scores, scores), (gradients, scores), (gradients, gradients)
    return np.stack([centred_products(x, y) for x, y in pairs], 1) * n / (n - 1)
