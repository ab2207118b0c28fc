"""The lab notebook's own room: its student tasks as they stand, and what its loop does."""

from __future__ import annotations

from functools import partial

import numpy as np

from pgcore import returns
from pgcore.batch import Batch
from pgcore.config import Config
from pgcore.exhibits import judging
from pgcore.exhibits.crash import program
from pgcore.exhibits.exhibit import Exhibit, LongAndShort, Training, short
from pgcore.exhibits.learner import Learner, aiming, fitting, weighing
from pgcore.learners import compiled

NOTEBOOK = "the lab notebook"
CLAMP = np.finfo(np.float32).eps  # what torch's Categorical clamps probabilities to


def not_detached(batch: Batch, config: Config) -> np.ndarray:
    """The critic's targets when the policy's loss reaches the critic too.  [S, T]

    The policy's loss -(Q - V) log pi has the derivative log pi in V. Beside the value loss
    c (V - Q)^2 it moves the critic as the target Q - log pi / (2c) would.
    """
    return batch.q_values - np.log(batch.probs) / (2 * config.value_coef)


def leaking(batch: Batch, config: Config) -> np.ndarray:
    """Targets that pass through a truncation into the next episode.  [S, T]"""
    nothing = np.zeros_like(batch.truncated)
    return returns.bootstrapped_q(
        batch.rewards, batch.final_values, batch.terminated, nothing, np.float32(config.gamma)
    )


def broadcast(batch: Batch, config: Config) -> np.ndarray:
    """The critic's target when V [B, 1] meets Q [B]: the mean of all Q.  [S, T]

    The mean over all pairs of (V_i - Q_j)^2 has the derivative 2 (V_i - mean Q) / B in V_i.
    """
    return np.broadcast_to(batch.q_values.mean(-1, keepdims=True), batch.q_values.shape)


def clamped(batch: Batch, config: Config) -> np.ndarray:
    """Q - V, and 0 where torch's Categorical would clamp the probability.  [S, T]"""
    inside = (batch.probs > CLAMP) & (batch.probs < 1 - CLAMP)
    return np.where(inside, batch.q_values - batch.values, 0)


def last_steps_used() -> Learner:
    """A learner that also updates with the batch that the end of training cuts short."""

    def collect(rollout, params, until):
        compiled.collect(rollout, params, until)
        cut = (rollout.clock >= rollout.config.total_timesteps) & (rollout.length > 0)
        cut &= ~rollout.ready
        rows = np.flatnonzero(cut)
        last = rows, rollout.length[rows] - 1
        rollout.truncated[last] |= ~rollout.terminated[last]  # the critic stands in from here
        rollout.ready |= cut

    return Learner(collect=collect)


_TASK_2 = """\
class BaselinedPolicyGradient(PolicyGradient):
    def update(self, q_values):
        advantages = q_values - q_values.mean()
        loss = -torch.mean(advantages * log_probs)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.reset()
"""
_TASK_3 = """\
class ActorCritic(PolicyGradient):
    def update(self, q_values):
        state_values = self.critic_network(states).squeeze()
        advantages = q_values - state_values.detach()
        policy_loss = -torch.mean(advantages * self.logprobs)
        value_loss = torch.mean((q_values - state_values) ** 2)
        self.optimizer.zero_grad()
        (policy_loss + value_loss).backward()
        self.optimizer.step()
        self.reset()
"""
_TWO_PASSES = """\
class ActorCritic(PolicyGradient):
    def update(self, q_values):
        advantages = q_values - self.values
        policy_loss = -torch.mean(advantages * self.logprobs)
        self.optimizer.zero_grad()
        policy_loss.backward()
        value_loss = torch.mean((q_values - self.values) ** 2)
        value_loss.backward()
        self.optimizer.step()
        self.reset()
"""
_AGENT = "the lab's actor-critic"

