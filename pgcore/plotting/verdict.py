"""A comparison of several groups of seeds, in words: what is clear, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pgcore import stats

ALPHA = 0.05


class Verdict(NamedTuple):
    """The plain statement, and the details behind it."""

    sentence: str
    difference: str  # of the final returns, with its interval
    method: str  # what interval that is
    clear: bool  # whether the two are told apart

    @property
    def details(self) -> str:
        """The difference and its method."""
        return f"{self.difference} {self.method}"


def verdict(scores: Mapping[str, ArrayLike]) -> Verdict | None:
    """Best against worst mean of several groups [S], by label; None where nothing can be said.

    The pair was picked by looking at all pairs, so its interval is Bonferroni's: Welch's t
    interval at the level 1 - ALPHA / pairs. An interval that holds 0 does not say that the two
    are equal, only that so many seeds do not tell them apart.
    """
    groups = {label: np.asarray(x, np.float64) for label, x in scores.items()}
    if len(groups) < 2 or any(len(x) < 2 for x in groups.values()):
        return None
    ranked = sorted(groups, key=lambda label: groups[label].mean())
    worst, best = ranked[0], ranked[-1]
    pairs = len(groups) * (len(groups) - 1) // 2
    gap = stats.difference_interval(groups[worst], groups[best], 1 - ALPHA / pairs)
    fewest, most = sorted((len(groups[worst]), len(groups[best])))
    n = f"{most:,} seeds each" if fewest == most else f"{fewest:,} and {most:,} seeds"
    if gap.low > 0:
        sentence = f"**{best}** ends **{gap.estimate:.0f}** above **{worst}**, with {n}."
    else:
        sentence = (
            f"{n.removesuffix(' each')} do not tell **{best}** (highest) and **{worst}** (lowest) "
            "apart."
        )
    corrected = f", corrected because one pair of {pairs} was chosen" if pairs > 1 else ""
    chance = "" if gap.low > 0 else ": chance alone could explain that"
    difference = f"The final returns differ by {gap:.0f}{chance}."
    method = f"The brackets hold a 95% interval (Welch's t){corrected}."
    return Verdict(sentence, difference, method, bool(gap.low > 0))
