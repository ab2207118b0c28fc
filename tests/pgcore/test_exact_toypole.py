"""ToyPole: printed values, exact identities of the estimators, and sampling against the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pgcore.exact import batch_gradients, iid_batches, moments
from pgcore.exact.toypole import START, STATES, ToyPole

POLE = ToyPole()
WINDOWS = POLE.windows(8)
WRONG_CRITIC = POLE.values + np.array([0.5, -0.5, 0.5, -0.5, 0.5])
Q, V, STATE = WINDOWS.q_values, WINDOWS.values, WINDOWS.states


def batch_mean(q):
    return q - q.mean(-1, keepdims=True)


def leave_one_out(q):
    return batch_mean(q) * (q.shape[-1] / (q.shape[-1] - 1))


WEIGHTS = {
    "none": lambda w: w.q_values,
    "constant 5": lambda w: w.q_values - 5,
    "batch mean": lambda w: batch_mean(w.q_values),
    "leave one out": lambda w: leave_one_out(w.q_values),
    "V": lambda w: w.q_values - w.values,
    "b*(s)": lambda w: w.q_values - POLE.optimal_state_baseline[w.states],
}


# --- The printed values ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "printed"),
    [
        ("values", (5.50772931, 6.51714587, 6.69336255, 6.18432321, 4.06031603)),
        ("occupancy", (0.10774685, 0.22682555, 0.33842530, 0.24144706, 0.08555524)),
        ("mean_length", 15.75925198),
        ("gradient", (0.11242604, 0.06035866, -0.02478124, -0.13090284, -0.11786520)),
        ("discounted_gradient", (0.6278965, 0.37455723, -0.1895335, -0.86145619, -0.69809132)),
    ],
)
def test_pole_as_printed(quantity, printed):
    np.testing.assert_array_equal(np.round(getattr(POLE, quantity), 8), printed)


@pytest.mark.parametrize(
    ("name", "tr_var", "relative_bias"),
    [
        ("none", 1.154663, 0),
        ("constant 5", 0.183220, 0),
        ("batch mean", 0.078928, 0.463763),
        ("leave one out", 0.103090, 0.388595),
        ("V", 0.146271, 0),
        ("b*(s)", 0.131766, 0),
    ],
)
def test_estimators_over_all_1280_windows_as_printed(name, tr_var, relative_bias):
    assert len(WINDOWS.probability) == 1280
    measured = POLE.measure(WINDOWS, WEIGHTS[name](WINDOWS))
    assert round(measured.tr_var, 6) == tr_var
    assert round(measured.relative_bias, 6) == relative_bias
    if relative_bias == 0:
        np.testing.assert_allclose(measured.mean, POLE.gradient, atol=1e-14)


def test_the_batch_direction_is_no_gradient_but_the_discounted_one_is():
    assert round(POLE.asymmetry(lambda pole: pole.gradient), 4) == 0.1094
    assert POLE.asymmetry(lambda pole: pole.discounted_gradient) < 1e-10


# --- The chain -------------------------------------------------------------------------------


def test_values_and_q_values_satisfy_bellman():
    chosen = np.stack([1 - POLE.right, POLE.right], -1)
    np.testing.assert_allclose((chosen * POLE.q_values).sum(-1), POLE.values, atol=1e-12)
    assert POLE.q_values[0, 0] == POLE.q_values[-1, 1] == 1  # off the track: one last reward


def test_occupancy_is_stationary_at_every_step_of_the_windows():
    assert WINDOWS.probability.sum() == pytest.approx(1, abs=1e-12)
    for t in range(8):
        at_t = np.bincount(STATE[:, t], weights=WINDOWS.probability)
        np.testing.assert_allclose(at_t, POLE.occupancy, atol=1e-12)
    ends = WINDOWS.probability @ WINDOWS.terminated.mean(-1)
    assert 1 / ends == pytest.approx(POLE.mean_length)


def test_windows_reset_to_the_start_after_termination_and_move_by_one_otherwise():
    moved = STATE[:, :-1] + 2 * WINDOWS.actions[:, :-1] - 1
    ended = WINDOWS.terminated[:, :-1]
    np.testing.assert_array_equal(ended, (moved < 0) | (moved >= STATES))
    np.testing.assert_array_equal(STATE[:, 1:], np.where(ended, START, moved))
    assert (WINDOWS.final_values[WINDOWS.terminated] == 0).all()
    plays = {(s, *a) for s, a in zip(STATE[:, 0], map(tuple, WINDOWS.actions), strict=True)}
    assert len(plays) == 1280


def test_discounted_gradient_is_the_derivative_of_the_start_value():
    np.testing.assert_allclose(
        POLE.jacobian(lambda pole: pole.values)[START], POLE.discounted_gradient, atol=1e-12
    )
    step = 1e-5
    for x in range(STATES):
        up, down = (ToyPole(POLE.theta + s * step * np.eye(STATES)[x]) for s in (1, -1))
        slope = (up.values[START] - down.values[START]) / (2 * step)
        assert slope == pytest.approx(POLE.discounted_gradient[x], abs=1e-8)


def test_the_two_gradients_differ_in_direction():
    g, j = POLE.gradient, POLE.discounted_gradient
    assert g @ j / np.linalg.norm(g) / np.linalg.norm(j) < 0.9999


# --- Identities of the estimators ------------------------------------------------------------


def test_scores_average_to_zero_at_every_state_and_step():
    for t in range(8):
        np.testing.assert_allclose(WINDOWS.probability @ WINDOWS.scores[:, t], 0, atol=1e-14)
    chosen = np.stack([1 - POLE.right, POLE.right])
    np.testing.assert_allclose((chosen * np.stack([-POLE.right, 1 - POLE.right])).sum(0), 0)


def test_a_batch_of_scores_alone_has_design_effect_one():
    ones = np.ones_like(Q)
    single = POLE.windows(1)
    alone = POLE.measure(single, np.ones((len(single.probability), 1)))
    assert 8 * POLE.measure(WINDOWS, ones).tr_var == pytest.approx(alone.tr_var, rel=1e-12)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_plain_policy_gradient_is_exact_at_every_window_length(length):
    windows = POLE.windows(length)
    assert POLE.measure(windows, windows.q_values).relative_bias < 1e-12


def test_three_values_of_b_predict_any_other_and_the_vertex_is_least():
    def tr_var(b):
        return POLE.measure(WINDOWS, Q - b).tr_var

    b = np.array([-3.0, 2.0, 9.0])
    through = np.polyfit(b, [tr_var(x) for x in b], 2)
    for other in (-20.0, 5.0, 40.0):
        assert np.polyval(through, other) == pytest.approx(tr_var(other), rel=1e-9)
        assert float(WINDOWS.parabola(other)) == pytest.approx(tr_var(other), rel=1e-9)
    best = WINDOWS.parabola.vertex
    assert tr_var(best) < min(tr_var(best - 0.01), tr_var(best + 0.01))
    assert tr_var(WINDOWS.parabola.harmless[1]) == pytest.approx(tr_var(0), rel=1e-9)


def test_constants_equally_far_from_the_optimum_have_equal_variance():
    best = WINDOWS.parabola.vertex
    below, above = (POLE.measure(WINDOWS, Q - best - d) for d in (-1, 1))
    assert below.tr_var == pytest.approx(above.tr_var, rel=1e-12)
    np.testing.assert_allclose(below.mean, above.mean, atol=1e-13)


def test_optimal_state_baseline_leaves_no_action_variance_in_any_state():
    b = POLE.optimal_state_baseline
    p, (q0, q1) = POLE.right, POLE.q_values.T
    np.testing.assert_allclose((1 - p) * (q1 - b), -p * (q0 - b), atol=1e-12)  # equal arrows
    np.testing.assert_allclose(b - POLE.values, (1 - 2 * p) * (q1 - q0), atol=1e-12)


def test_actor_critic_is_gae_of_one_and_the_td_error_gae_of_zero():
    np.testing.assert_allclose(WINDOWS.advantages(1), Q - V, atol=1e-12)
    td = WINDOWS.rewards + POLE.gamma * WINDOWS.final_values - V
    np.testing.assert_allclose(WINDOWS.advantages(0), td, atol=1e-12)


def test_q_values_match_a_window_worked_by_hand():
    # From 3: right to 4, right off the track, reset to 2, left to 1; bootstrapped with V(1).
    windows = POLE.windows(3)
    row = np.flatnonzero((windows.states[:, 0] == 3) & (windows.actions == (1, 1, 0)).all(-1))
    (q,) = windows.q_values[row]
    np.testing.assert_allclose(q, (1.9, 1, 1 + 0.9 * POLE.values[1]), rtol=1e-12)


def test_batch_mean_is_the_sample_covariance_and_leave_one_out_the_unbiased_one():
    for weight, ddof in ((batch_mean, 0), (leave_one_out, 1)):
        gradients = batch_gradients(weight(Q), WINDOWS.scores)
        for w in (0, 77, 640, 1279):
            covariance = np.cov(WINDOWS.scores[w].T, Q[w], ddof=ddof)[-1, :-1]
            np.testing.assert_allclose(gradients[w], covariance, atol=1e-12)


def test_batch_mean_is_biased_by_one_over_t_only_for_independent_samples():
    # The ten pairs (x, a), drawn independently with their true Q, in batches of three.
    chance = np.concatenate([POLE.occupancy * (1 - POLE.right), POLE.occupancy * POLE.right])
    scores = np.concatenate([-np.diag(POLE.right), np.diag(1 - POLE.right)])
    q = POLE.q_values.T.ravel()
    probability, which = iid_batches(chance, 3)
    shrunk = moments(probability, batch_gradients(batch_mean(q[which]), scores[which])).mean
    np.testing.assert_allclose(shrunk, (1 - 1 / 3) * POLE.gradient, atol=1e-13)
    kept = moments(probability, batch_gradients(leave_one_out(q[which]), scores[which])).mean
    np.testing.assert_allclose(kept, POLE.gradient, atol=1e-13)
    windows = POLE.windows(3)  # one trajectory: much more than 1/3, and leave-one-out is no cure
    assert POLE.measure(windows, batch_mean(windows.q_values)).relative_bias > 0.4
    assert POLE.measure(windows, leave_one_out(windows.q_values)).relative_bias > 0.15


def test_action_dependent_baseline_has_relative_bias_c_and_its_correction_none():
    c = 0.3
    b = c * POLE.q_values  # [5, 2]
    weights = Q - b[STATE, WINDOWS.actions]
    assert POLE.measure(WINDOWS, weights).relative_bias == pytest.approx(c, abs=1e-12)
    assert POLE.measure(WINDOWS, (1 - c) * Q).relative_bias == pytest.approx(c, abs=1e-12)
    slope = POLE.right * (1 - POLE.right)
    correction = (slope * (b[:, 1] - b[:, 0]))[STATE][..., None] * np.eye(STATES)[STATE]
    gradients = batch_gradients(weights, WINDOWS.scores) + correction.mean(1)
    restored = moments(WINDOWS.probability, gradients).mean
    np.testing.assert_allclose(restored, POLE.gradient, atol=1e-13)


def test_a_score_is_uncorrelated_with_the_past_but_not_with_the_future():
    worth = np.random.default_rng(0).normal(size=(STATES, 2))
    rewards = worth[STATE, WINDOWS.actions]  # [W, T]
    pairs = np.einsum("w,wtd,wk->tkd", WINDOWS.probability, WINDOWS.scores, rewards)
    for t in range(8):
        np.testing.assert_allclose(pairs[t, :t], 0, atol=1e-14)
        assert (np.abs(pairs[t, t:]).max(-1) > 1e-4).all()


def test_mean_of_another_independent_window_is_an_unbiased_baseline():
    short = POLE.windows(4)  # 80 windows, 6,400 pairs
    q, n = short.q_values, len(short.probability)
    pair = (short.probability[:, None] * short.probability).ravel()
    mine, other = (i.ravel() for i in np.indices((n, n)))
    per_step = q[mine] - q[other]
    whole = q[mine] - q[other].mean(-1, keepdims=True)
    for weights in (per_step, whole):
        mean = moments(pair, batch_gradients(weights, short.scores[mine])).mean
        np.testing.assert_allclose(mean, POLE.gradient, atol=1e-13)


@pytest.mark.parametrize("lam", [0.0, 0.5, 0.95, 1.0])
def test_gae_is_unchanged_by_a_reward_shift_unless_an_episode_terminates(lam):
    c = 3.0
    rise = c / (1 - POLE.gamma)
    shifted = replace(
        WINDOWS,
        rewards=WINDOWS.rewards + c,
        values=V + rise,
        final_values=np.where(WINDOWS.terminated, 0, WINDOWS.final_values + rise),
    )
    change = np.abs(shifted.advantages(lam) - WINDOWS.advantages(lam)).max(-1)  # [W]
    unbroken = ~WINDOWS.terminated.any(-1)
    assert 0 < unbroken.sum() < len(unbroken)
    assert change[unbroken].max() < 1e-12
    assert change[~unbroken].min() > 1


@pytest.mark.parametrize("lam", [0.0, 0.5, 0.95, 1.0])
def test_gae_is_unchanged_by_potential_shaping(lam):
    potential = np.random.default_rng(1).normal(0, 5, STATES)
    padded = np.concatenate([[0], potential, [0]])
    here, after = potential[STATE], padded[STATE + 2 * WINDOWS.actions]
    shaped = replace(
        WINDOWS,
        rewards=WINDOWS.rewards + POLE.gamma * after - here,
        values=V - here,
        final_values=WINDOWS.final_values - after,
    )
    assert np.abs(shaped.rewards - WINDOWS.rewards).max() > 1
    np.testing.assert_allclose(shaped.advantages(lam), WINDOWS.advantages(lam), atol=1e-12)


# --- GAE under an imperfect critic -----------------------------------------------------------


def test_gae_is_unbiased_for_every_lambda_iff_the_critic_is_exact():
    lambdas = np.linspace(0, 1, 6)
    assert POLE.gae_curve(POLE.values, lambdas)[0].max() < 1e-12
    assert POLE.gae_curve(WRONG_CRITIC, lambdas)[0].min() > 1e-3


def test_lambda_trades_bias_for_variance_under_a_wrong_critic():
    bias, tr_var = POLE.gae_curve(WRONG_CRITIC, np.linspace(0, 1, 11))
    assert (np.diff(bias) < 0).all()
    assert (np.diff(tr_var)[3:] > 0).all()
    np.testing.assert_array_equal(np.round(bias[[0, -1]], 6), (0.058713, 0.004102))
    np.testing.assert_array_equal(np.round(tr_var[[0, -1]], 6), (0.082584, 0.153368))


def test_a_wrong_critic_biases_even_the_plain_estimator_through_the_bootstrap():
    windows = POLE.windows(8, WRONG_CRITIC)
    plain = POLE.measure(windows, windows.q_values)
    with_baseline = POLE.measure(windows, windows.q_values - windows.values)
    assert plain.relative_bias > 1e-3
    np.testing.assert_allclose(plain.mean, with_baseline.mean, atol=1e-13)  # V adds none


def test_with_the_exact_critic_least_variance_is_near_but_not_at_lambda_zero():
    _, (zero, small, one) = POLE.gae_curve(POLE.values, (0, 0.15, 1))
    assert small < zero < one
    np.testing.assert_array_equal(np.round((zero, small, one), 6), (0.066792, 0.065940, 0.146271))


# --- Sampling meets the truth ----------------------------------------------------------------


@pytest.fixture(scope="module")
def sampled():
    return POLE.sample_windows(200_000, 8, np.random.default_rng(2024))


@pytest.mark.parametrize("name", WEIGHTS)
def test_sampled_estimates_meet_the_enumerated_truth_within_their_errors(sampled, name):
    truth = POLE.measure(WINDOWS, WEIGHTS[name](WINDOWS))
    gradients = batch_gradients(WEIGHTS[name](sampled), sampled.scores)
    n = len(gradients)
    z = (gradients.mean(0) - truth.mean) / (gradients.std(0, ddof=1) / np.sqrt(n))
    assert np.abs(z).max() < 4
    squares = ((gradients - truth.mean) ** 2).sum(-1)
    assert abs(squares.mean() - truth.tr_var) < 4 * squares.std() / np.sqrt(n)
    assert POLE.measure(sampled, WEIGHTS[name](sampled)).tr_var == pytest.approx(
        truth.tr_var, rel=0.02
    )


def test_sampling_sees_the_bias_of_the_batch_mean(sampled):
    gradients = batch_gradients(batch_mean(sampled.q_values), sampled.scores)
    error = gradients.std(0, ddof=1) / np.sqrt(len(gradients))
    assert np.abs((gradients.mean(0) - POLE.gradient) / error).max() > 20


def test_intervals_of_the_mean_have_their_coverage(sampled):
    gradients = batch_gradients(sampled.q_values - sampled.values, sampled.scores)
    groups = gradients.reshape(400, 500, STATES)
    half = 1.96 * groups.std(1, ddof=1) / np.sqrt(500)
    covered = (np.abs(groups.mean(1) - POLE.gradient) < half).mean()
    assert 0.935 < covered < 0.965  # 2,000 intervals: standard error .005


def test_sampling_repeats_by_seed():
    first, again, other = (
        POLE.sample_windows(50, 8, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.states, again.states)
    np.testing.assert_array_equal(first.actions, again.actions)
    assert not np.array_equal(first.actions, other.actions)


# --- Errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ToyPole(theta=(0, 0)), "theta must hold 5"),
        (lambda: ToyPole(gamma=1.0), "gamma must be"),
        (lambda: POLE.windows(0), "length must be from 1"),
        (lambda: POLE.windows(40), "length must be from 1"),
        (lambda: POLE.windows(2, critic=(1, 2)), "critic must hold 5"),
    ],
)
def test_impossible_requests_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
