"""The environments: CartPole, batched and compiled, and any Gymnasium one with discrete actions."""

from __future__ import annotations

import difflib
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gymnasium


@dataclass(frozen=True)
class EnvSpec:
    """What a learner must know of an environment."""

    env_id: str
    obs_dim: int
    num_actions: int
    max_episode_steps: int
    reward_threshold: float | None
    step_rewards: tuple[float, float] = (-1.0, 0.0)  # least and highest, as in the classic tasks
    compiled: bool = False  # has compiled loops: trains without torch, and gradients are measured
    watchable: bool = False  # its episodes can be recorded and drawn

    @property
    def return_range(self) -> tuple[float, float]:
        """The lowest and the highest episodic return, for a chart's axis."""
        low, high = self.step_rewards
        return low * self.max_episode_steps, high * self.max_episode_steps


CARTPOLE: dict[str, Any] = {"step_rewards": (0.0, 1.0), "compiled": True, "watchable": True}
LONGEST = 100  # characters of a name that is compared with those that are known
DECLARED = {"CartPole-v0": CARTPOLE, "CartPole-v1": CARTPOLE}  # what Gymnasium does not say


@lru_cache(maxsize=32)
def describe(env_id: str) -> EnvSpec:
    """Look the environment up in Gymnasium's registry.

    Raises: ValueError if it is unknown, or has no flat observations or discrete actions.
    """
    spec = gymnasium.envs.registry.get(env_id)  # no "module:Env" here: a link must not import
    if spec is None:
        near = difflib.get_close_matches(env_id[:LONGEST], gymnasium.envs.registry, n=1)
        hint = f", perhaps {near[0]}" if near else ""
        raise ValueError(
            f"env_id is {env_id[:40]!r}; it must be an environment that Gymnasium knows{hint}, "
            "such as CartPole-v1 or Acrobot-v1."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # v0 is deprecated, and wanted
            env = gymnasium.make(env_id)
    except (ImportError, gymnasium.error.Error):
        raise ValueError(
            f"env_id is {env_id!r}, which needs packages that are not installed; "
            "CartPole-v1 and Acrobot-v1 run as they are."
        ) from None
    obs, actions, limit = env.observation_space, env.action_space, spec.max_episode_steps
    env.close()
    flat = isinstance(obs, gymnasium.spaces.Box) and len(obs.shape) == 1
    if not flat or not isinstance(actions, gymnasium.spaces.Discrete) or limit is None:
        raise ValueError(
            f"env_id is {env_id!r}; it must have discrete actions, a flat vector of observations "
            "and a time limit, such as CartPole-v1 or Acrobot-v1."
        )
    size = gymnasium.spaces.flatdim(obs)
    own = DECLARED.get(env_id, {})
    return EnvSpec(env_id, size, int(actions.n), limit, spec.reward_threshold, **own)
