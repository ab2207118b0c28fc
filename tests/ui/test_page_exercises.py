"""Exercises: the page follows a file on the disk, and runs nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pgcore import exercises
from pgcore.exercises import TASKS, Trial, Verdict, report, seeds
from tests import solutions
from ui.exercises import charts, watched, words

ROOT = Path(__file__).parents[2]
MARKUP = "**bold** ![x](http://127.0.0.1/x) <b>x</b> :red[red] $x$"
MINUS = "policy_loss = -(q_values * log_probs).mean()"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file of the owner's, watched; no seeds are trained beside it."""
    target = tmp_path / "tasks.py"
    monkeypatch.setenv(watched.VARIABLE, str(target))
    monkeypatch.setattr(watched, "_compared", lambda verdicts: False)
    yield target
    watched.SPARE.end()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    return checked(app.switch_page("pages/exercises.py").run())


def checked(app: AppTest) -> AppTest:
    """Run once more when the check of the file as it is now has ended, as the timer would."""
    app.run()
    for kind in ("numbers", "seeds"):
        if kind in watched._current:
            assert watched._current[kind].finished.wait(120)
        app.run()
    assert not app.exception
    return app


def states(app: AppTest) -> list[str]:
    """The word beside each task."""
    labels = [button.label for button in app.button if button.key.startswith("task_")]
    return [re.search(r"badge\[(.*)\]", label)[1] for label in labels]  # type: ignore[index]


def rendered(app: AppTest) -> str:
    """Whatever is shown as Markdown, in labels too."""
    shown = [element.value for element in [*app.markdown, *app.caption, *app.info]]
    return "\n".join([*shown, *(button.label for button in app.button)])


def plain(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.text, *app.code])


def press(app: AppTest, label: str) -> AppTest:
    (button,) = (button for button in app.button if button.label == label)
    return button.click().run()


def test_the_page_follows_the_file_from_nothing_to_a_pass(file):
    app = opened()
    assert words.NEW in plain(app) and words.BEGIN in rendered(app)
    assert set(states(app)) == {"not checked yet"}
    exercises.new(file.parent)
    app = checked(app)
    assert set(states(app)) == {"to write"}
    assert words.MEANING["unwritten"] in rendered(app)
    file.write_text(solutions.LECTURE.replace(MINUS, MINUS.replace("-(", "(")))
    app = checked(app)
    assert states(app) == ["failed", "waits", "waits"] + ["passed"] * 5
    assert "Put a minus before the policy's loss" in plain(app)
    assert "2, 9, 4, -3, 7, 5" in plain(app) and "-2, -9, -4, 3, -7, -5" in plain(app)
    file.write_text(solutions.LECTURE)
    app = checked(app)
    assert states(app) == ["passed"] * 8
    assert "8 of 8 tasks pass." in rendered(app)
    assert "Put a minus" not in plain(app)
    assert "Task 1 ·" in rendered(app)  # the task that was open stays open
    file.unlink()
    app = checked(app)
    assert words.NEW in plain(app)
    assert set(states(app)) == {"not checked yet"}


def test_what_the_file_says_is_never_markdown(file):
    file.write_text(f"print({MARKUP!r})\nraise ValueError({MARKUP!r})\n")
    app = opened()
    assert plain(app).count(MARKUP) >= 2  # what it printed, and the remark
    assert "bold" not in rendered(app) and "<b>" not in rendered(app)
    assert all(
        code.language in (None, "", "plaintext") for code in app.code if MARKUP in code.value
    )


def test_the_file_s_own_name_is_plain_text_too(file, monkeypatch):
    monkeypatch.setenv(watched.VARIABLE, str(file.parent / "**bold**.py"))
    app = opened()
    assert "**bold**.py" in plain(app) and "bold" not in rendered(app)


def test_nothing_on_the_page_takes_code(file):
    exercises.new(file.parent)
    app = opened()
    for kind in ("text_area", "text_input", "file_uploader", "chat_input", "data_editor"):
        assert not app.get(kind)


def test_a_remark_leads_to_the_museum_s_exhibit(file):
    wrong = "values = self.critic(obs).squeeze(-1)", "values = self.critic(obs)"
    file.write_text(solutions.LECTURE.replace(*wrong))
    app = press(opened(), "Bug museum: A column against a row")
    assert not app.exception
    assert any("Bug museum" in text.value for text in app.markdown)
    kept = app.session_state["settings"]
    assert (kept["museum_view"], kept["exhibit"]) == ("Exhibits", "broadcast")


def test_hints_come_one_by_one(file):
    exercises.new(file.parent)
    app = opened(task="gae", v="2")
    assert f"Task 5 · {TASKS['gae'].title}" in rendered(app)
    for number, hint in enumerate(TASKS["gae"].hints, start=1):
        assert hint not in plain(app)
        app = press(app, f"Show hint {number} of 3")
        assert hint in plain(app)
    assert not [button for button in app.button if button.label.startswith("Show hint")]


