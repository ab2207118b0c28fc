"""How the compiled learner's time grows with seeds, threads, hidden units and steps."""

from __future__ import annotations

import os
from typing import Any

from benchmarks import machine
from pgcore import Config, train

BASE = Config.lab(num_seeds=100)
SWEEPS: dict[str, list[dict[str, Any]]] = {
    "num_seeds": [{"num_seeds": n} for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)],
    "hidden_dim": [{"hidden_dim": n} for n in (4, 8, 16, 32, 64, 128, 256)],
    "total_timesteps": [{"total_timesteps": n} for n in (2_000, 5_000, 10_000, 20_000, 50_000)],
    "batch_size": [{"batch_size": n} for n in (8, 16, 32, 64, 128)],
}


def sweep(repeats: int) -> dict[str, list[dict[str, Any]]]:
    """Rows by what was varied: value, seconds, nanoseconds a step (training and evaluation)."""
    table = {
        name: [_row(BASE.replace(**change), change[name], repeats) for change in changes]
        for name, changes in SWEEPS.items()
    }
    thousand = BASE.replace(num_seeds=1000)
    threads = range(1, (os.cpu_count() or 1) + 1)
    table["threads"] = [_row(thousand, count, repeats, count) for count in threads]
    return table


def _row(config: Config, value: int, repeats: int, threads: int | None = None) -> dict[str, Any]:
    history = train(config, threads)
    times = [machine.seconds(lambda: train(config, threads)) for _ in range(repeats)]
    steps = steps_of(history)
    return {
        "value": value,
        "seconds": machine.spread(times),
        "steps": steps,
        "nanoseconds_per_step": 1e9 * machine.spread(times)["median"] / steps,
    }


def steps_of(history) -> float:
    """Environment steps of a run, training and evaluation: each is worth a reward of 1."""
    config = history.config
    return config.num_seeds * config.total_timesteps + float(history.eval_episode_returns.sum())
