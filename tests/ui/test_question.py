"""Questions and marks: what a reader is told, for every answer and every truth."""

from __future__ import annotations

import pytest

from pgcore.stats import Interval
from ui.bandit import words as bandit
from ui.bootstrap import words as bootstrap
from ui.inside import words as inside
from ui.parabola import words as parabola
from ui.rewards import words as rewards
from ui.shell import axis
from ui.shell.question import Mark, Option, Question
from ui.toypole import words as toypole
from ui.variance import words as variance

HIGH = Question(
    "level", "Is it high?", (Option("low", "Not low."), Option("high", "Not high."),
                             Option("unknown", "It was measured.")), usual=0,
)  # fmt: skip
SHARE = Mark("share", "How many?", "share, in percent", 0, 100, 5, "%", near=5, usual=(50, 60))
QUESTIONS = [
    bandit.FREE_LUNCH, bandit.QUESTION, inside.QUESTION, parabola.FAR_QUESTION, toypole.LOSS,
    toypole.LAMBDA, variance.QUESTION, variance.LEVER, bootstrap.QUESTION, rewards.QUESTION,
]  # fmt: skip


def test_a_wrong_answer_gets_its_own_sentence_and_the_explanation():
    assert HIGH.verdict("high", 0, "It is 3.") == (
        ":material/close: You predicted *high*. It is: *low*. Not high. It is 3.", False,
    )  # fmt: skip


def test_a_right_answer_gets_the_explanation_too():
    assert HIGH.verdict("low", 0, "It is 3.") == (
        ":material/check: You predicted it: *low*. It is 3.", True,
    )  # fmt: skip


def test_settings_with_another_answer_than_the_usual_one_are_said():
    text, right = HIGH.verdict("high", 1, "It is 9.")
    assert right
    assert text.endswith("With the lab's default settings the answer is another: *low*.")


def test_where_nothing_can_be_measured_nobody_is_wrong():
    text, right = HIGH.verdict("high", None, "There is no gradient.")
    assert text == "You predicted *high*. It is *not to be measured here*. There is no gradient."
    assert not right


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_question_has_three_options_and_a_reason_for_each_that_can_be_wrong(question):
    assert len(question.options) == len(set(question.texts)) == 3
    for option in question.options:
        assert option.why or option == question.options[question.usual]


@pytest.mark.parametrize(
    ("said", "estimate", "words", "right"),
    [
        (50.0, 54.0, "You marked 50%. It is **54%** [52, 56].", True),  # near
        (80.0, 54.0, "You marked 80%. It is lower: **54%** [52, 56].", False),
        (20.0, 54.0, "You marked 20%. It is higher: **54%** [52, 56].", False),
    ],
)
def test_a_mark_is_held_against_the_interval(said, estimate, words, right):
    truth = Interval(estimate, estimate - 2, estimate + 2, 100)
    text, was_right = SHARE.verdict(said, truth, "So it is.")
    assert words in text and text.endswith("So it is.") and was_right == right


def test_a_mark_inside_a_wide_interval_is_near():
    assert SHARE.verdict(80.0, Interval(54, 20, 90, 5), "").right


def test_an_unusual_number_is_said():
    text = SHARE.verdict(None, Interval(90, 88, 92, 100), "So it is.").text
    assert text.startswith("It is **90%** [88, 92].")
    assert text.endswith("default settings it is another, between 50% and 60%.")


def test_the_axis_holds_the_mark_and_the_truth():
    rows = axis.rows(SHARE, 80.0, Interval(54, 52, 56, 100))
    assert rows["what"].tolist() == ["mark", "truth"]
    assert rows["at"].tolist() == [80, 54]
    assert rows.loc[1, ["low", "high"]].tolist() == [52, 56]
    said = axis.description(SHARE, 80.0, Interval(54, 52, 56, 100))
    assert said == "share, in percent, from 0% to 100%; your mark, 80%; measured, 54%."
    assert SHARE.middle == 50
