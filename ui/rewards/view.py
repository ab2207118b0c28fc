"""Shifted rewards: agents that learn from r, r − 1 and r − 2, and what the shift does to Q."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.gradients.reward_shift import (
    EPISODES,
    OFFSETS,
    Outcome,
    ReturnsToGo,
    outcomes,
    returns_to_go,
)
from pgcore.runs import Run
from ui.rewards import charts, words
from ui.shell import controls, figures, lesson, live, measure
from ui.shell.series import Figure, PlannedSeries


class Shifted(Figure):
    """A figure whose curves are named by the reward that they learn from."""

    @property
    def series(self) -> dict[str, PlannedSeries]:  # type: ignore[override]
        return {
            key: series._replace(label=words.name(series.config.reward_offset))
            for key, series in super().series.items()
        }


def choose() -> Figure:
    """One estimator, and how many seeds of it learn with every offset."""
    who, many, _ = st.columns([2, 1.4, 1], vertical_alignment="bottom")
    with many:
        seeds = controls.slider("rewards_seeds")
    figure = controls.figure_or_stop(num_seeds=seeds)
    measure.cartpole_or_stop(figure)
    with who:
        agent = measure.choose_agent(figure, st.segmented_control, required=True)
    own = {agent: figure.changes[agent]} if agent in figure.changes else {}
    config = figure.config.replace(algorithm=agent)
    return Shifted((agent,), config, own, "reward_offset", OFFSETS)


def waiting(figure: Figure) -> None:
    """The picture before the reader has predicted: the agent that learns from r."""
    plain = {name: config for name, config in figure.configs.items() if not config.reward_offset}
    shown = live.run_or_offer(plain, verb="Train with r")
    live.controls(shown, "rewards")
    if shown:
        live.watch(shown, lambda: figures.learning_curves(shown, figure, "95%"))


def train(figure: Figure) -> dict[str, Run]:
    """The runs of every offset: found, started or offered."""
    return live.run_or_offer(figure.configs, verb="Train all three", patience=live.ARRIVAL_SECONDS)


def results(shown: Mapping[str, Run]) -> dict[float, Outcome]:
    """What each offset made of learning, once all runs have ended; empty before."""
    ended = live.finished(shown).values()
    found = {history.config.reward_offset: history for history in ended}
    return outcomes(found) if len(found) == len(OFFSETS) else {}


def reveal(figure: Figure, found: Mapping[float, Outcome]) -> None:
    """What the agents learned, beside the reader's prediction."""
    said = words.explanation(found, figure.config.eval_steps[-1])
    lesson.reveal(words.QUESTION, words.truth(found), said)


def learning(shown: Mapping[str, Run], figure: Figure, found: Mapping[float, Outcome]) -> None:
    """The learning curves of r, r − 1 and r − 2, and what each shift did."""
    live.controls(shown, "rewards")

    def draw() -> None:
        figures.learning_curves(shown, figure, "95%")
        if live.any_live(shown):
            live.progress(shown)

    live.watch(shown, draw)
    st.caption(words.EVALUATED)
    for offset in [offset for offset in found if offset]:
        st.markdown(f"- {words.on_learning(found, offset)}")
    if found:
        st.caption(words.on_the_bootstrap(not ALGORITHMS[figure.config.algorithm].whole_episodes))


def effect_on_q(figure: Figure) -> None:
    """Q against the steps left, for one frozen policy that has learned from r."""
    config = next(config for config in figure.configs.values() if not config.reward_offset)
    policy = measure.frozen(config, config.first_seed, -(-len(config.eval_steps) // 5))

    def work(progress: measure.Progress) -> dict[float, ReturnsToGo]:
        return returns_to_go(policy.params, policy.config, policy.seed, policy.steps)

    name = ("returns to go", policy.identity)
    found = measure.measured(name, work, f"Playing {EPISODES} episodes", steps=EPISODES * 100)
    if found is None:
        return
    rows = charts.q_rows(found)
    chart = charts.q_spec(int(rows["steps_left"].max()), *charts.q_range(found))
    st.vega_lite_chart(rows, chart, key="q", alt=words.description(found))
    st.markdown(words.on_q(found))
    st.caption(f"One frozen policy, learned from r: {policy.name}. {words.on_the_lines(found)}")
