"""Rollout: S agents acting, each on its own clock, until their batches are complete.

A step method completes a batch after `batch_size` steps; a whole-episode method at the first
episode's end from there on. Agents pause at `until`, in mid-batch if need be, to be evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pgcore import envs, returns, seeding
from pgcore.algorithms import ALGORITHMS
from pgcore.batch import Batch
from pgcore.compilation import kernel
from pgcore.config import Config
from pgcore.envs.cartpole import CartPole
from pgcore.envs.gym import GymEnv

DECAY, REST = np.float32(0.9), np.float32(1 - 0.9)  # of the running mean


def make_env(env_id: str, keys: np.ndarray, fixed_seeds: Sequence[int] | None = None):
    """The batched environment for `env_id`, one row a key."""
    spec = envs.describe(env_id)
    if spec.compiled:
        return CartPole(keys, spec.max_episode_steps, fixed_seeds)
    return GymEnv(env_id, keys, fixed_seeds)


def sample(probs: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Actions by inverting the cumulative distribution: probs [S, A], draws [S] -> [S]."""
    below = np.cumsum(probs, axis=-1)[:, :-1] <= 1 - draws[:, None]
    return below.sum(-1)


class Rollout:
    """The agents' environments, clocks and the batch that is being filled."""

    def __init__(self, config: Config, seeds: Sequence[int]) -> None:
        spec = envs.describe(config.env_id)
        self.config, rows = config, len(seeds)
        self.whole_episodes = ALGORITHMS[config.algorithm].whole_episodes
        room = config.batch_size + (spec.max_episode_steps - 1 if self.whole_episodes else 0)
        fixed = seeds if config.fixed_start else None
        self.env = make_env(config.env_id, seeding.keys(seeds, "resets"), fixed)
        self.action_keys = seeding.keys(seeds, "actions")  # [S]
        self.clock = np.zeros(rows, np.int64)  # steps taken so far
        self.length = np.zeros(rows, np.int64)  # steps in the batch so far
        self.ready = np.zeros(rows, np.bool_)  # the batch is complete
        self.past_mean = np.zeros(rows, np.float32)
        self.obs = np.zeros((rows, room, spec.obs_dim), np.float32)
        self.final_obs = np.zeros_like(self.obs)
        self.actions = np.zeros((rows, room), np.int64)
        self.probs = np.ones((rows, room), np.float32)
        self.rewards = np.zeros((rows, room), np.float32)  # as the environment pays them
        self.terminated = np.zeros((rows, room), np.bool_)
        self.truncated = np.zeros((rows, room), np.bool_)

    def collect(self, policy: Callable[[np.ndarray], np.ndarray], until: int) -> None:
        """Act until every row is ready or its clock stands at `until`.

        Args:
            policy: obs [S, D] -> action probabilities [S, A].
        """
        self.length[self.ready] = 0  # those batches were used
        self.ready[:] = False
        rows = np.arange(len(self.clock))
        while (active := ~self.ready & (self.clock < until)).any():
            obs, t = self.env.obs, self.length
            probs = policy(obs)  # [S, A]
            draws = seeding.uniform(self.action_keys, self.clock.astype(np.uint64))
            actions = sample(probs, draws)
            rewards, terminated, truncated, final_obs = self.env.step(actions, active)
            at = rows[active], t[active]
            self.obs[at], self.final_obs[at] = obs[active], final_obs[active]
            self.actions[at], self.probs[at] = actions[active], probs[rows, actions][active]
            self.rewards[at] = rewards[active]
            self.terminated[at], self.truncated[at] = terminated[active], truncated[active]
            self.length += active
            self.clock += active
            complete = self.length >= self.config.batch_size
            if self.whole_episodes:
                complete &= terminated | truncated
            self.ready |= complete & active

    def batch(self, values: np.ndarray, final_values: np.ndarray) -> Batch:
        """The complete batches with the critic's view of them; moves the running mean on.

        Here `reward_offset` enters, for both learners: a batch holds the rewards learned from.

        Args:
            values, final_values: [S, T] V_phi of `obs` and of `final_obs`.
        """
        offset, rewards = self.config.reward_offset, self.rewards
        if offset:
            rewards = rewards + np.float32(offset)
        terminated = self.terminated
        if not self.config.bootstrap_truncation:  # the lab: a truncation counts as a termination
            terminated = terminated | self.truncated
        q_values = returns.bootstrapped_q(
            rewards, final_values, terminated, self.truncated, np.float32(self.config.gamma)
        )
        past_mean, self.past_mean = self.past_mean, self.past_mean.copy()
        valid = np.zeros(rewards.shape, np.bool_)
        _close(q_values, self.length, self.ready, valid, self.past_mean)
        return Batch(
            obs=self.obs,
            actions=self.actions,
            probs=self.probs,
            rewards=rewards,
            terminated=self.terminated,
            truncated=self.truncated,
            final_obs=self.final_obs,
            valid=valid,
            values=values,
            final_values=final_values,
            q_values=q_values,
            past_mean=past_mean,
        )


@kernel
def _close(q_values, length, ready, valid, mean):
    """Marks the steps that belong to a complete batch, `valid` [S, T] bool, and moves the running
    mean m = 0.9 m + 0.1 mean(Q), `mean` [S], on in the rows that are ready."""
    for s in range(len(ready)):
        if ready[s]:
            for t in range(length[s]):
                valid[s, t] = True
            mean[s] = DECAY * mean[s] + REST * q_values[s, : length[s]].mean()
