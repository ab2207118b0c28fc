"""The learner that runs: CartPole's loops in machine code, one row of parameters a seed.

The mathematics is autograd.py's with the gradients written out (tests hold the two together).
Offsets in a row are networks.Shape's, for D = 4 observations and A = 2 actions:
policy W1 [4, H], b1 [H], W2 [2, H], b2 [2], then critic W1 [4, H], b1 [H], W2 [1, H], b2 [1].
Inner loops run over H, so that they become SIMD code.
"""

from __future__ import annotations

import math

import numpy as np

from pgcore import envs, evaluation
from pgcore.algorithms import ALGORITHMS
from pgcore.batch import Batch
from pgcore.compilation import kernel
from pgcore.config import Config
from pgcore.envs.cartpole import advance, start
from pgcore.learners import State, learning_rates
from pgcore.networks import ADAM_EPS, BETA_1, BETA_2
from pgcore.rollout import Rollout
from pgcore.seeding import uniform_kernel

ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)


@kernel
def preference(theta, hidden, x0, x1, x2, x3):
    """z_1 - z_0, the logit of action 1."""
    w, b, out = 4 * hidden, 5 * hidden, 7 * hidden
    z = theta[out + 1] - theta[out]
    for j in range(hidden):
        h = theta[w + j] + x0 * theta[j] + x1 * theta[hidden + j]
        h += x2 * theta[2 * hidden + j] + x3 * theta[3 * hidden + j]
        z += max(h, ZERO) * (theta[b + hidden + j] - theta[b + j])
    return z


@kernel
def critic_value(theta, hidden, x0, x1, x2, x3):
    """V_phi."""
    first = 7 * hidden + 2
    w, b = first + 4 * hidden, first + 5 * hidden
    value = theta[b + hidden]
    for j in range(hidden):
        h = theta[w + j] + x0 * theta[first + j] + x1 * theta[first + hidden + j]
        h += x2 * theta[first + 2 * hidden + j] + x3 * theta[first + 3 * hidden + j]
        value += max(h, ZERO) * theta[b + j]
    return value


@kernel
def sigmoid(z):
    return ONE / (ONE + math.exp(-z))


@kernel
def _collect(
    params, hidden, until, batch_size, whole_episodes, limit, fixed, starts, reset_keys,
    action_keys, state, elapsed, episodes, clock, length, ready,
    obs, final_obs, actions, probs, rewards, terminated, truncated,
):  # fmt: skip
    for s in range(params.shape[0]):
        theta = params[s]
        x, x_dot, angle, angle_dot = state[s, 0], state[s, 1], state[s, 2], state[s, 3]
        t = length[s]
        while not ready[s] and clock[s] < until:
            x0, x1 = np.float32(x), np.float32(x_dot)
            x2, x3 = np.float32(angle), np.float32(angle_dot)
            p = sigmoid(preference(theta, hidden, x0, x1, x2, x3))
            action = 1 if uniform_kernel(action_keys[s], clock[s]) < p else 0
            x, x_dot, angle, angle_dot, fell = advance(x, x_dot, angle, angle_dot, action)
            elapsed[s] += 1
            late = elapsed[s] >= limit and not fell
            obs[s, t, 0], obs[s, t, 1], obs[s, t, 2], obs[s, t, 3] = x0, x1, x2, x3
            final_obs[s, t, 0], final_obs[s, t, 1] = x, x_dot
            final_obs[s, t, 2], final_obs[s, t, 3] = angle, angle_dot
            actions[s, t], probs[s, t] = action, p if action == 1 else ONE - p
            rewards[s, t], terminated[s, t], truncated[s, t] = ONE, fell, late
            t += 1
            clock[s] += 1
            if fell or late:
                elapsed[s] = 0
                episodes[s] += 1
                if fixed:
                    x, x_dot, angle, angle_dot = (
                        starts[s, 0], starts[s, 1], starts[s, 2], starts[s, 3],
                    )  # fmt: skip
                else:
                    x, x_dot, angle, angle_dot = start(reset_keys[s], episodes[s])
            ready[s] = t >= batch_size and (fell or late or not whole_episodes)
        state[s, 0], state[s, 1], state[s, 2], state[s, 3] = x, x_dot, angle, angle_dot
        length[s] = t


