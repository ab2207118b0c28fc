"""The Seeds page's views: a pool of many seeds, and what studies of n of them would conclude.

Results are cached by the ids of the pool's runs, never by their arrays. Link parameters arrive as
text: what is not allowed is said in a sentence, and the default is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgcore import runs, stats
from pgcore.algorithms import ALGORITHMS
from pgcore.charts import seeds, studies
from pgcore.charts.curves import written
from pgcore.history import History
from ui import controls, lesson, live
from ui.controls import Figure

VIEWS = {
    "seeds": "Every seed",
    "band": "What a band means",
    "lottery": "The lottery",
    "power": "How many seeds",
    "compare": "Comparing",
    "noise": "Where noise comes from",
    "coverage": "Coverage",
}
STUDIES = ("band", "lottery", "compare", "noise", "coverage")  # those that depend on n
SIZES = ("30", "100", "300", "1000")
UNASKED_SECONDS = 8.0  # a pool that takes longer waits for the Run button
LINK_KEYS = ("seeds_view", "seeds_pool", "seeds_score", "seeds_n", "seeds_agent", "seeds_seed",
             "seeds_episodes")  # fmt: skip
controls.PAGE_KEYS.update(LINK_KEYS)


@dataclass(frozen=True)
class Pool:
    """The finished runs of a figure, whose ids name everything computed from them."""

    figure: Figure
    histories: dict[str, History]
    score: str  # of seeds.SCORES
    ids: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        ids = tuple(runs.identity(history.config) for history in self.histories.values())
        object.__setattr__(self, "ids", (*ids, self.score))

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


def _remember(function):
    """Cache a function of (ids, ..., _pool): the ids are the key, the pool is not hashed."""
    return st.cache_data(max_entries=256, show_spinner=False)(function)


# --- Settings ---


def choice(name: str, allowed: Sequence[str], default: str) -> str:
    """A setting that must be one of some words."""
    text = controls.settings().get(name)
    if text is None or text in allowed:
        return default if text is None else text
    st.warning(f"{name} is {text[:40]!r}; it must be one of {', '.join(allowed)}.")
    controls.settings()[name] = None
    return default


def number(name: str, low: int, high: int, default: int) -> int:
    """A setting that must be a whole number within bounds."""
    text = controls.settings().get(name)
    if text is None:
        return default
    if text.isdecimal() and len(text) < 12 and low <= int(text) <= high:
        return int(text)
    st.warning(f"{name} is {text[:40]!r}; it must be a whole number from {low:,} to {high:,}.")
    controls.settings()[name] = None
    return default


def put(name: str, value: object) -> None:
    controls.settings()[name] = str(value)


def header() -> tuple[Figure, str, DeltaGenerator]:
    """Which algorithms, how many seeds of each, by what they are judged, and the study's size.

    Returns: the pool's figure, the score, and a place for the Run button.
    """
    controls.algorithm_picker()
    with st.container(horizontal=True, vertical_alignment="center"):
        size = st.segmented_control(
            "Seeds of each", SIZES, default=choice("seeds_pool", SIZES, "300"), required=True,
            format_func=lambda text: f"{int(text):,} seeds", label_visibility="collapsed",
        )  # fmt: skip
        put("seeds_pool", size)
        score = st.segmented_control(
            "Score", list(seeds.SCORES), required=True, label_visibility="collapsed",
            default=choice("seeds_score", list(seeds.SCORES), "final"),
            format_func=lambda key: seeds.SCORES[key][0],
        )  # fmt: skip
        put("seeds_score", score)
        with st.popover("More settings", icon=":material/tune:"):
            for name in controls.FIELDS:
                if name not in ("algorithm", "num_seeds"):
                    controls.field_widget(name)
        if open_view() in STUDIES:
            _study_slider(int(size))
        place = st.empty()
    try:
        figure = controls.figure()
        figure = Figure(figure.algorithms, figure.config.replace(num_seeds=int(size)))
    except ValueError as error:
        st.error(str(error))
        st.stop()
    return figure, score, place


def _study_slider(pool_size: int) -> None:
    largest = min(studies.MAX_STUDY, pool_size)
    n = min(study_size(), largest)
    n = st.slider(
        "Seeds in a study, n", 1, largest, n, key=f"seeds_n_of_{largest}",
        format="studies of n = %d", label_visibility="collapsed", width=290,
    )  # fmt: skip
    put("seeds_n", n)


def study_size() -> int:
    """n, the seeds in a study; all views share it."""
    return number("seeds_n", 1, studies.MAX_STUDY, 10)


def open_view() -> str:
    """The tab that is open."""
    label = st.session_state.get("seeds_tabs")
    opened = [key for key, name in VIEWS.items() if name == label]
    return opened[0] if opened else choice("seeds_view", list(VIEWS), "seeds")


def trained(figure: Figure, score: str, place: DeltaGenerator) -> Pool:
    """The pool, once it has trained; until then the page ends in a button or a progress bar."""
    shown = live.find(figure.configs)
    histories = {
        key: run.history
        for key, run in shown.items()
        if run.outcome == "done" and run.history is not None
    }
    if len(histories) == len(figure.algorithms):
        return Pool(figure, histories, score)
    if any(run.live for run in shown.values()):
        live.controls(shown, "seeds")
        live.watch(shown, lambda: live.progress(shown))
        st.stop()
    stopped = any(run.outcome in live.AGAIN for run in shown.values())
    seconds = live.expected_seconds(figure.configs)
    if stopped or seconds > UNASKED_SECONDS:
        live.progress(shown) if stopped else None
        label = f"{'Run again' if stopped else 'Run'}, about {seconds:,.0f} s"
        if not place.button(label, icon=":material/play_arrow:", type="primary"):
            st.info(f"These {figure.config.num_seeds:,} seeds have not been trained yet.")
            st.stop()
    try:
        live.start(figure.configs)
    except runs.Busy as busy:
        st.warning(str(busy))
        st.stop()
    st.rerun()


def views(pool: Pool) -> None:
    """The views as tabs, of which only the open one is computed."""
    shown = VIEWS[open_view()]
    tabs = st.tabs(list(VIEWS.values()), default=shown, key="seeds_tabs", on_change="rerun")
    for key, tab in zip(VIEWS, tabs, strict=True):
        if tab.open:
            put("seeds_view", key)
            with tab:
                DRAW[key](pool)


def needs_two(pool: Pool) -> bool:
    """Whether there is something to compare; if not, it is said."""
    if len(pool.histories) < 2:
        st.info("Choose at least two algorithms above: one alone cannot be confused with another.")
        return False
    scores = pool.scores
    if len({float(x.mean()) for x in scores.values()}) < len(scores):
        st.info("Two of these algorithms learned exactly the same; choose others to compare.")
        return False
    return True


# --- Every seed ---


def every_seed(pool: Pool) -> None:
    low, high = pool.limits
    config = pool.figure.config
    agent, seed = picked(pool)
    spec = seeds.lines_spec(config.total_timesteps, config.eval_interval, pool.size, low, high)
    keys = list(pool.histories)
    for first in range(0, len(keys), 3):
        row = keys[first : first + 3]
        for column, key in zip(st.columns(len(row)), row, strict=True):
            with column:
                st.markdown(f"**{ALGORITHMS[key].name}**, n = {pool.size:,} seeds")
                history = pool.histories[key]
                data = {
                    "seeds": _line_rows(runs.identity(history.config), history),
                    "picked": seeds.picked_rows(history, seed if key == agent else None),
                }
                st.vega_lite_chart(
                    {**spec, "datasets": data}, key=f"seeds_lines_{key}",
                    alt=_lines_alt(pool, key), on_select=lambda key=key: _pick_clicked(key),
                    selection_mode="pick",
                )  # fmt: skip
    final, area, card = st.columns([1, 1, 1.05])
    for column, score in zip((final, area), seeds.SCORES, strict=True):
        with column:
            _distribution(pool, score, agent, seed)
    with card:
        _card(pool, agent, seed)


@_remember
def _line_rows(run_id: str, _history: History):
    return seeds.line_rows(_history)


def _lines_alt(pool: Pool, key: str) -> str:
    low, middle, high = _quantiles(pool, key)
    return (
        f"Episodic return against environment steps, a thin line for each of {pool.size} seeds of "
        f"{ALGORITHMS[key].name}, with median and quantiles; 90% of the seeds end with a "
        f"{pool.label} of {low:.0f} to {high:.0f}, the median with {middle:.0f}."
    )


def _quantiles(pool: Pool, key: str) -> tuple[float, float, float]:
    band = stats.quantile_band(pool.scores[key], seeds.FAN["middle 90%"])
    return band.low, band.estimate, band.high


def _distribution(pool: Pool, score: str, agent: str, seed: int) -> None:
    scores = seeds.scores(pool.histories, score)
    low, high = pool.limits
    if score == "area":  # no seed comes near the longest episode on average
        values = [
            x for pool_scores in scores.values() for x in (pool_scores.min(), pool_scores.max())
        ]
        low, high = min(values), max(values)
    label = seeds.SCORES[score][0]
    own = scores[agent][seed - pool.figure.config.first_seed]
    rows = seeds.distribution_rows(scores, low, high, own)
    means = "; ".join(
        f"{ALGORITHMS[key].name} {written(stats.mean_t_interval(x), 0)}"
        for key, x in scores.items()
    )
    st.vega_lite_chart(
        rows, seeds.distribution_spec(low, high, label), key=f"seeds_{score}",
        alt=f"Histogram of the {label}; means with 95% intervals: {means}; n = {pool.size} each.",
    )  # fmt: skip


def picked(pool: Pool) -> tuple[str, int]:
    """The algorithm and seed in focus: the median seed of the best algorithm at first."""
    scores, first = pool.scores, pool.figure.config.first_seed
    best = max(scores, key=lambda key: scores[key].mean())
    agent = choice("seeds_agent", list(ALGORITHMS), best)
    agent = agent if agent in scores else best
    median = first + seeds.presets(scores[agent])["median"]
    return agent, number("seeds_seed", first, first + pool.size - 1, median)


def _pick(agent: str, seed: int) -> None:
    put("seeds_agent", agent)
    put("seeds_seed", seed)


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
    parts = [
        f"{label} {measure[seed - first]:.0f}, rank {seeds.rank(measure, seed - first):,}"
        for label, measure in (
            (label, of(pool.histories[agent]).astype(float)) for label, of in seeds.SCORES.values()
        )
    ]
    st.markdown(
        f"**{ALGORITHMS[agent].name}, seed {seed}**: {'; '.join(parts)}, of n = {pool.size:,} "
        "seeds. Click near a line to choose another."
    )
    if len(pool.histories) > 1 and needs_two(pool):
        worse, better = studies.pairs(pool.scores)[-1]
        luck = stats.probability_of_improvement(pool.scores[better], pool.scores[worse])
        st.markdown(
            f"A seed of {ALGORITHMS[worse].name}, on average the worst, beats one of "
            f"{ALGORITHMS[better].name}, the best, in **{luck.estimate:.0%}** "
            f"[{luck.low:.0%}, {luck.high:.0%}] of pairs."
        )


def _send_to_watch(pool: Pool, agent: str, seed: int) -> None:
    """Watch shows the runs of the settings, so the pool's seeds go along."""
    controls.adopt(pool.figure)
    controls.settings().update(agent=agent, seed=str(seed))
    st.switch_page("pages/watch.py")


