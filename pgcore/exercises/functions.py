"""The tasks that are functions: right numbers, worked cases, and the mistakes that people make.

A mistake is a function that computes what the bug computes. Where the found numbers are those of a
mistake, the checker says its sentence and names its exhibit in the museum.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgcore import returns
from pgcore.algorithms import WHITENING_EPS
from pgcore.exact.toypole import STATES, ToyPole

Array = Any
RANDOM = 20  # random batches after the worked cases
TOLERANCE = 1e-3  # relative to the largest expected number


@dataclass(frozen=True)
class Case:
    """One call: what it shows, and the arguments by name."""

    shows: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Mistake:
    """A bug as a computation on the same arguments, and what to do about it."""

    text: str
    wrong: Callable[..., Array]
    exhibit: str = ""


@dataclass(frozen=True)
class Function:
    """A task that is one function (or one method of an agent)."""

    right: Callable[..., Array]
    cases: tuple[Case, ...]
    random: Callable[[np.random.Generator], dict[str, Any]]
    mistakes: tuple[Mistake, ...]
    kind: str = "numpy"  # what its arrays are: numpy, tensor, leaf (a tensor with a gradient)


def close(found: Array, wanted: Array) -> bool:
    """Equal up to float32's rounding; nan is equal to nan alone."""
    scale = max(float(np.nanmax(np.abs(wanted), initial=0)), 1e-3)
    with np.errstate(invalid="ignore"):
        near = np.abs(found - wanted) <= TOLERANCE * scale
    return bool(np.all(near | (np.isnan(found) & np.isnan(wanted))))


def _of(*numbers: float) -> Array:
    return np.array(numbers, np.float32)


def _flags(length: int, *at: int) -> Array:
    found = np.zeros(length, bool)
    found[list(at)] = True
    return found


# --- q_values: all [T] ---


def _q(rewards, terminated, truncated, final_values, gamma):
    row = (x[None] for x in (rewards, final_values, terminated, truncated))
    return returns.bootstrapped_q(*row, np.float32(gamma))[0]


def _steps(rewards, terminated, truncated, final_values, gamma, follow):
    """Q from the last step to the first; `follow(t, q, n)` is what comes after step t."""
    q = np.zeros(len(rewards) + 1)
    for t in reversed(range(len(rewards))):
        q[t] = rewards[t] + gamma * follow(t, q[t + 1], t == len(rewards) - 1)
    return q[:-1]


def _with(right: Callable[..., Array], **changed: Callable[..., Any]) -> Callable[..., Array]:
    """The right result of other arguments: each changed one is computed from all of them."""

    def wrong(**given):
        return right(**(given | {key: change(**given) for key, change in changed.items()}))

    return wrong


def _at_all_steps(reduce: Callable[[Array], Any]) -> Callable[..., Array]:
    def wrong(**given):
        q = _q(**given)
        return np.full_like(q, reduce(q))

    return wrong


def _whole_return(**given):
    q, ended = _q(**given), given["terminated"] | given["truncated"]
    first = np.maximum.accumulate(np.where(np.r_[True, ended[:-1]], np.arange(len(q)), 0))
    return q[first]


def _shifted(x):
    return np.r_[0, x[:-1]].astype(np.float32)


