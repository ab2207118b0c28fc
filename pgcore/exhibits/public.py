"""Bugs of public code: each function differs from the right one by the bug."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from pgcore import returns
from pgcore.batch import Batch
from pgcore.config import Config
from pgcore.exhibits import judging
from pgcore.exhibits.crash import program
from pgcore.exhibits.exhibit import Exhibit, Training, short
from pgcore.exhibits.learner import Learner, aiming, numbers, weighing
from pgcore.learners import compiled, learning_rates, shape_of
from pgcore.networks import ADAM_EPS, BETA_1, BETA_2

EPISODE = short("reinforce", batch_size=1)  # an update after every episode
GROUPS = short("reinforce", 50_000, batch_size=256)
LARGE_BATCH = short("reinforce", 100_000, batch_size=1000)
LARGE_EPSILON = 1e-5
PARTS = 4  # of a batch


# --- whole episodes ---


def number_of_episode(batch: Batch) -> np.ndarray:
    """Which episode of its row each step belongs to, counted from 0.  [S, T]"""
    return np.cumsum(batch.ended, -1) - batch.ended


def sum_of_episode(batch: Batch, x: np.ndarray) -> np.ndarray:
    """At each step, the sum of x [S, T] over the step's own episode.  [S, T]"""
    rows, steps = x.shape
    which = number_of_episode(batch) + np.arange(rows)[:, None] * (steps + 1)
    return np.bincount(which.ravel(), (x * batch.valid).ravel())[which]


def step_of_episode(batch: Batch) -> np.ndarray:
    """The time t within the step's own episode, from 0.  [S, T]"""
    steps = np.broadcast_to(np.arange(batch.rewards.shape[1]), batch.rewards.shape)
    first = np.zeros_like(steps)
    first[:, 1:] = np.where(batch.ended[:, :-1], steps[:, 1:], 0)
    return steps - np.maximum.accumulate(first, -1)


def to_go(batch: Batch, config: Config) -> np.ndarray:
    """The right weight: the return to go G_t.  [S, T]"""
    return returns.monte_carlo(batch.rewards, batch.ended, np.float32(config.gamma))


def whitened_by_episode(batch: Batch, config: Config) -> np.ndarray:
    """(G_t - mean G) / std G, over each episode alone.  [S, T]"""
    g, length = to_go(batch, config).astype(float), sum_of_episode(batch, batch.valid)
    mean = sum_of_episode(batch, g) / np.maximum(length, 1)
    variance = sum_of_episode(batch, (g - mean) ** 2) / np.maximum(length, 1)
    return (g - mean) / (np.sqrt(variance) + 1e-8)


def sum_times_sum(batch: Batch, config: Config) -> np.ndarray:
    """The sum of all G of the episode, at each of its steps.  [S, T]"""
    return sum_of_episode(batch, to_go(batch, config))


def discounted_reward(batch: Batch, config: Config) -> np.ndarray:
    """gamma^t r_t: the step's own reward, with nothing of what followed.  [S, T]"""
    return config.gamma ** step_of_episode(batch) * batch.rewards


def whole_return(batch: Batch, config: Config) -> np.ndarray:
    """G_0 of the episode at each of its steps.  [S, T]"""
    return sum_of_episode(batch, discounted_reward(batch, config))


def group_of_one(batch: Batch, config: Config) -> np.ndarray:
    """The episode's return less the mean of a group that holds this episode alone.  [S, T]"""
    total = whole_return(batch, config)
    return total - total


def group_of_all(batch: Batch, config: Config) -> np.ndarray:
    """The episode's return less the mean over all episodes of the batch.  [S, T]"""
    total = whole_return(batch, config)
    share = batch.valid / np.maximum(sum_of_episode(batch, batch.valid), 1)  # sums to 1 an episode
    episodes = np.maximum(share.sum(-1, keepdims=True), 1)
    return total - (share * total).sum(-1, keepdims=True) / episodes


