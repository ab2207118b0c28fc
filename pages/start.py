"""Start: the lab's question, answered at once by thirty agents."""

import streamlit as st

from ui.shell import figures, link, live, pages
from ui.shell.series import DEFAULT, LAB

pages.begin("start")

st.markdown(
    "An agent balances a pole on a cart and learns by **policy gradients**: an action that was "
    "followed by much return becomes more probable. The estimate of that gradient is noisy; a "
    "**baseline**, subtracted from the return, makes it less so. Here the lab's three agents learn "
    "on this machine, now: by the return alone, less the batch's mean, and less a learned value."
)
shown = live.run_or_offer(DEFAULT.configs, patience=live.ARRIVAL_SECONDS)
live.watch(shown, lambda: figures.learning_curves(shown, DEFAULT, "95%"))
figures.verdict(shown, DEFAULT)

with st.container(horizontal=True):
    if st.button("Change something", icon=":material/tune:", type="primary"):
        link.adopt(DEFAULT)
        st.switch_page("pages/train.py")
    if st.button("The lab notebook's experiment, as written", icon=":material/science:"):
        link.adopt(LAB)
        st.switch_page("pages/train.py")
pages.contents()