Q_VALUES = Function(
    _q,
    (
        Case(
            "no episode ends",
            dict(rewards=_of(1, 2, 4), terminated=_flags(3), truncated=_flags(3),
                 final_values=_of(0, 6, 8), gamma=0.5),
        ),
        Case(
            "step 1 is terminated",
            dict(rewards=_of(1, 2, 4), terminated=_flags(3, 1), truncated=_flags(3),
                 final_values=_of(0, 6, 8), gamma=0.5),
        ),
        Case(
            "step 1 is truncated",
            dict(rewards=_of(1, 2, 4), terminated=_flags(3), truncated=_flags(3, 1),
                 final_values=_of(0, 6, 8), gamma=0.5),
        ),
        Case(
            "the last step is terminated, step 2 is truncated",
            dict(rewards=_of(3, -1, 2, 5, 7), terminated=_flags(5, 4), truncated=_flags(5, 2),
                 final_values=_of(2, 4, 6, 8, 9), gamma=0.9),
        ),
    ),
    lambda rng: dict(
        rewards=rng.normal(size=12).astype(np.float32),
        terminated=(ends := rng.random(12)) < 0.15,
        truncated=ends > 0.85,
        final_values=rng.normal(0, 3, 12).astype(np.float32),
        gamma=0.9,
    ),
    (
        Mistake(
            "Use V(s'_t) after a truncation. Here both flags count as a fall, so nothing "
            "is expected after a truncation.",
            _with(_q, terminated=lambda terminated, truncated, **_: terminated | truncated), "done",
        ),
        Mistake(
            "Stop at a truncation too, with V(s'_t) in place of Q_{t+1}. Here the return of the "
            "next episode leaks into this one.",
            _with(_q, truncated=lambda truncated, **_: np.zeros_like(truncated)), "naive_fix",
        ),
        Mistake(
            "Add 0 after a termination. Here the value of the state after the fall is added.",
            _with(_q, terminated=lambda terminated, **_: np.zeros_like(terminated),
                  truncated=lambda terminated, truncated, **_: terminated | truncated),
        ),
        Mistake(
            "Let both flags end an episode. Here no end is seen, and Q_{t+1} of the next episode "
            "is added.",
            _with(_q, terminated=lambda terminated, **_: np.zeros_like(terminated),
                  truncated=lambda truncated, **_: np.zeros_like(truncated)), "naive_fix",
        ),
        Mistake(
            "Exchange the two flags: 0 after a termination, V(s'_t) after a truncation.",
            _with(_q, terminated=lambda truncated, **_: truncated,
                  truncated=lambda terminated, **_: terminated),
        ),
        Mistake(
            "Use V(s'_t) at the last step of the batch, unless it is terminated. Here the batch's "
            "end counts as the episode's end.",
            lambda rewards, terminated, truncated, final_values, gamma: _steps(
                rewards, terminated, truncated, final_values, gamma,
                lambda t, q, last: 0 if terminated[t] or (last and not truncated[t])
                else final_values[t] if truncated[t] else q),
        ),
        Mistake(
            "Use V(s'_t) where an episode goes on behind the batch or is truncated. Here nothing "
            "is bootstrapped: both ends count as 0.",
            _with(_q, final_values=lambda final_values, **_: np.zeros_like(final_values)),
        ),
        Mistake(
            "Multiply what follows by gamma at every step. Here gamma is missing.",
            _with(_q, gamma=lambda **_: 1.0),
        ),
        Mistake(
            "Multiply what follows by gamma once. Here gamma is squared.",
            _with(_q, gamma=lambda gamma, **_: gamma**2),
        ),
        Mistake(
            "Multiply V(s'_t) by gamma as well. Here the bootstrapped value is added undiscounted.",
            _with(_q, final_values=lambda final_values, gamma, **_:
                  final_values / np.float32(gamma)),
        ),
        Mistake(
            "Add up all that followed: Q_t = r_t + gamma * Q_{t+1}. Here each step has its own "
            "reward alone, times gamma^t.",
            lambda rewards, gamma, **_: rewards * gamma ** np.arange(len(rewards)),
            "discounted_reward",
        ),
        Mistake(
            "Add up all that followed. Here each step has its own reward alone.",
            lambda rewards, **_: rewards, "discounted_reward",
        ),
        Mistake(
            "Give each step the return from that step on. Here every step of an episode has the "
            "whole return of the episode, which is unbiased and has more variance.",
            _whole_return, "whole_return",
        ),
        Mistake(
            "Give each step its own Q_t. Here every step has the sum of all.",
            _at_all_steps(np.sum), "sum_times_sum",
        ),
        Mistake("Give each step its own Q_t. Here every step has the mean of all.",
                _at_all_steps(np.mean), "sum_times_sum"),
        Mistake("Give each step its own Q_t. Here every step has that of step 0.",
                _at_all_steps(lambda q: q[0]), "whole_return"),
        Mistake(
            "Use r_t at step t. Here each step has the reward of the step before.",
            _with(_q, rewards=lambda rewards, **_: _shifted(rewards)), "late_reward",
        ),
        Mistake(
            "Use r_t at step t. Here each step has the reward of the step after.",
            _with(_q, rewards=lambda rewards, **_: _shifted(rewards[::-1])[::-1]), "late_reward",
        ),
        Mistake(
            "Let the rewards that follow count. Here r_t + gamma * V(s'_t) looks one step ahead "
            "and asks the critic for the rest.",
            lambda rewards, terminated, final_values, gamma, **_:
            rewards + gamma * ~terminated * final_values,
        ),
        Mistake(
            "Go through the batch from its last step to its first. Here the past rewards add up, "
            "and the future ones are missing.",
            lambda rewards, terminated, truncated, gamma, **_: _steps(
                rewards[::-1], None, None, None, gamma,
                lambda t, q, last: 0 if last or (terminated | truncated)[::-1][t + 1] else q)[::-1],
        ),
        Mistake("Reverse the list at the end: step 0 stands last here.",
                lambda **given: _q(**given)[::-1]),
        Mistake(
            "Use gamma^k for what came k steps after step t. Here Q_t is multiplied by gamma^t "
            "once more.",
            lambda gamma, **given: _q(gamma=gamma, **given)
            * gamma ** np.arange(len(given["rewards"])), "no_gamma_t",
        ),
        Mistake("Return Q alone; the training subtracts a baseline later. Here V(s'_t) is "
                "subtracted.", lambda **given: _q(**given) - given["final_values"]),
    ),
    kind="tensor",
)  # fmt: skip


