"""Take a figure away: its link, its data, its picture, the code that makes it again."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pgcore.runs import Run
from ui import controls


def panel(figure: controls.Figure, shown: Mapping[str, Run]) -> None:
    """Everything that leaves the page."""
    st.caption("Link: every setting, so that it reproduces these numbers")
    st.code(controls.link(), language=None, wrap_lines=True)
    histories = [run.history for run in shown.values() if run.history is not None]
    if histories:
        frame = pd.concat([history.to_frame() for history in histories], ignore_index=True)
        st.download_button(
            "CSV",
            frame.to_csv(index=False).encode(),
            "curves.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    st.caption("Picture: the chart's own menu, at its upper right, saves PNG and SVG.")
    st.caption("Python")
    st.code(controls.python_code(figure), language="python", wrap_lines=True)
    st.caption("Command line")
    st.code(controls.command_lines(figure), language="bash", wrap_lines=True)
