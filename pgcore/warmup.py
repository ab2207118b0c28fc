"""The first start: two processes compile half each of what every run needs.

Numba holds the GIL while it compiles. Threads would not help, and the server could not answer.
Later starts find everything on disk. What few estimators need is compiled by their first run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from pgcore import compilation, machine_code, worker
from pgcore.config import Config
from pgcore.control import Control
from pgcore.learners import State, compiled
from pgcore.rollout import Rollout

TINY = Config(num_seeds=1, batch_size=1, eval_episodes=1)


def acting() -> None:
    """Call what agents act with."""
    rollout, params = Rollout(TINY, TINY.seeds), State.initial(TINY, TINY.seeds).params
    compiled.collect(rollout, params, until=1)
    compiled.evaluate(params, TINY, TINY.seeds, at=0)


def learning() -> None:
    """Call what a batch goes through."""
    rollout, state = Rollout(TINY, TINY.seeds), State.initial(TINY, TINY.seeds)
    batch, every_step = compiled.assess(rollout, state.params), np.zeros((1, 1), np.int64)
    gradient = compiled.gradient(state.params, batch, batch.q_values, every_step, TINY)
    compiled.step(state, gradient, rollout.ready, TINY)


HALVES: dict[str, Callable[[], None]] = {"acting": acting, "learning": learning}


def prepare() -> None:
    """Return when every kernel of a run can be called at full speed."""
    if not compilation.is_kept(compiled.__name__, "pgcore.rollout"):
        # Daemons: a program that is told to stop need not wait for them.
        halves = [threading.Thread(target=_elsewhere, args=(h,), daemon=True) for h in HALVES]
        for half in halves:
            half.start()
        for half in halves:
            half.join()
    for call in HALVES.values():  # loads what is on disk, and compiles what is not
        call()


def _elsewhere(half: str) -> None:
    with suppress(ValueError, OSError):  # then it is compiled here
        worker.call(_compile, (half,), Control(), nice=0)


def _compile(half: str, tell: Callable[[object], object]) -> None:
    """Run in the other process."""
    machine_code.log.setLevel(logging.ERROR)  # what cannot be kept, the server says itself
    HALVES[half]()
