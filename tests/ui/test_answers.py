"""Every question of the lab: what is measured at several settings is what the reader is told.

question     where             settings, and the answers that they give
bad_action   Inside            a law: the same answer wherever one action is worse; none elsewhere
right_way    The cloud         start 64%, usual 58%, end 50%, 256 steps 85%, end with r - 2: 8%
free_lunch   Exact bandit      a law: the same answer at every policy, reward, noise and b
harm         The parabola      2 b*: usual 22, start 13, end 87, γ = 0.5 4, with r - 2 below 0
far          The parabola      slower; with one seed, two seeds or large steps not measurably
shrink       ToyPole           clearly more; at small γ about 1/T; for a one-sided policy less
lambda       ToyPole           between; nearly certain policy λ = 0; at γ = 0.5 λ = 1
critic       Where variance    no; at the end partly; at γ = 0.5, at the end, another seed: yes
lever        Where variance    rises; from 0.02 to 0.05 falls; at the end not clear
bootstrap    Why bootstrap     test_charts_bootstrap.py: little, a part, nearly all, harm, none
shifted      Shifted rewards   test_words_rewards.py: falls sooner; at tiny steps and γ = 0 not
fates        Exact bandit      a law: the same answer at every step size and number of runs
lottery      Seeds             final return 65%, area 98%; short runs 32% and 39%
exhibit_*    Bug museum        no settings: the kept measurement, test_words_museum.py

The numbers are those of the pages; the tests measure less, and so less exactly.
"""

from __future__ import annotations

import importlib
import itertools
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats

from pgcore import Config, stats, train
from pgcore.exact import fates
from pgcore.exact.bandit import BASELINES, Bandit
from pgcore.gradients import collect_windows, decompose, enumerated, examine
from pgcore.gradients.constant_baseline import end_of_harmless_zone
from pgcore.gradients.critic_worth import change_of_r2
from pgcore.gradients.hindsight import WorseActions
from pgcore.stats import Interval
from ui.bandit import words as bandit
from ui.cloud import words as cloud
from ui.inside import words as inside
from ui.parabola import words as parabola
from ui.path.lessons import LESSONS
from ui.seeds import words as seeds
from ui.shell.question import Mark, Question, percent
from ui.toypole import words as toypole
from ui.variance import words as variance

ROOT = Path(__file__).parents[2]
LAB = Config(algorithm="actor_critic", num_seeds=3)
USUAL, END = 4, 20  # checkpoints: after 2,000 and after 10,000 steps
THETA = (1.2, 0.1, 0.3, -0.6, -0.2)


@lru_cache(maxsize=8)
def trained(config: Config):
    return train(config)


def asked() -> dict[str, Question | Mark]:
    """Every question that a module of words declares, by name."""
    found: dict[str, Question | Mark] = {}
    for path in (ROOT / "ui").glob("*/words.py"):
        module = importlib.import_module(f"ui.{path.parent.name}.words")
        found |= {q.name: q for q in vars(module).values() if isinstance(q, Question | Mark)}
    return found


def test_the_table_above_holds_every_question():
    rows = {line.split()[0] for line in __doc__.splitlines() if line.startswith(tuple(asked()))}
    assert rows == set(asked())
    assert {name for lesson in LESSONS for name in lesson.asks} <= rows


def told(question: Question, truth: int, explanation: str) -> None:
    """The measured option alone is called right; who chose another is told the measured one."""
    for place, text in enumerate(question.texts):
        said = question.verdict(text, truth, explanation)
        assert said.right == (place == truth)
        assert said.text.count(explanation) == 1
        assert (f"It is: *{question.texts[truth]}*." in said.text) == (place != truth)
        unusual = "With the lab's default settings the answer is another" in said.text
        assert unusual == (truth != question.usual)


