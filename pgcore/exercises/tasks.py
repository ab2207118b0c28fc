"""Exercises. Replace each `raise NotImplementedError` by your own lines, save, and run

    python -m pgcore check tasks.py

It checks the tasks in order, and says of each whether it passes and what to look at. With --watch
it does so each time you save. `python -m pgcore check --hint gae` gives a hint; `--hint gae 2` and
`--hint gae 3` give the next ones.

Letters for shapes: S seeds, T steps of a batch, D numbers in an observation.
Steps are counted from 0.
"""

import numpy as np
import torch
from torch.distributions import Categorical


class Agent:
    """Given. An agent with two networks, and the memory of one batch of T steps.

    self.actor(obs):  observations [T, D] -> logits [T, 2]
    self.critic(obs): observations [T, D] -> values [T, 1], a column

    The training calls act at each of the T steps, then q_values once, and train with its result.
    """

    def __init__(self, actor, critic, learning_rate=5e-3, gamma=0.99):
        self.actor, self.critic, self.gamma = actor, critic, gamma
        weights = [*actor.parameters(), *critic.parameters()]
        self.optimizer = torch.optim.Adam(weights, lr=learning_rate)
        self.reset()

    def reset(self):
        """Empty the memory."""
        self.obs, self.actions = [], []

    def act(self, obs):
        """Draw an action, 0 or 1, for one observation [D], and remember both."""
        with torch.no_grad():
            probs = torch.softmax(self.actor(obs), -1)
        action = int(torch.rand(()) < probs[1])
        self.obs.append(obs)
        self.actions.append(action)
        return action

    def memory(self):
        """What the batch saw and did: observations [T, D], actions [T]."""
        return torch.stack(self.obs), torch.tensor(self.actions)


class PolicyGradient(Agent):
    """Task 1, policy_gradient: the gradient with a bootstrapped Q."""

    def q_values(self, rewards, terminated, truncated, final_values):
        """What followed each action.

        Q_t = r_t + gamma * (0           if terminated: the pole fell, and nothing follows
                             V(s'_t)     if truncated, or at the last step of the batch
                             Q_{t+1}     else)

        Args: all [T]. rewards float32; terminated, truncated bool; final_values float32, V(s'_t)
            of the observation after each step, before any reset.
        Returns: [T] float32.

        Example, gamma = 0.5: rewards 1, 2, 4 and V 0, 6, 8.
            No end:               Q = 4, 6, 8     (4 + 0.5 * 8 = 8, 2 + 0.5 * 8 = 6, ...)
            Step 1 is terminated: Q = 2, 2, 8
            Step 1 is truncated:  Q = 3.5, 5, 8   (2 + 0.5 * 6 = 5)
        """
        raise NotImplementedError

    def train(self, q_values):
        """One step of the optimizer on one batch, and an empty memory after it.

        loss = -(1/T) sum_t Q_t log pi(a_t|s_t)  +  0.5 * (1/T) sum_t (V(s_t) - Q_t)^2

        The first part trains the actor, the second one the critic.

        Args: q_values [T] float32, without a gradient.

        Example: two steps, pi(a|s) = 0.5 and 0.25, Q = 2 and 4, V = 1 and 4.
            -(2 log 0.5 + 4 log 0.25) / 2 + 0.5 * (1 + 0) / 2 = 3.466 + 0.25
        """
        obs, actions = self.memory()
        log_probs = Categorical(logits=self.actor(obs)).log_prob(actions)  # [T]
        raise NotImplementedError


class BatchMean(PolicyGradient):
    """Task 2, batch_mean: the batch's own mean as the baseline."""

    def train(self, q_values):
        """As in task 1, and the actor's weight is now Q_t - (1/T) sum_i Q_i.

        The critic is still trained on Q: the bootstrap needs it.

        Args: q_values [T] float32, without a gradient.

        Example: Q = 2, 4, 9 has the mean 5. The weights are -3, -1, 4.
        """
        raise NotImplementedError


