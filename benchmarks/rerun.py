"""What a rerun of the Train page costs: processor time of the server, with no browser in the way.

`python -m benchmarks.rerun` starts the app, opens a session as a browser does (one websocket), and
asks for the page again and again. Its runs are there already, so training is not counted. The
server's processor time is read from /proc, so this runs on Linux.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
from pathlib import Path

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.typing import Origin, Subprotocol

from tests.conftest import served

RERUNS, ROUNDS = 60, 5
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def server_of(url: str) -> int:
    """The process that listens at this address."""
    port = int(url.rpartition(":")[2])
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(port).encode() in words and b"streamlit" in words:
            return int(folder.name)
    raise ValueError(f"No server listens at {url}.")


async def _rerun(socket, query: str) -> int:
    """Ask for the page and read until its script has finished.  -> bytes received"""
    message = BackMsg()
    message.rerun_script.query_string = query
    message.rerun_script.page_name = "train"
    await socket.send(message.SerializeToString())
    size = 0
    while True:
        data = await socket.recv()
        size += len(data)
        answer = ForwardMsg()
        answer.ParseFromString(data)
        if answer.WhichOneof("type") == "script_finished":
            return size


async def session_costs(url: str) -> list[float]:
    """Milliseconds of processor time a rerun, one number a round."""
    pid = server_of(url)
    address = re.sub("^http", "ws", url) + "/_stcore/stream"
    async with websockets.connect(
        address, subprotocols=[Subprotocol("streamlit")], max_size=None, origin=Origin(url)
    ) as socket:
        for _ in range(5):
            await _rerun(socket, "")
        costs = []
        for _ in range(ROUNDS):
            started = processor_seconds(pid)
            for _ in range(RERUNS):
                await _rerun(socket, "")
            costs.append(1000 * (processor_seconds(pid) - started) / RERUNS)
    return costs


def main() -> None:
    with served() as url:
        costs = asyncio.run(session_costs(url))
    print(
        f"a rerun of Train: {statistics.median(costs):.1f} ms of processor time "
        f"(from {min(costs):.1f} to {max(costs):.1f} over {ROUNDS} rounds of {RERUNS})"
    )


if __name__ == "__main__":
    main()
