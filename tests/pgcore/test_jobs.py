"""The engine: one key, one job; lanes, pauses, ends of every kind, and room for all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Clock

from pgcore import jobs, worker
from pgcore.control import Cancelled, Control
from pgcore.jobs import Busy, Engine, Job, Lane
from tests.tasks import counts, doubles, fails, sleeps, tells_its_process

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0  # seconds; no test measures time


class Gate:
    """Work that says when it has begun, and ends when it is let."""

    def __init__(self, result: object = "result") -> None:
        self.begun, self.open, self.result = threading.Event(), threading.Event(), result

    def __call__(self, progress, control):
        self.begun.set()
        while not self.open.wait(0.005):
            progress(0.5, "so far")
        return self.result


@pytest.fixture
def engine(monkeypatch) -> Iterator[Engine]:
    """Lanes of one place, time at will, sweeps on demand; whatever is left running is ended."""
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 3600.0)
    lanes = {"lane": Lane(1), "other": Lane(1), "wide": Lane(2)}
    lanes["left"] = Lane(1, patience=10.0, grace=100.0, quantum=20.0)
    made = Engine(lanes, clock=Clock())
    yield made
    for job in list(made._jobs.values()):
        job.cancel()
        assert job.finished.wait(PATIENCE)


def later(engine: Engine, seconds: float) -> None:
    """So much time passes, and the engine looks after its jobs."""
    assert isinstance(engine.clock, Clock)
    engine.clock.now += seconds
    engine.sweep()


def until(condition: Callable[[], object]) -> None:
    """Wait for what another thread will do."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def started(engine: Engine, key: str, lane: str = "lane", size: int = 0) -> tuple[Job, Gate]:
    """A job that runs, and its gate."""
    gate = Gate()
    job = engine.ask(Job(key, gate, lane, size))
    assert gate.begun.wait(PATIENCE)
    return job, gate


def made(engine: Engine, key: str, result: object = 0, lane: str = "lane", size: int = 0) -> Job:
    """A job that is done."""
    job = engine.ask(Job(key, lambda progress, control: result, lane, size))
    assert job.finished.wait(PATIENCE)
    return job


# --- one key, one job ------------------------------------------------------------------------


def test_a_job_tells_how_far_it_is_and_what_came_of_it(engine):
    job, gate = started(engine, "a")
    until(lambda: job.partial)
    assert (job.status, job.share, job.partial, job.result) == ("running", 0.5, "so far", None)
    gate.open.set()
    assert job.finished.wait(PATIENCE)
    assert (job.status, job.share, job.partial, job.result) == ("done", 1.0, None, "result")


def test_whoever_asks_for_the_same_gets_the_same(engine):
    job = made(engine, "a", "first")
    assert made(engine, "a", "second") is job
    assert job.result == "first"
    assert engine.get("a") is job
    assert engine.get("b") is None
    assert made(engine, "b") is not job


def test_a_hundred_who_ask_at_once_begin_one_job(engine):
    calls: list[int] = []
    asked: list[Job] = []

    def ask() -> None:
        asked.append(engine.ask(Job("same", lambda progress, control: calls.append(1), "lane")))

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked[0].finished.wait(PATIENCE)
    assert len({id(job) for job in asked}) == 1
    assert len(calls) == 1


def test_a_cancelled_job_keeps_what_it_had_and_is_made_anew_when_asked(engine):
    job, _ = started(engine, "a")
    until(lambda: job.partial)
    job.cancel()
    assert job.finished.wait(PATIENCE)
    assert (job.status, job.partial, job.error) == ("cancelled", "so far", "")
    assert engine.get("a") is job
    again = made(engine, "a", "anew")
    assert (again.status, again.result) == ("done", "anew")


