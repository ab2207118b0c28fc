"""The fates of many runs of natural policy gradient on a bandit, under five baselines.

Equal variance, different fates (Chung et al. 2021; Mei et al. 2022): a low baseline rewards
whatever was pulled first, and the policy commits to it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pgcore import stats
from pgcore.exact.bandit import BASELINES, Bandit, natural_runs, natural_tr_var, stuck

REWARDS = (1.0, 0.7, 0.0)  # of the committal experiment
STEPS = 200
FATES = ("found the best arm", "stuck on a worse arm", "undecided")


def baselines(bandit: Bandit) -> dict[str, float]:
    """The constants that have a name."""
    best = bandit.optimal_baseline
    return {"none": 0.0, "V": bandit.value, "b*": best, "b* - 1": best - 1, "b* + 1": best + 1}


class FirstStep(NamedTuple):
    """A baseline at the uniform policy, and the variance of the first natural step with it."""

    b: float
    tr_var: float


def first_steps() -> dict[str, FirstStep]:
    """`natural_tr_var` at the uniform policy, by baseline.

    All 1/pi_a are equal there, so V and b* are the same number and have the same variance.
    """
    logits, rewards = np.zeros((1, len(REWARDS))), np.array(REWARDS)
    uniform = np.full(len(REWARDS), 1 / len(REWARDS))
    values = {name: float(rule(logits, rewards)[0]) for name, rule in BASELINES.items()}
    return {
        name: FirstStep(b, float(natural_tr_var(uniform, rewards, b))) for name, b in values.items()
    }


@lru_cache(maxsize=64)
def runs(baseline: str, count: int, step_size: float, seed: int = 0) -> np.ndarray:
    """Policies of `count` runs under a named baseline, from the uniform start.  [K, count, 3]"""
    policies = natural_runs(
        REWARDS,
        BASELINES[baseline],
        runs=count,
        steps=STEPS,
        step_size=step_size,
        every=2,
        seed=seed,
    )
    policies.setflags(write=False)
    return policies


def fates(policies: np.ndarray) -> np.ndarray:
    """How each run ended, a name from FATES: pi(best) above .99, between, below .01.  [N]"""
    best = policies[-1, :, int(np.argmax(REWARDS))]
    return np.array(FATES)[np.where(stuck(policies[-1], REWARDS), 1, np.where(best > 0.99, 0, 2))]


def shares(policies: np.ndarray) -> dict[str, stats.Interval]:
    """The share of the runs with each fate, with Wilson's interval."""
    ends = fates(policies)
    return {fate: stats.proportion_interval(int((ends == fate).sum()), len(ends)) for fate in FATES}


def which_sticks(below: np.ndarray, above: np.ndarray) -> int:
    """Which of two sets of runs gets stuck more often: 1 the first, 2 the second, 0 not told
    apart, because their intervals overlap."""
    first, second = (shares(policies)[FATES[1]] for policies in (below, above))
    return 1 if first.low > second.high else 2 if second.low > first.high else 0


@lru_cache(maxsize=256)
def never_pulled(step_size: float, b: float, count: int, seed: int = 0) -> stats.Interval:
    """Simulated share of runs that never pull the good of two arms: what `never_good_arm` gives.

    Wilson's interval, n = count runs of 100 steps. The reward of an arm that is never pulled
    cannot matter: the good arm pays 1e6, so that one pull commits to it, and the runs that end on
    the other arm are those that never pulled it.
    """
    rewards = (1e6, 0.0)
    policies = natural_runs(
        rewards,
        lambda logits, _: np.full(len(logits), b),
        runs=count,
        steps=100,
        step_size=step_size,
        every=100,
        seed=seed,
    )
    return stats.proportion_interval(int(stuck(policies[-1], rewards).sum()), count)
