"""The exact pages' charts: built, serialised, and equal to what pgcore.exact enumerates."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pgcore.exact import fates
from pgcore.exact.bandit import Bandit, never_good_arm, simplex_points, stuck
from pgcore.exact.toypole import THETA, ToyPole
from pgcore.gradients import enumerated
from ui.bandit import charts as bandit
from ui.bandit import words
from ui.toypole import charts as toypole
from ui.toypole import words as pole_words

ARMS = Bandit((0.2, 0.3, 0.5), (1, 2, 4))
NOISY = Bandit((0.2, 0.3, 0.5), (1, 2, 4), noise=0.5)
LAB = enumerated.pole(THETA, 0.9)


@pytest.mark.parametrize(
    "spec",
    [
        lambda: bandit.simplex_spec(),
        lambda: bandit.parabola_spec(-2.0, 7.0, 12.0),
        lambda: bandit.path_spec(),
        lambda: bandit.never_spec(),
        lambda: toypole.chain_spec(7.0),
        lambda: toypole.estimate_spec("kept", 0.0, 2.0),
        lambda: toypole.estimate_spec("tr_var", 0.05, 2.0),
        lambda: toypole.length_spec(),
        lambda: toypole.lambda_spec(0.2),
        lambda: toypole.field_spec(),
        lambda: toypole.climb_spec(),
    ],
)
def test_specs_are_constant_serialisable_and_without_data(spec):
    assert spec() is spec()
    text = json.dumps(spec())
    assert '"datasets"' not in text
    assert '"values": [{' not in text


# --- The bandit ------------------------------------------------------------------------------


def tips(rows, part):
    """Where the arrows of `simplex_rows` end, by name: the second point of each stroke."""
    drawn = rows[(rows["part"] == part) & (rows["order"] == 1)]
    return {row["name"]: np.array([row["x"], row["y"]]) for _, row in drawn.iterrows()}


@pytest.mark.parametrize("b", [0.0, 2.2967742, 6.0])
def test_the_arrows_are_the_bandits_and_their_mean_stays_where_it_is(b):
    rows = bandit.simplex_rows(ARMS, b)
    here = simplex_points(ARMS.policy)
    arrows = tips(rows, "arrow")
    for a, name in enumerate(bandit.ARMS):
        expected = here + simplex_points(ARMS.arrows(b)[a]) / 4
        np.testing.assert_allclose(arrows[name], expected, atol=1e-12)
    mean = sum(p * (arrows[name] - here) for p, name in zip(ARMS.policy, bandit.ARMS, strict=True))
    np.testing.assert_allclose(tips(rows, "mean")[bandit.MEAN], here + mean, atol=1e-12)
    unmoved = bandit.simplex_rows(ARMS, -50.0)
    np.testing.assert_allclose(tips(unmoved, "mean")[bandit.MEAN], here + mean, atol=1e-12)


def test_without_baseline_the_longest_arrow_ends_in_its_own_corner():
    corner = simplex_points(np.eye(3))[2]
    np.testing.assert_allclose(tips(bandit.simplex_rows(ARMS, 0.0), "arrow")["arm 3"], corner)


def test_noise_is_a_bar_about_the_tip_and_absent_without_noise():
    assert (bandit.simplex_rows(ARMS, 1.0)["part"] != "noise").all()
    rows = bandit.simplex_rows(NOISY, 1.0)
    bars = rows[rows["part"] == "noise"].groupby("name")[["x", "y"]].mean()
    for name, tip in tips(rows, "arrow").items():
        np.testing.assert_allclose(bars.loc[name], tip, atol=1e-12)


def test_an_arrow_of_no_length_is_drawn_as_a_point():
    point = np.array([0.3, 0.4])
    np.testing.assert_array_equal(bandit.arrow(point, point), np.tile(point, (5, 1)))


@pytest.mark.parametrize("laboratory", [ARMS, NOISY, Bandit((0.2, 0.3, 0.5), (-1, -2, -4))])
def test_the_parabola_is_exact_and_harm_is_where_it_is_worse_than_none(laboratory):
    rows = bandit.parabola_rows(laboratory, 1.5)
    curve = rows[rows["part"] == "curve"]
    expected = [laboratory.tr_var(b) for b in curve["b"]]
    np.testing.assert_allclose(curve["tr_var"], expected, rtol=1e-12)
    inside = np.zeros(len(curve), bool)
    for _, zone in rows[rows["part"] == "harm"].iterrows():
        inside |= curve["b"].between(zone["b"], zone["b2"]).to_numpy()
    worse = curve["tr_var"].to_numpy() > laboratory.tr_var(0.0) + 1e-9
    edge = np.isclose(curve["tr_var"], laboratory.tr_var(0.0), rtol=0.05)
    np.testing.assert_array_equal(inside[~edge], worse[~edge])
    here = rows[rows["part"] == "here"].iloc[0]
    assert here["tr_var"] == pytest.approx(laboratory.tr_var(1.5))
    assert set(rows.loc[rows["part"] == "mark", "text"]) == {"none", "V", "b*", "b* − 1", "b* + 1"}


def test_names_below_the_parabola_do_not_cover_each_other():
    marks = bandit.parabola_rows(ARMS, 0.0).query("part == 'mark'").sort_values("b")
    low, high = bandit.span(ARMS)
    for _, row in marks.groupby("below"):
        assert (np.diff(row["b"]) > 0.1 * (high - low)).all()


def test_the_table_has_the_values_worked_by_hand():
    table = bandit.numbers(ARMS, 5.0, 4).set_index("baseline")
    assert table.loc["none", "tr_var"] == pytest.approx(3.6248)
    assert table.loc["V = 2.8000", "tr_var"] == pytest.approx(0.5112)
    assert round(table.loc["b* = 2.2968", "tr_var"], 7) == 0.3541935
    assert table.loc["yours = 5.0000", "tr_var"] == pytest.approx(ARMS.tr_var(5.0))
    assert table.loc["none", "batch_tr_var"] == pytest.approx(3.6248 / 4)
    assert table.loc["batch mean", "batch_tr_var"] == pytest.approx(0.142875)
    assert table.loc["batch mean", "kept"] == 0.75
    assert table.loc["leave one out", "batch_tr_var"] == pytest.approx(0.254)
    text = bandit.written(bandit.numbers(ARMS, 5.0, 4), 4)
    assert text["mean"].tolist() == ["g", "g", "g", "g", "0.75 g", "g"]
    assert text["tr Var, 4 pulls"].iloc[-2:].tolist() == ["0.1429", "0.2540"]


def test_the_batch_means_row_is_the_enumerated_one_with_noise_too():
    enumerated = NOISY.batch_moments(lambda q: q - q.mean(-1, keepdims=True), 3)
    row = bandit.numbers(NOISY, 0.0, 3).set_index("baseline").loc["batch mean"]
    assert row["batch_tr_var"] == pytest.approx(enumerated.tr_var)
    np.testing.assert_allclose(row["kept"] * NOISY.gradient, enumerated.mean, atol=1e-12)


@pytest.fixture(scope="module")
def stories():
    return {name: fates.runs(name, 500, 0.5) for name in fates.first_steps()}


def test_equal_variance_at_the_first_step_and_different_fates(stories):
    first = fates.first_steps()
    assert first["b* - 1"].tr_var == pytest.approx(first["b* + 1"].tr_var)
    assert min(step.tr_var for step in first.values()) == pytest.approx(first["b*"].tr_var)
    assert first["V"] == pytest.approx(first["b*"])  # all 1/pi_a are equal at the start
    assert fates.which_sticks(stories["b* - 1"], stories["b* + 1"]) == 1
    assert fates.which_sticks(stories["b* + 1"], stories["b* - 1"]) == 2
    assert fates.which_sticks(stories["V"], stories["V"]) == 0


def test_shares_count_every_run_once_and_carry_wilsons_interval(stories):
    for policies in stories.values():
        shares = fates.shares(policies)
        assert sum(share.estimate for share in shares.values()) == pytest.approx(1)
        assert shares["stuck on a worse arm"].estimate == stuck(policies[-1], (1, 0.7, 0)).mean()
        assert all(share.low <= share.estimate <= share.high for share in shares.values())
        assert all(share.n == 500 for share in shares.values())
    assert "**0.0%** [0.0%, " in words.fates_in_colour(stories["V"])


def test_paths_begin_in_the_middle_and_end_where_the_runs_end(stories):
    rows = bandit.path_rows(stories["none"], lines=20)
    paths = rows[rows["part"] == "path"]
    assert paths["run"].nunique() == 20
    first = paths.groupby("run")[["x", "y"]].first()
    middle = np.tile(simplex_points(np.full(3, 1 / 3)), (20, 1))
    np.testing.assert_allclose(first, middle)
    last = paths.groupby("run")[["x", "y"]].last()
    ends = simplex_points(stories["none"][-1, :20])
    np.testing.assert_allclose(last, ends, atol=0.02)


def test_the_closed_form_lies_within_the_simulated_intervals():
    rows = bandit.never_rows(0.5, -1.0, 4000)
    simulated = rows[rows["part"] == "sampled"]
    assert len(simulated) == len(bandit.NEVER_BASELINES)
    for _, row in simulated.iterrows():
        exact = never_good_arm(0.5, row["b"])
        error = np.sqrt(exact * (1 - exact) / 4000)
        assert abs(row["share"] - exact) < 4 * error
        assert row["low"] < row["share"] < row["high"]
    assert round(rows.loc[rows["part"] == "here", "share"].iloc[0], 8) == 0.24221205
    curve = rows[rows["part"] == "exact"]
    assert (curve.loc[curve["b"] >= 0, "share"] == 0).all()


# --- ToyPole ---------------------------------------------------------------------------------


def test_the_chain_shows_the_laboratorys_numbers():
    rows = toypole.chain_rows(LAB)
    values = rows[rows["part"] == "value"].groupby("name")["y"].apply(np.array)
    np.testing.assert_allclose(values["V"], LAB.values)
    np.testing.assert_allclose(values["Q right"], LAB.q_values[:, 1])
    np.testing.assert_allclose(rows.loc[rows["part"] == "node", "mu"], LAB.occupancy)
    arrows = rows[rows["part"] == "arrow"].groupby("name")["share"].apply(np.array)
    np.testing.assert_allclose(arrows["right"], LAB.right)
    np.testing.assert_allclose(arrows["left"] + arrows["right"], 1)
    np.testing.assert_allclose(toypole.chain_table(LAB)["g∞"], LAB.gradient)


def test_the_table_of_estimators_is_the_enumerated_one():
    rows = enumerated.exact_rows(LAB, 5.0).set_index("estimator")
    printed = {
        "None": (1.154663, 0),
        "Constant 5": (0.183220, 0),
        "Batch mean": (0.078928, 0.463763),
        "Leave one out": (0.103090, 0.388595),
        "V(s)": (0.146271, 0),
        "b*(s)": (0.131766, 0),
    }
    assert list(rows.index) == list(printed)
    for name, (tr_var, relative_bias) in printed.items():
        assert rows.loc[name, "tr_var"] == pytest.approx(tr_var, abs=1e-6)
        assert rows.loc[name, "relative_bias"] == pytest.approx(relative_bias, abs=1e-6)
        if relative_bias == 0:
            assert rows.loc[name, "kept"] == pytest.approx(1)
    text = toypole.estimate_table(LAB, 5.0, 100, 0).set_index("baseline")
    assert text.loc["Batch mean", "relative bias, exact"] == "0.463763"
    assert text.loc["b*(s)", "relative bias, exact"] == "0.000000"


def test_sampled_estimates_meet_the_truth_as_often_as_their_intervals_say():
    exact = enumerated.exact_rows(LAB, 5.0)
    held = {"kept": 0, "tr_var": 0}
    draws = range(60)
    for draw in draws:
        sampled = enumerated.sampled_rows(LAB, 5.0, 1000, draw)
        assert sampled["key"].tolist() == exact["key"].tolist()
        for name in held:
            truth = exact[name]
            inside = (sampled[f"{name}_low"] <= truth) & (truth <= sampled[f"{name}_high"])
            held[name] += int(inside.sum())
    for name, count in held.items():  # six estimators share each draw
        assert 0.87 < count / (6 * len(draws)) <= 1, name


def test_the_sampled_variance_is_the_unbiased_one():
    n = 10
    rows = enumerated.sampled_rows(LAB, 5.0, n, 0).set_index("key")
    windows = enumerated.played(LAB, n, 8, 0)
    for key, psi in enumerated.weights(LAB, windows, 5.0).items():
        gradients = (psi[..., None] * windows.scores).mean(1)  # [n, 5]
        expected = gradients.var(0, ddof=1).sum()
        assert rows.loc[key, "tr_var"] == pytest.approx(expected), key


def test_equal_draws_are_equal_and_others_are_not():
    first, again, other = (enumerated.sampled_rows(LAB, 5.0, 200, draw) for draw in (0, 0, 1))
    assert first.equals(again)
    assert not np.allclose(first["kept"], other["kept"])


def test_the_batch_mean_loses_far_more_than_one_over_t_and_leave_one_out_too():
    rows = enumerated.length_rows(LAB, 1000, 0)
    lost = enumerated.lost_at(rows, 8)
    assert {key: round(value, 4) for key, value in lost.items()} == {
        "batch_mean": 0.4603,
        "leave_one_out": 0.3833,
    }
    exact = rows[(rows["part"] == "exact") & (rows["key"] == "leave_one_out")]
    assert (exact["lost"] > 1 / exact["T"]).all()
    assert exact["T"].tolist() == list(range(2, 13))
    assert round(enumerated.cosine(LAB, "batch_mean"), 4) == 0.9946
    sampled = rows[rows["part"] == "sampled"]
    assert ((sampled["low"] < sampled["lost"]) & (sampled["lost"] < sampled["high"])).all()
    assert (sampled["low"] > 1 / sampled["T"]).all()
    assert [pole_words.which_loss(x, 8) for x in (0.0, 0.125, 0.46)] == [0, 1, 2]


def test_leave_one_out_is_the_batch_mean_times_t_over_t_minus_one():
    rows = enumerated.length_rows(LAB, 1000, 0).query("part != '1/T'").set_index(["key", "T"])
    kept = 1 - rows["lost"]
    for length in (2, 5, 12, 32):
        ratio = kept["leave_one_out", length] / kept["batch_mean", length]
        assert ratio == pytest.approx(length / (length - 1), rel=1e-6)


def test_lambda_curves_are_gaes_and_their_minimum_moves():
    rows = enumerated.lambda_rows(LAB, 0.5, 10)
    curves = {
        kind: part["error"].to_numpy() for kind, part in rows.query("part=='curve'").groupby("kind")
    }
    np.testing.assert_allclose(curves["total"] ** 2, curves["bias"] ** 2 + curves["noise"] ** 2)
    wrong = LAB.values + 0.5 * np.array([1, -1, 1, -1, 1])
    bias, tr_var = LAB.gae_curve(wrong, [0.0, 1.0])
    np.testing.assert_allclose(curves["bias"][[0, -1]], bias)
    size = np.linalg.norm(LAB.gradient)
    np.testing.assert_allclose(curves["noise"][[0, -1]] * size, np.sqrt(tr_var / 10))
    # With the exact critic the least variance is near .15 and not at 0.
    assert enumerated.best_lambda(LAB, 0.0, 1) == enumerated.best_lambda(LAB, 0.0, 1000) == 0.14
    best = [enumerated.best_lambda(LAB, 0.5, n) for n in (1, 100, 1000)]
    assert best == sorted(best)
    assert [pole_words.which_lambda(x) for x in (0.0, 0.3, 1.0)] == [0, 1, 2]
    assert "0.06679 at λ = 0, 0.06594 at λ = 0.14 and 0.14627" in pole_words.lambda_words(LAB)


def test_only_the_discounted_gradient_comes_back_to_its_height():
    rows = enumerated.climb_rows(LAB, (0, 2), 2.0)
    ends = rows.groupby("field")["height"].last()
    assert abs(ends["∇J"]) < 1e-12
    assert round(ends["g∞"], 3) == 0.245
    assert set(rows["text"].dropna()) == {"0.245", "0.000"}
    skew = enumerated.asymmetries(LAB)
    assert round(skew["g∞"], 4) == 0.1094
    assert skew["∇J"] < 1e-10


def test_a_small_walk_gains_its_area_times_the_asymmetry():
    lab, radius = ToyPole(), 0.01
    gained = lab.climb(lambda pole: pole.gradient, (0, 2), radius)[-1]
    jacobian = lab.jacobian(lambda pole: pole.gradient)
    curl = jacobian[2, 0] - jacobian[0, 2]  # Green's theorem
    assert gained == pytest.approx(np.pi * radius**2 * curl, rel=1e-3)


def test_the_gradients_differ_by_their_angle():
    rows = enumerated.field_rows(LAB)
    unit = rows.groupby("field")["share"].apply(np.array)
    angle = np.degrees(np.arccos(unit["g∞"] @ unit["∇J"]))
    assert enumerated.angle_between(LAB) == pytest.approx(angle)
    np.testing.assert_allclose(rows.query("field == 'g∞'")["value"], LAB.gradient)
