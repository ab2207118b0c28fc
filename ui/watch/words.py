"""The Watch page in words: what the agent has learned, and which episode is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from pgcore import stats
from pgcore.episodes import Landscape

ACTS = {"sampled": "drawn by their probability", "greedy": "always the likelier one"}


def learned(own: ArrayLike, before: ArrayLike, step: int) -> str:
    """Whether an agent holds the pole longer than before it learned.

    Args:
        own, before: steps of its episodes, and of its untrained self's, which start in the same
            states: the interval is that of the mean difference of a pair.
        step: environment steps that it has learned for.
    """
    own, before = np.asarray(own, float), np.asarray(before, float)
    n = len(own)
    if not step:
        mean = stats.mean_t_interval(own)
        return (
            f"This agent has not learned yet: it holds the pole for **{mean:.0f}** steps on "
            f"average, over n = {n} episodes."
        )
    gain = stats.mean_t_interval(own - before)
    if gain.low <= 0 <= gain.high:
        return (
            f"After {step:,} steps of learning, {n} episodes do not tell this agent from its "
            f"untrained self. It holds the pole {_signed(gain)} steps longer."
        )
    longer = "longer" if gain.low > 0 else "shorter"
    size = gain if gain.low > 0 else stats.Interval(-gain[0], -gain[2], -gain[1], n)
    return (
        f"After {step:,} steps of learning it holds the pole **{size:.0f}** steps {longer} than "
        f"its untrained self, over n = {n} episodes of each."
    )


def _signed(gain: stats.Interval) -> str:
    return f"{gain:.0f}".replace("-", "−")


def episode(which: str, number: int, lengths: Sequence[int], acts: str, together: bool) -> str:
    """Which of the episodes is shown, and how it lies among the others; terms are linked.

    Args:
        number: its place among them, from 0.
        lengths: steps of every episode.
        together: whether others play beside it.
    """
    n, ordered = len(lengths), sorted(lengths)
    others = " All start in the same [[state|state]] and meet the same chance." if together else ""
    return (
        f"The player shows the {which} one of n = {n} episodes: it lasts {lengths[number]} steps, "
        f"and the {n} last {ordered[0]} to {ordered[-1]}. Its actions are {ACTS[acts]}.{others}"
    )


def maps(over: Landscape, step: int) -> str:
    """What policy and critic say on the two maps; terms are linked."""
    left, right = (
        over.probs[np.ix_(sign * over.velocities > 0, sign * over.angles > 0)].mean()
        for sign in (-1, 1)
    )
    return (
        "Where the pole leans left and turns left, the [[policy|policy]] pushes right with "
        f"probability {left:.2f}. Where it leans and turns right, it does so with {right:.2f}. "
        "Both are means over a quarter of the map. The "
        f"[[critic|critic]]'s [[v|value]] runs from {over.values.min():.1f} to "
        f"{over.values.max():.1f}. The line is the episode; the dot is step {step}, where the "
        "player stopped."
    )
