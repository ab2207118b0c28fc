"""The parabola in words: every sentence that states a result, from what was measured or trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pgcore import stats
from pgcore.gradients import SampledParabola
from pgcore.gradients.constant_baseline import end_of_harmless_zone, relative_variance
from pgcore.history import History
from pgcore.stats import Interval
from ui.shell.question import Mark, Option, Question

QUESTION = Mark(
    "harm",
    "Subtract one number b from every return. Up to which b is the variance of an update smaller "
    "than without a baseline?",
    "Constant baseline b", 0, 100, 1, "", near=3, usual=(18, 27),
)  # fmt: skip
FAR = 100.0
FAR_QUESTION = Question(
    "far",
    f"Does b = {FAR:g} bias the gradient? Does it slow learning?",
    (
        Option("It biases the gradient and slows learning",
               "A constant never biases the gradient, however large it is: the mean score is 0."),
        Option("It adds no bias, but slows learning",
               "With more variance at each step a learner can be slower, and mostly is; with these "
               "seeds no slower learning was seen."),
        Option("It adds no bias, and learning is not measurably slower",
               "No bias is not no harm: every update is noisier, and the noise costs steps."),
    ),
    usual=1,
)  # fmt: skip


class Gain(NamedTuple):
    """What training with a baseline gives over training without; n counts seeds of each."""

    area: Interval  # of the mean episodic return over training: the area between the curves
    final: Interval  # of the episodic return at the end


def gain(plain: History, other: History) -> Gain:
    """Differences of means, other less plain, with Welch's 95% t interval (Welch 1947)."""
    return Gain(
        stats.difference_interval(plain.area_under_curve, other.area_under_curve),
        stats.difference_interval(plain.final_returns, other.final_returns),
    )


def on_zones(parabola: SampledParabola, mean_return: float) -> str:
    """Where the variance is larger than without a baseline, with the interval and n."""
    end, at_mean = end_of_harmless_zone(parabola), relative_variance(parabola, mean_return)
    return (
        f"The best constant is b* = {parabola.vertex}: it leaves {parabola.least:.1%} of the "
        f"variance. At twice b*, {end}, the variance is that without a baseline again. At the "
        f"mean discounted return, {mean_return:.3g}, it is {at_mean:.1%} "
        f"(n = {parabola.n:,} batches)."
    )


def compared(difference: Interval, better: str, worse: str) -> str:
    """+12 [+3, +21], better: no more than the interval allows, and nothing from one seed."""
    n = np.min(difference.n)
    if np.isnan(difference.low):
        return f"{difference.estimate:+.0f}, and one seed tells nothing"
    if difference.low > 0:
        said = better
    elif difference.high < 0:
        said = worse
    else:
        said = f"not told apart with {n} seeds"
    return f"{difference:+.0f}, {said}"


def on_training(found: Gain, name: str) -> str:
    """Training with `name` against training without a baseline: on the way, and at the end."""
    n = np.min(found.area.n)
    return (
        f"With {name}, against no baseline (n = {n} seeds each): episodic return averaged over "
        f"training {compared(found.area, 'higher', 'lower')}; at the end "
        f"{compared(found.final, 'higher', 'lower')}."
    )


def fate(found: Gain) -> int:
    """The option of FAR_QUESTION that is measured; a constant adds no bias, by theory."""
    return 1 if found.area.high < 0 else 2


def on_far(shift: Interval, variance: Interval, found: Gain) -> str:
    """What the far baseline did to the gradient, to its variance, and to learning.

    Args:
        shift: of the mean update along the true gradient, as a share of its length.
        variance: over that without a baseline.
    """
    return (
        f"In these batches it moves the mean update by {shift:+.1%} of the true gradient's "
        f"length, along it (n = {shift.n:,} batches); in expectation by exactly 0, since "
        f"E ∇ log π = 0. The variance is {variance} times that without a baseline. "
        f"{on_training(found, f'b = {FAR:g}')}"
    )


def description(parabola: SampledParabola, b: float) -> str:
    """The chart of the variance in words."""
    return (
        f"Variance of the update against a constant baseline: least, "
        f"{parabola.least:.1%} of that without one, at b* = {parabola.vertex}; "
        f"at b = {b:g} it is {relative_variance(parabola, b)} times that without one. "
        "Below 0 and above twice b* the variance is larger than without a baseline."
    )


def training_description(histories: Mapping[str, History]) -> str:
    """The learning curves in words."""
    ends = [f"{key} at {history.final_returns.mean():.0f}" for key, history in histories.items()]
    return f"Episodic return, undiscounted, against environment steps: {', '.join(ends)}."
