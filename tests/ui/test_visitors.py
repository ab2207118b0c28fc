"""Who is here: one browser is one owner, and a full server says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string

from pgcore.limits import Limits
from ui.shell import visitors

ROOT = Path(__file__).parents[2]


def test_a_browser_is_the_same_in_each_of_its_sessions():
    ours, others = b"0123456789abcdef", b"fedcba9876543210"
    first, second = (visitors._unmasked(generate_xsrf_token_string(ours)) for _ in range(2))
    assert first == second == ours.hex()
    assert visitors._unmasked(generate_xsrf_token_string(others)) == others.hex()


@pytest.mark.parametrize("token", ["", "2|a|b|c", "2||ff|1", "x", "2|ff|ff|1", "2|ffffffff|zz|1"])
def test_what_is_no_token_names_nobody(token):
    with pytest.raises(ValueError):
        visitors._unmasked(token)


def opened() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()


def test_a_full_server_says_so_and_keeps_whoever_is_here(monkeypatch):
    monkeypatch.setattr(visitors, "LIMITS", Limits(sessions=1))
    monkeypatch.setattr(visitors, "_present", {"another"})
    app = opened()
    assert [said.value for said in app.info] == [
        "This server is full. It allows at most 1 open pages. Please try again in a few minutes."
    ]
    visitors._present.clear()
    (again,) = app.button
    again.click().run()
    assert not app.info and not app.exception
    monkeypatch.setattr(visitors, "LIMITS", Limits(sessions=0))
    app.run()
    assert not any("full" in said.value for said in app.info)
