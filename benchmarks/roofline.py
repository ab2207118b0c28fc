"""How far from what the processor could do: work needed / best rates measured, against time taken.

The count is of what the algorithm needs, not of what our code spends: nothing is computed twice,
the integer work of the random numbers, loads, stores and branches are free, and every lane is
full. So the bound is out of reach, and the ratio to it is an upper limit of what is left to gain.

H hidden units, P parameters, a multiply-add is 2 operations. Double precision counts twice, for
half as many fit into a register.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from numba import njit

from benchmarks import machine
from benchmarks.scaling import steps_of
from pgcore import Config, train
from pgcore.learners import shape_of
from pgcore.train import learner_of

NUMBERS = 1024  # of an array that stays in the innermost cache
CHAIN = 32  # multiply-adds on one number

# 4 inputs, bias, ReLU and one output: the two logits enter as their difference.
FORWARD = 4 * 2 + 1 + 2  # x H
# Per hidden unit: dL/dh, its mask, and gradients of the output weight, bias and 4 input weights.
BACKWARD = 1 + 1 + 2 + 1 + 4 * 2  # x H
PHYSICS = 2 * 34  # in double precision
RETURNS = 2 + 1 + 4  # Q, Psi, and both losses' derivatives
ADAM = 3 + 4 + 4  # x P, beside one square root and one division


def work(config: Config, steps: float) -> dict[str, float]:
    """What a run needs: single-precision operations, sin and cos pairs, exp, roots with division.

    Args:
        steps: environment steps taken, training and evaluation.
    """
    hidden, parameters = config.hidden_dim, shape_of(config).size
    trained = config.num_seeds * config.total_timesteps
    updates = config.num_seeds * (config.total_timesteps // config.batch_size)
    per_step = FORWARD * hidden + PHYSICS
    per_trained_step = (FORWARD + 2 * BACKWARD) * hidden + RETURNS  # the critic, both gradients
    return {
        "operations": steps * per_step + trained * per_trained_step + updates * ADAM * parameters,
        "sin_and_cos": steps,
        "exp": steps,
        "root_and_division": updates * parameters + steps,
    }


_kernel = njit(nogil=True, fastmath={"nnan", "nsz", "contract", "arcp"}, error_model="numpy")


@_kernel
def _multiply_adds(x, y, rounds):
    a, b = np.float32(0.999), np.float32(0.001)
    for _ in range(rounds):
        for i in range(x.shape[0]):
            p, q, r, s = x[i], x[i] + a, x[i] + b, y[i]  # four chains hide the latency
            for _ in range(CHAIN // 4):
                p, q, r, s = p * a + b, q * a + b, r * a + b, s * a + b
            y[i] = p + q + r + s


@_kernel
def _sines_and_cosines(x, y, rounds):
    """Taylor's polynomials, exact to double precision for |x| < 0.3, where the pole stays."""
    for _ in range(rounds):
        for i in range(x.shape[0]):
            t = x[i]
            u = t * t
            sin = 1 / 362880 + u * (-1 / 39916800 + u / 6227020800)
            sin = t + t * u * (-1 / 6 + u * (1 / 120 + u * (-1 / 5040 + u * sin)))
            cos = 1 / 40320 + u * (-1 / 3628800 + u * (1 / 479001600 - u / 87178291200))
            cos = 1 + u * (-1 / 2 + u * (1 / 24 + u * (-1 / 720 + u * cos)))
            y[i] = sin + cos


@_kernel
def _exponentials(x, y, rounds):
    """2^n times a polynomial of degree 5, as vector libraries do it."""
    log2e, ln2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)
    c2, c3, c4, c5 = np.float32(1 / 2), np.float32(1 / 6), np.float32(1 / 24), np.float32(1 / 120)
    for _ in range(rounds):
        for i in range(x.shape[0]):
            n = np.floor(x[i] * log2e + c2)
            r = x[i] - n * ln2
            e = np.float32(1) + r * (np.float32(1) + r * (c2 + r * (c3 + r * (c4 + r * c5))))
            y[i] = e * np.int32((np.int32(n) + 127) << 23).view(np.float32)


@_kernel
def _roots_and_divisions(x, y, rounds):
    for _ in range(rounds):
        for i in range(x.shape[0]):
            y[i] = x[i] / (np.sqrt(y[i]) + np.float32(1e-8))


def best_rates() -> dict[str, float]:
    """What all cores together reach, a second: the best of five."""
    single = np.linspace(0.01, 0.2, NUMBERS, dtype=np.float32)
    double = single.astype(np.float64)
    kernels: dict[str, tuple[Callable, np.ndarray, int]] = {
        "operations": (_multiply_adds, single, 2 * CHAIN),
        "sin_and_cos": (_sines_and_cosines, double, 1),
        "exp": (_exponentials, single, 1),
        "root_and_division": (_roots_and_divisions, single, 1),
    }
    return {name: _rate(*parts) for name, parts in kernels.items()}


def _rate(function: Callable, x: np.ndarray, each: int, rounds: int = 5000) -> float:
    cores = os.cpu_count() or 1
    outputs = [x.copy() for _ in range(cores)]
    function(x, outputs[0], 1)  # compiles
    with ThreadPoolExecutor(cores) as pool:

        def all_cores() -> None:
            list(pool.map(lambda y: function(x, y, rounds), outputs))

        fastest = min(machine.seconds(all_cores) for _ in range(5))
    return cores * rounds * NUMBERS * each / fastest


def measure(repeats: int, num_seeds: int = 1000) -> dict[str, Any]:
    """Work, rates, bound, time, their ratio, and where the time goes on one thread."""
    config = Config.lab(num_seeds=num_seeds)
    steps = steps_of(train(config))
    times = [machine.seconds(lambda: train(config)) for _ in range(repeats)]
    needed, rates = work(config, steps), best_rates()
    parts = {name: needed[name] / rates[name] for name in needed}
    bound = sum(parts.values())
    taken = machine.spread(times)
    return {
        "num_seeds": num_seeds,
        "steps": steps,
        "needed": needed,
        "best_per_second": rates,
        "bound_seconds": {**parts, "sum": bound},
        "seconds": taken,
        "ratio": taken["median"] / bound,
        "ratio_best": taken["min"] / bound,
        "profile": profile(config),
    }


def profile(config: Config) -> dict[str, float]:
    """Seconds in each of the learner's functions on one thread; `assess` bootstraps the returns
    too, and the rest is the loop in Python and the estimator."""
    learner = learner_of(config)
    names = ("collect", "assess", "gradient", "step", "evaluate")
    spent = dict.fromkeys(names, 0.0)

    def timed(name: str) -> Callable:
        function = getattr(learner, name)

        def call(*arguments):
            started = time.perf_counter()
            result = function(*arguments)
            spent[name] += time.perf_counter() - started
            return result

        return call

    watched = SimpleNamespace(__name__=learner.__name__, **{name: timed(name) for name in names})
    with mock.patch("pgcore.train.learner_of", return_value=watched):
        total = machine.seconds(lambda: train(config, threads=1))
    return {**spent, "loop and estimator": total - sum(spent.values()), "total": total}
