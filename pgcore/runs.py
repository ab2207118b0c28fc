"""The run registry: every run of this server, by the identity of its config.

A run belongs to the registry and not to whoever asked for it: two who ask for the same config get
the same run, and a page that comes back finds it again. Quick runs never wait for long ones.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time

from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.history import History
from pgcore.learners import shape_of
from pgcore.train import Cancelled, Control, learner_of, stream, train

VERSION = 2  # raise it when a change alters histories: old runs are then other runs
QUICK_SECONDS = 1.0
LANES = {"quick": 1, "long": 3}  # runs at once
MAX_WAITING = 64
MAX_BYTES = 1 << 30
LIVE = ("queued", "running", "paused")

# Seconds per unit of work on one core, corrected by every run that ends (`_learn_speed`).
TRAIN_STEP, EVAL_STEP, FLOP, UPDATE = 1e-7, 4e-8, 1e-11, 1e-4
TORCH_SLOWDOWN = 40.0
GUESSED_EPISODE = 250.0


class Busy(ValueError):
    """The server has too much to do."""


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
    if learner_of(config).__name__.endswith("autograd"):
        seconds *= TORCH_SLOWDOWN
    return seconds * _speed["measured/guessed"]


_speed = {"measured/guessed": 1.0}


def _learn_speed(config: Config, seconds: float) -> None:
    ratio = seconds / expected_seconds(config)
    corrected = _speed["measured/guessed"] * ratio**0.2
    _speed["measured/guessed"] = min(max(corrected, 0.3), 3.0)


class Run:
    """One config on its way to its history."""

    def __init__(self, config: Config) -> None:
        self.config, self.id = config, identity(config)
        self.control = Control()
        self.history: History | None = None  # grows while the run goes on
        self.outcome: str | None = None  # done, cancelled or failed
        self.error = ""
        self.started: float | None = None
        self.seconds = 0.0
        self.finished = threading.Event()

    @property
    def status(self) -> str:
        """queued, running, paused, done, cancelled or failed."""
        if self.outcome:
            return self.outcome
        if self.started is None:
            return "queued"
        return "paused" if self.control.paused else "running"

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def progress(self) -> float:
        """The share of evaluations reached, 0 to 1."""
        if self.history is None:
            return 0.0
        return len(self.history.eval_steps) / len(self.config.eval_steps)

    @property
    def steps_per_second(self) -> float:
        """Environment steps of training, all seeds together."""
        steps = self.progress * self.config.total_timesteps * self.config.num_seeds
        return steps / self.elapsed if self.elapsed else 0.0

    @property
    def elapsed(self) -> float:
        if self.outcome or self.started is None:
            return self.seconds
        return time.perf_counter() - self.started

    @property
    def bytes(self) -> int:
        config = self.config
        rows = (len(config.eval_steps) + 1) * config.num_seeds
        return 4 * rows * (shape_of(config).size + config.eval_episodes)


class Registry:
    """Runs by identity; finished ones stay until memory is needed."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._lanes: dict[str, queue.SimpleQueue[Run]] = {}
        for name, count in LANES.items():
            self._lanes[name] = queue.SimpleQueue()
            for _ in range(count):  # daemons: the server can be stopped while they run
                threading.Thread(target=self._serve, args=(name,), daemon=True).start()

    def get(self, config: Config) -> Run | None:
        """The run of this config, if anybody has asked for it."""
        return self._runs.get(identity(config))

    def submit(self, config: Config) -> Run:
        """The run of this config, started if it is not there (or was cancelled, or failed).

        Raises: Busy if too many runs wait.
        """
        with self._lock:
            run = self._runs.pop(identity(config), None)
            if run is None or run.status in ("cancelled", "failed"):
                if sum(r.status == "queued" for r in self._runs.values()) >= MAX_WAITING:
                    raise Busy("The server has many runs waiting; try again in a minute.")
                run = Run(config)
                self._make_room(run.bytes)
                lane = "quick" if expected_seconds(config) < QUICK_SECONDS else "long"
                self._lanes[lane].put(run)
            self._runs[run.id] = run  # the youngest stands last
        return run

    def place(self, run: Run) -> int:
        """How many runs were asked for earlier and still wait."""
        waiting = [r for r in self._runs.copy().values() if r.status == "queued"]
        return waiting.index(run) if run in waiting else 0

    def _make_room(self, wanted: int) -> None:
        total = wanted + sum(run.bytes for run in self._runs.values())
        for run in [r for r in self._runs.values() if not r.live]:
            if total <= MAX_BYTES:
                break
            total -= run.bytes
            del self._runs[run.id]

    def _serve(self, lane: str) -> None:
        while True:
            self._work(self._lanes[lane].get())

    def _work(self, run: Run) -> None:
        run.started = time.perf_counter()
        outcome = "done"
        try:
            run.control.check()
            for history in stream(run.config, control=run.control):
                run.history = history
        except Cancelled:
            outcome = "cancelled"
        except Exception as error:  # shown to whoever asked; other runs go on
            outcome, run.error = "failed", f"{type(error).__name__}: {error}"
        run.seconds = time.perf_counter() - run.started
        run.outcome = outcome
        run.finished.set()
        if outcome == "done":
            _learn_speed(run.config, run.seconds)


REGISTRY = Registry()


_ready, _warming = threading.Event(), threading.Lock()


def warm_up() -> threading.Event:
    """Compile (first start) or load (later) every kernel in the background.

    Returns: an event that is set once runs start at full speed.
    """
    with _warming:
        if not _ready.is_set() and not any(t.name == "warm-up" for t in threading.enumerate()):
            threading.Thread(target=_compile, name="warm-up", daemon=True).start()
    return _ready


def _compile() -> None:
    tiny = Config(num_seeds=1, total_timesteps=64, eval_interval=64, eval_episodes=1)
    for key in ALGORITHMS:
        train(tiny.replace(algorithm=key), threads=1)
    _ready.set()
