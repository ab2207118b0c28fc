"""What stands round an experiment: equation and source, the question before it, the reveal after.

if lesson.predict(words.QUESTION) is None:            # the page keeps the result to itself
    st.stop()
...
lesson.reveal(words.QUESTION, truth, explanation)     # what was said, beside what was measured
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.stats import Interval
from ui.shell import axis
from ui.shell.glossary import say
from ui.shell.question import Mark, Question

# Relative to the page, so that it also holds where the app has a path of its own. It opens a new
# tab of the browser: that is a new session, and only a new session reads what a link holds.
TRUE_GRADIENT = (
    "The true gradient here is g∞: the mean that updates of this policy would have if every Q "
    "were exact. It is the gradient of no function (Nota & Thomas 2020); "
    "[ToyPole shows the two gradients](toypole?pole_view=Two+gradients)."
)


def equation_and_source(keys: list[str]) -> None:
    """One tab an algorithm: the weight as the lecture writes it and as the library runs it."""
    for tab, key in zip(st.tabs([ALGORITHMS[key].name for key in keys]), keys, strict=True):
        algorithm = ALGORITHMS[key]
        with tab:
            st.latex(r"\Psi_t = " + algorithm.psi)
            st.code(_source(algorithm.weight), language="python", wrap_lines=True)
            st.caption(f"Adds bias: {algorithm.bias}. {algorithm.reference}.")


_source = lru_cache(inspect.getsource)  # it reads and parses the file


def true_gradient() -> None:
    """What a page means by it; to stand where the page first names it."""
    st.caption(TRUE_GRADIENT)


# --- predict, and reveal ---


class Answer(NamedTuple):
    """What a reader said of a question, and how sure they were."""

    said: str | float | None  # an option's text or a marked number; None: "just show"
    sure: bool


class Verdict(NamedTuple):
    """A reveal as it was first shown."""

    text: str
    right: bool
    truth: str  # the answer in words
    explanation: str


class Missed(NamedTuple):
    """A question that was answered wrongly by a reader who was sure; it is asked again later."""

    question: Question
    verdict: Verdict
    page: str  # where it was asked


class Audience(Protocol):
    """Others who answer in the reader's place, such as a class before this screen."""

    def predict(self, question: Question | Mark) -> Answer | None:
        """As `predict`, of them."""

    def reveal(self, question: Question | Mark, truth: Any, explanation: str) -> None:
        """As `reveal`, to them."""


def listen(audience: Audience | None) -> None:
    """Ask an audience from now on in this session; None: the reader."""
    st.session_state["audience"] = audience


def audience() -> Audience | None:
    """Who answers in the reader's place."""
    return st.session_state.get("audience")


def predict(question: Question | Mark) -> Answer | None:
    """One question before its experiment.

    Returns: what the reader committed to, or None until then: the page then keeps the result to
    itself.
    """
    if others := audience():
        return others.predict(question)
    answers: dict[str, Answer] = st.session_state.setdefault("answers", {})
    st.session_state.setdefault("asked", {})[question.name] = None
    if question.name not in answers:
        with st.container(border=True, key=f"predict_{question.name}"):
            _ask(question)
    return answers.get(question.name)


def _ask(question: Question | Mark) -> None:
    """The question, its options or its axis, and the three ways to go on."""
    said: str | float | None
    title, key, name = f"**Predict.** {question.text}", f"say_{question.name}", question.name
    if isinstance(question, Question):
        said = st.radio(title, question.texts, index=None, key=key)
    else:
        said = st.slider(
            title, question.low, question.high, question.middle, question.step, key=key,
            format=f"%g{question.unit.replace('%', '%%')}",
        )  # fmt: skip
        _draw_axis(question, said)
    with st.container(horizontal=True):
        for label, sure in (("I am sure", True), ("I am guessing", False)):
            st.button(
                label, key=f"commit_{sure}_{name}", type="primary", disabled=said is None,
                on_click=_commit, args=(name, Answer(said, sure)),
            )  # fmt: skip
        show = Answer(None, sure=False)
        st.button("Just show", key=f"show_{name}", on_click=_commit, args=(name, show))


