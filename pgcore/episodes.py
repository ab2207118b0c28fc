"""Episodes: whole games of CartPole by one frozen policy, kept step by step to be watched.

Streams are evaluation's, so the first `eval_episodes` episodes are the very ones behind a point
of the learning curve. They depend on the training seed and on `at` alone: policies that play with
the same two start in the same states and meet the same draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pgcore import envs, evaluation, networks, returns
from pgcore.compilation import kernel
from pgcore.config import Config
from pgcore.envs.cartpole import THETA_LIMIT, advance, start
from pgcore.history import History
from pgcore.learners import shape_of
from pgcore.learners.compiled import ZERO, critic_value, preference, sigmoid
from pgcore.seeding import uniform_kernel

MAX_EPISODES = 200
FASTEST_ANGLE = 2.0  # radians a second, the edge of the map; trained agents stay well inside


@dataclass(frozen=True)
class Episode:
    """T steps of one episode, and what the two networks said on the way."""

    states: np.ndarray  # [T + 1, 4] float64: x, x_dot, theta, theta_dot; the last one is the end
    actions: np.ndarray  # [T] int64: 0 pushes left, 1 right
    probs: np.ndarray  # [T] float32, the probability of action 1
    values: np.ndarray  # [T] float32, V_phi
    returns: np.ndarray  # [T] float32, the discounted return that followed, `reward_offset` in it
    terminated: bool  # fell, or left the track; else the clock ended it

    @property
    def length(self) -> int:
        """T, which is also the episodic return: CartPole pays 1 a step."""
        return len(self.actions)


def policy_of(history: History, seed: int, checkpoint: int) -> np.ndarray:
    """The parameters of one seed at one checkpoint; checkpoint 0 is before training.  [P]

    Raises: ValueError if the run has no such seed or checkpoint.
    """
    seeds, last = history.config.seeds, len(history.checkpoints) - 1
    if seed not in seeds:
        raise ValueError(f"Seed {seed} is not in this run, which has {seeds[0]} to {seeds[-1]}.")
    if not 0 <= checkpoint <= last:
        raise ValueError(f"Checkpoint {checkpoint} does not exist; this run has 0 to {last}.")
    return history.checkpoints[checkpoint, seed - seeds[0]]


def play(
    params: np.ndarray, config: Config, seed: int, at: int, episodes: int = 20, greedy: bool = False
) -> list[Episode]:
    """Episodes of one policy.

    Args:
        params: [P] float32, as `policy_of` gives it.
        seed, at: whose evaluation streams, and after how many environment steps.
        greedy: take the more probable action instead of a sampled one.

    Raises: ValueError if the environment is not CartPole, the parameters do not fit the config's
        networks, or the number of episodes is out of bounds.
    """
    _check(params, config)
    if not 1 <= episodes <= MAX_EPISODES:
        raise ValueError(f"{episodes} episodes were asked for; 1 to {MAX_EPISODES} are allowed.")
    limit = envs.describe(config.env_id).max_episode_steps
    states = np.zeros((episodes, limit + 1, 4))
    actions = np.zeros((episodes, limit), np.int64)
    probs = np.zeros((episodes, limit), np.float32)
    values = np.zeros_like(probs)
    lengths = np.zeros(episodes, np.int64)
    fell = np.zeros(episodes, np.bool_)
    keys = evaluation.episode_keys([seed], at, episodes)[0]
    _play(
        params, config.hidden_dim, keys, evaluation.FIRST_ACTION, greedy,
        states, actions, probs, values, lengths, fell,
    )  # fmt: skip
    return [
        Episode(
            states[e, : t + 1],
            actions[e, :t],
            probs[e, :t],
            values[e, :t],
            _returns(t, config),
            bool(fell[e]),
        )
        for e, t in enumerate(lengths.tolist())
    ]


@kernel
def _play(
    theta, hidden, keys, first_action, greedy, states, actions, probs, values, lengths, fell
):  # fmt: skip
    for e in range(keys.shape[0]):
        x, x_dot, angle, angle_dot = start(keys[e], 0)
        t, down = 0, False
        while not down and t < actions.shape[1]:
            x0, x1 = np.float32(x), np.float32(x_dot)
            x2, x3 = np.float32(angle), np.float32(angle_dot)
            z = preference(theta, hidden, x0, x1, x2, x3)
            p = sigmoid(z)
            right = z > ZERO if greedy else uniform_kernel(keys[e], first_action + t) < p
            states[e, t, 0], states[e, t, 1] = x, x_dot
            states[e, t, 2], states[e, t, 3] = angle, angle_dot
            actions[e, t], probs[e, t] = 1 if right else 0, p
            values[e, t] = critic_value(theta, hidden, x0, x1, x2, x3)
            x, x_dot, angle, angle_dot, down = advance(x, x_dot, angle, angle_dot, actions[e, t])
            t += 1
        states[e, t, 0], states[e, t, 1], states[e, t, 2], states[e, t, 3] = (
            x, x_dot, angle, angle_dot,
        )  # fmt: skip
        lengths[e], fell[e] = t, down


def _returns(steps: int, config: Config) -> np.ndarray:
    """G_t of rewards of 1 + `reward_offset`; what the clock cut off is not counted.  [T]"""
    rewards = np.full((1, steps), 1 + config.reward_offset, np.float32)
    ended = np.zeros((1, steps), np.bool_)
    ended[0, -1] = True
    return returns.monte_carlo(rewards, ended, np.float32(config.gamma))[0]


def typical_best_worst(episodes: Sequence[Episode]) -> dict[str, int]:
    """Which of n episodes is the (lower) median, the longest and the shortest, by index."""
    order = np.argsort([episode.length for episode in episodes], kind="stable").tolist()
    return {"typical": order[(len(order) - 1) // 2], "best": order[-1], "worst": order[0]}


@dataclass(frozen=True)
class Landscape:
    """Both networks over angle and angular velocity, the cart's own state held fixed."""

    angles: np.ndarray  # [N] radians
    velocities: np.ndarray  # [M] radians a second
    probs: np.ndarray  # [M, N] float32, the probability of action 1
    values: np.ndarray  # [M, N] float32, V_phi