def marked(question: Mark, truth: Interval, explanation: str) -> None:
    """A mark at the estimate is near; one far off is told on which side the truth lies."""
    assert question.verdict(truth.estimate, truth, explanation).right
    for far, side in ((truth.high + 2 * question.near, "lower"),
                      (truth.low - 2 * question.near, "higher")):  # fmt: skip
        said = question.verdict(far, truth, explanation)
        assert not said.right and f"It is {side}:" in said.text
        assert f"**{question.written(truth.estimate)}**" in said.text
        low, high = question.usual
        assert ("settings it is another" in said.text) == (not low <= truth.estimate <= high)


# --- Inside one update, Exact bandit: laws ---


def test_one_sample_can_push_the_worse_action_up_and_the_average_cannot():
    """Its answer never turns: true Q of CartPole have one sign, since every reward has.

    With the preference z_worse - z_better, a sample of the worse action pushes (1 - p) Q_worse, one
    of the better action -p Q_better: one of them is positive. The mean is p (1 - p) times the
    difference of the Q, whatever is subtracted from both.
    """
    rng = np.random.default_rng(0)
    for sign, p, b in itertools.product((1, -1), (0.01, 0.5, 0.99), (-30.0, 0.0, 30.0)):
        worse, better = np.sort(sign * rng.uniform(0.1, 50, 2))
        assert max((1 - p) * worse, -p * better) > 0
        mean = p * (1 - p) * (worse - b) - (1 - p) * p * (better - b)
        assert mean == pytest.approx(p * (1 - p) * (worse - better)) and mean < 0
    assert inside.QUESTION.texts[0] == "One sample can, the average cannot"


@pytest.mark.parametrize(
    ("taken", "up", "said"),
    [
        (14, 14, "The agent took it in 14, and plain policy gradient pushes 14 of these up."),
        (4, 0, "a sample of the better action makes the worse one more probable."),  # r - 2
        (0, 0, "In this batch it was never taken; if it is, a positive Q pushes it up."),
    ],
)
def test_a_batch_with_a_worse_action_says_what_was_pushed(taken, up, said):
    found = WorseActions(32, 25, taken, up, 9, 256)
    told(inside.QUESTION, inside.answer(found), inside.on_worse_actions(found))
    assert said in inside.on_worse_actions(found)
    assert inside.on_worse_actions(found).startswith("In 25 of the 32 states one action is clearly")


def test_a_batch_without_a_worse_action_has_no_answer():
    """One step, or hardly any tails: nothing is told apart, and nobody is called right."""
    found = WorseActions(1, 0, 0, 0, 0, 256)
    assert inside.answer(found) is None
    said = inside.QUESTION.verdict(inside.QUESTION.texts[0], None, inside.on_worse_actions(found))
    assert not said.right and "not to be measured here*. In this batch no action" in said.text


def test_a_baseline_leaves_the_mean_arrow_wherever_it_is():
    """Its answer never turns: the probabilities sum to 1, so E[b psi] = 0 for every b."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        weights, q = rng.integers(1, 21, 3), rng.integers(-10, 11, 3) / 2
        lab = Bandit(weights / weights.sum(), q, float(rng.choice([0.0, 3.0])))
        b = float(rng.uniform(-100, 100))
        option, said = bandit.on_the_mean(lab, b)
        told(bandit.free_lunch(b), option, said)
        assert option == 0
        assert f"from {lab.tr_var(0):.3f} to {lab.tr_var(b):.3f}." in said


def test_at_twice_the_best_constant_the_arrows_differ_and_their_variance_does_not():
    lab = Bandit([1 / 3] * 3, (1, 2, 3))
    option, said = bandit.on_the_mean(lab, 4.0)
    assert option == 0 and f"from {lab.tr_var(0):.3f} to {lab.tr_var(0):.3f}." in said
    assert "Every arrow changed; b is twice b\\*." in said
    assert "Every arrow" not in bandit.on_the_mean(lab, 5.0)[1]


def test_a_low_baseline_rewards_every_pull_and_a_high_one_none():
    """Why the fates' answer never turns: b* is a mean of the rewards, so between 0 and 1."""
    rewards = np.array(fates.REWARDS)
    logits = np.random.default_rng(2).normal(0, 4, (500, 3))
    low, high = (BASELINES[name](logits, rewards)[:, None] for name in ("b* - 1", "b* + 1"))
    assert (rewards - low >= 0).all() and (rewards - high <= 0).all()


