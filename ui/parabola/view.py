"""The parabola's two halves: the variance of a constant baseline, and training with it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pgcore import envs
from pgcore.config import Config
from pgcore.gradients import collect_windows
from pgcore.gradients.arrows import shift_of_constant
from pgcore.gradients.constant_baseline import (
    end_of_harmless_zone,
    measured_constants,
    relative_variance,
)
from pgcore.gradients.findings import Findings
from pgcore.history import History
from pgcore.plotting.theme import silent
from ui.parabola import charts as parabola
from ui.parabola import words
from ui.shell import glossary, lesson, live, measure

POINTS = 10
FIRST_POINT = 2**24  # their windows are others than the curve's


def points(policy: measure.Policy, found: Findings) -> pd.DataFrame | None:
    """The estimator's variance at ten constants, on batches that the curve has not seen."""
    config = found.windows.config
    low, high = parabola.span(found.parabola, 0.0)
    constants = [round(low + (high - low) * k / (POINTS - 1), 2) for k in range(POINTS)]
    n = len(found.windows)

    def work(progress: measure.Progress) -> pd.DataFrame:
        windows = collect_windows(
            policy.params, config, n, policy.seed, first=FIRST_POINT, progress=progress
        )
        return measured_constants(windows, config, constants)

    name = ("parabola", policy.identity, config.batch_size, n)
    return measure.measured(name, work, f"Measuring {POINTS} constants on other batches")


def waiting() -> None:
    """The picture before the reader has predicted: no baseline, and no curve."""
    low, high = words.QUESTION.low, words.QUESTION.high
    st.vega_lite_chart(
        parabola.waiting_rows(), silent(parabola.parabola_spec(low, high, 2.0)),
        key="parabola_waiting",
        alt="Variance against a constant baseline b. Only b = 0 is drawn: its variance is 1.",
    )  # fmt: skip
    glossary.caption(words.MEANT)


def variance(policy: measure.Policy, found: Findings, b: float) -> pd.DataFrame:
    """The curve, the points measured elsewhere, and where the variance exceeds that without b.

    Returns: what is drawn.
    """
    curve = found.parabola
    low, high = parabola.span(curve, b)
    rows = parabola.rows(curve, b, _averages(found), points(policy, found))
    chart = parabola.parabola_spec(low, high, parabola.top(curve, b))
    st.vega_lite_chart(rows, chart, key="parabola", alt=words.description(curve, b))
    st.markdown(words.on_here(curve, b))
    return rows


def _averages(found: Findings) -> dict[str, float]:
    batch = found.windows.batch
    return {"mean V": float(batch.values.mean()), "mean Q": float(batch.q_values.mean())}


def reveal(policy: measure.Policy, found: Findings) -> None:
    """Where the variance exceeds that without a baseline, beside the reader's prediction."""
    question = words.question(policy.name, policy.config.batch_size)
    lesson.reveal(question, end_of_harmless_zone(found.parabola), words.on_zones(found.parabola))


def contenders(
    policy: measure.Policy, found: Findings, b: float
) -> tuple[dict[str, Config], dict[str, str]]:
    """The runs to compare and their names: none, b* (the same from start to end) and b."""
    best = round(found.parabola.vertex.estimate, 1)
    plain = measure.as_trained(policy.config.replace(algorithm="policy_gradient"))
    configs = {
        parabola.NONE: plain,
        parabola.BEST: plain.replace(algorithm="constant", baseline=best),
        parabola.YOURS: plain.replace(algorithm="constant", baseline=b),
    }
    return configs, {"none": "no baseline", "b*": f"b* = {best:g}", "b": f"b = {b:g}"}


def training(
    found: Findings, b: float, configs: Mapping[str, Config], names: Mapping[str, str]
) -> Mapping[str, History]:
    """Learning curves with each baseline, trained as the reader drags.

    Returns: what has been trained.
    """
    shown = live.run_or_offer(configs, verb="Train with these baselines")
    live.controls(shown, "train")
    config = next(iter(configs.values()))
    env = envs.describe(config.env_id)

    def draw() -> None:
        histories = {key: run.history for key, run in shown.items() if run.history is not None}
        rows = parabola.training_rows(histories, names)
        chart = parabola.training_spec(config.total_timesteps, float(env.max_episode_steps))
        said = words.training_description(histories)
        st.vega_lite_chart(rows, chart, key="training", alt=said)
        if len(live.finished(shown)) < len(shown):
            live.progress(shown)

    live.watch(shown, draw)
    ended = live.finished(shown)
    if {parabola.NONE, parabola.YOURS} <= ended.keys():
        gain = words.gain(ended[parabola.NONE], ended[parabola.YOURS])
        here = relative_variance(found.parabola, b)
        st.markdown(words.on_the_curves(gain, names[parabola.YOURS], here))
    return ended


def numbers(
    policy: measure.Policy,
    found: Findings,
    drawn: pd.DataFrame,
    ended: Mapping[str, History],
    names: Mapping[str, str],
) -> None:
    """Everything measured and trained, folded."""
    with st.expander("All the numbers", icon=":material/table:"):
        st.markdown(f"- {words.on_averages(found.parabola, _averages(found))}")
        for key in (parabola.BEST, parabola.YOURS):
            if {parabola.NONE, key} <= ended.keys():
                gain = words.gain(ended[parabola.NONE], ended[key])
                st.markdown(f"- {words.on_training(gain, names[key])}")
        left, right = st.columns(2)
        left.dataframe(words.curve_table(drawn), hide_index=True, height=280)
        left.caption(
            words.on_the_measuring(policy.name, policy.config.batch_size, found.parabola.n)
        )
        right.dataframe(
            words.training_table(parabola.training_rows(ended, names), names),
            hide_index=True, height=280,
        )  # fmt: skip
        with right:
            glossary.caption(words.on_the_training(policy.config))
        lesson.true_gradient()


def far(policy: measure.Policy, found: Findings) -> None:
    """Does b = 100 bias the gradient, and does it slow learning?"""
    if lesson.predict(words.FAR_QUESTION) is None:
        return
    plain = measure.as_trained(policy.config.replace(algorithm="policy_gradient"))
    both = {"none": plain, "far": plain.replace(algorithm="constant", baseline=words.FAR)}
    shown = live.run_or_offer(both, verb="Train both")
    ended = live.finished(shown)
    if len(ended) < len(both):
        live.follow(shown, "far")
        return
    gain = words.gain(ended["none"], ended["far"])
    shift = shift_of_constant(found.cloud, words.FAR)
    variance = relative_variance(found.parabola, words.FAR)
    lesson.reveal(words.FAR_QUESTION, words.fate(gain), words.on_far(shift, variance, gain))
