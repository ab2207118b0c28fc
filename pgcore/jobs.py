"""One engine for whatever takes long: runs, measurements, films.

    job = ENGINE.ask(Job(key, work, "measurement", size=80_000))
    job.finished.wait(1.0)
    job.status, job.share, job.result, job.error

Whoever asks for the same key gets the same job. `work(progress, control)` runs in a thread of its
own, touches nothing of Streamlit and returns the result. `progress(share, partial)` is called as
it goes: it waits while the job is paused, and raises `Cancelled` once the job is to end.

A lane says how many of its jobs run at once and how eagerly. A paused job has no place in its
lane: the next one runs. It waits for a place again, before all others, when it is resumed.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pgcore.control import Cancelled, Control

Status = Literal["queued", "running", "paused", "done", "cancelled", "failed", "abandoned"]
LIVE = ("queued", "running", "paused")
AGAIN = ("cancelled", "failed", "abandoned")  # asked for once more, such a job is made anew

ROOM = 1 << 30  # bytes that the results of all jobs may take together
OVERHEAD = 4096  # bytes of a job without a result
MAX_PAUSED = 32

Result = TypeVar("Result")
Progress = Callable[..., None]  # (share, partial=None)
Work = Callable[[Progress, Control], Result]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lane:
    """How a kind of job is run."""

    places: int  # jobs at once
    nice: int = 0  # of its threads: 19 leaves the processor to all others (Linux)
    patience: float = math.inf  # seconds; a job that nobody asks for so long is abandoned
    waiting: int = 64  # jobs that may wait; the next one is refused


# Measured with ten viewers beside 3 runs of 1,000 seeds: a click takes 6 s with three of them at
# once and 0.26 s with one at a time at the lowest priority.
LANES = {
    "quick": Lane(1),
    "long": Lane(1, nice=19),
    "measurement": Lane(2, patience=5.0, waiting=24),
    "process": Lane(1),  # work in another process (worker.py), which lowers its own priority
    "film": Lane(1, waiting=12),  # likewise; need not wait for runs
}


class Busy(ValueError):
    """The server has too much to do."""


def sentence(error: BaseException) -> str:
    """What to tell the reader; a ValueError of ours is a sentence already."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


class Job(Generic[Result]):
    """One piece of work, from the asking to the result."""

    def __init__(self, key: Hashable, work: Work[Result], lane: str, size: int = 0) -> None:
        self.key, self.lane, self.bytes = key, lane, size + OVERHEAD
        self.status: Status = "queued"
        self.share = 0.0
        self.partial: Result | None = None  # what there is so far, if the work tells
        self.result: Result | None = None
        self.error = ""
        self.asked = time.monotonic()
        self.finished = threading.Event()
        self.control = Control()
        self._work: Work[Result] | None = work
        self._engine: Engine | None = None
        self._thread: threading.Thread | None = None
        self._ending: Status = "cancelled"  # what it will be, once told to end
        self._spent, self._since = 0.0, 0.0

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def elapsed(self) -> float:
        """Seconds that it has run, pauses and waiting left out."""
        running = time.perf_counter() - self._since if self.status == "running" else 0.0
        return self._spent + running

    def touch(self) -> None:
        """Somebody still wants it."""
        self.asked = time.monotonic()

    def pause(self) -> None:
        """Stand still and leave the place in the lane to the next."""
        if self._engine:
            self._engine.pause(self)

    def resume(self) -> None:
        """Go on, as soon as the lane has a place."""
        if self._engine:
            self._engine.resume(self)

    def cancel(self) -> None:
        """End; `finished` is set when its threads have ended."""
        if self._engine:
            self._engine.cancel(self)

    def _progress(self, share: float, partial: Result | None = None) -> None:
        self.share = share
        if partial is not None:
            self.partial = partial
        self.control.check()
        if self._forgotten:
            self._ending = "abandoned"
            raise Cancelled

    @property
    def _forgotten(self) -> bool:
        patience = self._engine.lanes[self.lane].patience if self._engine else math.inf
        return time.monotonic() - self.asked > patience

    def _turn(self, status: Status) -> None:
        self._spent = self.elapsed
        self._since = time.perf_counter()
        self.status = status


AnyJob = TypeVar("AnyJob", bound=Job[Any])


