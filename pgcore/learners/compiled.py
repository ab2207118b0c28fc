"""The learner that runs: CartPole's loops in machine code, one row of parameters a seed.

The mathematics is autograd.py's with the gradients written out (tests hold the two together).
Offsets in a row are networks.Shape's, for D = 4 observations and A = 2 actions:
policy W1 [4, H], b1 [H], W2 [2, H], b2 [2], then critic W1 [4, H], b1 [H], W2 [1, H], b2 [1].
Inner loops run over H, or over agents side by side, so that they become SIMD code.
"""

from __future__ import annotations

import math
import threading
from typing import Any, NamedTuple

import numpy as np

from pgcore import envs, evaluation
from pgcore.algorithms import ALGORITHMS
from pgcore.batch import Batch
from pgcore.compilation import inlined, kernel, part
from pgcore.config import Config
from pgcore.envs.cartpole import advance, start
from pgcore.learners import State, learning_rates
from pgcore.networks import ADAM_EPS, BETA_1, BETA_2
from pgcore.rollout import Rollout
from pgcore.seeding import uniform_kernel

ZERO, HALF, ONE, TWO = (np.float32(x) for x in (0, 0.5, 1, 2))
LOG2_E, LN_2, LARGEST = np.float32(1 / math.log(2)), np.float32(math.log(2)), np.float32(87)
EXP = tuple(np.float32(1 / math.factorial(k)) for k in range(7, -1, -1))  # of r^7 to r^0
DECAY_1, DECAY_2, EPS = (np.float32(x) for x in (BETA_1, BETA_2, ADAM_EPS))

# To Numba a plain 0 or False is a type of its own: what is called with it is compiled once more.
NONE, SAMPLED = np.int64(0), np.bool_(False)
LANES = 16  # agents side by side: their parameters fit into the innermost cache


@inlined
def preference(params, hidden, x0, x1, x2, x3):
    """z_1 - z_0, the logit of action 1."""
    w, b, out = 4 * hidden, 5 * hidden, 7 * hidden
    z = params[out + 1] - params[out]
    for j in range(hidden):
        h = params[w + j] + x0 * params[j] + x1 * params[hidden + j]
        h += x2 * params[2 * hidden + j] + x3 * params[3 * hidden + j]
        z += max(h, ZERO) * (params[b + hidden + j] - params[b + j])
    return z


@inlined
def critic_value(params, hidden, x0, x1, x2, x3):
    """V_phi."""
    first = 7 * hidden + 2
    w, b = first + 4 * hidden, first + 5 * hidden
    value = params[b + hidden]
    for j in range(hidden):
        h = params[w + j] + x0 * params[first + j] + x1 * params[first + hidden + j]
        h += x2 * params[first + 2 * hidden + j] + x3 * params[first + 3 * hidden + j]
        value += max(h, ZERO) * params[b + j]
    return value


@inlined
def sigmoid(z):
    """1 / (1 + exp(-z)), exp(y) = 2^n exp(r) with |r| <= ln(2) / 2 and Taylor's polynomial.

    The library's exp is a call, and would keep the loop from SIMD code.
    """
    y = min(max(-z, -LARGEST), LARGEST)
    n = np.floor(y * LOG2_E + HALF)
    r, exp = y - n * LN_2, ZERO
    for k in EXP:
        exp = exp * r + k
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return ONE / (ONE + exp * power)


class Lanes(NamedTuple):
    """Agents side by side. Each waits for its own last step only, so the processor works on
    several at once."""

    row: Any  # whose parameters; unsigned, or every use asks whether it counts from the end
    x: Any
    x_dot: Any
    angle: Any
    angle_dot: Any
    key: Any  # the stream that its actions are drawn from
    counter: Any  # and where in it
    z: Any  # the logit of action 1
    p: Any  # its probability
    action: Any
    fell: Any


@inlined
def _lanes(unsigned, integers, doubles, floats, flags):
    return Lanes(
        unsigned[0], doubles[0], doubles[1], doubles[2], doubles[3], unsigned[1], integers[0],
        floats[0], floats[1], integers[1], flags,
    )  # fmt: skip


class _Room(threading.local):
    """What a thread works in. Not made by kernels: Numba takes long to compile an allocation."""

    def __init__(self) -> None:
        self.lanes = (
            np.zeros((2, LANES), np.uint64), np.zeros((2, LANES), np.int64),
            np.zeros((4, LANES)), np.zeros((2, LANES), np.float32), np.zeros(LANES, np.bool_),
        )  # fmt: skip
        self.batch: tuple[np.ndarray, ...] = ()

    def of(self, steps: int, hidden: int) -> tuple[np.ndarray, ...]:
        """To find a gradient in: which steps; hidden layers, outputs, both networks' last weights
        and their gradients."""
        if not self.batch or self.batch[1].shape != (2, steps, hidden):
            self.batch = (
                np.empty(steps, np.uint64), np.empty((2, steps, hidden), np.float32),
                np.empty((2, steps), np.float32), np.empty((2, hidden), np.float32),
            )  # fmt: skip
        return self.batch


