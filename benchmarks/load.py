"""Many viewers at once: how long a click takes, and who is refused or lost.

`python -m benchmarks.load` starts the app on this machine for each scenario, opens websocket
sessions with it (viewer.py) and writes load.json and docs/load.md. `python -m benchmarks.load
"100 viewers" Acrobot` measures those alone; `--soak 10` lets 50 viewers come and go for ten
minutes. Viewers and server share the machine. Linux alone: processor time is read from /proc. The
last scenarios need nginx.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.load_report import DOCUMENT, RESULTS, document
from benchmarks.rerun import processor_seconds
from benchmarks.viewer import Click, Viewer
from pgcore.limits import LIMITS
from tests.conftest import PROXY, Server, behind_nginx, launched

SLIDER = "Discount factor"
EVERY = 10.0  # seconds between two changes of a viewer
PATIENCE = 60.0  # seconds, after which a picture counts as lost
BESIDE = 10  # viewers beside a neighbour
SOAKING = 50  # viewers at once

Neighbour = Callable[[str], Coroutine[Any, Any, None]]  # busy until it is cancelled


# --- viewers ---


async def opened(stack: AsyncExitStack, url: str, count: int) -> list[Viewer]:
    """So many viewers of Train, one after the other, each with its first picture."""
    viewers = []
    for _ in range(count):
        viewer = await stack.enter_async_context(Viewer(url, "train"))
        first = await viewer.stands(2 * PATIENCE)
        if first.stood is None:
            raise RuntimeError("A viewer's first picture does not stand; nothing is measured.")
        viewers.append(viewer)
    return viewers


async def own_changes(viewers: list[Viewer], seconds: float, start: float = 0.0) -> list[Click]:
    """Each viewer moves the slider every `EVERY` seconds to where nobody has been."""

    async def changes(place: int, viewer: Viewer) -> list[Click]:
        rounds = max(round(seconds / EVERY), 1)
        begun = time.perf_counter() + EVERY * place / len(viewers)
        clicks = []
        for turn in range(rounds):
            await asyncio.sleep(max(begun + turn * EVERY - time.perf_counter(), 0.0))
            value = 0.95 + start + 1e-6 * (place * rounds + turn)
            clicks.append(await viewer.move(SLIDER, value, PATIENCE))
        return clicks

    found = await asyncio.gather(*(changes(k, viewer) for k, viewer in enumerate(viewers)))
    return [click for clicks in found for click in clicks]


async def common_changes(viewers: list[Viewer], seconds: float) -> list[Click]:
    """All viewers make the lecturer's change at the same moment, again and again."""
    clicks: list[Click] = []
    for turn in range(max(round(seconds / EVERY), 1)):
        value = 0.9 + 1e-4 * turn
        clicks += await asyncio.gather(
            *(viewer.move(SLIDER, value, PATIENCE) for viewer in viewers)
        )
        await asyncio.sleep(1.0)
    return clicks


# --- heavy neighbours ---


async def trains(query: str, url: str) -> None:
    """Somebody who has a long figure trained, and watches it."""
    async with Viewer(url, "train", query) as viewer:
        await viewer.ran(PATIENCE)
        if any(label.startswith("Run, about") for label in viewer.buttons):
            await viewer.press("Run, about")
            await viewer.ran(PATIENCE)
        while "Pause" not in viewer.buttons:  # it trains
            await asyncio.sleep(0.2)
        await asyncio.Event().wait()


async def films(url: str) -> None:
    """Somebody who orders one film after the other."""
    for seed in range(10_000):
        query = f"watch_view=Gymnasium%27s+picture&seed={seed % 10}&checkpoint={1 + seed // 10}"
        async with Viewer(url, "watch", query) as viewer:
            await viewer.ran(PATIENCE)
            while not any(label.startswith("Make the") for label in viewer.buttons):
                await asyncio.sleep(0.2)
            for format in ("WebP", "GIF"):
                await viewer.press(f"Make the {format}")
                await viewer.ran(PATIENCE)
            while sum(label.startswith("Download the") for label in viewer.buttons) < 2:
                await asyncio.sleep(0.2)


