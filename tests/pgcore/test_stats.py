"""pgcore.stats: values worked by hand, agreement with scipy, coverage by simulation, bad input."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations, product
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as sps

from pgcore import stats

X = np.array([120, 135, 150, 98, 210, 175, 160, 142, 88, 190.0])
Y = np.array([180, 240, 205, 150, 310, 260, 199, 275, 168, 230.0])
CURVES = np.random.default_rng(7).gamma(2.0, 60.0, size=(12, 4))  # [S, K]

returns = st.lists(st.integers(8, 500), min_size=2, max_size=30)  # episode lengths, ties and all


def within_binomial_error(share: float, expected: float, trials: int) -> bool:
    """Four standard errors: a correct share fails once in 16,000 seeds."""
    return abs(share - expected) <= 4 * np.sqrt(expected * (1 - expected) / trials)


# --- One group -----------------------------------------------------------------------------------


def test_bands_by_hand() -> None:
    lab, error = stats.std_band(X), stats.standard_error_band(X)
    assert lab.estimate == error.estimate == 146.8
    assert lab.high - lab.estimate == pytest.approx(36.823362, abs=1e-6)
    assert (error.high - error.estimate) * np.sqrt(10) == pytest.approx(38.815232, abs=1e-6)
    assert stats.mean_t_interval(X) == pytest.approx((146.8, 119.033256, 174.566744, 10), abs=1e-6)
    assert stats.quantile_band(X) == (146.0, np.quantile(X, 0.25), np.quantile(X, 0.75), 10)
    assert stats.iqm(X) == stats.iqm_interval(X).estimate == 147.0
    assert [band.n for band in (lab, error, stats.iqm_interval(X))] == [10, 10, 10]


def test_the_std_band_is_no_confidence_interval() -> None:
    """A hundred times the seeds leave it as wide; the interval of the mean shrinks tenfold."""

    def width(interval: stats.Interval) -> float:
        return float(interval.high - interval.low)

    many = np.tile(X, 100)
    assert width(stats.std_band(many)) == pytest.approx(width(stats.std_band(X)))
    assert width(stats.mean_t_interval(many)) < width(stats.mean_t_interval(X)) / 10


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_t_interval_agrees_with_scipy(confidence: float) -> None:
    low, high = sps.ttest_1samp(X, 0).confidence_interval(confidence)
    assert stats.mean_t_interval(X, confidence)[1:3] == pytest.approx((low, high))


@pytest.mark.parametrize("trim", [0.0, 0.25])
def test_bootstrap_agrees_with_scipy_resample_for_resample(trim: float) -> None:
    """The same generator draws the same ranks there; sorted scores make ranks and seeds equal."""

    def statistic(x: Any, axis: int) -> Any:
        return sps.trim_mean(x, trim, axis=axis)

    theirs = sps.bootstrap(
        [np.sort(X)], statistic, n_resamples=2000, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    ours = stats.bootstrap_interval(X, seed=3, trim=trim)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    if trim:
        assert stats.iqm_interval(X, seed=3) == ours


@pytest.mark.parametrize(
    "band",
    [
        stats.std_band,
        stats.quantile_band,
        stats.standard_error_band,
        stats.mean_t_interval,
        stats.bootstrap_interval,
        stats.iqm_interval,
    ],
)
def test_curves_are_their_columns(band: Callable[[Any], stats.Interval]) -> None:
    together, apart = band(CURVES), [band(column) for column in CURVES.T]
    for bound in ("estimate", "low", "high"):
        expected = [getattr(interval, bound) for interval in apart]
        assert getattr(together, bound) == pytest.approx(expected)
    assert together.n == 12


def test_bootstrap_repeats_with_its_seed_and_only_then() -> None:
    assert stats.bootstrap_interval(X, seed=1) == stats.bootstrap_interval(X, seed=1)
    assert stats.bootstrap_interval(X, seed=1) != stats.bootstrap_interval(X, seed=2)


@pytest.mark.parametrize("k, n", [(0, 10), (1, 10), (7, 10), (10, 10), (0, 1), (312, 1000)])
def test_wilson_agrees_with_scipy(k: int, n: int) -> None:
    theirs = sps.binomtest(k, n).proportion_ci(method="wilson")
    expected = (k / n, theirs.low, theirs.high, n)
    assert stats.proportion_interval(k, n) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [5, 10, 30])
def test_wilson_covers_without_simulation(n: int) -> None:
    """Exact coverage, summed over the binomial, averaged over the true share."""
    k, truth = np.arange(n + 1), np.linspace(0.005, 0.995, 199)
    wilson = stats.proportion_interval(k, n)
    held = (wilson.low[:, None] <= truth) & (truth <= wilson.high[:, None])
    coverage = (held * sps.binom.pmf(k[:, None], n, truth)).sum(axis=0)
    assert coverage.mean() == pytest.approx(0.95, abs=0.01)


def test_wilson_reaches_zero_and_one_exactly() -> None:
    for n in range(1, 200):
        none, all_of_them = stats.proportion_interval(0, n), stats.proportion_interval(n, n)
        assert none.low == 0 < none.high and all_of_them.low < 1 == all_of_them.high


@given(returns, st.floats(0.1, 10), st.floats(-1000, 1000))
def test_intervals_move_with_the_scores(scores: list[int], scale: float, shift: float) -> None:
    x = np.array(scores)
    for interval in (stats.mean_t_interval, stats.iqm_interval):
        estimate, low, high, _ = interval(x)
        moved = interval(scale * x + shift)[:3]
        expected = [scale * value + shift for value in (estimate, low, high)]
        assert moved == pytest.approx(expected, rel=1e-6, abs=1e-6)
        assert low <= estimate + 1e-9 and estimate <= high + 1e-9


# --- Two groups ----------------------------------------------------------------------------------


def test_comparison_by_hand() -> None:
    welch = stats.welch_test(X, Y)
    assert (welch.t, welch.df) == pytest.approx((3.712873, 16.863873), abs=1e-6)
    assert welch.p == pytest.approx(0.00174921, abs=1e-8)
    improvement = stats.probability_of_improvement(X, Y)
    assert improvement.estimate == 0.885 and improvement.estimate * 100 == 88.5  # U of 10 x 10
    permutation = stats.permutation_test(X[:5], Y[:5])
    assert (permutation.p, permutation.splits) == (18 / 252, 252)
    assert welch.n == improvement.n == (10, 10) and permutation.n == (5, 5)


def test_welch_agrees_with_scipy() -> None:
    theirs = sps.ttest_ind(Y[:6], X, equal_var=False)
    ours = stats.welch_test(X, Y[:6])
    assert (ours.t, ours.df, ours.p) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))
    interval = stats.difference_interval(X, Y[:6], confidence=0.9)
    assert interval[1:3] == pytest.approx(tuple(theirs.confidence_interval(0.9)))
    assert interval.n == (10, 6)


def test_comparisons_take_curves() -> None:
    together = stats.difference_interval(CURVES, CURVES[:5] + 10)
    for k, low in enumerate(together.low):
        apart = stats.difference_interval(CURVES[:, k], CURVES[:5, k] + 10)
        assert low == pytest.approx(apart.low)
    assert stats.welch_test(CURVES, CURVES[:5]).p.shape == (4,)


@pytest.mark.parametrize("nx, ny", [(5, 5), (3, 7), (8, 8), (2, 9)])
def test_exact_permutation_agrees_with_scipy(nx: int, ny: int) -> None:
    def size(x: Any, y: Any, axis: int) -> Any:
        return abs(y.mean(axis=axis) - x.mean(axis=axis))

    x, y = X[:nx], Y[:ny]
    theirs = sps.permutation_test(
        (x, y), size, vectorized=True, n_resamples=np.inf, alternative="greater"
    )
    ours = stats.permutation_test(x, y)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.splits == comb(nx + ny, nx)


def test_monte_carlo_permutation_meets_the_exact_one() -> None:
    x, y = X[:9], Y[:9] - 40  # 48,620 splits
    pooled = np.concatenate([x, y])
    sums = np.array([sum(half) for half in combinations(pooled, 9)])
    exact = (abs(pooled.sum() - 2 * sums) >= abs(y.sum() - x.sum()) - 1e-6).mean()
    ours = stats.permutation_test(x, y, draws=5000)
    assert ours.splits == 5000
    assert within_binomial_error(ours.p, exact, 5000)


def test_permutation_p_is_never_zero_and_errs_as_often_as_it_says() -> None:
    assert stats.permutation_test(np.zeros(20), np.arange(20) + 100.0).p == 1 / 5001
    rng = np.random.default_rng(0)
    studies = rng.exponential(size=(600, 2, 10))
    false_alarms = np.mean([stats.permutation_test(x, y, 999).p <= 0.05 for x, y in studies])
    assert within_binomial_error(float(false_alarms), 0.05, 600)


def test_three_seeds_against_three_can_never_be_significant() -> None:
    assert stats.permutation_test([1, 2, 3], [400, 450, 500]).p == 2 / 20


def test_improvement_counts_pairs() -> None:
    wins = np.mean([(y > x) + 0.5 * (y == x) for x, y in product([1, 2, 2], [2, 3, 1, 2])])
    improvement = stats.probability_of_improvement([1, 2, 2], [2, 3, 1, 2])
    assert improvement.estimate == pytest.approx(wins)
    assert improvement.n == (3, 4)


def test_improvement_keeps_a_width_where_y_always_wins() -> None:
    estimate, low, high, _ = stats.probability_of_improvement([1, 2, 3], [4, 5, 6])
    assert estimate == high == 1 and low < 0.7


@pytest.mark.parametrize("confidence", [0.05, 0.95])
def test_improvement_interval_holds_its_estimate_however_rare(confidence: float) -> None:
    """One pair in a million: finer than the grid on which the bounds are sought."""
    x, y = np.append(np.full(999, 10.0), 0.0), np.append(np.full(999, -1.0), 5.0)
    estimate, low, high, _ = stats.probability_of_improvement(x, y, confidence)
    assert low <= estimate == 1e-6 <= high


def test_improvement_interval_solves_its_equation() -> None:
    interval = stats.probability_of_improvement(X, Y)
    for theta in interval[1:3]:
        q1, q2 = theta / (2 - theta), 2 * theta**2 / (1 + theta)  # Hanley & McNeil 1982
        variance = theta * (1 - theta) + 9 * (q1 - theta**2) + 9 * (q2 - theta**2)
        z = abs(interval.estimate - theta) / np.sqrt(variance / 100)
        assert z == pytest.approx(1.959964, abs=0.005)  # bounds are known to 1e-4


@given(returns, returns)
def test_comparisons_have_two_sides(x: list[int], y: list[int]) -> None:
    ours, mirrored = stats.probability_of_improvement(x, y), stats.probability_of_improvement(y, x)
    assert ours.estimate == pytest.approx(1 - mirrored.estimate)
    assert ours.low == pytest.approx(1 - mirrored.high, abs=2e-4)
    assert 0 <= ours.low <= ours.estimate <= ours.high <= 1
    forth, back = stats.difference_interval(x, y), stats.difference_interval(y, x)
    assert forth.low == pytest.approx(-back.high, nan_ok=True)
    few = stats.permutation_test(x[:6], y[:6]), stats.permutation_test(y[:6], x[:6])
    assert few[0].p == pytest.approx(few[1].p)


def test_effect_size_by_hand() -> None:
    d = stats.effect_size(X, Y)
    assert d.estimate == pytest.approx(stats.welch_test(X, Y).t * np.sqrt(2 / 10))
    error = np.sqrt(0.2 + d.estimate**2 / 40)
    assert (d.low, d.high) == pytest.approx(
        (d.estimate - 1.959964 * error, d.estimate + 1.959964 * error), abs=1e-6
    )


def test_holm_by_hand() -> None:
    assert stats.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert stats.holm([0.9, 0.8]) == pytest.approx([1, 1])
    assert stats.holm([0.02]) == pytest.approx([0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_its_steps_reject(p_values: list[float]) -> None:
    """Step down: the j-th smallest is rejected if it and all before it are <= alpha/(m - j + 1)."""
    p, m, alpha = np.array(p_values), len(p_values), 0.05
    adjusted = stats.holm(p)
    passed = np.minimum.accumulate(np.sort(p) * np.arange(m, 0, -1) <= alpha)
    assert (np.sort(adjusted) <= alpha).tolist() == passed.tolist()
    assert (adjusted >= p).all() and (adjusted <= np.minimum(1, p * m)).all()
    assert (np.diff(adjusted[p.argsort()]) >= 0).all()


# --- Planning ------------------------------------------------------------------------------------


@pytest.mark.parametrize("d, n", [(0.5, 64), (0.8, 26), (1.0, 17), (-1.0, 17)])
def test_seeds_needed_by_the_table(d: float, n: int) -> None:
    assert stats.seeds_needed(d) == n
    assert stats.power_two_sample_t(d, n) >= 0.8 > stats.power_two_sample_t(d, n - 1)


def test_no_test_has_fewer_than_two_seeds() -> None:
    assert stats.seeds_needed(50.0) == 2


def test_power_agrees_with_noncentral_t() -> None:
    n = np.array([2, 3, 10, 64, 500])
    for d in (0.0, 0.3, -1.5):
        bound, shift = sps.t.isf(0.005, 2 * n - 2), d * np.sqrt(n / 2)
        nct = sps.nct(2 * n - 2, shift)
        expected = nct.sf(bound) + nct.cdf(-bound)
        assert stats.power_two_sample_t(d, n, alpha=0.01) == pytest.approx(expected, abs=1e-9)
    assert stats.power_two_sample_t(50, 2) == pytest.approx(1)  # nct gives nan here


def test_power_is_what_a_simulation_finds() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 10, 4000))
    found = (sps.ttest_ind(x, y + 1.0).pvalue < 0.05).mean()
    assert within_binomial_error(found, stats.power_two_sample_t(1.0, 10), 4000)


# --- Where the noise comes from ------------------------------------------------------------------


def test_random_effects_by_hand() -> None:
    """Two seeds, means 2 and 6; within: variances 2 and 2. MSB = 2 * 8 = 16, MSW = 2."""
    effects = stats.random_effects([[1, 3], [5, 7]])
    assert effects == stats.RandomEffects(7.0, 2.0, 16.0, 2.0, 2, 2)
    assert stats.variance_of_mean(effects, 2, 2) == 4.0  # = Var(2, 6) / 2
    assert stats.variance_of_mean(effects, 10, [1, 2, 1000]) == pytest.approx([0.9, 0.8, 0.7002])


def test_random_effects_agree_with_the_analysis_of_variance() -> None:
    effects = stats.random_effects(CURVES)
    assert effects.msb / effects.msw == pytest.approx(sps.f_oneway(*CURVES).statistic)
    total = (effects.n - 1) * effects.msb + effects.n * (effects.episodes - 1) * effects.msw
    assert total == pytest.approx(CURVES.var() * CURVES.size)


def test_random_effects_find_the_noise_that_was_put_in() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 3, (4000, 1)) + rng.normal(0, 5, (4000, 5))
    effects = stats.random_effects(x)
    msb_error = (5 * 9 + 25) * np.sqrt(2 / 3999)
    assert effects.msb == pytest.approx(5 * 9 + 25, abs=4 * msb_error)
    assert effects.seed_variance == pytest.approx(9, abs=4 * msb_error / 5)
    assert effects.episode_variance == pytest.approx(25, abs=4 * 25 * np.sqrt(2 / 16_000))


def test_seeds_that_do_not_differ_have_a_variance_around_zero() -> None:
    effects = stats.random_effects([[0, 10], [10, 0], [0, 10]])
    assert effects.seed_variance == -25 and effects.episode_variance == 50
    assert stats.variance_of_mean(effects, 3, 2) == pytest.approx(50 / 6)


# --- The lottery ---------------------------------------------------------------------------------

POOLS = {"worst": [0, 4, 1], "middle": [2, 0, 4], "best": [4, 1, 3]}


def exact_risk(pools: list[list[int]], n: int) -> tuple[float, float]:
    """P(wrong winner), P(wrong ranking), pools worst first: every draw, every order of ties."""
    sums = product(*(list(map(sum, product(pool, repeat=n))) for pool in pools))
    ties = list(permutations(range(len(pools))))
    orders = [sorted(ties[0], key=lambda i: (drawn[i], tie[i])) for drawn in sums for tie in ties]
    wrong = np.array(orders) != ties[0]
    return wrong[:, -1].mean(), wrong.any(axis=1).mean()


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("names", [["worst", "best"], ["worst", "middle", "best"]])
def test_lottery_meets_the_enumeration(names: list[str], n: int) -> None:
    winner, ranking = exact_risk([POOLS[name] for name in names], n)
    drawn = stats.lottery({name: POOLS[name] for name in names}, n, draws=20_000)
    assert within_binomial_error(drawn.wrong_winner.estimate, winner, 20_000)
    assert within_binomial_error(drawn.wrong_ranking.estimate, ranking, 20_000)
    assert drawn.ranking == tuple(reversed(names))
    assert (drawn.n, drawn.draws, drawn.wrong_winner.n) == (n, 20_000, 3)  # seeds in a pool
    wilson = stats.proportion_interval(round(drawn.wrong_winner.estimate * 20_000), 20_000)
    assert drawn.wrong_winner.low < wilson.low and wilson.high < drawn.wrong_winner.high


def test_lottery_curve_follows_the_normal_law() -> None:
    """Two normal pools, d apart: the wrong one wins with probability Phi(-d sqrt(n/2))."""
    normal = stats.POPULATIONS["normal"]
    curve = stats.lottery_curve({"x": normal, "y": normal + 0.5}, max_seeds=50, draws=4000)
    expected = sps.norm.cdf(-0.5 * np.sqrt(curve.n / 2))
    for share, truth in zip(curve.wrong_winner.estimate, expected, strict=True):
        assert within_binomial_error(share, truth, 4000)
    assert curve.n.tolist() == list(range(1, 51))
    assert curve.wrong_ranking.estimate == pytest.approx(curve.wrong_winner.estimate)


def test_a_pool_stands_for_more_seeds_than_it_holds() -> None:
    """Both of two seeds without replacement would be the pool itself, and never wrong."""
    drawn = stats.lottery({"bold": [0, 10], "safe": [4, 4.5]}, 2, draws=20_000)
    assert within_binomial_error(drawn.wrong_winner.estimate, 0.25, 20_000)


def test_lottery_settles_ties_by_chance_whatever_the_order_of_the_pools() -> None:
    plain, lucky = [500] * 4, [500, 500, 500, 501]
    forth = stats.lottery({"plain": plain, "lucky": lucky}, 1, draws=20_000)
    back = stats.lottery({"lucky": lucky, "plain": plain}, 1, draws=20_000)
    assert within_binomial_error(forth.wrong_winner.estimate, 0.75 / 2, 20_000)
    assert forth == back


def test_clear_winners_always_win() -> None:
    curve = stats.lottery_curve({"low": [1, 2, 3], "high": [7, 8], "top": [20]}, max_seeds=3)
    assert not curve.wrong_ranking.estimate.any() and not curve.wrong_ranking.low.any()
    assert (curve.wrong_ranking.high > 0).all()  # 2,000 draws cannot prove a risk of 0


@pytest.mark.parametrize("gap", [0.1, 0.4])
def test_the_lottery_s_interval_covers_the_pool_and_that_of_the_draws_alone_does_not(
    gap: float,
) -> None:
    """300 seeds a pool, 10 a study, 100 pools: normal populations, `gap` standard deviations.

    The Seeds page shows the shares of 400 pools, which a slow test recounts.
    """
    normal = stats.POPULATIONS["normal"]
    found = stats.lottery_coverage({"x": normal, "y": normal + gap}, 10, pools=100)
    assert abs(found.truth - sps.norm.cdf(-gap * np.sqrt(5))) < 0.005
    assert found.draws_alone.high < 0.5
    assert found.both.low < 0.95 + 0.03 and found.both.high > 0.95 and found.both.low > 0.85


def test_the_order_of_the_pools_is_as_uncertain_as_their_means() -> None:
    """Two means whose difference is one standard error: a resample turns them round in 16%."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    x = (x - x.mean()) / x.std()
    near = stats.lottery({"x": x, "y": x + np.sqrt(2 / 300)}, 5, resamples=2000)
    assert within_binomial_error(near.other_ranking, sps.norm.cdf(-1), 2000)
    assert stats.lottery({"x": x, "y": x + 2}, 5).other_ranking == 0


