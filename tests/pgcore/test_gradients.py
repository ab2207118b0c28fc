"""Gradient variance: windows, clouds and their statistics, against exact truths where there are."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats as distributions

from pgcore import ALGORITHMS, Config, train
from pgcore.__main__ import main
from pgcore.exact import batch_gradients
from pgcore.exact.toypole import ToyPole
from pgcore.gradients import (
    by_batch_size,
    collect_windows,
    decompose,
    estimates,
    exact_reference,
    examine,
    gradients_of,
    hotelling,
    inside_update,
    measure,
    parabola_of,
    project,
    reference,
    reference_of,
    scatter,
    squared_scores,
    summary,
    weights,
)
from pgcore.gradients.decomposition import critic_fit, true_returns
from pgcore.gradients.estimates import best_constant, measurable, preference_gradient
from pgcore.gradients.inference import moments, resampled_means
from pgcore.gradients.report import _plain
from pgcore.gradients.windows import horizon
from pgcore.learners import autograd, shape_of
from tests.parts import by_python

CONFIG = Config(total_timesteps=4000, num_seeds=2)
BALANCER = Config(hidden_dim=2)  # a policy that never falls, and a critic of zeros


@pytest.fixture(scope="module")
def row():
    return train(CONFIG).checkpoints[-1, 0]


@pytest.fixture(scope="module")
def windows(row):
    return collect_windows(row, CONFIG, 2000, 0)


@pytest.fixture(scope="module")
def report(row):
    return examine(row, CONFIG, 2000, 0)


def balancer():
    """z_1 - z_0 = 30 (0.1 x + 0.2 x_dot + theta + 0.3 theta_dot), of two ReLUs."""
    row = np.zeros((1, shape_of(BALANCER).size), np.float32)
    policy = shape_of(BALANCER).policy(row)
    policy.w1[0, :, 0] = (0.1, 0.2, 1.0, 0.3)
    policy.w1[0, :, 1] = -policy.w1[0, :, 0]
    policy.w2[0, 1] = (30, -30)
    return row[0]


def near(interval, truth, times=2.0):
    """The truth lies inside the interval, made `times` as wide so that chance cannot fail it."""
    middle, half = (interval.low + interval.high) / 2, (interval.high - interval.low) / 2
    return abs(truth - middle) <= times * half + 1e-6


# --- Windows ---------------------------------------------------------------------------------


def test_windows_are_the_same_bits_on_any_threads_and_in_any_company(row):
    def columns(w):
        return [getattr(w.batch, f.name) for f in dataclasses.fields(w.batch)] + [w.mc_q, w.states]

    one, many = (collect_windows(row, CONFIG, 300, 5, threads=k) for k in (1, 7))
    for a, b in zip(columns(one), columns(many), strict=True):
        np.testing.assert_array_equal(a, b)
    some = collect_windows(row, CONFIG, 50, 5, first=200)
    np.testing.assert_array_equal(some.mc_q, one.mc_q[200:250])
    np.testing.assert_array_equal(some.batch.obs, one.batch.obs[200:250])
    elsewhere = collect_windows(row, CONFIG, 50, 6)
    assert not np.array_equal(elsewhere.batch.obs, one.batch.obs[:50])


def test_windows_are_what_training_would_see(row, windows):
    batch = windows.batch
    goes_on = ~batch.ended[:, :-1]
    np.testing.assert_array_equal(batch.final_obs[:, :-1][goes_on], batch.obs[:, 1:][goes_on])
    fallen = (abs(batch.final_obs[..., 0]) > 2.4) | (abs(batch.final_obs[..., 2]) > 0.2094395)
    np.testing.assert_array_equal(batch.terminated, fallen)
    np.testing.assert_array_equal(batch.obs[:, 0], windows.states.astype(np.float32))
    assert not (batch.terminated & batch.truncated).any()
    restarted = abs(batch.obs[:, 1:][batch.ended[:, :-1]])
    assert restarted.size > 0 and (restarted <= 0.05).all()

    policy = autograd._policy(np.repeat(row[None], len(windows), 0), CONFIG)
    chosen = policy(batch.obs[:, 3])[np.arange(len(windows)), batch.actions[:, 3]]
    np.testing.assert_allclose(batch.probs[:, 3], chosen, rtol=1e-5)
    expected = batch.probs.mean() - (batch.probs**2 + (1 - batch.probs) ** 2).mean()
    assert abs(expected) < 0.01  # E pi(a) = sum_a pi(a)^2 if actions follow the policy


def test_targets_differ_only_in_what_follows_a_cut(windows):
    """Both obey their recursion; the critic stands at the edge of Q, and nowhere in MC."""
    batch, gamma = windows.batch, np.float32(CONFIG.gamma)
    for target in (batch.q_values, windows.mc_q):
        goes_on = ~batch.ended[:, :-1]
        follows = (batch.rewards[:, :-1] + gamma * target[:, 1:])[goes_on]
        np.testing.assert_allclose(target[:, :-1][goes_on], follows, rtol=1e-6)
        assert (target[batch.terminated] == 1).all()
    edge = ~batch.ended[:, -1]
    np.testing.assert_allclose(
        batch.q_values[edge, -1], 1 + gamma * batch.final_values[edge, -1], rtol=1e-6
    )
    complete = batch.terminated.any(1)
    first = batch.terminated.argmax(1)
    known = complete & ~batch.truncated.any(1)
    rows = np.flatnonzero(known)
    np.testing.assert_allclose(
        windows.mc_q[rows, first[rows]], batch.q_values[rows, first[rows]], rtol=1e-6
    )
    past = batch.q_values.mean(1, dtype=np.float64)
    np.testing.assert_allclose(batch.past_mean[7], np.delete(past, 7).mean(), rtol=1e-5)


def test_monte_carlo_agrees_with_tails_of_both_actions(windows):
    """Two kernels, one expectation: E MC(s_0) = E [p Q(s_0, 1) + (1-p) Q(s_0, 0)]."""
    n = len(windows)
    tails = true_returns(windows, 0, n, 2)  # [N, 2, 2]
    chose = windows.batch.actions[:, 0]
    p = np.where(chose == 1, windows.batch.probs[:, 0], 1 - windows.batch.probs[:, 0])
    value = p * tails[:, 1].mean(1) + (1 - p) * tails[:, 0].mean(1)
    difference = windows.mc_q[:, 0] - value
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(n)
    taken = windows.mc_q[:, 0] - tails[np.arange(n), chose].mean(1)
    assert abs(taken.mean()) < 4 * taken.std() / np.sqrt(n)


def test_shifted_rewards_multiply_every_true_return(row):
    """1 a step becomes 1 + c, in the windows, in their tails and in those of both actions."""
    plain, n = collect_windows(row, CONFIG, 200, 0), 50
    tails = true_returns(plain, 0, n, 4)
    for c in (-1.0, -2.0, 0.5):
        shifted = collect_windows(row, CONFIG.replace(reward_offset=c), 200, 0)
        np.testing.assert_array_equal(shifted.batch.actions, plain.batch.actions)
        assert (shifted.batch.rewards == 1 + c).all()
        np.testing.assert_allclose(shifted.mc_q, (1 + c) * plain.mc_q, rtol=1e-5)
        np.testing.assert_allclose(true_returns(shifted, 0, n, 4), (1 + c) * tails, rtol=1e-12)
        edge = ~shifted.batch.ended[:, -1]
        np.testing.assert_allclose(
            shifted.batch.q_values[edge, -1],
            1 + c + CONFIG.gamma * plain.batch.final_values[edge, -1],
            rtol=1e-5, atol=1e-6,
        )  # fmt: skip
        short = shifted.shortened(8)  # what is recorded holds the shift already
        np.testing.assert_array_equal(short.batch.rewards, shifted.batch.rewards[:, :8])


def test_a_truncation_is_worth_going_on_or_nothing_in_the_lab():
    """A policy that never falls: 1/(1-gamma) beyond the clock, and with it as the end, less."""
    corrected = collect_windows(balancer(), BALANCER, 400, 0)
    lab = collect_windows(balancer(), BALANCER.replace(bootstrap_truncation=False), 400, 0)
    late = corrected.batch.truncated
    assert not corrected.batch.terminated.any() and late.sum() > 10
    np.testing.assert_array_equal(late, lab.batch.truncated)
    endless = (1 - BALANCER.gamma ** (horizon(BALANCER.gamma) + 1)) / (1 - BALANCER.gamma)
    np.testing.assert_allclose(corrected.mc_q[late], endless, rtol=1e-5)
    assert (lab.mc_q[late] == 1).all() and (lab.batch.q_values[late] == 1).all()
    assert (corrected.batch.q_values[late] == 1).all()  # this critic says 0
    left = 500 - lab.elapsed
    until_the_clock = (1 - BALANCER.gamma**left) / (1 - BALANCER.gamma)
    np.testing.assert_allclose(lab.mc_q[:, 0], until_the_clock, rtol=1e-5)


def test_phases_are_mixed_even_for_a_policy_that_never_falls():
    """After 400 steps alone, all of its clocks would read the same."""
    elapsed = collect_windows(balancer(), BALANCER, 2000, 0).elapsed
    assert distributions.kstest(elapsed, distributions.randint(0, 500).cdf).pvalue > 1e-3


def test_a_fixed_start_is_the_lab_s(row):
    lab = collect_windows(row, CONFIG.replace(fixed_start=True), 200, 3)
    starts = lab.batch.obs[:, 1:][lab.batch.ended[:, :-1]]
    assert len(np.unique(starts, axis=0)) == 1
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(3)))
    np.testing.assert_array_equal(starts[0], rng.uniform(-0.05, 0.05, 4).astype(np.float32))


@pytest.mark.parametrize(("gamma", "steps"), [(0.99, 688), (0.0, 1), (1.0, 5000), (0.5, 10)])
def test_tails_last_until_nothing_is_left(gamma, steps):
    assert horizon(gamma) == steps
    assert gamma in (0, 1) or gamma**steps < 1e-3 <= gamma ** (steps - 1)


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_the_ends_of_gamma(row, gamma):
    windows = collect_windows(row, CONFIG.replace(gamma=gamma), 20, 0)
    assert np.isfinite(windows.mc_q).all()
    assert gamma or (windows.mc_q == 1).all()


def test_shortened_windows_are_cut_earlier(windows):
    short = windows.shortened(5)
    np.testing.assert_array_equal(short.mc_q, windows.mc_q[:, :5])
    np.testing.assert_array_equal(short.batch.obs, windows.batch.obs[:, :5])
    edge = ~short.batch.ended[:, 4]
    np.testing.assert_allclose(
        short.batch.q_values[edge, 4],
        1 + np.float32(CONFIG.gamma) * windows.batch.final_values[edge, 4],
        rtol=1e-6,
    )
    assert short.config.batch_size == 5
    same = windows.shortened(32)
    np.testing.assert_array_equal(same.batch.q_values, windows.batch.q_values)
    for steps in (0, 33):
        with pytest.raises(ValueError, match="from 1 to 32"):
            windows.shortened(steps)


def test_windows_refuse_what_they_cannot_play(row):
    with pytest.raises(ValueError, match="CartPole alone"):
        collect_windows(row, Config(env_id="Acrobot-v1"), 10, 0)
    with pytest.raises(ValueError, match="419 finite numbers"):
        collect_windows(row[:-1], CONFIG, 10, 0)
    with pytest.raises(ValueError, match="NaN"):
        collect_windows(np.full_like(row, np.nan), CONFIG, 10, 0)
    with pytest.raises(ValueError, match="at least 2"):
        collect_windows(row, CONFIG, 1, 0)


# --- Gradients -------------------------------------------------------------------------------


def test_the_kernel_s_gradient_is_autograd_s(row, windows):
    """Every estimator on a few windows: minus the gradient of the policy loss."""
    psi = weights(windows, CONFIG)
    found = gradients_of(windows, psi)
    few = {f.name: getattr(windows.batch, f.name)[:6] for f in dataclasses.fields(windows.batch)}
    batch = dataclasses.replace(windows.batch, **few)
    rows, index = np.repeat(row[None], 6, 0), np.tile(np.arange(32), (6, 1))
    size = shape_of(CONFIG).policy_size
    plain = CONFIG.replace(algorithm="policy_gradient", entropy_coef=0.0)
    assert set(found) == set(measurable()) == set(ALGORITHMS) - {"reinforce"}
    for key, g in found.items():
        loss_gradient = autograd.gradient(rows, batch, psi[key][:6], index, plain)[:, :size]
        np.testing.assert_allclose(g[:6], -loss_gradient, atol=2e-5 * abs(loss_gradient).max())


def test_gradients_are_the_same_bits_on_any_threads(windows):
    psi = {"constant": windows.mc_q}
    one, many = (gradients_of(windows, psi, threads=k)["constant"] for k in (1, 5))
    np.testing.assert_array_equal(one, many)


def test_weights_that_are_one_another(windows):
    psi = weights(windows, CONFIG)
    np.testing.assert_array_equal(
        psi["leave_one_out"], psi["batch_mean"] * np.float32(32 / 31)
    )  # T / (T-1), exactly
    np.testing.assert_array_equal(psi["ppo"], psi["gae"])  # at rho = 1
    lambda_one = weights(windows, CONFIG.replace(gae_lambda=1.0), ["gae"])["gae"]
    np.testing.assert_allclose(lambda_one, psi["actor_critic"], atol=1e-4)


def test_an_update_at_an_episode_s_end_is_not_measured_on_windows(windows):
    with pytest.raises(ValueError, match="reinforce updates at the ends of episodes"):
        weights(windows, CONFIG, ["gae", "reinforce"])


def test_each_half_takes_the_best_constant_of_the_other():
    """Halves that want opposite constants: a constant fitted to its own half would remove all."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(400, 3)).astype(np.float32)
    wanted = np.where(np.arange(400) % 2, -5.0, 5.0).astype(np.float32)
    gradients = wanted[:, None] * scores
    left = best_constant(gradients, scores)
    np.testing.assert_allclose(left, 2 * gradients, rtol=1e-3, atol=1e-3)


