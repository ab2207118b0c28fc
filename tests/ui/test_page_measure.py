"""The cloud, The parabola, Where variance comes from: what a reader does there, and sees."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Event

import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config, runs
from pgcore.algorithms import ALGORITHMS
from pgcore.gradients import examine
from pgcore.gradients.critic_worth import change_of_r2, critic_explains
from pgcore.gradients.findings import ESTIMATORS
from pgcore.jobs import Engine, Lane
from ui.shell import measure
from ui.shell.lesson import Answer
from ui.variance import words as variance_words

ROOT = Path(__file__).parents[2]
SHOWN = Answer(None, sure=False)  # for a reader who would rather just see
PREDICTED = dict.fromkeys(("right_way", "harm", "critic", "far", "lever"), SHOWN)
SMALL = {"num_seeds": "3", "total_timesteps": "2000", "eval_interval": "500", "batch_size": "8"}


def opened(page: str, predicted: dict[str, Answer] | None = None, **query: str) -> AppTest:
    """A page of the app, once everything on it has been measured."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    app.session_state["answers"] = dict(PREDICTED if predicted is None else predicted)
    for name, value in (SMALL | query).items():
        app.query_params[name] = value
    app.run()
    return settled(app.switch_page(f"pages/{page}.py").run())


def settled(app: AppTest) -> AppTest:
    """Run on, as the page's timers would, until no progress bar is left."""
    for _ in range(100):
        assert not app.exception
        if not app.get("progress"):
            return app
        app.run()
    raise AssertionError("a measurement does not end")


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def table(app: AppTest, column: str):
    """The page's table that has this column."""
    return next(frame.value for frame in app.dataframe if column in frame.value)


# --- measurements that all sessions share ----------------------------------------------------


@pytest.fixture
def engine(monkeypatch) -> Engine:
    """No measurements yet, and none of these is left behind."""
    made = Engine()
    monkeypatch.setattr(measure, "ENGINE", made)
    monkeypatch.setattr(measure, "FIRST_PAINT_SECONDS", 5.0)
    return made


def ask(key: str, work, steps: int = 1000) -> AppTest:
    """One session that asks for one measurement."""

    def page(key, work, steps):
        import streamlit as st

        from ui.shell import measure

        st.text(str(measure.measured(key, work, "Measuring", steps)))

    arguments = {"key": key, "work": work, "steps": steps}
    return AppTest.from_function(page, kwargs=arguments, default_timeout=300).run()


def test_a_measurement_is_made_once_for_all_sessions(engine):
    calls: list[str] = []

    def work(progress):
        calls.append("made")
        return f"result {len(calls)}"

    assert ask("a", work).text[0].value == "result 1"
    assert ask("a", work).text[0].value == "result 1"
    assert ask("b", work).text[0].value == "result 2"
    assert len(calls) == 2
    assert engine.get("a").bytes >= 1000 * measure.STEP_BYTES


def test_a_long_measurement_shows_its_progress_and_then_its_result(engine, monkeypatch):
    monkeypatch.setattr(measure, "FIRST_PAINT_SECONDS", 0.05)
    told, go = Event(), Event()

    def work(progress):
        progress(0.4)
        told.set()
        assert go.wait(300)
        return "the result"

    app = ask("long", work)
    assert app.text[0].value == "None"
    assert told.wait(300)
    app.run()
    assert app.get("progress")[0].text == "Measuring: 40%"
    go.set()
    assert settled(app).text[0].value == "the result"


def test_a_measurement_that_nobody_waits_for_ends_and_can_be_made_again(engine, monkeypatch):
    monkeypatch.setattr(measure, "FIRST_PAINT_SECONDS", 0.05)
    go = Event()

    def work(progress):
        assert go.wait(300)
        progress(0.5)
        return "made"

    app = ask("left", work)
    left = engine.get("left")
    left.asked -= engine.lanes["measurement"].patience + engine.lanes["measurement"].grace + 1
    engine.sweep()
    go.set()
    assert left.finished.wait(300)
    assert left.status == "abandoned"
    assert settled(app.run()).text[0].value == "made"


