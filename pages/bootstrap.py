"""Why bootstrap: the critic stands for the steps that a batch has not seen."""

import streamlit as st

from ui.bootstrap import view as bootstrap
from ui.bootstrap import words
from ui.shell import lesson, measure, pages

pages.begin("bootstrap")

if lesson.predict(words.QUESTION) is None:
    st.stop()
policy, beside = measure.choose_policy()
batch_size = measure.choose_batch_size(policy, beside)
measured = measure.findings(policy, batch_size)
if measured is None:
    st.stop()
found = bootstrap.compared(policy, measured)
if found is None:
    st.stop()

bootstrap.reveal(found)
left, right = st.columns(2)
with left:
    bootstrap.returns(found)
with right:
    bootstrap.updates(found)
st.markdown("##### Does an episode fit into a batch?")
left, right = st.columns(2)
with left:
    bootstrap.lengths(found)
with right:
    bootstrap.notation()
bootstrap.numbers(policy, found)
