"""What may go wrong round a server, done to a real one: docs/faults.md has a row for each.

`pytest -m slow tests/test_faults.py`; only what is quick is in the default run.
"""

from __future__ import annotations

import ast
import io
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from conftest import PATIENCE, ROOT, launched, settled, visitor
from playwright.sync_api import Browser, Page

from pgcore import Config, train

# Both are longer than what begins unasked: torch's learner in a process of its own, and a
# compiled run.
TORCH = Config(algorithm="policy_gradient", learner="autograd", total_timesteps=20_000)
LONG = Config(algorithm="policy_gradient", num_seeds=1000, total_timesteps=20_000)
RAN = "environment steps and every evaluation"
ENDED = 3.0  # seconds from SIGTERM to the end

slow = pytest.mark.slow


def link(url: str, config: Config) -> str:
    """The page Train with one run."""
    changed = {k: v for k, v in config.to_strings().items() if v != Config().to_strings()[k]}
    algorithm = changed.pop("algorithm", Config().algorithm)
    query = "&".join(f"{name}={value}" for name, value in changed.items())
    return f"{url}/train?v=2&algorithms={algorithm}&{query}"


@contextmanager
def someone(browser: Browser) -> Iterator[Page]:
    """A person whose server may go away, which a browser's console notes as an error."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


def press_run(page: Page, verb: str = "Run") -> None:
    page.get_by_role("button", name=f"{verb}, about").click()


def said(page: Page, sentence: str) -> None:
    page.get_by_text(sentence, exact=False).first.wait_for()
    settled(page)
    assert page.get_by_test_id("stException").count() == 0


def curves(page: Page) -> pd.DataFrame:
    """The data that the page's CSV button gives."""
    page.get_by_text("Link, CSV, picture, code").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    return pd.read_csv(download.value.path())


def as_trained(config: Config) -> pd.DataFrame:
    """The same data from the library, in this process."""
    return pd.read_csv(io.StringIO(train(config).to_csv()))


def workers(parent: int) -> list[int]:
    """Processes that a server has started to compute, by their ids."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "-o", "stat=", "-o", "args=", "--ppid", str(parent)],
        capture_output=True,
        text=True,
    ).stdout
    rows = [row.split(None, 2) for row in found.splitlines()]
    return [int(pid) for pid, state, command in rows if "pgcore.worker" in command]


def a_worker(parent: int) -> int:
    """The process that computes, once there is one."""
    for _ in range(1000):
        if found := workers(parent):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no process was started")


def gone(process: int) -> bool:
    """Whether a process has ended, though nobody may have asked how."""
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def habit(folder: Path, code: str) -> dict[str, str]:
    """An environment in which every Python begins with this code."""
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(folder)}


# --- a process that computes ---


@slow
@pytest.mark.browser
def test_a_worker_that_is_killed_is_reported_and_the_next_try_works(browser: Browser):
    with launched() as server, visitor(browser) as page:
        page.goto(link(server.url, TORCH))
        press_run(page)
        os.kill(a_worker(server.process.pid), signal.SIGKILL)
        said(page, "The process that computed this ended too soon (exit status -9); perhaps")
        press_run(page, "Run again")
        said(page, RAN)
        pd.testing.assert_frame_equal(curves(page), as_trained(TORCH))


@slow
@pytest.mark.browser
def test_a_worker_without_memory_is_reported_and_the_next_try_works(browser, tmp_path):
    """300 MB of addresses are too few to import torch; later there are more."""
    few = tmp_path / "few"
    few.touch()
    environment = habit(
        tmp_path,
        "import os, resource, sys\n"
        f"if 'pgcore.worker' in sys.orig_argv and os.path.exists({str(few)!r}):\n"
        "    resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))\n",
    )
    with launched(environment) as server, visitor(browser) as page:
        page.goto(link(server.url, TORCH))
        press_run(page)
        said(page, "The run of policy_gradient failed.")
        few.unlink()
        press_run(page, "Run again")
        said(page, RAN)


# --- the disk ---


@slow
@pytest.mark.browser
def test_on_a_full_disk_pages_run(browser: Browser):
    """No file of the server may have a single byte."""
    with (
        launched(before=("prlimit", "--fsize=0")) as server,
        visitor(browser) as page,
    ):
        page.goto(f"{server.url}/train")
        said(page, RAN)
        page.goto(link(server.url, TORCH))
        press_run(page)
        said(page, RAN)


@slow
@pytest.mark.browser
def test_on_a_read_only_tree_without_a_home_pages_run(browser: Browser, tmp_path: Path):
    tree = tmp_path / "lab"
    ignored = shutil.ignore_patterns(".venv*", ".git", "benchmarks", "tests", "docs", ".*cache")
    shutil.copytree(ROOT, tree, ignore=ignored)
    for path in [tree, *tree.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    as_others = ("setpriv", "--bounding-set=-dac_override") if os.geteuid() == 0 else ()
    try:
        with (
            launched({"HOME": str(tree / "nobody")}, tree, as_others) as server,
            visitor(browser) as page,
        ):
            page.goto(f"{server.url}/train")
            said(page, RAN)
        assert not (tree / "nobody").exists()
    finally:
        for path in [tree, *tree.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)


# --- the server ends ---


@slow
@pytest.mark.browser
def test_a_server_that_is_killed_in_mid_run_is_followed_by_one_with_the_same_bits(browser):
    with launched() as first, someone(browser) as page:
        page.goto(link(first.url, LONG))
        press_run(page)
        page.get_by_test_id("stProgress").wait_for()
        first.process.kill()
        first.process.wait()
    with launched() as second, visitor(browser) as page:
        page.goto(link(second.url, LONG))
        press_run(page)
        said(page, RAN)
        pd.testing.assert_frame_equal(curves(page), as_trained(LONG))


@slow
@pytest.mark.browser
def test_a_terminated_server_ends_at_once_and_leaves_no_process(browser: Browser):
    with launched() as server, someone(browser) as one, someone(browser) as other:
        one.goto(link(server.url, LONG.replace(total_timesteps=100_000)))
        press_run(one)
        one.get_by_test_id("stProgress").wait_for()
        other.goto(link(server.url, TORCH.replace(total_timesteps=100_000)))
        press_run(other)
        worker = a_worker(server.process.pid)
        started = time.monotonic()
        server.process.terminate()
        server.process.wait(30)
        assert time.monotonic() - started < ENDED
        for _ in range(1000):  # it ends when it sees the end of its pipe
            if gone(worker):
                break
            time.sleep(0.05)
        assert gone(worker)


# --- the line ---

SOCKETS = """
  window.sockets = []; window.asleep = false;
  window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      super(window.asleep ? url.replace(/^ws:[/][/][^/]*/, "ws://127.0.0.1:9") : url, protocols);
      window.sockets.push(this);
      this.heard = 0;
      this.addEventListener("message", () => { this.heard += 1; });
    }
  };
