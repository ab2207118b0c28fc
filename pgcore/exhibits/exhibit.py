"""What an exhibit is: two versions of a few lines, and an experiment that compares them.

An experiment gives one number a seed for each version, for each outcome that is asked about. It is
written so that more is better: a return, or whether a judgement was right.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from pgcore.config import Config
from pgcore.exhibits.learner import Learner
from pgcore.train import stream

Room = Literal["notebook", "public", "none"]
FINAL, AREA = "final return", "mean return over training"
EVALUATIONS = 10  # of a run, so that the curves of all exhibits have as many points


class Runs(NamedTuple):
    """What an experiment found: per seed, as written and corrected."""

    outcomes: dict[str, tuple[np.ndarray, np.ndarray]]  # by name, each pair [S]
    steps: np.ndarray | None = None  # [K] environment steps, where there are learning curves
    written: np.ndarray | None = None  # [K, S] episodic returns
    corrected: np.ndarray | None = None  # [K, S]


Experiment = Callable[[range], Runs]


@dataclass(frozen=True)
class Training:
    """Train both versions on the same seeds, with the loop that trains everything else.

    A version is a config and a learner of which one function may differ. A learner that remembers
    something is made anew for every run, and a run has one thread.
    """

    config: Config  # of the corrected version
    changes: dict[str, Any] = field(default_factory=dict)  # of the version as written
    written: Callable[[], Learner] = Learner
    corrected: Callable[[], Learner] = Learner

    def __call__(self, seeds: range) -> Runs:
        bad = self.train(self.config.replace(**self.changes), self.written, seeds)
        good = self.train(self.config, self.corrected, seeds)
        return Runs(
            {
                FINAL: (bad.final_returns, good.final_returns),
                AREA: (bad.area_under_curve, good.area_under_curve),
            },
            good.eval_steps,
            bad.eval_returns,
            good.eval_returns,
        )

    def train(self, config: Config, learner: Callable[[], Learner], seeds: range):
        """One version's history."""
        config = config.replace(first_seed=seeds[0], num_seeds=len(seeds))
        *_, history = stream(config, threads=1, learner=learner())
        return history


@dataclass(frozen=True)
class LongAndShort:
    """A training at two lengths: the outcomes of both, the curves of the long one."""

    brief: Training
    steps: int  # of the long one

    def __call__(self, seeds: range) -> Runs:
        config = self.brief.config
        longer = config.replace(total_timesteps=self.steps, eval_interval=self.steps // EVALUATIONS)
        brief, lasting = self.brief(seeds), replace(self.brief, config=longer)(seeds)
        outcomes = {
            f"{name}, {length:,} steps": pair
            for runs, length in ((lasting, self.steps), (brief, config.total_timesteps))
            for name, pair in runs.outcomes.items()
        }
        return lasting._replace(outcomes=outcomes)


def short(algorithm: str, steps: int = 10_000, **settings: Any) -> Config:
    """A run with ten evaluations."""
    settings = {"eval_interval": steps // EVALUATIONS} | settings
    return Config(algorithm=algorithm, total_timesteps=steps, **settings)


@dataclass(frozen=True)
class Exhibit:
    """One card of the museum.

    `written` and `corrected` are the few lines that a reader sees. An exhibit either has an
    `experiment`, whose numbers decide, or a `program`, which a child process runs and which ends
    with a traceback.
    """

    title: str
    room: Room
    written: str
    corrected: str
    does: str  # what exactly the lines do, one paragraph
    seen: tuple[str, ...]  # where it happened: a repository and a number, or the lab notebook
    experiment: Experiment | None = None
    program: str = ""
    setting: str = ""  # what was trained or judged, one sentence
    seeds: int = 1000  # of the kept measurement

    @property
    def diff(self) -> str:
        """From the code as written to the corrected one, as a unified diff without a header."""
        lines = difflib.unified_diff(
            self.written.splitlines(), self.corrected.splitlines(), lineterm="", n=12
        )
        return "\n".join(list(lines)[3:])

    @property
    def marked(self) -> list[int]:
        """Lines of `written`, counted from 1, that the correction changes or that it follows."""
        matcher = difflib.SequenceMatcher(
            None, self.written.splitlines(), self.corrected.splitlines(), autojunk=False
        )
        lines = set()
        for kind, first, last, _, _ in matcher.get_opcodes():
            if kind != "equal":
                lines |= set(range(first + 1, last + 1)) or {max(first, 1)}
        return sorted(lines)

    @property
    def source(self) -> str:
        """The functions in which the version that runs here differs from the right one.

        "" where a setting is the difference, or where the program on the card is what runs.
        """
        functions = dict.fromkeys(_functions(self.experiment))
        return "\n\n".join(inspect.getsource(one).rstrip() for one in functions)


def _functions(experiment: Any) -> list[Callable[..., Any]]:
    """The functions that an experiment was made of, Training's own apart."""
    if isinstance(experiment, LongAndShort):
        return _functions(experiment.brief)
    if isinstance(experiment, Training):
        return [*_functions(experiment.written), *_functions(experiment.corrected)]
    if isinstance(experiment, functools.partial):
        return [part for whole in (experiment.func, *experiment.args) for part in _functions(whole)]
    found = getattr(experiment, "differs", experiment)
    return [found] if inspect.isfunction(found) else []
