"""At least 40 wrong solutions, each a bug that people write: the remark that must appear.

A row is the task, the lines of the right solution, what stands there instead, words of the first
remark, and the museum's exhibit if there is one. One child checks them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from pgcore.exercises import TASKS
from pgcore.exercises.checks import Bench, verdict_of
from pgcore.exhibits import EXHIBITS
from tests.solutions import LECTURE

NOT_HERE = {  # about the training loop, evaluation and judging, which are the checker's own
    "one_start", "unseeded", "shared_generator", "best_of_five", "bands", "last_steps",
    "old_threshold",
}  # fmt: skip
RIGHT_STYLES = {"one_adam", "value_coef", "final_state"}  # in tests/solutions.py: no bugs, and pass


class Wrong(NamedTuple):
    """One wrong solution."""

    name: str
    task: str
    right: str
    wrong: str
    says: str
    exhibit: str = ""
    place: str = ""  # another class that is changed, and not the task's own


PG, BM, AC = "policy_gradient", "batch_mean", "actor_critic"
LOO, GAE, NORM, PPO, MINE = (
    "leave_one_out", "gae", "normalized", "ppo_clipped_loss", "my_baseline",
)  # fmt: skip
STEP = """\
        self.optimizer.zero_grad()
        (policy_loss + 0.5 * value_loss).backward()
        self.optimizer.step()
        self.reset()
"""
CLEARED_TOO_LATE = """\
        (policy_loss + 0.5 * value_loss).backward()
        self.optimizer.zero_grad(set_to_none=False)
        self.optimizer.step()
        self.reset()
"""
LAST_PART = """\
        for part in torch.arange(6).split(2):
            self.optimizer.zero_grad()
            obs_part, actions_part = obs[part], actions[part]
            lp = Categorical(logits=self.actor(obs_part)).log_prob(actions_part)
            v = self.critic(obs_part).squeeze(-1)
            q = q_values[part]
            (-(lp * q).mean() + 0.5 * (v - q).pow(2).mean()).backward()
        self.optimizer.step()
        self.reset()
"""
TWO_PASSES = """\
        self.optimizer.zero_grad()
        policy_loss.backward()
        value_loss.backward()
        self.optimizer.step()
        self.reset()
"""
FORWARD = """\
        total = 0.0
        for t in range(len(rewards)):
            total = rewards[t] + self.gamma * total
            q[t] = total
            if terminated[t] or truncated[t]:
                total = 0.0
        return q
