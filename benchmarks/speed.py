"""The race: the lab's actor-critic by six programs, 1 to 1,000 seeds, in turns.

A round gives every program its turn at every size, and the rounds follow each other, so a busy
minute of the machine hits all alike. Final returns and environment steps stand beside the times:
nobody is fast by doing less. The notebook and Stable-Baselines3 train one seed after the other;
their larger sizes are extrapolated in proportion and say so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from benchmarks import jax_lab, machine, notebook, sb3
from pgcore import Config, stats, train

SIZES = (1, 10, 100, 1000)
LAB = Config.lab()


@dataclass
class Contender:
    """A program, its turns so far, and the sizes it can afford."""

    name: str
    run: Callable[[range], np.ndarray]  # seeds -> mean episodic returns [K, S]
    sizes: tuple[int, ...] = SIZES
    most_rounds: dict[int, int] = field(default_factory=dict)  # fewer than all, at some size
    one_by_one: bool = False  # seed after seed: 1 measured, the rest in proportion
    cold: dict[int, float] = field(default_factory=dict)
    times: dict[int, list[float]] = field(default_factory=dict)
    returns: dict[int, np.ndarray] = field(default_factory=dict)  # [K, S]


def _lab(learner: str) -> Callable[[range], np.ndarray]:
    def run(seeds: range) -> np.ndarray:
        config = LAB.replace(learner=learner, num_seeds=len(seeds), first_seed=seeds[0])
        return train(config).eval_returns

    return run


def _one_by_one(train_seed: Callable[[int], tuple[np.ndarray, float]]):
    def run(seeds: range) -> np.ndarray:
        return np.stack([train_seed(seed)[0] for seed in seeds], axis=-1)

    return run


def contenders() -> list[Contender]:
    return [
        Contender(
            "notebook",
            _one_by_one(lambda seed: notebook.train("actor_critic", seed)),
            one_by_one=True,
        ),
        Contender("sb3", _one_by_one(sb3.train), one_by_one=True),
        Contender("torch", _lab("autograd"), most_rounds={100: 2, 1000: 1}),
        Contender("jax", lambda seeds: jax_lab.run(seeds, 1)),
        Contender("jax_cores", lambda seeds: jax_lab.run(seeds, jax_lab.CORES), SIZES[1:]),
        Contender("compiled", _lab("compiled")),
    ]


def race(rounds: int, sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """Rows (program, seeds): seconds, cold seconds, final return, environment steps."""
    field_of = contenders()
    for turn in range(rounds):
        for who in field_of:
            if who.one_by_one:  # other seeds each turn, 2 a turn, so that 10 are measured in 5
                _turn(who, 1, range(2 * turn, 2 * turn + 1))
                _turn(who, 1, range(2 * turn + 1, 2 * turn + 2))
                continue
            for size in (n for n in sizes if n in who.sizes):
                if turn >= who.most_rounds.get(size, rounds):
                    continue
                seeds = range(size)
                if turn == 0 and who.most_rounds.get(size, rounds) > 1:
                    who.cold[size] = machine.seconds(partial(who.run, seeds))
                _turn(who, size, seeds)
    return [row for who in field_of for row in _rows(who, sizes)]


def _turn(who: Contender, size: int, seeds: range) -> None:
    started = time.perf_counter()
    returns = who.run(seeds)
    who.times.setdefault(size, []).append(time.perf_counter() - started)
    if who.one_by_one and size in who.returns:
        returns = np.concatenate([who.returns[size], returns], axis=-1)
    who.returns[size] = returns


def _rows(who: Contender, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    if not who.one_by_one:
        return [_row(who, n, who.times[n], who.returns[n]) for n in sizes if n in who.times]
    times, returns = who.times[1], who.returns[1]
    rows = []
    for n in sizes:
        if n == 1:
            row = _row(who, 1, times, returns)
            row["steps"] /= len(times)
        elif n == len(times):
            row = _row(who, n, [sum(times)], returns)
        else:
            row = _row(who, n, [n * float(np.mean(times))], returns)
            row["steps"] *= n / len(times)
            row["extrapolated_from"] = len(times)
        rows.append(row)
    return rows


def _row(who: Contender, size: int, times: list[float], returns: np.ndarray) -> dict[str, Any]:
    final, seeds = returns[-1], returns.shape[1]
    interval = stats.mean_t_interval(final) if seeds > 1 else None
    evaluated = LAB.eval_episodes * float(returns.sum())  # a step is worth a reward of 1
    return {
        "program": who.name,
        "seeds": size,
        "seconds": machine.spread(times),
        "first_call": who.cold.get(size),
        "extrapolated_from": None,
        "steps": seeds * LAB.total_timesteps + evaluated,
        "final_return": {
            "mean": float(final.mean()),
            "low": float(interval.low) if interval else None,
            "high": float(interval.high) if interval else None,
            "n": seeds,
        },
        "area_under_curve": float(returns.mean()),
    }


def ratio(rows: list[dict[str, Any]], other: str, seeds: int, ours: str = "compiled"):
    """How many times faster `ours` is than `other`: medians, as run and a step of equal work."""
    found = {(row["program"], row["seeds"]): row for row in rows}
    a, b = found[other, seeds], found[ours, seeds]
    plain = a["seconds"]["median"] / b["seconds"]["median"]
    return {
        "against": other,
        "ours": ours,
        "seeds": seeds,
        "as_run": plain,
        "same_steps": plain * b["steps"] / a["steps"],
        "lowest": a["seconds"]["min"] / b["seconds"]["max"],
        "highest": a["seconds"]["max"] / b["seconds"]["min"],
        "extrapolated": a["extrapolated_from"] is not None,
    }
