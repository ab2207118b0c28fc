"""The tasks as a classroom notebook, made from tasks.py, and its check.

    python -m pgcore.exercises.notebook > examples/exercises.ipynb

In the notebook, `judge(In, "gae")` gathers the newest cells, checks them as a file, and says what
`pgcore check` says.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from typing import Any

from pgcore.exercises.checks import check_source
from pgcore.exercises.report import text
from pgcore.exercises.tasklist import FILE, TASKS

INTRODUCTION = """# Exercises

Write the tasks in their order. Run a task's cell after each change, and then the cell below it:
it says whether the task passes, and what to look at. Letters for shapes: S seeds, T steps of a
batch, D numbers in an observation. `print(TASKS["gae"].hints[0])` shows a hint; there are three
for each task.
"""
LAST = """## All tasks

At the end, 200 seeds of each agent train beside the reference. This takes up to a minute.
"""


def cells() -> list[tuple[str, str]]:
    """Kind and source of each cell: the imports and what is given, then two for each task."""
    source = FILE.read_text(encoding="utf-8")
    imports, parts = [], {}
    for node in ast.parse(source).body:
        written = ast.get_source_segment(source, node) or ""
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(written)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            parts[node.name] = written
    found = [
        ("markdown", INTRODUCTION),
        ("code", "from pgcore.exercises import TASKS\nfrom pgcore.exercises.notebook import judge"),
        ("code", "\n".join(imports)),
        ("code", parts["Agent"]),
    ]
    for number, (key, task) in enumerate(TASKS.items(), start=1):
        found += [
            ("markdown", f"## Task {number}. {task.title}"),
            ("code", parts[task.name]),
            ("code", f'judge(In, "{key}")'),
        ]
    return [*found, ("markdown", LAST), ("code", "judge(In)")]


def notebook() -> dict[str, Any]:
    """The cells in Jupyter's format, version 4.5."""
    return {
        "cells": [
            {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source}
            | ({"execution_count": None, "outputs": []} if kind == "code" else {})
            for number, (kind, source) in enumerate(cells())
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python",
                                    "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip


def gathered(ran: Sequence[str]) -> str:
    """One file from the cells that were run: the imports, then the newest of each task's.

    Args:
        ran: every input so far, the oldest first, as IPython's `In`.
    """
    newest: dict[str, str] = {}
    for source in ran:
        try:
            defined = {getattr(node, "name", "") for node in ast.parse(source).body}
        except SyntaxError:  # such a cell has said so itself
            continue
        newest |= dict.fromkeys(defined, source)
    imports = [source for _, source in cells() if source.startswith("import ")]
    names = ("Agent", *(task.name for task in TASKS.values()))
    ordered = [newest[name] for name in names if name in newest]
    return "\n\n\n".join([*imports, *dict.fromkeys(ordered)]) + "\n"


def judge(ran: Sequence[str], task: str = "") -> None:
    """Print the verdict of one task, or of all of them with the seeds at the end.

    Raises: ValueError if there is no such task.
    """
    if task and task not in TASKS:
        raise ValueError(f"There is no task {task!r}; the tasks are {', '.join(TASKS)}.")
    for verdict in check_source(FILE.name, gathered(ran), with_seeds=not task):
        if verdict.task in ("file", task) or not task:
            print(text(verdict))


if __name__ == "__main__":
    print(json.dumps(notebook(), indent=1))