"""
LOSSES = f"""\
        advantages = q_values - values.detach()
        policy_loss = -(advantages * log_probs).mean()
        value_loss = (values - q_values).pow(2).mean()
{STEP}"""
VALUES = "values = self.critic(obs).squeeze(-1)"
POLICY = "policy_loss = -(q_values * log_probs).mean()"
LOG_PROBS = "        log_probs = Categorical(logits=self.actor(obs)).log_prob(actions)\n"
DELTA = "delta = rewards + gamma * final_values * ~terminated - values"
GOES_ON = "goes_on = ~(terminated | truncated)"
CENTRED = "centred = advantages - advantages.mean(-1, keepdims=True)"
STD = "advantages.std(-1, keepdims=True) + 1e-8"
MINIMUM = "-torch.minimum(ratio * advantages, clipped * advantages).mean()"
RATIO = "(log_probs - old_log_probs.detach()).exp()"
OTHERS = "others = (q_values.sum(-1, keepdims=True) - q_values) / (steps - 1)"
WEIGHTS = "weights = q_values - q_values.mean()"
ADVANTAGES = "advantages = q_values - values.detach()"
BASELINE = "    return (weights * q_values).sum(-1) / weights.sum(-1)"

TABLE = [
    # q_values
    Wrong("both flags end", PG, "if terminated[t]:", "if terminated[t] or truncated[t]:",
          "Use V(s'_t) after a truncation", "done"),
    Wrong("truncation ignored", PG, "elif truncated[t] or t", "elif t", "leaks", "naive_fix"),
    Wrong("value after the fall", PG, "following = 0.0", "following = final_values[t]",
          "Add 0 after a termination"),
    Wrong("neither flag", PG, "if terminated[t]:", "if False:", "no end is seen", "naive_fix"),
    Wrong("flags exchanged", PG, "q = torch.zeros(len(rewards))",
          "q = torch.zeros(len(rewards)); terminated, truncated = truncated, terminated",
          "Exchange the two flags"),
    Wrong("nothing bootstrapped", PG, "following = final_values[t]", "following = 0.0",
          "nothing is bootstrapped"),
    Wrong("batch's end is an end", PG, "elif truncated[t] or t == len(rewards) - 1:",
          "elif t == len(rewards) - 1 and not truncated[t]:\n                following = 0.0\n"
          "            elif truncated[t]:", "the batch's end counts"),
    Wrong("no gamma", PG, "self.gamma * following", "following", "gamma is missing"),
    Wrong("gamma twice", PG, "self.gamma * following", "self.gamma**2 * following", "squared"),
    Wrong("bootstrap undiscounted", PG, "following = final_values[t]",
          "following = final_values[t] / self.gamma", "undiscounted"),
    Wrong("reward for return", PG, "        return q\n",
          "        return rewards * self.gamma ** torch.arange(len(rewards))\n",
          "own reward alone", "discounted_reward"),
    Wrong("bare reward", PG, "        return q\n", "        return rewards * 1\n",
          "own reward alone", "discounted_reward"),
    Wrong("return of step 0", PG, "        return q\n", "        return torch.full_like(q, q[0])\n",
          "Give each step", "whole_return"),
    Wrong("sum of all Q", PG, "        return q\n", "        return torch.full_like(q, q.sum())\n",
          "the sum of all", "sum_times_sum"),
    Wrong("reward one step late", PG, "q = torch.zeros(len(rewards))",
          "q = torch.zeros(len(rewards)); rewards = torch.cat([q[:1], rewards[:-1]])",
          "the step before", "late_reward"),
    Wrong("one step ahead", PG, "        return q\n",
          "        return rewards + self.gamma * ~terminated * final_values\n", "one step ahead"),
    Wrong("forward in time", PG, "        return q\n", FORWARD, "from its last step"),
    Wrong("upside down", PG, "        return q\n", "        return q.flip(0)\n",
          "Reverse the list"),
    Wrong("gamma^t once more", PG, "        return q\n",
          "        return q * self.gamma ** torch.arange(len(q))\n", "once more", "no_gamma_t"),
    Wrong("a table", PG, "        return q\n", "        return q + 0 * q[:, None]\n",
          "A row and a column", "broadcast"),
    Wrong("an array for a number", PG, "q = torch.zeros(len(rewards))",
          "q = torch.zeros(len(rewards)); q[0] = final_values", "Compare the shapes"),
    Wrong("whole numbers", PG, "torch.zeros(len(rewards))",
          "torch.zeros(len(rewards), dtype=torch.int64)", "floating-point"),
    Wrong("a list", PG, "        return q\n", "        return q.tolist()\n", "a torch tensor"),
    Wrong("no return", PG, "        return q\n", "", "returns nothing"),
    Wrong("in place", PG, "        return q\n", "        rewards += 1\n        return q\n",
          "Leave rewards as it is"),
    # acting
    Wrong("softmax over the batch", PG, "action = int(torch.rand(()) < probs[1])",
          "action = int(Categorical(torch.softmax(self.actor(obs[None]), 0)).sample())",
          "Take the softmax over the actions", "wrong_axis", "Agent"),
    Wrong("softmax over one number", PG, "action = int(torch.rand(()) < probs[1])",
          "action = int(torch.rand(()) < torch.softmax(self.actor(obs[None]), 0)[0, 1])",
          "Take the softmax over the actions", "wrong_axis", "Agent"),
    Wrong("greedy", PG, "action = int(torch.rand(()) < probs[1])", "action = int(probs.argmax())",
          "Draw the action with its probability", place="Agent"),
    Wrong("actions exchanged", PG, "torch.rand(()) < probs[1]", "torch.rand(()) < probs[0]",
          "Draw action 1", place="Agent"),
    # the update
    Wrong("sign", PG, "-(q_values * log_probs)", "(q_values * log_probs)", "Put a minus"),
    Wrong("sum", PG, POLICY, "policy_loss = -(q_values * log_probs).sum()",
          "Take the mean over the steps", "mean_over_steps"),
    Wrong("sum times sum", PG, POLICY, "policy_loss = -log_probs.mean() * q_values.sum()",
          "the sum of all Q", "sum_times_sum"),
    Wrong("probability", PG, ".log_prob(actions)", ".log_prob(actions).exp()",
          "the probability itself"),
    Wrong("graph lost", PG, ".log_prob(actions)", ".log_prob(actions).detach()",
          "no gradient reaches the actor"),
    Wrong("no value loss", PG, " + 0.5 * value_loss", "", "Add the value loss",
          "untrained_critic"),
    Wrong("value loss turned", PG, " + 0.5 * value_loss", " - 0.5 * value_loss", "pushed away"),
    Wrong("column in the value loss", PG, VALUES, "values = self.critic(obs)",
          "pulled to the mean", "broadcast"),
    Wrong("cleared too late", PG, STEP, CLEARED_TOO_LATE, "not between", "cleared_too_late"),
    Wrong("never cleared", PG, "        self.optimizer.zero_grad()\n", "", "the sum of all",
          "never_cleared"),
    Wrong("only the last part", PG, STEP, LAST_PART, "only the last part", "last_part"),
    Wrong("no reset", PG, "        self.reset()\n", "", "Call self.reset()", "no_reset"),
    Wrong("no step", PG, "        self.optimizer.step()\n", "", "no step was made"),
    Wrong("no backward", PG, "        (policy_loss + 0.5 * value_loss).backward()\n", "",
          "Call loss.backward()"),
    Wrong("no such name", PG, LOG_PROBS, "", "Use a name that exists", "log_probs"),
    Wrong("no such network", PG, VALUES, "values = self.critic_network(obs).squeeze(-1)",
          "Use a name that exists", "critic_network"),
    Wrong("no such states", PG, VALUES, "values = self.critic(states).squeeze(-1)",
          "Use a name that exists", "critic_network"),
    Wrong("critic in no optimizer", PG, "[*actor.parameters(), *critic.parameters()]",
          "list(actor.parameters())", "Give the critic's weights", place="Agent"),
    Wrong("actor in no optimizer", PG, "[*actor.parameters(), *critic.parameters()]",
          "list(critic.parameters())", "Give the actor's weights", place="Agent"),
    # batch_mean
    Wrong("group of one", BM, WEIGHTS, "weights = q_values - q_values.unsqueeze(0).mean(0)",
          "nothing is left", "group_of_one"),
    Wrong("whitened", BM, WEIGHTS, f"{WEIGHTS}; weights = weights / weights.std()",
          "divided by their standard", "whitened"),
    Wrong("critic untrained", BM, " + 0.5 * value_loss", "", "Add the value loss",
          "untrained_critic"),
    Wrong("no baseline", BM, WEIGHTS, "weights = q_values", "Q_t alone"),
    Wrong("the critic's", BM, WEIGHTS, "weights = q_values - values.detach()", "task 3"),
    Wrong("left out", BM, WEIGHTS, f"{WEIGHTS}; weights = weights * 6 / 5", "task 4"),
    # actor_critic
    Wrong("not detached", AC, "values.detach()", "values", "Detach V", "not_detached"),
    Wrong("two passes", AC, LOSSES, LOSSES.replace(".detach()", "").replace(STEP, TWO_PASSES),
          "second time", "two_passes"),
    Wrong("column", AC, ADVANTAGES, "advantages = q_values - self.critic(obs).detach()",
          "the mean of all V", "column"),
    Wrong("critic unused", AC, ADVANTAGES, "advantages = q_values", "Q_t alone", "critic_unused"),
    Wrong("turned round", AC, ADVANTAGES, "advantages = values.detach() - q_values", "minus"),
    Wrong("critic fits A", AC, "(values - q_values)", "(values - advantages)",
          "Fit the critic to Q"),
    Wrong("advantage whitened", AC, ADVANTAGES,
          f"{ADVANTAGES}; advantages = (advantages - advantages.mean()) / advantages.std()",
          "centred and divided", "whitened"),
    Wrong("batch mean", AC, ADVANTAGES, "advantages = q_values - q_values.mean()",
          "the batch's mean"),
    Wrong("policy alone trains the critic", AC, STEP.replace("reset", "reset"),
          STEP.replace(" + 0.5 * value_loss", " - 0 * (q_values - values).mean()"),
          "Add the value loss", "untrained_critic"),
    # leave_one_out
    Wrong("batch mean", LOO, "q_values - others", "q_values - q_values.mean(-1, keepdims=True)",
          "Leave step t out"),
    Wrong("over seeds", LOO, "q_values - others", "q_values - q_values.mean(0)",
          "over seeds", "group_of_one"),
    Wrong("all seeds", LOO, "q_values - others", "q_values - q_values.mean()", "Keep seeds apart"),
    Wrong("divided by T", LOO, "(steps - 1)", "steps", "divided by T"),
    Wrong("baseline", LOO, "q_values - others", "others", "the baseline itself"),
    Wrong("turned", LOO, "q_values - others", "others - q_values",
          "Q_t is subtracted from the baseline"),
    Wrong("0 / 0", LOO, "if steps == 1:", "if steps == 0:", "T = 1", "group_of_one"),
    Wrong("zero alone", LOO, "        return q_values\n", "        return q_values * 0\n", "T = 1",
          "group_of_one"),
    Wrong("in place", LOO, "    return q_values - others", "    q_values -= others\n"
          "    return q_values", "Leave q_values as it is"),
    Wrong("axis lost", LOO, "q_values - others", "(q_values - others).mean(0)", "Return the shape"),
    # gae
    Wrong("both end", GAE, "~terminated", "~(terminated | truncated)", "both flags", "done"),
    Wrong("truncation ignored", GAE, GOES_ON, "goes_on = ~terminated", "leak", "naive_fix"),
    Wrong("late mask", GAE, DELTA,
          "following = np.concatenate([values[:, 1:], final_values[:, -1:]], 1)\n"
          "    terminated = np.concatenate([terminated[:, 1:], terminated[:, -1:]], 1)\n"
          "    truncated = np.concatenate([truncated[:, 1:], truncated[:, -1:]], 1)\n"
          "    delta = rewards + gamma * following * ~terminated - values",
          "one place late", "late_mask"),
    Wrong("late mask in the sum", GAE, DELTA,
          "terminated = np.concatenate([terminated[:, 1:], terminated[:, -1:]], 1)\n"
          "    truncated = np.concatenate([truncated[:, 1:], truncated[:, -1:]], 1)\n"
          f"    {DELTA}", "one place late", "late_mask"),
    Wrong("next row's V", GAE, DELTA,
          f"final_values = np.concatenate([values[:, 1:], final_values[:, -1:]], 1)\n    {DELTA}",
          "V of the next row", "naive_fix"),
    Wrong("V after the fall", GAE, " * ~terminated", "", "Add no V(s'_t)"),
    Wrong("no ends", GAE, f"{DELTA}\n    {GOES_ON}",
          "delta = rewards + gamma * final_values - values\n    goes_on = ~(terminated & False)",
          "neither flag"),
    Wrong("sum goes on", GAE, GOES_ON, "goes_on = ~(terminated & False)", "through them",
          "naive_fix"),
    Wrong("no lambda", GAE, "gamma * gae_lambda * goes", "gamma * goes", "lambda is missing"),
    Wrong("no gamma", GAE, "gamma * gae_lambda * goes", "gae_lambda * goes", "gamma is missing"),
    Wrong("V undiscounted", GAE, "gamma * final_values", "final_values", "by gamma inside delta"),
    Wrong("delta alone", GAE, "    return advantages", "    return delta", "delta_t stands alone"),
    Wrong("no V", GAE, " - values", "", "Subtract V(s_t)"),
    Wrong("target", GAE, "    return advantages", "    return advantages + values", "Return A_t"),
    Wrong("forward", GAE, "for t in reversed(range(rewards.shape[1]))",
          "for t in range(rewards.shape[1])", "Go from the last step"),
    Wrong("late reward", GAE, DELTA, "rewards = np.concatenate([np.zeros_like(rewards[:, :1]), "
          f"rewards[:, :-1]], 1)\n    {DELTA}", "the step before", "late_reward"),
    # normalized
    Wrong("leak", NORM, f"{CENTRED}\n    return centred / ({STD})",
          "return (advantages - advantages.mean()) / (advantages.std() + 1e-8)",
          "each seed sees the others", "whitened"),
    Wrong("over seeds", NORM, f"{CENTRED}\n    return centred / ({STD})",
          "return (advantages - advantages.mean(0)) / (advantages.std(0) + 1e-8)", "over seeds",
          "whitened"),
    Wrong("ddof", NORM, "std(-1, keepdims", "std(-1, ddof=1, keepdims", "T - 1", "std_of_one"),
    Wrong("no eps", NORM, " + 1e-8", "", "Add 1e-8", "std_of_one"),
    Wrong("only centred", NORM, f"centred / ({STD})", "centred", "only the mean"),
    Wrong("only scaled", NORM, CENTRED, "centred = advantages", "only divided"),
    Wrong("variance", NORM, "advantages.std", "advantages.var", "the variance"),
    # ppo_clipped_loss
    Wrong("sign", PPO, MINIMUM, MINIMUM[1:], "Put a minus"),
    Wrong("sum", PPO, ".mean()", ".sum()", "it is the sum", "mean_over_steps"),
    Wrong("reversed", PPO, RATIO, "(old_log_probs.detach() - log_probs).exp()", "other way round",
          "reversed_ratio"),
    Wrong("no exp", PPO, RATIO, "log_probs - old_log_probs.detach()", "Take exp", "stale_ratio"),
    Wrong("not 1 at first", PPO, RATIO, "log_probs.exp()", "Here it stands alone",
          "stale_ratio"),
    Wrong("logs divided", PPO, RATIO, "log_probs / old_log_probs.detach()", "by each other",
          "stale_ratio"),
    Wrong("not clipped", PPO, "clipped * advantages", "ratio * advantages", "nothing is clipped"),
    Wrong("clipped alone", PPO, "ratio * advantages, clipped", "clipped * advantages, clipped",
          "stands alone"),
    Wrong("maximum", PPO, "minimum", "maximum", "it is the maximum"),
    Wrong("about 0", PPO, "1 - clip_range, 1 + clip_range", "-clip_range, clip_range",
          "-e and e"),
    Wrong("above alone", PPO, "1 - clip_range, 1 + clip_range", "max=1 + clip_range",
          "on both sides"),
    Wrong("A has a gradient", PPO, "advantages.detach()", "advantages", "Detach advantages",
          "not_detached"),
    Wrong("old has a gradient", PPO, "old_log_probs.detach()", "old_log_probs",
          "Detach old_log_probs"),
    Wrong("no gradient", PPO, RATIO, f"{RATIO}.detach()", "Keep the gradient"),
    # my_baseline
    Wrong("V itself", MINE, BASELINE, "    return values", "V itself"),
    Wrong("of the action", MINE, BASELINE, "    return q_values", "depends on the action"),
    Wrong("a constant", MINE, BASELINE, "    return np.full(5, values.mean())", "not smaller"),
    Wrong("nan", MINE, BASELINE, "    return values * np.nan", "finite"),
    Wrong("nothing", MINE, BASELINE, "    pass", "Return an array"),
]  # fmt: skip


def broken(row: Wrong) -> str:
    """The lecture's solution with the row's bug in its task, or in another class."""
    name = row.place or TASKS[row.task].name
    start = LECTURE.index(f"class {name}" if f"class {name}" in LECTURE else f"def {name}(")
    end = LECTURE.find("\n\n\n", start)
    part = LECTURE[start:] if end < 0 else LECTURE[start:end] + "\n"
    assert row.right in part, row.name
    return LECTURE.replace(part.rstrip(), part.replace(row.right, row.wrong).rstrip())


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    shared = Bench("tasks.py", "")
    yield shared
    shared.end()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.task}: {row.name}")
def test_each_wrong_solution_has_its_remark(row: Wrong, bench: Bench) -> None:
    bench.source, bench.loaded = broken(row), False
    verdict = verdict_of(TASKS[row.task], bench, False, {})
    assert verdict.status == "failed", verdict
    first = verdict.remarks[0]
    assert row.says in first.text, first
    assert first.exhibit == row.exhibit, first
    assert len(verdict.remarks) <= 3


@pytest.mark.parametrize(
    ("right", "wrong", "exhibit"),
    [
        ("lr=learning_rate)", "lr=learning_rate, eps=1e-5)", "adams_epsilon"),
        ("Categorical(logits=self.actor(obs))", "Categorical(torch.softmax(self.actor(obs), -1))",
         "softmax_categorical"),
    ],
)  # fmt: skip
def test_what_the_museum_finds_harmless_is_a_note(
    right: str, wrong: str, exhibit: str, bench: Bench
) -> None:
    for source, notes in ((LECTURE, []), (LECTURE.replace(right, wrong), [exhibit])):
        bench.source, bench.loaded = source, False
        verdict = verdict_of(TASKS["batch_mean"], bench, False, {})
        assert verdict.status == "passed"
        assert [remark.exhibit for remark in verdict.remarks] == notes


def test_every_exhibit_that_can_stand_in_these_tasks_does() -> None:
    notes = {"adams_epsilon", "softmax_categorical"}
    named = {row.exhibit for row in TABLE} - {""}
    assert named | notes | NOT_HERE | RIGHT_STYLES == set(EXHIBITS)
    assert len(TABLE) >= 40
