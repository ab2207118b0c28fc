"""Exercises: a file of tasks, and a checker that says what is wrong.

    new(folder)              writes tasks.py there, never over an existing file
    check(path)              a verdict for each task: plain data
    check_source(name, text) the same, for a file's text
    watch(path)              the verdicts, again each time the file changes
    TASKS[key]               title, text and hints of a task
    link(exhibit)            the museum's page of a bug that was named
    containment()            what holds the file on this machine, in words

The reader's file runs in a child process (`child.py`, started by `contained.py`) which gives back
numbers. Right numbers and known mistakes stand in `functions.py` and `agents.py`; `checks.py`
compares and decides.
"""

from pgcore.exercises.checks import check, check_source
from pgcore.exercises.contained import Child, containment
from pgcore.exercises.report import link, new, table, text
from pgcore.exercises.tasklist import TASKS, Task
from pgcore.exercises.verdict import Remark, Trial, Verdict
from pgcore.exercises.watching import watch

__all__ = [
    "TASKS",
    "Child",
    "Remark",
    "Task",
    "Trial",
    "Verdict",
    "check",
    "check_source",
    "containment",
    "link",
    "new",
    "table",
    "text",
    "watch",
]
