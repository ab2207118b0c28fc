"""The scoreboard of a reader's formulas: what was measured of each, for the session. No Streamlit.

A formula is the visitor's own text: it stands in the table, as plain text, and in no sentence.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

import pandas as pd

from pgcore.gradients.judgement import Judgement
from pgcore.stats import Interval

MOST = 20
VERDICTS = {
    "identical": "unbiased",
    "none seen": "none seen",
    "doubtful": "perhaps biased",
    "biased": "biased",
}


class Attempt(NamedTuple):
    """One formula at one policy."""

    formula: str
    policy: str  # in words
    bias: str  # a key of VERDICTS
    variance: Interval  # over plain policy gradient's; n counts batches
    right_way: Interval
    final: Interval | None = None  # episodic return at the end of training; n counts seeds


Attempts = dict[Hashable, Attempt]  # by formula, policy and batches, the oldest first


def judged(judgement: Judgement, policy: str) -> Attempt:
    """The attempt that a judgement describes, not trained yet."""
    measured = judgement.measured
    return Attempt(
        str(judgement.formula), policy, judgement.bias, measured.ratio, measured.right_way
    )


def remember(attempts: Attempts, key: Hashable, attempt: Attempt) -> None:
    """Add an attempt, or renew the one of that key, which keeps its return; drop the oldest."""
    before = attempts.get(key)
    final = before.final if before and attempt.final is None else attempt.final
    attempts[key] = attempt._replace(final=final)
    while len(attempts) > MOST:
        del attempts[next(iter(attempts))]


def table(attempts: Attempts) -> pd.DataFrame:
    """The scoreboard as text, a row an attempt, numbered from the oldest."""
    return pd.DataFrame(
        {
            "attempt": number,
            "formula": one.formula,
            "bias": VERDICTS[one.bias],
            "variance / plain PG's": f"{one.variance}",
            "right way": f"{one.right_way:.0%}",
            "batches n": one.variance.n,
            "final return": f"{one.final:.0f}" if one.final else "not trained",
            "seeds n": f"{one.final.n}" if one.final else "",
            "policy": one.policy,
        }
        for number, one in enumerate(attempts.values(), start=1)
    )


def on_the_attempts(attempts: Attempts, policy: str) -> str:
    """How many attempts at this policy are biased, and which of the others scatters least."""
    own = {n: one for n, one in enumerate(attempts.values(), start=1) if one.policy == policy}
    biased = sum(one.bias == "biased" for one in own.values())
    said = f"The test finds a bias in {biased} of {len(own)} attempts at this policy."
    sound = {n: one.variance for n, one in own.items() if one.bias in ("identical", "none seen")}
    if not sound:
        return f"{said} Each of them shows a sign of bias."
    best = min(sound, key=lambda n: sound[n].estimate)
    return (
        f"{said} Of those that show none, attempt {best} has the smallest measured "
        f"variance: {sound[best]} of plain policy gradient's (n = {sound[best].n:,} batches)."
    )
