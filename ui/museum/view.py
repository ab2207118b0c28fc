"""The bug museum: cards to sort, the exhibits, and all verdicts."""

from __future__ import annotations

import streamlit as st

from pgcore import worker
from pgcore.control import Control
from pgcore.exhibits import EXHIBITS, ROOMS, results
from pgcore.exhibits.exhibit import Exhibit
from pgcore.exhibits.results import Measured
from pgcore.exhibits.verdict import RETURN_MARGIN
from ui.museum import charts, words
from ui.shell import controls, lesson, measure

HAND = 3  # cards on the table at once
ANEW_SEEDS, ANEW_FIRST = 200, 100_000


# --- Sort the cards ---


def sort_cards() -> None:
    """Three cards at a time; at the end, how the sorting compares with the measurement."""
    state = st.session_state.setdefault("museum_cards", {"said": {}, "from": 0, "ended": False})
    deck = words.deck()
    if state["ended"]:
        _score(state, deck)
        return
    st.markdown(words.INVITATION)
    hand = deck[state["from"] : state["from"] + HAND]
    for column, key in zip(st.columns(HAND), hand, strict=False):
        with column, st.container(border=True):
            st.markdown(f"**Card {deck.index(key) + 1}**")
            _card_to_sort(key, state["said"])
    with st.container(horizontal=True, vertical_alignment="center"):
        last = state["from"] + HAND >= _round_end(state["from"], len(deck))
        missing = [key for key in hand if key not in state["said"]]
        st.button(
            "Show how I did" if last else "Next three cards", type="primary",
            disabled=bool(missing), key="museum_next", on_click=_turn_over, args=(state, last),
        )  # fmt: skip
        st.button("Just show", key="museum_show", on_click=_turn_over, args=(state, True))
        st.caption(f"{len(state['said'])} of {_round_end(state['from'], len(deck))} cards sorted")


def _card_to_sort(key: str, said: dict[str, str]) -> None:
    st.code(words.card(EXHIBITS[key]), language="python", wrap_lines=True)
    widget = f"museum_sort_{key}"
    st.session_state.setdefault(widget, said.get(key))
    chosen = st.segmented_control(
        words.QUESTION, words.OPTIONS, key=widget, label_visibility="collapsed"
    )
    said.pop(key, None)
    if chosen:
        said[key] = chosen


def _round_end(first: int, cards: int) -> int:
    """Where the round ends that this card belongs to: the first DECK cards, then all."""
    return min(words.DECK, cards) if first < words.DECK else cards


def _turn_over(state: dict, last: bool) -> None:
    state["from"] += HAND
    state["ended"] = last
    if last:  # a card that was sorted is answered; who wants to can be asked again
        answers = st.session_state.setdefault("answers", {})
        for key, option in state["said"].items():
            question = words.question(key, results.load().exhibits[key])
            answers.setdefault(question.name, lesson.Answer(option, sure=False))


def _score(state: dict, deck: list[str]) -> None:
    measured, said = results.load().exhibits, state["said"]
    if said:
        st.markdown(words.on_score(said, measured))
        st.dataframe(charts.sorted_table(said, measured), hide_index=True, width="stretch")
    else:
        st.markdown(f"You sorted no card. {words.on_all(measured)}")
        cards = deck[: _round_end(state["from"] - 1, len(deck))]
        st.dataframe(charts.verdict_table(cards, measured), hide_index=True, width="stretch")
    with st.container(horizontal=True):
        st.button("See all verdicts", on_click=controls.turn, args=("museum_view", "All verdicts"))
        if state["from"] < len(deck):
            st.button("Sort the other cards", on_click=state.update, kwargs={"ended": False})
        st.button("Sort again", on_click=_start_again)
    wrong = [key for key, option in said.items() if option != words.name_of(key, measured)]
    if wrong:
        st.markdown("Look at the ones that surprised you:")
        with st.container(horizontal=True):
            for key in wrong:
                st.button(
                    EXHIBITS[key].title, key=f"museum_go_{key}", type="tertiary",
                    icon=":material/arrow_forward:", on_click=_go, args=(key,),
                )  # fmt: skip


def _start_again() -> None:
    state = st.session_state.pop("museum_cards")
    for key in state["said"]:
        st.session_state.pop(f"museum_sort_{key}", None)


def _go(key: str) -> None:
    controls.turn("exhibit", key)
    controls.turn("museum_view", "Exhibits")


# --- Exhibits ---


