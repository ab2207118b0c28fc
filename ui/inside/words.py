"""One update in words and in equations: what each stage computes, with the batch's own numbers.

Printed sums add up as they are printed: the terms are rounded so that they give the rounded total.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pgcore import formula as formulas
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.gradients import Update
from pgcore.gradients.hindsight import CLEAR, ExpectedPush, WorseActions
from pgcore.gradients.outcome import Outcome, counted_up, length_and_angle, outcome
from ui.inside.charts import CHANGES, ORDER
from ui.shell.question import Option, Question
from ui.shell.sums import adding_up

QUESTION = Question(
    "bad_action",
    "All returns Q are positive. Can one sampled action be the worse of the two, and still be "
    "pushed up? Can that happen on average over both actions?",
    (
        Option("One sample can, the average cannot", ""),
        Option("Both can", "The average weighs the push on the better action too, and that one is "
               "larger: with two actions the worse one falls."),
        Option("Neither can", "An update sees only the action that was taken. If its Q is "
               "positive, it is pushed up, even if the other would have been better."),
    ),
    usual=0,
)  # fmt: skip
ANGLE = (
    "An update at more than 90° from the true gradient points the wrong way. One batch (n = 1) "
    "decides nothing."
)
SHARED = (
    "All states share one network. So an action can be pushed up by its own [[psi|weight]] and "
    "still become less probable after the step."
)
SAID = {  # how to read each stage's picture
    "actions": "The present policy chose every action: learning is [[on_policy]]. A "
    "triangle shows which way the cart was pushed. A dashed line marks the end of an episode.",
    "returns": "Each return Q is its own reward r, plus [[gamma|γ]] times the Q of the next "
    r"step. A diamond is the critic's value, $V_\phi$: it stands for what came after the batch.",
    "baseline": "The line is the baseline. A stick shows what is left of Q after it is subtracted.",
    "weight": "A green bar pushes its action up, a purple one pushes it down. The longer the bar, "
    "the stronger the push.",
    "step": "The colour shows what an action's own weight asked for. The direction shows how its "
    "log-probability changed. Adam is shown with its first step.",
}


def question(policy: str, index: int, update: Update) -> Question:
    """QUESTION for one batch: whose it is, and how many of its returns are positive."""
    steps = len(update.steps)
    positive = int((update.steps["q_value"] > 0).sum())
    share = f"All {steps}" if positive == steps else f"{positive} of the {steps}"
    text = (
        f"This is batch {index:,} of one agent ({policy}). {share} returns Q are positive. Can one "
        "sampled action be the worse of the two, and still be pushed up? Can that happen on "
        "average over both actions?"
    )
    return replace(QUESTION, text=text)


def description(update: Update, algorithm: str, stage: str, at: int, step: str) -> str:
    """The chart in words, as far as the film has run."""
    s = update.steps.iloc[at]
    ends = int((update.steps["terminated"] | update.steps["truncated"]).sum())
    q, b, psi = _printed_weight(s)
    words = [
        f"{len(update.steps)} steps of one batch, {ends} of which end an episode, "
        f"{ALGORITHMS[algorithm].name}. At step {at} the cart was pushed "
        f"{'right' if s['action'] == 1 else 'left'}, with probability {s['prob']:.2f}",
        f"the discounted return Q is {q:.2f}",
        f"the baseline {b:.2f}",
        f"the weight {psi:.2f}",
        f"log pi changes by {s[CHANGES[step]]:.4f}",
    ]
    return "; ".join(words[: ORDER.index(stage) + 1]) + "."


# --- equations -------------------------------------------------------------------------------


def equation(update: Update, config: Config, stage: str, at: int, step: str) -> str:
    """What the film computes at step `at`, in LaTeX, with its numbers."""
    s, last = update.steps.iloc[at], len(update.steps) - 1
    side = "right" if s["action"] == 1 else "left"
    here = rf"\pi_\theta(a_{{{at}}}\!=\!\text{{{side}}} \mid s_{{{at}}})"
    if stage == "actions":
        return rf"{here} = {s['prob']:.3f}, \qquad r_{{{at}}} = {s['reward']:g}"
    if stage == "returns":
        return _recursion(s, at, last, config.gamma)
    q, b, psi = _printed_weight(s)
    if stage == "baseline":
        return rf"b_{{{at}}} = Q_{{{at}}} - \Psi_{{{at}}} = {b:.2f}, \qquad {_psi(config)}"
    if stage == "weight":
        minus = f"{b:.2f}" if b >= 0 else f"({b:.2f})"
        sums = rf"{q:.2f} - {minus} = {psi:+.2f}"
        return rf"{_psi(config, at)} = {sums} \qquad \text{{push {_way(s['pushed'])}}}"
    change = s[CHANGES[step]]
    after = s["prob"] * np.exp(change)
    moved = rf"\log {here}:\ {change:+.4f}"
    return rf"{moved} \qquad {100 * s['prob']:.1f}\% \to {100 * after:.1f}\%"


def _recursion(s: pd.Series, at: int, last: int, gamma: float) -> str:
    """Q_t = r_t + gamma (what follows), with its numbers."""
    left, total = f"Q_{{{at}}} = r_{{{at}}}", f"{s['q_value']:.2f}"
    if (s["terminated"] or s["truncated"]) and s["next_value"] == 0:
        return rf"{left} = {total} \qquad \text{{the episode ended: nothing follows}}"
    follows = rf"V_\phi(s_{{{at + 1}}})" if s["bootstrapped"] else f"Q_{{{at + 1}}}"
    if (at == last or s["truncated"]) and not s["bootstrapped"]:
        follows = r"\text{what followed}"
    following = _fitting(s["reward"], gamma, s["next_value"], s["q_value"])
    discounted = rf"{gamma:g} \cdot {following:.2f}"
    return rf"{left} + \gamma\, {follows} = {s['reward']:g} + {discounted} = {total}"


def _fitting(reward: float, gamma: float, following: float, total: float) -> float:
    """`following` to two digits, or the next number to it with which the printed sum is right."""
    near = round(following, 2)
    candidates = (near, round(near + 0.01, 2), round(near - 0.01, 2))
    fits = [x for x in candidates if f"{reward + gamma * x:.2f}" == f"{total:.2f}"]
    return fits[0] if fits else near


def _printed_weight(s: pd.Series) -> tuple[float, float, float]:
    """Q, b and Psi to two digits, such that Q - b = Psi as printed."""
    q, psi = round(float(s["q_value"]), 2), round(float(s["psi"]), 2)
    return q, round(q - psi, 2) + 0.0, psi + 0.0  # + 0.0: no minus before 0


def _psi(config: Config, at: int | None = None) -> str:
    """The running estimator's weight, for any step or for one."""
    typed = config.algorithm == "formula"
    whole = formulas.parse(config.formula).latex if typed else ""
    whole = whole or rf"\Psi_t = {ALGORITHMS[config.algorithm].psi}"
    return whole if at is None else rf"\Psi_{{{at}}}"


