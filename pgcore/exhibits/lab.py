"""The lab notebook's loop: plain torch and Gymnasium, one seed after the other, one step at a time.

The classes and the loop are the notebook's. What was mended, so that it runs and can be compared:

1. Its two student tasks do not run as they stand: `log_probs`, `critic_network`, `states` and
   `critic_optimizer` do not exist, the critic's update and `reset()` are missing. Each mend
   stands where it was made.
2. torch is seeded, one seed a run, unless that is what is asked about. Gymnasium's evaluation
   environment stays unseeded, as in the notebook.

Threads: the notebook sets none, so torch may use every core. It never does: all tensors here are
far below the size at which torch splits an operation.
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import torch
from torch import nn, optim
from torch.distributions import Categorical

BATCH_SIZE = 32
HIDDEN_DIM = 32
LEARNING_RATE = 5e-3
DISCOUNT = 0.99
TIMESTEPS = 10_000
EVAL_STEPS = 500
EVAL_EPISODES = 5


class ActorNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, HIDDEN_DIM), nn.ReLU(), nn.Linear(HIDDEN_DIM, 2))

    def forward(self, x):
        return nn.Softmax(1)(self.layers(x))


class CriticNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, HIDDEN_DIM), nn.ReLU(), nn.Linear(HIDDEN_DIM, 1))

    def forward(self, x):
        return self.layers(x)


class PolicyGradient:
    """Task 1, as written."""

    value_coef = 0.5

    def __init__(self) -> None:
        self.actor, self.critic = ActorNetwork(), CriticNetwork()
        self.optimizer = optim.Adam(
            [*self.actor.parameters(), *self.critic.parameters()], lr=LEARNING_RATE
        )
        self.reset()

    def reset(self) -> None:
        self.logprobs = torch.zeros(BATCH_SIZE)
        self.values = torch.zeros(BATCH_SIZE)
        self.rewards = torch.zeros(BATCH_SIZE)
        self.terminals = torch.zeros(BATCH_SIZE)
        self.idx = 0

    def add(self, logprob, value, reward, terminal) -> None:
        self.logprobs[self.idx] = logprob
        self.values[self.idx] = value
        self.rewards[self.idx] = reward
        self.terminals[self.idx] = terminal
        self.idx += 1

    def get_action_and_value(self, x):
        dist = Categorical(self.actor(x))
        action = dist.sample()
        return action.item(), dist.log_prob(action), self.critic(x)

    def get_qvalues(self, final_state):
        with torch.no_grad():
            final_state_value = self.critic(final_state)
        q_values = torch.zeros_like(self.rewards)
        for t in reversed(range(BATCH_SIZE)):
            next_value = final_state_value if t == BATCH_SIZE - 1 else q_values[t + 1]
            q_values[t] = self.rewards[t] + DISCOUNT * (1 - self.terminals[t]) * next_value
        return q_values

    def weight(self, q_values):
        return q_values

    def update(self, q_values) -> None:
        policy_loss = -(self.logprobs * self.weight(q_values)).mean()
        value_loss = (self.values - q_values).pow(2).mean()
        self.optimizer.zero_grad()
        (policy_loss + self.value_coef * value_loss).backward()
        self.optimizer.step()
        self.reset()

    def evaluate(self) -> float:
        total = 0.0
        with torch.no_grad():
            env = gym.make("CartPole-v1")
            for _ in range(EVAL_EPISODES):
                state, _ = env.reset()
                done = False
                while not done:
                    action, _, _ = self.get_action_and_value(torch.tensor(state).unsqueeze(0))
                    state, reward, terminal, truncated, _ = env.step(action)
                    done = terminal or truncated
                    total += float(reward)
        return total / EVAL_EPISODES


class BaselinedPolicyGradient(PolicyGradient):
    """Task 2, as written: its loss has no value term, so the critic that bootstraps is never
    trained. Made to run: `log_probs` is `self.logprobs`, and `reset()` follows the update."""

    value_coef = 0.0

    def weight(self, q_values):
        return q_values - q_values.mean()


class BaselinedPolicyGradientWithCritic(BaselinedPolicyGradient):
    """Task 2, mended: the value loss of the parent stays, so the critic is trained."""

    value_coef = 0.5


class ActorCritic(PolicyGradient):
    """Task 3. Mended: the states' values are the `self.values` of the acting pass; the advantage
    is detached, or the policy's loss would train the critic; the one optimizer that exists takes
    both losses, as in the parent."""

    def weight(self, q_values):
        return q_values - self.values.detach()


def train(agent: PolicyGradient, seed: int, timesteps: int = TIMESTEPS) -> np.ndarray:
    """The notebook's `train` for one seed; whoever calls it seeds torch.

    Returns: mean episodic return at each evaluation [K].
    """
    returns = np.zeros(timesteps // EVAL_STEPS)
    env = gym.make("CartPole-v1")
    state, _ = env.reset(seed=seed)
    for step in range(timesteps):
        action, logprob, value = agent.get_action_and_value(torch.tensor(state).unsqueeze(0))
        state, reward, terminal, truncated, _ = env.step(action)
        done = terminal or truncated
        agent.add(logprob, value, reward, done)
        if agent.idx == BATCH_SIZE:
            agent.update(agent.get_qvalues(torch.tensor(state).unsqueeze(0)))
        if (step + 1) % EVAL_STEPS == 0:
            returns[step // EVAL_STEPS] = agent.evaluate()
        if done:
            state, _ = env.reset(seed=seed)
    return returns
