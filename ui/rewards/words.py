"""Shifted rewards in words: what three agents learned, and what the shift does to Q."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pgcore.gradients.reward_shift import OFFSETS, Outcome, ReturnsToGo
from pgcore.stats import Interval
from ui.shell.question import Option, Question

INTRODUCTION = (
    "Subtract a constant b from every discounted return Q. The mean of the gradient does not "
    "change, because E[b ∇ log π] = 0. Is it also harmless to subtract a constant from every "
    "**reward**?"
)
QUESTION = Question(
    "shifted",
    "CartPole pays r = 1 for every step. One agent learns from r − 1, so each of its rewards "
    "is 0. Another learns from r − 2, so each of its rewards is −1. What do they learn?",
    (
        Option("At least one of them learns to balance, as with r",
               "A shift of Q changes nothing on average. A shift of every reward changes Q by more "
               "the longer the episode is, so it changes the task."),
        Option("Neither learns to balance, and with r − 2 the agent does not clearly fall sooner",
               "With r − 2 each step costs 1, so a short episode has the higher return, and the "
               "agent can learn that."),
        Option("Neither learns to balance, and with r − 2 the agent learns to fall sooner",
               "It would be the best policy with r − 2, but with these settings it was not clearly "
               "learned."),
    ),
    usual=2,
)  # fmt: skip
LESS_ONE, LESS_TWO = OFFSETS[1:]
EVALUATED = (
    "r − 1 and r − 2 are the setting reward_offset at −1 and −2. Only the learner sees it: every "
    "evaluation counts the environment's own rewards, 1 a step."
)


def name(offset: float) -> str:
    """r, r − 1, r + 0.5: the reward that an agent with this offset learns from."""
    if not offset:
        return "r"
    return f"r {'+' if offset > 0 else '−'} {abs(offset):g}"


def truth(found: Mapping[float, Outcome]) -> int:
    """The option of QUESTION that these runs make right.

    An agent has learned to balance if its return has clearly risen: the 95% interval of the change
    lies above 0. r − 2 falls sooner if its change lies clearly below that of r − 1.
    """
    one, two = found[LESS_ONE].change, found[LESS_TWO].change
    if one.low > 0 or two.low > 0:
        return 0
    return 2 if two.high < min(one.low, 0) else 1


def explanation(found: Mapping[float, Outcome], steps: int) -> str:
    """The returns behind `truth`, each with its interval, and n."""
    ends = [f"{outcome.final:.1f} with {name(offset)}" for offset, outcome in found.items()]
    plain = found[0.0]
    unlearned = "" if plain.change.low > 0 else " With r too, no rise is clear."
    return (
        f"After {steps:,} steps the episodic return is {', '.join(ends[:-1])} and {ends[-1]}. "
        f"Before training it is {plain.before:.1f} (n = {plain.final.n} seeds each).{unlearned}"
    )


def on_learning(found: Mapping[float, Outcome], offset: float) -> str:
    """What one shift did: the change over training, and the gap to the agent that has r."""
    outcome = found[offset]
    return (
        f"**{name(offset)}**: over training the return {moved(outcome.change)}. "
        f"At the end it {compared(outcome.gap)}. n = {outcome.final.n} seeds."
    )


def moved(change: Interval) -> str:
    """How a return changed, and no more than its interval allows."""
    if change.low > 0:
        return f"rises by {change:.1f}"
    if change.high < 0:
        return f"falls by {_turned(change):.1f}"
    return f"changes by {change:.1f}: neither a rise nor a fall is clear"


def compared(gap: Interval) -> str:
    """How a final return lies to that of the agent that learned from r."""
    if gap.low > 0:
        return f"lies {gap:.1f} above that with r"
    if gap.high < 0:
        return f"lies {_turned(gap):.1f} below that with r"
    return f"differs by {gap:.1f} from that with r: the two are not told apart"


def _turned(interval: Interval) -> Interval:
    """The same difference, counted the other way."""
    estimate, low, high, n = interval
    return Interval(-estimate, -high, -low, n)


def on_q(found: Mapping[float, ReturnsToGo]) -> str:
    """Q of the first and of the last step of an episode, for every offset, with n."""
    firsts = [f"{_first(one)} with {name(offset)}" for offset, one in found.items()]
    lasts = [f"{one.last:g}" for one in found.values()]
    said = (
        f"At the first step of an episode, Q is {', '.join(firsts[:-1])} and {firsts[-1]} "
        f"(n = {found[0.0].first.n} episodes). At the last step it is {', '.join(lasts[:-1])} "
        f"and {lasts[-1]}. {on_worth(found)}"
    )
    return said.replace("-", "−")


def on_worth(found: Mapping[float, ReturnsToGo]) -> str:
    """Whether a step is worth more or less, the more steps are left."""
    said = [f"**{_worth(one)}** with {name(offset)}" for offset, one in found.items()]
    return f"A step that is far from the end is worth {', '.join(said[:-1])} and {said[-1]}."


def _worth(one: ReturnsToGo) -> str:
    if np.ptp(one.q) == 0:
        return "exactly as much as the last one"
    if one.first.low > one.last:
        return "more than the last one"
    if one.first.high < one.last:
        return "less than the last one"
    return "not clearly more or less than the last one"


def _first(one: ReturnsToGo) -> str:
    return f"{one.first:.1f}" if one.q.any() else "exactly 0"


def on_the_lines(found: Mapping[float, ReturnsToGo]) -> str:
    """How to read the picture of Q."""
    plain = found[0.0]
    cut = (
        f" The clock ended {plain.cut} of the {plain.first.n} episodes; what would have followed "
        "is not counted."
        if plain.cut
        else ""
    )
    return (
        "Every step pays the same, so all steps with as many steps left have the same Q: the lines "
        f"are exact. Dashed: b = {plain.q.mean():.1f}, the mean Q, is subtracted from every Q; "
        f"the line keeps its shape.{cut}"
    )


def on_the_bootstrap(bootstraps: bool) -> str:
    """What is left to learn from where every reward is 0."""
    if not bootstraps:
        return (
            "With r − 1 every Q of this estimator is exactly 0, so its policy never changes. What "
            "differs between evaluations is chance."
        )
    return (
        "With r − 1 every Q would be 0, but where a batch ends the critic's guess V stands in for "
        "the rest. At first this guess is random, and it pushes the policy at random."
    )


def description(found: Mapping[float, ReturnsToGo]) -> str:
    """The picture of Q in words."""
    longest = int(found[0.0].steps_left.max())
    ends = []
    for offset, one in found.items():
        _, q = one.by_steps_left()
        ends.append(f"{name(offset)}: from {q[0]:.1f} to {q[-1]:.1f}")
    return (
        f"Q of a step against the steps left in the episode, from 1 to {longest}. "
        f"{'; '.join(ends)}. With b subtracted from Q the line of r keeps its shape."
    )
