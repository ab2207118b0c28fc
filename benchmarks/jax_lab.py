"""The lab in JAX, in the manner of PureJaxRL: one pure function of a key, `jit`, `vmap` over seeds.

Training, environment and evaluation are one compiled program, everything in `lax.scan`. Two ways
to run it: `vmap` alone (XLA decides what to do with the cores), and the seeds dealt out over one
host device a core (`pmap`), which JAX on a CPU needs in order to use all of them.

What was tried, and kept where it was faster: the small products written as sums of multiples
rather than `x @ W` (batched 4 x 32 products go through a library call each); threefry rather than
`rbg` keys; draws made where they are used; `scan` not unrolled. An evaluation's `while_loop`
under `vmap` lasts as long as its longest episode, for all seeds: that is the manner's price.

Batches end at multiples of 32 steps and evaluations at multiples of 500, so the evaluation after
n steps sees the policy after n // 32 updates, and the scan is over evaluations. The 16 steps that
would follow the last batch are left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

CORES = os.cpu_count() or 1
os.environ.setdefault("XLA_FLAGS", f"--xla_force_host_platform_device_count={CORES}")

import jax  # noqa: E402  (the number of host devices is read at import)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax, random  # noqa: E402

from pgcore.exhibits import lab  # noqa: E402

TIME_LIMIT = 500
UPDATES = np.diff(np.arange(0, lab.TIMESTEPS + 1, lab.EVAL_STEPS) // lab.BATCH_SIZE)  # [K]


def advance(state, right):
    """CartPole's Euler step: state [4, ...], right [...] -> next state, terminated."""
    x, x_dot, theta, theta_dot = state
    cos, sin = jnp.cos(theta), jnp.sin(theta)
    temp = (jnp.where(right, 10.0, -10.0) + 0.05 * theta_dot**2 * sin) / 1.1
    theta_acc = (9.8 * sin - cos * temp) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
    x_acc = temp - 0.05 * theta_acc * cos / 1.1
    state = jnp.stack(
        [
            x + 0.02 * x_dot,
            x_dot + 0.02 * x_acc,
            theta + 0.02 * theta_dot,
            theta_dot + 0.02 * theta_acc,
        ]
    )
    return state, (abs(state[0]) > 2.4) | (abs(state[2]) > 12 * 2 * np.pi / 360)


def start(key, shape=()):
    return random.uniform(key, (4, *shape), minval=-0.05, maxval=0.05)


def network(key, outputs: int):
    """Weights as `torch.nn.Linear` starts them."""
    hidden = lab.HIDDEN_DIM
    shapes = ((4, hidden), 4), ((hidden,), 4), ((outputs, hidden), hidden), ((outputs,), hidden)
    return [
        random.uniform(k, shape, minval=-(fan_in**-0.5), maxval=fan_in**-0.5)
        for k, (shape, fan_in) in zip(random.split(key, 4), shapes, strict=True)
    ]


def forward(params, state):
    """state [4, ...] -> outputs [..., O]."""
    w1, b1, w2, b2 = params
    hidden = jax.nn.relu(b1 + sum(state[i][..., None] * w1[i] for i in range(4)))  # [..., H]
    return jnp.stack([(hidden * w2[o]).sum(-1) + b2[o] for o in range(len(b2))], -1)


def act(actor, state, draw):
    logits = forward(actor, state)
    return draw < jax.nn.sigmoid(logits[..., 1] - logits[..., 0])


def evaluate(actor, key):
    """Mean return of five sampled episodes."""
    start_key, action_key = random.split(key)

    def step(carry):
        state, running, total, t = carry
        draw = random.uniform(random.fold_in(action_key, t), (lab.EVAL_EPISODES,))
        state, fell = advance(state, act(actor, state, draw))
        return state, running & ~fell, total + running, t + 1

    def going(carry):
        return carry[1].any() & (carry[3] < TIME_LIMIT)

    episodes = lab.EVAL_EPISODES
    first = start(start_key, (episodes,)), jnp.ones(episodes, bool), jnp.zeros(episodes), 0
    return lax.while_loop(going, step, first)[2].mean()


def train(key):
    """One seed of actor-critic.  -> mean episodic return at each evaluation [K]"""
    actor_key, critic_key, start_key, rollout_key, eval_key = random.split(key, 5)
    params = network(actor_key, 2), network(critic_key, 1)
    fixed_start = start(start_key)  # as in the notebook

    def rollout(actor, state, elapsed, key):
        def step(carry, draw):
            state, elapsed = carry
            right = act(actor, state, draw)
            following, fell = advance(state, right)
            done = fell | (elapsed + 1 >= TIME_LIMIT)
            carry = jnp.where(done, fixed_start, following), jnp.where(done, 0, elapsed + 1)
            return carry, (state, right, done)

        return lax.scan(step, (state, elapsed), random.uniform(key, (lab.BATCH_SIZE,)))

    def loss(params, obs, right, q_values):
        log_probs = jax.nn.log_softmax(forward(params[0], obs))  # [T, A]
        log_prob = jnp.where(right, log_probs[:, 1], log_probs[:, 0])
        values = forward(params[1], obs)[:, 0]
        advantages = lax.stop_gradient(q_values - values)
        return -(log_prob * advantages).mean() + 0.5 * ((values - q_values) ** 2).mean()

    def update(_, carry):
        params, m, v, count, state, elapsed, key = carry
        key, draws = random.split(key)
        (state, elapsed), (obs, right, done) = rollout(params[0], state, elapsed, draws)

        def bootstrap(following, done):
            q = 1 + lab.DISCOUNT * jnp.where(done, 0.0, following)
            return q, q

        last = forward(params[1], state)[0]
        _, q_values = lax.scan(bootstrap, last, done, reverse=True)  # [T]
        gradient = jax.grad(loss)(params, obs.T, right, q_values)
        count += 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, v, gradient)
        m_scale, v_scale = 1 / (1 - 0.9**count), 1 / (1 - 0.999**count)
        params = jax.tree.map(
            lambda p, m, v: p - lab.LEARNING_RATE * m * m_scale / (jnp.sqrt(v * v_scale) + 1e-8),
            params,
            m,
            v,
        )
        return params, m, v, count, state, elapsed, key

    def until_evaluation(carry, x):
        updates, key = x
        carry = lax.fori_loop(0, updates, update, carry)
        return carry, evaluate(carry[0][0], key)

    zeros = jax.tree.map(jnp.zeros_like, params)
    carry = params, zeros, zeros, jnp.float32(0), fixed_start, jnp.int32(0), rollout_key
    xs = jnp.array(UPDATES), random.split(eval_key, len(UPDATES))
    return lax.scan(until_evaluation, carry, xs)[1]


@cache
def _compiled(devices: int) -> Callable:
    return jax.pmap(jax.vmap(train)) if devices > 1 else jax.jit(jax.vmap(train))


def run(seeds: range, devices: int) -> np.ndarray:
    """All seeds, dealt out over `devices`.  -> mean episodic returns [K, S]"""
    keys = jnp.stack([random.key(seed) for seed in seeds])
    if devices > 1:
        keys = keys.reshape(devices, -1)
    return np.asarray(_compiled(devices)(keys)).reshape(len(seeds), -1).T