def test_a_job_that_waits_is_cancelled_without_having_run(engine):
    started(engine, "a")
    gate = Gate()
    waits = engine.ask(Job("b", gate, "lane"))
    waits.cancel()
    assert waits.finished.is_set()
    assert waits.status == "cancelled"
    assert not gate.begun.is_set()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("The parameters are not finite."), "The parameters are not finite."),
        (ZeroDivisionError("by 0"), "The lab made a mistake (ZeroDivisionError: by 0). Try again."),
        (
            MemoryError(),
            "Memory ran out. Ask for fewer seeds, steps or hidden units, or try again later.",
        ),
        (
            OSError(28, "No space left on device"),
            "The server's system refused something (No space left on device). Try again later.",
        ),
        (SystemExit("out"), "The lab made a mistake (SystemExit: out). Try again."),
    ],
)
def test_a_failure_is_a_sentence_and_other_jobs_go_on(engine, error, said):
    def fails(progress, control):
        raise error

    job = engine.ask(Job("a", fails, "lane"))
    assert job.finished.wait(PATIENCE)
    assert (job.status, job.error, job.result) == ("failed", said, None)
    assert made(engine, "b").status == "done"
    assert made(engine, "a").status == "done"


def test_a_thread_that_cannot_start_is_a_failure_that_is_told(engine, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        job = engine.ask(Job("a", Gate(), "lane"))
    assert (job.status, job.error) == (
        "failed",
        jobs.sentence(RuntimeError("can't start new thread")),
    )
    assert made(engine, "a").status == "done"


# --- lanes -----------------------------------------------------------------------------------


def test_a_lane_runs_as_many_as_it_has_places_in_the_order_of_asking(engine):
    for lane, places in (("lane", 1), ("wide", 2)):
        gates = [Gate() for _ in range(4)]
        asked = [engine.ask(Job((lane, k), gate, lane)) for k, gate in enumerate(gates)]
        assert [job.status for job in asked] == ["running"] * places + ["queued"] * (4 - places)
        assert [engine.place(job) for job in asked[places:]] == list(range(places, 4))
        gates[0].open.set()
        until(lambda asked=asked, places=places: asked[places].status == "running")
        assert engine.place(asked[places]) == 0


def test_no_lane_waits_for_another(engine):
    long, _ = started(engine, "long")
    assert made(engine, "quick", lane="other").status == "done"
    assert long.status == "running"


def test_too_many_that_wait_are_refused_in_a_sentence():
    engine = Engine({"lane": Lane(1, waiting=1)})
    _, gate = started(engine, "a")
    engine.ask(Job("b", gate, "lane"))
    with pytest.raises(Busy, match="try again in a minute"):
        engine.ask(Job("c", gate, "lane"))
    assert engine.get("c") is None
    assert engine.ask(Job("b", gate, "lane")).status == "queued"  # who waits may go on waiting
    gate.open.set()


def test_a_lane_lowers_its_own_threads_and_those_they_start_alone():
    def nice(progress=None, control=None) -> list[int]:
        found: list[int] = []

        def look() -> None:
            found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

        look()
        child = threading.Thread(target=look)
        child.start()
        child.join()
        return found

    engine = Engine({"low": Lane(1, nice=19), "normal": Lane(1)})
    ours = nice()
    for key in "ab":  # nobody raises a thread's priority again: each job has a thread of its own
        low = engine.ask(Job(key, nice, "low"))
        normal = engine.ask(Job(key * 2, nice, "normal"))
        assert low.finished.wait(PATIENCE) and normal.finished.wait(PATIENCE)
        assert low.result == [19, 19]
        assert normal.result == ours
    assert nice() == ours


def test_the_lanes_of_the_lab():
    lanes = jobs.LANES
    assert (lanes["quick"].places, lanes["quick"].nice) == (1, 0)
    assert (lanes["long"].places, lanes["long"].nice) == (1, 19)
    assert lanes["measurement"].patience < 60 < lanes["long"].patience


# --- pauses ----------------------------------------------------------------------------------


def test_a_paused_job_gives_its_place_away_and_comes_back_first(engine):
    paused, gate = started(engine, "a")
    paused.pause()
    assert paused.status == "paused"
    second, second_gate = started(engine, "b")
    third = engine.ask(Job("c", Gate(), "lane"))
    stood, share = paused.elapsed, paused.share
    paused.resume()
    assert paused.status == "queued"
    assert (engine.place(paused), engine.place(third)) == (1, 2)
    assert (paused.elapsed, paused.share) == (stood, share)
    second_gate.open.set()
    assert second.finished.wait(PATIENCE)
    until(lambda: paused.status == "running")
    gate.open.set()
    assert paused.finished.wait(PATIENCE)
    assert paused.result == "result"


def at_rest(steps: list) -> int:
    """How many there are once no more come."""
    count = -1
    while count != len(steps):
        count = len(steps)
        time.sleep(0.1)
    return count


def test_a_paused_job_stands_still_until_it_is_resumed(engine):
    steps: list[int] = []
    enough = threading.Event()

    def counts(progress, control):
        while not enough.is_set():
            steps.append(1)
            progress(0.5)

    job = engine.ask(Job("a", counts, "lane"))
    until(lambda: steps)
    job.pause()
    stood = at_rest(steps)
    assert not job.finished.wait(0.1)
    assert len(steps) == stood
    job.resume()
    until(lambda: len(steps) > stood)
    enough.set()
    assert job.finished.wait(PATIENCE)
    assert job.status == "done"


def test_a_job_may_be_paused_before_it_runs_and_cancelled_while_it_is_paused(engine):
    _, gate = started(engine, "a")
    waits = engine.ask(Job("b", Gate(), "lane"))
    waits.pause()
    gate.open.set()
    other, _ = started(engine, "c")
    assert waits.status == "paused"
    other.pause()
    other.cancel()
    waits.cancel()
    for job in (other, waits):
        assert job.finished.wait(PATIENCE)
        assert job.status == "cancelled"
    assert made(engine, "d").status == "done"


def test_paused_jobs_do_not_pile_up(engine, monkeypatch):
    monkeypatch.setattr(jobs, "MAX_PAUSED", 2)
    paused = []
    for key in "abc":
        job, _ = started(engine, key)
        job.pause()
        paused.append(job)
    assert paused[0].finished.wait(PATIENCE)
    assert [job.status for job in paused] == ["abandoned", "paused", "paused"]
    assert engine.get("a") is None


# --- fair shares -----------------------------------------------------------------------------


def ask(engine: Engine, owner: str, count: int, seconds: float = jobs.TURN) -> list[Job]:
    """So many jobs of one owner."""
    asked = [Job((owner, k), Gate(), "lane", seconds=seconds) for k in range(count)]
    return [engine.ask(job, owner) for job in asked]


def order(engine: Engine) -> list[Any]:
    """Whose jobs run, one after the other, until none waits."""
    found = []

    def has_left(job: Job) -> bool:
        return job not in engine._running["lane"]

    while running := engine._running["lane"]:
        (job,) = running
        found.append(next(iter(job.owners)))
        if isinstance(job._work, Gate):
            job._work.open.set()
        assert job.finished.wait(PATIENCE)
        until(partial(has_left, job))
    return found


def test_places_go_from_owner_to_owner(engine):
    ask(engine, "A", 4)
    ask(engine, "B", 2)
    ask(engine, "C", 1)
    assert "".join(order(engine)) == "ABCABAA"


def test_a_place_in_the_queue_is_told_as_it_will_be(engine):
    first = ask(engine, "A", 3)
    second = ask(engine, "B", 2)
    assert [engine.place(job) for job in first] == [0, 2, 4]
    assert [engine.place(job) for job in second] == [1, 3]


def test_what_is_done_at_once_is_one_turn(engine):
    """The three quick runs of a figure stand together, however many others wait."""
    for owner in "ABC":
        ask(engine, owner, 3, seconds=jobs.TURN / 4)
    assert "".join(order(engine)) == "AAABBBCCC"


def test_who_asks_for_long_work_waits_for_those_who_ask_for_little(engine):
    ask(engine, "A", 3, seconds=100 * jobs.TURN)
    ask(engine, "B", 5)
    assert "".join(order(engine)) == "ABBBBBAA"


def test_who_comes_late_does_not_wait_for_all_that_another_has_asked_for(engine):
    ask(engine, "A", 5)
    running = engine._running["lane"][0]
    running._work.open.set()
    until(lambda: engine._running["lane"] != [running])
    ask(engine, "B", 1)
    assert "".join(order(engine)) == "ABAAA"


def test_what_two_ask_for_runs_when_the_first_of_them_has_a_turn(engine):
    *_, last = ask(engine, "A", 5)
    assert engine.place(last) == 4
    assert engine.ask(Job(("A", 4), Gate(), "lane"), "B") is last
    assert last.owners == {"A", "B"}
    assert engine.place(last) == 1


def test_one_owner_cannot_fill_the_queue_for_others(engine):
    engine.most = 5
    ask(engine, "A", 5)
    with pytest.raises(Busy, match="You wait for 5 results already, which is the most"):
        engine.ask(Job("more", Gate(), "lane"), "A")
    with pytest.raises(Busy, match="You wait for 5 results"):
        engine.ask(Job("more", Gate(), "other"), "A")
    assert engine.ask(Job(("A", 4), Gate(), "lane"), "A").status == "queued"  # it has that one
    assert ask(engine, "B", 1)[0].status == "queued"
    engine.get(("A", 3)).cancel()
    assert engine.ask(Job("more", Gate(), "lane"), "A").status == "queued"


def test_the_engine_counts_who_waits(engine):
    assert engine.watchers() == 0
    first = ask(engine, "A", 3)
    ask(engine, "B", 1)
    engine.ask(first[0], "C")
    assert engine.watchers() == 3
    for job in first[1:]:
        job.cancel()
    first[0].pause()
    assert engine.watchers() == 1


def test_a_hundred_owners_wait_without_a_refusal():
    engine = Engine(clock=Clock())
    for lane in ("quick", "long"):
        for owner in range(100):
            for k in range(3):
                engine.ask(Job((lane, owner, k), Gate(), lane), owner)
    for job in list(engine._jobs.values()):
        job.cancel()


def test_a_long_job_makes_place_for_those_that_wait_and_goes_on_after_them(engine):
    job, gate = started(engine, "a", "left")
    later(engine, 1000.0)
    assert job.status == "running"  # nobody waits
    others = [engine.ask(Job(key, Gate(), "left")) for key in "bc"]
    later(engine, 0.0)
    assert (job.status, others[0].status) == ("queued", "running")
    assert engine.place(job) == 2
    later(engine, 19.0)
    assert others[0].status == "running"  # its time has not come
    for other in others:
        other._work.open.set()
        assert other.finished.wait(PATIENCE)
    until(lambda: job.status == "running")
    assert job.elapsed == 1000.0  # waiting is no running
    gate.open.set()
    assert job.finished.wait(PATIENCE)
    assert job.result == "result"


# --- who waits no more -----------------------------------------------------------------------


def left(engine: Engine, key: str) -> tuple[Job, Gate]:
    """A job that runs for an owner."""
    gate = Gate()
    job = engine.ask(Job(key, gate, "left"), "owner")
    assert gate.begun.wait(PATIENCE)
    return job, gate


def test_a_job_whose_owner_has_left_is_paused_and_comes_back_when_asked_for(engine):
    job, gate = left(engine, "a")
    later(engine, 10.0)
    assert job.status == "running"
    later(engine, 1.0)
    assert job.status == "paused"
    other, other_gate = left(engine, "b")
    assert other.status == "running"  # its place is free
    assert engine.get("a") is job
    assert job.status == "queued"
    other_gate.open.set()
    until(lambda: job.status == "running")
    gate.open.set()
    assert job.finished.wait(PATIENCE)
    assert job.result == "result"


def test_a_job_that_stays_left_is_ended_and_can_be_made_again(engine):
    job, _ = left(engine, "a")
    waits = engine.ask(Job("b", Gate(), "left"), "owner")
    later(engine, 11.0)
    assert (job.status, waits.status) == ("paused", "paused")
    later(engine, 100.0)
    assert job.finished.wait(PATIENCE) and waits.finished.wait(PATIENCE)
    assert (job.status, job.partial, waits.status) == ("abandoned", None, "abandoned")
    assert engine.get("a") is None
    assert made(engine, "a", lane="left").status == "done"


def test_what_its_owner_paused_does_not_go_on_by_itself_and_is_ended_when_left(engine):
    job, _ = left(engine, "a")
    job.pause()
    later(engine, 20.0)
    engine.get("a")
    assert job.status == "paused"
    later(engine, 111.0)
    assert job.finished.wait(PATIENCE)
    assert job.status == "abandoned"


@pytest.mark.parametrize("ask", [lambda engine, job: job.touch(), lambda e, job: e.get(job.key)])
def test_a_job_that_somebody_watches_goes_on(engine, ask):
    job, _ = left(engine, "a")
    for _ in range(100):
        later(engine, 9.0)
        ask(engine, job)
    assert job.status == "running"


def test_a_job_of_nobody_in_particular_is_never_taken_for_left(engine):
    job, _ = started(engine, "a", "left")
    later(engine, 1e6)
    assert job.status == "running"


def test_the_engine_sweeps_by_itself(monkeypatch):
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 0.01)
    engine = Engine({"lane": Lane(1, patience=10.0)}, clock=Clock())
    job = engine.ask(Job("a", Gate(), "lane"), "owner")
    engine.clock.now += 11.0
    assert job.finished.wait(PATIENCE)
    assert job.status == "abandoned"
    until(lambda: engine._sweeper is None)
    again = engine.ask(Job("a", Gate(), "lane"), "owner")
    engine.clock.now += 11.0
    assert again.finished.wait(PATIENCE)


