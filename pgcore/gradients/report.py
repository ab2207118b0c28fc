"""A report: everything that is measured of one policy's gradients, on one set of windows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.gradients.cloud import scatter
from pgcore.gradients.decomposition import decompose
from pgcore.gradients.estimates import (
    BASE,
    estimates,
    measurable,
    reference,
    squared_scores,
    weights,
)
from pgcore.gradients.measurement import Measurement, Reference, measure
from pgcore.gradients.parabola import SampledParabola, parabola_of
from pgcore.gradients.windows import Progress, Windows, collect_windows, no_progress
from pgcore.learners import shape_of
from pgcore.stats import Interval
from pgcore.train import train

UNBIASED, TARGET = "monte_carlo", "actor_critic"
FEWEST, MOST = 10, 100_000  # windows
MAX_STEPS = 20_000_000  # of the windows together
MAX_BYTES = 1 << 30  # of their gradients,
OTHERS = 5  # of which these are measured whether asked for or not


@dataclass(frozen=True)
class Report:
    """One policy, many windows, every estimator."""

    windows: Windows
    reference: Reference
    gradients: dict[str, np.ndarray]  # [N, P] by estimator
    scores: np.ndarray  # [N, P] mean scores: g(b) = g(0) - b * score
    measurements: dict[str, Measurement]
    parabola: SampledParabola

    def to_frame(self) -> pd.DataFrame:
        """Tidy: algorithm, quantity, estimate, low, high, n."""
        return pd.DataFrame(
            {"algorithm": key, "quantity": name, **interval._asdict()}
            for key, measured in self.measurements.items()
            for name, interval in measured.intervals().items()
        )


def examine(
    params: np.ndarray,
    config: Config,
    num_windows: int = 4000,
    seed: int = 0,
    *,
    algorithms: Iterable[str] | None = None,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> Report:
    """Measure the gradients of every estimator at a frozen policy and critic.

    Args:
        params: [P] any checkpoint of any CartPole run of `config`'s hidden_dim.
        config: T = batch_size, gamma, and what the estimators read; the seeds are ignored.
        seed: of the measurement, and of the start state with `config.fixed_start`.
        progress: called with the share done, 0 to 1; what it raises ends the measurement.

    Raises: ValueError for a policy that does not fit, or too few or many windows.
    """
    algorithms = measurable() if algorithms is None else tuple(algorithms)
    row_bytes = 4 * shape_of(config).policy_size * (len(algorithms) + OTHERS)
    most = min(MOST, MAX_STEPS // config.batch_size, MAX_BYTES // row_bytes)
    if not FEWEST <= num_windows <= most:
        raise ValueError(
            f"num_windows is {num_windows:,}; it must be from {FEWEST} to {most:,} for batches of "
            f"{config.batch_size}, {len(algorithms)} estimators and hidden_dim {config.hidden_dim}."
        )
    windows = collect_windows(
        params, config, num_windows, seed, threads=threads, progress=lambda x: progress(0.3 * x)
    )
    truth = reference(
        params,
        config,
        num_windows,
        seed,
        threads=threads,
        progress=lambda x: progress(0.3 + 0.4 * x),
    )
    gradients, scores = estimates(
        windows, config, algorithms, threads=threads, progress=lambda x: progress(0.7 + 0.2 * x)
    )
    measurements = measure(gradients, truth, base=BASE, unbiased=UNBIASED, target=TARGET)
    parabola = parabola_of(gradients[BASE], scores)
    progress(1.0)
    return Report(windows, truth, gradients, scores, measurements, parabola)


def summary(
    config: Config,
    checkpoint: int = -1,
    seed_index: int = 0,
    num_windows: int = 4000,
    *,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Train, freeze one seed at one checkpoint, and measure: all of it, ready for JSON.

    Args:
        checkpoint: 0 is before training, k after evaluation k; negative counts from the end.
        seed_index: which of the config's seeds; the others need not be trained.

    Returns: plain dicts; an interval is {estimate, low, high}, undefined numbers are None.
    Raises: ValueError if there is no such checkpoint or seed.
    """
    count = len(config.eval_steps) + 1
    if not -count <= checkpoint < count:
        raise ValueError(f"checkpoint is {checkpoint}; it must be from {-count} to {count - 1}.")
    if not 0 <= seed_index < config.num_seeds:
        raise ValueError(
            f"seed_index is {seed_index}; it must be from 0 to {config.num_seeds - 1}."
        )
    seed = config.seeds[seed_index]
    history = train(config.replace(num_seeds=1, first_seed=seed))
    params = history.checkpoints[checkpoint, 0]
    report = examine(params, config, num_windows, seed, progress=progress)
    parts = decompose(report.windows, seed)
    number = checkpoint % count
    return _plain(
        {
            "config": asdict(config),
            "seed": seed,
            "checkpoint": number,
            "steps": int(number * config.eval_interval),
            "num_windows": num_windows,
            "batch_size": config.batch_size,
            "reference": {
                "windows": report.reference.n,
                "squared_norm": report.reference.squared_norm,
                "relative_error": report.reference.relative_error,
            },
            "estimators": {
                key: measured.intervals()
                | {"bias_p": measured.bias.test.p, "added_p": measured.added.test.p}
                for key, measured in report.measurements.items()
            },
            "design_effect": _design_effects(report, config),
            "parabola": {
                **report.parabola.curve._asdict(),
                "vertex": report.parabola.vertex,
                "least_share": report.parabola.least,
            },
            "sources": {name: asdict(source) for name, source in parts.sources.items()},
            "critic": {
                name: getattr(parts.critic, name)
                for name in ("correlation", "rmse", "bias", "explained")
            },
        }
    )


def _design_effects(report: Report, config: Config) -> dict[str, Interval]:
    """T tr Var(batch) / tr Var(single step), of every weight and of scores alone."""
    keys = [key for key in report.gradients if key in ALGORITHMS]
    squares = squared_scores(report.windows)
    terms = {
        key: psi.astype(np.float64) ** 2 * squares
        for key, psi in weights(report.windows, config, keys).items()
    }
    clouds = {key: report.gradients[key] for key in keys} | {"score": report.scores}
    measured = scatter(clouds, terms | {"score": squares})
    return {key: of_key.design_effect for key, of_key in measured.items()}


def _plain(value: Any) -> Any:
    """What JSON can hold: intervals as dicts, numpy's numbers as Python's, nan as None."""
    if isinstance(value, Interval):
        return _plain({"estimate": value.estimate, "low": value.low, "high": value.high})
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
