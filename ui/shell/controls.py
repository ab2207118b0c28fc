"""Widgets whose values session and link keep: Config's fields, and the pages' parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.plotting import bands
from ui.shell import figures, link
from ui.shell.notice import notice
from ui.shell.pages import PARAMETERS
from ui.shell.series import DEFAULT, FIELDS, LAB, MOST_SERIES, VARIABLE, Figure

PRESETS = (
    (
        "The lab notebook, as written",
        LAB,
        ":material/science:",
        "Takes over three habits of the notebook. An episode that the clock ends counts as a fall. "
        "All episodes of a seed start in one state. The batch-mean agent trains no critic.",
    ),
    (
        "Start values",
        DEFAULT,
        ":material/restart_alt:",
        "Puts every setting back to where it stood when you opened the lab.",
    ),
)
NOTEBOOK = (
    "The **lab notebook** is the exercise that this lab grew from. It compares three agents, "
    "with ten seeds each."
)
SHORT = {"std": "mean ± std", "95%": "95% interval", "seeds": "single seeds"}  # names of bands
HELP = {  # what turning a field's widget does
    "num_seeds": "More seeds: the means are known better. Each seed is one more agent that learns "
    "from its own chance.",
    "first_seed": "Another first seed: other agents, with other chance.",
    "total_timesteps": "More steps: every agent learns for longer.",
    "batch_size": "More steps in a batch: each update scatters less, and there are fewer updates.",
    "hidden_dim": "More hidden units: the networks can represent more, and train more slowly.",
    "learning_rate": "Higher: each update moves the policy further, and its noise too.",
    "critic_learning_rate": "Higher: the critic follows the returns faster.",
    "gamma": "Lower: rewards that come later count less. A return then looks less far ahead.",
    "reward_offset": "Adds this number to every reward while training. It changes the task.",
    "gae_lambda": "Lower: GAE trusts the critic sooner. Less variance, more bias.",
    "value_coef": "Higher: the critic's error weighs more beside the policy's loss.",
    "entropy_coef": "Higher: the policy is rewarded for staying undecided.",
    "baseline": "The number that the algorithm Constant subtracts from every Q.",
    "formula": "What the algorithm Your baseline subtracts or weighs with.",
    "clip_range": "Smaller: PPO stops an action's probability sooner from moving away.",
    "num_epochs": "More: PPO uses each batch more often.",
    "minibatch_size": "Smaller: PPO makes more updates of each batch, and each scatters more.",
    "eval_interval": "Shorter: more points on each curve.",
    "eval_episodes": "More: each point scatters less.",
    "eval_greedy": "On: evaluations take the most probable action. Off: they draw an action.",
    "bootstrap_truncation": "On: where the clock ends an episode, the critic's value stands for "
    "the rest. Off: the episode counts as a fall.",
    "fixed_start": "On: every episode of a seed starts in one state. Off: each has its own.",
    "learner": "Compiled is fast and plays CartPole. Autograd plays other environments, slowly.",
}


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
    """One or several algorithms, by name, each with the colour of its curve."""
    state, colours = link.settings(), figures.palette()

    def name(key: str) -> str:
        entry = ALGORITHMS[key]
        if state["vary"]:  # then a curve's colour stands for the value that varies
            return entry.name
        return f':color[●]{{foreground="{colours[entry.colour]}"}} {entry.name}'

    st.session_state.setdefault("set_algorithms", state["algorithms"])
    state["algorithms"] = st.pills(
        "Algorithms",
        list(ALGORITHMS),
        format_func=name,
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
    text = HELP.get(name)
    bounds, label, varied = spec.metadata, spec.metadata["help"], state["vary"] == name
    value: object
    st.session_state.setdefault(key, state[name])
    if isinstance(spec.default, bool):
        value = st.toggle(label, key=key, disabled=varied, help=text)
    elif bounds["choices"]:
        value = st.selectbox(label, bounds["choices"], key=key, help=text)
    elif isinstance(spec.default, str):
        value = st.text_input(label, key=key, max_chars=200, help=text)
    elif bounds["log"]:
        options = sorted({*grid(name), state[name], st.session_state[key]})
        value = st.select_slider(
            label, options, key=key, format_func="{:,}".format, disabled=varied, help=text
        )
    elif isinstance(spec.default, int):
        value = st.number_input(
            label, bounds["low"], bounds["high"], step=bounds["step"], key=key, disabled=varied,
            help=text,
        )  # fmt: skip
    else:
        value = st.slider(
            label, bounds["low"], bounds["high"], step=bounds["step"], key=key, format="%g",
            disabled=varied, help=text,
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


def field_widgets(names: Sequence[str], columns: int) -> None:
    """Several fields in rows of so many."""
    for first in range(0, len(names), columns):
        row = st.columns(columns, vertical_alignment="bottom")
        for column, name in zip(row, names[first : first + columns], strict=False):
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


def toolbar(in_sight: Sequence[str]) -> Figure:
    """Band, further settings, comparison, keep, presets.

    Stops the page with a sentence if settings clash.

    Returns: the figure that the settings describe.
    """
    state = link.settings()
    band_picker()
    with st.container(horizontal=True):
        more_settings([name for name in FIELDS if name not in [*in_sight, "algorithm"]])
        compare()
    st.caption(NOTEBOOK)
    with st.container(horizontal=True):
        for label, preset, icon, text in PRESETS:
            st.button(label, icon=icon, help=text, on_click=link.adopt, args=(preset,))
        shown = _checked()
        text = "They stay on the chart, dashed, so that the next ones can be compared with them."
        st.button(
            "Keep these curves", icon=":material/push_pin:", help=text, on_click=keep,
            args=(shown,),
        )  # fmt: skip
        if state["kept"]:
            st.button("Drop the kept curves", icon=":material/close:", on_click=keep, args=(None,))
    return shown


def band_picker() -> None:
    """Which band stands round a curve."""
    state = link.settings()
    st.session_state.setdefault("set_band", state["band"])
    state["band"] = st.segmented_control(
        "Round each curve", bands.quick(), key="set_band", required=True,
        format_func=lambda key: SHORT.get(key, bands.BANDS[key].name),
        help=" ".join(f"*{SHORT.get(k, k)}*: {bands.BANDS[k].lesson}" for k in bands.quick()),
    )  # fmt: skip


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