# --- room ------------------------------------------------------------------------------------


def held(engine: Engine) -> int:
    return sum(job.bytes for job in engine._jobs.values())


def test_the_least_recently_asked_results_make_room(engine):
    engine.room = 3_000_000
    for key in "abc":
        made(engine, key, size=900_000)
        later(engine, 1.0)
    later(engine, jobs.RECENT)
    engine.get("a")
    later(engine, jobs.RECENT + 1)
    first = engine._jobs["b"]
    made(engine, "d", size=900_000)
    assert [key for key in "abcd" if engine.get(key)] == ["a", "c", "d"]
    assert (first.status, first.result) == ("abandoned", None)  # a page may hold the job


def test_what_is_being_looked_at_stays_and_makes_room_soon(engine):
    engine.room = 3_000_000
    for key in "abcdef":
        made(engine, key, size=900_000)
    assert len(engine._jobs) == 6
    later(engine, jobs.RECENT + 1)
    assert held(engine) <= engine.room
    assert len(engine._jobs) == 3


def test_memory_is_bounded_also_when_many_that_waited_end(engine):
    """All are asked for while nothing has ended: what is asked first cannot make room then."""
    engine.room = 3_000_000
    _, gate = started(engine, "first", size=900_000)
    waiting = [engine.ask(Job(k, lambda progress, control: 0, "lane", 900_000)) for k in range(20)]
    engine.clock.now += jobs.RECENT + 1
    gate.open.set()
    for job in waiting:
        assert job.finished.wait(PATIENCE)
    until(lambda: engine._running["lane"] == [])
    assert held(engine) <= engine.room
    assert len(engine._jobs) == 3
    assert engine.get("first") is None


