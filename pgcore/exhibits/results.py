"""What the experiments gave: measured by `python -m pgcore.exhibits`, kept in results.json.

Of the curves the file keeps means and intervals, of the outcomes the intervals, and the first
seeds' numbers, which a second run must give again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pgcore import stats
from pgcore.exhibits import EXHIBITS
from pgcore.exhibits.crash import traceback_of
from pgcore.exhibits.exhibit import Exhibit, Runs
from pgcore.exhibits.verdict import Outcome, Verdict, outcome, verdict
from pgcore.stats import Interval

KEPT = Path(__file__).parent / "results.json"
STARTS = 5  # seeds whose own numbers are kept


class Curve(NamedTuple):
    """A learning curve: mean over seeds and its 95% interval at each evaluation, all [K]."""

    mean: list[float]
    low: list[float]
    high: list[float]


class Measured(NamedTuple):
    """One exhibit's measurement, as the page shows it."""

    n: int  # seeds of each version; 0 for a crash
    first_seed: int
    outcomes: tuple[Outcome, ...] = ()
    starts: Mapping[str, Any] = {}  # by outcome: the first seeds' numbers, written and corrected
    steps: tuple[int, ...] = ()
    curves: Mapping[str, Curve] = {}  # "written" and "corrected"; none for a judgement
    traceback: str = ""

    @property
    def verdict(self) -> Verdict:
        """What these numbers say."""
        return verdict(self.outcomes, self.traceback)


def measure(exhibit: Exhibit, seeds: int | None = None, first_seed: int = 0) -> Measured:
    """Run an exhibit's experiment, or its program in a child process.

    Args:
        seeds: of each version; as many as the kept measurement has, if not given.
    """
    if exhibit.experiment is None:
        return Measured(0, 0, traceback=traceback_of(exhibit.program))
    n = exhibit.seeds if seeds is None else seeds
    return summary(exhibit.experiment(range(first_seed, first_seed + n)), n, first_seed)


def anew(key: str, seeds: int, first_seed: int, tell: Any) -> Measured:
    """`measure` for another process (see pgcore.worker)."""
    return measure(EXHIBITS[key], seeds, first_seed)


def summary(runs: Runs, n: int, first_seed: int) -> Measured:
    """Intervals and curves of what an experiment gave for `n` seeds."""
    among = len(runs.outcomes)
    outcomes = tuple(outcome(name, *pair, among=among) for name, pair in runs.outcomes.items())
    starts = {
        name: [np.round(side[:STARTS], 3).tolist() for side in pair]
        for name, pair in runs.outcomes.items()
    }
    curves = {}
    for side, scores in (("written", runs.written), ("corrected", runs.corrected)):
        if scores is not None:
            band = stats.mean_t_interval(scores.T)
            curves[side] = Curve(*(np.round(x, 2).tolist() for x in band[:3]))
    steps = () if runs.steps is None else tuple(int(step) for step in runs.steps)
    return Measured(n, first_seed, outcomes, starts, steps, curves)


class Kept(NamedTuple):
    """The file: when it was measured, and each exhibit's measurement by key."""

    date: str
    exhibits: Mapping[str, Measured]


def write(measured: Mapping[str, Measured], date: str, path: Path = KEPT) -> None:
    """Write results.json, one line an exhibit."""
    lines = ",\n".join(
        f"{json.dumps(key)}: {json.dumps(_plain(one), ensure_ascii=False)}"
        for key, one in measured.items()
    )
    text = f'{{"date": {json.dumps(date)},\n"exhibits": {{\n{lines}\n}}}}\n'
    path.write_text(text, encoding="utf-8")


def _plain(one: Measured) -> dict[str, Any]:
    if one.traceback:
        return {"traceback": one.traceback}
    outcomes = [
        {
            "name": x.name,
            **{
                side: [round(float(value), 5) for value in getattr(x, side)[:3]]
                for side in ("written", "corrected", "difference")
            },
            "n": int(x.difference.n),
            "margin": x.margin,
        }
        for x in one.outcomes
    ]
    return {
        "n": one.n,
        "first_seed": one.first_seed,
        "outcomes": outcomes,
        "starts": one.starts,
        "steps": one.steps,
        "curves": one.curves,
    }


@lru_cache(maxsize=1)
def load() -> Kept:
    """The kept measurements of the exhibits that there are."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    found = {key: _measured(kept["exhibits"][key]) for key in EXHIBITS if key in kept["exhibits"]}
    return Kept(kept["date"], found)


def _measured(kept: Mapping[str, Any]) -> Measured:
    if "traceback" in kept:
        return Measured(0, 0, traceback=kept["traceback"])
    outcomes = tuple(
        Outcome(
            x["name"],
            _interval(x, "written"),
            _interval(x, "corrected"),
            _interval(x, "difference"),
            x["margin"],
        )
        for x in kept["outcomes"]
    )
    curves = {side: Curve(*curve) for side, curve in kept["curves"].items()}
    return Measured(
        kept["n"], kept["first_seed"], outcomes, kept["starts"], tuple(kept["steps"]), curves
    )


def _interval(kept: Mapping[str, Any], side: str) -> Interval:
    estimate, low, high = kept[side]
    return Interval(estimate, low, high, kept["n"])
