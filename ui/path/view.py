"""The path on every page: where it stands, the way on, the lecture's sentence, the words.

path.head(page)        above the page
path.foot(page)        below it: what to try, the derivation, the next lesson
"""

from __future__ import annotations

import urllib.parse

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.path import progress, sentence
from ui.path.lessons import LESSONS, Lesson, State, done, place_of, progress_of
from ui.shell import controls, glossary, lesson, link
from ui.shell.pages import PAGES, PARAMETERS

AFTER = "museum"  # the page that follows the last lesson


def open_lesson(place: int) -> None:
    """Go to a lesson: its page in its state, all else as the lab begins."""
    st.session_state["lesson"] = place
    link.follow(address(LESSONS[place]), PARAMETERS)


def address(chosen: Lesson) -> str:
    """A lesson's link: its page in its state."""
    query = {name: PARAMETERS[name].write(value) for name, value in chosen.state.items()}
    return f"{chosen.page}?{urllib.parse.urlencode(query)}"


def _apply(state: State) -> None:
    """Give parameters and settings new values; their widgets show them."""
    for name, value in state.items():
        known = name in PARAMETERS and value == PARAMETERS[name].default
        link.put(name, None if known else value)
        st.session_state.pop(f"set_{name}", None)


def here(page: str) -> int | None:
    """The place of the page on the path, in its present state; None beside the path."""
    values = {
        name: controls.value_of(name)
        for chosen in LESSONS
        if chosen.page == page
        for name in chosen.state
    }
    return place_of(page, values, st.session_state.get("lesson"))


def head(page: str) -> DeltaGenerator:
    """One line above every page: its place on the path, before and after, equation and words.

    Returns: the line, which has room for more.
    """
    place = here(page)
    if place is not None:
        st.session_state["lesson"] = place
    last = st.session_state.get("lesson")
    line = st.container(horizontal=True, vertical_alignment="center", gap="small", key="path_head")
    with line:
        st.markdown(_standing(page, place, last), width="content")
        before, after = _neighbours(page, place, last)
        if before is not None and st.button("Previous", icon=":material/arrow_back:"):
            open_lesson(before)
        _onward(after, "next_above", "secondary")
        _popover("The equation", "equation", sentence.show)
        _popover("Words", "words", _words)
    if place is not None:
        glossary.say(LESSONS[place].see)
    return line


def _standing(page: str, place: int | None, last: int | None) -> str:
    if place is not None:
        mark = progress_of(LESSONS[place], lesson.answered())
        return f"**Lesson {place + 1} of {len(LESSONS)}** · {LESSONS[place].title}{mark}"
    if page == AFTER:
        return "**After the path** · the museum"
    if page == PAGES[0].file:
        return f"**The path** · {len(LESSONS)} lessons of three to six minutes"
    return "**Beside the path**" + (f" · last: lesson {last + 1}" if last is not None else "")


def _neighbours(page: str, place: int | None, last: int | None) -> tuple[int | None, int | None]:
    """The lessons before and after: places on the path; len(LESSONS) is the museum."""
    if place is not None:
        return (place - 1 if place else None), place + 1
    if page == AFTER:
        return len(LESSONS) - 1, None
    return last, (0 if last is None else last + 1)


def _onward(after: int | None, key: str, kind: str) -> None:
    """The button to the next lesson, or to the museum after the last one."""
    if after is None:
        return
    end = after == len(LESSONS)
    label = "Next: the museum" if end else f"Next: {LESSONS[after].title}"
    icon = ":material/arrow_forward:"
    if st.button(label, icon=icon, key=key, type=kind):  # type: ignore[arg-type]
        if end:
            st.switch_page(f"pages/{AFTER}.py")
        open_lesson(after)


def _popover(label: str, key: str, show) -> None:
    """A button whose contents are built only while it is open."""
    popover = st.popover(label, key=f"path_{key}", on_change="rerun")
    if popover.open:
        with popover:
            show()


def _words() -> None:
    """The terms in the order in which the path uses them."""
    for entry in sorted(glossary.GLOSSARY.values(), key=lambda entry: entry.lesson):
        st.markdown(entry.written)


def foot(page: str) -> None:
    """Below the page: a question asked again, the lesson's end, and what is out of sight."""
    lesson.once_more()
    place = here(page)
    if place is not None:
        _end_of_lesson(place)
    glossary.entries()
    progress.keep()


def _end_of_lesson(place: int) -> None:
    """States to try, the derivation, and the way on."""
    chosen = LESSONS[place]
    if chosen.tries and done(chosen, lesson.answered()):  # they would give the answer away
        _try_this(chosen)
    with st.expander("In the lecture's notation", icon=":material/functions:"):
        st.markdown(chosen.notation)
    _onward(place + 1, "next_below", "primary")


def _try_this(chosen: Lesson) -> None:
    st.markdown("##### Try this")
    for column, suggestion in zip(st.columns(len(chosen.tries)), chosen.tries, strict=True):
        with column:
            st.button(
                suggestion.label, key=f"try_{suggestion.label}", on_click=_apply,
                args=(suggestion.state,), width="stretch",
            )  # fmt: skip
            st.caption(suggestion.look)


def contents() -> None:
    """The path's lessons, which of them are done, and a button that forgets it."""
    answered = lesson.answered()
    for place, chosen in enumerate(LESSONS):
        ready = done(chosen, answered)
        icon = ":material/check_circle:" if ready else ":material/circle:"
        label = f"{place + 1} · {chosen.title}"
        if st.button(label, icon=icon, key=f"lesson_{place}", type="tertiary"):
            open_lesson(place)
    count = sum(done(chosen, answered) for chosen in LESSONS)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{count} of {len(LESSONS)} done. Kept in this browser, and nowhere else.",
            width="content",
        )
        if answered:
            st.button("Forget my progress", type="tertiary", on_click=progress.forget)
