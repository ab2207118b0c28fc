"""The page Class opens a room; a projector's session follows it, and asks the class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config, classroom, train
from pgcore.classroom import ROOMS, SEED_ALGORITHMS, Room, Rooms, Vote, agent_of
from pgcore.lecture import Lecture, Slide
from ui.lecture import present
from ui.shell import link

ROOT = Path(__file__).parents[2]
LINKS = ("inside?lens=policy_gradient", "class?class_view=join", "class?class_view=seeds")
LECTURE = Lecture("A lecture", tuple(Slide(at, at, 3, "", "", "") for at in LINKS))


@pytest.fixture
def rooms(monkeypatch) -> Rooms:
    """No rooms yet."""
    monkeypatch.setattr(ROOMS, "_rooms", {})
    return ROOMS


@pytest.fixture
def room(rooms) -> Room:
    return rooms.open(LECTURE)


# --- the lecturer's page ---


def lecturer() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    app.switch_page("pages/class.py").run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.code, app.text, app.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


def test_a_room_is_opened_with_an_included_lecture_and_ended(rooms):
    app = lecturer()
    assert not rooms._rooms
    button(app, "Open a room").click().run()
    assert not app.exception
    (room,) = rooms._rooms.values()
    assert room.lecture == present.included("course")
    assert f"room/{room.code}" in texts(app)
    button(app, "End the room").click().run()
    assert not app.exception
    assert not rooms._rooms
    assert button(app, "Open a room")


def test_the_host_s_link_is_not_in_sight_but_behind_a_click(rooms):
    app = lecturer()
    button(app, "Open a room").click().run()
    (room,) = rooms._rooms.values()
    popover = [code.value for code in app.code if room.host in str(code.value)]
    assert len(popover) == 1  # inside the popover, with a warning
    assert room.host not in "\n".join(str(text.value) for text in (*app.markdown, *app.caption))


def test_an_address_that_phones_cannot_reach_is_said_and_another_is_taken(rooms):
    app = lecturer()
    button(app, "Open a room").click().run()
    (room,) = rooms._rooms.values()
    assert "Phones cannot reach this address" in texts(app)
    app.text_input(key="class_address").set_value("192.168.1.20:8501").run()
    assert room.address == "http://192.168.1.20:8501/"
    assert f"http://192.168.1.20:8501/room/{room.code}" in texts(app)
    assert "Phones cannot reach this address" not in texts(app)
    app.text_input(key="class_address").set_value("no address").run()
    assert not app.exception
    assert "This is no address." in texts(app)
    assert room.address == ""


def test_a_server_that_is_full_says_so(rooms, monkeypatch):
    monkeypatch.setattr(classroom, "MOST_ROOMS", 0)
    app = lecturer()
    button(app, "Open a room").click().run()
    assert not app.exception
    assert "This server holds 0 rooms" in texts(app)


# --- the projector ---


def page():
    """The frame as app.py draws it, with one lesson's question for a page."""
    import streamlit as st

    from pgcore.stats import Interval
    from ui.classroom import screen
    from ui.parabola.words import FAR_QUESTION, QUESTION
    from ui.shell import lesson, link

    link.settings()["screen"] = st.session_state["secret"]
    screen.attend()
    if st.session_state.get("first", True):
        if lesson.predict(QUESTION) is None:
            st.stop()
        lesson.reveal(QUESTION, Interval(22.0, 20.0, 24.0, 400), "So it was measured.")
    if lesson.predict(FAR_QUESTION) is None:
        st.stop()
    lesson.reveal(FAR_QUESTION, 1, "So it was measured.")
    st.markdown("The result.")


@pytest.fixture
def went(monkeypatch) -> list[tuple]:
    """Where the session was led to, instead of going there."""
    went: list[tuple] = []
    monkeypatch.setattr(link, "follow", lambda address, known: went.append((address, known)))
    return went


def projector(secret: str | None, **state) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["secret"] = secret
    for name, value in state.items():
        app.session_state[name] = value
    return again(app)


