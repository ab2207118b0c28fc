"""Where variance comes from, in words: every sentence that states a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from pgcore.gradients import CriticFit, Decomposition
from pgcore.gradients.critic_worth import change_of_r2, share_of_whole
from pgcore.stats import Interval
from ui.shell.question import Option, Question
from ui.shell.sums import adding_up

POINTS = (
    "Each point is a state that the [[policy]] meets. On the dashed line the [[critic]] agrees "
    "with the true [[v|value]], which is measured by playing on from that state."
)
QUESTION = Question(
    "critic",
    "Does the critic predict the value of a state? R² is 1 if it does so perfectly, and 0 if the "
    "best single number does as well.",
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
LEVER = Question(
    "lever",
    "Does its critic predict the true value better?",
    (
        Option("Yes: R² rises",
               "A larger rate follows the returns sooner, and their noise too; a smaller one does "
               "less of both. Here no rise is clear."),
        Option("No clear difference",
               "Over these seeds the change is clear: its interval does not hold 0."),
        Option("No: R² falls",
               "A larger rate follows the noise of single batches; a smaller one is slower. Here "
               "no fall is clear."),
    ),
    usual=0,
)  # fmt: skip
BASELINES = {"none": "No baseline", "critic": "The critic", "value": "The true V(s)"}
PARTS = {"action": "which action", "later": "what followed", "state": "which state"}


def question(policy: str) -> Question:
    """QUESTION with the policy whose critic is meant."""
    return replace(QUESTION, text=f"{policy}, is held still. {QUESTION.text}")


def lever_question(present: float, rate: float, steps: int) -> Question:
    """LEVER with the two learning rates and the steps learned."""
    text = (
        f"The critic learns at the rate {present:g}. Train the same agent again, with its critic "
        f"at {rate:g}. After {steps:,} steps: {LEVER.text[0].lower()}{LEVER.text[1:]}"
    )
    return replace(LEVER, text=text)


def lever_answer(change: Interval) -> int:
    """The option of LEVER that is measured."""
    return 0 if change.low > 0 else 2 if change.high < 0 else 1


def on_the_lever(
    before: Sequence[float], after: Sequence[float], present: float, rate: float
) -> str:
    """What another learning rate does to R^2, over the same seeds, with its interval and n."""
    change, n = change_of_r2(before, after), len(before)
    good = [int(np.sum(np.greater(some, 0))) for some in (before, after)]
    if n < 2:
        return f"R² goes from {before[0]:.2f} to {after[0]:.2f}. One seed tells nothing."
    return (
        f"From {present:g} to {rate:g}, R² changes by {change:+.2f} on average over n = {n} seeds. "
        f"It is above 0, better than one number for every state, in {good[0]} of {n} seeds before "
        f"and in {good[1]} of {n} after."
    )


def lever_table(cells: Mapping[float, Mapping[int, Interval]]) -> pd.DataFrame:
    """R^2 of each seed at each learning rate.

    Args:
        cells: by learning rate, then by seed.
    """
    return pd.DataFrame(
        {"seed": seed} | {f"R², rate {rate:g}": f"{found[seed]:.2f}"
                          for rate, found in cells.items()}
        for seed in next(iter(cells.values()))
    )  # fmt: skip


def lever_description(cells: Mapping[float, Mapping[int, Interval]]) -> str:
    """The chart of the lever in words."""
    ends = [
        f"at rate {rate:g} from {min(r.estimate for r in found.values()):.2f} to "
        f"{max(r.estimate for r in found.values()):.2f}"
        for rate, found in cells.items()
    ]
    n = len(next(iter(cells.values())))
    return f"R squared of the critic, a point for each of n = {n} seeds: {'; '.join(ends)}."


def answer(explained: Interval) -> int:
    """The option of QUESTION that is measured."""
    return 0 if explained.estimate > 0.8 else 1 if explained.estimate >= 0 else 2


def on_the_critic(fit: CriticFit) -> str:
    """How well the critic predicts, and on which side it errs, with intervals and n."""
    if fit.bias.high < 0:
        side = f"The critic is too low: its mean error is {fit.bias:.1f}"
    elif fit.bias.low > 0:
        side = f"The critic is too high: its mean error is {fit.bias:+.1f}"
    else:
        side = f"The critic errs to no clear side: its mean error is {fit.bias:+.1f}"
    low, high = (fit.explained._replace(estimate=end) for end in fit.explained[1:3])
    unsure = " The interval of R² holds another answer too." if answer(low) != answer(high) else ""
    return (
        f"R² = {fit.explained}. {side} (n = {fit.explained.n:,} states). The [[r_squared|R²]] of a "
        f"perfect critic is 1, that of one number for every state is 0.{unsure}"
    )


def on_what_is_left(parts: Decomposition) -> str:
    """What a baseline can remove, and what the critic and the true value leave of it."""
    none = share_of_whole(parts, "none", "action")
    critic, value = (share_of_whole(parts, key, "action") for key in ("critic", "value"))
    if critic.high < none.low:
        said = f"With the critic {critic:.0%} is left"
    elif critic.low > none.high:
        said = f"With the critic it is more, {critic:.0%}"
    else:
        said = f"With the critic it is {critic:.0%}, which is not told apart from that"
    return (
        "A [[baseline]] of the state can change the variance of one part alone: which action was "
        f"drawn. Without a baseline this part is {none:.0%} of the variance. {said}; with the true "
        f"value {value:.1%} would be (n = {none.n:,} states). All this is one step's variance; "
        "a batch's, on The cloud, is another number."
    )


def source_table(rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What the bars draw, in shares of the variance without a baseline.

    Args:
        rows: of the chart, by baseline.
    """
    return pd.concat(
        pd.DataFrame(
            {
                "baseline": BASELINES[baseline],
                "steps learned": frame["steps"],
                "part": frame["part"],
                "share": frame["estimate"].map("{:.1%}".format),
                "95% from": frame["low"].map("{:.1%}".format),
                "to": frame["high"].map("{:.1%}".format),
            }
        )
        for baseline, frame in rows.items()
    )


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
        f"**{name}.** Without a baseline, a step's variance has three parts: which action was "
        f"taken, {none['action']:.1%}, what followed, {none['later']:.1%}, and which state it was, "
        f"{none['state']:.1%}. A baseline changes the first part alone: "
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
        f"state in {_counted(poor)} of {poor.n} seeds ({poor:.0%}). An update with the critic has "
        f"more variance than one with the best constant in {_counted(costly)} of {costly.n} "
        f"({costly:.0%})."
    )


