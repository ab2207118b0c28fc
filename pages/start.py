"""Start: the lab's question, answered at once by thirty agents."""

import streamlit as st

from ui import controls, figures, live, pages

pages.require_frame()
pages.heading("start")
controls.show_refusals()
live.wait_until_compiled()

st.markdown(
    "An agent balances a pole on a cart. It learns by **policy gradients**: actions that were "
    "followed by much return become more probable. The estimate of that gradient is noisy, and a "
    "**baseline**, subtracted from the return, makes it less so. Below, the lab's three agents "
    "learn on your machine as you read: the return alone, the return less the batch's mean, and "
    "the return less a learned state value."
)
shown = live.start(controls.DEFAULT.configs)
live.watch(shown, lambda: figures.learning_curves(shown, controls.DEFAULT, "std"))
figures.verdict(shown)

first, second = st.columns(2)
with first:
    st.page_link(
        "pages/train.py", label="**Train**: choose, change, compare", icon=":material/show_chart:"
    )
with second:
    if st.button("The lab notebook's experiment, as written", icon=":material/science:"):
        controls.adopt(controls.LAB)
        st.switch_page("pages/train.py")
