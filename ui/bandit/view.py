"""Exact bandit: its three tabs."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pgcore.exact import fates
from pgcore.exact.bandit import Bandit
from ui.bandit import charts, words
from ui.shell import controls, glossary, lesson

STEP_HELP = "A larger step moves the policy further at each pull. It commits sooner."


def one_pull() -> None:
    """One pull: the arrows on the simplex, their variance against b, and the exact numbers."""
    presets, slide, settings = st.columns([2.4, 3, 1.4], vertical_alignment="bottom")
    with settings.popover("Policy and rewards", icon=":material/tune:", width="stretch"):
        st.caption("The probability of an arm is its weight, divided by the sum of the weights.")
        policy, rewards = st.columns(2)
        with policy:
            weights = [controls.slider(f"bandit_w{a}") for a in (1, 2, 3)]
        with rewards:
            q_values = [controls.slider(f"bandit_q{a}") for a in (1, 2, 3)]
        noise = controls.slider(
            "bandit_noise", help="More noise: the rewards of one arm differ from pull to pull."
        )
        size = controls.slider(
            "bandit_pulls", help="More pulls in an update: less scatter, fewer updates."
        )
    bandit = Bandit([w / sum(weights) for w in weights], q_values, noise)
    with presets.container(horizontal=True, gap="small"):
        for name, value in fates.baselines(bandit).items():
            st.button(
                words.shown(name), key=f"preset {name}",
                on_click=controls.turn, args=("bandit_b", value),
            )  # fmt: skip
    with slide:
        b = controls.slider(
            "bandit_b", *charts.span(bandit), help="The number that is subtracted from every Q."
        )

    simplex, parabola, asked = st.columns([1.3, 1.1, 1.05])
    with simplex:
        st.vega_lite_chart(
            charts.simplex_rows(bandit, b),
            charts.simplex_spec(),
            width="content",
            key="simplex",
            alt=words.SIMPLEX_ALT,
        )
        glossary.caption(f"{words.ARROWS} {words.on_the_lengths(charts.reach(bandit))}")
    with parabola:
        low, high = charts.span(bandit)
        st.vega_lite_chart(
            charts.parabola_rows(bandit, b),
            charts.parabola_spec(low, high, charts.ceiling(bandit)),
            key="parabola",
            alt=words.parabola_alt(bandit, b),
        )
        glossary.caption(words.on_the_variance(bandit, b))
    question = words.free_lunch(b or 5.0)
    with asked:
        if lesson.predict(question) is None:
            return
        lesson.reveal(question, *words.on_the_mean(bandit, b or 5.0))
    with st.expander("All the numbers"):
        table = charts.numbers(bandit, b, size)
        st.dataframe(charts.written(table, size), hide_index=True, width="stretch")
        glossary.say(words.on_the_batch_mean(size))
        glossary.say(words.on_the_arrows(bandit))


def same_variance() -> None:
    """Runs of natural policy gradient under five baselines, two of them of equal variance."""
    asked, settings = st.columns([2.2, 1], gap="medium")
    with settings:
        runs = controls.slider("bandit_runs", help="More runs: narrower intervals.")
        step_size = controls.slider("bandit_step", help=STEP_HELP)
    question, first = words.fates_question(runs, step_size), fates.first_steps()
    with asked:
        said = lesson.predict(question)
    stories: dict[str, np.ndarray] = {}
    if said is not None:
        stories = {name: fates.runs(name, runs, step_size) for name in first}
        with asked:
            lesson.reveal(question, *words.answer(stories))
    for column, name in zip(st.columns(len(first)), first, strict=True):
        with column:
            st.markdown(words.first_variance(name, first[name]))
            st.vega_lite_chart(
                charts.path_rows(stories.get(name, charts.START)),
                charts.path_spec(),
                width="content",
                key=f"paths {name}",
                alt=words.paths_alt(name, runs if stories else 0),
            )
            if stories:
                st.markdown(words.fates_in_colour(stories[name]))
    glossary.caption(words.on_the_paths(runs) if stories else words.BEFORE_THE_RUNS)
    if stories:
        glossary.say(words.on_least_variance(stories))
    with st.expander("All the numbers"):
        table = charts.written_fates(stories) if stories else charts.written_first(first)
        st.dataframe(table, hide_index=True, width="content")
        if stories:
            st.markdown(words.on_the_measuring(runs))


def two_arms() -> None:
    """How probable it is that the good arm is never pulled, in closed form and simulated."""
    st.markdown(words.TWO_ARMS)
    left, right, _ = st.columns(3)
    with left:
        b = controls.slider(
            "bandit_never", help="A lower b rewards every pull more, whichever arm it was."
        )
    with right:
        step_size = controls.slider("bandit_step", help=STEP_HELP)
    rows = charts.never_rows(step_size, b, words.SIMULATED)
    st.vega_lite_chart(
        rows,
        charts.never_spec(),
        key="never",
        alt=words.NEVER_ALT,
    )
    st.markdown(words.on_never(step_size, b))
    with st.expander("All the numbers"):
        glossary.say(words.NEVER_DRAWN)
        st.dataframe(charts.never_table(rows, step_size), hide_index=True, width="content")
        st.markdown(words.NEVER_FORMULA)
        st.latex(r"P = \prod_{t\ge 0} \bigl(1-\sigma(\theta_t)\bigr),\quad \theta_0 = 0")
        st.latex(r"\theta_{t+1} = \theta_t + \frac{\alpha\, b}{1-\sigma(\theta_t)}")
