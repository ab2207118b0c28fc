"""Findings: every estimator at one policy, as several lessons and notebooks read it.

One call measures all estimators on the same windows, projects their clouds on two shared axes, and
compares some of them in pairs. The gradients themselves, some 50 MB, are dropped.

    found = find(history.checkpoints[-1, 0], history.config)
    found.ratios["actor_critic", "optimal_constant"]     # tr Sigma of the first over the second's

Shapes: N windows, P policy parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.gradients.cloud import Cloud, project
from pgcore.gradients.estimates import measurable
from pgcore.gradients.inference import Array, moments, percentile_interval, resampled_means
from pgcore.gradients.measurement import Measurement, Reference
from pgcore.gradients.parabola import SampledParabola
from pgcore.gradients.report import examine
from pgcore.gradients.windows import Progress, Windows, no_progress
from pgcore.stats import Interval

PAIRS = (("actor_critic", "optimal_constant"), ("leave_one_out", "batch_mean"))
ESTIMATORS = [  # but those that a reader varies (the constant b, a formula), and REINFORCE:
    key  # it updates at the ends of episodes, and a window is a batch of fixed length
    for key in measurable()
    if not {"baseline", "formula"} & set(ALGORITHMS[key].reads)
]


@dataclass(frozen=True)
class Findings:
    """What is found of one policy's gradients; every n counts windows (batches)."""

    windows: Windows
    reference: Reference
    measurements: dict[str, Measurement]  # ESTIMATORS, `monte_carlo`, `optimal_constant`
    parabola: SampledParabola
    cloud: Cloud  # every window's arrow, of `score` too: g(b) = policy_gradient - b score
    ratios: dict[tuple[str, str], Interval]  # tr Sigma of one estimator over another's, paired


def find(
    params: np.ndarray,
    config: Config,
    num_windows: int = 4000,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Findings:
    """Measure ESTIMATORS at a frozen policy and critic; some 1 to 5 seconds.

    Args:
        params: [P] any checkpoint of any CartPole run of `config`'s hidden_dim.
        config: T = batch_size, gamma, and what the estimators read.
        progress: called with the share done, 0 to 1.

    Raises: ValueError as `examine`.
    """
    report = examine(params, config, num_windows, seed, algorithms=ESTIMATORS, progress=progress)
    clouds = report.gradients | {"score": report.scores}
    return Findings(
        report.windows,
        report.reference,
        report.measurements,
        report.parabola,
        project(clouds, report.reference, arrows=num_windows),
        {pair: paired_ratio(*(report.gradients[key] for key in pair)) for pair in PAIRS},
    )


def paired_ratio(g: Array, other: Array) -> Interval:
    """tr Sigma of one cloud over another's, on the same windows; resampled together.  [N, P] twice

    The ratio of sums of squares sum_i |g_i - gbar|^2 / sum_i |h_i - hbar|^2, with a percentile
    bootstrap over windows (Efron 1979).
    """
    columns = np.stack([moments(g)[0], moments(other)[0]], 1)
    means, draws = columns.mean(0), resampled_means(columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        return percentile_interval(means[0] / means[1], draws[:, 0] / draws[:, 1], len(g))


def noise_over_signal(measured: Measurement) -> Interval:
    """sqrt(tr Sigma) / |E g| = SNR^(-1/2): how many times longer the noise is than the mean.

    A number without a unit, so that estimators on different scales can be compared: a weight that
    is divided by its own standard deviation has a small variance and a small mean. Where the SNR
    may be 0, the upper end is infinite; where it is not above 0, nothing is known (nan).
    """
    estimate, low, high, n = measured.snr
    if not estimate > 0:
        return Interval(np.nan, np.nan, np.nan, n)
    return Interval(estimate**-0.5, high**-0.5, low**-0.5 if low > 0 else np.inf, n)
