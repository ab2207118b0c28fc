"""What the checker says of one task: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["passed", "failed", "unwritten", "waits", "stopped"]
REMARKS = 3  # at most; the most important one first


@dataclass(frozen=True)
class Remark:
    """One thing to change: what to do first, why after it."""

    text: str
    exhibit: str = ""  # key of the museum's exhibit that shows this bug
    where: str = ""  # the case in which it was seen, with what the function was given
    expected: str = ""  # the numbers, side by side
    found: str = ""


@dataclass(frozen=True)
class Trial:
    """Trained policies beside the reference's: mean episodic returns and 95% intervals."""

    yours: str
    reference: str
    difference: str
    num_seeds: int  # of yours
    num_reference: int
    steps: int
    yours_returns: tuple[float, ...] = ()  # a seed each
    reference_returns: tuple[float, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """One task's verdict.

    `waits`: its numbers are right, and an earlier task has to pass before it can train.
    `stopped`: it could not be asked, for the reason in the remark.
    """

    task: str
    status: Status
    checks: tuple[str, ...] = ()  # those that passed, in order
    remarks: tuple[Remark, ...] = ()  # of a passed task: notes
    trial: Trial | None = None
    printed: str = ""  # the beginning of what the file printed
    seconds: float = 0.0


@dataclass
class Fault(Exception):
    """Raised by a check that fails."""

    remarks: list[Remark]
    status: Status = "failed"


@dataclass
class Progress:
    """What a task has passed so far, and what was noted on the way."""

    checks: list[str] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    trial: Trial | None = None


def numbers(x: Any, digits: int = 4) -> str:
    """Numbers as a reader compares them: 1, 2.5, -0.3333; rows apart, long ones cut."""
    if isinstance(x, list | tuple):
        rows = bool(x) and isinstance(x[0], list | tuple)
        shown = [numbers(each, digits) for each in x[:8]] + ["..."] * (len(x) > 8)
        return (" | " if rows else ", ").join(shown)
    if isinstance(x, float):
        return f"{x:.{digits}g}"
    return str(x)
