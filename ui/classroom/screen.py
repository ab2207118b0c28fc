"""The projector: a session whose link holds a room's screen secret follows that room.

    screen.attend()        before the page, in every run of every session

It goes where the host goes, and stands in for the reader of `lesson.predict`: the class is asked,
its votes are counted and shown. Wrong or ended rooms are one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pgcore.classroom import ROOMS, Poll, Refused, Room
from ui.classroom import charts, words
from ui.shell import lesson, link, live
from ui.shell.glossary import say
from ui.shell.lesson import Answer
from ui.shell.notice import notice
from ui.shell.pages import PARAMETERS, SCREEN
from ui.shell.question import Mark, Question

LOOK = 0.5  # seconds between two looks at the room
DARK = '<div style="position: fixed; inset: 0; z-index: 9999999; background: #000"></div>'


def attend() -> None:
    """Show what the room's host chose, if this session is a projector; else do nothing.

    Stops the page if there is no such room.
    """
    lesson.listen(None)
    live.run_unasked(False)
    secret = link.get(SCREEN.name)
    if secret is None:
        return
    try:
        room = ROOMS.by_screen(secret)
    except Refused as refused:
        notice(str(refused), "info")
        st.stop()
    _follow(room)
    _insist()
    here = Class(room)
    lesson.listen(here)
    live.run_unasked(True)
    _strip(here)
    if room.blank:  # the page stays below, so that nothing on it is lost
        st.html(DARK)


def room() -> Room | None:
    """The room that this session's page shows; None in a session that is no projector."""
    audience = lesson.audience()
    return audience.room if isinstance(audience, Class) else None


def _follow(room: Room) -> None:
    """Go where the host is."""
    place = _place(room)
    if st.session_state.get("screen_place") == place:
        return
    st.session_state["screen_place"] = place
    others = {name: parameter for name, parameter in PARAMETERS.items() if parameter != SCREEN}
    link.follow(words.of_room(room), others)


def _insist() -> None:
    """Tell the browser the value of every widget again.

    The room's changes follow one another quickly. A browser that has missed the run in which a
    widget got its value would show the widget's first value, and send it back.
    """
    for key in [key for key in st.session_state if str(key).startswith("set_")]:
        st.session_state[key] = st.session_state[key]


def _place(room: Room) -> tuple:
    """What changes when the host goes elsewhere, or to the same place again."""
    return room.code, room.slide, room.slide_began, room.shown


def _standing(room: Room) -> tuple:
    """What changes when the page must be drawn anew; votes and phones have fragments."""
    poll = room.poll
    polled = (poll.status, len(poll.rounds)) if poll else None
    return _place(room), room.blank, polled, [run.config for run in room.seeds]


def watch(draw: Callable[[], object]) -> None:
    """Draw now, and again at every look at the room."""
    st.fragment(draw, run_every=LOOK)()


def _strip(here: Class) -> None:
    """The room's code and who is here; while it stands there, the page follows the room."""
    room = here.room

    def view() -> None:
        try:
            ROOMS.by_screen(room.screen)
        except Refused:
            st.rerun()
        if _standing(room) != here.shown:
            st.rerun()
        with st.container(horizontal=True):
            if room.shown is not None:
                st.text(words.proposed(room.shown), width="content")
            st.caption(words.strip(room), text_alignment="right")

    watch(view)


class Class:
    """Those who answer in the reader's place."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.shown = _standing(room)  # what the page was drawn from

    def predict(self, question: Question | Mark) -> Answer | None:
        """Ask the class, or show what it said; nothing is told before the host's reveal."""
        poll = self._asked(question)
        if poll.status == "revealed":
            return Answer(None, sure=False)
        if poll.status == "closed":
            _result(question, poll)
        else:
            with st.container(border=True, key=f"predict_{question.name}"):
                st.markdown(f"#### {question.text}")
                _waiting(question, poll, self.room)
        return None

    def _asked(self, question: Question | Mark) -> Poll:
        """Publish the question, but not one above the question that the page asks now."""
        known, here = self.room.polls.get(question.name), question.name in self.room.asked_here
        if known is not None and known.status == "revealed" and here:
            return known
        if _place(self.room) != st.session_state["screen_place"]:
            st.stop()  # the host has gone on; the strip follows
        poll = self.room.ask(words.asked(question))
        self.shown = _standing(self.room)
        return poll

    def reveal(self, question: Question | Mark, truth: Any, explanation: str) -> None:
        """Tell phones and host what was measured; mark it among the votes."""
        poll = self.room.polls[question.name]
        if self.room.poll is poll:
            self.room.tell(words.truth(question, truth, explanation))
        answer, *reasons = words.sentences(question.verdict(None, truth, explanation).text)
        say(answer)  # above the votes, for what is low may not fit
        if poll.truth is not None and poll.rounds:
            if poll.votes:
                st.markdown(words.on_the_votes(poll))
            with st.container():  # lecture mode takes what stands before a chart for its title
                _histogram(poll)
        for reason in reasons:
            say(reason)


def _waiting(question: Question | Mark, poll: Poll, room: Room) -> None:
    """The options or the axis, and how many have answered."""
    if isinstance(question, Question):
        st.markdown("\n".join(f"- {text}" for text in question.texts))
    else:
        st.markdown(
            f"{question.axis}, from {question.written(question.low)} to "
            f"{question.written(question.high)}"
        )
    if poll.status == "open":
        watch(lambda: _count(poll, room))
    else:
        st.caption("The vote has not begun.")


def _result(question: Question | Mark, poll: Poll) -> None:
    """What the class said, over the whole window: nothing on the page answers yet."""
    with st.container(key="whole_window"):
        asked, said = st.columns([1, 1.3], gap="large")
        with asked:
            st.markdown(f"### {question.text}")
            if poll.worth_discussing:
                st.markdown(f"#### :blue[{words.DISCUSS}]")
        with said:
            _histogram(poll)


def _count(poll: Poll, room: Room) -> None:
    phones = len(room.phones)
    share = len(poll.votes) / phones if phones else 0.0
    st.progress(min(share, 1.0), text=f"**{words.answered(poll, phones)}**")


def _histogram(poll: Poll) -> None:
    if not poll.votes:
        st.markdown("Nobody has voted.")
        return
    st.vega_lite_chart(
        charts.vote_rows(poll), charts.vote_spec(poll.asked, len(poll.rounds)),
        key=f"votes_{poll.asked.name}_{len(poll.rounds)}", alt=words.votes_alt(poll),
    )  # fmt: skip
