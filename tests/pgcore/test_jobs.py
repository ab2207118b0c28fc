"""The engine: one key, one job; lanes, pauses, ends of every kind, and room for all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pgcore import jobs, worker
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
def engine() -> Iterator[Engine]:
    """Lanes of one place; whatever is left running is ended."""
    made = Engine({"lane": Lane(1), "other": Lane(1), "wide": Lane(2)})
    yield made
    for job in list(made._jobs.values()):
        job.cancel()
        assert job.finished.wait(PATIENCE)


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
    assert job.elapsed > 0


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
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        (SystemExit("out"), "SystemExit: out"),
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
    assert (job.status, job.error) == ("failed", "RuntimeError: can't start new thread")
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


# --- who waits no more -----------------------------------------------------------------------


def test_a_job_that_nobody_asks_for_is_abandoned_and_can_be_made_again():
    engine = Engine({"lane": Lane(1, patience=0.1)})
    job, _ = started(engine, "a")
    waits = engine.ask(Job("b", Gate(), "lane"))
    assert job.finished.wait(PATIENCE) and waits.finished.wait(PATIENCE)
    assert (job.status, job.partial, waits.status) == ("abandoned", None, "abandoned")
    assert engine.get("a") is None
    assert made(engine, "a").status == "done"


@pytest.mark.parametrize("ask", [lambda engine, job: job.touch(), lambda e, job: e.get(job.key)])
def test_a_job_that_somebody_watches_goes_on(ask):
    engine = Engine({"lane": Lane(1, patience=1.0)})
    job, gate = started(engine, "a")
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        ask(engine, job)
        time.sleep(0.01)
    assert job.status == "running"
    gate.open.set()
    assert job.finished.wait(PATIENCE)
    assert job.status == "done"


# --- room ------------------------------------------------------------------------------------


def held(engine: Engine) -> int:
    return sum(job.bytes for job in engine._jobs.values())


def test_the_least_recently_asked_results_make_room(engine):
    engine.room = 3_000_000
    for key in "abc":
        made(engine, key, size=900_000)
    engine.get("a")
    made(engine, "d", size=900_000)
    assert [key for key in "abcd" if engine.get(key)] == ["a", "c", "d"]


def test_memory_is_bounded_also_when_many_that_waited_end(engine):
    """All are asked for while nothing has ended: what is asked first cannot make room then."""
    engine.room = 3_000_000
    _, gate = started(engine, "first", size=900_000)
    waiting = [engine.ask(Job(k, lambda progress, control: 0, "lane", 900_000)) for k in range(20)]
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
    paused[0].touch()
    started(engine, "c", size=900_000)
    assert paused[1].finished.wait(PATIENCE)
    assert [job.status for job in (runs, *paused)] == ["running", "paused", "abandoned"]


def test_jobs_without_a_result_take_room_too(engine):
    engine.room = 10 * jobs.OVERHEAD
    for key in range(50):
        made(engine, str(key))
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
    [(ValueError("One sentence."), "One sentence."), (KeyError("x"), "KeyError: 'x'")],
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
    assert job.error.startswith("The process that computed this died (exit status -9)")
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


def test_what_the_hearer_raises_ends_the_process():
    """As when nobody waits for the job any more."""
    engine, heard = Engine({"lane": Lane(1, patience=0.2)}), []

    def work(progress, control):
        def hear(news):
            heard.append(news)
            progress(0.1)

        return worker.call(counts, (), control, hear)

    job = engine.ask(Job("a", work, "lane"))
    until(lambda: heard or job.touch())
    assert job.finished.wait(PATIENCE)
    assert job.status == "abandoned"
    with pytest.raises(ProcessLookupError):
        os.kill(heard[0][0], 0)


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
