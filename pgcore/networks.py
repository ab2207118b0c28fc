"""Stacked two-layer networks: one flat row of parameters a seed, policy first, then critic.

    logits = W2 relu(x W1 + b1) + b2        W1 [D, H], b1 [H], W2 [O, H], b2 [O]

A row keeps gradient, Adam and checkpoints element-wise, so S stacked runs are S separate runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pgcore import seeding

BETA_1, BETA_2, ADAM_EPS = 0.9, 0.999, 1e-8  # Adam's constants (Kingma and Ba 2015)


class MLP(NamedTuple):
    """The four arrays of one stacked network (numpy views, or torch)."""

    w1: Any  # [S, D, H]
    b1: Any  # [S, H]
    w2: Any  # [S, O, H]
    b2: Any  # [S, O]


@dataclass(frozen=True)
class Shape:
    """Where everything stands in a row: D inputs, H hidden units, A actions."""

    obs_dim: int
    hidden_dim: int
    num_actions: int

    def _size(self, outputs: int) -> int:
        return self.hidden_dim * (self.obs_dim + 1 + outputs) + outputs

    @property
    def policy_size(self) -> int:
        return self._size(self.num_actions)

    @property
    def size(self) -> int:
        return self.policy_size + self._size(1)

    def policy(self, rows: Any) -> MLP:
        """The policy's arrays as views of `rows` [S, P]."""
        return self._view(rows[:, : self.policy_size], self.num_actions)

    def critic(self, rows: Any) -> MLP:
        """The critic's arrays as views of `rows` [S, P]."""
        return self._view(rows[:, self.policy_size :], 1)

    def _view(self, rows: Any, outputs: int) -> MLP:
        seeds, d, h = rows.shape[0], self.obs_dim, self.hidden_dim
        w1, b1 = rows[:, : d * h], rows[:, d * h : (d + 1) * h]
        w2, b2 = rows[:, (d + 1) * h : (d + 1 + outputs) * h], rows[:, (d + 1 + outputs) * h :]
        return MLP(w1.reshape(seeds, d, h), b1, w2.reshape(seeds, outputs, h), b2)


def initial_parameters(shape: Shape, seeds: Sequence[int]) -> np.ndarray:
    """Uniform on +-1/sqrt(fan_in), weights and biases, as `torch.nn.Linear` starts.

    Returns: [S, P] float32.
    """
    d, h = shape.obs_dim, shape.hidden_dim
    bounds = [
        np.full(size, fan_in**-0.5)
        for outputs in (shape.num_actions, 1)
        for size, fan_in in ((d * h + h, d), (outputs * h + outputs, h))
    ]
    scale = np.concatenate(bounds)
    draws = [
        np.random.default_rng(seeding.sequence(seed, "weights")).random(shape.size)
        for seed in seeds
    ]
    return (scale * (2 * np.array(draws) - 1)).astype(np.float32)


def forward(network: MLP, x: Any) -> Any:
    """Outputs of S stacked networks on S batches: x [S, T, D] -> [S, T, O] (numpy or torch).

    Sums of products, not BLAS: its last bit depends on how many matrices it is given, and where.
    """
    hidden = (x[..., None] * network.w1[:, None]).sum(-2) + network.b1[:, None]  # [S, T, H]
    hidden = hidden * (hidden > 0)
    return (hidden[:, :, None] * network.w2[:, None]).sum(-1) + network.b2[:, None]  # [S, T, O]
