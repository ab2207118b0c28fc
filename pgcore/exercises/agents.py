"""The tasks that are agents: what an update did, read from its gradients.

The checker gives the agent tables in place of networks, and every step of a batch another state.
Row i of the actor's gradient is then -(1/T) Psi_t (onehot(a_t) - pi), and of the critic's
2c (V(s_t) - target_t) / T: both the weight and the target can be read off, step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgcore.exercises.functions import TOLERANCE, close
from pgcore.exercises.verdict import Remark, numbers

Array = Any
ACTOR = [[0.3, -0.2], [1.0, 0.1], [-0.4, 0.5], [0.2, 0.9], [-0.7, -0.1], [0.6, 0.0]]  # logits
CRITIC = [[1.0], [-2.0], [3.5], [0.5], [6.0], [2.5]]  # values
Q_VALUES = [[2.0, 9.0, 4.0, -3.0, 7.0, 5.0], [1.0, -6.0, 8.0, 3.0, 2.0, 12.0]]  # two batches
ORDER = [[3, 0, 5, 1, 4, 2], [2, 4, 1, 5, 3, 0]]  # the state at each step
UPDATE: dict[str, Any] = {
    "do": "update", "actor": ACTOR, "critic": CRITIC, "q_values": Q_VALUES, "order": ORDER,
    "gamma": 0.9, "seed": 7,
}  # fmt: skip
DRAWS, CHOSEN = 400, (0.9, 0.2)  # of each state, and how often its table says action 1
ACT: dict[str, Any] = {
    "do": "act", "draws": DRAWS, "seed": 1,
    "actor": [[0.0, float(np.log(p / (1 - p)))] for p in CHOSEN], "critic": [[0.0], [0.0]],
}  # fmt: skip
# A sure action and a great Q: where the probability was moved away from 1, no gradient is left.
SURE: dict[str, Any] = UPDATE | {
    "actor": [[16.5, 0.0]] * 2, "critic": [[0.0]] * 2, "q_values": [[1e8, 0.0]], "order": [[0, 1]],
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """One update: what was given, and what the gradients say.  All arrays [T]."""

    q: Array
    v: Array
    log_probs: Array
    psi: Array  # read from the actor's gradient
    critic: Array  # the critic's gradient, times T
    actor_table: Array  # [states, 2] the actor's gradient
    events: tuple[str, ...]
    stepped: tuple[str, ...]  # the networks whose optimizer made a step: actor, critic
    reached: tuple[str, ...]  # the networks that had a gradient then

    @property
    def num_steps(self) -> int:
        return len(self.q)


Weight = Callable[[Seen], Array]
RIGHT: Mapping[str, Weight] = {
    "policy_gradient": lambda x: x.q,
    "batch_mean": lambda x: x.q - x.q.mean(),
    "actor_critic": lambda x: x.q - x.v,
}


def read(update: Mapping[str, Any], q_values: list[float], order: list[int]) -> Seen:
    """The weights and the critic's gradient of one update."""
    logits, values = (np.array(x) for x in update["before"])
    probs = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    actions, steps = np.array(update["actions"]), len(order)
    chosen = probs[order, actions]

    def gradient(name: str, like: Array) -> Array:
        found = update["grads"].get(name)
        return np.zeros_like(like) if found is None else np.array(found)

    actor, critic = gradient("actor", logits), gradient("critic", values)
    return Seen(
        np.array(q_values), values[order, 0], np.log(chosen),
        -steps * actor[order, actions] / (1 - chosen), steps * critic[order, 0], actor,
        tuple(update["events"]),
        tuple(update["grads"]),
        tuple(name for name, found in update["grads"].items() if found is not None),
    )  # fmt: skip


@dataclass(frozen=True)
class Slip:
    """A wrong weight Psi, and what to do about it."""

    text: str
    weight: Weight
    exhibit: str = ""