_ROOM = _Room()


@inlined
def _place(lanes, i, state):
    lanes.x[i], lanes.x_dot[i], lanes.angle[i], lanes.angle_dot[i] = state


@inlined
def _move(lanes, source, target):
    """Copy what a lane needs to go on from one place to another."""
    lanes.row[target], lanes.key[target] = lanes.row[source], lanes.key[source]
    lanes.counter[target] = lanes.counter[source]
    lanes.x[target], lanes.x_dot[target] = lanes.x[source], lanes.x_dot[source]
    lanes.angle[target], lanes.angle_dot[target] = lanes.angle[source], lanes.angle_dot[source]


@inlined
def _act(lanes, count, params, hidden, greedy):
    """One step of the first `count` lanes: preferences, then actions, then the new states.

    Idle lanes choose and move too: a fixed count makes straight SIMD code. Their results are not
    used.
    """
    x, x_dot, angle, angle_dot = lanes.x, lanes.x_dot, lanes.angle, lanes.angle_dot
    for i in range(count):
        lanes.z[i] = preference(
            params[lanes.row[i]], hidden, np.float32(x[i]), np.float32(x_dot[i]),
            np.float32(angle[i]), np.float32(angle_dot[i]),
        )  # fmt: skip
    for i in range(LANES):
        lanes.p[i] = sigmoid(lanes.z[i])
    if greedy:
        for i in range(LANES):
            lanes.action[i] = lanes.z[i] > ZERO
    else:
        for i in range(LANES):
            lanes.action[i] = uniform_kernel(lanes.key[i], lanes.counter[i]) < lanes.p[i]
    for i in range(LANES):
        x[i], x_dot[i], angle[i], angle_dot[i], lanes.fell[i] = advance(
            x[i], x_dot[i], angle[i], angle_dot[i], lanes.action[i]
        )
        lanes.counter[i] += 1


@kernel
def _collect(
    unsigned, integers, doubles, floats, flags,
    params, hidden, until, batch_size, whole_episodes, limit, fixed, starts, reset_keys,
    action_keys, state, elapsed, episodes, clock, length, ready,
    obs, final_obs, actions, probs, rewards, terminated, truncated,
):  # fmt: skip
    lanes, num_rows = _lanes(unsigned, integers, doubles, floats, flags), params.shape[0]
    for first in range(0, num_rows, LANES):
        count = NONE
        for s in range(first, min(first + LANES, num_rows)):
            if ready[s]:  # that batch was used
                length[s], ready[s] = 0, False
            if clock[s] < until:
                lanes.row[count], lanes.key[count] = s, action_keys[s]
                lanes.counter[count] = clock[s]
                _place(lanes, count, (state[s, 0], state[s, 1], state[s, 2], state[s, 3]))
                count += 1
        while count > 0:
            for i in range(count):
                s = lanes.row[i]
                t = np.uint64(length[s])
                obs[s, t, 0], obs[s, t, 1] = lanes.x[i], lanes.x_dot[i]
                obs[s, t, 2], obs[s, t, 3] = lanes.angle[i], lanes.angle_dot[i]
            _act(lanes, count, params, hidden, SAMPLED)
            for i in range(count):
                s, fell = lanes.row[i], lanes.fell[i]
                t = np.uint64(length[s])
                elapsed[s] += 1
                late = elapsed[s] >= limit and not fell
                final_obs[s, t, 0], final_obs[s, t, 1] = lanes.x[i], lanes.x_dot[i]
                final_obs[s, t, 2], final_obs[s, t, 3] = lanes.angle[i], lanes.angle_dot[i]
                actions[s, t] = lanes.action[i]
                probs[s, t] = lanes.p[i] if lanes.action[i] == 1 else ONE - lanes.p[i]
                rewards[s, t], terminated[s, t], truncated[s, t] = ONE, fell, late
                if fell or late:
                    elapsed[s] = 0
                    episodes[s] += 1
                    if fixed:
                        _place(lanes, i, (starts[s, 0], starts[s, 1], starts[s, 2], starts[s, 3]))
                    else:
                        _place(lanes, i, start(reset_keys[s], episodes[s]))
                length[s] += 1
                ready[s] = length[s] >= batch_size and (fell or late or not whole_episodes)
            for i in range(count - 1, -1, -1):  # the last lane replaces one that is finished
                s = lanes.row[i]
                clock[s] = lanes.counter[i]
                if ready[s] or clock[s] >= until:
                    state[s, 0], state[s, 1] = lanes.x[i], lanes.x_dot[i]
                    state[s, 2], state[s, 3] = lanes.angle[i], lanes.angle_dot[i]
                    count -= 1
                    _move(lanes, count, i)


