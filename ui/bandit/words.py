"""Exact bandit in words: what its numbers and its runs say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pgcore.exact.bandit import Bandit, never_good_arm
from pgcore.exact.fates import FATES, shares, which_sticks
from ui.shell.sums import adding_up

QUESTION = "b\\* − 1 and b\\* + 1 have equal variance. Do runs with them end alike?"
OPTIONS = (
    "Neither: no difference shows",
    "b\\* − 1 gets stuck on a worse arm more often",
    "b\\* + 1 gets stuck on a worse arm more often",
)
REASON = (
    "A low baseline rewards whatever was pulled first, and it becomes more probable still; a high "
    "one makes it less probable, and the policy tries the others (Chung et al. 2021)."
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
        f":{hue}[{fate.split()[0]}] **{percent:.1f}%** [{share.low:.1%}, {share.high:.1%}]"
        for (fate, share), percent, hue in zip(found.items(), printed, HUES, strict=True)
    )


def answer(stories: Mapping[str, np.ndarray]) -> tuple[str, str]:
    """Which of OPTIONS these runs make right, and why."""
    which = which_sticks(stories["b* - 1"], stories["b* + 1"])
    below, above = (shares(stories[name])[FATES[1]] for name in ("b* - 1", "b* + 1"))
    found = f"Stuck with b\\* − 1: {below:.1%}; with b\\* + 1: {above:.1%}."
    if which == 0:
        n = f"{below.n:,}"
        return OPTIONS[0], f"{found} The intervals overlap: not told apart with {n} runs of each."
    return OPTIONS[which], f"{found} {REASON}" if which == 1 else found


def on_least_variance(stories: Mapping[str, np.ndarray]) -> str:
    """The baseline of least variance against V: how often their runs get stuck."""
    least, value = (shares(stories[name])[FATES[1]] for name in ("b*", "V"))
    found = (
        f"With b\\*, the baseline of least variance, {least:.1%} of the runs get stuck on a worse "
        f"arm; with V, {value:.1%} (n = {least.n:,} runs of each). At the uniform start the two "
        "are the same number; after it, the variance with V is never smaller."
    )
    if least.low > value.high:
        return f"**Least variance is not the best fate.** {found}"
    if value.low > least.high:
        return f"**Here least variance has the better fate.** {found}"
    return f"**Not told apart with {least.n:,} runs of each.** {found}"


def on_the_arrows(bandit: Bandit, reach: float) -> str:
    """How to read the simplex."""
    noise = " A pale bar is the noise, ± one standard deviation." if bandit.noise.any() else ""
    return (
        "A thin arrow is one pull of an arm, ψ(Q − b); a more probable arm has a wider arrow. The "
        "thick arrow is their mean, the gradient g. Read as a move of the policy, this is "
        f"*natural* policy gradient. Arrows are drawn {reach:.3g} times as long, so that without a "
        f"baseline the longest one ends in its own corner.{noise}"
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
