"""The Seeds page in words: each sentence that states a result, from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pgcore import stats
from pgcore.plotting.bands import BANDS
from pgcore.stats import Coverage, Interval, Lottery, proportion_interval
from ui.shell.question import Mark

LOTTERY = Mark(
    "lottery",
    "A study trains 10 seeds of each algorithm and ranks the algorithms by their mean. In how many "
    "of 100 such studies is the whole ranking right?",
    "Studies with the right ranking, in percent", 0, 100, 1, "%", near=5, usual=(60, 90),
)  # fmt: skip


class Checked(NamedTuple):
    """A check of the lottery's intervals: how many of CHECKED_POOLS pools had one with the truth
    inside, where two normal populations lie so many standard deviations apart."""

    gap: float
    both: int  # of the intervals that are shown
    draws_alone: int  # of intervals that take the pool for the truth


# `stats.lottery_coverage` takes minutes; a slow test counts again.
CHECKED_POOLS, CHECKED_SIZE, CHECKED_N = 400, 300, 10
CHECKS = (Checked(0.1, 393, 104), Checked(0.4, 385, 107))
UNCERTAIN = 0.05  # resampled pools in another order: from there on the page says so

TERMS = {  # of the glossary, by what the page calls them: bands, intervals
    "std": "std", "error": "standard_error", "95%": "t_interval", "bootstrap": "resampling",
    "iqm": "iqm", "t interval": "t_interval",
}  # fmt: skip


def question(label: str, pool: int, algorithms: int) -> Mark:
    """LOTTERY with its setting: the score, the seeds in the pool, and how many algorithms."""
    return replace(
        LOTTERY,
        text=f"The pool holds {pool:,} seeds of each of {algorithms} algorithms. A study draws 10 "
        f"seeds of each, and ranks the algorithms by their mean {label}. In how many of 100 such "
        "studies is the whole ranking right?",
    )


def spread(name: str, label: str, scores: ArrayLike) -> str:
    """How far apart seeds end that differ in nothing else; terms are linked."""
    band, mean = stats.quantile_band(scores, 0.9), stats.mean_t_interval(scores)
    return (
        f"{mean.n:,} agents of **{name}** differ only in their [[seed|seed]]: nine of ten have a "
        f"{label} between **{band.low:.0f}** and **{band.high:.0f}**, and the mean is {mean:.0f}."
    )


def lines_alt(name: str, final: ArrayLike) -> str:
    """The chart of every seed in words; the same whatever is picked, for another text would build
    the chart anew."""
    band = stats.quantile_band(final, 0.9)
    return (
        f"Episodic return against environment steps, a thin line for each of {band.n} seeds of "
        f"{name}, with median and quantiles. 90% of the seeds end between {band.low:.0f} and "
        f"{band.high:.0f}, the median at {band.estimate:.0f}."
    )


def distribution_alt(label: str, scores: Mapping[str, ArrayLike]) -> str:
    """The histograms of a score in words; the scores by the algorithms' names."""
    means = "; ".join(f"{name} {stats.mean_t_interval(x):.0f}" for name, x in scores.items())
    n = min(len(np.asarray(x)) for x in scores.values())
    return f"Histogram of the {label}; means with 95% intervals: {means}; n = {n} each."


def rank(scores: np.ndarray, place: int) -> int:
    """1 for the best; equal scores share the better rank."""
    return int((scores > scores[place]).sum()) + 1


def one_agent(name: str, seed: int, place: int, scores: Mapping[str, np.ndarray]) -> str:
    """The agent in focus: its scores and their ranks.

    Args:
        place: of the seed among those of the scores.
        scores: [S] by label.
    """
    parts = [f"{label} {x[place]:.0f}, rank {rank(x, place):,}" for label, x in scores.items()]
    n = len(next(iter(scores.values())))
    return (
        f"**{name}, seed {seed}**: {'; '.join(parts)}, of n = {n:,} seeds. Click near a line to "
        "choose another."
    )


def band_title(key: str, n: int) -> str:
    """A band's name, its term linked, and how many seeds it is made of."""
    name = BANDS[key].name
    return f"**[[{TERMS[key]}|{name}]]**  \nn = {n}" if key in TERMS else f"**{name}**  \nn = {n}"


def widths(name: str, label: str, scores: ArrayLike) -> str:
    """Two bands of the same seeds, and which of them is wider."""
    n = len(np.asarray(scores))
    if n < 2:
        return "One seed has no spread and no interval: a band needs at least n = 2 seeds."
    std, mean = stats.std_band(scores), stats.mean_t_interval(scores)
    wide, narrow = std.high - std.low, mean.high - mean.low
    than = "narrower" if narrow < wide else "wider"
    return (
        f"With n = {n} seeds of **{name}** the 95% t interval of the {label} is {than} than mean ± "
        f"standard deviation: **{narrow:.0f}** against **{wide:.0f}**."
    )


