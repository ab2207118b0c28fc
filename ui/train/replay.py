"""Replay: walk through finished runs, since the quick ones end before anybody can look."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ui.shell import live

SPEEDS = {"slow": 1.0, "normal": 0.4, "fast": 0.15}  # seconds an evaluation


def bar(evaluations: int, draw: Callable[[int | None], None]) -> None:
    """Draw the run as it stood after k evaluations; play, pause, step, reset, speed.

    `draw(k)` draws the first k evaluations, `draw(None)` all of them.
    """
    state = st.session_state
    state.setdefault("replay_at", evaluations)
    state.setdefault("replaying", False)
    speed = SPEEDS[state.get("replay_speed", "normal")]

    def view() -> None:
        if state.replaying:
            state.replay_at = min(state.replay_at + 1, evaluations)
            if state.replay_at == evaluations:
                state.replaying = False
                st.rerun()
        state.replay_at = min(state.replay_at, evaluations)
        draw(None if state.replay_at == evaluations else state.replay_at)
        _buttons(evaluations)

    st.fragment(view, run_every=speed if state.replaying else None)()


def rewind() -> None:
    """Show new runs whole."""
    st.session_state.pop("replay_at", None)
    st.session_state["replaying"] = False


def _buttons(evaluations: int) -> None:
    state = st.session_state
    with st.container(horizontal=True, vertical_alignment="center"):
        label, icon = ("Pause", "pause") if state.replaying else ("Replay", "play_arrow")
        if st.button(label, icon=f":material/{icon}:") | live.taken():
            state.replaying = not state.replaying
            if state.replaying and state.replay_at >= evaluations:
                state.replay_at = 0
            st.rerun()
        if st.button("Step", icon=":material/skip_next:", help="Goes one evaluation further."):
            state.replay_at = state.replay_at % evaluations + 1
            state.replaying = False
            st.rerun()
        if st.button("Whole run", icon=":material/replay:", help="Shows the curves to their end."):
            rewind()
            st.rerun()
        st.segmented_control(
            "Speed",
            list(SPEEDS),
            default="normal",
            key="replay_speed",
            label_visibility="collapsed",
            required=True,
        )
        st.caption(f"evaluation {state.replay_at} of {evaluations}")
