"""The frame round every page: page config, theme, navigation. Run with `streamlit run app.py`."""

import streamlit as st

from ui import controls, pages

st.set_page_config(page_title="Policy Gradient Lab", page_icon="🎯", layout="wide")
st.session_state["framed"] = True
page = pages.navigation(position="top")
controls.read_link()
page.run()
controls.write_link()
