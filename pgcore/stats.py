"""Statistics across seeds: the training seed, not the episode, is the unit of analysis.

Scores are arrays [S], one number for each seed, or [S, K], K evaluations of each; seeds lead, and
each column gets its own, pointwise interval. A comparison reads "y against x": a positive
difference favours y. Scores are finite: a seed that failed is a low score, not a gap, so NaN
raises ValueError. What the data cannot tell, such as the spread of one seed, comes back as nan.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from itertools import combinations
from math import comb, floor, log10
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
Seed = int | np.random.Generator  # of the Monte Carlo; fixed by default, so figures repeat
MAX_SPLITS = 20_000  # the permutation test enumerates up to here: 8 seeds against 8
MAX_SEEDS = 10**9  # seeds_needed looks no further


class Interval(NamedTuple):
    """An estimate, its bounds, and how many things it rests on."""

    estimate: Any  # a float, or [K] where the scores are [S, K]; so are low and high
    low: Any
    high: Any
    n: Any  # seeds; (of x, of y) in a comparison; repetitions in a simulation

    def __format__(self, spec: str) -> str:
        """`f"{interval:.1f}"` is "146.8 [119.0, 174.6]", `f"{share:.0%}"` is "85% [75%, 92%]".

        The spec is that of each number; ".3g", the default, gives all three the decimals with
        which the estimate has three digits. A single seed has no bounds, and that is said.
        """
        spec = spec or ".3g"
        if not np.isfinite(self.estimate):
            return "undefined"
        if spec.endswith("g"):
            size = float(format(abs(self.estimate), spec))  # 0.9999 is written as 1.00
            digits = int(spec[1:-1]) - 1
            spec = f".{max(digits - floor(log10(size)), 0) if size else digits}f"
        estimate = format(float(self.estimate), spec)
        if np.isnan(self.low):
            return f"{estimate} (no interval from n = {self.n})"
        return f"{estimate} {self.bounds(spec)}"

    def bounds(self, spec: str) -> str:
        """The bounds alone, where the estimate stands in other words: "[119.0, 174.6]"."""
        return f"[{float(self.low):{spec}}, {float(self.high):{spec}}]"


def _around(estimate: Any, half: Any, n: Any) -> Interval:
    return Interval(estimate, estimate - half, estimate + half, n)


def _scores(x: ArrayLike, max_ndim: int = 2) -> Floats:
    scores = np.asarray(x, dtype=np.float64)
    if not 1 <= scores.ndim <= max_ndim or scores.size == 0:
        shape = "[S]" if max_ndim == 1 else "[S] or [S, K]"
        raise ValueError(f"Scores must be {shape} with at least one seed, not {scores.shape}.")
    if not np.isfinite(scores).all():
        raise ValueError("Scores must be finite; give a failed seed a score, not a gap.")
    return scores


def _variance(x: Floats) -> Floats:
    """Unbiased variance over seeds; nan for one seed, exactly 0 for equal ones."""
    return (x - x[0]).var(axis=0, ddof=1) if len(x) > 1 else np.full(x.shape[1:], np.nan)


def _upper(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}.")
    return 0.5 + confidence / 2


# --- One group: what a band can mean -------------------------------------------------------------


def std_band(x: ArrayLike) -> Interval:
    """mean +- std (ddof=0), the lab's band: the spread of seeds, not a confidence interval."""
    x = _scores(x)
    return _around(x.mean(axis=0), x.std(axis=0), len(x))


def quantile_band(x: ArrayLike, share: float = 0.5) -> Interval:
    """The median, and the quantiles between which the middle `share` of the seeds lies."""
    x, upper = _scores(x), _upper(share)
    low, median, high = np.quantile(x, [1 - upper, 0.5, upper], axis=0)
    return Interval(median, low, high, len(x))


def standard_error_band(x: ArrayLike) -> Interval:
    """mean +- s / sqrt(S), s with ddof=1: a 68% interval of the mean, and only for many seeds."""
    x = _scores(x)
    return _around(x.mean(axis=0), np.sqrt(_variance(x) / len(x)), len(x))


