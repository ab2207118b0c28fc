"""In hindsight: which action of one batch was the worse, and what an update does about it.

CartPole's physics holds no chance, so every state of a batch can be set again, both actions taken,
and M tails played from each. With two actions, p = pi(a|s) of the worse one, Q_w < Q_b their true
returns and d = grad (z_1 - z_0), the push on the logits' difference in units of |d|^2 is

    (1 - p) (Q_w - b) when the worse one is drawn,    -p (Q_b - b) when the better one is,

so that one sample may push the worse action up, while the mean, p (1 - p) (Q_w - Q_b), is negative
for every state-dependent baseline b(s) (Sutton et al. 2000). A step of the parameters is another
matter: all states share them, and along a direction u the preference moves by d . u.

Shapes: T steps of the batch, M tails, P parameters of the policy.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np

from pgcore import networks
from pgcore.batch import Batch
from pgcore.gradients.decomposition import true_returns
from pgcore.gradients.lens import Update
from pgcore.gradients.windows import Progress, Windows, no_progress
from pgcore.learners import shape_of

TINY = 1e-4  # of a finite difference
TAILS, TAIL_BUDGET = 256, 8192  # tails of each action, and of all the batch's states together
CLEAR = 2.0  # standard errors between two actions that count as different


def one_window(windows: Windows, index: int) -> Windows:
    """One window by itself, with the running mean of the others."""
    one = slice(index, index + 1)
    batch = Batch(**{f.name: getattr(windows.batch, f.name)[one] for f in fields(Batch)})
    states, elapsed = windows.states[one], windows.elapsed[one]
    return replace(windows, batch=batch, mc_q=windows.mc_q[one], states=states, elapsed=elapsed)


def instructive_window(windows: Windows, among: int = 200) -> int:
    """The first window in whose middle half an episode ends; the first of all if there is none."""
    ended = windows.batch.ended[:among]
    steps = ended.shape[1]
    middle = ended[:, steps // 4 : steps - steps // 4].any(1)
    return int(np.argmax(middle))


@dataclass(frozen=True)
class Hindsight:
    """The true returns of both actions at every step of one batch, by playing tails from each."""

    q: np.ndarray  # [T, 2]
    error: np.ndarray  # [T] standard error of Q(s, 1) - Q(s, 0)
    tails: int

    @property
    def worse(self) -> np.ndarray:
        """The action of lower return, or -1 where the two are within 2 standard errors.  [T]"""
        gap = self.q[:, 1] - self.q[:, 0]
        return np.where(np.abs(gap) > CLEAR * self.error, (gap < 0).astype(int), -1)


def hindsight(
    windows: Windows, index: int, seed: int, progress: Progress = no_progress
) -> Hindsight:
    """Set every state of window `index`, take both actions, and play on from each."""
    batch, steps = windows.batch, windows.mc_q.shape[1]
    age = np.arange(steps) + windows.elapsed[index]
    for t in np.flatnonzero(batch.ended[index]):
        age[t + 1 :] = np.arange(steps - t - 1)
    states = batch.obs[index].astype(np.float64)
    tails = int(np.clip(TAIL_BUDGET // steps, 4, TAILS))
    every = replace(windows, states=states, elapsed=age)
    returns = true_returns(every, seed, steps, tails, progress=progress)  # [T, 2, M]
    error = np.sqrt(returns.var(-1, ddof=1).sum(-1) / tails)
    return Hindsight(returns.mean(-1), error, tails)


def preference_slopes(windows: Windows, index: int, direction: np.ndarray) -> np.ndarray:
    """d(s_t) . u: how fast z_1 - z_0 grows along a direction u of the parameters.  [T]

    Args:
        direction: [P] of length 1, over the policy's parameters.
    """
    shape = shape_of(windows.config)
    obs = windows.batch.obs[index][None].astype(np.float64)  # [1, T, 4]
    step = np.pad(direction, (0, shape.size - len(direction))) * TINY
    ends = windows.params + step, windows.params - step
    logits = [networks.forward(shape.policy(params[None]), obs)[0] for params in ends]  # [T, 2]
    high, low = (z[:, 1] - z[:, 0] for z in logits)
    return (high - low) / (2 * TINY)


class WorseActions(NamedTuple):
    """What one update, and the true gradient, do with the worse actions of one batch."""

    states: int  # of the batch
    clear: int  # in which one action is clearly the worse
    taken: int  # in which the worse one was taken
    pushed_up: int  # of these, by the update's own weight
    raised: int  # of `clear`, in which a step along the true gradient makes the worse more probable
    tails: int  # of each action, in each state


def worse_actions(found: Hindsight, update: Update, slopes: np.ndarray) -> WorseActions:
    """Count them.

    Args:
        slopes: [T] of `preference_slopes` along the true gradient.
    """
    clear = found.worse >= 0
    taken = update.steps["action"].to_numpy() == found.worse
    return WorseActions(
        len(clear),
        int(clear.sum()),
        int(taken.sum()),
        int((update.steps["pushed"].to_numpy()[taken] > 0).sum()),
        int(((slopes > 0) == (found.worse == 1))[clear].sum()),
        found.tails,
    )


class ExpectedPush(NamedTuple):
    """The push on a worse action at step t, averaged over the two actions."""

    t: int
    prob: float  # of the worse action
    worse: float  # its true return
    better: float  # the other's
    error: float  # standard error of their difference

    @property
    def push(self) -> float:
        """p (1 - p) (Q_w - Q_b), in units of |d|^2."""
        return self.prob * (1 - self.prob) * (self.worse - self.better)


def expected_push(found: Hindsight, update: Update) -> ExpectedPush | None:
    """At the first step where the worse action was taken; None if there is none."""
    taken = np.flatnonzero(update.steps["action"].to_numpy() == found.worse)
    if not len(taken):
        return None
    at = int(taken[0])
    worse, prob = int(found.worse[at]), float(update.steps["prob"][at])
    q = found.q[at]
    return ExpectedPush(at, prob, float(q[worse]), float(q[1 - worse]), float(found.error[at]))
