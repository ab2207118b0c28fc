"""Measurement: how far an estimator's single updates scatter, and where their mean lies.

An estimator's cloud is [N, P]: one gradient a window, all windows independent. With mu = E g and
Sigma = Cov g,

    tr Sigma   = sum |g_i - gbar|^2 / (N - 1)              how far single updates scatter
    |mu|^2     = |gbar|^2 - tr Sigma / N                   without the noise that |gbar|^2 holds
    SNR        = |mu|^2 / tr Sigma                         of one update

Intervals come from one bootstrap over windows (Efron 1979), shared by all estimators so that
comparisons are paired. It never touches the clouds: every quantity is a smooth function of means
of per-window scalars, such as |g_i - gbar|^2, and resampled means are one matrix product. The
scalars are exact to first order in 1/N.

Shapes: N windows, P parameters, R resamples, K scalars, D directions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from pgcore.gradients.inference import (
    DRAWS,
    MAX_DIRECTIONS,
    Array,
    BiasTest,
    hotelling,
    moments,
    percentile_interval,
    resampled_means,
    squared_lengths,
    widest,
)
from pgcore.stats import Interval


class Reference(NamedTuple):
    """The true gradient, as well as it is known, and directions fixed before any test."""

    mean: Array  # [P] rbar
    squared_norm: float  # |mu|^2, unbiased; nan if it does not stand out of the noise
    relative_error: float  # |rbar - mu| / |mu|: blurs cosines by a factor of at most 1 + error^2/2
    norm_error: float  # standard error of |rbar| / |mu|, which enters the intervals
    directions: Array  # [D, P] orthonormal, D <= 5: the truth's own, then its widest scatter
    n: int


def reference_of(gradients: Array) -> Reference:
    """From an unbiased estimator's cloud of other windows.  [N, P]"""
    n, mean = len(gradients), gradients.mean(0, dtype=np.float64)
    centred = gradients - mean.astype(gradients.dtype)
    tr_sigma = squared_lengths(centred).sum() / (n - 1)
    squared_norm = float(mean @ mean - tr_sigma / n)
    if squared_norm <= 0:
        squared_norm = np.nan
    unit = mean / (np.linalg.norm(mean) or 1.0)
    along = centred @ unit
    rest = centred - along[:, None] * unit  # [N, P]
    others = min(MAX_DIRECTIONS, len(mean)) - 1
    return Reference(
        mean,
        squared_norm,
        float(np.sqrt(tr_sigma / n / squared_norm)),
        float(np.sqrt(along @ along / (n - 1) / n / squared_norm)),
        np.vstack([unit, widest(rest.T @ rest, others)]),
        n,
    )


def exact_reference(gradient: Array) -> Reference:
    """From a gradient that is known exactly, as ToyPole's is.  [P]"""
    squared = float(gradient @ gradient)
    return Reference(gradient, squared, 0.0, 0.0, gradient[None] / np.sqrt(squared), 0)


@dataclass(frozen=True)
class Bias:
    """How far an estimator's mean lies from another's, on the same windows."""

    relative: Interval  # |E (g - u)| / |mu|, noise removed; its low end is 0 unless it stands out
    along: Interval  # E (g - u) . mu / |mu|^2: -0.3 shortens the step by 30% of the truth
    test: BiasTest


@dataclass(frozen=True)
class Measurement:
    """One estimator at one policy: its cloud against the true gradient mu."""

    tr_sigma: Interval  # variance of a single update, summed over the parameters
    squared_mean: Interval  # |E g|^2, unbiased: it may fall below 0
    snr: Interval  # |E g|^2 / tr Sigma
    cosine: Interval  # mean of cos(g_i, mu)
    right_way: Interval  # P(cos > 0): updates that point within 90 degrees of mu
    projection: Interval  # E g . mu / |mu|^2: 1 for an unbiased estimator
    alignment: Interval  # cos(E g, mu): bias of the direction alone, whatever the scale
    ratio: Interval  # tr Sigma against plain policy gradient's, paired
    bias: Bias  # against the truth: bootstrap and baseline together
    added: Bias  # against the same target with an unbiased baseline: the weight's own doing

    def intervals(self) -> dict[str, Interval]:
        """Every interval by name, biases as `bias` and `bias_along`."""
        named = {
            f.name: value
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), Interval)
        }
        for name, bias in (("bias", self.bias), ("added", self.added)):
            named |= {name: bias.relative, f"{name}_along": bias.along}
        return named


