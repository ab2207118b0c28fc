"""The judgement on a typed baseline in plain words, and its chart."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pgcore import Config, stats, train
from pgcore.formula import FUNCTIONS, NAMES, parse
from pgcore.gradients import examine
from pgcore.gradients.inference import BiasTest
from pgcore.gradients.judgement import Judgement, Twin, judge
from pgcore.gradients.measurement import Bias
from pgcore.plotting import strips
from pgcore.stats import Interval
from ui.baseline import charts as baseline
from ui.baseline import words

CONFIG = Config(num_seeds=1, total_timesteps=2000, eval_interval=500)
ROW = train(CONFIG).checkpoints[2, 0]
REPORT = examine(ROW, CONFIG, 1000, algorithms=baseline.LANDMARKS)


def judged(text: str) -> Judgement:
    return judge(REPORT.windows, REPORT.reference, CONFIG.replace(formula=text))


@pytest.fixture(scope="module")
def half() -> Judgement:
    return judged("b = 0.5 * q")


def with_test(
    judgement: Judgement, p: float, along: float = -0.1, twin: Twin | None = None
) -> Judgement:
    """The same judgement with another p, bias and twin."""
    bias = Bias(
        Interval(abs(along), 0.0, 0.2, 1000),
        Interval(along, along - 0.02, along + 0.02, 1000),
        BiasTest(1, 1, p, 5),
    )
    return replace(judgement, measured=replace(judgement.measured, added=bias), twin=twin)


@pytest.mark.parametrize(
    ("p", "along", "said"),
    [
        (1e-9, -0.1, "**Biased** (p < 0.001, n = 1,000)"),
        (0.01, -0.1, "**Perhaps biased** (p = 0.010, n = 1,000)"),
        (0.4, -0.1, "**No bias seen** (p = 0.400, n = 1,000)"),
        (np.nan, -0.1, "**Perhaps biased** (n = 1,000)"),
        (1e-9, -0.1, "by -10.0% [-12.0%, -8.0%] of the true gradient's length, along it"),
        (1e-9, 4.17, "by +417.0% [+415.0%, +419.0%] of the true gradient's length, along it"),
        (1e-9, 12.9, "by +1290.0% [+1288.0%, +1292.0%] of the true gradient's length"),
    ],
)
def test_the_bias_is_said_with_its_certainty_and_in_one_unit(half, p, along, said):
    sentence = words.on_the_bias(with_test(half, p, along))
    assert said in sentence
    assert " times " not in sentence


def test_what_the_chart_shows_is_what_the_sentence_says(half):
    rows = baseline.rows({"formula": half.measured}).set_index("quantity")
    estimate = rows.loc["added bias", "estimate"]
    assert estimate < 0  # half of q is gone
    assert f"{estimate:+.1%}" in words.on_the_bias(half)


def test_the_weights_q_minus_v_are_unbiased(half):
    same = with_test(half, 1e-9, twin=Twin("actor_critic", False))
    assert words.on_the_bias(same).startswith("**Unbiased.** On all 1,000 batches")


def test_the_variance_is_said_against_both(half):
    sentence = words.on_the_variance(half)
    assert f"{half.measured.ratio} of plain policy gradient's" in sentence
    assert f"{half.against_critic} of actor-critic's (n = 1,000 batches)" in sentence


@pytest.mark.parametrize(
    ("text", "p", "said"),
    [
        ("b = v", 0.4, "by theory it adds no bias."),
        ("b = v", 1e-9, "errs once in a thousand"),
        ("b = mean(v)", 1e-9, "**As the text suggests**: it reads states of other steps"),
        ("b = r", 0.4, "is suspect: it reads `r`, which the action decides"),
        ("b = q + r", 0.4, "it reads `q`, `r`, which the action decide"),
        ("psi = 2 * q", 1e-9, "the weight is not Q less a baseline"),
        ("psi = q - 0.1 * q", 1e-9, "Q comes in more than once"),
        ("b = 0.5 * q", 1e-9, "**As the text suggests**: it reads `q`"),
    ],
)
def test_text_and_measurement_stand_side_by_side(half, text, p, said):
    judgement = replace(with_test(half, p), formula=parse(text))
    assert said in words.on_the_text(judgement)


@pytest.mark.parametrize(
    ("text", "twin", "said"),
    [
        ("b = mean(q)", Twin("batch_mean", True), "**Known as Batch mean**: this formula is"),
        ("b = mean(q)", None, "**Known as Batch mean**: this formula is"),
        ("b = 7", None, "**Known as Constant**: this formula is"),
        ("b = v + 0", Twin("actor_critic", True), "**Known as Actor-critic**: the same weights"),
        ("b = mean(q)", Twin("batch_mean", False), "as good as another seed's, and no better"),
    ],
)
def test_a_formula_that_spells_an_estimator_is_called_by_its_name(half, text, twin, said):
    sentence = words.on_the_twin(replace(half, formula=parse(text), twin=twin))
    assert said in sentence
    assert ("seed" in sentence) == (twin is not None and not twin.exact)


def test_a_formula_of_its_own_has_no_other_name(half):
    assert words.on_the_twin(half) == ""


def test_training_is_compared_with_the_critic_and_with_none():
    def trained(**changes):
        return train(Config(num_seeds=3, total_timesteps=1000, **changes))

    critic, plain = trained(algorithm="actor_critic"), trained(algorithm="policy_gradient")
    own = trained(algorithm="formula", formula="b = 15")
    histories = {"actor_critic": critic, "policy_gradient": plain, "formula": own}
    sentence = words.on_learning(histories)
    gap = stats.difference_interval(critic.final_returns, own.final_returns)
    said = "higher" if gap.low > 0 else "lower" if gap.high < 0 else "not told apart with n = 3"
    assert f"{gap.estimate:+.0f} [{gap.low:+.0f}, {gap.high:+.0f}] against actor-critic" in sentence
    assert f"against actor-critic, {said}" in sentence
    final = stats.mean_t_interval(own.final_returns)
    assert f"an episodic return (undiscounted) of {final:.0f} (n = 3 seeds)" in sentence
    same = words.on_learning(histories | {"formula": plain})
    assert "what policy gradient reaches, seed by seed" in same


@pytest.mark.parametrize(
    ("shift", "said"), [(50.0, "higher"), (-50.0, "lower"), (0.1, "not told apart with n = 3")]
)
def test_a_difference_in_return_has_its_sign(shift, said):
    plain = train(Config(num_seeds=3, total_timesteps=1000, algorithm="policy_gradient"))
    own = replace(plain, eval_episode_returns=plain.eval_episode_returns + shift)
    sentence = words.on_learning({"actor_critic": plain, "policy_gradient": plain, "formula": own})
    assert f"against actor-critic, {said}" in sentence
    assert f"{shift:+.0f} [" in sentence


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
    built = baseline.judgement_spec(axes)
    text = json.dumps(built)
    assert built["width"] == "container"
    assert '"datasets"' not in text
    assert "Your baseline: variance 0.25" in words.description(rows)
    for parameter in built["params"]:
        assert text.count(parameter["name"]) > 1  # named, and used


def test_the_table_holds_the_charts_intervals(half):
    table = baseline.written(baseline.rows(REPORT.measurements | {"formula": half.measured}))
    table = table.set_index("estimator")
    assert table.loc["Your baseline", "variance"] == f"{half.measured.ratio}"
    assert table.loc["Your baseline", "right way"] == f"{half.measured.right_way:.1%}"
    assert (table["n"] == 1000).all()
    nothing = judged("psi = q - q")
    rows = baseline.rows(REPORT.measurements | {"formula": nothing.measured})
    assert baseline.written(rows).set_index("estimator").loc["Your baseline", "variance"] == "0"


def test_the_measuring_is_said_with_its_batches():
    said = words.on_the_measuring("Actor-critic, seed 0, before training", 4000, 32)
    assert "n = 4,000 batches of 32 steps (Actor-critic, seed 0, before training)" in said


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
