"""The verdict: what the measurement says, and nothing else.

An outcome is better when it is higher. The interval of the difference, as written less corrected,
is paired by seed and holds for all outcomes of the exhibit together (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pgcore import stats
from pgcore.stats import Interval

ALPHA = 0.05
RETURN_MARGIN = 20.0  # of 500: a smaller difference of episodic returns is called harmless
SHARE_MARGIN = 0.05

Kind = Literal["crash", "silent harm", "harmless"]
How = Literal["stops", "worse", "within the margin", "better", "not told apart"]
KINDS: tuple[Kind, ...] = ("crash", "silent harm", "harmless")


class Outcome(NamedTuple):
    """One quantity of both versions; `difference` is as written less corrected."""

    name: str
    written: Interval
    corrected: Interval
    difference: Interval
    margin: float

    @property
    def is_share(self) -> bool:
        """Whether the numbers are shares of the seeds, and not returns."""
        return self.margin == SHARE_MARGIN


class Verdict(NamedTuple):
    """One of three kinds, how it shows, and the outcome that decides."""

    kind: Kind
    how: How
    outcome: Outcome | None  # None for a crash


def outcome(name: str, written: ArrayLike, corrected: ArrayLike, among: int = 1) -> Outcome:
    """Per-seed numbers of both versions, paired by seed, with intervals.

    Args:
        written, corrected: [S], in the same order of seeds.
        among: how many outcomes the exhibit has; their intervals hold together.
    """
    x, y = np.asarray(written, np.float64), np.asarray(corrected, np.float64)
    shares = bool(np.isin(np.concatenate([x, y]), (0, 1)).all())
    if shares:
        difference = share_difference(x, y, 1 - ALPHA / among)
        of = [stats.proportion_interval(int(z.sum()), len(z)) for z in (x, y)]
        return Outcome(name, of[0], of[1], difference, SHARE_MARGIN)
    difference = stats.mean_t_interval(x - y, 1 - ALPHA / among)
    of = [stats.mean_t_interval(z) for z in (x, y)]
    return Outcome(name, of[0], of[1], difference, RETURN_MARGIN)


def share_difference(x: np.ndarray, y: np.ndarray, confidence: float) -> Interval:
    """Share of x less share of y, both [S] of 0 and 1, made of Wilson's intervals.

    Newcombe's (1998) method 10, which keeps a width where all seeds agree; too wide for pairs.
    """
    p, q = (stats.proportion_interval(int(z.sum()), len(z), confidence) for z in (x, y))
    low = np.hypot(p.estimate - p.low, q.high - q.estimate)
    high = np.hypot(p.high - p.estimate, q.estimate - q.low)
    gap = p.estimate - q.estimate
    return Interval(gap, gap - low, gap + high, len(x))


def how(one: Outcome) -> How:
    """What one interval says.

    Worse or better: the interval leaves out 0 and is not wholly within the margin. Within the
    margin: the interval is. Else the two versions are not told apart.
    """
    low, high = float(one.difference.low), float(one.difference.high)
    if -one.margin <= low and high <= one.margin:
        return "within the margin"
    if high < 0:
        return "worse"
    if low > 0:
        return "better"
    return "not told apart"


def verdict(outcomes: Sequence[Outcome], traceback: str = "") -> Verdict:
    """Crash if there is a traceback; silent harm if any outcome is worse; else harmless.

    A harmless one is described by its least certain outcome: better, not told apart, within the
    margin, in this order.

    Raises: ValueError if there is neither a traceback nor an outcome.
    """
    if traceback:
        return Verdict("crash", "stops", None)
    if not outcomes:
        raise ValueError("A verdict needs a traceback or at least one outcome.")
    found = [(how(one), one) for one in outcomes]
    for wanted in ("worse", "better", "not told apart", "within the margin"):
        said = [one for state, one in found if state == wanted]
        if said:
            kind: Kind = "silent harm" if wanted == "worse" else "harmless"
            return Verdict(kind, wanted, said[0])
    raise AssertionError
