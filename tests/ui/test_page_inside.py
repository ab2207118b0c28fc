"""Inside one update and Your baseline, used as a reader would."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from ui.inside.words import QUESTION

ROOT = Path(__file__).parents[2]
SHORT = {"v": "2", "total_timesteps": "2000", "num_seeds": "2"}


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in (SHORT | query).items():
        app.query_params[name] = value
    app.run()
    return settled(app.switch_page(page).run())


def settled(app: AppTest) -> AppTest:
    """Run until no measurement stands behind a progress bar: each run waits a while for it."""
    for _ in range(100):
        if not app.get("progress"):
            return app
        app.run()
    raise AssertionError("the measurement does not end")


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


def table(app: AppTest, column: str):
    """The page's table that has this column."""
    return next(frame.value for frame in app.dataframe if column in frame.value)


def latex(app: AppTest) -> list[str]:
    return [element.value.strip("$\n") for element in app.latex]


def test_the_film_goes_forward_and_the_estimator_changes_on_the_same_batch():
    app = opened("pages/inside.py", stage="actions")
    assert not app.exception
    assert r"\pi_\theta(a_{16}" in latex(app)[0]
    press(app, "Forward")
    assert latex(app)[0].startswith("Q_{31} = r_{31}")
    press(app, "Forward")
    assert latex(app)[0].startswith("Q_{30} = r_{30}")
    assert app.query_params["stage"] == "returns"
    press(app, "Back")
    assert latex(app)[0].startswith("Q_{31} = r_{31}")
    app.session_state["set_stage"] = "weight"
    app.session_state["set_lens"] = "policy_gradient"
    app.run()
    assert "- 0.00 = +" in latex(app)[0]
    assert "push up" in latex(app)[0]
    assert not app.exception


def test_the_prediction_is_answered_by_this_batch():
    app = opened("pages/inside.py")
    assert not any("clearly worse" in text.value for text in app.markdown)
    assert "bad ones up" not in table(app, "estimator")
    assert "This is batch " in app.radio(key="say_bad_action").label
    app.radio(key="say_bad_action").set_value(QUESTION.texts[1]).run()
    press(app, "I am guessing")
    settled(app)
    (said,) = (text.value for text in app.markdown if "clearly worse" in text.value)
    assert said.startswith(
        f":material/close: You predicted *{QUESTION.texts[1]}*. It is: *{QUESTION.texts[0]}*."
    )
    assert QUESTION.options[1].why in said
    assert any("were played on from it, 256 times each" in text.value for text in app.markdown)
    assert "bad ones up" in table(app, "estimator")


def test_the_film_arrives_at_the_weights_and_says_what_it_shows():
    app = opened("pages/inside.py", lens="policy_gradient")
    assert "- 0.00 = +" in latex(app)[0]
    assert app.query_params.get("stage") is None
    assert any("push 32 of these 32 actions up and 0 down" in text.value for text in app.caption)
    assert table(app, "weight Ψ")["Δ log π"].isna().all()  # not yet


def test_a_link_opens_the_film_where_it_stood():
    app = opened("pages/inside.py", stage="step", at="7", lens="gae", window="5")
    assert r"\log \pi_\theta(a_{7}" in latex(app)[0]
    assert not app.text
    assert {name: app.query_params[name] for name in ("lens", "window", "at")} == {
        "lens": "gae", "window": "5", "at": "7"
    }  # fmt: skip


def test_a_formula_is_judged_and_trained_and_shared():
    app = opened("pages/baseline.py", num_windows="1000", formula="b = 0.5 * q")
    assert not app.exception
    words = " ".join(text.value for text in app.markdown)
    assert "**Biased**" in words
    assert "**As the text suggests**: it reads `q`" in words
    assert "**Trained**, it ends at" in words
    assert latex(app)[0] == r"\Psi_t = Q_t - 0.5 \cdot Q_t"
    assert app.query_params["formula"] == "b = 0.5 * q"


def test_an_error_points_at_the_character_and_the_last_formula_stays():
    app = opened("pages/baseline.py", num_windows="1000", formula="b = v")
    app.text_input(key="baseline_typed").set_value("b = vv").run()
    (said,) = (text.value for text in app.text)
    assert said.replace("\\", "") == "vv is not known here; did you mean v?"
    assert app.code[0].value == "b = vv\n    ^"
    assert latex(app)[0] == r"\Psi_t = Q_t - V_\phi(s_t)"
    assert app.query_params["formula"] == "b = v"
    assert not app.exception


def test_a_formula_without_a_number_is_reported_and_not_drawn():
    app = opened("pages/baseline.py", num_windows="1000")
    settled(app.text_input(key="baseline_typed").set_value("b = log(v - 1000)").run())
    sentences = [text.value for text in app.text]
    assert len(sentences) == 2  # measured, and trained
    assert all("gives NaN at t" in sentence for sentence in sentences)
    assert not any("Variance" in text.value for text in app.markdown)
    settled(app.switch_page("pages/inside.py").run())
    app.session_state["set_lens"] = "formula"
    app.run()
    assert not app.exception
    assert any("no number on this batch" in error.value for error in app.error)


def test_a_formula_that_spells_an_estimator_is_named():
    app = opened("pages/baseline.py", num_windows="1000", formula="b = mean(q)")
    said = " ".join(text.value for text in app.markdown)
    assert "**Known as Batch mean**" in said


def test_reinforce_is_no_lens_and_that_is_said():
    app = opened("pages/inside.py", lens="reinforce")
    assert any("lens is reinforce; here it must be one of" in text.value for text in app.text)
    assert "REINFORCE" not in set(table(app, "estimator")["estimator"])
    assert any("REINFORCE updates at the ends" in text.value for text in app.markdown)


def test_an_example_is_one_click():
    app = opened("pages/baseline.py", num_windows="1000")
    settled(app.button_group(key="baseline_example").set_value("b = 100").run())
    assert latex(app)[0] == r"\Psi_t = Q_t - 100"
    assert app.text_input(key="baseline_typed").value == "b = 100"
    attempts = table(app, "attempt")
    assert attempts["formula"].tolist() == ["q-v", "b=100"]
    assert attempts["bias"].tolist()[0] == "unbiased"
    assert set(attempts["seeds n"]) == {"2"}
    assert table(app, "added bias")["estimator"][0] == "Your baseline"
    press(app, "Clear the list")
    assert table(settled(app), "attempt")["formula"].tolist() == ["b=100"]  # the present one
