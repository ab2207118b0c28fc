"""The Seeds page's sentences: their numbers, their n, and what they say of a doubtful order."""

from __future__ import annotations

import pytest

from pgcore.stats import Coverage, Interval, Lottery
from ui.seeds import words

WINNER, RANKING = Interval(0.2, 0.1, 0.3, 300), Interval(0.4, 0.3, 0.6, 300)


def lottery(other: float) -> Lottery:
    return Lottery(("a", "b"), WINNER, RANKING, other, 10, 2000)


def test_the_risk_names_n_and_keeps_winner_and_ranking_apart():
    text = words.risk(WINNER, RANKING, 10)
    assert "**n = 10** seeds of each" in text
    assert "wrong algorithm wins **20% [10%, 30%]** of the time" in text
    assert "ranking is wrong 40% [30%, 60%]" in text


def test_both_uncertainties_are_named_with_their_numbers():
    text = words.two_uncertainties(lottery(0.0))
    assert "only 300 seeds of each algorithm" in text and "only 2,000 draws" in text


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (0.0, "No other 300 seeds"),
        (
            0.004,
            "rather sure: another 300 seeds, resampled from these, gave another order in under 1%",
        ),
        (0.03, "rather sure: another 300 seeds, resampled from these, gave another order in 3%"),
        (0.16, "**uncertain**: another 300 seeds, resampled from these, gave another order in 16%"),
    ],
)
def test_the_order_is_as_sure_as_its_resamples(other, said):
    text = words.order_of_pools(lottery(other), ["Best", "Second"])
    assert "Best > Second." in text and said in text


def test_the_answer_names_both_of_the_closest_and_the_seeds_that_it_takes():
    right = Interval(0.6, 0.5, 0.7, 300)
    text = words.lottery_answer(right, "final return", ("Good", "Bad"), "64", "17 to any number")
    assert "is right 60% [50%, 70%] of the time (pools of 300 seeds)" in text
    assert "To tell Good from Bad, the closest two, takes 64 seeds of each" in text
    assert "interval: 17 to any number" in text


def test_luck_says_who_beats_whom_and_how_often():
    text = words.luck(Interval(0.23, 0.18, 0.31, (100, 90)), "Bad", "Good")
    assert text.startswith("A seed of Bad, on average the worst, beats one of Good, the best, in ")
    assert "**23% [18%, 31%]** of pairs (n = 100 and 90 seeds)" in text


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1, 9, "Good is better"),
        (-9, -1, "Bad is better, unlike in the whole pool"),
        (-1, 9, "not told apart with 10 seeds"),
        (0, 9, "not told apart with 10 seeds"),
        (-9, 0, "not told apart with 10 seeds"),
        (float("nan"), float("nan"), "no verdict from n = 10"),
    ],
)
def test_an_interval_that_holds_0_tells_nothing_apart(low, high, said):
    assert words.verdict(Interval((low + high) / 2, low, high, (10, 12)), "Good", "Bad") == said


def test_needed_missed_and_held_name_their_numbers():
    text = words.needed(19, {"final return": "496", "area": "27"})
    assert text == (
        "For a difference of 19, 80% of the time: final return: **496** seeds of each; "
        "area: **27** seeds of each."
    )
    assert words.missed("bootstrap", 3, 20, 5) == "**95% bootstrap**: 3 of 20 studies of n = 5 miss"
    share = Coverage(Interval(0.92, 0.91, 0.94, 1000), Interval(0.8, 0.77, 0.82, 1000), 5)
    assert words.held(share) == (
        "With **5 seeds**, the 95% bootstrap holds the truth in 80% [77%, 82%] of the studies, "
        "the t interval in 92% [91%, 94%] (n = 1,000 studies)."
    )
