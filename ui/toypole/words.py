"""ToyPole in words: what its numbers say, and which answer they make right."""

from __future__ import annotations

from collections.abc import Mapping

from pgcore.exact.toypole import ToyPole
from pgcore.gradients.enumerated import LAMBDAS, angle_between, asymmetries, cosine, gae_curve
from ui.shell.question import Option, Question

LOSS = Question(
    "shrink",
    "Independent samples would lose 1/T of the gradient to the batch's mean: 12.5% at T = 8 steps. "
    "How much do 8 steps of one run lose?",
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
    "λ = 0 leans on the critic alone. Is it best with a critic that is wrong?",
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
NO_GRADIENT = (
    "At γ = 0 both actions are worth 1 everywhere. The gradient is zero, and nothing can be "
    "measured in its units. Choose a larger γ on the tab Chain."
)


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
    updates = "a single window" if averaged == 1 else f"a mean of {averaged:,} windows"
    return f"With {critic} and {updates}, the total error is least at λ = {best:.2f}."


def lambda_words(lab: ToyPole) -> str:
    """How to read the curves, and what the exact critic does."""
    _, tr_var = gae_curve(lab, 0.0)
    least = int(tr_var.argmin())
    return (
        "All 1,280 windows of 8 steps, enumerated under the critic V + e (1, −1, 1, −1, 1). "
        "Noise is the standard deviation of the averaged arrow; total² = bias² + noise². With the "
        f"exact critic (e = 0) there is no bias, and still λ = 0 has not the least variance: "
        f"tr Var is {tr_var[0]:.5f} at λ = 0, {tr_var[least]:.5f} at λ = {LAMBDAS[least]:.2f} and "
        f"{tr_var[-1]:.5f} at λ = 1."
    )


def on_shrink(lab: ToyPole, lost: Mapping[str, float], length: int = 8) -> str:
    """What both means lose at one length, and whether the mean also turns."""
    straight = cosine(lab, "batch_mean", length)
    turn = (
        f"The direction hardly changes (cosine with g∞ {straight:.4f}). So it is mostly a shrink; "
        "Adam, which divides by the recent size of each coordinate, hides a shrink."
        if straight >= 0.95
        else f"The direction changes too: the mean's cosine with g∞ is {straight:.4f}."
    )
    return (
        f"At T = {length} the batch mean loses {lost['batch_mean']:.1%} of the gradient, "
        f"{lost['batch_mean'] * length:.1f} times 1/T; leave one out loses "
        f"{lost['leave_one_out']:.1%} (exact: every window). Later values of one run contain the "
        "consequences of earlier actions, so a baseline made of them subtracts part of the signal. "
        f"{turn}"
    )


def on_gradients(lab: ToyPole) -> str:
    """How far the batch's gradient is from the gradient of a function."""
    skew = asymmetries(lab)
    return (
        "A batch counts each state as often as it occurs, μ, and applies no γᵗ. So its mean is g∞, "
        "and not ∇J, the gradient of the discounted return from the start. The two are "
        f"{angle_between(lab):.1f}° apart. The second chart follows a circle round θ, in the "
        "plane of states 0 and 2, and adds up the slope. With ∇J you come back to the "
        "height where you began. With g∞ you do not: it is the gradient of **no** function (Nota & "
        "Thomas 2020). "
        f"Asymmetry of the Jacobian: g∞ {skew['g∞']:.4f}, ∇J {skew['∇J']:.0e}."
    )