def asked() -> list[str]:
    """The names of the questions that the page has asked since this was called, in their order."""
    names = list(st.session_state.get("asked", ()))
    st.session_state["asked"] = {}
    return names


def just_show(names: Sequence[str]) -> bool:
    """Reveal the first of these questions that is open; whether there is one."""
    answers = st.session_state.setdefault("answers", {})
    name = next((name for name in names if name not in answers), None)
    if name is None:
        return False
    _commit(name, Answer(None, sure=False))
    return True


def ask_again(names: Sequence[str]) -> None:
    """Forget what was said of these questions."""
    for name in names:
        _forget(name)


def _commit(name: str, answer: Answer) -> None:
    st.session_state["answers"][name] = answer
    answered().add(name)


def _draw_axis(question: Mark, said: float | None, truth: Interval | None = None) -> None:
    st.vega_lite_chart(
        axis.rows(question, said, truth), axis.spec(question), key=f"axis_{question.name}",
        alt=axis.description(question, said, truth),
    )  # fmt: skip


def answered() -> set[str]:
    """The names of the questions that this reader has answered, or asked to be shown."""
    return st.session_state.setdefault("answered", set())


def reveal(question: Question | Mark, truth: Any, explanation: str) -> None:
    """What the experiment says, beside what the reader of `predict` said.

    The verdict belongs to the settings at which the prediction was made: it is kept as it was
    first shown. Settings that have moved since have a sentence of their own.

    Args:
        truth: the place of the measured option, or the measured number with its interval; None
            where nothing could be measured.
        explanation: for every reader, whatever they said.
    """
    if others := audience():
        others.reveal(question, truth, explanation)
        return
    name, answer = question.name, st.session_state["answers"][question.name]
    verdicts: dict[str, Verdict] = st.session_state.setdefault("verdicts", {})
    if answer.said is None:  # nothing was predicted, so nothing is kept
        verdicts.pop(name, None)
    said = question.verdict(answer.said, truth, explanation)
    now = Verdict(said.text, said.right, question.stated(truth), explanation)
    kept = verdicts.setdefault(name, now)
    row = st.container(horizontal=True)
    with row.container():
        say(kept.text)
        if (now.truth, now.explanation) != (kept.truth, kept.explanation):
            say(
                f"The settings have changed since. With the present ones: {now.truth} {explanation}"
            )
    row.button("Ask again", key=f"again_{name}", type="tertiary", on_click=_forget, args=(name,))
    if isinstance(question, Mark) and isinstance(truth, Interval):
        _draw_axis(question, answer.said, truth)
    wrong = truth is not None and not kept.right
    if isinstance(question, Question) and answer.sure and wrong:
        _missed().setdefault(name, Missed(question, kept, st.session_state.get("page", "")))


def _forget(name: str) -> None:
    for kept in ("answers", "verdicts"):
        st.session_state.get(kept, {}).pop(name, None)


# --- asked again, on a later page ---


def _missed() -> dict[str, Missed]:
    return st.session_state.setdefault("missed", {})


def once_more() -> None:
    """Ask again, on another page, what the reader was sure of and had wrong."""
    page = st.session_state.get("page")
    missed = next((missed for missed in _missed().values() if missed.page != page), None)
    if missed is None:
        return
    question, verdict = missed.question, missed.verdict
    with st.container(border=True, key="once_more"):
        title = f"**Once more.** Earlier you were sure of this one. {question.text}"
        said = st.radio(title, question.texts, index=None, key=f"once_{question.name}")
        if said is None:
            return
        say(f"It is: {verdict.truth} {verdict.explanation}")
        st.caption("The answer is that of the settings at which you predicted.")
        st.button("Close", key="once_read", on_click=_close, args=(question.name,))


def _close(name: str) -> None:
    _missed().pop(name, None)