@pytest.mark.parametrize("runs", [100, 500])  # the fewest that the page offers: the least clear
def test_the_fates_are_told_at_every_step_size(runs):
    for step in np.arange(1, 11) / 10:
        stories = {name: fates.runs(name, runs, step) for name in ("b* - 1", "b* + 1")}
        option, said = bandit.answer(stories)
        told(bandit.fates_question(runs, step), option, said)
        stuck = {key: (paths[-1, :, 0] < 0.01).mean() for key, paths in stories.items()}
        assert option == 1 and stuck["b* - 1"] > 5 * stuck["b* + 1"]
        assert f"With b\\* − 1, {stuck['b* - 1']:.1%} [" in said
        assert f"with b\\* + 1, {stuck['b* + 1']:.1%} [" in said
        assert f"(n = {runs:,} runs of each)" in said


# --- The cloud, The parabola ---


@lru_cache(maxsize=8)
def measured(checkpoint: int, steps: int = 32, **changes: float):
    """Both estimators that the cloud's question compares, and the parabola, on 400 batches."""
    config = LAB.replace(**changes)
    params = trained(config).checkpoints[checkpoint, 0]
    both = ("policy_gradient", "actor_critic")
    return examine(params, config.replace(batch_size=steps), 400, 0, algorithms=both)


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [
        ({"checkpoint": USUAL}, 54, 65),
        ({"checkpoint": END}, 44, 54),  # a coin would do as well
        ({"checkpoint": USUAL, "steps": 256}, 80, 92),
        ({"checkpoint": END, "reward_offset": -2.0}, 3, 15),  # nearly all point the wrong way
    ],
)
def test_the_share_of_updates_the_right_way(settings, low, high):
    report = measured(**settings)
    counted = {key: float((report.gradients[key] @ report.reference.directions[0] > 0).mean())
               for key in ("policy_gradient", "actor_critic")}  # fmt: skip
    plain, critic = (report.measurements[key].right_way for key in counted)
    truth = percent(plain)
    assert low < truth.estimate < high
    assert truth.estimate == pytest.approx(100 * counted["policy_gradient"])
    said = cloud.explanation(plain, critic)
    assert f"baseline, {counted['actor_critic']:.0%} [" in said and "(n = 400 batches)" in said
    assert ("the critic helps" in said) == (critic.low > plain.high)
    marked(cloud.question("Actor-critic, seed 0", settings.get("steps", 32)), truth, said)


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [
        ({"checkpoint": USUAL}, 18, 27),
        ({"checkpoint": END}, 70, 105),
        ({"checkpoint": USUAL, "gamma": 0.5}, 3, 4),
        ({"checkpoint": USUAL, "reward_offset": -2.0}, -15, -10),  # no b above 0 helps
    ],
)
def test_up_to_twice_the_best_constant_the_variance_is_smaller(settings, low, high):
    report = measured(**settings)
    truth, said = end_of_harmless_zone(report.parabola), parabola.on_zones(report.parabola)
    assert low < truth.low and truth.high < high
    plain, scores = report.gradients["policy_gradient"], report.scores
    near, far = (truth.low, truth.high) if truth.low > 0 else (truth.high, truth.low)
    inner, none, outer = ((plain - b * scores).var(0).sum() for b in (0.9 * near, 0, 1.1 * far))
    assert inner < none < outer
    assert f"At twice b*, {truth}, the variance is that without" in said
    assert ("no b above 0 makes the variance smaller" in said) == (truth.high < 0)
    marked(parabola.question("Actor-critic, seed 0", 32), truth, said)