def collect(rollout: Rollout, params: np.ndarray, until: int) -> None:
    """As autograd.collect, on the same buffers and streams."""
    env, config = rollout.env, rollout.config
    rollout.start_batches()
    _collect(
        params, config.hidden_dim, until, config.batch_size, rollout.whole_episodes,
        env.max_episode_steps, env.fixed, env.starts, env.keys, rollout.action_keys,
        env.state, env.elapsed, env.episodes, rollout.clock, rollout.length, rollout.ready,
        rollout.obs, rollout.final_obs, rollout.actions, rollout.probs, rollout.rewards,
        rollout.terminated, rollout.truncated,
    )  # fmt: skip


@kernel
def _assess(params, hidden, obs, final_obs, ended, length, ready, values, final_values):
    for s in range(params.shape[0]):
        if not ready[s]:
            continue
        for t in range(length[s]):
            x = obs[s, t]
            values[s, t] = critic_value(params[s], hidden, x[0], x[1], x[2], x[3])
        for t in range(length[s]):
            if ended[s, t] or t == length[s] - 1:
                x = final_obs[s, t]
                final_values[s, t] = critic_value(params[s], hidden, x[0], x[1], x[2], x[3])
            else:  # what followed is what was seen next
                final_values[s, t] = values[s, t + 1]