def exhibits() -> None:
    """One exhibit: the card, a prediction, the curves and the verdict."""
    kept = results.load()
    keys = list(kept.exhibits)
    pick, switch, before, after = st.columns([5, 2, 1, 1], vertical_alignment="bottom")
    with pick:
        key = controls.pick(
            st.selectbox, "exhibit", "Exhibit", keys, keys[0],
            format_func=lambda key: f"{ROOMS[EXHIBITS[key].room]}: {EXHIBITS[key].title}",
        )  # fmt: skip
    place = keys.index(key)
    for column, label, to in ((before, "Previous", place - 1), (after, "Next", place + 1)):
        column.button(
            label, disabled=not 0 <= to < len(keys), width="stretch", key=f"museum_{label}",
            on_click=controls.turn, args=("exhibit", keys[min(max(to, 0), len(keys) - 1)]),
        )  # fmt: skip
    corrected = switch.toggle("Corrected", key="museum_corrected")
    exhibit, measured = EXHIBITS[key], kept.exhibits[key]
    if exhibit.room == "none":
        st.caption(words.ROOM_NONE)
    card, found = st.columns([1, 1.25])
    with card:
        code = exhibit.corrected.rstrip() if corrected else words.card(exhibit)
        st.code(code, language="python", wrap_lines=True)
    with found:
        question = words.question(key, measured)
        if lesson.predict(question) is None:
            return
        lesson.reveal(question, words.place_of(measured), words.because(measured))
        place_of_anew = st.container()
    with card:
        shown = _explanation(key, exhibit, measured)
    with place_of_anew:
        if shown is not measured:
            st.markdown(words.on_again(shown, measured))
        when = kept.date if shown is measured else "just now"
        _picture(exhibit, shown, "corrected" if corrected else "written", when)
    _details(exhibit, shown)


def _picture(exhibit: Exhibit, measured: Measured, side: str, date: str) -> None:
    if measured.traceback:
        if side == "corrected":
            st.markdown("The corrected version runs to its end.")
        st.code(measured.traceback, language=None, wrap_lines=True)
    elif measured.curves:
        st.vega_lite_chart(
            charts.curve_rows(measured, side),
            charts.curve_spec(measured.steps[-1], charts.axis_top(measured)),
            key="museum_curves",
            alt=f"Episodic return against environment steps. {words.on_verdict(measured)}",
        )
    else:
        st.vega_lite_chart(
            charts.share_rows(measured),
            charts.share_spec(measured.outcomes[0].name),
            key="museum_shares",
            alt=words.on_verdict(measured),
        )
    st.caption(words.on_source(exhibit, measured, date))


def _explanation(key: str, exhibit: Exhibit, kept: Measured) -> Measured:
    """What the lines do, the correction, and a button that runs both anew.

    Returns: the measurement to show.
    """
    st.markdown(exhibit.does)
    st.code(exhibit.diff, language="diff", wrap_lines=True)
    st.caption(words.on_places(exhibit))
    return _anew(key, exhibit) or kept


def _details(exhibit: Exhibit, measured: Measured) -> None:
    if measured.outcomes:
        with st.expander("All numbers"):
            st.dataframe(charts.table(measured), hide_index=True, width="stretch")
            st.caption(words.on_intervals(measured))
    if source := exhibit.source:
        with st.expander("What runs here: the function that differs"):
            st.code(source, language="python", wrap_lines=True)


def _anew(key: str, exhibit: Exhibit) -> Measured | None:
    """The exhibit measured again with other seeds, if the reader has asked for it."""
    wanted = st.session_state.setdefault("museum_anew", set())
    label = "Run it now" if exhibit.program else f"Run anew with {ANEW_SEEDS} other seeds"
    if key not in wanted:
        st.button(
            label, icon=":material/play_arrow:", on_click=wanted.add, args=(key,),
            key=f"museum_anew_{key}",
        )  # fmt: skip
        return None
    return measure.measured(
        ("exhibit", key, ANEW_SEEDS, ANEW_FIRST),
        lambda progress: worker.call(results.anew, (key, ANEW_SEEDS, ANEW_FIRST), Control()),
        "Running both versions in another process",
    )


# --- All verdicts ---


def all_verdicts() -> None:
    """Every exhibit's effect at once."""
    measured = results.load().exhibits
    st.markdown(words.on_all(measured))
    rows = charts.effect_rows(measured)
    st.vega_lite_chart(
        rows,
        charts.effect_spec(len(rows), RETURN_MARGIN, charts.effect_ends(rows)),
        key="museum_effects",
        alt=f"Effect of {len(rows)} exhibits on the episodic return, with 95% intervals.",
    )
    st.caption(
        f"Each exhibit by the outcome that decides its verdict, with its interval. Grey: less than "
        f"{RETURN_MARGIN:.0f} either way, which is called harmless. Orange: silent harm."
    )
    st.markdown("**Those that crash, and those that mislead the reader of a result**")
    st.table(charts.other_table(measured))
