"""The load benchmark: its viewer speaks to the real server, and its figures are what they say."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from benchmarks.load import SCENARIOS, SLIDER, holds, summary
from benchmarks.load_report import document
from benchmarks.rerun import server_of
from benchmarks.viewer import Click, Viewer


def test_a_viewer_sees_the_picture_and_that_of_the_settings_it_moves_to(server):
    async def visit() -> tuple[Click, Click, str]:
        async with Viewer(server, "train", "num_seeds=2&total_timesteps=1000") as viewer:
            first = await viewer.stands(300)
            assert viewer.received > 10_000
            second = await viewer.move(SLIDER, 0.93, 300)
            await viewer.ran(300)
            return first, second, viewer.query

    with ThreadPoolExecutor() as pool:  # the browser's loop runs in this thread
        first, second, query = pool.submit(asyncio.run, visit()).result()
    for click in (first, second):
        assert click.stood is not None and not click.refused
    assert "gamma=0.93" in query
    held = holds(server_of(server))
    assert held["megabytes"] > 50 and held["threads"] > 1 and held["files"] > 3


def test_an_unfinished_click_is_lost_unless_it_was_refused():
    clicks = [Click(0.1, 0.2), Click(0.3, 0.4), Click(0.1, refused=True), Click(0.5), Click()]
    found = summary(clicks)
    assert (found["n"], found["refused"], found["lost"]) == (5, 1, 2)
    assert (found["script_p50"], found["picture_p50"]) == (0.2, 0.3)
    assert summary([Click()])["picture_p95"] is None


def test_the_page_has_a_row_for_each_scenario_and_each_minute():
    row = summary([Click(0.1, 0.25)])
    more = {"load_average": [1.0, 2.0], "server_cores": 0.5, "viewers_cores": 0.1}
    name = next(iter(SCENARIOS))
    point = {"minute": 0.25, "megabytes": 300, "threads": 9, "files": 40, "load_average": 2.0}
    soak = {"results_megabytes": 128, "curve": [row | point]}
    text = document({"scenarios": {name: row | more}, "soak": soak})
    assert f"| {name} | 1 | 0.10 | 0.10 | 0.25 | 0.25 | 0 | 0 | 1.0 to 2.0 | 0.5, 0.1 |" in text
    assert "| 0.25 | 300 | 9 | 40 | 1 | 0.25 | 0.25 | 0 | 0 | 2.0 |" in text
    assert "`PGLAB_MEMORY` together: 128 MB here" in text
