"""Why bootstrap, in words: every sentence that states a result, from what was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pgcore.gradients.bootstrapping import CRITIC, CUT, FOLLOWED, TARGETS, Bootstrapping
from pgcore.stats import Interval
from ui.shell.question import Option, Question

MOST, LEAST = 0.8, 0.2
QUESTION = Question(
    "bootstrap",
    "A batch mostly ends while the pole stands. If its returns stop there, the mean update is too "
    "short. How much of what is missing does the critic bring back?",
    (
        Option(f"Nearly all of it: more than {MOST:.0%}",
               "That takes a critic that predicts the value well, and this one does not yet."),
        Option(f"A part of it: {LEAST:.0%} to {MOST:.0%}",
               "With these settings the critic is either much better or much worse than that."),
        Option(f"Little or nothing: less than {LEAST:.0%}",
               "With these settings the critic has learned enough of the value to help."),
    ),
    usual=2,
)  # fmt: skip


def question(policy: str, batch_size: int) -> Question:
    """QUESTION with the policy and the batch that it is asked of."""
    text = (
        f"One agent is held still: {policy}. Its batches have {batch_size} steps. {QUESTION.text}"
    )
    return replace(QUESTION, text=text)


NO_GRADIENT = "The true gradient is too small to be measured here."
NOTHING_MISSING = "Here nothing is missing that these batches could show."
NAMES = {CUT: "cut", CRITIC: "critic", FOLLOWED: "what followed"}
MEANINGS = {
    CUT: "cut: nothing follows",
    CRITIC: "the critic's estimate",
    FOLLOWED: "what truly followed",
}
NOTEBOOK_STEPS = 32  # the batch of which the notebook says that no entire episode fits
NEAR = 0.15  # of what followed: so near is "nearly right on average"


# --- the question ----------------------------------------------------------------------------


def answer(found: Bootstrapping) -> int | None:
    """The option of QUESTION that is measured; None where none can be."""
    return None if _unmeasured(found) else _option(found.brought_back.estimate)


def _unmeasured(found: Bootstrapping) -> str:
    """Why no option can be measured; nothing where one can."""
    cut = found.measurements[CUT].bias.along
    if not np.isfinite(cut.estimate):
        return NO_GRADIENT
    measured = cut.high < 0 and np.isfinite(found.brought_back.low)
    return "" if measured else NOTHING_MISSING


def _option(share: float) -> int:
    return 0 if share > MOST else 1 if share >= LEAST else 2


def explanation(found: Bootstrapping) -> str:
    """Both biases along the true gradient, the share that comes back, the intervals and n."""
    reason, n = _unmeasured(found), found.brought_back.n
    if reason == NO_GRADIENT:
        return f"{reason} With n = {n:,} batches its length is not told apart from 0."
    cut, critic = (found.measurements[key].bias.along for key in (CUT, CRITIC))
    biases = (
        f"If the returns stop with the batch, the mean update is {off(cut)} of the true gradient. "
        f"With the critic it is {off(critic)}"
    )
    if reason:
        return f"{reason} {biases} (n = {n:,} batches)."
    share = found.brought_back
    text = f"{biases}. The critic brings back {share:.0%} of what is missing (n = {n:,} batches)."
    if share.high < 0:
        text += " Below 0% it does harm."
    elif share.low > 1:
        text += " Above 100% it does too much."
    if _option(share.low) != _option(share.high):
        text += " The interval holds another answer too."
    return text


def off(bias: Interval) -> str:
    """A bias along the true gradient, as far as its interval allows to say."""
    if bias.high < 0:
        return f"too short by {_size(bias):.0%}"
    if bias.low > 0:
        return f"too long by {bias:.0%}"
    return f"off by {bias:+.0%}"


def _size(interval: Interval) -> Interval:
    """The absolute value of an interval that does not hold 0."""
    low, high = sorted((abs(interval.low), abs(interval.high)))
    return Interval(abs(interval.estimate), low, high, interval.n)


# --- below the figures -----------------------------------------------------------------------


def _at(interval: Interval, t: int) -> Interval:
    """One position of an interval over a batch."""
    estimate, low, high = (float(bound[t]) for bound in interval[:3])
    return Interval(estimate, low, high, interval.n)


def on_returns(found: Bootstrapping) -> str:
    """How the cut return moves, and how far the critic is off where the batch ends."""
    first, last = (_at(found.mean_q[CUT], t) for t in (0, -1))
    reward = f"{last.estimate:.3g}"  # what follows the last step is cut: its reward is left
    if found.batch_size == 1:
        moves = f"The cut return of a single step is its own reward, {reward}."
    elif first.estimate == last.estimate:  # no later reward counts: gamma is 0
        moves = f"The cut return is its own reward, {reward}, at every step."
    else:
        verb = "falls" if first.estimate > last.estimate else "rises"
        moves = (
            f"The cut return {verb} from {first:.1f} at the first step to {reward}, its own "
            "reward, at the last."
        )
    return f"{moves} {on_gap(found.gap)}"


def on_gap(gap: Interval) -> str:
    """The critic against what followed, at the last step of a batch."""
    if gap.low > 0 or gap.high < 0:
        side = "high" if gap.low > 0 else "low"
        return (
            f"At the last step the critic's Q is {_size(gap):.1f} too {side} on average "
            f"(n = {gap.n:,} batches)."
        )
    return (
        "At the last step the mean of the critic's Q is not told apart from that of what "
        f"followed: {gap:+.1f} (n = {gap.n:,} batches)."
    )


def on_updates(found: Bootstrapping) -> str:
    """The variances of the three targets, and the most important of what else they show."""
    cut, critic = (found.measurements[key].ratio for key in (CUT, CRITIC))
    return (
        f"Variance, where that of what followed is 1: {cut} with the cut, {critic} with "
        f"the critic (n = {cut.n:,} batches). Best is a point at bias 0 and "
        f"far to the left. {remarks(found)[0]}"
    )


def remarks(found: Bootstrapping) -> list[str]:
    """What the biases and variances mean at these settings, the most important first."""
    cut, critic = found.measurements[CUT], found.measurements[CRITIC]
    if not np.isfinite(cut.bias.along.estimate):
        return [f"{NO_GRADIENT} So no bias can be given."]
    said = []
    if critic.bias.along.high < -1:
        said.append(
            "The critic's mean update points against the true gradient: it is too short by more "
            "than 100%."
        )
    if _near_and_biased(found):
        said.append(
            "The critic is nearly right on average, and yet its update is biased: an update needs "
            "how the values differ between states."
        )
    whole, along = critic.bias.relative, critic.bias.along
    if whole.low > abs(along.estimate):
        said.append(
            f"The critic's mean update also points aside: its whole bias is {whole:.0%} of the "
            "true gradient's length."
        )
    return [*said, verdict(cut.ratio, critic.ratio)]


def _near_and_biased(found: Bootstrapping) -> bool:
    """Whether the critic's average is within NEAR of what followed, and its update is not."""
    followed = abs(float(found.mean_q[FOLLOWED].estimate[-1]))
    along = found.measurements[CRITIC].bias.along
    near = max(abs(found.gap.low), abs(found.gap.high)) < NEAR * followed
    return near and min(abs(along.low), abs(along.high)) > NEAR and along.low * along.high > 0