# --- Coverage ------------------------------------------------------------------------------------


def test_coverage_of_t_is_nominal_and_the_bootstrap_falls_short_at_five_seeds() -> None:
    found = stats.coverage(stats.POPULATIONS["normal"], 5, studies=4000)
    assert within_binomial_error(found.t.estimate, 0.95, 4000)
    assert found.bootstrap.low > 0.8 and found.bootstrap.high < 0.87
    assert (found.n, found.t.n, found.bootstrap.n) == (5, 4000, 4000)


def test_skewed_scores_cost_both_intervals_coverage_until_n_grows() -> None:
    few, many = (stats.coverage(stats.POPULATIONS["skewed"], n, studies=2000) for n in (5, 100))
    assert few.bootstrap.high < few.t.low and few.t.high < 0.92
    assert many.t.estimate > 0.93 and many.bootstrap.estimate > 0.92


def test_coverage_needs_two_seeds_and_no_more() -> None:
    found = stats.coverage(stats.POPULATIONS["normal"], 2, studies=4000)
    assert within_binomial_error(found.t.estimate, 0.95, 4000)
    with pytest.raises(ValueError, match="at least 2 seeds"):
        stats.coverage(stats.POPULATIONS["normal"], 1)


def share_held(
    interval: Callable[[Any, Any], stats.Interval], truth: float, n: int, shift: float, sd: float
) -> float:
    rng, held = np.random.default_rng(0), 0
    for _ in range(1000):
        _, low, high, _ = interval(rng.normal(size=n), rng.normal(shift, sd, n))
        held += bool(low <= truth <= high)
    return held / 1000


