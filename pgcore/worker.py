"""Work that holds the GIL, in another process: torch's learner, Gymnasium's environments, films.

`call(function, arguments, control)` starts `python -m pgcore.worker`, sends it the task and hears
of its progress, pickled, over the pipes of our own child: nothing from outside travels there. Not
multiprocessing: its children would run Streamlit's app.py once more.

`stand_by(function, arguments)` starts one process ahead of its tasks, which it does one after the
other: what takes milliseconds cannot wait for a new process.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pgcore.control import Cancelled, Control
from pgcore.jobs import sentence

ROOT = Path(__file__).parent.parent  # from where pgcore can be imported
POSIX = os.name == "posix"
Process = subprocess.Popen[bytes]


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    control: Control,
    hear: Callable[[Any], None] = lambda news: None,
    nice: int = 19,
) -> Any:
    """What `function(*arguments, tell)` returns, computed in another process.

    Args:
        function: of a module, so that the other process finds it by name.
        control: pausing stops the process, cancelling kills it; it owns nothing but its memory.
        hear: called with whatever the function tells; what it raises ends the process.
        nice: how far its processor time stands back behind others' (POSIX).

    Raises: Cancelled; ValueError, a sentence, if the function failed or its process died.
    """
    process = _start(nice)
    try:
        return _ask(process, function, arguments, control, hear)
    finally:
        _end(process)


def _start(nice: int) -> Process:
    return subprocess.Popen(
        [sys.executable, "-m", "pgcore.worker", str(nice)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )


def _ask(
    process: Process,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    control: Control,
    hear: Callable[[Any], None],
) -> Any:
    """Send one task, and hear of it until it has ended."""
    assert process.stdin and process.stdout

    def obey() -> None:
        if control.cancelled:
            process.kill()
        elif POSIX:  # elsewhere it stops when the pipe is full
            process.send_signal(signal.SIGSTOP if control.paused else signal.SIGCONT)

    control.changed = obey
    try:
        obey()  # it may have been told before it began
        pickle.dump((function, arguments), process.stdin)
        process.stdin.flush()
        while True:
            kind, news = pickle.load(process.stdout)
            if kind == "result":
                return news
            if kind == "error":
                raise ValueError(news)
            hear(news)
    except (EOFError, OSError, pickle.UnpicklingError):
        if control.cancelled:
            raise Cancelled from None
        raise ValueError(
            f"The process that computed this ended too soon (exit status {process.wait()}); "
            "perhaps memory ran out. Try again, or ask for fewer seeds, steps or hidden units."
        ) from None
    finally:
        control.changed = _nothing


def _end(process: Process) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            pipe.close()  # type: ignore[union-attr]
    process.wait()


class StandBy:
    """A process that has been started ahead, and does one task after the other."""

    def __init__(self) -> None:
        self._free: Process | None = None
        self._coming = False
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether a call would begin at once."""
        return self._free is not None

    def prepare(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Start the process, if there is none, and let it call the function. Returns at once."""

        def start() -> None:
            with suppress(ValueError, OSError):  # then there is none
                self.call(function, arguments, Control())
            self._coming = False

        with self._lock:
            if self.ready or self._coming:
                return
            self._coming = True
        threading.Thread(target=start, daemon=True).start()

    def call(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        control: Control,
        hear: Callable[[Any], None] = lambda news: None,
    ) -> Any:
        """As `call` in this module, in the process that stands by; in a new one if it is busy."""
        with self._lock:
            process, self._free = self._free, None
        if process is not None and process.poll() is not None:  # it has died meanwhile
            _end(process)
            process = None
        if process is None:
            process = _start(nice=0)
        try:
            result = _ask(process, function, arguments, control, hear)
        except BaseException:
            _end(process)
            raise
        with self._lock:
            process, self._free = self._free, process
        if process is not None:
            _end(process)
        return result


STAND_BY = StandBy()


def _nothing() -> None:
    pass


def main() -> None:
    """Do the tasks of stdin one by one, tell of them on stdout; the end of stdin ends the process.

    The first argument is how far its processor time stands back.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    if POSIX:
        os.nice(int(sys.argv[1]))
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()

    def send(kind: str, news: Any) -> None:
        pickle.dump((kind, news), answers)
        answers.flush()

    while True:
        function, arguments = tasks.get()
        try:
            send("result", function(*arguments, lambda news: send("news", news)))
        except Exception as error:
            send("error", sentence(error))


def _listen(tasks: queue.SimpleQueue[Any]) -> None:
    """Tasks as they arrive; the end of stdin, also amid a task, ends the process."""
    while True:
        try:
            tasks.put(pickle.load(sys.stdin.buffer))
        except Exception:
            os._exit(1)


if __name__ == "__main__":
    main()
