"""Right solutions of the exercises, in three styles, and a way to put a bug into one."""

from __future__ import annotations

# As the lecture writes it: the template's Agent, one loss, one optimizer.
LECTURE = """
import numpy as np
import torch
from torch.distributions import Categorical


class Agent:
    def __init__(self, actor, critic, learning_rate=5e-3, gamma=0.99):
        self.actor, self.critic, self.gamma = actor, critic, gamma
        weights = [*actor.parameters(), *critic.parameters()]
        self.optimizer = torch.optim.Adam(weights, lr=learning_rate)
        self.reset()

    def reset(self):
        self.obs, self.actions = [], []

    def act(self, obs):
        with torch.no_grad():
            probs = torch.softmax(self.actor(obs), -1)
        action = int(torch.rand(()) < probs[1])
        self.obs.append(obs)
        self.actions.append(action)
        return action

    def memory(self):
        return torch.stack(self.obs), torch.tensor(self.actions)


class PolicyGradient(Agent):
    def q_values(self, rewards, terminated, truncated, final_values):
        q = torch.zeros(len(rewards))
        for t in reversed(range(len(rewards))):
            if terminated[t]:
                following = 0.0
            elif truncated[t] or t == len(rewards) - 1:
                following = final_values[t]
            else:
                following = q[t + 1]
            q[t] = rewards[t] + self.gamma * following
        return q

    def train(self, q_values):
        obs, actions = self.memory()
        log_probs = Categorical(logits=self.actor(obs)).log_prob(actions)
        values = self.critic(obs).squeeze(-1)
        policy_loss = -(q_values * log_probs).mean()
        value_loss = (values - q_values).pow(2).mean()
        self.optimizer.zero_grad()
        (policy_loss + 0.5 * value_loss).backward()
        self.optimizer.step()
        self.reset()


class BatchMean(PolicyGradient):
    def train(self, q_values):
        obs, actions = self.memory()
        log_probs = Categorical(logits=self.actor(obs)).log_prob(actions)
        values = self.critic(obs).squeeze(-1)
        weights = q_values - q_values.mean()
        policy_loss = -(weights * log_probs).mean()
        value_loss = (values - q_values).pow(2).mean()
        self.optimizer.zero_grad()
        (policy_loss + 0.5 * value_loss).backward()
        self.optimizer.step()
        self.reset()


class ActorCritic(PolicyGradient):
    def train(self, q_values):
        obs, actions = self.memory()
        log_probs = Categorical(logits=self.actor(obs)).log_prob(actions)
        values = self.critic(obs).squeeze(-1)
        advantages = q_values - values.detach()
        policy_loss = -(advantages * log_probs).mean()
        value_loss = (values - q_values).pow(2).mean()
        self.optimizer.zero_grad()
        (policy_loss + 0.5 * value_loss).backward()
        self.optimizer.step()
        self.reset()


def leave_one_out(q_values):
    steps = q_values.shape[-1]
    if steps == 1:
        return q_values
    others = (q_values.sum(-1, keepdims=True) - q_values) / (steps - 1)
    return q_values - others


def gae(rewards, values, final_values, terminated, truncated, gamma, gae_lambda):
    delta = rewards + gamma * final_values * ~terminated - values
    goes_on = ~(terminated | truncated)
    advantages = np.zeros_like(rewards)
    following = np.zeros(len(rewards), np.float32)
    for t in reversed(range(rewards.shape[1])):
        following = delta[:, t] + gamma * gae_lambda * goes_on[:, t] * following
        advantages[:, t] = following
    return advantages


def normalized(advantages):
    centred = advantages - advantages.mean(-1, keepdims=True)
    return centred / (advantages.std(-1, keepdims=True) + 1e-8)


def ppo_clipped_loss(log_probs, old_log_probs, advantages, clip_range):
    ratio = (log_probs - old_log_probs.detach()).exp()
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    advantages = advantages.detach()
    return -torch.minimum(ratio * advantages, clipped * advantages).mean()


def my_baseline(values, probs, q_values):
    weights = (1 - probs) ** 2 * probs
    return (weights * q_values).sum(-1) / weights.sum(-1)
"""

