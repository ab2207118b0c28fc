"""Where variance comes from: actions, what followed, states; and the critic that should help."""

import streamlit as st

from ui.shell import lesson, measure, pages
from ui.variance import view as variance
from ui.variance import words

pages.begin("variance")
policy, _ = measure.choose_policy()

said, picture = st.columns([1, 1.6], gap="medium")
with said:
    asked = lesson.predict(words.question(policy.name))
if asked is None:
    with picture:
        variance.waiting()
    st.stop()
with picture:
    parts = variance.sources(policy)
if parts is None:
    st.stop()
with said:
    variance.reveal(policy, parts[policy.steps])
with picture:
    variance.scatter(parts, policy.steps)

pages.below()
st.markdown("##### Which part of the variance can a baseline remove?")
variance.bars(parts, policy.steps)
variance.numbers(parts, policy)
st.markdown("##### The lever: a critic that learns faster")
variance.lever(policy)
st.markdown("##### Is this seed alone?")
variance.every_seed(policy)