# --- leave_one_out, normalized: [S, T] ---


def _leave_one_out(q_values):
    steps = q_values.shape[-1]
    if steps == 1:
        return q_values
    return (q_values - q_values.mean(-1, keepdims=True)) * (steps / (steps - 1))


def _matrix(*rows: list[float]) -> Array:
    return np.array(rows, np.float32)


def _safe(wrong: Callable[..., Array]) -> Callable[..., Array]:
    """The same, where a division by 0 gives nan without a warning."""

    def quiet(**given):
        with np.errstate(all="ignore"):
            return wrong(**given)

    return quiet


def _at_one(q_values, number):
    """The right result, and this number where T = 1."""
    alone = q_values.shape[-1] == 1
    return np.full_like(q_values, number) if alone else _leave_one_out(q_values)


LEAVE_ONE_OUT = Function(
    _leave_one_out,
    (
        Case("one seed", dict(q_values=_matrix([2, 4, 9]))),
        Case("two seeds", dict(q_values=_matrix([2, 4, 9, 1], [0, -6, 3, 7]))),
        Case("one step (T = 1)", dict(q_values=_matrix([5], [-2]))),
    ),
    lambda rng: dict(q_values=rng.normal(3, 2, (4, 7)).astype(np.float32)),
    (
        Mistake(
            "Leave step t out of its own baseline. Here the mean holds all T steps: that is the "
            "batch mean, and the result is smaller by the factor (T - 1)/T.",
            lambda q_values: q_values - q_values.mean(-1, keepdims=True),
        ),
        Mistake("Subtract the baseline from Q_t. Here the baseline itself is returned.",
                _safe(lambda q_values: q_values - _leave_one_out(q_values))),
        Mistake("Subtract the baseline from Q_t. Here Q_t is subtracted from the baseline.",
                lambda q_values: -_leave_one_out(q_values)),
        Mistake("Divide the sum of the others by T - 1. Here it is divided by T.",
                lambda q_values: q_values
                - (q_values.sum(-1, keepdims=True) - q_values) / q_values.shape[-1]),
        Mistake("Take the mean over steps (axis 1). Here it runs over seeds, and seeds never mix.",
                _safe(lambda q_values: (q_values - q_values.mean(0)) * np.float64(len(q_values))
                      / np.float64(len(q_values) - 1))),
        Mistake("Take the mean over steps (axis 1). Here it runs over seeds; with one seed the "
                "baseline is Q_t itself and nothing is left.",
                lambda q_values: q_values - q_values.mean(0), "group_of_one"),
        Mistake("Keep seeds apart. Here the mean runs over all seeds at once.",
                lambda q_values: q_values - q_values.mean()),
        Mistake("Keep seeds apart. Here the others of all seeds are in the mean.",
                _safe(lambda q_values: (q_values - q_values.mean()) * np.float64(q_values.size)
                      / np.float64(q_values.size - 1))),
        Mistake("Treat T = 1 by itself: there are no other steps, and 0 / 0 is not a number. The "
                "baseline is then 0.",
                lambda q_values: _at_one(q_values, np.nan), "group_of_one"),
        Mistake("Treat T = 1 by itself: there are no others, and the baseline is 0. Here Q_t is "
                "its own baseline, and nothing is left.",
                lambda q_values: _at_one(q_values, 0), "group_of_one"),
        Mistake("Only subtract a mean. Here the result is also divided by the standard deviation.",
                _safe(lambda q_values: (q_values - q_values.mean(-1, keepdims=True))
                      / (q_values.std(-1, keepdims=True) + 1e-8)), "whitened"),
    ),
)  # fmt: skip