def assess(rollout: Rollout, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As autograd.assess; rows that are not ready are left at 0."""
    values, final_values = np.zeros_like(rollout.rewards), np.zeros_like(rollout.rewards)
    ended = rollout.terminated | rollout.truncated
    _assess(
        params, rollout.config.hidden_dim, rollout.obs, rollout.final_obs, ended,
        rollout.length, rollout.ready, values, final_values,
    )  # fmt: skip
    return values, final_values


@kernel
def _gradient(
    params, hidden, obs, actions, old_probs, psi, targets, valid, index,
    clip_range, entropy_coef, value_coef, gradient,
):  # fmt: skip
    """clip_range = 0 is Psi log pi; above 0 it is PPO's clipped surrogate."""
    first = 7 * hidden + 2
    bias, w2, out = 4 * hidden, 5 * hidden, 7 * hidden
    critic_bias, critic_w2 = first + 4 * hidden, first + 5 * hidden
    for s in range(params.shape[0]):
        theta, g = params[s], gradient[s]
        g[:] = ZERO
        count = 0
        for i in range(index.shape[1]):
            count += valid[s, index[s, i]]
        for i in range(index.shape[1]):
            t = index[s, i]
            if not valid[s, t]:
                continue
            x0, x1, x2, x3 = obs[s, t, 0], obs[s, t, 1], obs[s, t, 2], obs[s, t, 3]
            z = preference(theta, hidden, x0, x1, x2, x3)
            value = critic_value(theta, hidden, x0, x1, x2, x3)
            p1 = sigmoid(z)
            weight = psi[s, t]
            if clip_range > ZERO:
                p = p1 if actions[s, t] == 1 else sigmoid(-z)
                rho = p / old_probs[s, t]
                beyond = rho > ONE + clip_range if weight > ZERO else rho < ONE - clip_range
                weight = ZERO if beyond else rho * weight
            # -Psi log pi:  dL/dz_1 = -Psi (a - pi_1);  -tau H:  dL/dz_1 = tau pi_1 pi_0 z
            dz = -weight * (np.float32(actions[s, t]) - p1)
            dz += entropy_coef * p1 * sigmoid(-z) * z
            dz /= np.float32(count)
            dv = TWO * value_coef * (value - targets[s, t]) / np.float32(count)
            for j in range(hidden):
                h = theta[bias + j] + x0 * theta[j] + x1 * theta[hidden + j]
                h += x2 * theta[2 * hidden + j] + x3 * theta[3 * hidden + j]
                dh = dz * (theta[w2 + hidden + j] - theta[w2 + j]) if h > ZERO else ZERO
                up = dz * max(h, ZERO)
                g[w2 + hidden + j] += up
                g[w2 + j] -= up
                g[bias + j] += dh
                g[j] += x0 * dh
                g[hidden + j] += x1 * dh
                g[2 * hidden + j] += x2 * dh
                g[3 * hidden + j] += x3 * dh
            g[out] -= dz
            g[out + 1] += dz
            for j in range(hidden):
                k = first + j
                h = theta[critic_bias + j] + x0 * theta[k] + x1 * theta[k + hidden]
                h += x2 * theta[k + 2 * hidden] + x3 * theta[k + 3 * hidden]
                dh = dv * theta[critic_w2 + j] if h > ZERO else ZERO
                g[critic_w2 + j] += dv * max(h, ZERO)
                g[critic_bias + j] += dh
                g[k] += x0 * dh
                g[k + hidden] += x1 * dh
                g[k + 2 * hidden] += x2 * dh
                g[k + 3 * hidden] += x3 * dh
            g[critic_w2 + hidden] += dv


def gradient(
    params: np.ndarray, batch: Batch, psi: np.ndarray, index: np.ndarray, config: Config
) -> np.ndarray:
    """As autograd.gradient.  [S, P]"""
    out = np.empty_like(params)
    clip_range = config.clip_range if ALGORITHMS[config.algorithm].clipped else 0
    _gradient(
        params, config.hidden_dim, batch.obs, batch.actions, batch.probs, psi, batch.q_values,
        batch.valid, index, np.float32(clip_range), np.float32(config.entropy_coef),
        np.float32(config.value_coef), out,
    )  # fmt: skip
    return out


@kernel
def _step(params, gradient, m, v, updates, rates, rows, beta_1, beta_2, eps):
    for s in range(params.shape[0]):
        if not rows[s]:
            continue
        updates[s] += 1
        correct_1 = np.float32(1 / (1 - float(beta_1) ** updates[s]))
        correct_2 = np.float32(1 / (1 - float(beta_2) ** updates[s]))
        theta, g, ms, vs = params[s], gradient[s], m[s], v[s]
        for i in range(theta.shape[0]):
            ms[i] = beta_1 * ms[i] + (ONE - beta_1) * g[i]
            vs[i] = beta_2 * vs[i] + (ONE - beta_2) * g[i] * g[i]
            theta[i] -= rates[i] * ms[i] * correct_1 / (math.sqrt(vs[i] * correct_2) + eps)


def step(state: State, gradient: np.ndarray, rows: np.ndarray, config: Config) -> None:
    """As autograd.step."""
    _step(
        state.params, gradient, state.m, state.v, state.updates, learning_rates(config), rows,
        np.float32(BETA_1), np.float32(BETA_2), np.float32(ADAM_EPS),
    )  # fmt: skip


@kernel
def _evaluate(params, hidden, keys, limit, greedy, first_action, returns):
    for s in range(params.shape[0]):
        theta = params[s]
        for e in range(keys.shape[1]):
            x, x_dot, angle, angle_dot = start(keys[s, e], 0)
            steps, fell = 0, False
            while not fell and steps < limit:
                z = preference(
                    theta, hidden, np.float32(x), np.float32(x_dot),
                    np.float32(angle), np.float32(angle_dot),
                )  # fmt: skip
                if greedy:
                    action = 1 if z > ZERO else 0
                else:
                    draw = uniform_kernel(keys[s, e], first_action + steps)
                    action = 1 if draw < sigmoid(z) else 0
                x, x_dot, angle, angle_dot, fell = advance(x, x_dot, angle, angle_dot, action)
                steps += 1
            returns[s, e] = steps


def evaluate(params: np.ndarray, config: Config, seeds: range, at: int) -> np.ndarray:
    """As autograd.evaluate.  [S, E]"""
    keys = evaluation.episode_keys(seeds, at, config.eval_episodes)
    returns = np.zeros(keys.shape, np.float32)
    limit = envs.describe(config.env_id).max_episode_steps
    _evaluate(
        params, config.hidden_dim, keys, limit, config.eval_greedy,
        evaluation.FIRST_ACTION, returns,
    )  # fmt: skip
    return returns
