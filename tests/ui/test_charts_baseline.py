"""The verdict on a typed baseline: right where the answer is known, and said in plain words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pgcore import Config, stats, train
from pgcore.formula import FUNCTIONS, NAMES, FormulaError, parse
from pgcore.gradients import examine
from pgcore.gradients.inference import BiasTest
from pgcore.gradients.measurement import Bias
from pgcore.plotting import strips
from pgcore.stats import Interval
from ui.baseline import charts as baseline

CONFIG = Config(num_seeds=1, total_timesteps=2000, eval_interval=500)
ROW = train(CONFIG).checkpoints[2, 0]
REPORT = examine(ROW, CONFIG, 1000, algorithms=baseline.LANDMARKS)


def judged(text: str) -> baseline.Verdict:
    return baseline.judge(REPORT.windows, REPORT.reference, CONFIG.replace(formula=text))


@pytest.fixture(scope="module")
def half() -> baseline.Verdict:
    return judged("b = 0.5 * q")


def test_half_of_q_leaves_half_of_the_gradient_and_a_quarter_of_the_variance(half):
    assert half.bias == "biased"
    assert half.measured.ratio.estimate == pytest.approx(0.25, rel=1e-3)
    assert half.kept.low < 0.5 < half.kept.high
    assert half.kept.high - half.kept.low < 0.2
    assert "**Caught in the act**: it reads `q`" in baseline.text_sentence(half)
    assert "p < 0.001, n = 1,000" in baseline.bias_sentence(half)


def test_the_value_itself_is_known_as_such():
    verdict = judged("b = v")
    assert verdict.bias == "identical"
    assert (verdict.kept.estimate, verdict.against_critic.estimate) == (1, 1)
    assert baseline.bias_sentence(verdict).startswith("**Unbiased.**")
    assert "adds no bias" in baseline.text_sentence(verdict)


def test_an_absurd_constant_is_noisy_and_not_biased():
    verdict = judged("b = 100")
    assert verdict.bias == "none seen"
    assert verdict.measured.ratio.low > 10
    assert verdict.kept.low < 1 < verdict.kept.high
    assert "**No bias seen**" in baseline.bias_sentence(verdict)
    assert "adds no bias" in baseline.text_sentence(verdict)


def test_a_baseline_of_the_action_turns_the_gradient():
    verdict = judged("b = 20 * a")
    assert verdict.bias == "biased"
    assert verdict.measured.alignment.high < 0.9
    assert "direction stays" not in baseline.bias_sentence(verdict)
    assert "`a`" in baseline.text_sentence(verdict)


def test_the_formula_measures_as_the_estimator_it_spells():
    verdict, batch_mean = judged("b = mean(q)"), REPORT.measurements["batch_mean"]
    assert verdict.measured.ratio.estimate == pytest.approx(batch_mean.ratio.estimate, rel=1e-4)
    along = batch_mean.added.along.estimate
    assert verdict.measured.added.along.estimate == pytest.approx(along, abs=1e-3)


@pytest.mark.parametrize("text", ["psi = q / (a - a)", "psi = exp(q * q)", "b = log(v - 100)"])
def test_what_is_no_number_is_refused_and_not_measured(text):
    with pytest.raises(FormulaError, match=r"gives (NaN|infinity|a number beyond)"):
        judged(text)


# --- the words, whatever the numbers ---


def with_test(verdict: baseline.Verdict, p: float, relative: float = 0.1) -> baseline.Verdict:
    """The same verdict with another p and bias."""
    measured = verdict.measured
    bias = Bias(Interval(relative, 0.0, 0.2, 1000), measured.added.along, BiasTest(1, 1, p, 5))
    changed = replace(measured, added=bias)
    return replace(verdict, measured=changed)


@pytest.mark.parametrize(
    ("p", "relative", "bias", "words"),
    [
        (1e-9, 0.1, "biased", "**Biased** (Hotelling's T²: p < 0.001, n = 1,000)"),
        (0.01, 0.1, "doubtful", "**Perhaps biased** (Hotelling's T²: p = 0.010"),
        (0.4, 0.1, "none seen", "**No bias seen** (Hotelling's T²: p = 0.400"),
        (np.nan, 0.0, "identical", "**Unbiased.**"),
        (1e-9, 12.0, "biased", "12 [0, 0.2] times the true gradient"),
    ],
)
def test_the_bias_is_said_with_its_certainty(half, p, relative, bias, words):
    verdict = with_test(half, p, relative)
    assert verdict.bias == bias
    assert words in baseline.bias_sentence(verdict)


@pytest.mark.parametrize(
    ("text", "p", "words"),
    [
        ("b = v", 0.4, "by theory it adds no bias."),
        ("b = v", 1e-9, "one test in a thousand errs"),
        ("b = mean(v)", 1e-9, "**Caught in the act**: it gathers states of other steps"),
        ("b = r", 0.4, "is suspect: it reads `r`, which the action decides"),
        ("b = q + r", 0.4, "it reads `q`, `r`, which the action decide"),
        ("psi = 2 * q", 1e-9, "the weight is not Q less a baseline"),
        ("psi = q - 0.1 * q", 1e-9, "Q comes in more than once"),
    ],
)
def test_text_and_measurement_stand_side_by_side(half, text, p, words):
    verdict = replace(with_test(half, p), formula=parse(text))
    assert words in baseline.text_sentence(verdict)


def test_training_is_compared_with_the_critic_and_with_none():
    def trained(**changes):
        return train(Config(num_seeds=3, total_timesteps=1000, **changes))

    critic, plain = trained(algorithm="actor_critic"), trained(algorithm="policy_gradient")
    own = trained(algorithm="formula", formula="b = 15")
    histories = {"actor_critic": critic, "policy_gradient": plain, "formula": own}
    sentence = baseline.learning_sentence(histories)
    gap = stats.difference_interval(critic.final_returns, own.final_returns)
    assert f"{gap.estimate:+.0f} [{gap.low:+.0f}, {gap.high:+.0f}] against actor-critic" in sentence
    assert "n = 3 seeds" in sentence
    same = baseline.learning_sentence(histories | {"formula": plain})
    assert "what policy gradient reaches, seed by seed" in same


# --- the chart and the dictionary ---


def test_the_chart_shows_the_measurements(half):
    rows = baseline.rows(REPORT.measurements | {"formula": half.measured})
    assert len(rows) == 4 * len(baseline.QUANTITIES)
    assert rows["algorithm"].iloc[0] == "formula"
    plain = rows[(rows["algorithm"] == "policy_gradient") & (rows["quantity"] == "variance")]
    assert plain["estimate"].item() == pytest.approx(1)
    axes = baseline.ends(rows)
    for (low, high), quantity in zip(axes, baseline.QUANTITIES, strict=True):
        of = rows[rows["quantity"] == quantity]
        assert low <= of["low"].min()
        assert of["high"].max() <= high
    built = baseline.verdict_spec(axes)
    text = json.dumps(built)
    assert built["width"] == "container"
    assert '"datasets"' not in text
    assert "Your baseline: variance 0.25" in baseline.description(rows)
    for parameter in built["params"]:
        assert text.count(parameter["name"]) > 1  # named, and used


def test_no_variance_has_no_place_on_a_logarithmic_axis():
    nothing = judged("psi = q - q")
    rows = baseline.rows(REPORT.measurements | {"formula": nothing.measured})
    own = rows[rows["algorithm"] == "formula"]
    assert own["quantity"].tolist() == [*baseline.QUANTITIES][1:]
    assert np.isfinite(baseline.ends(rows)).all()


def test_parameters_carry_the_ends_of_the_axes():
    named = strips.parameters([(0.0, 2.0), (-1.0, 3.0)])
    assert {p["name"]: p["value"] for p in named} == {
        "low_0": 0.0, "high_0": 2.0, "low_1": -1.0, "high_1": 3.0
    }  # fmt: skip
    assert [end.to_dict() for end in strips.domain(1)] == [{"expr": "low_1"}, {"expr": "high_1"}]


def test_the_dictionary_holds_every_word():
    names, functions = baseline.names_table(), baseline.functions_table()
    for name in NAMES:
        assert f"| `{name}` |" in names
    for name in FUNCTIONS:
        assert f"| `{name}(" in functions
    for table, columns in ((names, 4), (functions, 2)):
        assert {line.count("|") for line in table.splitlines()} == {columns + 1}


@pytest.mark.parametrize("text", baseline.EXAMPLES)
def test_every_example_is_a_formula(text):
    assert parse(text).text == text
