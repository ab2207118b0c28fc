"""The watched file: which one it is, what it holds, and its checks as jobs. Free of Streamlit.

    seen = watched.look(watched.path(), owner)
    seen.source, seen.verdicts, seen.checking, seen.comparing

Only the owner's own file is ever run, from the server's disk; nothing that a browser sends.
"""

from __future__ import annotations

import atexit
import hashlib
import ipaddress
import os
import threading
import time
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pgcore.exercises import TASKS, Child, Verdict, check_source
from pgcore.exercises.checks import LARGEST
from pgcore.jobs import ENGINE, Busy, Job, Progress

VARIABLE = "PGLAB_EXERCISES"  # names another file, and lets every visitor see its verdicts
PLACES = ("tasks.py", "exercises/tasks.py")  # below the folder in which the server was started
IDLE_SECONDS = 120.0  # a child that waits is ended when nobody has looked for so long
SIZE = 1 << 16  # bytes of the verdicts

Verdicts = tuple[Verdict, ...]


class Source(NamedTuple):
    """The file as it was read, or the sentence that says why it could not be."""

    path: Path
    data: bytes = b""
    saved: float = 0.0  # seconds since the epoch
    problem: str = ""
    missing: bool = False


class Seen(NamedTuple):
    """What there is to show; another value of it is another picture."""

    source: Source
    verdicts: Verdicts = ()  # of this very source; fewer than the tasks while it is checked
    checking: bool = False
    comparing: bool = False  # 200 seeds are trained beside the reference's
    error: str = ""


def path() -> Path:
    """The file that the owner named, or the one below the folder of the server's start."""
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser().absolute()
    places = [Path.cwd() / place for place in PLACES]
    return next((place for place in places if place.exists()), places[0])


def is_allowed(address: str | None, host: str | None, visitor: str | None) -> bool:
    """Whether this visitor may see the owner's file: the owner alone may, unless they named it.

    Args:
        address: at which the server listens; None is every address.
        host: that the browser asked for, with its port; another one comes through a proxy.
        visitor: the browser's address, where it is not this machine's.
    """
    if os.environ.get(VARIABLE):
        return True
    return _is_loopback(address) and not visitor and (host is None or _is_loopback(_name(host)))


def _name(host: str) -> str:
    """The host of `host:port`, without the brackets round an IPv6 address."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def read(file: Path) -> Source:
    """The file as it is on the disk now."""
    try:
        status = file.stat()
        if status.st_size > LARGEST:
            return Source(file, problem="The file is larger than 1 MB, so it is not checked.")
        data = file.read_bytes()
        data.decode("utf-8")
    except FileNotFoundError:
        return Source(file, problem="There is no such file yet.", missing=True)
    except OSError as error:
        return Source(file, problem=f"The file cannot be read ({error.strerror}).")
    except UnicodeDecodeError:
        return Source(file, problem="The file is not text in UTF-8. Save it in this encoding.")
    return Source(file, data, status.st_mtime)


# --- a child that waits ---


class Spare:
    """One child with torch imported, so that an answer takes the time of the checks alone."""

    def __init__(self) -> None:
        self._child: Child | None = None
        self._lock = threading.Lock()
        self._asked = 0.0

    def take(self, name: str) -> Child:
        """The one that waits, or else a new one; whoever takes it ends it."""
        with self._lock:
            child, self._child = self._child, None
        if child and child.name == name and not child.gone:
            return child
        if child:
            child.end()
        return Child(name)

    def prepare(self, name: str) -> None:
        """Somebody looks: have one ready."""
        self._asked = time.monotonic()
        with self._lock:
            if self._child is None:
                self._child = Child(name)
                waiter = threading.Thread(target=self._wait, args=(self._child,), daemon=True)
                waiter.start()

    def _wait(self, child: Child) -> None:
        while self._child is child:
            if time.monotonic() - self._asked > IDLE_SECONDS:
                self.end()
            time.sleep(1.0)

    def end(self) -> None:
        """Nothing waits any more."""
        with self._lock:
            child, self._child = self._child, None
        if child:
            child.end()


SPARE = Spare()
atexit.register(SPARE.end)


# --- the checks ---

_current: dict[str, Job[Verdicts]] = {}  # by kind: the job of the last source


def look(file: Path, owner: Hashable = None) -> Seen:
    """The file now, and what is known of it; its checks begin if it has changed."""
    source = read(file)
    if source.problem:
        _prepare(file)
        return Seen(source)
    try:
        numbers = _ask("numbers", source, owner)
        verdicts = _verdicts(numbers)
        seeds = None
        if numbers.status == "done" and _compared(verdicts):
            seeds = _ask("seeds", source, owner)
            later = {verdict.task: verdict for verdict in _verdicts(seeds) if verdict.trial}
            verdicts = tuple(later.get(verdict.task, verdict) for verdict in verdicts)
    except Busy as busy:
        return Seen(source, error=str(busy))
    if not numbers.live:
        _prepare(file)
    comparing = seeds is not None and seeds.live
    return Seen(source, verdicts, numbers.live, comparing, numbers.error)


def _prepare(file: Path) -> None:
    with suppress(OSError, ValueError):  # the next check starts its own, or says why it cannot
        SPARE.prepare(file.name)


def _compared(verdicts: Verdicts) -> bool:
    """Whether an agent has passed whatever comes before the seeds."""
    return any(v.status == "passed" and TASKS[v.task].agent for v in verdicts if v.task in TASKS)


def _verdicts(job: Job[Verdicts]) -> Verdicts:
    return job.result or job.partial or ()


def _ask(kind: str, source: Source, owner: Hashable) -> Job[Verdicts]:
    """The job of a source; that of an earlier source ends."""
    digest = hashlib.sha256(source.data).hexdigest()
    # A file that is saved again is checked again: a busy machine may have stopped the last check.
    key = ("exercises", kind, str(source.path), digest, source.saved if kind == "numbers" else 0)
    before = _current.get(kind)
    if before and before.key == key and before.status == "failed":
        return before  # the same would fail again
    if before and before.key != key:
        before.cancel()
    lane, seconds = ("long", 36.0) if kind == "seeds" else ("measurement", 1.0)
    job = Job(key, lambda progress, control: _check(source, kind, progress), lane, SIZE, seconds)
    _current[kind] = ENGINE.ask(job, owner)
    return _current[kind]


def _check(source: Source, kind: str, progress: Progress) -> Verdicts:
    """The verdicts of the text that was read, told one after the other."""
    found: list[Verdict] = []

    def tell(verdict: Verdict) -> None:
        found.append(verdict)
        progress(len(found) / len(TASKS), tuple(found))

    name = source.path.name
    child = SPARE.take(name) if kind == "numbers" else None  # seeds have time to start their own
    return tuple(check_source(name, source.data.decode(), kind == "seeds", child, tell))
