"""ToyPole: its five tabs."""

from __future__ import annotations

import streamlit as st

from pgcore.exact.toypole import ToyPole
from pgcore.gradients import enumerated
from pgcore.plotting.theme import silent
from ui.shell import controls, glossary, lesson
from ui.toypole import charts, words

LENGTH = 8  # steps in a window, where one length is shown


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
    asked, settings = st.columns([4, 1], vertical_alignment="center")
    with settings.popover("Policy", icon=":material/tune:", width="stretch"):
        st.caption("A larger θ makes the step to the right more probable in its state.")
        theta = tuple(controls.slider(f"pole_t{x}") for x in range(5))
        gamma = controls.slider(
            "pole_gamma", help="A larger γ gives more weight to rewards that come later."
        )
    lab = enumerated.pole(theta, gamma)
    with asked:
        glossary.say(words.CHAIN)
    st.vega_lite_chart(
        charts.chain_rows(lab),
        charts.chain_spec(float(lab.q_values.max())),
        key="chain",
        alt="Five states in a row with their values, and the policy's two arrows at each.",
    )
    glossary.caption(words.on_the_chain(lab))
    with st.expander("All the numbers"):
        glossary.say(words.CHAIN_DRAWN)
        st.dataframe(charts.chain_table(lab), hide_index=True, width="stretch")


def estimates() -> None:
    """Six baselines on sampled windows, beside the truth that all windows give."""
    lab = _lab()
    glossary.say(words.ESTIMATES)
    first, second, third = st.columns([2, 2, 1], vertical_alignment="bottom")
    with first:
        constant = controls.slider(
            "pole_constant", help="The number that the baseline Constant subtracts from every Q."
        )
    with second:
        n = controls.slider("pole_n", help="More windows: narrower intervals.")
    draw = controls.value_of("pole_draw")
    third.button(
        "Draw others", icon=":material/casino:", width="stretch",
        on_click=controls.turn, args=("pole_draw", draw + 1),
        help="Other windows of the same policy: the dots move, the exact bars stay.",
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
        glossary.caption(words.on_kept(rows))
    with right:
        st.vega_lite_chart(
            rows,
            charts.estimate_spec("tr_var", *charts.around(rows["tr_var"])),
            key="tr_var",
            alt="Variance of one window's arrow, exact and sampled, for six baselines.",
        )
        glossary.caption(words.on_estimates(rows, n))
    with st.expander("All the numbers"):
        table = charts.estimate_table(lab, constant, n, draw)
        st.dataframe(table, hide_index=True, width="stretch")
        glossary.say(words.on_the_drawing(n))


def batch_mean() -> None:
    """How much of the gradient the batch mean loses, against 1/T."""
    lab = _lab()
    asked, picture = st.columns([1, 1.7], gap="medium")
    question = words.loss(lab)
    with asked:
        said = lesson.predict(question)
    rows = enumerated.length_rows(lab, words.SAMPLED, controls.value_of("pole_draw"))
    lost = enumerated.lost_at(rows, LENGTH)
    if said is None:
        rows = charts.before_the_answer(rows, "1/T")
    else:
        with asked:
            truth = words.which_loss(lost["batch_mean"], LENGTH)
            lesson.reveal(question, truth, words.on_shrink(lab, lost))
    with picture:
        st.vega_lite_chart(
            rows,
            charts.length_spec() if said else silent(charts.length_spec()),
            key="lengths",
            alt="Share of the true gradient that is lost, against the steps in a window; the "
            "dashed line is what independent samples lose."
            if said is None
            else "Share of the true gradient that batch mean and leave one out lose, against the "
            f"steps in a window. At 8 steps {lost['batch_mean']:.0%} and "
            f"{lost['leave_one_out']:.0%}, where 1/T is 12.5%.",
        )
        glossary.caption(words.INDEPENDENT if said is None else words.on_lengths(rows))
    if said is not None:
        with st.expander("All the numbers"):
            glossary.say(words.LENGTHS_DRAWN)
            st.dataframe(charts.length_table(rows), hide_index=True, width="content")


def lambdas() -> None:
    """Bias, noise and total error of GAE against lambda, with a critic that errs."""
    lab = _lab()
    left, right, _ = st.columns(3)
    with left:
        error = controls.slider("pole_error", help="A larger e: the critic is further off.")
    with right:
        averaged = controls.slider(
            "pole_averaged", help="More windows in an update: less noise, and the same bias."
        )
    asked, picture = st.columns([1, 1.7], gap="medium")
    question = words.best_lambda(error, averaged)
    with asked:
        said = lesson.predict(question)
    rows = enumerated.lambda_rows(lab, error, averaged)
    best = enumerated.best_lambda(lab, error, averaged)
    top = charts.ceiling(rows["error"])
    if said is None:
        rows = charts.before_the_answer(rows, "curve", "bias")
    else:
        with asked:
            truth = words.which_lambda(best)
            lesson.reveal(question, truth, words.on_lambda(error, averaged, best))
    with picture:
        st.vega_lite_chart(
            rows,
            charts.lambda_spec(top) if said else silent(charts.lambda_spec(top)),
            key="lambda",
            alt="The bias of GAE against lambda."
            if said is None
            else f"Bias, noise and total error of GAE against lambda; least at {best:.2f}.",
        )
        glossary.caption(words.BIAS_ALONE if said is None else words.on_errors(rows))
    if said is not None:
        with st.expander("All the numbers"):
            glossary.say(words.lambda_words(lab))
            st.dataframe(charts.lambda_table(rows), hide_index=True, width="content")


def gradients() -> None:
    """The batch's mean gradient beside the gradient of the discounted return."""
    lab = _lab()
    asked, slide = st.columns([2.6, 1], vertical_alignment="center")
    with asked:
        glossary.say(words.GRADIENTS)
    with slide:
        radius = controls.slider("pole_radius", help="A larger circle leads further from θ.")
    fields, climb = enumerated.field_rows(lab), enumerated.climb_rows(lab, (0, 2), radius)
    left, right = st.columns(2)
    with left:
        st.vega_lite_chart(
            fields,
            charts.field_spec(),
            key="fields",
            alt="Components of the two gradients by state, both arrows scaled to length 1.",
        )
        glossary.caption(words.on_fields(lab))
    with right:
        st.vega_lite_chart(
            climb,
            charts.climb_spec(),
            key="climb",
            alt="Height gained on a closed walk: zero again for the discounted gradient, not "
            "for the batch's.",
        )
        glossary.caption(words.on_the_walk(climb))
    with st.expander("All the numbers"):
        glossary.say(words.on_gradients(lab))
        first, second = st.columns(2)
        first.dataframe(charts.field_table(fields), hide_index=True, width="stretch")
        second.dataframe(charts.climb_table(climb), hide_index=True, width="stretch")
