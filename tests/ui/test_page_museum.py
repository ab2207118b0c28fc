"""Bug museum: a reader sorts cards, opens exhibits, and is shown what was measured."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from pgcore import exercises
from pgcore.exhibits import EXHIBITS, results
from ui.museum import view, words
from ui.shell import link
from ui.shell.pages import MUSEUM_VIEWS, PAGES, PARAMETERS

ROOT = Path(__file__).parents[2]
MEASURED = results.load().exhibits


def opened(tab: str = "Sort the cards", **settings: str) -> AppTest:
    """The page without its frame, at one of its tabs."""
    app = AppTest.from_file(str(ROOT / "pages/museum.py"), default_timeout=300)
    app.session_state["framed"] = True
    app.session_state["set_museum_view"] = tab
    for name, value in settings.items():
        app.session_state[f"set_{name}"] = value
    return healthy(app.run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [button for button in app.button if button.label == label]
    assert not button.disabled
    return healthy(button.click().run())


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def sort_hand(app: AppTest, answer) -> AppTest:
    """Put every card on the table where `answer(key)` says."""
    start = app.session_state["museum_cards"]["from"]
    for key in words.deck()[start : start + view.HAND]:
        app.button_group(key=f"museum_sort_{key}").set_value(answer(key)).run()
    return healthy(app)


@pytest.mark.parametrize("tab", MUSEUM_VIEWS)
def test_a_tab_opens(tab):
    assert said(opened(tab))


def test_the_cards_come_first_three_at_a_time_and_give_nothing_away():
    app = opened()
    assert len(app.button_group) == view.HAND
    assert [code.value for code in app.code] == [
        words.card(EXHIBITS[key]) for key in words.deck()[: view.HAND]
    ]
    assert "n =" not in said(app)
    (further,) = [button for button in app.button if button.label == "Next three cards"]
    assert further.disabled


def test_who_sorts_as_measured_has_all_right():
    app = opened()
    for turn in range(words.DECK // view.HAND):
        sort_hand(app, lambda key: words.name_of(key, MEASURED))
        last = turn == words.DECK // view.HAND - 1
        press(app, "Show how I did" if last else "Next three cards")
    assert f"**{words.DECK} of {words.DECK}** cards" in said(app)
    assert app.dataframe[0].value["right"].all()
    press(app, "Sort the other cards")
    assert len(app.button_group) == view.HAND
    start = app.session_state["museum_cards"]["from"]
    assert start == words.DECK


def test_a_wrong_card_leads_to_its_exhibit_with_the_readers_own_answer():
    app = sort_hand(opened(), lambda key: "Harmless")
    press(app, "Just show")
    wrong = [key for key in words.deck()[: view.HAND] if MEASURED[key].verdict.kind != "harmless"]
    assert f"**{view.HAND - len(wrong)} of {view.HAND}** cards" in said(app)
    press(app, EXHIBITS[wrong[0]].title)
    assert app.selectbox[0].value == wrong[0]
    assert "You predicted *Harmless*." in said(app)
    assert EXHIBITS[wrong[0]].does in said(app)


def test_a_sorted_card_can_be_asked_again():
    app = sort_hand(opened(), lambda key: "Harmless")
    press(app, "Just show")
    hand = words.deck()[: view.HAND]
    wrong = next(key for key in hand if MEASURED[key].verdict.kind != "harmless")
    press(app, EXHIBITS[wrong].title)
    press(app, "Ask again")
    assert "You predicted" not in said(app)
    assert list(app.radio[0].options) == list(words.OPTIONS)


def test_just_show_and_sort_again():
    app = press(opened(), "Just show")
    assert "You sorted no card." in said(app) and words.on_all(MEASURED) in said(app)
    shown = app.dataframe[0].value
    assert shown["measured"].tolist() == [
        words.name_of(key, MEASURED) for key in words.deck()[: words.DECK]
    ]
    press(app, "Sort again")
    assert len(app.button_group) == view.HAND


@pytest.mark.parametrize("key", EXHIBITS)
def test_every_exhibit_opens_asks_and_shows_its_measurement(key):
    app = opened("Exhibits", exhibit=key)
    assert EXHIBITS[key].does not in said(app)
    press(app, "Just show")
    text = said(app)
    assert EXHIBITS[key].does in text
    assert words.because(MEASURED[key]) in text
    assert any(code.value == EXHIBITS[key].diff for code in app.code)
    charts = len(app.get("vega_lite_chart"))
    assert charts == (0 if MEASURED[key].traceback else 1)
    if MEASURED[key].traceback:
        assert any(code.value == MEASURED[key].traceback for code in app.code)


def test_one_switch_turns_the_card_to_the_corrected_version():
    app = opened("Exhibits", exhibit="broadcast")
    assert app.code[0].value == words.card(EXHIBITS["broadcast"])
    healthy(app.toggle[0].set_value(True).run())
    assert app.code[0].value == EXHIBITS["broadcast"].corrected.rstrip()


def test_next_leads_to_the_next_exhibit():
    keys = list(EXHIBITS)
    app = press(opened("Exhibits", exhibit=keys[0]), "Next")
    assert app.selectbox[0].value == keys[1]
    press(app, "Previous")
    assert app.selectbox[0].value == keys[0]


def test_an_exhibit_is_measured_anew_with_other_seeds(monkeypatch):
    asked = []

    def here(function, arguments, control):
        asked.append(arguments)
        return results.measure(EXHIBITS[arguments[0]], 20, arguments[2])

    monkeypatch.setattr(view.worker, "call", here)
    app = press(opened("Exhibits", exhibit="one_adam"), "Just show")
    press(app, f"Run anew with {view.ANEW_SEEDS} other seeds")
    while "With the other seeds:" not in said(app):
        healthy(app.run())
    assert asked == [("one_adam", view.ANEW_SEEDS, view.ANEW_FIRST)]
    assert "n = 20 seeds each" in said(app)


@pytest.mark.parametrize("key", EXHIBITS)
def test_the_exercises_link_opens_the_exhibit(key):
    """What `pgcore check` prints beside a bug that it names."""
    path, query = exercises.link(key).split("?")
    assert path.removeprefix("/") in [page.file for page in PAGES]
    values, refused = link.parse(dict(parse_qsl(query)), PARAMETERS)
    assert not refused
    assert (values["museum_view"], values["exhibit"]) == ("Exhibits", key)
