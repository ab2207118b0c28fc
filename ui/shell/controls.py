"""Widgets whose values session and link keep: Config's fields, and the pages' parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgcore.algorithms import ALGORITHMS
from pgcore.plotting import bands
from ui.shell import link
from ui.shell.notice import notice
from ui.shell.pages import PARAMETERS
from ui.shell.series import DEFAULT, FIELDS, LAB, MOST_SERIES, VARIABLE, Figure

PRESETS = (
    (
        "Lab",
        LAB,
        ":material/science:",
        "The lab notebook's three tasks, as written: a truncation ends the task, every episode of "
        "a seed starts in one state, and the batch-mean agent trains no critic",
    ),
    ("Defaults", DEFAULT, ":material/restart_alt:", "The same three agents, corrected"),
)


# --- the pages' parameters ---


def pick(
    widget: Callable[..., Any],
    name: str,
    label: str,
    options: Sequence[Any],
    default: Any,
    **details: Any,
) -> Any:
    """A widget over options that depend on what was trained or measured.

    What the link asked for and is not among them is said; the default is shown instead.
    """
    key = f"set_{name}"
    if st.session_state.get(key) not in options:
        asked = link.get(name)
        if asked is not None and asked not in options:
            notice(f"{name} is {asked}; here it must be {_range(options)}. {default} is shown.")
        st.session_state[key] = asked if asked in options else default
    chosen = widget(label, options, key=key, **details)
    link.put(name, None if chosen == default else chosen)
    return chosen


def _range(options: Sequence[Any]) -> str:
    if isinstance(options, range):
        return f"from {options[0]:,} to {options[-1]:,}"
    return f"one of {', '.join(map(str, options))}"


def slider(name: str, low: float | None = None, high: float | None = None, **details: Any) -> Any:
    """The slider of a page's number and its value; `low` and `high` narrow the range for now."""
    parameter, key = PARAMETERS[name], f"set_{name}"
    value = st.session_state.get(key, value_of(name))
    if parameter.options:
        st.session_state[key] = value
        value = st.select_slider(
            parameter.label, parameter.options, key=key, format_func="{:,}".format, **details
        )
    else:
        low = parameter.low if low is None else low
        high = parameter.high if high is None else high
        st.session_state[key] = min(max(value, low), high)
        value = st.slider(parameter.label, low, high, step=parameter.step, key=key, **details)
    _put(name, value)
    return value


def value_of(name: str) -> Any:
    """A page parameter's value without its widget."""
    value = link.get(name)
    return PARAMETERS[name].default if value is None else value


def turn(name: str, value: Any) -> None:
    """Set a page's parameter from a button, its slider included."""
    _put(name, value)
    st.session_state[f"set_{name}"] = value


def _put(name: str, value: Any) -> None:
    """The link holds what is not the default."""
    link.put(name, None if value == PARAMETERS[name].default else value)


# --- the figure ---


def algorithm_picker() -> None:
    """One or several algorithms, by name."""
    state = link.settings()
    st.session_state.setdefault("set_algorithms", state["algorithms"])
    state["algorithms"] = st.pills(
        "Algorithms",
        list(ALGORITHMS),
        format_func=lambda key: ALGORITHMS[key].name,
        selection_mode="multi",
        key="set_algorithms",
        label_visibility="collapsed",
    )
    for key, own in state["changes"].items():
        if own and key in state["algorithms"]:
            _say_change(key, own)


def _say_change(key: str, own: dict[str, Any]) -> None:
    """What holds for one algorithm alone, and a button that gives it the shared settings."""
    with st.container(horizontal=True, vertical_alignment="center"):
        settings = ", ".join(f"{FIELDS[name].metadata['help']}: {x}" for name, x in own.items())
        st.caption(
            f"{ALGORITHMS[key].name} alone has another setting. {settings}.", width="content"
        )
        st.button(
            "Use the shared setting", key=f"share_{key}", type="tertiary",
            on_click=own.clear,
        )  # fmt: skip


def field_widget(name: str) -> None:
    """The widget of one of Config's fields, from its `setting(...)` line."""
    spec, state, key = FIELDS[name], link.settings(), f"set_{name}"
    bounds, label, varied = spec.metadata, spec.metadata["help"], state["vary"] == name
    value: object
    st.session_state.setdefault(key, state[name])
    if isinstance(spec.default, bool):
        value = st.toggle(label, key=key, disabled=varied)
    elif bounds["choices"]:
        value = st.selectbox(label, bounds["choices"], key=key)
    elif isinstance(spec.default, str):
        value = st.text_input(label, key=key, max_chars=200)
    elif bounds["log"]:
        options = sorted({*grid(name), state[name], st.session_state[key]})
        value = st.select_slider(
            label, options, key=key, format_func="{:,}".format, disabled=varied
        )
    elif isinstance(spec.default, int):
        value = st.number_input(
            label, bounds["low"], bounds["high"], step=bounds["step"], key=key, disabled=varied
        )
    else:
        value = st.slider(
            label, bounds["low"], bounds["high"], step=bounds["step"], key=key, format="%g",
            disabled=varied,
        )  # fmt: skip
    state[name] = value