# --- What a band means ---


def bands(pool: Pool) -> None:
    n = study_size()
    low, high = pool.limits
    config = pool.figure.config
    spec = seeds.band_spec(config.total_timesteps, config.eval_interval, low, high)
    for column, (key, band) in zip(st.columns(len(seeds.BANDS)), seeds.BANDS.items(), strict=True):
        with column:
            st.markdown(f"**{band.name}**, n = {n}")
            numbers = seeds.band_numbers(pool.scores, key, n)
            st.vega_lite_chart(
                _band_rows(pool.ids, key, n, pool), spec, key=f"seeds_band_{key}",
                alt=f"Episodic return against environment steps with the {band.name} of the first "
                f"{n} seeds; {pool.label}: {'; '.join(numbers)}.",
            )  # fmt: skip
            st.caption("  \n".join(numbers))
            st.caption(band.sentence)
    st.caption(
        f"The same data five times: the first {n} of {pool.size:,} seeds, solid; the mean (or IQM) "
        f"of all {pool.size:,}, dashed. Numbers: {pool.label}. Each evaluation is the mean of "
        f"{config.eval_episodes} episodes."
    )


@_remember
def _band_rows(ids: tuple, band: str, n: int, _pool: Pool):
    return seeds.band_rows(_pool.histories, band, n)