def mean_over_episodes(batch: Batch, config: Config) -> np.ndarray:
    """G_t times steps over episodes: the sum over each episode, averaged over episodes.  [S, T]

    The loss divides by the steps of the batch; this puts the number of episodes in their place.
    """
    steps = batch.valid.sum(-1, keepdims=True)
    episodes = np.maximum((batch.ended & batch.valid).sum(-1, keepdims=True), 1)
    return to_go(batch, config) * steps / episodes


# --- steps ---


def late_mask(batch: Batch, config: Config) -> np.ndarray:
    """GAE whose mask stands one place late: at step t it asks whether step t + 1 ended.  [S, T]

    So V of the next episode's start and its advantages enter at an end, and the step before the
    end is cut off from it. The last step has its own mask, as in the code.
    """

    def late(ends: np.ndarray) -> np.ndarray:
        return np.concatenate([ends[:, 1:], ends[:, -1:]], axis=1)

    following = np.concatenate([batch.values[:, 1:], batch.final_values[:, -1:]], axis=1)
    return returns.gae(
        batch.rewards, batch.values, numbers(following), late(batch.terminated),
        late(batch.truncated), np.float32(config.gamma), np.float32(config.gae_lambda),
    )  # fmt: skip


def column_of_values(batch: Batch, config: Config) -> np.ndarray:
    """Q_t - mean V: what [B] targets less [B, 1] values come to, once averaged.  [S, T]

    log pi_j is multiplied by Q_j - V_i for every pair, and the mean is taken over all pairs.
    """
    return batch.q_values - batch.values.mean(-1, keepdims=True)


def critic_unused(batch: Batch, config: Config) -> np.ndarray:
    """Q_t, although the critic is trained and its value is at hand.  [S, T]"""
    return batch.q_values


def pays_at_the_fall(batch: Batch, config: Config) -> np.ndarray:
    """Targets of a task that pays -1 for a fall, and else nothing.  [S, T]"""
    return _targets(batch, -batch.terminated.astype(np.float32), config)


def pays_one_step_late(batch: Batch, config: Config) -> np.ndarray:
    """Its targets when each step is stored with the reward of the step before.  [S, T]

    The first step of an episode has none before it and is stored with 0. So the reward of the
    last step is stored nowhere, and here it is the only one.
    """
    return _targets(batch, np.zeros_like(batch.rewards), config)


def _targets(batch: Batch, rewards: np.ndarray, config: Config) -> np.ndarray:
    return returns.bootstrapped_q(
        rewards, batch.final_values, batch.terminated, batch.truncated, np.float32(config.gamma)
    )


def late() -> Learner:
    """A learner that stores CartPole's own reward of 1 one step late.

    The first step of an episode is stored with 0, all others with 1.
    """
    fresh: list[np.ndarray] = []  # [S] the next batch begins with a new episode

    def assess(rollout, params):
        batch = compiled.assess(rollout, params)
        begins = fresh.pop() if fresh else np.ones(len(batch.rewards), np.bool_)
        first = np.concatenate([begins[:, None], batch.ended[:, :-1]], axis=1)
        fresh.append(np.where(rollout.ready, batch.ended[:, -1], begins))
        return replace(batch, q_values=_targets(batch, numbers(~first), rollout.config))

    return Learner(assess=assess)


def late_reward(seeds: range):
    """The shift on a task that pays at the fall alone, and on CartPole's own reward."""
    config = short("actor_critic")
    fall = Training(config, written=aiming(pays_one_step_late), corrected=aiming(pays_at_the_fall))(
        seeds
    )
    own = Training(config, written=late)(seeds)
    outcomes = {f"{name}, paid at the fall": pair for name, pair in fall.outcomes.items()}
    outcomes |= {f"{name}, paid every step": pair for name, pair in own.outcomes.items()}
    return fall._replace(outcomes=outcomes)


# --- losses and optimizers ---


