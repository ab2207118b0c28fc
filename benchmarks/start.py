"""The first start and later ones: from `streamlit run app.py` to the first cart that moves.

`python -m benchmarks.start` starts the app with an empty folder for compiled code, opens Start in
Chromium as soon as the server answers, and stops it; then once more with the folder as it was left.
A cart moves when its three runs are complete. It prints seconds and the server's processor seconds,
its children's included, and writes them to start.json, with what is compiled, function by function.
Reads /proc, so it runs on Linux.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks import machine
from benchmarks.field import WATCH
from benchmarks.rerun import TICKS, server_of
from tests.conftest import CHROMIUM_FLAGS, find_chromium, served

ROUNDS = 3
_COMPILE = """
import json, time
from numba.core import event
from pgcore import warmup

class Clock(event.Listener):
    def __init__(self):
        self.open, self.closed = [], []

    def on_start(self, news):
        self.open.append([time.process_time(), 0.0])

    def on_end(self, news):
        started, inner = self.open.pop()
        spent = time.process_time() - started
        if self.open:
            self.open[-1][1] += spent
        self.closed.append((news.data["dispatcher"].py_func.__qualname__, round(spent - inner, 3)))

clock = Clock()
with event.install_listener("numba:compile", clock):
    for half in warmup.HALVES.values():
        half()
print(json.dumps(sorted(clock.closed, key=lambda row: -row[1])))
"""


def processor_seconds(pid: int) -> float:
    """User and system time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def start(browser: Browser) -> dict[str, float]:
    """One start, with the cache that the environment names."""
    started = time.perf_counter()
    with served() as url:
        answered = time.perf_counter()
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(300_000)
        page.add_init_script(WATCH)
        page.goto(url)
        page.wait_for_function("window.moved !== null")
        moved = time.perf_counter()
        spent = processor_seconds(server_of(url))
        page.close()
    return {
        "seconds_to_the_first_moving_cart": moved - started,
        "of_which_until_the_server_answers": answered - started,
        "processor_seconds_of_the_server": spent,
    }


def main() -> None:
    found: dict[str, object] = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0]}
    kinds: dict[str, list[dict[str, float]]] = {"first start": [], "later start": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                os.environ["NUMBA_CACHE_DIR"] = folder
                for times in kinds.values():
                    times.append(start(browser))
        browser.close()
    for kind, times in kinds.items():
        found[kind] = {name: machine.spread([one[name] for one in times]) for name in times[0]}
    with tempfile.TemporaryDirectory() as folder:
        compiled = json.loads(machine.fresh(_COMPILE, NUMBA_CACHE_DIR=folder))
    found["load_after"] = os.getloadavg()[0]
    found["functions_compiled"] = len(compiled)
    found["processor_seconds_by_function"] = dict(compiled[:12])
    text = json.dumps(found, indent=2) + "\n"
    Path(__file__).with_name("start.json").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
