"""The formula bar, its judgement, and training with it."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from pgcore import formula as formulas
from pgcore.formula import Formula, FormulaError
from pgcore.gradients import weights
from pgcore.gradients.findings import Findings
from pgcore.gradients.judgement import FORMULA, judge
from pgcore.stats import mean_t_interval
from ui.baseline import charts as baseline
from ui.baseline import words
from ui.baseline.attempts import Attempts, on_the_attempts, remember, table
from ui.baseline.attempts import judged as attempt
from ui.shell import export, figures, glossary, lesson, link, live, measure
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
    glossary.say(words.TYPE)
    line, examples = st.columns([4, 1])
    typed = line.text_input(
        "Your baseline b, or the whole weight psi", key=TYPED, live=PAUSE,
        label_visibility="collapsed", placeholder="b = v", icon=":material/function:",
    )  # fmt: skip
    with examples.popover("Examples", icon=":material/lightbulb:", width="stretch"):
        st.pills(
            "Examples", baseline.EXAMPLES, key=EXAMPLE, on_change=_take,
            label_visibility="collapsed",
        )  # fmt: skip
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
    """Typeset, drawn beside the lab's three, and judged by the measurement and by its text."""
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
    remember(_attempts(), _key(policy, formula), attempt(judged, policy.name))
    rows = baseline.rows(found.measurements | {"formula": judged.measured})
    st.vega_lite_chart(
        rows,
        baseline.judgement_spec(baseline.ends(rows)),
        key="verdict",
        width="stretch",
        alt=words.description(rows),
    )
    sentences = (words.on_the_twin, words.on_the_bias, words.on_the_variance)
    st.markdown("  \n".join(filter(None, (sentence(judged) for sentence in sentences))))
    with st.expander("All the numbers"):
        st.dataframe(baseline.written(rows), hide_index=True, width="stretch")
        st.markdown(words.on_the_text(judged))
        st.markdown(words.on_the_measuring(policy.name, *found.windows.mc_q.shape))
        lesson.true_gradient()


def _attempts() -> Attempts:
    return st.session_state.setdefault("attempts", {})


def _key(policy: measure.Policy, formula: Formula) -> Hashable:
    """What an attempt is at: the formula's text, and the policy that it was measured at."""
    return str(formula), policy.identity


def training(policy: measure.Policy, formula: Formula) -> None:
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
        if (known := _attempts().get(_key(policy, formula))) is not None:
            final = mean_t_interval(histories[FORMULA].final_returns)
            remember(_attempts(), _key(policy, formula), known._replace(final=final))
        with st.expander("All the numbers"):
            figures.table(shown, figure)
    export.folded(figure, shown)


def scoreboard(policy: measure.Policy) -> None:
    """The formulas of this session, side by side, and a button that forgets them."""
    attempts = _attempts()
    if not attempts:
        return
    heading, clear = st.columns([5, 1], vertical_alignment="center")
    heading.markdown("##### Your attempts")
    clear.button(
        "Clear the list", icon=":material/delete:", on_click=attempts.clear, width="stretch",
        help="Forgets every attempt but the present one.",
    )  # fmt: skip
    st.dataframe(table(attempts), hide_index=True, width="stretch", height="content")
    st.caption(f"{on_the_attempts(attempts, policy.name)} {words.KEPT}")


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
