"""Runs as jobs: the identity of a config, how long its run takes, and where it is computed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

import numpy as np

from pgcore import warmup, worker
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.control import Control
from pgcore.history import History
from pgcore.jobs import ENGINE, Job, Progress
from pgcore.learners import shape_of
from pgcore.limits import LIMITS
from pgcore.train import final_evaluation, learner_name, stream

VERSION = 3  # raise it when a change alters histories: old runs are then other runs
QUICK_SECONDS = 1.0

# Seconds per unit of work on one core, corrected by every run that ends (`_learn_speed`).
TRAIN_STEP, EVAL_STEP, FLOP, UPDATE = 1e-7, 4e-8, 1e-11, 1e-4
TORCH_SLOWDOWN, TORCH_START = 40.0, 2.5
GUESSED_EPISODE = 250.0

BETWEEN_NEWS = 0.05  # seconds, at least, between two messages of another process
TINY = Config(num_seeds=1, total_timesteps=32, eval_interval=32)


@lru_cache(maxsize=1024)
def identity(config: Config) -> str:
    """16 hex digits that name a config's history."""
    text = json.dumps([VERSION, config.to_strings()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def expected_seconds(config: Config) -> float:
    """A guess at a run's length, good to a factor of two or so."""
    method = ALGORITHMS[config.algorithm]
    passes = config.num_epochs if method.clipped else 1
    steps = config.total_timesteps * config.num_seeds
    episodes = len(config.eval_steps) * config.eval_episodes * config.num_seeds
    flops = 30 * shape_of(config).size
    seconds = steps * passes * (TRAIN_STEP + FLOP * flops)
    seconds += episodes * GUESSED_EPISODE * (EVAL_STEP + FLOP * flops / 15)
    seconds += config.total_timesteps / config.batch_size * passes * UPDATE
    if learner_name(config) == "autograd":
        seconds = TORCH_START + seconds * TORCH_SLOWDOWN
    return seconds * _speed["measured/guessed"]


_speed = {"measured/guessed": 1.0}


def _learn_speed(config: Config, seconds: float) -> None:
    ratio = seconds / expected_seconds(config)
    corrected = _speed["measured/guessed"] * ratio**0.2
    _speed["measured/guessed"] = min(max(corrected, 0.3), 3.0)


class Run(Job[History]):
    """The job that trains one config; `history` grows while it runs."""

    def __init__(self, config: Config) -> None:
        self.config = config
        rows = (len(config.eval_steps) + 1) * config.num_seeds
        size = 4 * rows * (shape_of(config).size + config.eval_episodes)
        seconds = expected_seconds(config)
        super().__init__(_key(config), self._train, lane_of(config), size, seconds)
        self.final: np.ndarray | None = None  # [S, E] the last policy, over many episodes

    @property
    def history(self) -> History | None:
        """Complete, or so far."""
        return self.result if self.result is not None else self.partial

    @property
    def steps(self) -> int:
        """Environment steps that its seeds will have trained, together."""
        return self.config.total_timesteps * self.config.num_seeds

    @property
    def steps_per_second(self) -> float:
        return self.share * self.steps / self.elapsed if self.elapsed else 0.0

    def _train(self, progress: Progress, control: Control) -> History:
        call = self._where()
        if call is None:
            history, self.final = _here(self.config, progress, control)
        else:
            history, self.final = _elsewhere(self.config, progress, control, call)
        _learn_speed(self.config, self.elapsed)
        return history

    def _where(self) -> Callable[..., Any] | None:
        """What calls another process that shall train; None to train here.

        A short run takes the GIL hundreds of times. While pages run for others, it waits for it
        each time. So once several viewers wait for runs, a process that stands by trains.
        """
        if self.lane == "process":
            return worker.call
        if self.lane == "quick" and ENGINE.watchers() > 1:
            worker.STAND_BY.prepare(_rows, (TINY,))
            if worker.STAND_BY.ready:
                return worker.STAND_BY.call
        return None


def run(config: Config, owner: Hashable = None) -> Run:
    """The run of this config, started if it is not there (or was cancelled, or failed).

    Raises: Busy if too many runs wait, or the owner waits for too many; ValueError, one sentence,
        if the server's owner allows no such run.
    """
    check(config)
    return ENGINE.ask(Run(config), owner)


def check(config: Config) -> None:
    """Raises: ValueError, one sentence, if the server's owner allows no such run."""
    for name, most in (
        ("num_seeds", LIMITS.seeds),
        ("total_timesteps", LIMITS.steps),
        ("hidden_dim", LIMITS.hidden),
    ):
        if getattr(config, name) > most:
            raise ValueError(
                f"{name} is {getattr(config, name):,}; this server allows up to {most:,}. "
                "On your own computer the lab goes further."
            )
    minutes = expected_seconds(config) / 60
    if minutes > LIMITS.minutes:
        raise ValueError(
            f"This run would take some {minutes:,.0f} minutes; this server allows up to "
            f"{LIMITS.minutes:,}. Choose fewer seeds or steps, or larger batches."
        )


def get(config: Config) -> Run | None:
    """The run of this config, if anybody has asked for it."""
    found = ENGINE.get(_key(config))
    assert found is None or isinstance(found, Run)
    return found


def lane_of(config: Config) -> str:
    """Where a run waits and how it is computed."""
    if learner_name(config) == "autograd":
        return "process"  # torch holds the GIL, and takes seconds to import
    return "quick" if expected_seconds(config) < QUICK_SECONDS else "long"


def _key(config: Config) -> tuple[str, str]:
    return "run", identity(config)


def _here(config: Config, progress: Progress, control: Control) -> tuple[History, np.ndarray]:
    for history in stream(config, control=control):
        progress(len(history.eval_steps) / len(config.eval_steps), history)
    return history, final_evaluation(history)


def _elsewhere(
    config: Config, progress: Progress, control: Control, call: Callable[..., Any]
) -> tuple[History, np.ndarray]:
    """The same history, to the bit, from another process, which sends it in pieces."""
    steps = np.array(config.eval_steps)
    returns = np.zeros((len(steps), config.num_seeds, config.eval_episodes), np.float32)
    checkpoints = np.zeros((len(steps) + 1, config.num_seeds, shape_of(config).size), np.float32)
    history = History(config, steps, returns, checkpoints)

    def hear(rows: Any) -> None:
        before, done, returns[before:done], checkpoints[before : done + 1] = rows
        progress(done / len(steps), history.upto(done))

    return history, call(_rows, (config,), control, hear)


def _rows(config: Config, tell: Callable[[Any], object]) -> np.ndarray:
    """Run in the other process: evaluations, and the parameters before and at them; some at once
    if they come fast.

    Returns: the last policy's returns over many episodes.
    """
    told, before = time.monotonic(), 0
    for history in stream(config):
        done = len(history.eval_steps)
        if history.complete or time.monotonic() - told > BETWEEN_NEWS:
            rows = slice(before, done), slice(before, done + 1)
            tell(
                (before, done, history.eval_episode_returns[rows[0]], history.checkpoints[rows[1]])
            )
            told, before = time.monotonic(), done
    return final_evaluation(history)


def warm_up() -> Job[None]:
    """The job that compiles (first start) or loads (later) what every run needs; asked again if it
    failed. Once it is done, runs start at full speed.
    """
    return ENGINE.ask(Job("warm-up", lambda progress, control: warmup.prepare(), "quick"))
