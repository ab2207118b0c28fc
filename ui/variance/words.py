"""Where variance comes from, in words: every sentence that states a result."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pgcore.gradients import CriticFit, Decomposition
from pgcore.gradients.critic_worth import share_of_whole
from pgcore.stats import Interval
from ui.shell.question import Option, Question
from ui.shell.sums import adding_up

QUESTION = Question(
    "critic",
    "After 2,000 steps of learning, does the critic predict the value of a state?",
    (
        Option("Yes: its R² is above 0.8",
               "It learns from returns of the same few steps as the policy, and its targets move "
               "while it learns."),
        Option("Partly: its R² is between 0 and 0.8",
               "R² counts the whole error: a critic that is too low everywhere has a low R², even "
               "if it orders the states rightly."),
        Option("No: one number for every state would be nearer, R² is below 0",
               "It has learned something: its error is smaller than that of the best single "
               "number."),
    ),
    usual=2,
)  # fmt: skip
BASELINES = {"none": "No baseline", "critic": "The critic", "value": "The true V(s)"}
PARTS = {"action": "which action", "later": "what followed", "state": "which state"}


def answer(explained: Interval) -> int:
    """The option of QUESTION that is measured."""
    return 0 if explained.estimate > 0.8 else 1 if explained.estimate >= 0 else 2


def on_the_fit(fit: CriticFit) -> str:
    """The critic against the true value, with intervals and n."""
    return (
        f"R² = {fit.explained}, RMSE {fit.rmse}, mean error {fit.bias}, correlation "
        f"{fit.correlation}; n = {fit.explained.n:,} states of this policy."
    )


def shares(parts: Decomposition, baseline: str, digits: int) -> dict[str, Interval]:
    """The sources with one baseline, as shares of the whole without one, which add up as printed.

    Args:
        digits: of the percentages.
    """
    found = {source: share_of_whole(parts, baseline, source) for source in PARTS}
    total = sum(share.estimate for share in found.values())
    percents = adding_up([100 * s.estimate for s in found.values()], 100 * total, digits)
    return {
        source: share._replace(estimate=percent / 100)
        for (source, share), percent in zip(found.items(), percents, strict=True)
    }


def on_the_sources(parts: Decomposition, name: str) -> str:
    """What the bars say at one checkpoint, in Markdown."""
    none = shares(parts, "none", 1)
    critic, value = (share_of_whole(parts, key, "action") for key in ("critic", "value"))
    return (
        f"**{name}.** Without a baseline, {none['action']:.1%} of a step's variance comes from "
        f"which of the two actions was taken, {none['later']:.1%} from what followed, and "
        f"{none['state']:.1%} from which state it was. A baseline changes the first part alone: "
        f"with the learned critic {critic:.1%} of the whole is left there, with the "
        f"true value {value:.1%} would be (n = {parts.sources['none'].total.n:,} "
        "states)."
    )


def source_description(parts: Decomposition, baseline: str) -> str:
    """A panel's bar at the chosen checkpoint, in words."""
    percents = [
        f"{PARTS[source]} {share.estimate:.0%}"
        for source, share in shares(parts, baseline, 0).items()
    ]
    return f"{BASELINES[baseline]}: of the variance without a baseline, {', '.join(percents)}."


def critic_description(fit: CriticFit) -> str:
    """The scatter in words."""
    return (
        f"The critic's value against the true one in {len(fit.true):,} states: R squared "
        f"{fit.explained}, root mean square error {fit.rmse}."
    )


def critic_table(parts: Mapping[int, Decomposition]) -> pd.DataFrame:
    """The critic's fit at each checkpoint, each number with its 95% interval."""
    columns = {
        "explained": "R²",
        "rmse": "RMSE",
        "bias": "mean error",
        "correlation": "correlation",
    }
    rows = []
    for steps, decomposed in parts.items():
        fit = decomposed.critic
        cells = {label: f"{getattr(fit, name)}" for name, label in columns.items()}
        rows.append({"steps learned": f"{steps:,}", **cells, "n states": len(fit.true)})
    return pd.DataFrame(rows)


def on_seeds(poor: Interval, costly: Interval, steps: int) -> str:
    """In how many seeds the critic is no value function, and in how many a constant beats it.

    Args:
        poor: share of seeds with R^2 below 0.
        costly: share of seeds with more variance than the best constant.
    """
    return (
        f"After {steps:,} steps the critic predicts the value worse than one number for every "
        f"state in {_counted(poor)} of {poor.n} seeds ({poor:.0%}), and an update with the critic "
        f"has more variance than one with the best constant in {_counted(costly)} of {costly.n} "
        f"({costly:.0%})."
    )


def _counted(share: Interval) -> int:
    return round(share.estimate * share.n)
