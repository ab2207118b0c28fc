"""The exact pages' sliders and tabs, kept by the session and the link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.shell import link
from ui.shell.controls import slider as knob
from ui.shell.controls import turn, value_of
from ui.shell.pages import PARAMETERS

__all__ = ["knob", "turn", "value_of", "views"]


def views(name: str) -> Sequence[Any]:
    """The page's tabs; only the one whose `.open` is true need be filled."""
    labels = PARAMETERS[name].options
    tabs = st.tabs(labels, key=f"set_{name}", default=link.get(name), on_change="rerun")
    shown = next(label for label, tab in zip(labels, tabs, strict=True) if tab.open)
    link.put(name, None if shown == labels[0] else shown)
    return tabs
