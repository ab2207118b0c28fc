"""Start: thirty agents learn before the reader's eyes; then one question, and three ways on."""

import streamlit as st

from ui.shell import glossary, pages
from ui.start import view, words

pages.begin("start")
with st.container(key="spoken"):
    glossary.say(words.OPENING)
view.show()
view.ways_on()
view.the_path()
pages.contents()
