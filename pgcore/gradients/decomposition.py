"""Where the variance of a single step's gradient comes from (Tucker et al. 2018, eq. 4).

    g = psi (MC - b(s)),      tr Cov g = Sigma_tau + Sigma_a + Sigma_s,

    Sigma_tau = E_{s,a} |psi|^2 Var(MC | s, a)         what happens later
    Sigma_a   = E_s tr Var_a[psi (Q(s, a) - b(s))]     which action was drawn
    Sigma_s   = tr Var_s[E_a psi Q(s, a)]              which state it was drawn in

A baseline b(s) touches Sigma_a alone. CartPole's physics has no chance in it, so each term can be
measured: set a state, take both actions, and play M tails from each. With two actions,
p = pi(1|s), d = grad (z_1 - z_0) and Delta = Q(s, 1) - Q(s, 0),

    tr Var_a[psi (Q - b)] = p (1-p) |d|^2 (b - b*)^2,    b* = (1-p) Q(s, 1) + p Q(s, 0),
    E_a psi Q             = p (1-p) Delta d.

Squares of means of M tails hold the tails' own noise, which is subtracted throughout.

The same tails show what the critic should have said: V(s) = p Q(s, 1) + (1-p) Q(s, 0).
Shapes: N states, 2 actions, M tails, P policy parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pgcore import envs, seeding
from pgcore.compilation import kernel
from pgcore.envs.cartpole import advance
from pgcore.gradients.estimates import preference_gradient
from pgcore.gradients.inference import moments, percentile_interval, resampled_means
from pgcore.gradients.windows import Progress, Windows, horizon, no_progress, on_threads, tail
from pgcore.seeding import fold_kernel
from pgcore.stats import Interval

FIRST_STATE = 2**33  # the streams of these tails are no window's
ONE = np.float32(1)


@dataclass(frozen=True)
class Sources:
    """tr Cov of one step's gradient, in three parts that add up to it, for one baseline."""

    later: Interval  # Sigma_tau
    action: Interval  # Sigma_a: below 0 only by the noise that was subtracted
    state: Interval  # Sigma_s
    total: Interval


@dataclass(frozen=True)
class CriticFit:
    """The critic at N states against the true value there, known up to `noise`."""

    predicted: np.ndarray  # [N] V_phi(s)
    true: np.ndarray  # [N] mean of the tails
    noise: np.ndarray  # [N] standard error of `true`
    correlation: Interval  # of V_phi and V, the tails' noise removed
    rmse: Interval  # noise removed
    bias: Interval  # mean of V_phi - V
    explained: Interval  # 1 - E (V - V_phi)^2 / Var V: below 0 if a constant would do better


@dataclass(frozen=True)
class Decomposition:
    """The variance of a single step, by source and baseline, and the critic, at one policy."""

    sources: dict[str, Sources]  # for b = none, critic (V_phi), value (the true V)
    critic: CriticFit