@pytest.mark.parametrize("sd", [1.0, 3.0])
def test_difference_interval_covers(sd: float) -> None:
    covered = share_held(stats.difference_interval, 2.0, n=5, shift=2.0, sd=sd)
    assert within_binomial_error(covered, 0.95, 1000)


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("d", [0.0, 1.0, 2.0])
def test_improvement_interval_covers(n: int, d: float) -> None:
    truth = sps.norm.cdf(d / np.sqrt(2))
    covered = share_held(stats.probability_of_improvement, truth, n, shift=d, sd=1.0)
    assert within_binomial_error(covered, 0.95, 1000)


def test_effect_size_covers_with_twenty_seeds() -> None:
    covered = share_held(stats.effect_size, 1.0, n=20, shift=1.0, sd=1.0)
    assert within_binomial_error(covered, 0.95, 1000)


def test_iqm_interval_covers_with_fifty_seeds() -> None:
    """All studies share their ranks, whose luck adds about 0.01 to the binomial error."""
    studies = np.random.default_rng(0).normal(size=(50, 1000))
    interval = stats.iqm_interval(studies, draws=4000)
    covered = ((interval.low <= 0) & (interval.high >= 0)).mean()
    assert covered == pytest.approx(0.94, abs=0.03)


# --- What the data cannot tell, and bad input ----------------------------------------------------


