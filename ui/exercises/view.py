"""Exercises: the tasks beside the verdicts of the file that the reader edits."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pgcore.exercises import TASKS, Remark, Verdict, containment
from pgcore.exercises.seeds import rule
from pgcore.exhibits import EXHIBITS
from ui.exercises import charts, watched, words
from ui.exercises.watched import Seen
from ui.shell import controls, link, visitors
from ui.shell.fold import fold
from ui.shell.notice import notice

LOOK_SECONDS = 0.3  # between two looks at the file


def is_allowed() -> bool:
    """Whether this visitor may see the owner's file."""
    return watched.is_allowed(
        st.get_option("server.address"), st.context.headers.get("Host"), st.context.ip_address
    )


def off() -> None:
    """Why the page shows nothing here, and the way on."""
    st.info(words.OFF)
    st.code(words.COMMANDS, language="bash")
    st.caption(words.FOR_OWNERS)


def look() -> Seen:
    """The file as it is now; from here on the page runs again when it, or its verdict, changes."""
    seen = watched.look(watched.path(), visitors.me())
    kept = st.session_state.setdefault("exercises_verdicts", {})
    if seen.source.problem or len(seen.verdicts) >= len(TASKS):
        kept.clear()
    kept |= {verdict.task: verdict for verdict in seen.verdicts}
    return seen


def follow(seen: Seen) -> None:
    """Look again and again; the page runs anew when there is something else to show.

    First on the page: Streamlit drops a run's last messages, the timer's too if it stood last, if
    a look of the timer before arrives just as the run ends.
    """

    def again() -> None:
        if watched.look(watched.path(), visitors.me()) != seen:
            st.rerun()

    st.fragment(again, run_every=LOOK_SECONDS)()


def file(seen: Seen) -> None:
    """Which file is watched, and how it stands."""
    verdicts = _verdicts()
    line = st.container(horizontal=True)
    line.text(f"Watched: {seen.source.path}", width="content")
    if seen.source.missing:
        st.markdown(words.BEGIN)
        st.code(words.NEW, language="bash")
    elif problem := seen.source.problem or seen.error:
        notice(problem)
    else:
        line.markdown(words.on_file(seen, verdicts), width="content")
    if whole := verdicts.get("file"):
        for remark in whole.remarks:
            _remark(remark, "file")
        _printed(whole)


def choose(seen: Seen) -> str:
    """The list of tasks with their states.  -> the key of the one that is open"""
    verdicts = _verdicts()
    opened = controls.value_of("task") or st.session_state.get("exercises_first")
    if opened is None:
        left = [key for key in TASKS if key not in verdicts or verdicts[key].status != "passed"]
        opened = left[0] if left else next(iter(TASKS))
        if verdicts and not seen.checking:  # from now on it stays, whatever passes
            st.session_state["exercises_first"] = opened
    with st.container(gap="xsmall"):
        for key in TASKS:
            icon = words.STATES[words.state(verdicts.get(key))][1]
            st.button(
                words.label(key, verdicts.get(key)), icon=icon, key=f"task_{key}",
                type="secondary" if key == opened else "tertiary", on_click=link.put,
                args=("task", key),
            )  # fmt: skip
    return opened


def task(key: str, seen: Seen) -> None:
    """One task: its verdict, what to write, and hints."""
    verdict = _verdicts().get(key)
    with st.container(horizontal=True, vertical_alignment="center"):
        title = f"##### Task {list(TASKS).index(key) + 1} · {TASKS[key].title}"
        st.markdown(title, width="content")
        word, icon, colour = words.STATES[words.state(verdict)]
        st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]
    if seen.checking and verdict and verdict not in seen.verdicts:
        st.caption(words.STALE)
    if verdict:
        _verdict(verdict)
    _hints(key)
    for equation in words.EQUATIONS[key]:
        st.latex(equation)
    if place := fold("What to write", ":material/edit_note:", f"exercise_{key}"):
        place.code(TASKS[key].text, language="python", wrap_lines=True)


def _verdicts() -> Mapping[str, Verdict]:
    """The last verdict of each task."""
    found: dict[str, Verdict] = st.session_state["exercises_verdicts"]
    return found


def _verdict(verdict: Verdict) -> None:
    if meaning := words.MEANING.get(verdict.status) if not verdict.remarks else None:
        st.markdown(meaning)
    for number, remark in enumerate(verdict.remarks):
        _remark(remark, f"{verdict.task}_{number}")
    if verdict.status != "passed":
        _printed(verdict)
    if trial := verdict.trial:
        st.markdown(words.on_trial(trial))
        st.vega_lite_chart(
            charts.rows(trial), charts.trial_spec(), key="trial", alt=words.on_trial(trial)
        )
        st.caption(rule())
    if verdict.checks and (place := fold("Checks that passed", ":material/checklist:", "checks")):
        for check in verdict.checks:
            place.text(f"• {check}")


def _remark(remark: Remark, key: str) -> None:
    """One thing to change. It may quote the file: plain text alone."""
    with st.container(border=True):
        st.text(remark.text)
        if remark.where:
            st.text(f"Case: {remark.where}")
        if remark.expected or remark.found:
            sides = zip(
                st.columns(2), ("Expected", "Found"), (remark.expected, remark.found), strict=True
            )
            for column, name, numbers in sides:
                column.caption(name)
                column.code(numbers, language=None, wrap_lines=True)
        if remark.exhibit and st.button(
            f"Bug museum: {EXHIBITS[remark.exhibit].title}", icon=":material/museum:",
            key=f"exhibit_{key}", type="tertiary",
        ):  # fmt: skip
            link.put("museum_view", "Exhibits")
            link.put("exhibit", remark.exhibit)
            st.switch_page("pages/museum.py")


def _printed(verdict: Verdict) -> None:
    if verdict.printed:
        st.caption("The file printed:")
        st.code(verdict.printed, language=None, wrap_lines=True)


def _hints(key: str) -> None:
    """One after the other, each on demand."""
    shown: dict[str, int] = st.session_state.setdefault("exercises_hints", {})
    count, hints = shown.get(key, 0), TASKS[key].hints
    for number, hint in enumerate(hints[:count], start=1):
        notice(hint, "info", f"Hint {number}")
    if count < len(hints):
        st.button(
            f"Show hint {count + 1} of {len(hints)}", icon=":material/lightbulb:",
            key=f"hint_{key}", on_click=shown.update, args=({key: count + 1},),
        )  # fmt: skip


def containing() -> None:
    """What holds the file, at the end."""
    st.caption(f"{words.CONTAINED} {containment()}")
