"""A typed baseline in words: every sentence that states a result, in Markdown.

A bias has one unit, as on The cloud: the true gradient's length, signed along it, in percent.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pgcore import formula as formulas
from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.formula import Formula, Reach
from pgcore.gradients.judgement import CRITIC, FORMULA, PLAIN, Judgement, spelled
from pgcore.history import History

TYPE = (
    "Type a [[baseline]] b, or the whole [[psi|weight psi]]. The lab measures its [[bias]] and its "
    "[[tr_sigma|variance]], and trains agents with it."
)
KEPT = "The list holds the last 20 attempts, until this tab of the browser is closed."
ROUNDED = (
    "Rounding errors grow while an agent learns, so a difference between the two learning curves "
    "is as good as another seed's, and no better."
)


def on_the_bias(judged: Judgement) -> str:
    """Unbiased, or biased by how much, with the uncertainty and n."""
    added, n = judged.measured.added, f"{judged.measured.ratio.n:,}"
    if judged.bias == "identical":
        return f"**Unbiased.** On all {n} batches these are the weights Q − V themselves."
    p = "p < 0.001" if added.test.p < 0.001 else f"p = {added.test.p:.3f}"
    test = f"({p}, n = {n})" if not np.isnan(added.test.p) else f"(n = {n})"
    along = (
        f"the mean update differs from an unbiased one by {added.along:+.1%} of the true "
        "gradient's length, along it"
    )
    if judged.bias == "none seen":
        return f"**No bias seen** {test}: {along}."
    certain = "**Biased**" if judged.bias == "biased" else "**Perhaps biased**"
    return f"{certain} {test}: {along}; in all directions together by {added.relative:.1%}."


def on_the_measuring(policy: str, batches: int, steps: int) -> str:
    """What was measured, on what, and how to read the chart."""
    return (
        f"All estimators are measured on the same n = {batches:,} batches of {steps} steps "
        f"({policy}), with 95% bootstrap intervals. The variance of plain policy gradient is 1. "
        "Added bias is measured along the true gradient, as a share of its length. It leaves out "
        "what the critic's guess at the end of a batch adds: all have that in common. The test of "
        "bias is Hotelling's T², in all directions together. Right way is the share of updates "
        "within 90° of the true gradient."
    )


def on_the_variance(judged: Judgement) -> str:
    """The variance against plain policy gradient and against the critic, both paired."""
    return (
        f"**Variance**: {judged.measured.ratio} of plain policy gradient's, "
        f"{judged.against_critic} of actor-critic's (n = {judged.measured.ratio.n:,} batches)."
    )


def on_the_text(judged: Judgement) -> str:
    """What the text alone says of the action, and whether the measurement agrees."""
    formula, bias = judged.formula, judged.bias
    if not formula.uses_action:
        if bias == "biased":
            return (
                "**The text** reads nothing that the action decides, so by theory it adds no "
                "bias: the test errs once in a thousand such formulas."
            )
        return "**The text** reads nothing that the action decides: by theory it adds no bias."
    reason = reads(formula)
    if bias == "biased":
        return f"**As the text suggests**: {reason}, and the bias is there."
    if bias == "identical":
        return f"**The text** is suspect: {reason}. Here it comes to the same as Q − V."
    return (
        f"**The text** is suspect: {reason}. The measurement sees no bias here: a baseline that "
        "depends on the action may add one, and need not."
    )


def reads(formula: Formula) -> str:
    """Why the text may depend on the action."""
    inside = formula.psi.parts[1] if formula.is_baseline else formula.psi
    heads = {node.head for node in inside}
    acted = [
        name for name, of in formulas.NAMES.items() if name in heads and of.reach is Reach.ACTION
    ]
    if not formula.is_baseline and formula.psi.head not in ("+", "-"):
        return "the weight is not Q less a baseline, so it may rescale or bend Q"
    if not formula.is_baseline and acted == ["q"]:
        return "Q comes in more than once, and Q depends on the action"
    if acted:
        listed = ", ".join(f"`{name}`" for name in acted)
        return f"it reads {listed}, which the action {'decides' if len(acted) == 1 else 'decide'}"
    return "it reads states of other steps, to which the action led"


def on_the_twin(judged: Judgement) -> str:
    """Which registered estimator the formula is, if it is one; else nothing."""
    twin, key = judged.twin, spelled(judged.formula)
    if key and (twin is None or twin.key != key or twin.exact):
        return f"**Known as {ALGORITHMS[key].name}**: this formula is that estimator."
    if twin is None:
        return ""
    same = "the same weights on all" if twin.exact else "but for rounding the same weights on all"
    rounded = "" if twin.exact else f" {ROUNDED}"
    n = f"{judged.measured.ratio.n:,}"
    return f"**Known as {ALGORITHMS[twin.key].name}**: {same} {n} batches.{rounded}"


def on_learning(histories: Mapping[str, History]) -> str:
    """What training made of it: the final return, and how far from the critic's and from none."""
    own = histories[FORMULA]
    final, n = stats.mean_t_interval(own.final_returns), own.config.num_seeds
    said = f"**Trained**, it ends at an episodic return (undiscounted) of {final:.0f}"
    if n < 2:
        return f"{said}; one seed decides nothing."
    parts = [_against(own, histories[key], key) for key in (CRITIC, PLAIN)]
    return f"{said} (n = {n} seeds): {'; '.join(parts)}."


def _against(own: History, other: History, key: str) -> str:
    name, n = ALGORITHMS[key].name.lower(), own.config.num_seeds
    if np.array_equal(own.final_returns, other.final_returns):
        return f"what {name} reaches, seed by seed"
    gap = stats.difference_interval(other.final_returns, own.final_returns)
    unknown = f"not told apart with n = {n} seeds"
    said = "higher" if gap.low > 0 else "lower" if gap.high < 0 else unknown
    return f"{gap:+.0f} against {name}, {said}"


def description(frame: pd.DataFrame) -> str:
    """The chart in words.

    Args:
        frame: of `charts.rows`.
    """
    said = [
        f"{row.name_}: {row.quantity} {row.estimate:.3g}"
        for row in frame.rename(columns={"name": "name_"}).itertuples()
    ]
    return "Judgement, with 95% intervals. " + "; ".join(said)
