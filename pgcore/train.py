"""THE loop: `train(config)` gives the history, `stream(config)` the history as it grows.

No seed's computation uses another seed's, so the seeds are divided among threads, the caller's
thread included. Each thread runs the loop for its share; the kernels release the GIL. The result
has the same bits for any number of threads.
"""

from __future__ import annotations

import importlib
import queue
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from pgcore import compilation, envs, limits, seeding
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.control import Cancelled, Control
from pgcore.history import History
from pgcore.learners import State, shape_of
from pgcore.rollout import Rollout

PATIENCE = 2.0  # seconds; a first call that takes longer says that it compiles
SEEDS_WORTH_A_THREAD = 24  # below, threads cost more in waiting for the GIL than they gain


def train(
    config: Config | str | None = None, threads: int | None = None, **settings: Any
) -> History:
    """Train every seed of a config.

    Args:
        config: a Config, or an estimator's key: `train("ppo", num_seeds=100)` is
            `train(Config(algorithm="ppo", num_seeds=100))`.
        settings: of Config, where `config` is no Config yet or is to be changed.

    Returns: the complete `History`. Bit-identical on every call, for any number of threads.
    """
    if not isinstance(config, Config):
        config = Config() if config is None else Config(algorithm=config)
    with _notice_of_compiling():
        *_, history = stream(config.replace(**settings), threads)
    return history


@contextmanager
def _notice_of_compiling() -> Iterator[None]:
    """Print one line if the first call on this machine has to compile."""

    def tell() -> None:
        if not compilation.found_on_disk():
            print("pgcore: compiling the learner, some 5 s, once on this machine", file=sys.stderr)

    waiting = threading.Timer(PATIENCE, tell)
    waiting.daemon = True
    if not compilation.used():
        waiting.start()
    try:
        yield
    finally:
        waiting.cancel()


def stream(
    config: Config,
    threads: int | None = None,
    control: Control | None = None,
    learner: Any = None,
) -> Iterator[History]:
    """Train, yielding the history after each evaluation that every seed has reached.

    Args:
        learner: anything with the five functions of `pgcore.learners`; the config's own if not
            given. Every thread calls it.

    Raises: Cancelled if `control` was cancelled.
    """
    control = control or Control()
    steps = np.array(config.eval_steps)
    returns = np.zeros((len(steps), config.num_seeds, config.eval_episodes), np.float32)
    checkpoints = np.zeros((len(steps) + 1, config.num_seeds, shape_of(config).size), np.float32)
    history = History(config, steps, returns, checkpoints)
    own, *others = _shards(config, threads)
    reached: queue.SimpleQueue[int | BaseException] = queue.SimpleQueue()
    failures: list[BaseException] = []

    def record(shard: slice, k: int, evaluation: np.ndarray, params: np.ndarray) -> None:
        if k >= 0:
            returns[k, shard] = evaluation
        checkpoints[k + 1, shard] = params

    def work(shard: slice) -> None:
        try:
            for k, evaluation, params in learn(config, config.seeds[shard], control, learner):
                record(shard, k, evaluation, params)
                reached.put(k)
        except BaseException as error:  # raised again in the caller's thread
            failures.append(error)
            reached.put(error)
            control.cancel()

    # Daemons: a program that is told to stop need not wait for them.
    workers = [threading.Thread(target=work, args=(shard,), daemon=True) for shard in others]
    arrived = dict.fromkeys(range(-1, len(steps)), 0)
    try:
        for thread in workers:
            thread.start()
        for k, evaluation, params in learn(config, config.seeds[own], control, learner):
            record(own, k, evaluation, params)
            while arrived[k] < len(others):
                news = reached.get()
                if isinstance(news, BaseException):
                    raise news
                arrived[news] += 1
            if k >= 0:
                yield history.upto(k + 1)
    except Cancelled:
        raise failures[0] if failures else Cancelled from None  # a share's failure ends them all
    finally:
        control.cancel()  # the caller left, or a share failed: no thread goes on alone
        for thread in workers:
            thread.join()