class Engine:
    """Jobs by key. What has ended stays until its memory is needed."""

    def __init__(self, lanes: Mapping[str, Lane] = LANES, room: int = ROOM) -> None:
        self.lanes, self.room = lanes, room
        self._jobs: dict[Hashable, Job[Any]] = {}
        self._waiting: dict[str, list[Job[Any]]] = {name: [] for name in lanes}
        self._running: dict[str, list[Job[Any]]] = {name: [] for name in lanes}
        self._lock = threading.RLock()

    def ask(self, job: AnyJob) -> AnyJob:
        """The job of this key: the one that is there, or else `job`, which begins.

        A job that was cancelled or abandoned, or that failed, is replaced.

        Raises: Busy if too many jobs wait in its lane.
        """
        with self._lock:
            known: Any = self._jobs.get(job.key)
            if known is None or known.status in AGAIN:
                if len(self._waiting[job.lane]) >= self.lanes[job.lane].waiting:
                    raise Busy("The server has much to do already; try again in a minute.")
                known = self._jobs[job.key] = job
                job._engine = self
                self._waiting[job.lane].append(job)
                self._fill(job.lane)
            known.touch()
        return known

    def get(self, key: Hashable) -> Job[Any] | None:
        """The job of this key, if anybody has asked for it."""
        job = self._jobs.get(key)
        if job:
            job.touch()
        return job

    def place(self, job: Job[Any]) -> int:
        """How many jobs of its lane come before it; 0 once it runs."""
        with self._lock:
            waiting = self._waiting[job.lane]
            ahead = len(self._running[job.lane])
            return ahead + waiting.index(job) if job in waiting else 0

    def pause(self, job: Job[Any]) -> None:
        with self._lock:
            if job.status not in ("queued", "running"):
                return
            self._leave(job)
            job.control.pause()
            job._turn("paused")
            paused = sorted(self._of("paused"), key=lambda other: other.asked)
            for other in paused[:-MAX_PAUSED]:
                self._abandon(other)
            self._fill(job.lane)

    def resume(self, job: Job[Any]) -> None:
        with self._lock:
            if job.status == "paused":
                job._turn("queued")
                self._waiting[job.lane].insert(0, job)
                self._fill(job.lane)

    def cancel(self, job: Job[Any]) -> None:
        with self._lock:
            if job.live:
                job.control.cancel()
                if job._thread is None:
                    self._end(job, job._ending)

    def counts(self) -> Counter[tuple[str, Status]]:
        """How many jobs there are, by lane and status."""
        with self._lock:
            return Counter((job.lane, job.status) for job in self._jobs.values())

    @property
    def bytes(self) -> int:
        """Memory that jobs take which have begun, results included."""
        with self._lock:
            return sum(job.bytes for job in self._jobs.values() if job._thread)

    def _abandon(self, job: Job[Any]) -> None:
        job._ending = "abandoned"
        self._jobs.pop(job.key, None)
        self.cancel(job)

    def _of(self, *statuses: str) -> list[Job[Any]]:
        return [job for job in self._jobs.values() if job.status in statuses]

    def _leave(self, job: Job[Any]) -> None:
        for jobs in (self._waiting[job.lane], self._running[job.lane]):
            if job in jobs:
                jobs.remove(job)

    def _fill(self, lane: str) -> None:
        """Give the free places of a lane to those that have waited longest."""
        waiting, running = self._waiting[lane], self._running[lane]
        while waiting and len(running) < self.lanes[lane].places:
            job = waiting.pop(0)
            if job._forgotten:
                self._end(job, "abandoned")
                continue
            running.append(job)
            job.control.resume()
            job._turn("running")
            if job._thread is None:
                self._make_room(job.bytes)
                job._thread = threading.Thread(target=self._run, args=(job,), daemon=True)
                try:
                    job._thread.start()
                except RuntimeError as error:  # no more threads
                    self._end(job, "failed", sentence(error))

    def _run(self, job: Job[Any]) -> None:
        _lower_priority(self.lanes[job.lane].nice)
        status: Status = "done"
        error = ""
        try:
            job._progress(0.0)
            assert job._work is not None
            job.result = job._work(job._progress, job.control)
        except Cancelled:
            status = job._ending
        except BaseException as failure:  # told to whoever asked; other jobs go on
            status, error = "failed", sentence(failure)
            if not isinstance(failure, ValueError):
                log.exception("A job in the lane %s failed", job.lane)
        with self._lock:
            self._end(job, status, error)

    def _end(self, job: Job[Any], status: Status, error: str = "") -> None:
        self._leave(job)
        job.error, job._work = error, None
        if status == "abandoned" and self._jobs.get(job.key) is job:
            del self._jobs[job.key]
        if status in ("done", "abandoned"):
            job.partial = None
        job.share = 1.0 if status == "done" else job.share
        job._turn(status)
        job.finished.set()
        self._make_room(0)
        self._fill(job.lane)

    def _make_room(self, wanted: int) -> None:
        """Drop what has ended, least recently asked first; then end what is paused, likewise."""
        kept = [job for job in self._jobs.values() if job._thread]
        total = wanted + sum(job.bytes for job in kept)
        if total <= self.room:
            return
        for job in sorted(kept, key=lambda job: (job.live, job.asked)):
            if total <= self.room:
                return
            if job.status == "paused":
                self._abandon(job)
            elif not job.live:
                del self._jobs[job.key]
            else:
                continue
            total -= job.bytes


def _lower_priority(nice: int) -> None:
    """Of this thread alone, and of those that it will start: Linux has a priority a thread."""
    if nice and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


ENGINE = Engine()