def bands_measured(
    n: int, pool: int, episodes: int, label: str, numbers: Mapping[str, Sequence[str]]
) -> str:
    """What all bands are made of, and each one's numbers, by its name; terms are linked."""
    said = "\n".join(f"- {name}: {'; '.join(each)}" for name, each in numbers.items())
    return (
        f"All charts show the same runs. The solid line and its band are made of the first {n} of "
        f"{pool:,} seeds. The dashed line is the mean of all {pool:,} (their [[iqm|IQM]] or median "
        f"in the last two). Each evaluation is the mean of {episodes} episodes. The bands of the "
        f"{label}:\n\n{said}"
    )


def first_alt(title: str, label: str, conclusions: Mapping[str, str]) -> str:
    """What the first seeds conclude of a pair, by the size of the study ("n = 3")."""
    said = "; ".join(f"{n} {conclusion}" for n, conclusion in conclusions.items())
    return f"{title}, {label}, 95% intervals: {said}"


def conclusions_alt(title: str, shares: Sequence[tuple[str, str, float, int]]) -> str:
    """What separate studies conclude of a pair.

    Args:
        shares: size of a study ("n = 3"), conclusion, its share, and of how many studies.
    """
    said = "; ".join(
        f"{n} {conclusion} {share:.0%} of {count}" for n, conclusion, share, count in shares
    )
    return f"{title}: what separate studies conclude, {said}"


def compared(label: str, pool: int, sizes: Sequence[int], n: int) -> str:
    """How the comparisons are made, and of how many seeds and studies; terms are linked."""
    studies = ", ".join(f"{pool // size} studies of {size}" for size in sizes)
    return (
        f"A line is the 95% interval of the difference in {label} by the first n seeds. A bar "
        f"counts what separate studies of n seeds from this pool conclude: {studies}. Blue means "
        "that the first is better, grey that the two are not told apart, red that it is worse. "
        f"The table is made of the first {n} seeds. It holds the [[p_value|p values]] of "
        "[[welch|Welch's t test]], of [[holm|Holm's correction]] over all pairs, and of a "
        "[[permutation|permutation test]]. The bars have [[wilson|Wilson's intervals]]."
    )


def split(pool: int, episodes: int) -> str:
    """How the variance is split, and of how many seeds and episodes; terms are linked."""
    return (
        f"The last evaluation of n = {pool:,} seeds, {episodes} episodes each, is split by a model "
        "of random effects; brackets hold 95% [[t_interval|t intervals]]. It is always the final "
        "return. The dashed line is the [[standard_error|standard error]] with endless episodes, "
        "which only more seeds lower."
    )


def coverage_alt(measured: Sequence[Coverage]) -> str:
    """How often both intervals hold the truth, by the seeds in a study."""
    return "Coverage: " + "; ".join(
        f"n = {c.n}, t {c.t.estimate:.0%}, bootstrap {c.bootstrap.estimate:.0%}" for c in measured
    )


def covered(name: str, label: str, pool: int, studies: int) -> str:
    """What counts as the truth, and how the studies are drawn; terms are linked."""
    return (
        f"The truth is the mean {label} of the pool of {name}, n = {pool:,} seeds. On the left no "
        f"seed stands in two studies. On the right {studies:,} studies are drawn from the pool "
        "with replacement, and the shares have [[wilson|Wilson's intervals]]."
    )


def told_apart(pairs: Sequence[tuple[str, Interval, float]], n: int) -> str:
    """How many pairs the first n seeds tell apart, and the largest difference; terms are linked.

    Args:
        pairs: title, difference with its 95% interval, and p after Holm's correction.
    """
    apart = sum(p < 0.05 for _, _, p in pairs)
    title, largest, _ = max(pairs, key=lambda pair: abs(pair[1].estimate))
    many = (
        f"{apart or 'none'} of {len(pairs)} pairs"
        if len(pairs) > 1
        else ("the pair" if apart else "nothing")
    )
    return (
        f"After [[holm|Holm's correction]] the first {n} seeds of each tell **{many}** apart. The "
        f"largest difference is {largest:.0f}, {title}.".replace(" -", " −").replace("[-", "[−")
    )


def sources(name: str, between: Interval, within: Interval, episodes: int) -> str:
    """Which part of the variance of one final return the seed makes.

    Args:
        between, within: variances between seeds, and of the mean of `episodes` episodes.
    """
    if between.low <= 0:
        return (
            f"These n = {between.n:,} seeds of **{name}** do not show that agents differ at all: "
            f"their variance is {between:,.0f}, beside {within:,.0f} of judging by {episodes} "
            "episodes.".replace(" -", " −").replace("[-", "[−")
        )
    share = between.estimate / (between.estimate + within.estimate)
    return (
        f"For **{name}** the seed makes **{share:.0%}** of a final return's variance "
        f"({between:,.0f}). Judging by {episodes} episodes makes the rest ({within:,.0f}; "
        f"n = {between.n:,} seeds)."
    )


