"""The two losses and Adam, in torch: the mathematics that the compiled learner is held to."""

from __future__ import annotations

import torch
from torch import Tensor

from pgcore.networks import ADAM_EPS, BETA_1, BETA_2


def mean_over_time(x: Tensor, valid: Tensor) -> Tensor:
    """Mean over the valid steps of each seed: [S, T] -> [S]."""
    return (x * valid).sum(-1) / valid.sum(-1).clamp(min=1)


def policy_loss(psi: Tensor, log_probs: Tensor, valid: Tensor) -> Tensor:
    """loss[s] = -(1/T) sum_t Psi_t log pi(a_t | s_t).  [S]"""
    return -mean_over_time(psi * log_probs, valid)


def clipped_policy_loss(
    psi: Tensor, log_probs: Tensor, old_probs: Tensor, valid: Tensor, clip_range: float
) -> Tensor:
    """loss[s] = -(1/T) sum_t min(rho Psi, clip(rho, 1 - e, 1 + e) Psi).  [S]

    rho = pi(a|s) / pi_old(a|s). Source: Schulman et al. 2017, eq. 7.
    """
    rho = log_probs.exp() / old_probs
    clipped = rho.clamp(1 - clip_range, 1 + clip_range)
    return -mean_over_time(torch.minimum(rho * psi, clipped * psi), valid)


def value_loss(values: Tensor, targets: Tensor, valid: Tensor) -> Tensor:
    """loss[s] = (1/T) sum_t (V(s_t) - target_t)^2, both [S, T].  [S]

    Raises: ValueError for two shapes; [B, 1] against [B] would broadcast to [B, B].
    """
    if values.shape != targets.shape:
        shapes = f"{list(values.shape)} and {list(targets.shape)}"
        raise ValueError(f"values and targets have the shapes {shapes}; they must have one.")
    return mean_over_time((values - targets) ** 2, valid)


def entropy(log_probs: Tensor) -> Tensor:
    """H(pi) = -sum_a pi_a log pi_a: [S, T, A] -> [S, T]."""
    return -(log_probs.exp() * log_probs).sum(-1)


def adam_step(params, gradient, m, v, updates, learning_rates):
    """One Adam step (Kingma and Ba 2015), element-wise; `updates` counts from 1.

    Shapes: params, gradient, m, v [S, P]; updates [S]; learning_rates [P]. Returns params, m, v.
    """
    m = BETA_1 * m + (1 - BETA_1) * gradient
    v = BETA_2 * v + (1 - BETA_2) * gradient**2
    m_hat = m / (1 - BETA_1 ** updates[:, None])
    v_hat = v / (1 - BETA_2 ** updates[:, None])
    return params - learning_rates * m_hat / (v_hat**0.5 + ADAM_EPS), m, v
