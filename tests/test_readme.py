"""The README names what there is: every page, every estimator, and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pgcore.algorithms import ALGORITHMS
from ui.shell.pages import PAGES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.file)
def test_every_page_stands_with_its_question(page):
    assert f"| {page.title} | {page.question} |" in README


@pytest.mark.parametrize("key", ALGORITHMS)
def test_every_estimator_stands_with_its_bias_and_source(key):
    row = next(line for line in README.splitlines() if line.startswith(f"| `{key}` |"))
    assert row.endswith(f"| {ALGORITHMS[key].bias} | {ALGORITHMS[key].reference} |")


def test_pictures_and_requirements_named_are_there():
    assert (ROOT / "docs/train.png").is_file()
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert name in README
        assert (ROOT / name).is_file()


def test_ci_runs_the_readmes_test_command():
    """By way of `make check`, whose last part is the tests."""
    command = ".venv/bin/pytest -n auto --dist loadfile"
    assert f"pip install -r requirements-dev.txt && {command}" in README
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("make check")
    makefile = (ROOT / "Makefile").read_text()
    assert "\ncheck: lint types js test\n" in makefile
    assert "\ntest:\n\t$(BIN)/pytest -n auto --dist loadfile\n" in makefile


def test_the_library_s_python_runs_and_the_files_named_are_there(tmp_path, monkeypatch):
    """The Python blocks one after another, with fewer seeds: what they show is not asked here."""
    section = README.split("## As a library")[1].split("\n## ")[0]
    first, second = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(first, names)
    exec(second.replace("num_seeds=100", "num_seeds=4"), names)
    assert names["act"](np.zeros((3, 4))).shape == (3, 2)
    assert names["history"].load("run.npz") == names["history"]
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
