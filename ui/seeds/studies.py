"""The Seeds page's views of studies: n seeds of the pool, and what they would have concluded.

A chart's `alt` stays as it is while n changes, for another one makes the browser build the chart
anew; what changes is written beside it.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pgcore import stats
from pgcore.plotting.bands import BANDS, areas
from ui.seeds import charts as seeds
from ui.seeds import coverage_charts as covers
from ui.seeds import noise_charts as noises
from ui.seeds import study_charts as studies
from ui.seeds import words
from ui.seeds.pool import Pool, key_of, needs_two, numbers, picked, remember, study_size
from ui.shell import glossary, lesson, link
from ui.shell.question import percent

# --- What a band means ---


def bands(pool: Pool) -> None:
    """The same seeds under every band of the registry that is an area."""
    n = study_size()
    low, high = pool.limits
    config = pool.figure.config
    spec = seeds.band_spec(config.total_timesteps, config.eval_interval, low, high)
    shown = areas()
    agent = picked(pool)[0]
    glossary.say(words.widths(studies.name(agent), pool.label, pool.scores[agent][:n]))
    for column, key in zip(st.columns(len(shown)), shown, strict=True):
        band = BANDS[key]
        with column:
            glossary.say(words.band_title(key, n))
            st.vega_lite_chart(
                _band_rows(pool.ids, key, n, pool), spec, key=f"seeds_band_{key}",
                alt=f"Episodic return against environment steps with the {band.name} of the first "
                "n seeds, and the whole pool dashed; the numbers stand below.",
            )  # fmt: skip
            st.caption(band.lesson)
    rows = {BANDS[key].name: _band_rows(pool.ids, key, n, pool) for key in shown}
    said = {BANDS[key].name: seeds.band_numbers(pool.scores, key, n) for key in shown}
    numbers(
        words.bands_measured(n, pool.size, config.eval_episodes, pool.label, said),
        {"What the charts show": pd.concat(
            [frame.drop(columns="place").assign(band=name) for name, frame in rows.items()]
        )},
    )  # fmt: skip


@remember
def _band_rows(ids: tuple, band: str, n: int, _pool: Pool):
    return seeds.band_rows(_pool.histories, band, n)


# --- The lottery ---


def lottery(pool: Pool) -> None:
    """How often n seeds name the wrong winner; the page's prediction comes first."""
    if not needs_two(pool):
        return
    curve = _curve(pool.ids, pool)
    question = words.question(pool.label, pool.size, len(pool.histories))
    n = study_size()
    ask, axes = st.columns([1, 1.2])
    with ask:
        answer = lesson.predict(question)
    if answer is None:
        with axes:
            st.vega_lite_chart(
                studies.risk_rows(curve, n).head(0), studies.risk_spec(), key="seeds_axes",
                alt="The axes of the answer: the share of studies against their seeds.",
            )  # fmt: skip
        return
    wrong, order = (_at(share, n) for share in (curve.wrong_winner, curve.wrong_ranking))
    right_ranking = _complement(_at(curve.wrong_ranking, 10))
    worse, better = studies.pairs(pool.scores)[0]
    needed, between = studies.seeds_needed(
        stats.effect_size(pool.scores[worse], pool.scores[better])
    )
    closest = studies.name(better), studies.name(worse)
    explanation = words.lottery_answer(right_ranking, pool.label, closest, needed, between)
    with ask:
        lesson.reveal(question, percent(right_ranking), explanation)
    with axes:
        st.vega_lite_chart(
            studies.risk_rows(curve, n), studies.risk_spec(), key="seeds_risk",
            alt="The risk of a wrong winner and of a wrong ranking against the seeds in a study. "
            "Both fall. Their values at the chosen n are written below.",
        )  # fmt: skip
    left, right = st.columns([1, 1.2])
    with left:
        st.markdown(words.risk(wrong, order, n))
        if doubt := words.doubt(curve):
            st.caption(doubt)
    rows = studies.outcome_rows(wrong.estimate, order.estimate)
    right.vega_lite_chart(
        rows, studies.outcome_spec(), key="seeds_outcomes",
        alt="A hundred studies as squares, by whether ranking and winner are right.",
    )  # fmt: skip
    numbers(
        f"{words.order_of_pools(curve, [studies.name(key) for key in curve.ranking])} "
        f"{words.two_uncertainties(curve)} The seeds needed are those of a two-sided t test at 5% "
        "with 80% [[power|power]], over the 95% interval of the [[effect|effect]].",
        {"The two risks": studies.risk_rows(curve, n).drop(columns="chosen")},
    )
    with st.expander("How good is this interval?", icon=":material/rule:"):
        glossary.caption(words.how_good())