def test_a_measurement_that_fails_says_so_and_may_be_tried_again(engine):
    outcomes = iter([ValueError("The parameters are not finite"), "made"])

    def work(progress):
        outcome = next(outcomes)
        if isinstance(outcome, ValueError):
            raise outcome
        return outcome

    app = ask("bad", work)
    assert app.text[0].value == "The parameters are not finite"
    assert app.run().text[0].value == "made"


def test_too_many_measurements_are_refused_in_a_sentence(engine, monkeypatch):
    monkeypatch.setattr(measure, "FIRST_PAINT_SECONDS", 0.01)
    engine.lanes = {"measurement": Lane(1, waiting=1)}
    go = Event()
    for key in "ab":
        ask(key, lambda progress: go.wait(300))
    assert "try again in a minute" in ask("c", lambda progress: 0).error[0].value
    go.set()


# --- the policy that is held still -----------------------------------------------------------


def test_a_policy_is_the_same_alone_or_among_others():
    alone, among = (Config(num_seeds=n, total_timesteps=1000) for n in (1, 3))
    for config in (alone, among):
        runs.run(config).finished.wait(300)
    first, second = (measure.frozen(config, 0, 2) for config in (alone, among))
    assert first.identity == second.identity
    assert (first.params == second.params).all()
    assert second.at(1).steps == 500
    assert second.at(0).name == "Actor-critic, seed 0, before training"
    with pytest.raises(ValueError, match="no policy of seed 0 at checkpoint 3"):
        first.at(3)
    with pytest.raises(ValueError, match="no policy of seed 5"):
        measure.frozen(among, 5, 1)


def test_a_policy_does_not_depend_on_settings_that_its_agent_never_reads():
    changed = Config(baseline=5.0, formula="q / 2", gae_lambda=0.5)
    assert measure.as_trained(changed) == Config(gae_lambda=0.5)
    for key, field in (("constant", "baseline"), ("formula", "formula")):
        kept = measure.as_trained(changed.replace(algorithm=key))
        assert getattr(kept, field) == getattr(changed, field)


# --- The cloud -------------------------------------------------------------------------------


def test_the_cloud_waits_for_a_prediction_and_stands_beside_it():
    app = opened("cloud", predicted={})
    _axis, picture = app.get("vega_lite_chart")  # of the question, and the truth beside it
    assert "No update is drawn yet" in picture.proto.alt
    assert "held still: Actor-critic, seed 0, after 500 steps" in app.slider("say_right_way").label
    assert not app.dataframe
    app.slider(key="say_right_way").set_value(97).run()
    next(button for button in app.button if button.label == "I am guessing").click().run()
    share = table(settled(app), "right way").set_index("estimator")["right way"]
    assert len(app.get("vega_lite_chart")) == 10  # four panels, each with its mean below
    assert (
        len([c for c in app.get("vega_lite_chart") if "the mean of n = 4,000" in c.proto.alt]) == 4
    )
    plain = share["Policy gradient"].split("%")[0]
    assert f"You marked 97%. It is lower: **{plain}" in words(app)
    assert f"baseline, {share['Actor-critic']} point the right way" in words(app)
    assert set(table(app, "right way")["estimator"]) >= {"Policy gradient", "GAE", "PPO"}
    assert "REINFORCE" not in set(table(app, "right way")["estimator"])
    assert "REINFORCE updates at the ends of episodes" in words(app)
    assert "(toypole?pole_view=Two+gradients)" in words(app)
    assert "training takes Adam's steps" in words(app)
    assert re.search(r"differ|higher|lower", words(app).split("who learns better.**")[1])
    assert "(n = 3 seeds each)" in words(app)


