"""Exact bandit: its three tabs."""

from __future__ import annotations

import streamlit as st

from pgcore.exact import fates
from pgcore.exact.bandit import Bandit
from ui.bandit import charts, words
from ui.shell import controls, lesson


def one_pull() -> None:
    """One pull: the arrows on the simplex, their variance against b, and the exact numbers."""
    presets, slide, settings = st.columns([2.4, 3, 1.4], vertical_alignment="bottom")
    with settings.popover("Policy and rewards", icon=":material/tune:", width="stretch"):
        st.caption("π is proportional to the weights.")
        policy, rewards = st.columns(2)
        with policy:
            weights = [controls.slider(f"bandit_w{a}") for a in (1, 2, 3)]
        with rewards:
            q_values = [controls.slider(f"bandit_q{a}") for a in (1, 2, 3)]
        noise, size = controls.slider("bandit_noise"), controls.slider("bandit_pulls")
    bandit = Bandit([w / sum(weights) for w in weights], q_values, noise)
    with presets.container(horizontal=True, gap="small"):
        for name, value in fates.baselines(bandit).items():
            st.button(
                words.shown(name), key=f"preset {name}",
                on_click=controls.turn, args=("bandit_b", value),
            )  # fmt: skip
    with slide:
        b = controls.slider("bandit_b", *charts.span(bandit))

    simplex, parabola, numbers = st.columns([1.05, 1.2, 1.1])
    with simplex:
        st.vega_lite_chart(
            charts.simplex_rows(bandit, b),
            charts.simplex_spec(),
            width="content",
            key="simplex",
            alt="The policy on the simplex; each arm's arrow for this b, and their mean, "
            "which is the same for every b.",
        )
    with parabola:
        low, high = charts.span(bandit)
        st.vega_lite_chart(
            charts.parabola_rows(bandit, b),
            charts.parabola_spec(low, high, charts.ceiling(bandit)),
            key="parabola",
            alt=f"Variance of one pull against the baseline b: {bandit.tr_var(b):.4f} at "
            f"b = {b:.4g}, least at b* = {bandit.optimal_baseline:.4f}.",
        )
    with numbers:
        if lesson.predict(words.FREE_LUNCH) is None:
            return
        lesson.reveal(words.FREE_LUNCH, *words.on_the_mean(bandit, b or 5.0))
        table = charts.numbers(bandit, b, size)
        st.dataframe(charts.written(table, size), hide_index=True, width="stretch")
        st.caption(
            "Exact, no sampling. The mean is g for every baseline but one: the batch mean has each "
            f"pull in its own baseline too, and its mean is {1 - 1 / size:.3g} g."
        )
    st.caption(words.on_the_arrows(bandit, charts.reach(bandit)))


def same_variance() -> None:
    """Runs of natural policy gradient under five baselines, two of them of equal variance."""
    count, step, _ = st.columns(3)
    with count:
        runs = controls.slider("bandit_runs")
    with step:
        step_size = controls.slider("bandit_step")
    said = lesson.predict(words.QUESTION)
    first = fates.first_steps()
    if said is None:
        st.dataframe(charts.written_first(first), hide_index=True, width="content")
        st.caption(
            "Natural policy gradient on three arms that pay 1, 0.7 and 0, from the uniform "
            "policy: the exact variance of the first step under five baselines."
        )
    else:
        stories = {name: fates.runs(name, runs, step_size) for name in first}
        lesson.reveal(words.QUESTION, *words.answer(stories))
        st.markdown(words.on_least_variance(stories))
        for column, (name, policies) in zip(st.columns(5), stories.items(), strict=True):
            with column:
                st.markdown(f"**{words.shown(name)}**: tr Var {first[name].tr_var:.3f}")
                st.vega_lite_chart(
                    charts.path_rows(policies),
                    charts.path_spec(),
                    width="content",
                    key=f"paths {name}",
                    alt=f"Forty runs with baseline {name} on the simplex.",
                )
                st.markdown(words.fates_in_colour(policies))
        st.caption(
            f"n = {runs:,} runs of {fates.STEPS} steps each, 40 of them drawn; 95% Wilson "
            "intervals. tr Var is the variance of the first step, exact. A run is stuck if it ends "
            "with π(best) below 1%, has found the best arm above 99%, and else is undecided. Equal "
            "seeds give equal noise to every baseline."
        )


def two_arms() -> None:
    """How probable it is that the good arm is never pulled, in closed form and simulated."""
    left, right, _ = st.columns(3)
    with left:
        b = controls.slider("bandit_never")
    with right:
        step_size = controls.slider("bandit_step")
    st.vega_lite_chart(
        charts.never_rows(step_size, b, 2000),
        charts.never_spec(),
        key="never",
        alt="Probability that the good arm is never pulled, against the constant baseline: "
        "zero for b at least 0, rising to one half as b falls.",
    )
    st.markdown(words.on_never(step_size, b))
    st.latex(r"P = \prod_{t\ge 0} \bigl(1-\sigma(\theta_t)\bigr),\quad \theta_0 = 0")
    st.latex(r"\theta_{t+1} = \theta_t + \frac{\alpha\, b}{1-\sigma(\theta_t)}")
    st.caption(
        "Line: the closed form. Each grey dot: the share of n = 2,000 simulated runs that never "
        "pull the good arm, with its 95% Wilson interval."
    )
