"""The tasks: their order, their places in the file, three hints for each."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from pgcore.exercises import functions
from pgcore.exercises.functions import Function

FILE = Path(__file__).with_name("tasks.py")


@dataclass(frozen=True)
class Task:
    """One task of the file."""

    key: str
    name: str  # of the class or function
    title: str
    hints: tuple[str, str, str]  # from a nudge to nearly the lines
    agent: bool = False
    function: Function | None = None

    @property
    def text(self) -> str:
        """The task as it stands in the file: equation, shapes, example, space to write."""
        source = FILE.read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == self.name:
                return ast.get_source_segment(source, node) or ""
        raise ValueError(f"tasks.py has no {self.name}.")


_ALL = (
    Task(
        "policy_gradient",
        "PolicyGradient",
        "Policy gradient with a bootstrapped Q",
        (
            "Write q_values first. The last step's Q needs only its own reward and V. Every other "
            "step needs the Q of the step after it, so begin at the end.",
            "A loop `for t in reversed(range(len(rewards)))` holds what follows step t in one "
            "variable. It is 0, final_values[t] or the Q computed before. In train: two "
            "losses, then zero_grad, backward, step, reset.",
            "In train: values = self.critic(obs).squeeze(-1); loss = -(q_values * "
            "log_probs).mean() + 0.5 * ((values - q_values) ** 2).mean(); "
            "self.optimizer.zero_grad(); loss.backward(); self.optimizer.step(); self.reset().",
        ),
        agent=True,
    ),
    Task(
        "batch_mean",
        "BatchMean",
        "The batch's mean as the baseline",
        (
            "One number of the whole batch is subtracted from every Q.",
            "Only the actor's part of the loss changes. The critic is fitted to Q, as before.",
            "weights = q_values - q_values.mean(), and then the lines of task 1 with weights in "
            "the policy's loss.",
        ),
        agent=True,
    ),
    Task(
        "actor_critic",
        "ActorCritic",
        "The state value as the baseline",
        (
            "The critic's values appear twice: as the baseline, and in their own loss.",
            "In one of the two places V is data, as Q is. The critic gives a column [T, 1].",
            "values = self.critic(obs).squeeze(-1); advantages = q_values - values.detach().",
        ),
        agent=True,
    ),
    Task(
        "leave_one_out",
        "leave_one_out",
        "Leave one out",
        (
            "The sum of the others is the sum of all, less Q_t.",
            "Sum over the last axis with keepdims=True, so that each seed keeps its own row.",
            "others = (q_values.sum(-1, keepdims=True) - q_values) / (T - 1). T = 1 needs "
            "a line of its own.",
        ),
        function=functions.LEAVE_ONE_OUT,
    ),
    Task(
        "gae",
        "gae",
        "Generalised advantage estimation",
        (
            "All delta can be computed at once. The sum needs a loop from the last step to the "
            "first.",
            "terminated alone belongs in delta: after a truncation V(s'_t) still counts. Both "
            "flags stop the sum.",
            "delta = rewards + gamma * final_values * ~terminated - values. Then, from the last "
            "t to the first: following = delta[:, t] + gamma * gae_lambda * goes_on[:, t] * "
            "following.",
        ),
        function=functions.GAE,
    ),
    Task(
        "normalized",
        "normalized",
        "Normalised advantages",
        (
            "Mean and std belong to one row.",
            "numpy's mean and std take an axis and keepdims=True.",
            "centred = advantages - advantages.mean(-1, keepdims=True); divide by "
            "advantages.std(-1, keepdims=True) + 1e-8.",
        ),
        function=functions.NORMALIZED,
    ),
    Task(
        "ppo_clipped_loss",
        "ppo_clipped_loss",
        "PPO's clipped loss",
        (
            "The ratio of two probabilities is exp of the difference of their logarithms.",
            "Two products, one with the ratio and one with the clipped ratio; the smaller one "
            "counts, step by step.",
            "ratio = (log_probs - old_log_probs.detach()).exp(); clipped = ratio.clamp(1 - "
            "clip_range, 1 + clip_range); torch.minimum of the two products, with A detached.",
        ),
        function=functions.PPO,
    ),
    Task(
        "my_baseline",
        "my_baseline",
        "A baseline that beats the value function",
        (
            "Write down the variance of (Q(s, a) - b) grad log pi(a|s) in one state with two "
            "actions, as a function of b.",
            "It is a parabola in b. An action that is rare has a long gradient, so its Q should "
            "count more in b than it does in V.",
            "The lowest point is E[|grad log pi|^2 Q] / E[|grad log pi|^2]. With two actions "
            "|grad log pi(a)|^2 is (1 - pi(a))^2 times a constant.",
        ),
    ),
)
TASKS: dict[str, Task] = {task.key: task for task in _ALL}
