"""Exact bandit and ToyPole: what a reader does there, and what the page answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ui.bandit import charts
from ui.shell.lesson import Answer

ROOT = Path(__file__).parents[2]


def opened(page: str, view: str = "") -> AppTest:
    """One page without its frame, at one of its tabs."""
    app = AppTest.from_file(str(ROOT / f"pages/{page}.py"), default_timeout=300)
    app.session_state["framed"] = True
    app.session_state["answers"] = {"free_lunch": Answer(None, sure=False)}
    if view:
        app.session_state[f"set_{'bandit' if page == 'bandit' else 'pole'}_view"] = view
    return healthy(app.run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [button for button in app.button if button.label == label]
    return healthy(button.click().run())


def predict(app: AppTest, option: str) -> AppTest:
    app.radio[0].set_value(option).run()
    return press(app, "I am guessing")


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def charts_shown(app: AppTest) -> int:
    return len(app.get("vega_lite_chart"))


# --- Exact bandit ----------------------------------------------------------------------------


def test_a_preset_moves_the_slider_and_the_numbers_follow():
    app = opened("bandit")
    assert app.slider(key="set_bandit_b").value == 0
    press(app, "V")
    assert app.slider(key="set_bandit_b").value == pytest.approx(2.8)
    table = app.dataframe[0].value.set_index("baseline")
    assert table.loc["yours = 2.8000", "tr Var, 1 pull"] == "0.5112"
    press(app, r"b\*")
    assert "yours = 2.2968" in app.dataframe[0].value["baseline"].tolist()
    assert charts_shown(app) == 2


def test_another_policy_has_another_optimum():
    app = opened("bandit")
    app.slider(key="set_bandit_w1").set_value(20).run()
    names = healthy(app).dataframe[0].value["baseline"].tolist()
    weights = [20 / 28, 3 / 28, 5 / 28]
    best = charts.Bandit(weights, (1, 2, 4)).optimal_baseline
    assert f"b* = {best:.4f}" in names


def test_a_baseline_off_the_new_chart_is_moved_onto_it():
    app = opened("bandit")
    app.slider(key="set_bandit_b").set_value(6.0).run()
    app.slider(key="set_bandit_q3").set_value(-5.0).run()
    low, high = app.slider(key="set_bandit_b").min, app.slider(key="set_bandit_b").max
    assert low <= healthy(app).slider(key="set_bandit_b").value <= high < 6


def test_the_fates_wait_for_a_prediction_and_stand_beside_it():
    app = opened("bandit", "Same variance, other fate")
    assert charts_shown(app) == 5  # with the start of the runs alone
    assert "stuck" not in words(app)
    assert "Every run begins in the middle" in words(app)
    assert "Do 1,000 runs with each, of step size 0.5, end alike?" in app.radio[0].label
    variances = app.dataframe[0].value.set_index("baseline")["tr Var of the first step"]
    assert variances["b* - 1"] == variances["b* + 1"] == "6.5267"
    predict(app, app.radio[0].options[0])
    assert charts_shown(app) == 5
    said = words(app)
    assert "You predicted *Yes: no difference shows*." in said
    assert "It is: *No: the lower baseline gets stuck on a worse arm more often*" in said
    assert said.count(":orange[stuck] **") == 5
    assert "n = 1,000 runs" in said
    shares = app.dataframe[0].value.set_index("baseline")["stuck on a worse arm"]
    assert f"With b\\* − 1, {shares['b* - 1']} of the runs get" in said
    press(app, "Ask again")
    assert "stuck" not in words(app)
    assert "stuck on a worse arm" not in app.dataframe[0].value


def test_two_arms_give_the_closed_form_to_eight_digits():
    app = opened("bandit", "Two arms")
    assert "**0.24221205**" in words(app)
    table = app.dataframe[0].value.set_index("b")
    assert table.loc[-2.0, "simulated"].endswith("%]")
    app.slider(key="set_bandit_never").set_value(0.2).run()
    assert "sooner or later, with probability 1" in words(healthy(app))


# --- ToyPole ---------------------------------------------------------------------------------


def test_the_chain_tells_what_the_policy_is_worth():
    app = opened("toypole")
    assert app.markdown[1].value.endswith("In which state does the next action matter most?")
    assert "15.76 steps on average" in words(app)
    table = app.dataframe[0].value
    assert table["V"].round(8).tolist() == [
        5.50772931,
        6.51714587,
        6.69336255,
        6.18432321,
        4.06031603,
    ]
    app.slider(key="set_pole_gamma").set_value(0.0).run()
    assert healthy(app).dataframe[0].value["V"].tolist() == [1.0] * 5


def test_estimates_stand_beside_truths_and_another_draw_moves_only_the_estimates():
    app = opened("toypole", "Estimates and truths")
    before = app.dataframe[0].value.set_index("baseline")
    assert before.loc["Batch mean", "relative bias, exact"] == "0.463763"
    assert before.loc["Constant 5", "tr Var, exact"] == "0.183220"
    press(app, "Draw others")
    after = app.dataframe[0].value.set_index("baseline")
    for column in before.columns:
        assert (before[column] == after[column]).all() == column.endswith("exact")
    app.slider(key="set_pole_constant").set_value(-2.0).run()
    assert "Constant -2" in healthy(app).dataframe[0].value["baseline"].tolist()


def test_more_windows_narrow_the_interval():
    def width(n: int) -> float:
        app = opened("toypole", "Estimates and truths")
        app.select_slider(key="set_pole_n").set_value(n).run()
        text = healthy(app).dataframe[0].value[f"along g∞, {n:,} windows"][0]
        low, high = text.split("[")[1].rstrip("]").split(", ")
        return float(high) - float(low)

    assert width(10_000) < width(100) / 5


def test_the_batch_means_bias_waits_for_a_prediction():
    app = opened("toypole", "Batch mean")
    assert charts_shown(app) == 1  # with what independent samples lose, and no more
    assert "46.0%" not in words(app) and "still loses" not in words(app) and not app.dataframe
    assert "the discount γ is 0.9." in app.radio[0].label
    predict(app, "About 12.5%")
    assert "It is: *Clearly more than that*" in words(app)
    assert "loses 46.0% of the gradient, 3.7 times 1/T; leave one out loses 38.3%" in words(app)
    assert charts_shown(app) == 1
    assert "still loses 10.2% [" in words(app) and "(n = 4,000 windows)" in words(app)
    lost = app.dataframe[0].value.set_index(["baseline", "steps T"])["lost"]
    assert lost["Batch mean", 8] == "46.03%"
    assert lost["Leave one out", 64].endswith("%]")


def test_lambda_is_best_between_and_zero_is_not_the_quietest_with_an_exact_critic():
    app = opened("toypole", "Lambda")
    assert charts_shown(app) == 1  # with the bias alone
    assert "least" not in words(app) and not app.dataframe
    press(app, "Just show")
    assert "No, some λ between is best" in words(app)
    assert "0.06679 at λ = 0, 0.06594 at λ = 0.14" in words(app)
    app.slider(key="set_pole_error").set_value(0.0).run()
    assert "λ = 0.14." in words(healthy(app))


def test_a_wrong_answer_stays_wrong_when_the_settings_would_make_it_right():
    app = opened("toypole", "Lambda")
    predict(app, "No, λ = 1 is best")
    wrong = verdicts(app)
    assert len(wrong) == 1
    assert "You predicted *No, λ = 1 is best*. It is: *No, some λ between is best*." in wrong[0]
    app.session_state["settings"]["pole_gamma"] = 0.5  # its slider is on another tab
    assert verdicts(healthy(app.run())) == wrong
    assert (
        "The settings have changed since. With the present ones: *No, λ = 1 is best*. "
        "With a critic that errs by ±0.5 at each state and a mean of 100 batches, the total error "
        "is least at λ = 1.00."
    ) in words(app)
    press(app, "Ask again")
    predict(app, "No, λ = 1 is best")
    (right,) = verdicts(app)
    assert "You predicted it: *No, λ = 1 is best*." in right


def verdicts(app: AppTest) -> list[str]:
    """What the page says of a prediction."""
    return [text.value for text in app.markdown if text.value.startswith(":material/")]


@pytest.mark.parametrize("view", ["Estimates and truths", "Batch mean", "Lambda", "Two gradients"])
def test_without_a_gradient_the_page_says_so_and_shows_no_number(view):
    app = opened("toypole", view)
    app.session_state["settings"]["pole_gamma"] = 0.0
    assert "The gradient is zero" in healthy(app.run()).info[0].value
    assert charts_shown(app) == 0 and not app.dataframe and "nan" not in words(app)


def test_two_gradients_differ_and_only_one_is_a_gradient():
    app = opened("toypole", "Two gradients")
    assert "g∞ 0.1094" in words(app)
    assert "4.1° apart" in words(app)
    assert charts_shown(app) == 2


# --- The link --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "query", "key", "value"),
    [
        ("bandit", {"bandit_q3": "-1.5", "bandit_noise": "0.5"}, "set_bandit_q3", -1.5),
        ("bandit", {"bandit_view": "Two arms", "bandit_never": "-2"}, "set_bandit_never", -2.0),
        ("toypole", {"pole_view": "Lambda", "pole_error": "1.5"}, "set_pole_error", 1.5),
    ],
)
def test_a_link_opens_the_page_as_it_was_left(page, query, key, value):
    app = linked(page, query)
    assert app.slider(key=key).value == value
    assert not app.text
    assert {name: app.query_params[name] for name in query}.keys() == query.keys()


def linked(page: str, query: dict[str, str]) -> AppTest:
    """The whole app, its Know pages alone, arriving by a link."""
    app = AppTest.from_string(FRAME.format(page=page), default_timeout=300)
    for name, value in query.items():
        app.query_params[name] = value
    return healthy(app.run())


FRAME = f"""
import runpy
import streamlit as st
from ui.shell import link
from ui.shell.pages import PARAMETERS

