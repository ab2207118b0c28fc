"""Arrows: single updates on the two axes of a `Cloud`, those of any constant baseline too.

Lengths are relative to the true gradient, which is the arrow (1, 0). A constant needs no new
measurement: the projection is linear, so with G of plain policy gradient and S the mean score

    arrow(b) = arrow(G) - b arrow(S)

(Greensmith, Bartlett & Baxter 2004). Shapes: n windows, 2 axes.
"""

from __future__ import annotations

import numpy as np

from pgcore.gradients.cloud import Cloud
from pgcore.gradients.measurement import Reference
from pgcore.gradients.parabola import SampledParabola
from pgcore.stats import Interval, mean_t_interval, proportion_interval


def arrows_of(cloud: Cloud, key: str, b: float = 0.0) -> np.ndarray:
    """Every window's arrow; `constant` is plain policy gradient less b times the score.  [n, 2]"""
    if key == "constant":
        return cloud.arrows["policy_gradient"] - b * cloud.arrows["score"]
    return cloud.arrows[key]


def share_right(arrows: np.ndarray) -> Interval:
    """The share of arrows within 90 degrees of the true gradient, x > 0, with Wilson's interval.

    Args:
        arrows: [n, 2]
    """
    return proportion_interval(int((arrows[:, 0] > 0).sum()), len(arrows))


def mean_along(arrows: np.ndarray) -> Interval:
    """The mean arrow along the true gradient, in its lengths; a t interval over windows.

    Args:
        arrows: [n, 2]
    """
    return mean_t_interval(arrows[:, 0])


def share_shown(
    cloud: Cloud, key: str, b: float, reference: Reference, parabola: SampledParabola
) -> float:
    """How much of an estimator's tr Sigma lies along the cloud's two axes, from 0 to 1."""
    if key != "constant":
        return float(cloud.shares[key].sum())
    squared_length = float(reference.mean @ reference.mean)
    return float(arrows_of(cloud, key, b).var(0).sum() * squared_length / parabola(b).estimate)


def shift_of_constant(cloud: Cloud, b: float) -> Interval:
    """How far a constant b moves the mean update, along the true gradient as a share of it.

    -b E S . mu / |mu|^2, which is 0 in expectation, for E grad log pi = 0. What is measured is
    chance alone; a t interval over windows (Student 1908).
    """
    return mean_t_interval(-b * cloud.arrows["score"][:, 0])
