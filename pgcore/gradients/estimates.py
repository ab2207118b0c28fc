"""Estimates: what every estimator makes of the same windows, one policy gradient each.

    g_i = (1/T) sum_t Psi_t grad log pi(a_t | s_t)            for window i: a point in R^P

Here P counts the policy's parameters alone, and g points uphill: it is the step that one update
would take. For CartPole's two actions, with z the logits and p = pi(1 | s),

    grad log pi(a | s) = (a - p) d(s),        d = grad (z_1 - z_0).

Two estimates stand apart from the registry. `monte_carlo`, Psi = MC - V_phi, is the truth's own:
no bootstrap, so no bias. `optimal_constant`, Psi = Q - b*, takes the b* of least variance
(Greensmith, Bartlett & Baxter 2004) from the other half of the windows, since a constant fitted to
its own window would not be a constant.

Shapes: M estimators, N windows, T steps, P policy parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from pgcore.algorithms import ALGORITHMS, Algorithm
from pgcore.compilation import kernel, part
from pgcore.config import Config
from pgcore.gradients.measurement import Reference, reference_of
from pgcore.gradients.parabola import parabola_terms
from pgcore.gradients.windows import Progress, Windows, collect_windows, no_progress, on_threads
from pgcore.learners import shape_of
from pgcore.learners.compiled import preference, sigmoid

BASE = "policy_gradient"  # what ratios of variance compare with

REFERENCE_STEPS = 512  # Monte Carlo minus V knows no edge: one long window does for many short
REFERENCE_WINDOWS = 1000  # at least; they are the reference's independent units
REFERENCE_FACTOR = 6  # steps of the reference, at least, for one step of the windows
FIRST_REFERENCE = 2**32  # its windows are never among the measured ones
REFERENCE_BLOCK = 2048  # long windows in memory at once

ZERO, ONE = np.float32(0), np.float32(1)


def measurable(algorithms: Mapping[str, Algorithm] = ALGORITHMS) -> tuple[str, ...]:
    """The estimators that batches of fixed length show; REINFORCE's end with their episodes."""
    return tuple(key for key, entry in algorithms.items() if not entry.whole_episodes)


