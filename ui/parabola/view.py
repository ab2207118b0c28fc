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
from ui.parabola import charts as parabola
from ui.parabola import words
from ui.shell import figures, lesson, live, measure

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


def variance(policy: measure.Policy, found: Findings, b: float) -> None:
    """The curve, the points measured elsewhere, and where the variance exceeds that without b."""
    curve = found.parabola
    averages = {
        "mean V": float(found.windows.batch.values.mean()),
        "mean Q": float(found.windows.batch.q_values.mean()),
    }
    low, high = parabola.span(curve, b)
    rows = parabola.rows(curve, b, averages, points(policy, found))
    chart = parabola.parabola_spec(low, high, parabola.top(curve, b), figures.background())
    st.vega_lite_chart(rows, chart, key="parabola", alt=words.description(curve, b))
    st.caption(
        f"Variance of one update at one policy ({policy.name}), batches of "
        f"{found.windows.mc_q.shape[1]} steps: the curve from n = {curve.n:,}, the grey points "
        "from as many others, with 95% intervals. Mean V and mean Q are discounted."
    )


def reveal(found: Findings) -> None:
    """Where the variance exceeds that without a baseline, beside the reader's prediction."""
    mean = float(found.windows.batch.q_values.mean())
    end = end_of_harmless_zone(found.parabola)
    lesson.reveal(words.QUESTION, end, words.on_zones(found.parabola, mean))


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


def training(configs: Mapping[str, Config], names: Mapping[str, str]) -> None:
    """Learning curves with each baseline, trained as the reader drags."""
    shown = live.run_or_offer(configs, verb="Train with these baselines")
    live.controls(shown, "train")
    config = next(iter(configs.values()))
    env, n = envs.describe(config.env_id), config.num_seeds

    def draw() -> None:
        histories = {key: run.history for key, run in shown.items() if run.history is not None}
        rows = parabola.training_rows(histories, names)
        chart = parabola.training_spec(
            config.total_timesteps, float(env.max_episode_steps), figures.background()
        )
        said = words.training_description(histories)
        st.vega_lite_chart(rows, chart, key="training", alt=said)
        if len(live.finished(shown)) < len(shown):
            live.progress(shown)

    live.watch(shown, draw)
    st.caption(
        f"Trained with that constant from start to end. Mean of n = {n} seeds, band: its 95% t "
        f"interval; an evaluation is the mean of {config.eval_episodes} episodes. More variance at "
        "one policy need not mean less learning (Chung et al. 2021)."
    )
    ended = live.finished(shown)
    for key in (parabola.BEST, parabola.YOURS):
        if parabola.NONE in ended and key in ended:
            found = words.gain(ended[parabola.NONE], ended[key])
            st.markdown(f"- {words.on_training(found, names[key])}")


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
    lesson.true_gradient()
