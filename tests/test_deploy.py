"""The recipe of docs/deploy.md: files that agree with the project, and nginx before two servers."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from conftest import PORTS, PROXY, ROOT, Server, behind_nginx, proxy, settled, visitor

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
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


def test_what_a_container_compiles_is_kept_on_a_volume():
    folder = re.search(r"NUMBA_CACHE_DIR=(\S+)", DOCKERFILE)
    assert folder and f'volumes: ["kernels:{folder[1]}"]' in COMPOSE


@pytest.fixture
def two_servers() -> Iterator[list[Server]]:
    """Two servers behind the proxy, whose owner asks them how many visitors they have."""
    with behind_nginx({"PGLAB_OWNER_TOKEN": TOKEN}) as servers:
        yield servers


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
    with ExitStack() as stack:
        people = [stack.enter_context(visitor(browser)) for _ in range(8)]
        for person in people:
            person.goto(PROXY)
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
        two_servers[0].process.terminate()
        two_servers[0].process.wait(300)
        for person in people:
            person.goto(f"{PROXY}/bandit")
            person.get_by_text("What does a baseline change, and what not?").first.wait_for()
            settled(person)
        assert _sessions(PORTS[1]) == len(people)


# --- the rooms of a class ---


class Stub(BaseHTTPRequestHandler):
    """A server process that says which one it is; screen and lecturer are sent on to the app."""

    def do_GET(self) -> None:
        enters = self.path.startswith(("/room/screen/", "/room/lecturer"))
        port = str(self.connection.getsockname()[1])
        body = b"ok" if self.path == "/_stcore/health" else port.encode()
        self.send_response(303 if enters else 200)
        if enters:
            self.send_header("Location", "/train?present=1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def stub(port: str) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", int(port)), Stub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


class Visitor:
    """Someone whose browser keeps cookies and follows redirects."""

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor()
        self.cookies = cookies.cookiejar
        self._opener = urllib.request.build_opener(cookies)

    def get(self, path: str) -> str:
        """-> the port of the process that answers, or the proxy's status"""
        try:
            with self._opener.open(PROXY + path, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return str(error.code)


def someone_at(port: str) -> Visitor:
    """A visitor whose cookie has led to this process."""
    return next(person for person in (Visitor() for _ in range(100)) if person.get("/") == port)


@pytest.mark.slow
@pytest.mark.parametrize("entrance", ["/room/screen/secret", "/room/lecturer"])
def test_every_room_lives_in_one_process_and_who_enters_stays_there(entrance):
    first, second = PORTS
    with ExitStack() as stack:
        gone = stack.enter_context(ExitStack())
        gone.enter_context(stub(first))
        stack.enter_context(stub(second))
        stack.enter_context(proxy())
        phones = [Visitor() for _ in range(20)] + [someone_at(port) for port in PORTS]
        assert {phone.get("/room/ABCDEF/state") for phone in phones} == {first}
        assert all(not phone.cookies for phone in phones[:20])  # a phone needs none
        screen, other = someone_at(second), someone_at(second)
        assert screen.get(entrance) == first
        paths = ("/", "/_stcore/stream", "/media/a.png")
        assert {screen.get(path) for path in paths} == {first}
        assert other.get("/") == second

        gone.close()  # the rooms are lost, and nobody else is asked for them
        assert phones[0].get("/room/ABCDEF/state") == phones[-1].get("/room/ABCDEF/state") == "502"
        assert screen.get("/") == second
        stack.enter_context(stub(first))
        assert screen.get("/") == first and phones[0].get("/room/ABCDEF/state") == first
