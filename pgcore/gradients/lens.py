"""One update under the lens: T steps become one arrow, and the arrow moves the policy.

For a single window: what was seen and done, how Q was built backwards, what was subtracted,
which actions their own weight pushes up, and what became of them once the step was taken. The two
need not agree: steps share the network's parameters, so an action can gain probability although
its own weight was negative.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from pgcore import networks
from pgcore.batch import Batch
from pgcore.config import Config
from pgcore.gradients.estimates import squared_scores, weights
from pgcore.gradients.windows import Windows
from pgcore.learners import State, compiled, learning_rates, shape_of


@dataclass(frozen=True)
class Update:
    """One window of T steps, and the step that it makes the policy take.

    `steps` has a row a step t, with the columns
        x, x_dot, theta, theta_dot, action, prob: what was seen, done, and how probable that was;
        reward, terminated, truncated;
        value: V_phi of what was seen;
        next_value: what Q_t discounts: 0 after a fall, V_phi where `bootstrapped`, else Q_{t+1};
        q_value, baseline, psi: Q_t, Q_t - Psi_t (all that was subtracted), Psi_t;
        score_norm: |grad log pi(a_t | s_t)|, how far a weight of 1 would push;
        pushed: 1 up, -1 down, 0 neither, by the step's own weight;
        sgd_change, adam_change: of log pi(action | obs), by the step that the whole batch makes.
    """

    steps: pd.DataFrame
    gradient: np.ndarray  # [P] of the loss, policy then critic: a step goes against it
    before: np.ndarray  # [P]
    after_sgd: np.ndarray  # [P] before - learning rate * gradient
    after_adam: np.ndarray  # [P] Adam's first step


def inside_update(windows: Windows, index: int, config: Config) -> Update:
    """The update that `config.algorithm` makes of window `index`.

    Adam starts from moments of zero, for checkpoints keep parameters alone; such a step has the
    length of the learning rate in every coordinate. PPO's is its first, at rho = 1.

    Raises: ValueError if there is no such window.
    """
    if not 0 <= index < len(windows):
        raise ValueError(f"index is {index}; it must be from 0 to {len(windows) - 1}.")
    one = slice(index, index + 1)
    batch = Batch(**{f.name: getattr(windows.batch, f.name)[one] for f in fields(Batch)})
    q = windows.batch.q_values[index].astype(np.float64)  # [T]
    psi = weights(windows, config, [config.algorithm])[config.algorithm][one].astype(np.float32)

    before = windows.params[None].copy()  # [1, P]
    every_step = np.arange(len(q))[None]  # [1, T]
    gradient = compiled.gradient(before, batch, psi, every_step, config)  # [1, P]
    after_sgd = before - learning_rates(config) * gradient
    adam = State(before.copy(), np.zeros_like(before), np.zeros_like(before), np.zeros(1, np.int64))
    compiled.step(adam, gradient, np.ones(1, np.bool_), config)
    old, sgd, new = (
        _log_probs(params, batch, config) for params in (before, after_sgd, adam.params)
    )

    falls = batch.terminated[0] | (batch.truncated[0] & (not windows.config.bootstrap_truncation))
    cut = (batch.truncated[0] | (every_step[0] == len(q) - 1)) & ~falls
    x, x_dot, theta, theta_dot = batch.obs[0].T
    steps = pd.DataFrame(
        {
            "x": x,
            "x_dot": x_dot,
            "theta": theta,
            "theta_dot": theta_dot,
            "action": batch.actions[0],
            "prob": batch.probs[0],
            "reward": batch.rewards[0],
            "terminated": batch.terminated[0],
            "truncated": batch.truncated[0],
            "value": batch.values[0],
            "next_value": (q - batch.rewards[0]) / (windows.config.gamma or 1.0),
            "bootstrapped": cut,
            "q_value": q,
            "baseline": q - psi[0],
            "psi": psi[0],
            "score_norm": np.sqrt(squared_scores(windows)[index]),
            "pushed": np.sign(psi[0]).astype(int),
            "sgd_change": sgd - old,
            "adam_change": new - old,
        }
    )
    return Update(steps, gradient[0], before[0], after_sgd[0], adam.params[0])


def _log_probs(params: np.ndarray, batch: Batch, config: Config) -> np.ndarray:
    """log pi(a_t | s_t) of one window, in double precision: small changes must show.  [T]"""
    policy = shape_of(config).policy(params.astype(np.float64))
    logits = networks.forward(policy, batch.obs.astype(np.float64))[0]  # [T, A]
    chosen = np.take_along_axis(logits, batch.actions[0][:, None], -1)[:, 0]
    return chosen - np.logaddexp.reduce(logits, -1)
