"""How a run behaves: memory, first start, beside a busy neighbour, and when told to stop."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

import numpy as np

from benchmarks import machine
from pgcore import Cancelled, Config, Control, stream, train

THOUSAND = Config.lab(num_seeds=1000)

# Not getrusage's ru_maxrss: on Linux a new process starts with its parent's.
_PEAK = """
from pathlib import Path
{body}
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""
_RUN = "from pgcore import Config, train; train(Config.lab(num_seeds=1000{more}))"
_JAX = "from benchmarks import jax_lab; jax_lab.run(range(1000), jax_lab.CORES)"
_START = """
import time
started = time.perf_counter()
from pgcore import Config, train
imported = time.perf_counter()
train(Config.lab())
print(imported - started, time.perf_counter() - imported)
"""


def memory() -> dict[str, float]:
    """Peak resident megabytes of a fresh process (Linux): after import, and after 1,000 seeds."""
    bodies = {
        "import": "import pgcore",
        "compiled": _RUN.format(more=""),
        "jax_cores": _JAX,
    }
    return {name: _peak(body) for name, body in bodies.items()}


def _peak(body: str) -> float:
    return int(machine.fresh(_PEAK.format(body=body))) / 1024  # from kilobytes


def first_start() -> dict[str, dict[str, float]]:
    """Seconds of import and of the lab's 10 seeds in a fresh process, compiling and cached."""
    with tempfile.TemporaryDirectory() as cache:
        starts = [machine.fresh(_START, NUMBA_CACHE_DIR=cache) for _ in range(2)]
    keys = "import", "ten_seeds"
    return {
        name: dict(zip(keys, map(float, line.split()), strict=True))
        for name, line in zip(("compiling", "cached"), starts, strict=True)
    }


@contextlib.contextmanager
def busy(processes: int):
    """That many other processes, each wanting a core all the time."""
    running = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)
    ]
    try:
        time.sleep(0.5)
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def beside_busy(repeats: int) -> list[dict[str, Any]]:
    """Slowdown beside busy processes, and what a fair share of the cores would cost.

    With t threads of ours and b of theirs on c cores, each gets min(1, c / (t + b)) of a core.
    """
    cores = os.cpu_count() or 1
    alone = [machine.seconds(lambda: train(THOUSAND)) for _ in range(repeats)]
    rows = []
    for others in (1, cores):
        with busy(others):
            crowded = [machine.seconds(lambda: train(THOUSAND)) for _ in range(repeats)]
        slowdown = float(np.median(crowded) / np.median(alone))
        fair = max(1.0, (cores + others) / cores)
        rows.append(
            {
                "busy_processes": others,
                "alone": machine.spread(alone),
                "crowded": machine.spread(crowded),
                "slowdown": slowdown,
                "fair_slowdown": fair,
                "times_fair": slowdown / fair,
            }
        )
    return rows


def cancellation(repeats: int = 20) -> dict[str, float]:
    """Milliseconds from `Control.cancel` in a 1,000-seed run until its threads have ended."""
    rng, waited = np.random.default_rng(0), []
    full = machine.seconds(lambda: train(THOUSAND))
    for _ in range(repeats):
        control, before = Control(), threading.active_count()

        def consume(control: Control = control) -> None:
            with contextlib.suppress(Cancelled):
                for _ in stream(THOUSAND, control=control):
                    pass

        run = threading.Thread(target=consume)
        run.start()
        time.sleep(rng.uniform(0.1, 0.8) * full)
        started = time.perf_counter()
        control.cancel()
        run.join()
        waited.append(1000 * (time.perf_counter() - started))
        assert threading.active_count() == before, "a thread outlived its run"
    return {"median": float(np.median(waited)), "max": max(waited), "repeats": repeats}
