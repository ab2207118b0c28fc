"""The film of one update: which batch, which estimator, and how far the film has run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.formula import FormulaError
from pgcore.gradients import Update, Windows, inside_update
from pgcore.gradients.estimates import measurable
from pgcore.gradients.findings import Findings
from pgcore.gradients.hindsight import (
    Hindsight,
    expected_push,
    hindsight,
    instructive_window,
    one_window,
    preference_slopes,
    worse_actions,
)
from pgcore.gradients.outcome import outcome
from ui.cloud.words import FIXED_LENGTH, OTHER_BATCHES
from ui.inside import charts as inside
from ui.inside import words
from ui.shell import controls, lesson, link, measure
from ui.shell.notice import notice
from ui.shell.pages import PARAMETERS

FRAME_SECONDS = 0.35
BASE = "policy_gradient"
PLAYING = "inside_playing"
LENSES = list(measurable())


def choose_estimator() -> str:
    """The estimator under the lens, whatever the policy was trained with."""
    return controls.pick(
        st.pills, "lens", "Estimator", LENSES, "actor_critic",
        format_func=lambda name: ALGORITHMS[name].name, required=True,
        label_visibility="collapsed",
    )  # fmt: skip


def choose_window(windows: Windows) -> int:
    """Which of the recorded batches."""
    key, usual, last = "set_window", instructive_window(windows), len(windows) - 1
    if not 0 <= st.session_state.get(key, -1) <= last:
        asked = controls.value_of("window")
        if asked is not None and asked > last:
            notice(f"window is {asked:,}; it must be from 0 to {last:,}. {usual:,} is shown.")
        st.session_state[key] = asked if asked is not None and asked <= last else usual
    index = st.number_input("Batch", 0, last, key=key, help=f"One of {last + 1:,} recorded batches")
    link.put("window", None if index == usual else index)
    return index


def updates(windows: Windows, index: int, config: Config) -> dict[str, Update]:
    """What every estimator makes of the same batch, but for a formula that fails on it."""
    alone, found = one_window(windows, index), {}
    for key in LENSES:
        with suppress(FormulaError):
            found[key] = inside_update(alone, 0, config.replace(algorithm=key))
    return found


def film(every: dict[str, Update], lens: str, config: Config) -> None:
    """The chart with the equation's numbers, its moment, and the means to move it."""
    if lens not in every:
        st.error("Your formula gives no number on this batch; mend it on the page Your baseline.")
        return
    update, steps = every[lens], len(every[lens].steps)
    state, running = st.session_state, config.replace(algorithm=lens)
    if "set_stage" not in state:
        state["set_stage"] = controls.value_of("stage")
        state["set_at"] = steps // 2 if link.get("at") is None else link.get("at")
    state["set_at"] = min(state["set_at"], steps - 1)

    def view() -> None:
        if state.get(PLAYING):
            _turn(inside.forward, steps)
            if state["set_stage"] == inside.ORDER[-1]:
                state[PLAYING] = False
                st.rerun()
        stage, at, step = _controls(steps)
        link.put("stage", stage)
        link.put("at", at)
        link.write(PARAMETERS)
        st.latex(words.equation(update, running, stage, at, step))
        st.vega_lite_chart(
            inside.rows(update, lens, stage, at, step),
            inside.film_spec(steps, inside.ranges(update, every[BASE], step)),
            key="film",
            alt=words.description(update, lens, stage, at, step),
            width="stretch",
        )
        result = ""
        if stage == inside.ORDER[-1]:
            result = words.on_the_step(outcome(update, inside.CHANGES[step]))
        st.caption(f"{words.SAID[stage]} {result}")

    st.fragment(view, run_every=FRAME_SECONDS if state.get(PLAYING) else None)()


def _turn(page: Callable[[str, int, int], tuple[str, int]], steps: int) -> None:
    state = st.session_state
    moment = state["set_stage"], state["set_at"]
    state["set_stage"], state["set_at"] = page(*moment, steps)


def _by_hand(page: Callable[[str, int, int], tuple[str, int]], steps: int) -> None:
    st.session_state[PLAYING] = False
    _turn(page, steps)


def _controls(steps: int) -> tuple[str, int, str]:
    """Back, forward, play, the stage, the step t.  -> stage, t, kind of step"""
    state = st.session_state
    playing = state.get(PLAYING, False)
    bar, slider = st.columns([3, 2], vertical_alignment="center")
    with bar.container(horizontal=True, vertical_alignment="center"):
        for label, icon, page, key in (
            ("Back", "skip_previous", inside.back, "Left"),
            ("Forward", "skip_next", inside.forward, "Right"),
        ):
            st.button(
                label, icon=f":material/{icon}:", on_click=_by_hand, args=(page, steps),
                shortcut=key,
            )  # fmt: skip
        label, icon = ("Pause", "pause") if playing else ("Play", "play_arrow")
        if st.button(label, icon=f":material/{icon}:"):
            state[PLAYING] = not playing
            if not playing and state["set_stage"] == inside.ORDER[-1]:
                state["set_stage"] = inside.ORDER[0]
            st.rerun()
        stage = st.segmented_control(
            "Stage", inside.ORDER, format_func=inside.STAGES.__getitem__, key="set_stage",
            required=True, label_visibility="collapsed",
        )  # fmt: skip
    with slider.container(horizontal=True, vertical_alignment="center"):
        at = st.slider(
            "Step t of the batch", 0, max(steps - 1, 1), key="set_at", format="t = %d",
            label_visibility="collapsed",
        )  # fmt: skip
        step = st.segmented_control(
            "Step of the policy", [*inside.CHANGES], default="gradient", key="inside_step",
            required=True, help="Along the gradient alone, or Adam's first step",
            label_visibility="collapsed",
        )  # fmt: skip
    return str(stage), min(at, steps - 1), step


def in_hindsight(
    policy: measure.Policy, found: Findings, index: int, every: dict[str, Update]
) -> Hindsight | None:
    """The lesson's question, and the answer that this batch gives; None until it is answered."""
    if lesson.predict(words.QUESTION) is None:
        return None
    windows, seed = found.windows, policy.seed
    played = measure.measured(
        ("hindsight", policy.identity, windows.mc_q.shape, index),
        lambda progress: hindsight(windows, index, seed, progress),
        "Playing both actions of every state",
    )
    if played is not None:
        slopes = preference_slopes(windows, index, found.reference.directions[0])
        said = words.on_worse_actions(worse_actions(played, every[BASE], slopes))
        lesson.reveal(words.QUESTION, 0, said)  # by theory, for two actions
        if push := expected_push(played, every[BASE]):
            st.latex(words.expected_push(push))
            st.caption(words.on_the_expected_push(push, played.tails))
    return played


def compare(found: Findings, every: dict[str, Update], played: Hindsight | None) -> None:
    """All estimators on the one batch."""
    step = st.session_state.get("inside_step", "gradient")
    worse = played.worse if played else None
    table = words.table(every, found.reference.directions[0], step, worse)
    st.dataframe(table, hide_index=True, width="stretch", height="content")
    st.caption(
        "One batch, n = 1: an angle above 90° points the wrong way. How often that happens among "
        f"{len(found.windows):,} batches is measured on the page The cloud. {OTHER_BATCHES} "
        f"{FIXED_LENGTH}"
    )
    lesson.true_gradient()
