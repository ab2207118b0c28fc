"""Start's field of carts: from opening to the first cart that moves, and frames a second.

`python -m benchmarks.field` starts the app, drives it in Chromium and writes field.json. Chromium
runs without a screen and draws by software, on a machine's processor: a laptop's graphics chip
does better.
"""

from __future__ import annotations

import json
import os
import statistics
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import CHROMIUM_FLAGS, find_chromium, served

OPENINGS = 7
SECONDS = 10  # of frames
# Before the page's own scripts: when a cart first moved, and what each frame took.
WATCH = """
  window.moved = null;
  window.frames = [];
  window.work = [];
  const request = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (tick) => request((now) => {
    const begun = performance.now();
    tick(now);
    if (!tick.toString().includes('this.carts')) return;
    window.frames.push(now);
    window.work.push(performance.now() - begun);
    if (window.moved === null && window.frames.length > 1) request(() => {
      window.moved ??= performance.now();
    });
  });
"""


def opened(browser: Browser, url: str) -> tuple[Page, list[int]]:
    """The field at play, and the bytes that arrived for it."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(120_000)
    page.add_init_script(WATCH)
    received: list[int] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(len(data))))
    page.goto(url)
    page.wait_for_function("window.moved !== null")
    return page, received


def frames(page: Page) -> dict[str, float]:
    """What some seconds of training time showed."""
    page.evaluate("window.frames.length = window.work.length = 0")
    page.wait_for_timeout(1000 * SECONDS)
    times, work = page.evaluate("[window.frames, window.work]")
    gaps = [after - before for before, after in pairwise(times)]
    return {
        "frames_per_second": 1000 * (len(times) - 1) / (times[-1] - times[0]),
        "p95_ms_between_frames": statistics.quantiles(gaps, n=20)[-1],
        "median_ms_of_work_a_frame": statistics.median(work),
        "frames": len(times),
    }


def main() -> None:
    found: dict[str, object] = {
        "how": "Chromium without a screen, drawn by software; server and browser share the cores",
        "cores": os.cpu_count(),
        "load_average_before": os.getloadavg()[0],
    }
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        for carts in (30, 300):
            address, times, received = f"{url}/?carts={carts}", [], [0]
            opened(browser, address)[0].close()  # trains, and warms the server
            for _ in range(OPENINGS):
                page, received = opened(browser, address)
                times.append(page.evaluate("window.moved"))
                shown = frames(page) if len(times) == OPENINGS else {}
                page.close()
            found[f"{carts} carts"] = {
                "median_ms_to_the_first_moving_cart": statistics.median(times),
                "slowest_ms": max(times),
                "openings": len(times),
                "kilobytes_received": sum(received) / 1000,
            } | shown
        browser.close()
    found["load_average_after"] = os.getloadavg()[0]
    text = json.dumps(found, indent=2) + "\n"
    Path(__file__).with_name("field.json").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