def collect(rollout: Rollout, params: np.ndarray, until: int) -> None:
    """As autograd.collect, on the same buffers and streams."""
    env, config = rollout.env, rollout.config
    _collect(
        *_ROOM.lanes,
        params, config.hidden_dim, until, config.batch_size, rollout.whole_episodes,
        env.max_episode_steps, env.fixed, env.starts, env.keys, rollout.action_keys,
        env.state, env.elapsed, env.episodes, rollout.clock, rollout.length, rollout.ready,
        rollout.obs, rollout.final_obs, rollout.actions, rollout.probs, rollout.rewards,
        rollout.terminated, rollout.truncated,
    )  # fmt: skip


@kernel
def _assess(
    params, hidden, obs, final_obs, terminated, truncated, length, ready, values, final_values
):
    for s in range(params.shape[0]):
        if not ready[s]:
            continue
        for t in range(length[s]):
            x = obs[s, t]
            values[s, t] = critic_value(params[s], hidden, x[0], x[1], x[2], x[3])
        for t in range(length[s]):
            if terminated[s, t] or truncated[s, t] or t == length[s] - 1:
                x = final_obs[s, t]
                final_values[s, t] = critic_value(params[s], hidden, x[0], x[1], x[2], x[3])
            else:  # what followed is what was seen next
                final_values[s, t] = values[s, t + 1]


def assess(rollout: Rollout, params: np.ndarray) -> Batch:
    """As autograd.assess; the values of rows that are not ready are left at 0."""
    values = np.zeros(rollout.probs.shape, np.float32)
    final_values = np.zeros(rollout.probs.shape, np.float32)
    _assess(
        params, rollout.config.hidden_dim, rollout.obs, rollout.final_obs, rollout.terminated,
        rollout.truncated, rollout.length, rollout.ready, values, final_values,
    )  # fmt: skip
    return rollout.batch(values, final_values)


@part
def _forward(w1, w2, bias, hidden, obs, steps, count, h, out):
    """h[i] = relu(x W1 + b1) and out[i] = h[i] . w2 + bias, x = obs[steps[i]], for one network."""
    for i in range(count):
        t = steps[i]
        x0, x1, x2, x3, total = obs[t, 0], obs[t, 1], obs[t, 2], obs[t, 3], bias
        for j in range(hidden):
            value = w1[4 * hidden + j] + x0 * w1[j] + x1 * w1[hidden + j]
            value += x2 * w1[2 * hidden + j] + x3 * w1[3 * hidden + j]
            value = max(value, ZERO)
            h[i, j] = value
            total += value * w2[j]
        out[i] = total


@part
def _backward(w2, hidden, obs, steps, count, h, d_out, d_w1, d_w2):
    """dL/dW1, dL/db1 and dL/dw2 from dL/dout; adds to `d_w1` and `d_w2`."""
    for i in range(count):
        t, d = steps[i], d_out[i]
        x0, x1, x2, x3 = obs[t, 0], obs[t, 1], obs[t, 2], obs[t, 3]
        for j in range(hidden):
            value = h[i, j]
            d_w2[j] += d * value
            d_h = d * w2[j] if value > ZERO else ZERO
            d_w1[j] += d_h * x0
            d_w1[hidden + j] += d_h * x1
            d_w1[2 * hidden + j] += d_h * x2
            d_w1[3 * hidden + j] += d_h * x3
            d_w1[4 * hidden + j] += d_h


