"""The words of the lab: each term with a sentence, a formula and the page that shows it.

In a text of the lab, `[[tr_sigma]]` or `[[tr_sigma|the variance]]` underlines a term; a tap or the
keyboard opens its entry. The browser's own popover does it: no run of the page, Escape closes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import streamlit as st


class Entry(NamedTuple):
    """One term."""

    name: str  # Markdown
    sentence: str
    formula: str  # LaTeX, or nothing
    page: str  # the file of the page that shows it
    lesson: int  # of the path, where it is first used

    @property
    def written(self) -> str:
        """The entry in Markdown."""
        formula = f" &nbsp; ${self.formula}$" if self.formula else ""
        return f"**{self.name}**. {self.sentence}{formula}"


GLOSSARY = {
    # --- the first lesson: what is estimated, and how widely it scatters ---
    "episode": Entry(
        "episode", "One attempt, from a start until the pole falls, the cart leaves the track, or "
        "500 steps are over.", "", "watch", 1,
    ),
    "estimator": Entry(
        "estimator", "A rule that makes an update from a batch. The estimators of this lab differ "
        "in the weight Ψ that they give to each step.", "", "train", 1,
    ),
    "trajectory": Entry(
        "trajectory", "Steps that follow one another: states, actions and rewards. An action "
        "changes the states that come after it.", "", "inside", 1,
    ),
    "adam": Entry(
        "Adam", "The optimizer that turns an update into a step of the policy. It divides each "
        "parameter's part by its recent size.", "", "inside", 1,
    ),
    "policy": Entry(
        r"policy $\pi_\theta$", "The rule by which the agent acts. It gives each action a "
        "probability, which depends on the state and on the parameters θ.",
        r"\pi_\theta(a \mid s)", "watch", 1,
    ),
    "return": Entry(
        "return", "The sum of the rewards from now on. A reward that comes k steps later is "
        "multiplied by γ to the power k: it is discounted.",
        r"\sum_k \gamma^k r_{t+k}", "inside", 1,
    ),
    "episodic_return": Entry(
        "episodic return", "The sum of all rewards of one episode, without a discount. On CartPole "
        "it is the number of steps until the pole falls, at most 500.",
        r"\sum_t r_t", "train", 1,
    ),
    "gamma": Entry(
        r"discount $\gamma$", "The factor by which a reward counts less for each step that it "
        "comes later.", r"0 \le \gamma \le 1", "inside", 1,
    ),
    "q": Entry(
        "Q", "The mean return after action a was taken in state s. In a batch, Q_t is its "
        "estimate for step t.", r"Q(s, a)", "inside", 1,
    ),
    "v": Entry(
        "V, the state value", "The mean return from state s, over the actions that the policy "
        "may take there.", r"V(s) = \sum_a \pi(a \mid s)\, Q(s, a)", "variance", 1,
    ),
    "score": Entry(
        r"score $\nabla\log\pi$", "The direction in which the parameters must move to make the "
        "action that was taken more probable.", r"\nabla_\theta \log \pi_\theta(a_t \mid s_t)",
        "inside", 1,
    ),
    "psi": Entry(
        r"weight $\Psi$", "The number that multiplies the score of step t. A positive weight asks "
        "for more of the action, a negative one for less.", r"\Psi_t = Q_t - b", "inside", 1,
    ),
    "batch": Entry(
        "batch", "The steps from which one update is made: 32 in a row, unless the settings say "
        "otherwise. Where many are recorded to be measured, one of them is also called a window.",
        r"t = 0, \dots, T - 1", "inside", 1,
    ),
    "estimate": Entry(
        r"update $\hat g$", "One batch's estimate of the gradient: the mean of weight times score "
        "over its steps.", r"\hat g = \frac1T \sum_t \Psi_t \nabla\log\pi(a_t \mid s_t)",
        "cloud", 1,
    ),
    "true_gradient": Entry(
        r"true gradient $g_\infty$", "The mean that the updates of this policy would have if every "
        "Q were exact.", r"g_\infty = \sum_s \mu(s) \sum_a \nabla\pi(a \mid s)\, Q(s, a)",
        "toypole", 1,
    ),
    "tr_sigma": Entry(
        r"variance of an update, $\mathrm{tr}\,\Sigma$", "How far updates of one policy scatter: "
        "the mean squared distance of an update from the mean of all updates.",
        r"\mathrm{tr}\,\Sigma = E\,\lVert \hat g - E\hat g \rVert^2", "cloud", 1,
    ),
    "snr": Entry(
        "signal-to-noise ratio, SNR", "The squared length of the mean update, divided by the "
        "variance of one update.", r"\lVert E \hat g\rVert^2 / \mathrm{tr}\,\Sigma", "cloud", 1,
    ),
    "baseline": Entry(
        "baseline $b$", "A number that is subtracted from Q. It must not depend on the action that "
        "was taken at that step.", r"\Psi_t = Q_t - b(s_t)", "bandit", 1,
    ),
    "critic": Entry(
        r"critic $V_\phi$", "A second network, with parameters φ, that learns to predict the "
        "value V of a state.", r"V_\phi(s) \approx V(s)", "variance", 1,
    ),
    "seed": Entry(
        "seed", "The number that fixes all chance of one run: first weights, actions, starts. Two "
        "seeds are two independent repetitions.", "", "seeds", 1,
    ),
    "n": Entry(
        "n", "How many independent repetitions a number rests on. Beside a learning curve it "
        "counts seeds, beside a variance it counts batches.", "", "seeds", 1,
    ),
    "interval": Entry(
        "95% interval", "A range made so that, in 95 of 100 repetitions of the whole "
        "study, it holds the true number.",
        r"\bar x \pm t_{.975,\,n-1}\; s / \sqrt n", "seeds", 1,
    ),
    "state": Entry(
        "state $s$", "What the agent sees at one step. On CartPole: where the cart and the pole "
        "are, and how fast they move.", "s_t", "watch", 1,
    ),
    "checkpoint": Entry(
        "checkpoint", "The agent as it was after some number of training steps, kept to be looked "
        "at.", "", "watch", 1,
    ),
    "on_policy": Entry(
        "on-policy", "Learning from actions that the present policy itself has chosen. After an "
        "update the old batch is thrown away.", r"a_t \sim \pi_\theta", "inside", 2,
    ),
    # --- later lessons ---
    "bias": Entry(
        "bias", "How far the mean of an estimate lies from what it should estimate. Variance is "
        "scatter round the mean; bias is a mean in the wrong place.",
        r"E\,\hat g - g", "bandit", 1,
    ),
    "best_constant": Entry(
        "best constant $b^*$", "The one number that, subtracted from every Q, gives an update the "
        "least variance.",
        r"b^* = \frac{E\,\lVert\nabla\log\pi\rVert^2 Q}{E\,\lVert\nabla\log\pi\rVert^2}",
        "parabola", 1,
    ),
    "simplex": Entry(
        "simplex", "The triangle of all policies over three actions. Each corner is the policy "
        "that always takes one action.", r"\pi_1 + \pi_2 + \pi_3 = 1", "bandit", 3,
    ),
    "natural": Entry(
        "natural policy gradient", "A gradient step whose length is measured by how much the "
        "policy changes, not by how much the parameters change.",
        r"F^{-1} \nabla J", "bandit", 3,
    ),
    "mu": Entry(
        "μ", "The share of its time that the agent spends in each state.", r"\mu(s)",
        "toypole", 5,
    ),
    "leave_one_out": Entry(
        "leave one out", "The batch's mean without the step that it is subtracted from.",
        r"b_t = \frac{1}{T-1}\sum_{j \ne t} Q_j", "toypole", 1,
    ),
    "advantage": Entry(
        "advantage $A$", "How much better an action is than what the policy does on average in "
        "that state.", r"A(s, a) = Q(s, a) - V(s)", "variance", 8,
    ),
    "r_squared": Entry(
        "R²", "The share of the variation of V that the critic predicts. 1 is perfect. Below 0, "
        "one number for every state would be nearer.",
        r"1 - \frac{E\,(V - V_\phi)^2}{\mathrm{Var}\,V}", "variance", 6,
    ),
    "bootstrap": Entry(
        "to bootstrap (a return)", "To put the critic's prediction in the place of the rewards "
        "that a batch has not seen. The other bootstrap, resampling, is another thing.",
        r"Q_{T-1} = r_{T-1} + \gamma V_\phi(s_T)", "bootstrap", 1,
    ),
    "terminated": Entry(
        "terminated, truncated", "Terminated: the task has ended, the pole fell, and nothing "
        "follows. Truncated: only the clock ended the episode, after 500 steps; more would follow.",
        "", "inside", 2,
    ),
    "lambda": Entry(
        "GAE's λ", "How far the estimate trusts the rewards before it trusts the critic. "
        "At 0 it looks one step ahead, at 1 to the end of the batch.",
        r"A_t = \sum_k (\gamma\lambda)^k \delta_{t+k}", "toypole", 8,
    ),
    "delta": Entry(
        r"$\delta$, the one-step error", "Reward and next value, less the value that was "
        "predicted.", r"\delta_t = r_t + \gamma V(s_{t+1}) - V(s_t)", "toypole", 8,
    ),
    "committed": Entry(
        "stuck", "A run is stuck if its policy is nearly certain of an action that is not the "
        "best: it is not tried again, so nothing corrects it.", "", "bandit", 10,
    ),
    "resampling": Entry(
        "bootstrap (resampling)", "To draw new samples, with replacement, from those at hand, and "
        "to see how much a number moves. It gives an interval.", "", "seeds", 1,
    ),
    "pool": Entry(
        "pool", "All seeds that have been trained. Studies of a few seeds are drawn from it.", "",
        "seeds", 11,
    ),
    "lottery": Entry(
        "lottery", "What a study of a few seeds is: draw another few and another algorithm may "
        "win.", "", "seeds", 11,
    ),
    "power": Entry(
        "power", "The probability that a study of n seeds finds a difference that is there.", "",
        "seeds", 11,
    ),
    "std": Entry(
        "standard deviation", "How far single seeds typically lie from their mean. More seeds do "
        "not make it smaller.", r"s = \sqrt{\tfrac{1}{n-1}\sum_i (x_i - \bar x)^2}", "seeds", 1,
    ),
    "standard_error": Entry(
        "standard error", "How far the mean of n seeds typically lies from the mean of all seeds. "
        "Four times as many seeds halve it.", r"s / \sqrt n", "seeds", 2,
    ),
    "t_interval": Entry(
        "t interval", "A 95% interval for a mean. Student's t makes it wider when n is small, "
        "because the spread is then only guessed.", r"\bar x \pm t_{.975,\,n-1}\; s / \sqrt n",
        "seeds", 4,
    ),
    "wilson": Entry(
        "Wilson's interval", "A 95% interval for a share, such as 7 of 10. It also holds where the "
        "share is near 0 or 1.", "", "seeds", 3,
    ),
    "iqm": Entry(
        "IQM, interquartile mean", "The mean of the middle half of the seeds. The luckiest and the "
        "unluckiest quarter do not count.", "", "seeds", 11,
    ),
    "welch": Entry(
        "Welch's t test", "It asks whether two means differ by more than chance explains. The two "
        "groups may scatter unequally.", r"t = (\bar x - \bar y) / \sqrt{s_x^2/n + s_y^2/n}",
        "seeds", 11,
    ),
    "p_value": Entry(
        "p value", "How often chance alone would give a difference at least as large, if there "
        "were none.", "", "seeds", 11,
    ),
    "holm": Entry(
        "Holm's correction", "Who tests many pairs finds a difference by chance sooner or later. "
        "Holm raises the p values to make up for it.", "", "seeds", 11,
    ),
    "permutation": Entry(
        "permutation test", "The seeds are shuffled between the two groups. The p value is the "
        "share of shuffles with a difference at least as large.", "", "seeds", 11,
    ),
    "effect": Entry(
        "effect $d$", "A difference of two means, divided by the standard deviation of the seeds.",
        r"d = (\bar x - \bar y) / s", "seeds", 11,
    ),
    "area": Entry(
        "area under the curve", "The mean of all evaluations of a run, from its first to its last. "
        "It scatters less than the final return, which is the last one alone.", "", "seeds", 11,
    ),
    "coverage": Entry(
        "coverage", "In how many of 100 studies a 95% interval really holds the true number.", "",
        "seeds", 11,
    ),
}  # fmt: skip

TERM = re.compile(r"\[\[(\w+)(?:\|([^\]]+))?\]\]")


def say(text: str) -> None:
    """A paragraph of ours, its terms underlined. Never for what came from outside."""
    st.markdown(linked(text), unsafe_allow_html=True)


def caption(text: str) -> None:
    """A caption of ours, its terms underlined."""
    st.caption(linked(text), unsafe_allow_html=True)


def linked(text: str) -> str:
    """The text with each `[[term]]` as a button that opens the term's entry.

    Raises: KeyError for a term that the glossary has not.
    """

    def button(found: re.Match[str]) -> str:
        key, shown = found[1], found[2] or _plain(GLOSSARY[found[1]].name)
        return f'<button class="term" popovertarget="term-{key}">{shown}</button>'

    return TERM.sub(button, text)


def _plain(name: str) -> str:
    """A term's name without its symbol."""
    return re.sub(r",? *\$[^$]*\$,? *", "", name)


def entries() -> None:
    """The entries that the page's terms open, once a page, out of sight."""
    st.markdown(ENTRIES, unsafe_allow_html=True)


ENTRIES = "\n".join(
    f'<span popover class="entry" id="term-{key}">{entry.written}</span>'
    for key, entry in GLOSSARY.items()
)
