"""Who is here: how many pages are open, and which browser asks.

Nothing of this is kept or logged: a browser is known by the random token that Streamlit gives it
against forged requests, for as long as the server runs.
"""

from __future__ import annotations

import threading
from contextlib import suppress

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pgcore.limits import LIMITS

TOKEN = "_streamlit_xsrf"

_present: set[str] = set()  # sessions
_lock = threading.Lock()


def me() -> str:
    """The browser that asks; the session, where the browser sends no token."""
    with suppress(ValueError):
        return _unmasked(st.context.cookies.get(TOKEN, ""))
    return _session()


def _unmasked(token: str) -> str:
    """Streamlit masks the token with other bytes in each session of the same browser."""
    _, mask, masked, _ = token.strip("\"'").split("|")
    key, text = bytes.fromhex(mask), bytes.fromhex(masked)
    if len(key) != 4:
        raise ValueError("no mask")
    return bytes(byte ^ key[place % 4] for place, byte in enumerate(text)).hex()


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


def admit() -> None:
    """Stop the page of whoever comes while the server is full; whoever is here stays."""
    session = _session()
    if session in _present:
        return
    with _lock:
        if runtime.exists():
            server = runtime.get_instance()
            _present.intersection_update([s for s in _present if server.is_active_session(s)])
        full = len(_present) >= LIMITS.sessions
        if not full:
            _present.add(session)
    if full:
        st.info(
            f"This server is full. It allows at most {LIMITS.sessions:,} open pages. Please try "
            "again in a few minutes."
        )
        st.button("Try again", icon=":material/refresh:")  # every run of the page does
        st.stop()