@kernel
def _gradient(
    params, hidden, obs, actions, old_probs, psi, targets, valid, index,
    clip_range, entropy_coef, value_coef, steps, layers, outputs, differences, gradient,
):  # fmt: skip
    """Adds to `gradient`. clip_range = 0 is Psi log pi; above 0 it is PPO's clipped surrogate."""
    num_rows, room = index.shape
    w2, out, critic = 5 * hidden, 7 * hidden, 7 * hidden + 2
    critic_w2, critic_out = critic + 5 * hidden, critic + 6 * hidden
    h, critic_h, z, value = layers[0], layers[1], outputs[0], outputs[1]
    difference, d_difference = differences[0], differences[1]
    for s in range(num_rows):
        row, g, count = params[s], gradient[s], NONE
        for i in range(room):
            steps[count] = index[s, i]
            count += valid[s, index[s, i]]
        for j in range(hidden):  # z = logit of action 1 minus logit of action 0
            difference[j] = row[w2 + hidden + j] - row[w2 + j]
            d_difference[j] = ZERO
        _forward(row, difference, row[out + 1] - row[out], hidden, obs[s], steps, count, h, z)
        _forward(
            row[critic:], row[critic_w2:], row[critic_out], hidden, obs[s], steps, count,
            critic_h, value,
        )  # fmt: skip
        for i in range(count):
            t = steps[i]
            p1, p0, weight = sigmoid(z[i]), sigmoid(-z[i]), psi[s, t]
            if clip_range > ZERO:
                rho = (p1 if actions[s, t] == 1 else p0) / old_probs[s, t]
                beyond = rho > ONE + clip_range if weight > ZERO else rho < ONE - clip_range
                weight = ZERO if beyond else rho * weight
            # -Psi log pi:  dL/dz = -Psi (a - pi_1);  -tau H:  dL/dz = tau pi_1 pi_0 z
            dz = -weight * (np.float32(actions[s, t]) - p1) + entropy_coef * p1 * p0 * z[i]
            z[i] = dz / np.float32(count)
            value[i] = TWO * value_coef * (value[i] - targets[s, t]) / np.float32(count)
            g[out + 1] += z[i]
            g[critic_out] += value[i]
        _backward(difference, hidden, obs[s], steps, count, h, z, g, d_difference)
        _backward(
            row[critic_w2:], hidden, obs[s], steps, count, critic_h, value, g[critic:],
            g[critic_w2:],
        )  # fmt: skip
        g[out] = -g[out + 1]
        for j in range(hidden):
            g[w2 + j], g[w2 + hidden + j] = -d_difference[j], d_difference[j]


def gradient(
    params: np.ndarray, batch: Batch, psi: np.ndarray, index: np.ndarray, config: Config
) -> np.ndarray:
    """As autograd.gradient.  [S, P]"""
    clip_range = config.clip_range if ALGORITHMS[config.algorithm].clipped else 0
    found = np.zeros(params.shape, np.float32)
    _gradient(
        params, config.hidden_dim, batch.obs, batch.actions, batch.probs, psi, batch.q_values,
        batch.valid, index, np.float32(clip_range), np.float32(config.entropy_coef),
        np.float32(config.value_coef), *_ROOM.of(index.shape[1], config.hidden_dim), found,
    )  # fmt: skip
    return found


@kernel
def _step(gradient, rows, params, m, v, updates, rates):
    for s in range(params.shape[0]):
        if not rows[s]:
            continue
        updates[s] += 1
        correct_1 = np.float32(1 / (1 - BETA_1 ** updates[s]))
        correct_2 = np.float32(1 / (1 - BETA_2 ** updates[s]))
        row, g, ms, vs = params[s], gradient[s], m[s], v[s]
        for i in range(row.shape[0]):
            ms[i] = DECAY_1 * ms[i] + (ONE - DECAY_1) * g[i]
            vs[i] = DECAY_2 * vs[i] + (ONE - DECAY_2) * g[i] * g[i]
            row[i] -= rates[i] * ms[i] * correct_1 / (math.sqrt(vs[i] * correct_2) + EPS)


def step(state: State, gradient: np.ndarray, rows: np.ndarray, config: Config) -> None:
    """As autograd.step."""
    rates = learning_rates(config)
    _step(gradient, rows, state.params, state.m, state.v, state.updates, rates)


@kernel
def _evaluate(
    unsigned, integers, doubles, floats, flags,
    params, hidden, keys, limit, greedy, first_action, episode, returns,
):  # fmt: skip
    lanes = _lanes(unsigned, integers, doubles, floats, flags)
    count, num_episodes = NONE, keys.shape[1]
    waiting = keys.size
    while count > 0 or waiting > 0:
        while count < LANES and waiting > 0:
            waiting -= 1
            s, e = waiting // num_episodes, waiting % num_episodes
            lanes.row[count], lanes.key[count], episode[count] = s, keys[s, e], e
            lanes.counter[count] = first_action
            _place(lanes, count, start(keys[s, e], NONE))
            count += 1
        _act(lanes, count, params, hidden, greedy)
        for i in range(count - 1, -1, -1):
            steps = lanes.counter[i] - first_action
            if lanes.fell[i] or steps >= limit:
                returns[lanes.row[i], episode[i]] = steps
                count -= 1
                _move(lanes, count, i)
                episode[i] = episode[count]


def evaluate(params: np.ndarray, config: Config, seeds: range, at: int) -> np.ndarray:
    """As autograd.evaluate.  [S, E]"""
    keys = evaluation.episode_keys(seeds, at, config.eval_episodes)
    returns = np.zeros(keys.shape, np.float32)
    limit = envs.describe(config.env_id).max_episode_steps
    _evaluate(
        *_ROOM.lanes,
        params, config.hidden_dim, keys, limit, config.eval_greedy, evaluation.FIRST_ACTION,
        np.zeros(LANES, np.int64), returns,
    )  # fmt: skip
    return returns
