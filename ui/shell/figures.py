"""Figures that several pages show: learning curves and the sentence that reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import streamlit as st

from pgcore import envs
from pgcore.algorithms import ALGORITHMS
from pgcore.plotting import curves
from pgcore.plotting import verdict as verdicts
from pgcore.plotting.bands import BANDS
from pgcore.plotting.series import Series, kept_label
from pgcore.runs import Run, identity
from pgcore.train import random_return
from ui.shell.series import Figure


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
    bottom, top = env.return_range
    rows = _rows(_names(series), band, bottom, top, series)
    random = random_return(env.env_id) if env.is_cartpole else None
    spec = curves.curves_spec(
        figure.config.total_timesteps, bottom, top, env.reward_threshold, random,
        curves.room(series),
    )  # fmt: skip
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
            found.append(Series(label, colour, history, final=run.final))
    return found


def verdict(shown: Mapping[str, Run], figure: Figure) -> None:
    """Best against worst in one sentence; the details stand below it."""
    scores = {
        figure.series[name].label: run.result.final_returns
        for name, run in shown.items()
        if run.result is not None
    }
    if said := verdicts.verdict(scores):
        st.markdown(said.sentence)
        st.caption(said.details)


def table(shown: Mapping[str, Run], figure: Figure) -> None:
    """Final return, mean return and seeds that solved it, each with its uncertainty."""
    series = _series(shown, figure)
    if series:
        threshold = envs.describe(figure.config.env_id).reward_threshold
        rows = _table(_names(series), threshold, series)
        st.dataframe(rows, hide_index=True, width="stretch")
        st.caption(
            "Means with 95% t intervals over seeds, shares with Wilson's. One good evaluation of "
            "few episodes does not make a policy that solves the task, which Gymnasium asks of "
            "the mean of 100."
        )


# --- rows are built once for each state of the runs, and kept as the browser gets them ---


def _names(series: Sequence[Series]) -> tuple:
    """What the rows of some series depend on."""
    return tuple(
        (identity(one.history.config), len(one.history.eval_steps), one.label, one.colour,
         one.dashed, one.final is None)
        for one in series
    )  # fmt: skip


@st.cache_resource(max_entries=64, show_spinner=False)
def _rows(names: tuple, band: str, bottom: float, top: float, _series: Sequence[Series]):
    return pa.Table.from_pandas(curves.rows(_series, band, bottom, top), preserve_index=False)


@st.cache_resource(max_entries=64, show_spinner=False)
def _table(names: tuple, threshold: float | None, _series: Sequence[Series]):
    return pa.Table.from_pandas(curves.table(_series, threshold), preserve_index=False)