async def measures(url: str) -> None:
    """Somebody who has one policy after the other measured."""
    for turn in range(10_000):
        query = f"seed={turn % 10}&checkpoint={1 + turn // 10}"
        async with Viewer(url, "inside", query) as viewer:
            await viewer.ran(PATIENCE)
            for _ in range(25):
                await asyncio.sleep(0.2)
                if "Ask again" in viewer.buttons or "I am sure" in viewer.buttons:
                    break


NEIGHBOURS: dict[str, Neighbour] = {
    "3 x 1,000 seeds": partial(trains, "num_seeds=1000&total_timesteps=100000"),
    "256 hidden units x 100,000 steps": partial(trains, "hidden_dim=256&total_timesteps=100000"),
    "Acrobot": partial(trains, "env_id=Acrobot-v1&total_timesteps=100000"),
    "torch": partial(trains, "learner=autograd&total_timesteps=100000"),
    "films": films,
    "measurements": measures,
}


# --- scenarios ---


async def alone(count: int, common: bool, url: str, seconds: float) -> list[Click]:
    """So many viewers with nobody else on the server."""
    async with AsyncExitStack() as stack:
        viewers = await opened(stack, url, count)
        return await (common_changes if common else own_changes)(viewers, seconds)


async def beside(neighbour: Neighbour, url: str, seconds: float) -> dict[str, list[Click]]:
    """Ten viewers, first without the neighbour and then with it, on one server."""
    async with AsyncExitStack() as stack:
        viewers = await opened(stack, url, BESIDE)
        without = await own_changes(viewers, seconds)
        task = asyncio.create_task(neighbour(url))
        await asyncio.sleep(3.0)
        clicks = await own_changes(viewers, seconds, start=0.02)
        if task.done():
            task.result()  # an error of the neighbour's is one of the benchmark's
            raise RuntimeError("The neighbour ended before the measurement did.")
        task.cancel()
    return {"without": without, "with": clicks}


SCENARIOS: dict[str, Callable[[str, float], Awaitable[Any]]] = {
    "1 viewer": partial(alone, 1, False),
    "10 viewers": partial(alone, 10, False),
    "30 viewers": partial(alone, 30, False),
    "100 viewers": partial(alone, 100, False),
    "100 viewers, one common change": partial(alone, 100, True),
} | {f"10 viewers beside {name}": partial(beside, heavy) for name, heavy in NEIGHBOURS.items()}
BEHIND_NGINX = {  # two processes share the viewers
    "two processes, 100 viewers": partial(alone, 100, False),
    "two processes, 100 viewers, one common change": partial(alone, 100, True),
}
SCENARIOS |= BEHIND_NGINX


def summary(clicks: list[Click]) -> dict[str, Any]:
    """Percentiles in seconds, n, and how many were refused or lost."""
    stood = [click.stood for click in clicks if click.stood is not None]
    finished = [click.finished for click in clicks if click.finished is not None]
    refused = sum(click.refused for click in clicks)
    found: dict[str, Any] = {"n": len(clicks), "refused": refused}
    found["lost"] = sum(
        click.lost or (click.stood is None and not click.refused) for click in clicks
    )
    for name, times in (("script", finished), ("picture", stood)):
        for percent in (50, 95):
            key = f"{name}_p{percent}"
            found[key] = round(float(np.percentile(times, percent)), 3) if times else None
    return found


def measure(name: str, seconds: float) -> dict[str, Any]:
    """One scenario on a server of its own, or on two."""
    with warm_servers(name in BEHIND_NGINX) as (url, processes):
        before, client = sum(map(processor_seconds, processes)), time.process_time()
        loads = [os.getloadavg()[0]]
        started = time.perf_counter()
        clicks = asyncio.run(_run(name, url, seconds))
        took = time.perf_counter() - started
        loads.append(os.getloadavg()[0])
        without = {}
        if isinstance(clicks, dict):
            without = {"without": summary(clicks["without"])}
            clicks = clicks["with"]
        return (
            summary(clicks)
            | without
            | {
                "seconds": seconds,
                "load_average": [round(load, 1) for load in loads],
                "server_cores": round((sum(map(processor_seconds, processes)) - before) / took, 2),
                "viewers_cores": round((time.process_time() - client) / took, 2),
                "servers": [holds(process) for process in processes],
            }
        )