def landscape(
    params: np.ndarray, config: Config, x: float = 0.0, x_dot: float = 0.0, cells: int = 33
) -> Landscape:
    """The policy and the critic on a grid that spans the angles at which a game goes on.

    Args:
        params: [P] float32.
        x, x_dot: where the cart is, in metres, and how fast, in metres a second.

    Raises: ValueError as `play`.
    """
    _check(params, config)
    angles = np.linspace(-THETA_LIMIT, THETA_LIMIT, cells)
    velocities = np.linspace(-FASTEST_ANGLE, FASTEST_ANGLE, cells)
    theta, theta_dot = np.meshgrid(angles, velocities)  # [M, N]
    obs = np.stack([np.full_like(theta, x), np.full_like(theta, x_dot), theta, theta_dot], -1)
    obs = obs.reshape(1, -1, 4).astype(np.float32)  # [1, M * N, 4]
    shape = shape_of(config)
    logits = networks.forward(shape.policy(params[None]), obs)[0]  # [M * N, 2]
    values = networks.forward(shape.critic(params[None]), obs)[0, :, 0]
    probs = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    return Landscape(angles, velocities, probs.reshape(theta.shape), values.reshape(theta.shape))


def _check(params: np.ndarray, config: Config) -> None:
    if not envs.describe(config.env_id).watchable:
        raise ValueError(f"Episodes of {config.env_id} cannot be watched; only CartPole's can.")
    if params.shape != (shape_of(config).size,):
        raise ValueError(
            f"This policy has {params.size} parameters, where the settings ask for "
            f"{shape_of(config).size}; train it again."
        )
