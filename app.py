"""The frame round every page: page config, theme, navigation. Run with `streamlit run app.py`."""

import streamlit as st

from ui import agents, cloud, controls, exact, inside, measure, pages, seeds

LINKED = (agents, cloud, exact, inside, measure, seeds)  # each adds its parameters to the link

page = pages.navigation(position="top")
st.set_page_config(page_title=f"{page.title} · Policy Gradient Lab", page_icon="🎯", layout="wide")
st.session_state["framed"] = True
controls.read_link()
try:
    page.run()
finally:  # also when the page stops early
    controls.write_link()
