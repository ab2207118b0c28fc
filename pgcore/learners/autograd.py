"""The learner to read: torch's autograd, all seeds in one backward pass, any environment.

The losses are summed over seeds, and no parameter is shared, so each seed's gradient is its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from pgcore import evaluation, losses, networks
from pgcore.algorithms import ALGORITHMS
from pgcore.batch import Batch
from pgcore.config import Config
from pgcore.learners import State, learning_rates, shape_of
from pgcore.rollout import Rollout


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on one thread, for now: the tensors are tiny, and a second one waits at barriers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _policy(params: np.ndarray, config: Config):
    network = shape_of(config).policy(torch.from_numpy(params))

    def probs(obs: np.ndarray) -> np.ndarray:  # [S, D] -> [S, A]
        with torch.no_grad():
            logits = networks.forward(network, torch.from_numpy(obs)[:, None])[:, 0]
            return torch.softmax(logits, -1).numpy()

    return probs


@one_thread()
def collect(rollout: Rollout, params: np.ndarray, until: int) -> None:
    """Act with the policy until batches are complete, or the clocks stand at `until`."""
    rollout.collect(_policy(params, rollout.config), until)


@one_thread()
def assess(rollout: Rollout, params: np.ndarray) -> Batch:
    """The complete batches, with the critic's V of what was seen and of what followed."""
    critic = shape_of(rollout.config).critic(torch.from_numpy(params))
    with torch.no_grad():
        seen, followed = (
            networks.forward(critic, torch.from_numpy(x))[..., 0].numpy()
            for x in (rollout.obs, rollout.final_obs)
        )
    return rollout.batch(seen, followed)


def loss(params: Tensor, batch: Batch, psi: np.ndarray, index: np.ndarray, config: Config):
    """Policy loss + c * value loss - tau * entropy, one number a seed.  [S]

    Args:
        index: [S, M] the steps of each seed that enter.
    """

    def pick(x: np.ndarray) -> Tensor:  # [S, T] -> [S, M]
        return torch.from_numpy(np.take_along_axis(x, index, axis=1))

    shape, valid = shape_of(config), pick(batch.valid)
    obs = torch.from_numpy(np.take_along_axis(batch.obs, index[..., None], axis=1))  # [S, M, D]
    logits = networks.forward(shape.policy(params), obs)  # [S, M, A]
    all_log_probs = torch.log_softmax(logits, -1)
    log_probs = all_log_probs.gather(-1, pick(batch.actions)[..., None])[..., 0]  # [S, M]
    values = networks.forward(shape.critic(params), obs)[..., 0]  # [S, M]
    if ALGORITHMS[config.algorithm].clipped:
        policy = losses.clipped_policy_loss(
            pick(psi), log_probs, pick(batch.probs), valid, config.clip_range
        )
    else:
        policy = losses.policy_loss(pick(psi), log_probs, valid)
    bonus = losses.mean_over_time(losses.entropy(all_log_probs), valid)
    value = losses.value_loss(values, pick(batch.q_values), valid)
    return policy + config.value_coef * value - config.entropy_coef * bonus


@one_thread()
def gradient(
    params: np.ndarray, batch: Batch, psi: np.ndarray, index: np.ndarray, config: Config
) -> np.ndarray:
    """Gradient of each seed's loss in its own parameters.  [S, P]"""
    leaf = torch.from_numpy(params).clone().requires_grad_()
    loss(leaf, batch, psi, index, config).sum().backward()
    assert leaf.grad is not None
    return leaf.grad.numpy()


def step(state: State, gradient: np.ndarray, rows: np.ndarray, config: Config) -> None:
    """Adam, for the rows that were ready."""
    state.updates += rows
    new = losses.adam_step(
        state.params,
        gradient,
        state.m,
        state.v,
        state.updates.clip(1).astype(np.float32),
        learning_rates(config),
    )
    for old, changed in zip((state.params, state.m, state.v), new, strict=True):
        old[rows] = changed[rows]


@one_thread()
def evaluate(params: np.ndarray, config: Config, seeds: range, at: int) -> np.ndarray:
    """Episodic returns of `eval_episodes` episodes a seed, after `at` steps.  [S, E]"""
    repeated = np.repeat(params, config.eval_episodes, axis=0)  # [S * E, P]
    return evaluation.episodic_returns(_policy(repeated, config), config, seeds, at)
