"""The frame round every page: page config, theme, navigation. Run with `streamlit run app.py`."""

import streamlit as st

from ui.shell import link, pages

page = pages.navigation(position="top")
st.set_page_config(page_title=f"{page.title} · Policy Gradient Lab", page_icon="🎯", layout="wide")
st.session_state["framed"] = True
link.read(pages.PARAMETERS)
try:
    page.run()
finally:  # also when the page stops early
    link.write(pages.PARAMETERS)
