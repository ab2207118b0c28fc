"""Lecture mode: its lectures, its commands, and what it leaves out of a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests import texts
from ui.lecture import present
from ui.shell import link
from ui.shell.pages import FRAME, LECTURES, PAGES, PARAMETERS
from ui.shell.series import FIELDS

ROOT = Path(__file__).parents[2]
FILES = {page.file: page for page in PAGES}
EVERY = [(name, slide) for name in LECTURES for slide in present.included(name).slides]


def test_every_included_file_can_be_chosen():
    assert {file.stem for file in (ROOT / "ui/lecture/included").iterdir()} == set(LECTURES)


def test_one_lecture_takes_45_minutes_and_one_takes_10():
    assert [present.included(name).minutes for name in LECTURES] == [45, 10]


def test_the_long_lecture_follows_the_path_and_the_class_takes_part():
    titles = [slide.title for slide in present.included("course").slides]
    lessons = [lesson.title for lesson in present.LESSONS]
    assert [title for title in titles if title in lessons] == lessons
    assert [present.included("course").slides[n].link for n in (0, -2)] == [
        "class?class_view=join",
        "class?class_view=seeds",
    ]


@pytest.mark.parametrize(("lecture", "slide"), EVERY, ids=lambda one: getattr(one, "title", one))
def test_a_slide_s_link_holds_what_its_page_may_hold(lecture, slide):
    file, query = link.split(slide.link)
    allowed = {parameter.name for parameter in (*FRAME, *FILES[file].parameters)}
    _, refused = link.parse({"v": "2"} | query, PARAMETERS)
    assert refused == []
    for name in query:
        assert name in allowed or name in FIELDS
    assert slide.ask and slide.expect


@pytest.mark.parametrize("lecture", LECTURES)
def test_a_lecture_s_sentences_are_short(lecture):
    said = [text for slide in present.included(lecture).slides for text in slide[3:]]
    long = [s for text in said for s in texts.sentences(text) if len(s.split()) > 25]
    assert long == []


def test_the_help_names_every_command_and_no_key_is_used_twice():
    keys = [key for keys, _ in present.KEYS.values() for key in keys]
    assert len(keys) == len(set(keys))
    assert set(present.WORDS) == set(present.KEYS)
    assert all(words in present.HELP for words in present.WORDS.values())


# --- a page in lecture mode ---


def slide():
    """ToyPole as a slide, below the line of lecture mode or of the path."""
    import streamlit as st

    from ui.lecture import present
    from ui.path import view as path
    from ui.shell import link
    from ui.toypole import view

    if "began" not in st.session_state:
        st.session_state["began"] = True
        for name, value in {
            "present": 1,
            "show": ["pole_gamma"],
            "pole_view": "Batch mean",
        }.items():
            link.put(name, value)
    if present.on():
        present.stage("toypole")
    else:
        path.head("toypole")
    view.batch_mean()


@pytest.fixture
def toypole() -> AppTest:
    app = AppTest.from_function(slide, default_timeout=120).run()
    assert not app.exception
    return app


def texts_of(app: AppTest) -> str:
    return " ".join(markdown.value for markdown in app.markdown)


def rules(app: AppTest) -> str:
    return " ".join(html.proto.body for html in app.get("html"))


def pressed(app: AppTest, monkeypatch, name: str) -> AppTest:
    """The page after one command, as the browser sends it."""
    sent = iter([name])

    class Component:
        @property
        def command(self):
            return next(sent, None)

    monkeypatch.setattr(present, "_component", lambda **given: Component())
    app.run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def test_a_slide_has_no_path_and_no_way_into_lecture_mode(toypole):
    assert "Lesson 5" not in texts_of(toypole)
    assert ":not(.st-key-set_pole_gamma," in rules(toypole)


def test_run_reveals_and_reset_asks_again(toypole, monkeypatch):
    assert toypole.radio
    pressed(toypole, monkeypatch, "run")
    assert "It is: *Clearly more than that*." in texts_of(toypole)
    monkeypatch.setattr(link, "follow", lambda address, parameters: None)
    pressed(toypole, monkeypatch, "reset")
    assert toypole.session_state["answers"] == {}
    assert toypole.radio


def test_black_comes_and_goes_and_any_other_command_ends_it(toypole, monkeypatch):
    for name, black in (("blank", True), ("blank", False), ("blank", True), ("run", False)):
        pressed(toypole, monkeypatch, name)
        assert (present.BLACK in rules(toypole)) == black


def test_leave_puts_the_page_back_as_it_was(toypole, monkeypatch):
    pressed(toypole, monkeypatch, "leave")
    assert "Lesson 5" in texts_of(toypole)
    settings = toypole.session_state["settings"]
    assert all(settings[parameter.name] is None for parameter in FRAME)


def page_that_goes():
    import streamlit as st

    from ui.lecture import present

    if command := st.session_state.pop("command", None):
        present.command(command, st.session_state["page"], [])


@pytest.mark.parametrize(
    ("values", "command", "address"),
    [
        ({"lecture": "short", "slide": 2}, "next", ("bandit", "3")),
        ({"lecture": "short", "slide": 2}, "previous", ("train", "1")),
        ({"lecture": "short", "slide": 2}, "reset", ("cloud", "2")),
        ({"lecture": "short"}, "previous", ("train", "1")),
        ({"lecture": "short", "slide": 5}, "next", ("seeds", "5")),
        ({"lecture": "short", "slide": 99}, "next", ("seeds", "5")),
        ({"pole_view": "Batch mean"}, "next", ("variance", None)),
        ({"pole_view": "Batch mean"}, "previous", ("parabola", None)),
        ({"pole_view": "Batch mean"}, "reset", ("toypole", None)),
        ({}, "next", ("cloud", None)),
        ({}, "reset", ("train", None)),
    ],
)
def test_commands_walk_a_lecture_or_the_path(monkeypatch, values, command, address):
    went = []
    monkeypatch.setattr(link, "follow", lambda address, parameters: went.append(address))
    app = AppTest.from_function(page_that_goes).run()
    app.session_state["settings"] = {"present": 1, "band": "std", "kept": None} | values
    app.session_state["command"] = command
    app.session_state["page"] = "train" if values == {} else "toypole"
    assert not app.run().exception
    file, query = link.split(went[0])
    assert (file, query.get("slide")) == address
    assert query["present"] == "1"
