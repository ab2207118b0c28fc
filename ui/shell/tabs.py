"""Tabs that session and link keep; only the open one need be filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.shell import controls, link
from ui.shell.pages import PARAMETERS


def tabs(name: str, labels: Mapping[str, str] | None = None) -> Sequence[Any]:
    """The containers of a page's tabs, whose `.open` is true for one of them.

    The widget has no `default`: Streamlit takes tabs with another default for other tabs, and
    forgets the click that changed it.

    Args:
        name: a choice among the page's parameters; its options are the tabs.
        labels: what the tabs say, by option; the options themselves if not given.
    """
    options, key = PARAMETERS[name].options, f"set_{name}"
    labels = labels or {option: option for option in options}
    st.session_state.setdefault(key, labels[open_tab(name, labels)])
    containers = st.tabs([labels[option] for option in options], key=key, on_change="rerun")
    for option, container in zip(options, containers, strict=True):
        if container.open:
            link.put(name, None if option == PARAMETERS[name].default else option)
    return containers


def open_tab(name: str, labels: Mapping[str, str]) -> str:
    """The option whose tab is open, before the tabs stand there."""
    clicked = st.session_state.get(f"set_{name}")
    return next((o for o, label in labels.items() if label == clicked), controls.value_of(name))
