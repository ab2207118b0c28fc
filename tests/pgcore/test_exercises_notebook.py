"""The classroom notebook holds the tasks of tasks.py, and its check reads the newest cells."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from pgcore.exercises import TASKS, notebook
from tests import solutions

KEPT = Path(__file__).parents[2] / "examples/exercises.ipynb"


def test_the_kept_notebook_is_what_the_template_gives():
    """After a change of tasks.py: python -m pgcore.exercises.notebook > examples/exercises.ipynb"""
    assert json.loads(KEPT.read_text()) == notebook.notebook()


def test_every_task_stands_there_with_its_space_and_its_check():
    code = [source for kind, source in notebook.cells() if kind == "code"]
    for key, task in TASKS.items():
        assert task.text in code
        assert f'judge(In, "{key}")' in code
    for cell in json.loads(KEPT.read_text())["cells"]:
        if cell["cell_type"] == "code":
            ast.parse(cell["source"])
            assert cell["outputs"] == [] and cell["execution_count"] is None


def test_the_cells_run_in_their_order():
    names: dict = {"In": []}
    for kind, source in notebook.cells():
        if kind == "code" and not source.startswith("judge("):
            exec(source, names)
    assert names["PolicyGradient"].__mro__[1] is names["Agent"]


def test_the_newest_cell_counts(capsys):
    """Before: not written. Then wrong, then right; what cannot be read does not count."""
    ran = ["", *(source for kind, source in notebook.cells() if kind == "code")]
    notebook.judge(ran, "leave_one_out")
    said = capsys.readouterr().out
    assert "not written yet" in said and said.startswith("leave_one_out")
    ran.append("def leave_one_out(q_values):\n    return q_values")
    notebook.judge(ran, "leave_one_out")
    assert "FAILED" in capsys.readouterr().out
    tree = ast.parse(solutions.LECTURE)
    (right,) = (n for n in tree.body if getattr(n, "name", "") == "leave_one_out")
    ran += [ast.get_source_segment(solutions.LECTURE, right) or "", "def leave_one_out(:"]
    notebook.judge(ran, "leave_one_out")
    assert capsys.readouterr().out.startswith("leave_one_out     passed")


def test_a_task_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="There is no task 'gea'"):
        notebook.judge([], "gea")
