"""Bootstrapping: what stands for the steps that come after a batch's end.

A batch mostly stops while the pole stands. Three targets answer what follows there, and differ in
nothing else:

    cut        0: the return ends with the batch
    critic     V_phi(s'): the bootstrap, as training does it
    followed   the discounted rewards of the same policy playing on: the truth, and its noise

The same is asked where the episode's clock strikes inside a batch (Pardo et al. 2018), and answered
in the same way. The gradients are those of Psi = Q - V_phi for all three: the baseline adds no
bias, and with one baseline only the target differs. The mean gradient of `followed` is the true
gradient g_inf (see measurement.py), so it has no bias by theory.

Shapes: N windows (batches), T steps, P policy parameters, E episodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgcore import episodes, stats
from pgcore.gradients.estimates import gradients_of
from pgcore.gradients.inference import DRAWS, Array, percentile_interval, resampled_means
from pgcore.gradients.measurement import Measurement, Reference, control, measure
from pgcore.gradients.windows import Windows, target
from pgcore.stats import Interval

CUT, CRITIC, FOLLOWED = TARGETS = ("cut", "critic", "followed")
EPISODES = 200
NOTHING = 1e-6  # of the true gradient's length: float32's rounding, and no bias


@dataclass(frozen=True)
class Bootstrapping:
    """The three targets on the same batches of one policy; n counts batches but for `lengths`."""

    mean_q: dict[str, Interval]  # [T] each: mean Q_t against the position in the batch
    gap: Interval  # E (critic's Q - what followed) at the last step: the critic's own error
    measurements: dict[str, Measurement]  # of Psi = Q - V_phi; `ratio` is against `followed`
    brought_back: Interval  # see `brought_back`
    asked: Interval  # share of the batches that end while the pole stands
    whole: Interval  # share of the batches that hold an episode from start to end
    lengths: np.ndarray  # [E] int64, steps of whole episodes
    batch_size: int

    @property
    def fitting(self) -> Interval:
        """Share of the episodes that are no longer than a batch; Wilson's interval."""
        return stats.proportion_interval(
            int((self.lengths <= self.batch_size).sum()), len(self.lengths)
        )


def bootstrapping(windows: Windows, truth: Reference, seed: int, at: int = 0) -> Bootstrapping:
    """Compare the three targets at the frozen policy of some windows.

    Args:
        truth: the true gradient of the same policy, from other windows.
        seed, at: whose evaluation episodes are counted, and after how many environment steps.
    """
    q, n = targets(windows), len(windows)
    psi = {key: returns - windows.batch.values for key, returns in q.items()}
    gradients = gradients_of(windows, psi)
    played = episodes.play(windows.params, windows.config, seed, at, EPISODES)
    last = (q[CRITIC] - q[FOLLOWED])[:, -1]
    return Bootstrapping(
        {key: stats.mean_t_interval(returns) for key, returns in q.items()},
        stats.mean_t_interval(last),
        measure(gradients, truth, base=FOLLOWED, unbiased=FOLLOWED, target=CUT),
        brought_back(gradients, truth),
        stats.proportion_interval(int((~windows.batch.terminated[:, -1]).sum()), n),
        stats.proportion_interval(int(whole_episodes(windows).sum()), n),
        np.array([episode.length for episode in played]),
        windows.mc_q.shape[1],
    )


def targets(windows: Windows) -> dict[str, Array]:
    """Q of TARGETS on the same steps.  [N, T] each"""
    batch = windows.batch
    nothing = np.zeros_like(batch.final_values)
    return {
        CUT: target(windows.config, batch, nothing),
        CRITIC: batch.q_values,
        FOLLOWED: windows.mc_q,
    }


def brought_back(
    gradients: Mapping[str, Array], truth: Reference, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """1 - bias(critic) / bias(cut), both along the true gradient: 1 if the critic restores it all.

    Below 0 the critic does harm, above 1 it overshoots. The biases are those of `measure`, with
    `followed` as their control variate; numerator and denominator are resampled together.

    Args:
        gradients: [N, P] of TARGETS.

    Returns: nan where neither target moves the mean; bounds of nan where the resamples of the
        cut's bias have no certain sign, and a ratio has no interval.
    """
    u, norm = gradients[FOLLOWED], float(np.sqrt(truth.squared_norm))
    betas = {key: control(gradients[key], u) for key in (CRITIC, CUT)}
    columns = np.stack(
        [(gradients[key] - beta * u) @ truth.directions[0] for key, beta in betas.items()], 1
    ).astype(np.float64)
    free = 1 - np.array([*betas.values()])  # the share of the reference in each
    norms = norm * np.random.default_rng([seed, 1]).normal(1, truth.norm_error, (draws, 1))
    moved = resampled_means(columns, draws, seed) - free * norms  # [R, 2]: critic, cut
    critic, cut = columns.mean(0) - free * norm
    n = len(u)
    if abs(cut) < NOTHING * norm:
        return Interval(np.nan, np.nan, np.nan, n)
    estimate = float(1 - critic / cut)
    if np.ptp(np.sign(moved[:, 1])):
        return Interval(estimate, np.nan, np.nan, n)
    return percentile_interval(estimate, 1 - moved[:, 0] / moved[:, 1], n)


def whole_episodes(windows: Windows) -> np.ndarray:
    """Which windows hold an episode from its start to its end.  [N] bool

    Such a window has two ends, or one and a start at its first step.
    """
    ends: np.ndarray = windows.batch.ended.sum(-1) + (windows.elapsed == 0)
    return ends >= 2