st.session_state["framed"] = True
link.read(PARAMETERS)
runpy.run_path("{ROOT}/pages/{{page}}.py")
link.write(PARAMETERS)
"""


# --- a prediction and its verdict ------------------------------------------------------------


def asking() -> None:
    import streamlit as st

    from ui.shell import lesson
    from ui.shell.question import Option, Question

    st.session_state["page"] = "here"
    options = (Option("low", "Not so low."), Option("high", "Not so high."), Option("gone", "No."))
    question = Question("level", "Is it high?", options, usual=0)
    level = st.slider("level", 0, 10, 0)
    if lesson.predict(question) is not None:
        lesson.reveal(question, int(level > 5), f"The level is {level}.")


def answered(option: str) -> AppTest:
    app = AppTest.from_function(asking).run()
    app.radio[0].set_value(option).run()
    return press(app, "I am guessing")


def test_a_verdict_stays_when_a_slider_moves():
    """A wrong answer became "You predicted it" once the settings had moved."""
    app = answered("high")
    wrong = ":material/close: You predicted *high*. It is: *low*. Not so high. The level is 0."
    assert [text.value for text in app.markdown] == [wrong]
    app.slider[0].set_value(9).run()
    assert [text.value for text in app.markdown] == [
        wrong,
        "The settings have changed since. With the present ones: *high*. The level is 9.",
    ]
    app.slider[0].set_value(0).run()
    assert [text.value for text in app.markdown] == [wrong]


def test_a_right_answer_is_said_and_can_be_asked_again():
    app = answered("low")
    assert "You predicted it: *low*" in app.markdown[0].value
    press(app, "Ask again")
    assert app.radio[0].value == "low" or app.radio[0].value is None
    app.slider[0].set_value(9).run()
    app.radio[0].set_value("high").run()
    press(app, "I am guessing")
    assert "You predicted it: *high*" in app.markdown[0].value


def test_who_predicts_nothing_sees_the_present_settings():
    app = press(AppTest.from_function(asking).run(), "Just show")
    assert "It is: *low*. The level is 0." in app.markdown[0].value
    app.slider[0].set_value(9).run()
    assert [text.value for text in app.markdown] == [
        "It is: *high*. The level is 9. With the lab's default settings the answer is "
        "another: *low*."
    ]