def test_paused_jobs_end_when_their_memory_is_needed_and_running_ones_do_not(engine):
    engine.room = 3_000_000
    runs, _ = started(engine, "runs", "other", size=900_000)
    paused = []
    for key in "ab":
        job, _ = started(engine, key, size=900_000)
        job.pause()
        paused.append(job)
    engine.clock.now += 1.0
    paused[0].touch()
    started(engine, "c", size=900_000)
    assert paused[1].finished.wait(PATIENCE)
    assert [job.status for job in (runs, *paused)] == ["running", "paused", "abandoned"]


def test_jobs_without_a_result_take_room_too(engine):
    engine.room = 10 * jobs.OVERHEAD
    for key in range(50):
        made(engine, str(key))
    later(engine, jobs.RECENT + 1)
    assert len(engine._jobs) == 10


# --- another process -------------------------------------------------------------------------


def remote(function: Callable, *arguments) -> tuple[Job, list]:
    """A job whose work is a call in another process, and what that told."""
    heard: list = []

    def work(progress, control):
        return worker.call(function, arguments, control, lambda news: heard.append(news))

    return Job(function.__name__, work, "lane"), heard


def test_another_process_does_the_work_and_tells(engine):
    job, heard = remote(tells_its_process)
    assert engine.ask(job).finished.wait(PATIENCE)
    assert job.error == ""
    pid, nice = job.result
    assert pid != os.getpid()
    assert heard == ["first", pid]
    assert nice == (19 if worker.POSIX else 0)


