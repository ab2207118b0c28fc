"""The parabola in words: every sentence that states a result, from what was measured or trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.config import Config
from pgcore.gradients import SampledParabola
from pgcore.gradients.constant_baseline import end_of_harmless_zone, relative_variance
from pgcore.history import History
from pgcore.stats import Interval
from ui.shell.question import Mark, Option, Question

MEANT = (
    "One number b is subtracted from every Q: a constant [[baseline]]. The "
    "[[tr_sigma|variance]] is that of one update, at one [[policy]] that is held still. Whether "
    "agents also learn less is another question. Learning curves appear with the answer."
)
QUESTION = Mark(
    "harm",
    "Subtract one number b from every return. Up to which b is the variance of an update smaller "
    "than without a baseline?",
    "Constant baseline b", 0, 100, 1, "", near=3, usual=(18, 27),
)  # fmt: skip
FAR = 100.0
FAR_QUESTION = Question(
    "far",
    f"Train from the start with b = {FAR:g}, and train without a baseline. Does b = {FAR:g} bias "
    "the gradient? Does it slow learning?",
    (
        Option("It biases the gradient and slows learning",
               "A constant never biases the gradient, however large it is: the mean score is 0."),
        Option("It adds no bias, but slows learning",
               "With more variance at each step a learner can be slower, and mostly is; with these "
               "seeds no slower learning was seen."),
        Option("It adds no bias, and learning is not measurably slower",
               "Even without a bias every update is noisier, and the noise costs steps."),
    ),
    usual=1,
)  # fmt: skip


def question(policy: str, batch_size: int) -> Mark:
    """QUESTION with the policy and the batch that it is asked of."""
    text = (
        f"One agent is held still: {policy}. From each of its batches of {batch_size} steps, plain "
        f"policy gradient computes one update. {QUESTION.text}"
    )
    return replace(QUESTION, text=text)


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


def on_zones(parabola: SampledParabola) -> str:
    """The best constant, and where the variance is that without a baseline again."""
    below = (
        " Here Q is negative, and so is b*: no b above 0 makes the variance smaller."
        if parabola.vertex.high < 0
        else ""
    )
    return (
        f"The best constant is b* = {parabola.vertex}: {parabola.least:.1%} of the variance is "
        f"left. At twice b*, {end_of_harmless_zone(parabola)}, the variance is that without a "
        f"baseline again (n = {parabola.n:,} batches).{below}"
    )


def on_here(parabola: SampledParabola, b: float) -> str:
    """The variance at the reader's b, beside that without a baseline."""
    ratio = relative_variance(parabola, b)
    if ratio.high < 1:
        said = "less than without a baseline"
    elif ratio.low > 1:
        said = "more than without a baseline"
    else:
        said = "not told apart from that without a baseline"
    return (
        f"At b = {b:g} an update has {ratio:.2f} times the variance: {said} "
        f"(n = {parabola.n:,} batches)."
    )


def on_averages(parabola: SampledParabola, averages: Mapping[str, float]) -> str:
    """The variance at constants that have a name, such as the mean Q."""
    found = [
        f"{name} = {x:.3g} leaves {relative_variance(parabola, x):.1%}"
        for name, x in averages.items()
    ]
    return f"As a constant baseline, {', '.join(found)} of the variance."


def curve_table(rows: pd.DataFrame) -> pd.DataFrame:
    """What the chart of the variance draws: the named constants, b, and the points measured."""
    shown = rows[rows["part"].isin(["mark", "here", "point"])].sort_values("b")
    return pd.DataFrame(
        {
            "constant b": shown["b"].round(2),
            "what": shown["text"].fillna("measured on other batches"),
            "variance, without a baseline = 1": shown["ratio"].round(3),
            "95% from": shown["low"].round(3),
            "to": shown["high"].round(3),
        }
    )


def training_table(rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """What the learning curves draw."""
    return pd.DataFrame(
        {
            "baseline": rows["baseline"].map(names),
            "steps": rows["step"],
            "episodic return": rows["mean"].round(1),
            "95% from": rows["low"].round(1),
            "to": rows["high"].round(1),
        }
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


def on_the_curves(found: Gain, name: str, variance: Interval) -> str:
    """Whether what the variance at one policy promises is what learning shows.

    Args:
        variance: at the policy that is held still, over that without a baseline.
    """
    n = np.min(found.area.n)
    if np.isnan(found.area.low):
        return f"With {name} only one seed was trained, which tells nothing about learning."
    if found.area.low > 0:
        learned, sign = f"have a higher return, averaged over training: {found.area:+.0f}", -1
    elif found.area.high < 0:
        learned, sign = f"have a lower return, averaged over training: {found.area:+.0f}", 1
    else:
        learned, sign = f"have a return over training not told apart: {found.area:+.0f}", 0
    here = 1 if variance.low > 1 else -1 if variance.high < 1 else 0
    agrees = (
        "So learning follows the variance here."
        if sign == here != 0
        else "Variance at one policy and learning are two questions."
    )
    return (
        f"Against no baseline, agents that train with {name} {learned} steps "
        f"an episode (n = {n} seeds each). {agrees}"
    )


def on_the_measuring(name: str, batch_size: int, n: int) -> str:
    """How the variance was measured."""
    return (
        f"Variance of one update at one policy ({name}), from batches of {batch_size} steps. The "
        f"curve comes from n = {n:,} batches (Greensmith, Bartlett & Baxter 2004), the grey points "
        "from as many others. [ ] and bars: 95% bootstrap intervals. Mean V and "
        "mean Q are discounted."
    )


def on_the_training(config: Config) -> str:
    """What the learning curves are."""
    return (
        "Each agent trains with its constant from start to end. A line is the mean of "
        f"n = {config.num_seeds} seeds, its band the 95% [[t_interval]] of that mean. One "
        f"evaluation is the mean of {config.eval_episodes} episodes. More variance at one policy "
        "need not mean less learning (Chung et al. 2021)."
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
        "On average over all batches it moves the update by exactly 0: the mean score is 0. "
        f"Our n = {shift.n:,} batches measure {shift:+.1%} of the true gradient's length: what is "
        f"not 0 there is sampling noise. The variance is {variance} times that without a baseline. "
        f"{on_training(found, f'b = {FAR:g}')}"
    )


def description(parabola: SampledParabola, b: float) -> str:
    """The chart of the variance in words."""
    return (
        f"Variance of the update against a constant baseline: least, "
        f"{parabola.least:.1%} of that without one, at b* = {parabola.vertex}; "
        f"at b = {b:g} it is {relative_variance(parabola, b)} times that without one. "
        "Outside the range from 0 to twice b* the variance is larger than without a baseline."
    )


def training_description(histories: Mapping[str, History]) -> str:
    """The learning curves in words."""
    ends = [f"{key} at {history.final_returns.mean():.0f}" for key, history in histories.items()]
    return f"Episodic return, undiscounted, against environment steps: {', '.join(ends)}."
