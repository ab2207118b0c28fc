"""The README names what there is: every page, every estimator, and commands that exist."""

from __future__ import annotations

from pathlib import Path

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
    assert "pip install -r requirements-dev.txt && .venv/bin/pytest" in README
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("make check")
    makefile = (ROOT / "Makefile").read_text()
    assert "\ncheck: lint types js test\n" in makefile
    assert "\ntest:\n\t$(BIN)/pytest\n" in makefile