def cleared_too_late() -> Learner:
    """A learner whose gradient is set to 0 after it was computed and before the step."""
    return Learner(gradient=lambda *given: np.zeros_like(compiled.gradient(*given)))


def last_part() -> Learner:
    """A learner that forgets the gradient of all parts of a batch but the last.

    The parts are spread over the batch, as shuffled ones are: the last holds every fourth step.
    """

    def gradient(params, batch, psi, index, config):
        last = index[:, PARTS - 1 :: PARTS].copy()
        return compiled.gradient(params, batch, psi, last, config)

    return Learner(gradient=gradient)


def never_cleared() -> Learner:
    """A learner whose gradients add up from the first update on."""
    total: list[np.ndarray] = []

    def gradient(params, batch, psi, index, config):
        new = compiled.gradient(params, batch, psi, index, config)
        total[:] = [new + total[0] if total else new]
        return total[0]

    return Learner(gradient=gradient)


def without_policy(params: np.ndarray, config: Config) -> np.ndarray:
    """The same parameters with a policy of zeros, which chooses both actions alike.  [S, P]"""
    blank = params.copy()
    blank[:, : shape_of(config).policy_size] = 0
    return blank


def wrong_axis() -> Learner:
    """A learner whose softmax runs over a batch of one: both "probabilities" are 1.

    Categorical scales them to one half each. The softmax of a single number is constant, so no
    gradient reaches the policy.
    """

    def collect(rollout, params, until):
        compiled.collect(rollout, without_policy(params, rollout.config), until)

    def gradient(params, batch, psi, index, config):
        return compiled.gradient(params, batch, np.zeros_like(psi), index, config)

    def evaluate(params, config, seeds, at):
        return compiled.evaluate(without_policy(params, config), config, seeds, at)

    return Learner(collect=collect, gradient=gradient, evaluate=evaluate)


def adam_with(epsilon: float) -> Learner:
    """A learner whose Adam divides by sqrt(v) + epsilon."""

    def step(state, gradient, rows, config):
        state.updates += rows
        m = BETA_1 * state.m + (1 - BETA_1) * gradient
        v = BETA_2 * state.v + (1 - BETA_2) * gradient**2
        count = state.updates.clip(1)[:, None]
        moved = m / (1 - BETA_1**count) / (np.sqrt(v / (1 - BETA_2**count)) + epsilon)
        new = state.params - learning_rates(config) * moved
        for old, changed in ((state.params, new), (state.m, m), (state.v, v)):
            old[rows] = changed[rows]

    return Learner(step=step)


def stale_ratio() -> Learner:
    """A learner whose old probabilities come from the network with dropout, as while training.

    One hidden unit of the policy in ten is left out, by draws with a fixed seed.
    """
    rng = np.random.default_rng(0)

    def assess(rollout, params):
        batch = compiled.assess(rollout, params)
        network = shape_of(rollout.config).policy(params)
        hidden = np.maximum(batch.obs @ network.w1 + network.b1[:, None], 0)
        hidden = hidden * (rng.random(hidden.shape) >= 0.1) / np.float32(0.9)
        logits = hidden @ network.w2.swapaxes(1, 2) + network.b2[:, None]
        odds = np.exp(logits - logits.max(-1, keepdims=True))
        probs = odds / odds.sum(-1, keepdims=True)
        chosen = np.take_along_axis(probs, batch.actions[..., None], -1)[..., 0]
        return replace(batch, probs=numbers(chosen))

    return Learner(assess=assess)


_ALONE = """\
class WhitenedParts(PolicyGradient):
    def update(self, q_values):
        parts = [(q - q.mean()) / (q.std() + 1e-8) for q in q_values.split(31)]
        loss = -(torch.cat(parts) * self.logprobs).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.reset()
"""
_EPISODES = "REINFORCE on whole episodes, 10,000 steps"
_ONE_EPISODE = "REINFORCE, an update after every episode, 10,000 steps"

