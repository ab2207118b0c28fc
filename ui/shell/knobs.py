"""The exact pages' knobs: one line each, kept by the session and the link."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import streamlit as st

from ui.shell import controls


class Knob(NamedTuple):
    """A slider: a range, or the options it can stand at."""

    label: str
    default: float
    low: float = 0
    high: float = 0
    step: float = 1
    options: tuple[float, ...] = ()


COUNTS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
KNOBS = {
    "bandit_b": Knob("Constant baseline b", 0.0, -100.0, 100.0, 0.1),
    "bandit_w1": Knob("Weight of arm 1", 2, 1, 20),
    "bandit_w2": Knob("Weight of arm 2", 3, 1, 20),
    "bandit_w3": Knob("Weight of arm 3", 5, 1, 20),
    "bandit_q1": Knob("Q of arm 1", 1.0, -5.0, 5.0, 0.5),
    "bandit_q2": Knob("Q of arm 2", 2.0, -5.0, 5.0, 0.5),
    "bandit_q3": Knob("Q of arm 3", 4.0, -5.0, 5.0, 0.5),
    "bandit_noise": Knob("Noise: standard deviation of a reward", 0.0, 0.0, 3.0, 0.25),
    "bandit_pulls": Knob("Pulls in an update", 4, 2, 32),
    "bandit_runs": Knob("Runs of each baseline", 1000, options=COUNTS[1:7]),
    "bandit_step": Knob("Step size", 0.5, 0.1, 1.0, 0.1),
    "bandit_never": Knob("Constant baseline b", -1.0, -3.0, 0.5, 0.1),
    "pole_t0": Knob("θ at 0", 1.2, -3.0, 3.0, 0.1),
    "pole_t1": Knob("θ at 1", 0.1, -3.0, 3.0, 0.1),
    "pole_t2": Knob("θ at 2, the start", 0.3, -3.0, 3.0, 0.1),
    "pole_t3": Knob("θ at 3", -0.6, -3.0, 3.0, 0.1),
    "pole_t4": Knob("θ at 4", -0.2, -3.0, 3.0, 0.1),
    "pole_gamma": Knob("Discount γ", 0.9, 0.0, 0.99, 0.01),
    "pole_constant": Knob("The constant baseline", 5.0, -5.0, 15.0, 0.5),
    "pole_n": Knob("Windows sampled", 1000, options=COUNTS),
    "pole_draw": Knob("Draw", 0, 0, 1_000_000),
    "pole_error": Knob("Error of the critic, V ± e", 0.5, 0.0, 3.0, 0.25),
    "pole_averaged": Knob("Windows averaged in an update", 100, options=(1, 10, 100, 1000)),
    "pole_radius": Knob("Radius of the walk", 2.0, 0.5, 3.0, 0.5),
}
VIEWS = {
    "bandit_view": ("One pull", "Same variance, other fate", "Two arms"),
    "pole_view": ("Chain", "Estimates and truths", "Batch mean", "Lambda", "Two gradients"),
}
controls.PAGE_KEYS.update(KNOBS, VIEWS)


def show_refusals() -> None:
    """Say, once, what the link asked of these pages and could not have."""
    state = controls.settings()
    for name, spec in KNOBS.items():
        if _parsed(name) is None:
            allowed = f"a number from {spec.low:g} to {spec.high:g}"
            if spec.options:
                allowed = f"one of {', '.join(f'{option:g}' for option in spec.options)}"
            _refuse(name, allowed)
    for name, labels in VIEWS.items():
        if state.get(name) not in (None, *labels):
            _refuse(name, f"one of {', '.join(labels)}")


def _refuse(name: str, allowed: str) -> None:
    asked = str(controls.settings()[name])[:40]
    controls.settings()[name] = None
    st.warning(
        f"From the link: {name} is {asked!r}; it must be {allowed}. The default is shown instead."
    )


def _parsed(name: str) -> float | None:
    spec, asked = KNOBS[name], controls.settings().get(name)
    if asked is None:
        return spec.default
    with suppress(ValueError):
        value = type(spec.default)(asked)
        if value in spec.options or (not spec.options and spec.low <= value <= spec.high):
            return value
    return None


def knob(name: str, low: float | None = None, high: float | None = None) -> Any:
    """The slider of one knob and its value; `low` and `high` narrow the range for now."""
    spec, key = KNOBS[name], f"set_{name}"
    value = st.session_state.get(key, value_of(name))
    if spec.options:
        st.session_state[key] = value
        value = st.select_slider(spec.label, spec.options, key=key, format_func="{:,}".format)
    else:
        low, high = spec.low if low is None else low, spec.high if high is None else high
        st.session_state[key] = min(max(value, low), high)
        value = st.slider(spec.label, low, high, step=spec.step, key=key)
    _keep(name, value)
    return value


def value_of(name: str) -> Any:
    """A knob's value without its slider."""
    value = _parsed(name)
    return KNOBS[name].default if value is None else value


def turn(name: str, value: float) -> None:
    """Set a knob from a button, its slider included."""
    _keep(name, value)
    st.session_state[f"set_{name}"] = value


def _keep(name: str, value: float) -> None:
    """The link holds what is not the default."""
    controls.settings()[name] = None if value == KNOBS[name].default else value


def views(name: str) -> Sequence[Any]:
    """The page's tabs; only the one whose `.open` is true need be filled."""
    labels, state = VIEWS[name], controls.settings()
    tabs = st.tabs(labels, key=f"set_{name}", default=state.get(name), on_change="rerun")
    shown = next(label for label, tab in zip(labels, tabs, strict=True) if tab.open)
    state[name] = None if shown == labels[0] else shown
    return tabs