def grid(name: str) -> list:
    """Values of a field to choose from, its default and ends included.

    1, 2, 5, 10, ... where it is logarithmic, powers of two for sizes, else tenths of its range.
    """
    spec = FIELDS[name]
    kind: Callable = type(spec.default)  # type: ignore[assignment]
    if kind is bool:
        return [False, True]
    low, high = spec.metadata["low"], spec.metadata["high"]
    if name in ("batch_size", "hidden_dim", "minibatch_size"):  # as everybody writes them
        values = [2**k for k in range(12)]
    elif spec.metadata["log"]:
        values = [digit * 10.0**power for power in range(-6, 7) for digit in (1, 2, 5)]
        values = [float(f"{value:.0e}") for value in values]
    else:
        values = [low + (high - low) * k / 10 for k in range(11)] + [0.95, 0.99] * (high == 1)
        values = [round(value, 6) for value in values]
    return [kind(x) for x in sorted({*values, low, high, spec.default}) if low <= x <= high]


def field_widgets(names: Sequence[str]) -> None:
    """Several fields side by side."""
    for column, name in zip(st.columns(len(names)), names, strict=True):
        with column:
            field_widget(name)


def more_settings(names: Sequence[str]) -> None:
    """Fields behind a button; built only while it is open, since a rerun pays for each."""
    popover = st.popover(
        "More settings", icon=":material/tune:", key="more_settings", on_change="rerun"
    )
    if not popover.open:
        return
    with popover:
        for name in names:
            # The browser makes these widgets when it opens: only a value set in the last run of
            # the page reaches them then, and without one they would show their least.
            key = f"set_{name}"
            st.session_state[key] = st.session_state.get(key, link.settings()[name])
            field_widget(name)


def compare() -> None:
    """One setting over several values, each a curve of its own."""
    state = link.settings()
    label = "Compare" if state["vary"] is None else f"Comparing {state['vary']}"
    popover = st.popover(
        label, icon=":material/stacked_line_chart:", key="compare", on_change="rerun"
    )
    if not popover.open:
        return
    with popover:
        key = "set_vary"
        st.session_state.setdefault(key, state["vary"])
        name = st.selectbox(
            "Setting that varies", [None, *VARIABLE], key=key,
            format_func=lambda name: FIELDS[name].metadata["help"] if name else "none",
        )  # fmt: skip
        if name is None:
            state["vary"], state["values"] = None, []
            return
        key = f"set_values_{name}"
        usual = state["values"] if name == state["vary"] else _usual_values(name)
        st.session_state.setdefault(key, usual)
        options = sorted({*grid(name), *st.session_state[key]})
        values = st.multiselect(
            "Values, each a curve", options, key=key, max_selections=MOST_SERIES,
            format_func="{:g}".format,
        )  # fmt: skip
        state["vary"], state["values"] = name, sorted(values)


def _usual_values(name: str) -> list:
    """Four values of a field round its default, to begin with."""
    values = grid(name)
    middle = values.index(FIELDS[name].default)
    first = max(0, min(middle - 2, len(values) - 4))
    return values[first : first + 4]


def toolbar(in_sight: Sequence[str]) -> tuple[Figure, DeltaGenerator]:
    """Further settings, comparison, band, presets, keep.

    Stops the page with a sentence if settings clash.

    Returns: the figure that the settings describe, and a place for the Run button.
    """
    state = link.settings()
    with st.container(horizontal=True, vertical_alignment="center"):
        more_settings([name for name in FIELDS if name not in [*in_sight, "algorithm"]])
        compare()
        band_picker()
        for label, preset, icon, text in PRESETS:
            st.button(label, icon=icon, help=text, on_click=link.adopt, args=(preset,))
        shown = _checked()
        if state["kept"]:
            st.button("Drop kept", icon=":material/close:", on_click=keep, args=(None,))
        text = "Keep these curves on the chart, dashed, to compare the next ones with"
        st.button("Keep", icon=":material/push_pin:", help=text, on_click=keep, args=(shown,))
        return shown, st.empty()


def band_picker() -> None:
    """Which band stands round a curve."""
    state = link.settings()
    st.session_state.setdefault("set_band", state["band"])
    state["band"] = st.segmented_control(
        "Band", bands.quick(), key="set_band", label_visibility="collapsed", required=True
    )


def figure_or_stop(**changes: Any) -> Figure:
    """The figure of the settings, some of them changed; the page ends if they clash.

    A series an algorithm: the setting that varies varies on Train alone.
    """
    return replace(_checked(**changes), vary=None, values=())


def _checked(**changes: Any) -> Figure:
    try:
        return link.figure(**changes)
    except ValueError as error:
        notice(str(error), "error")
        st.stop()


def keep(shown: Figure | None) -> None:
    """Keep a figure's curves on the chart, to compare the next one with; None drops them."""
    link.settings()["kept"] = shown
