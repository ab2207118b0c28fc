"""The app as its users meet it: a started server, and Chromium in front of it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# On a deep link Streamlit's front end first looks for the server below the page's own path.
STREAMLIT_PROBE = re.compile(r"/_stcore/(health|host-config)$")
NGINX = ROOT / "deploy" / "nginx.conf"
PORTS = sorted(set(re.findall(r"server 127\.0\.0\.1:(\d+)", NGINX.read_text("utf-8"))))
PROXY = "http://127.0.0.1:8080"  # where NGINX listens, before the servers at PORTS
PATIENCE = 180_000  # ms; the machine may be slow, and no test measures time

settings.register_profile("lab", deadline=None)  # for the same reason
settings.load_profile("lab")


class Server(NamedTuple):
    """A started server."""

    url: str
    process: subprocess.Popen


@contextmanager
def launched(
    environment: Mapping[str, str] | None = None,
    root: Path = ROOT,
    before: tuple[str, ...] = (),
    port: str = "",
) -> Iterator[Server]:
    """A fresh server of the app, with further variables, by way of a command such as prlimit."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    options = ["--server.port", port, "--server.address", "127.0.0.1"]
    server = subprocess.Popen(
        [*before, *command, *options],
        cwd=root,
        env=os.environ | dict(environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        until_healthy(url)
        yield Server(url, server)
    finally:
        server.terminate()
        server.wait(20)


def free_port() -> str:
    """A port of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def until_healthy(url: str) -> None:
    """Wait until the server at this address answers."""
    for _ in range(900):
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} does not answer")


@contextmanager
def served() -> Iterator[str]:
    """A fresh server of the app.  -> its address"""
    with launched() as server:
        yield server.url


@contextmanager
def proxy() -> Iterator[None]:
    """nginx at PROXY, before servers that run already."""
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([nginx, "-c", NGINX, "-e", "stderr"])
    try:
        until_healthy(PROXY)
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def behind_nginx(environment: Mapping[str, str] | None = None) -> Iterator[list[Server]]:
    """Two fresh servers of the app behind PROXY."""
    with ExitStack() as stack:
        servers = [stack.enter_context(launched(environment, port=port)) for port in PORTS]
        stack.enter_context(proxy())
        yield servers


class Clock:
    """Time as a test says."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of one server for all browser tests."""
    with served() as url:
        yield url


@pytest.fixture
def fresh_server() -> Iterator[str]:
    """The address of a server that nobody has visited."""
    with served() as url:
        yield url


def find_chromium() -> str:
    """The system's own Chromium."""
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    return os.environ.get("CHROMIUM") or next(filter(None, found))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def visitor(browser: Browser, **options) -> Iterator[Page]:
    """A person at the app; leaving asserts that nothing went wrong on the way."""
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 720}} | options))
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
    page.on("request", lambda request: _note_foreign(request.url, wrong))
    page.on("response", lambda response: _note_failed(response.status, response.url, wrong))
    page.on(
        "console",
        lambda message: (
            wrong.append(f"console: {message.text}")
            if message.type == "error" and "404 (Not Found)" not in message.text
            else None
        ),
    )
    yield page
    assert page.get_by_test_id("stException").count() == 0
    context.close()
    assert not wrong


def _note_foreign(url: str, wrong: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
        wrong.append(f"left the machine: {url}")


def _note_failed(status: int, url: str, wrong: list[str]) -> None:
    if status >= 400 and not STREAMLIT_PROBE.search(url):
        wrong.append(f"{status}: {url}")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A person with an empty browser of 1280 x 720."""
    with visitor(browser) as person:
        yield person


def settled(page: Page) -> None:
    """Wait until the page's script has run and nothing is being drawn."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


QUIET = """() =>
  document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-testid=stProgress], [data-testid=stSpinner], [data-stale=true]')
  && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')]
    .filter(chart => chart.checkVisibility()).every(chart => chart.querySelector('svg, canvas'))
  && document.getAnimations().every(animation => animation.playState !== 'running')
"""


def quiet(page: Page) -> None:
    """Wait until nothing is being computed, drawn or faded in."""
    page.wait_for_function(QUIET)
