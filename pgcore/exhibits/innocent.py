"""Taken for bugs, and none: lines that readers have reported, and what they do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pgcore.batch import Batch
from pgcore.config import Config
from pgcore.exhibits.exhibit import Exhibit, Training, short
from pgcore.exhibits.learner import Learner, aiming, numbers, weighing
from pgcore.exhibits.public import step_of_episode, to_go
from pgcore.learners import State, compiled, shape_of


def discounted_states(batch: Batch, config: Config) -> np.ndarray:
    """gamma^t G_t: what the gradient of the discounted return asks for.  [S, T]"""
    return config.gamma ** step_of_episode(batch) * to_go(batch, config)


def negative_logs() -> Learner:
    """A learner whose old probabilities come back from negative logarithms: exp(-(-log p))."""

    def assess(rollout, params):
        batch = compiled.assess(rollout, params)
        negative = -np.log(batch.probs)
        return replace(batch, probs=numbers(np.exp(-negative)))

    return Learner(assess=assess)


def two_adams() -> Learner:
    """A learner with an Adam for the policy and another one for the critic."""

    def step(state, gradient, rows, config):
        size = shape_of(config).policy_size
        policy = np.arange(state.params.shape[1]) < size
        own = State(*(x.copy() for x in (state.params, state.m, state.v, state.updates)))
        compiled.step(own, np.where(policy, gradient, np.float32(0)), rows, config)
        compiled.step(state, np.where(policy, np.float32(0), gradient), rows, config)
        for whole, part in ((state.params, own.params), (state.m, own.m), (state.v, own.v)):
            whole[:, policy] = part[:, policy]

    return Learner(step=step)


def zero_times_final_value(batch: Batch, config: Config) -> np.ndarray:
    """The notebook's `get_qvalues`: V of the state after a fall stands there, times 0.  [S, T]"""
    q = np.empty_like(batch.rewards)
    following = batch.final_values[:, -1]
    for t in reversed(range(q.shape[1])):
        after = np.where(batch.truncated[:, t], batch.final_values[:, t], following)
        alive = np.float32(1) - batch.terminated[:, t]
        q[:, t] = batch.rewards[:, t] + np.float32(config.gamma) * alive * after
        following = q[:, t]
    return q


_EPISODES = "REINFORCE on whole episodes, 10,000 steps"

EXHIBITS = {
    "no_gamma_t": Exhibit(
        "Where is the factor γ to the t?",
        "none",
        "loss = 0\nfor t in range(len(episode)):\n    loss = loss - log_probs[t] * returns[t]\n",
        "loss = 0\n"
        "for t in range(len(episode)):\n"
        "    loss = loss - gamma**t * log_probs[t] * returns[t]\n",
        "The gradient of the discounted return weighs step t by γ to the t, and nearly all code "
        "leaves that out. It is no slip: with the factor, the steps after some hundred would "
        "hardly be learned from, though we want the pole to stand there too. What the code "
        "follows instead is the gradient of no function. It works.",
        ("facebookresearch/Pearl issue 46", "ufal/npfl122 issue 117"),
        Training(short("reinforce"), corrected=weighing(discounted_states)),
        setting=f"{_EPISODES}; the factor is the version that is taken for the right one",
    ),
    "reversed_ratio": Exhibit(
        "PPO's ratio looks upside down",
        "none",
        "neglogp = -policy.log_prob(actions)\n"
        "ratio = exp(old_neglogp - neglogp)\n"
        "loss = -min(ratio * A, clip(ratio, 0.8, 1.2) * A)\n",
        "logp = policy.log_prob(actions)\n"
        "ratio = exp(logp - old_logp)\n"
        "loss = -min(ratio * A, clip(ratio, 0.8, 1.2) * A)\n",
        "The old one less the new one looks like the ratio of old to new. But these are negative "
        "logarithms, and two minus signs make a plus. Both lines are the same number, up to the "
        "last digit.",
        (
            "hill-a/stable-baselines issue 447",
            "openai/baselines issues 652 and 1218",
        ),
        Training(short("ppo"), written=negative_logs),
        setting="PPO, 10,000 steps",
    ),
    "one_adam": Exhibit(
        "One Adam for two networks",
        "none",
        "optimizer = Adam([*actor.parameters(), *critic.parameters()], lr=5e-3)\n"
        "(policy_loss + 0.5 * value_loss).backward()\n"
        "optimizer.step()\n",
        "actor_optimizer = Adam(actor.parameters(), lr=5e-3)\n"
        "critic_optimizer = Adam(critic.parameters(), lr=5e-3)\n"
        "(policy_loss + 0.5 * value_loss).backward()\n"
        "actor_optimizer.step()\n"
        "critic_optimizer.step()\n",
        "Adam treats every weight alone: it keeps two running means for each and mixes none. The "
        "two networks share no weight. So one Adam for both does exactly what two do, as long as "
        "their step sizes are equal.",
        ("the lab notebook",),
        Training(short("actor_critic"), corrected=two_adams),
        setting="actor-critic, 10,000 steps",
    ),
    "value_coef": Exhibit(
        "Why half of the value loss?",
        "none",
        "loss = policy_loss + 0.5 * value_loss\nloss.backward()\nadam.step()\n",
        "loss = policy_loss + 1.0 * value_loss\nloss.backward()\nadam.step()\n",
        "The 0.5 looks like a setting to tune. It scales every gradient of the critic, and Adam "
        "divides each gradient by its usual size. So the factor drops out, except for the tiny "
        "epsilon. Networks that share layers are another matter.",
        ("the lab notebook",),
        Training(short("actor_critic", value_coef=1.0), {"value_coef": 0.5}),
        setting="actor-critic, 10,000 steps",
    ),
    "final_state": Exhibit(
        "The value of a state after the end",
        "none",
        "next_value = critic(final_state)  # even if the pole fell\n"
        "alive = 1 - terminated[t]\n"
        "q[t] = rewards[t] + gamma * alive * next_value\n",
        "next_value = critic(final_state)\n"
        "if terminated[t]:\n"
        "    next_value = 0\n"
        "q[t] = rewards[t] + gamma * next_value\n",
        "After a fall nothing follows, and still the code asks the critic for the value of the "
        "state in which the pole lies. The number is then multiplied by 0. It costs one pass of "
        "the network and changes nothing.",
        ("the lab notebook",),
        Training(short("actor_critic"), written=aiming(zero_times_final_value)),
        setting="actor-critic, 10,000 steps",
    ),
}