def slips(task: str) -> list[Slip]:
    """What people write in place of a task's weight."""
    right = RIGHT[task]
    whole = "Give each log-probability its own weight, and take the mean of the products. Here "
    own = {
        "policy_gradient": "Q_t",
        "batch_mean": "Q_t - mean(Q)",
        "actor_critic": "Q_t - V(s_t)",
    }
    return [
        Slip("Put a minus before the policy's loss: here the good actions become rarer.",
             lambda x: -right(x)),
        Slip("Take the mean over the steps. Here it is the sum: the direction is right and the "
             "loss T times too large.", lambda x: right(x) * x.num_steps, "mean_over_steps"),
        Slip("Subtract the critic's values as a row: self.critic gives a column [T, 1], and [T] "
             "less [T, 1] is a table [T, T]. Here each step has Q_t less the mean of all V.",
             lambda x: x.q - x.v.mean(), "column"),
        Slip(f"Weigh the log-probabilities by {own[task]}. Here it is Q_t alone, and no baseline "
             "is used.", lambda x: x.q, "critic_unused" if task == "actor_critic" else ""),
        Slip(f"Weigh the log-probabilities by {own[task]}. Here it is Q_t - V(s_t), which is task "
             "3.", lambda x: x.q - x.v),
        Slip(f"Weigh the log-probabilities by {own[task]}. Here it is Q_t less the batch's mean.",
             lambda x: x.q - x.q.mean()),
        Slip("Weigh the log-probabilities by Q_t - V(s_t). Here it is V(s_t) - Q_t.",
             lambda x: x.v - x.q),
        Slip("Subtract the mean over all T steps. Here step t is left out of it: that is task 4.",
             lambda x: (x.q - x.q.mean()) * x.num_steps / (x.num_steps - 1)),
        Slip("Subtract the mean alone. Here the weights are also divided by their standard "
             "deviation.", lambda x: (x.q - x.q.mean()) / x.q.std(ddof=1), "whitened"),
        Slip("Subtract the mean alone. Here the weights are also divided by their standard "
             "deviation.", lambda x: (x.q - x.q.mean()) / x.q.std(), "whitened"),
        Slip("Use the advantage as it is. Here it is also centred and divided by its standard "
             "deviation.", lambda x: _white(x.q - x.v, 1), "whitened"),
        Slip("Use the advantage as it is. Here it is also centred and divided by its standard "
             "deviation.", lambda x: _white(x.q - x.v, 0), "whitened"),
        Slip(whole + "every step has the sum of all Q.",
             lambda x: np.full_like(x.q, x.q.sum()), "sum_times_sum"),
        Slip(whole + "every step has the sum of all Q, and the log-probabilities are added up too.",
             lambda x: np.full_like(x.q, x.q.sum() * x.num_steps), "sum_times_sum"),
        Slip(whole + "every step has the mean of all Q.",
             lambda x: np.full_like(x.q, x.q.mean()), "sum_times_sum"),
        Slip(whole + "every step has the same weight, the mean of all advantages.",
             lambda x: np.full_like(x.q, (x.q - x.v).mean()), "sum_times_sum"),
        Slip("Multiply by log pi(a_t|s_t). Here it is the probability itself.",
             lambda x: right(x) * np.exp(x.log_probs)),
        Slip("Use the weights as they are. Here step t is multiplied by gamma^t once more.",
             lambda x: right(x) * 0.9 ** np.arange(x.num_steps), "no_gamma_t"),
        Slip(f"Weigh the log-probabilities by {own[task]}. Here every weight is 0, and nothing is "
             "left to learn from.", lambda x: 0 * x.q, "group_of_one"),
    ]  # fmt: skip


def _white(x: Array, ddof: int) -> Array:
    return (x - x.mean()) / x.std(ddof=ddof)


def actor_fault(task: str, seen: Seen) -> Remark | None:
    """What is wrong with the actor's gradient, if anything is."""
    right = RIGHT[task](seen)
    if close(seen.psi, right):
        return None
    sides = dict(
        where=f"weights of the log-probabilities for Q = {numbers(seen.q.tolist())} and "
        f"V = {numbers(seen.v.tolist())}",
        expected=numbers(right.tolist()),
        found=numbers(seen.psi.tolist()),
    )
    events = seen.events
    if not np.any(seen.actor_table):
        if "step" not in events:
            return Remark("Call self.optimizer.step(): no step was made.", **sides)
        if "backward" not in events:
            return Remark("Call loss.backward() before the step: there is no gradient.", **sides)
        if "zero_grad" in events[events.index("backward") : events.index("step")]:
            return Remark(
                "Call zero_grad() before backward(), not between backward() and step(): here the "
                "gradient is thrown away before the step.", "cleared_too_late", **sides,
            )  # fmt: skip
        if "actor" not in seen.stepped:
            return Remark("Give the actor's weights to the optimizer that makes a step.", **sides)
        if "actor" not in seen.reached:
            return Remark(
                "Keep the graph of the log-probabilities: no gradient reaches the actor. Compute "
                "them in train, without detach() and outside torch.no_grad().",
                **sides,
            )
    used = np.abs(seen.psi) > TOLERANCE * np.abs(right).max()
    if 0 < used.sum() < (np.abs(right) > 0).sum() and events.count("zero_grad") > 1:
        return Remark(
            "Call zero_grad() once, before the loop over parts: here only the last part of the "
            "batch reaches the actor.", "last_part", **sides,
        )  # fmt: skip
    for slip in slips(task):
        if close(seen.psi, slip.weight(seen)):
            return Remark(slip.text, slip.exhibit, **sides)
    return Remark("Compare the weights of the log-probabilities with the equation.", **sides)


