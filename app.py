"""The frame round every page: page config, theme, navigation. Run with `streamlit run app.py`."""

import streamlit as st

from ui.cloud import view as cloud
from ui.inside import view as inside
from ui.seeds import view as seeds
from ui.shell import controls, pages
from ui.shell import knobs as exact
from ui.shell import policy as measure
from ui.watch import agents

LINKED = (agents, cloud, exact, inside, measure, seeds)  # each adds its parameters to the link

page = pages.navigation(position="top")
st.set_page_config(page_title=f"{page.title} · Policy Gradient Lab", page_icon="🎯", layout="wide")
st.session_state["framed"] = True
controls.read_link()
try:
    page.run()
finally:  # also when the page stops early
    controls.write_link()
