"""CartPole, one environment a row, compiled. The physics is Gymnasium's, step for step.

Source: Barto, Sutton and Anderson 1983; the Euler step, constants and limits of Gymnasium's
CartPole-v1 (tests/test_envs.py holds the two together from equal states).
"""

from __future__ import annotations

import math

import numpy as np

from pgcore.compilation import inlined, kernel
from pgcore.seeding import uniform, uniform_kernel

GRAVITY = 9.8
CART_MASS, POLE_MASS = 1.0, 0.1
TOTAL_MASS = CART_MASS + POLE_MASS
HALF_LENGTH = 0.5  # metres
POLE_MOMENT = POLE_MASS * HALF_LENGTH
FORCE = 10.0  # newtons
TAU = 0.02  # seconds a step
X_LIMIT = 2.4  # metres
THETA_LIMIT = 12 * 2 * math.pi / 360  # radians
START_RANGE = 0.05

# Coefficients of u = angle^2, the highest power first: sin(angle) / angle, and cos(angle).
SINE = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(7, -1, -1))
COSINE = tuple((-1) ** k / math.factorial(2 * k) for k in range(8, -1, -1))


@inlined
def sine_and_cosine(angle):
    """Taylor's polynomials: to the last bit or two for |angle| < 0.7, and a pole falls at 0.21.

    The library's are calls, and would keep the loop from SIMD code.
    """
    u, sin, cos = angle * angle, 0.0, 0.0
    for k in SINE:
        sin = sin * u + k
    for k in COSINE:
        cos = cos * u + k
    return angle * sin, cos


@inlined
def advance(x, x_dot, theta, theta_dot, action):
    """One Euler step.  -> x, x_dot, theta, theta_dot, terminated"""
    force = FORCE if action == 1 else -FORCE
    sin, cos = sine_and_cosine(theta)
    temp = (force + POLE_MOMENT * theta_dot * theta_dot * sin) / TOTAL_MASS
    theta_acc = (GRAVITY * sin - cos * temp) / (
        HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * cos * cos / TOTAL_MASS)
    )
    x_acc = temp - POLE_MOMENT * theta_acc * cos / TOTAL_MASS
    x, x_dot = x + TAU * x_dot, x_dot + TAU * x_acc
    theta, theta_dot = theta + TAU * theta_dot, theta_dot + TAU * theta_acc
    return x, x_dot, theta, theta_dot, (abs(x) > X_LIMIT) | (abs(theta) > THETA_LIMIT)


@inlined
def start(key, episode):
    """The start state of an episode: four draws from +-0.05."""
    first = episode * 4
    return (
        (uniform_kernel(key, first) * 2 - 1) * START_RANGE,
        (uniform_kernel(key, first + 1) * 2 - 1) * START_RANGE,
        (uniform_kernel(key, first + 2) * 2 - 1) * START_RANGE,
        (uniform_kernel(key, first + 3) * 2 - 1) * START_RANGE,
    )


@kernel
def _step(state, elapsed, episodes, keys, fixed, starts, limit, actions, active, out):
    rewards, terminated, truncated, final_obs = out
    for row in range(state.shape[0]):
        if not active[row]:
            continue
        x, x_dot, theta, theta_dot, fell = advance(
            state[row, 0], state[row, 1], state[row, 2], state[row, 3], actions[row]
        )
        state[row, 0], state[row, 1], state[row, 2], state[row, 3] = x, x_dot, theta, theta_dot
        for i in range(4):
            final_obs[row, i] = state[row, i]
        elapsed[row] += 1
        rewards[row] = 1.0
        terminated[row] = fell
        truncated[row] = elapsed[row] >= limit and not fell
        if terminated[row] or truncated[row]:
            elapsed[row] = 0
            episodes[row] += 1
            if fixed:
                a, b, c, d = starts[row, 0], starts[row, 1], starts[row, 2], starts[row, 3]
            else:
                a, b, c, d = start(keys[row], episodes[row])
            state[row, 0], state[row, 1], state[row, 2], state[row, 3] = a, b, c, d


class CartPole:
    """S independent CartPoles that restart by themselves.

    Args:
        keys: [S] uint64, the streams of start states.
        max_episode_steps: 500 for v1, 200 for v0.
        fixed_seeds: if given, row s starts every episode where Gymnasium's
            `reset(seed=fixed_seeds[s])` starts, as the lab notebook does.
    """

    def __init__(self, keys: np.ndarray, max_episode_steps: int, fixed_seeds=None) -> None:
        self.keys, self.max_episode_steps = keys, max_episode_steps
        self.fixed = fixed_seeds is not None
        self.starts = np.zeros((len(keys), 4))
        for row, seed in enumerate(fixed_seeds or ()):
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
            self.starts[row] = rng.uniform(-START_RANGE, START_RANGE, 4)
        first = (uniform(keys[:, None], np.arange(4, dtype=np.uint64)) * 2 - 1) * START_RANGE
        # [S, 4] float64, as Gymnasium keeps it
        self.state = self.starts.copy() if self.fixed else first  # what `start` gives at episode 0
        self.elapsed = np.zeros(len(keys), np.int64)
        self.episodes = np.zeros(len(keys), np.int64)

    @property
    def obs(self) -> np.ndarray:
        """What the policy sees now.  [S, 4] float32"""
        return self.state.astype(np.float32)

    def step(self, actions: np.ndarray, active: np.ndarray):
        """Move the active rows; a row that ends starts anew.

        Returns: rewards, terminated, truncated [S], final_obs [S, 4] before any reset.
        """
        rows = len(self.keys)
        out = (
            np.zeros(rows, np.float32),
            np.zeros(rows, np.bool_),
            np.zeros(rows, np.bool_),
            np.zeros((rows, 4), np.float32),
        )
        _step(
            self.state,
            self.elapsed,
            self.episodes,
            self.keys,
            self.fixed,
            self.starts,
            self.max_episode_steps,
            actions,
            active,
            out,
        )
        return out