def test_a_parabola_without_curvature_has_no_best_constant():
    gradients, flat = np.ones((10, 2), np.float32), np.zeros((10, 2), np.float32)
    np.testing.assert_array_equal(best_constant(gradients, flat), gradients)


def test_leave_one_out_is_a_longer_batch_mean(report):
    mean, one_out = report.measurements["batch_mean"], report.measurements["leave_one_out"]
    assert one_out.tr_sigma.estimate / mean.tr_sigma.estimate == pytest.approx((32 / 31) ** 2)
    assert one_out.snr.estimate == pytest.approx(mean.snr.estimate, rel=1e-4)
    assert one_out.right_way.estimate == mean.right_way.estimate


def test_squared_scores_are_lengths_of_scores(row, windows):
    first = windows.shortened(1)
    scores = gradients_of(first, {"score": np.ones_like(first.mc_q)})["score"]
    np.testing.assert_allclose(squared_scores(first)[:, 0], (scores**2).sum(1), rtol=1e-4)


def test_scores_have_mean_zero_and_returns_do_not(report):
    directions = report.reference.directions.T.astype(np.float32)
    assert hotelling(report.scores @ directions).p > 0.001
    assert hotelling(report.gradients["monte_carlo"] @ directions).p < 1e-6


def test_the_best_constant_scatters_least(report):
    best, truth = report.measurements["optimal_constant"], report.parabola
    assert best.tr_sigma.estimate == pytest.approx(
        truth.least.estimate * report.measurements["policy_gradient"].tr_sigma.estimate, rel=0.01
    )
    for key in ("policy_gradient", "constant", "running_mean"):
        assert best.tr_sigma.estimate < report.measurements[key].tr_sigma.estimate


