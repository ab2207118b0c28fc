"""The Seeds page: its views, and the first of them, every seed of the pool."""

from __future__ import annotations

import streamlit as st

from pgcore import runs, stats
from pgcore.algorithms import ALGORITHMS
from pgcore.history import History
from ui.seeds import charts as seeds
from ui.seeds import study_charts as studies
from ui.seeds import words
from ui.seeds.pool import Pool, header, needs_two, numbers, picked, remember, trained
from ui.seeds.studies import bands, compare, coverage, lottery, noise, power
from ui.shell import glossary, link
from ui.shell.tabs import open_tab, tabs


def show() -> None:
    """The settings, and the views as tabs; the closed ones are not computed."""
    view = open_tab("seeds_view", LABELS)
    pool = trained(*header(study=view in STUDIES))
    for tab, (_, draw) in zip(tabs("seeds_view", LABELS), VIEWS.values(), strict=True):
        if tab.open:
            with tab:
                draw(pool)


def every_seed(pool: Pool) -> None:
    """A chart of lines an algorithm, the distribution of both scores, and the seed in focus."""
    low, high = pool.limits
    config = pool.figure.config
    agent, seed = picked(pool)
    spec = seeds.lines_spec(config.total_timesteps, config.eval_interval, pool.size, low, high)
    keys = list(pool.histories)
    glossary.say(words.spread(studies.name(agent), pool.label, pool.scores[agent]))
    for first in range(0, len(keys), 3):
        row = keys[first : first + 3]
        for column, key in zip(st.columns(min(3, len(keys))), row, strict=False):
            with column:
                st.markdown(f"**{ALGORITHMS[key].name}**, n = {pool.size:,} seeds")
                history = pool.histories[key]
                data = {
                    "seeds": _line_rows(runs.identity(history.config), history),
                    "picked": seeds.picked_rows(history, seed if key == agent else None),
                }
                st.vega_lite_chart(
                    {**spec, "datasets": data}, key=f"seeds_lines_{key}",
                    alt=words.lines_alt(studies.name(key), history.final_returns),
                    on_select=lambda key=key: _pick_clicked(key),
                    selection_mode="pick",
                )  # fmt: skip
    final, area, card = st.columns([1, 1, 1.05])
    for column, score in zip((final, area), seeds.SCORES, strict=True):
        with column:
            _distribution(pool, score, agent, seed)
    with card:
        _card(pool, agent, seed)
    numbers(
        "A thin line is one agent. The thick line is the median, and the shaded areas hold the "
        "middle 50% and 90% of the agents. Below, a bar counts agents, and a dashed line is a "
        "mean. The black line is the agent in focus. The final return is the last evaluation; the "
        "[[area]] is the mean of all.",
        {"Both scores of every seed": seeds.score_table(pool.histories, config.seeds)},
    )


@remember
def _line_rows(run_id: str, _history: History):
    return seeds.line_rows(_history)


def _distribution(pool: Pool, score: str, agent: str, seed: int) -> None:
    scores = seeds.scores(pool.histories, score)
    low, high = pool.limits
    if score == "area":  # no seed comes near the longest episode on average
        values = [
            x for pool_scores in scores.values() for x in (pool_scores.min(), pool_scores.max())
        ]
        low, high = (min(values), max(values)) if min(values) < max(values) else pool.limits
    label = seeds.SCORES[score][0]
    own = scores[agent][seed - pool.figure.config.first_seed]
    rows = seeds.distribution_rows(scores, low, high, own)
    st.vega_lite_chart(
        rows, seeds.distribution_spec(low, high, label), key=f"seeds_{score}",
        alt=words.distribution_alt(label, {studies.name(key): x for key, x in scores.items()}),
    )  # fmt: skip


def _pick(agent: str, seed: int) -> None:
    link.put("seeds_agent", agent)
    link.put("seeds_seed", seed)


def _pick_clicked(agent: str) -> None:
    clicked = st.session_state[f"seeds_lines_{agent}"].selection["pick"]
    if clicked:
        _pick(agent, int(clicked[0]["seed"]))


def _card(pool: Pool, agent: str, seed: int) -> None:
    first = pool.figure.config.first_seed
    scores = pool.scores[agent]
    with st.container(horizontal=True, vertical_alignment="center"):
        for preset, place in seeds.presets(scores).items():
            st.button(
                preset.capitalize(), on_click=_pick, args=(agent, first + place),
                help=f"The seed of {ALGORITHMS[agent].name} with that {pool.label}",
            )  # fmt: skip
        if st.button("Watch this agent", icon=":material/smart_display:", type="primary"):
            _send_to_watch(pool, agent, seed)
    both = {label: of(pool.histories[agent]) for label, of in seeds.SCORES.values()}
    st.markdown(words.one_agent(studies.name(agent), seed, seed - first, both))
    if len(pool.histories) > 1 and needs_two(pool):
        worse, better = studies.pairs(pool.scores)[-1]
        luck = stats.probability_of_improvement(pool.scores[better], pool.scores[worse])
        st.markdown(words.luck(luck, studies.name(worse), studies.name(better)))


def _send_to_watch(pool: Pool, agent: str, seed: int) -> None:
    """Watch shows the runs of the settings, so the pool's seeds go along."""
    link.adopt(pool.figure)
    link.put("agent", agent)
    link.put("seed", seed)
    st.switch_page("pages/watch.py")


VIEWS = {
    "seeds": ("Every seed", every_seed),
    "band": ("What a band means", bands),
    "lottery": ("The lottery", lottery),
    "power": ("How many seeds", power),
    "compare": ("Comparing", compare),
    "noise": ("Where noise comes from", noise),
    "coverage": ("Coverage", coverage),
}
LABELS = {key: label for key, (label, _) in VIEWS.items()}
STUDIES = ("band", "lottery", "compare", "noise", "coverage")  # the views that depend on n
