"""The film of one update: which batch, which estimator, and how far the film has run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np
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
from ui.cloud.words import FIXED_LENGTH, OTHER_BATCHES
from ui.inside import charts as inside
from ui.inside import words
from ui.shell import controls, glossary, lesson, link, live, measure
from ui.shell.notice import notice
from ui.shell.pages import PARAMETERS

FRAME_SECONDS = 0.35
BASE = "policy_gradient"
PLAYING = "inside_playing"
LENSES = list(measurable())


def choose_estimator() -> str:
    """The estimator under the lens, whatever the policy was trained with."""
    return controls.pick(
        st.selectbox, "lens", "Estimator", LENSES, "actor_critic",
        format_func=lambda name: ALGORITHMS[name].name,
        help="Another estimator gives the same steps other weights.",
    )  # fmt: skip


def choose_window(windows: Windows) -> int:
    """Which of the recorded batches."""
    key, usual, last = "set_window", instructive_window(windows), len(windows) - 1
    if not 0 <= st.session_state.get(key, -1) <= last:
        asked = controls.value_of("window")
        if asked is not None and asked > last:
            notice(f"window is {asked:,}; it must be from 0 to {last:,}. {usual:,} is shown.")
        st.session_state[key] = asked if asked is not None and asked <= last else usual
    index = st.number_input(
        "Batch", 0, last, key=key,
        help=f"Another number shows another of the {last + 1:,} batches that this policy played.",
    )  # fmt: skip
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
        bar, picture, below = (st.container() for _ in range(3))
        with bar:
            stage = _choose_stage(steps)
        with below:
            at, step = _choose_step(steps)
        link.put("stage", stage)
        link.put("at", at)
        link.write(PARAMETERS)
        rows = inside.rows(update, lens, stage, at, step)
        with picture:
            st.latex(words.equation(update, running, stage, at, step))
            st.vega_lite_chart(
                rows,
                inside.film_spec(steps, inside.ranges(update, every[BASE], step)),
                key="film",
                alt=words.description(update, lens, stage, at, step),
                width="stretch",
            )
            how = words.on_the_film(update, stage)
            glossary.caption(f"{words.on_the_stage(update, lens, stage, step)} {how}")
        with below.expander("All the numbers"):
            glossary.say(words.SAID[stage])
            st.dataframe(inside.numbers(rows), hide_index=True, height=240)

    st.fragment(view, run_every=FRAME_SECONDS if state.get(PLAYING) else None)()


def _turn(page: Callable[[str, int, int], tuple[str, int]], steps: int) -> None:
    state = st.session_state
    moment = state["set_stage"], state["set_at"]
    state["set_stage"], state["set_at"] = page(*moment, steps)


def _by_hand(page: Callable[[str, int, int], tuple[str, int]], steps: int) -> None:
    st.session_state[PLAYING] = False
    _turn(page, steps)


def _choose_stage(steps: int) -> str:
    """Back, forward, play, and the stage."""
    state = st.session_state
    playing = state.get(PLAYING, False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for label, icon, page, key in (
            ("Back", "skip_previous", inside.back, "Left"),
            ("Forward", "skip_next", inside.forward, "Right"),
        ):
            st.button(
                label, icon=f":material/{icon}:", on_click=_by_hand, args=(page, steps),
                shortcut=key,
            )  # fmt: skip
        label, icon = ("Pause", "pause") if playing else ("Play", "play_arrow")
        if st.button(label, icon=f":material/{icon}:") | live.taken():
            state[PLAYING] = not playing
            if not playing and state["set_stage"] == inside.ORDER[-1]:
                state["set_stage"] = inside.ORDER[0]
            st.rerun()
        return str(
            st.segmented_control(
                "Stage", inside.ORDER, format_func=inside.STAGES.__getitem__, key="set_stage",
                required=True, label_visibility="collapsed",
            )
        )  # fmt: skip


def _choose_step(steps: int) -> tuple[int, str]:
    """The step t whose numbers the equation shows, and how the policy takes its step."""
    slider, kind = st.columns([2, 1.4], vertical_alignment="bottom")
    with slider:
        at = st.slider(
            "Step t of the batch", 0, max(steps - 1, 1), key="set_at", format="t = %d",
            help="Another step puts its own numbers into the equation.",
        )  # fmt: skip
    with kind:
        step = st.segmented_control(
            "Step of the policy", [*inside.CHANGES], default="gradient", key="inside_step",
            required=True, help="Adam divides each coordinate of the gradient by its recent size. "
            "Training takes this step.",
        )  # fmt: skip
    return min(at, steps - 1), step


def in_hindsight(
    policy: measure.Policy, found: Findings, index: int, every: dict[str, Update]
) -> Hindsight | None:
    """The lesson's question, and the answer that this batch gives; None until it is answered."""
    question = words.question(policy.name, index, every[BASE])
    if lesson.predict(question) is None:
        return None
    windows, seed = found.windows, policy.seed
    played = measure.measured(
        ("hindsight", policy.identity, windows.mc_q.shape, index),
        lambda progress: hindsight(windows, index, seed, progress),
        "Playing both actions of every state",
    )
    if played is not None:
        worse = worse_actions(played, every[BASE], _slopes(found, index))
        lesson.reveal(question, words.answer(worse), words.on_worse_actions(worse))
        with st.expander("How this was measured"):
            glossary.say(words.on_the_hindsight(worse))
    return played


def _slopes(found: Findings, index: int) -> np.ndarray:
    """How fast each state's preference moves along the true gradient.  [T]"""
    return preference_slopes(found.windows, index, found.reference.directions[0])


def on_average(played: Hindsight, every: dict[str, Update]) -> None:
    """One worse action of the batch: its push, averaged over both actions."""
    if push := expected_push(played, every[BASE]):
        st.markdown("##### The push on one worse action, averaged over both actions")
        st.latex(words.expected_push(push))
        st.caption(words.on_the_expected_push(push, played.tails))


def compare(found: Findings, every: dict[str, Update], played: Hindsight | None) -> None:
    """All estimators on the one batch."""
    step = st.session_state.get("inside_step", "gradient")
    worse = played.worse if played else None
    truth = found.reference.directions[0]
    st.dataframe(
        words.table(every, truth, step, worse), hide_index=True, width="stretch", height="content"
    )
    glossary.caption(words.on_the_estimators(every, truth))
    with st.expander("How this was measured"):
        st.markdown(
            f"{words.ANGLE} The page The cloud measures {len(found.windows):,} batches. "
            f"{OTHER_BATCHES} {FIXED_LENGTH}"
        )
        lesson.true_gradient()
