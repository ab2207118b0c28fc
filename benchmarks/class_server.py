"""The app with one room of a class open, in a process of its own, steered by whoever started it.

    with served_class() as held:
        held.url, held.code, held.host, held.screen
        held.ask(Asked(...)); held.tell(Truth(...))

It does for the room what a projector's page does: it says what is asked and what was measured.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pgcore.classroom import ROOMS, Asked, Truth
from pgcore.lecture import Lecture, Slide

ROOT = Path(__file__).parents[1]
SLIDES = tuple(
    Slide(title, link, minutes, ask, expect, "Wait until most have answered.")
    for title, link, minutes, ask, expect in (
        ("One update", "inside", 3.0, "Which way does one update point?", "Nearly half say right."),
        ("The cloud", "cloud", 4.0, "What does a baseline change?", "The spread alone."),
        ("Seeds", "seeds", 5.0, "Where does your own agent end?", "Between 50 and 500."),
    )
)


class Class:
    """A served room, and the process that serves it."""

    def __init__(self, process: subprocess.Popen[str], found: dict[str, str]) -> None:
        self.process = process
        self.url, self.code = found["url"], found["code"]
        self.host, self.screen = found["host"], found["screen"]

    def ask(self, asked: Asked) -> None:
        self._say("ask", asked._asdict())

    def tell(self, truth: Truth) -> None:
        self._say("tell", truth._asdict())

    def _say(self, what: str, fields: dict[str, Any]) -> None:
        assert self.process.stdin and self.process.stdout
        print(json.dumps([what, fields]), file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "done\n"


@contextmanager
def served_class() -> Iterator[Class]:
    """A fresh server with a room."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.class_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout
            yield Class(process, json.loads(process.stdout.readline()))
        finally:
            process.terminate()


def main() -> None:
    """Serve, and do as the lines of the input say."""
    import uvicorn

    from app import app

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    room = ROOMS.open(Lecture("A lecture of three slides", SLIDES))
    found = {"url": url, "code": room.code, "host": room.host, "screen": room.screen}
    print(json.dumps(found), flush=True)
    for line in sys.stdin:
        what, fields = json.loads(line)
        if what == "ask":
            room.ask(Asked(**{**fields, "options": tuple(fields["options"])}))
        else:
            room.tell(Truth(**fields))
        print("done", flush=True)


if __name__ == "__main__":
    main()
