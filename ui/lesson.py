"""What stands beside an experiment: the equation, and the source of the function that runs."""

from __future__ import annotations

import inspect

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