def measure(
    gradients: Mapping[str, Array],
    reference: Reference,
    *,
    base: str,
    unbiased: str,
    target: str,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Measurement]:
    """Measure every estimator's cloud [N, P], all on the same windows.

    Biases are means of paired differences, in which the windows' common luck cancels.

    Args:
        base: the estimator whose tr Sigma is 1 in `ratio`.
        unbiased: the one whose mean is the truth, for `bias`.
        target: the one that uses the same target and a baseline free of bias, for `added`.
    """
    shadows = {  # [N, D] float64, the parts along the reference's directions
        key: (g @ reference.directions.T.astype(g.dtype)).astype(np.float64)
        for key, g in gradients.items()
    }
    others = (unbiased, target)
    columns = {
        key: _scalars(
            gradients[key],
            shadows[key][:, 0],
            [(gradients[other], shadows[other][:, 0]) for other in others],
        )
        for key in gradients
    }
    resampled = resampled_means(np.concatenate([*columns.values()], 1), draws, seed)  # [R, K]
    means = dict(zip(gradients, np.split(resampled, len(gradients), axis=1), strict=True))
    norm = np.random.default_rng([seed, 1]).normal(1, reference.norm_error, draws)
    tr_base = columns[base][:, 0].mean(), means[base][:, 0]
    return {
        key: _measured(
            columns[key],
            means[key],
            norm,
            tr_base,
            [hotelling(shadows[key] - shadows[other]) for other in others],
            np.sqrt(reference.squared_norm),
        )
        for key in gradients
    }


def _scalars(g: Array, shadow: Array, others: list[tuple[Array, Array]]) -> Array:
    """What the bootstrap resamples: tr, |gbar|^2, cos, cos > 0, shadow, then two biases.  [N, 11]

    A cloud's shadow is its part along the truth, g_i . mu / |mu|.  [N]
    """
    length = np.sqrt(squared_lengths(g))
    cos = np.divide(shadow, length, out=np.zeros(len(g)), where=length > 0)
    columns = [*moments(g), cos, cos > 0, shadow]
    for other, other_shadow in others:
        columns += [*moments(g - other), shadow - other_shadow]
    return np.stack(columns, 1, dtype=np.float64)


def _measured(
    columns: Array,
    means: Array,
    norm: Array,
    tr_base: tuple[float, Array],
    tests: list[BiasTest],
    length: float,
) -> Measurement:
    n, mean, exact = len(columns), columns.mean(0, keepdims=True), np.ones(1)

    def interval(quantity: Callable[[Array, Any, Any], Array]) -> Interval:
        """A quantity of the means, the truth's length and tr Sigma of the base; and resampled."""
        with np.errstate(divide="ignore", invalid="ignore"):
            estimate = quantity(mean, length * exact, tr_base[0] * exact)[0]
            return percentile_interval(estimate, quantity(means, length * norm, tr_base[1]), n)

    def square(m: Array, at: int) -> Array:
        return m[:, at + 1] - m[:, at] / (n - 1)  # |xbar|^2 - tr / n, where tr = n / (n-1) mean

    def bias(at: int, test: BiasTest) -> Bias:
        return Bias(
            relative=interval(lambda m, mu, _: np.sqrt(square(m, at).clip(0)) / mu),
            along=interval(lambda m, mu, _: m[:, at + 2] / mu),
            test=test,
        )

    return Measurement(
        tr_sigma=interval(lambda m, mu, _: m[:, 0] * n / (n - 1)),
        squared_mean=interval(lambda m, mu, _: square(m, 0)),
        snr=interval(lambda m, mu, _: square(m, 0) / m[:, 0] * (n - 1) / n),
        cosine=interval(lambda m, mu, _: m[:, 2]),
        right_way=interval(lambda m, mu, _: m[:, 3]),
        projection=interval(lambda m, mu, _: m[:, 4] / mu),
        alignment=interval(
            lambda m, mu, _: m[:, 4] / np.sqrt(np.maximum(square(m, 0), m[:, 4] ** 2))
        ),
        ratio=interval(lambda m, mu, base: m[:, 0] / base),
        bias=bias(5, tests[0]),
        added=bias(8, tests[1]),
    )
