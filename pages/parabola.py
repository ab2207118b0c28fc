"""The parabola: drag a constant baseline, and see its variance and what training makes of it."""

import streamlit as st

from ui.parabola import view as parabola
from ui.parabola import words
from ui.shell import glossary, lesson, measure, pages

pages.begin("parabola")
policy, beside = measure.choose_policy()

said, picture = st.columns([1, 2.5], gap="medium")
with said:
    asked = lesson.predict(words.question(policy.name, policy.config.batch_size))
if asked is None:
    with picture:
        parabola.waiting()
    st.stop()
with picture:
    found = measure.findings(policy, policy.config.batch_size)
if found is None:
    st.stop()
with beside:
    b = measure.choose_baseline(found.parabola, "visible")
with said:
    parabola.reveal(policy, found)
with picture:
    curve, learning = st.columns(2)
with curve:
    drawn = parabola.variance(policy, found, b)
with learning:
    configs, names = parabola.contenders(policy, found, b)
    ended = parabola.training(found, b, configs, names)

glossary.caption(words.MEANT)
pages.below()
st.markdown("##### A baseline far off")
parabola.far(policy, found)
parabola.numbers(policy, found, drawn, ended, names)