def _normalized(advantages):
    centred = advantages - advantages.mean(-1, keepdims=True)
    return centred / (advantages.std(-1, keepdims=True) + np.float32(WHITENING_EPS))


def _white(axis: Any, ddof: int = 0, eps: float = WHITENING_EPS) -> Callable[..., Array]:
    def wrong(advantages):
        x = np.asarray(advantages, float)
        centred = x - x.mean(axis, keepdims=True)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # std of one number, divided by 0
            return centred / (x.std(axis, ddof=ddof, keepdims=True) + eps)

    return wrong


NORMALIZED = Function(
    _normalized,
    (
        Case("one seed", dict(advantages=_matrix([1, 3, 5, 7]))),
        Case("two seeds of different size",
             dict(advantages=_matrix([1, 3, 5, 7], [100, 300, 200, -40]))),
        Case("all advantages of a seed are equal", dict(advantages=_matrix([2, 2, 2], [1, 3, 8]))),
        Case("one step (T = 1)", dict(advantages=_matrix([5], [-2]))),
    ),
    lambda rng: dict(advantages=rng.normal(3, 2, (4, 7)).astype(np.float32)),
    (
        Mistake("Take mean and std seed by seed (axis 1, keepdims=True). Here they hold all seeds: "
                "each seed sees the others.", _white(None), "whitened"),
        Mistake("Take mean and std over steps (axis 1). Here they run over seeds, at each step.",
                _white(0), "whitened"),
        Mistake("Divide by T inside std. Here it is T - 1, which is 0 where T = 1: the std of one "
                "number is not a number.", _white(-1, 1), "std_of_one"),
        Mistake("Divide by T inside std, and seed by seed. Here it is T - 1, over all seeds.",
                _white(None, 1), "std_of_one"),
        Mistake("Add 1e-8 to the std. Without it, equal advantages give 0 / 0, which is not a "
                "number.", _white(-1, 0, 0.0), "std_of_one"),
        Mistake("Divide by the standard deviation as well. Here only the mean is subtracted.",
                lambda advantages: advantages - advantages.mean(-1, keepdims=True)),
        Mistake("Subtract the mean first. Here the numbers are only divided.",
                _safe(lambda advantages: advantages / (advantages.std(-1, keepdims=True) + 1e-8))),
        Mistake("Divide by the standard deviation. Here it is the variance.",
                _safe(lambda advantages: (advantages - advantages.mean(-1, keepdims=True))
                      / (advantages.var(-1, keepdims=True) + 1e-8))),
        Mistake("Add 1e-8 to the std. Here 1 is added, and the std of the result is not 1.",
                _white(-1, 0, 1.0)),
        Mistake("Subtract the mean from the advantages. Here the sign is turned.",
                lambda advantages: -_normalized(advantages)),
    ),
)  # fmt: skip


# --- gae ---


def _gae(rewards, values, final_values, terminated, truncated, gamma, gae_lambda):
    return returns.gae(
        rewards, values, final_values, terminated, truncated,
        np.float32(gamma), np.float32(gae_lambda),
    )  # fmt: skip


def _late(flag: str) -> Callable[..., Array]:
    """This flag of the step after each step."""
    return lambda **given: np.concatenate([given[flag][:, 1:], given[flag][:, -1:]], axis=1)


