"""What the server does beside the pages: headers on every answer, and the owner's figures."""

from __future__ import annotations

import base64

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pgcore.jobs import ENGINE, Job
from ui.server import owner
from ui.server.headers import HEADERS, Headers
from ui.server.owner import Figure

SECRET = "a token of the owner"


@pytest.fixture
def client(monkeypatch) -> TestClient:
    """A server with the owner's routes, without Streamlit round them."""
    monkeypatch.setattr(owner, "_sessions", lambda: 3)
    framed = {"x-content-type-options": "whatever", "x-ours": "kept"}
    plain = Route("/plain", lambda request: PlainTextResponse("plain", headers=framed))
    return TestClient(Starlette(routes=[*owner.ROUTES, plain], middleware=[Middleware(Headers)]))


@pytest.fixture
def token(monkeypatch) -> str:
    monkeypatch.setenv(owner.TOKEN, SECRET)
    return SECRET


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


def test_every_answer_has_the_headers_once(client):
    for path in ("/plain", "/owner", "/nowhere"):
        headers = client.get(path).headers
        for name, value in HEADERS.items():
            assert headers.get_list(name) == [value]
    assert client.get("/plain").headers["x-ours"] == "kept"


def test_the_policy_names_no_other_host():
    assert "//" not in HEADERS["content-security-policy"]
    assert "frame-ancestors 'self'" in HEADERS["content-security-policy"]


@pytest.mark.parametrize("value", [None, "", "short"])
def test_without_a_token_of_some_length_there_is_no_owner(client, monkeypatch, value):
    monkeypatch.delenv(owner.TOKEN, raising=False)
    if value is not None:
        monkeypatch.setenv(owner.TOKEN, value)
    for path in ("/owner", "/owner/metrics"):
        assert client.get(path, headers={"authorization": basic(value or "")}).status_code == 404


@pytest.mark.parametrize(
    "given",
    ["", "Basic", "Basic %%%", "Basic \xff", "Basic /w==", basic(""), basic(SECRET[:-1]),
     basic(SECRET + "x"), "Bearer", f"Bearer {SECRET} ", "Bearer \xff", SECRET, "x" * 100_000],
)  # fmt: skip
def test_without_the_owners_token_nothing_is_told(client, token, given):
    for path in ("/owner", "/owner/metrics"):
        answer = client.get(path, headers={"authorization": given.encode("latin-1")})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert "pglab" not in answer.text


def test_the_owner_sees_the_same_figures_as_a_page_and_as_text(client, token):
    with pytest.raises(ZeroDivisionError), owner.timed("train"):
        owner.note_error(ZeroDivisionError())
        raise ZeroDivisionError
    job = ENGINE.ask(Job("of the owner's test", lambda progress, control: None, "quick"))
    job.finished.wait()
    text = client.get("/owner/metrics", headers={"authorization": f"Bearer {token}"}).text
    lines = text.splitlines()
    assert "pglab_sessions{} 3" in lines
    assert 'pglab_errors_total{error="ZeroDivisionError"} 1' in lines
    assert any(line.startswith('pglab_page_runs_total{page="train"}') for line in lines)
    done = next(line for line in lines if line.startswith('pglab_jobs{lane="quick",status="done"}'))
    assert int(done.split()[-1]) >= 1
    page = client.get("/owner", headers={"authorization": basic(token)})
    assert "ZeroDivisionError" in page.text and page.headers["cache-control"] == "no-store"


def test_each_family_of_figures_has_one_head_and_its_lines_together():
    found = [Figure("a_total", 1, "A", {"x": "1"}), Figure("b", 2.5, "B"),
             Figure("a_total", 3, "A", {"x": "2"})]  # fmt: skip
    assert owner.as_prometheus(found) == (
        '# HELP a_total A\n# TYPE a_total counter\na_total{x="1"} 1\na_total{x="2"} 3\n'
        "# HELP b B\n# TYPE b gauge\nb{} 2.5\n"
    )


def test_the_page_shows_a_name_as_text():
    assert "&lt;b&gt;" in owner.as_page([Figure("a", 1, "A", {"x": "<b>"})])
