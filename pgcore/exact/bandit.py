"""The softmax bandit: one state, K arms, every moment of the gradient in closed form.

    pi = softmax(z),  psi_a = grad_z log pi_a = e_a - pi,  reward of arm a = Q_a + noise_a

Sources: Williams 1992 (score function), Greensmith, Bartlett & Baxter 2004 (optimal constant),
Kool et al. 2019 (leave-one-out), Chung et al. 2021 and Mei et al. 2022 (committal behaviour).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgcore.exact import Array, Moments, Parabola, batch_gradients, iid_batches, moments


class Bandit:
    """K arms with expected rewards `q_values` [K], played with probabilities `policy` [K].

    `noise` is the standard deviation of each arm's reward, a number or [K]. Raises ValueError
    unless the policy is strictly inside the simplex and every array has one entry per arm.
    """

    def __init__(self, policy: ArrayLike, q_values: ArrayLike, noise: ArrayLike = 0.0) -> None:
        self.policy: Array = np.array(policy, float)
        self.q_values: Array = np.array(q_values, float)
        if self.policy.ndim != 1 or self.policy.shape != self.q_values.shape:
            raise ValueError("policy and q_values must both have one number for each arm.")
        if not ((self.policy > 0).all() and np.isclose(self.policy.sum(), 1)):
            raise ValueError("policy must hold positive probabilities that sum to 1.")
        if np.shape(noise) not in ((), self.policy.shape) or (np.asarray(noise) < 0).any():
            raise ValueError(
                "noise must be one standard deviation, or one for each arm, at least 0."
            )
        self.noise: Array = np.broadcast_to(np.asarray(noise, float), self.policy.shape)

    @property
    def scores(self) -> Array:
        """psi_a = e_a - pi.  [K arms, K logits]"""
        return np.eye(len(self.policy)) - self.policy

    @property
    def squared_scores(self) -> Array:
        """|psi_a|^2 = 1 - 2 pi_a + |pi|^2.  [K]"""
        return 1 - 2 * self.policy + self.policy @ self.policy

    @property
    def value(self) -> float:
        """V = E_a Q_a."""
        return float(self.policy @ self.q_values)

    @property
    def gradient(self) -> Array:
        """g = grad_z V = pi * (Q - V).  [K]"""
        return self.policy * (self.q_values - self.value)

    @property
    def entropy(self) -> float:
        """H = -sum_a pi_a log pi_a, in nats."""
        return float(-self.policy @ np.log(self.policy))

    @property
    def entropy_gradient(self) -> Array:
        """dH/dz_a = -pi_a (log pi_a + H).  [K]"""
        return -self.policy * (np.log(self.policy) + self.entropy)

    def tr_var(self, b: float) -> float:
        """Variance of psi (R - b), one sample:
        sum_a pi_a |psi_a|^2 [(Q_a - b)^2 + noise_a^2] - |g|^2.
        """
        second = self.squared_scores * ((self.q_values - b) ** 2 + self.noise**2)  # [K]
        return float(self.policy @ second - self.gradient @ self.gradient)

    @property
    def optimal_baseline(self) -> float:
        """b* = E[|psi|^2 Q] / E[|psi|^2] (Greensmith, Bartlett & Baxter 2004)."""
        weight = self.policy * self.squared_scores
        return float(weight @ self.q_values / weight.sum())

    @property
    def parabola(self) -> Parabola:
        """tr_var as a function of b; `.harmless` is the interval between 0 and 2 b*."""
        curvature = float(self.policy @ self.squared_scores)  # = 1 - |pi|^2
        return Parabola(curvature, curvature * self.optimal_baseline, self.tr_var(0.0))

    def leave_one_out_tr_var(self, size: int) -> float:
        """Variance of leave-one-out over B = `size` samples, at least 2 (Kool et al. 2019).

        [4 (B-2) z1 + 2 z2] / (B (B-1)): it is a U-statistic of pairs, with
        z1 = trVar(psi (Q - V)) / 4 and z2 = Var_pi(Q) + sum_a pi_a (1 - pi_a) noise_a^2 - |g|^2.
        """
        if size < 2:
            raise ValueError(f"leave-one-out needs at least 2 samples, not {size}.")
        spread = self.policy @ (self.q_values - self.value) ** 2
        noise = self.policy * (1 - self.policy) @ self.noise**2
        z1 = self.tr_var(self.value) / 4
        z2 = spread + noise - self.gradient @ self.gradient
        return float((4 * (size - 2) * z1 + 2 * z2) / (size * (size - 1)))

    def batch_mean_tr_var(self, size: int) -> float:
        """Variance of the batch mean over B = `size` samples: it is (B-1) / B times leave-one-out,
        Q_i - mean Q = (B-1)/B (Q_i - mean of the others), and so is its mean.
        """
        return float((1 - 1 / size) ** 2 * self.leave_one_out_tr_var(size))

    def outcomes(self) -> tuple[Array, Array, Array]:
        """What one pull can show: probability [O], score [O, K], reward [O].

        A noisy reward is the fair coin Q_a +- noise_a: same mean, same variance, two outcomes.
        """
        if not self.noise.any():
            return self.policy, self.scores, self.q_values
        coin = np.concatenate([self.q_values - self.noise, self.q_values + self.noise])
        return np.tile(self.policy / 2, 2), np.tile(self.scores, (2, 1)), coin

    def batch_moments(self, weight: Callable[[Array], Array], size: int) -> Moments:
        """Exact mean and variance of a batch estimate, over all batches of `size` pulls.

        weight: rewards [W, size] -> Psi [W, size]. K^size batches, (2K)^size with noise.
        """
        probability, scores, rewards = self.outcomes()
        chance, which = iid_batches(probability, size)
        return moments(chance, batch_gradients(weight(rewards[which]), scores[which]))

    def arrows(self, b: float) -> Array:
        """The K arrows that one sample can give: psi_a (Q_a - b).  [K arms, K]

        Read as a step of the logits it is policy gradient; read as a displacement of pi it is
        *natural* policy gradient, because F (e_a / pi_a) = psi_a. The mean, weighted by the
        policy, is g for every b; the arrows are not: with b = 0 and positive rewards, each
        points straight at its own corner.
        """
        return self.scores * (self.q_values - b)[:, None]


def displacement(policy: ArrayLike, steps: ArrayLike) -> Array:
    """How pi moves when the logits move, to first order: (diag pi - pi pi') dz.  [..., K]"""
    pi, steps = np.asarray(policy, float), np.asarray(steps, float)
    return pi * (steps - (steps * pi).sum(-1, keepdims=True))


def simplex_points(policies: ArrayLike) -> Array:
    """Policies (or their displacements) over 3 arms in the plane.  [..., 3] -> [..., 2]

    Corners: (0, 0), (1, 0), (1/2, sqrt(3)/2).
    """
    return np.asarray(policies, float) @ np.array([[0, 0], [1, 0], [0.5, 0.75**0.5]])


def two_action_tr_var(p: float, q0: float, q1: float, b: ArrayLike) -> Array:
    """Two actions, p = pi(1|s), |grad(z_1 - z_0)| = 1: p (1-p) (b - b*)^2.

    b* = (1-p) q1 + p q0 leaves no variance at all, and b* - V = (1-2p) (q1 - q0).
    """
    return p * (1 - p) * (np.asarray(b, float) - ((1 - p) * q1 + p * q0)) ** 2


# --- Committal behaviour: equal variance, different fates (Chung et al. 2021) ---------------


def softmax(logits: Array) -> Array:
    """exp z / sum exp z over the last axis."""
    weight = np.exp(logits - logits.max(-1, keepdims=True))
    return weight / weight.sum(-1, keepdims=True)


def natural_optimum(logits: Array, rewards: Array) -> Array:
    """b* of the natural gradient: sum_a r_a/pi_a / sum_a 1/pi_a.  [N, K], [K] -> [N]

    The natural score F^+ psi_a = (e_a - 1/K) / pi_a has squared length (1 - 1/K) / pi_a^2.
    Since 1/pi_a is proportional to exp(-z_a), the mean is a softmax of -z and never overflows.
    """
    return softmax(-logits) @ rewards


def natural_tr_var(policy: ArrayLike, rewards: ArrayLike, b: ArrayLike) -> Array:
    """Variance of one natural step (e_a - 1/K) (r_a - b) / pi_a; the shape of b.

    (1 - 1/K) sum_a (r_a - b)^2 / pi_a - |r - mean r|^2: a parabola whose vertex is
    `natural_optimum`, so steps taken with b* - c and with b* + c vary equally.
    """
    pi, r, b = (np.asarray(x, float) for x in (policy, rewards, b))
    second = (1 - 1 / len(pi)) * ((r - b[..., None]) ** 2 / pi).sum(-1)
    return second - ((r - r.mean()) ** 2).sum()


Baseline = Callable[[Array, Array], Array]  # logits [N, K], rewards [K] -> b [N]
BASELINES: Mapping[str, Baseline] = {
    "none": lambda logits, rewards: np.zeros(len(logits)),
    "V": lambda logits, rewards: softmax(logits) @ rewards,
    "b*": natural_optimum,
    "b* - 1": lambda logits, rewards: natural_optimum(logits, rewards) - 1,
    "b* + 1": lambda logits, rewards: natural_optimum(logits, rewards) + 1,
}


def natural_runs(
    rewards: ArrayLike,
    baseline: Baseline,
    *,
    runs: int = 1000,
    steps: int = 500,
    step_size: float = 0.5,
    every: int = 10,
    seed: int = 0,
) -> Array:
    """Policies of many independent runs of stochastic natural policy gradient.

    z_a <- z_a + step_size (r_a - b) / pi_a for the one arm a ~ pi that was pulled; uniform start,
    rewards [K] without noise. Returns every `every`-th policy, [1 + steps // every, runs, K].
    Equal seeds give equal noise whatever the baseline.
    """
    r = np.array(rewards, float)
    rng = np.random.default_rng(seed)
    logits = np.zeros((runs, len(r)))
    run = np.arange(runs)
    kept = [softmax(logits)]
    for step in range(1, steps + 1):
        # Gumbel's maximum samples the softmax and cannot choose an arm whose pi underflowed.
        arm = (logits + rng.gumbel(size=logits.shape)).argmax(-1)
        pull = (r[arm] - baseline(logits, r)) / softmax(logits)[run, arm]
        logits[run, arm] += step_size * pull
        logits -= logits.max(-1, keepdims=True)
        if step % every == 0:
            kept.append(softmax(logits))
    return np.stack(kept)


def stuck(policies: Array, rewards: ArrayLike) -> NDArray[np.bool_]:
    """Runs that all but abandoned the best arm: its probability is below 1%.  [..., K] -> [...]"""
    return policies[..., int(np.argmax(rewards))] < 0.01


def never_good_arm(step_size: float, b: float) -> float:
    """Two arms, r = (1, 0), uniform start, constant b: P(the good arm is never pulled).

    prod_t (1 - sigma(theta_t)), theta_{t+1} = theta_t + step_size b / (1 - sigma(theta_t)),
    where theta is the good arm's logit minus the other's. Zero for b >= 0.
    """
    if not (step_size > 0 and np.isfinite(b)):
        raise ValueError("step_size must be positive and b finite.")
    if b >= 0:
        return 0.0
    theta, never, good = 0.0, 1.0, 0.5
    while good > 1e-18 and never > 0:
        never *= 1 - good
        theta += step_size * b / (1 - good)
        good = float(np.exp(theta) / (1 + np.exp(theta)))  # theta < 0: no overflow
    return never
