"""Verdicts of a file, again each time it changes on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from pathlib import Path

from pgcore.exercises.checks import check
from pgcore.exercises.contained import Child
from pgcore.exercises.verdict import Verdict

POLL_SECONDS = 0.2


def watch(
    path: str | Path, stopped: Callable[[], bool] = lambda: False, with_seeds: bool = False
) -> Generator[list[Verdict], None, None]:
    """The verdicts now, and again after each change, until `stopped()`.

    The next child waits with torch imported, so an answer takes the time of the checks alone.

    Raises: as `check`, for the first time; a file that is gone for a moment is waited for.
    """
    path = Path(path)
    stamp = path.stat()
    child = Child(path.name)
    try:
        while True:
            ready, child = child, Child(path.name)
            yield check(path, with_seeds, ready)
            while not _changed(path, (stamp.st_mtime_ns, stamp.st_size)):
                if stopped():
                    return
                time.sleep(POLL_SECONDS)
            stamp = path.stat()
    finally:
        child.end()


def _changed(path: Path, before: tuple[int, int]) -> bool:
    """Whether the file is there and is another one than before."""
    try:
        now = path.stat()
    except FileNotFoundError:  # some editors replace it
        return False
    return (now.st_mtime_ns, now.st_size) != before
