"""Two learners, one truth: the same five functions, read in autograd.py, run in compiled.py.

collect(rollout, params, until)     act until batches are complete, or the clocks stand at `until`
assess(rollout, params)             the batches, with the critic's V of what they hold
gradient(params, batch, psi, index, config)  the loss's gradient, a row a seed
step(state, gradient, rows, config)          Adam
evaluate(params, config, seeds, at)          episodic returns

`params` is [S, P] float32, as networks.py lays it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pgcore import envs, networks
from pgcore.config import Config


@dataclass
class State:
    """What training changes: parameters and Adam's moments, a row a seed."""

    params: np.ndarray  # [S, P] float32
    m: np.ndarray  # [S, P]
    v: np.ndarray  # [S, P]
    updates: np.ndarray  # [S] int64, Adam steps so far

    @classmethod
    def initial(cls, config: Config, seeds: range) -> State:
        params = networks.initial_parameters(shape_of(config), seeds)
        zeros = np.zeros_like(params)
        return cls(params, zeros, zeros.copy(), np.zeros(len(seeds), np.int64))


def shape_of(config: Config) -> networks.Shape:
    """The shape of a config's networks."""
    env = envs.describe(config.env_id)
    return networks.Shape(env.obs_dim, config.hidden_dim, env.num_actions)


@lru_cache(maxsize=16)
def learning_rates(config: Config) -> np.ndarray:
    """Adam's step size for each parameter of a row, read-only.  [P] float32"""
    shape = shape_of(config)
    rates = np.full(shape.size, config.critic_learning_rate, np.float32)
    rates[: shape.policy_size] = config.learning_rate
    rates.setflags(write=False)
    return rates