class ActorCritic(PolicyGradient):
    """Task 3, actor_critic: the state value as the baseline."""

    def train(self, q_values):
        """As in task 1, and the actor's weight is now the advantage A_t = Q_t - V(s_t).

        The actor's part of the loss trains the actor only: no gradient of it reaches the critic.

        Args: q_values [T] float32, without a gradient.

        Example: Q = 2, 4, 9 and V = 1, 5, 9. The weights are 1, -1, 0.
        """
        raise NotImplementedError


def leave_one_out(q_values):
    """Task 4: each step's baseline is the mean of the other steps' Q, seed by seed.

    A_t = Q_t - (1/(T-1)) sum_{i != t} Q_i. With T = 1 there are no others: the baseline is 0.

    Args: q_values [S, T] float32, numpy.  Returns: [S, T] float32.

    Example: Q = 2, 4, 9. The others' means are 6.5, 5.5, 3. The result is -4.5, -1.5, 6.
    """
    raise NotImplementedError


def gae(rewards, values, final_values, terminated, truncated, gamma, gae_lambda):
    """Task 5: generalised advantage estimation (Schulman et al. 2016).

    delta_t = r_t + gamma * V(s'_t) * [not terminated] - V(s_t)
    A_t = delta_t + gamma * lambda * A_{t+1} * [the episode goes on after step t]

    An episode ends by either flag. Behind the last step of the batch A is 0.

    Args: the first five are numpy arrays [S, T]: rewards, values V(s_t) and final_values V(s'_t)
        float32; terminated and truncated bool. gamma and gae_lambda are numbers.
    Returns: [S, T] float32.

    Example, gamma = lambda = 0.5: rewards 1, 2, 4, V = 2, 4, 6 and V' = 4, 6, 8.
        delta = 1, 1, 2. Without an end A = 1.375, 1.5, 2. If step 1 is truncated: 1.25, 1, 2.
    """
    raise NotImplementedError


def normalized(advantages):
    """Task 6: advantages of mean 0 and standard deviation 1, each seed by itself.

    (A_t - mean A) / (std A + 1e-8), where std divides by T. No seed may see another seed's numbers.
    Where all advantages of a seed are equal, the result is 0.

    Args: advantages [S, T] float32, numpy.  Returns: [S, T] float32.

    Example: 1, 3, 5, 7 has the mean 4 and std 2.236. The result is -1.342, -0.447, 0.447, 1.342.
    """
    raise NotImplementedError


def ppo_clipped_loss(log_probs, old_log_probs, advantages, clip_range):
    """Task 7: PPO's clipped loss (Schulman et al. 2017).

    rho_t = pi(a_t|s_t) / pi_old(a_t|s_t)
    loss = -(1/T) sum_t min(rho_t A_t, clip(rho_t, 1 - e, 1 + e) A_t)

    The loss has a gradient in log_probs alone. The other two are data.

    Args: three torch tensors [T] float32, the logarithms of both probabilities and A; e a number.
    Returns: the loss, a tensor of one number.

    Example, e = 0.2. For rho = 1.5 and A = 1 the minimum is min(1.5, 1.2) = 1.2. For rho = 1.5 and
        A = -1 it is min(-1.5, -1.2) = -1.5. The loss of both is -(1.2 - 1.5) / 2 = 0.15.
    """
    raise NotImplementedError


def my_baseline(values, probs, q_values):
    """Task 8, open: a baseline b(s) that beats the value function.

    The place is ToyPole, a CartPole of five states (the lab has a page on it). Every batch that can
    occur is listed there, so the variance of the gradient is exact. It must be smaller than with
    b(s) = V(s). One number for each state: a baseline that depends on the action adds bias.

    Args: numpy arrays. values [5] are V(s), probs [5, 2] are pi(a|s), q_values [5, 2] are Q(s, a).
    Returns: [5], b(s).

    Example: pi = 0.2, 0.8 and Q = 9, 10. The gradient's variance in this state alone is 13.54 with
        b = 0, and 0.0576 with b = V = 9.8. There is a b with variance 0.
    """
    raise NotImplementedError
