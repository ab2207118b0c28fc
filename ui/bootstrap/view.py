"""Three targets for the steps after a batch: what they are worth, what they cost."""

from __future__ import annotations

import streamlit as st

from pgcore.gradients.bootstrapping import CRITIC, Bootstrapping, bootstrapping
from pgcore.gradients.findings import Findings
from ui.bootstrap import charts, words
from ui.shell import lesson, measure


def compared(policy: measure.Policy, found: Findings) -> Bootstrapping | None:
    """The three targets on the batches of the shared measurement; None while it is being made."""
    n, steps = found.windows.mc_q.shape
    return measure.measured(
        ("bootstrapping", policy.identity, n, steps),
        lambda progress: bootstrapping(found.windows, found.reference, policy.seed, policy.steps),
        "Comparing three targets",
    )


def reveal(policy: measure.Policy, found: Bootstrapping) -> None:
    """What the critic brings back, beside the reader's prediction."""
    question = words.question(policy.name, found.batch_size)
    lesson.reveal(question, words.answer(found), words.explanation(found))


def waiting(found: Bootstrapping) -> None:
    """The picture before the reader has predicted: what is missing, without the critic."""
    rows = charts.return_rows(found)
    st.vega_lite_chart(
        rows[rows["target"] != CRITIC],
        charts.return_spec(found.batch_size, charts.return_top(found)), key="returns_waiting",
        alt="Mean Q along the batch, cut at its end and with what followed. The critic's line is "
        "not drawn yet.",
    )  # fmt: skip
    st.caption(
        "The lower line stops counting where the batch ends. The upper one counts on to the end "
        "of the episode. The critic's line is not drawn yet."
    )


def returns(found: Bootstrapping) -> None:
    """Mean Q against the position in the batch."""
    st.vega_lite_chart(
        charts.return_rows(found), charts.return_spec(found.batch_size, charts.return_top(found)),
        key="returns", alt=words.returns_description(found),
    )  # fmt: skip
    st.caption(words.on_returns(found))


def updates(found: Bootstrapping) -> None:
    """Bias against variance of the update that each target makes."""
    st.vega_lite_chart(
        charts.update_rows(found),
        charts.update_spec(charts.bias_range(found), charts.variance_range(found)),
        key="updates", alt=words.updates_description(found),
    )  # fmt: skip
    st.caption(words.on_updates(found))


def lengths(found: Bootstrapping) -> None:
    """Whole episodes beside the batch."""
    rows = charts.length_rows(found)
    st.vega_lite_chart(
        rows,
        charts.length_spec(int(rows["high"].max()), int(rows["count"].max()), found.batch_size),
        key="lengths", alt=words.lengths_description(found),
    )  # fmt: skip
    st.caption(words.on_lengths(found))


def notation() -> None:
    """The three targets as the lecture writes them."""
    st.latex(r"Q_t = \sum_{k=t}^{T-1} \gamma^{k-t} r_k + \gamma^{T-t} F")
    st.markdown(
        r"""
- **cut**: $F = 0$
- **critic**: $F = V_\phi(s_T)$, the bootstrap
- **what followed**: $F = r_T + \gamma r_{T+1} + \dots$
"""
    )
    st.caption(
        "The steps of a batch are 0 to $T - 1$, and $s_T$ is the state after it. After a fall "
        "nothing follows: the sum ends there for all three."
    )


def numbers(policy: measure.Policy, found: Bootstrapping) -> None:
    """Everything measured, folded."""
    with st.expander("All the numbers"):
        st.dataframe(words.table(found), hide_index=True, height="content")
        for sentence in (words.on_asked(found), *words.remarks(found)):
            st.markdown(f"- {sentence}")
        st.caption(
            f"n = {found.asked.n:,} batches of one policy ({policy.name}), the same ones for every "
            "target. The weight is Q - V of the critic for all three: a baseline of the state adds "
            "no bias. Bias is that of the mean update, in lengths of the true gradient; the whole "
            "bias counts what points aside too. Variance is tr Σ, summed over all parameters. "
            "Where the clock ends an episode inside a batch, each target does the same as at the "
            "batch's end. [ ]: 95% intervals; t for mean Q, Wilson for shares, resampled "
            "batches for the others."
        )
        lesson.true_gradient()
