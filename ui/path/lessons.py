"""The path: eleven lessons in the order of the lecture, each an existing page in a given state.

A lesson says what will be seen, which questions the page asks, how the lecture writes it, and which
states of the same page are worth a click afterwards. Free of Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

State = Mapping[str, Any]  # by name: a page's parameters, fields of Config, `algorithms`


class Try(NamedTuple):
    """One click: another state of the lesson's page, and what to look at there."""

    label: str
    state: State
    look: str


class Lesson(NamedTuple):
    """One lesson of three to six minutes."""

    title: str
    page: str  # its file in pages/
    see: str  # what will be seen, in one sentence
    asks: tuple[str, ...]  # the names of the page's questions; answered, the lesson is done
    notation: str  # the derivation, in Markdown
    tries: tuple[Try, ...]
    state: State = MappingProxyType({})


LESSONS = (
    Lesson(
        "Big variance", "cloud",
        "Each arrow is the [[estimate|update]] that one [[batch]] asks for. You will see how "
        "widely the arrows scatter, and how many point the right way.",
        ("right_way",),
        r"""
An update is a mean over the $T$ steps of a batch, $\hat g = \frac1T\sum_t \Psi_t\,
\nabla\log\pi(a_t|s_t)$. Its mean square splits into signal and noise:

$$
E\,\lVert\hat g\rVert^2 = \lVert E\,\hat g\rVert^2 + \mathrm{tr}\,\Sigma,\qquad
\mathrm{tr}\,\Sigma = E\,\lVert\hat g - E\hat g\rVert^2 .
$$

The mean $\bar g$ of $N$ measured batches has a squared length $\lVert\bar g\rVert^2$ that is too
large by $\mathrm{tr}\,\Sigma / N$ on average. So the signal is estimated by
$\lVert\bar g\rVert^2 - \mathrm{tr}\,\Sigma/N$. An update points the right way if its angle with the
true gradient is below 90°: to first order, a small step along it does not make the policy worse.
""",
        (
            Try("Long batches: 256 steps", {"window_steps": 256},
                "More steps, less scatter. Is it as much less as 1/T promises?"),
            Try("Before any learning", {"checkpoint": 0},
                "Look at the share of updates that point the right way, and at the critic's."),
            Try("At the end of training", {"checkpoint": 20},
                "A policy that is nearly right gets updates that are nearly all noise."),
        ),
        {"panels": ["policy_gradient", "actor_critic"]},
    ),
    Lesson(
        "All Q are positive", "inside",
        "You will follow one [[batch]] until it becomes one step of the policy. Every reward is 1, "
        "so every [[q|Q]] is positive. What does that do to the worse of two actions?",
        ("bad_action",),
        r"""
With $\Psi_t = Q_t > 0$ each sampled action is pushed up. On average this is no harm: with two
actions and $p = \pi(1|s)$, the expected push of the preference $z_1 - z_0$ is

$$
E_a\bigl[Q_a\,\tfrac{\partial \log\pi(a|s)}{\partial (z_1-z_0)}\bigr]
 = p\,(1-p)\,(Q_1 - Q_0),
$$

so the better action rises and the worse one falls. Only the difference of the two Q counts; what
they have in common is noise. A baseline removes it.
""",
        (
            Try("Subtract the batch's mean", {"lens": "batch_mean", "stage": "weight"},
                "About half of the actions are now pushed down."),
            Try("Subtract the critic's value", {"lens": "actor_critic", "stage": "weight"},
                "The weights are smaller still where the critic is right."),
            Try("Before any learning", {"checkpoint": 0},
                "The policy is nearly a coin; the episodes are short, and the Q small."),
        ),
        {"lens": "policy_gradient", "stage": "weight"},
    ),
    Lesson(
        "A free lunch", "bandit",
        "An agent pulls one of three arms, and each arm pays its own reward. You will move the "
        "[[baseline|baseline b]] and watch three thin arrows and their mean, the thick arrow.",
        ("free_lunch",),
        r"""
The probabilities sum to 1, so the mean score is zero, and with it whatever a baseline adds:

$$
E_a\bigl[b(s)\,\nabla\log\pi(a|s)\bigr] = b(s)\sum_a \pi(a|s)\,\frac{\nabla\pi(a|s)}{\pi(a|s)}
 = b(s)\,\nabla\sum_a\pi(a|s) = b(s)\,\nabla 1 = 0 .
$$

The step that uses the assumption is the first: $b(s)$ leaves the mean over actions because it does
not depend on $a$. The variance has no such law. With the score $\psi = \nabla\log\pi$ and the mean
arrow $g$,
$\mathrm{tr}\,\mathrm{Var}(b) = E\,\lVert\psi\rVert^2 (Q-b)^2 - \lVert g\rVert^2$ is a parabola in
$b$.
""",
        (
            Try("b = 6", {"bandit_b": 6.0},
                "Every Q is below b now, so all three arrows turn round. Look at their mean."),
            Try("One arm nearly certain", {"bandit_w1": 1, "bandit_w2": 1, "bandit_w3": 20},
                "The best b lies near the mean of the two arms that are hardly ever pulled."),
            Try("Noisy rewards", {"bandit_noise": 2.0},
                "A baseline takes nothing of this noise away: see the least variance."),
        ),
        {"bandit_view": "One pull"},
    ),
    Lesson(
        "The parabola", "parabola",
        "The same law on CartPole. You will predict first, and then drag one number b: the "
        "[[tr_sigma|variance]] of an update follows a parabola, and agents train with your b.",
        ("harm", "far"),
        r"""
Write one batch's update without a baseline as $G$ and its mean score as $S$. With a constant $b$ it
is $G - bS$, so

$$
\mathrm{tr\,Var}(b) = b^2\,\mathrm{tr\,Var}(S) - 2b\,\mathrm{tr\,Cov}(G,S)
+ \mathrm{tr\,Var}(G).
$$

Three measured numbers give the variance for every $b$. It is least at $b^* = \mathrm{tr\,Cov}(G,S)
/ \mathrm{tr\,Var}(S)$, and the same as without a baseline at $2b^*$. With two actions and
$p = \pi(1|s)$ the best baseline of a state is $b^*(s) = (1-p)\,Q_1 + p\,Q_0$: the probabilities
have changed places, so it is not $V(s) = p\,Q_1 + (1-p)\,Q_0$.
""",
        (
            Try("b = 100", {"baseline": 100.0}, "The variance is huge. Does training fail?"),
            Try("Before any learning", {"checkpoint": 0},
                "Returns are small, so the best b is small. The zone of less variance is narrow."),
            Try("γ = 0.9", {"gamma": 0.9},
                "A return now looks ten steps ahead, and the best b shrinks with it."),
        ),
    ),
    Lesson(
        "The batch's mean", "toypole",
        "The lecture's first baseline is the mean of the batch's own Q. How much of the gradient "
        "does it lose? **ToyPole** gives the exact number, because all its batches can be counted. "
        "It has five states in a row. The cart steps left or right and earns 1 a step; the episode "
        "ends when it leaves the row.",
        ("shrink",),
        r"""
The mean of the batch, $\bar Q$, contains the step's own $Q_t$, so it depends on the action. If the
steps were independent, only that term would matter. With the score $\psi_t$ and the true
gradient $g$,

$$E\Bigl[\tfrac1T\sum_t (Q_t - \bar Q)\,\psi_t\Bigr] = g - \tfrac1T\,g .$$

The steps of one run are not independent. $Q_j$ with $j < t$ contains the rewards that follow the
action at $t$, so the other terms of $\bar Q$ depend on the action too. Leaving the own term out, as
leave one out does, does not help much.
""",
        (
            Try("γ = 0.5", {"pole_gamma": 0.5},
                "Returns reach less far back, and the loss comes nearer to 1/T."),
            Try("A coin for a policy", {f"pole_t{x}": 0.0 for x in range(5)},
                "Every action has probability one half. How much is lost now?"),
            Try("A nearly certain policy", {"pole_t0": 3.0, "pole_t1": 3.0, "pole_t2": 0.0,
                                            "pole_t3": -3.0, "pole_t4": -3.0},
                "Episodes are long, and one run's steps have much in common."),
        ),
        {"pole_view": "Batch mean"},
    ),
    Lesson(
        "The critic", "variance",
        "The lecture's second baseline is a learned [[v|value of the state]]. You will compare the "
        "[[critic]] with the true value, and see which part of the variance it can remove.",
        ("critic", "lever"),
        r"""
Given the state, the variance of one step has three sources (Tucker et al. 2018):

$$
\mathrm{tr\,Var} = \underbrace{\Sigma_a}_{\text{which action}} +
\underbrace{\Sigma_\tau}_{\text{what followed}} + \underbrace{\Sigma_s}_{\text{which state}} .
$$

A baseline of the state changes $\Sigma_a$ alone. For two actions $\Sigma_a(s) = p(1-p)\,|d|^2\,
(b(s) - b^*(s))^2$, with $d = \nabla(z_1 - z_0)$. The critic $V_\phi$ is fitted to $Q_t$ by least
squares, and $E[Q_t \mid s_t] = V(s_t)$: with enough data it becomes the value. A short run
has little data.
""",
        (
            Try("At the end of training", {"checkpoint": 20},
                "The critic has had five times as many steps. Is it nearer to the value?"),
            Try("A critic that learns four times as fast", {"critic_learning_rate": 0.02},
                "The lever for a critic that lags behind. Does R² rise?"),
            Try("Another seed", {"seed": 1}, "How much of what you saw was this one seed?"),
        ),
    ),
    Lesson(
        "Why bootstrap?", "bootstrap",
        "A batch mostly ends in the middle of an episode. Then Q can count nothing more, the "
        "critic's guess, or the rewards that really came. You will see what each choice does.",
        ("bootstrap",),
        r"""
The steps of a batch are $0$ to $T-1$, and $s_T$ is the state after it. The rewards from $r_T$ on
are not known when the update is made. Three targets:

$$
Q_t^{\text{cut}} = \sum_{k=t}^{T-1}\gamma^{k-t} r_k,\qquad
Q_t^{\text{boot}} = Q_t^{\text{cut}} + \gamma^{T-t}\,V_\phi(s_T),\qquad
Q_t = Q_t^{\text{cut}} + \gamma^{T-t}\, G_T .
$$

Here $V_\phi$ is the critic, and $G_T$ the discounted sum of the rewards that truly followed.
The first target is too small by the discounted value of what follows, most of all at the end of the
batch. The second has the critic's error there instead. Since
$E\,[\,G_T \mid s_T] = V(s_T)$, the true value in its place would lose nothing, and the
noise of $G$ would be gone. After a fall nothing follows: the sum ends there for all three.
""",
        (
            Try("Before any learning", {"checkpoint": 0}, "The critic knows nothing yet."),
            Try("At the end of training", {"checkpoint": 20},
                "Episodes are long, so much follows the batch. Which target is nearest?"),
            Try("Batches of 256 steps", {"window_steps": 256},
                "The end of the batch matters for fewer of its steps."),
        ),
    ),
    Lesson(
        "GAE's λ", "toypole",
        "[[lambda]] is a number from 0 to 1. At 0 an estimate trusts one reward and the critic's "
        "next guess, at 1 all rewards that the batch has left. You will see which λ errs least on "
        "ToyPole, the row of five states.",
        ("lambda",),
        r"""
GAE's weight $A_t$ sums the one-step error $\delta_t = r_t + \gamma V(s_{t+1}) - V(s_t)$ and those
of the steps $t + k$ after it:

$$
A_t = \sum_{k\ge 0} (\gamma\lambda)^k\,\delta_{t+k}\qquad
\lambda = 0:\ A_t = \delta_t,\qquad \lambda = 1:\ A_t = Q_t - V(s_t).
$$

If $V = V^\pi$, each $\delta_{t+k}$ with $k > 0$ has mean 0 given the action at $t$, so every
$\lambda$ has the same mean. If $V$ is wrong, a small $\lambda$ has a bias, which no number of
batches averages away, and a large one has variance, which does.
""",
        (
            Try("A perfect critic", {"pole_error": 0.0}, "Is λ = 0 the best now?"),
            Try("A bad critic", {"pole_error": 3.0}, "Where is the total error least?"),
            Try("One batch, not a hundred", {"pole_averaged": 1},
                "Noise weighs more when nothing is averaged."),
        ),
        {"pole_view": "Lambda"},
    ),
    Lesson(
        "Shifted rewards", "rewards",
        "A baseline shifts Q and changes nothing on average. You will see what happens if the "
        "*rewards* are shifted, to r − 1 and r − 2.",
        ("shifted",),
        r"""
A baseline $b$ is the same number for every action. So it leaves the expected gradient as it is,
$E_a[\,b\,\nabla\log\pi\,] = 0$. A constant $c$ added to every reward is another thing. Let $N$ be
the steps that are left in the episode, this one included. Then the return changes by

$$c\,\sum_{k=0}^{N-1}\gamma^k = c\;\frac{1-\gamma^N}{1-\gamma} .$$

The sum depends on $N$, and $N$ depends on the actions: this is no baseline but another task. Only
where no episode ever ends is the shift the same for every step, $c/(1-\gamma)$. In CartPole
episodes end, and $r = 1$. So the shift multiplies every true Q, and the true gradient:

$$Q_t \to (1+c)\,Q_t,\qquad g \to (1+c)\,g .$$

With $r - 1$, $c = -1$, every return is 0 and nothing is left to learn. With $r - 2$, $c = -2$, the
gradient points the opposite way: each step costs 1, and the best policy is the one that falls
soonest (Sutton & Barto 2018, exercises 3.15 and 3.16).
""",
        (
            Try("Subtract the batch's mean", {"agent": "batch_mean"},
                "This estimator subtracts the mean Q. Does that undo the shift of the rewards?"),
            Try("γ = 1", {"gamma": 1.0},
                "Q now counts the steps that are left. What does r − 2 teach without a discount?"),
            Try("γ = 0", {"gamma": 0.0},
                "Q is now the next reward alone, and all rewards are equal. Who learns?"),
        ),
    ),
    Lesson(
        "Beyond variance", "bandit",
        "Two baselines, b\\* − 1 and b\\* + 1, have the same variance. You will run a thousand "
        "learners with each, and see whether they end alike.",
        ("fates",),
        r"""
$\mathrm{tr\,Var}(b) = \mathrm{tr\,Var}(b^*) + E\lVert\psi\rVert^2\,(b-b^*)^2$ is the same on both
sides of $b^*$. The sampled updates are not: with a low $b$ every $Q - b$ is positive, and whatever
was pulled first is pulled more. For two arms that pay 1 and 0, let $\theta$ be the preference for
the good arm, $\sigma(\theta)$ its probability, and $\alpha$ the step size. From $\theta_0 = 0$,

$$
P(\text{good arm never pulled}) = \prod_{t\ge0}\bigl(1-\sigma(\theta_t)\bigr),\qquad
\theta_{t+1} = \theta_t + \frac{\alpha\,b}{1-\sigma(\theta_t)} ,
$$

which is positive for $b < 0$ and zero for $b \ge 0$ (Chung et al. 2021; Mei et al. 2022).
""",
        (
            Try("Smaller steps: 0.1", {"bandit_step": 0.1},
                "A policy that moves slowly commits later. Is anybody stuck?"),
            Try("Larger steps: 1", {"bandit_step": 1.0},
                "Three lucky pulls and a policy is certain."),
            Try("Two arms, exactly", {"bandit_view": "Two arms"},
                "The probability never to find the good arm, as a formula and simulated."),
        ),
        {"bandit_view": "Same variance, other fate"},
    ),
    Lesson(
        "Who won?", "seeds",
        "The notebook compares three agents with ten [[seed|seeds]] each. You will draw 2,000 such "
        "studies of its corrected version, and count how often their ranking is right.",
        ("lottery",),
        r"""
A study's mean of $n$ seeds has standard error $s/\sqrt n$, where $s$ is the standard deviation
of the seeds. Two means $\bar x$ and $\bar y$ are told apart by Welch's

$$t = \frac{\bar x - \bar y}{\sqrt{s_x^2/n + s_y^2/n}} ,$$

and to find a difference of $d$ standard deviations in 80 of 100 studies at the 5% level takes about
$n \approx 16/d^2$ seeds of each. A band of mean ± standard deviation says how far seeds scatter; it
does not say how well the mean is known.
""",
        (
            Try("Studies of 3 seeds", {"seeds_n": 3}, "How often does the wrong one win?"),
            Try("Studies of 50 seeds", {"seeds_n": 50}, "What do 50 seeds buy?"),
            Try("Rank by the whole curve", {"seeds_score": "area"},
                "The mean over training scatters less than the end of it."),
        ),
        {"seeds_view": "lottery"},
    ),
)  # fmt: skip


def lessons_of(page: str) -> list[int]:
    """The places of a page's lessons on the path."""
    return [place for place, lesson in enumerate(LESSONS) if lesson.page == page]


def place_of(page: str, values: State, asked: int | None) -> int | None:
    """Which lesson a page is, in its present state: a place on the path, or None beside it.

    Args:
        values: of the parameters that tell a page's lessons apart.
        asked: the lesson that was opened last.
    """
    here = lessons_of(page)
    for place in here if len(here) > 1 else ():
        if all(values[name] == value for name, value in LESSONS[place].state.items()):
            return place
    if asked in here:
        return asked
    return here[0] if here else None


def done(lesson: Lesson, answered: set[str]) -> bool:
    """Whether every question of the lesson has been answered, or its answer asked for."""
    return set(lesson.asks) <= answered


def progress_of(lesson: Lesson, answered: set[str]) -> str:
    """A mark for a lesson that is done; how many questions are left in one that is begun."""
    left = len(set(lesson.asks) - answered)
    if not left:
        return " :material/check:"
    if left == len(lesson.asks):
        return ""
    return f" · {left} question{'s' * (left > 1)} left, below"
