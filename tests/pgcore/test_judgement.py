"""The judgement on a formula is right where the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pgcore import Config, train
from pgcore.formula import FormulaError, parse
from pgcore.gradients import examine, weights
from pgcore.gradients.judgement import (
    CERTAIN,
    DOUBTFUL,
    SPELLINGS,
    Judgement,
    Twin,
    judge,
    spelled,
    twin_of,
)

CONFIG = Config(num_seeds=1, total_timesteps=2000, eval_interval=500)
ROW = train(CONFIG).checkpoints[2, 0]
REPORT = examine(ROW, CONFIG, 1000, algorithms=("policy_gradient", "batch_mean", "actor_critic"))


def judged(text: str) -> Judgement:
    return judge(REPORT.windows, REPORT.reference, CONFIG.replace(formula=text))


def test_half_of_q_leaves_half_of_the_gradient_and_a_quarter_of_the_variance():
    half = judged("b = 0.5 * q")
    assert half.bias == "biased"
    assert half.measured.ratio.estimate == pytest.approx(0.25, rel=1e-3)
    plain = REPORT.measurements["policy_gradient"].projection
    added = half.measured.added.along
    assert added.low < -0.5 * plain.estimate < added.high
    assert half.twin is None


def test_the_value_itself_is_known_as_such():
    found = judged("b = v")
    assert found.bias == "identical"
    assert found.against_critic.estimate == 1
    assert found.twin == Twin("actor_critic", True)


def test_rounding_alone_is_no_bias():
    found = judged("psi = (3 * q - 3 * v) / 3 + 0.1 - 0.1")
    assert found.twin is not None
    assert found.twin.key == "actor_critic"
    assert found.bias == "identical"


def test_an_absurd_constant_is_noisy_and_not_biased():
    found = judged("b = 100")
    assert found.bias == "none seen"
    assert found.measured.ratio.low > 10
    assert found.measured.added.along.low < 0 < found.measured.added.along.high


def test_a_baseline_of_the_action_is_biased():
    found = judged("b = 20 * a")
    assert found.bias == "biased"
    assert found.measured.added.relative.low > 1


def test_the_formula_measures_as_the_estimator_it_spells():
    found, batch_mean = judged("b = mean(q)"), REPORT.measurements["batch_mean"]
    assert found.measured.ratio.estimate == pytest.approx(batch_mean.ratio.estimate, rel=1e-4)
    along = batch_mean.added.along.estimate
    assert found.measured.added.along.estimate == pytest.approx(along, abs=1e-3)
    assert found.twin is not None
    assert found.twin.key == "batch_mean"


@pytest.mark.parametrize("text", ["psi = q / (a - a)", "psi = exp(q * q)", "b = log(v - 100)"])
def test_what_is_no_number_is_refused_and_not_measured(text):
    with pytest.raises(FormulaError, match=r"gives (NaN|infinity|a number beyond)"):
        judged(text)


@pytest.mark.parametrize("key", SPELLINGS)
def test_every_spelling_is_its_estimator_by_tree_and_by_numbers(key):
    assert spelled(parse(SPELLINGS[key])) == key
    config = CONFIG.replace(formula=SPELLINGS[key])
    psi = weights(REPORT.windows, config, ["formula"])["formula"]
    assert twin_of(REPORT.windows, CONFIG, psi) == Twin(key, True)  # the same bits


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("psi = q - v", "actor_critic"),
        ("Q - V", "actor_critic"),
        ("b = 5", "constant"),
        ("b = .5", "constant"),
        ("b = v + 0", None),
        ("b = gamma", None),
        ("psi = v - q", None),
    ],
)
def test_a_spelling_is_a_matter_of_the_tree(text, key):
    assert spelled(parse(text)) == key


def test_other_weights_have_no_twin():
    q = REPORT.windows.batch.q_values
    assert twin_of(REPORT.windows, CONFIG, q) == Twin("policy_gradient", True)
    assert twin_of(REPORT.windows, CONFIG, q * np.float32(1.0001)) is None
    nearly = twin_of(REPORT.windows, CONFIG, q * np.float32(1.000001))
    assert nearly == Twin("policy_gradient", False)


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.0009, "biased"),
        (CERTAIN, "doubtful"),
        (0.049, "doubtful"),
        (DOUBTFUL, "none seen"),
        (1.0, "none seen"),
        (np.nan, "doubtful"),  # the difference has a direction without spread: no test
    ],
)
def test_a_bias_is_as_certain_as_its_test(p, said):
    plain = judged("b = 100")
    added = plain.measured.added
    measured = replace(plain.measured, added=replace(added, test=added.test._replace(p=p)))
    assert replace(plain, measured=measured).bias == said
