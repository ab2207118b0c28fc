"""A class of 300 phones by plain HTTP: what is counted, and how long it takes.

`python -m benchmarks.classroom` starts the app on this machine with one room, and writes the table
of docs/classroom.md. Each phone has a connection of its own, and asks for its state every two
seconds as the page does. The phones and the server share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from benchmarks import machine
from benchmarks.class_server import Class, served_class
from benchmarks.rerun import processor_seconds
from pgcore import Config, train
from pgcore.classroom import SEED_ALGORITHMS, Asked
from tests.conftest import until_healthy

DOCUMENT = Path(__file__).parents[1] / "docs" / "classroom.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end of what is measured -->\n"
PHONES, KILLED, PROPOSERS = 300, 10, 60
THINKING, STEADY = 5.0, 20.0  # seconds: within which all vote; of polling alone
ASKED = Asked("which", "Which?", ("first", "second", "third"), usual=0)


class Phone:
    """One phone: a connection, a secret, and what it said last."""

    def __init__(self, held: Class, rng: random.Random) -> None:
        self.held, self.rng = held, rng
        self.at = f"{held.url}/room/{held.code}"
        self.client = httpx2.AsyncClient(timeout=30.0, verify=False)
        self.headers: dict[str, str] = {}
        self.version = ""
        self.state: dict[str, Any] = {}
        self.order, self.said = 0, -1
        self.waited: dict[str, list[float]] = {"join": [], "poll": [], "vote": [], "agent": []}

    async def asks(self, kind: str, method: str, path: str, body: Any = None) -> httpx2.Response:
        """One request, whose time is kept."""
        started = time.perf_counter()
        answer = await self.client.request(
            method, f"{self.at}/{path}", headers=self.headers, json=body
        )
        self.waited.setdefault(kind, []).append(time.perf_counter() - started)
        if answer.status_code not in (200, 204):
            raise RuntimeError(f"{kind}: {answer.status_code} {answer.text}")
        return answer

    async def join(self) -> None:
        answer = await self.asks("join", "POST", "join", {})
        self.headers = {"authorization": f"Bearer {answer.json()['phone']}"}
        await self.poll()

    async def poll(self) -> None:
        answer = await self.asks("poll", "GET", f"state?version={self.version}")
        if answer.status_code == 200:
            self.state = answer.json()
            self.version = self.state["version"]

    async def polls(self) -> None:
        """As the page does, until it is cancelled."""
        await asyncio.sleep(2 * self.rng.random())
        while True:
            await self.poll()
            await asyncio.sleep(2 * (0.8 + 0.4 * self.rng.random()))

    def ballot(self) -> dict[str, Any]:
        """A new vote."""
        self.order += 1
        self.said = self.rng.randrange(3)
        asked = self.state["question"]
        return {
            "question": asked["name"], "turn": asked["turn"], "said": self.said,
            "sure": self.rng.random() < 0.5, "order": self.order,
        }  # fmt: skip

    async def vote(self) -> None:
        await self.asks("vote", "POST", "vote", self.ballot())

    async def vote_and_lose_the_line(self) -> None:
        """The connection ends before the answer is read; the page sends the vote again."""
        body = json.dumps(self.ballot()).encode()
        host, port = self.held.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = [
            f"POST /room/{self.held.code}/vote HTTP/1.1", f"host: {host}",
            f"authorization: {self.headers['authorization']}", f"content-length: {len(body)}",
        ]  # fmt: skip
        cut = self.rng.choice((len(body), len(body) // 2))  # all of it arrived, or half
        writer.write("\r\n".join([*head, "", ""]).encode() + body[:cut])
        await writer.drain()
        writer.transport.abort()
        await self.client.aclose()
        self.client = httpx2.AsyncClient(timeout=30.0, verify=False)
        await self.asks("vote", "POST", "vote", json.loads(body))


class Host:
    """The lecturer."""

    def __init__(self, held: Class) -> None:
        self.at = f"{held.url}/room/host/{held.host}"
        self.client = httpx2.AsyncClient(timeout=30.0, verify=False)

    async def act(self, action: str) -> None:
        answer = await self.client.post(f"{self.at}/act", json={"action": action})
        answer.raise_for_status()

    async def state(self) -> dict[str, Any]:
        return (await self.client.get(f"{self.at}/state")).json()

    async def counted(self) -> list[int]:
        """Votes of the last round, by option."""
        return [bar["votes"] for bar in (await self.state())["question"]["rounds"][-1]]


async def all_within(seconds: float, phones: list[Phone], do: Callable[[Phone], Awaitable]) -> None:
    """Each phone does it at a moment of its own."""

    async def one(phone: Phone) -> None:
        await asyncio.sleep(seconds * phone.rng.random())
        await do(phone)

    await asyncio.gather(*(one(phone) for phone in phones))


async def measure(held: Class, count: int) -> dict[str, Any]:
    """The figures of one class.

    Raises: RuntimeError if a vote, a proposal or an agent is not what was sent or trained.
    """
    host, phones = Host(held), [Phone(held, random.Random(number)) for number in range(count)]
    await asyncio.gather(*(phone.join() for phone in phones))
    for phone in phones:
        phone.waited["poll"].clear()
    polling = [asyncio.create_task(phone.polls()) for phone in phones]

    before, started = processor_seconds(held.process.pid), time.perf_counter()
    await asyncio.sleep(STEADY)
    cores = (processor_seconds(held.process.pid) - before) / (time.perf_counter() - started)
    asked = sum(len(phone.waited["poll"]) for phone in phones)

    held.ask(ASKED)
    votes = []  # times, a list a round
    for turn in (1, 2):  # the second round at once, the first within some seconds
        await host.act("open")
        opened = time.perf_counter()
        while any((phone.state["question"] or {}).get("turn") != turn for phone in phones):
            await asyncio.sleep(0.05)
        seen = time.perf_counter() - opened
        await all_within(THINKING * (2 - turn), phones, Phone.vote)
        await all_within(THINKING * (2 - turn), phones[: count // 3], Phone.vote)
        await all_within(0.0, phones[-KILLED:], Phone.vote_and_lose_the_line)
        await host.act("close")
        expected = [sum(phone.said == place for phone in phones) for place in range(3)]
        check(await host.counted(), expected, f"votes of round {turn}")
        votes.append(gathered(phones, "vote"))
    csv = (await host.client.get(f"{host.at}/counts.csv")).text.splitlines()[1:]
    check(sum(int(line.rsplit(",", 1)[1]) for line in csv), 2 * count, "votes in the file")

    async def proposes(phone: Phone) -> None:
        body = {"kind": "learning_rate", "value": "0.01"}
        await phone.asks("propose", "POST", "propose", body)

    await asyncio.gather(*(proposes(phone) for phone in phones[:PROPOSERS]))
    check(len((await host.state())["proposals"]), min(PROPOSERS, count), "proposals")

    await host.act("seeds")
    begun = time.perf_counter()
    while (await host.state())["run"]["status"] != "done":
        await asyncio.sleep(0.05)
    trained = time.perf_counter() - begun
    agents = await asyncio.gather(*(phone.asks("agent", "GET", "agent") for phone in phones))
    for task in polling:
        task.cancel()
    await asyncio.gather(*polling, return_exceptions=True)
    history = train(Config(algorithm=SEED_ALGORITHMS[0], num_seeds=count))
    shown = sorted(tuple(agent.json()["returns"]) for agent in agents)
    check(shown, sorted(map(tuple, history.eval_returns.T.tolist())), "curves")
    for phone in phones:
        await phone.client.aclose()
    await host.client.aclose()
    return {
        "join": gathered(phones, "join"),
        "state": gathered(phones, "poll"),
        "vote, within 5 s": votes[0],
        "vote, all at once": votes[1],
        "agent, all at once": gathered(phones, "agent"),
        "propose": gathered(phones, "propose"),
        "seen": seen, "trained": trained, "cores": cores, "polls": asked / STEADY,
    }  # fmt: skip


def gathered(phones: list[Phone], kind: str) -> list[float]:
    """The times of all phones, which begin anew."""
    times = [seconds for phone in phones for seconds in phone.waited.get(kind, [])]
    for phone in phones:
        phone.waited[kind] = []
    return times


def check(found: Any, expected: Any, what: str) -> None:
    if found != expected:
        raise RuntimeError(f"{what}: {found!s:.200} where {expected!s:.200} was expected")


def table(found: dict[str, Any], count: int, load: float) -> str:
    """The figures in Markdown."""
    lines = [
        f"Machine: {machine.processor()}, {os.cpu_count()} cores, load {load:.1f} before. "
        f"{count} phones and the server share it. Milliseconds from the request to its answer; a "
        "vote is counted when its answer comes.",
        "",
        "| request | n | p50, ms | p95, ms | longest, ms |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, times in found.items():
        if isinstance(times, list):
            p50, p95, most = 1000 * np.quantile(times, (0.5, 0.95, 1.0))
            lines.append(f"| {name} | {len(times)} | {p50:.0f} | {p95:.0f} | {most:.0f} |")
    lines += [
        "",
        f"- All {2 * count} votes that stood at the close of two rounds were counted as the phones "
        f"had said them last. A third of the phones had changed theirs, and {KILLED} had lost "
        "their connection before the answer in each round.",
        f"- All {min(PROPOSERS, count)} proposals reached the lecturer's list. All {count} curves "
        "were those of `train(Config(...))`, bit for bit.",
        f"- Every phone saw an opened vote within {found['seen']:.1f} s.",
        f"- While the phones only wait, they ask {found['polls']:.0f} times a second. That takes "
        f"{found['cores']:.2f} of a core.",
        f"- {count} agents of the shown estimator were trained after {found['trained']:.1f} s.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and renew the document's table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=PHONES)
    parser.add_argument("--only-print", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with served_class() as held:
        until_healthy(held.url)
        found = asyncio.run(measure(held, options.phones))
    text = table(found, options.phones, load)
    print(text)
    if not options.only_print:
        head, _, rest = DOCUMENT.read_text().partition(BEGIN)
        DOCUMENT.write_text(head + BEGIN + text + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
