"""The formula bar, its judgement, and training with it."""

from __future__ import annotations

import streamlit as st

from pgcore import formula as formulas
from pgcore.formula import Formula, FormulaError
from pgcore.gradients import weights
from pgcore.gradients.findings import Findings
from pgcore.gradients.judgement import judge
from ui.baseline import charts as baseline
from ui.baseline import words
from ui.shell import export, figures, lesson, link, live, measure
from ui.shell.notice import notice
from ui.shell.series import FIELDS, Figure

TYPED, EXAMPLE = "baseline_typed", "baseline_example"
TRAINED = ("policy_gradient", "actor_critic", "formula")
PAUSE = "700ms"  # without a key typed, until the formula counts


def bar() -> Formula:
    """The text, examples to start from, and what is wrong with it.

    Returns: the formula; while the text spells none, the last good one, which session and link
    keep.
    """
    state, kept = st.session_state, link.settings()
    state.setdefault(TYPED, kept["formula"])
    state[EXAMPLE] = state[TYPED] if state[TYPED] in baseline.EXAMPLES else None
    typed = st.text_input(
        "Your baseline b, or the whole weight psi", key=TYPED, live=PAUSE,
        label_visibility="collapsed", placeholder="b = v", icon=":material/function:",
    )  # fmt: skip
    st.pills(
        "Examples", baseline.EXAMPLES, key=EXAMPLE, on_change=_take, label_visibility="collapsed"
    )
    try:
        formula = formulas.parse(typed)
    except FormulaError as error:
        show(error)
    else:
        kept["formula"] = typed
        return formula
    try:  # what another page's widget holds may be no formula either
        formula = formulas.parse(kept["formula"])
    except FormulaError:
        kept["formula"] = FIELDS["formula"].default
        formula = formulas.parse(kept["formula"])
    st.caption(f"What follows belongs to the last formula that could be read, `{formula}`.")
    return formula


def _take() -> None:
    if st.session_state[EXAMPLE]:
        st.session_state[TYPED] = st.session_state[EXAMPLE]


def show(error: FormulaError) -> None:
    """The sentence, and a caret under the character that it speaks of."""
    said, pointed = st.columns([3, 2], vertical_alignment="center")
    with said:
        notice(str(error), "error")
    if error.text:
        pointed.code(error.pointer(), language=None)


def judgement(policy: measure.Policy, found: Findings, formula: Formula) -> None:
    """Typeset, judged by its text and by the measurement, and drawn beside the lab's three."""
    st.latex(formula.latex)
    config = found.windows.config.replace(formula=str(formula))
    try:
        weights(found.windows, config, ["formula"])
    except FormulaError as error:
        show(error)
        return
    judged = measure.measured(
        ("formula", policy.identity, found.windows.mc_q.shape, str(formula)),
        lambda progress: judge(found.windows, found.reference, config, progress),
        "Measuring your formula",
    )
    if judged is None:
        return
    sentences = (words.on_the_twin, words.on_the_bias, words.on_the_variance, words.on_the_text)
    st.markdown("  \n".join(filter(None, (sentence(judged) for sentence in sentences))))
    table = baseline.rows(found.measurements | {"formula": judged.measured})
    st.vega_lite_chart(
        table,
        baseline.judgement_spec(baseline.ends(table)),
        key="verdict",
        width="stretch",
        alt=words.description(table),
    )
    st.caption(
        f"{policy.name}; n = {len(found.windows):,} batches of {found.windows.mc_q.shape[1]} "
        "steps, the same for all, with 95% bootstrap intervals. Variance: plain policy gradient's "
        "is 1. Added bias: along the true gradient, as a share of its length; the bias that the "
        "critic's guess at the end of a batch adds is common to all and left out. Right way: "
        f"updates within 90° of the true gradient."
    )
    lesson.true_gradient()


def training(formula: Formula) -> None:
    """Learning curves of the formula against none and the critic, trained as the settings say."""
    config = link.figure().config.replace(formula=str(formula))
    figure = Figure(TRAINED, config.replace(algorithm=TRAINED[0]))
    configs = {key: measure.as_trained(config) for key, config in figure.configs.items()}
    shown = live.run_or_offer(configs, verb="Train")
    live.controls(shown, "baseline")
    band = link.settings()["band"]

    def draw() -> None:
        live.progress(shown)
        figures.learning_curves(shown, figure, band)

    if shown:
        live.watch(shown, draw)
    histories = live.finished(shown)
    if len(histories) == len(TRAINED):
        st.markdown(words.on_learning(histories))
    with st.expander("Link, CSV, picture, code", icon=":material/ios_share:"):
        export.panel(figure, shown)


def dictionary() -> None:
    """What a formula may say."""
    with st.expander("What a formula may say", icon=":material/menu_book:"):
        names, functions = st.columns([3, 2])
        names.markdown(baseline.names_table())
        functions.markdown(baseline.functions_table())
        st.caption(
            "`b = ...` subtracts a baseline from Q; `psi = ...`, or no left side, is the whole "
            f"weight. At most {formulas.MAX_LENGTH} characters. Nothing looks across seeds."
        )
