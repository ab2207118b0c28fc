"""ToyPole: a CartPole of five states, whose every window of experience can be listed.

The cart stands on x in {0, ..., 4} and steps left (action 0) or right (action 1). Leaving the
track terminates the episode; it starts, and starts again, at x = 2. Each step, the last one too,
is worth 1. The policy is tabular: pi(right | x) = sigmoid(theta_x).

Batches sample the undiscounted occupancy mu and apply no gamma^t, so their expectation is
    g_inf = sum_s mu(s) sum_a grad pi(a|s) Q(s, a),
which is the gradient of no function (Nota & Thomas 2020): its Jacobian is not symmetric.

Shapes: W windows, T steps in a window; the 5 states are also the 5 parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgcore import returns
from pgcore.batch import Batch
from pgcore.exact import Array, Parabola, batch_gradients, moments, parabola

STATES, START = 5, 2
THETA = (1.2, 0.1, 0.3, -0.6, -0.2)
LONGEST = 14  # 5 * 2^14 windows


@dataclass(frozen=True)
class Windows:
    """W windows of T steps, and how likely each is. The names are those of `batch.Batch`."""

    probability: Array  # [W]
    states: NDArray[np.int64]  # [W, T]
    actions: NDArray[np.int64]  # [W, T] 0 left, 1 right
    rewards: Array  # [W, T]
    terminated: NDArray[np.bool_]  # [W, T]
    values: Array  # [W, T] the critic at the state
    final_values: Array  # [W, T] the critic at what followed, before a reset; 0 if terminated
    scores: Array  # [W, T, 5] psi_t = grad log pi(a_t | s_t)
    gamma: float

    @property
    def truncated(self) -> NDArray[np.bool_]:
        """No clock ends an episode here.  [W, T]"""
        return np.zeros_like(self.terminated)

    @cached_property
    def batch(self) -> Batch:
        """The windows as every estimator sees a batch, with W rows where training has S seeds.

        obs and final_obs are one-hot states [W, T, 5], all zeros off the track. The arrays stay
        float64, so that what an estimator makes of them can be held to the enumerated truth.
        """
        track = np.eye(STATES + 2)[:, 1:-1]  # its first and last row lie off the track
        return Batch(
            obs=track[self.states + 1],
            actions=self.actions,
            probs=1 - np.abs(self.scores).sum(-1),
            rewards=self.rewards,
            terminated=self.terminated,
            truncated=self.truncated,
            final_obs=track[self.states + 2 * self.actions],
            valid=np.ones_like(self.terminated),
            values=self.values,
            final_values=self.final_values,
            q_values=self.q_values,
            past_mean=np.zeros(len(self.states)),
        )

    def advantages(self, lam: float) -> Array:
        """GAE(lambda) of the windows (Schulman et al. 2016, eq. 16).  [W, T]"""
        return returns.gae(
            self.rewards,
            self.values,
            self.final_values,
            self.terminated,
            self.truncated,
            self.gamma,
            float(lam),
        )

    @cached_property
    def q_values(self) -> Array:
        """Rewards to the episode's end, or to the window's and then the critic.  [W, T]"""
        return returns.bootstrapped_q(
            self.rewards, self.final_values, self.terminated, self.truncated, self.gamma
        )

    @cached_property
    def parabola(self) -> Parabola:
        """tr Var of Q - b against the constant b; its vertex is the optimal constant."""
        with_q = batch_gradients(self.q_values, self.scores)
        alone = batch_gradients(np.ones_like(self.q_values), self.scores)
        return parabola(self.probability, with_q, alone)


class Measured(NamedTuple):
    """An estimator against the truth g_inf."""

    mean: Array  # [5]
    relative_bias: float  # |mean - g_inf| / |g_inf|
    tr_var: float


class ToyPole:
    """Policy logits `theta` [5] and discount `gamma` in [0, 1). Complex theta is allowed, for
    the complex-step derivative in `jacobian`; windows need a real one."""

    def __init__(self, theta: ArrayLike = THETA, gamma: float = 0.9) -> None:
        self.theta = np.asarray(theta)
        if self.theta.shape != (STATES,):
            raise ValueError(f"theta must hold {STATES} numbers, not shape {self.theta.shape}.")
        if not 0 <= gamma < 1:
            raise ValueError(f"gamma must be at least 0 and below 1, not {gamma}.")
        self.gamma = gamma
        self.right: Array = np.asarray(1 / (1 + np.exp(-self.theta)))  # [5] pi(right | x)

    @property
    def transition(self) -> Array:
        """P(x, x'), within one episode: the rows of the ends do not sum to 1.  [5, 5]"""
        return np.diag(self.right[:-1], 1) + np.diag(1 - self.right[1:], -1)

    def visits(self, discount: float) -> Array:
        """sum_t discount^t P^t = (I - discount P)^-1: visits to x' in an episode from x.  [5, 5]"""
        return np.linalg.inv(np.eye(STATES) - discount * self.transition)

    @cached_property
    def values(self) -> Array:
        """V = (I - gamma P)^-1 1: each visit is worth 1.  [5]"""
        return self.visits(self.gamma).sum(-1)

    @cached_property
    def q_values(self) -> Array:
        """Q(x, a) = 1 + gamma V(x + 2a - 1), V = 0 off the track.  [5, 2]"""
        padded = np.concatenate([[0], self.values, [0]])
        return 1 + self.gamma * np.stack([padded[:-2], padded[2:]], axis=-1)

    @property
    def mean_length(self) -> float:
        """E[length] of an episode, in steps."""
        return float(self.visits(1.0)[START].sum())

    @property
    def occupancy(self) -> Array:
        """mu, the share of time in each state of a never-ending run with resets.  [5]"""
        visits = self.visits(1.0)[START]
        return visits / visits.sum()

    @property
    def _per_state(self) -> Array:
        """sum_a grad pi(a|x) Q(x, a) = p (1-p) (Q(x, 1) - Q(x, 0)).  [5]"""
        return self.right * (1 - self.right) * (self.q_values[:, 1] - self.q_values[:, 0])

    @property
    def gradient(self) -> Array:
        """g_inf, states weighed by mu: what batches estimate.  [5]"""
        return self.occupancy * self._per_state

    @property
    def discounted_gradient(self) -> Array:
        """grad J_gamma = grad V(start), states weighed by discounted visits.  [5]"""
        return self.visits(self.gamma)[START] * self._per_state

    def jacobian(self, field: Callable[[ToyPole], Array]) -> Array:
        """d field_i / d theta_j by the complex step, exact to rounding.  [5, 5]"""
        steps = 1e-30j * np.eye(STATES)
        return np.stack(
            [field(ToyPole(self.theta + s, self.gamma)).imag / 1e-30 for s in steps], -1
        )

    def asymmetry(self, field: Callable[[ToyPole], Array]) -> float:
        """|J - J'| / |J + J'| (Frobenius): 0 iff the field is the gradient of a function."""
        jacobian = self.jacobian(field)
        return float(np.linalg.norm(jacobian - jacobian.T) / np.linalg.norm(jacobian + jacobian.T))

    def climb(
        self,
        field: Callable[[ToyPole], Array],
        states: tuple[int, int] = (0, 2),
        radius: float = 2.0,
        points: int = 240,
    ) -> Array:
        """Height gained on a walk once round theta: the integral of field . dtheta.  [points + 1]

        The walk is a circle in the plane of two states' parameters. The gradient of a function
        ends at the height where it began; a field that does not is the slope of no landscape.
        """
        angle = np.linspace(0, 2 * np.pi, points + 1)[:, None]
        first, second = np.eye(STATES)[list(states)]
        places = self.theta + radius * (np.cos(angle) * first + np.sin(angle) * second)
        tangents = radius * (np.cos(angle) * second - np.sin(angle) * first)
        slopes = (np.stack([field(ToyPole(x, self.gamma)) for x in places]) * tangents).sum(-1)
        gains = (slopes[1:] + slopes[:-1]) / 2 * (2 * np.pi / points)
        return np.concatenate([[0], gains.cumsum()])

    @property
    def optimal_state_baseline(self) -> Array:
        """b*(x) = E_a[|psi|^2 Q] / E_a[|psi|^2] = (1-p) Q(x, 1) + p Q(x, 0).  [5]"""
        return (1 - self.right) * self.q_values[:, 1] + self.right * self.q_values[:, 0]

    def windows(self, length: int = 8, critic: ArrayLike | None = None) -> Windows:
        """All 5 * 2^length windows that a run with resets can show, with their probabilities.

        `critic` [5] replaces V^pi, both as the baseline and as the bootstrap.
        """
        if not 1 <= length <= LONGEST:
            raise ValueError(f"length must be from 1 to {LONGEST} to be listed, not {length}.")
        plans = np.indices((2,) * length).reshape(length, -1).T  # [2^T, T]
        start = np.repeat(np.arange(STATES), len(plans))  # [W]
        actions = np.tile(plans, (STATES, 1))  # [W, T]
        states, terminated = self._roll(start, length, lambda t, x: actions[:, t])
        chosen = np.where(actions == 1, self.right[states], 1 - self.right[states])
        probability = self.occupancy[start] * chosen.prod(-1)
        return self._seen(probability, states, actions, terminated, critic)

    def sample_windows(
        self, n: int, length: int, rng: np.random.Generator, critic: ArrayLike | None = None
    ) -> Windows:
        """n independent windows that start from mu, played step by step; each weighs 1/n."""
        start = rng.choice(STATES, size=n, p=self.occupancy)
        actions = np.empty((n, length), np.int64)

        def act(t: int, states: NDArray[np.int64]) -> NDArray[np.int64]:
            actions[:, t] = rng.random(n) < self.right[states]
            return actions[:, t]

        states, terminated = self._roll(start, length, act)
        return self._seen(np.full(n, 1 / n), states, actions, terminated, critic)

    def _roll(
        self,
        start: NDArray[np.int64],
        length: int,
        act: Callable[[int, NDArray[np.int64]], NDArray[np.int64]],
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Play `length` steps of every window: states and terminated, [W, T]."""
        states = np.empty((len(start), length), np.int64)
        terminated = np.empty((len(start), length), bool)
        here = start
        for t in range(length):
            states[:, t] = here
            moved = here + 2 * act(t, here) - 1
            terminated[:, t] = (moved < 0) | (moved >= STATES)
            here = np.where(terminated[:, t], START, moved)
        return states, terminated

    def _seen(
        self,
        probability: Array,
        states: NDArray[np.int64],
        actions: NDArray[np.int64],
        terminated: NDArray[np.bool_],
        critic: ArrayLike | None,
    ) -> Windows:
        """What an agent with this critic records of the steps it played."""
        value = self.values if critic is None else np.asarray(critic, float)
        if value.shape != (STATES,):
            raise ValueError(f"critic must hold {STATES} numbers, not shape {value.shape}.")
        padded = np.concatenate([[0], value, [0]])  # off the track the value is 0
        return Windows(
            probability=probability,
            states=states,
            actions=actions,
            rewards=np.ones(states.shape),
            terminated=terminated,
            values=value[states],
            final_values=padded[states + 2 * actions],
            scores=(actions - self.right[states])[..., None] * np.eye(STATES)[states],
            gamma=self.gamma,
        )

    def measure(self, windows: Windows, weights: Array) -> Measured:
        """Mean, relative bias and variance of g = mean_t Psi_t psi_t, for weights Psi [W, T]."""
        estimate = moments(windows.probability, batch_gradients(weights, windows.scores))
        error = np.linalg.norm(estimate.mean - self.gradient) / np.linalg.norm(self.gradient)
        return Measured(estimate.mean, float(error), estimate.tr_var)

    def gae_curve(
        self, critic: ArrayLike, lambdas: ArrayLike, length: int = 8
    ) -> tuple[Array, Array]:
        """Relative bias [L] and variance [L] of GAE against lambda [L], under any critic [5].

        With V^pi the bias is 0 for every lambda; with any other critic lambda trades one for the
        other, and lambda = 1 keeps the bias of the bootstrap at the window's end.
        """
        windows = self.windows(length, critic)
        curve = [self.measure(windows, windows.advantages(lam)) for lam in np.ravel(lambdas)]
        return np.array([m.relative_bias for m in curve]), np.array([m.tr_var for m in curve])
