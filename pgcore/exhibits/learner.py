"""A learner of which an exhibit replaces one function; the others are the compiled learner's.

Learner(gradient=...)       any of the five functions of `pgcore.learners`
weighing(weight)            another weight Psi
aiming(targets)             other targets Q, for the policy and the critic
fitting(targets)            other targets for the critic alone
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pgcore.batch import Batch
from pgcore.config import Config
from pgcore.learners import compiled

Weight = Callable[[Batch, Config], np.ndarray]  # -> [S, T]


@dataclass(frozen=True)
class Learner:
    """The five functions; see `pgcore.learners` for what each is given and returns."""

    collect: Callable[..., Any] = compiled.collect
    assess: Callable[..., Batch] = compiled.assess
    gradient: Callable[..., np.ndarray] = compiled.gradient
    step: Callable[..., Any] = compiled.step
    evaluate: Callable[..., np.ndarray] = compiled.evaluate


def numbers(x: np.ndarray) -> np.ndarray:
    """As the compiled learner wants its arrays."""
    return np.ascontiguousarray(x, np.float32)


def weighing(weight: Weight) -> Callable[[], Learner]:
    """A learner whose policy loss has this weight Psi [S, T] and no other."""

    def gradient(params, batch, psi, index, config):
        return compiled.gradient(params, batch, numbers(weight(batch, config)), index, config)

    return _made(Learner(gradient=gradient), weight)


def aiming(targets: Weight) -> Callable[[], Learner]:
    """A learner whose targets Q [S, T] are these, in the weight and in the critic's loss."""

    def assess(rollout, params):
        batch = compiled.assess(rollout, params)
        return replace(batch, q_values=numbers(targets(batch, rollout.config)))

    return _made(Learner(assess=assess), targets)


def fitting(targets: Weight) -> Callable[[], Learner]:
    """A learner whose critic is fitted to these targets [S, T]; the weight stays as it is."""

    def gradient(params, batch, psi, index, config):
        fitted = replace(batch, q_values=numbers(targets(batch, config)))
        return compiled.gradient(params, fitted, psi, index, config)

    return _made(Learner(gradient=gradient), targets)


def _made(learner: Learner, differs: Weight) -> Callable[[], Learner]:
    """What makes this learner, with the function in which it differs as `differs`."""

    def make() -> Learner:
        return learner

    make.differs = differs  # type: ignore[attr-defined]
    return make
