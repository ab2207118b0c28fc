"""Gradient variance: windows, clouds and their statistics, against exact truths where there are."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats as distributions

from pgcore import ALGORITHMS, Config, train
from pgcore.__main__ import main
from pgcore.exact import batch_gradients
from pgcore.exact.toypole import ToyPole
from pgcore.gradients import (
    by_batch_size,
    collect_windows,
    decompose,
    estimates,
    exact_reference,
    examine,
    gradients_of,
    hotelling,
    inside_update,
    measure,
    parabola_of,
    project,
    reference,
    reference_of,
    scatter,
    squared_scores,
    summary,
    weights,
)
from pgcore.gradients.decomposition import critic_fit, true_returns
from pgcore.gradients.inference import moments, resampled_means
from pgcore.gradients.windows import horizon
from pgcore.learners import autograd, shape_of

CONFIG = Config(total_timesteps=4000, num_seeds=2)
BALANCER = Config(hidden_dim=2)  # a policy that never falls, and a critic of zeros


@pytest.fixture(scope="module")
def row():
    return train(CONFIG).checkpoints[-1, 0]


@pytest.fixture(scope="module")
def windows(row):
    return collect_windows(row, CONFIG, 2000, 0)


@pytest.fixture(scope="module")
def report(row):
    return examine(row, CONFIG, 2000, 0)


def balancer(sharpness=10.0):
    """z_1 - z_0 = sharpness * (0.1 x + 0.2 x_dot + theta + 0.3 theta_dot), of two ReLUs."""
    row = np.zeros((1, shape_of(BALANCER).size), np.float32)
    policy = shape_of(BALANCER).policy(row)
    policy.w1[0, :, 0] = (0.1, 0.2, 1.0, 0.3)
    policy.w1[0, :, 1] = -policy.w1[0, :, 0]
    policy.w2[0, 1] = (sharpness, -sharpness)
    return row[0]


def near(interval, truth, times=2.0):
    """The truth lies inside the interval, made `times` as wide so that chance cannot fail it."""
    middle, half = (interval.low + interval.high) / 2, (interval.high - interval.low) / 2
    return abs(truth - middle) <= times * half
