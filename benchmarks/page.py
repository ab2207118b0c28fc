"""From moving a slider to the new curve painted, and other clicks beside a 1,000-seed run.

`python -m benchmarks.page` starts the app, drives it in Chromium and writes page.json.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROMIUM_FLAGS, find_chromium, served

CHANGES = 30
CHART = '[aria-label^="Episodic return against"]'
WATCH = """(selector) => {
  const chart = document.querySelector(selector);
  window.painted = null;
  const started = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(
      () => { window.painted = performance.now() - started; }));
  }).observe(chart, {attributes: true, attributeFilter: ['aria-label']});
}"""


def slider_to_curve(page: Page) -> list[float]:
    """Milliseconds from a key on the discount factor's slider to the frame with the new curves."""
    slider = page.get_by_role("slider", name="Discount factor")
    times = []
    for change in range(CHANGES):
        slider.focus()
        page.locator(CHART).first.wait_for()
        page.evaluate(WATCH, CHART)
        page.keyboard.press("ArrowLeft" if change < CHANGES / 2 else "ArrowUp")
        page.wait_for_function("window.painted !== null")
        times.append(page.evaluate("window.painted"))
        page.wait_for_timeout(300)
    return times


def click_beside_a_long_run(page: Page) -> list[float]:
    """Milliseconds from choosing another band to its caption, while 1,000 seeds train."""
    page.get_by_role("button", name=re.compile("^Run, about")).click()
    page.get_by_text(re.compile(r"[1-9][\d,]* of 100,000,000 steps")).wait_for()
    times = []
    for turn in range(10):
        band, says = (("95%", "its 95% t interval"), ("std", "the lab's"))[turn % 2]
        started = time.perf_counter()
        page.get_by_role("radio", name=band).click()
        page.get_by_text(says).wait_for()
        times.append(1000 * (time.perf_counter() - started))
    page.get_by_role("button", name="Cancel").click()
    return times


def summary(times: list[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds, with n."""
    cut = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    return {"median_ms": statistics.median(times), "p95_ms": cut, "n": len(times)}


def main() -> None:
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(f"{url}/train")
        page.get_by_text("environment steps and every evaluation").wait_for(timeout=120_000)
        found = {"slider to curve, 3 algorithms x 10 seeds": summary(slider_to_curve(page))}
        page.goto(f"{url}/train?algorithms=actor_critic&num_seeds=1000&total_timesteps=100000")
        found["click beside a 1,000-seed run"] = summary(click_beside_a_long_run(page))
        browser.close()
    Path(__file__).with_name("page.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