@remember
def _curve(ids: tuple, _pool: Pool) -> stats.Lottery:
    return stats.lottery_curve(_pool.scores, studies.MAX_STUDY)


def _at(share: stats.Interval, n: int) -> stats.Interval:
    return stats.Interval(share.estimate[n - 1], share.low[n - 1], share.high[n - 1], share.n)


def _complement(share: stats.Interval) -> stats.Interval:
    return stats.Interval(1 - share.estimate, 1 - share.high, 1 - share.low, share.n)


# --- How many seeds ---


def power(pool: Pool) -> None:
    """How many seeds a difference needs, in both scores."""
    if not needs_two(pool):
        return
    pools = {label: seeds.scores(pool.histories, key) for key, (label, _) in seeds.SCORES.items()}
    options = {
        f"{studies.name(better)} − {studies.name(worse)}": (worse, better)
        for worse, better in studies.pairs(pool.scores)
    }
    top = st.container()
    left, right = st.columns([1, 1.5])
    with left:
        pair = options[st.selectbox("Pair", list(options), label_visibility="collapsed")]
        worse, better = pair
        observed = pool.scores[better].mean() - pool.scores[worse].mean()
        difference = st.slider(
            "The difference in mean return to be seen", 1, 200,
            key=key_of("seeds_difference", min(200, max(1, round(observed))), (*pair, pool.ids)),
        )  # fmt: skip
        effects = studies.detectable(pools, pair, difference)
        needed = {label: studies.seeds_for(d) for label, d in effects.items()}
        st.vega_lite_chart(
            studies.power_rows(effects), studies.power_spec(), key="seeds_power",
            alt="The power to see the chosen difference against the seeds of each, by score; the "
            "seeds for 80% are written above.",
        )  # fmt: skip
        with top:
            st.markdown(words.needed(difference, needed))
    with right:
        st.markdown(f"**The differences that this pool has**, n = {pool.size:,} seeds of each")
        st.table(_power_table(pool.ids, pools), hide_index=True)
    numbers(
        "Brackets hold 95% intervals: of a difference that of [[welch|Welch's t test]], and of the "
        "[[effect|effect]]. The seeds are those of a two-sided t test at 5% with 80% "
        "[[power|power]] (Colas et al. 2018), at the effect and over its interval. Both scores sum "
        "up the same runs, and yet they need different numbers of seeds.",
        {"The curve": studies.power_rows(effects)},
    )


@remember
def _power_table(ids: tuple, _pools: dict):
    return studies.power_table(_pools)


# --- Comparing ---

SOME = (3, 5, 10)
SAID = ("n", "conclusion", "share", "studies")  # of a bar, read aloud


def compare(pool: Pool) -> None:
    """What the first seeds, and all separate studies, conclude of each pair."""
    if not needs_two(pool):
        return
    sizes = [*SOME, pool.size]
    shown = studies.pairs(pool.scores)[:3]
    n = study_size()
    glossary.say(words.told_apart(studies.tested(pool.scores, n), n))
    for column, pair in zip(st.columns(len(shown)), shown, strict=True):
        worse, better = pair
        title = f"{studies.name(better)} − {studies.name(worse)}"
        with column:
            st.markdown(f"**{title}**")
            rows = studies.first_rows(pool.scores, pair, sizes)
            st.vega_lite_chart(
                rows, studies.first_spec(), key=f"seeds_first_{worse}_{better}",
                alt=words.first_alt(
                    title, pool.label, dict(zip(rows["n"], rows["conclusion"], strict=True))
                ),
            )  # fmt: skip
            rows = studies.conclusion_rows(pool.scores, pair, SOME)
            st.vega_lite_chart(
                rows, studies.conclusion_spec(), key=f"seeds_conclusion_{worse}_{better}",
                alt=words.conclusions_alt(
                    title, [*zip(*(rows[c] for c in SAID), strict=True)]
                ),
            )  # fmt: skip
    drawn = {
        f"{studies.name(better)} − {studies.name(worse)}": studies.conclusion_rows(
            pool.scores, (worse, better), SOME
        ).drop(columns="order")
        for worse, better in shown
    }
    with st.expander("All the numbers", icon=":material/table:"):
        glossary.caption(words.compared(pool.label, pool.size, SOME, n))
        st.table(_comparison(pool.ids, n, pool), hide_index=True)
        for title, rows in drawn.items():
            st.markdown(f"**The bars of {title}**")
            st.dataframe(rows, hide_index=True, width="stretch")


