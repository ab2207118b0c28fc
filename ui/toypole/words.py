"""ToyPole in words: what its numbers say, and which answer they make right."""

from __future__ import annotations

from collections.abc import Mapping

from pgcore.exact.toypole import ToyPole
from pgcore.gradients.enumerated import LAMBDAS, angle_between, asymmetries, cosine, gae_curve


def which_loss(lost: float, length: int) -> int:
    """0 nothing, 1 about 1/T, 2 more than three times that."""
    return 0 if lost < 0.1 / length else 1 if lost < 3 / length else 2


def which_lambda(best: float) -> int:
    """0 if lambda = 0 is best, 2 if lambda = 1 is, else 1."""
    return {0.0: 0, 1.0: 2}.get(best, 1)


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
    """What both means lose at one length, and why leaving one out does not mend it."""
    return (
        f"At T = {length} the batch mean loses {lost['batch_mean']:.1%} of the gradient, and leave "
        f"one out still {lost['leave_one_out']:.1%} (exact: every window). Later values of one run "
        "contain the consequences of earlier actions, so a baseline made of them subtracts part of "
        "the signal. It is mostly a shrink: the mean's cosine with g∞ is "
        f"{cosine(lab, 'batch_mean', length):.4f}, and Adam, which divides by the recent size of "
        "each coordinate, hides a shrink."
    )


def on_gradients(lab: ToyPole) -> str:
    """How far the batch's gradient is from the gradient of a function."""
    skew = asymmetries(lab)
    return (
        "A batch counts each state as often as it occurs, μ, and applies no γᵗ. So its mean is g∞, "
        "and not ∇J, the gradient of the discounted return from the start. The two are "
        f"{angle_between(lab):.1f}° apart. The second chart walks on a circle round θ, in the plane "
        "of states 0 and 2, and adds up the slope. With ∇J you come back to the "
        "height where you began. With g∞ you do not: it is the gradient of **no** function (Nota & "
        "Thomas 2020). "
        f"Asymmetry of the Jacobian: g∞ {skew['g∞']:.4f}, ∇J {skew['∇J']:.0e}."
    )
