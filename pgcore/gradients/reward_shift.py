"""Shifted rewards: a constant c added to every reward is no baseline.

With n steps left in an episode, the shift moves the return of a step by

    c + gamma c + ... + gamma^(n-1) c = c (1 - gamma^n) / (1 - gamma),

and actions decide how large n is. A baseline moves Q by one number, whatever follows, and so no
expected gradient. The two agree only where no episode ends (Sutton & Barto 2018, exercises 3.15
and 3.16). CartPole pays 1 a step: there the shift makes (1 + c) Q of Q, and (1 + c) g of the true
gradient g, which is 0 for c = -1 and turned round for c = -2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pgcore import stats
from pgcore.config import Config
from pgcore.episodes import play
from pgcore.history import History
from pgcore.learners import compiled
from pgcore.stats import Interval

OFFSETS = (0.0, -1.0, -2.0)  # r, r - 1, r - 2
EPISODES = 200  # that show Q
UNTRAINED = 100  # episodes of each seed before training


class Outcome(NamedTuple):
    """What learning with one offset made of the episodic return; every n counts seeds."""

    before: Interval  # before training
    final: Interval  # at its end
    change: Interval  # of the same seed, from before training to its end
    gap: Interval  # to the agents that learned with offset 0: final less theirs


def outcomes(histories: Mapping[float, History]) -> dict[float, Outcome]:
    """The outcome of each offset, from finished runs that differ in nothing else, 0 among them.

    Means have 95% t intervals; `change` is paired over seeds, `gap` is Welch's (Welch 1947).
    """
    plain = histories[0.0]
    before = untrained_returns(plain)  # the offset changes nothing yet
    return {
        offset: Outcome(
            stats.mean_t_interval(before),
            stats.mean_t_interval(history.final_returns),
            stats.mean_t_interval(history.final_returns - before),
            stats.difference_interval(plain.final_returns, history.final_returns),
        )
        for offset, history in histories.items()
    }


def untrained_returns(history: History) -> np.ndarray:
    """Mean episodic return of each seed's policy before training, on CartPole.  [S]"""
    config = history.config.replace(eval_episodes=UNTRAINED)
    return compiled.evaluate(history.checkpoints[0], config, config.seeds, 0).mean(-1)


@dataclass(frozen=True)
class ReturnsToGo:
    """Q of every step of E episodes of one policy, N steps in all: what truly followed."""

    steps_left: np.ndarray  # [N] int64, until the episode ended, the step itself included
    q: np.ndarray  # [N] float64
    first: Interval  # Q of an episode's first step, a 95% t interval; n counts episodes
    last: float  # Q of an episode's last step
    cut: int  # episodes that the clock ended; what would have followed counts as 0

    def by_steps_left(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of steps left that were seen, in order, and their Q: one for each number,
        because every step pays the same."""
        left, where = np.unique(self.steps_left, return_index=True)
        return left, self.q[where]


def returns_to_go(
    params: np.ndarray, config: Config, seed: int, at: int, episodes: int = EPISODES
) -> dict[float, ReturnsToGo]:
    """The same episodes of one policy, their rewards shifted by each of OFFSETS.

    Args:
        params: [P] any checkpoint of any CartPole run of `config`'s hidden_dim.
        config: its gamma counts; its own `reward_offset` does not.
        seed, at: whose evaluation streams, and after how many environment steps.

    Raises: ValueError as `episodes.play`.
    """
    found = {}
    for offset in OFFSETS:
        played = play(params, config.replace(reward_offset=offset), seed, at, episodes)
        found[offset] = ReturnsToGo(
            np.concatenate([episode.length - np.arange(episode.length) for episode in played]),
            np.concatenate([episode.returns for episode in played]).astype(np.float64),
            stats.mean_t_interval([float(episode.returns[0]) for episode in played]),
            float(played[0].returns[-1]),
            sum(not episode.terminated for episode in played),
        )
    return found
