"""The bias of what trains on whole episodes: REINFORCE divides by a length that chance decides.

A batch of whole episodes ends with the first episode that ends at `batch_size` steps or later. It
has L steps, and with X = sum_t G_t grad log pi(a_t | s_t) training takes the gradient X / L. Every
episode starts afresh, so the batches are independent, and by Wald's identity

    E[X] / E[L]   is E[X of one episode] / E[steps of one episode]: the true gradient here,
    E[X / L]      is what training takes on average,

whose difference is -Cov(X / L, L) / E[L]. Divided by a constant, X would have no bias. The true
gradient here is g_inf (see measurement.py) with returns that end at the episode's clock.

Windows of a fixed length do not show this bias, and so `estimates.weights` refuses REINFORCE.
Shapes: N batches, P policy parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pgcore import envs, seeding
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.gradients.inference import Array, percentile_interval, resampled_means
from pgcore.learners import compiled, shape_of
from pgcore.rollout import Rollout, make_env
from pgcore.stats import Interval

FIRST_BATCH = 2**35  # the streams of these batches are no window's
BLOCK = 500  # batches in memory at once
ACTIONS, RESETS = np.array([0], np.uint64), np.array([1], np.uint64)  # streams of one batch


class LengthBias(NamedTuple):
    """What dividing by the realised number of steps does to the mean gradient; n is of batches."""

    along: Interval  # (E[X/L] - g) . g / |g|^2: -0.3 shortens the step by 30% of the truth
    steps: Interval  # E[L]


def length_bias(
    params: np.ndarray, config: Config, num_batches: int = 4000, seed: int = 0
) -> LengthBias:
    """Measure the bias of a whole-episode estimator at a frozen policy.

    Args:
        params: [P] any checkpoint of any CartPole run of `config`'s hidden_dim.
        config: its algorithm, batch_size and gamma count; its seeds are ignored.
        seed: of the measurement, and of the start state with `config.fixed_start`.

    Raises: ValueError for an algorithm that does not wait for an episode's end, for another
        environment, for parameters that do not fit, or for fewer than 10 batches.
    """
    gradients, lengths = whole_batches(params, config, num_batches, seed)
    return ratio_bias(gradients, lengths, seed)


def whole_batches(
    params: np.ndarray, config: Config, num_batches: int, seed: int
) -> tuple[Array, Array]:
    """X / L [N, P] and L [N] of independent batches, each of the first episodes of its own stream.

    Raises: ValueError as `length_bias`.
    """
    shape = shape_of(config)
    if not ALGORITHMS[config.algorithm].whole_episodes:
        raise ValueError(f"{config.algorithm} does not wait for the end of an episode.")
    if not envs.describe(config.env_id).compiled:
        raise ValueError(f"env_id is {config.env_id!r}; batches are collected on CartPole alone.")
    if params.shape != (shape.size,):
        raise ValueError(f"The parameters must be {shape.size} numbers, not {params.shape}.")
    if num_batches < 10:
        raise ValueError(f"num_batches is {num_batches}; it must be at least 10.")
    of_seed = seeding.keys([seed], "measurement")
    keys = seeding.fold(of_seed, FIRST_BATCH + np.arange(num_batches, dtype=np.uint64))
    blocks = [
        _block(params, config, keys[first : first + BLOCK], seed)
        for first in range(0, num_batches, BLOCK)
    ]
    gradients, lengths = zip(*blocks, strict=True)
    return np.concatenate(gradients), np.concatenate(lengths)


def _block(params: np.ndarray, config: Config, keys: np.ndarray, seed: int) -> tuple[Array, Array]:
    """A batch a key, as training collects it; the critic and the entropy bonus are left out."""
    count, limit = len(keys), envs.describe(config.env_id).max_episode_steps
    alone = config.replace(num_seeds=count, value_coef=0.0, entropy_coef=0.0)
    rows = np.tile(params.astype(np.float32), (count, 1))
    same_start = [seed] * count
    rollout = Rollout(alone, same_start)
    rollout.env = make_env(
        config.env_id, seeding.fold(keys, RESETS), same_start if config.fixed_start else None
    )
    rollout.action_keys = seeding.fold(keys, ACTIONS)
    compiled.collect(rollout, rows, config.batch_size + limit)
    batch = compiled.assess(rollout, rows)
    psi = ALGORITHMS[config.algorithm].weight(batch, alone)
    every_step = np.tile(np.arange(psi.shape[1]), (count, 1))
    gradients = compiled.gradient(rows, batch, psi, every_step, alone)
    return -gradients[:, : shape_of(config).policy_size], rollout.length.astype(np.float64)


def ratio_bias(gradients: Array, lengths: Array, seed: int = 0) -> LengthBias:
    """The bias of mean(X / L) for E[X] / E[L], along the latter.  [N, P], [N]

    With a = (X / L) . u for a unit vector u along the truth, it is E[a] E[L] / E[L a] - 1. Each
    half of the batches takes the u of the other half: a u of its own would lengthen the truth by
    its noise. All means are resampled together.
    """
    along = np.empty(len(lengths))
    for half, other in ((0, 1), (1, 0)):
        truth = lengths[other::2].astype(np.float64) @ gradients[other::2]
        along[half::2] = gradients[half::2] @ (truth / (np.linalg.norm(truth) or 1.0))
    columns = np.stack([along, lengths, lengths * along], 1).astype(np.float64)
    means, draws, n = columns.mean(0), resampled_means(columns, seed=seed), len(lengths)
    with np.errstate(divide="ignore", invalid="ignore"):
        found, resampled = (m[..., 0] * m[..., 1] / m[..., 2] - 1 for m in (means, draws))
    return LengthBias(
        percentile_interval(float(found), resampled, n),
        percentile_interval(float(means[1]), draws[:, 1], n),
    )