def decompose(
    windows: Windows,
    seed: int,
    *,
    num_states: int = 1000,
    tails: int = 8,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> Decomposition:
    """Play `tails` tails of both actions from the first states of the windows.

    Raises: ValueError for fewer than 2 tails or states.
    """
    n = min(num_states, len(windows))
    if n < 2 or tails < 2:
        raise ValueError(f"A decomposition needs 2 states and 2 tails, not {n} and {tails}.")
    returns = true_returns(windows, seed, n, tails, threads=threads, progress=progress)
    mean, noise = returns.mean(-1), returns.var(-1, ddof=1)  # [N, 2] Q, Var(MC | s, a)
    p, field, length = _preferences(windows, n)  # [N], [N, P] d, [N] |d|^2
    delta, delta_noise = mean[:, 1] - mean[:, 0], noise.sum(1) / tails
    best = (1 - p) * mean[:, 1] + p * mean[:, 0]  # b*(s)
    best_noise = ((1 - p) ** 2 * noise[:, 1] + p**2 * noise[:, 0]) / tails
    value = p * mean[:, 1] + (1 - p) * mean[:, 0]  # V(s)
    value_noise = (p**2 * noise[:, 1] + (1 - p) ** 2 * noise[:, 0]) / tails
    predicted = windows.batch.values[:n, 0].astype(np.float64)

    spread = p * (1 - p) * length  # tr Var_a psi
    action = {
        "none": spread * (best**2 - best_noise),
        "critic": spread * ((predicted - best) ** 2 - best_noise),
        "value": spread * (1 - 2 * p) ** 2 * (delta**2 - delta_noise),  # b* - V = (1-2p) Delta
    }
    later = spread * ((1 - p) * noise[:, 1] + p * noise[:, 0])
    square = p * (1 - p) * spread * (delta**2 - delta_noise)  # |E_a psi Q|^2
    per_state = (p * (1 - p) * delta)[:, None] * field  # [N, P] E_a psi Q
    scalars = np.stack([later, square, *moments(per_state), *action.values()], 1)
    means, draws = scalars.mean(0, keepdims=True), resampled_means(scalars)

    def parts(m: np.ndarray, at: int) -> tuple[np.ndarray, ...]:
        squared_mean = m[:, 3] - m[:, 2] / (n - 1)
        later, action, state = m[:, 0], m[:, at], m[:, 1] - squared_mean
        return later, action, state, later + action + state

    sources = {
        name: Sources(*_intervals(parts(means, at), parts(draws, at), n))
        for at, name in enumerate(action, start=4)
    }
    return Decomposition(sources, critic_fit(predicted, value, value_noise))


def critic_fit(predicted: np.ndarray, true: np.ndarray, noise_variance: np.ndarray) -> CriticFit:
    """Compare V_phi with means of tails, whose variances [N] are known."""
    n = len(true)
    error = predicted - true
    centre_p, centre_t = predicted.mean(), true.mean()
    x, y = predicted - centre_p, true - centre_t  # centred first, for the digits
    scalars = np.stack([x, y, x * x, y * y, x * y, error, error**2, noise_variance], 1)

    def summaries(m: np.ndarray) -> tuple[np.ndarray, ...]:
        mx, my, xx, yy, xy, bias, mse, noise = m.T
        with np.errstate(divide="ignore", invalid="ignore"):
            var_x, var_y = xx - mx**2, (yy - my**2 - noise).clip(0)
            mse = (mse - noise).clip(0)
            correlation = ((xy - mx * my) / np.sqrt(var_x * var_y)).clip(-1, 1)
            return correlation, np.sqrt(mse), bias, 1 - mse / var_y

    estimates, draws = (
        summaries(scalars.mean(0, keepdims=True)),
        summaries(resampled_means(scalars)),
    )
    intervals = _intervals(estimates, draws, n)
    return CriticFit(predicted, true, np.sqrt(noise_variance), *intervals)


def true_returns(
    windows: Windows,
    seed: int,
    num_states: int,
    tails: int,
    *,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> np.ndarray:
    """Monte-Carlo returns of both actions from the windows' first states.  [N, 2, M]"""
    config = windows.config
    out = np.empty((num_states, 2, tails))
    of_seed = seeding.keys([seed], "measurement")
    keys = seeding.fold(of_seed, FIRST_STATE + np.arange(num_states, dtype=np.uint64))
    limit = envs.describe(config.env_id).max_episode_steps

    def work(share: slice) -> None:
        _both_actions(
            windows.params, config.hidden_dim, config.gamma, 1.0 + config.reward_offset,
            keys[share], windows.states[share],
            windows.elapsed[share], limit, horizon(config.gamma),
            not config.bootstrap_truncation, out[share],
        )  # fmt: skip

    on_threads(work, num_states, threads, progress)
    return out


def _intervals(
    estimates: tuple[np.ndarray, ...], draws: tuple[np.ndarray, ...], n: int
) -> list[Interval]:
    return [percentile_interval(e[0], d, n) for e, d in zip(estimates, draws, strict=True)]


def _preferences(windows: Windows, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p = pi(1|s), d = grad (z_1 - z_0) and |d|^2 at the windows' first states."""
    hidden = windows.config.hidden_dim
    p, field = np.empty(n), np.empty((n, 7 * hidden + 2), np.float32)
    _preference_gradients(windows.params, hidden, windows.batch.obs[:n, 0], p, field)
    return p, field, np.einsum("np,np->n", field, field, dtype=np.float64)


@kernel
def _preference_gradients(theta, hidden, obs, p, field):
    for i in range(p.shape[0]):
        x = obs[i]
        p[i] = preference_gradient(theta, hidden, x[0], x[1], x[2], x[3], field[i])


@kernel
def _both_actions(
    theta, hidden, gamma, reward, keys, states, elapsed, limit, longest, clock_ends, out
):  # fmt: skip
    for i in range(keys.shape[0]):
        left = limit - elapsed[i] - 1 if clock_ends else longest
        for action in range(2):
            x, x_dot, angle, angle_dot, fell = advance(
                states[i, 0], states[i, 1], states[i, 2], states[i, 3], action
            )
            for m in range(out.shape[2]):
                later = 0.0
                if not fell:
                    key = fold_kernel(keys[i], np.uint64(2 * m + action))
                    later = tail(
                        theta, hidden, gamma, reward, key, left, x, x_dot, angle, angle_dot
                    )
                out[i, action, m] = reward + gamma * later
