"""Where variance comes from: actions, what followed, states; and the critic that should help."""

import streamlit as st

from ui.shell import lesson, measure, pages
from ui.variance import view as variance
from ui.variance import words

pages.begin("variance")

if lesson.predict(words.QUESTION) is None:
    st.stop()
policy, _ = measure.choose_policy()
parts = variance.sources(policy)
if parts is None:
    st.stop()
here = parts[policy.steps]

variance.reveal(here)
left, right = st.columns([2.4, 1])
with left:
    variance.bars(parts, policy.steps)
with right:
    variance.scatter(parts, policy.steps)
variance.explain(here, policy.name)
variance.table(parts)
st.markdown("##### Is this seed alone?")
variance.every_seed(policy)
