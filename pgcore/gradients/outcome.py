"""The outcome of one update: what the weights asked for, and what the step made of it.

The weight of a step asks for its own action to become more (Psi > 0) or less probable. The step of
the parameters sums over all steps of the batch, -g = (1/T) sum_t Psi_t grad log pi(a_t | s_t), so
an action may move against its own weight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pgcore.gradients.lens import Update


class Outcome(NamedTuple):
    """Counts over the steps of one batch."""

    steps: int
    pushed_up: int  # Psi > 0
    pushed_down: int  # Psi < 0
    more_probable: int  # after the step
    against: int  # moved against their own weight


def outcome(update: Update, change: str) -> Outcome:
    """Count what one update did.

    Args:
        change: `sgd_change`, a step along the gradient, or `adam_change`, Adam's first step.
    """
    pushed, changed = (update.steps[name].to_numpy() for name in ("pushed", change))
    return Outcome(
        len(pushed),
        int((pushed > 0).sum()),
        int((pushed < 0).sum()),
        int((changed > 0).sum()),
        int((pushed * changed < 0).sum()),
    )


def length_and_angle(update: Update, truth: np.ndarray) -> tuple[float, float]:
    """The arrow's length, and its angle to the true gradient in degrees; nan without a length.

    Args:
        truth: [P] the true gradient's direction, of length 1, over the policy's parameters.
    """
    arrow = -update.gradient[: len(truth)].astype(np.float64)
    length = float(np.linalg.norm(arrow))
    if not length:
        return 0.0, np.nan
    return length, float(np.degrees(np.arccos(np.clip(arrow @ truth / length, -1, 1))))


def counted_up(update: Update, worse: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of the worse actions taken, and of the better ones: how many are pushed up, of how many.

    Args:
        worse: [T] the worse action of each state, -1 where unclear.
    """
    action, pushed = (update.steps[name].to_numpy() for name in ("action", "pushed"))
    bad = action == worse
    good = (worse >= 0) & ~bad
    of_bad, of_good = (
        (int((pushed[chosen] > 0).sum()), int(chosen.sum())) for chosen in (bad, good)
    )
    return of_bad, of_good
