"""Stable-Baselines3's A2C at the lab's settings, evaluated as often, by its own helpers.

Left as the library has it: random start states and a bootstrap at truncations, where the
notebook starts each episode of a seed in one state and treats a truncation as a termination.
Neither changes the work. Adam replaces RMSprop, and gradients are never clipped.
"""

from __future__ import annotations

import time

import gymnasium as gym
import numpy as np
from stable_baselines3 import A2C
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from torch import nn, optim

from pgcore.exhibits import lab


class Evaluation(BaseCallback):
    """Five sampled episodes every 500 steps."""

    def __init__(self) -> None:
        super().__init__()
        self.env = Monitor(gym.make("CartPole-v1"))
        self.returns: list[float] = []

    def _on_step(self) -> bool:
        # The library collects whole batches, 10,016 steps; the last 16 are not evaluated.
        if self.num_timesteps % lab.EVAL_STEPS == 0 and self.num_timesteps <= lab.TIMESTEPS:
            mean, _ = evaluate_policy(
                self.model, self.env, lab.EVAL_EPISODES, deterministic=False, warn=False
            )
            assert isinstance(mean, float)  # one mean, not a list of episodes
            self.returns.append(mean)
        return True


def train(seed: int) -> tuple[np.ndarray, float]:
    """One seed of actor-critic.

    Returns: mean episodic return at each evaluation [K], seconds.
    """
    started = time.perf_counter()
    model = A2C(
        "MlpPolicy",
        gym.make("CartPole-v1"),
        learning_rate=lab.LEARNING_RATE,
        n_steps=lab.BATCH_SIZE,
        gamma=lab.DISCOUNT,
        gae_lambda=1.0,
        ent_coef=0.0,
        vf_coef=0.5,
        max_grad_norm=1e9,
        use_rms_prop=False,
        policy_kwargs=dict(
            net_arch=dict(pi=[lab.HIDDEN_DIM], vf=[lab.HIDDEN_DIM]),
            activation_fn=nn.ReLU,
            ortho_init=False,
            optimizer_class=optim.Adam,
            optimizer_kwargs=dict(eps=1e-8),
        ),
        seed=seed,
        device="cpu",
    )
    evaluation = Evaluation()
    model.learn(lab.TIMESTEPS, callback=evaluation)
    return np.array(evaluation.returns), time.perf_counter() - started
