"""The child process that runs a reader's file: how it starts, is asked, and ends.

What is contained: processor time, wall time, memory (above what torch takes), the size of what it
prints and writes, files outside a temporary folder, new processes, the network, and pgcore itself.
Where the system allows it (Linux, user namespaces), the kernel takes the network away and ends
every process of the child's at once; `apart` says so. Elsewhere a guard inside Python alone refuses
them. What is not contained: the file can read what its user can read, and the guard is made for
mistakes, not for attacks. Check strangers' files in a container or a virtual machine.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

SECONDS = 10.0  # wall time of one question
START_SECONDS = 120.0
MEGABYTES = 1024  # above what Python and torch take
CPU_SECONDS = 300
ANSWER_BYTES = 64 << 20
PRINTED = 2000  # characters of what the file printed that are kept
NAMESPACES = ["unshare", "--user", "--net", "--pid", "--fork", "--kill-child"]
ANSWERS = Path(__file__).parents[1]  # pgcore: not to be read by the file

TRIED = {
    "network": "Remove the use of the network ({detail}). The checker runs the file without it.",
    "process": "Remove the start of another program or process ({detail}). "
    "The checker lets the file run alone.",
    "write": "Do not change files: {detail}. The checker keeps everything outside its temporary "
    "folder as it is.",
    "answers": "Write the lines yourself: the file reads the answer from pgcore ({detail}). "
    "The checker hides it.",
}


class Ended(Exception):
    """No answer: the child is gone, or refused something. The message is for the reader."""


@functools.cache
def apart() -> bool:
    """Whether the system gives a child namespaces of its own, without a network."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    return subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode == 0


def containment() -> str:
    """What holds on this machine, in words."""
    always = (
        "The file runs in a process of its own, with limits on time, memory, output and files. "
    )
    if apart():
        return always + "The system gives it no network, and ends all that it started."
    return always + (
        "This system cannot take the network away from it: a guard inside Python alone refuses it."
    )


class Child:
    """One child process. `with Child(name) as child: child.ask(...)`; nothing is left behind."""

    def __init__(self, name: str) -> None:
        if os.name != "posix":
            raise ValueError("The checker needs Linux or macOS: it limits what a file may use.")
        self.folder = tempfile.mkdtemp(prefix="pgcore-check-")
        options = dict(
            name=name,
            answers=str(ANSWERS.resolve()),
            megabytes=MEGABYTES,
            cpu_seconds=CPU_SECONDS,
            apart=apart(),
        )
        script = str(Path(__file__).with_name("child.py"))
        command = [sys.executable, "-P", "-W", "ignore", script, json.dumps(options)]
        kept = ("PATH", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONHOME")
        environment = {key: os.environ[key] for key in kept if key in os.environ} | dict(
            HOME=self.folder, TMPDIR=self.folder, PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS="1"
        )
        self.process = subprocess.Popen(
            [*(NAMESPACES if apart() else []), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=environment,
            start_new_session=True,
        )
        self.name = name
        self.rest = b""
        self.fresh = True  # it has not said yet that it is ready
        self._printed = ""

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def ask(self, request: dict[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
        """The answer to one request, {"value": ...} or {"error": ...}.

        Raises: Ended, with the sentence that says why there is no answer.
        """
        token = secrets.token_hex(8)
        whole = json.dumps(request | {"id": token, "patience": 0.9 * seconds}) + "\n"
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(whole.encode())
            self.process.stdin.flush()
        except OSError:
            raise self._ended() from None
        if self.fresh:  # torch is still being imported; that time is not the file's
            try:
                self._line(START_SECONDS)
            except Ended:
                raise ValueError(
                    "The checker's own process did not start. It needs torch: "
                    'pip install ".[torch]".'
                ) from None
            self.fresh = False
        line = self._line(seconds)
        try:
            found: dict[str, Any] = json.loads(line)
            if found["id"] != token:
                raise ValueError
        except (ValueError, KeyError, TypeError):
            self.end()
            raise Ended(
                "Leave the checker's own pipe alone: the file wrote into it, "
                "so its numbers cannot be trusted."
            ) from None
        for kind, detail, where in found["attempts"]:
            at = f" Line {where}." if where else ""
            raise Ended(TRIED[kind].format(detail=detail) + at)
        return found

    def _line(self, seconds: float) -> bytes:
        """The next line of the answer pipe, within the time."""
        assert self.process.stdout
        until, pipe = time.monotonic() + seconds, self.process.stdout.fileno()
        parts = [self.rest]
        size = len(self.rest)
        while b"\n" not in parts[-1]:
            left = until - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise self._ended(seconds)
            parts.append(os.read(pipe, 1 << 16))
            size += len(parts[-1])
            if not parts[-1]:
                raise self._ended()
            if size > ANSWER_BYTES:
                self.end()
                raise Ended("Return fewer numbers: the result is larger than 64 megabytes.")
        line, _, self.rest = b"".join(parts).partition(b"\n")
        return line

    def _ended(self, seconds: float = 0.0) -> Ended:
        """Why there is no answer; the child is gone afterwards."""
        if seconds:
            where = self._stuck()
            self.end()
            return Ended(
                f"Look for a loop that does not end{where}: there was no result within "
                f"{seconds:.0f} s."
            )
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        code = self.process.poll()
        self.end()
        if code is not None and code < 0:
            signal_name = signal.Signals(-code).name
            return Ended(
                f"Python itself crashed ({signal_name}). Look for memory that is read through "
                "ctypes, for a recursion without an end, or for more memory than the limit of "
                f"{MEGABYTES} MB."
            )
        return Ended(
            f"Remove the call that ends Python (os._exit, exit status {code}): "
            "the checker could not ask on."
        )

    def _stuck(self) -> str:
        """The line of the reader's file at which the child stood when time was over."""
        with suppress(OSError):
            for line in Path(self.folder, "stuck").read_text()[:20_000].splitlines():
                if f'File "{self.name}", line ' in line:
                    return f" (line {line.split(', line ')[1].split(' ')[0]})"
        return ""

    @property
    def gone(self) -> bool:
        """Whether it was ended: after a refusal it goes on."""
        return self.process.poll() is not None

    @property
    def printed(self) -> str:
        """The beginning of what the file printed."""
        with suppress(OSError), Path(self.folder, "printed").open("rb") as file:
            self._printed = file.read(4 * PRINTED).decode(errors="replace")[:PRINTED]
        return self._printed

    def _drain(self) -> None:
        """Wait until nobody holds the answer pipe: then all that it started is gone too."""
        pipe = self.process.stdout
        with suppress(OSError, ValueError):  # a pipe that is closed: it was ended before
            while (
                pipe and select.select([pipe], [], [], 5.0)[0] and os.read(pipe.fileno(), 1 << 16)
            ):
                pass

    def end(self) -> None:
        """End the child and all that it started, and remove its folder; what it printed stays."""
        self._printed = self.printed
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self._drain()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        shutil.rmtree(self.folder, ignore_errors=True)
