"""The first 3,000 inputs of tests/fuzz.py, which says what a fault is; and that it sees one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import fuzz


def test_whatever_comes_in_is_a_valid_value_or_gets_a_sentence_of_ours():
    command = [sys.executable, "-m", "tests.fuzz", "--count", "3000"]
    ran = subprocess.run(command, cwd=fuzz.ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]
    rows = ran.stdout.splitlines()[1:]
    assert [row[:28].strip() for row in rows] == [*fuzz.DOORS]
    for row in rows:  # both ends of every door are used
        assert all(int(count) > 0 for count in row[28:].split()[:2]), row


def fails() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("enter", "said"),
    [
        (lambda given: fails(), "ZeroDivisionError"),
        (lambda given: int(given), "a sentence of"),
        (lambda given: [given * 2000], "2,000 characters"),
        (lambda given: ["No end"], "no sentence"),
        (lambda given: ["A line.\nAnother."], "no sentence"),
        (lambda given: "é".encode("ascii"), "UnicodeEncodeError"),
    ],
)
def test_a_fault_is_seen(enter, said):
    with pytest.raises(fuzz.Fault, match=said):
        fuzz.attempt(fuzz.Door(lambda rng: "x", enter), "x")


def test_an_input_depends_on_its_number_alone():
    assert all(fuzz.made(number) == fuzz.made(number) for number in (0, 5, 6, 8, 9))
    assert fuzz.made(10) != fuzz.made(20)