# As the notebook writes it: tensors of a fixed length with their graph, filled while acting.
NOTEBOOK = """
import math

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim


class Base(nn.Module):
    def __init__(self, actor, critic, learning_rate=5e-3, gamma=0.99):
        super().__init__()
        self.actor, self.critic, self.gamma = actor, critic, gamma
        self.optimizer = optim.Adam(self.parameters(), lr=learning_rate)
        self.reset()

    def reset(self):
        self.logprobs, self.values = [], []

    def act(self, obs):
        dist = torch.distributions.Categorical(logits=self.actor(obs.unsqueeze(0)))
        action = dist.sample()
        self.logprobs.append(dist.log_prob(action))
        self.values.append(self.critic(obs.unsqueeze(0)).squeeze())
        return action.item()


class PolicyGradient(Base):
    def q_values(self, rewards, terminated, truncated, final_values):
        found, following = [], final_values[-1]
        for r, fell, cut, v in zip(*(x.flip(0) for x in (rewards, terminated, truncated,
                                                         final_values))):
            following = v if cut else following
            following = r + self.gamma * (1 - fell.float()) * following
            found.insert(0, following)
        return torch.stack(found)

    def weight(self, q_values, values):
        return q_values

    def train(self, q_values):
        logprobs, values = torch.cat(self.logprobs), torch.stack(self.values)
        loss = -torch.mean(self.weight(q_values, values.detach()) * logprobs)
        loss = loss + torch.nn.functional.mse_loss(values, q_values)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.reset()


class BatchMean(PolicyGradient):
    def weight(self, q_values, values):
        return q_values - q_values.mean()


class ActorCritic(PolicyGradient):
    def weight(self, q_values, values):
        return q_values - values


def leave_one_out(q_values):
    result = np.array(q_values, dtype=float)
    for s, row in enumerate(q_values):
        for t in range(len(row)):
            others = [float(x) for i, x in enumerate(row) if i != t]
            if others:
                result[s, t] = row[t] - sum(others) / len(others)
    return result


def gae(rewards, values, final_values, terminated, truncated, gamma, gae_lambda):
    seeds, steps = rewards.shape
    result = np.zeros((seeds, steps))
    for s in range(seeds):
        a = 0.0
        for t in range(steps - 1, -1, -1):
            if terminated[s, t] or truncated[s, t]:
                a = 0.0
            bootstrap = 0.0 if terminated[s, t] else gamma * final_values[s, t]
            a = rewards[s, t] + bootstrap - values[s, t] + gamma * gae_lambda * a
            result[s, t] = a
    return result


def normalized(advantages):
    rows = []
    for row in advantages.tolist():
        mean = sum(row) / len(row)
        std = math.sqrt(sum((x - mean) ** 2 for x in row) / len(row))
        rows.append([(x - mean) / (std + 1e-8) for x in row])
    return np.array(rows)


def ppo_clipped_loss(log_probs, old_log_probs, advantages, clip_range):
    with torch.no_grad():
        old, a = old_log_probs.exp(), advantages + 0
    ratio = log_probs.exp() / old
    good = torch.min(ratio, torch.full_like(ratio, 1 + clip_range)) * a
    bad = torch.max(ratio, torch.full_like(ratio, 1 - clip_range)) * a
    return -torch.where(a > 0, good, bad).mean()


def my_baseline(values, probs, q_values):
    return np.array([p[1] * q[0] + p[0] * q[1] for p, q in zip(probs, q_values)])
"""

# As a library writes it: two optimizers, functions of torch, a value coefficient of 1.
LIBRARY = """
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Buffer:
    obs: list[Tensor] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)


class PolicyGradient:
    def __init__(self, actor: nn.Module, critic: nn.Module, learning_rate=5e-3, gamma=0.99):
        self.actor, self.critic, self.gamma = actor, critic, gamma
        self.actor_optimizer = torch.optim.Adam(actor.parameters(), learning_rate)
        self.critic_optimizer = torch.optim.Adam(critic.parameters(), learning_rate)
        self.buffer = Buffer()

    @torch.no_grad()
    def act(self, obs: Tensor) -> int:
        action = torch.multinomial(F.softmax(self.actor(obs), dim=-1), 1).item()
        self.buffer.obs.append(obs)
        self.buffer.actions.append(action)
        return action

    def q_values(self, rewards, terminated, truncated, final_values):
        r, v = rewards.numpy(), final_values.numpy()
        ends = (terminated | truncated).numpy()
        v = np.where(terminated.numpy(), 0, v)
        q = np.empty_like(r)
        after = v[-1]
        for t in range(len(r))[::-1]:
            after = q[t] = r[t] + self.gamma * (v[t] if ends[t] else after)
        return torch.from_numpy(q)

    def weights(self, q: Tensor, v: Tensor) -> Tensor:
        return q

    def train(self, q_values: Tensor) -> None:
        obs, actions = torch.stack(self.buffer.obs), torch.tensor(self.buffer.actions)
        self.buffer = Buffer()
        v = self.critic(obs)[:, 0]
        self.critic_optimizer.zero_grad(set_to_none=True)
        F.mse_loss(v, q_values).backward()
        self.critic_optimizer.step()
        self.actor_optimizer.zero_grad(set_to_none=True)
        losses = F.cross_entropy(self.actor(obs), actions, reduction="none")
        (losses * self.weights(q_values, v.detach())).mean().backward()
        self.actor_optimizer.step()


class BatchMean(PolicyGradient):
    def weights(self, q: Tensor, v: Tensor) -> Tensor:
        return q.sub(q.mean())


class ActorCritic(PolicyGradient):
    def weights(self, q: Tensor, v: Tensor) -> Tensor:
        return q - v


def leave_one_out(q_values):
    n = q_values.shape[1]
    factor = n / (n - 1) if n > 1 else 0.0
    return (q_values - q_values.mean(1, keepdims=True)) * factor + (q_values if n == 1 else 0)


def gae(rewards, values, final_values, terminated, truncated, gamma, gae_lambda):
    delta = rewards + gamma * np.where(terminated, 0, final_values) - values
    keep = gamma * gae_lambda * (1 - np.logical_or(terminated, truncated))
    steps = rewards.shape[1]
    columns = [delta[:, -1]]
    for t in range(steps - 2, -1, -1):
        columns.append(delta[:, t] + keep[:, t] * columns[-1])
    return np.stack(columns[::-1], axis=1).astype(np.float32)


def normalized(advantages):
    t = torch.as_tensor(advantages)
    std, mean = torch.std_mean(t, dim=1, keepdim=True, correction=0)
    return ((t - mean) / (std + 1e-8)).numpy()


def ppo_clipped_loss(log_probs, old_log_probs, advantages, clip_range):
    advantages, old = advantages.detach(), old_log_probs.detach()
    ratio = torch.exp(log_probs - old)
    plain = -advantages * ratio
    clipped = -advantages * torch.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)
    return torch.maximum(plain, clipped).mean()


def my_baseline(values, probs, q_values):
    return (probs[:, ::-1] * q_values).sum(axis=1)
"""

STYLES = {"lecture": LECTURE, "notebook": NOTEBOOK, "library": LIBRARY}
