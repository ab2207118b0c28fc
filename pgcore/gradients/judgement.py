"""A judgement on a formula: its bias, its variance, and which estimator it may be.

The bias is judged against Q - V on the same windows: the same target Q, and a baseline that adds
none, so that what differs is the formula's own doing (Hotelling 1931, inference.py). Its size has
one unit, the true gradient's length: `added.along` is signed along the true gradient, -0.5 where
half of its length is lost; `added.relative` is the length in all directions together.

Shapes: N windows, T steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pgcore import formula as formulas
from pgcore.config import Config
from pgcore.formula import Formula
from pgcore.gradients.estimates import gradients_of, weights
from pgcore.gradients.findings import paired_ratio
from pgcore.gradients.measurement import Measurement, Reference, measure
from pgcore.gradients.windows import Progress, Windows, no_progress
from pgcore.stats import Interval

FORMULA, PLAIN, CRITIC, TRUTH = "formula", "policy_gradient", "actor_critic", "monte_carlo"
CERTAIN, DOUBTFUL = 0.001, 0.05  # p below which a bias is there; above which none is seen
ROUNDING = 1e-5  # of the largest weight: float32 has some 7 digits
SPELLINGS = {  # the registered estimators that a formula can spell, as text
    "policy_gradient": "psi = q",
    "batch_mean": "b = mean(q)",
    "actor_critic": "b = v",
    "leave_one_out": "psi = (q - mean(q)) * (T / (T - 1))",
    "running_mean": "b = m",
    "normalized": "psi = ((q - v) - mean(q - v)) / (std(q - v) + 1e-8)",
}
_TREES = {key: formulas.parse(text).psi for key, text in SPELLINGS.items()}


def spelled(formula: Formula) -> str | None:
    """The registered estimator whose tree this is: `b = v` is that of actor_critic."""
    for key, tree in _TREES.items():
        if formula.psi == tree:
            return key
    head, parts = formula.psi.head, formula.psi.parts
    if head == "-" and len(parts) == 2 and parts[0].head == "q" and _is_number(parts[1].head):
        return "constant"
    return None


def _is_number(head: str) -> bool:
    return head[:1].isdigit() or head[:1] == "."


class Twin(NamedTuple):
    """A registered estimator with the same weights on all windows."""

    key: str
    exact: bool  # the same bits; else the same but for rounding


def twin_of(windows: Windows, config: Config, psi: np.ndarray) -> Twin | None:
    """The registered estimator whose weights these are, up to rounding.

    Two formulas that are equal on paper may differ in their last bits, by the order of their
    operations. Training makes such a difference grow, as another seed would.

    Args:
        psi: [N, T] of the formula.
    """
    for key, other in weights(windows, config, SPELLINGS).items():
        if np.array_equal(psi, other):
            return Twin(key, True)
        if np.abs(psi - other).max() <= ROUNDING * np.abs(other).max():
            return Twin(key, False)
    return None


@dataclass(frozen=True)
class Judgement:
    """What the measurement says of a formula; n counts windows (batches)."""

    formula: Formula
    measured: Measurement
    against_critic: Interval  # tr Sigma over actor-critic's, paired
    twin: Twin | None

    @property
    def bias(self) -> str:
        """biased, doubtful, none seen, or identical (to the unbiased weight itself)."""
        if self.twin and self.twin.key == CRITIC:
            return "identical"
        p = self.measured.added.test.p
        if np.isnan(p):  # in some direction the difference does not vary: no test
            return "doubtful"
        return "biased" if p < CERTAIN else "doubtful" if p < DOUBTFUL else "none seen"


def judge(
    windows: Windows, reference: Reference, config: Config, progress: Progress = no_progress
) -> Judgement:
    """Measure `config.formula` on windows that are there already.

    Raises: FormulaError if the formula is NaN or overflows on them.
    """
    psi = weights(windows, config, (PLAIN, CRITIC, FORMULA))
    twin = twin_of(windows, config, psi[FORMULA])
    psi[TRUTH] = windows.mc_q - windows.batch.values
    clouds = gradients_of(windows, psi, progress=lambda share: progress(0.5 * share))
    measured = measure(clouds, reference, base=PLAIN, unbiased=TRUTH, target=CRITIC)[FORMULA]
    progress(1.0)
    ratio = paired_ratio(clouds[FORMULA], clouds[CRITIC])
    return Judgement(formulas.parse(config.formula), measured, ratio, twin)