@pytest.mark.parametrize(
    ("changes", "slower"),
    [
        ({}, True),
        ({"gamma": 0.5}, True),
        ({"num_seeds": 2}, False),
        ({"num_seeds": 1}, False),
        ({"learning_rate": 0.05}, False),
    ],
)
def test_a_far_baseline_adds_no_bias_and_is_slower_where_the_seeds_show_it(changes, slower):
    """It never biases: the first option is right nowhere."""
    config = Config(algorithm="policy_gradient").replace(**changes)
    plain = train(config)
    far = train(config.replace(algorithm="constant", baseline=parabola.FAR))
    gain = parabola.gain(plain, far)
    curves = [history.area_under_curve for history in (plain, far)]
    if len(curves[0]) > 1:
        welch = scipy_stats.ttest_ind(*curves, equal_var=False)
        assert slower == (welch.statistic > 0 and welch.pvalue < 0.05)
    option = parabola.fate(gain)
    assert option == (1 if slower else 2)
    none = Interval(0.0, -0.1, 0.1, 400)
    said = parabola.on_far(none, Interval(42.0, 40.0, 44.0, 400), gain)
    assert f"With b = 100, against no baseline (n = {config.num_seeds} seeds each)" in said
    assert (f"averaged over training {gain.area:+.0f}, lower" in said) == slower
    told(parabola.FAR_QUESTION, option, said)


# --- ToyPole: exact ---


@pytest.mark.parametrize(
    ("theta", "gamma", "option"),
    [
        (THETA, 0.9, 2),
        (THETA, 0.3, 2),
        ((0.0,) * 5, 0.1, 1),
        ((3.0,) * 5, 0.2, 1),
        ((3.0,) * 5, 0.05, 0),
    ],
)
def test_what_the_batch_mean_takes_is_told_beside_one_over_t(theta, gamma, option):
    lab = enumerated.pole(theta, gamma)
    lost = enumerated.lost_at(enumerated.length_rows(lab, 50, 0), 8)
    share = lost["batch_mean"]
    assert toypole.which_loss(share, 8) == option
    assert (share < 0.1, 0.1 <= share <= 0.15, share > 0.15)[option]
    said = toypole.on_shrink(lab, lost)
    assert f"loses {share:.1%} of the gradient, {8 * share:.1f} times 1/T" in said
    told(toypole.loss(lab), option, said)


@pytest.mark.parametrize(
    ("theta", "gamma", "error", "averaged", "option"),
    [
        (THETA, 0.9, 0.5, 100, 1),
        (THETA, 0.9, 0.0, 100, 1),
        ((3.0, 3.0, 0.0, -3.0, -3.0), 0.9, 0.0, 1, 0),
        (THETA, 0.5, 0.5, 1, 2),
        ((0.0,) * 5, 0.9, 3.0, 1000, 2),
    ],
)
def test_the_best_lambda_follows_policy_critic_and_windows(theta, gamma, error, averaged, option):
    lab = enumerated.pole(theta, gamma)
    best = enumerated.best_lambda(lab, error, averaged)
    bias, variance_ = enumerated.gae_curve(lab, error)
    total = bias**2 + variance_ / averaged / (lab.gradient @ lab.gradient)
    assert enumerated.LAMBDAS[int(total.argmin())] == pytest.approx(best)
    assert toypole.which_lambda(best) == option
    assert (best == 0, 0 < best < 1, best == 1)[option]
    asked_here, said = (
        toypole.best_lambda(error, averaged),
        toypole.on_lambda(error, averaged, best),
    )
    assert said.endswith(f"least at λ = {best:.2f}.")
    told(asked_here, option, said)
    if not error and option:  # an exact critic has no error that λ = 0 could keep
        assert toypole.EXACT in asked_here.verdict(asked_here.texts[0], option, said).text


# --- Where variance comes from ---


