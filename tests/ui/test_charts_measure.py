"""The charts of The cloud, The parabola, Where variance comes from show what was measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pgcore import Config, stats, train
from pgcore.gradients import (
    by_batch_size,
    collect_windows,
    decompose,
    examine,
    gradients_of,
    project,
    weights,
)
from pgcore.plotting.theme import keys
from pgcore.stats import Interval
from ui.cloud import charts as cloud
from ui.parabola import charts as parabola
from ui.variance import charts as variance

CONFIG = Config(num_seeds=3, total_timesteps=1500, batch_size=8)
HISTORY = train(CONFIG)
ROW = HISTORY.checkpoints[-1, 0]
REPORT = examine(ROW, CONFIG, 600, seed=0)
CLOUD = project(REPORT.gradients | {"score": REPORT.scores}, REPORT.reference, arrows=600)
PARTS = {
    steps: decompose(
        collect_windows(HISTORY.checkpoints[k, 0], CONFIG.replace(batch_size=1), 200, 0), 0
    )
    for k, steps in ((0, 0), (3, 1500))
}
RATIOS = {
    (a, b): cloud.paired_ratio(REPORT.gradients[a], REPORT.gradients[b])
    for a, b in (("actor_critic", "optimal_constant"), ("leave_one_out", "batch_mean"))
}


def serialised(spec: dict) -> str:
    """The spec as JSON; it must not carry data."""
    text = json.dumps(spec)
    assert '"datasets"' not in text
    assert '"values": [{' not in text
    return text


# --- The cloud -------------------------------------------------------------------------------


def test_a_constants_arrows_are_the_constant_estimators():
    psi = weights(REPORT.windows, CONFIG.replace(baseline=7.5), ["constant"])
    gradients = gradients_of(REPORT.windows, psi)["constant"]
    expected = gradients @ CLOUD.axes.T / np.linalg.norm(REPORT.reference.mean)
    assert cloud.shadows(CLOUD, "constant", 7.5) == pytest.approx(expected, abs=1e-4)


def test_the_cloud_breathes_while_its_mean_stays():
    score = CLOUD.arrows["score"]
    noise = score.std(0) / np.sqrt(len(score))
    plain, far = (cloud.shadows(CLOUD, "constant", b) for b in (0.0, 40.0))
    assert far.var(0).sum() > 2 * plain.var(0).sum()
    assert (np.abs(far.mean(0) - plain.mean(0)) < 4 * 40 * noise).all()
    assert plain.mean(0) == pytest.approx(CLOUD.means["policy_gradient"], abs=1e-6)


def test_the_right_way_is_the_right_half():
    arrows = np.array([[1.0, -9.0], [0.1, 0.0], [-0.1, 5.0], [0.0, 1.0]])
    assert cloud.right_way(arrows) == stats.proportion_interval(2, 4)
    for key in ("policy_gradient", "batch_mean", "gae"):
        measured = REPORT.measurements[key].right_way.estimate
        assert cloud.right_way(CLOUD.arrows[key]).estimate == pytest.approx(measured)


def test_the_share_of_variance_that_a_constants_picture_shows():
    share = cloud.plane_share(CLOUD, "constant", 0.0, REPORT.reference, REPORT.parabola)
    assert share == pytest.approx(float(CLOUD.shares["policy_gradient"].sum()), rel=0.01)
    psi = weights(REPORT.windows, CONFIG.replace(baseline=20.0), ["constant"])
    g = gradients_of(REPORT.windows, psi)["constant"]
    expected = (g @ CLOUD.axes.T).var(0).sum() / g.var(0).sum()
    share = cloud.plane_share(CLOUD, "constant", 20.0, REPORT.reference, REPORT.parabola)
    assert share == pytest.approx(expected, rel=0.01)
    assert cloud.plane_share(
        CLOUD, "gae", 20.0, REPORT.reference, REPORT.parabola
    ) == pytest.approx(float(CLOUD.shares["gae"].sum()))


def test_arrow_rows_are_the_first_updates_the_mean_of_all_and_the_truth():
    arrows = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [0.0, -1.0]])
    rows = cloud.arrow_rows(arrows, drawn=3)
    assert rows["part"].tolist() == ["update"] * 3 + ["truth", "mean"]
    assert rows["angle"].tolist() == [90, 0, -90, 90, 0]
    assert rows.iloc[-1][["x", "y"]].tolist() == [0, 0.25]
    assert rows.iloc[-2][["x", "y"]].tolist() == [1, 0]


def test_the_frame_holds_most_arrows_and_always_the_truth():
    half = cloud.radius(CLOUD, ["policy_gradient", "gae"])
    assert half == cloud.radius(CLOUD, ["policy_gradient"])  # the widest decides
    assert (np.abs(CLOUD.arrows["policy_gradient"]) <= half).mean() >= 0.93
    still = replace(CLOUD, arrows={"gae": np.zeros((5, 2))})
    assert cloud.radius(still, ["gae"]) == 1.5


@pytest.mark.parametrize("key", keys())
def test_every_panel_is_serialised_once_and_has_square_axes(key):
    spec = cloud.panel_spec(5.0, key)
    assert spec is cloud.panel_spec(5.0, key)
    text = serialised(spec)
    assert '{"expr": "-5.0 * width / height"}, {"expr": "5.0 * width / height"}' in text
    assert '"domain": [-5.0, 5.0]' in text
    assert json.dumps(keys()) in text


def test_a_panel_is_told_in_words():
    words = cloud.description("gae", CLOUD.arrows["gae"])
    assert f"{CLOUD.means['gae'][0]:.2f} along the true gradient" in words
    assert "n = 600" in words


FRAME = by_batch_size(REPORT.windows, CONFIG, ["policy_gradient", "actor_critic", "gae"])


def test_the_law_is_that_of_independent_steps():
    rows = cloud.batch_rows(FRAME, ["policy_gradient"])
    assert set(rows["algorithm"]) == {"policy_gradient", "score", "law"}
    law = rows[rows["part"] == "law"].set_index("batch_size")["tr_sigma"]
    plain = rows[rows["algorithm"] == "policy_gradient"].set_index("batch_size")["tr_sigma"]
    assert (law * law.index).to_numpy() == pytest.approx(plain[1])
    assert law[8] == pytest.approx(plain[1] / 8)
    labels = rows[rows["label"] != ""]
    assert (labels["batch_size"] == 8).all()
    assert len(labels) == 3
    serialised(cloud.batch_spec(8))


def test_the_sentence_on_1_over_b_quotes_the_measurement():
    words, last = cloud.law(FRAME), FRAME[FRAME["batch_size"] == 8].set_index("algorithm")
    effect = [last.loc["score", f"design_effect{end}"] for end in ("", "_low", "_high")]
    assert f"a batch of 8 has {cloud.written(Interval(*effect, 600))} times" in words
    assert f"{last.loc['actor_critic', 'tr_sigma']:.2f}" in words
    assert "Actor-critic" in cloud.batch_description(FRAME)


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.0232, 0.0190, 0.02785, 9), "0.0232 [0.0190, 0.0278]"),
        (Interval(1.0, 1.0, 1.0, 9), "1.00"),
        (Interval(0.0, 0.0, 0.0, 9), "0"),
        (Interval(0.0, 0.0, 0.012, 9), "0.00 [0.00, 0.01]"),
        (Interval(893.2, 854.1, 932.4, 9), "893 [854, 932]"),
        (Interval(-0.9351, -1.111, -0.784, 9), "-0.935 [-1.111, -0.784]"),
        (Interval(np.nan, np.nan, np.nan, 9), "undefined"),
    ],
)
def test_a_number_is_written_with_its_uncertainty(interval, text):
    assert cloud.written(interval) == text


@pytest.mark.parametrize(
    ("share", "words"), [(0.55, "Up to 55%"), (0.56, "55%"), (0.8, "70%"), (1.0, "More than 85%")]
)
def test_the_answer_is_one_of_the_options(share, words):
    assert cloud.answer(Interval(share, 0, 1, 9)).startswith(words)


def test_the_table_has_every_estimator_with_its_intervals():
    table = cloud.table(REPORT.measurements).set_index("estimator")
    assert len(table) == len(REPORT.measurements)
    assert table.loc["Policy gradient", "variance / plain PG's"] == "1.00"
    measured = REPORT.measurements["gae"]
    assert table.loc["GAE", "variance / plain PG's"] == cloud.written(measured.ratio)
    assert table.loc["GAE", "right way"] == cloud.percent(measured.right_way)
    assert table.loc["REINFORCE", "bias that Ψ adds"] == "other target"


def test_a_paired_ratio_is_that_of_the_measurement():
    g = REPORT.gradients["policy_gradient"]
    double = cloud.paired_ratio(2 * g, g)
    assert double[:3] == pytest.approx((4, 4, 4), rel=1e-4)
    ratio = cloud.paired_ratio(REPORT.gradients["gae"], g)
    assert ratio[:3] == pytest.approx(REPORT.measurements["gae"].ratio[:3], rel=0.05)
    assert ratio.low < ratio.estimate < ratio.high
    assert ratio.n == 600


def test_leave_one_out_costs_what_its_factor_says():
    assert RATIOS["leave_one_out", "batch_mean"].estimate == pytest.approx((8 / 7) ** 2, rel=1e-4)


def test_findings_quote_the_measurements():
    measured = REPORT.measurements
    sentences = cloud.findings(measured, RATIOS, 8)
    words = " ".join(sentences)
    for interval in (
        measured["actor_critic"].bias.relative,
        measured["batch_mean"].added.relative,
        measured["leave_one_out"].added.relative,
        measured["actor_critic"].ratio,
        RATIOS["actor_critic", "optimal_constant"],
    ):
        assert cloud.written(interval) in words
    assert cloud.percent(measured["policy_gradient"].right_way) in words
    assert cloud.verdict(RATIOS["actor_critic", "optimal_constant"]) in words
    assert "A batch of one step" in cloud.findings(measured, RATIOS, 1)[2]


def test_the_verdict_says_no_more_than_its_interval():
    assert cloud.verdict(Interval(0.8, 0.7, 0.9, 9)) == "the critic earns its keep"
    assert cloud.verdict(Interval(1.3, 1.1, 1.5, 9)) == "one good number does better"
    assert cloud.verdict(Interval(1.1, 0.9, 1.3, 9)) == "they cannot be told apart"


# --- The parabola ----------------------------------------------------------------------------


def test_harm_begins_at_0_and_at_twice_the_best():
    curve, best = REPORT.parabola, REPORT.parabola.vertex.estimate
    assert parabola.relative(curve, 0.0)[:3] == (1, 1, 1)
    assert parabola.relative(curve, 2 * best).estimate == pytest.approx(1)
    assert parabola.relative(curve, best)[:1] == pytest.approx(curve.least[:1])
    assert parabola.relative(curve, -0.1).low > 1
    assert parabola.relative(curve, best).high < 1


def test_points_measured_elsewhere_lie_on_the_curve():
    best = REPORT.parabola.vertex.estimate
    constants = [best * k for k in (-1, -0.5, 0.5, 1, 1.5, 2, 3)]
    others = collect_windows(ROW, CONFIG, 600, 0, first=10_000)
    points = parabola.measured_points(others, CONFIG, constants)
    assert points["b"].tolist() == constants
    for _, point in points.iterrows():
        curve = parabola.relative(REPORT.parabola, point["b"])
        room = (point["high"] - point["low"]) + (curve.high - curve.low)  # some four errors
        assert abs(point["ratio"] - curve.estimate) < room
    assert points.loc[points["ratio"].idxmin(), "b"] == pytest.approx(best)


def test_rows_have_the_curve_its_marks_and_the_zones_of_harm():
    best = REPORT.parabola.vertex.estimate
    points = pd.DataFrame({"b": [1.0], "ratio": [0.9], "low": [0.8], "high": [1.0]})
    rows = parabola.rows(REPORT.parabola, 3 * best, {"mean V": best / 2}, points)
    assert rows[rows["part"] == "harm"][["b", "b2"]].to_numpy() == pytest.approx(
        np.array([[-best, 0], [2 * best, 3 * best]])
    )
    marks = rows[rows["part"] == "mark"].set_index("text")
    assert marks.loc[f"mean V {best / 2:.3g}", "side"] == "left"
    assert marks.loc[f"b* = {best:.3g}", "side"] == "inside"
    here = rows[rows["part"] == "here"].iloc[0]
    assert here["ratio"] == pytest.approx(parabola.relative(REPORT.parabola, 3 * best).estimate)
    assert (rows["part"] == "point").sum() == 1


def test_a_baseline_far_off_is_still_on_the_chart():
    curve = REPORT.parabola
    low, high = parabola.span(curve, 100.0)
    assert low < 0
    assert high == 100
    assert parabola.top(curve, 100.0) > parabola.relative(curve, 100.0).estimate
    rows = parabola.rows(curve, 100.0, {"mean V": 1.0}, None)
    assert (rows["part"] == "mark").sum() == 1  # names that would lie on each other are left out
    serialised(parabola.parabola_spec(low, high, parabola.top(curve, 100.0)))
    assert "at b = 100 it is" in parabola.description(curve, 100.0)


def test_training_rows_are_the_histories():
    histories = {parabola.NONE: HISTORY}
    rows = parabola.training_rows(histories, {parabola.NONE: "no baseline"})
    middle = stats.mean_t_interval(HISTORY.eval_returns.T)
    assert rows["mean"].to_numpy() == pytest.approx(middle.estimate)
    assert rows["high"].to_numpy() == pytest.approx(middle.high)
    assert rows["label"].tolist() == ["", "", "no baseline"]
    assert len(parabola.training_rows({}, {})) == 0
    serialised(parabola.training_spec(1500, 500.0))
    assert "none at" in parabola.training_description(histories)


def test_a_gain_is_told_as_far_as_its_interval_goes():
    gap = parabola.gained(HISTORY, HISTORY)
    assert gap.estimate == 0
    assert "+0 [" in parabola.told(gap, "b*")
    assert parabola.told(gap, "b*").endswith("no difference can be told")
    assert parabola.told(Interval(30, 6, 54, 10), "b*").endswith("learning is faster")
    assert parabola.told(Interval(-27, -48, -6, 10), "b").endswith("learning is slower")
    alone = parabola.told(Interval(5, np.nan, np.nan, 1), "b")
    assert "nan" not in alone
    assert alone.endswith("one seed tells nothing")


# --- Where variance comes from ---------------------------------------------------------------


@pytest.mark.parametrize("baseline", variance.BASELINES)
def test_the_bars_add_up_to_the_whole(baseline):
    rows = variance.source_rows(PARTS, baseline)
    for steps, decomposed in PARTS.items():
        whole = decomposed.sources["none"].total.estimate
        bar = rows[rows["steps"] == steps]
        total = decomposed.sources[baseline].total.estimate / whole
        assert bar["estimate"].sum() == pytest.approx(total)
        assert (bar["share"] >= 0).all()
        assert bar["part"].tolist() == [*variance.PARTS.values()]
    assert variance.top(PARTS) >= 1.0
    serialised(variance.source_spec(1500, variance.top(PARTS)))
    action = variance.share(PARTS[1500], baseline, "action")
    assert f"which action {action.estimate:.0%}" in variance.source_description(
        PARTS[1500], baseline
    )


def test_a_baseline_touches_the_choice_of_action_alone():
    shares = {
        (baseline, part): variance.share(PARTS[1500], baseline, part).estimate
        for baseline in variance.BASELINES
        for part in variance.PARTS
    }
    for part in ("later", "state"):
        assert shares["value", part] == shares["none", part] == shares["critic", part]
    assert shares["value", "action"] < shares["none", "action"]


def test_the_scatter_has_a_point_a_state_within_its_axes():
    fits = [decomposed.critic for decomposed in PARTS.values()]
    rows = variance.critic_rows(fits[1])
    low, high = variance.critic_range(fits)
    assert len(rows) == 200
    assert rows["true"].to_numpy() == pytest.approx(fits[1].true, abs=0.01)
    assert rows[["true", "predicted"]].to_numpy().min() >= low
    assert rows[["true", "predicted"]].to_numpy().max() <= high
    serialised(variance.critic_spec(low, high))


@pytest.mark.parametrize(
    ("explained", "word"), [(0.9, "Yes"), (0.5, "Roughly"), (0.0, "Barely"), (-3.0, "No")]
)
def test_the_critic_is_judged_by_what_it_explains(explained, word):
    assert variance.answer(Interval(explained, 0, 1, 9)).startswith(word)


def test_the_table_follows_the_critic_along_its_training():
    table = variance.critic_table(PARTS)
    assert table["steps learned"].tolist() == ["0", "1,500"]
    assert table["RMSE"][1] == cloud.written(PARTS[1500].critic.rmse)


def test_a_grid_of_checkpoints_has_first_and_last():
    assert variance.grid(20) == [0, 4, 8, 12, 16, 20]
    assert variance.grid(3) == [0, 1, 2, 3]
    assert variance.grid(1) == [0, 1]


def test_a_cell_measures_the_critic_against_the_best_constant():
    cell = variance.cell(ROW, CONFIG, 0)
    for name in ("ratio", "explained"):
        assert cell[f"{name}_low"] <= cell[name] <= cell[f"{name}_high"]
    expected = RATIOS["actor_critic", "optimal_constant"]  # fewer, partly the same windows
    assert expected.low * 0.9 < cell["ratio"] < expected.high * 1.1
    explained = PARTS[1500].critic.explained
    assert abs(cell["explained"] - explained.estimate) < 3 * (explained.high - explained.low)


def test_seeds_are_counted_with_wilsons_interval():
    cells = pd.DataFrame(
        {
            "seed": [0, 1, 2, 0],
            "steps": [500, 500, 500, 0],
            "explained": [-1.0, 0.5, -0.1, 0.9],
            "ratio": [1.2, 1.1, 1.3, 0.5],
        }
    )
    assert variance.counted(cells, 500) == (
        stats.proportion_interval(2, 3),
        stats.proportion_interval(3, 3),
    )
    for quantity in variance.TITLES:
        assert variance.EQUAL[quantity] in serialised(
            variance.seeds_spec(quantity, 500, 0, 0.5, 2.0)
        )