def mean_t_interval(x: ArrayLike, confidence: float = 0.95) -> Interval:
    """mean +- t_{S-1} s / sqrt(S) (Student 1908); one seed gives nan bounds, equal seeds width 0.

    Two algorithms on the same seeds, paired: mean_t_interval(y - x).
    """
    mean, _, plus_error, n = standard_error_band(x)
    return _around(mean, special.stdtrit(n - 1, _upper(confidence)) * (plus_error - mean), n)


def iqm(x: ArrayLike) -> Any:
    """Interquartile mean: without the floor(S/4) lowest and highest seeds (Agarwal et al. 2021)."""
    from scipy import stats  # late: it takes longer to import than all else here

    return stats.trim_mean(_scores(x), 0.25)


def bootstrap_interval(
    x: ArrayLike, confidence: float = 0.95, draws: int = 2000, seed: Seed = 0, trim: float = 0.0
) -> Interval:
    """Percentile bootstrap of the mean (Efron 1979); too narrow for few seeds, see `coverage`.

    The mean leaves out the share `trim` at each end: resample ranks, and clip their running count.
    Pointwise intervals let all columns share these ranks, so that every resample of [S, K] comes
    out of one matrix product. One seed gives nan bounds.
    """
    x, upper = np.sort(_scores(x), axis=0), _upper(confidence)
    n, cut = len(x), int(trim * len(x))
    estimate = x[cut : n - cut].mean(axis=0)
    if n == 1:
        return _around(estimate, np.nan, n)
    ranks = np.random.default_rng(seed).integers(n, size=(draws, n))
    cells = (ranks + n * np.arange(draws)[:, None]).ravel()
    counts = np.bincount(cells, minlength=draws * n).reshape(draws, n)
    kept = np.diff(counts.cumsum(axis=1).clip(cut, n - cut), axis=1, prepend=cut)  # [draws, S]
    means = kept.astype(np.float64) @ x / (n - 2 * cut)  # [draws] or [draws, K]
    low, high = np.quantile(means, [1 - upper, upper], axis=0)
    return Interval(estimate, low, high, n)


def iqm_interval(
    x: ArrayLike, confidence: float = 0.95, draws: int = 2000, seed: Seed = 0
) -> Interval:
    """Stratified percentile bootstrap of the IQM (Agarwal et al. 2021, sec. 4).

    The strata are tasks, each of whose seeds are resampled apart. Here there is one task, so one
    stratum: its seeds. The columns of [S, K] are evaluations, not tasks; each has its own IQM.
    """
    return bootstrap_interval(x, confidence, draws, seed, trim=0.25)


