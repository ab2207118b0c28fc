"""One constant baseline: its variance from the parabola, and measured on other windows.

    tr Var(b) / tr Var(0) = 1 + (b^2 tr Var(S) - 2 b tr Cov(G, S)) / tr Var(G)

(Greensmith, Bartlett & Baxter 2004; parabola.py). A constant has more variance than none outside
the zone from 0 to 2 b*. That is a statement on one update at one policy: what training makes of
the same constant is another question, and has to be trained.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pgcore.config import Config
from pgcore.gradients.estimates import gradients_of, weights
from pgcore.gradients.findings import paired_ratio
from pgcore.gradients.inference import percentile_interval
from pgcore.gradients.parabola import SampledParabola
from pgcore.gradients.windows import Windows
from pgcore.stats import Interval


def relative_variance(parabola: SampledParabola, b: float) -> Interval:
    """tr Var(b) / tr Var(0), with the parabola's own resamples."""
    curvature, covariance, at_zero = parabola.draws.T
    resampled = 1 + (b**2 * curvature - 2 * b * covariance) / at_zero
    estimate = parabola.curve(b) / parabola.curve.at_zero
    return percentile_interval(float(estimate), resampled, parabola.n)


def end_of_harmless_zone(parabola: SampledParabola) -> Interval:
    """2 b*: at 0 and here, a constant has just the variance of no baseline."""
    best = parabola.vertex
    return Interval(2 * best.estimate, 2 * best.low, 2 * best.high, best.n)


def measured_constants(
    windows: Windows, config: Config, constants: Sequence[float]
) -> pd.DataFrame:
    """The estimator itself at several constants, on windows that the curve has not seen.

    Returns: a row a constant: b, ratio (of tr Sigma to that without a baseline), low, high, n.
    """
    psi = weights(windows, config, ["policy_gradient"])
    for b in constants:
        psi[f"{b}"] = weights(windows, config.replace(baseline=b), ["constant"])["constant"]
    gradients = gradients_of(windows, psi)
    plain = gradients.pop("policy_gradient")
    ratios = [paired_ratio(g, plain)._asdict() for g in gradients.values()]
    return pd.DataFrame(ratios).rename(columns={"estimate": "ratio"}).assign(b=list(constants))