# --- The truth -------------------------------------------------------------------------------


def test_references_agree_within_their_errors(row):
    one, two = (reference(row, CONFIG, 100, seed) for seed in (0, 1))
    assert one.n == 1000
    error = sum(r.relative_error**2 * r.squared_norm for r in (one, two))
    assert 0.3 * error < ((one.mean - two.mean) ** 2).sum() < 2.5 * error
    np.testing.assert_allclose(one.directions @ one.directions.T, np.eye(5), atol=1e-6)
    assert near(
        measure({"u": gradients_of_unbiased(row)}, one, base="u", unbiased="u", target="u")[
            "u"
        ].projection,
        1,
    )


def gradients_of_unbiased(row):
    windows = collect_windows(row, CONFIG, 2000, 9)
    return gradients_of(windows, {"u": windows.mc_q - windows.batch.values})["u"]


def test_two_sets_of_windows_agree(row, report):
    other = examine(row, CONFIG, 2000, 77)
    for key in report.measurements:
        a, b = report.measurements[key], other.measurements[key]
        for name in ("tr_sigma", "snr", "cosine", "right_way", "ratio"):
            x, y = getattr(a, name), getattr(b, name)
            error = np.hypot(x.high - x.low, y.high - y.low) / 2  # 1.96 standard errors
            assert abs(x.estimate - y.estimate) <= 2 * error + 1e-9, (key, name)


