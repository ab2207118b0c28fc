"""Evaluation: whole episodes of a frozen policy, from streams of their own.

Nothing here touches training: other draws, other environments. Episode e of the evaluation after
n steps has the same start and the same draws whatever else was evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pgcore import envs, seeding
from pgcore.config import Config
from pgcore.rollout import make_env, sample

FIRST_ACTION = 4  # counters 0 to 3 of an episode's stream are its start state


def episode_keys(seeds: Sequence[int], at: int, episodes: int) -> np.ndarray:
    """One stream an episode.  [S, E] uint64"""
    of_seed = seeding.fold(seeding.keys(seeds, "evaluation"), np.array([at], np.uint64))[:, None]
    return seeding.fold(of_seed, np.arange(episodes, dtype=np.uint64))


def episodic_returns(
    policy: Callable[[np.ndarray], np.ndarray], config: Config, seeds: Sequence[int], at: int
) -> np.ndarray:
    """Undiscounted returns of one episode a row, all rows in step.

    Args:
        policy: obs [S * E, D] -> action probabilities [S * E, A].

    Returns: [S, E].
    """
    shape = len(seeds), config.eval_episodes
    keys = episode_keys(seeds, at, config.eval_episodes).ravel()
    env = make_env(config.env_id, keys)
    returns = np.zeros(len(keys), np.float32)
    running = np.ones(len(keys), np.bool_)
    for t in range(envs.describe(config.env_id).max_episode_steps):
        probs = policy(env.obs)
        draws = seeding.uniform(keys, np.array([FIRST_ACTION + t], np.uint64))
        actions = probs.argmax(-1) if config.eval_greedy else sample(probs, draws)
        rewards, terminated, truncated, _ = env.step(actions, running)
        returns += rewards
        running = running & ~(terminated | truncated)
        if not running.any():
            break
    return returns.reshape(shape)