async def _run(name: str, url: str, seconds: float) -> Any:
    return await SCENARIOS[name](url, seconds)


@contextmanager
def warm_servers(proxied: bool = False) -> Iterator[tuple[str, list[int]]]:
    """One server, or two behind nginx, whose kernels are loaded.  -> address, and processes"""

    async def first(server: Server) -> None:
        async with Viewer(server.url, "train") as viewer:
            await viewer.stands(300.0)

    with ExitStack() as stack:
        if proxied:
            servers = stack.enter_context(behind_nginx())
        else:
            servers = [stack.enter_context(launched())]
        for server in servers:
            asyncio.run(first(server))
        yield PROXY if proxied else servers[0].url, [server.process.pid for server in servers]


# --- those who come and go ---


def holds(pid: int) -> dict[str, int]:
    """Memory (MB), threads and open files of a process."""
    folder = Path(f"/proc/{pid}")
    status = dict(line.split(":\t") for line in (folder / "status").read_text().splitlines())
    return {
        "megabytes": int(status["VmRSS"].split()[0]) // 1024,
        "threads": int(status["Threads"]),
        "files": len(list((folder / "fd").iterdir())),
    }


async def soak(url: str, pid: int, minutes: float) -> list[dict[str, Any]]:
    """Fifty viewers, each of whom stays for some changes and is then followed by another."""
    end = time.perf_counter() + 60 * minutes
    draw = random.Random(0)
    clicks: list[Click] = []

    async def chair(place: int) -> None:
        visit = 0
        await asyncio.sleep(EVERY * place / SOAKING)
        while time.perf_counter() < end:
            visit += 1
            async with Viewer(url, "train") as viewer:
                await viewer.stands(PATIENCE)
                for turn in range(draw.randint(1, 6)):
                    await asyncio.sleep(EVERY)
                    if time.perf_counter() > end:
                        return
                    value = 0.9 + 1e-3 * place + 1e-6 * (10 * visit + turn)
                    clicks.append(await viewer.move(SLIDER, value, PATIENCE))

    async def watch() -> list[dict[str, Any]]:
        curve = []
        began = time.perf_counter()
        while time.perf_counter() < end:
            await asyncio.sleep(15.0)
            fresh, clicks[:] = clicks[:], []
            point = {"minute": round((time.perf_counter() - began) / 60, 2)} | holds(pid)
            curve.append(point | summary(fresh) | {"load_average": round(os.getloadavg()[0], 1)})
            print(curve[-1], flush=True)
        return curve

    curve, *_ = await asyncio.gather(watch(), *(chair(place) for place in range(SOAKING)))
    return curve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", help=f"parts of names of {', '.join(SCENARIOS)}")
    parser.add_argument("--seconds", type=float, default=40.0, help="of changes in a scenario")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="let 50 come and go")
    parser.add_argument("--dry", action="store_true", help="print, and write nothing")
    options = parser.parse_args()
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    found["machine"] = {"processor": machine.processor(), "cores": os.cpu_count()}
    if options.soak:
        with warm_servers() as (url, [process]):
            curve = asyncio.run(soak(url, process, options.soak))
        found["soak"] = {"results_megabytes": LIMITS.memory, "curve": curve}
        keep(found, options.dry)
        return
    wanted = options.scenarios or [""]
    for name in SCENARIOS:
        if any(part in name for part in wanted):
            result = measure(name, options.seconds)
            print(name, json.dumps(result), flush=True)
            found.setdefault("scenarios", {})[name] = result
            keep(found, options.dry)


def keep(found: dict[str, Any], dry: bool) -> None:
    """Write what has been measured by now."""
    if not dry:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        DOCUMENT.write_text(document(found))


if __name__ == "__main__":
    main()
