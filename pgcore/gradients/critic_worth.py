"""What a learned critic is worth: as a value function, and as a baseline.

Two different questions. As a value function: R^2 = 1 - E (V - V_phi)^2 / Var V against the true
value, below 0 where one number for every state would be nearer. As a baseline: tr Sigma of an
update with the critic over that with the best constant (Greensmith, Bartlett & Baxter 2004), above
1 where the constant does better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pgcore.config import Config
from pgcore.gradients.decomposition import Decomposition, decompose
from pgcore.gradients.estimates import best_constant, gradients_of, weights
from pgcore.gradients.findings import paired_ratio
from pgcore.gradients.windows import collect_windows
from pgcore.stats import Interval, mean_t_interval, proportion_interval

STATES, TAILS = 500, 8  # of one seed at one checkpoint
STEPS, WINDOWS = 2**17, 1000  # at most, of the windows of one seed


@dataclass(frozen=True)
class CriticWorth:
    """One critic at one checkpoint."""

    explained: Interval  # R^2 against the true value; n counts states
    ratio: Interval  # tr Sigma with the critic over that with the best constant; n counts windows

    def to_row(self) -> dict[str, float]:
        """explained, explained_low, explained_high, ratio, ratio_low, ratio_high."""
        return {
            f"{name}{end}": value
            for name, interval in (("explained", self.explained), ("ratio", self.ratio))
            for end, value in zip(("", "_low", "_high"), interval[:3], strict=True)
        }


def critic_worth(params: np.ndarray, config: Config, seed: int) -> CriticWorth:
    """Measure one seed's critic at one checkpoint, on batches as training sees them.

    The best constant is fitted on the other half of the batches.

    Args:
        params: [P] policy and critic.
    """
    windows = collect_windows(params, config, min(WINDOWS, STEPS // config.batch_size), seed)
    psi = weights(windows, config, ["policy_gradient", "actor_critic"])
    psi["score"] = np.ones_like(windows.mc_q)
    gradients = gradients_of(windows, psi)
    constant = best_constant(gradients["policy_gradient"], gradients["score"])
    fit = decompose(windows, seed, num_states=STATES, tails=TAILS).critic
    return CriticWorth(fit.explained, paired_ratio(gradients["actor_critic"], constant))


def critic_explains(params: np.ndarray, config: Config, seed: int) -> Interval:
    """R^2 of one seed's critic at one checkpoint, against the true value; n counts states.

    Args:
        params: [P] policy and critic; the states are those that this policy meets.
    """
    windows = collect_windows(params, config.replace(batch_size=1), STATES, seed)
    return decompose(windows, seed, num_states=STATES, tails=TAILS).critic.explained


def change_of_r2(before: Sequence[float], after: Sequence[float]) -> Interval:
    """The mean change of R^2 from one critic to another of the same seed; n counts seeds.

    A t interval of the paired differences (Student 1908). R^2 has no lower bound, so a few bad
    seeds make it wide. One seed has no interval (nan).
    """
    return mean_t_interval(np.subtract(after, before))


def count_seeds(rows: pd.DataFrame, steps: int) -> tuple[Interval, Interval]:
    """At `steps`: the share of seeds whose R^2 is below 0, and of those whose critic has more
    variance than the best constant; Wilson's intervals, n counts seeds.

    Args:
        rows: of `CriticWorth.to_row`, with the columns `seed` and `steps`.
    """
    here = rows[rows["steps"] == steps]
    n = len(here)
    return (
        proportion_interval(int((here["explained"] < 0).sum()), n),
        proportion_interval(int((here["ratio"] > 1).sum()), n),
    )


def share_of_whole(parts: Decomposition, baseline: str, source: str) -> Interval:
    """A source of a step's variance as a share of the whole without a baseline.

    The whole is held at its estimate: the interval is the source's own.

    Args:
        baseline: none, critic or value.
        source: action, later or state.
    """
    whole = parts.sources["none"].total.estimate
    found: Interval = getattr(parts.sources[baseline], source)
    return Interval(found.estimate / whole, found.low / whole, found.high / whole, found.n)