@remember
def _comparison(ids: tuple, n: int, _pool: Pool):
    return studies.comparison_table(_pool.scores, n)


# --- Where noise comes from ---


def noise(pool: Pool) -> None:
    """Evaluation noise against seed noise, and what more episodes would buy."""
    episodes = pool.figure.config.eval_episodes
    if episodes < 2:
        st.info("With 1 episode per evaluation the two noises cannot be told apart; choose 2 or "
                "more under More settings.")  # fmt: skip
        return
    n = study_size()
    agent = picked(pool)[0]
    between, within = noises.variances(pool.histories[agent]).values()
    glossary.say(words.sources(studies.name(agent), between, within, episodes))
    wanted = link.get("seeds_episodes") or min(100, 10 * episodes)
    left, right = st.columns([1.3, 1])
    with right:
        wanted = st.slider(
            "If an evaluation had so many episodes", 1, 100, key=key_of("seeds_episodes", wanted),
            help="More episodes: chance in judging an agent matters less. The seeds stay as they "
            "are.",
        )  # fmt: skip
        link.put("seeds_episodes", wanted)
        rows = noises.variance_rows(pool.histories, wanted)
        st.vega_lite_chart(
            rows, noises.variance_spec(), key="seeds_variance",
            alt="What share of a final return's variance lies between seeds, and what share is "
            "evaluation; the variances are in the table below.",
        )  # fmt: skip
    with left:
        st.vega_lite_chart(
            noises.error_rows(pool.histories, n, wanted), noises.error_spec(), key="seeds_error",
            alt="The standard error of a study's mean final return against episodes per "
            "evaluation; it falls towards a floor that only more seeds lower.",
        )  # fmt: skip
    table = noises.noise_table(pool.histories, n, episodes, wanted)
    with st.expander("All the numbers", icon=":material/table:"):
        glossary.caption(words.split(pool.size, episodes))
        st.table(table, hide_index=True)
        st.dataframe(
            noises.error_rows(pool.histories, n, wanted)[["name", "episodes", "error", "floor"]],
            hide_index=True, width="stretch",
        )  # fmt: skip


# --- Coverage ---

COVERAGE_SIZES = (3, 5, 10, 20)


def coverage(pool: Pool) -> None:
    """How often a 95% interval holds the truth: shown study by study, and counted."""
    keys = list(pool.histories)
    agent = picked(pool)[0]
    agent = st.segmented_control(
        "Algorithm", keys, key=key_of("seeds_covered", agent, keys), required=True,
        format_func=studies.name, label_visibility="collapsed",
    ) or agent  # fmt: skip
    n = max(2, study_size())
    scores = pool.scores[agent]
    low, high = pool.limits
    columns = st.columns([1.2, 1.2, 1])
    for column, kind in zip(columns, covers.INTERVALS, strict=False):
        with column:
            rows = covers.dance_rows(scores, n, kind)
            missed = int((rows["verdict"] == "misses").sum())
            glossary.say(words.missed(kind, missed, len(rows), n))
            st.vega_lite_chart(
                rows, covers.dance_spec(low, high), key=f"seeds_dance_{kind}",
                alt=f"The 95% {kind} of separate studies, and which of them miss the pool's mean; "
                "how many is written above.",
            )  # fmt: skip
    measured = [_coverage(pool.ids, agent, size, pool) for size in COVERAGE_SIZES]
    with columns[-1]:
        glossary.say("**[[coverage|What 95% is worth]]**")
        st.vega_lite_chart(
            covers.coverage_rows(measured), covers.coverage_spec(), key="seeds_coverage",
            alt=words.coverage_alt(measured),
        )  # fmt: skip
    five = measured[COVERAGE_SIZES.index(5)]
    st.markdown(words.held(five))
    numbers(
        words.covered(studies.name(agent), pool.label, pool.size, five.t.n),
        {"What 95% is worth": covers.coverage_rows(measured)},
    )


@remember
def _coverage(ids: tuple, agent: str, n: int, _pool: Pool) -> stats.Coverage:
    return stats.coverage(_pool.scores[agent], n, studies=1000)