def _way(pushed: int) -> str:
    return {1: "up", -1: "down"}.get(int(pushed), "neither way")


# --- results ---------------------------------------------------------------------------------


def on_the_stage(update: Update, algorithm: str, stage: str, step: str) -> str:
    """What the film's picture shows now: counts and ranges over one batch."""
    steps, n = update.steps, len(update.steps)
    if stage == "actions":
        right = int((steps["action"] == 1).sum())
        fell, cut = int(steps["terminated"].sum()), int(steps["truncated"].sum())
        clock = (
            f" The [[terminated|clock]] ended {_times(cut, 'an episode', 'episodes')}."
            if cut
            else ""
        )
        return (
            f"In these {n} steps the [[policy]] pushed right {right} times and left {n - right} "
            f"times. The pole {_often(fell)}.{clock}"
        )
    if stage == "returns":
        low, high = steps["q_value"].min(), steps["q_value"].max()
        return f"The [[return|returns Q]] of these {n} steps lie between {low:.1f} and {high:.1f}."
    if stage == "baseline":
        low, high = steps["baseline"].min(), steps["baseline"].max()
        above = int((steps["psi"] > 0).sum())
        where = f"is {low:.1f}" if high - low < 0.05 else f"lies between {low:.1f} and {high:.1f}"
        return f"The [[baseline]] {where}. Q is above it at {above} of {n} steps."
    found = outcome(update, CHANGES[step])
    if stage == "weight":
        return (
            f"The [[psi|weights]] of {ALGORITHMS[algorithm].name} push {found.pushed_up} of these "
            f"{n} actions up and {found.pushed_down} down."
        )
    return on_the_step(found)


def on_the_film(update: Update, stage: str) -> str:
    """How to go on to the film's end, and what its diamond is, where one is drawn."""
    said = []
    if stage != ORDER[-1]:
        said.append("Press **Play** to go on to the policy's step, which fills the lowest row.")
    if stage != ORDER[0] and update.steps["bootstrapped"].any():
        said.append("A diamond is the [[critic]]'s [[v|value]] of a state whose rest is not seen.")
    return " ".join(said)


def _often(count: int) -> str:
    return {0: "did not fall", 1: "fell once", 2: "fell twice"}.get(count, f"fell {count} times")


def _times(count: int, one: str, many: str) -> str:
    return one if count == 1 else f"{count} {many}"


def on_the_step(found: Outcome) -> str:
    """What the weights asked for and what became of it."""
    return (
        f"The [[psi|weights]] push {found.pushed_up} of these {found.steps} actions up and "
        f"{found.pushed_down} down. After the step {found.more_probable} are more probable and "
        f"{found.steps - found.more_probable} are not; {found.against} moved against their own "
        "weight. All steps share one network, and there the pushes add up."
    )


