"""The path: its lessons are pages in states that exist, and its words are explained in time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pgcore import Config
from ui.path import lessons, progress
from ui.path.lessons import LESSONS, done, place_of
from ui.shell.glossary import GLOSSARY, TERM, linked
from ui.shell.pages import PAGES, PARAMETERS
from ui.shell.series import FIELDS

FILES = {page.file: page for page in PAGES}
ROOT = Path(__file__).parents[2]
STATES = [
    (lesson, state) for lesson in LESSONS
    for state in [lesson.state, *(suggestion.state for suggestion in lesson.tries)]
]  # fmt: skip


def test_there_are_eleven_lessons():
    assert len(LESSONS) == 11
    assert len({lesson.title for lesson in LESSONS}) == 11


@pytest.mark.parametrize(("lesson", "state"), STATES)
def test_a_lessons_state_holds_what_a_link_to_its_page_may_hold(lesson, state):
    own = {parameter.name for parameter in FILES[lesson.page].parameters}
    for name, value in state.items():
        if name in FIELDS:
            Config(**{name: value})
        else:
            assert name in own
            assert PARAMETERS[name].parse(PARAMETERS[name].write(value)) == value


@pytest.mark.parametrize("place", range(len(LESSONS)))
def test_a_lesson_is_found_again_in_its_own_state(place):
    lesson = LESSONS[place]
    values = {p.name: p.default for p in FILES[lesson.page].parameters} | dict(lesson.state)
    assert place_of(lesson.page, values, None) == place


def test_a_page_beside_the_path_is_no_lesson():
    assert place_of("train", {}, 3) is None


def test_a_lesson_is_done_when_all_its_questions_are_answered():
    lesson = next(lesson for lesson in LESSONS if len(lesson.asks) > 1)
    assert not done(lesson, set(lesson.asks[:1]))
    assert done(lesson, set(lesson.asks) | {"another"})


def test_every_question_of_a_lesson_is_asked_on_its_page():
    for lesson in LESSONS:
        texts = "".join(p.read_text() for p in (ROOT / "ui" / lesson.page).glob("*.py"))
        for name in lesson.asks:
            assert f'"{name}"' in texts, (lesson.title, name)
    assert {name for lesson in LESSONS for name in lesson.asks} == progress.NAMES


# --- words ---


def test_a_term_becomes_a_button_that_opens_its_entry():
    shown = '<button class="term" popovertarget="term-psi">the weight</button>'
    assert linked("See [[psi|the weight]].") == f"See {shown}."
    assert ">weight</button>" in linked("[[psi]]")
    with pytest.raises(KeyError):
        linked("[[no_such_term]]")


@pytest.mark.parametrize("key", GLOSSARY)
def test_an_entry_is_a_sentence_or_two_and_names_a_page_and_a_lesson(key):
    entry = GLOSSARY[key]
    assert entry.sentence.endswith((".", "?"))
    assert entry.page in FILES
    assert 1 <= entry.lesson <= len(LESSONS)


def test_the_path_uses_a_term_only_from_the_lesson_on_that_introduces_it():
    for place, lesson in enumerate(LESSONS, start=1):
        for key, _ in TERM.findall(lesson.see):
            assert GLOSSARY[key].lesson <= place, (lesson.title, key)


def test_the_path_s_sentences_are_short():
    """At most 25 words a sentence in what stands above a lesson and beside its buttons."""
    texts = [lesson.see for lesson in LESSONS]
    texts += [suggestion.look for lesson in LESSONS for suggestion in lesson.tries]
    texts += [entry.sentence for entry in GLOSSARY.values()]
    for text in texts:
        for sentence in re.split(r"(?<=[.?!:]) ", TERM.sub("term", text)):
            assert len(sentence.split()) <= 25, sentence


def test_lessons_of_a_page_stand_in_the_order_of_the_path():
    assert lessons.lessons_of("bandit") == [2, 9]
    assert lessons.lessons_of("toypole") == [4, 7]