# --- The lottery ---

SHARES = {"below 50%": 0.5, "50 to 70%": 0.7, "70 to 90%": 0.9, "above 90%": 1.0}


def lottery(pool: Pool) -> None:
    if not needs_two(pool):
        return
    curve = _curve(pool.ids, pool)
    agents = len(pool.histories)
    question = (
        f"A study trains 10 seeds of each of these {agents} algorithms and ranks them by their "
        f"mean {pool.label}. How often is its ranking right?"
    )
    if lesson.predict("lottery", question, list(SHARES)) is None:
        return
    n = study_size()
    left, right = st.columns([1.5, 1])
    wrong, order = (_at(share, n) for share in (curve.wrong_winner, curve.wrong_ranking))
    with left:
        st.vega_lite_chart(
            studies.risk_rows(curve), studies.risk_spec(n), key="seeds_risk",
            alt=f"Risk against the seeds in a study: with n = {n} the winner is wrong in "
            f"{wrong.estimate:.0%} and the ranking in {order.estimate:.0%} of {wrong.n} draws.",
        )  # fmt: skip
    with right:
        st.markdown(
            f"With **n = {n}** seeds of each, the wrong algorithm wins "
            f"**{_share(wrong)}** of the time, and the whole ranking is wrong {_share(order)}."
        )
        rows = studies.outcome_rows(wrong.estimate, order.estimate)
        st.vega_lite_chart(
            rows, studies.outcome_spec(), key="seeds_outcomes",
            alt="Of a hundred studies: " + "; ".join(rows["label"].unique()),
        )  # fmt: skip
    right_ranking = _complement(_at(curve.wrong_ranking, 10))
    answer = next(words for words, top in SHARES.items() if right_ranking.estimate <= top)
    worse, better = studies.pairs(pool.scores)[0]
    needed, between = studies.seeds_needed(
        stats.effect_size(pool.scores[worse], pool.scores[better])
    )
    lesson.reveal(
        "lottery",
        question,
        answer,
        f"With 10 seeds the ranking by {pool.label} is right {_share(right_ranking)} of the time. "
        f"To tell {ALGORITHMS[better].name} from {ALGORITHMS[worse].name}, the closest two, takes "
        f"{needed} seeds of each (over the effect's 95% interval: {between}).",
    )
    order_of_pool = " > ".join(map(studies.name, curve.ranking))
    st.caption(
        f"The truth is the order of the pool's means: {order_of_pool}. "
        f"{wrong.n:,} draws with replacement from n = {pool.size:,} seeds of each; the interval "
        "is that of the draws. Seeds needed: two-sided t test, 5%, 80% power, over the 95% "
        "interval of the effect."
    )


