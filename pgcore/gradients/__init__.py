"""Gradient variance, measured at a frozen policy and critic.

    windows.py        thousands of batches of one policy, and what truly followed each
    estimates.py      what every estimator makes of the same batches; the true gradient g_inf, the
                      mean of what batches sample, of no function (Nota & Thomas 2020)
    inference.py      resampling, unbiased lengths, the test of bias
    measurement.py    tr Sigma, SNR, cosines and biases of a cloud, with intervals
    parabola.py       variance against a constant baseline
    decomposition.py  where a single step's variance comes from; the critic against the truth
    cloud.py          the clouds on two axes, and against the batch size
    lens.py           one update, step by step
    whole_episodes.py the bias of dividing by the length of whole episodes (REINFORCE)
    report.py         all of it at once
    findings.py       all of it as the lessons read it; arrows.py: single updates on its two axes
    constant_baseline.py, critic_worth.py, judgement.py
                      what one constant, a learned critic and a typed formula are worth
    hindsight.py, outcome.py
                      which action of a batch was the worse, and what the update did about it
    bootstrapping.py  what a target says of the steps after a batch's end, and what it costs
    enumerated.py     ToyPole's windows enumerated, beside windows sampled

One policy is held still, every estimator sees the same batches, and what varies is the estimate
itself. A variance followed through training would mix in that the policies differ.

    from pgcore.gradients import examine
    report = examine(history.checkpoints[-1, 0], history.config)
    report.measurements["actor_critic"].right_way
"""

from pgcore.gradients.cloud import Cloud, Scatter, by_batch_size, project, scatter
from pgcore.gradients.decomposition import CriticFit, Decomposition, Sources, decompose
from pgcore.gradients.estimates import estimates, gradients_of, reference, squared_scores, weights
from pgcore.gradients.inference import hotelling
from pgcore.gradients.lens import Update, inside_update
from pgcore.gradients.measurement import (
    Bias,
    Measurement,
    Reference,
    exact_reference,
    measure,
    reference_of,
)
from pgcore.gradients.parabola import SampledParabola, parabola_of
from pgcore.gradients.report import Report, examine, summary
from pgcore.gradients.whole_episodes import LengthBias, length_bias
from pgcore.gradients.windows import Windows, collect_windows

__all__ = [
    "Bias",
    "Cloud",
    "CriticFit",
    "Decomposition",
    "LengthBias",
    "Measurement",
    "Reference",
    "Report",
    "SampledParabola",
    "Scatter",
    "Sources",
    "Update",
    "Windows",
    "by_batch_size",
    "collect_windows",
    "decompose",
    "estimates",
    "exact_reference",
    "examine",
    "gradients_of",
    "hotelling",
    "inside_update",
    "length_bias",
    "measure",
    "parabola_of",
    "project",
    "reference",
    "reference_of",
    "scatter",
    "squared_scores",
    "summary",
    "weights",
]