EXHIBITS = {
    "std_of_one": Exhibit(
        "The standard deviation of one number",
        "public",
        _ALONE,
        _ALONE.replace("split(31)", "split(16)"),
        "Batches of 32 in parts of 31 leave one step alone. torch's std divides by n − 1, which is "
        "0 for one number, so the last weight is nan: not a number. The update itself says "
        "nothing. It makes every weight of the network nan, and the next action stops.",
        ("jolibrain/wheatley pull request 93", "DLR-RM/stable-baselines3 issue 325"),
        program=program(_ALONE, "WhitenedParts"),
    ),
    "whitened": Exhibit(
        "Whitening, called a baseline",
        "public",
        "returns = rewards_to_go(episode.rewards, gamma)\n"
        "returns = (returns - returns.mean()) / (returns.std() + 1e-8)\n"
        "loss = -(log_probs * returns).mean()\n",
        "returns = rewards_to_go(episode.rewards, gamma)\nloss = -(log_probs * returns).mean()\n",
        "Each episode is centred and scaled by its own mean and standard deviation. A good episode "
        "and a bad one then weigh the same: what remains is that early steps count as good and "
        "late ones as bad. That is a bias. But it also gives about half of the actions a "
        "negative weight, which plain REINFORCE never does here.",
        ("alessiodm/drl-zh issue 5", "pytorch/examples pull request 386"),
        Training(EPISODE, written=weighing(whitened_by_episode)),
        setting=_ONE_EPISODE,
    ),
    "sum_times_sum": Exhibit(
        "A sum times a sum",
        "public",
        "returns = rewards_to_go(episode.rewards, gamma)\n"
        "log_probs = torch.stack(episode.log_probs)\n"
        "loss = -log_probs.mean() * returns.sum()\n",
        "returns = rewards_to_go(episode.rewards, gamma)\n"
        "log_probs = torch.stack(episode.log_probs)\n"
        "loss = -(log_probs * returns).mean()\n",
        "The mean of the products has become a product of two sums. Every action of an episode "
        "now gets one weight, the sum of all its returns to go. Which action came before the fall "
        "makes no difference any more.",
        ("Farama-Foundation/Gymnasium issue 1336 and pull request 638, a tutorial",),
        Training(EPISODE, written=weighing(sum_times_sum)),
        setting=_ONE_EPISODE,
    ),
    "discounted_reward": Exhibit(
        "The reward in place of the return",
        "public",
        "for i, r in enumerate(episode.rewards):\n"
        "    weights.append(gamma**i * r)\n"
        "loss = -(log_probs * torch.tensor(weights)).mean()\n",
        "G = 0\n"
        "for r in reversed(episode.rewards):\n"
        "    G = r + gamma * G\n"
        "    weights.insert(0, G)\n"
        "loss = -(log_probs * torch.tensor(weights)).mean()\n",
        "Each action is weighed by its own discounted reward, and not by what followed. On "
        "CartPole every reward is 1, so the weights of an episode are the same whatever the agent "
        "did. The weights say nothing about which action was good.",
        ("hunkim/ReinforcementZeroToAll issue 1, there whitened afterwards",),
        Training(short("reinforce"), written=weighing(discounted_reward)),
        setting=_EPISODES,
    ),
    "whole_return": Exhibit(
        "The whole return at every step",
        "public",
        "rewards = episode.rewards\n"
        "R = sum(gamma**t * r for t, r in enumerate(rewards))\n"
        "loss = -(log_probs * R).mean()\n",
        "rewards = episode.rewards\n"
        "returns = rewards_to_go(rewards, gamma)\n"
        "loss = -(log_probs * returns).mean()\n",
        "Every action of an episode is weighed by the return of the whole episode, which holds "
        "rewards from before the action. An action cannot change those, so in expectation they add "
        "nothing to the gradient: they add noise.",
        (
            "udacity/deep-reinforcement-learning issue 42",
            "huggingface/deep-rl-class pull requests 70 and 95",
        ),
        Training(short("reinforce"), written=weighing(whole_return)),
        setting=_EPISODES,
    ),
    "mean_over_steps": Exhibit(
        "A mean over steps, not over episodes",
        "public",
        "log_probs = policy.log_prob(states, actions)  # of several episodes\n"
        "returns = rewards_to_go(rewards, ends, gamma)\n"
        "loss = -(log_probs * returns).mean()\n",
        "log_probs = policy.log_prob(states, actions)  # of several episodes\n"
        "returns = rewards_to_go(rewards, ends, gamma)\n"
        "loss = -(log_probs * returns).sum() / num_episodes\n",
        "The formula sums over an episode and averages over episodes. The code averages over all "
        "steps. Within one batch the two gradients differ by one factor, the mean length of an "
        "episode. The usual answer is that Adam divides it out. But the factor changes from "
        "batch to batch: with the mean over episodes, batches of long episodes count more.",
        ("openai/spinningup issues 59, 222, 414 and 454",),
        Training(LARGE_BATCH, corrected=weighing(mean_over_episodes)),
        setting="REINFORCE, batches of 1,000 steps, 100,000 steps",
    ),
    "group_of_one": Exhibit(
        "A group of one",
        "public",
        "for group in split(episodes, group_size):  # group_size = 1\n"
        "    baseline = group.returns.mean()\n"
        "    advantages = group.returns - baseline\n",
        "for group in split(episodes, group_size):  # group_size = 1\n"
        "    whole = group if group_size > 1 else episodes\n"
        "    baseline = whole.returns.mean()\n"
        "    advantages = group.returns - baseline\n",
        "The mean of a group is a fine baseline if the group is large. A group of one is its own "
        "mean, so every advantage is exactly 0. The loss is 0, the gradient is 0, and no error is "
        "raised.",
        ("thinking-machines-lab/tinker-cookbook pull request 99",),
        Training(GROUPS, written=weighing(group_of_one), corrected=weighing(group_of_all)),
        setting="REINFORCE, an update after the episodes of 256 steps, 50,000 steps",
    ),
    "late_mask": Exhibit(
        "The mask stands one place late",
        "public",
        "for t in reversed(range(B)):\n"
        "    end = dones[t + 1] if t + 1 < B else last_done\n"
        "    delta = rewards[t] + gamma * (1 - end) * next_values[t] - values[t]\n"
        "    last = delta + gamma * lam * (1 - end) * last\n"
        "    advantages[t] = last\n",
        "for t in reversed(range(B)):\n"
        "    end = dones[t]\n"
        "    delta = rewards[t] + gamma * (1 - end) * next_values[t] - values[t]\n"
        "    last = delta + gamma * lam * (1 - end) * last\n"
        "    advantages[t] = last\n",
        "dones[t] says that step t ended the episode. The loop was written for code in which it "
        "says that step t begins one. So the step before the last is cut off and takes the blame "
        "for the fall. The last step gets the value of the next start, and the next advantages. "
        "The critic's own targets are right here; only the advantage is not.",
        ("hill-a/stable-baselines issue 385", "DLR-RM/stable-baselines3 issue 105"),
        Training(short("gae"), written=weighing(late_mask)),
        setting="GAE, 10,000 steps",
    ),
    "column": Exhibit(
        "A row less a column",
        "public",
        "values = critic(states)                     # [B, 1]\n"
        "advantages = q_values - values.detach()     # q_values: [B]\n"
        "policy_loss = -(advantages * log_probs).mean()\n",
        "values = critic(states).squeeze(-1)         # [B]\n"
        "advantages = q_values - values.detach()     # q_values: [B]\n"
        "policy_loss = -(advantages * log_probs).mean()\n",
        "A row [B] less a column [B, 1] is a table [B, B]: every target less every value. The mean "
        "over the table leaves each action with its own target less the mean of all values. So "
        "the critic's baseline has become one number for the whole batch. That is still a "
        "baseline, but no longer one of the state.",
        ("PacktPublishing/Deep-Reinforcement-Learning-Hands-On issue 33",),
        Training(short("actor_critic"), written=weighing(column_of_values)),
        setting="actor-critic, 10,000 steps",
    ),
    "critic_unused": Exhibit(
        "The critic is trained and never used",
        "public",
        "policy_loss = -(returns * log_probs).mean()\n"
        "value_loss = (values - returns).pow(2).mean()\n"
        "(policy_loss + value_loss).backward()\n",
        "advantages = returns - values.detach()\n"
        "policy_loss = -(advantages * log_probs).mean()\n"
        "value_loss = (values - returns).pow(2).mean()\n"
        "(policy_loss + value_loss).backward()\n",
        "The critic is trained, and the policy's loss takes the bare returns. Nothing is biased "
        "by that: it is plain policy gradient under the name of actor-critic, with its variance.",
        ("bentrevett/pytorch-rl issue 2",),
        Training(short("actor_critic"), written=weighing(critic_unused)),
        setting="actor-critic, 10,000 steps",
    ),
    "late_reward": Exhibit(
        "The reward comes one step late",
        "public",
        "obs, reward = env.reset(), 0\n"
        "while training:\n"
        "    action, value = agent.act(obs)\n"
        "    buffer.store(obs, action, reward, value)\n"
        "    obs, reward, done = env.step(action)\n",
        "obs = env.reset()\n"
        "while training:\n"
        "    action, value = agent.act(obs)\n"
        "    next_obs, reward, done = env.step(action)\n"
        "    buffer.store(obs, action, reward, value)\n"
        "    obs = next_obs\n",
        "Each action is stored with the reward of the action before it. Where every reward is 1 "
        "nothing but the first step of an episode changes. Where the reward comes at the end of an "
        "episode, it is the one reward that is never stored. So this exhibit pays −1 for a fall "
        "and else nothing, and shows CartPole's own reward for comparison.",
        ("openai/spinningup issues 50 and 67, pull request 126",),
        late_reward,
        setting="actor-critic, 10,000 steps, a reward of −1 at the fall",
    ),
    "cleared_too_late": Exhibit(
        "zero_grad between backward and step",
        "public",
        "loss.backward()\noptimizer.zero_grad()\noptimizer.step()\n",
        "optimizer.zero_grad()\nloss.backward()\noptimizer.step()\n",
        "The gradient is computed, thrown away, and then a step is made with what is left: "
        "nothing. The loss is printed at every update and jumps about, as it does in a healthy "
        "run. The weights never change.",
        (),
        Training(short("actor_critic"), written=cleared_too_late),
        setting="actor-critic, 10,000 steps",
    ),
    "last_part": Exhibit(
        "zero_grad inside the loop over parts",
        "public",
        "for part in shuffled(batch).split(8):  # 32 steps in four parts\n"
        "    optimizer.zero_grad()\n"
        "    loss(part).backward()\n"
        "optimizer.step()\n",
        "optimizer.zero_grad()\n"
        "for part in shuffled(batch).split(8):  # 32 steps in four parts\n"
        "    loss(part).backward()\n"
        "optimizer.step()\n",
        "The gradients of the parts should add up. But each pass throws away what the pass before "
        "it has left. Only the last part counts, 8 of 32 steps. The gradient is as right as before "
        "on average, but it comes from a quarter of the steps.",
        ("tatsu-lab/alpaca_farm issue 57", "pytorch/torchtitan pull request 3575"),
        Training(short("actor_critic"), written=last_part),
        setting="actor-critic, 10,000 steps",
    ),
    "never_cleared": Exhibit(
        "zero_grad is missing",
        "public",
        "for batch in batches:\n    loss(batch).backward()\n    optimizer.step()\n",
        "for batch in batches:\n"
        "    optimizer.zero_grad()\n"
        "    loss(batch).backward()\n"
        "    optimizer.step()\n",
        "torch adds every new gradient to what is there. Without zero_grad each step follows the "
        "sum of all gradients since the beginning. The sum remembers policies that are long gone.",
        ("pytorch/pytorch issue 47175, which asks for a warning",),
        Training(short("actor_critic"), written=never_cleared),
        setting="actor-critic, 10,000 steps",
    ),
    "wrong_axis": Exhibit(
        "Softmax over the wrong axis",
        "public",
        "logits = self.layers(x)        # x: [1, 4], logits: [1, 2]\n"
        "probs = nn.Softmax(0)(logits)\n"
        "action = Categorical(probs).sample()\n",
        "logits = self.layers(x)        # x: [1, 4], logits: [1, 2]\n"
        "probs = nn.Softmax(1)(logits)\n"
        "action = Categorical(probs).sample()\n",
        "Axis 0 is the batch, and an acting agent has a batch of one. The softmax of a single "
        "number is 1, so both actions get the probability 1, and Categorical makes one half of "
        "each. The agent tosses a coin for ever, and no gradient reaches its network.",
        (
            "BindsNET/bindsnet issue 577",
            "DeepReinforcementLearning/DeepReinforcementLearningInAction issue 32",
        ),
        Training(short("actor_critic"), written=wrong_axis),
        setting="actor-critic, 10,000 steps",
    ),
    "stale_ratio": Exhibit(
        "The ratio does not start at 1",
        "public",
        "model.train()                       # dropout is on\n"
        "old = model.log_prob(obs, actions)\n"
        "for epoch in range(4):\n"
        "    ratio = (model.log_prob(obs, actions) - old).exp()\n",
        "model.eval()                        # dropout is off\n"
        "old = model.log_prob(obs, actions)\n"
        "for epoch in range(4):\n"
        "    ratio = (model.log_prob(obs, actions) - old).exp()\n",
        "PPO's ratio compares the policy with the one that acted, so before the first step it must "
        "be exactly 1. Here the old log-probabilities were computed with dropout of one hidden "
        "unit in ten, and the ratio starts anywhere around 1. Some steps are clipped before "
        "anything was learned from them.",
        ("huggingface/trl issues 4 and 454", "CarperAI/trlx issue 107"),
        Training(short("ppo"), written=stale_ratio),
        setting="PPO, 10,000 steps",
    ),
    "adams_epsilon": Exhibit(
        "Another epsilon in Adam",
        "public",
        "optimizer = Adam(params, lr=5e-3, eps=1e-5)\nloss.backward()\noptimizer.step()\n",
        "optimizer = Adam(params, lr=5e-3, eps=1e-8)\nloss.backward()\noptimizer.step()\n",
        "Adam divides by the root of the mean squared gradient plus epsilon. Epsilon matters where "
        "gradients are about as small as it is. Two libraries with other defaults then learn "
        "differently from the same code. Here most gradients are thousands of times larger.",
        ("DLR-RM/stable-baselines3 pull request 110, there in RMSprop",),
        Training(
            short("actor_critic"),
            written=partial(adam_with, LARGE_EPSILON),
            corrected=partial(adam_with, ADAM_EPS),
        ),
        setting="actor-critic, 10,000 steps",
    ),
    "old_threshold": Exhibit(
        "The threshold of another task",
        "public",
        'env = gym.make("CartPole-v1")\nmean = evaluate(env, episodes=100)\nsolved = mean >= 195\n',
        'env = gym.make("CartPole-v1")\n'
        "mean = evaluate(env, episodes=100)\n"
        "solved = mean >= env.spec.reward_threshold  # 475\n",
        "195 is the threshold of CartPole-v0, whose episodes end after 200 steps. Version 1 ends "
        "after 500 steps and asks for 475. An agent that falls after 200 steps is called solved.",
        ("jsboige/CoursIA pull request 8405",),
        partial(judging.judged_solved, judging.as_in_v0),
        setting="actor-critic, 30,000 steps; the truth: 100 further episodes of the last policy",
    ),
}