def test_biases_that_theory_knows(report):
    """A constant and the past add none; the batch's own mean does, and the test sees it."""
    m = report.measurements
    for key in ("policy_gradient", "running_mean", "constant", "optimal_constant"):
        assert near(m[key].added.along, 0) and m[key].added.test.p > 0.001, key
    assert m["monte_carlo"].bias.relative == (0, 0, 0, 2000)
    assert m["batch_mean"].added.along.high < 0 and m["batch_mean"].added.test.p < 1e-6
    assert m["actor_critic"].bias.relative.low > 0.1  # the bootstrap at the window's edge


def test_the_control_variate_agrees_with_pairing_and_is_less_noisy(report):
    g, ref = report.gradients, report.reference
    paired = (g["actor_critic"] - g["monte_carlo"]) @ ref.mean / ref.squared_norm
    standard_error = paired.std() / np.sqrt(len(paired))
    along = report.measurements["actor_critic"].bias.along
    assert abs(along.estimate - paired.mean()) < 4 * standard_error
    assert (along.high - along.low) / 3.92 < 0.8 * standard_error


# --- The parabola ----------------------------------------------------------------------------


def test_the_parabola_is_what_measuring_every_constant_gives(windows):
    gradients, scores = estimates(windows, CONFIG, ["policy_gradient"])
    parabola = parabola_of(gradients["policy_gradient"], scores)
    best = parabola.vertex.estimate
    constants = best * np.linspace(-0.5, 2.5, 11)  # one of them is the best
    psi = {str(b): windows.batch.q_values - np.float32(b) for b in constants}
    measured = [moments(g)[0].sum() / (len(g) - 1) for g in gradients_of(windows, psi).values()]
    np.testing.assert_allclose(measured, [parabola(b).estimate for b in constants], rtol=1e-4)
    nearest = constants[np.argmin(abs(constants - best))]
    assert constants[np.argmin(measured)] == nearest
    fitted = np.polyfit(constants, measured, 2)
    assert -fitted[1] / (2 * fitted[0]) == pytest.approx(best, rel=1e-3)
    low, high = parabola.curve.harmless
    for b in (low, high):
        assert parabola(b).estimate == pytest.approx(parabola(0).estimate)
    assert parabola(high * 1.1).estimate > parabola(0).estimate > parabola(high * 0.9).estimate