def _next_values(values, final_values, **_):
    return np.concatenate([values[:, 1:], final_values[:, -1:]], axis=1)


_LATE = {flag: _late(flag) for flag in ("terminated", "truncated")}


def _delta(rewards, values, final_values, terminated, gamma, **_):
    return rewards + gamma * final_values * ~terminated - values


def _trace(delta: Array, keep: Array) -> Array:
    """A_t = delta_t + keep_t A_{t+1}."""
    found, after = np.zeros_like(delta, float), np.zeros(len(delta))
    for t in reversed(range(delta.shape[1])):
        found[:, t] = after = delta[:, t] + keep[:, t] * after
    return found


def _goes_on(terminated, truncated, **_):
    return 1.0 - (terminated | truncated)


def _gae_arguments(rewards, values, final_values, terminated, truncated, gamma=0.5, lam=0.5):
    return dict(
        rewards=_matrix(*rewards), values=_matrix(*values), final_values=_matrix(*final_values),
        terminated=np.array(terminated), truncated=np.array(truncated), gamma=gamma, gae_lambda=lam,
    )  # fmt: skip


_NO = [False, False, False]
_STEP_1 = [False, True, False]
_ROWS = ([[1, 2, 4]], [[2, 4, 6]], [[4, 6, 8]])

GAE = Function(
    _gae,
    (
        Case("no episode ends", _gae_arguments(*_ROWS, [_NO], [_NO])),
        Case("step 1 is terminated", _gae_arguments(*_ROWS, [_STEP_1], [_NO])),
        Case("step 1 is truncated", _gae_arguments(*_ROWS, [_NO], [_STEP_1])),
        Case(
            "two seeds with different ends, gamma 0.9, lambda 0.8",
            _gae_arguments(
                [[3, -1, 2, 5], [1, 0, 7, 2]], [[2, 4, 1, 3], [5, 1, 2, 6]],
                [[4, 7, 3, 9], [1, 2, 8, 4]],
                [[False, False, False, True], [True, False, False, False]],
                [[False, True, False, False], [False, False, True, False]], 0.9, 0.8,
            ),
        ),
    ),
    lambda rng: _gae_arguments(
        rng.normal(0, 3, (4, 9)),
        rng.normal(0, 3, (4, 9)),
        rng.normal(0, 3, (4, 9)),
        (ends := rng.random((4, 9))) < 0.15, ends > 0.85, 0.9, 0.8,
    ),
    (
        Mistake("Use V(s'_t) in delta after a truncation. Here both flags count as a fall.",
                _with(_gae, terminated=lambda terminated, truncated, **_: terminated | truncated),
                "done"),
        Mistake("Stop the sum at a truncation too. Here the next episode's advantages leak in.",
                _with(_gae, truncated=lambda truncated, **_: np.zeros_like(truncated)),
                "naive_fix"),
        Mistake("Ask at step t whether step t ended. Here the mask stands one place late, and an "
                "end is seen one step before it.",
                _with(_gae, **_LATE, final_values=_next_values), "late_mask"),
        Mistake("Ask at step t whether step t ended. Here the mask stands one place late.",
                _with(_gae, **_LATE), "late_mask"),
        Mistake("Use final_values, V of the state after the step. Here it is V of the next row, "
                "which belongs to another episode after an end.",
                _with(_gae, final_values=_next_values), "naive_fix"),
        Mistake("Add no V(s'_t) to delta after a termination: nothing follows a fall.",
                lambda **given: _trace(
                    given["rewards"] + given["gamma"] * given["final_values"] - given["values"],
                    given["gamma"] * given["gae_lambda"] * _goes_on(**given))),
        Mistake("Stop at the ends of episodes. Here neither flag is used.",
                lambda **given: _trace(
                    given["rewards"] + given["gamma"] * given["final_values"] - given["values"],
                    given["gamma"] * given["gae_lambda"] * np.ones_like(given["rewards"]))),
        Mistake("Stop the sum at both ends. Here it goes on through them.",
                lambda **given: _trace(_delta(**given), given["gamma"] * given["gae_lambda"]
                                       * np.ones_like(given["rewards"])), "naive_fix"),
        Mistake("Multiply A_{t+1} by gamma * lambda. Here lambda is missing: that is Q - V.",
                _with(_gae, gae_lambda=lambda **_: 1.0)),
        Mistake("Multiply A_{t+1} by gamma * lambda. Here gamma is missing.",
                lambda **given: _trace(_delta(**given), given["gae_lambda"] * _goes_on(**given))),
        Mistake("Multiply V(s'_t) by gamma inside delta.",
                lambda **given: _trace(_delta(**(given | {"gamma": 1.0})), given["gamma"]
                                       * given["gae_lambda"] * _goes_on(**given))),
        Mistake("Add gamma * lambda * A_{t+1}. Here delta_t stands alone, as with lambda = 0.",
                _delta),
        Mistake("Subtract V(s_t) in delta. Here it is missing.",
                _with(_gae, values=lambda values, **_: np.zeros_like(values))),
        Mistake("Return A_t. Here V(s_t) is added to it: that is a target for the critic.",
                lambda **given: _gae(**given) + given["values"]),
        Mistake("Subtract V(s_t) from what followed. Here the sign is turned.",
                lambda **given: -_gae(**given)),
        Mistake("Go from the last step to the first. Here the sum runs forward in time.",
                lambda **given: _trace(_delta(**given)[:, ::-1], np.concatenate(
                    [np.zeros_like(given["rewards"][:, :1]), given["gamma"] * given["gae_lambda"]
                     * _goes_on(**given)[:, :-1]], 1)[:, ::-1])[:, ::-1]),
        Mistake("Reverse the list at the end: step 0 stands last here.",
                lambda **given: _gae(**given)[:, ::-1]),
        Mistake("Use r_t at step t. Here each step has the reward of the step before.",
                _with(_gae, rewards=lambda rewards, **_: np.concatenate(
                    [np.zeros_like(rewards[:, :1]), rewards[:, :-1]], 1)), "late_reward"),
    ),
)  # fmt: skip