def verdict(cut: Interval, critic: Interval) -> str:
    """Who pays with variance, from the two ratios to what truly followed."""
    if cut.high < 1 and critic.high < 1:
        return "What truly followed has no bias and the most variance."
    if cut.low > 1 and critic.high < 1:
        return "The critic has the least variance; the cut has the most, and a bias too."
    if cut.low > 1 and critic.low > 1:
        return "What truly followed has no bias, and the least variance too."
    return f"Not every variance is told apart from that of what followed with n = {cut.n:,}."


def on_lengths(found: Bootstrapping) -> str:
    """How many episodes fit into a batch, and how many batches hold an entire one."""
    fitting, whole, steps = found.fitting, found.whole, _steps(found.batch_size)
    if whole.estimate:
        held = f"{whole:.1%} of n = {whole.n:,} batches hold an entire episode"
        claim = "; the lab notebook says that none does"
    else:
        held = f"None of n = {whole.n:,} batches holds an entire episode (at most {whole.high:.1%})"
        claim = ", as the lab notebook says"
    return (
        f"Of n = {fitting.n:,} episodes {fitting:.0%} are no longer than a batch of {steps}. "
        f"{held}{claim * (found.batch_size == NOTEBOOK_STEPS)}."
    )


def _steps(count: int) -> str:
    return f"{count:,} step{'s' * (count != 1)}"


# --- folded, and read aloud ------------------------------------------------------------------


def table(found: Bootstrapping) -> pd.DataFrame:
    """The three targets, each number with its 95% interval."""
    rows = []
    for key in TARGETS:
        measured, q = found.measurements[key], found.mean_q[key]
        along, total = f"{measured.bias.along:+.1%}", f"{measured.bias.relative:.1%}"
        if key == FOLLOWED:
            along = total = "0, by theory"
        rows.append(
            {
                "what follows a batch": MEANINGS[key],
                "mean Q, first step": f"{_at(q, 0):.1f}",
                "mean Q, last step": f"{_at(q, -1):.1f}",
                "bias along the gradient": along,
                "whole bias": total,
                "variance / what followed": "1" if key == FOLLOWED else f"{measured.ratio}",
                "updates the right way": f"{measured.right_way:.0%}",
            }
        )
    return pd.DataFrame(rows)


def on_asked(found: Bootstrapping) -> str:
    """How many batches end while the pole stands."""
    asked = found.asked
    stands = f"{asked:.1%} of n = {asked.n:,} batches end while the pole stands."
    return f"{stands} The others need no guess."


def returns_description(found: Bootstrapping) -> str:
    """The mean returns against the position in the batch, in words."""
    parts = [
        f"{MEANINGS[key]}, from {_at(q, 0):.1f} at the first step to {_at(q, -1):.1f} at the last"
        for key, q in found.mean_q.items()
    ]
    return f"Mean Q against the position in the batch: {'; '.join(parts)}."


def updates_description(found: Bootstrapping) -> str:
    """Bias against variance, in words."""
    parts = [
        f"{MEANINGS[key]}, bias {found.measurements[key].bias.along:+.0%} and variance "
        f"{found.measurements[key].ratio}"
        for key in (CUT, CRITIC)
    ]
    return (
        "Bias of the mean update along the true gradient against its variance: "
        f"{'; '.join(parts)}; what truly followed, no bias and variance 1."
    )


def lengths_description(found: Bootstrapping) -> str:
    """The histogram in words."""
    lengths = found.lengths
    return (
        f"Histogram of the lengths of {len(lengths)} episodes, from {lengths.min()} to "
        f"{lengths.max()} steps with median {np.median(lengths):.0f}, beside the batch's "
        f"{_steps(found.batch_size)}."
    )
