"""The parabola's two halves: the variance of a constant baseline, and training with it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pgcore import envs
from pgcore.config import Config
from pgcore.gradients import collect_windows
from pgcore.stats import mean_t_interval
from ui.cloud.charts import written
from ui.parabola import charts as parabola
from ui.shell import figures, lesson, live
from ui.shell import policy as measure

POINTS = 10
FIRST_POINT = 2**24  # their windows are others than the curve's
HARM = (
    "Nowhere: a baseline adds no bias, so it does no harm",
    "Below 0 and above the average return",
    "Below 0 and above twice the best b",
    "Everywhere but at the best b",
)
FAR = 100.0
FATES = (
    "It biases the gradient and slows learning",
    "It biases the gradient, learning is as fast",
    "It adds no bias, but slows learning",
    "It adds no bias, and learning is as fast",
)


def points(found: measure.Findings) -> pd.DataFrame | None:
    """The estimator's variance at ten constants, on batches that the curve has not seen."""
    policy, config = found.policy, found.windows.config
    low, high = parabola.span(found.parabola, 0.0)
    constants = [round(low + (high - low) * k / (POINTS - 1), 2) for k in range(POINTS)]
    n = len(found.windows)

    def work(progress: measure.Progress) -> pd.DataFrame:
        windows = collect_windows(
            policy.row, config, n, policy.seed, first=FIRST_POINT, progress=progress
        )
        return parabola.measured_points(windows, config, constants)

    name = ("parabola", policy.identity, config.batch_size, n)
    return measure.measured(name, work, f"Measuring {POINTS} constants on other batches")


def variance(found: measure.Findings, b: float) -> None:
    """The curve, the points measured elsewhere, and where harm begins."""
    curve = found.parabola
    averages = {
        "mean V": float(found.windows.batch.values.mean()),
        "mean Q": float(found.windows.batch.q_values.mean()),
    }
    low, high = parabola.span(curve, b)
    rows = parabola.rows(curve, b, averages, points(found))
    chart = parabola.parabola_spec(low, high, parabola.top(curve, b), figures.background())
    st.vega_lite_chart(rows, chart, key="parabola", alt=parabola.description(curve, b))
    st.caption(
        f"One policy ({found.policy.name}), batches of {found.windows.mc_q.shape[1]}: the curve "
        f"from n = {curve.n:,}, the grey points from as many others, with 95% intervals."
    )


def reveal(found: measure.Findings, question: str) -> None:
    """Where harm begins, beside the reader's prediction."""
    curve = found.parabola
    vertex = curve.vertex
    edge = vertex._replace(**{k: 2 * getattr(vertex, k) for k in ("estimate", "low", "high")})
    mean = float(found.windows.batch.q_values.mean())
    lesson.reveal(
        "harm", question, HARM[2],
        f"b* = {written(vertex)} leaves {written(curve.least)} of the variance; at "
        f"{written(edge)} all of it is back. At the mean return, {mean:.3g}, "
        f"{written(parabola.relative(curve, mean))} remains.",
    )  # fmt: skip


def contenders(found: measure.Findings, b: float) -> tuple[dict[str, Config], dict[str, str]]:
    """The runs to compare and their names: none, b* (held still all through training) and b."""
    best = round(found.parabola.vertex.estimate, 1)
    plain = measure.as_trained(found.policy.config.replace(algorithm="policy_gradient"))
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
        words = parabola.training_description(histories)
        st.vega_lite_chart(rows, chart, key="training", alt=words)
        if len(live.finished(shown)) < len(shown):
            live.progress(shown)

    live.watch(shown, draw)
    st.caption(
        f"Trained with that constant from start to end. Mean of n = {n} seeds, band: its 95% t "
        f"interval; {config.eval_episodes} episodes an evaluation."
    )
    ended = live.finished(shown)
    for key in (parabola.BEST, parabola.YOURS):
        if parabola.NONE in ended and key in ended:
            gap = parabola.gained(ended[parabola.NONE], ended[key])
            st.markdown(f"- {parabola.told(gap, names[key])} (n = {n} seeds each).")


def far(found: measure.Findings) -> None:
    """Does b = 100 bias the gradient, and does it slow learning?"""
    question = f"Does b = {FAR:g} bias the gradient? Does it slow learning?"
    if lesson.predict("far", question, FATES) is None:
        return
    plain = measure.as_trained(found.policy.config.replace(algorithm="policy_gradient"))
    both = {"none": plain, "far": plain.replace(algorithm="constant", baseline=FAR)}
    shown = live.run_or_offer(both, verb="Train both")
    ended = live.finished(shown)
    if len(ended) < len(both):
        live.follow(shown, "far")
        return
    moved = mean_t_interval(-FAR * found.cloud.arrows["score"][:, 0])
    gap = parabola.gained(ended["none"], ended["far"])
    lesson.reveal(
        "far", question, FATES[2 if gap.high < 0 else 3],
        f"It moves the mean update by {moved.estimate:+.2f} [{moved.low:+.2f}, {moved.high:+.2f}] "
        f"lengths of the true gradient along it (n = {moved.n:,} batches); in expectation by "
        "exactly 0, since E grad log π = 0. The variance is "
        f"{written(parabola.relative(found.parabola, FAR))} times that without a baseline. "
        f"{parabola.told(gap, f'b = {FAR:g}')} (n = {plain.num_seeds} seeds each).",
    )  # fmt: skip
