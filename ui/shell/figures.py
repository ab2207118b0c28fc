"""Figures that several pages show: learning curves and the sentence that reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pgcore import envs, stats
from pgcore.algorithms import ALGORITHMS
from pgcore.plotting import curves
from pgcore.plotting.bands import BANDS
from pgcore.plotting.series import Series, kept_label
from pgcore.runs import Run
from pgcore.train import random_return
from ui.shell.controls import Figure


def learning_curves(
    shown: Mapping[str, Run],
    figure: Figure,
    band: str,
    kept: tuple[Figure, Mapping[str, Run]] | None = None,
    upto: int | None = None,
) -> None:
    """The chart of what the runs have reached by now, or had reached after `upto` evaluations."""
    env = envs.describe(figure.config.env_id)
    series = _series(shown, figure, upto)
    if kept:
        before, runs = kept
        for one in _series(runs, before):
            label = kept_label(one.label, before.config, figure.config)
            series.append(Series(label, one.colour, one.history, dashed=True))
    cartpole = env.is_cartpole
    top = float(env.max_episode_steps) if cartpole else 0.0
    bottom = 0.0 if cartpole else -float(env.max_episode_steps)
    rows = curves.rows(series, band, bottom, top)
    random = random_return(env.env_id) if cartpole else None
    spec = curves.curves_spec(
        figure.config.total_timesteps, bottom, top, env.reward_threshold, random, background()
    )
    st.vega_lite_chart(rows, spec, key="curves", alt=description(series, band), theme="streamlit")
    how = "the most probable action" if figure.config.eval_greedy else "sampled actions"
    st.caption(
        f"Band: {BANDS[band].meaning}. n counts training seeds. Each evaluation: mean return of "
        f"{figure.config.eval_episodes} episodes with {how}."
    )


def background() -> str:
    """The page's background in the viewer's theme, for halos behind labels."""
    return st.get_option(f"theme.{st.context.theme.type or 'light'}.backgroundColor")


def description(series: Sequence[Series], band: str) -> str:
    """The chart in words."""
    parts = [
        f"{one.label} at {one.history.final_returns.mean():.0f} after "
        f"{one.history.eval_steps[-1]:,} steps (n = {one.history.config.num_seeds})"
        for one in series
    ]
    return f"Episodic return against environment steps, {BANDS[band].meaning}: " + "; ".join(parts)


def _series(
    shown: Mapping[str, Run], figure: Figure, evaluations: int | None = None
) -> list[Series]:
    """The runs that have been evaluated, or as they stood after some evaluations."""
    found = []
    for name, run in shown.items():
        if (history := run.history) is not None:
            history = history if evaluations is None else history.upto(evaluations)
            algorithm = ALGORITHMS[history.config.algorithm]  # a page may add runs to the figure
            own = figure.series.get(name)
            label, colour = (own.label, own.colour) if own else (algorithm.name, algorithm.colour)
            found.append(Series(label, colour, history))
    return found


def verdict(shown: Mapping[str, Run], figure: Figure) -> None:
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
        f"**{figure.series[best].label}** ends {gap.estimate:.0f} above "
        f"**{figure.series[worst].label}**; 95% interval of the difference "
        f"[{gap.low:.0f}, {gap.high:.0f}]{corrected}, n = {n} seeds each, {clear}."
    )


def table(shown: Mapping[str, Run], figure: Figure) -> None:
    """Final return, mean return and seeds that solved it, each with its uncertainty."""
    series = _series(shown, figure)
    if series:
        threshold = envs.describe(figure.config.env_id).reward_threshold
        st.dataframe(curves.table(series, threshold), hide_index=True, width="stretch")
        st.caption("Means with 95% t intervals over seeds, shares with Wilson intervals.")
