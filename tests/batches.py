"""Batches at will: a rollout's buffers filled by hand, so that pgcore itself makes the Batch."""

from __future__ import annotations

import numpy as np

from pgcore.algorithms import ALGORITHMS
from pgcore.batch import Batch
from pgcore.config import Config
from pgcore.learners import compiled, shape_of
from pgcore.networks import Shape, initial_parameters
from pgcore.rollout import Rollout

GOES_ON, TERMINATED, TRUNCATED = range(3)


def config_for(algorithm: str, ends: np.ndarray, **changes) -> Config:
    """A config whose batches have the shape of `ends` [S, T]."""
    seeds, steps = ends.shape
    return Config(algorithm=algorithm, num_seeds=seeds, batch_size=steps, **changes)


def random_ends(seeds: int, steps: int, rng: np.random.Generator, share: float = 0.2) -> np.ndarray:
    """How each step ended: GOES_ON, TERMINATED or TRUNCATED.  [S, T]"""
    return rng.choice(3, size=(seeds, steps), p=[1 - share, share / 2, share / 2])


def filled_rollout(config: Config, ends: np.ndarray, rng: np.random.Generator) -> Rollout:
    """A rollout whose batches are complete: random throughout, but for `ends` [S, T].

    Where an episode goes on, what followed is what is seen next. Whole-episode methods get their
    end at the last step, and padding behind it.
    """
    rollout = Rollout(config, config.seeds)
    (rows, room), steps = rollout.rewards.shape, ends.shape[1]
    ends = np.pad(ends, ((0, 0), (0, room - steps)))
    if rollout.whole_episodes:
        ends[:, steps - 1] = ends[:, steps - 1].clip(TERMINATED)
    seen = rng.normal(size=(rows, room + 1, rollout.obs.shape[-1]))
    rollout.obs[:], rollout.final_obs[:] = seen[:, :-1], seen[:, 1:]
    rollout.final_obs[ends > 0] += rng.normal(size=(int((ends > 0).sum()), 1))
    rollout.actions[:] = rng.integers(2, size=(rows, room))
    rollout.probs[:] = rng.uniform(0.2, 0.8, size=(rows, room))
    rollout.rewards[:] = rng.normal(1, 1, size=(rows, room))
    rollout.terminated[:], rollout.truncated[:] = ends == TERMINATED, ends == TRUNCATED
    rollout.past_mean[:] = rng.normal(size=rows)
    rollout.length[:], rollout.ready[:] = steps, True
    return rollout


def random_parameters(shape: Shape, obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Initial parameters whose hidden units keep off ReLU's kink on `obs` [S, T, D].  [S, P]

    At the kink the gradient jumps, and the last bit of a sum decides; of several units we take
    the one that stays farthest away.
    """
    seeds = rng.integers(2**31, size=(16, len(obs))).tolist()
    draws = [initial_parameters(shape, row) for row in seeds]  # C x [S, P]
    params = draws[0].copy()
    for network in (shape.policy, shape.critic):
        w1, b1 = (np.array(arrays) for arrays in zip(*(network(d)[:2] for d in draws), strict=True))
        best = np.abs(obs @ w1 + b1[:, :, None]).min(2).argmax(0)  # [S, H]
        chosen = network(params)
        chosen.w1[:] = np.take_along_axis(w1, best[None, :, None], 0)[0]  # [S, D, H]
        chosen.b1[:] = np.take_along_axis(b1, best[None], 0)[0]  # [S, H]
    return params


def random_batch(
    config: Config, ends: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, Batch, np.ndarray]:
    """Parameters [S, P], the batch that pgcore makes of a filled rollout, and its Psi [S, T]."""
    rollout = filled_rollout(config, ends, rng)
    params = random_parameters(shape_of(config), rollout.obs[:, : ends.shape[1]], rng)
    batch = compiled.assess(rollout, params)
    return params, batch, ALGORITHMS[config.algorithm].weight(batch, config)
