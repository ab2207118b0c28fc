"""`Config.lab()` is the notebook: its curves against the notebook's own loop, kept with a date."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import agreement, report
from benchmarks.notebook import AGENTS


@pytest.fixture(scope="module")
def compared() -> dict:
    return agreement.compare()


@pytest.fixture(scope="module")
def rows(compared: dict) -> list[dict]:
    return compared["rows"]


def test_every_agent_of_the_notebook_is_compared_with_enough_seeds(rows: list[dict]) -> None:
    assert {row["agent"] for row in rows} == set(AGENTS)
    for row in rows:
        assert row["notebook_mean"]["n"] >= 50
        assert row["our_mean"]["n"] >= 200
        assert row["smallest_visible"] < 60


def test_as_written_agrees_with_the_notebook(rows: list[dict]) -> None:
    same = [row for row in rows if row["ours"] == row["agent"]]
    assert len(same) == 2 * len(AGENTS)
    for row in same:
        assert row["difference"]["low"] < 0 < row["difference"]["high"]


def test_an_agent_whose_critic_learns_would_be_seen(rows: list[dict]) -> None:
    """The control: task 2 trains no critic, and the variant that does ends far above it."""
    control = [row for row in rows if row["ours"] != row["agent"]]
    assert len(control) == 2
    for row in control:
        assert row["difference"]["low"] > 0


def test_the_readme_and_the_results_state_the_ends_of_the_six_curve_sets(compared: dict) -> None:
    root = Path(__file__).parent.parent
    readme = (root / "README.md").read_text()
    last = [row for row in compared["curves"] if row["step"] == 10_000]
    assert len(last) == 9
    for agent in ("policy gradient", "batch mean", "actor-critic"):
        key = agent.replace(" ", "_").replace("-", "_")
        notebook, written, corrected = (
            f"{row['mean']:.0f} [{row['low']:.0f}, {row['high']:.0f}]"
            for row in last
            if row["agent"] == key
        )
        assert f"| {agent} | {written} | {corrected} | {notebook} |" in readme
    results = (root / "benchmarks/RESULTS.md").read_text()
    assert report.SECTIONS["agreement"](compared).strip() in results