def _counted(share: Interval) -> int:
    return round(share.estimate * share.n)


def on_the_bars(states: int, tails: int, total: Interval) -> str:
    """How the sources were measured."""
    return (
        f"Measured is the variance of one step's gradient: {total} without a baseline. It is "
        "split into Σ_a (which action), Σ_τ (what followed) and Σ_s (which state), as in Tucker "
        "et al. 2018. CartPole's physics holds no chance, so every state can be set again. In "
        f"each of n = {states:,} states both actions were taken, and {tails} tails played from "
        "either. The tails' own noise is subtracted. Shares are of the whole without a baseline, "
        "held at its estimate. The triangle marks the [[checkpoint]] chosen. [ ]: 95% bootstrap "
        "intervals over states."
    )


def on_the_seeds(seeds: int, seed: int, lowest: float) -> str:
    """How the lines of all seeds were measured."""
    return (
        f"n = {seeds} training seeds, one line each. Green: seed {seed} with its 95% bootstrap "
        f"interval. R² below {lowest:g} is drawn at the edge. The best constant is fitted on "
        "other batches of the same policy. Shares of seeds: Wilson's 95% interval."
    )


def seed_table(cells: pd.DataFrame) -> pd.DataFrame:
    """What the lines of all seeds draw."""
    names = {"seed": "seed", "steps": "steps learned", "explained": "R²", "explained_low": "from",
             "explained_high": "to", "ratio": "variance, best constant = 1",
             "ratio_low": "from ", "ratio_high": "to "}  # fmt: skip
    return cells[[*names]].rename(columns=names).round(2)


def state_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The states that the chart of the critic draws."""
    return rows.set_axis(["true value", "the critic's", "standard error of the true value"], axis=1)


def on_no_lever(present: float, checkpoint: int) -> str:
    """Why there is nothing to compare."""
    if not checkpoint:
        return "Before training no critic has learned anything. Choose a later checkpoint."
    return f"The critic already learns at the rate {present:g}. Choose another rate to compare."


def on_the_lines(seeds: int, seed: int, lowest: float) -> str:
    """How to read the chart of the lever."""
    return (
        f"Each point is one of n = {seeds} seeds, trained with one rate and judged on its own "
        f"policy. Green is seed {seed}. R² below {lowest:g} is drawn at the edge."
    )
