"""Shifted rewards: a constant less in every reward is no baseline."""

import streamlit as st

from ui.rewards import view as rewards
from ui.rewards import words
from ui.shell import figures, lesson, pages

pages.begin("rewards")
introduction = st.container()
figure = rewards.choose()
said, picture = st.columns([1, 2.5], gap="medium")
with said:
    asked = lesson.predict(words.QUESTION)
if asked is None:
    introduction.markdown(words.INTRODUCTION)
    with picture:
        rewards.waiting(figure)
    st.stop()
with picture:
    shown = rewards.train(figure)
if not shown:
    st.stop()
found = rewards.results(shown)
if found:
    with said:
        rewards.reveal(figure, found)
with picture:
    curves, effect = st.columns(2)
with curves:
    rewards.learning(shown, figure, found)
if not found:
    st.stop()
with effect:
    rewards.effect_on_q(figure)
with st.expander("All the numbers", icon=":material/table:"):
    figures.table(shown, figure)
