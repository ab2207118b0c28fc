"""Work that holds the GIL, in another process: torch's learner, Gymnasium's environments, films.

`call(function, arguments, control)` starts `python -m pgcore.worker`, sends it the task and hears
of its progress, pickled, over the pipes of our own child: nothing from outside travels there. Not
multiprocessing: its children would run Streamlit's app.py once more.
"""

from __future__ import annotations

import os
import pickle
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
    process = subprocess.Popen(
        [sys.executable, "-m", "pgcore.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin and process.stdout

    def obey() -> None:
        if control.cancelled:
            process.kill()
        elif POSIX:  # elsewhere it stops when the pipe is full
            process.send_signal(signal.SIGSTOP if control.paused else signal.SIGCONT)

    control.changed = obey
    try:
        obey()  # it may have been told before it began
        pickle.dump((nice, function, arguments), process.stdin)
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
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                pipe.close()
        process.wait()


def _nothing() -> None:
    pass


def main() -> None:
    """Read a task from stdin, tell of it on stdout; the end of stdin ends the process."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    nice, function, arguments = pickle.load(sys.stdin.buffer)
    if POSIX:
        os.nice(nice)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def send(kind: str, news: Any) -> None:
        pickle.dump((kind, news), answers)
        answers.flush()

    try:
        send("result", function(*arguments, lambda news: send("news", news)))
    except Exception as error:
        send("error", sentence(error))


def _end_with_parent() -> None:
    os.read(0, 1)  # returns at the end of stdin alone: nothing more is sent
    os._exit(1)


if __name__ == "__main__":
    main()
