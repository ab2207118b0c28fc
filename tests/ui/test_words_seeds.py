"""The Seeds page's sentences: their numbers, their n, and what they say of a doubtful order."""

from __future__ import annotations

import pytest

from pgcore.stats import Interval, Lottery
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
