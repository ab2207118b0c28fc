"""Config: everything that decides a run, one `setting(...)` line a hyperparameter.

From that line follow the widget, the command-line flag, the check, the link and the
documentation row.
"""

from __future__ import annotations

import dataclasses
import reprlib
import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from pgcore import envs, networks
from pgcore import formula as formulas
from pgcore.algorithms import ALGORITHMS

MAX_CHECKPOINT_BYTES = 512 * 2**20


def setting(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    log: bool = False,
    choices: Collection[str] | None = None,
) -> Any:
    """One hyperparameter: its default, what it is, and what is allowed."""
    bounds = dict(help=help, low=low, high=high, step=step, log=log, choices=choices)
    return field(default=default, metadata=types.MappingProxyType(bounds))


@dataclass(frozen=True)
class Config:
    """All that decides a run: two equal configs give bit-identical histories.

    Raises: ValueError that names the field, its value and what is allowed.
    """

    algorithm: str = setting("actor_critic", "Estimator", choices=ALGORITHMS)
    env_id: str = setting("CartPole-v1", "Gymnasium environment with discrete actions")
    num_seeds: int = setting(10, "Seeds", low=1, high=1000, step=1)
    first_seed: int = setting(0, "First seed", low=0, high=2**31 - 1, step=1)
    total_timesteps: int = setting(
        10_000, "Environment steps per seed", low=32, high=1_000_000, step=1000, log=True
    )
    batch_size: int = setting(32, "Steps per batch", low=1, high=2048, step=1, log=True)
    hidden_dim: int = setting(32, "Hidden units", low=1, high=256, step=1, log=True)
    learning_rate: float = setting(
        5e-3, "Learning rate of the policy", low=1e-5, high=1.0, log=True
    )
    critic_learning_rate: float = setting(
        5e-3, "Learning rate of the critic", low=1e-5, high=1.0, log=True
    )
    gamma: float = setting(0.99, "Discount factor", low=0.0, high=1.0, step=0.005)
    reward_offset: float = setting(
        0.0, "Added to every reward in training", low=-5.0, high=5.0, step=0.5
    )
    gae_lambda: float = setting(0.95, "GAE's lambda", low=0.0, high=1.0, step=0.01)
    value_coef: float = setting(0.5, "Weight of the value loss", low=0.0, high=10.0, step=0.05)
    entropy_coef: float = setting(0.0, "Weight of the entropy bonus", low=0.0, high=1.0, step=0.005)
    baseline: float = setting(30.0, "The constant baseline b", low=-1000.0, high=1000.0, step=1.0)
    formula: str = setting("q - v", "Your own weight or baseline")
    clip_range: float = setting(0.2, "PPO's clip range", low=0.01, high=1.0, step=0.01)
    num_epochs: int = setting(4, "PPO's epochs per batch", low=1, high=20, step=1)
    minibatch_size: int = setting(8, "PPO's steps per minibatch", low=1, high=2048, step=1)
    eval_interval: int = setting(
        500, "Steps between evaluations", low=1, high=1_000_000, step=100, log=True
    )
    eval_episodes: int = setting(5, "Episodes per evaluation", low=1, high=100, step=1)
    eval_greedy: bool = setting(False, "Evaluate the most probable action, not a sampled one")
    bootstrap_truncation: bool = setting(
        True, "Bootstrap where the clock ends an episode (the lab: no)"
    )
    fixed_start: bool = setting(False, "One start state per seed, for ever (the lab: yes)")
    learner: str = setting(
        "compiled", "Compiled (CartPole) or torch autograd", choices=("compiled", "autograd")
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if isinstance(value, np.generic):
                value = value.item()
            _check(spec, value)
            kind: Any = type(spec.default)  # gamma = 1, 1.0 and np.float32(1) are one config
            object.__setattr__(self, spec.name, kind(value))
        try:
            formulas.parse(self.formula)
        except ValueError as error:
            raise ValueError(f"formula is {self.formula[:40]!r}: {error}") from None
        env = envs.describe(self.env_id)
        if self.eval_interval > self.total_timesteps:
            raise ValueError(
                f"eval_interval is {self.eval_interval}; it must not exceed total_timesteps "
                f"({self.total_timesteps}), or nothing would be evaluated."
            )
        shape = networks.Shape(env.obs_dim, self.hidden_dim, env.num_actions)
        numbers = shape.size + self.eval_episodes
        kept = 4 * numbers * self.num_seeds * (len(self.eval_steps) + 1)
        if kept > MAX_CHECKPOINT_BYTES:
            raise ValueError(
                f"what is kept of every evaluation would take {kept / 2**20:,.0f} MB; at most "
                f"{MAX_CHECKPOINT_BYTES // 2**20} MB are allowed: raise eval_interval, or lower "
                "num_seeds, hidden_dim or eval_episodes."
            )

    @property
    def eval_steps(self) -> range:
        """Environment steps at which the policy is evaluated.  [K]"""
        return range(self.eval_interval, self.total_timesteps + 1, self.eval_interval)

    @property
    def seeds(self) -> range:
        """The training seeds.  [S]"""
        return range(self.first_seed, self.first_seed + self.num_seeds)

    def replace(self, **changes: Any) -> Config:
        """The same config with some fields changed, checked again."""
        return dataclasses.replace(self, **changes)

    @classmethod
    def lab(cls, **changes: Any) -> Config:
        """The lab notebook as written, with `changes`.

        A truncation counts as a termination, and every episode of a seed starts in the same state.
        Its second task, `batch_mean`, has no value loss, so the critic that bootstraps is never
        trained; the mended variant is `Config.lab(algorithm="batch_mean", value_coef=0.5)`.
        """
        written: dict[str, Any] = {"bootstrap_truncation": False, "fixed_start": True}
        if changes.get("algorithm") == "batch_mean":
            written["value_coef"] = 0.0
        return cls(**(written | changes))

    @classmethod
    def from_strings(cls, texts: Mapping[str, str]) -> Config:
        """A config from a link or a command line: every value is text and none is trusted."""
        known = {spec.name: spec for spec in fields(cls)}
        for name in texts:
            if name not in known:
                raise ValueError(f"{name[:40]!r} is no setting; there are {', '.join(known)}.")
        return cls(**{name: _parsed(known[name], text) for name, text in texts.items()})

    def to_strings(self) -> dict[str, str]:
        """Every field as text, defaults too, so that a link outlives a changed default."""
        return {spec.name: str(getattr(self, spec.name)) for spec in fields(self)}

    def to_python(self) -> str:
        """The constructor call that makes this config, only what differs from the defaults."""
        changed = (f for f in fields(self) if getattr(self, f.name) != f.default)
        return f"Config({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in changed)})"


def _parsed(spec: dataclasses.Field[Any], text: str) -> Any:
    kind: Any = type(spec.default)
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{spec.name} is {text[:40]!r}; it must be true or false.")
        return text.lower() == "true"
    if kind is str:
        return text
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{spec.name} is {text[:40]!r}; {_allowed(spec)}") from None


def _allowed(spec: dataclasses.Field[Any]) -> str:
    noun = "a whole number" if isinstance(spec.default, int) else "a number"
    low, high = spec.metadata["low"], spec.metadata["high"]
    return f"it must be {noun} from {low:,} to {high:,}."


def _check(spec: dataclasses.Field[Any], value: Any) -> None:
    kind: Any = type(spec.default)
    bounds = spec.metadata
    if kind is str or kind is bool:
        if not isinstance(value, kind):
            wanted = "text" if kind is str else "True or False"
            raise ValueError(f"{spec.name} is {_shown(value)}; it must be {wanted}.")
        if bounds["choices"] and value not in bounds["choices"]:
            allowed = ", ".join(bounds["choices"])
            raise ValueError(f"{spec.name} is {str(value)[:40]!r}; it must be one of {allowed}.")
        return
    number = isinstance(value, int if kind is int else (int, float)) and not isinstance(value, bool)
    if not number or not bounds["low"] <= value <= bounds["high"]:  # NaN compares as False
        raise ValueError(f"{spec.name} is {_shown(value)}; {_allowed(spec)}")


def _shown(value: Any) -> str:
    """A value of any kind and size, in a few characters."""
    # Python itself does not write whole numbers of any size.
    huge = isinstance(value, int) and abs(value) >= 10**40
    return "a number of more than 40 digits" if huge else reprlib.repr(value)[:40]