def test_one_seed_has_a_mean_and_no_interval() -> None:
    for band in (
        stats.standard_error_band,
        stats.mean_t_interval,
        stats.bootstrap_interval,
        stats.iqm_interval,
    ):
        estimate, low, high, n = band([[200.0, 300.0]])
        assert estimate.tolist() == [200, 300] and n == 1
        assert np.isnan(low).all() and np.isnan(high).all()
    assert np.isnan(stats.welch_test([1.0], [2.0, 3.0]).p)
    assert np.isnan(stats.difference_interval([1.0], [2.0, 3.0]).low)
    assert np.isnan(stats.effect_size([1.0], [2.0, 3.0]).estimate)
    assert stats.permutation_test([1.0], [2.0]).p == 1
    assert stats.probability_of_improvement([1.0], [2.0]).low < 0.5


def test_equal_seeds_have_intervals_without_width_and_differences_without_a_test() -> None:
    full = np.full(7, 0.1)  # 0.1 is not a binary fraction, its rounding must not look like spread
    assert stats.mean_t_interval(full) == pytest.approx((0.1, 0.1, 0.1, 7))
    assert stats.bootstrap_interval(full) == pytest.approx((0.1, 0.1, 0.1, 7))
    assert np.isnan(stats.welch_test(full, full + 1).p)
    assert np.isnan(stats.difference_interval(full, full + 1).low)
    assert np.isnan(stats.effect_size(full, full).estimate)
    assert stats.permutation_test(full, full).p == 1
    assert stats.probability_of_improvement(full, full).estimate == 0.5


