"""The registry of bands: what the shaded area round a curve means. A new band is one entry.

The pickers, the captions, the charts and the page that compares bands all read BANDS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgcore import stats

Scores = NDArray[np.floating]  # [S], a number a seed, or [S, K], K evaluations of each


def _mean(scores: Scores) -> Any:
    return np.mean(scores, axis=0)


def _median(scores: Scores) -> Any:
    return np.median(scores, axis=0)


@dataclass(frozen=True)
class Band:
    """One meaning of the area round a curve."""

    name: str  # a title
    meaning: str  # what a caption says of it
    lesson: str  # what a reader should know before trusting it
    of: Callable[[Scores], stats.Interval]  # the line and its bounds
    centre: Callable[[Scores], Any] = _mean  # what the line estimates, of all seeds there are
    seed_lines: bool = False  # single seeds are drawn, and no area
    quick: bool = False  # in the picker over live curves: cheap to draw, and asked for often


BANDS: dict[str, Band] = {
    "std": Band(
        "Standard deviation",
        "mean ± standard deviation of the seeds",
        "How far apart single seeds lie. More seeds do not make it narrower, and it is no "
        "interval for the mean.",
        stats.std_band,
        quick=True,
    ),
    "error": Band(
        "Standard error",
        "mean ± its standard error",
        "How far off the mean of n seeds typically is: with many seeds a 68% interval, with few "
        "not even that.",
        stats.standard_error_band,
    ),
    "95%": Band(
        "95% t interval",
        "mean with its 95% t interval",
        "Made to hold the mean of all seeds in 95 of 100 studies; it is honestly wide when n is "
        "small.",
        stats.mean_t_interval,
        quick=True,
    ),
    "bootstrap": Band(
        "95% bootstrap",
        "mean with its 95% bootstrap interval",
        "The same aim, by drawing the n seeds again and again; too narrow for few seeds, see "
        "Coverage.",
        stats.bootstrap_interval,
    ),
    "iqm": Band(
        "IQM, 95% bootstrap",
        "mean of the middle half of the seeds (IQM) with its 95% bootstrap interval",
        "The mean of the middle half of the seeds: the very lucky and unlucky do not move it, "
        "and it is not the mean.",
        stats.iqm_interval,
        stats.iqm,
    ),
    "quartiles": Band(
        "Quartiles",
        "median, and the quartiles between which half of the seeds lie",
        "Where the middle half of the seeds lies. More seeds do not make it narrower, and the "
        "line is the median, not the mean.",
        stats.quantile_band,
        _median,
    ),
    "seeds": Band(
        "Single seeds",
        "mean and single seeds",
        "Every run as it was: no summary can hide a seed that failed.",
        stats.mean_t_interval,
        seed_lines=True,
        quick=True,
    ),
}


def quick() -> list[str]:
    """The keys of the bands in the picker over live curves."""
    return [key for key, band in BANDS.items() if band.quick]


def areas() -> list[str]:
    """The keys of the bands that are an area, for a page that compares them."""
    return [key for key, band in BANDS.items() if not band.seed_lines]
