"""The bandit's closed forms against enumeration, printed values and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from pgcore.exact import Parabola, batch_gradients, fates, iid_batches, moments, parabola
from pgcore.exact.bandit import (
    BASELINES,
    Bandit,
    displacement,
    natural_optimum,
    natural_runs,
    natural_tr_var,
    never_good_arm,
    simplex_points,
    softmax,
    stuck,
    two_action_tr_var,
)

BANDIT = Bandit((0.2, 0.3, 0.5), (1, 2, 4))
REWARDS = (1, 0.7, 0)


def batch_mean(q):
    return q - q.mean(-1, keepdims=True)


def leave_one_out(q):
    return batch_mean(q) * (q.shape[-1] / (q.shape[-1] - 1))


def random_bandit(seed, arms=3, noisy=True):
    rng = np.random.default_rng(seed)
    noise = rng.uniform(0, 2, arms) if noisy else 0.0
    return Bandit(rng.dirichlet(np.ones(arms)), rng.normal(0, 3, arms), noise)


# --- The printed values ----------------------------------------------------------------------


def test_value_gradient_and_optimum_as_worked_by_hand():
    assert BANDIT.value == pytest.approx(2.8, abs=1e-12)
    np.testing.assert_allclose(BANDIT.gradient, (-0.36, -0.24, 0.60), atol=1e-12)
    assert round(BANDIT.optimal_baseline, 7) == 2.2967742


def test_variance_at_none_v_and_optimum_as_worked_by_hand():
    assert BANDIT.tr_var(0) == pytest.approx(3.6248, abs=1e-12)
    assert BANDIT.tr_var(BANDIT.value) == pytest.approx(0.5112, abs=1e-12)
    assert round(BANDIT.tr_var(BANDIT.optimal_baseline), 7) == 0.3541935


def test_all_81_batches_of_batch_mean_and_leave_one_out():
    assert len(iid_batches(BANDIT.policy, 4)[0]) == 81
    mean, tr_var = BANDIT.batch_moments(batch_mean, 4)
    assert tr_var == pytest.approx(0.142875, abs=1e-12)
    np.testing.assert_allclose(mean, 0.75 * BANDIT.gradient, atol=1e-12)
    mean, tr_var = BANDIT.batch_moments(leave_one_out, 4)
    assert tr_var == pytest.approx(0.254, abs=1e-12)
    np.testing.assert_allclose(mean, BANDIT.gradient, atol=1e-12)


def test_two_actions_as_worked_by_hand():
    # Q_1 = 10 is the action of probability .8; b* = 9.2, V = 9.8.
    for b, tr_var in ((0, 13.5424), (9.8, 0.0576), (9.2, 0)):
        assert two_action_tr_var(0.8, 9, 10, b) == pytest.approx(tr_var, abs=1e-12)


def test_never_the_good_arm_as_worked_by_hand():
    assert round(never_good_arm(0.5, -1), 8) == 0.24221205


# --- Identities ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_scores_average_to_zero_and_have_their_closed_lengths(seed):
    bandit = random_bandit(seed, arms=2 + seed)
    np.testing.assert_allclose(bandit.policy @ bandit.scores, 0, atol=1e-15)
    np.testing.assert_allclose((bandit.scores**2).sum(-1), bandit.squared_scores, atol=1e-14)
    assert bandit.policy @ bandit.squared_scores == pytest.approx(1 - bandit.policy @ bandit.policy)


def test_scores_gradient_and_entropy_gradient_are_derivatives_by_the_logits():
    logits, step = np.log(BANDIT.policy), 1e-6

    def slopes(function):
        sides = [function(softmax(logits + s * step * row)) for row in np.eye(3) for s in (1, -1)]
        return (np.array(sides[::2]) - np.array(sides[1::2])).T / (2 * step)

    np.testing.assert_allclose(slopes(np.log), BANDIT.scores, atol=1e-8)
    np.testing.assert_allclose(slopes(lambda p: p @ BANDIT.q_values), BANDIT.gradient, atol=1e-8)
    entropy = slopes(lambda p: Bandit(p, BANDIT.q_values).entropy)
    np.testing.assert_allclose(entropy, BANDIT.entropy_gradient, atol=1e-8)
    assert np.abs(BANDIT.entropy_gradient).max() > 0.05
    uniform = Bandit(np.full(4, 0.25), np.arange(4))
    np.testing.assert_allclose(uniform.entropy_gradient, 0, atol=1e-15)
    assert uniform.entropy == pytest.approx(np.log(4))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("b", [-3.0, 0.0, 1.5])
def test_constant_baseline_keeps_the_mean_and_has_its_closed_variance(seed, b):
    bandit = random_bandit(seed)
    mean, tr_var = bandit.batch_moments(lambda q: q - b, 1)
    np.testing.assert_allclose(mean, bandit.gradient, atol=1e-12)
    assert tr_var == pytest.approx(bandit.tr_var(b), rel=1e-12)
    assert bandit.batch_moments(lambda q: q - b, 3).tr_var == pytest.approx(tr_var / 3, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_variance_rises_from_its_optimum_by_the_squared_distance(seed):
    bandit = random_bandit(seed)
    best, curvature = bandit.optimal_baseline, 1 - bandit.policy @ bandit.policy
    for b in (-4.0, 0.3, 7.0):
        risen = bandit.tr_var(best) + curvature * (b - best) ** 2
        assert bandit.tr_var(b) == pytest.approx(risen, rel=1e-12)
        assert float(bandit.parabola(b)) == pytest.approx(risen, rel=1e-12)
    assert bandit.parabola.vertex == pytest.approx(best, rel=1e-12)


def test_three_values_of_b_predict_any_other():
    b = np.array([-1.0, 2.0, 5.0])
    predicted = np.polyval(np.polyfit(b, [BANDIT.tr_var(x) for x in b], 2), 30.0)
    assert predicted == pytest.approx(BANDIT.tr_var(30.0), rel=1e-10)


def test_parabola_of_listed_batches_is_the_closed_one():
    chance, which = iid_batches(BANDIT.policy, 4)
    q, scores = BANDIT.q_values[which], BANDIT.scores[which]
    listed = parabola(chance, batch_gradients(q, scores), scores.mean(1))
    np.testing.assert_allclose(4 * np.array(listed), BANDIT.parabola, rtol=1e-12)


@pytest.mark.parametrize("q", [(1, 2, 4), (-1, -2, -4)])
def test_a_baseline_harms_exactly_outside_zero_to_twice_the_optimum(q):
    bandit = Bandit(BANDIT.policy, q, noise=0.5)
    low, high = bandit.parabola.harmless
    assert {low, high} == {0.0, 2 * bandit.parabola.vertex}
    assert bandit.parabola.vertex == pytest.approx(bandit.optimal_baseline)
    none = bandit.tr_var(0)
    assert bandit.tr_var(low + 1e-6) < none < bandit.tr_var(low - 1e-6)
    assert bandit.tr_var(high - 1e-6) < none < bandit.tr_var(high + 1e-6)


@pytest.mark.parametrize("p", [0.05, 0.5, 0.8])
def test_two_arms_are_the_two_action_formula_with_squared_distance_two(p):
    # d = grad (z_1 - z_0) = (-1, 1) for two logits: |d|^2 = 2; a sigmoid has |d|^2 = 1.
    bandit = Bandit((1 - p, p), (9, 10))
    for b in (0.0, 9.5, 12.0):
        assert bandit.tr_var(b) == pytest.approx(2 * two_action_tr_var(p, 9, 10, b), abs=1e-12)
    assert bandit.optimal_baseline == pytest.approx((1 - p) * 10 + p * 9)
    assert bandit.optimal_baseline - bandit.value == pytest.approx((1 - 2 * p) * (10 - 9))


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_leave_one_out_has_its_closed_variance_with_and_without_noise(seed, size):
    for noisy in (False, True):
        bandit = random_bandit(seed, noisy=noisy)
        mean, tr_var = bandit.batch_moments(leave_one_out, size)
        np.testing.assert_allclose(mean, bandit.gradient, atol=1e-12)
        assert tr_var == pytest.approx(bandit.leave_one_out_tr_var(size), rel=1e-10)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_batch_mean_shrinks_independent_samples_by_one_over_the_size(size):
    mean, _ = BANDIT.batch_moments(batch_mean, size)
    np.testing.assert_allclose(mean, (1 - 1 / size) * BANDIT.gradient, atol=1e-12)


def test_action_dependent_baseline_is_biased_by_its_own_covariance():
    c = 0.3
    mean, _ = moments(BANDIT.policy, BANDIT.scores * ((1 - c) * BANDIT.q_values)[:, None])
    np.testing.assert_allclose(mean - BANDIT.gradient, -c * BANDIT.gradient, atol=1e-12)
    restored = mean + (BANDIT.policy * c * BANDIT.q_values) @ BANDIT.scores  # sum_a grad pi b
    np.testing.assert_allclose(restored, BANDIT.gradient, atol=1e-12)


def test_bad_arms_rise_when_sampled_but_fall_on_average():
    worst = int(np.argmin(BANDIT.q_values))
    arrows = BANDIT.arrows(0)
    assert arrows[worst, worst] > 0
    assert (BANDIT.policy @ arrows)[worst] < 0


# --- Arrows on the simplex -------------------------------------------------------------------


def test_the_expected_arrow_is_the_same_for_every_b_but_the_arrows_are_not():
    for b in (0.0, BANDIT.optimal_baseline, 50.0):
        np.testing.assert_allclose(BANDIT.policy @ BANDIT.arrows(b), BANDIT.gradient, atol=1e-12)
    assert np.abs(BANDIT.arrows(0) - BANDIT.arrows(50)).max() > 10


def test_without_baseline_each_arrow_points_to_its_own_corner():
    to_corner = np.eye(3) - BANDIT.policy
    cosines = (BANDIT.arrows(0) * to_corner).sum(-1)
    cosines /= np.linalg.norm(BANDIT.arrows(0), axis=-1) * np.linalg.norm(to_corner, axis=-1)
    np.testing.assert_allclose(cosines, 1)
    # A baseline above a reward turns that arrow round.
    turned = (BANDIT.arrows(BANDIT.value) * to_corner).sum(-1) < 0
    np.testing.assert_array_equal(turned, BANDIT.q_values < BANDIT.value)


def test_displacement_is_the_first_order_move_of_the_policy():
    steps, small = BANDIT.arrows(1.5), 1e-7
    moved = softmax(np.log(BANDIT.policy) + small * steps) - BANDIT.policy
    np.testing.assert_allclose(displacement(BANDIT.policy, steps), moved / small, atol=1e-5)
    natural = np.eye(3) / BANDIT.policy
    np.testing.assert_allclose(displacement(BANDIT.policy, natural), BANDIT.scores, atol=1e-12)


def test_simplex_corners_are_an_equilateral_triangle():
    corners = simplex_points(np.eye(3))
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=-1)
    np.testing.assert_allclose(sides, 1)
    np.testing.assert_allclose(simplex_points(np.full(3, 1 / 3)), corners.mean(0))


# --- Committal behaviour ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def last_policies():
    return {
        name: natural_runs(REWARDS, baseline, runs=2000, steps=300, every=300)[-1]
        for name, baseline in BASELINES.items()
    }


def natural_moments(policy, rewards, b):
    fisher = np.diag(policy) - np.outer(policy, policy)
    scores = (np.eye(3) - policy) @ np.linalg.pinv(fisher)
    return moments(policy, scores * (np.asarray(rewards) - b)[:, None])


@pytest.mark.parametrize("policy", [(1 / 3, 1 / 3, 1 / 3), (0.2, 0.3, 0.5), (0.9, 0.02, 0.08)])
def test_natural_optimum_has_least_variance_and_equal_sides(policy):
    policy = np.array(policy)
    best = float(natural_optimum(np.log(policy)[None], np.array(REWARDS))[0])
    assert best == pytest.approx((np.array(REWARDS) / policy).sum() / (1 / policy).sum())
    bs = (best, best - 1, best + 1)
    least, below, above = (natural_moments(policy, REWARDS, b) for b in bs)
    listed = (least.tr_var, below.tr_var, above.tr_var)
    np.testing.assert_allclose(natural_tr_var(policy, REWARDS, bs), listed, rtol=1e-9, atol=1e-9)
    assert below.tr_var == pytest.approx(above.tr_var, rel=1e-9)
    assert least.tr_var < below.tr_var - 1
    np.testing.assert_allclose(below.mean, above.mean, atol=1e-9)


def test_equal_variance_has_different_fates(last_policies):
    share = {name: stuck(policies, REWARDS).mean() for name, policies in last_policies.items()}
    # 2,000 runs: a share has a standard error of at most .0112; the gaps are many times that.
    assert share["b* - 1"] > 0.42
    assert share["b* + 1"] < 0.01
    assert share["V"] < 0.01
    assert 0.24 < share["b*"] < 0.34  # least variance is no protection
    assert 0.33 < share["none"] < 0.43


def test_fates_are_decided_and_policies_are_policies(last_policies):
    for name in ("none", "V", "b*", "b* - 1"):
        assert (last_policies[name].max(-1) > 0.9).mean() > 0.99
    for policies in last_policies.values():
        np.testing.assert_allclose(policies.sum(-1), 1)
        assert policies.min() >= 0


def test_runs_repeat_by_seed_and_keep_every_nth_policy():
    def play(seed, every):
        return natural_runs(REWARDS, BASELINES["V"], runs=7, steps=20, every=every, seed=seed)

    fine, coarse = play(3, 1), play(3, 5)
    assert fine.shape == (21, 7, 3)
    np.testing.assert_array_equal(fine[::5], coarse)
    np.testing.assert_allclose(fine[0], 1 / 3)
    assert not np.array_equal(fine, play(4, 1))


def test_two_arms_simulated_meet_the_closed_form():
    # The reward of an arm that is never pulled cannot matter: make it so large that one pull
    # commits to it, and the runs that end on the other arm are those that never pulled it.
    runs, exact = 20_000, never_good_arm(0.5, -1)
    policies = natural_runs(
        (1e6, 0),
        lambda logits, rewards: np.full(len(logits), -1.0),
        runs=runs,
        steps=40,
        step_size=0.5,
        every=40,
    )
    never = stuck(policies[-1], (1e6, 0)).mean()
    assert abs(never - exact) < 4 * np.sqrt(exact * (1 - exact) / runs)


def test_never_good_arm_is_zero_without_a_negative_baseline_and_falls_towards_it():
    assert never_good_arm(0.5, 0) == 0
    assert never_good_arm(0.5, 1) == 0
    assert never_good_arm(0.5, -1e-4) < 1e-12
    assert never_good_arm(0.5, -0.5) < never_good_arm(0.5, -1) < never_good_arm(0.5, -2) < 0.5
    assert never_good_arm(1.0, -1e6) == pytest.approx(0.5)


# --- Errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "q", "noise", "message"),
    [
        ((0.5, 0.5), (1, 2, 3), 0, "one number for each arm"),
        ((0.5, 0.6), (1, 2), 0, "sum to 1"),
        ((0.0, 1.0), (1, 2), 0, "positive probabilities"),
        ((0.5, float("nan")), (1, 2), 0, "positive probabilities"),
        ((0.5, 0.5), (1, 2), -1, "at least 0"),
        ((0.5, 0.5), (1, 2), (1, 1, 1), "one for each arm"),
    ],
)
def test_impossible_bandits_are_refused(policy, q, noise, message):
    with pytest.raises(ValueError, match=message):
        Bandit(policy, q, noise)


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match="cannot be listed"):
        iid_batches(BANDIT.policy, 13)
    with pytest.raises(ValueError, match="at least 1"):
        iid_batches(BANDIT.policy, 0)
    with pytest.raises(ValueError, match="at least 2"):
        BANDIT.leave_one_out_tr_var(1)
    with pytest.raises(ValueError, match="positive"):
        never_good_arm(0, -1)


def test_a_parabola_below_zero_is_harmless_on_its_own_side():
    assert Parabola(2.0, -6.0, 20.0).harmless == (-6.0, 0.0)


def test_a_run_at_the_border_of_a_fate_is_undecided():
    """The best arm above 99% is found, below 1% lost; at 99% and 1% exactly it is neither."""
    best = np.array([0.999, 0.99, 0.5, 0.01, 0.009])
    policies = np.stack([best, (1 - best) / 2, (1 - best) / 2], -1)[None]
    found, stuck_there, open_still = fates.FATES
    ends = [found, open_still, open_still, open_still, stuck_there]
    assert fates.fates(policies).tolist() == ends