def test_the_parabola_s_interval_at_any_b_is_the_bootstrap_s_of_that_cloud():
    """tr Var at b, of clouds in which G and S share their noise: 95% is known by resampling."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(500, 4))
    gradients = 3 * scores + rng.normal(size=(500, 4))
    parabola = parabola_of(gradients, scores)
    for b in (-2.0, 0.0, 3.0, 7.0):
        spread = moments(gradients - b * scores)[0] * 500 / 499
        means = resampled_means(spread[:, None])[:, 0]
        found = parabola(b)
        assert found.estimate == pytest.approx(spread.mean())
        assert found[1:3] == pytest.approx(np.quantile(means, [0.025, 0.975]), rel=1e-3)
        assert found.n == 500


def test_b_star_from_other_windows_lies_in_the_interval(row, report):
    other = examine(row, CONFIG, 2000, 5, algorithms=["policy_gradient"]).parabola
    here, there = report.parabola.vertex, other.vertex
    error = np.hypot(here.high - here.low, there.high - there.low) / 2
    assert 0 < here.low < here.estimate < here.high
    assert abs(here.estimate - there.estimate) <= 2 * error
    assert 0 < report.parabola.least.high < 1


# --- ToyPole: the sampled clouds against the enumerated truth --------------------------------

POLE = ToyPole()
TOY_WEIGHTS = {
    "none": lambda w: w.q_values,
    "constant": lambda w: w.q_values - 5,
    "batch_mean": lambda w: w.q_values - w.q_values.mean(1, keepdims=True),
    "V": lambda w: w.q_values - w.values,
    "b*(s)": lambda w: w.q_values - POLE.optimal_state_baseline[w.states],
}


def toy_clouds(n, seed):
    sampled = POLE.sample_windows(n, 8, np.random.default_rng(seed))
    clouds = {key: batch_gradients(w(sampled), sampled.scores) for key, w in TOY_WEIGHTS.items()}
    truth = exact_reference(POLE.gradient)
    return sampled, clouds, measure(clouds, truth, base="none", unbiased="V", target="V")


def test_toypole_s_clouds_meet_the_enumerated_truth():
    sampled, clouds, measured = toy_clouds(20_000, 0)
    listed = POLE.windows(8)
    truth, length = POLE.gradient, np.linalg.norm(POLE.gradient)
    exact = {key: POLE.measure(listed, w(listed)) for key, w in TOY_WEIGHTS.items()}
    for key, m in measured.items():
        mean, relative_bias, tr_var = exact[key]
        gradients = batch_gradients(TOY_WEIGHTS[key](listed), listed.scores)
        lengths = np.linalg.norm(gradients, axis=1)
        cos = np.where(lengths > 0, gradients @ truth / np.maximum(lengths, 1e-300) / length, 0)
        assert near(m.tr_sigma, tr_var), key
        assert near(m.ratio, tr_var / exact["none"].tr_var), key
        assert near(m.squared_mean, mean @ mean), key
        assert near(m.snr, mean @ mean / tr_var), key
        assert near(m.cosine, listed.probability @ cos), key
        assert near(m.right_way, listed.probability @ (cos > 0)), key
        assert near(m.projection, mean @ truth / length**2), key
        assert near(m.bias.along, mean @ truth / length**2 - 1), key
        if relative_bias > 0.01:
            assert near(m.bias.relative, relative_bias), key
        else:
            assert m.bias.relative.high < 0.1, key
            assert key == "V" or m.bias.test.p > 0.001, key  # V is compared with itself
    assert measured["batch_mean"].bias.relative.estimate == pytest.approx(0.463763, abs=0.02)
    mean_scores = sampled.scores.mean(1)
    assert near(parabola_of(clouds["none"], mean_scores).vertex, listed.parabola.vertex)


def test_more_windows_narrow_the_intervals_as_one_over_root_n():
    few, many = (toy_clouds(n, 1)[2]["V"].tr_sigma for n in (1000, 16_000))
    assert 3 < (few.high - few.low) / (many.high - many.low) < 5.3


def test_design_effect_is_one_for_scores_alone():
    sampled = POLE.sample_windows(20_000, 8, np.random.default_rng(2))
    listed = POLE.windows(8)
    squares = (sampled.scores**2).sum(-1)
    psi = {"score": np.ones_like(squares), "V": sampled.q_values - sampled.values}
    clouds = {key: batch_gradients(weight, sampled.scores) for key, weight in psi.items()}
    found = scatter(clouds, {key: weight**2 * squares for key, weight in psi.items()})
    assert near(found["score"].design_effect, 1)
    weight = listed.q_values - listed.values
    single = listed.probability @ (weight**2 * (listed.scores**2).sum(-1)).mean(1)
    exact = POLE.measure(listed, weight)
    truth = 8 * exact.tr_var / (single - exact.mean @ exact.mean)
    assert near(found["V"].design_effect, truth)
    assert found["V"].design_effect.high < 1  # its steps cancel, a little: .888


# --- The statistics themselves ---------------------------------------------------------------


def test_intervals_have_their_coverage():
    """A known population with heavy tails, 1,000 windows a study: 95 in 100 hold the truth."""
    rng = np.random.default_rng(4)
    size, n, studies = 6, 1000, 200
    scale = np.array([3.0, 2, 1, 1, 0.5, 0.5])
    u = rng.standard_t(6, (20_000, size)) * scale + np.array([0.8, 0.3, 0, 0, 0, 0.2])
    g = 0.7 * u + rng.standard_t(6, (20_000, size)) * 0.5
    pool = {"u": u, "g": g}
    mu = {key: x.mean(0) for key, x in pool.items()}
    tr = {key: x.var(0, ddof=1).sum() for key, x in pool.items()}
    length = np.linalg.norm(mu["u"])
    cos = g @ mu["u"] / np.linalg.norm(g, axis=1) / length
    bias = mu["g"] - mu["u"]
    truths = {
        "tr_sigma": tr["g"],
        "squared_mean": mu["g"] @ mu["g"],
        "snr": mu["g"] @ mu["g"] / tr["g"],
        "cosine": cos.mean(),
        "right_way": (cos > 0).mean(),
        "projection": mu["g"] @ mu["u"] / length**2,
        "ratio": tr["g"] / tr["u"],
        "bias": np.linalg.norm(bias) / length,
        "bias_along": bias @ mu["u"] / length**2,
        "added_along": bias @ mu["u"] / length**2,
    }
    held = dict.fromkeys(truths, 0)
    for study in range(studies):
        sample = rng.integers(20_000, size=n)
        sampled_reference = reference_of(u[rng.integers(20_000, size=6 * n)])
        found = measure(
            {key: x[sample] for key, x in pool.items()},
            sampled_reference,
            base="u", unbiased="u", target="u", draws=400, seed=study,
        )["g"].intervals()  # fmt: skip
        for name, truth in truths.items():
            held[name] += found[name].low <= truth <= found[name].high
    for name, count in held.items():
        assert 0.89 * studies <= count, (name, count)
    assert np.mean([*held.values()]) < 0.985 * studies  # nor are they all far too wide


def test_a_bias_is_covered_though_few_directions_scatter_widely():
    """Known mu; the scatter halves from direction to direction; to first order alone, 90%."""
    rng, studies, held = np.random.default_rng(4), 200, 0
    scale = 6 * 0.5 ** np.arange(20)
    mu = np.eye(20)[0]
    mean_g = 0.7 * (np.cos(0.15) * mu + np.sin(0.15) * np.eye(20)[1])
    truth = np.linalg.norm(mean_g - mu)
    for study in range(studies):
        u = rng.normal(size=(1000, 20)) * scale + mu
        g = 0.35 * (u - mu) + 0.1 * rng.normal(size=(1000, 20)) * scale + mean_g
        other = reference_of(rng.normal(size=(6000, 20)) * scale + mu)
        found = measure(
            {"u": u, "g": g}, other, base="u", unbiased="u", target="u", draws=300, seed=study
        )["g"].added.relative
        held += found.low <= truth <= found.high
    assert 0.93 * studies <= held < studies


def test_noise_is_not_taken_for_a_gradient():
    """A mean of zero: |gbar|^2 is positive in every sample, the unbiased square is not."""
    rng = np.random.default_rng(0)
    clouds = [rng.normal(size=(100, 20)) for _ in range(100)]
    truth = exact_reference(np.eye(20)[0])
    found = [
        measure({"g": g}, truth, base="g", unbiased="g", target="g", draws=200)["g"] for g in clouds
    ]
    squares = np.array([m.squared_mean.estimate for m in found])
    assert abs(squares.mean()) < 4 * squares.std() / 10
    assert min((g.mean(0) ** 2).sum() for g in clouds) > 0
    held = [m.squared_mean.low <= 0 <= m.squared_mean.high for m in found]
    assert np.mean(held) > 0.9


def test_resampled_means_are_a_bootstrap():
    rng = np.random.default_rng(0)
    x = rng.exponential(size=(500, 2)) + 1e4  # far from zero: no digits may be lost
    means = resampled_means(x, 2000, seed=3)
    assert means.shape == (2000, 2)
    np.testing.assert_allclose(means.mean(0), x.mean(0), atol=0.005)
    np.testing.assert_allclose(means.std(0), x.std(0) / np.sqrt(500), rtol=0.06)
    np.testing.assert_array_equal(means, resampled_means(x, 2000, seed=3))


def test_hotelling_by_hand():
    """One direction: the square of t. More: an affine map changes nothing."""
    x = np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 4.0], [5.0, 2.0], [0.0, 1.0], [1.0, 3.0]])
    t, p = distributions.ttest_1samp(x[:, 0], 0)
    one = hotelling(x[:, :1])
    assert one.t2 == pytest.approx(t**2) and one.p == pytest.approx(p)
    both = hotelling(x)
    mean, covariance = x.mean(0), np.cov(x.T)
    assert both.t2 == pytest.approx(6 * mean @ np.linalg.inv(covariance) @ mean)
    assert both.f == pytest.approx(4 / (2 * 5) * both.t2)
    mapped = hotelling(x @ np.array([[2.0, 1.0], [0.0, 3.0]]))
    assert mapped.t2 == pytest.approx(both.t2)
    assert np.isnan(hotelling(np.zeros((10, 2))).p)
    with pytest.raises(ValueError, match="1 to 5 projections"):
        hotelling(np.zeros((10, 6)))


def test_hotelling_cries_wolf_once_in_twenty():
    rng = np.random.default_rng(1)
    p = [hotelling(rng.normal(size=(50, 5))).p for _ in range(1000)]
    assert 30 <= np.sum(np.array(p) < 0.05) <= 72


# --- Sources of variance, and the critic -----------------------------------------------------


@pytest.fixture(scope="module")
def sources(windows):
    return decompose(windows, 0, num_states=1500)


def test_sources_add_up_to_the_variance_of_single_steps(windows, sources):
    first = windows.shortened(1)
    psi = {"none": first.mc_q, "critic": first.mc_q - first.batch.values}
    for key, cloud in gradients_of(first, psi).items():
        measured = scatter({key: cloud}, {key: np.ones_like(first.mc_q)})[key].tr_sigma
        total = sources.sources[key].total
        error = np.hypot(measured.high - measured.low, total.high - total.low) / 2
        assert abs(measured.estimate - total.estimate) <= 2 * error, key


def test_the_state_s_part_is_made_of_products_of_independent_tails(row, windows):
    """E_s |E_a psi Q|^2 - |E_s E_a psi Q|^2, both unbiased: no tail and no state meets itself."""
    n, tails = 6, 4
    returns = true_returns(windows, 0, n, tails)  # [N, 2, M]
    pairs = ~np.eye(tails, dtype=bool)
    push, d = by_python(preference_gradient), np.empty(7 * CONFIG.hidden_dim + 2, np.float32)
    pushes, squares = [], []
    for obs, (left, right) in zip(windows.batch.obs[:n, 0], returns, strict=True):
        p = push(row, CONFIG.hidden_dim, *obs, d)
        weight, direction = p * (1 - p), d.astype(np.float64)
        own = [np.outer(q, q)[pairs].mean() for q in (left, right)]  # Q(s, a)^2
        squares.append(
            weight**2 * direction @ direction * (sum(own) - 2 * left.mean() * right.mean())
        )
        pushes.append(weight * (right.mean() - left.mean()) * direction)
    products = np.array(pushes) @ np.transpose(pushes)
    expected = np.mean(squares) - products[~np.eye(n, dtype=bool)].mean()
    found = decompose(windows, 0, num_states=n, tails=tails).sources["none"].state
    assert found.estimate == pytest.approx(expected, rel=1e-4)


def test_a_baseline_touches_the_action_s_part_alone(sources):
    none, critic, value = (sources.sources[key] for key in ("none", "critic", "value"))
    assert none.later == critic.later == value.later and none.state == critic.state == value.state
    assert value.action.high < critic.action.low < critic.action.high < none.action.low
    for part in (none, critic, value):
        parts = part.later.estimate + part.action.estimate + part.state.estimate
        assert part.total.estimate == pytest.approx(parts)


def test_the_tails_noise_is_subtracted(windows):
    """Two tails or sixteen: the same parts, though two alone are very noisy."""
    few, many = (decompose(windows, 0, num_states=1500, tails=m) for m in (2, 16))
    for name in ("later", "action", "state"):
        a, b = (getattr(d.sources["value"], name) for d in (few, many))
        error = np.hypot(a.high - a.low, b.high - b.low) / 2
        assert abs(a.estimate - b.estimate) <= 2 * error, name
    rmse = few.critic.rmse, many.critic.rmse
    assert abs(rmse[0].estimate - rmse[1].estimate) <= 2 * (rmse[0].high - rmse[0].low)


def test_a_perfect_critic_and_a_blind_one():
    rng = np.random.default_rng(0)
    value = rng.normal(50, 10, 4000)
    noise = rng.uniform(1, 8, 4000)
    seen = value + noise * rng.normal(size=4000)
    perfect, blind = critic_fit(value, seen, noise**2), critic_fit(value * 0 + 50, seen, noise**2)
    assert perfect.correlation.estimate > 0.98 and perfect.explained.estimate > 0.97
    assert perfect.rmse.estimate < 1.0 and near(perfect.bias, 0)
    assert near(blind.rmse, 10) and near(blind.explained, 0)
    assert np.isnan(blind.correlation.estimate)


def test_decompose_needs_states_and_tails(windows):
    with pytest.raises(ValueError, match="2 states and 2 tails"):
        decompose(windows, 0, tails=1)


# --- Pictures --------------------------------------------------------------------------------


def test_the_cloud_s_axes_and_shares(report):
    cloud = project(report.gradients, report.reference, arrows=50)
    np.testing.assert_allclose(cloud.axes @ cloud.axes.T, np.eye(2), atol=1e-6)
    x = report.reference.mean / np.linalg.norm(report.reference.mean)
    np.testing.assert_allclose(cloud.axes[0], x, atol=1e-6)
    g = report.gradients["actor_critic"]
    along = g @ x
    assert cloud.shares["actor_critic"][0] == pytest.approx(along.var() / g.var(0).sum(), rel=1e-3)
    np.testing.assert_allclose(
        cloud.arrows["actor_critic"][:, 0],
        along[:50] / np.linalg.norm(report.reference.mean),
        rtol=1e-3, atol=1e-4,
    )  # fmt: skip
    assert abs(cloud.means["monte_carlo"][0] - 1) < 0.5
    rest = g - np.outer(along, x)
    random = np.random.default_rng(0).normal(size=(20, g.shape[1]))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    assert cloud.shares["actor_critic"][1] > (rest @ random.T).var(0).max() / g.var(0).sum()
    frame = cloud.to_frame()
    assert len(frame) == 50 * len(report.gradients)


def test_variance_falls_as_one_over_the_batch_for_scores_alone(windows):
    frame = by_batch_size(windows, CONFIG, ["policy_gradient", "batch_mean"])
    assert frame.batch_size.unique().tolist() == [1, 2, 4, 8, 16, 32]
    score = frame[frame.algorithm == "score"]
    first = score.tr_sigma.iloc[0]
    half = (score.tr_sigma_high - score.tr_sigma_low) / 2
    assert (abs(score.tr_sigma - first / score.batch_size) <= 2 * half + 0.05 * first).all()
    assert (score.design_effect_low <= 1.05).all() and (score.design_effect_high >= 0.95).all()
    plain = frame[frame.algorithm == "policy_gradient"].set_index("batch_size")
    whole = gradients_of(windows, {"q": windows.batch.q_values})["q"]
    variance = whole.var(0, ddof=1, dtype=np.float64).sum()  # n + 1 for n - 1: off by 1e-3
    assert plain.tr_sigma[32] == pytest.approx(variance, rel=1e-5)
    assert (frame[(frame.algorithm == "batch_mean") & (frame.batch_size == 1)].tr_sigma == 0).all()


# --- One update under the lens ---------------------------------------------------------------


def test_the_lens_shows_the_update_that_training_makes(row, windows):
    index = int(np.flatnonzero(windows.batch.terminated[:, 5:20].any(1))[0])
    config = CONFIG.replace(learning_rate=1e-4)
    update = inside_update(windows, index, config)
    steps = update.steps
    assert len(steps) == 32 and steps.terminated.any()
    np.testing.assert_allclose(
        steps.q_value, steps.reward + config.gamma * steps.next_value, rtol=1e-6
    )
    assert (steps.next_value[steps.terminated] == 0).all()
    goes_on = ~(steps.terminated | steps.truncated).to_numpy()[:-1]
    np.testing.assert_allclose(
        steps.next_value[:-1][goes_on], steps.q_value[1:][goes_on], rtol=1e-5
    )
    if not steps.terminated.iloc[-1]:
        assert steps.bootstrapped.iloc[-1]
        assert steps.next_value.iloc[-1] == pytest.approx(windows.batch.final_values[index, -1])
    np.testing.assert_allclose(steps.q_value - steps.baseline, steps.psi, atol=1e-5)
    np.testing.assert_allclose(steps.baseline, steps.value, atol=1e-4)  # actor-critic's
    np.testing.assert_array_equal(steps.pushed, np.sign(steps.psi))

    size = shape_of(config).policy_size
    g = gradients_of(windows, {"psi": windows.batch.q_values - windows.batch.values})["psi"]
    np.testing.assert_allclose(-update.gradient[:size], g[index], atol=1e-4)
    one_step = (update.after_sgd - update.before)[:size]
    np.testing.assert_allclose(one_step, 1e-4 * g[index], atol=1e-6)
    moved = abs(update.after_adam - update.before)[:size]
    np.testing.assert_allclose(moved[abs(g[index]) > 1e-3], 1e-4, rtol=0.02)
    # to first order a step changes log pi(a_t) by the learning rate times score_t . g
    alone = windows.batch.q_values * 0
    alone[index] = 0
    for t in (0, 10, 31):
        alone[index, t] = 32
        score = gradients_of(windows, {"one": alone})["one"][index]
        alone[index, t] = 0
        assert steps.score_norm[t] == pytest.approx(np.linalg.norm(score), rel=1e-3)
        assert steps.sgd_change[t] == pytest.approx(1e-4 * score @ g[index], rel=0.05, abs=1e-5)


@pytest.mark.parametrize("key", measurable())
def test_the_lens_takes_every_algorithm(windows, key):
    update = inside_update(windows, 3, CONFIG.replace(algorithm=key))
    assert np.isfinite(update.steps.select_dtypes("number").to_numpy()).all()
    np.testing.assert_array_equal(
        update.steps.psi, weights(windows, CONFIG, [key])[key][3].astype(np.float32)
    )


@pytest.mark.parametrize(("bootstraps", "expected"), [(True, [5, 31]), (False, [31])])
def test_the_lens_knows_which_cuts_the_critic_bridges(row, bootstraps, expected):
    """The window's end always; the clock's only where truncation is worth going on."""
    config = CONFIG.replace(bootstrap_truncation=bootstraps)
    cut = collect_windows(row, config, 3, 0)
    cut.batch.terminated[0] = cut.batch.truncated[0] = False
    cut.batch.truncated[0, 5] = True
    steps = inside_update(cut, 0, config).steps
    assert np.flatnonzero(steps.bootstrapped).tolist() == expected


def test_the_lens_has_no_such_window(windows):
    with pytest.raises(ValueError, match="from 0 to 1999"):
        inside_update(windows, 2000, CONFIG)


# --- Reports ---------------------------------------------------------------------------------


def test_batches_of_one_step(row):
    """The batch's own mean leaves nothing; everything else still works."""
    report = examine(row, CONFIG.replace(batch_size=1), 500, 0)
    for key in ("batch_mean", "normalized"):
        gone = report.measurements[key]
        assert gone.tr_sigma.estimate == 0 and gone.right_way.estimate == 0
        assert np.isnan(gone.snr.estimate) and gone.bias.along.estimate == pytest.approx(-1)
    for key in ("policy_gradient", "actor_critic", "leave_one_out", "gae", "optimal_constant"):
        assert report.measurements[key].tr_sigma.low > 0
    frame = report.to_frame()
    assert set(frame.columns) == {"algorithm", "quantity", "estimate", "low", "high", "n"}
    assert set(frame.algorithm) == {*measurable(), "monte_carlo", "optimal_constant"}


