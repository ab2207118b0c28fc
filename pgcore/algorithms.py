"""The estimators. Each is a weight Psi in one loss,

    loss[s] = -(1/T) sum_t Psi_t log pi(a_t | s_t),

(Schulman et al. 2016, eq. 1), and each differs from the next by one line. PPO alone puts its
weight, GAE's, into another loss: the clipped surrogate, over several epochs of minibatches
(losses.clipped_policy_loss). A new one is a function and an entry in ALGORITHMS; the picker,
equation, source panel, colour, tests and benchmark rows follow from that entry.

The critic's target is Q_t for all of them, the bootstrapped return: what GAE's paper fits V to
(Schulman et al. 2016, eq. 28), the bootstrap apart. Many implementations of GAE and PPO fit
A_t + V(s_t), the lambda-return, instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pgcore import formula as formulas
from pgcore import returns
from pgcore.batch import Batch

if TYPE_CHECKING:
    from pgcore.config import Config

WHITENING_EPS = 1e-8


def policy_gradient(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = Q_t: weigh each action by what followed it.  [S, T]"""
    return batch.q_values


def batch_mean(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = Q_t - mean(Q): the batch's own mean as the baseline.  [S, T]

    Biased: Q_t itself is 1/T of its baseline (3% at T = 32), and in one trajectory the Q of
    earlier steps hold what a_t led to, which is nearly all of the bias.
    """
    return batch.q_values - batch.q_values.mean(-1, keepdims=True)


def actor_critic(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = Q_t - V_phi(s_t): the state value as the baseline.  [S, T]"""
    return batch.q_values - batch.values


def leave_one_out(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = Q_t - mean of the other T-1 values = T/(T-1) (Q_t - mean(Q)).  [S, T]

    With T = 1 there are no others, and the baseline is 0. Without bias for independent samples
    only: along one trajectory the other values hold what a_t led to (`batch_mean`).
    """
    num_steps = batch.q_values.shape[-1]
    if num_steps == 1:
        return batch.q_values
    return batch_mean(batch, config) * np.float32(num_steps / (num_steps - 1))


def running_mean(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = Q_t - m_{k-1}, m_k = 0.9 m_{k-1} + 0.1 mean(Q): only the past.  [S, T]"""
    return batch.q_values - batch.past_mean[:, None]


def constant(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = Q_t - b: one number for every state.  [S, T]"""
    return batch.q_values - np.float32(config.baseline)


def gae(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = sum_l (gamma lambda)^l delta_{t+l}: between delta and Q - V.  [S, T]"""
    terminated = batch.terminated if config.bootstrap_truncation else batch.ended
    return returns.gae(
        batch.rewards,
        batch.values,
        batch.final_values,
        terminated,
        batch.truncated,
        np.float32(config.gamma),
        np.float32(config.gae_lambda),
    )


def normalized(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = (A_t - mean(A)) / std(A), A = Q - V: centred and rescaled per seed.  [S, T]"""
    advantages = actor_critic(batch, config)
    centred = advantages - advantages.mean(-1, keepdims=True)
    return centred / (advantages.std(-1, keepdims=True) + np.float32(WHITENING_EPS))


def reinforce(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = G_t: the return to go of whole episodes, nothing bootstrapped.  [S, T]

    The loss divides by the steps that these episodes took: a ratio of two random numbers, whose
    mean is not the ratio of their means. Divided by a constant, the estimate is without bias.
    """
    return returns.monte_carlo(batch.rewards, batch.ended, np.float32(config.gamma))


def formula(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = what the reader typed.  [S, T]"""
    names = dict(
        q=batch.q_values,
        v=batch.values,
        r=batch.rewards,
        a=batch.actions,
        p=batch.probs,
        m=batch.past_mean[:, None],
        t=np.arange(batch.rewards.shape[-1]),
        T=batch.rewards.shape[-1],
        gamma=config.gamma,
    )
    if batch.obs.shape[-1] == 4:  # CartPole's state variables
        names |= dict(
            zip(("x", "dx", "theta", "dtheta"), np.moveaxis(batch.obs, -1, 0), strict=True)
        )
    return formulas.parse(config.formula)(names)


@dataclass(frozen=True)
class Algorithm:
    """A registry entry: the weight, and what a reader should know of it."""

    weight: Callable[[Batch, Config], np.ndarray]
    name: str
    psi: str  # the weight in LaTeX
    bias: str  # what it adds to the gradient's expectation
    reference: str
    colour: int = 10  # its place in the palette, whoever else is shown
    reads: tuple[str, ...] = ()  # the settings that the weight reads, beside gamma
    clipped: bool = False  # PPO's surrogate and several epochs, instead of Psi log pi once
    whole_episodes: bool = False  # update at an episode's end, not after batch_size steps


ALGORITHMS: dict[str, Algorithm] = {
    "policy_gradient": Algorithm(
        policy_gradient,
        "Policy gradient",
        r"Q_t",
        "none; the bootstrap brings in the critic's error",
        "Sutton et al. 2000; lab task 1",
        colour=0,
    ),
    "batch_mean": Algorithm(
        batch_mean,
        "Batch mean",
        r"Q_t - \tfrac{1}{B}\sum_i Q_i",
        "shrinks the gradient: within a trajectory, earlier Q hold what an action led to",
        "lab task 2",
        colour=1,
    ),
    "actor_critic": Algorithm(
        actor_critic,
        "Actor-critic",
        r"Q_t - V_\phi(s_t)",
        "none added by the baseline",
        "Sutton et al. 2000; lab task 3",
        colour=2,
    ),
    "leave_one_out": Algorithm(
        leave_one_out,
        "Leave one out",
        r"Q_t - \tfrac{1}{B-1}\sum_{i\neq t} Q_i",
        "none for independent samples; along a trajectory nearly the batch mean's",
        "Kool et al. 2019",
        colour=3,
    ),
    "running_mean": Algorithm(
        running_mean,
        "Running mean",
        r"Q_t - m_{k-1},\quad m_k = 0.9\,m_{k-1} + 0.1\,\bar Q_k",
        "none: it uses the past only",
        "Williams 1992",
        colour=4,
    ),
    "constant": Algorithm(
        constant,
        "Constant",
        r"Q_t - b",
        "none, whatever b is",
        "Greensmith, Bartlett & Baxter 2004",
        colour=5,
        reads=("baseline",),
    ),
    "gae": Algorithm(
        gae,
        "GAE",
        r"\textstyle\sum_l (\gamma\lambda)^l \delta_{t+l},\quad "
        r"\delta_t = r_t + \gamma V_\phi(s_{t+1}) - V_\phi(s_t)",
        "the critic's error, more of it as lambda falls",
        "Schulman et al. 2016",
        colour=6,
        reads=("gae_lambda",),
    ),
    "normalized": Algorithm(
        normalized,
        "Normalized",
        r"\dfrac{A_t - \bar A}{\mathrm{std}(A)},\quad A_t = Q_t - V_\phi(s_t)",
        "from subtracting the mean, as in the batch mean; the rescaling keeps the direction",
        "Ilyas et al. 2020",
        colour=7,
    ),
    "ppo": Algorithm(
        gae,
        "PPO",
        r"A^{\mathrm{GAE}}_t,\quad \rho_t = "
        r"\dfrac{\pi_\theta(a_t \mid s_t)}{\pi_{\mathrm{old}}(a_t \mid s_t)}",
        "that of GAE; from the second minibatch on, the policy has changed since the batch",
        "Schulman et al. 2017",
        colour=8,
        reads=("gae_lambda",),
        clipped=True,
    ),
    "reinforce": Algorithm(
        reinforce,
        "REINFORCE",
        r"G_t = \textstyle\sum_k \gamma^k r_{t+k}",
        "yes: the sum is divided by the number of steps in the episodes, which is random itself",
        "Williams 1992",
        colour=9,
        whole_episodes=True,
    ),
    "formula": Algorithm(
        formula,
        "Your baseline",
        r"\text{your formula}",
        "measured on the page Your baseline",
        "you",
        colour=10,
        reads=("formula",),
    ),
}