"""
CUT = "window.sockets.forEach((socket) => socket.close())"
OPEN = "window.sockets.at(-1).readyState === 1"
AGAIN = "window.sockets.length > 1 && window.sockets.at(-1).heard > 2"  # the page has run anew


@slow
@pytest.mark.browser
def test_a_line_that_is_cut_for_one_is_taken_up_again_and_others_go_on(browser: Browser):
    with launched() as server, someone(browser) as one, someone(browser) as other:
        one.add_init_script(SOCKETS)
        for page in (one, other):
            page.goto(f"{server.url}/bandit")
            page.get_by_role("button", name="Just show").first.click()
            said(page, "All the numbers")
        one.evaluate(CUT)
        for page in (other, one):
            if page is one:
                page.wait_for_function(f"window.sockets.length > 1 && {OPEN}")
            for view in ("Two arms", "One pull"):
                page.get_by_role("tab", name=view).click()
                page.wait_for_function(
                    "view => new URLSearchParams(location.search).get('bandit_view') === view",
                    arg=None if view == "One pull" else view,
                )
            said(page, "All the numbers")  # the question is still answered
            assert page.get_by_role("button", name="Just show").count() == 0


@slow
@pytest.mark.browser
def test_a_browser_that_slept_longer_than_its_session_gets_its_page_from_the_link(browser):
    environment = {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "1"}
    with launched(environment) as server, someone(browser) as page:
        page.add_init_script(SOCKETS)
        page.goto(f"{server.url}/train?v=2&algorithms=gae&num_seeds=7")
        said(page, RAN)
        page.evaluate(f"window.asleep = true; {CUT}")
        with someone(browser) as other:  # the server throws old sessions away when one ends
            time.sleep(1.5)
            other.goto(server.url)
            settled(other)
        page.evaluate("window.asleep = false")
        page.wait_for_function(OPEN)
        page.get_by_text("95% interval").first.click()  # the first click makes the page anew
        page.wait_for_function(AGAIN)
        said(page, RAN)
        assert "algorithms=gae" in page.url and "num_seeds=7" in page.url
        config = Config(algorithm="gae", num_seeds=7)
        pd.testing.assert_frame_equal(curves(page), as_trained(config))


# --- the clock ---


@slow
@pytest.mark.browser
def test_a_clock_that_jumps_changes_nothing(browser: Browser, tmp_path: Path):
    """time.time goes a day forward and back, call by call."""
    environment = habit(
        tmp_path,
        "import itertools, time\n"
        "right, days = time.time, itertools.cycle((0, 86400, -86400))\n"
        "time.time = lambda: right() + next(days)\n",
    )
    with launched(environment) as server, visitor(browser) as page:
        page.goto(f"{server.url}/train?v=2&algorithms=gae&num_seeds=7")
        said(page, RAN)
        pd.testing.assert_frame_equal(
            curves(page), as_trained(Config(algorithm="gae", num_seeds=7))
        )


def test_nothing_of_ours_reads_a_clock_that_can_jump():
    for file in [
        ROOT / "app.py",
        *(f for d in ("pgcore", "ui", "pages") for f in Path(ROOT, d).rglob("*.py")),
    ]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) not in ("time.time", "time.time_ns"), file
                assert node.attr not in ("now", "utcnow"), file
            if isinstance(node, ast.ImportFrom) and node.module == "time":
                assert not {"time", "time_ns"} & {name.name for name in node.names}, file