@lru_cache(maxsize=64)
def critic_fit(config: Config, seed: int, checkpoint: int):
    params = trained(config).checkpoints[checkpoint, seed]
    windows = collect_windows(params, config.replace(batch_size=1), 120, seed)
    return decompose(windows, seed, num_states=120, tails=4).critic


@pytest.mark.parametrize(
    ("changes", "seed", "checkpoint", "option"),
    [
        ({}, 0, USUAL, 2),
        ({}, 1, END, 2),
        ({"critic_learning_rate": 0.05}, 0, END, 1),
        ({"gamma": 0.5}, 2, END, 0),
    ],
)
def test_the_critic_is_judged_at_its_own_policy(changes, seed, checkpoint, option):
    fit = critic_fit(LAB.replace(**changes), seed, checkpoint)
    explained = fit.explained
    assert variance.answer(explained) == option
    low, high = ((0.8, 1.0), (0.0, 0.8), (-np.inf, 0.0))[option]
    assert low <= explained.estimate <= high
    said = variance.on_the_critic(fit)
    assert said.startswith(f"R² = {explained}. ")
    ends = {variance.answer(explained._replace(estimate=end)) for end in explained[1:3]}
    assert ("The interval of R² holds another answer too." in said) == (len(ends) > 1)
    told(variance.question("Actor-critic, seed 0"), option, said)


@pytest.mark.parametrize(
    ("present", "rate", "checkpoint", "option"),
    [
        (0.005, 0.02, USUAL, 0),
        (0.02, 0.05, USUAL, 2),
        (0.05, 0.005, USUAL, 2),
        (0.02, 0.05, END, 1),
    ],
)
def test_the_lever_is_told_by_the_change_over_the_same_seeds(present, rate, checkpoint, option):
    configs = [LAB.replace(num_seeds=6, critic_learning_rate=r) for r in (present, rate)]
    before, after = (
        [critic_fit(config, seed, checkpoint).explained.estimate for seed in range(6)]
        for config in configs
    )
    change = change_of_r2(before, after)
    test = scipy_stats.ttest_1samp(np.subtract(after, before), 0)
    assert (option == 1) == (test.pvalue > 0.05)
    assert variance.lever_answer(change) == option
    assert option == 1 or (option == 0) == (test.statistic > 0)
    said = variance.on_the_lever(before, after, present, rate)
    assert f"From {present:g} to {rate:g}, R² changes by {change:+.2f}" in said
    told(variance.lever_question(present, rate, 2000), option, said)


# --- Seeds ---


@pytest.mark.parametrize(
    ("steps", "score", "low", "high"),
    [
        (10_000, "final_returns", 50, 92),
        (10_000, "area_under_curve", 90, 100),
        (3_000, "final_returns", 15, 60),
        (3_000, "area_under_curve", 15, 60),
    ],
)
def test_the_share_of_right_rankings_follows_score_and_length(steps, score, low, high):
    keys = ("policy_gradient", "batch_mean", "actor_critic")
    config = Config(num_seeds=60, total_timesteps=steps)
    pools = {key: getattr(trained(config.replace(algorithm=key)), score) for key in keys}
    wrong = stats.lottery(pools, 10, 400).wrong_ranking
    right = Interval(1 - wrong.estimate, 1 - wrong.high, 1 - wrong.low, wrong.n)
    rng = np.random.default_rng(3)
    means = np.stack([rng.choice(pools[key], (2000, 10)).mean(1) for key in keys])
    truth = np.argsort([pools[key].mean() for key in keys])
    drawn = (means.argsort(0) == truth[:, None]).all(0).mean()
    assert right.estimate == pytest.approx(drawn, abs=0.08)
    shown = percent(right)
    assert low < shown.estimate <= high
    said = seeds.lottery_answer(right, "final return", ("A", "B"), "64", "17 to 300")
    assert f"is right {right:.0%} of the time (pools of 60 seeds)" in said
    marked(seeds.question("final return", 60, 3), shown, said)
