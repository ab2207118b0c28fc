"""The cloud's panels and numbers, from what has been measured."""

from __future__ import annotations

import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.gradients import by_batch_size, collect_windows
from ui.cloud import charts as cloud
from ui.shell import figures, lesson, link
from ui.shell import policy as measure

PANELS = ("policy_gradient", "constant", "batch_mean", "actor_critic")
MOST_PANELS = 4
LONGEST, ENOUGH = 128, 2000  # steps of the longest batch, and batches, against the batch size


def choose_panels() -> list[str]:
    """The estimators to draw, four at most, in the session and the link."""
    state, key = link.settings(), "measure_panels"
    options = [*measure.ESTIMATORS, "constant"]
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


def panels(found: measure.Findings, keys: list[str]) -> None:
    """One cloud an estimator, all to one scale."""
    half = cloud.radius(found.cloud, [key for key in keys if key != "constant"] or ["score"])
    for column, key in zip(st.columns(len(keys)), keys, strict=True):
        with column:
            title, picture = st.empty(), st.empty()
            b = measure.choose_baseline(found.parabola) if key == "constant" else 0.0
            name = f"Constant, b = {b:g}" if key == "constant" else ALGORITHMS[key].name
            arrows = cloud.shadows(found.cloud, key, b)
            known = found.measurements.get(key)  # with its bootstrap interval, as in the table
            share = known.right_way if known else cloud.right_way(arrows)
            title.markdown(f"**{name}** · {cloud.percent(share)} right")
            picture.vega_lite_chart(
                cloud.arrow_rows(arrows), cloud.panel_spec(half, key), key=f"cloud_{key}",
                alt=cloud.description(key, arrows),
            )  # fmt: skip
            shown = cloud.plane_share(found.cloud, key, b, found.reference, found.parabola)
            st.caption(f"{shown:.0%} of its variance lies in this plane.")


def reveal(found: measure.Findings) -> None:
    """The share of plain PG's updates, and the critic's, beside the reader's prediction."""
    plain, critic = (
        found.measurements[key].right_way for key in ("policy_gradient", "actor_critic")
    )
    lesson.reveal(
        "right_way", "Share of plain policy gradient's updates:", cloud.answer(plain),
        f"Plain: {cloud.percent(plain)}. With the critic: {cloud.percent(critic)}. "
        f"n = {plain.n:,} batches.",
    )  # fmt: skip


def legend(found: measure.Findings) -> None:
    """What the arrows are, and how well the truth is known."""
    drawn, n = min(cloud.DRAWN, len(found.windows)), len(found.windows)
    st.caption(
        "**Yellow**: the true gradient. **White**: the mean of all updates; drag b, and the cloud "
        "breathes while its mean stays. **Right** of the middle: within 90 degrees of the truth; "
        "grey points the wrong way."
    )
    st.caption(
        f"Each thin arrow is the step that one batch of {found.windows.mc_q.shape[1]} would take: "
        f"{drawn} of n = {n:,}, the same batches in every panel, in lengths of the true gradient "
        f"(Monte Carlo over {found.reference.n:,} other long windows, known to "
        f"{found.reference.relative_error:.1%}). Longer ones leave the frame. [ ]: 95% intervals."
    )


def numbers(found: measure.Findings) -> None:
    """Findings in words, and every estimator's numbers."""
    size = found.windows.mc_q.shape[1]
    for sentence in cloud.findings(found.measurements, found.ratios, size):
        st.markdown(f"- {sentence}")
    st.dataframe(cloud.table(found.measurements), hide_index=True, height="content")
    st.caption(
        f"n = {len(found.windows):,} batches of {size} steps of one policy ({found.policy.name}): "
        "another seed is another policy. Variance is tr Σ, summed over all parameters; signal / "
        "noise is |E g|² / tr Σ of one update; biases are relative to the true gradient's length. "
        "PPO stands where it starts, on GAE's gradient. Brackets: 95% bootstrap intervals over "
        "batches. What others plot as gradient variance on CartPole is the variance of a scalar "
        "loss in the course of training, or norms of gradients of policies that differ; here one "
        "policy is held still, and what varies is the estimate itself."
    )


def against_batch_size(policy: measure.Policy, keys: list[str]) -> None:
    """tr Sigma against B, beside the law that independent steps would obey."""
    config = policy.config.replace(batch_size=LONGEST)

    def work(progress: measure.Progress):
        windows = collect_windows(
            policy.row, config, ENOUGH, policy.seed, progress=lambda x: progress(0.4 * x)
        )
        return by_batch_size(
            windows, config, measure.ESTIMATORS, progress=lambda x: progress(0.4 + 0.6 * x)
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
        alt=cloud.batch_description(frame),
    )
    st.markdown(cloud.law(frame))
    st.caption(
        f"n = {ENOUGH:,} batches of {LONGEST} steps of the same policy, cut short for smaller B; "
        "bands are 95% bootstrap intervals. Both axes are logarithmic. Where a batch is cut, the "
        "critic is asked, so a short batch leans on its guess and a long one on real rewards."
    )
