"""The class benchmark: its figures are what they say, and a wrong count ends it."""

from __future__ import annotations

import pytest

from benchmarks.classroom import BEGIN, DOCUMENT, END, check, table


def test_the_table_has_a_row_for_each_kind_of_request():
    figures = {"seen": 2.3, "trained": 1.4, "cores": 0.08, "polls": 149.0}
    text = table({"join": [0.001, 0.003], "vote": [0.5], **figures}, 300, 1.5)
    assert "| join | 2 | 2 | 3 | 3 |" in text and "| vote | 1 | 500 | 500 | 500 |" in text
    for said in ("600 votes", "60 proposals", "within 2.3 s", "149 times", "0.08 of a core"):
        assert said in text


def test_the_page_has_a_place_for_it():
    assert BEGIN in DOCUMENT.read_text() and END in DOCUMENT.read_text()


def test_a_wrong_count_ends_the_measurement():
    check([1, 2], [1, 2], "votes")
    with pytest.raises(RuntimeError, match="votes: "):
        check([1, 2], [2, 1], "votes")