@_remember
def _curve(ids: tuple, _pool: Pool) -> stats.Lottery:
    return stats.lottery_curve(_pool.scores, studies.MAX_STUDY)


def _at(share: stats.Interval, n: int) -> stats.Interval:
    return stats.Interval(share.estimate[n - 1], share.low[n - 1], share.high[n - 1], share.n)


def _complement(share: stats.Interval) -> stats.Interval:
    return stats.Interval(1 - share.estimate, 1 - share.high, 1 - share.low, share.n)


def _share(share: stats.Interval) -> str:
    return f"{share.estimate:.0%} [{share.low:.0%}, {share.high:.0%}]"


# --- How many seeds ---


def power(pool: Pool) -> None:
    if not needs_two(pool):
        return
    pools = {label: seeds.scores(pool.histories, key) for key, (label, _) in seeds.SCORES.items()}
    options = {
        f"{studies.name(better)} − {studies.name(worse)}": (worse, better)
        for worse, better in studies.pairs(pool.scores)
    }
    left, right = st.columns([1, 1.5])
    with left:
        pair = options[st.selectbox("Pair", list(options), label_visibility="collapsed")]
        worse, better = pair
        observed = pool.scores[better].mean() - pool.scores[worse].mean()
        difference = st.slider(
            "The difference in mean return to be seen", 1, 200, max(1, round(observed)),
            key=f"seeds_difference_{worse}_{better}",
        )  # fmt: skip
        effects = studies.detectable(pools, pair, difference)
        needed = {label: studies.seeds_for(d) for label, d in effects.items()}
        words = "; ".join(f"{label}: **{n}** seeds of each" for label, n in needed.items())
        st.vega_lite_chart(
            studies.power_rows(effects), studies.power_spec(), key="seeds_power",
            alt=f"Power against seeds for a difference of {difference}. {words}",
        )  # fmt: skip
        st.markdown(f"For a difference of {difference}, 80% of the time: {words}.")
    with right:
        st.markdown(f"**The differences that this pool has**, n = {pool.size:,} seeds of each")
        st.dataframe(_power_table(pool.ids, pools), hide_index=True, width="stretch")
        st.caption(
            "Differences with 95% Welch intervals, effects d = difference / spread with 95% "
            "intervals, and seeds of each algorithm for a two-sided t test at 5% with 80% power "
            "(Colas et al. 2018), at d and over its interval. The same algorithms, the same runs: "
            "which number sums up a run decides how many runs it takes."
        )


