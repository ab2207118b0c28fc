"""The library's own estimators on ToyPole: what trains agents is held to enumerated truths."""

from __future__ import annotations

import numpy as np
import pytest

from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.exact.toypole import STATES, ToyPole

POLE = ToyPole()
WINDOWS = POLE.windows(8)
WRONG_CRITIC = POLE.values + np.array([0.5, -0.5, 0.5, -0.5, 0.5])
FLOAT32 = 1e-6  # settings enter an estimator in single precision


def weight(key, windows, **settings):
    return ALGORITHMS[key].weight(windows.batch, Config(algorithm=key, gamma=0.9, **settings))


@pytest.mark.parametrize(
    ("key", "settings", "tr_var", "relative_bias"),
    [
        ("policy_gradient", {}, 1.154663, 0),
        ("constant", {"baseline": 5.0}, 0.183220, 0),
        ("batch_mean", {}, 0.078928, 0.463763),
        ("leave_one_out", {}, 0.103090, 0.388595),
        ("actor_critic", {}, 0.146271, 0),
        ("gae", {"gae_lambda": 1.0}, 0.146271, 0),
        ("gae", {"gae_lambda": 0.0}, 0.066792, 0),
        ("gae", {"gae_lambda": 0.15}, 0.065940, 0),
        ("running_mean", {}, 1.154663, 0),  # no past yet: its baseline is 0
        ("formula", {"formula": "q - v"}, 0.146271, 0),
        ("formula", {"formula": "q - 5"}, 0.183220, 0),
        ("formula", {"formula": "q - mean(q)"}, 0.078928, 0.463763),
    ],
)
def test_estimators_have_the_enumerated_bias_and_variance(key, settings, tr_var, relative_bias):
    measured = POLE.measure(WINDOWS, weight(key, WINDOWS, **settings))
    assert measured.tr_var == pytest.approx(tr_var, abs=FLOAT32)
    assert measured.relative_bias == pytest.approx(relative_bias, abs=FLOAT32)


def test_the_optimal_constant_of_the_windows_is_best_in_the_library_too():
    best = WINDOWS.parabola.vertex
    least, *others = (
        POLE.measure(WINDOWS, weight("constant", WINDOWS, baseline=b)).tr_var
        for b in (best, best - 1, best + 1)
    )
    assert least == pytest.approx(float(WINDOWS.parabola(best)), abs=FLOAT32)
    assert others == pytest.approx([float(WINDOWS.parabola(best + 1))] * 2, abs=FLOAT32)
    assert least < min(others) - 0.01


@pytest.mark.parametrize("lam", [0.0, 0.3, 0.95, 1.0])
def test_gae_with_a_wrong_critic_lies_on_the_curve(lam):
    windows = POLE.windows(8, WRONG_CRITIC)
    measured = POLE.measure(windows, weight("gae", windows, gae_lambda=lam))
    (bias,), (tr_var,) = POLE.gae_curve(WRONG_CRITIC, [lam])
    assert measured.relative_bias == pytest.approx(bias, abs=FLOAT32)
    assert measured.tr_var == pytest.approx(tr_var, abs=FLOAT32)


def test_normalized_rescales_each_window_and_so_bends_the_mean():
    psi = weight("normalized", WINDOWS)
    np.testing.assert_allclose(psi.mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(psi.std(-1), 1, atol=1e-6)
    scale = (WINDOWS.q_values - WINDOWS.values).std(-1, keepdims=True)
    centred = POLE.measure(WINDOWS, psi * scale)
    batch_mean_of_advantages = weight("formula", WINDOWS, formula="q - v - mean(q - v)")
    expected = POLE.measure(WINDOWS, batch_mean_of_advantages)
    np.testing.assert_allclose(centred.mean, expected.mean, atol=FLOAT32)
    assert centred.tr_var == pytest.approx(expected.tr_var, abs=FLOAT32)
    mean = POLE.measure(WINDOWS, psi).mean
    cosine = mean @ POLE.gradient / np.linalg.norm(mean) / np.linalg.norm(POLE.gradient)
    assert 0.9 < cosine < 0.999


def test_one_step_has_no_others_to_leave_out_and_no_spread_to_divide_by():
    windows = POLE.windows(1)
    assert POLE.measure(windows, weight("leave_one_out", windows)).relative_bias < 1e-12
    assert (weight("batch_mean", windows) == 0).all()
    assert (weight("normalized", windows) == 0).all()


def test_a_batch_holds_what_the_windows_hold():
    batch = WINDOWS.batch
    assert batch.obs.shape == batch.final_obs.shape == (1280, 8, STATES)
    np.testing.assert_array_equal(batch.obs.argmax(-1), WINDOWS.states)
    np.testing.assert_array_equal(batch.obs.sum(-1), 1)
    np.testing.assert_array_equal(batch.final_obs.sum(-1), ~WINDOWS.terminated)
    following, ended = WINDOWS.states[:, 1:], WINDOWS.terminated[:, :-1]
    np.testing.assert_array_equal(batch.final_obs[:, :-1].argmax(-1)[~ended], following[~ended])
    chance = POLE.occupancy[WINDOWS.states[:, 0]] * batch.probs.prod(-1)
    np.testing.assert_allclose(chance, WINDOWS.probability, atol=1e-15)
    np.testing.assert_array_equal(batch.ended, WINDOWS.terminated)
