"""Your baseline: type one, and have it judged, measured and trained."""

import streamlit as st

from ui.baseline import view as baseline
from ui.shell import measure, pages

pages.begin("baseline")

policy, beside = measure.choose_policy()
with beside:
    num_windows = measure.choose_num_windows(policy.config.batch_size)
formula = baseline.bar()
found = measure.findings(policy, policy.config.batch_size, num_windows)
if found is None:
    st.stop()
left, right = st.columns(2)
with left:
    baseline.judgement(policy, found, formula)
with right:
    baseline.training(policy, formula)
baseline.scoreboard(policy)
baseline.dictionary()