@_remember
def _power_table(ids: tuple, _pools: dict):
    return studies.power_table(_pools)


# --- Comparing ---

SOME = (3, 5, 10)


def compare(pool: Pool) -> None:
    if not needs_two(pool):
        return
    sizes = [*SOME, pool.size]
    shown = studies.pairs(pool.scores)[:3]
    for column, pair in zip(st.columns(len(shown)), shown, strict=True):
        worse, better = pair
        title = f"{studies.name(better)} − {studies.name(worse)}"
        with column:
            st.markdown(f"**{title}**")
            rows = studies.first_rows(pool.scores, pair, sizes)
            st.vega_lite_chart(
                rows, studies.first_spec(), key=f"seeds_first_{worse}_{better}",
                alt=f"{title}, {pool.label}, 95% intervals: "
                + "; ".join(f"{row.n} {row.conclusion}" for row in rows.itertuples()),
            )  # fmt: skip
            rows = studies.conclusion_rows(pool.scores, pair, SOME)
            st.vega_lite_chart(
                rows, studies.conclusion_spec(), key=f"seeds_conclusion_{worse}_{better}",
                alt=f"{title}: what separate studies conclude, "
                + "; ".join(f"{r.n} {r.conclusion} {r.share:.0%} of {r.studies}"
                            for r in rows.itertuples()),
            )  # fmt: skip
    n = study_size()
    st.dataframe(_comparison(pool.ids, n, pool), hide_index=True, width="stretch")
    st.caption(
        f"Lines: the 95% interval of the difference in {pool.label} by the first n seeds. Bars: "
        "what separate studies of n seeds from this pool conclude from theirs "
        f"({', '.join(f'{pool.size // n} of {n}' for n in SOME)}); blue: the first is better, "
        f"grey: cannot tell, red: it is worse. Table: the first {n} seeds; Holm corrects Welch's p "
        "for all pairs."
    )


@_remember
def _comparison(ids: tuple, n: int, _pool: Pool):
    return studies.comparison_table(_pool.scores, n)


# --- Where noise comes from ---