def test_a_policy_without_doubt_has_no_gradient():
    """pi(right) = 1 and every score 0: nothing to estimate or divide by, and no warning."""
    row = np.zeros((1, shape_of(BALANCER).size), np.float32)
    shape_of(BALANCER).policy(row).b2[0] = (-100, 100)
    report = examine(row[0], BALANCER, 100, 0)
    assert np.isnan(report.reference.squared_norm)
    for measured in report.measurements.values():
        assert measured.tr_sigma.estimate == 0 and np.isnan(measured.bias.relative.estimate)
        plain = _plain(measured.intervals())
        assert plain["snr"] == {"estimate": None, "low": None, "high": None}
        assert json.dumps(plain, allow_nan=False)


def test_progress_is_told_and_can_end_it(row):
    heard: list[float] = []
    examine(row, CONFIG, 200, 0, algorithms=["batch_mean"], progress=heard.append)
    assert heard == sorted(heard) and heard[-1] == 1

    class Enough(Exception):
        pass

    def stop(share):
        raise Enough

    with pytest.raises(Enough):
        examine(row, CONFIG, 200, 0, progress=stop)


def test_the_summary_is_json_and_the_command_line_prints_it(capsys):
    arguments = ["gradients", "--json", "--windows", "200", "--checkpoint", "0", "--batch-size"]
    arguments += ["1", "--total-timesteps", "500", "--num-seeds", "2", "--seed-index", "1"]
    assert main(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    config = Config(batch_size=1, total_timesteps=500, num_seeds=2)
    found = summary(config, 0, 1, 200)
    assert printed == json.loads(json.dumps(found, allow_nan=False))
    assert (found["checkpoint"], found["steps"], found["seed"]) == (0, 0, 1)
    assert summary(config, -2, 1, 200) == found  # counted from the end
    assert found["estimators"]["batch_mean"]["snr"]["estimate"] is None
    assert main(arguments[:1] + arguments[2:]) == 0
    assert "policy_gradient" in capsys.readouterr().out


def test_summary_and_report_refuse_what_is_not_there(row):
    for checkpoint in (21, -22):
        with pytest.raises(ValueError, match=f"is {checkpoint}; it must be from -21 to 20"):
            summary(Config(), checkpoint)
    with pytest.raises(ValueError, match="seed_index is 10"):
        summary(Config(), seed_index=10)
    with pytest.raises(ValueError, match="from 10 to"):
        examine(row, CONFIG, 5)
    with pytest.raises(ValueError, match="from 10 to 79,184"):
        examine(row, CONFIG, 100_000)
