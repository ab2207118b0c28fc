"""Figures that several pages show: learning curves and the sentence that reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import streamlit as st

from pgcore import envs, stats
from pgcore.algorithms import ALGORITHMS
from pgcore.plotting import curves
from pgcore.plotting import verdict as verdicts
from pgcore.plotting.bands import BANDS
from pgcore.plotting.series import Series, kept_label
from pgcore.plotting.verdict import Verdict
from pgcore.runs import Run, identity
from pgcore.train import RANDOM_EPISODES, random_return
from ui.shell import glossary
from ui.shell.series import Figure


def learning_curves(
    shown: Mapping[str, Run],
    figure: Figure,
    band: str,
    kept: tuple[Figure, Mapping[str, Run]] | None = None,
) -> None:
    """The chart of what the runs have reached by now, and how to read it."""
    chart(shown, figure, band, kept)
    glossary.caption(reading(figure, band))


def chart(
    shown: Mapping[str, Run],
    figure: Figure,
    band: str,
    kept: tuple[Figure, Mapping[str, Run]] | None = None,
    upto: int | None = None,
) -> None:
    """The learning curves by now, or as they were after `upto` evaluations."""
    env = envs.describe(figure.config.env_id)
    series = _drawn(shown, figure, kept, upto)
    bottom, top = env.return_range
    rows = _rows(_names(series), band, bottom, top, series)
    random = (random_return(env.env_id), RANDOM_EPISODES) if env.compiled else None
    spec = curves.curves_spec(
        figure.config.total_timesteps, bottom, top, env.reward_threshold, random,
        _room(series, figure),
    )  # fmt: skip
    st.vega_lite_chart(rows, spec, key="curves", alt=description(series, band), theme="streamlit")


def _room(series: Sequence[Series], figure: Figure) -> float:
    """For all labels of the figure from the start: a spec that grows with each series is built,
    and its view made anew, each time."""
    labels = [curves.written(one.label, one.config.num_seeds) for one in figure.series.values()]
    labels += [curves.written(one.label, one.history.config.num_seeds) for one in series]
    return curves.room(list(dict.fromkeys(labels)))


def reading(figure: Figure, band: str) -> str:
    """How to read the curves: the band, n, and what a point is; terms are linked."""
    config = figure.config
    how = "the most probable action at each step" if config.eval_greedy else "sampled actions"
    return (
        f"The chart shows the {BANDS[band].meaning}; [[n|n]] counts [[seed|seeds]]. Each point is "
        f"the mean [[episodic_return]] of {config.eval_episodes} episodes, played with {how}."
    )


def _drawn(
    shown: Mapping[str, Run],
    figure: Figure,
    kept: tuple[Figure, Mapping[str, Run]] | None,
    upto: int | None = None,
) -> list[Series]:
    """The figure's series, and those that were kept from before."""
    series = _series(shown, figure, upto)
    if kept:
        before, runs = kept
        for one in _series(runs, before):
            label = kept_label(one.label, before.config, figure.config)
            series.append(Series(label, one.colour, one.history, dashed=True))
    return series


def palette() -> list[str]:
    """The colours of the viewer's theme, by the places that algorithms' entries name."""
    return st.get_option(f"theme.{st.context.theme.type or 'light'}.chartCategoricalColors")


def description(series: Sequence[Series], band: str) -> str:
    """The chart in words."""
    parts = [
        f"{one.label} at {stats.mean_t_interval(one.history.final_returns):.0f} after "
        f"{one.history.eval_steps[-1]:,} steps (n = {one.history.config.num_seeds})"
        for one in series
    ]
    return (
        f"Episodic return against environment steps, {BANDS[band].meaning}. Means with 95% t "
        f"intervals: {'; '.join(parts)}."
    )


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


def compared(shown: Mapping[str, Run], figure: Figure) -> Verdict | None:
    """Best against worst of the finished runs; None where nothing can be said."""
    scores = {
        figure.series[name].label: run.result.final_returns
        for name, run in shown.items()
        if run.result is not None
    }
    return verdicts.verdict(scores)


def verdict(shown: Mapping[str, Run], figure: Figure) -> None:
    """Best against worst in one sentence, and the difference; its method stands in the help."""
    if said := compared(shown, figure):
        st.markdown(said.sentence)
        st.caption(said.difference, help=said.method)


def table(shown: Mapping[str, Run], figure: Figure) -> None:
    """Final return, mean return and seeds that solved it, each with its uncertainty."""
    series = _series(shown, figure)
    if series:
        threshold = envs.describe(figure.config.env_id).reward_threshold
        rows = _table(_names(series), threshold, series)
        st.dataframe(rows, hide_index=True, width="stretch")
        glossary.caption(
            "Brackets hold 95% intervals: of a mean the [[t_interval]], of a share "
            "[[wilson|Wilson's interval]]. The task is solved if the mean of 100 episodes reaches "
            "the threshold. One good evaluation of a few episodes is not enough."
        )


def numbers(
    shown: Mapping[str, Run],
    figure: Figure,
    band: str,
    kept: tuple[Figure, Mapping[str, Run]] | None = None,
) -> None:
    """What the chart of the learning curves draws, as a table."""
    if series := _drawn(shown, figure, kept):
        st.dataframe(_numbers(_names(series), band, series), hide_index=True, width="stretch")


# --- rows are built once for each state of the runs, and kept as the browser gets them ---


def _names(series: Sequence[Series]) -> str:
    """What the rows of some series depend on; a text, which is hashed at once."""
    return repr(
        [
            (identity(one.history.config), len(one.history.eval_steps), one.label, one.colour,
             one.dashed, one.final is None)
            for one in series
        ]
    )  # fmt: skip


@st.cache_resource(max_entries=64, show_spinner=False)
def _rows(names: str, band: str, bottom: float, top: float, _series: Sequence[Series]):
    return pa.Table.from_pandas(curves.rows(_series, band, bottom, top), preserve_index=False)


@st.cache_resource(max_entries=64, show_spinner=False)
def _table(names: str, threshold: float | None, _series: Sequence[Series]):
    return pa.Table.from_pandas(curves.table(_series, threshold), preserve_index=False)


@st.cache_resource(max_entries=64, show_spinner=False)
def _numbers(names: str, band: str, _series: Sequence[Series]):
    return pa.Table.from_pandas(curves.numbers(_series, band), preserve_index=False)
