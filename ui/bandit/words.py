"""Exact bandit in words: what its numbers and its runs say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pgcore.exact.bandit import Bandit, never_good_arm
from pgcore.exact.fates import FATES, STEPS, FirstStep, shares, which_sticks
from ui.shell.question import Option, Question
from ui.shell.sums import adding_up

FREE_LUNCH = Question(
    "free_lunch",
    "A thin arrow shows what one pull of its arm asks for. The thick arrow is their mean. The "
    "baseline b moves from 0 to 5. What changes?",
    (
        Option("Only the scatter of the thin arrows", ""),
        Option("Only their mean, the gradient",
               "b multiplies the mean score, and that is zero: the probabilities sum to 1 for "
               "every θ."),
        Option("Both", "Each arrow changes, and the changes cancel in the mean, since b does not "
               "depend on the arm."),
    ),
    usual=0,
)  # fmt: skip
QUESTION = Question(
    "fates",
    "A run pulls one of three arms at each step; they pay 1, 0.7 and 0. One baseline lies 1 below "
    "the best constant, another 1 above it. Their variances are equal. Do 1,000 runs with each, "
    "of step size 0.5, end alike?",
    (
        Option("Yes: no difference shows",
               "Equal variance says nothing of the sign: one baseline rewards the first pull, "
               "the other punishes it."),
        Option("No: the lower baseline gets stuck on a worse arm more often",
               "A low baseline can lock a run in, but with these settings it did not do so more "
               "often."),
        Option("No: the higher baseline gets stuck on a worse arm more often",
               "A high baseline makes what was pulled less probable, so the run tries the other "
               "arms."),
    ),
    usual=1,
)  # fmt: skip
REASON = (
    "With b\\* − 1 every Q − b is positive. So any arm that is pulled becomes more probable, even "
    "a bad one. With b\\* + 1 every Q − b is negative. So the pulled arm becomes less probable, "
    "and the policy tries the others (Chung et al. 2021)."
)
WHY_STUCK = (
    "b\\* counts rare arms most. Once the worst arm is rare, b\\* lies near its reward, 0. Then a "
    "pull of the arm that pays 0.7 makes it more probable; with V it becomes less probable."
)
ARROWS = (
    "The triangle, the [[simplex]], holds every [[policy]] over three arms. A thin arrow shows "
    "what one pull of its arm asks for. The thick arrow is their mean, the gradient."
)
SIMPLEX_ALT = (
    "The policy on the simplex; each arm's arrow for this b, and their mean, which is the same for "
    "every b."
)
NEVER_ALT = (
    "Probability that the good arm is never pulled, against the constant baseline: zero for b at "
    "least 0, rising to one half as b falls."
)
BEFORE_THE_RUNS = (
    "Every run begins in the middle, where all three arms are equally probable. The variance is "
    "that of the first step, and exact. b\\* is the [[best_constant|best constant]]."
)
TWO_ARMS = (
    "A run pulls one of two arms at each step. Can it happen that it never finds the good arm?"
)
DRAWN = 40  # paths of each baseline, at most
SIMULATED = 2000  # runs behind each simulated point
NEVER_DRAWN = (
    f"The line is exact. A grey dot is the share of n = {SIMULATED:,} simulated runs that never "
    "pull the good arm, with its 95% interval ([[wilson|Wilson]])."
)
NEVER_FORMULA = (
    "The bad arm is pulled at every step, and the good one never. So each step multiplies the "
    "probability P by that of the bad arm. Here θ is the preference for the good arm, σ(θ) its "
    "probability, and α the step size."
)
HUES = ("blue", "orange", "green")  # the theme's first three colours, to Markdown


def shown(name: str) -> str:
    """A baseline's name as Markdown."""
    return name.replace("-", "−").replace("*", r"\*")


def fates_in_colour(policies: np.ndarray) -> str:
    """The share of the runs with each fate, in the paths' colours; as printed they sum to 100%."""
    found = shares(policies)
    printed = adding_up([100 * share.estimate for share in found.values()], 100, 1)
    return "  \n".join(
        f":{hue}[{fate.split()[0]}] **{percent:.1f}%** {share.bounds('.1%')}"
        for (fate, share), percent, hue in zip(found.items(), printed, HUES, strict=True)
    )


def free_lunch(b: float) -> Question:
    """FREE_LUNCH for the baseline that the reader's slider is moved to."""
    return replace(FREE_LUNCH, text=FREE_LUNCH.text.replace("from 0 to 5", f"from 0 to {b:.4g}"))


def fates_question(runs: int, step_size: float) -> Question:
    """QUESTION for so many runs of this step size."""
    text = QUESTION.text.replace("1,000 runs", f"{runs:,} runs")
    return replace(QUESTION, text=text.replace("size 0.5", f"size {step_size:g}"))


def on_the_variance(bandit: Bandit, b: float) -> str:
    """The exact variance at b, against that without a baseline and the least one."""
    here, none, best = (bandit.tr_var(x) for x in (b, 0.0, bandit.optimal_baseline))
    said = f"At b = {b:.4g} the [[tr_sigma|variance]] of one pull is {here:.3f}."
    if not none:
        return f"{said} Without a baseline it is 0 already."
    if b:
        said += f" That is {here / none:.0%} of {none:.3f}, the variance without a baseline."
    least = f"It is least at b\\* = {bandit.optimal_baseline:.3f}: {best:.3f}."
    return f"{said} {least} All this is exact."