# --- ppo_clipped_loss ---


def _ppo(log_probs, old_log_probs, advantages, clip_range, rho=None, pick=np.minimum):
    rho = np.exp(log_probs - old_log_probs) if rho is None else rho
    clipped = np.clip(rho, 1 - clip_range, 1 + clip_range)
    return -np.mean(pick(rho * advantages, clipped * advantages))


def _ppo_arguments(ratios, advantages, clip_range=0.2):
    old = np.log(np.linspace(0.3, 0.6, len(ratios)))
    return dict(
        log_probs=(old + np.log(ratios)).astype(np.float32), old_log_probs=old.astype(np.float32),
        advantages=np.array(advantages, np.float32), clip_range=clip_range,
    )  # fmt: skip


def _with_ratio(rho: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    return lambda **given: _ppo(**given, rho=rho(given["log_probs"], given["old_log_probs"]))


PPO = Function(
    _ppo,
    (
        Case("nothing has changed: every ratio is 1", _ppo_arguments([1, 1, 1], [2, -1, 4])),
        Case("a good action, clipped above", _ppo_arguments([1.5, 1.1], [1, 3])),
        Case("a bad action, clipped below", _ppo_arguments([0.5, 0.9], [-1, -2])),
        Case("a bad action that became likelier is not clipped", _ppo_arguments([1.5, 1], [-1, 1])),
        Case("a good action that became rarer is not clipped", _ppo_arguments([0.5, 1], [2, 1])),
        Case("the example", _ppo_arguments([1.5, 1.5], [1, -1])),
    ),
    lambda rng: _ppo_arguments(rng.uniform(0.5, 1.6, 9), rng.normal(size=9), 0.1),
    (
        Mistake("Put a minus before the mean: the optimizer makes the loss small, and the "
                "mean should become large.", lambda **given: -_ppo(**given)),
        Mistake("Take the mean over the steps. Here it is the sum.",
                lambda **given: _ppo(**given) * len(given["advantages"]), "mean_over_steps"),
        Mistake("Divide the new probability by the old one: exp(log_probs - old_log_probs). Here "
                "it is the other way round.", _with_ratio(lambda new, old: np.exp(old - new)),
                "reversed_ratio"),
        Mistake("Take exp of the difference of the logarithms. Here the difference itself is the "
                "ratio, and it is 0 where nothing has changed.",
                _with_ratio(lambda new, old: new - old), "stale_ratio"),
        Mistake("Take exp of the difference of the logarithms. Here they are divided by each "
                "other.",
                _with_ratio(lambda new, old: new / old), "stale_ratio"),
        Mistake("Divide the new probability by the old one. Here it stands alone.",
                _with_ratio(lambda new, old: np.exp(new)), "stale_ratio"),
        Mistake("Take exp of old_log_probs too: it holds logarithms.",
                _with_ratio(lambda new, old: np.exp(new) / old), "stale_ratio"),
        Mistake("Take the minimum of the two products. Here it is the maximum.",
                lambda **given: _ppo(**given, pick=np.maximum)),
        Mistake("Take the minimum of both products. Here the clipped one stands alone, and a bad "
                "action that became likelier has no gradient.",
                lambda **given: _ppo(**given, pick=lambda plain, clipped: clipped)),
        Mistake("Clip the ratio to 1 - e and 1 + e, and take the minimum. Here nothing is clipped.",
                lambda **given: _ppo(**given, pick=lambda plain, clipped: plain)),
        Mistake("Clip the ratio to 1 - e and 1 + e. Here it is clipped to -e and e.",
                lambda log_probs, old_log_probs, advantages, clip_range: -np.mean(np.minimum(
                    np.exp(log_probs - old_log_probs) * advantages,
                    np.clip(np.exp(log_probs - old_log_probs), -clip_range, clip_range)
                    * advantages))),
        Mistake("Clip on both sides, 1 - e and 1 + e. Here only the upper one is there.",
                lambda log_probs, old_log_probs, advantages, clip_range: -np.mean(np.minimum(
                    np.exp(log_probs - old_log_probs) * advantages,
                    np.minimum(np.exp(log_probs - old_log_probs), 1 + clip_range)
                    * advantages))),
        Mistake("Take the minimum of the two products, ratio * A and clipped ratio * A. Here the "
                "ratio's minimum is taken before it is multiplied by A.",
                lambda log_probs, old_log_probs, advantages, clip_range: -np.mean(
                    np.minimum(np.exp(log_probs - old_log_probs),
                               np.clip(np.exp(log_probs - old_log_probs), 1 - clip_range,
                                       1 + clip_range)) * advantages)),
        Mistake("Clip the ratio, and not the product with A.",
                lambda log_probs, old_log_probs, advantages, clip_range: -np.mean(np.minimum(
                    np.exp(log_probs - old_log_probs) * advantages,
                    np.clip(np.exp(log_probs - old_log_probs) * advantages,
                            1 - clip_range, 1 + clip_range)))),
    ),
    kind="leaf",
)  # fmt: skip


def ppo_gradient(
    log_probs: Array, old_log_probs: Array, advantages: Array, clip_range: float
) -> Array:
    """d loss / d log_probs [T]: -rho A / T, and 0 where the clipped product is the smaller one."""
    rho = np.exp(log_probs - old_log_probs)
    clipped = np.clip(rho, 1 - clip_range, 1 + clip_range)
    return np.where(rho * advantages <= clipped * advantages, -rho * advantages, 0) / len(rho)


# --- my_baseline ---

POLICIES = (  # logits of ToyPole's five states: the lab's, one that leans, one that is sure
    (1.2, 0.1, 0.3, -0.6, -0.2),
    (2.0, 1.0, 1.5, -0.5, 0.5),
    (3.0, 1.5, 0.0, -1.5, -3.0),
)


def toypole_arguments(theta: tuple[float, ...]) -> dict[str, Any]:
    """What `my_baseline` is given at one policy."""
    pole = ToyPole(theta)
    probs = np.stack([1 - pole.right, pole.right], -1)
    return dict(values=pole.values, probs=probs, q_values=pole.q_values)


def toypole_variance(theta: tuple[float, ...], baseline: Array) -> float:
    """tr Var of the gradient over all batches of 8 steps, with Q_t - b(s_t) as the weight."""
    pole = ToyPole(theta)
    windows = pole.windows()
    assert np.shape(baseline) == (STATES,)
    return pole.measure(windows, windows.q_values - np.asarray(baseline)[windows.states]).tr_var