def test_seeds_follow_the_numbers(file, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv(watched.VARIABLE, str(file))
    monkeypatch.setattr(seeds, "SEEDS", 12)
    monkeypatch.setattr(seeds, "SECONDS", 60.0)
    file.write_text(solutions.LECTURE + "\n# with seeds\n")
    app = checked(opened())
    assert "your agents' mean episodic return is" in rendered(app)
    assert "(n = 12 seeds)" in rendered(app)
    (chart,) = app.get("vega_lite_chart")
    assert "The reference's is" in chart.proto.alt


# --- when it is off ---

OPEN = ("127.0.0.1", "localhost:8501", None)


@pytest.mark.parametrize(
    ("address", "host", "visitor"),
    [
        OPEN,
        ("localhost", "127.0.0.1", None),
        ("::1", "[::1]:8501", None),
        ("127.0.0.1", None, None),
    ],
)
def test_the_owner_alone_sees_the_file(monkeypatch, address, host, visitor):
    monkeypatch.delenv(watched.VARIABLE, raising=False)
    assert watched.is_allowed(address, host, visitor)


@pytest.mark.parametrize(
    "seen",
    [
        (None, *OPEN[1:]),  # every address
        ("0.0.0.0", *OPEN[1:]),
        ("192.168.1.2", *OPEN[1:]),
        ("lab.example.org", *OPEN[1:]),
        ("127.0.0.1", "lab.example.org", None),  # by way of a proxy on the same machine
        ("127.0.0.1", "192.168.1.2:8501", None),
        ("127.0.0.1", "localhost:8501", "192.168.1.3"),
    ],
)
def test_others_do_not_unless_the_owner_says_so(monkeypatch, seen):
    monkeypatch.delenv(watched.VARIABLE, raising=False)
    assert not watched.is_allowed(*seen)
    monkeypatch.setenv(watched.VARIABLE, "tasks.py")
    assert watched.is_allowed(*seen)


def test_a_server_that_others_reach_says_that_the_page_is_off(monkeypatch):
    monkeypatch.delenv(watched.VARIABLE, raising=False)
    monkeypatch.setattr(watched, "look", lambda *_: pytest.fail("the file was looked at"))
    option = st.get_option
    address = {"server.address": "0.0.0.0"}
    monkeypatch.setattr(st, "get_option", lambda key: address.get(key) or option(key))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    app.switch_page("pages/exercises.py").run()
    assert not app.exception
    assert words.OFF in rendered(app) and words.COMMANDS in plain(app)
    assert not states(app)


# --- the file ---


def test_the_file_is_looked_for_where_the_server_was_started(tmp_path, monkeypatch):
    monkeypatch.delenv(watched.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert watched.path() == tmp_path / "tasks.py"
    exercises.new(tmp_path / "exercises")
    assert watched.path() == tmp_path / "exercises/tasks.py"
    exercises.new(tmp_path)
    assert watched.path() == tmp_path / "tasks.py"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "no such file"),
        (b"\xff", "UTF-8"),
        (b" " * (watched.LARGEST + 1), "larger than 1 MB"),
    ],
)
def test_a_file_that_cannot_be_checked_has_its_sentence(tmp_path, data, problem):
    target = tmp_path / "tasks.py"
    if data is not None:
        target.write_bytes(data)
    assert problem in watched.read(target).problem
    assert watched.read(target).missing == (data is None)


def test_a_folder_is_no_file(tmp_path):
    assert "cannot be read" in watched.read(tmp_path).problem


def test_an_earlier_check_ends_when_the_file_changes(file):
    file.write_text("while True: pass\n")
    assert watched.look(file).checking
    endless = watched._current["numbers"]
    exercises.new(file.parent.joinpath("other"))
    file.write_bytes(file.parent.joinpath("other/tasks.py").read_bytes())
    watched.look(file)
    assert endless.control.cancelled
    assert watched._current["numbers"].finished.wait(120)
    assert {v.status for v in watched.look(file).verdicts} == {"unwritten"}
    assert endless.finished.wait(120)


def test_a_check_that_cannot_be_made_says_so_once(file, monkeypatch):
    def refused(name, text, with_seeds, child, tell):
        tries.append(child.end())
        raise ValueError("No child can start.")

    tries: list[None] = []
    monkeypatch.setattr(watched, "check_source", refused)
    exercises.new(file.parent)
    watched.look(file)
    assert watched._current["numbers"].finished.wait(120)
    assert watched.look(file) == watched.look(file)
    assert watched.look(file).error == "No child can start."
    assert len(tries) == 1


def test_the_child_that_waits_is_ended():
    spare = watched.Spare()
    spare.prepare("tasks.py")
    waiting = spare._child
    spare.end()
    assert waiting and waiting.process.poll() is not None
    with spare.take("tasks.py") as child:
        assert child.ask({"do": "nothing"})["value"] is None


# --- words and the chart ---


def test_every_task_has_its_equation():
    assert list(words.EQUATIONS) == list(TASKS)


def test_a_task_that_waits_is_no_failure():
    assert words.label("actor_critic", Verdict("actor_critic", "waits")).endswith("badge[waits]")
    assert set(words.STATES) == {*report.MARKS, "unknown"} == {*report.SHORT, "unknown"}
    assert words.state(None) == "unknown"


def test_the_trial_in_words_and_in_rows_has_its_n():
    trial = Trial(
        "1.5 [1, 2]", "3.0 [2, 4]", "-1.5 [-3, 0]", 2, 3, 960, (1.0, 2.0), (2.0, 3.0, 4.0)
    )
    said = words.on_trial(trial)
    assert "960 steps" in said and "1.5 [1, 2] (n = 2 seeds)" in said
    assert "The difference is -1.5 [-3, 0]." in said and "3.0 [2, 4] (n = 3)" in said
    rows = charts.rows(trial)
    assert list(rows["who"].unique()) == ["yours, n = 2", "reference, n = 3"]
    assert rows.groupby("who")["mean"].first().to_dict() == {
        "yours, n = 2": 1.5, "reference, n = 3": 3.0
    }  # fmt: skip
    assert charts.trial_spec()["layer"]