def critic_fault(seen: Seen, task: str) -> Remark | None:
    """What is wrong with the critic's gradient, if anything is; its factor is free."""
    wanted = 2 * (seen.v - seen.q)
    sides = dict(
        where=f"the critic's gradient, up to a factor, for Q = {numbers(seen.q.tolist())} and "
        f"V = {numbers(seen.v.tolist())}",
        expected=numbers(wanted.tolist()),
        found=numbers(seen.critic.tolist()),
    )
    factor = _factor(seen.critic, wanted)
    if factor and factor > 0:
        return None
    if "critic" not in seen.stepped:
        return Remark("Give the critic's weights to an optimizer that makes a step.", **sides)
    if close(seen.critic, np.zeros_like(wanted)):
        return Remark(
            "Add the value loss: the critic is not trained, and the targets still bootstrap "
            "with it.", "untrained_critic", **sides,
        )  # fmt: skip
    if factor:
        return Remark("Add the value loss with a plus sign: here V is pushed away from Q.", **sides)
    if _factor(seen.critic, 2 * (seen.v - seen.q.mean())):
        return Remark(
            "Make the critic's values a row: self.critic gives a column [T, 1], and [T, 1] less "
            "[T] is a table [T, T]. Here every V is pulled to the mean of all Q.",
            "broadcast", **sides,
        )  # fmt: skip
    both = np.stack([wanted, seen.log_probs], -1)
    parts, *_ = np.linalg.lstsq(both, seen.critic, rcond=None)
    if close(seen.critic, both @ parts):
        if close(parts[0], 0):
            text = "Train the critic on (V - Q)^2, and detach V in the advantage: here only the "
            text += "policy's loss reaches the critic."
        else:
            text = "Detach V in the advantage: here the policy's loss trains the critic too, by "
            text += "log pi at every step."
        return Remark(text, "not_detached", **sides)
    if _factor(seen.critic, 2 * seen.v - seen.q) or _factor(
        seen.critic, seen.v - RIGHT[task](seen)
    ):
        return Remark("Fit the critic to Q. Here its target is the advantage.", **sides)
    return Remark("Compare the value loss with (V - Q)^2.", **sides)


def _factor(found: Array, wanted: Array) -> float:
    """c where found = c * wanted, and 0 where there is none."""
    c = float(found @ wanted / (wanted @ wanted))
    return c if abs(c) > 1e-6 and close(found, c * wanted) else 0.0


def memory_fault(task: str, first: Seen, second: Seen) -> Remark | None:
    """What is wrong with the second update, when the first one was right."""
    right = RIGHT[task](second)
    if close(second.psi, right):
        return None
    sides = dict(
        where=f"weights in the second batch, for Q = {numbers(second.q.tolist())}",
        expected=numbers(right.tolist()),
        found=numbers(second.psi.tolist()),
    )
    if "zero_grad" not in second.events:
        return Remark(
            "Call zero_grad() before backward(): here each step follows the sum of all gradients "
            "since the beginning.", "never_cleared", **sides,
        )  # fmt: skip
    return Remark(
        "Call self.reset() at the end of train: the second batch is mixed with the first.",
        "no_reset", **sides,
    )  # fmt: skip


def act_fault(ones: list[int]) -> Remark | None:
    """What is wrong with the choice of actions, if anything is."""
    share = np.array(ones) / DRAWS
    sides = dict(
        where=f"share of action 1 in two states, {DRAWS} draws each",
        expected=numbers(list(CHOSEN)),
        found=numbers(share.tolist()),
    )
    if np.all(np.abs(share - CHOSEN) < 5 * np.sqrt(0.25 / DRAWS)):
        return None
    if np.all(np.abs(share - 0.5) < 5 * np.sqrt(0.25 / DRAWS)):
        return Remark(
            "Take the softmax over the actions, the last axis. Here both actions are drawn alike "
            "in every state.", "wrong_axis", **sides,
        )  # fmt: skip
    if len(set(share)) == 1 and share[0] in (0, 1):
        return Remark(
            f"Take the softmax over the actions, the last axis. Here action {share[0]:.0f} is "
            "drawn in every state.", "wrong_axis", **sides,
        )  # fmt: skip
    if set(share) <= {0.0, 1.0}:
        return Remark(
            "Draw the action with its probability. Here the likelier one is always taken.", **sides
        )
    return Remark("Draw action 1 with the probability that the softmax gives it.", **sides)
