"""The cloud: single updates as arrows round the true gradient, and how it shrinks with the batch.

A cloud of P dimensions is drawn on two axes that all estimators share: x is the true gradient's
own direction, so that arrows to the right point the right way; y is the direction at right angles
to it in which the clouds, each scaled to variance 1, scatter most. A picture of two dimensions
out of hundreds leaves much out; `shares` says how much of the variance it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from pgcore.config import Config
from pgcore.gradients.estimates import gradients_of, measurable, squared_scores, weights
from pgcore.gradients.inference import (
    DRAWS,
    Array,
    moments,
    percentile_interval,
    resampled_means,
    widest,
)
from pgcore.gradients.measurement import Reference
from pgcore.gradients.windows import Progress, Windows, no_progress
from pgcore.stats import Interval

ARROWS = 300
WINDOWS_FOR_AXES = 500  # of each cloud; the axes need no more


@dataclass(frozen=True)
class Cloud:
    """The estimators' clouds, projected on the same two axes; the true gradient has length 1."""

    arrows: dict[str, Array]  # [n, 2] the same windows' gradients for every estimator
    means: dict[str, Array]  # [2] mean of all N gradients
    shares: dict[str, Array]  # [2] share of tr Sigma along each axis
    axes: Array  # [2, P] orthonormal
    truth: Array  # [2] the true gradient: (1, 0)

    def to_frame(self) -> pd.DataFrame:
        """Tidy: algorithm, window, x, y."""
        return pd.concat(
            pd.DataFrame({"algorithm": key, "window": range(len(xy)), "x": xy[:, 0], "y": xy[:, 1]})
            for key, xy in self.arrows.items()
        )


def project(gradients: Mapping[str, Array], reference: Reference, arrows: int = ARROWS) -> Cloud:
    """Projections of clouds [N, P] on two axes, in units of the true gradient's length."""
    x = reference.directions[0]
    size = len(x)
    pooled = np.zeros((size, size))
    for g in gradients.values():
        part = g[:WINDOWS_FOR_AXES] - g[:WINDOWS_FOR_AXES].mean(0)
        part = part - np.outer(part @ x, x)
        if total := float((part * part).sum()):
            pooled += part.T @ part / total
    y = widest(pooled, 1)[0]
    y = y - (y @ x) * x
    axes = np.stack([x, y / (np.linalg.norm(y) or 1.0)])
    length = np.linalg.norm(reference.mean)
    projections = {
        key: (g @ axes.T.astype(g.dtype)).astype(np.float64) for key, g in gradients.items()
    }
    return Cloud(
        arrows={key: projection[:arrows] / length for key, projection in projections.items()},
        means={key: projection.mean(0) / length for key, projection in projections.items()},
        shares={key: _share(g, projections[key]) for key, g in gradients.items()},
        axes=axes,
        truth=np.array([1.0, 0.0]),
    )


def _share(gradients: Array, projection: Array) -> Array:
    total = moments(gradients)[0].mean()
    return projection.var(0) / total if total else np.full(2, np.nan)


class Scatter(NamedTuple):
    tr_sigma: Interval
    design_effect: Interval  # T tr Var(batch) / tr Var(single step)


def scatter(
    gradients: Mapping[str, Array],
    squared_terms: Mapping[str, Array],
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Scatter]:
    """How much more a batch of one trajectory scatters than T independent steps would.

    The steps of a trajectory know of each other. Scores alone (Psi = 1) are martingale
    differences, so their design effect is exactly 1; with returns as weights it is not.

    Args:
        gradients: [N, P] g = (1/T) sum_t Psi_t psi_t, for each estimator.
        squared_terms: [N, T] |Psi_t psi_t|^2, whose mean less |mu|^2 is tr Var of a single step.
    """
    columns = [
        np.stack([*moments(g), squared_terms[key].mean(1, dtype=np.float64)], 1)
        for key, g in gradients.items()
    ]
    stacked = np.concatenate(columns, 1)
    n, resampled = len(stacked), resampled_means(stacked, draws, seed)

    def quantities(m: Array, steps: int) -> tuple[Array, Array]:
        tr_sigma = m[:, 0] * n / (n - 1)
        single = m[:, 2] - (m[:, 1] - tr_sigma / n)
        with np.errstate(divide="ignore", invalid="ignore"):
            return tr_sigma, steps * tr_sigma / single

    def both(at: int, steps: int) -> Scatter:
        part = slice(3 * at, 3 * at + 3)
        estimates = quantities(stacked.mean(0, keepdims=True)[:, part], steps)
        draws_of = quantities(resampled[:, part], steps)
        intervals = zip(estimates, draws_of, strict=True)
        return Scatter(*(percentile_interval(e[0], drawn, n) for e, drawn in intervals))

    return {key: both(at, squared_terms[key].shape[1]) for at, key in enumerate(gradients)}


def by_batch_size(
    windows: Windows,
    config: Config,
    algorithms: Iterable[str] | None = None,
    *,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """tr Sigma for batches of 1, 2, 4, ... steps, up to the windows' own length.

    A batch of B steps is the first B of each window, with the critic asked there, so all sizes
    share their noise. Independent steps would give tr Sigma(1) / B; the design effect says how far
    a trajectory is from that.

    Returns: a row an algorithm and batch size, `score` (Psi = 1) among the algorithms.
    """
    keys = measurable() if algorithms is None else tuple(algorithms)
    longest = windows.mc_q.shape[1]
    sizes = [2**k for k in range(longest.bit_length()) if 2**k < longest] + [longest]
    rows = []
    for done, steps in enumerate(sizes, start=1):
        short = windows.shortened(steps)
        psi = weights(short, config.replace(batch_size=steps), keys)
        psi["score"] = np.ones_like(short.mc_q)
        squares = squared_scores(short)
        terms = {key: weight.astype(np.float64) ** 2 * squares for key, weight in psi.items()}
        for key, measured in scatter(gradients_of(short, psi, threads=threads), terms).items():
            row: dict[str, str | float] = {"algorithm": key, "batch_size": steps}
            for name, interval in measured._asdict().items():
                row |= {name: interval.estimate}
                row |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
            rows.append(row)
        progress(done / len(sizes))
    return pd.DataFrame(rows)
