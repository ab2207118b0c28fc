"""The cloud: every arrow is one batch's estimate of the gradient."""

import streamlit as st

from ui.cloud import view as cloud
from ui.cloud import words
from ui.shell import lesson, measure, pages

pages.begin("cloud")
lesson.true_gradient()

if lesson.predict(words.QUESTION) is None:
    st.stop()
policy, beside = measure.choose_policy()
batch_size = measure.choose_batch_size(policy, beside)
answer, choice = st.columns(2)
with choice:
    keys = cloud.choose_panels()
found = measure.findings(policy, batch_size)
if found is None:
    st.stop()
with answer:
    cloud.reveal(found)
cloud.panels(found, keys)
cloud.legend(found)

st.markdown("##### What was measured here")
cloud.numbers(policy, found)
st.markdown("##### Larger batches")
cloud.against_batch_size(policy, keys)
