"""The sentence that compares groups of seeds: its direction, its number, its n, its correction."""

from __future__ import annotations

import numpy as np
import pytest

from pgcore import stats
from pgcore.plotting.verdict import verdict

LOW = np.array([98.0, 100, 102, 99, 101])
HIGH = LOW + 50
MIDDLE = LOW + 10


def test_the_best_stands_above_the_worst_whatever_the_order():
    for scores in ({"low": LOW, "high": HIGH}, {"high": HIGH, "low": LOW}):
        said = verdict(scores)
        assert said.sentence == "**high** ends **50** above **low**, with 5 seeds each."


def test_the_interval_is_welchs_and_corrected_for_the_pairs_looked_at():
    said = verdict({"low": LOW, "middle": MIDDLE, "high": HIGH})
    gap = stats.difference_interval(LOW, HIGH, 1 - 0.05 / 3)
    assert said.difference == f"The final returns differ by {gap:.0f}."
    assert "Welch" in said.method and "one pair of 3" in said.method
    assert said.details == f"{said.difference} {said.method}"
    alone = verdict({"low": LOW, "high": HIGH})
    assert f"{stats.difference_interval(LOW, HIGH):.0f}" in alone.details
    assert "corrected" not in alone.details


def test_the_correction_decides_what_is_clear():
    """A gap that excludes 0 alone and holds it as one of three pairs."""
    x, y = np.array([0.0, 1, 2, 3]), np.array([2.6, 3.6, 4.6, 5.6])
    alone, corrected = (stats.difference_interval(x, y, 1 - 0.05 / pairs) for pairs in (1, 3))
    assert alone.low > 0 > corrected.low
    assert "ends" in verdict({"x": x, "y": y}).sentence
    assert "do not tell" in verdict({"x": x, "between": (x + y) / 2, "y": y}).sentence


def test_an_interval_that_holds_0_is_no_equality():
    x = np.array([0.0, 100, 200])
    said = verdict({"x": x, "y": x + 10})
    assert said.sentence == "3 seeds do not tell **y** (highest) and **x** (lowest) apart."
    assert said.difference.endswith("]: chance alone could explain that.")


def test_groups_of_different_sizes_say_both():
    assert "with 5 and 7 seeds" in verdict({"x": LOW, "y": np.append(HIGH, [150, 151])}).sentence


@pytest.mark.parametrize("scores", [{}, {"x": LOW}, {"x": LOW, "y": [1.0]}])
def test_nothing_is_said_of_one_group_or_one_seed(scores):
    assert verdict(scores) is None
