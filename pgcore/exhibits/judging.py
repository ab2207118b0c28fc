"""Experiments whose numbers are no returns: does a seed repeat, is a judgement right?

Each gives one number a seed: 1 where the code did what its reader believes, 0 where it did not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pgcore import stats
from pgcore.exhibits.exhibit import AREA, FINAL, Runs, Training, short
from pgcore.exhibits.learner import Learner
from pgcore.history import History
from pgcore.learners import compiled

SOLVED, SOLVED_V0 = 475.0, 195.0  # Gymnasium's thresholds of CartPole-v1 and of v0
EPISODES = 100
STUDY = 10  # seeds in a study, as in the notebook
LEARNED = short("actor_critic", 30_000)


def mean_of_100(history: History, draw: int) -> np.ndarray:
    """Each last policy's mean return over 100 episodes; another `draw` has other episodes.  [S]"""
    config = history.config.replace(eval_episodes=EPISODES)
    at = config.total_timesteps + draw
    return compiled.evaluate(history.checkpoints[-1], config, config.seeds, at).mean(-1)


def judged_solved(claim: Callable[[History], np.ndarray], seeds: range) -> Runs:
    """How often a claim "solved" agrees with 100 further episodes, beside the claim by 100.

    Args:
        claim: from a history to one bool a seed.
    """
    history = Training(LEARNED).train(LEARNED, Learner, seeds)
    truth = mean_of_100(history, 2) >= SOLVED
    right = [said == truth for said in (claim(history), mean_of_100(history, 1) >= SOLVED)]
    name = "share of the agents judged rightly"
    return Runs({name: (right[0].astype(float), right[1].astype(float))})


def best_of_five(history: History) -> np.ndarray:
    """Solved if any evaluation of five episodes reached 475.  [S] bool"""
    return history.reached(SOLVED)


def as_in_v0(history: History) -> np.ndarray:
    """Solved if 100 episodes reach 195, the threshold of CartPole-v0.  [S] bool"""
    return mean_of_100(history, 1) >= SOLVED_V0


def overlap(seeds: range) -> Runs:
    """Studies of ten seeds: is the difference of two estimators seen?

    By bands of mean and standard deviation that do not overlap, and by a 95% interval of the
    difference that leaves out 0. A row is a study; no seed is in two of them.
    """
    scores = []
    for algorithm in ("policy_gradient", "actor_critic"):
        config = short(algorithm)
        scores.append(Training(config).train(config, Learner, seeds).final_returns)
    apart, told = [], []
    for first in range(0, len(seeds) - STUDY + 1, STUDY):
        x, y = (score[first : first + STUDY] for score in scores)
        apart.append(not _cross(stats.std_band(x), stats.std_band(y)))
        gap = stats.difference_interval(x, y)
        told.append(bool(gap.low > 0 or gap.high < 0))
    name = "share of the studies of ten seeds that see the difference"
    return Runs({name: (np.array(apart, float), np.array(told, float))})


def _cross(a: stats.Interval, b: stats.Interval) -> bool:
    return bool(a.low <= b.high and b.low <= a.high)


def repeated(seeds: range) -> Runs:
    """Train the notebook's first agent twice for each seed: does the second run repeat the first?

    As written only the environment is seeded; corrected, torch is too. One update of 32 steps is
    enough to see it. torch's own generator is put back afterwards.
    """
    import torch

    from pgcore.exhibits import lab

    def weights(seed: int, seeded: bool) -> np.ndarray:
        if seeded:
            torch.manual_seed(seed)
        agent = lab.PolicyGradient()
        lab.train(agent, seed, timesteps=lab.BATCH_SIZE)
        return torch.cat([p.detach().ravel() for p in agent.actor.parameters()]).numpy()

    same: dict[bool, list[float]] = {}
    with torch.random.fork_rng():
        torch.manual_seed(20_260_101)  # so that this experiment itself repeats
        for seeded in (False, True):
            same[seeded] = [
                float(np.array_equal(weights(seed, seeded), weights(seed, seeded)))
                for seed in seeds
            ]
    name = "share of the seeds whose second run repeats the first"
    return Runs({name: (np.array(same[False]), np.array(same[True]))})


def sharing() -> Learner:
    """A learner whose evaluation draws from the stream of the training actions.

    After an evaluation the training goes on with other draws, as it does when both take their
    random numbers from torch's one generator.
    """
    training: list[Any] = []  # the rollout that was filled last

    def collect(rollout, params, until):
        training[:] = [rollout]
        compiled.collect(rollout, params, until)

    def evaluate(params, config, seeds, at):
        returns = compiled.evaluate(params, config, seeds, at)
        training[0].action_keys += returns.sum(-1).astype(np.uint64)  # as many draws are gone
        return returns

    return Learner(collect=collect, evaluate=evaluate)


def untouched(seeds: range) -> Runs:
    """Does a seed end with the same policy when it is evaluated half as often?"""
    config = short("actor_critic")
    rarely = config.replace(eval_interval=2 * config.eval_interval)
    same, found = [], []
    for make in (sharing, Learner):
        often = Training(config).train(config, make, seeds)
        other = Training(config).train(rarely, make, seeds)
        equal = (often.checkpoints[-1] == other.checkpoints[-1]).all(-1)
        same.append(equal.astype(float))
        found.append(often)
    bad, good = found
    outcomes = {
        "share of the seeds that evaluation leaves as they are": (same[0], same[1]),
        FINAL: (bad.final_returns, good.final_returns),
        AREA: (bad.area_under_curve, good.area_under_curve),
    }
    return Runs(outcomes, good.eval_steps, bad.eval_returns, good.eval_returns)
