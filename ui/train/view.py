"""Train: the verdict, the curves with their replay, and the next step where the seeds do not tell.

The settings stand right of the chart, and below it where the window is narrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import streamlit as st

from pgcore import runs
from pgcore.config import Config
from pgcore.runs import Run
from ui.shell import figures, glossary, link, live
from ui.shell.fold import fold
from ui.shell.series import Figure
from ui.train import replay, words

Kept = tuple[Figure, Mapping[str, Run]] | None


def curves(shown: Mapping[str, Run], figure: Figure, band: str, kept: Kept) -> None:
    """The verdict, the chart and its replay; the growing chart while anything runs."""
    if all(run.status == "done" for run in shown.values()):
        _verdict(shown, figure)

        def stand(evaluations: int | None) -> None:
            live.look_again_if_gone(shown)
            figures.chart(shown, figure, band, kept, evaluations)

        replay.bar(len(figure.config.eval_steps), stand)
        glossary.caption(figures.reading(figure, band))
        return
    replay.rewind()
    live.controls(shown, "train")

    def draw() -> None:
        live.progress(shown)
        figures.learning_curves(shown, figure, band, kept)

    live.watch(shown, draw)


def _verdict(shown: Mapping[str, Run], figure: Figure) -> None:
    """Who ends higher; where the seeds do not tell, more of them; the details below."""
    said = figures.compared(shown, figure)
    if said is None:
        return
    with st.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(said.sentence, width="content")
            if not said.clear:
                _offer_seeds(figure)
        st.caption(said.details)


def _offer_seeds(figure: Figure) -> None:
    """A button that runs more seeds, with the time that they take."""
    seeds = words.next_seeds(figure.config.num_seeds)
    if seeds is None:
        return
    try:
        more = _with_seeds(tuple(figure.configs.values()), seeds)
    except ValueError:  # so many seeds of so long a run do not fit, or the server does not allow it
        return
    seconds = sum(map(runs.expected_seconds, more))
    st.button(
        words.offer(seeds, seconds), icon=":material/groups:", type="primary",
        help="More seeds make the intervals narrower, and smaller differences can be seen.",
        on_click=_run, args=(figure, seeds),
    )  # fmt: skip


@lru_cache(maxsize=256)
def _with_seeds(configs: tuple[Config, ...], seeds: int) -> tuple[Config, ...]:
    """The same runs with so many seeds.

    Raises: ValueError if one of them cannot be, or may not be here.
    """
    more = tuple(config.replace(num_seeds=seeds) for config in configs)
    for config in more:
        runs.check(config)
    return more


def _run(figure: Figure, seeds: int) -> None:
    """Show this figure with so many seeds from now on, and begin its runs."""
    more = replace(figure, config=figure.config.replace(num_seeds=seeds))
    link.adopt(more)
    live.start(more.configs.values())


def numbers(shown: Mapping[str, Run], figure: Figure, band: str, kept: Kept) -> None:
    """How long it took; folded, the scores of each series, and all that the chart draws."""
    if all(run.status == "done" for run in shown.values()):
        live.progress(shown)
    if place := fold("All the numbers", ":material/table:", "numbers"):
        with place:
            st.markdown("**How each algorithm ended**")
            figures.table(shown, figure)
            st.markdown("**What the chart shows**")
            figures.numbers(shown, figure, band, kept)
