"""What the exact pages say: the sign, the number and the n of every sentence."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pgcore.exact import fates
from pgcore.exact.bandit import BASELINES, Bandit, natural_tr_var, never_good_arm, stuck
from pgcore.gradients import enumerated
from ui.bandit import words
from ui.toypole import words as pole_words

N = 400
LAB = enumerated.pole((1.2, 0.1, 0.3, -0.6, -0.2), 0.9)


def ending(stuck: int) -> np.ndarray:
    """N runs, of which so many end on a worse arm and the rest on the best.  [1, N, 3]"""
    policies = np.tile([1.0, 0.0, 0.0], (1, N, 1))
    policies[0, :stuck] = [0.0, 1.0, 0.0]
    return policies


def test_least_variance_against_v_says_who_gets_stuck_how_often_and_n():
    said = words.on_least_variance({"b*": ending(120), "V": ending(0)})
    assert said.startswith("**Least variance is not the best fate.**")
    assert "30.0% [" in said and "0.0% [0.0%, " in said and "n = 400 runs" in said
    turned = words.on_least_variance({"b*": ending(0), "V": ending(120)})
    assert turned.startswith("**Here least variance has the better fate.**")
    same = words.on_least_variance({"b*": ending(120), "V": ending(118)})
    assert same.startswith("**Not told apart with 400 runs of each.**")


@pytest.mark.parametrize(("below", "above", "which"), [(120, 4, 1), (4, 120, 2), (60, 58, 0)])
def test_the_answer_follows_the_runs(below, above, which):
    option, why = words.answer({"b* - 1": ending(below), "b* + 1": ending(above)})
    assert option == which
    assert f"{below / N:.1%}" in why and f"{above / N:.1%}" in why
    assert ("not told apart with 400 runs" in why) == (which == 0)
    assert (words.REASON in why) == (which == 1)


def test_with_equal_variance_every_pull_is_rewarded_or_every_pull_is_punished():
    """As the reason says: Q - b is positive for every arm with b* - 1, negative with b* + 1."""
    rewards = np.array(fates.REWARDS)
    for policy in np.random.default_rng(0).dirichlet(np.ones(3), 50):
        low, high = (
            rewards - float(BASELINES[name](np.log(policy)[None], rewards)[0])
            for name in ("b* - 1", "b* + 1")
        )
        assert (low > 0).all() and (high < 0).all()
    assert "− 1 every Q − b is positive" in words.REASON
    assert "+ 1 every Q − b is negative" in words.REASON


def test_the_pages_own_runs_hold_the_surprise():
    stories = {name: fates.runs(name, 1000, 0.5) for name in ("b*", "V")}
    said = words.on_least_variance(stories)
    assert said.startswith("**Least variance is not the best fate.**")
    assert f"{fates.shares(stories['b*'])[fates.FATES[1]]:.1%}" in said


def test_why_least_variance_gets_stuck_is_so_in_every_run_that_does():
    """All end on the middle arm; before that b* is below its reward, and V is above it."""
    policies, rewards = fates.runs("b*", 1000, 0.5), np.array(fates.REWARDS)
    ends = policies[:, stuck(policies[-1], rewards)]
    assert (ends[-1].argmax(-1) == 1).all() and ends.shape[1] > 200
    last = len(ends) - 1 - (ends[::-1, :, 0] > 0.25).argmax(0)  # when the best arm was last likely
    on_the_way = ends[last, np.arange(ends.shape[1])]
    assert (on_the_way.argmin(-1) == 2).mean() > 0.95  # the worst arm is the rarest
    least = BASELINES["b*"](np.log(on_the_way), rewards)
    assert (least < 0.7).all() and np.median(least) < 0.1
    assert np.median(on_the_way @ rewards) > 0.7
    told = words.on_least_variance({"b*": ending(120), "V": ending(0)})
    assert told.endswith(words.WHY_STUCK)
    for turned in (ending(0), ending(118)):
        assert words.WHY_STUCK not in words.on_least_variance({"b*": turned, "V": ending(120)})


def test_never_is_never_for_a_baseline_below_0_alone():
    assert f"**{never_good_arm(0.5, -1.0):.8f}**" in words.on_never(0.5, -1.0)
    assert "**0.24221205**" in words.on_never(0.5, -1.0)
    assert "sooner or later" in words.on_never(0.5, 0.0)


def test_noise_is_spoken_of_where_there_is_some():
    quiet, noisy = (Bandit((0.2, 0.3, 0.5), (1, 2, 4), noise) for noise in (0.0, 1.0))
    assert "pale bar" not in words.on_the_arrows(quiet)
    assert "pale bar" in words.on_the_arrows(noisy)
    assert "0.25 times" in words.on_the_lengths(0.25)


def test_the_bandits_questions_name_their_settings():
    assert "moves from 0 to 2.5." in words.free_lunch(2.5).text
    assert words.free_lunch(5.0) == words.FREE_LUNCH
    said = words.fates_question(200, 0.1)
    assert "Do 200 runs with each, of step size 0.1, end alike?" in said.text
    assert words.fates_question(1000, 0.5) == words.QUESTION


@pytest.mark.parametrize(
    ("b", "share"), [(0.0, None), (2.8, "14% of 3.625"), (5.0, "135% of 3.625")]
)
def test_the_variance_of_a_pull_is_said_against_none_and_the_least(b, share):
    said = words.on_the_variance(Bandit((0.2, 0.3, 0.5), (1, 2, 4)), b)
    assert f"At b = {b:g} " in said and "least at b\\* = 2.297: 0.354" in said
    assert share in said if share else "without a baseline" not in said
    nothing = Bandit((0.2, 0.3, 0.5), (0, 0, 0))
    assert "Without a baseline it is 0 already" in words.on_the_variance(nothing, 1.0)


def test_the_free_lunch_is_answered_with_both_variances():
    option, said = words.on_the_mean(Bandit((0.2, 0.3, 0.5), (1, 2, 4)), 5.0)
    assert option == 0
    assert "goes from 3.625 to 4.885" in said
    assert "0.75 g with 4 pulls" in words.on_the_batch_mean(4)


def test_the_runs_are_counted_in_the_captions():
    assert "40 of 1,000 are drawn" in words.on_the_paths(1000)
    assert f"not certain after {fates.STEPS} steps" in words.on_the_paths(1000)
    assert "n = 1,000 runs of 200 steps" in words.on_the_measuring(1000)


def test_toypole_says_its_exact_numbers():
    lost = enumerated.lost_at(enumerated.length_rows(LAB, 100, 0), 8)
    said = pole_words.on_shrink(LAB, lost)
    assert "loses 46.0% of the gradient, 3.7 times 1/T" in said and "loses 38.3%" in said
    assert "mostly a shrink" in said and "0.9946" in said
    assert [pole_words.which_loss(x / 8, 8) for x in (0, 0.7, 1.0, 1.2, 1.7, 3.7)] == [
        0, 0, 1, 1, 2, 2,
    ]  # fmt: skip
    said = pole_words.on_gradients(LAB)
    assert "g∞ 0.1094" in said
    assert f"{enumerated.angle_between(LAB):.1f}° apart" in pole_words.on_fields(LAB)


def test_the_chain_says_where_the_action_matters_most():
    said = pole_words.on_the_chain(LAB)
    assert f"{LAB.mean_length:.2f} steps on average" in said
    assert "State 2 is worth most" in said and f"is {LAB.values[2]:.2f}." in said
    left, right = LAB.q_values[0]
    assert "matters most in state 0" in said
    assert f"of left is {left:.2f} and that of right is {right:.2f}" in said
    turned = pole_words.on_the_chain(enumerated.pole((0.2, 0.6, -0.3, -0.1, -1.2), 0.9))
    assert "matters most in state 4" in turned
    even = pole_words.on_the_chain(enumerated.pole((0.0,) * 5, 0.9))
    assert "matters most in states 0 and 4: in state 0" in even
    assert "both actions are worth 1" in pole_words.on_the_chain(enumerated.pole((0.0,) * 5, 0.0))


def test_the_intervals_that_hold_the_truth_are_counted():
    rows = enumerated.estimate_rows(LAB, 5.0, 1000, 0)
    held, total = pole_words.held_truths(rows)
    assert total == 12 and 8 <= held <= 12
    said = pole_words.on_estimates(rows, 1000)
    assert said.startswith(f"{held} of the 12 ") and "n = 1,000 windows" in said
    off = rows.assign(kept_low=9.0, tr_var_low=9.0)  # above every exact number
    assert pole_words.held_truths(off)[0] == 0
    all_held = rows.assign(kept_low=-9.0, kept_high=9.0, tr_var_low=-9.0, tr_var_high=9.0)
    assert pole_words.held_truths(all_held)[0] == 12
    assert "keeps 54% of the" in pole_words.on_kept(rows)
    assert "keeps 62%" in pole_words.on_kept(rows)


def test_the_questions_of_toypole_name_their_settings():
    assert pole_words.loss(LAB) == pole_words.LOSS
    assert "γ is 0.5." in pole_words.loss(enumerated.pole((0.0,) * 5, 0.5)).text
    assert pole_words.best_lambda(0.5, 100) == pole_words.LAMBDA
    exact = pole_words.best_lambda(0.0, 1).text
    assert exact.startswith("The critic is exact, and one batch makes the update. λ = 0")
    assert "errs by ±3 at each state, and the updates of 1,000 batches are averaged" in (
        pole_words.best_lambda(3.0, 1000).text
    )


def test_a_long_window_is_said_with_its_interval_and_n():
    rows = enumerated.length_rows(LAB, pole_words.SAMPLED, 0)
    last = rows[(rows["part"] == "sampled") & (rows["key"] == "batch_mean")].set_index("T").loc[64]
    said = pole_words.on_lengths(rows)
    assert "windows of 64 steps" in said and "n = 4,000 windows" in said
    assert f"loses {last.lost:.1%} [{last.low:.1%}, {last.high:.1%}]" in said
    assert "is 1.6% there" in said


@pytest.mark.parametrize(("error", "averaged"), [(0.5, 100), (0.0, 1), (3.0, 1000)])
def test_the_errors_at_the_ends_and_the_least_are_said(error, averaged):
    rows = enumerated.lambda_rows(LAB, error, averaged)
    said = pole_words.on_errors(rows)
    bias = enumerated.gae_curve(LAB, error)[0]
    assert f"= 0 the bias is {bias[0]:.3f}" in said and f"= 1 the bias is {bias[-1]:.3f}" in said
    assert f"least at λ = {enumerated.best_lambda(LAB, error, averaged):.2f}: " in said
    noise = np.sqrt(enumerated.gae_curve(LAB, error)[1][0] / averaged)
    total = np.hypot(bias[0], noise / np.linalg.norm(LAB.gradient))
    assert said.endswith(f"At λ = 0 it is {total:.3f}.")
    assert ("The bias at λ = 1 is the error of the critic's guess" in said) == (error > 0)


def test_the_least_variance_of_the_exact_critic_is_said_as_it_is():
    assert "Still λ = 0 has not the least variance" in pole_words.lambda_words(LAB)
    quiet = enumerated.pole((1.2, 0.1, 0.3, -0.6, -0.2), 0.1)
    least = int(enumerated.gae_curve(quiet, 0.0)[1].argmin())
    said = pole_words.lambda_words(quiet)
    assert ("has not the least" in said) == (least != 0)


def test_a_walk_says_both_heights():
    said = pole_words.on_the_walk(enumerated.climb_rows(LAB, (0, 2), 2.0))
    assert "∇J is 0.000, that of g∞ 0.245" in said and "**no** function" in said
    rows = enumerated.climb_rows(LAB, (0, 2), 2.0)
    flat = rows.assign(text=rows["text"].replace("0.245", "0.000"))
    assert "no** function" not in pole_words.on_the_walk(flat)


def test_no_difference_is_claimed_from_intervals_that_overlap():
    option, why = words.answer({"b* - 1": ending(60), "b* + 1": ending(58)})
    assert option == 0
    assert "The intervals overlap: not told apart with 400 runs of each" in why


def test_printed_shares_add_up_to_100_percent():
    policies = np.tile([1.0, 0.0, 0.0], (1, 6000, 1))  # thirds and sixths, which round up
    policies[0, :1000], policies[0, 1000:2000] = [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]
    printed = re.findall(r"\*\*([\d.]+)%\*\*", words.fates_in_colour(policies))
    assert len(printed) == 3
    assert round(sum(map(float, printed)), 6) == 100.0
    assert round(sum(map(float, ("66.7", "16.7", "16.7"))), 6) != 100.0  # each rounded alone


def test_v_and_the_optimum_are_one_number_at_the_start_as_the_sentence_says():
    first = fates.first_steps()
    assert first["V"].b == pytest.approx(first["b*"].b)
    said = words.on_least_variance({"b*": ending(120), "V": ending(0)})
    assert "At the uniform start the two are the same number" in said
    rng = np.random.default_rng(0)
    for policy in rng.dirichlet(np.ones(3), 50):
        logits = np.log(policy)[None]
        rewards = np.array(fates.REWARDS)
        least, value = (float(BASELINES[name](logits, rewards)[0]) for name in ("b*", "V"))
        assert natural_tr_var(policy, rewards, value) >= natural_tr_var(policy, rewards, least)


def test_simulated_shares_of_never_meet_the_closed_form():
    share = fates.never_pulled(0.5, -1.0, 4000)
    assert share.n == 4000
    assert share.low < never_good_arm(0.5, -1.0) < share.high


def test_a_mean_that_turns_is_not_called_a_shrink():
    turned = enumerated.pole((3.0, 3.0, 3.0, -3.0, 3.0), 0.1)
    assert round(enumerated.cosine(turned, "batch_mean"), 4) == 0.0104
    said = pole_words.on_shrink(turned, {"batch_mean": 0.2, "leave_one_out": 0.1})
    assert "mostly a shrink" not in said
    assert "The direction changes too: the mean's cosine with g∞ is 0.0104" in said
    assert "1.6 times 1/T" in said


@pytest.mark.parametrize(
    ("error", "averaged", "words_of"),
    [(0.5, 100, "errs by ±0.5 at each state and a mean of 100 batches"), (0.0, 1, "the exact")],
)
def test_the_best_lambda_is_said_with_its_critic_and_n(error, averaged, words_of):
    best = enumerated.best_lambda(LAB, error, averaged)
    said = pole_words.on_lambda(error, averaged, best)
    assert words_of in said and said.endswith(f"least at λ = {best:.2f}.")
    assert ("a single batch" in said) == (averaged == 1)


def test_the_bandit_s_charts_are_told_with_their_numbers_and_n():
    bandit = Bandit([0.2, 0.3, 0.5], [1, 2, 4], 0.0)
    assert words.parabola_alt(bandit, 1.5) == (
        f"Variance of one pull against the baseline b: {bandit.tr_var(1.5):.4f} at b = 1.5, least "
        f"at b* = {bandit.optimal_baseline:.4f}."
    )
    step = fates.first_steps()["b* - 1"]
    assert words.first_variance("b* - 1", step) == rf"**b\* − 1**: variance {step.tr_var:.3f}"
    assert words.paths_alt("V", 2000) == "40 of 2,000 runs with baseline V on the simplex."
    assert words.paths_alt("V", 12).startswith("12 of 12 runs")
    assert "the start of every run with baseline V" in words.paths_alt("V", 0)


def test_what_the_charts_say_of_every_baseline_holds():
    bandit = Bandit([0.2, 0.3, 0.5], [1, 2, 4], 0.0)
    means = [bandit.policy @ bandit.arrows(b) for b in (-2.0, 0.0, 3.0)]
    assert "the same for every b" in words.SIMPLEX_ALT
    np.testing.assert_allclose(means[1:], means[:1] * 2)
    assert "zero for b at least 0, rising to one half" in words.NEVER_ALT
    never = [never_good_arm(0.5, b) for b in (1.0, 0.0, -0.5, -1.0, -3.0, -1000.0)]
    assert never[:2] == [0, 0] and never == sorted(never)
    assert never[-1] == pytest.approx(0.5)
