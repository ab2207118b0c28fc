"""The cloud's panels and numbers, from what has been measured."""

from __future__ import annotations

import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.gradients import by_batch_size, collect_windows
from pgcore.gradients.arrows import arrows_of, share_right, share_shown
from pgcore.gradients.findings import ESTIMATORS, Findings
from ui.cloud import charts as cloud
from ui.cloud import words
from ui.shell import figures, lesson, link, measure

PANELS = ("policy_gradient", "constant", "batch_mean", "actor_critic")
MOST_PANELS = 4
LONGEST, ENOUGH = 128, 2000  # steps of the longest batch, and batches, against the batch size


def choose_panels() -> list[str]:
    """The estimators to draw, four at most, in the session and the link."""
    state, key = link.settings(), "measure_panels"
    options = [*ESTIMATORS, "constant"]
    if not st.session_state.get(key):  # never none at all
        asked = state.get("panels") or []
        known = [name for name in dict.fromkeys(asked) if name in options][:MOST_PANELS]
        if len(known) < len(asked):
            st.warning(
                f"panels may name up to {MOST_PANELS} of {', '.join(options)}; others are left out."
            )
        st.session_state[key] = known or list(PANELS)
    chosen = st.multiselect(
        "Estimators drawn", [k for k in ALGORITHMS if k in options], key=key,
        format_func=lambda name: ALGORITHMS[name].name, max_selections=MOST_PANELS,
    )  # fmt: skip
    shown = [name for name in ALGORITHMS if name in chosen] or list(PANELS)
    state["panels"] = None if shown == [k for k in ALGORITHMS if k in PANELS] else shown
    return shown


def panels(found: Findings, keys: list[str]) -> None:
    """One cloud an estimator, all to one scale."""
    half = cloud.radius(found.cloud, [key for key in keys if key != "constant"] or ["score"])
    for column, key in zip(st.columns(len(keys)), keys, strict=True):
        with column:
            title, picture = st.empty(), st.empty()
            b = measure.choose_baseline(found.parabola) if key == "constant" else 0.0
            name = f"Constant, b = {b:g}" if key == "constant" else ALGORITHMS[key].name
            arrows = arrows_of(found.cloud, key, b)
            known = found.measurements.get(key)  # with its bootstrap interval, as in the table
            share = known.right_way if known else share_right(arrows)
            mean_x, mean_y = arrows.mean(0)
            title.markdown(words.panel_title(name, share))
            picture.vega_lite_chart(
                cloud.arrow_rows(arrows), cloud.panel_spec(half, key), key=f"cloud_{key}",
                alt=words.description(key, (mean_x, mean_y), share),
            )  # fmt: skip
            shown = share_shown(found.cloud, key, b, found.reference, found.parabola)
            st.caption(words.shown(shown))


def reveal(found: Findings) -> None:
    """The share of plain PG's updates, and the critic's, beside the reader's prediction."""
    plain, critic = (
        found.measurements[key].right_way for key in ("policy_gradient", "actor_critic")
    )
    lesson.reveal(words.QUESTION, words.percent(plain), words.explanation(plain, critic))


def legend(found: Findings) -> None:
    """What the arrows are, and how well the truth is known."""
    drawn, n = min(cloud.DRAWN, len(found.windows)), len(found.windows)
    st.caption(
        "**Yellow**: the true gradient, of length 1. **White**: the mean of all updates. "
        "**Coloured**: single updates within 90 degrees of the true gradient; **grey**: the "
        "others. When b changes, the updates scatter more or less and their expected value stays. "
        f"{words.ADAM}"
    )
    st.caption(
        f"Each thin arrow is the gradient of one batch of {found.windows.mc_q.shape[1]} steps: "
        f"{drawn} of n = {n:,}, the same batches in every panel. The true gradient comes from "
        f"Monte-Carlo returns of {found.reference.n:,} other, long windows; its relative error is "
        f"{found.reference.relative_error:.1%}. Longer arrows leave the frame. [ ]: 95% intervals."
    )


def numbers(policy: measure.Policy, found: Findings) -> None:
    """Findings in words, and every estimator's numbers."""
    size = found.windows.mc_q.shape[1]
    for sentence in words.findings(found.measurements, found.ratios, size):
        st.markdown(f"- {sentence}")
    st.dataframe(words.table(found.measurements), hide_index=True, height="content")
    st.caption(
        f"n = {len(found.windows):,} batches of {size} steps of one policy ({policy.name}): "
        "another seed is another policy. Variance is tr Σ, summed over all parameters; noise / "
        "signal is √(tr Σ) / |E g| of one update. Biases are shares of the true gradient's "
        "length, signed along it; Normalized has weights on another scale, and its biases contain "
        "that scale. PPO is measured before its first step, where its gradient is "
        f"GAE's. {words.OTHER_BATCHES} {words.FIXED_LENGTH} Brackets: 95% bootstrap intervals "
        "over batches."
    )


def against_batch_size(policy: measure.Policy, keys: list[str]) -> None:
    """tr Sigma against B, beside the law that independent steps would obey."""
    config = policy.config.replace(batch_size=LONGEST)

    def work(progress: measure.Progress):
        windows = collect_windows(
            policy.params, config, ENOUGH, policy.seed, progress=lambda x: progress(0.4 * x)
        )
        return by_batch_size(
            windows, config, ESTIMATORS, progress=lambda x: progress(0.4 + 0.6 * x)
        )

    frame = measure.measured(
        ("batch sizes", policy.identity), work, f"Measuring batches of 1 to {LONGEST} steps"
    )
    if frame is None:
        return
    rows = cloud.batch_rows(frame, [key for key in keys if key != "constant"])
    st.vega_lite_chart(
        rows,
        cloud.batch_spec(LONGEST, figures.background()),
        key="batches",
        alt=words.batch_description(frame),
    )
    st.markdown(words.law(frame, ENOUGH))
    st.caption(
        f"n = {ENOUGH:,} batches of {LONGEST} steps of the same policy, cut short for smaller B; "
        "bands are 95% bootstrap intervals. Both axes are logarithmic. Where a batch is cut, the "
        "critic is asked, so a short batch relies on its guess and a long one on rewards."
    )
