"""The Seeds page in words: each sentence that states a result, from what was measured."""

from __future__ import annotations

from pgcore.stats import Interval, Lottery


def risk(winner: Interval, ranking: Interval, n: int) -> str:
    """How often studies of n seeds mislead; the intervals hold the pool's uncertainty too."""
    return (
        f"With **n = {n}** seeds of each, the wrong algorithm wins **{winner:.0%}** of the time, "
        f"and the whole ranking is wrong {ranking:.0%}."
    )


def two_uncertainties(lottery: Lottery) -> str:
    """Where the intervals of a lottery come from, in plain words."""
    return (
        "The 95% intervals hold two uncertainties: the pool is only "
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
        return f"{order} No other {n:,} seeds, resampled from these, gave another order."
    doubt = "**uncertain**" if share > 0.05 else "rather sure"
    words = f"{share:.0%}" if share >= 0.01 else "under 1%"
    return (
        f"{order} That order is itself {doubt}: another {n:,} seeds, resampled from these, gave "
        f"another order in {words} of the resamples."
    )
