"""Any Gymnasium environment with discrete actions, one a row, behind CartPole's interface."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np

from pgcore import seeding


class GymEnv:
    """S copies of one environment. Every reset is explicit and seeded by (row, episode).

    A row can wait while others go on, which `gymnasium.make_vec` cannot do; its synchronous
    form steps the rows in the same Python loop.
    """

    def __init__(self, env_id: str, keys: np.ndarray, fixed_seeds=None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old versions are deprecated, and wanted
            self._envs = [gymnasium.make(env_id) for _ in keys]
        self.keys, self._fixed_seeds = keys, fixed_seeds
        self.episodes = np.zeros(len(keys), np.uint64)
        self.obs = np.array([self._reset(row) for row in range(len(keys))], np.float32)

    def _reset(self, row: int) -> np.ndarray:
        if self._fixed_seeds is not None:
            seed = self._fixed_seeds[row]
        else:
            key = seeding.fold(self.keys[row : row + 1], self.episodes[row : row + 1])
            seed = int(key[0] >> np.uint64(33))
        return self._envs[row].reset(seed=seed)[0]

    def step(self, actions: np.ndarray, active: np.ndarray):
        """As `CartPole.step`."""
        rows = len(self.keys)
        rewards = np.zeros(rows, np.float32)
        terminated, truncated = np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
        final_obs = self.obs.copy()
        for row in np.flatnonzero(active).tolist():
            obs, rewards[row], fell, late, _ = self._envs[row].step(int(actions[row]))
            final_obs[row] = self.obs[row] = obs
            terminated[row], truncated[row] = fell, late and not fell
            if fell or late:
                self.episodes[row] += np.uint64(1)
                self.obs[row] = self._reset(row)
        return rewards, terminated, truncated, final_obs
