"""The scoreboard of a reader's formulas: what it keeps, what it shows, and what it says."""

from __future__ import annotations

import pytest

from pgcore import Config, train
from pgcore.gradients import examine
from pgcore.gradients.judgement import judge
from pgcore.stats import Interval
from ui.baseline import attempts as board
from ui.baseline.attempts import Attempt
from ui.baseline.charts import LANDMARKS

POLICY = "Actor-critic, seed 0, after 2,000 steps"


def attempt(formula: str, bias: str, variance: float, policy: str = POLICY) -> Attempt:
    ratio = Interval(variance, variance - 0.01, variance + 0.01, 4000)
    return Attempt(formula, policy, bias, ratio, Interval(0.6, 0.58, 0.62, 4000))


def kept(*found: Attempt) -> board.Attempts:
    attempts: board.Attempts = {}
    for one in found:
        board.remember(attempts, one.formula, one)
    return attempts


def test_the_list_is_capped_and_drops_the_oldest():
    attempts = kept(*(attempt(f"b = {k}", "biased", 1.0) for k in range(board.MOST + 3)))
    assert len(attempts) == board.MOST == 20
    assert next(iter(attempts)) == "b = 3"
    assert [*attempts][-1] == "b = 22"


def test_an_attempt_that_is_measured_again_keeps_its_place_and_its_return():
    attempts = kept(attempt("b = v", "identical", 0.6), attempt("b = 1", "none seen", 0.9))
    trained = attempts["b = v"]._replace(final=Interval(200.0, 150.0, 250.0, 10))
    board.remember(attempts, "b = v", trained)
    board.remember(attempts, "b = v", attempt("b = v", "identical", 0.5))
    assert [*attempts] == ["b = v", "b = 1"]
    assert attempts["b = v"].variance.estimate == 0.5
    assert attempts["b = v"].final == trained.final


def test_the_table_holds_intervals_and_both_n():
    trained = attempt("b = v", "identical", 0.588)._replace(final=Interval(200.0, 150.0, 250.0, 10))
    table = board.table(kept(trained, attempt("b = 0.5 * q", "biased", 0.25)))
    assert table["attempt"].tolist() == [1, 2]
    assert table["formula"].tolist() == ["b = v", "b = 0.5 * q"]
    assert table["bias"].tolist() == ["unbiased", "biased"]
    assert table["variance / plain PG's"][0] == "0.588 [0.578, 0.598]"
    assert table["right way"][0] == "60% [58%, 62%]"
    assert table["batches n"].tolist() == [4000, 4000]
    assert table["final return"].tolist() == ["200 [150, 250]", "not trained"]
    assert table["seeds n"].tolist() == ["10", ""]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([("biased", 0.25), ("none seen", 0.9), ("identical", 0.6)], "in 1 of 3 attempts"),
        ([("biased", 0.25), ("none seen", 0.9), ("identical", 0.6)], "attempt 3 has the smallest"),
        ([("biased", 0.25), ("none seen", 0.9), ("identical", 0.6)], "0.600 [0.590, 0.610] of"),
        (
            [("biased", 0.25)],
            "in 1 of 1 attempts at this policy. Each of them shows a sign of bias.",
        ),
        ([("doubtful", 0.25), ("none seen", 0.9)], "in 0 of 2 attempts"),
        ([("doubtful", 0.25), ("none seen", 0.9)], "attempt 2 has the smallest measured variance"),
    ],
)
def test_the_sentence_counts_and_names_the_least_variance(found, said):
    attempts = kept(*(attempt(f"b = {k}", *one) for k, one in enumerate(found)))
    sentence = board.on_the_attempts(attempts, POLICY)
    assert said in sentence
    assert ("n = 4,000 batches" in sentence) == ("attempt " in sentence)


def test_attempts_at_another_policy_are_not_compared():
    attempts = kept(attempt("b = 1", "none seen", 0.1, "another"), attempt("b = 2", "biased", 0.5))
    sentence = board.on_the_attempts(attempts, POLICY)
    assert "in 1 of 1 attempts" in sentence and "attempt 1 has" not in sentence


def test_no_sentence_quotes_what_a_visitor_typed():
    attempts = kept(attempt("b = 77", "none seen", 0.1))
    assert "77" not in board.on_the_attempts(attempts, POLICY)


def test_an_attempt_holds_what_was_judged():
    config = Config(num_seeds=1, total_timesteps=1000, eval_interval=500)
    params = train(config).checkpoints[1, 0]
    report = examine(params, config, 400, algorithms=LANDMARKS)
    judgement = judge(report.windows, report.reference, config.replace(formula="b = 0.5 * q"))
    one = board.judged(judgement, POLICY)
    assert (one.formula, one.policy, one.bias) == (str(judgement.formula), POLICY, judgement.bias)
    assert one.variance == judgement.measured.ratio
    assert one.variance.estimate == pytest.approx(0.25)
    assert one.final is None
