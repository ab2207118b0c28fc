"""The sentence of the lecture: the gradient, each symbol named, and why b adds no bias."""

from __future__ import annotations

import streamlit as st

from ui.shell import glossary

EQUATION = (
    r"\nabla_\theta J = E\bigl[\, \Psi_t \; \nabla_\theta \log \pi_\theta(a_t \mid s_t) \,\bigr],"
    r"\qquad \Psi_t = Q_t - b(s_t)"
)
SYMBOLS = (
    (r"J", "what is to be made large: the mean of the [[gamma|discounted]] [[return]]"),
    (r"\theta", "the parameters of the policy, the weights of a small network"),
    (r"\nabla_\theta J", "the direction in parameter space in which J grows fastest; on the pages "
     "it is an arrow"),
    (r"s_t", "the [[state]] at step t: where the cart and the pole are, and how fast they move"),
    (r"a_t", "the action that was taken there: push left or right"),
    (r"\pi_\theta(a \mid s)", "the [[policy]]: how probable it makes action a in state s"),
    (r"\nabla_\theta \log \pi_\theta", "the [[score]]: the direction that makes the action that "
     "was taken more probable"),
    (r"Q_t", "the discounted return that followed the action, an estimate of [[q|Q(s, a)]]"),
    (r"b(s_t)", "the [[baseline]]: 0 for plain policy gradient, the [[batch]]'s mean, or the "
     "[[critic]]'s [[v|value]]"),
    (r"\Psi_t", "the [[psi|weight]]: more of this action if it is positive, less if it is "
     "negative"),
    (r"E", "the mean over states and actions that the policy meets; a batch of 32 steps estimates "
     "it, and the estimate scatters"),
)  # fmt: skip
PROOF = (
    r"\begin{aligned} E_a\bigl[b(s)\,\nabla\log\pi(a|s)\bigr] &= b(s)\sum_a \pi(a|s)\,"
    r"\frac{\nabla\pi(a|s)}{\pi(a|s)} \\ &= b(s)\,\nabla\sum_a\pi(a|s) = b(s)\,\nabla 1 = 0"
    r"\end{aligned}"
)


def show() -> None:
    """The equation, its symbols, and the proof."""
    st.latex(EQUATION)
    glossary.say("\n".join(f"- ${symbol}$: {meaning}." for symbol, meaning in SYMBOLS))
    glossary.say(
        "A baseline adds no [[bias]], as long as it does not depend on the action: the "
        "probabilities of all actions sum to 1, whatever θ is."
    )
    st.latex(PROOF)
