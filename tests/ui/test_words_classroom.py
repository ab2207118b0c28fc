"""The class in words: sign, number and n of what the projector says; addresses; plain text."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from pgcore.classroom import Asked, Poll, Proposal, Truth, Vote
from pgcore.exhibits import results
from pgcore.stats import Interval, mean_t_interval
from ui.classroom import words
from ui.museum.words import question as museum
from ui.parabola.words import FAR_QUESTION, QUESTION
from ui.shell.glossary import TERM
from ui.shell.question import Mark, Question

UI = Path(words.__file__).parents[1]


def poll(*rounds: list[Vote], options: tuple[str, ...] = ("a", "b", "c"), **asked) -> Poll:
    votes = [dict(enumerate(votes)) for votes in rounds]
    return Poll(Asked("q", "?", options, **asked), "closed", votes)


# --- questions ---


def test_phones_get_plain_text():
    text = "You *said* **b\\* − 1**: [[q|Q]] is $0$, [a page](toypole?x=1). :material/check: Good"
    assert words.plain(text) == "You said b* − 1: Q is 0, a page. Good"


def test_no_mark_of_markdown_reaches_a_phone():
    modules = [import_module(f"ui.{file.parent.name}.words") for file in UI.glob("*/words.py")]
    found = [one for module in modules for one in vars(module).values()]
    questions = [one for one in found if isinstance(one, Question | Mark)]
    questions += [museum(key, one) for key, one in results.load().exhibits.items()]
    assert len(questions) > 20
    for question in questions:
        asked = words.asked(question)
        for text in (asked.text, *asked.options):
            assert text and not re.search(r"[\\*$`\[\]]|:material", text)


def test_a_symbol_with_an_asterisk_keeps_it_on_phones():
    text = "The best constant is b* = 11, and at **twice b\\* − 1**, or *b\\**, 2 * 3 is $6$."
    expected = "The best constant is b* = 11, and at twice b* − 1, or b*, 2 * 3 is 6."
    assert words.plain(text) == expected


def test_a_verdict_is_taken_apart_between_its_sentences():
    text = "It is **22.4** [21.9, 23]. *So* it is 0.5. [[q|Q]] is one.\n\nWhy? Since 1 > 0."
    assert words.sentences(text) == [
        "It is **22.4** [21.9, 23].", "*So* it is 0.5.", "[[q|Q]] is one.", "Why?", "Since 1 > 0.",
    ]  # fmt: skip


@pytest.mark.parametrize("question", [QUESTION, FAR_QUESTION], ids=["mark", "question"])
def test_a_question_is_published_whole(question):
    asked = words.asked(question)
    assert (asked.name, asked.usual) == (question.name, question.usual)
    assert not TERM.search(asked.text)
    if question is FAR_QUESTION:
        assert len(asked.options) == 3
    else:
        assert (asked.low, asked.high, asked.step) == (0, 100, 1)


def test_what_was_measured_decides_who_is_right():
    measured = words.truth(FAR_QUESTION, 1, "So.")
    assert [measured.holds(Vote(k, True)) for k in range(3)] == [False, True, False]
    assert measured.text.startswith(f"It is: {FAR_QUESTION.options[1].text}")
    nothing = words.truth(FAR_QUESTION, None, "")
    assert not any(nothing.holds(Vote(k, True)) for k in range(3))
    number = words.truth(QUESTION, Interval(22.0, 20.0, 24.0, 9), "")
    said = [18.9, 19.0, 20.0, 24.0, 25.0, 25.1]  # near=3, and the interval
    assert [number.holds(Vote(x, True)) for x in said] == [False, True, True, True, True, False]


def test_votes_are_counted_by_round_and_by_how_sure_they_were():
    sure, guess = Vote(1, True), Vote(1, False)
    wrong = Vote(0, True)
    one = poll([sure, guess, wrong])
    one.truth = Truth("", 1)
    assert words.on_the_votes(one) == (
        "2 of 3 were right. Of those who were sure 1 of 2 were right, of those who guessed 1 of 1."
    )
    two = poll([wrong, wrong], [sure, sure, wrong])
    two.truth = Truth("", 1)
    assert words.on_the_votes(two) == "0 of 2 were right at first, 2 of 3 after the discussion."
    none = poll([])
    none.truth = Truth("", 1)
    assert words.on_the_votes(none) == "Nobody has voted."


def test_the_histogram_is_told_in_words():
    assert words.votes_alt(poll([Vote(0, True), Vote(2, False)])) == (
        "Round 1, 2 votes: a: 1; b: 0; c: 1."
    )
    number = poll([Vote(x, True) for x in (10, 20, 30)], options=(), high=100, unit="%")
    assert "half of them between 15% and 25%, the median is 20%" in words.votes_alt(number)


def test_who_is_here_has_its_number():
    assert words.here(0) == "Nobody is here yet"
    assert words.here(1) == "1 phone is here"
    assert words.here(28) == "28 phones are here"
    assert words.wait(1).startswith("1 agent waits.")
    assert words.wait(2).startswith("2 agents wait.")


# --- addresses ---


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://127.0.0.1:8501/", True),
        ("http://localhost/x", True),
        ("http://[::1]:8501/", True),
        ("http://192.168.1.20:8501/", False),
        ("https://lab.example.org/", False),
    ],
)
def test_an_address_that_leads_every_device_to_itself_is_seen(address, local):
    assert words.is_local(address) is local


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" 192.168.1.20:8501 ", "http://192.168.1.20:8501/"),
        ("https://lab.example.org/pg/", "https://lab.example.org/pg/"),
        ("lab", "http://lab/"),
    ],
)
def test_a_lecturer_s_address_is_read(text, address):
    assert words.typed(text) == address


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "ftp://a", "a b", 'a"onload=x', "a" * 300, "http://", "a:x"]
)
def test_what_is_no_address_is_refused_in_one_sentence(text):
    with pytest.raises(ValueError, match="This is no address"):
        words.typed(text)


def test_a_proposal_is_a_link_of_the_lab():
    assert words.of_proposal(Proposal(1, "gamma", "0.9")) == "train?gamma=0.9"
    assert words.of_proposal(Proposal(1, "formula", "b = v/2")) == "baseline?formula=b+%3D+v%2F2"


# --- studies of neighbours ---


def test_rows_are_neighbours_and_their_difference_is_paired():
    with_, without = np.array([5.0, 7, 9, 1, 1, 2, 8]), np.array([4.0, 5, 6, 2, 3, 5, 0])
    study = words.study(with_, without, 3)
    assert [row.place for row in study.rows] == [1, 2]
    assert study.left == 1
    assert study.rows[0].difference == mean_t_interval([1.0, 2, 3])
    assert study.rows[1].difference == mean_t_interval([-1.0, -2, -3])
    assert study.everybody == mean_t_interval(with_ - without)


def far(sign: float, n: int) -> np.ndarray:
    """Differences of n agents whose interval lies clearly on one side."""
    return sign * (100 + np.arange(n) % 3)


def test_a_row_that_says_the_contrary_of_the_class_is_wrong():
    differences = np.concatenate([far(-1, 3), far(1, 27)])
    study = words.study(differences, np.zeros(30), 3)
    assert (study.conclusion, study.wrong, study.misled) == ("helps", 1, 1)
    assert study.count("helps") == 9
    assert words.on_the_rows(study) == (
        "**1 of 10 rows say the contrary of the class.** 9 say that it helps, 1 that it hurts, "
        "0 cannot tell. By the mean alone, 1 of 10 would name the other winner."
    )
    mirrored = words.study(-differences, np.zeros(30), 3)
    assert (mirrored.conclusion, mirrored.wrong, mirrored.misled) == ("hurts", 1, 1)


def test_where_the_class_cannot_tell_no_row_is_called_wrong():
    differences = np.concatenate([far(1, 3), far(-1, 3)])
    study = words.study(differences, np.zeros(6), 3)
    assert study.conclusion == "undecided"
    assert study.wrong is None
    assert "2 of 2 rows conclude what the class cannot tell" in words.on_the_rows(study)


def test_the_class_s_sentence_has_sign_interval_and_n():
    study = words.study(far(1, 30), np.zeros(30), 3)
    said = words.on_the_class(study, ("Batch mean", "Policy gradient"))
    assert "the baseline helps" in said
    assert f"{mean_t_interval(far(1, 30)):.0f}" in said
    assert "n = 30 agents" in said
    assert "hurts" in words.on_the_class(words.study(far(-1, 9), np.zeros(9), 3), ("a", "b"))


def test_few_agents_are_said():
    one = words.study(np.array([3.0]), np.array([1.0]), 3)
    assert words.on_the_rows(one) == "There are too few agents for a row of 3."
    assert "nothing can be concluded" in words.on_the_class(one, ("a", "b"))
    assert "One seed has no interval" in words.gathered("a", np.array([3.0]))
    said = words.gathered("Batch mean", np.array([100.0, 300.0]))
    assert said.startswith("2 agents of **Batch mean**")
    assert "between **100** and **300**; the mean is 200" in said
