"""Which questions a reader has answered, kept in their browser: no account, nothing on the server.

The browser's list is the visitor's input: only names of questions on the path are taken from it.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.path.lessons import LESSONS
from ui.shell.lesson import answered

NAMES = {name for lesson in LESSONS for name in lesson.asks}
SCRIPT = """
const PLACE = "policy-gradient-lab.answered";
let read = false;
export default function ({ data, setStateValue }) {
  try {
    if (!read && !data.forgotten) {
      read = true;
      const kept = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
      if (Array.isArray(kept) && kept.some((name) => !data.answered.includes(name))) {
        setStateValue("kept", kept.slice(0, 100));
        return;
      }
    }
    localStorage.setItem(PLACE, JSON.stringify(data.answered));
  } catch {
    // A browser that keeps nothing: the session still knows.
  }
}
"""

_component = st.components.v2.component("progress", js=SCRIPT, html="<span hidden></span>")


def keep() -> None:
    """Read what the browser has kept, once, and keep what has been answered since."""
    forgotten = st.session_state.get("forgotten", False)
    _component(
        data={"answered": sorted(answered() & NAMES), "forgotten": forgotten},
        key="progress", on_kept_change=_take, height=1,
    )  # fmt: skip


def _take() -> None:
    """Add what the browser has kept from earlier visits."""
    answered().update(known(st.session_state["progress"].get("kept")))


def known(kept: Any) -> set[str]:
    """The questions of the path that a browser's list names; it may be anything."""
    names = kept if isinstance(kept, list) else []
    return {name for name in names if isinstance(name, str) and name in NAMES}


def forget() -> None:
    """Begin the path anew."""
    answered().clear()
    st.session_state["forgotten"] = True
