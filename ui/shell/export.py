"""Take a figure away: its link, its data, its picture, the code that makes it again."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pgcore.runs import Run
from ui.shell import link
from ui.shell.fold import fold
from ui.shell.pages import PARAMETERS
from ui.shell.series import Figure


def folded(figure: Figure, shown: Mapping[str, Run]) -> None:
    """The panel, behind a line that opens it."""
    if place := fold("Link, CSV, picture, code", ":material/ios_share:", "export"):
        with place:
            panel(figure, shown)


def panel(figure: Figure, shown: Mapping[str, Run]) -> None:
    """Everything that leaves the page."""
    st.caption("Link: every setting, so that it reproduces these numbers")
    st.code(link.address(PARAMETERS), language=None, wrap_lines=True)
    histories = [run.history for run in shown.values() if run.history is not None]
    if histories:
        st.download_button(
            "CSV",
            lambda: pd.concat([h.to_frame() for h in histories]).to_csv(index=False),
            "curves.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    st.caption("Picture: the download button at the chart's upper right saves it as PNG.")
    st.caption("Python")
    st.code(figure.to_python(), language="python", wrap_lines=True)
    st.caption("Command line")
    st.code(figure.to_commands(), language="bash", wrap_lines=True)
