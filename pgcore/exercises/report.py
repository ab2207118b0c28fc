"""Verdicts as text for a terminal, and the new file of tasks."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from pgcore.exercises import seeds
from pgcore.exercises.tasklist import FILE, TASKS
from pgcore.exercises.verdict import Remark, Verdict
from pgcore.exhibits import EXHIBITS

MARKS = {"passed": "passed", "failed": "FAILED", "unwritten": "not written yet",
         "waits": "waits", "stopped": "not checked"}  # fmt: skip


def new(folder: str | Path) -> Path:
    """Write tasks.py into a folder.  -> the file

    Raises: FileExistsError if there is one already; OSError if it cannot be written.
    """
    target = Path(folder) / FILE.name
    if target.exists():
        raise FileExistsError(f"{target} exists already, and stays as it is.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(FILE, target)
    return target


def link(exhibit: str) -> str:
    """The museum's page of an exhibit, below the address of a running lab."""
    return f"/museum?museum_view=Exhibits&exhibit={exhibit}"


def _remark(remark: Remark) -> list[str]:
    lines = textwrap.wrap(remark.text, 88)
    if remark.where:
        lines += textwrap.wrap(f"Case: {remark.where}", 88, subsequent_indent="      ")
    if remark.expected:
        lines.append(f"expected  {remark.expected}")
    if remark.found:
        lines.append(f"found     {remark.found}")
    if remark.exhibit:
        lines.append(f"Bug museum: {EXHIBITS[remark.exhibit].title}")
        lines.append(f"            in the running lab at {link(remark.exhibit)}")
    return lines


def text(verdict: Verdict) -> str:
    """One verdict, as the terminal shows it."""
    title = TASKS[verdict.task].title if verdict.task in TASKS else "the file itself"
    lines = [f"{verdict.task:<17} {MARKS[verdict.status]:<16} {title} ({verdict.seconds:.1f} s)"]
    for number, remark in enumerate(verdict.remarks, start=1):
        first, *rest = _remark(remark)
        lines += [f"  {number}. {first}", *(f"     {line}" for line in rest)]
    if verdict.status != "passed" and verdict.checks:
        passed = f"Passed so far: {'; '.join(verdict.checks)}."
        lines += [f"  {line}" for line in textwrap.wrap(passed, 88)]
    if verdict.trial:
        trial = verdict.trial
        lines += [
            f"  After {trial.steps} steps: yours {trial.yours}, n = {trial.num_seeds} seeds; "
            f"reference {trial.reference}, n = {trial.num_reference};",
            f"  difference {trial.difference}. Mean episodic returns, 95% intervals.",
            *(f"  {line}" for line in textwrap.wrap(seeds.rule(), 88)),
        ]
    if verdict.printed and verdict.status != "passed":
        lines += ["  The file printed:", textwrap.indent(verdict.printed.rstrip()[:500], "  > ")]
    return "\n".join(lines)


def table(files: Mapping[str, Sequence[Verdict]]) -> str:
    """Several files: a row each, a column for each task."""
    width = max(len(name) for name in files)
    head = f"{'':<{width}}  " + "  ".join(TASKS) + "  passed"
    rows = [head]
    for name, verdicts in files.items():
        of = {verdict.task: verdict for verdict in verdicts}
        cells = "  ".join(f"{SHORT[of[key].status]:<{len(key)}}" for key in TASKS)
        count = sum(of[key].status == "passed" for key in TASKS)
        rows.append(f"{name:<{width}}  {cells}  {count} of {len(TASKS)}")
    return "\n".join(rows)


SHORT = {"passed": "yes", "failed": "NO", "unwritten": "-", "waits": "~", "stopped": "?"}
