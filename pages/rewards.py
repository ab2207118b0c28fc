"""Shifted rewards: a constant less in every reward is no baseline."""

import streamlit as st

from ui.rewards import view as rewards
from ui.rewards import words
from ui.shell import figures, lesson, pages

pages.begin("rewards")
st.markdown(words.INTRODUCTION)

if lesson.predict(words.QUESTION) is None:
    st.stop()
figure = rewards.choose()
shown = rewards.train(figure)
if not shown:
    st.stop()
found = rewards.results(shown)
if found:
    rewards.reveal(figure, found)
curves, effect = st.columns(2)
with curves:
    rewards.learning(shown, figure, found)
if not found:
    st.stop()
with effect:
    rewards.effect_on_q(figure)
rewards.notation()
with st.expander("All the numbers", icon=":material/table:"):
    figures.table(shown, figure)
