"""What came from outside is shown here, and nowhere else: as plain text.

A link, a formula or the name of an environment may hold Markdown: an image that makes the
viewer's browser ask a foreign address, or a link with any words on it. `st.text` shows what it is
given, letter by letter.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

ICONS = {"info": ":material/info:", "warning": ":material/warning:", "error": ":material/error:"}


def notice(sentence: str, kind: str = "warning", title: str = "") -> None:
    """One sentence that may quote the visitor's own words."""
    notices([sentence], kind, title)


def notices(sentences: Sequence[str], kind: str = "warning", title: str = "") -> DeltaGenerator:
    """Several sentences in one box, below a title of ours.

    Args:
        kind: one of ICONS.
        title: our own words: this one is Markdown.

    Returns: the box.
    """
    box = st.container(border=True)
    box.markdown(f"{ICONS[kind]} {title}".strip())
    for sentence in sentences:
        box.text(sentence)
    return box