def test_the_clouds_table_holds_the_librarys_numbers():
    app = opened("cloud")
    policy = measure.frozen(
        Config(
            algorithm="actor_critic", num_seeds=3, total_timesteps=2000, batch_size=8,
            eval_interval=500,
        ),
        0, 1,
    )  # fmt: skip
    report = examine(policy.params, policy.config, measure.NUM_WINDOWS, 0, algorithms=ESTIMATORS)
    shown = table(app, "right way").set_index("estimator")
    for key in ("policy_gradient", "normalized", "running_mean"):
        row, measured = shown.loc[ALGORITHMS[key].name], report.measurements[key]
        assert row["variance / plain PG's"] == f"{measured.ratio}"
        assert row["right way"] == f"{measured.right_way:.0%}"
        assert row["bias of the mean"] == f"{measured.bias.along:+.1%}"


def test_the_constants_panel_changes_with_b_and_the_others_stay():
    app = opened("cloud", baseline="0")
    titles = [text.value for text in app.markdown if text.value.endswith("right")]
    plain, constant = (re.sub(r".*· ", "", titles[k]) for k in (0, -1))
    assert titles[-1].startswith("**Constant, b = 0**")
    assert constant[:3] == plain[:3]  # b = 0 is plain policy gradient
    before = table(app, "right way")
    settled(app.slider(key="set_baseline").set_value(25.0).run())
    after = [text.value for text in app.markdown if text.value.endswith("right")]
    assert after[:-1] == titles[:-1]
    assert after[-1].startswith("**Constant, b = 25**")
    assert not after[-1].endswith(constant)
    assert table(app, "right way").equals(before)
    assert app.session_state["settings"]["baseline"] == 25


def test_other_batches_and_checkpoints_are_measured_anew():
    app = opened("cloud", checkpoint="3", window_steps="16", panels="gae,batch_mean")
    assert "after 1,500 steps" in words(app)
    assert "batches of 16 steps" in words(app)
    assert [text.value.split("**")[1] for text in app.markdown if text.value.endswith("right")] == [
        "Batch mean",
        "GAE",
    ]
    before = table(app, "right way")
    settled(app.select_slider(key="set_window_steps").set_value(1).run())
    assert not table(app, "right way").equals(before)
    assert "A batch of one step" in words(app)
    assert app.session_state["settings"]["window_steps"] == 1
    assert "Batch mean" in words(app)  # the panels stay


def test_what_a_link_cannot_have_is_said():
    app = opened("cloud", checkpoint="99", agent="ppo", seed="0")
    said = " ".join(text.value for text in app.text)
    assert "checkpoint is 99; here it must be from 0 to" in said
    assert "agent is ppo; here it must be one of policy_gradient" in said
    assert "Actor-critic, seed 0, after 500 steps" in words(app)


def test_another_environment_is_refused_in_a_sentence():
    app = opened("cloud", env_id="Acrobot-v1")
    assert "on CartPole alone" in app.info[0].value


def test_a_run_that_takes_long_is_offered_and_not_started():
    app = opened("variance", num_seeds="500", total_timesteps="200000", eval_interval="10000")
    assert any(button.label.startswith("Train this agent, about") for button in app.button)
    assert not app.get("vega_lite_chart")


# --- The parabola ----------------------------------------------------------------------------


def test_the_parabola_waits_for_a_prediction_beside_no_baseline():
    app = opened("parabola", predicted={})
    _axis, picture = app.get("vega_lite_chart")
    assert "Only b = 0 is drawn" in picture.proto.alt
    assert "held still: Actor-critic, seed 0, after 500 steps." in app.slider("say_harm").label
    assert "at one policy" in re.sub("<.*?>", "", words(app))
    assert not app.dataframe


def test_dragging_b_moves_the_variance_and_trains_with_it():
    app = opened("parabola", baseline="0")
    assert len(app.get("vega_lite_chart")) == 3
    assert "With b = 0, against no baseline (n = 3 seeds each): episodic return" in words(app)
    settled(app.slider(key="set_baseline").set_value(30.0).run())
    assert "With b = 30, against no baseline (n = 3 seeds each): episodic return" in words(app)
    assert re.search(
        r"at the end [+-]\d+ \[.*\], (higher|lower|not told apart with 3 seeds)", words(app)
    )
    config = Config(
        algorithm="constant", baseline=30.0, num_seeds=3, total_timesteps=2000, batch_size=8
    )
    assert runs.get(config).status == "done"
    assert "[" in re.search(r"b\* = [\d.]+ (\[.*?\])", words(app)).group(1)


