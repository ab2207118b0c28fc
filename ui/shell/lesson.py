"""What stands beside an experiment: the equation, and the source of the function that runs."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import streamlit as st

from pgcore.algorithms import ALGORITHMS

# Relative to the page, so that it also holds where the app has a path of its own. It opens a new
# tab of the browser: that is a new session, and only a new session reads what a link holds.
TRUE_GRADIENT = (
    "The true gradient here is g∞: the mean that updates of this policy would have if every Q "
    "were exact. It is the gradient of no function (Nota & Thomas 2020); "
    "[ToyPole shows the two gradients](toypole?pole_view=Two+gradients)."
)


def equation_and_source(keys: list[str]) -> None:
    """One tab an algorithm: the weight as the lecture writes it and as the library runs it."""
    for tab, key in zip(st.tabs([ALGORITHMS[key].name for key in keys]), keys, strict=True):
        algorithm = ALGORITHMS[key]
        with tab:
            st.latex(r"\Psi_t = " + algorithm.psi)
            st.code(inspect.getsource(algorithm.weight), language="python", wrap_lines=True)
            st.caption(f"Adds bias: {algorithm.bias}. {algorithm.reference}.")


def true_gradient() -> None:
    """What a page means by it; to stand where the page first names it."""
    st.caption(TRUE_GRADIENT)


def predict(name: str, question: str, options: Sequence[str]) -> str | None:
    """One question before its experiment.

    Returns: the option that the reader committed to, "" for a reader who would rather just see,
    None until then: the page then keeps the result to itself.
    """
    said: dict[str, str] = st.session_state.setdefault("predictions", {})
    if name not in said:
        with st.container(border=True):
            option = st.radio(f"**Predict.** {question}", options, index=None, key=f"say_{name}")
            with st.container(horizontal=True):
                st.button(
                    "Commit", key=f"commit_{name}", type="primary", disabled=option is None,
                    on_click=said.__setitem__, args=(name, option),
                )  # fmt: skip
                st.button(
                    "Just show", key=f"show_{name}", on_click=said.__setitem__, args=(name, "")
                )
    return said.get(name)


def reveal(name: str, question: str, truth: str, explanation: str) -> None:
    """What the experiment says, beside what the reader of `predict` said.

    The verdict belongs to the settings at which the prediction was made: it is kept as it was
    first shown. Settings that have moved since have a sentence of their own.
    """
    said = st.session_state["predictions"][name]
    verdicts: dict[str, tuple[str, str]] = st.session_state.setdefault("verdicts", {})
    now = f"{truth}. {explanation}"
    if not said:  # nothing was predicted, so nothing is kept
        verdicts.pop(name, None)
    words, then = verdicts.setdefault(name, (verdict(said, question, truth, explanation), now))
    text, again = st.columns([7, 1])
    text.markdown(words)
    if now != then:
        text.markdown(f"The settings have changed since. With the present ones: {now}")
    again.button("Ask again", key=f"again_{name}", type="tertiary", on_click=_forget, args=(name,))


def verdict(said: str, question: str, truth: str, explanation: str) -> str:
    """The prediction and the truth in words; `said` is "" for a reader who made none."""
    if not said:
        return f"*{question}* {truth}. {explanation}"
    if said == truth:
        return f":material/check: You predicted it: *{said}*. {explanation}"
    return f":material/close: You predicted *{said}*. It is: *{truth}*. {explanation}"


def _forget(name: str) -> None:
    st.session_state["predictions"].pop(name, None)
    st.session_state["verdicts"].pop(name, None)