def on_the_estimators(updates: dict[str, Update], truth: np.ndarray) -> str:
    """How many estimators' gradients point the right way on this one batch.

    Args:
        truth: [P] the true gradient's direction, of length 1.
    """
    angles = [length_and_angle(update, truth)[1] for update in updates.values()]
    right = sum(angle < 90 for angle in angles)
    return (
        f"{SHARED} On this batch the [[estimate|gradients]] of {right} of {len(angles)} estimators "
        "lie within 90° of the [[true_gradient|true gradient]]. One batch (n = 1) does not rank "
        "them."
    )


def table(
    updates: dict[str, Update], truth: np.ndarray, step: str, worse: np.ndarray | None = None
) -> pd.DataFrame:
    """Every estimator on the same batch: pushes, outcome, the gradient's length and direction.

    Args:
        truth: [P] the true gradient's direction, of length 1, over the policy's parameters.
        worse: [T] the worse action of each state, -1 where unclear, if that is known.
    """
    rows = []
    for key, update in updates.items():
        length, angle = length_and_angle(update, truth)
        found = outcome(update, CHANGES[step])
        row = {
            "estimator": ALGORITHMS[key].name,
            "pushed up": found.pushed_up,
            "pushed down": found.pushed_down,
            "more probable after": found.more_probable,
        }
        if worse is not None:
            bad, good = counted_up(update, worse)
            row["bad ones up"] = f"{bad[0]} of {bad[1]}"
            row["good ones up"] = f"{good[0]} of {good[1]}"
        direction = "undefined" if np.isnan(angle) else f"{angle:.0f}°"
        row |= {"gradient's length": f"{length:.3g}", "angle to the true gradient": direction}
        rows.append(row)
    return pd.DataFrame(rows)


def answer(found: WorseActions) -> int | None:
    """The option of QUESTION that holds, by theory; None where this batch has no worse action.

    All true Q of CartPole have one sign. If it is positive, a sample of the worse action pushes it
    up; if it is negative, a sample of the better one pushes that down. The mean push on the worse
    action, p (1 - p) (Q_worse - Q_better), is negative for every baseline of the state.
    """
    return 0 if found.clear else None


def on_worse_actions(found: WorseActions) -> str:
    """Can one sample push a bad action up, and can the average? What this batch says."""
    if not found.clear:
        return "In this batch no action was clearly the worse of the two; take another batch."
    sampled = (
        f"The agent took it in {found.taken}, and plain policy gradient pushes {found.pushed_up} "
        "of these up."
    )
    if not found.taken:
        sampled = "In this batch it was never taken; if it is, a positive Q pushes it up."
    elif not found.pushed_up:
        sampled += (
            " A negative Q pushes down what was taken: a sample of the better action makes the "
            "worse one more probable."
        )
    return (
        f"In {found.clear} of the {found.states} states one action is clearly worse. {sampled} "
        "Averaged over both actions, each of these states pushes its worse action down. No "
        "[[baseline|baseline b(s)]] changes that average. All states share one network, and there "
        "their pushes add up. So a step along the true gradient still raises "
        f"{found.raised} of the {found.clear} worse actions."
    )


def on_the_hindsight(found: WorseActions) -> str:
    """How the worse actions were found."""
    return (
        f"Each of the {found.states} states was set again. Both actions were played on from it, "
        f"{found.tails} times each. An action counts as worse if its return is lower by more than "
        f"{CLEAR:g} [[standard_error|standard errors]]."
    )


def expected_push(found: ExpectedPush) -> str:
    """A worse action's push, averaged over the two actions, in LaTeX.

    The terms and their difference add up as printed, so the last digit of a term may be rounded
    the other way.
    """
    spread = found.prob * (1 - found.prob)
    up, minus_down = adding_up([spread * found.worse, -spread * found.better], found.push, 2)
    drawn = rf"\underbrace{{{up:.2f}}}_{{\text{{drawn: up}}}}"
    other = rf"\underbrace{{{-minus_down:.2f}}}_{{\text{{other one: down}}}}"
    return rf"t = {found.t}: \quad {drawn} \;-\; {other} = {found.push:+.2f}"


def on_the_expected_push(found: ExpectedPush, tails: int) -> str:
    """What the terms of `expected_push` are made of."""
    worse, better = round(found.worse, 1), round(found.better, 1)
    return (
        f"At step {found.t} the worse action is drawn with probability {found.prob:.2f}. Its "
        f"true discounted return is {worse:.1f}, that of the other {better:.1f} (difference "
        f"{better - worse:.1f}, standard error {found.error:.1f}, n = {tails} "
        "episodes played on from there, each). The first term is its push if it is drawn, the "
        "second that if the other one is. Each push is weighted by how often it happens: it is "
        "p(1 − p) times a return, where p is that probability. A baseline b(s) is subtracted from "
        "both returns, and cancels."
    )
