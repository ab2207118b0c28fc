"""The Seeds page's sentences: their numbers, their n, and what they say of a doubtful order."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pgcore import stats
from pgcore.plotting.bands import areas
from pgcore.stats import Coverage, Interval, Lottery
from ui.seeds import words
from ui.shell.glossary import TERM, linked

WINNER, RANKING = Interval(0.2, 0.1, 0.3, 300), Interval(0.4, 0.3, 0.6, 300)


def lottery(other: float) -> Lottery:
    return Lottery(("a", "b"), WINNER, RANKING, other, 10, 2000)


def test_the_risk_names_n_and_keeps_winner_and_ranking_apart():
    text = words.risk(WINNER, RANKING, 10)
    assert "**n = 10** seeds of each" in text
    assert "wrong algorithm wins **20% [10%, 30%]** of the time" in text
    assert "ranking is wrong 40% [30%, 60%]" in text


def test_both_uncertainties_are_named_with_their_numbers():
    text = words.two_uncertainties(lottery(0.0))
    assert "only 300 seeds of each algorithm" in text and "only 2,000 draws" in text


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (0.0, "The 300 seeds were resampled many times, and the order never changed."),
        (
            0.004,
            "rather sure: another 300 seeds, resampled from these, gave another order in under 1%",
        ),
        (0.03, "rather sure: another 300 seeds, resampled from these, gave another order in 3%"),
        (0.16, "**uncertain**: another 300 seeds, resampled from these, gave another order in 16%"),
    ],
)
def test_the_order_is_as_sure_as_its_resamples(other, said):
    text = words.order_of_pools(lottery(other), ["Best", "Second"])
    assert "Best > Second." in text and said in text


@pytest.mark.parametrize(("other", "percent"), [(0.0, ""), (0.05, ""), (0.06, "6%"), (0.5, "50%")])
def test_an_uncertain_order_is_said_beside_the_risk(other, percent):
    text = words.doubt(lottery(other))
    assert bool(text) == bool(percent)
    if percent:
        assert f"pools of 300 seeds, resampled from this one, gave another in {percent} of" in text


def test_how_good_the_interval_is_names_both_intervals_their_shares_and_n():
    text = words.how_good((words.Checked(0.2, 380, 100), words.Checked(0.5, 372, 120)))
    assert text.startswith("400 pools of 300 seeds were drawn") and "with n = 10." in text
    assert text.count("With means") == 2
    for gap, both, alone in (("0.2", "95% [92%, 97%]", "25% [21%, 29%]"),
                             ("0.5", "93% [90%, 95%]", "30% [26%, 35%]")):  # fmt: skip
        said = text.split(f"With means {gap} standard deviations apart, the 95% interval of a ")[1]
        assert said.startswith(f"wrong ranking held the truth in {both} of the pools. An interval")
        assert f"of the draws alone held it in {alone}." in said
    assert words.how_good() == words.how_good(words.CHECKS)


@pytest.mark.slow
@pytest.mark.parametrize("check", words.CHECKS)
def test_the_check_of_the_lottery_s_interval_counts_as_it_says(check):
    """Minutes for each; one pool more or less is the rounding of another machine."""
    normal = stats.POPULATIONS["normal"]
    found = stats.lottery_coverage(
        {"x": normal, "y": normal + check.gap}, words.CHECKED_N, words.CHECKED_SIZE,
        words.CHECKED_POOLS,
    )  # fmt: skip
    pools = words.CHECKED_POOLS
    assert found.both.estimate * pools == pytest.approx(check.both, abs=1)
    assert found.draws_alone.estimate * pools == pytest.approx(check.draws_alone, abs=1)


def test_the_answer_names_both_of_the_closest_and_the_seeds_that_it_takes():
    right = Interval(0.6, 0.5, 0.7, 300)
    text = words.lottery_answer(right, "final return", ("Good", "Bad"), "64", "17 to any number")
    assert "is right 60% [50%, 70%] of the time (pools of 300 seeds)" in text
    assert "To tell Good from Bad, the closest two, takes about 64 seeds of each." in text
    assert "interval it is 17 to any number." in text


def test_luck_says_who_beats_whom_and_how_often():
    text = words.luck(Interval(0.23, 0.18, 0.31, (100, 90)), "Bad", "Good")
    assert text.startswith("A seed of Bad, on average the worst, beats one of Good, the best, in ")
    assert "**23% [18%, 31%]** of pairs (n = 100 and 90 seeds)" in text


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1, 9, "Good is better"),
        (-9, -1, "Bad is better, unlike in the whole pool"),
        (-1, 9, "not told apart with 10 seeds"),
        (0, 9, "not told apart with 10 seeds"),
        (-9, 0, "not told apart with 10 seeds"),
        (float("nan"), float("nan"), "no verdict from n = 10"),
    ],
)
def test_an_interval_that_holds_0_tells_nothing_apart(low, high, said):
    assert words.verdict(Interval((low + high) / 2, low, high, (10, 12)), "Good", "Bad") == said


def test_needed_missed_and_held_name_their_numbers():
    text = words.needed(19, {"final return": "496", "area": "27"})
    assert text == (
        "To see a difference of 19 in 80 of 100 studies takes **496** seeds of each by final "
        "return, and **27** seeds of each by area."
    )
    assert linked(words.missed("bootstrap", 3, 20, 5)).endswith(
        ">bootstrap</button>**: 3 of 20 studies of n = 5 miss the truth"
    )
    share = Coverage(Interval(0.92, 0.91, 0.94, 1000), Interval(0.8, 0.77, 0.82, 1000), 5)
    assert words.held(share) == (
        "With **5 seeds**, the 95% bootstrap holds the truth in 80% [77%, 82%] of the studies, "
        "the t interval in 92% [91%, 94%] (n = 1,000 studies)."
    )


# --- what stands over the charts ---

SCORES = np.random.default_rng(1).normal(200, 50, 300)


def test_the_question_names_its_pool_and_its_score():
    asked = words.question("area under the curve", 1000, 3)
    assert "The pool holds 1,000 seeds of each of 3 algorithms." in asked.text
    assert "by their mean area under the curve." in asked.text
    assert asked.name == words.LOTTERY.name and asked.usual == words.LOTTERY.usual


@pytest.mark.parametrize("size", [300, 30])
def test_the_spread_is_the_middle_90_percent_and_the_mean_with_its_interval(size):
    scores = SCORES[:size]
    low, high = np.quantile(scores, [0.05, 0.95])
    text = words.spread("GAE", "final return", scores)
    assert f"{size} agents of **GAE** differ only in their" in text
    assert f"between **{low:.0f}** and **{high:.0f}**" in text
    assert f"the mean is {stats.mean_t_interval(scores):.0f}." in text


@pytest.mark.parametrize(("n", "than"), [(3, "wider"), (10, "narrower"), (300, "narrower")])
def test_the_t_interval_is_wider_than_the_standard_deviation_for_few_seeds_only(n, than):
    text = words.widths("GAE", "final return", SCORES[:n])
    t, std = stats.mean_t_interval(SCORES[:n]), stats.std_band(SCORES[:n])
    assert f"With n = {n} seeds of **GAE**" in text and f" is {than} than" in text
    assert f"**{t.high - t.low:.0f}** against **{std.high - std.low:.0f}**" in text


def test_one_seed_has_no_width():
    assert "at least n = 2 seeds" in words.widths("GAE", "final return", SCORES[:1])


@pytest.mark.parametrize(
    ("p_values", "said"),
    [
        ((0.2, 0.9, 0.06), "tell **none of 3 pairs** apart"),
        ((0.2, 0.01, 0.04), "tell **2 of 3 pairs** apart"),
        ((0.04,), "tell **the pair** apart"),
        ((0.05,), "tell **nothing** apart"),
    ],
)
def test_pairs_are_told_apart_by_the_corrected_p(p_values, said):
    gaps = [Interval(-20.0, -60.0, 20.0, (8, 8)), Interval(9.0, 1.0, 17.0, (8, 8)),
            Interval(3.0, -1.0, 7.0, (8, 8))]  # fmt: skip
    pairs = list(zip(["A − B", "C − D", "E − F"], gaps, p_values, strict=False))
    text = words.told_apart(pairs, 8)
    assert f"the first 8 seeds of each {said}" in text
    assert text.endswith("The largest difference is -20 [−60, 20], A − B.".replace("is -", "is −"))


def test_the_sources_share_the_variance_or_show_no_seed_at_all():
    between, within = Interval(900.0, 500.0, 1300.0, 300), Interval(100.0, 80.0, 120.0, 300)
    text = words.sources("GAE", between, within, 5)
    assert "the seed makes **90%** of a final return's variance (900 [500, 1,300])" in text
    assert "Judging by 5 episodes makes the rest (100 [80, 120]; n = 300 seeds)." in text
    text = words.sources("GAE", Interval(10.0, -50.0, 70.0, 300), within, 5)
    assert "do not show that agents differ at all" in text and "10 [−50, 70]" in text


def test_the_new_sentences_are_short_and_their_terms_known():
    gap = Interval(9.0, 1.0, 17.0, (8, 8))
    between, within = Interval(900.0, 500.0, 1300.0, 300), Interval(100.0, 80.0, 120.0, 300)
    texts = [
        words.question("final return", 300, 3).text,
        words.spread("Policy gradient", "final return", SCORES),
        words.widths("Policy gradient", "final return", SCORES),
        words.told_apart([("A − B", gap, 0.01), ("C − D", gap, 0.5)], 10),
        words.sources("Policy gradient", between, within, 5),
        words.sources("Policy gradient", within, within, 5),
        *(words.band_title(key, 10) for key in areas()),
        words.how_good(),
        words.doubt(lottery(0.5)),
    ]
    for text in texts:
        assert "[[" not in linked(text)
        for sentence in re.split(r"(?<=[.;:?]) ", TERM.sub("term", text)):
            assert len(sentence.split()) <= 25, sentence


# --- what the charts say to a screen reader, and how it was measured ---


def test_the_chart_of_every_seed_is_told_by_its_quantiles_and_n():
    low, median, high = np.quantile(SCORES, [0.05, 0.5, 0.95])
    text = words.lines_alt("GAE", SCORES)
    assert "a thin line for each of 300 seeds of GAE" in text
    assert text.endswith(f"between {low:.0f} and {high:.0f}, the median at {median:.0f}.")


def test_the_distributions_are_told_by_their_means_and_n():
    text = words.distribution_alt("final return", {"Good": SCORES + 50, "Bad": SCORES})
    good, bad = (stats.mean_t_interval(x) for x in (SCORES + 50, SCORES))
    assert text == (
        "Histogram of the final return; means with 95% intervals: "
        f"Good {good:.0f}; Bad {bad:.0f}; n = 300 each."
    )


def test_one_agent_has_its_scores_their_ranks_and_n():
    final, area = np.array([10.0, 30.0, 30.0]), np.array([7.0, 9.0, 8.0])
    text = words.one_agent("GAE", 12, 2, {"final return": final, "area": area})
    assert text.startswith(
        "**GAE, seed 12**: final return 30, rank 1; area 8, rank 2, of n = 3 seeds."
    )
    assert "final return 10, rank 3; area 7, rank 3" in words.one_agent(
        "GAE", 10, 0, {"final return": final, "area": area}
    )


def test_the_bands_name_the_study_the_pool_and_every_number():
    text = words.bands_measured(5, 1000, 20, "area", {"std": ["A 1 [0, 2]", "B 3 [2, 4]"]})
    assert "the first 5 of 1,000 seeds" in text and "the mean of all 1,000 (" in text
    assert "the mean of 20 episodes" in text
    assert text.endswith("The bands of the area:\n\n- std: A 1 [0, 2]; B 3 [2, 4]")


def test_comparisons_are_told_with_their_sizes_shares_and_studies():
    assert words.first_alt("A − B", "area", {"n = 3": "not told apart", "n = 9": "worse"}) == (
        "A − B, area, 95% intervals: n = 3 not told apart; n = 9 worse"
    )
    shares = [("n = 3", "better", 0.25, 100), ("n = 5", "worse", 0.5, 60)]
    assert words.conclusions_alt("A − B", shares) == (
        "A − B: what separate studies conclude, n = 3 better 25% of 100; n = 5 worse 50% of 60"
    )
    text = linked(words.compared("area", 300, (3, 7), 12))
    assert "100 studies of 3, 42 studies of 7. Blue" in text
    assert "made of the first 12 seeds" in text


def test_the_split_and_the_coverage_name_their_n():
    assert "n = 1,000 seeds, 5 episodes each" in linked(words.split(1000, 5))
    share = Coverage(Interval(0.92, 0.91, 0.94, 1000), Interval(0.8, 0.77, 0.82, 1000), 5)
    assert words.coverage_alt([share, share._replace(n=20)]) == (
        "Coverage: n = 5, t 92%, bootstrap 80%; n = 20, t 92%, bootstrap 80%"
    )
    text = linked(words.covered("GAE", "area", 300, 1000))
    assert "the mean area of the pool of GAE, n = 300 seeds" in text
    assert "1,000 studies are drawn" in text
