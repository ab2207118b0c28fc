"""Folded contents, built only once they are opened: a rerun pays for everything that is built."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def fold(label: str, icon: str, key: str) -> DeltaGenerator | None:
    """The place below a line that opens and closes; None while it is closed.

    Args:
        key: names it on the page; the session keeps whether it is open.
    """
    place = st.expander(label, icon=icon, key=f"fold_{key}", on_change="rerun")
    return place if place.open else None
