"""The formula bar, its verdict, and training with it."""

from __future__ import annotations

import streamlit as st

from pgcore import formula as formulas
from pgcore import runs
from pgcore.charts import baseline
from pgcore.config import Config
from pgcore.formula import Formula, FormulaError
from pgcore.gradients import weights
from ui import controls, figures, live, measure

TYPED, EXAMPLE = "baseline_typed", "baseline_example"
TRAINED = ("policy_gradient", "actor_critic", "formula")
PAUSE = "700ms"  # without a key typed, until the formula counts


def bar() -> Formula | None:
    """The text, examples to start from, and the typeset equation or what is wrong with it.

    Returns: the formula, None if the text spells none. A good one is kept by session and link.
    """
    state, text = st.session_state, controls.settings()["formula"]
    state.setdefault(TYPED, text)
    state[EXAMPLE] = state[TYPED] if state[TYPED] in baseline.EXAMPLES else None
    typed = st.text_input(
        "Your baseline b, or the whole weight psi", key=TYPED, live=PAUSE, max_chars=None,
        label_visibility="collapsed", placeholder="b = v",
    )  # fmt: skip
    st.pills(
        "Examples", baseline.EXAMPLES, key=EXAMPLE, on_change=_take, label_visibility="collapsed"
    )
    try:
        formula = formulas.parse(typed)
    except FormulaError as error:
        show(error)
        return None
    controls.settings()["formula"] = typed
    return formula


def _take() -> None:
    if st.session_state[EXAMPLE]:
        st.session_state[TYPED] = st.session_state[EXAMPLE]


def show(error: FormulaError) -> None:
    """The sentence, and a caret under the character that it speaks of."""
    st.error(str(error))
    if error.text:
        st.code(error.pointer(), language=None)