def test_arrays_come_back_to_the_bit(engine):
    values = np.random.default_rng(0).normal(size=(1000, 100)).astype(np.float32)
    job, _ = remote(doubles, values)
    assert engine.ask(job).finished.wait(PATIENCE)
    assert job.result.dtype == np.float32
    assert np.array_equal(job.result, values * 2)


@pytest.mark.parametrize(
    ("error", "said"),
    [(ValueError("One sentence."), "One sentence."), (KeyError("x"), jobs.sentence(KeyError("x")))],
)
def test_a_failure_in_another_process_is_told(engine, error, said):
    job, _ = remote(fails, error)
    assert engine.ask(job).finished.wait(PATIENCE)
    assert (job.status, job.error) == ("failed", said)


def test_a_process_that_is_killed_is_a_failure_in_a_sentence(engine):
    job, heard = remote(sleeps)
    engine.ask(job)
    until(lambda: heard)
    os.kill(heard[0], signal.SIGKILL)
    assert job.finished.wait(PATIENCE)
    assert job.status == "failed"
    assert job.error.startswith("The process that computed this ended too soon (exit status -9)")
    assert made(engine, "next").status == "done"


def test_cancelling_kills_the_process(engine):
    job, heard = remote(sleeps)
    engine.ask(job)
    until(lambda: heard)
    job.cancel()
    assert job.finished.wait(PATIENCE)
    assert job.status == "cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(heard[0], 0)


