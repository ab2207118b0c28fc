"""What the Measure lessons read: findings, arrows, constants, a critic's worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pgcore import Config, stats, train
from pgcore.algorithms import ALGORITHMS
from pgcore.gradients import collect_windows, decompose, examine, gradients_of, project, weights
from pgcore.gradients.arrows import arrows_of, share_right, share_shown, shift_of_constant
from pgcore.gradients.constant_baseline import (
    end_of_harmless_zone,
    measured_constants,
    relative_variance,
)
from pgcore.gradients.critic_worth import count_seeds, critic_worth, share_of_whole
from pgcore.gradients.findings import ESTIMATORS, PAIRS, find, noise_over_signal, paired_ratio
from pgcore.stats import Interval

CONFIG = Config(num_seeds=1, total_timesteps=1500, batch_size=8)
ROW = train(CONFIG).checkpoints[-1, 0]
REPORT = examine(ROW, CONFIG, 600, seed=0)
CLOUD = project(REPORT.gradients | {"score": REPORT.scores}, REPORT.reference, arrows=600)
PARTS = decompose(collect_windows(ROW, CONFIG.replace(batch_size=1), 200, 0), 0)


# --- findings --------------------------------------------------------------------------------


def test_estimators_are_those_that_a_batch_of_fixed_length_shows():
    assert {"policy_gradient", "actor_critic", "gae", "ppo"} <= set(ESTIMATORS)
    assert not {"constant", "formula", "reinforce"} & set(ESTIMATORS)
    assert len(ESTIMATORS) == len(ALGORITHMS) - 3


def test_findings_are_the_reports():
    shares = []
    found = find(ROW, CONFIG, 600, 0, progress=shares.append)
    assert shares[-1] == 1
    assert found.measurements["gae"].ratio.estimate == pytest.approx(
        REPORT.measurements["gae"].ratio.estimate
    )
    assert set(found.measurements) == {*ESTIMATORS, "monte_carlo", "optimal_constant"}
    assert found.cloud.arrows["score"].shape == (600, 2)
    assert set(found.ratios) == set(PAIRS)
    factor = found.ratios["leave_one_out", "batch_mean"].estimate
    assert factor == pytest.approx((8 / 7) ** 2, rel=1e-4)


def test_a_paired_ratio_is_that_of_the_measurement():
    g = REPORT.gradients["policy_gradient"]
    assert paired_ratio(2 * g, g)[:3] == pytest.approx((4, 4, 4), rel=1e-4)
    ratio = paired_ratio(REPORT.gradients["gae"], g)
    assert ratio[:3] == pytest.approx(REPORT.measurements["gae"].ratio[:3], rel=0.05)
    assert ratio.low < ratio.estimate < ratio.high
    assert ratio.n == 600


def test_noise_over_signal_knows_no_scale():
    measured = REPORT.measurements["policy_gradient"]
    noise = noise_over_signal(measured)
    expected = np.sqrt(measured.tr_sigma.estimate / measured.squared_mean.estimate)
    assert noise.estimate == pytest.approx(expected, rel=1e-3)
    assert noise.low < noise.estimate < noise.high
    unsure = noise_over_signal(replace(measured, snr=Interval(0.04, -0.01, 0.25, 600)))
    assert unsure[:3] == (5, 2, np.inf)
    assert np.isnan(noise_over_signal(replace(measured, snr=Interval(-0.1, -0.2, 0.1, 9)))[0])


# --- arrows ----------------------------------------------------------------------------------


def test_a_constants_arrows_are_the_constant_estimators():
    psi = weights(REPORT.windows, CONFIG.replace(baseline=7.5), ["constant"])
    gradients = gradients_of(REPORT.windows, psi)["constant"]
    expected = gradients @ CLOUD.axes.T / np.linalg.norm(REPORT.reference.mean)
    assert arrows_of(CLOUD, "constant", 7.5) == pytest.approx(expected, abs=1e-4)


def test_a_constant_moves_the_scatter_and_not_the_mean():
    plain, far = (arrows_of(CLOUD, "constant", b) for b in (0.0, 40.0))
    assert far.var(0).sum() > 2 * plain.var(0).sum()
    shift = shift_of_constant(CLOUD, 40.0)
    assert shift.estimate == pytest.approx(far.mean(0)[0] - plain.mean(0)[0])
    assert abs(shift.estimate) < 2 * (shift.high - shift.estimate)  # four standard errors
    assert shift.n == 600
    assert plain.mean(0) == pytest.approx(CLOUD.means["policy_gradient"], abs=1e-6)


def test_the_right_way_is_the_right_half():
    arrows = np.array([[1.0, -9.0], [0.1, 0.0], [-0.1, 5.0], [0.0, 1.0]])
    assert share_right(arrows) == stats.proportion_interval(2, 4)
    for key in ("policy_gradient", "batch_mean", "gae"):
        measured = REPORT.measurements[key].right_way.estimate
        assert share_right(CLOUD.arrows[key]).estimate == pytest.approx(measured)


def test_the_share_of_variance_that_a_constants_picture_shows():
    share = share_shown(CLOUD, "constant", 0.0, REPORT.reference, REPORT.parabola)
    assert share == pytest.approx(float(CLOUD.shares["policy_gradient"].sum()), rel=0.01)
    psi = weights(REPORT.windows, CONFIG.replace(baseline=20.0), ["constant"])
    g = gradients_of(REPORT.windows, psi)["constant"]
    expected = (g @ CLOUD.axes.T).var(0).sum() / g.var(0).sum()
    share = share_shown(CLOUD, "constant", 20.0, REPORT.reference, REPORT.parabola)
    assert share == pytest.approx(expected, rel=0.01)
    share = share_shown(CLOUD, "gae", 20.0, REPORT.reference, REPORT.parabola)
    assert share == pytest.approx(float(CLOUD.shares["gae"].sum()))


# --- constants -------------------------------------------------------------------------------


def test_the_variance_is_that_of_none_at_0_and_at_twice_the_best():
    curve, best = REPORT.parabola, REPORT.parabola.vertex.estimate
    assert relative_variance(curve, 0.0)[:3] == (1, 1, 1)
    end = end_of_harmless_zone(curve)
    assert end.estimate == pytest.approx(2 * best)
    assert end.low == pytest.approx(2 * curve.vertex.low)
    assert relative_variance(curve, end.estimate).estimate == pytest.approx(1)
    assert relative_variance(curve, best).estimate == pytest.approx(curve.least.estimate)
    assert relative_variance(curve, -0.1).low > 1
    assert relative_variance(curve, best).high < 1


def test_constants_measured_on_other_windows_lie_on_the_curve():
    best = REPORT.parabola.vertex.estimate
    constants = [best * k for k in (-1, -0.5, 0.5, 1, 1.5, 2, 3)]
    others = collect_windows(ROW, CONFIG, 600, 0, first=10_000)
    points = measured_constants(others, CONFIG, constants)
    assert points["b"].tolist() == constants
    for _, point in points.iterrows():
        curve = relative_variance(REPORT.parabola, point["b"])
        room = (point["high"] - point["low"]) + (curve.high - curve.low)  # some four errors
        assert abs(point["ratio"] - curve.estimate) < room
    assert points.loc[points["ratio"].idxmin(), "b"] == pytest.approx(best)


# --- the critic ------------------------------------------------------------------------------


def test_a_critics_worth_is_measured_against_the_best_constant():
    worth = critic_worth(ROW, CONFIG, 0)
    row = worth.to_row()
    for name in ("ratio", "explained"):
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    g = REPORT.gradients
    expected = paired_ratio(g["actor_critic"], g["optimal_constant"])  # partly the same windows
    assert expected.low * 0.9 < worth.ratio.estimate < expected.high * 1.1
    explained = PARTS.critic.explained
    room = 3 * (explained.high - explained.low)
    assert abs(worth.explained.estimate - explained.estimate) < room


def test_seeds_are_counted_with_wilsons_interval():
    rows = pd.DataFrame(
        {
            "seed": [0, 1, 2, 0],
            "steps": [500, 500, 500, 0],
            "explained": [-1.0, 0.5, -0.1, 0.9],
            "ratio": [1.2, 1.1, 1.3, 0.5],
        }
    )
    expected = stats.proportion_interval(2, 3), stats.proportion_interval(3, 3)
    assert count_seeds(rows, 500) == expected


def test_a_baseline_touches_the_choice_of_action_alone():
    shares = {
        (baseline, source): share_of_whole(PARTS, baseline, source).estimate
        for baseline in ("none", "critic", "value")
        for source in ("action", "later", "state")
    }
    assert sum(shares["none", source] for source in ("action", "later", "state")) == (
        pytest.approx(1)
    )
    for source in ("later", "state"):
        assert shares["value", source] == shares["none", source] == shares["critic", source]
    assert shares["value", "action"] < shares["none", "action"]
