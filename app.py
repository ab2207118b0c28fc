"""The frame round every page: page config, theme, navigation. Run with `streamlit run app.py`."""

import streamlit as st

from ui.shell import figures, link, pages

# The theme's primary colour is text and ground. Light enough for text on a dark page, it is too
# light for Streamlit's white: what is written on it takes the page's own ground, dark or white.
ON_PRIMARY = (
    '[data-testid^="stBaseButton-primary"]:enabled, [data-testid="stMultiSelect"] [data-tag]'
)

page = pages.navigation(position="top")
st.set_page_config(page_title=f"{page.title} · Policy Gradient Lab", page_icon="🎯", layout="wide")
st.html(f"<style>{ON_PRIMARY} {{ color: {figures.background()} }}</style>")
st.session_state["framed"] = True
link.read(pages.PARAMETERS)
try:
    page.run()
finally:  # also when the page stops early
    link.write(pages.PARAMETERS)