EXHIBITS = {
    "log_probs": Exhibit(
        "A name that does not exist",
        "notebook",
        _TASK_2,
        _TASK_2.replace("* log_probs", "* self.logprobs"),
        "The method uses log_probs, a name that nobody has defined. The agent keeps its "
        "log-probabilities in self.logprobs. Python looks a name up only when the line runs, so "
        "the class is defined without a word. The first update stops, after 32 steps.",
        (NOTEBOOK,),
        program=program(_TASK_2, "BaselinedPolicyGradient"),
    ),
    "critic_network": Exhibit(
        "A network under another name",
        "notebook",
        _TASK_3,
        _TASK_3.replace("self.critic_network(states).squeeze()", "self.values"),
        "The agent's critic is called self.critic, and nobody has kept the states of the batch. "
        "The values that the critic gave to them while the agent acted stand in self.values, with "
        "their graph. They are what the loss needs.",
        (NOTEBOOK,),
        program=program(_TASK_3, "ActorCritic"),
    ),
    "no_reset": Exhibit(
        "The buffer is never emptied",
        "notebook",
        _TASK_2.replace("* log_probs", "* self.logprobs").replace("        self.reset()\n", ""),
        _TASK_2.replace("* log_probs", "* self.logprobs"),
        "The parent's update ends with self.reset(), which sets the place in the buffer back to 0. "
        "This update forgets it. The first update works. Step 33 then writes behind the end of a "
        "buffer of 32 places.",
        (NOTEBOOK,),
        program=program(
            _TASK_2.replace("* log_probs", "* self.logprobs").replace("        self.reset()\n", ""),
            "BaselinedPolicyGradient",
        ),
    ),
    "two_passes": Exhibit(
        "Two backward passes through one graph",
        "notebook",
        _TWO_PASSES,
        _TWO_PASSES.replace("- self.values\n", "- self.values.detach()\n"),
        "The advantage holds the critic's values with their graph. So the policy's loss also runs "
        "backward through the critic, and torch frees that graph. The value loss then needs the "
        "same graph a second time. With detach() the policy's loss never enters the critic.",
        (NOTEBOOK,),
        program=program(_TWO_PASSES, "ActorCritic"),
    ),
    "not_detached": Exhibit(
        "The advantage is not detached",
        "notebook",
        "advantages = q_values - values\n"
        "policy_loss = -(advantages * log_probs).mean()\n"
        "value_loss = (values - q_values).pow(2).mean()\n"
        "loss = policy_loss + 0.5 * value_loss\n",
        "advantages = q_values - values.detach()\n"
        "policy_loss = -(advantages * log_probs).mean()\n"
        "value_loss = (values - q_values).pow(2).mean()\n"
        "loss = policy_loss + 0.5 * value_loss\n",
        "With one joint loss nothing stops. The policy's loss now trains the critic too: its "
        "derivative in V is log π, so it pushes every value up. The critic settles above the mean "
        "return, by the entropy of the policy divided by twice the weight of the value loss. Here "
        "that is at most 0.69, where returns are counted in tens.",
        (NOTEBOOK, "keras-team/keras-io issue 194", "coreylynch/async-rl issue 8"),
        Training(short("actor_critic"), written=fitting(not_detached)),
        setting=f"{_AGENT}, 10,000 steps",
    ),
    "untrained_critic": Exhibit(
        "The critic that nobody trains",
        "notebook",
        "q_values = rewards_to_go(rewards, self.critic(final_state))\n"
        "advantages = q_values - q_values.mean()\n"
        "loss = -(advantages * logprobs).mean()\n",
        "q_values = rewards_to_go(rewards, self.critic(final_state))\n"
        "advantages = q_values - q_values.mean()\n"
        "value_loss = (values - q_values).pow(2).mean()\n"
        "loss = -(advantages * logprobs).mean() + 0.5 * value_loss\n",
        "The targets of task 2 still end in the critic's value of the last state. But the new loss "
        "has no value loss, so the critic keeps its first, random weights: it says about 0. The "
        "last steps of every batch look as if the episode ended there. Q then falls from the first "
        "step of a batch to the last, whatever the agent did.",
        (NOTEBOOK,),
        Training(short("batch_mean"), {"value_coef": 0.0}),
        setting="the lab's batch mean, 10,000 steps",
    ),
    "broadcast": Exhibit(
        "A column against a row",
        "notebook",
        "q_values = torch.tensor(targets)           # [B]\n"
        "values = self.critic(states)               # [B, 1]\n"
        "value_loss = (values - q_values).pow(2).mean()\n",
        "q_values = torch.tensor(targets)           # [B]\n"
        "values = self.critic(states).squeeze(-1)   # [B]\n"
        "value_loss = (values - q_values).pow(2).mean()\n",
        "The critic gives a column [B, 1] and the targets are a row [B]. Their difference is a "
        "table [B, B] of every value less every target. So each value is pulled to the mean of all "
        "targets of the batch. The critic learns one number and no longer tells states apart.",
        ("RLinf/RLinf issue 1568",),
        Training(short("actor_critic"), written=fitting(broadcast)),
        setting=f"{_AGENT}, 10,000 steps",
    ),
    "done": Exhibit(
        "The clock counts as a fall",
        "notebook",
        "state, reward, terminated, truncated, _ = env.step(action)\n"
        "done = terminated or truncated\n"
        "q = reward + gamma * (1 - done) * next_q\n",
        "state, reward, terminated, truncated, _ = env.step(action)\n"
        "next_q = critic(state) if truncated else next_q\n"
        "q = reward + gamma * (1 - terminated) * next_q\n",
        "After 500 steps the clock ends an episode whose pole still stands. As written that counts "
        "as a fall, so the last steps of the best episodes look worthless. In a short run hardly "
        "any episode lasts that long.",
        (NOTEBOOK, "vwxyzjn/cleanrl issue 198 and pull request 311"),
        LongAndShort(Training(short("actor_critic"), {"bootstrap_truncation": False}), 100_000),
        setting=f"{_AGENT}, 100,000 steps, and 10,000 for comparison",
        seeds=400,
    ),
    "naive_fix": Exhibit(
        "The next episode leaks in",
        "notebook",
        "for t in reversed(range(B)):\n"
        "    next_q = final_value if t == B - 1 else q[t + 1]\n"
        "    q[t] = rewards[t] + gamma * (1 - terminated[t]) * next_q\n",
        "for t in reversed(range(B)):\n"
        "    next_q = final_value if t == B - 1 else q[t + 1]\n"
        "    if truncated[t]:\n"
        "        next_q = critic(final_states[t])\n"
        "    q[t] = rewards[t] + gamma * (1 - terminated[t]) * next_q\n",
        "This is the quick repair of done = terminated or truncated: it passes terminated alone. "
        "Then nothing marks the end of an episode that the clock ended. Its return goes on into "
        "the return of the next episode, which starts from another state.",
        ("Toni-SM/skrl issue 224",),
        LongAndShort(Training(short("actor_critic"), written=aiming(leaking)), 100_000),
        setting=f"{_AGENT}, 100,000 steps, and 10,000 for comparison",
        seeds=400,
    ),
    "one_start": Exhibit(
        "Every episode starts alike",
        "notebook",
        "state, reward, terminated, truncated, _ = env.step(action)\n"
        "if terminated or truncated:\n"
        "    state, _ = env.reset(seed=seed)\n",
        "state, reward, terminated, truncated, _ = env.step(action)\n"
        "if terminated or truncated:\n"
        "    state, _ = env.reset()\n",
        "A seed at every reset starts every episode of a run in one and the same state. The agent "
        "is then evaluated from states that it has never started from. CartPole's start states lie "
        "close together, so the agent has seen their neighbourhood anyway.",
        (NOTEBOOK, "weipu-zhang/STORM issue 8", "google-deepmind/meltingpot issue 5"),
        Training(short("actor_critic"), {"fixed_start": True}),
        setting=f"{_AGENT}, 10,000 steps",
    ),
    "unseeded": Exhibit(
        "The seed reproduces nothing",
        "notebook",
        "for seed in range(10):\n"
        "    agent = PolicyGradient()\n"
        "    state, _ = env.reset(seed=seed)\n"
        "    train(agent, env)\n",
        "for seed in range(10):\n"
        "    torch.manual_seed(seed)\n"
        "    agent = PolicyGradient()\n"
        "    state, _ = env.reset(seed=seed)\n"
        "    train(agent, env)\n",
        "The seed reaches the environment only. The first weights and every action come from "
        "torch's generator, which nobody has seeded. The curves are real, but the run with seed 3 "
        "can never be made again.",
        (NOTEBOOK,),
        judging.repeated,
        setting="the notebook's own loop, each seed run twice for one update",
        seeds=200,
    ),
    "shared_generator": Exhibit(
        "Looking changes the run",
        "notebook",
        "torch.manual_seed(seed)\n"
        "for step in range(steps):\n"
        "    act_and_learn()               # draws from torch's generator\n"
        "    if step % eval_steps == 0:\n"
        "        evaluate(episodes=5)      # draws from the same one\n",
        "torch.manual_seed(seed)\n"
        "for step in range(steps):\n"
        "    act_and_learn()               # draws from torch's generator\n"
        "    if step % eval_steps == 0:\n"
        "        with torch.random.fork_rng():\n"
        "            evaluate(episodes=5)  # its draws are given back\n",
        "Evaluation samples its actions from the generator that training uses. Every draw that it "
        "takes is missing afterwards, so training goes on with others. Who evaluates half as often "
        "gets other agents from the same seeds.",
        (NOTEBOOK, "ugr-sail/sinergym issue 511, there by way of the environment"),
        judging.untouched,
        setting=f"{_AGENT}, 10,000 steps, evaluated every 1,000 and every 2,000 steps",
    ),
    "best_of_five": Exhibit(
        "Solved, said after five episodes",
        "notebook",
        "for step in range(steps):\n"
        "    act_and_learn()\n"
        "    if step % eval_steps == 0 and evaluate(episodes=5) >= 475:\n"
        "        solved = True\n",
        "for step in range(steps):\n    act_and_learn()\nsolved = evaluate(episodes=100) >= 475\n",
        "The best of many means of five episodes is a lucky number. Five good episodes in a row "
        "happen to policies whose mean over 100 episodes is lower. And a policy can be lost again "
        "before training ends. Gymnasium's threshold is meant for the mean of 100 episodes.",
        (NOTEBOOK,),
        partial(judging.judged_solved, judging.best_of_five),
        setting="actor-critic, 30,000 steps; the truth: 100 further episodes of the last policy",
    ),
    "bands": Exhibit(
        "The bands overlap, so there is no difference",
        "notebook",
        "a, b = returns_of(first), returns_of(second)  # 10 seeds each\n"
        "gap = abs(a.mean() - b.mean())\n"
        "they_differ = gap > a.std() + b.std()\n",
        "a, b = returns_of(first), returns_of(second)  # 10 seeds each\n"
        "test = scipy.stats.ttest_ind(a, b, equal_var=False)\n"
        "they_differ = test.pvalue < 0.05\n",
        "The band of mean and standard deviation says how far single seeds lie from their mean. It "
        "does not say how well the mean is known: that interval is narrower by the root of n. Who "
        "waits until the bands part misses differences that ten seeds show.",
        (NOTEBOOK,),
        judging.overlap,
        setting="policy gradient and actor-critic, 10,000 steps; studies of ten seeds each",
    ),
    "last_steps": Exhibit(
        "Sixteen steps are thrown away",
        "notebook",
        "for step in range(10_000):        # 10,000 = 312 * 32 + 16\n"
        "    agent.add(act())\n"
        "    if agent.idx == 32:\n"
        "        agent.update()\n",
        "for step in range(10_000):        # 10,000 = 312 * 32 + 16\n"
        "    agent.add(act())\n"
        "    if agent.idx == 32 or step == 9_999:\n"
        "        agent.update()\n",
        "An update needs 32 steps, and 10,000 is not a multiple of 32. The last 16 steps are "
        "collected and never used. That is one update of 313, and half of one.",
        (NOTEBOOK,),
        Training(short("actor_critic"), corrected=last_steps_used),
        setting=f"{_AGENT}, 10,000 steps",
    ),
    "softmax_categorical": Exhibit(
        "Softmax first, Categorical after",
        "notebook",
        "probs = nn.Softmax(1)(self.layers(x))\n"
        "dist = Categorical(probs)\n"
        "log_prob = dist.log_prob(action)\n",
        "logits = self.layers(x)\n"
        "dist = Categorical(logits=logits)\n"
        "log_prob = dist.log_prob(action)\n",
        "Categorical takes the logarithm of the probabilities, and first moves them away from 0 "
        "and 1, by 0.0000001. Where a probability was moved its gradient is 0. An action that "
        "improbable is hardly ever drawn, and the gradient of a certain one is almost 0 anyway.",
        (NOTEBOOK,),
        Training(short("actor_critic"), written=weighing(clamped)),
        setting=f"{_AGENT}, 10,000 steps",
    ),
}