def proportion_interval(successes: ArrayLike, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's interval (1927) of a share, such as the seeds that reached 475; honest at 0 and n.

    (p + w/2 +- sqrt(w p (1-p) + w^2/4)) / (1 + w), w = z^2 / n
    """
    k, z = np.asarray(successes, dtype=np.float64), special.ndtri(_upper(confidence))
    if n < 1 or not ((k >= 0) & (k <= n)).all():
        raise ValueError(f"n must be at least 1 and successes between 0 and n, not {n} and {k}.")
    p, w = k / n, z**2 / n
    centre, half = (p + w / 2) / (1 + w), np.sqrt(w * p * (1 - p) + w**2 / 4) / (1 + w)
    low, high = np.where(k == 0, 0, centre - half), np.where(k == n, 1, centre + half)
    return Interval(p[()], low[()], high[()], n)


# --- Two groups: is y better than x? -------------------------------------------------------------


class Welch(NamedTuple):
    t: Any
    df: Any
    p: Any
    difference: Any  # of the means
    error: Any  # its standard error
    n: tuple[int, int]


class Permutation(NamedTuple):
    difference: float
    p: float
    splits: int  # tried; with 3 seeds against 3 there are 20, and no p below 2/20
    n: tuple[int, int]


def welch_test(x: ArrayLike, y: ArrayLike) -> Welch:
    """Two-sided t test, variances unequal (Welch 1947); p is nan for one seed or no spread."""
    x, y = _scores(x), _scores(y)
    vx, vy = _variance(x) / len(x), _variance(y) / len(y)
    difference, error = y.mean(axis=0) - x.mean(axis=0), np.sqrt(vx + vy)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = difference / error
        df = (vx + vy) ** 2 / (vx**2 / (len(x) - 1) + vy**2 / (len(y) - 1))
    return Welch(t, df, 2 * special.stdtr(df, -abs(t)), difference, error, (len(x), len(y)))


def difference_interval(x: ArrayLike, y: ArrayLike, confidence: float = 0.95) -> Interval:
    """Welch's t interval of mean(y) - mean(x); bounds are nan where `welch_test` has no p."""
    _, df, _, difference, error, n = welch_test(x, y)
    return _around(difference, special.stdtrit(df, _upper(confidence)) * error, n)


def effect_size(x: ArrayLike, y: ArrayLike, confidence: float = 0.95) -> Interval:
    """Cohen's d = (mean(y) - mean(x)) / sqrt((s_x^2 + s_y^2) / 2), which `seeds_needed` takes.

    se^2 = 1/n_x + 1/n_y + d^2 / (2(n_x + n_y)), for many seeds (Hedges & Olkin 1985).
    """
    x, y = _scores(x), _scores(y)
    with np.errstate(divide="ignore", invalid="ignore"):
        d = (y.mean(axis=0) - x.mean(axis=0)) / np.sqrt((_variance(x) + _variance(y)) / 2)
        error = np.sqrt(1 / len(x) + 1 / len(y) + d**2 / (2 * (len(x) + len(y))))
        return _around(d, special.ndtri(_upper(confidence)) * error, (len(x), len(y)))


def permutation_test(x: ArrayLike, y: ArrayLike, draws: int = 5000, seed: Seed = 0) -> Permutation:
    """How many relabellings of the seeds give a difference of means as large, of either sign?

    Up to MAX_SPLITS all are tried, p = hits / splits; beyond, `draws` at random, and p = (hits+1)
    / (draws+1), because the labels as they are count too (Phipson & Smyth 2010).
    """
    x, y = _scores(x, max_ndim=1), _scores(y, max_ndim=1)
    nx, ny, pooled = len(x), len(y), np.concatenate([x, y])
    splits, own = comb(nx + ny, nx), 0
    if splits <= MAX_SPLITS:
        x_sums = pooled[np.array(list(combinations(range(nx + ny), nx)))].sum(axis=1)
    else:
        rng, ones = np.random.default_rng(seed), np.ones(nx + ny, dtype=np.int64)
        x_sums = rng.multivariate_hypergeometric(ones, nx, size=draws, method="count") @ pooled
        splits, own = draws, 1
    difference, relabelled = y.mean() - x.mean(), (pooled.sum() - x_sums) / ny - x_sums / nx
    rounding = 1e-9 * np.ptp(pooled)  # equal differences may differ in their last digits
    hits = int((abs(relabelled) >= abs(difference) - rounding).sum())
    return Permutation(difference, (hits + own) / (splits + own), splits, (nx, ny))


def probability_of_improvement(x: ArrayLike, y: ArrayLike, confidence: float = 0.95) -> Interval:
    """P(Y > X) + P(Y = X)/2 = U / (n_x n_y), U of Mann & Whitney (Agarwal et al. 2021).

    The interval holds each theta with |estimate - theta| <= z sqrt(V(theta)), Newcombe's (2006)
    method 5; like Wilson's it keeps a width where y always wins, which a bootstrap does not.
    V = theta(1-theta) [1 + ((n_x+n_y)/2 - 1) ((1-theta)/(2-theta) + theta/(1+theta))] / (n_x n_y)
    """
    from scipy import stats

    x, y, z = _scores(x, 1), _scores(y, 1), special.ndtri(_upper(confidence))
    nx, ny = len(x), len(y)
    estimate = stats.mannwhitneyu(y, x).statistic / (nx * ny)
    theta = np.append(np.linspace(0, 1, 10_001), estimate)
    overlap = (1 - theta) / (2 - theta) + theta / (1 + theta)
    variance = theta * (1 - theta) * (1 + ((nx + ny) / 2 - 1) * overlap) / (nx * ny)
    held = theta[abs(estimate - theta) <= z * np.sqrt(variance)]
    return Interval(estimate, held.min(), held.max(), (nx, ny))


def holm(p_values: ArrayLike) -> Floats:
    """Holm's (1979) adjusted p values, in the order given: max_{j<=i} (m - j + 1) p_(j), <= 1."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p values must be a list of numbers between 0 and 1.")
    order = p.argsort()
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    return steps[order.argsort()]


# --- Planning: how many seeds does a difference need? --------------------------------------------


def power_two_sample_t(d: float, n: ArrayLike, alpha: float = 0.05) -> Any:
    """P(the two-sided t test at level alpha, n seeds in each group, sees an effect d).

    t is noncentral, 2n - 2 degrees of freedom, noncentrality d sqrt(n/2) (Colas et al. 2018); its
    square is noncentral F, both tails in one.
    """
    from scipy import stats

    n = np.asarray(n, dtype=np.float64)
    if not np.isfinite(d) or not (n >= 2).all() or not 0 < alpha < 1:
        raise ValueError("Power needs a finite d, n of at least 2 and alpha between 0 and 1.")
    bound = -special.stdtrit(2 * n - 2, alpha / 2)
    # Not scipy's nct, whose far tail turns nan, nor ncf.sf, negative at d = 0 (scipy#26188).
    return 1 - stats.ncf.cdf(bound**2, 1, 2 * n - 2, d**2 * n / 2)


def seeds_needed(d: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """The fewest seeds in each group with which `power_two_sample_t` reaches `power`."""
    if not 0 < alpha < power < 1:
        raise ValueError(f"Need 0 < alpha < power < 1, not alpha {alpha} and power {power}.")
    n = bisect_left(range(MAX_SEEDS), power, 2, key=lambda n: power_two_sample_t(d, n, alpha))
    if n == MAX_SEEDS:
        raise ValueError(f"An effect of {d} needs more than a billion seeds; give a larger one.")
    return n


# --- Where the noise comes from: training or evaluation? -----------------------------------------


class RandomEffects(NamedTuple):
    seed_variance: float  # between policies; unbiased, so below 0 when seeds hardly differ
    episode_variance: float  # between episodes of one policy
    msb: float
    msw: float
    n: int  # seeds
    episodes: int  # of each


def random_effects(x: ArrayLike) -> RandomEffects:
    """One-way random effects of x [S, E], the returns of E evaluation episodes of each seed.

    x_se = mu + seed_s + episode_se: sigma_ep^2 = MSW, sigma_seed^2 = (MSB - MSW) / E. One seed or
    one episode cannot tell the two apart: nan.
    """
    x = _scores(x)
    if x.ndim != 2:
        raise ValueError("Random effects need returns [S, E]: episodes of each seed.")
    seeds, episodes = x.shape
    msb, msw = float(episodes * _variance(x.mean(axis=1))), float(_variance(x.T).mean())
    return RandomEffects((msb - msw) / episodes, msw, msb, msw, seeds, episodes)


def variance_of_mean(effects: RandomEffects, num_seeds: ArrayLike, episodes: ArrayLike) -> Any:
    """Var = sigma_seed^2 / S + sigma_ep^2 / (S E): more episodes never shrink the first term.

    A negative estimate of sigma_seed^2 counts as 0.
    """
    seeds, episodes = np.asarray(num_seeds), np.asarray(episodes)
    if not (seeds >= 1).all() or not (episodes >= 1).all():
        raise ValueError("num_seeds and episodes must be at least 1.")
    return (np.maximum(effects.seed_variance, 0) + effects.episode_variance / episodes) / seeds


# --- The lottery: how often do n seeds name the wrong winner? ------------------------------------


class Lottery(NamedTuple):
    ranking: tuple[str, ...]  # the order of the pools' means, best first
    wrong_winner: Interval  # its n is the number of seeds in the smallest pool
    wrong_ranking: Interval
    other_ranking: float  # share of the resampled pools whose means have another order
    n: Any  # seeds drawn from each pool; [K] on a curve
    draws: int


def lottery(
    pools: Mapping[str, ArrayLike],
    num_seeds: ArrayLike,
    draws: int = 2000,
    seed: Seed = 0,
    resamples: int = 200,
) -> Lottery:
    """Draw num_seeds seeds of every pool, again and again: how often do their means mislead?

    The truth is the order of the pool means. Draws are independent and with replacement, for a
    pool stands for all the seeds that another study might train: without replacement the risk
    would fall to 0 at the size of the pool. Ties are broken at random. With several num_seeds,
    larger draws extend smaller ones.

    The pool is itself a sample, so the interval comes from a bootstrap of two levels: resample
    every pool's seeds, rank the resampled means anew, and draw from the resampled pools. Each
    resample gets a tenth of the draws only; the variance that these few draws add is known,
    share (1 - share) / draws, and is taken out: the shares' deviations from their mean are scaled
    down to the spread that all the draws would leave. `lottery_coverage` measures the result.
    """
    scores = {name: _scores(pool, max_ndim=1) for name, pool in pools.items()}
    n = np.asarray(num_seeds)
    if len({float(pool.mean()) for pool in scores.values()}) < max(len(scores), 2):
        raise ValueError("A lottery needs two or more pools with different means.")
    if n.size == 0 or not (n >= 1).all() or draws < 1 or resamples < 2:
        raise ValueError("A lottery draws at least 1 seed, and at least once, of 2 resamples.")
    rng, few = np.random.default_rng(seed), max(draws // 10, 1)
    ranking = _ranking(scores)
    scores = {name: scores[name] for name in ranking}  # so the given order changes nothing
    found = _misled(scores, ranking, n, draws, rng)
    shares, other = [], 0
    for _ in range(resamples):
        resampled = {name: rng.choice(pool, len(pool)) for name, pool in scores.items()}
        order = _ranking(resampled)
        other += order != ranking
        shares.append(_misled(resampled, order, n, few, rng))
    size = min(map(len, scores.values()))
    winner, order_of_all = (
        _two_levels(share, resampled, draws, few, size)
        for share, resampled in zip(found, np.stack(shares, axis=1), strict=True)
    )
    return Lottery(ranking[::-1], winner, order_of_all, other / resamples, n[()], draws)


def _ranking(pools: Mapping[str, Floats]) -> tuple[str, ...]:
    """The names in the order of the pools' means, worst first."""
    return tuple(sorted(pools, key=lambda name: pools[name].mean()))


def _misled(
    pools: Mapping[str, Floats],
    ranking: tuple[str, ...],
    n: Any,
    draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Shares of the draws with a wrong winner, and with a wrong ranking.  [2] or [2, K]"""
    by_rank = [pools[name] for name in ranking]
    drawn = [
        pool[rng.integers(len(pool), size=(draws, n.max()), dtype=np.uint32)] for pool in by_rank
    ]
    sums = np.stack(drawn).cumsum(axis=-1)[..., n - 1]  # [P, draws] or [P, draws, K]
    ties = rng.random((len(by_rank), draws)) * 1e-9 * np.ptp(np.concatenate(by_rank))
    sums += ties.reshape(ties.shape + (1,) * n.ndim)
    wrong_winner = sums[:-1].max(axis=0) > sums[-1]
    wrong_ranking = (sums[1:] < sums[:-1]).any(axis=0)
    return np.stack([wrong_winner.mean(axis=0), wrong_ranking.mean(axis=0)])


def _two_levels(share: Any, resampled: Floats, draws: int, few: int, size: int) -> Interval:
    """A share's interval from resampled pools' shares [R] or [R, K], each of `few` draws.

    It is never narrower than that of the draws alone, which is what remains where no resample
    errs at all.
    """
    total, of_draws = resampled.var(axis=0), (resampled * (1 - resampled)).mean(axis=0)
    kept = (total - of_draws / few + of_draws / draws).clip(0)
    scale = np.sqrt(np.divide(kept, total, out=np.zeros_like(total), where=total > 0))
    centre = resampled.mean(axis=0)
    low, high = np.quantile(centre + scale * (resampled - centre), [0.025, 0.975], axis=0)
    alone = proportion_interval(np.round(share * draws), draws)
    return Interval(share, np.minimum(low, alone.low), np.maximum(high, alone.high), size)


def lottery_curve(
    pools: Mapping[str, ArrayLike], max_seeds: int = 50, draws: int = 2000, seed: Seed = 0
) -> Lottery:
    """`lottery` with 1, 2, ... max_seeds seeds."""
    return lottery(pools, np.arange(1, max_seeds + 1), draws, seed)


class LotteryCoverage(NamedTuple):
    draws_alone: Interval  # share of the pools whose interval of the draws alone holds the truth
    both: Interval  # ... whose interval of `lottery` does
    truth: float  # the risk of a wrong ranking in the populations themselves


def lottery_coverage(
    populations: Mapping[str, ArrayLike],
    num_seeds: int,
    pool_size: int = 300,
    pools: int = 200,
    seed: Seed = 0,
) -> LotteryCoverage:
    """How often the lottery's intervals of the wrong ranking hold the truth of the populations.

    A pool is `pool_size` seeds drawn from its population; every pool plays its own lottery.
    """
    whole = {name: _scores(population, 1) for name, population in populations.items()}
    rng = np.random.default_rng(seed)
    truth = _misled(whole, _ranking(whole), np.asarray(num_seeds), 200_000, rng)[1]
    alone = both = 0
    for _ in range(pools):
        drawn = {name: rng.choice(population, pool_size) for name, population in whole.items()}
        played = lottery(drawn, num_seeds, seed=rng)
        share = played.wrong_ranking
        both += bool(share.low <= truth <= share.high)
        wilson = proportion_interval(np.round(share.estimate * played.draws), played.draws)
        alone += bool(wilson.low <= truth <= wilson.high)
    return LotteryCoverage(
        proportion_interval(alone, pools), proportion_interval(both, pools), float(truth)
    )


# --- Coverage: does a 95% interval hold the truth 95 times in 100? -------------------------------

_LEVELS = (np.arange(10_000) + 0.5) / 10_000
POPULATIONS = {"normal": special.ndtri(_LEVELS), "skewed": -special.log1p(-_LEVELS)}


class Coverage(NamedTuple):
    t: Interval  # share of the studies whose interval holds the truth; its n is their number
    bootstrap: Interval
    n: int  # seeds in each study


def coverage(
    pool: ArrayLike, n: int, confidence: float = 0.95, studies: int = 2000, seed: Seed = 0
) -> Coverage:
    """How often the t interval and the percentile bootstrap of n seeds hold the pool's mean.

    The pool is any set of scores, or one of POPULATIONS (normal, exponential).
    """
    pool = _scores(pool, max_ndim=1)
    if n < 2 or studies < 1:
        raise ValueError("Coverage needs at least 2 seeds in a study, and at least 1 study.")
    rng, truth = np.random.default_rng(seed), pool.mean()
    samples = rng.choice(pool, (n, studies))  # a column is a study

    def held(interval: Interval) -> int:
        return int(((interval.low <= truth) & (truth <= interval.high)).sum())

    t = held(mean_t_interval(samples, confidence))
    # Fifty studies share their resamples; if all did, one bad set of resamples would touch all.
    blocks = np.array_split(samples, -(-studies // 50), axis=1)
    bootstrap = sum(held(bootstrap_interval(block, confidence, seed=rng)) for block in blocks)
    return Coverage(proportion_interval(t, studies), proportion_interval(bootstrap, studies), n)
