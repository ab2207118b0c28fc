"""ToyPole: its five tabs."""

from __future__ import annotations

import streamlit as st

from pgcore.exact.toypole import ToyPole
from pgcore.gradients import enumerated
from ui.shell import controls, lesson
from ui.toypole import charts, words


def _lab() -> ToyPole:
    """The chain with the policy and the discount of the settings; stops where g∞ is zero."""
    theta = tuple(controls.value_of(f"pole_t{x}") for x in range(5))
    lab = enumerated.pole(theta, controls.value_of("pole_gamma"))
    if not lab.gradient.any():
        st.info(words.NO_GRADIENT)
        st.stop()
    return lab


def chain() -> None:
    """The chain, its policy and values, and every number of it."""
    picture, beside = st.columns([2.6, 1])
    with beside:
        theta = tuple(controls.slider(f"pole_t{x}") for x in range(5))
        gamma = controls.slider("pole_gamma")
    lab = enumerated.pole(theta, gamma)
    with picture:
        st.vega_lite_chart(
            charts.chain_rows(lab),
            charts.chain_spec(float(lab.q_values.max())),
            key="chain",
            alt="Five states in a row with their values, and the policy's two arrows at each.",
        )
        st.caption(
            "Each step is worth 1, leaving the track ends the episode, and the next begins at "
            f"2: {lab.mean_length:.2f} steps on average. Arrows: π(left) and π(right) = σ(θ). "
            "Disks and the numbers below them: μ, the share of time in each state."
        )
    with st.expander("Every number of this laboratory"):
        st.dataframe(charts.chain_table(lab), hide_index=True, width="stretch")


def estimates() -> None:
    """Six baselines on sampled windows, beside the truth that all windows give."""
    lab = _lab()
    first, second, third = st.columns([2, 2, 1], vertical_alignment="bottom")
    with first:
        constant = controls.slider("pole_constant")
    with second:
        n = controls.slider("pole_n")
    draw = controls.value_of("pole_draw")
    third.button(
        "Draw others", icon=":material/casino:", width="stretch",
        on_click=controls.turn, args=("pole_draw", draw + 1),
    )  # fmt: skip
    rows = enumerated.estimate_rows(lab, constant, n, draw)
    left, right = st.columns(2)
    with left:
        st.vega_lite_chart(
            rows,
            charts.estimate_spec("kept", 0.0, 2.0),
            key="kept",
            alt="Mean arrow along the true gradient, exact and sampled, for six baselines.",
        )
    with right:
        st.vega_lite_chart(
            rows,
            charts.estimate_spec("tr_var", *charts.around(rows["tr_var"])),
            key="tr_var",
            alt="Variance of one window's arrow, exact and sampled, for six baselines.",
        )
    st.caption(
        "Bar: the truth, summed over all 1,280 windows of 8 steps that can occur. Dot and "
        f"line: the estimate and its 95% interval from n = {n:,} sampled windows, the same "
        "ones for every baseline. V and b*(s) are exact here; the critic bootstraps with V."
    )
    st.dataframe(charts.estimate_table(lab, constant, n, draw), hide_index=True, width="stretch")


def batch_mean() -> None:
    """How much of the gradient the batch mean loses, against 1/T."""
    lab = _lab()
    said = lesson.predict(words.LOSS)
    if said is not None:
        rows = enumerated.length_rows(lab, 4000, controls.value_of("pole_draw"))
        lost = enumerated.lost_at(rows, 8)
        truth = words.which_loss(lost["batch_mean"], 8)
        lesson.reveal(words.LOSS, truth, words.on_shrink(lab, lost))
        st.vega_lite_chart(
            rows,
            charts.length_spec(),
            key="lengths",
            alt="Share of the true gradient that batch mean and leave one out lose, against the "
            f"steps in a window; at 8 steps {lost['batch_mean']:.0%} and "
            f"{lost['leave_one_out']:.0%}, where 1/T is 12.5%.",
        )
        st.caption(
            "Filled dots: every window enumerated (T up to 12). Open dots: n = 4,000 sampled "
            "windows with 95% t intervals. Dashed: 1/T, what independent samples lose."
        )


def lambdas() -> None:
    """Bias, noise and total error of GAE against lambda, with a critic that errs."""
    lab = _lab()
    left, right, _ = st.columns(3)
    with left:
        error = controls.slider("pole_error")
    with right:
        averaged = controls.slider("pole_averaged")
    said = lesson.predict(words.LAMBDA)
    if said is not None:
        rows = enumerated.lambda_rows(lab, error, averaged)
        best = enumerated.best_lambda(lab, error, averaged)
        lesson.reveal(
            words.LAMBDA, words.which_lambda(best), words.on_lambda(error, averaged, best)
        )
        st.vega_lite_chart(
            rows,
            charts.lambda_spec(charts.ceiling(rows["error"])),
            key="lambda",
            alt=f"Bias, noise and total error of GAE against lambda; least at {best:.2f}.",
        )
        st.caption(words.lambda_words(lab))


def gradients() -> None:
    """The batch's mean gradient beside the gradient of the discounted return."""
    lab = _lab()
    left, right = st.columns(2)
    with left:
        st.vega_lite_chart(
            enumerated.field_rows(lab),
            charts.field_spec(),
            key="fields",
            alt="Components of the two gradients by state, both arrows scaled to length 1.",
        )
    with right:
        st.vega_lite_chart(
            enumerated.climb_rows(lab, (0, 2), controls.value_of("pole_radius")),
            charts.climb_spec(),
            key="climb",
            alt="Height gained on a closed walk: zero again for the discounted gradient, not "
            "for the batch's.",
        )
    text, slide = st.columns([2.6, 1])
    with slide:
        controls.slider("pole_radius")
    text.markdown(words.on_gradients(lab))