def test_a_far_baseline_is_predicted_and_then_trained():
    app = opened("parabola", predicted={"harm": SHOWN}, num_seeds="5", total_timesteps="10000")
    assert not app.error
    assert "exactly 0" not in words(app)
    (radio,) = app.radio
    radio.set_value(radio.options[0]).run()  # it biases the gradient: wrong, whatever happens
    settled(next(button for button in app.button if button.label == "I am guessing").click().run())
    assert "You predicted *It biases the gradient and slows learning*" in words(app)
    assert "It adds no bias" in words(app)
    assert "exactly 0" in words(app)


# --- Where variance comes from ---------------------------------------------------------------


def test_the_sources_and_the_critic_follow_the_checkpoint():
    app = opened("variance", checkpoint="1")
    assert len(app.get("vega_lite_chart")) == 7  # scatter, three bars, lever, every seed twice
    fit = table(app, "RMSE").set_index("steps learned")
    assert fit.index.tolist() == ["0", "500", "1,000", "1,500", "2,000"]
    assert f"R² = {fit.loc['500', 'R²']}" in words(app)
    settled(app.select_slider(key="set_checkpoint").set_value(4).run())
    assert f"R² = {fit.loc['2,000', 'R²']}" in words(app)
    assert "n = 3 training seeds" in words(app)
    assert re.search(r"After 2,000 steps .* in \d of 3 seeds \(\d+% \[", words(app))


def test_variance_waits_for_a_prediction_beside_the_line_of_agreement():
    app = opened("variance", predicted={})
    (picture,) = app.get("vega_lite_chart")
    assert "Only the line where both agree" in picture.proto.alt
    assert "Actor-critic, seed 0, after 500 steps, is held still" in app.radio[0].label
    assert not app.dataframe


def test_the_lever_is_predicted_beside_the_present_critic_and_then_trained():
    predicted = {"critic": SHOWN}
    app = opened("variance", predicted, checkpoint="4", lever_rate="0.05")
    (radio,) = app.radio
    assert "The critic learns at the rate 0.005." in radio.label
    assert "with its critic at 0.05. After 2,000 steps: does its critic" in radio.label
    alts = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    (before,) = (alt for alt in alts if alt.startswith("R squared of the critic, a point"))
    assert "at rate 0.005" in before and "0.05 " not in before
    assert not any(
        column.startswith("R², rate") for frame in app.dataframe for column in frame.value
    )
    radio.set_value(radio.options[0]).run()
    settled(next(button for button in app.button if button.label == "I am guessing").click().run())
    config = Config(
        algorithm="actor_critic", num_seeds=3, total_timesteps=2000, batch_size=8,
        eval_interval=500,
    )  # fmt: skip
    found = []
    for rate in (0.005, 0.05):
        other = config.replace(critic_learning_rate=rate)
        runs.run(other).finished.wait(300)
        params = [measure.frozen(other, seed, 4).params for seed in range(3)]
        found.append([critic_explains(params[k], other, k).estimate for k in range(3)])
    truth = variance_words.LEVER.texts[variance_words.lever_answer(change_of_r2(*found))]
    assert variance_words.on_the_lever(*found, 0.005, 0.05) in words(app)
    assert truth in words(app).split("You predicted")[1]
    settled(next(b for b in app.button if b.label == "Use 0.05 on the whole page").click().run())
    assert app.session_state["settings"]["critic_learning_rate"] == 0.05
    assert "already learns at the rate 0.05" in app.info[0].value


def test_before_training_there_is_no_lever():
    app = opened("variance", checkpoint="0")
    assert "no critic has learned anything" in app.info[0].value
