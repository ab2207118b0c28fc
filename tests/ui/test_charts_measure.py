"""The charts of The cloud, The parabola, Where variance comes from show what was measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pgcore import Config, stats, train
from pgcore.gradients import by_batch_size, collect_windows, decompose, examine, project
from pgcore.gradients.arrows import mean_along
from pgcore.gradients.constant_baseline import relative_variance
from pgcore.gradients.critic_worth import (
    change_of_r2,
    critic_explains,
    critic_worth,
    share_of_whole,
)
from pgcore.gradients.decomposition import Sources
from pgcore.gradients.findings import noise_over_signal, paired_ratio
from pgcore.gradients.inference import BiasTest
from pgcore.gradients.measurement import Bias, Measurement
from pgcore.plotting.theme import keys
from pgcore.stats import Interval
from ui.cloud import charts as cloud
from ui.cloud import words as cloud_words
from ui.parabola import charts as parabola
from ui.parabola import words as parabola_words
from ui.path.lessons import LESSONS
from ui.shell.question import percent
from ui.shell.sums import adding_up
from ui.variance import charts as variance
from ui.variance import words as variance_words

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
    (a, b): paired_ratio(REPORT.gradients[a], REPORT.gradients[b])
    for a, b in (("actor_critic", "optimal_constant"), ("leave_one_out", "batch_mean"))
}


def serialised(spec: dict) -> str:
    """The spec as JSON; it must not carry data."""
    text = json.dumps(spec)
    assert '"datasets"' not in text
    assert '"values": [{' not in text
    for mark in marks(spec):
        assert mark.get("aria") is False or mark.get("description"), mark
    return text


def marks(node: object) -> Iterator[dict]:
    """Every mark of a chart; each has a name for a screen reader, or is hidden from it."""
    if isinstance(node, dict):
        if isinstance(node.get("mark"), dict):
            yield node["mark"]
        for value in node.values():
            yield from marks(value)
    if isinstance(node, list):
        for value in node:
            yield from marks(value)


def interval(estimate: float, low: float, high: float, n: int = 4000) -> Interval:
    return Interval(estimate, low, high, n)


def measurement(**changes) -> Measurement:
    """A measurement with some of its numbers replaced."""
    return replace(REPORT.measurements["policy_gradient"], **changes)


def biased(along: float) -> Bias:
    return Bias(interval(abs(along), 0, 1), interval(along, along - 0.01, along + 0.01), TEST)


TEST = BiasTest(1.0, 1.0, 0.5, 5)


# --- The cloud -------------------------------------------------------------------------------


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


def test_before_the_prediction_the_truth_stands_alone():
    rows = cloud.truth_row()
    assert rows["part"].tolist() == ["truth"]
    assert rows[["x", "y"]].to_numpy().tolist() == [[1, 0]]


def test_the_mean_stands_below_the_truth_with_its_interval():
    rows = cloud.mean_rows(interval(-0.25, -0.31, -0.19, 600))
    assert rows["part"].tolist() == ["truth", "mean"]
    assert rows["text"].tolist() == [
        "true gradient: 1", "mean of 600 updates: -0.25 [-0.31, -0.19]"
    ]  # fmt: skip
    assert rows[["low", "high"]].to_numpy().tolist() == [[1, 1], [-0.31, -0.19]]
    assert rows["angle"].tolist() == [90, -90]  # a mean that points the wrong way
    low, high = cloud.mean_range([interval(0.4, 0.3, 0.5), interval(-0.25, -0.31, -0.19)])
    assert low == pytest.approx(-0.4) and high > 1
    serialised(cloud.mean_spec(low, high, "gae"))


def test_the_mean_is_that_of_the_arrows_along_the_true_gradient():
    arrows = CLOUD.arrows["gae"]
    mean = mean_along(arrows)
    assert mean.estimate == pytest.approx(CLOUD.means["gae"][0])
    assert mean == stats.mean_t_interval(arrows[:, 0])
    assert mean.n == 600


@pytest.mark.parametrize("key", keys())
def test_every_panel_is_serialised_once_and_has_square_axes(key):
    spec = cloud.panel_spec(5.0, key)
    assert spec is cloud.panel_spec(5.0, key)
    text = serialised(spec)
    assert '{"expr": "-5.0 * width / height"}, {"expr": "5.0 * width / height"}' in text
    assert '"domain": [-5.0, 5.0]' in text
    assert json.dumps(keys()) in text


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


def test_a_panel_is_said_in_words():
    arrows = CLOUD.arrows["gae"]
    words = cloud_words.description("gae", arrows.mean(0), interval(0.64, 0.62, 0.66, 600))
    assert f"{CLOUD.means['gae'][0]:.2f} along the true gradient" in words
    assert "64% [62%, 66%] of n = 600 are within 90 degrees" in words


def test_the_sentence_on_1_over_b_quotes_the_measurement():
    words, last = cloud_words.law(FRAME, 600), FRAME[FRAME["batch_size"] == 8]
    last = last.set_index("algorithm")
    effect = [last.loc["score", f"design_effect{end}"] for end in ("", "_low", "_high")]
    assert f"Measured, a batch of 8 has {Interval(*effect, 600)} times" in words
    assert f"{last.loc['actor_critic', 'tr_sigma']:.2f}" in words
    assert "n = 600 batches" in words
    assert "Actor-critic" in cloud_words.batch_description(FRAME)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.55, "70% [68%, 72%] point the right way: the critic helps"),
        (0.7, "70% [68%, 72%] point the right way: no clear difference"),
        (0.9, "70% [68%, 72%] point the right way: the critic does not help here"),
    ],
)
def test_the_critics_share_is_told_apart_only_by_its_interval(share, words):
    plain = interval(share, share - 0.02, share + 0.02)
    assert percent(plain)[:3] == pytest.approx((100 * share, 100 * share - 2, 100 * share + 2))
    said = cloud_words.explanation(plain, interval(0.7, 0.68, 0.72))
    assert said.startswith(f"With the critic as the baseline, {words} (n = 4,000 batches).")


def test_the_table_has_every_estimator_with_its_intervals():
    table = cloud_words.table(REPORT.measurements).set_index("estimator")
    assert len(table) == len(REPORT.measurements)
    measured = REPORT.measurements["gae"]
    row = table.loc["GAE"]
    assert row["variance / plain PG's"] == f"{measured.ratio}"
    assert row["right way"] == f"{measured.right_way:.0%}"
    assert row["noise / signal"] == f"{noise_over_signal(measured):.1f}"
    assert row["bias that Ψ adds"] == f"{measured.added.along:+.1%}"
    assert table.loc["Critic, no bootstrap", "bias that Ψ adds"] == "other target"


def panel(name: str, mean: float, unbiased: bool = False, n: int = 4000) -> cloud_words.Panel:
    around = interval(mean, mean - 0.1, mean + 0.1, n)
    return cloud_words.Panel(name, interval(0.6, 0.58, 0.62, n), around, 0.9, unbiased)


def test_the_question_names_policy_and_batch():
    asked = cloud_words.question("Actor-critic, seed 0, after 2,000 steps", 32)
    assert "held still: Actor-critic, seed 0, after 2,000 steps." in asked.text
    assert "batches of 32 steps" in asked.text
    assert asked.text.endswith(cloud_words.QUESTION.text)
    assert asked.name == cloud_words.QUESTION.name


def test_the_scatter_is_said_in_lengths_of_the_mean():
    said = cloud_words.on_the_scatter(measurement(snr=interval(0.04, 0.03, 0.05)))
    assert "distance from their mean is 5.0 [4.5, 5.8] times the length of that mean" in said
    assert f"(n = {REPORT.measurements['policy_gradient'].ratio.n:,} batches)" in said
    nothing = cloud_words.on_the_scatter(measurement(snr=interval(-0.01, -0.02, 0.01)))
    assert "not told apart from 0" in nothing and "nan" not in nothing


def test_the_means_are_said_with_what_their_intervals_allow():
    said = cloud_words.on_the_means([panel("GAE", 0.36), panel("PPO", 0.4)])
    assert "reaches 0.36 [0.26, 0.46] with GAE and 0.40 [0.30, 0.50] with PPO." in said
    assert "Every one is clearly too short" in said
    said = cloud_words.on_the_means([panel("GAE", 0.36), panel("PPO", 1.4), panel("Mine", 1.0)])
    assert "GAE is clearly too short" in said and "PPO is clearly too long" in said
    assert "0.36 [0.26, 0.46] with GAE, 1.40 [1.30, 1.50] with PPO and 1.00" in said
    assert "not the cause" not in said
    said = cloud_words.on_the_means([panel("GAE", 0.95)])
    assert "reaches 0.95 [0.85, 1.05] with GAE. None is clearly shorter or longer" in said


def test_a_baseline_that_adds_no_bias_is_not_blamed_for_one():
    """The lecture says that a baseline adds no bias; here all means are biased, by the critic."""
    lost, kept = panel("Actor-critic", 0.36, unbiased=True), panel("Constant", 0.95, unbiased=True)
    said = cloud_words.on_the_means([lost])
    assert "The baseline is not the cause. Where a batch ends, the critic's guess stands" in said
    said = cloud_words.on_the_means([lost, panel("Batch mean", 0.2)])
    assert "The baseline of Actor-critic is not the cause." in said
    assert "cause" not in cloud_words.on_the_means([kept, panel("Batch mean", 0.2)])
    assert any(lesson.title == "Why bootstrap?" for lesson in LESSONS)  # that the sentence names


def test_an_estimator_is_called_unbiased_only_if_it_adds_no_bias():
    for key in cloud_words.UNBIASED:
        if key in REPORT.measurements:
            along = REPORT.measurements[key].added.along
            assert along.low - 1e-6 <= 0 <= along.high + 1e-6, key
    assert "batch_mean" not in cloud_words.UNBIASED


def test_the_panels_numbers_are_a_table():
    table = cloud_words.panel_table([panel("GAE", 0.36)]).iloc[0]
    assert table["estimator"] == "GAE"
    assert table["updates the right way"] == "60% [58%, 62%]"
    assert table["mean update along the true gradient"] == "0.360 [0.260, 0.460]"
    assert table["n batches"] == 4000
    said = cloud_words.mean_description(panel("GAE", 0.36))
    assert "n = 4,000 updates reaches 0.36 [0.26, 0.46]" in said


@pytest.mark.parametrize(
    ("mean", "critic", "shares"),
    [
        (0.60, 0.70, "Fewer updates of Batch mean point the right way than of Actor-critic"),
        (0.70, 0.60, "More updates of Batch mean point the right way than of Actor-critic"),
        (0.60, 0.61, "The shares of Batch mean and Actor-critic are not told apart"),
    ],
)
@pytest.mark.parametrize(
    ("area", "learned"),
    [
        ((20, 5, 35), "Batch mean's return over training is +20 [+5, +35] higher"),
        ((-20, -35, -5), "Batch mean's return over training is lower, by -20 [-35, -5]"),
        ((-14, -44, 17), "returns over training differ by -14 [-44, +17] and are not told apart"),
    ],
)
def test_the_right_way_and_learning_are_two_measurements(mean, critic, shares, area, learned):
    said = cloud_words.on_learning(
        interval(mean, mean - 0.02, mean + 0.02), interval(critic, critic - 0.02, critic + 0.02),
        Interval(*area, (10, 10)),
    )  # fmt: skip
    assert shares in said and learned in said
    assert "(n = 4,000 batches)" in said and "(n = 10 seeds each)" in said
    assert "does not tell why" in said


def test_the_numbers_of_the_batch_chart_are_a_table():
    rows = cloud.batch_rows(FRAME, ["policy_gradient"])
    table = cloud_words.batch_table(rows)
    assert len(table) == len(rows)
    assert table["tr Σ"].to_numpy() == pytest.approx(rows["tr_sigma"].to_numpy())


def test_a_bias_is_signed_and_in_percent_of_the_true_gradient():
    words = cloud_words.on_the_mean(
        measurement(bias=biased(-0.334)), measurement(added=biased(-0.12))
    )
    assert "off by -33.4% [-34.4%, -32.4%] of its length" in words
    assert "adds -12.0% [-13.0%, -11.0%]" in words
    assert f"n = {REPORT.measurements['policy_gradient'].ratio.n:,} batches" in words
    up = cloud_words.on_the_mean(measurement(bias=biased(0.2)), measurement(added=biased(-0.1)))
    assert "off by +20.0%" in up


def test_leave_one_out_takes_away_its_own_share_and_the_rest_is_said():
    mean, others = measurement(added=biased(-0.4)), measurement(added=biased(-0.38))
    words = cloud_words.on_leave_one_out(mean, others, interval(1.066, 1.066, 1.066), 32)
    assert "1/T = 3% of the batch mean" in words
    assert "goes from -40.0% [-41.0%, -39.0%] to -38.0% [-39.0%, -37.0%]" in words
    assert "1.07 [1.07, 1.07] times as large (n = 4,000 batches)" in words
    assert "A batch of one step" in cloud_words.on_leave_one_out(mean, others, mean.ratio, 1)


def test_signal_is_compared_without_units():
    """The estimator of least variance is on another scale; another one has the least noise."""
    measured = {
        "policy_gradient": measurement(
            ratio=interval(1, 1, 1), snr=interval(0.01, 0.008, 0.012), right_way=SIXTY
        ),
        "normalized": measurement(
            ratio=interval(0.001, 0.0009, 0.0011), snr=interval(0.02, 0.018, 0.022),
            right_way=SIXTY,
        ),
        "gae": measurement(
            ratio=interval(0.2, 0.1, 0.3), snr=interval(0.04, 0.03, 0.05),
            right_way=interval(0.7, 0.68, 0.72),
        ),
        "monte_carlo": measurement(snr=interval(1, 0.9, 1.1), right_way=interval(0.9, 0.8, 1)),
    }  # fmt: skip
    words = cloud_words.on_the_signal(measured)
    assert "Normalized has the least variance, 0.00100 [0.00090, 0.00110]" in words
    assert "least for GAE, 5.0 [4.5, 5.8]" in words
    assert "Normalized has 7.1 [6.7, 7.5], clearly more; plain policy gradient has 10.0" in words
    assert "GAE has most updates the right way, 70% [68%, 72%]" in words
    assert "plain policy gradient has 60% [58%, 62%] (n = 4,000 batches" in words
    assert "best of 3" in words
    measured["gae"] = replace(measured["gae"], snr=interval(0.021, 0.019, 0.023))
    words = cloud_words.on_the_signal(measured)
    assert "Normalized has 7.1 [6.7, 7.5], and the two are not told apart" in words
    measured["gae"] = replace(measured["gae"], snr=interval(0.019, 0.017, 0.021))
    words = cloud_words.on_the_signal(measured)
    assert "It is least for Normalized, 7.1 [6.7, 7.5]; plain policy gradient" in words


SIXTY = interval(0.60, 0.58, 0.62)


def test_findings_quote_the_measurements():
    measured = REPORT.measurements
    words = " ".join(cloud_words.findings(measured, RATIOS, 8))
    for quoted in (
        f"{measured['actor_critic'].bias.along:+.1%}",
        f"{measured['batch_mean'].added.along:+.1%}",
        f"{measured['leave_one_out'].added.along:+.1%}",
        f"{measured['actor_critic'].ratio}",
        f"{RATIOS['actor_critic', 'optimal_constant']}",
        f"{measured['policy_gradient'].right_way:.0%}",
        cloud_words.verdict(RATIOS["actor_critic", "optimal_constant"]),
    ):
        assert quoted in words
    assert "A batch of one step" in cloud_words.findings(measured, RATIOS, 1)[2]


def test_the_verdict_says_no_more_than_its_interval():
    assert cloud_words.verdict(interval(0.8, 0.7, 0.9)) == "the critic has less variance"
    assert cloud_words.verdict(interval(1.3, 1.1, 1.5)) == "the constant has less variance"
    unsure = cloud_words.verdict(interval(1.1, 0.9, 1.3))
    assert unsure == "the two are not told apart with n = 4,000 batches"


# --- sums ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "digits", "printed"),
    [
        ([6.7941, -5.6770], 2, [6.80, -5.68]),  # as rounded they would give 1.11, not 1.12
        ([33.31, 33.32, 33.37], 0, [33, 33, 34]),
        ([1.26, 2.27], 1, [1.2, 2.3]),  # as rounded, 3.6 for 3.5
        ([1.0, 2.0], 1, [1.0, 2.0]),
    ],
)
def test_printed_terms_add_up_to_the_printed_total(terms, digits, printed):
    found = adding_up(terms, sum(terms), digits)
    assert found == pytest.approx(printed)
    assert sum(found) == pytest.approx(round(sum(terms), digits))


# --- The parabola ----------------------------------------------------------------------------


def test_rows_have_the_curve_its_marks_and_the_zones_of_more_variance():
    best = REPORT.parabola.vertex.estimate
    points = pd.DataFrame({"b": [1.0], "ratio": [0.9], "low": [0.8], "high": [1.0]})
    rows = parabola.rows(REPORT.parabola, 3 * best, {"mean V": best / 2}, points)
    assert rows[rows["part"] == "worse"][["b", "b2"]].to_numpy() == pytest.approx(
        np.array([[-best, 0], [2 * best, 3 * best]])
    )
    marks = rows[rows["part"] == "mark"].set_index("text")
    assert marks.loc[f"mean V {best / 2:.3g}", "side"] == "left"
    assert marks.loc[f"b* = {best:.3g}", "side"] == "inside"
    here = rows[rows["part"] == "here"].iloc[0]
    assert here["ratio"] == pytest.approx(relative_variance(REPORT.parabola, 3 * best).estimate)
    assert (rows["part"] == "point").sum() == 1
    left_zone, right_zone = rows[rows["part"] == "worse"]["text"]
    assert (left_zone, right_zone) == ("more variance", "")  # b's own line would cross it


def test_a_baseline_far_off_is_still_on_the_chart():
    curve = REPORT.parabola
    low, high = parabola.span(curve, 100.0)
    assert low < 0
    assert high == 100
    assert parabola.top(curve, 100.0) > relative_variance(curve, 100.0).estimate
    rows = parabola.rows(curve, 100.0, {"mean V": 1.0}, None)
    assert (rows["part"] == "mark").sum() == 1  # names that would lie on each other are left out
    serialised(parabola.parabola_spec(low, high, parabola.top(curve, 100.0)))
    assert "at b = 100 it is" in parabola_words.description(curve, 100.0)


def test_training_rows_are_the_histories():
    histories = {parabola.NONE: HISTORY}
    rows = parabola.training_rows(histories, {parabola.NONE: "no baseline"})
    middle = stats.mean_t_interval(HISTORY.eval_returns.T)
    assert rows["mean"].to_numpy() == pytest.approx(middle.estimate)
    assert rows["high"].to_numpy() == pytest.approx(middle.high)
    assert rows["label"].tolist() == ["", "", "no baseline"]
    assert len(parabola.training_rows({}, {})) == 0
    serialised(parabola.training_spec(1500, 500.0))
    assert "none at" in parabola_words.training_description(histories)


def test_a_gain_is_the_difference_on_the_way_and_at_the_end():
    better = train(CONFIG.replace(learning_rate=0.02))
    gain = parabola_words.gain(HISTORY, better)
    assert gain.final.estimate == pytest.approx(
        better.final_returns.mean() - HISTORY.final_returns.mean()
    )
    assert gain.area == stats.difference_interval(HISTORY.area_under_curve, better.area_under_curve)
    assert gain.final == stats.difference_interval(HISTORY.final_returns, better.final_returns)


def test_training_is_told_on_the_way_and_at_the_end():
    gain = parabola_words.Gain(
        Interval(-8.4, -15.6, -1.2, (10, 10)), Interval(21.3, 6.4, 36.2, (10, 10))
    )
    words = parabola_words.on_training(gain, "b = 25")
    assert words.startswith("With b = 25, against no baseline (n = 10 seeds each):")
    assert "averaged over training -8 [-16, -1], lower;" in words
    assert "at the end +21 [+6, +36], higher." in words
    other = parabola_words.on_training(
        parabola_words.Gain(gain.final, Interval(-3, -9, 5, (10, 10))), "b*"
    )
    assert "averaged over training +21 [+6, +36], higher;" in other
    assert "at the end -3 [-9, +5], not told apart with 10 seeds." in other
    alone = Interval(5, np.nan, np.nan, (1, 1))
    one = parabola_words.on_training(parabola_words.Gain(alone, alone), "b")
    assert "nan" not in one
    assert "+5, and one seed tells nothing" in one


def test_the_fate_of_a_far_baseline_is_what_its_interval_says():
    slower, unsure = Interval(-30, -40, -20, (9, 9)), Interval(-3, -9, 5, (9, 9))
    assert parabola_words.fate(parabola_words.Gain(slower, unsure)) == 1
    for area in (unsure, Interval(30, 20, 40, (9, 9)), Interval(-3, np.nan, np.nan, (1, 1))):
        assert parabola_words.fate(parabola_words.Gain(area, slower)) == 2
    texts = parabola_words.FAR_QUESTION.texts
    assert texts[1].endswith("slows learning") and "not measurably slower" in texts[2]
    words = parabola_words.on_far(
        interval(-0.21, -0.52, 0.1), interval(42.0, 40.1, 43.9), parabola_words.Gain(slower, unsure)
    )
    assert "batches measure -21.0% [-52.0%, +10.0%]" in words and "sampling noise" in words
    assert "Our n = 4,000 batches" in words
    assert "The variance is 42.0 [40.1, 43.9] times" in words
    assert "-30 [-40, -20], lower" in words


def test_the_zone_of_less_variance_is_said_with_its_interval():
    best = REPORT.parabola.vertex
    words = parabola_words.on_zones(REPORT.parabola)
    assert f"b* = {best}" in words
    assert f"{REPORT.parabola.least:.1%} of the variance is left" in words
    twice = Interval(2 * best.estimate, 2 * best.low, 2 * best.high, 600)
    assert f"At twice b*, {twice}," in words
    assert "n = 600 batches" in words
    at_best = parabola_words.on_averages(REPORT.parabola, {"mean Q": best.estimate})
    left = REPORT.parabola.least.estimate
    assert f"mean Q = {best.estimate:.3g} leaves {left:.1%} [" in at_best


def test_the_variance_at_b_is_said_with_what_its_interval_allows():
    best = REPORT.parabola.vertex.estimate
    for b, said in ((best, "less than"), (3 * best, "more than"), (0.0, "not told apart from")):
        words = parabola_words.on_here(REPORT.parabola, b)
        assert f"times the variance: {said}" in words
        assert f"{relative_variance(REPORT.parabola, b):.2f}" in words
        assert words.startswith(f"At b = {b:g} ") and "n = 600 batches" in words


def test_the_parabolas_question_names_policy_and_batch():
    asked = parabola_words.question("Actor-critic, seed 0, after 2,000 steps", 32)
    assert "held still: Actor-critic, seed 0, after 2,000 steps. " in asked.text
    assert "its batches of 32 steps" in asked.text
    assert asked.text.endswith(parabola_words.QUESTION.text)


MORE, LESS = interval(2.3, 2.1, 2.5), interval(0.3, 0.2, 0.4)


@pytest.mark.parametrize(
    ("area", "variance", "learned", "ends"),
    [
        (
            (-38, -61, -15),
            MORE,
            "a lower return, averaged over training: -38 [-61, -15] steps",
            "variance here.",
        ),
        (
            (36, 10, 62),
            LESS,
            "a higher return, averaged over training: +36 [+10, +62] steps",
            "variance here.",
        ),
        (
            (36, 10, 62),
            MORE,
            "a higher return, averaged over training: +36 [+10, +62] steps",
            "two questions.",
        ),
        ((-3, -9, 5), MORE, "not told apart: -3 [-9, +5]", "two questions."),
        ((-3, -9, 5), interval(1, 1, 1), "not told apart: -3 [-9, +5]", "two questions."),
    ],
)
def test_variance_and_learning_are_compared_and_not_confused(area, variance, learned, ends):
    found = Interval(*area, (10, 10))
    said = parabola_words.on_the_curves(parabola_words.Gain(found, found), "b = 30", variance)
    assert learned in said and said.endswith(ends)
    assert "train with b = 30" in said and "(n = 10 seeds each)" in said


def test_one_seed_tells_nothing_about_learning():
    alone = Interval(5, np.nan, np.nan, (1, 1))
    said = parabola_words.on_the_curves(parabola_words.Gain(alone, alone), "b = 30", MORE)
    assert "tells nothing" in said and "nan" not in said


def test_before_the_prediction_only_no_baseline_is_drawn():
    rows = parabola.waiting_rows()
    assert rows[["b", "ratio"]].to_numpy().tolist() == [[0, 1]]


def test_the_parabolas_numbers_are_tables():
    points = pd.DataFrame({"b": [1.0], "ratio": [0.9], "low": [0.8], "high": [1.0]})
    table = parabola_words.curve_table(parabola.rows(REPORT.parabola, 3.0, {}, points))
    assert table["constant b"].is_monotonic_increasing
    measured = table[table["what"] == "measured on other batches"].iloc[0]
    assert measured["95% from"] == 0.8
    names = {parabola.NONE: "no baseline"}
    rows = parabola.training_rows({parabola.NONE: HISTORY}, names)
    table = parabola_words.training_table(rows, names)
    assert table["steps"].tolist() == HISTORY.eval_steps.tolist()
    assert set(table["baseline"]) == {"no baseline"}


# --- Where variance comes from ---------------------------------------------------------------


@pytest.mark.parametrize("baseline", variance_words.BASELINES)
def test_the_bars_add_up_to_the_whole(baseline):
    rows = variance.source_rows(PARTS, baseline)
    for steps, decomposed in PARTS.items():
        whole = decomposed.sources["none"].total.estimate
        bar = rows[rows["steps"] == steps]
        total = decomposed.sources[baseline].total.estimate / whole
        assert bar["estimate"].sum() == pytest.approx(total)
        assert (bar["share"] >= 0).all()
        assert bar["part"].tolist() == [*variance_words.PARTS.values()]
    assert variance.top(PARTS) >= 1.0
    serialised(variance.source_spec(1500, variance.top(PARTS)))
    action = variance_words.shares(PARTS[1500], baseline, 0)["action"]
    said = variance_words.source_description(PARTS[1500], baseline)
    assert f"which action {action.estimate:.0%}" in said


@pytest.mark.parametrize("digits", [0, 1])
@pytest.mark.parametrize("baseline", variance_words.BASELINES)
def test_the_shares_add_up_as_printed(baseline, digits):
    for parts in PARTS.values():
        shares = variance_words.shares(parts, baseline, digits)
        whole = sum(share_of_whole(parts, baseline, source).estimate for source in shares)
        printed = [float(f"{100 * share.estimate:.{digits}f}") for share in shares.values()]
        assert sum(printed) == pytest.approx(round(100 * whole, digits))
        for source, share in shares.items():
            exact = share_of_whole(parts, baseline, source)
            assert share.estimate == pytest.approx(exact.estimate, abs=0.01 * 10**-digits)
            assert share[1:] == exact[1:]


def test_the_sources_are_said_with_their_intervals():
    parts = PARTS[1500]
    words = variance_words.on_the_sources(parts, "Actor-critic, seed 0")
    none = variance_words.shares(parts, "none", 1)
    for source in variance_words.PARTS:
        assert f"{none[source]:.1%}" in words
    for baseline in ("critic", "value"):
        assert f"{share_of_whole(parts, baseline, 'action'):.1%}" in words
    assert "n = 200 states" in words


def test_the_scatter_has_every_state_within_its_axes():
    fits = [decomposed.critic for decomposed in PARTS.values()]
    rows = variance.critic_rows(fits[1])
    low, high = variance.critic_range(fits)
    assert len(rows) == 200
    assert rows["true"].to_numpy() == pytest.approx(fits[1].true, abs=0.01)
    assert rows[["true", "predicted"]].to_numpy().min() >= low
    assert rows[["true", "predicted"]].to_numpy().max() <= high
    serialised(variance.critic_spec(low, high))


@pytest.mark.parametrize(
    ("explained", "word"), [(0.9, "Yes"), (0.5, "Partly"), (0.0, "Partly"), (-3.0, "No")]
)
def test_the_critic_is_judged_by_what_it_explains(explained, word):
    place = variance_words.answer(Interval(explained, 0, 1, 9))
    assert variance_words.QUESTION.texts[place].startswith(word)


def test_the_critics_question_names_the_policy():
    asked = variance_words.question("Actor-critic, seed 0, before training")
    assert asked.text.startswith("Actor-critic, seed 0, before training, is held still. ")
    assert asked.name == variance_words.QUESTION.name


@pytest.mark.parametrize(
    ("bias", "said"),
    [
        ((-17.6, -18.2, -16.9), "too low: its mean error is -17.6 [-18.2, -16.9]"),
        ((7.3, 6.0, 8.5), "too high: its mean error is +7.3 [+6.0, +8.5]"),
        ((0.3, -0.5, 1.1), "to no clear side: its mean error is +0.3 [-0.5, +1.1]"),
    ],
)
def test_the_critic_errs_to_the_side_that_its_interval_allows(bias, said):
    fit = replace(PARTS[1500].critic, bias=interval(*bias))
    words = variance_words.on_the_critic(fit)
    assert said in words
    assert words.startswith(f"R² = {fit.explained}. ") and "(n = 200 states)" in words


@pytest.mark.parametrize(
    ("critic", "said"),
    [
        (0.5, "With the critic 50% [45%, 55%] is left"),
        (1.5, "With the critic it is more, 150% [145%, 155%]"),
        (0.82, "With the critic it is 82% [77%, 87%], which is not told apart from that"),
    ],
)
def test_what_the_critic_leaves_is_said_with_what_its_interval_allows(critic, said):
    def of(share: float) -> Sources:
        part = interval(share, share - 0.05, share + 0.05, 900)
        return Sources(part, part, part, interval(1.0, 1.0, 1.0, 900))

    sources = {"none": of(0.8), "critic": of(critic), "value": of(0.1)}
    words = variance_words.on_what_is_left(replace(PARTS[1500], sources=sources))
    assert said in words
    assert "this part is 80% [75%, 85%] of the variance" in words
    assert "with the true value 10.0% [5.0%, 15.0%] would be (n = 900 states)." in words


CELLS = {
    rate: {seed: interval(r, r - 0.1, r + 0.1, 500) for seed, r in enumerate(found)}
    for rate, found in ((0.005, (-3.0, -2.0, -9.0)), (0.02, (-0.5, 0.25, -6.0)))
}


def test_another_rate_is_asked_for_with_both_rates_and_the_steps():
    asked = variance_words.lever_question(0.005, 0.02, 2000)
    assert "learns at the rate 0.005." in asked.text and "at 0.02. After 2,000 steps:" in asked.text
    assert asked.name == variance_words.LEVER.name


@pytest.mark.parametrize(
    ("after", "option", "word"),
    [
        ((-1.0, -2.2, -1.9), 0, "Yes"),
        ((-3.0, -2.0, -3.0), 1, "No clear"),
        ((-9.0, -9.5, -9.9), 2, "No:"),
    ],
)
def test_the_lever_is_judged_by_the_paired_change(after, option, word):
    before = (-4.0, -5.0, -5.0)
    before = before if option != 1 else (-4.0, -1.0, -3.5)
    change = change_of_r2(before, after)
    assert change == stats.mean_t_interval(np.array(after) - before)
    assert variance_words.lever_answer(change) == option
    assert variance_words.LEVER.texts[option].startswith(word)
    said = variance_words.on_the_lever(before, after, 0.005, 0.02)
    assert f"From 0.005 to 0.02, R² changes by {change:+.2f} on average over n = 3 seeds" in said
    assert "in 0 of 3 seeds before and in 0 of 3 after" in said


def test_seeds_with_a_useful_critic_are_counted_and_one_seed_tells_nothing():
    before, after = ([r.estimate for r in found.values()] for found in CELLS.values())
    said = variance_words.on_the_lever(before, after, 0.005, 0.02)
    assert "in 0 of 3 seeds before and in 1 of 3 after" in said
    alone = variance_words.on_the_lever([-3.0], [0.5], 0.005, 0.02)
    assert "-3.00 to 0.50" in alone and "tells nothing" in alone
    assert variance_words.lever_answer(change_of_r2([-3.0], [0.5])) == 1


def test_the_lines_of_the_lever_have_every_seed_at_both_rates():
    rows = variance.lever_rows(CELLS, seed=1)
    assert len(rows) == 6
    assert rows[rows["own"]]["estimate"].tolist() == [-2.0, 0.25]
    assert variance.lever_floor(CELLS) == -7  # R² of -9 is drawn at the edge
    serialised(variance.lever_spec("0.005", "0.02", -7.0))
    table = variance_words.lever_table(CELLS)
    assert table["R², rate 0.02"].tolist()[1] == "0.25 [0.15, 0.35]"
    said = variance_words.lever_description(CELLS)
    assert "n = 3 seeds: at rate 0.005 from -9.00 to -2.00; at rate 0.02 from -6.00 to 0.25" in said


def test_r2_of_the_lever_is_that_of_the_decomposition():
    found = critic_explains(ROW, CONFIG, 0)
    windows = collect_windows(ROW, CONFIG.replace(batch_size=1), 500, 0)
    assert found == decompose(windows, 0, num_states=500, tails=8).critic.explained


def test_before_the_prediction_no_state_is_drawn():
    assert variance.waiting_rows()[["true", "predicted"]].isna().all(axis=None)


def test_the_bars_and_lines_are_tables_too():
    rows = {name: variance.source_rows(PARTS, name) for name in variance_words.BASELINES}
    table = variance_words.source_table(rows)
    assert len(table) == 3 * 3 * len(PARTS)
    first = rows["none"].iloc[0]
    assert table.iloc[0]["share"] == f"{first['estimate']:.1%}"
    states = variance_words.state_table(variance.critic_rows(PARTS[1500].critic))
    assert len(states) == 200
    worth = critic_worth(ROW, CONFIG, 0).to_row()
    cells = pd.DataFrame([{"seed": 0, "steps": 1500} | worth])
    assert variance_words.seed_table(cells)["R²"][0] == round(worth["explained"], 2)


def test_the_table_follows_the_critic_along_its_training():
    table = variance_words.critic_table(PARTS)
    assert table["steps learned"].tolist() == ["0", "1,500"]
    assert table["RMSE"][1] == f"{PARTS[1500].critic.rmse}"


def test_a_grid_of_checkpoints_has_first_and_last():
    assert variance.grid(20) == [0, 4, 8, 12, 16, 20]
    assert variance.grid(3) == [0, 1, 2, 3]
    assert variance.grid(1) == [0, 1]


def test_the_fit_is_said_with_its_intervals():
    fit = PARTS[1500].critic
    words = variance_words.on_the_fit(fit)
    assert words.startswith(f"R² = {fit.explained}, RMSE {fit.rmse}, mean error {fit.bias}")
    assert "n = 200 states" in words
    assert f"{fit.rmse}" in variance_words.critic_description(fit)


def test_seeds_are_counted_in_words():
    words = variance_words.on_seeds(
        stats.proportion_interval(2, 3), stats.proportion_interval(3, 3), 2000
    )
    assert words.startswith("After 2,000 steps the critic predicts the value worse")
    assert "in 2 of 3 seeds (67% [21%, 94%])" in words
    assert "in 3 of 3 (100% [44%, 100%])" in words


@pytest.mark.parametrize("quantity", variance.TITLES)
def test_the_lines_of_the_seeds_have_a_line_of_equality(quantity):
    text = serialised(variance.seeds_spec(quantity, 500, 0, 0.5, 2.0))
    assert variance.EQUAL[quantity] in text
