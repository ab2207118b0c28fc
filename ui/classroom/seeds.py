"""Everybody is a seed: the class's curves gather, and its rows conclude. On the projector."""

from __future__ import annotations

import streamlit as st

from pgcore import runs
from pgcore.algorithms import ALGORITHMS
from pgcore.classroom import SEED_ALGORITHMS, Room
from pgcore.history import History
from ui.classroom import charts, words
from ui.seeds.charts import limits
from ui.shell import glossary, live

TICK = 0.25  # seconds between two states of the gathering
GATHERED = "class_gathered"  # of the session: the run, and how many of its states were shown
HEIGHT = 400  # of a chart, pixels


def show(room: Room) -> None:
    """After the host's start: the curves, one by one; then what each row concludes."""
    configs = {run.config.algorithm: run.config for run in room.seeds}
    shown = live.run_or_offer(configs)
    if live.any_live(shown):
        live.follow(shown, "class")
        return
    histories = live.finished(shown)
    if len(histories) < len(configs):  # one was cancelled or has failed: there is a button
        live.progress(shown)
        return
    with_baseline, without = (histories[key] for key in SEED_ALGORITHMS)
    if _gathers(with_baseline):
        return
    curves, rows = st.columns([1, 1.3], gap="medium")
    with curves:
        glossary.say(words.gathered(_name(with_baseline), with_baseline.final_returns))
        _curves(with_baseline, with_baseline.config.num_seeds, mean=True)
        st.button("Gather again", type="tertiary", icon=":material/replay:", on_click=_forget)
    with rows:
        _studies(with_baseline, without)


def _name(history: History) -> str:
    return ALGORITHMS[history.config.algorithm].name


def _forget() -> None:
    st.session_state.pop(GATHERED, None)


def _gathers(history: History) -> bool:
    """Draw the next state of the gathering, and the ones after it; False once all was shown."""
    run, states = runs.identity(history.config), charts.gathering(history.config.num_seeds)
    if st.session_state.get(GATHERED, ("", 0))[0] != run:
        st.session_state[GATHERED] = run, 0
    if st.session_state[GATHERED][1] >= len(states):
        return False

    def view() -> None:
        at = st.session_state[GATHERED][1]
        if at >= len(states):
            st.rerun()
        agents = states[at]
        st.markdown(f"#### {words.gathering(agents, history.config.num_seeds)}")
        _curves(history, agents, mean=False)
        st.session_state[GATHERED] = run, at + 1

    st.fragment(view, run_every=TICK)()
    return True


def _curves(history: History, agents: int, mean: bool) -> None:
    config = history.config
    spec = charts.curve_spec(
        config.total_timesteps, config.num_seeds, *limits(config.env_id), HEIGHT
    )
    rows = charts.gathered_rows(charts.curve_rows(history), agents, mean)
    alt = words.curves_alt(_name(history), history.final_returns)
    st.vega_lite_chart(rows, spec, key="class_curves", alt=alt)


def _studies(with_baseline: History, without: History) -> None:
    """The whole class, and its rows of 3, 5 and 10 neighbours."""
    names = _name(with_baseline), _name(without)
    scores = with_baseline.final_returns, without.final_returns
    low, high = limits(with_baseline.config.env_id)
    found = [words.study(*scores, n) for n in words.SIZES]
    glossary.say(words.on_the_class(found[0], names))
    for column, study in zip(st.columns(len(found)), found, strict=True):
        with column:
            st.markdown(f"**Rows of {study.n} neighbours**")
            if study.rows:
                spec = charts.study_spec(study.n, len(study.rows), float(high - low), HEIGHT - 120)
                st.vega_lite_chart(
                    charts.study_rows(study), spec, key=f"class_rows_{study.n}",
                    alt=words.studies_alt(study),
                )  # fmt: skip
            st.markdown(words.on_the_rows(study))
    st.caption(words.HOW)
