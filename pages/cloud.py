"""The cloud: every arrow is one batch's estimate of the gradient."""

import streamlit as st

from ui.cloud import view as cloud
from ui.cloud import words
from ui.shell import glossary, lesson, measure, pages

pages.begin("cloud")
policy, beside = measure.choose_policy()
batch_size = measure.choose_batch_size(policy, beside)

said, picture = st.columns([1, 1.6], gap="medium")
with said:
    asked = lesson.predict(words.question(policy.name, batch_size))
if asked is None:
    with picture:
        cloud.waiting()
    st.stop()
with picture:
    found = measure.findings(policy, batch_size)
if found is None:
    st.stop()
with said:
    cloud.reveal(policy, batch_size, found)
    keys = cloud.choose_panels()
with picture:
    drawn = cloud.panels(found, keys)
pages.below()
glossary.say(words.on_the_scatter(found.measurements["policy_gradient"]))
glossary.say(words.on_the_means(drawn))
cloud.numbers(policy, found, drawn)
cloud.against_batch_size(policy, keys)
