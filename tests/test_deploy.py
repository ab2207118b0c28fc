"""The recipe of docs/deploy.md: files that agree with the project, and nginx before two servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import settled, until_healthy, visitor

ROOT = Path(__file__).parent.parent
NGINX = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
PORTS = re.findall(r"server 127\.0\.0\.1:(\d+)", NGINX)
TOKEN = "the owner of the two servers"


def test_the_image_holds_what_the_app_needs():
    copied = set(re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.MULTILINE))
    assert {"app.py", "pgcore", "pages", "ui", ".streamlit"} <= copied
    for name in copied:
        assert (ROOT / name).exists(), name


def test_the_image_runs_as_nobody_and_its_health_is_asked_for():
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users and users[-1] not in ("root", "0")
    assert "HEALTHCHECK" in DOCKERFILE and "/_stcore/health" in DOCKERFILE


def test_proxy_and_containers_agree_on_the_ports():
    assert len(PORTS) == 2
    assert re.findall(r"--server\.port=(\d+)", COMPOSE) == PORTS


@pytest.fixture
def two_servers() -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """nginx before two servers.  -> its address, and the servers"""
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    environment = os.environ | {"PGLAB_OWNER_TOKEN": TOKEN}
    run = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    with ExitStack() as stack:
        servers = []
        for port in PORTS:
            server = subprocess.Popen([*run, "--server.port", port], cwd=ROOT, env=environment)
            stack.callback(server.wait, 30)
            stack.callback(server.terminate)
            servers.append(server)
        for port in PORTS:
            until_healthy(f"http://127.0.0.1:{port}")
        proxy = subprocess.Popen([nginx, "-c", ROOT / "deploy" / "nginx.conf", "-e", "stderr"])
        stack.callback(proxy.wait, 30)
        stack.callback(proxy.terminate)
        address = "http://127.0.0.1:8080"
        until_healthy(address)
        yield address, servers


def _sessions(port: str) -> int:
    ask = urllib.request.Request(
        f"http://127.0.0.1:{port}/owner/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(ask, timeout=30) as answer:
        found = re.search(r"^pglab_sessions\{\} (\d+)", answer.read().decode(), re.MULTILINE)
    assert found
    return int(found[1])


@pytest.mark.slow
@pytest.mark.browser
def test_a_visitor_stays_with_a_server_and_goes_on_with_the_other_when_it_is_gone(
    browser, two_servers
):
    address, servers = two_servers
    with ExitStack() as stack:
        people = [stack.enter_context(visitor(browser)) for _ in range(8)]
        for person in people:
            person.goto(address)
            person.get_by_text("What is this lab about?").first.wait_for()
            settled(person)
            cookie = person.context.cookies()[0]
            assert cookie["name"] == "pglab" and cookie["httpOnly"]
        counts = [_sessions(port) for port in PORTS]
        assert sum(counts) == len(people)
        for person in people:
            person.reload()
            settled(person)
        assert [_sessions(port) for port in PORTS] == counts
        servers[0].terminate()
        servers[0].wait(300)
        for person in people:
            person.goto(f"{address}/bandit")
            person.get_by_text("What does a baseline change, and what not?").first.wait_for()
            settled(person)
        assert _sessions(PORTS[1]) == len(people)
