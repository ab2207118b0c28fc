"""The pool of the Seeds page: which seeds, trained, and the settings that its views share.

Link parameters arrive as text: what is not allowed is said in a sentence, and the default is
shown. Results are cached by the ids of the pool's runs, never by their arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgcore import runs
from pgcore.history import History
from ui.seeds import charts as seeds
from ui.seeds import study_charts as studies
from ui.shell import controls, glossary, link, live
from ui.shell.series import FIELDS, Figure

SIZES = ("30", "100", "300", "1000")
UNASKED_SECONDS = 8.0  # a pool that takes longer waits for the Run button


@dataclass(frozen=True)
class Pool:
    """The finished runs of a figure."""

    figure: Figure
    histories: dict[str, History]
    score: str  # of seeds.SCORES

    @property
    def ids(self) -> tuple[str, ...]:
        """The name of everything that is computed from this pool."""
        return (*(runs.identity(history.config) for history in self.histories.values()), self.score)

    @property
    def scores(self) -> dict:
        """Scores [S] by algorithm."""
        return seeds.scores(self.histories, self.score)

    @property
    def label(self) -> str:
        return seeds.SCORES[self.score][0]

    @property
    def size(self) -> int:
        return self.figure.config.num_seeds

    @property
    def limits(self) -> tuple[float, float]:
        return seeds.limits(self.figure.config.env_id)


def remember(function: Callable) -> Callable:
    """Cache a function of (ids, ..., _pool): the ids are its key, and the pool is not hashed."""
    return st.cache_data(max_entries=256, show_spinner=False)(function)


def key_of(name: str, value: object, domain: object = "") -> str:
    """The key of a widget that starts at `value`; its domain names it too, for that may change."""
    key = f"set_{name}_{domain}"
    st.session_state.setdefault(key, value)
    return key


def header(study: bool) -> tuple[Figure, str, DeltaGenerator]:
    """Which algorithms, how many seeds of each, by what they are judged; `study`: the slider of n.

    Returns: the pool's figure, the score, and a place for the Run button.
    """
    size, n = controls.value_of("seeds_pool"), study_size()
    score = controls.value_of("seeds_score")
    controls.algorithm_picker()
    with st.container(horizontal=True, vertical_alignment="center"):
        size = st.segmented_control(
            "Seeds of each", SIZES, key=key_of("seeds_pool", size), required=True,
            format_func=lambda text: f"{int(text):,} seeds", label_visibility="collapsed",
        ) or size  # fmt: skip
        score = st.segmented_control(
            "Score", list(seeds.SCORES), key=key_of("seeds_score", score), required=True,
            label_visibility="collapsed", format_func=lambda key: seeds.SCORES[key][0],
        ) or score  # fmt: skip
        link.put("seeds_pool", size)
        link.put("seeds_score", score)
        controls.more_settings([k for k in FIELDS if k not in ("algorithm", "num_seeds")])
        if study:
            largest = min(studies.MAX_STUDY, int(size))
            key = key_of("seeds_n", min(n, largest), largest)
            n = st.slider(
                "Seeds in a study, n", 1, largest, key=key, width=290,
                help="More seeds in a study: chance misleads it less often.",
            )  # fmt: skip
            link.put("seeds_n", n)
        place = st.empty()
    return controls.figure_or_stop(num_seeds=int(size)), score, place


def numbers(measured: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Folded: how it was measured, with terms linked, and what the charts draw, by title."""
    with st.expander("All the numbers", icon=":material/table:"):
        glossary.caption(measured)
        for title, table in tables.items():
            st.markdown(f"**{title}**")
            st.dataframe(table, hide_index=True, width="stretch")


def study_size() -> int:
    """n, the seeds in a study; all views share it."""
    return controls.value_of("seeds_n")


def trained(figure: Figure, score: str, place: DeltaGenerator) -> Pool:
    """The pool, once it has trained; until then the page ends in a button or a progress bar."""
    shown = live.run_or_offer(figure.configs, place, patience=UNASKED_SECONDS)
    histories = live.finished(shown)
    if len(histories) == len(figure.algorithms):
        return Pool(figure, histories, score)
    if not live.any_live(shown):
        st.info(
            f"These {figure.config.num_seeds:,} seeds have not been trained yet. "
            "Press **Run** first."
        )
    live.follow(shown, "seeds")
    st.stop()


def needs_two(pool: Pool) -> bool:
    """Whether there is something to compare; if not, it is said."""
    if len(pool.histories) < 2:
        st.info("Choose at least two algorithms above: a comparison needs two.")
        return False
    scores = pool.scores
    if len({float(x.mean()) for x in scores.values()}) < len(scores):
        st.info("Two of these algorithms learned exactly the same; choose others to compare.")
        return False
    return True


def picked(pool: Pool) -> tuple[str, int]:
    """The algorithm and seed in focus: the median seed of the best algorithm at first."""
    scores, first = pool.scores, pool.figure.config.first_seed
    best = max(scores, key=lambda key: scores[key].mean())
    agent = link.get("seeds_agent")
    agent = agent if agent in scores else best
    seed = link.get("seeds_seed")
    if seed not in range(first, first + pool.size):
        seed = first + seeds.presets(scores[agent])["median"]
    return agent, seed
