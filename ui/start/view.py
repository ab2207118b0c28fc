"""Start: the field of carts, the question that ten seeds leave open, and three ways on."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgcore import envs
from pgcore.algorithms import ALGORITHMS
from pgcore.history import History
from pgcore.runs import Run, identity
from pgcore.train import RANDOM_EPISODES, random_return
from ui.path import sentence
from ui.path import view as path
from ui.player.field import Group, Picked, field, payload
from ui.shell import controls, figures, glossary, link, live, pages
from ui.shell.series import DEFAULT, LAB, Figure
from ui.start import words

COUNTS = {30: "30 carts", 300: "300 carts"}


def with_seeds(seeds: int) -> Figure:
    """The lab's three agents with so many seeds each."""
    return Figure(DEFAULT.algorithms, DEFAULT.config.replace(num_seeds=seeds))


def show() -> None:
    """The field; below it the question that its seeds leave open."""
    stage = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"##### {words.QUESTION}")
        carts = controls.pick(
            st.segmented_control, "carts", "Carts", tuple(COUNTS), 30, format_func=COUNTS.get,
            required=True, label_visibility="collapsed",
        )  # fmt: skip
        offer = st.empty()
    figure = with_seeds(carts // len(DEFAULT.algorithms))
    with stage:
        shown = live.run_or_offer(figure.configs, patience=live.ARRIVAL_SECONDS)
        if live.any_live(shown):
            live.follow(shown, "start")
        histories = live.finished(shown)
        if len(histories) == len(figure.configs):
            _field(histories, figure)
    pages.below()
    _answer(shown, figure, offer)


def _field(histories: dict[str, History], figure: Figure) -> None:
    """All agents at play; a click leads to Watch."""
    groups = [
        Group(key, ALGORITHMS[key].name, words.NOTES[key], ALGORITHMS[key].colour, history)
        for key, history in histories.items()
    ]
    names = tuple(identity(history.config) for history in histories.values())
    picked = field(_played(names, groups), groups, key="field")
    if picked:
        _watch(picked, figure)


@st.cache_resource(max_entries=8, show_spinner=False)
def _played(names: tuple[str, ...], _groups: list[Group]) -> dict[str, Any]:
    """What the browser gets of finished runs, built once."""
    env_id = _groups[0].history.config.env_id
    threshold, random = envs.describe(env_id).reward_threshold, random_return(env_id)
    assert threshold is not None  # CartPole's
    line = words.on_references(threshold, random, RANDOM_EPISODES)
    histories = {group.key: group.history for group in _groups}
    said = [f"{sentence} {line}" for sentence in words.said(histories)]
    return payload(_groups, said, {"threshold": threshold, "random": random})


def _watch(picked: Picked, figure: Figure) -> None:
    """Watch shows the runs of the settings, so the field's go along."""
    link.adopt(figure)
    for name, value in picked._asdict().items():
        link.put(name, value)
    st.switch_page("pages/watch.py")


def _answer(few: dict[str, Run], figure: Figure, offer: DeltaGenerator) -> None:
    """What the seeds of the field say, and what 1,000 of each do."""
    figures.verdict(few, figure)
    glossary.caption(words.READING)
    thousand = with_seeds(1000)
    many = live.run_or_offer(thousand.configs, offer, verb="Train 1,000 seeds of each")
    if not many:
        return
    live.controls(many, "thousand")

    def draw() -> None:
        live.progress(many)
        figures.learning_curves(many, thousand, "95%")

    live.watch(many, draw)
    figures.verdict(many, thousand)


def ways_on() -> None:
    """Learn, explore, teach."""
    learn, explore, teach = st.columns(3, border=True)
    with learn:
        glossary.say(f"**Learn.** {words.LEARN}")
        if st.button("Start the first lesson", icon=":material/school:", type="primary"):
            path.open_lesson(0)
    with explore:
        glossary.say(f"**Explore.** {words.EXPLORE}")
        with st.container(horizontal=True):
            if st.button("Change something", icon=":material/tune:"):
                link.adopt(DEFAULT)
                st.switch_page("pages/train.py")
            if st.button("The lab notebook, as written", icon=":material/science:"):
                link.adopt(LAB)
                st.switch_page("pages/train.py")
    with teach:
        st.markdown(f"**Teach.** {words.TEACH}")
        if st.button("Show luck to a class", icon=":material/co_present:"):
            link.put("seeds_view", "lottery")
            st.switch_page("pages/seeds.py")


def the_path() -> None:
    """The eleven lessons, and the sentence that they are about."""
    lessons, lecture = st.columns([1, 1.6], border=True)
    with lessons:
        st.markdown("##### The path")
        path.contents()
    with lecture:
        st.markdown("##### The sentence of the lecture")
        sentence.show()
