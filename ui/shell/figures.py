"""Figures that several pages show: learning curves and the sentence that reads them."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pgcore import envs, stats
from pgcore.algorithms import ALGORITHMS
from pgcore.plotting import curves
from pgcore.runs import Run
from pgcore.train import random_return
from ui.shell.controls import Figure


def learning_curves(
    shown: Mapping[str, Run],
    figure: Figure,
    band: str,
    kept: Mapping[str, Run] | None = None,
    upto: int | None = None,
) -> None:
    """The chart of what the runs have reached by now, or had reached after `upto` evaluations."""
    env = envs.describe(figure.config.env_id)
    histories = {key: run.history for key, run in shown.items() if run.history is not None}
    if upto is not None:
        histories = {key: history.upto(upto) for key, history in histories.items()}
    cartpole = env.is_cartpole
    top = float(env.max_episode_steps) if cartpole else 0.0
    bottom = 0.0 if cartpole else -float(env.max_episode_steps)
    frames = [curves.rows(histories, band)] if histories else []
    if kept:
        old = {key: run.history for key, run in kept.items() if run.history is not None}
        frames += [curves.rows(old, band, ", kept")] if old else []
    rows = curves.joined(frames, top, bottom)
    random = random_return(env.env_id) if cartpole else None
    spec = curves.curves_spec(
        figure.config.total_timesteps, bottom, top, env.reward_threshold, random, background()
    )
    st.vega_lite_chart(
        rows, spec, key="curves", alt=description(histories, band), theme="streamlit"
    )
    how = "the most probable action" if figure.config.eval_greedy else "sampled actions"
    st.caption(
        f"Band: {curves.BANDS[band]}. n counts training seeds. Each evaluation: mean return of "
        f"{figure.config.eval_episodes} episodes with {how}."
    )


def background() -> str:
    """The page's background in the viewer's theme, for halos behind labels."""
    return st.get_option(f"theme.{st.context.theme.type or 'light'}.backgroundColor")


def description(histories: Mapping, band: str) -> str:
    """The chart in words."""
    parts = [
        f"{ALGORITHMS[key].name} at {history.final_returns.mean():.0f} after "
        f"{history.eval_steps[-1]:,} steps (n = {history.config.num_seeds})"
        for key, history in histories.items()
    ]
    return f"Episodic return against environment steps, {curves.BANDS[band]}: " + "; ".join(parts)


def verdict(shown: Mapping[str, Run]) -> None:
    """Best against worst in one sentence, with its uncertainty."""
    done = {key: run.result for key, run in shown.items() if run.result is not None}
    if len(done) < 2 or any(history.config.num_seeds < 2 for history in done.values()):
        return
    ranked = sorted(done, key=lambda key: done[key].final_returns.mean())
    worst, best = ranked[0], ranked[-1]
    pairs = len(done) * (len(done) - 1) // 2  # the pair was picked by looking at all of them
    gap = stats.difference_interval(
        done[worst].final_returns, done[best].final_returns, 1 - 0.05 / pairs
    )
    n = done[best].config.num_seeds
    clear = "which excludes 0" if gap.low > 0 else "which includes 0: more seeds are needed"
    corrected = f", corrected for {pairs} pairs" if pairs > 1 else ""
    st.markdown(
        f"**{ALGORITHMS[best].name}** ends {gap.estimate:.0f} above "
        f"**{ALGORITHMS[worst].name}**; 95% interval of the difference "
        f"[{gap.low:.0f}, {gap.high:.0f}]{corrected}, n = {n} seeds each, {clear}."
    )


def table(shown: Mapping[str, Run], figure: Figure) -> None:
    """Final return, mean return and seeds that solved it, each with its uncertainty."""
    histories = {key: run.history for key, run in shown.items() if run.history is not None}
    if histories:
        threshold = envs.describe(figure.config.env_id).reward_threshold
        st.dataframe(curves.table(histories, threshold), hide_index=True, width="stretch")
        st.caption("Means with 95% t intervals over seeds, shares with Wilson intervals.")
