"""What followed each action: bootstrapped Q, generalised advantages, Monte-Carlo returns.

The last axis is time. `terminated` (the pole fell) and `truncated` (the clock ran out) never
merge: after a termination nothing follows and the value is 0; after a truncation the episode
would have gone on, and the critic stands in for the rest (Pardo et al. 2018).
"""

from __future__ import annotations

import numpy as np

from pgcore.compilation import kernel


@kernel
def bootstrapped_q(rewards, final_values, terminated, truncated, gamma):
    """Q_t = r_t + gamma * [terminated: 0 | truncated or last: V(s'_t) | else: Q_{t+1}].

    Args:
        rewards: [S, T].
        final_values: [S, T] V of the observation that followed, before any reset.
        terminated, truncated: [S, T] bool.
        gamma: discount factor.

    Returns: [S, T], dtype of `rewards`. Source: the lab's `get_qvalues`, truncation corrected.
    """
    num_seeds, num_steps = rewards.shape
    q = np.empty_like(rewards)
    for s in range(num_seeds):
        for t in range(num_steps - 1, -1, -1):
            if terminated[s, t]:
                follows = rewards[s, t] * 0
            elif truncated[s, t] or t == num_steps - 1:
                follows = final_values[s, t]
            else:
                follows = q[s, t + 1]
            q[s, t] = rewards[s, t] + gamma * follows
    return q


@kernel
def gae(rewards, values, final_values, terminated, truncated, gamma, gae_lambda):
    """A_t = delta_t + gamma lambda (1 - end_t) A_{t+1},
    delta_t = r_t + gamma (1 - terminated_t) V(s'_t) - V(s_t).

    lambda = 1 is Q - V, lambda = 0 is delta. Shapes as in `bootstrapped_q`.
    Source: Schulman et al. 2016, eq. 16.
    """
    num_seeds, num_steps = rewards.shape
    advantages = np.empty_like(rewards)
    for s in range(num_seeds):
        following = rewards[s, 0] * 0
        for t in range(num_steps - 1, -1, -1):
            delta = rewards[s, t] - values[s, t]
            if not terminated[s, t]:
                delta += gamma * final_values[s, t]
            if terminated[s, t] or truncated[s, t]:
                following = delta
            else:
                following = delta + gamma * gae_lambda * following
            advantages[s, t] = following
    return advantages


@kernel
def monte_carlo(rewards, ended, gamma):
    """G_t = r_t + gamma (1 - end_t) G_{t+1}: the return to go, nothing bootstrapped.

    Shapes as in `bootstrapped_q`; `ended` = terminated or truncated. Source: Williams 1992.
    """
    num_seeds, num_steps = rewards.shape
    returns = np.empty_like(rewards)
    for s in range(num_seeds):
        following = rewards[s, 0] * 0
        for t in range(num_steps - 1, -1, -1):
            if ended[s, t]:
                following = rewards[s, t] * 0
            following = rewards[s, t] + gamma * following
            returns[s, t] = following
    return returns
