"""Inside one update: one batch under the lens, in slow motion."""

import streamlit as st

from ui.inside import view as inside
from ui.shell import controls, measure, pages

pages.begin("inside")

policy, beside = measure.choose_policy()
found = measure.findings(policy, policy.config.batch_size)
if found is None:
    st.stop()
batch, estimator = beside.columns(2)
with batch:
    index = inside.choose_window(found.windows)
with estimator:
    lens = inside.choose_estimator()
config = controls.figure_or_stop().config
every = inside.updates(found.windows, index, config)
asked, picture = st.columns([1, 2.2], gap="medium")
with picture:
    inside.film(every, lens, config)
with asked:
    played = inside.in_hindsight(policy, found, index, every)

pages.below()
if played:
    inside.on_average(played, every)
st.markdown("##### The same batch, every estimator")
inside.compare(found, every, played)