def parabola_alt(bandit: Bandit, b: float) -> str:
    """The chart of the variance against b in words, exact."""
    return (
        f"Variance of one pull against the baseline b: {bandit.tr_var(b):.4f} at b = {b:.4g}, "
        f"least at b* = {bandit.optimal_baseline:.4f}."
    )


def first_variance(name: str, step: FirstStep) -> str:
    """A baseline's title: its name, and the exact variance of its first step."""
    return f"**{shown(name)}**: variance {step.tr_var:.3f}"


def paths_alt(name: str, runs: int) -> str:
    """The chart of a baseline's paths in words; `runs` is 0 before they are run."""
    if not runs:
        return f"The simplex, with the start of every run with baseline {name}."
    return f"{min(runs, DRAWN)} of {runs:,} runs with baseline {name} on the simplex."


def on_the_batch_mean(size: int) -> str:
    """What the batch's mean does to the gradient, exact."""
    return (
        "Every number is exact. The mean is the gradient g for every baseline but one. The batch "
        "mean contains the pull that it is subtracted from, so its mean is shorter: "
        f"{1 - 1 / size:.3g} g with {size} pulls."
    )


def on_the_mean(bandit: Bandit, b: float) -> tuple[int, str]:
    """The option of FREE_LUNCH that holds between 0 and b, exact, and what changed by how much."""
    before, after = (bandit.policy @ bandit.arrows(x) for x in (0.0, b))
    moved = float(np.abs(after - before).max())
    scattered = bandit.tr_var(b) - bandit.tr_var(0.0)
    truth = 0 if moved < 1e-9 else 1 if abs(scattered) < 1e-9 else 2
    twice = " Every arrow changed; b is twice b\\*." if abs(scattered) < 1e-9 else ""
    return truth, (
        f"The mean arrow changes by {moved:.0e} in its largest component: that is rounding. The "
        f"[[tr_sigma|variance]] of one pull goes from {bandit.tr_var(0.0):.3f} to "
        f"{bandit.tr_var(b):.3f}.{twice} All of this is exact, without sampling."
    )


def answer(stories: Mapping[str, np.ndarray]) -> tuple[int, str]:
    """The option of QUESTION that these runs make right, and why."""
    which = which_sticks(stories["b* - 1"], stories["b* + 1"])
    below, above = (shares(stories[name])[FATES[1]] for name in ("b* - 1", "b* + 1"))
    found = (
        f"With b\\* − 1, {below:.1%} of the runs get [[committed|stuck]]; with b\\* + 1, "
        f"{above:.1%} (n = {below.n:,} runs of each)."
    )
    if which == 0:
        n = f"{below.n:,}"
        return 0, f"{found} The intervals overlap: not told apart with {n} runs of each."
    return which, f"{found} {REASON}" if which == 1 else found


def on_least_variance(stories: Mapping[str, np.ndarray]) -> str:
    """The baseline of least variance against V: how often their runs get stuck."""
    least, value = (shares(stories[name])[FATES[1]] for name in ("b*", "V"))
    found = (
        "Now compare b\\* with [[v|V]]. At the uniform start the two are the same number. Later "
        f"the variance with V is never smaller. Of the runs with b\\*, {least:.1%} get stuck; with "
        f"V, {value:.1%} (n = {least.n:,} runs of each)."
    )
    if least.low > value.high:
        return f"**Least variance is not the best fate.** {found} {WHY_STUCK}"
    if value.low > least.high:
        return f"**Here least variance has the better fate.** {found}"
    return f"**Not told apart with {least.n:,} runs of each.** {found}"


def on_the_arrows(bandit: Bandit) -> str:
    """How to read the simplex."""
    noise = " A pale bar is the noise, ± one standard deviation." if bandit.noise.any() else ""
    return (
        "A thin arrow is the [[score]] of an arm, times Q − b. A more probable arm has a wider "
        f"arrow. Read as a move of the policy, this is the [[natural]].{noise}"
    )


def on_the_lengths(reach: float) -> str:
    """Why an arrow may end in a corner."""
    return (
        f"All arrows are drawn {reach:.3g} times as long. So the longest one ends in its own "
        "corner without a baseline."
    )


def on_the_paths(runs: int) -> str:
    """How to read the paths, and of how many runs they are."""
    return (
        f"Each line is one run; {min(runs, DRAWN)} of {runs:,} are drawn. A blue run found the "
        "best arm, an orange one is [[committed|stuck]]. A green one is undecided: its policy is "
        f"not certain after {STEPS} steps."
    )


def on_the_measuring(runs: int) -> str:
    """What was run, and what the words for its ends mean."""
    return (
        f"n = {runs:,} runs of {STEPS} steps each, with 95% Wilson intervals. A run is stuck if "
        "the probability of the best arm ends below 1%. It has found the best arm if that ends "
        "above 99%. Otherwise it is undecided. The variance is that of the first step, exact. "
        "Every baseline gets the same noise."
    )


def on_never(step_size: float, b: float) -> str:
    """How probable it is that the good arm is never pulled."""
    p = never_good_arm(step_size, b)
    number = f"{b:g}".replace("-", "−")
    start = f"Two arms pay 1 and 0, the start is uniform, and b = {number}."
    if p == 0:
        return f"{start} For b ≥ 0 the good arm is pulled sooner or later, with probability 1."
    return (
        f"{start} With probability **{p:.8f}** the good arm is never pulled, however many steps "
        "are taken. For b ≥ 0 this cannot happen."
    )
