"""Batch: every array of one update, defined once.

Dimensions: S seeds, T steps, D observation entries. Everything is numpy and nothing carries a
gradient, so an estimator's weight is data in the loss, as `.detach()` would make it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Batch:
    """One batch of S seeds x T steps, and what the critic says of it before the update."""

    obs: np.ndarray  # [S, T, D] float32, what the policy saw
    actions: np.ndarray  # [S, T] int64, what it did
    probs: np.ndarray  # [S, T] float32, the probability it gave to that action
    rewards: np.ndarray  # [S, T] float32, the environment's plus `config.reward_offset`
    terminated: np.ndarray  # [S, T] bool, the task ended here: nothing follows
    truncated: np.ndarray  # [S, T] bool, the clock ended it: something would have followed
    final_obs: np.ndarray  # [S, T, D] float32, the observation that followed, before any reset
    valid: np.ndarray  # [S, T] bool, False in the padding behind whole episodes
    values: np.ndarray  # [S, T] float32, V_phi(obs)
    final_values: np.ndarray  # [S, T] float32, V_phi(final_obs)
    q_values: np.ndarray  # [S, T] float32, bootstrapped returns
    past_mean: np.ndarray  # [S] float32, running mean of earlier batches' q_values

    @property
    def ended(self) -> np.ndarray:
        """[S, T] bool: the episode ended at this step, for either reason."""
        return self.terminated | self.truncated