def weights(
    windows: Windows, config: Config, algorithms: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """Psi of every algorithm on the same windows.  [N, T] each

    `config` sets the constant, lambda and formula, which need no new windows. PPO stands where it
    starts, at rho = 1, where its gradient is GAE's. The running mean, which training takes over
    past batches, is here the mean of the other windows' Q: a constant as independent of the window
    as the past is, and less noisy.

    Args:
        algorithms: those of `measurable()` by default.

    Raises: ValueError for an estimator that updates at the ends of episodes; the bias of such an
        estimator is measured by `length_bias`, on whole episodes.
    """
    keys = measurable() if algorithms is None else tuple(algorithms)
    if whole := [key for key in keys if ALGORITHMS[key].whole_episodes]:
        raise ValueError(
            f"{', '.join(whole)} updates at the ends of episodes, and a window is a batch of fixed "
            "length: what would be measured is not what trains."
        )
    return {key: ALGORITHMS[key].weight(windows.batch, config) for key in keys}


def gradients_of(
    windows: Windows,
    psi: Mapping[str, np.ndarray],
    *,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> dict[str, np.ndarray]:
    """g of every weight [N, T]: one pass over the steps, all estimators at once.  [N, P] each"""
    size, hidden = shape_of(windows.config).policy_size, windows.config.hidden_dim
    num_windows = len(windows)
    stacked = np.stack([weight.astype(np.float32) for weight in psi.values()], 1)  # [N, M, T]
    out = np.zeros((len(psi), num_windows, size), np.float32)

    def work(share: slice) -> None:
        _gradients(
            windows.params, hidden, windows.batch.obs, windows.batch.actions, stacked,
            share.start, share.stop, out,
        )  # fmt: skip

    on_threads(work, num_windows, threads, progress)
    return dict(zip(psi, out, strict=True))


def squared_scores(windows: Windows) -> np.ndarray:
    """|grad log pi(a_t | s_t)|^2 of every step.  [N, T] float32"""
    out = np.empty_like(windows.mc_q)
    batch = windows.batch
    _squared_scores(windows.params, windows.config.hidden_dim, batch.obs, batch.actions, out)
    return out


def estimates(
    windows: Windows,
    config: Config,
    algorithms: Iterable[str] | None = None,
    *,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The gradients of every algorithm, of `monte_carlo` and `optimal_constant`; and mean scores.

    Returns: gradients [N, P] by key, and (1/T) sum_t grad log pi(a_t | s_t) [N, P], by which a
        constant baseline enters: g(b) = g(0) - b * mean score.
    """
    wanted = measurable() if algorithms is None else algorithms
    psi = weights(windows, config, dict.fromkeys((BASE, "actor_critic", *wanted)))
    psi["monte_carlo"] = windows.mc_q - windows.batch.values
    psi["score"] = np.ones_like(windows.mc_q)
    gradients = gradients_of(windows, psi, threads=threads, progress=progress)
    scores = gradients.pop("score")
    gradients["optimal_constant"] = best_constant(gradients[BASE], scores)
    return gradients, scores


def best_constant(gradients: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """g - b* score, where each half of the windows takes the other half's b*.  [N, P]"""
    best = np.empty(len(gradients), np.float32)
    for half, other in ((0, 1), (1, 0)):
        curvature, covariance, _ = parabola_terms(gradients[other::2], scores[other::2]).mean(0)
        best[half::2] = covariance / curvature if curvature else 0
    return gradients - best[:, None] * scores


def reference(
    params: np.ndarray,
    config: Config,
    num_windows: int,
    seed: int,
    *,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> Reference:
    """The true gradient g_inf (see measurement.py): Monte Carlo minus V_phi over 6 N other windows.

    The weight has no edge to suffer from, so the steps come in long windows, which share their
    burn-in and their tail; the long windows are independent, and give the error.
    """
    steps = REFERENCE_FACTOR * num_windows * config.batch_size
    count = max(REFERENCE_WINDOWS, -(-steps // REFERENCE_STEPS))
    long = config.replace(batch_size=REFERENCE_STEPS)
    parts = []
    for start in range(0, count, REFERENCE_BLOCK):
        size = min(REFERENCE_BLOCK, count - start)

        def report(share: float, start: int = start, size: int = size) -> None:
            progress((start + share * size) / count)

        windows = collect_windows(
            params,
            long,
            size,
            seed,
            first=FIRST_REFERENCE + start,
            threads=threads,
            progress=report,
        )
        psi = {"monte_carlo": windows.mc_q - windows.batch.values}
        parts.append(gradients_of(windows, psi, threads=threads)["monte_carlo"])
    return reference_of(np.concatenate(parts))


@part
def preference_gradient(theta, hidden, x0, x1, x2, x3, out):
    """d = grad (z_1 - z_0) in the policy's parameters, into `out` [P]; returns p = pi(1 | s)."""
    bias, w2, end = 4 * hidden, 5 * hidden, 7 * hidden
    for j in range(hidden):
        h = theta[bias + j] + x0 * theta[j] + x1 * theta[hidden + j]
        h += x2 * theta[2 * hidden + j] + x3 * theta[3 * hidden + j]
        dh = theta[w2 + hidden + j] - theta[w2 + j] if h > ZERO else ZERO
        out[j], out[hidden + j] = x0 * dh, x1 * dh
        out[2 * hidden + j], out[3 * hidden + j] = x2 * dh, x3 * dh
        out[bias + j] = dh
        out[w2 + j], out[w2 + hidden + j] = -max(h, ZERO), max(h, ZERO)
    out[end], out[end + 1] = -ONE, ONE
    return sigmoid(preference(theta, hidden, x0, x1, x2, x3))


@kernel
def _gradients(theta, hidden, obs, actions, psi, start, stop, out):
    size, steps = out.shape[2], obs.shape[1]
    d = np.empty(size, np.float32)
    for i in range(start, stop):
        for t in range(steps):
            x = obs[i, t]
            p = preference_gradient(theta, hidden, x[0], x[1], x[2], x[3], d)
            scale = (np.float32(actions[i, t]) - p) / np.float32(steps)
            for m in range(psi.shape[1]):
                weight, g = scale * psi[i, m, t], out[m, i]
                for k in range(size):
                    g[k] += weight * d[k]


@kernel
def _squared_scores(theta, hidden, obs, actions, out):
    d = np.empty(7 * hidden + 2, np.float32)
    for i in range(obs.shape[0]):
        for t in range(obs.shape[1]):
            x = obs[i, t]
            p = preference_gradient(theta, hidden, x[0], x[1], x[2], x[3], d)
            squared = ZERO
            for k in range(d.shape[0]):
                squared += d[k] * d[k]
            miss = np.float32(actions[i, t]) - p
            out[i, t] = miss * miss * squared
