"""Inside one update: one batch under the lens, in slow motion."""

import streamlit as st

from ui.inside import view as inside
from ui.shell import controls, measure, pages

pages.begin("inside")

policy, beside = measure.choose_policy()
found = measure.findings(policy, policy.config.batch_size)
if found is None:
    st.stop()
with beside:
    index = inside.choose_window(found.windows)
lens = inside.choose_estimator()
config = controls.figure_or_stop().config
every = inside.updates(found.windows, index, config)
inside.film(every, lens, config)

st.markdown("##### A bad action that was taken")
played = inside.in_hindsight(policy, found, index, every)
st.markdown("##### The same batch, every estimator")
inside.compare(found, every, played)
