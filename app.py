"""The frame round every page: page config, theme, navigation. Run with `streamlit run app.py`."""

import streamlit as st

from ui.path import view as path
from ui.shell import link, pages, style

page = pages.navigation(position="top")
file = page.url_path or pages.PAGES[0].file
st.set_page_config(page_title=f"{page.title} · Policy Gradient Lab", page_icon="🎯", layout="wide")
st.session_state["framed"] = True
link.read(pages.PARAMETERS)
pages.arrive(file)
above, body, below = (st.container() for _ in range(3))
with above:
    path.head(file)
with below:
    path.foot(file)
    style.apply()
try:
    with body:
        page.run()
finally:  # also when the page stops early
    link.write(pages.PARAMETERS)
