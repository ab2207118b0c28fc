"""One engine for whatever takes long: runs, measurements, films.

    job = ENGINE.ask(Job(key, work, "measurement", size=80_000), owner)
    job.finished.wait(1.0)
    job.status, job.share, job.result, job.error

Whoever asks for the same key gets the same job. `work(progress, control)` runs in a thread of its
own, touches nothing of Streamlit and returns the result. `progress(share, partial)` is called as
it goes: it waits while the job is paused, and raises `Cancelled` once the job is to end.

A lane says how many of its jobs run at once and how eagerly. A paused job has no place in its
lane: the next one runs. It waits for a place again, before its owner's others, when it is resumed.

Places go to the owners in turn, whatever each of them asks for (start-time fair queueing: Goyal,
Vin & Cheng 1996): a job's turn is when its owner's earlier ones would have ended, had the owner
the lane alone. A job that has run for long makes place for those that wait, and goes on after
them. A job that no owner asks for any more is paused, and later ended; asked for again, it goes on.
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
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pgcore.control import Cancelled, Control
from pgcore.limits import LIMITS

Status = Literal["queued", "running", "paused", "done", "cancelled", "failed", "abandoned"]
LIVE = ("queued", "running", "paused")
AGAIN = ("cancelled", "failed", "abandoned")  # asked for once more, such a job is made anew

ROOM = LIMITS.memory << 20  # bytes that the results of all jobs may take together
OVERHEAD = 4096  # bytes of a job without a result
MAX_PAUSED = 32  # of those that have begun: each has a thread
RECENT = 10.0  # seconds; what was asked for since is being looked at, and stays
TURN = 0.5  # seconds; what an owner asks for and takes less is done in one turn
SWEEP_SECONDS = 1.0

Result = TypeVar("Result")
Progress = Callable[..., None]  # (share, partial=None)
Work = Callable[[Progress, Control], Result]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lane:
    """How a kind of job is run."""

    places: int  # jobs at once
    nice: int = 0  # of its threads: 19 leaves the processor to all others (Linux)
    patience: float = math.inf  # seconds; a job that nobody asks for so long is paused,
    grace: float = 0.0  # and so many seconds later ended
    quantum: float = math.inf  # seconds; after so many a job makes place for those that wait
    waiting: int = 500  # jobs that may wait; the next one is refused


# Measured with ten viewers beside 3 runs of 1,000 seeds: a click takes 6 s with three of them at
# once and 0.26 s with one at a time at the lowest priority. Whoever waits asks several times a
# second; a server that is overloaded hears it late, and a browser lets a hidden tab ask once a
# minute only.
LANES = {
    "quick": Lane(1, patience=30.0, grace=600.0),
    "long": Lane(1, nice=19, patience=90.0, grace=600.0, quantum=20.0),
    "measurement": Lane(2, nice=10, patience=10.0, grace=60.0),
    # Work in another process (worker.py), which lowers its own priority:
    "process": Lane(1, patience=90.0, grace=600.0, quantum=20.0),
    "film": Lane(1),  # need not wait for runs
    "handout": Lane(1),  # a minute or two of a process: no film waits for it
}


class Busy(ValueError):
    """The server has too much to do, or this owner has asked for too much."""


def sentence(error: BaseException) -> str:
    """What to tell the reader; a ValueError of ours is a sentence already."""
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, MemoryError):
        return "Memory ran out. Ask for fewer seeds, steps or hidden units, or try again later."
    if isinstance(error, OSError) and error.strerror:
        return f"The server's system refused something ({error.strerror}). Try again later."
    return f"The lab made a mistake ({type(error).__name__}: {error}). Try again."


class Job(Generic[Result]):
    """One piece of work, from the asking to the result."""

    def __init__(
        self, key: Hashable, work: Work[Result], lane: str, size: int = 0, seconds: float = TURN
    ) -> None:
        self.key, self.lane, self.bytes, self.seconds = key, lane, size + OVERHEAD, seconds
        self.status: Status = "queued"
        self.share = 0.0
        self.partial: Result | None = None  # what there is so far, if the work tells
        self.result: Result | None = None
        self.error = ""
        self.owners: set[Hashable] = set()  # who asked; nobody is neglected who did not say
        self.asked = 0.0  # by the engine's clock
        self.finished = threading.Event()
        self.control = Control()
        self._work: Work[Result] | None = work
        self._engine: Engine | None = None
        self._thread: threading.Thread | None = None
        self._ending: Status = "cancelled"  # what it will be, once told to end
        self._left = False  # paused because nobody asked for it
        self._turn = 0.0  # the smallest runs next
        self._spent, self._since = 0.0, 0.0

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def elapsed(self) -> float:
        """Seconds that it has run, pauses and waiting left out."""
        return self._spent + self._stint

    @property
    def _stint(self) -> float:
        """Seconds since it was given its place."""
        if self.status != "running" or self._engine is None:
            return 0.0
        return self._engine.clock() - self._since

    def touch(self) -> None:
        """Somebody still wants it."""
        if self._engine:
            self._engine.touch(self)

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

    def _become(self, status: Status, now: float) -> None:
        self._spent = self.elapsed
        self._since = now
        self.status = status


AnyJob = TypeVar("AnyJob", bound=Job[Any])


class Engine:
    """Jobs by key. What has ended stays until its memory is needed."""

    def __init__(
        self,
        lanes: Mapping[str, Lane] = LANES,
        room: int = ROOM,
        most: int = LIMITS.runs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lanes, self.room, self.most, self.clock = lanes, room, most, clock
        self._jobs: dict[Hashable, Job[Any]] = {}
        self._waiting: dict[str, list[Job[Any]]] = {name: [] for name in lanes}
        self._running: dict[str, list[Job[Any]]] = {name: [] for name in lanes}
        self._turn = dict.fromkeys(lanes, 0.0)  # of the job that was last given a place
        self._next: dict[tuple[str, Hashable], float] = {}  # turn of an owner's next job in a lane
        self._lock = threading.RLock()
        self._sweeper: threading.Thread | None = None

    def ask(self, job: AnyJob, owner: Hashable = None) -> AnyJob:
        """The job of this key: the one that is there, or else `job`, which begins.

        A job that was cancelled or abandoned, or that failed, is replaced.

        Args:
            owner: whoever asks, for fair shares. Without one, the job is never taken for left.

        Raises: Busy if the owner waits for too much already, or too many jobs wait in the lane.
        """
        with self._lock:
            known: Any = self._jobs.get(job.key)
            if known is None or known.status in AGAIN:
                self._refuse_too_much(job.lane, owner)
                known = self._jobs[job.key] = job
                job._engine = self
                job._turn = math.inf
                self._waiting[job.lane].append(job)
            if known.live and owner not in known.owners:
                known.owners.add(owner)
                if known.status == "queued":  # whoever's turn is first
                    known._turn = min(known._turn, self._take_turn(known, owner))
            self._fill(job.lane)
            self.touch(known)
            self._watch_over()
        return known

    def _refuse_too_much(self, lane: str, owner: Hashable) -> None:
        at_it = [*self._waiting.values(), *self._running.values()]
        own = sum(owner in job.owners for jobs in at_it for job in jobs)
        if owner is not None and own >= self.most:
            raise Busy(
                f"You wait for {own} results already, which is the most. Wait until some of them "
                "are there, or cancel some."
            )
        if len(self._waiting[lane]) >= self.lanes[lane].waiting:
            raise Busy("The server has much to do already; try again in a minute.")

    def _take_turn(self, job: Job[Any], owner: Hashable) -> float:
        """The turn of the owner's next job in this lane, which is this one."""
        turn = max(self._turn[job.lane], self._next.get((job.lane, owner), 0.0))
        self._next[job.lane, owner] = turn + job.seconds
        return math.floor(turn / TURN) * TURN

    def get(self, key: Hashable) -> Job[Any] | None:
        """The job of this key, if anybody has asked for it."""
        job = self._jobs.get(key)
        if job:
            self.touch(job)
        return job

    def touch(self, job: Job[Any]) -> None:
        """Somebody still wants it; it goes on if it was left."""
        job.asked = self.clock()
        if job._left:
            self.resume(job)

    def place(self, job: Job[Any]) -> int:
        """How many jobs of its lane come before it; 0 once it runs."""
        with self._lock:
            waiting = sorted(self._waiting[job.lane], key=_turn_of)
            ahead = len(self._running[job.lane])
            return ahead + waiting.index(job) if job in waiting else 0

    def watchers(self) -> int:
        """How many owners wait for something."""
        with self._lock:
            at_it = [*self._waiting.values(), *self._running.values()]
            return len({owner for jobs in at_it for job in jobs for owner in job.owners})

    def pause(self, job: Job[Any]) -> None:
        with self._lock:
            if job.status not in ("queued", "running"):
                return
            self._stand(job, "paused")
            paused = [other for other in self._of("paused") if other._thread]
            paused.sort(key=lambda other: other.asked)
            for other in paused[:-MAX_PAUSED]:
                self._abandon(other)
            self._fill(job.lane)

    def resume(self, job: Job[Any]) -> None:
        with self._lock:
            if job.status == "paused":
                job._left = False
                job._become("queued", self.clock())
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

    def sweep(self) -> None:
        """Pause what was left, end what stays left, let those run who wait, keep to the room."""
        with self._lock:
            for job in self._of(*LIVE):
                lane, unasked = self.lanes[job.lane], self.clock() - job.asked
                if None in job.owners or unasked <= lane.patience:
                    if job._stint > lane.quantum and self._waiting[job.lane]:
                        self._make_place(job)
                elif unasked > lane.patience + lane.grace:
                    self._abandon(job)
                elif job.status != "paused":
                    self.pause(job)
                    job._left = True
            self._make_room(0)

    def _make_place(self, job: Job[Any]) -> None:
        """A job that has run for long goes on after those that wait now."""
        last = max(other._turn for other in self._waiting[job.lane])
        job._turn = max(job._turn, last)
        self._stand(job, "queued")
        self._waiting[job.lane].append(job)
        self._fill(job.lane)

    def _stand(self, job: Job[Any], status: Status) -> None:
        """Leave the place, or the queue, and do nothing."""
        self._leave(job)
        job.control.pause()
        job._become(status, self.clock())

    def _watch_over(self) -> None:
        """Sweep now and then, as long as there is anything to sweep."""
        if self._sweeper is None:
            sweeper = threading.Thread(target=self._sweep_on, daemon=True)
            with suppress(RuntimeError):  # no more threads: the next who asks tries again
                sweeper.start()
                self._sweeper = sweeper

    def _sweep_on(self) -> None:
        while True:
            time.sleep(SWEEP_SECONDS)
            with self._lock:
                self.sweep()
                if not self._of(*LIVE):
                    self._sweeper = None
                    return

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
        """Give the free places of a lane to those whose turn it is."""
        waiting, running = self._waiting[lane], self._running[lane]
        while waiting and len(running) < self.lanes[lane].places:
            job = min(waiting, key=_turn_of)
            waiting.remove(job)
            running.append(job)
            self._turn[lane] = max(self._turn[lane], job._turn)
            job.control.resume()
            job._become("running", self.clock())
            if job._thread is None:
                self._make_room(job.bytes)
                job._thread = threading.Thread(target=self._run, args=(job,), daemon=True)
                try:
                    job._thread.start()
                except RuntimeError as error:  # no more threads
                    self._end(job, "failed", sentence(error))
        if not waiting and not running:  # nobody has a claim on an idle lane
            for owner in [owner for owner in self._next if owner[0] == lane]:
                del self._next[owner]

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
        job.error, job._work, job._left = error, None, False
        if status == "abandoned" and self._jobs.get(job.key) is job:
            del self._jobs[job.key]
        if status in ("done", "abandoned"):
            job.partial = None
        job.share = 1.0 if status == "done" else job.share
        job._become(status, self.clock())
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
            elif not job.live and self.clock() - job.asked > RECENT:
                del self._jobs[job.key]
                job.result = job.partial = None  # pages that show it hold the job
                job.status = "abandoned"
            else:
                continue
            total -= job.bytes


def _turn_of(job: Job[Any]) -> float:
    return job._turn


def _lower_priority(nice: int) -> None:
    """Of this thread alone, and of those that it will start: Linux has a priority a thread."""
    if nice and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


ENGINE = Engine()
