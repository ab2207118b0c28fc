"""The parabola: drag a constant baseline, and see its variance and what training makes of it."""

import streamlit as st

from ui.parabola import view as parabola
from ui.parabola import words
from ui.shell import lesson, measure, pages

pages.begin("parabola")

if lesson.predict(words.QUESTION) is None:
    st.stop()
policy, beside = measure.choose_policy()
found = measure.findings(policy, policy.config.batch_size)
if found is None:
    st.stop()
with beside:
    b = measure.choose_baseline(found.parabola, "visible")

parabola.reveal(found)
left, right = st.columns(2)
with left:
    parabola.variance(policy, found, b)
with right:
    parabola.training(*parabola.contenders(policy, found, b))

st.markdown(
    r"Two actions make it a parabola: with $p = \pi(1|s)$ and $d = \nabla(z_1 - z_0)$, the "
    r"variance at a state is $p(1-p)\,|d|^2\,(b - b^*(s))^2$, where $b^*(s) = (1-p)\,Q_1 + p\,Q_0$ "
    r"is not the value $V(s) = p\,Q_1 + (1-p)\,Q_0$. For a whole batch it is $b^2\, "
    r"\mathrm{tr\,Var}(S) - 2b\, \mathrm{tr\,Cov}(G, S) + \mathrm{tr\,Var}(G)$, with $S$ the mean "
    "score: three measured numbers give the variance of every b (Greensmith, Bartlett & Baxter "
    "2004)."
)
st.markdown("##### A baseline far off")
parabola.far(policy, found)