def risk(winner: Interval, ranking: Interval, n: int) -> str:
    """How often studies of n seeds mislead; the intervals hold the pool's uncertainty too."""
    return (
        f"With **n = {n}** seeds of each, the wrong algorithm wins **{winner:.0%}** of the time, "
        f"and the whole ranking is wrong {ranking:.0%}."
    )


def two_uncertainties(lottery: Lottery) -> str:
    """Where the intervals of a lottery come from, in plain words."""
    return (
        "The 95% intervals of the [[lottery]] hold two uncertainties: the [[pool]] is only "
        f"{lottery.wrong_winner.n:,} seeds of each algorithm, and the studies are only "
        f"{lottery.draws:,} draws from it, with replacement."
    )


def order_of_pools(lottery: Lottery, names: list[str]) -> str:
    """The order that counts as the truth, best first, and how sure it is.

    Args:
        names: of `lottery.ranking`, in its order.
    """
    order = f"The truth is taken to be the order of the pool's means: {' > '.join(names)}."
    share, n = lottery.other_ranking, lottery.wrong_winner.n
    if share == 0:
        return f"{order} The {n:,} seeds were resampled many times, and the order never changed."
    doubt = "**uncertain**" if share > UNCERTAIN else "rather sure"
    words = f"{share:.0%}" if share >= 0.01 else "under 1%"
    return (
        f"{order} That order is itself {doubt}: another {n:,} seeds, resampled from these, gave "
        f"another order in {words} of the resamples."
    )


def doubt(lottery: Lottery) -> str:
    """That the order of the pool's means is uncertain, where it is; else nothing."""
    if lottery.other_ranking <= UNCERTAIN:
        return ""
    return (
        "What counts as the right ranking is **uncertain** itself: pools of "
        f"{lottery.wrong_winner.n:,} seeds, resampled from this one, gave another in "
        f"{lottery.other_ranking:.0%} of the resamples."
    )


def how_good(checks: Sequence[Checked] = CHECKS) -> str:
    """How often the lottery's interval held a truth that was known, and one of the draws alone."""
    said = [
        f"{CHECKED_POOLS} pools of {CHECKED_SIZE} seeds were drawn from two normal populations, "
        f"whose true risk is known. Each pool played a lottery with n = {CHECKED_N}."
    ]
    for check in checks:
        both, alone = (
            proportion_interval(count, CHECKED_POOLS) for count in (check.both, check.draws_alone)
        )
        said.append(
            f"With means {check.gap:g} standard deviations apart, the 95% interval of a wrong "
            f"ranking held the truth in {both:.0%} of the pools. An interval of the draws alone "
            f"held it in {alone:.0%}."
        )
    return " ".join(said)


def lottery_answer(
    right: Interval, score: str, closest: tuple[str, str], needed: str, between: str
) -> str:
    """How often the ranking of 10 seeds is right, and what would tell the closest two apart.

    Args:
        right: the share of right rankings.
        closest: the better and the worse of the two whose means differ least.
        needed, between: seeds of each at the effect's estimate, and over its interval.
    """
    better, worse = closest
    return (
        f"With 10 seeds the ranking by {score} is right {right:.0%} of the time (pools of "
        f"{right.n:,} seeds). To tell {better} from {worse}, the closest two, takes about {needed} "
        f"seeds of each. That number is rough: over the effect's 95% interval it is {between}."
    )


def luck(share: Interval, worst: str, best: str) -> str:
    """How often a seed of the worst algorithm beats one of the best; n counts seeds of both."""
    n_worst, n_best = share.n
    return (
        f"A seed of {worst}, on average the worst, beats one of {best}, the best, in "
        f"**{share:.0%}** of pairs (n = {n_worst:,} and {n_best:,} seeds)."
    )


def needed(difference: int, seeds: Mapping[str, str]) -> str:
    """The seeds of each algorithm that show a difference 80% of the time, by score."""
    each = ", and ".join(f"**{n}** seeds of each by {score}" for score, n in seeds.items())
    return f"To see a difference of {difference} in 80 of 100 studies takes {each}."


def verdict(difference: Interval, better: str, worse: str) -> str:
    """What the interval of better - worse says; `better` is so in the whole pool."""
    n = int(np.min(difference.n))
    if np.isnan(difference.low):
        return f"no verdict from n = {n}"
    if difference.low > 0:
        return f"{better} is better"
    if difference.high < 0:
        return f"{worse} is better, unlike in the whole pool"
    return f"not told apart with {n} seeds"


def missed(kind: str, misses: int, studies: int, n: int) -> str:
    """A title: how many separate studies have an interval without the pool's mean."""
    term = f"[[{TERMS[kind]}|{kind}]]"
    return f"**95% {term}**: {misses} of {studies} studies of n = {n} miss the truth"


def held(coverage: Coverage) -> str:
    """How often both intervals of so many seeds hold the pool's mean."""
    return (
        f"With **{coverage.n} seeds**, the 95% bootstrap holds the truth in "
        f"{coverage.bootstrap:.0%} of the studies, the t interval in {coverage.t:.0%} "
        f"(n = {coverage.t.n:,} studies)."
    )