def test_a_paused_process_stands_still_goes_on_and_can_be_cancelled(engine):
    job, heard = remote(counts)
    engine.ask(job)
    until(lambda: heard)
    job.pause()
    stood, pid = at_rest(heard), heard[0][0]
    assert "T (stopped)" in Path(f"/proc/{pid}/status").read_text()
    assert made(engine, "next").status == "done"
    assert len(heard) == stood
    job.resume()
    until(lambda: len(heard) > stood)
    assert [number for _, number in heard[: stood + 1]] == list(range(stood + 1))
    job.pause()
    job.cancel()
    assert job.finished.wait(PATIENCE)
    assert job.status == "cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_the_hearer_raises_ends_the_process(engine):
    """As when nobody waits for the job any more."""
    heard: list = []

    def work(progress, control):
        def hear(news):
            heard.append(news)
            progress(0.1)

        return worker.call(counts, (), control, hear)

    job = engine.ask(Job("a", work, "left"), "owner")
    until(lambda: heard)
    later(engine, 111.0)
    assert job.finished.wait(PATIENCE)
    assert job.status == "abandoned"
    with pytest.raises(ProcessLookupError):
        os.kill(heard[0][0], 0)


# --- a process that stands by ----------------------------------------------------------------


@pytest.fixture
def stand_by() -> Iterator[worker.StandBy]:
    made = worker.StandBy()
    yield made
    if made._free is not None:
        worker._end(made._free)


def test_a_process_that_stands_by_does_one_task_after_the_other(stand_by):
    assert not stand_by.ready
    stand_by.prepare(tells_its_process, ())
    until(lambda: stand_by.ready)
    first, nice = stand_by.call(tells_its_process, (), Control())
    assert nice == os.nice(0)
    assert stand_by.call(tells_its_process, (), Control()) == (first, nice)
    values = np.random.default_rng(0).normal(size=(1000, 100)).astype(np.float32)
    assert np.array_equal(stand_by.call(doubles, (values,), Control()), values * 2)


def test_a_busy_process_that_stands_by_gets_a_second_for_the_time(stand_by):
    heard: list = []
    control = Control()

    def sleep() -> None:
        with suppress(Cancelled):
            stand_by.call(sleeps, (), control, heard.append)

    slow = threading.Thread(target=sleep)
    slow.start()
    until(lambda: heard)
    assert stand_by.call(tells_its_process, (), Control())[0] != heard[0]
    control.cancel()
    slow.join()
    assert stand_by.ready


def test_a_process_that_stands_by_and_dies_is_replaced(stand_by):
    first, _ = stand_by.call(tells_its_process, (), Control())
    os.kill(first, signal.SIGKILL)
    until(lambda: stand_by._free.poll() is not None)
    assert stand_by.call(tells_its_process, (), Control())[0] != first


def test_a_task_that_fails_ends_the_process_that_stands_by(stand_by):
    stand_by.call(tells_its_process, (), Control())
    with pytest.raises(ValueError, match="One sentence"):
        stand_by.call(fails, (ValueError("One sentence."),), Control())
    assert not stand_by.ready


PARENT = """
import pickle, sys
from pgcore.control import Control
from pgcore import worker
from tests import tasks
worker.call(tasks.sleeps, (), Control(), lambda pid: print(pid, flush=True))
"""


def test_a_worker_ends_with_its_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text())