def learn(
    config: Config, seeds: range, control: Control, learner: Any = None
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """One share of the seeds, from start to end.

    Yields: (k, episodic returns [S, E], parameters [S, P]) at evaluation k; k = -1 is the start.
    """
    learner = learner or learner_of(config)
    method = ALGORITHMS[config.algorithm]
    state, rollout = State.initial(config, seeds), Rollout(config, seeds)
    minibatch_keys = seeding.keys(seeds, "minibatches")
    every_step = np.tile(np.arange(rollout.obs.shape[1]), (len(seeds), 1))  # [S, T]
    yield -1, np.empty(0), state.params
    for k, until in enumerate(config.eval_steps):
        while True:
            control.check()
            learner.collect(rollout, state.params, until)
            if not rollout.ready.any():
                break
            batch = learner.assess(rollout, state.params)
            psi = method.weight(batch, config)
            for index in minibatches(config, minibatch_keys, state.updates, every_step):
                gradient = learner.gradient(state.params, batch, psi, index, config)
                learner.step(state, gradient, rollout.ready, config)
        yield k, learner.evaluate(state.params, config, seeds, until), state.params


def learner_name(config: Config) -> str:
    """The compiled learner where it can run (CartPole), torch's autograd elsewhere."""
    return config.learner if envs.describe(config.env_id).compiled else "autograd"


def learner_of(config: Config) -> ModuleType:
    """The module of a config's learner, imported when it is used: torch takes seconds.

    Raises: ValueError if it needs torch, and torch is not installed.
    """
    try:
        return importlib.import_module(f"pgcore.learners.{learner_name(config)}")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ValueError(
            "This run needs the torch learner, and torch is not installed: "
            "pip install torch==2.13.0."
        ) from None


def minibatches(
    config: Config, keys: np.ndarray, updates: np.ndarray, every_step: np.ndarray
) -> Iterator[np.ndarray]:
    """Which steps enter each Adam step: all of them once, or PPO's shuffled parts.  [S, M]"""
    if not ALGORITHMS[config.algorithm].clipped:
        yield every_step
        return
    steps = every_step.shape[1]
    for _ in range(config.num_epochs):
        epoch_keys = seeding.fold(keys, updates.astype(np.uint64))[:, None]
        draws = seeding.uniform(epoch_keys, np.arange(steps, dtype=np.uint64))
        order = draws.argsort(-1)
        for first in range(0, steps, config.minibatch_size):
            yield np.ascontiguousarray(order[:, first : first + config.minibatch_size])


def _shards(config: Config, threads: int | None) -> list[slice]:
    """Contiguous shares of the seeds, one a thread; the autograd learner runs on one."""
    wanted = threads or limits.cores()
    if learner_name(config) == "autograd":
        wanted = 1
    count = max(1, min(wanted, config.num_seeds // SEEDS_WORTH_A_THREAD))
    edges = np.linspace(0, config.num_seeds, count + 1).astype(int)
    return [slice(a, b) for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]


FINAL_EPISODES = 100  # Gymnasium calls a task solved by the mean return of so many


def final_evaluation(
    history: History, episodes: int = FINAL_EPISODES, threads: int | None = None
) -> np.ndarray:
    """Episodic returns of every seed's last policy, over many episodes.  [S, E]

    The first `eval_episodes` of them are those of the last evaluation. Nothing of the history
    changes. A task is solved by a seed whose mean over 100 episodes reaches Gymnasium's threshold;
    `History.reached` asks for the best of many evaluations, which is easier.
    """
    config = history.config.replace(eval_episodes=episodes)
    params, at = history.checkpoints[-1], int(history.eval_steps[-1])
    evaluate = learner_of(config).evaluate
    shards = _shards(config, threads)
    with ThreadPoolExecutor(len(shards)) as pool:
        parts = pool.map(lambda s: evaluate(params[s], config, config.seeds[s], at), shards)
        return np.concatenate(list(parts))


RANDOM_EPISODES = 1000


@lru_cache(maxsize=16)
def random_return(env_id: str, episodes: int = RANDOM_EPISODES) -> float:
    """Mean episodic return of uniformly random actions: a network of zeros, sampled."""
    config = Config(env_id=env_id, num_seeds=episodes // 100, eval_episodes=100)
    zeros = np.zeros((config.num_seeds, shape_of(config).size), np.float32)
    return float(learner_of(config).evaluate(zeros, config, config.seeds, 0).mean())
