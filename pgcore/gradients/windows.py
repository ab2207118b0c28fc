"""Windows: many independent batches of one frozen policy, and what truly followed them.

Window i plays CartPole alone, long enough to forget its start, then T steps are recorded: a batch
as training sees it at a random moment. Where the batch stops and the pole still stands, training
asks the critic, V_phi(s_T); here the same policy plays on, and the discounted rewards of that
tail replace the critic. So each step has two targets,

    Q_t  = r_t + gamma [fell: 0 | cut off: V_phi(s'_t) | else Q_{t+1}],
    MC_t = r_t + gamma [fell: 0 | cut off: tail(s'_t)  | else MC_{t+1}],

cut off by the window's edge or by the episode's clock, with r_t = 1 + reward_offset. Tails have no
clock: a bootstrapped truncation asks what going on would be worth, so a truncated step has a tail
of its own, from the state where the clock struck, while the window goes on in a new episode. In
the lab's version (`bootstrap_truncation=False`) a truncation is worth 0, and the tail at the
window's edge ends with its episode's clock.

Shapes: N windows, T steps, P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace

import numpy as np

from pgcore import envs, limits, returns, seeding
from pgcore.batch import Batch
from pgcore.compilation import kernel, part
from pgcore.config import Config
from pgcore.envs.cartpole import CartPole, advance, start
from pgcore.learners import shape_of
from pgcore.learners.compiled import critic_value, preference, sigmoid
from pgcore.seeding import fold_kernel, uniform_kernel

BURN_IN = 400  # steps before any window, and up to two whole clocks more, to mix the phases
NEGLIGIBLE = 1e-3  # a tail is played until gamma^k is below this,
LONGEST_TAIL = 5000  # or for so many steps, because gamma = 1 has no end
SHARE = 64  # windows that a thread takes at a time

ACTIONS, RESETS, TAILS = np.uint64(0), np.uint64(1), np.uint64(2)  # streams of one window
MIXING = np.array([3], np.uint64)
ONE = np.float32(1)

Progress = Callable[[float], None]


def no_progress(share: float) -> None:
    """The default of `progress`: the share done is not reported."""


@dataclass(frozen=True)
class Windows:
    """N windows of one policy: a Batch whose leading axis is windows, and their true returns."""

    batch: Batch  # [N, T]
    mc_q: np.ndarray  # [N, T] float32, Monte-Carlo returns: nothing from the critic
    states: np.ndarray  # [N, 4] float64, the state at the first step
    elapsed: np.ndarray  # [N] int64, the episode's clock there
    params: np.ndarray  # [P] float32, policy and critic
    config: Config

    def __len__(self) -> int:
        return len(self.mc_q)

    def shortened(self, steps: int) -> Windows:
        """The first `steps` steps of every window: the critic is asked earlier, MC is the same.

        Raises: ValueError unless there are so many.
        """
        if not 1 <= steps <= self.mc_q.shape[1]:
            raise ValueError(f"steps is {steps}; it must be from 1 to {self.mc_q.shape[1]}.")
        config = self.config.replace(batch_size=steps)
        columns = (getattr(self.batch, name) for name in _RECORDED)
        recorded = [np.ascontiguousarray(column[:, :steps]) for column in columns]
        mc_q = np.ascontiguousarray(self.mc_q[:, :steps])
        return replace(self, batch=_batch(config, *recorded), mc_q=mc_q, config=config)


# Batch's columns as the kernel fills them: [N, T] or [N, T, 4]; the rest follows from these.
_RECORDED = tuple(f.name for f in fields(Batch) if f.name not in ("valid", "q_values", "past_mean"))


def collect_windows(
    params: np.ndarray,
    config: Config,
    num_windows: int,
    seed: int,
    *,
    first: int = 0,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> Windows:
    """Play `num_windows` windows of `config.batch_size` steps with a frozen policy.

    Window i is a pure function of (params, config, seed, i): the same bits among any others and on
    any number of threads. Windows first, ..., first + num_windows - 1 are played, so sets with
    other numbers are independent.

    Args:
        params: [P] any checkpoint of any CartPole run.
        seed: of the randomness; with `config.fixed_start` also the start state's.
        progress: called with the share done, in this thread.

    Raises: ValueError for another environment, or parameters that do not fit the config.
    """
    spec, shape = envs.describe(config.env_id), shape_of(config)
    if not spec.compiled:
        raise ValueError(f"env_id is {config.env_id!r}; windows are collected on CartPole alone.")
    if params.shape != (shape.size,) or not np.isfinite(params).all():
        raise ValueError(
            f"The parameters must be {shape.size} finite numbers for hidden_dim = "
            f"{config.hidden_dim}, not of shape {params.shape} or with NaN among them."
        )
    if num_windows < 2:
        raise ValueError(f"num_windows is {num_windows}; a variance needs at least 2.")
    params = np.ascontiguousarray(params, np.float32)
    keys = seeding.fold(
        seeding.keys([seed], "measurement"), np.arange(first, first + num_windows, dtype=np.uint64)
    )
    mixing = seeding.uniform(seeding.fold(keys, MIXING), np.zeros(1, np.uint64))
    burn_in = BURN_IN + (mixing * 2 * spec.max_episode_steps).astype(np.int64)  # [N]
    start_state = CartPole(keys[:1], spec.max_episode_steps, [seed]).starts[0]
    n, t = num_windows, config.batch_size
    recorded = (
        np.empty((n, t, 4), np.float32),  # obs
        np.empty((n, t), np.int64),  # actions
        np.empty((n, t), np.float32),  # probs
        np.empty((n, t), np.float32),  # rewards
        np.empty((n, t), np.bool_),  # terminated
        np.empty((n, t), np.bool_),  # truncated
        np.empty((n, t, 4), np.float32),  # final_obs
        np.empty((n, t), np.float32),  # values
        np.empty((n, t), np.float32),  # final_values
    )
    tails = np.zeros((n, t), np.float32)
    states, elapsed = np.empty((n, 4)), np.empty(n, np.int64)

    def play(share: slice) -> None:
        _play(
            params, config.hidden_dim, keys[share], burn_in[share], spec.max_episode_steps,
            horizon(config.gamma), not config.bootstrap_truncation, config.gamma,
            1.0 + config.reward_offset, config.fixed_start, start_state,
            states[share], elapsed[share], tails[share],
            *(column[share] for column in recorded),
        )  # fmt: skip

    on_threads(play, n, threads, progress)
    batch = _batch(config, *recorded)
    mc_q = target(config, batch, tails)
    return Windows(batch, mc_q, states, elapsed, params, config)


def horizon(gamma: float) -> int:
    """Steps of a tail: the first k with gamma^k < 0.001, 688 for gamma = 0.99."""
    if gamma in (0.0, 1.0):
        return LONGEST_TAIL if gamma else 1
    return min(math.ceil(math.log(NEGLIGIBLE) / math.log(gamma)), LONGEST_TAIL)


def on_threads(
    work: Callable[[slice], None], count: int, threads: int | None, progress: Progress
) -> None:
    """Do `work` on slices of `range(count)`, in any order, on several threads."""
    shares = [slice(a, min(a + SHARE, count)) for a in range(0, count, SHARE)]
    pool = ThreadPoolExecutor(threads or limits.cores())
    try:
        for done, _ in enumerate(pool.map(work, shares), start=1):
            progress(done / len(shares))
    finally:
        pool.shutdown(cancel_futures=True)  # no thread works on after an error


def _batch(config: Config, *recorded: np.ndarray) -> Batch:
    """The batches as training would have them, from the recorded columns.

    One column differs: `past_mean`, in training a running mean over past batches, is here the mean
    of all other windows, a constant just as independent of the window, and less noisy.
    """
    columns = dict(zip(_RECORDED, recorded, strict=True))
    n, t = columns["rewards"].shape
    valid, unknown = np.ones((n, t), np.bool_), np.zeros(n, np.float32)
    batch = Batch(**columns, valid=valid, q_values=columns["values"], past_mean=unknown)
    q_values = target(config, batch, batch.final_values)
    means = q_values.mean(-1, dtype=np.float64)  # [N]
    past_mean = ((means.sum() - means) / (n - 1)).astype(np.float32)  # of the other windows
    return replace(batch, q_values=q_values, past_mean=past_mean)


def target(config: Config, batch: Batch, follows: np.ndarray) -> np.ndarray:
    """Returns with `follows` [N, T] standing for what came after a cut.  [N, T]

    A cut is the batch's last step, or a step at which the episode's clock struck; where the pole
    fell, nothing follows. Without `bootstrap_truncation` the clock's cut is worth 0 too.
    """
    terminated = batch.terminated if config.bootstrap_truncation else batch.ended
    gamma = np.float32(config.gamma)
    return returns.bootstrapped_q(batch.rewards, follows, terminated, batch.truncated, gamma)


@part
def tail(theta, hidden, gamma, reward, key, steps, x, x_dot, angle, angle_dot):
    """Discounted rewards of playing on from a standing state, for `steps` at most.

    Each step is worth `reward`.
    """
    total, weight = 0.0, 1.0
    for k in range(steps):
        z = preference(
            theta, hidden, np.float32(x), np.float32(x_dot),
            np.float32(angle), np.float32(angle_dot),
        )  # fmt: skip
        action = 1 if uniform_kernel(key, k) < sigmoid(z) else 0
        x, x_dot, angle, angle_dot, fell = advance(x, x_dot, angle, angle_dot, action)
        total += reward * weight
        weight *= gamma
        if fell:
            break
    return total


@kernel
def _play(
    theta, hidden, keys, burn_in, limit, longest, clock_ends, gamma, reward, fixed, fixed_start,
    states, elapsed, tails, obs, actions, probs, rewards, terminated, truncated, final_obs,
    values, final_values,
):  # fmt: skip
    steps = obs.shape[1]
    for i in range(keys.shape[0]):
        action_key, reset_key = fold_kernel(keys[i], ACTIONS), fold_kernel(keys[i], RESETS)
        tail_key = fold_kernel(keys[i], TAILS)
        age, episode, t = limit, -1, -burn_in[i] - 1  # a clock that has just struck
        fell = True
        x, x_dot, angle, angle_dot = 0.0, 0.0, 0.0, 0.0
        while t < steps - 1:
            t += 1
            if fell or age == limit:
                age, episode = 0, episode + 1
                if fixed:
                    x, x_dot = fixed_start[0], fixed_start[1]
                    angle, angle_dot = fixed_start[2], fixed_start[3]
                else:
                    x, x_dot, angle, angle_dot = start(reset_key, episode)
            if t == 0:
                states[i, 0], states[i, 1], states[i, 2], states[i, 3] = x, x_dot, angle, angle_dot
                elapsed[i] = age
            x0, x1 = np.float32(x), np.float32(x_dot)
            x2, x3 = np.float32(angle), np.float32(angle_dot)
            p = sigmoid(preference(theta, hidden, x0, x1, x2, x3))
            action = 1 if uniform_kernel(action_key, t + burn_in[i]) < p else 0
            x, x_dot, angle, angle_dot, fell = advance(x, x_dot, angle, angle_dot, action)
            age += 1
            if t < 0:
                continue
            late = age == limit and not fell
            obs[i, t, 0], obs[i, t, 1], obs[i, t, 2], obs[i, t, 3] = x0, x1, x2, x3
            actions[i, t], probs[i, t] = action, p if action == 1 else ONE - p
            rewards[i, t], terminated[i, t], truncated[i, t] = reward, fell, late
            values[i, t] = critic_value(theta, hidden, x0, x1, x2, x3)
            x0, x1 = np.float32(x), np.float32(x_dot)
            x2, x3 = np.float32(angle), np.float32(angle_dot)
            final_obs[i, t, 0], final_obs[i, t, 1] = x0, x1
            final_obs[i, t, 2], final_obs[i, t, 3] = x2, x3
            final_values[i, t] = critic_value(theta, hidden, x0, x1, x2, x3)
            if not fell and (late or t == steps - 1):
                left = limit - age if clock_ends else longest
                key = fold_kernel(tail_key, np.uint64(t))
                tails[i, t] = tail(
                    theta, hidden, gamma, reward, key, left, x, x_dot, angle, angle_dot
                )