def test_one_episode_cannot_tell_evaluation_from_training() -> None:
    assert np.isnan(stats.random_effects([[1.0], [2.0], [4.0]]).seed_variance)
    assert np.isnan(stats.random_effects([[1.0, 2.0]]).msb)


@pytest.mark.parametrize("scores", [[], 3.0, [1.0, np.nan], [np.inf, 1.0], np.zeros((2, 2, 2))])
@pytest.mark.parametrize(
    "function",
    [
        stats.std_band,
        stats.quantile_band,
        stats.standard_error_band,
        stats.mean_t_interval,
        stats.iqm,
        stats.bootstrap_interval,
        stats.iqm_interval,
        stats.random_effects,
        lambda scores: stats.welch_test(X, scores),
        lambda scores: stats.effect_size(scores, X),
        lambda scores: stats.permutation_test(scores, X),
        lambda scores: stats.probability_of_improvement(X, scores),
        lambda scores: stats.lottery({"a": X, "b": scores}, 3),
        lambda scores: stats.coverage(scores, 3),
    ],
)
def test_scores_that_are_none_are_refused(function: Callable[[Any], Any], scores: Any) -> None:
    with pytest.raises(ValueError, match=r"^Scores must be"):
        function(scores)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: stats.mean_t_interval(X, 95), "between 0 and 1, not 95"),
        (lambda: stats.bootstrap_interval(X, float("nan")), "between 0 and 1"),
        (lambda: stats.proportion_interval(11, 10), "between 0 and n"),
        (lambda: stats.proportion_interval(0, 0), "at least 1"),
        (lambda: stats.permutation_test(CURVES, X), r"must be \[S\]"),
        (lambda: stats.holm([0.1, float("nan")]), "between 0 and 1"),
        (lambda: stats.power_two_sample_t(float("nan"), 10), "finite d"),
        (lambda: stats.power_two_sample_t(1.0, 1), "at least 2"),
        (lambda: stats.seeds_needed(0.0), "more than a billion"),
        (lambda: stats.seeds_needed(1e-6, power=0.999), "more than a billion"),
        (lambda: stats.seeds_needed(float("inf")), "finite d"),
        (lambda: stats.seeds_needed(1.0, power=1.0), "alpha < power < 1"),
        (lambda: stats.random_effects(X), r"\[S, E\]"),
        (lambda: stats.variance_of_mean(stats.random_effects(CURVES), 10, 0), "at least 1"),
        (lambda: stats.lottery({"a": X}, 3), "two or more pools"),
        (lambda: stats.lottery({"a": X, "b": X}, 3), "different means"),
        (lambda: stats.lottery({"a": X, "b": Y}, 0), "at least 1 seed"),
        (lambda: stats.lottery_curve({"a": X, "b": Y}, max_seeds=0), "at least 1 seed"),
        (lambda: stats.coverage(X, 1), "at least 2 seeds"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refusal:
        call()
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("interval", "spec", "text"),
    [
        (stats.Interval(146.8, 119.033, 174.567, 10), ".1f", "146.8 [119.0, 174.6]"),
        (stats.Interval(0.854, 0.75, 0.92, 50), ".0%", "85% [75%, 92%]"),
        (stats.Interval(0.9999, 0.5, 1.25, 9), "", "1.00 [0.50, 1.25]"),
        (stats.Interval(1234.5, 1000.0, 1500.4, 9), ".3g", "1234 [1000, 1500]"),
        (stats.Interval(0.0, 0.0, 0.1, 9), "", "0.00 [0.00, 0.10]"),
        (stats.Interval(-0.02, -0.031, 0.004, 9), "", "-0.0200 [-0.0310, 0.0040]"),
        (stats.Interval(3.0, np.nan, np.nan, 1), ".1f", "3.0 (no interval from n = 1)"),
        (stats.Interval(np.nan, np.nan, np.nan, 9), "", "undefined"),
    ],
)
def test_an_interval_writes_itself(interval, spec, text):
    assert f"{interval:{spec}}" == text


def test_the_bounds_alone_are_written_as_beside_their_estimate() -> None:
    interval = stats.Interval(0.85, 0.75, 0.921, 40)
    assert interval.bounds(".0%") == "[75%, 92%]"
    assert f"{interval:.1%}" == f"85.0% {interval.bounds('.1%')}"
