"""What stands beside an experiment: the equation, and the source of the function that runs."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import streamlit as st

from pgcore.algorithms import ALGORITHMS


def equation_and_source(keys: list[str]) -> None:
    """One tab an algorithm: the weight as the lecture writes it and as the library runs it."""
    for tab, key in zip(st.tabs([ALGORITHMS[key].name for key in keys]), keys, strict=True):
        algorithm = ALGORITHMS[key]
        with tab:
            st.latex(r"\Psi_t = " + algorithm.psi)
            st.code(inspect.getsource(algorithm.weight), language="python", wrap_lines=True)
            st.caption(f"Adds bias: {algorithm.bias}. {algorithm.reference}.")


def predict(name: str, question: str, options: Sequence[str]) -> str | None:
    """One question before its experiment.

    Returns: the option that the reader committed to, "" for a reader who would rather just see,
    None until then: the page then keeps the result to itself.
    """
    answers = st.session_state.setdefault("predictions", {})
    if name not in answers:
        with st.container(border=True):
            said = st.radio(f"**Predict.** {question}", options, index=None, key=f"say_{name}")
            with st.container(horizontal=True):
                st.button(
                    "Commit", key=f"commit_{name}", type="primary", disabled=said is None,
                    on_click=answers.__setitem__, args=(name, said),
                )  # fmt: skip
                st.button(
                    "Just show", key=f"show_{name}", on_click=answers.__setitem__, args=(name, "")
                )
    return answers.get(name)


def reveal(name: str, question: str, truth: str, explanation: str) -> None:
    """What the experiment says, beside what the reader of `predict` said."""
    said = st.session_state["predictions"][name]
    words = {truth: f":material/check: You predicted it: *{said}*.", "": f"*{question}* {truth}."}
    verdict = words.get(said, f":material/close: You predicted *{said}*. It is: *{truth}*.")
    text, again = st.columns([7, 1])
    text.markdown(f"{verdict} {explanation}")
    again.button(
        "Ask again", key=f"again_{name}", type="tertiary",
        on_click=st.session_state["predictions"].pop, args=(name,),
    )  # fmt: skip
