"""Why bootstrap: the critic stands for the steps that a batch has not seen."""

import streamlit as st

from ui.bootstrap import view as bootstrap
from ui.bootstrap import words
from ui.shell import lesson, measure, pages

pages.begin("bootstrap")

policy, beside = measure.choose_policy()
batch_size = measure.choose_batch_size(policy, beside)
said, picture = st.columns([1, 2.5], gap="medium")
with said:
    asked = lesson.predict(words.question(policy.name, batch_size))
with picture:
    measured = measure.findings(policy, batch_size)
    found = bootstrap.compared(policy, measured) if measured else None
if found is None:
    st.stop()
if asked is None:
    with picture:
        bootstrap.waiting(found)
    st.stop()

with said:
    bootstrap.reveal(policy, found)
with picture:
    left, right = st.columns(2)
with left:
    bootstrap.returns(found)
with right:
    bootstrap.updates(found)
pages.below()
st.markdown("##### Does an episode fit into a batch?")
left, right = st.columns(2)
with left:
    bootstrap.lengths(found)
with right:
    bootstrap.notation()
bootstrap.numbers(policy, found)
