"""Why bootstrap: what a reader does there, and sees."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from pgcore import Config
from pgcore.gradients.bootstrapping import CRITIC, CUT, bootstrapping
from pgcore.gradients.findings import find
from ui.bootstrap import words
from ui.shell import measure
from ui.shell.lesson import Answer

ROOT = Path(__file__).parents[2]
SMALL = {"num_seeds": "3", "total_timesteps": "2000", "eval_interval": "500", "batch_size": "8"}


def opened(said: str | None = "shown", **query: str) -> AppTest:
    """The page, once everything on it has been measured; None: the question still stands."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    shown = {"bootstrap": Answer(None, sure=False)}
    app.session_state["answers"] = {} if said is None else shown
    for name, value in (SMALL | query).items():
        app.query_params[name] = value
    app.run()
    return settled(app.switch_page("pages/bootstrap.py").run())


def settled(app: AppTest) -> AppTest:
    """Run on, as the page's timers would, until no progress bar is left."""
    for _ in range(200):
        assert not app.exception
        if not app.get("progress"):
            return app
        app.run()
    raise AssertionError("a measurement does not end")


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def test_the_page_waits_for_a_prediction_and_keeps_it_beside_the_answer():
    app = opened(None)
    (waiting,) = app.get("vega_lite_chart")
    assert "The critic's line is not drawn yet" in waiting.proto.alt
    (radio,) = app.radio
    assert list(radio.options) == words.QUESTION.texts
    radio.set_value(words.QUESTION.texts[0]).run()
    settled(next(button for button in app.button if button.label == "I am guessing").click().run())
    assert len(app.get("vega_lite_chart")) == 3
    assert f"You predicted *{words.QUESTION.texts[0]}*" in text(app)


def test_the_page_says_what_the_library_measures():
    app = opened(checkpoint="4", window_steps="16")
    agent = app.session_state["settings"]
    assert agent["window_steps"] == 16
    policy = _policy(4)
    shared = find(policy.params, policy.config.replace(batch_size=16), measure.NUM_WINDOWS, 0)
    found = bootstrapping(shared.windows, shared.reference, 0, policy.steps)
    for sentence in (
        words.QUESTION.texts[words.answer(found)],
        words.explanation(found),
        words.on_returns(found),
        words.on_updates(found),
        words.on_lengths(found),
        words.on_asked(found),
    ):
        assert sentence in text(app)
    table = app.dataframe[0].value.set_index("what follows a batch")
    for key in (CUT, CRITIC):
        along = f"{found.measurements[key].bias.along:+.1%}"
        assert table.loc[words.MEANINGS[key], "bias along the gradient"] == along


def _policy(checkpoint: int) -> measure.Policy:
    """The page's own policy, which its run has left in the registry."""
    config = Config(
        algorithm="actor_critic", num_seeds=3, total_timesteps=2000, batch_size=8, eval_interval=500
    )
    return measure.frozen(config, 0, checkpoint)


def test_another_batch_and_another_checkpoint_are_measured_anew():
    app = opened(window_steps="32", checkpoint="0")
    before = text(app)
    assert "before training" in before
    assert "a batch of 32 steps" in before and "the lab notebook says" in before
    settled(app.select_slider(key="set_window_steps").set_value(1).run())
    assert "a batch of 1 step." in text(app)
    assert "The cut return of a single step is its own reward, 1." in text(app)
    settled(app.select_slider(key="set_checkpoint").set_value(4).run())
    assert "after 2,000 steps" in text(app)


def test_another_environment_is_refused_in_a_sentence():
    app = opened(env_id="Acrobot-v1")
    assert "on CartPole alone" in app.info[0].value