def noise(pool: Pool) -> None:
    episodes = pool.figure.config.eval_episodes
    if episodes < 2:
        st.info("With 1 episode per evaluation the two noises cannot be told apart; choose 2 or "
                "more under More settings.")  # fmt: skip
        return
    n = study_size()
    wanted = number("seeds_episodes", 1, 100, min(100, 10 * episodes))
    left, right = st.columns([1.3, 1])
    with right:
        wanted = st.slider("What would so many episodes per evaluation buy?", 1, 100, wanted)
        put("seeds_episodes", wanted)
        rows = studies.variance_rows(pool.histories, wanted)
        st.vega_lite_chart(
            rows, studies.variance_spec(wanted), key="seeds_variance",
            alt="Shares of the variance: " + "; ".join(
                f"{r.estimator} {r.source} {r.share:.0%}" for r in rows.itertuples()
            ),
        )  # fmt: skip
    with left:
        st.vega_lite_chart(
            studies.error_rows(pool.histories, n), studies.error_spec(wanted), key="seeds_error",
            alt=f"Standard error of the mean final return of {n} seeds against episodes per "
            "evaluation; it falls towards a floor that only more seeds lower.",
        )  # fmt: skip
    table = studies.noise_table(pool.histories, n, episodes, wanted)
    st.dataframe(table, hide_index=True, width="stretch")
    st.caption(
        f"One-way random effects of the last evaluation, n = {pool.size:,} seeds of {episodes} "
        "episodes, 95% t intervals; always the final return. Dashed: the standard error with "
        "endless episodes, which only more seeds lower."
    )


# --- Coverage ---

COVERAGE_SIZES = (3, 5, 10, 20)


def coverage(pool: Pool) -> None:
    keys = list(pool.histories)
    agent = picked(pool)[0]
    agent = st.segmented_control(
        "Algorithm", keys, default=agent, format_func=studies.name, required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    n = max(2, study_size())
    scores = pool.scores[agent]
    low, high = pool.limits
    columns = st.columns([1.2, 1.2, 1])
    for column, kind in zip(columns, studies.INTERVALS, strict=False):
        with column:
            rows = studies.dance_rows(scores, n, kind)
            missed = int((rows["verdict"] == "misses").sum())
            st.markdown(f"**95% {kind}**: {missed} of {len(rows)} studies of n = {n} miss")
            st.vega_lite_chart(
                rows, studies.dance_spec(low, high), key=f"seeds_dance_{kind}",
                alt=f"{len(rows)} studies of {n} seeds with their 95% {kind}; {missed} miss the "
                "mean of the pool.",
            )  # fmt: skip
    measured = [_coverage(pool.ids, agent, size, pool) for size in COVERAGE_SIZES]
    with columns[-1]:
        st.markdown("**What 95% is worth**")
        st.vega_lite_chart(
            studies.coverage_rows(measured), studies.coverage_spec(), key="seeds_coverage",
            alt="Coverage: " + "; ".join(
                f"n = {c.n}, t {c.t.estimate:.0%}, bootstrap {c.bootstrap.estimate:.0%}"
                for c in measured
            ),
        )  # fmt: skip
    five = measured[COVERAGE_SIZES.index(5)]
    st.markdown(
        f"With **5 seeds**, the 95% bootstrap holds the truth in {_share(five.bootstrap)} of the "
        f"studies, the t interval in {_share(five.t)}."
    )
    st.caption(
        f"{ALGORITHMS[agent].name}, {pool.label}. Truth: the mean of the pool, n = {pool.size:,} "
        f"seeds. Left: separate studies, no seed in two of them. Right: {five.t.n:,} studies drawn "
        "from the pool with replacement, Wilson intervals."
    )


@_remember
def _coverage(ids: tuple, agent: str, n: int, _pool: Pool) -> stats.Coverage:
    return stats.coverage(_pool.scores[agent], n, studies=1000)


DRAW = {
    "seeds": every_seed,
    "band": bands,
    "lottery": lottery,
    "power": power,
    "compare": compare,
    "noise": noise,
    "coverage": coverage,
}
