"""Limits: what the environment says, what is refused, and the page that documents them."""

from __future__ import annotations

import os
import re
from dataclasses import fields
from pathlib import Path

import pytest

from pgcore import limits
from pgcore.config import Config
from pgcore.limits import Limits, read

ROOT = Path(__file__).parents[2]


def test_without_a_word_the_usual_limits_hold():
    assert read({}) == Limits()
    assert read({"PGLAB_PUBLIC": "0", "PATH": "/"}) == Limits()


def test_one_word_lowers_them_all_and_a_variable_of_its_own_says_otherwise():
    public = read({"PGLAB_PUBLIC": "1"})
    for spec in fields(Limits):
        assert getattr(public, spec.name) <= spec.default
    assert public.steps == 100_000
    assert read({"PGLAB_PUBLIC": "1", "PGLAB_STEPS": "50"}).steps == 50
    assert read({"PGLAB_SEEDS": "50"}).steps == Limits().steps


@pytest.mark.parametrize("text", ["many", "-1", "0", "1.5", "", "²"])
def test_what_is_no_whole_number_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match=r"PGLAB_SEEDS is .*; it must be a whole number from 1 up"):
        read({"PGLAB_SEEDS": text})


def test_the_usual_limits_are_those_of_the_settings():
    bounds = {spec.name: spec.metadata["high"] for spec in fields(Config)}
    assert Limits().seeds == bounds["num_seeds"]
    assert Limits().steps == bounds["total_timesteps"]
    assert Limits().hidden == bounds["hidden_dim"]


def test_cores_are_those_of_the_machine_unless_the_owner_says_otherwise(monkeypatch):
    assert limits.cores() == os.cpu_count()
    monkeypatch.setattr(limits, "LIMITS", Limits(cores=1))
    assert limits.cores() == 1


def test_the_page_for_owners_has_a_row_for_each_limit():
    text = (ROOT / "docs/deploy.md").read_text()
    rows = re.findall(r"^\| `(PGLAB_\w+)` \| ([\d,]+) \| ([\d,]+) \| (.+) \|$", text, re.M)
    assert rows == [
        (
            f"PGLAB_{spec.name.upper()}",
            f"{spec.default:,}",
            f"{spec.metadata['public']:,}",
            spec.metadata["meaning"],
        )
        for spec in fields(Limits)
    ]
