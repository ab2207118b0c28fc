"""Statistics of gradient clouds: how far single updates scatter, and where their mean lies.

An estimator's cloud is [N, P]: one gradient a window, all windows independent. With mu = E g and
Sigma = Cov g,

    tr Sigma   = sum |g_i - gbar|^2 / (N - 1)              how far single updates scatter
    |mu|^2     = |gbar|^2 - tr Sigma / N                    without the noise that |gbar|^2 holds
    SNR        = |mu|^2 / tr Sigma                          of one update

Intervals come from one bootstrap over windows (Efron 1979), shared by all estimators so that
comparisons are paired. It never touches the clouds: every quantity is a smooth function of means
of per-window scalars, such as |g_i - gbar|^2, and resampled means are one matrix product. The
scalars are exact to first order in 1/N.

Nothing here knows where the clouds come from: CartPole's windows and ToyPole's use the same code.
Shapes: N windows, P parameters, R resamples, K scalars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy import stats as distributions

from pgcore.exact import Parabola
from pgcore.stats import Interval

Array = NDArray[np.floating]
DRAWS, CONFIDENCE = 1000, 0.95
BLOCK = 100  # resamples in memory at once
MAX_PROJECTIONS = 5  # of the bias test: more would only dilute it


# --- The bootstrap ---------------------------------------------------------------------------


def resampled_means(scalars: Array, draws: int = DRAWS, seed: int = 0) -> Array:
    """Means of the columns over windows drawn with replacement.  [N, K] -> [R, K]"""
    n, rng = len(scalars), np.random.default_rng(seed)
    centre = scalars.mean(0)
    centred, means = scalars - centre, []
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        cells = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(cells.ravel(), minlength=size * n).reshape(size, n)
        means.append(counts.astype(np.float64) @ centred / n + centre)
    return np.concatenate(means)


def percentile_interval(estimate: float, draws: Array, n: int) -> Interval:
    """The estimate between the percentiles of its resamples; nan where some are undefined."""
    if not np.isfinite(draws).all():
        return Interval(float(estimate), np.nan, np.nan, n)
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(estimate), float(low), float(high), n)


# --- The truth to compare with ---------------------------------------------------------------


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
    tr_sigma = _norms(centred).sum() / (n - 1)
    squared_norm = float(mean @ mean - tr_sigma / n)
    if squared_norm <= 0:
        squared_norm = np.nan
    unit = mean / (np.linalg.norm(mean) or 1.0)
    along = centred @ unit
    rest = centred - along[:, None] * unit  # [N, P]
    others = min(MAX_PROJECTIONS, len(mean)) - 1
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


def widest(scatter: Array, count: int) -> Array:
    """The `count` leading eigenvectors of a scatter matrix [P, P], widest first.  [count, P]"""
    size = len(scatter)
    _, vectors = linalg.eigh(scatter, subset_by_index=[size - max(count, 1), size - 1])
    return vectors.T[::-1][:count]


# --- One estimator, measured -----------------------------------------------------------------


class BiasTest(NamedTuple):
    """Hotelling's T^2 (1931): is the mean of paired differences zero in all directions at once?"""

    t2: float
    f: float
    p: float  # nan where a direction has no spread at all
    directions: int


def hotelling(differences: Array) -> BiasTest:
    """T^2 = N dbar' S^-1 dbar,  F = (N - D) / (D (N - 1)) T^2 on D and N - D degrees of freedom.

    Args:
        differences: [N, D], projections on D <= 5 directions chosen without these windows.

    Raises: ValueError for more directions, which would dilute the test, or too few windows.
    """
    n, d = differences.shape
    if not 1 <= d <= MAX_PROJECTIONS or n <= d + 1:
        raise ValueError(
            f"The bias test takes 1 to {MAX_PROJECTIONS} projections of more windows than that, "
            f"not {d} of {n}."
        )
    x = np.asarray(differences, np.float64)
    mean, spread = x.mean(0), x.std(0, ddof=1)
    if not (spread > 0).all():
        return BiasTest(np.nan, np.nan, np.nan, d)
    correlation = np.corrcoef(x.T).reshape(d, d)
    standardized = mean / spread
    t2 = float(n * standardized @ linalg.lstsq(correlation, standardized)[0])
    f = (n - d) / (d * (n - 1)) * t2
    return BiasTest(t2, f, float(distributions.f.sf(f, d, n - d)), d)


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
    n = len(gradients[base])
    scalars = {
        key: _scalars(g, gradients[unbiased], gradients[target], reference)
        for key, g in gradients.items()
    }
    means = resampled_means(np.concatenate([*scalars.values()], 1), draws, seed)  # [R, K]
    by_key = dict(zip(gradients, np.split(means, len(gradients), axis=1), strict=True))
    norm = np.random.default_rng([seed, 1]).normal(1, reference.norm_error, draws)  # of |rbar|
    tr_base = scalars[base][:, 0].mean(), by_key[base][:, 0]
    return {
        key: _measured(
            g, gradients[unbiased], gradients[target], reference,
            scalars[key].mean(0), by_key[key], norm, tr_base, n,
        )
        for key, g in gradients.items()
    }  # fmt: skip


