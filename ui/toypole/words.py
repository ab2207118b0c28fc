"""ToyPole in words: what its numbers say, and which answer they make right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from pgcore.exact.toypole import ToyPole
from pgcore.gradients.enumerated import LAMBDAS, angle_between, asymmetries, cosine, gae_curve
from pgcore.stats import Interval
from ui.shell.question import Option, Question

LOSS = Question(
    "shrink",
    "A batch has T = 8 steps, and the discount γ is 0.9. If the steps were independent, "
    "subtracting the batch's mean would shrink the gradient by 1/T: 12.5%. Here the 8 steps follow "
    "one another. By how much does the gradient shrink?",
    (
        Option("Less than that", "The steps of one run have more in common than independent ones, "
               "not less."),
        Option("About 12.5%", "That counts only the step's own Q. The Q of earlier steps contain "
               "its consequences too."),
        Option("Clearly more than that", "With these settings a return reaches hardly further than "
               "its own step, and little more than 1/T is lost."),
    ),
    usual=2,
)  # fmt: skip
LAMBDA = Question(
    "lambda",
    "The critic errs by ±0.5 at each state, and the updates of 100 batches are averaged. λ = 0 "
    "leans on the critic alone, λ = 1 on the rewards of the batch. Is λ = 0 best?",
    (
        Option("Yes, λ = 0 is best", "λ = 0 keeps the whole error of the critic as a bias, and no "
               "number of batches averages a bias away."),
        Option("No, some λ between is best", "With these settings one end wins: the bias, or the "
               "noise, decides alone."),
        Option("No, λ = 1 is best", "λ = 1 trusts the rewards to the end of the batch and pays for "
               "it in noise."),
    ),
    usual=1,
)  # fmt: skip
EXACT = "An exact critic leaves no bias at any λ, and λ = 0 has not the least noise here."
NO_GRADIENT = (
    "At γ = 0 both actions are worth 1 everywhere. The gradient is zero, and nothing can be "
    "measured in its units. Choose a larger γ on the tab Chain."
)
CHAIN = (
    "Five states stand in a row, and the cart begins at state 2. Each step is worth 1, and leaving "
    "the row ends the episode. In which state does the next action matter most?"
)
CHAIN_DRAWN = (
    "Arrows and the numbers beside them show how probable the [[policy]] makes left and right. The "
    "disks and the numbers below them show [[mu|μ]], the share of the time in each state. b*(s) is "
    "the baseline of least variance for its state. g∞ and ∇J are the two gradients of the last tab."
)
ESTIMATES = (
    "Here every [[batch|window]] of 8 steps can be counted, so each truth is known. Do estimates "
    "from sampled windows meet it?"
)
SAMPLED = 4000  # windows behind each estimate of a long window
INDEPENDENT = "The dashed line is 1/T, the loss if the T steps were independent."
LENGTHS_DRAWN = (
    "Up to 12 steps every window is counted: a filled dot is exact. Longer windows are sampled: an "
    f"open dot is an estimate from n = {SAMPLED:,} windows, with its 95% interval (t). The "
    "baseline [[leave_one_out]] is the mean of the other steps."
)
BIAS_ALONE = (
    "The curve is the [[bias]] that the critic's error leaves, in lengths of the "
    "[[true_gradient|true gradient g∞]]. The noise is not drawn yet."
)
GRADIENTS = (
    "The mean of all updates is [[true_gradient|g∞]]. Is it the gradient of the discounted return, "
    "or of anything? A closed walk tells: after it, a true height is what it was."
)


def loss(lab: ToyPole) -> Question:
    """LOSS at the discount of this chain."""
    return replace(LOSS, text=LOSS.text.replace("γ is 0.9", f"γ is {lab.gamma:g}"))


def best_lambda(error: float, averaged: int) -> Question:
    """LAMBDA for this critic and this many windows in an update."""
    critic = f"The critic errs by ±{error:g} at each state" if error else "The critic is exact"
    updates = (
        "one batch makes the update"
        if averaged == 1
        else f"the updates of {averaged:,} batches are averaged"
    )
    rest = LAMBDA.text.split(". ", 1)[1]
    options = (
        LAMBDA.options if error else (LAMBDA.options[0]._replace(why=EXACT), *LAMBDA.options[1:])
    )
    return replace(LAMBDA, text=f"{critic}, and {updates}. {rest}", options=options)


def which_loss(lost: float, length: int) -> int:
    """The option of LOSS that a share is: 1/T within a fifth is "about"."""
    ratio = lost * length
    return 0 if ratio < 0.8 else 1 if ratio <= 1.2 else 2


def which_lambda(best: float) -> int:
    """The option of LAMBDA that holds."""
    return {0.0: 0, 1.0: 2}.get(best, 1)


def on_lambda(error: float, averaged: int, best: float) -> str:
    """Where the total error is least; exact, so without an interval."""
    critic = f"a critic that errs by ±{error:g} at each state" if error else "the exact critic"
    updates = "a single batch" if averaged == 1 else f"a mean of {averaged:,} batches"
    return f"With {critic} and {updates}, the total error is least at λ = {best:.2f}."


def on_errors(rows: pd.DataFrame) -> str:
    """The total error at both ends and at its least, and what it consists of; exact.

    Args:
        rows: of `enumerated.lambda_rows`.
    """
    curves = rows[rows["part"] == "curve"].pivot(index="lambda", columns="kind", values="error")
    ends = [
        f"At [[lambda|λ]] = {end:g} the bias is {curves['bias'][end]:.3f} and the noise "
        f"{curves['noise'][end]:.3f}."
        for end in (0.0, 1.0)
    ]
    least = rows[rows["part"] == "best"].iloc[0]
    if curves["bias"][1.0] >= 0.0005:
        ends.append("The bias at λ = 1 is the error of the critic's guess where the batch ends.")
    return (
        f"{' '.join(ends)} The total of both is least at λ = "
        f"{least['lambda']:.2f}: {least['error']:.3f} lengths of g∞ (exact). At λ = 0 it is "
        f"{curves['total'][0.0]:.3f}."
    )


def lambda_words(lab: ToyPole) -> str:
    """How to read the curves, and what the exact critic does."""
    _, tr_var = gae_curve(lab, 0.0)
    least = int(tr_var.argmin())
    return (
        "GAE estimates the [[advantage]] from [[delta|one-step errors δ]]. All 1,280 windows of 8 "
        "steps are counted. The critic is V + e (1, −1, 1, −1, 1). Noise is "
        "the standard deviation of the averaged arrow, and total² = bias² + noise². The exact "
        f"critic (e = 0) has no bias. Still λ = 0 {'has' if least == 0 else 'has not'} the least "
        f"variance: tr Var is {tr_var[0]:.5f} at λ = 0, {tr_var[least]:.5f} at "
        f"λ = {LAMBDAS[least]:.2f} and {tr_var[-1]:.5f} at λ = 1."
    )


def on_shrink(lab: ToyPole, lost: Mapping[str, float], length: int = 8) -> str:
    """What both means lose at one length, and whether the mean also turns."""
    straight = cosine(lab, "batch_mean", length)
    turn = (
        "The direction hardly changes: the cosine of its angle with the "
        f"[[true_gradient|true gradient, g∞]], is {straight:.4f}. So it is mostly a shrink. "
        "Training hardly notices one: the optimizer Adam divides each parameter's step by its "
        "recent size."
        if straight >= 0.95
        else f"The direction changes too: the mean's cosine with g∞ is {straight:.4f}."
    )
    return (
        f"At T = {length} the batch mean loses {lost['batch_mean']:.1%} of the gradient, "
        f"{lost['batch_mean'] * length:.1f} times 1/T; leave one out loses "
        f"{lost['leave_one_out']:.1%}. Both are exact. An action changes the rewards that follow "
        "it. The Q of earlier steps count these rewards too, and later Q depend on them as well. "
        f"So the mean holds a part of what the action did, and to subtract it removes that. {turn}"
    )


def on_lengths(rows: pd.DataFrame) -> str:
    """What the batch mean loses at the longest window that is drawn, with its interval and n.

    Args:
        rows: of `enumerated.length_rows`, from SAMPLED windows.
    """
    drawn = rows[(rows["part"] == "sampled") & (rows["key"] == "batch_mean")]
    last = drawn.loc[drawn["T"].idxmax()]
    lost = Interval(last["lost"], last["low"], last["high"], SAMPLED)
    return (
        f"With windows of {last['T']:.0f} steps the batch mean still loses {lost:.1%} (n = "
        f"{SAMPLED:,} windows). The dashed line, 1/T, is {1 / last['T']:.1%} there."
    )


def on_the_chain(lab: ToyPole) -> str:
    """How long an episode lasts, which state is worth most, and where the action matters most."""
    lasts = f"An episode lasts {lab.mean_length:.2f} steps on average."
    gaps = np.abs(lab.q_values[:, 1] - lab.q_values[:, 0])
    if gaps.max() < 1e-9:
        return f"{lasts} No later reward counts here: both actions are worth 1 in every state."
    best, most = int(lab.values.argmax()), np.flatnonzero(np.isclose(gaps, gaps.max()))
    left, right = lab.q_values[most[0]]
    where = "state" if len(most) == 1 else "states"
    return (
        f"{lasts} State {best} is worth most: its [[v|value V]] is {lab.values[best]:.2f}. The "
        f"action matters most in {where} {' and '.join(map(str, most))}: in state {most[0]} the "
        f"[[q|Q]] of left is {left:.2f} and that of right is {right:.2f}. All this is exact."
    )


def on_kept(rows: pd.DataFrame) -> str:
    """What each mean keeps of the gradient: exact.

    Args:
        rows: of `enumerated.estimate_rows`.
    """
    kept = rows[rows["part"] == "exact"].set_index("key")["kept"]
    return (
        f"Exactly, the batch mean keeps {kept['batch_mean']:.0%} of the "
        f"[[true_gradient|true gradient]] and [[leave_one_out]] keeps {kept['leave_one_out']:.0%}. "
        "The other four keep all of it: they add no bias."
    )


def on_estimates(rows: pd.DataFrame, n: int) -> str:
    """How many of the sampled intervals hold the exact number.

    Args:
        rows: of `enumerated.estimate_rows`, from n windows.
    """
    held, total = held_truths(rows)
    return (
        f"{held} of the {total} [[interval|95% intervals]] on both charts hold the exact number "
        f"(n = {n:,} windows, the same ones for all). On average 95 of 100 do."
    )


def held_truths(rows: pd.DataFrame) -> tuple[int, int]:
    """How many intervals hold their exact number, of how many."""
    exact, sampled = (rows[rows["part"] == part].set_index("key") for part in ("exact", "sampled"))
    held = [
        (sampled[f"{name}_low"] <= exact[name]) & (exact[name] <= sampled[f"{name}_high"])
        for name in ("kept", "tr_var")
    ]
    return int(sum(of.sum() for of in held)), sum(map(len, held))


def on_the_drawing(n: int) -> str:
    """How to read the two charts of estimates."""
    return (
        "A bar is the exact number, summed over all 1,280 windows of 8 steps that can occur. A dot "
        f"with its line is the estimate from n = {n:,} sampled windows, with its 95% interval (t). "
        "V(s) and b*(s) are exact here, and the critic [[bootstrap|bootstraps]] with V."
    )


def on_fields(lab: ToyPole) -> str:
    """The angle between the two gradients; exact."""
    return (
        f"The two gradients are {angle_between(lab):.1f}° apart (exact). A bar is one component of "
        "an arrow that is scaled to length 1."
    )


def on_the_walk(rows: pd.DataFrame) -> str:
    """The heights after a closed walk, and what follows from them; exact.

    Args:
        rows: of `enumerated.climb_rows`.
    """
    height = rows.dropna(subset="text").set_index("field")["text"]
    said = f"After the closed walk the height of ∇J is {height['∇J']}, that of g∞ {height['g∞']}."
    if float(height["g∞"]):
        return f"{said} So g∞ is the gradient of **no** function (Nota & Thomas 2020)."
    return f"{said} On this walk the difference does not show."


def on_gradients(lab: ToyPole) -> str:
    """How far the batch's gradient is from the gradient of a function."""
    skew = asymmetries(lab)
    return (
        "A batch counts each state as often as it occurs, with share [[mu|μ]]. It applies no γᵗ to "
        "later steps. So its mean is g∞, and not ∇J, the gradient of the discounted return from "
        "the start. The second chart follows a circle round θ, in the plane of states 0 and 2, and "
        "adds up the slope. A gradient has a symmetric Jacobian, the matrix of its derivatives. "
        f"Here the asymmetry is: g∞ {skew['g∞']:.4f}, ∇J {skew['∇J']:.0e}."
    )
