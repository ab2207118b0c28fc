"""Start: thirty agents learn before the reader's eyes; then one question, and three ways on."""

import streamlit as st

from ui.shell import pages
from ui.start import view, words

pages.begin("start")
st.markdown(words.OPENING)
view.show()
view.ways_on()
view.the_path()
pages.contents()
