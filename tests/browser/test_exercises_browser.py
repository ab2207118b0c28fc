"""A file is edited on the disk, and the open page turns."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import PATIENCE, launched, quiet, visitor
from playwright.sync_api import Browser, Page, expect

from pgcore import exercises
from tests import solutions

pytestmark = pytest.mark.browser
FITS = """() => [document.documentElement, document.querySelector('[data-testid=stMain]')]
  .every(it => it.scrollWidth <= innerWidth)"""


def save(file: Path, text: str) -> None:
    """As an editor does: at once."""
    beside = file.with_suffix(".new")
    beside.write_text(text)
    beside.replace(file)


def says(page: Page, key: str, word: str) -> None:
    """Wait until a task's row says so."""
    expect(page.locator(f".st-key-task_{key}")).to_contain_text(word, timeout=PATIENCE)


def test_the_page_turns_from_red_to_green_as_the_file_is_saved(browser: Browser, tmp_path: Path):
    file = tmp_path / "tasks.py"
    with launched({"PGLAB_EXERCISES": str(file)}) as server, visitor(browser) as page:
        page.goto(f"{server.url}/exercises")
        page.get_by_text("python -m pgcore exercises new").wait_for()
        exercises.new(tmp_path)
        says(page, "my_baseline", "to write")
        right = "    return q_values - others"
        assert right in solutions.LECTURE
        save(file, solutions.LECTURE.replace(right, "    return others - q_values"))
        says(page, "leave_one_out", "failed")
        says(page, "policy_gradient", "passed")
        page.locator(".st-key-task_leave_one_out").get_by_role("button").click()
        page.get_by_text("Expected", exact=True).wait_for()
        save(file, solutions.LECTURE)
        says(page, "leave_one_out", "passed")
        page.get_by_text("Expected", exact=True).wait_for(state="detached")
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_function(FITS)
        quiet(page)