def _norms(x: Array) -> Array:
    """Squared lengths.  [N, P] -> [N] float64"""
    return np.einsum("np,np->n", x, x).astype(np.float64)


def _moments(x: Array) -> tuple[Array, Array]:
    """Per window |x_i - xbar|^2 and |xbar|^2 + 2 xbar . (x_i - xbar).  [N], [N]

    The mean of the second is |xbar|^2 however the windows are drawn, to first order.
    """
    mean = x.mean(0, dtype=np.float64).astype(x.dtype)
    centred = x - mean
    squared = float(mean.astype(np.float64) @ mean)
    return _norms(centred), squared + 2 * (centred @ mean).astype(np.float64)


def _scalars(g: Array, unbiased: Array, target: Array, reference: Reference) -> Array:
    """What the bootstrap resamples: tr, |gbar|^2, cos, cos > 0, projection, two biases.  [N, 11]"""
    mean = reference.mean.astype(g.dtype)
    dot = (g @ mean).astype(np.float64)
    length = np.sqrt(_norms(g)) * np.linalg.norm(reference.mean)
    cos = np.divide(dot, length, out=np.zeros_like(dot), where=length > 0)
    columns = [*_moments(g), cos, dot > 0, dot / reference.squared_norm]
    for other in (unbiased, target):
        difference = g - other
        columns += [*_moments(difference), difference @ mean / reference.squared_norm]
    return np.stack([np.asarray(c, np.float64) for c in columns], 1)


def _measured(
    g: Array,
    unbiased: Array,
    target: Array,
    reference: Reference,
    means: Array,
    draws: Array,
    norm: Array,
    tr_base: tuple[float, Array],
    n: int,
) -> Measurement:
    def interval(quantity) -> Interval:
        """`quantity` of the means, and of every resample's; |rbar|'s error enters the latter."""
        with np.errstate(divide="ignore", invalid="ignore"):
            estimate = quantity(means[None], np.ones(1), np.array([tr_base[0]]))
            return percentile_interval(estimate[0], quantity(draws, norm, tr_base[1]), n)

    def unbiased_square(m: Array, at: int) -> Array:
        return m[:, at + 1] - m[:, at] / (n - 1)  # |xbar|^2 - tr / n, as tr = n/(n-1) mean

    def bias(at: int, other: Array) -> Bias:
        scale = np.sqrt(reference.squared_norm)
        size = interval(lambda m, k, _: np.sqrt(unbiased_square(m, at).clip(0)) / scale / k)
        along = interval(lambda m, k, _: m[:, at + 2] / k)
        return Bias(size, along, hotelling((g - other) @ reference.directions.T.astype(g.dtype)))

    def alignment(m: Array, k: Array, _: Array) -> Array:
        along = m[:, 4] * np.sqrt(reference.squared_norm) / k
        return along / np.sqrt(np.maximum(unbiased_square(m, 0), along**2))

    return Measurement(
        tr_sigma=interval(lambda m, k, _: m[:, 0] * n / (n - 1)),
        squared_mean=interval(lambda m, k, _: unbiased_square(m, 0)),
        snr=interval(lambda m, k, _: unbiased_square(m, 0) / m[:, 0] * (n - 1) / n),
        cosine=interval(lambda m, k, _: m[:, 2]),
        right_way=interval(lambda m, k, _: m[:, 3]),
        projection=interval(lambda m, k, _: m[:, 4] / k),
        alignment=interval(alignment),
        ratio=interval(lambda m, k, base: m[:, 0] / base),
        bias=bias(5, unbiased),
        added=bias(8, target),
    )


# --- The parabola of a constant baseline -----------------------------------------------------


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
    g = gradients - gradients.mean(0, dtype=np.float64).astype(gradients.dtype)
    s = scores - scores.mean(0, dtype=np.float64).astype(scores.dtype)
    cross = np.einsum("np,np->n", g, s)
    return np.stack([_norms(s), cross, _norms(g)], 1).astype(np.float64) * n / (n - 1)


# --- One trajectory against independent steps ------------------------------------------------


def design_effect(
    gradients: Array, squared_terms: Array, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """T tr Var(batch) / tr Var(single step): 1 if the steps of a batch were independent.

    A batch of one trajectory holds T steps that know of each other. Scores alone (Psi = 1) are
    martingale differences, so they give exactly 1; returns are not.

    Args:
        gradients: [N, P] g = (1/T) sum_t Psi_t psi_t.
        squared_terms: [N, T] |Psi_t psi_t|^2, whose mean less |mu|^2 is tr Var of a single step.
    """
    n, steps = squared_terms.shape
    scalars = np.stack([*_moments(gradients), squared_terms.mean(1, dtype=np.float64)], 1)

    def effect(m: Array) -> Array:
        squared_mean = m[:, 1] - m[:, 0] / (n - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return steps * m[:, 0] * n / (n - 1) / (m[:, 2] - squared_mean)

    estimate = effect(scalars.mean(0)[None])[0]
    return percentile_interval(estimate, effect(resampled_means(scalars, draws, seed)), n)