def again(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def test_a_session_without_a_secret_asks_its_reader(rooms, went):
    app = projector(None)
    assert [one.label for one in app.button][:2] == ["I am sure", "I am guessing"]
    assert went == []


def test_a_wrong_or_ended_room_is_one_sentence(rooms, room, went):
    app = projector("a-secret-of-no-room")
    assert "There is no such room." in texts(app)
    assert not app.button
    app = projector(room.screen)
    assert "There is no such room." not in texts(app)
    rooms.close(room)
    assert "There is no such room." in texts(again(app))


def test_the_projector_goes_where_the_host_goes_and_once(room, went):
    phone = room.join()
    app = projector(room.screen)
    assert went[-1][0] == "inside?lens=policy_gradient&present=1"
    assert "screen" not in went[-1][1]  # the room's secret is not part of a slide
    again(app)
    assert len(went) == 1
    room.go(1)
    assert again(app) and went[-1][0] == "class?class_view=join&present=1"
    room.propose(phone, "gamma", "0.9")
    room.show(1)
    assert again(app) and went[-1][0] == "train?gamma=0.9&present=1"
    assert "Somebody here proposes: gamma 0.9" in texts(app)
    room.propose(phone, "formula", "b = v / 2")
    room.show(2)
    assert again(app) and went[-1][0].startswith("baseline?formula=b")
    room.go(1)
    assert again(app) and went[-1][0] == "class?class_view=join&present=1"
    assert len(went) == 5


def test_the_class_is_asked_closed_and_told_and_counts_stay_hidden_while_open(room, went):
    phones = [room.join() for _ in range(4)]
    app = projector(room.screen, first=False)
    assert room.poll.asked.name == "far"
    assert not any(one.label.startswith("I am") for one in app.button)  # nobody stands at it
    assert "The vote has not begun." in texts(app)
    room.open_vote()
    for phone, said in zip(phones[:3], (1, 1, 0), strict=True):
        room.vote(phone, "far", 1, Vote(said, sure=said == 0))
    again(app)
    assert "3 of 4 have answered" in app.get("progress")[0].proto.text
    assert not app.get("vega_lite_chart")
    room.close_vote()
    again(app)
    assert len(app.get("vega_lite_chart")) == 1
    assert room.poll.truth is None
    assert "The class is divided." in texts(app)  # 2 of 3 are right
    assert "The result." not in texts(app)
    room.reveal()
    again(app)
    assert "The result." in texts(app)
    assert room.poll.truth.option == 1
    assert "2 of 3 were right." in texts(app)


def test_a_second_question_is_asked_after_the_first_is_revealed_and_stays(room, went):
    room.join()
    app = projector(room.screen)
    assert room.current == "harm"
    room.reveal()
    again(app)
    assert room.polls["harm"].truth.low == 20
    assert room.current == "far"
    again(app)
    assert room.current == "far"


def moving_page():
    """A page whose slider, which moves from run to run, stands in its question."""
    from dataclasses import replace

    import streamlit as st

    from ui.classroom import screen
    from ui.parabola.words import FAR_QUESTION
    from ui.shell import lesson, link

    link.settings()["screen"] = st.session_state["secret"]
    screen.attend()
    st.session_state["b"] = 8 - st.session_state.get("b", 5)
    question = replace(FAR_QUESTION, text=f"{FAR_QUESTION.text} b = {st.session_state['b']}")
    if lesson.predict(question) is None:
        st.stop()
    lesson.reveal(question, 1, "So it was measured.")


def test_a_slider_that_moves_while_the_class_votes_loses_no_vote(room, went):
    phones = [room.join() for _ in range(3)]
    app = AppTest.from_function(moving_page, default_timeout=60)
    app.session_state["secret"] = room.screen
    again(app)
    room.open_vote()
    asked = room.poll.asked
    for count, phone in enumerate(phones, 1):
        room.vote(phone, "far", 1, Vote(1, sure=True))
        again(app)
        assert f"{count} of 3 have answered" in app.get("progress")[0].proto.text
    room.close_vote()
    again(app)
    room.reveal()
    for _ in range(2):
        again(app)
        assert "3 of 3 were right." in texts(app)
    assert room.poll.asked == asked


def test_a_question_that_the_host_has_left_is_not_asked(room, went, monkeypatch):
    app = projector(room.screen)
    room.go(1)
    monkeypatch.setattr("ui.classroom.screen._follow", lambda room: None)  # not yet there
    again(app)
    assert room.current is None


def test_a_dark_screen_keeps_its_page_below(room, went):
    app = projector(room.screen)
    room.darken(True)
    again(app)
    assert any("background: #000" in html.proto.body for html in app.get("html"))
    assert room.current == "harm"


def test_widgets_are_told_their_values_again(room, went):
    app = projector(room.screen)
    app.session_state["set_agent"] = "gae"
    again(app)
    assert app.session_state["set_agent"] == "gae"


# --- everybody is a seed ---


def test_all_agents_of_a_class_are_those_of_the_library(room):
    phones = [room.join() for _ in range(6)]
    room.start_seeds()
    for run in room.seeds:
        assert run.finished.wait(120)
    for key, run in zip(SEED_ALGORITHMS, room.seeds, strict=True):
        assert run.result == train(Config(algorithm=key, num_seeds=6))
    alone = train(Config(algorithm=SEED_ALGORITHMS[0], num_seeds=1, first_seed=4))
    curve, _, agents = agent_of(phones[4], room.seeds[0].result)
    np.testing.assert_array_equal(curve, alone.eval_returns[:, 0])
    assert agents == 6


def seeds_page():
    import streamlit as st

    from ui.classroom import screen, seeds
    from ui.shell import link

    link.settings()["screen"] = st.session_state["secret"]
    screen.attend()
    seeds.show(screen.room())


def test_the_class_s_curves_gather_and_its_rows_conclude(room, went):
    for _ in range(11):
        room.join()
    room.start_seeds()
    for run in room.seeds:
        assert run.finished.wait(120)
    app = AppTest.from_function(seeds_page, default_timeout=120)
    app.session_state["secret"] = room.screen
    again(app)
    assert "The first of 11 agents" in texts(app)
    for _ in range(11):
        again(app)
    assert "11 agents of **Batch mean**" in texts(app)
    charts = app.get("vega_lite_chart")
    assert len(charts) == 4  # the curves; rows of 3, 5 and 10
    assert "Rows of 10 neighbours" in texts(app)
    assert "of 3 rows" in texts(app)
