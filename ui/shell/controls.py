"""Widgets from Config's fields, and the settings they share with the URL.

The settings live in the session, whichever page is open; the URL is read once, when a session
begins, and written after every run. It is the reader's input: whatever Config refuses is said in
one sentence and the default stays.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.plotting.curves import BANDS

LINK_VERSION = 1
LAB_ALGORITHMS = ("policy_gradient", "batch_mean", "actor_critic")
FIELDS = {spec.name: spec for spec in fields(Config)}


@dataclass(frozen=True)
class Figure:
    """What a chart shows: some algorithms, one config for all of them."""

    algorithms: tuple[str, ...]
    config: Config  # its `algorithm` is one of `algorithms`

    @property
    def configs(self) -> dict[str, Config]:
        return {key: self.config.replace(algorithm=key) for key in self.algorithms}

    def to_query(self, whole: bool = False) -> dict[str, str]:
        """The figure as URL parameters; `whole` writes the defaults too."""
        values = self.config.to_strings()
        values.pop("algorithm")
        if not whole:
            values = {k: v for k, v in values.items() if v != str(FIELDS[k].default)}
        return {"algorithms": ",".join(self.algorithms)} | values


LAB = Figure(LAB_ALGORITHMS, Config.lab())
DEFAULT = Figure(LAB_ALGORITHMS, Config())


def parse_figure(texts: dict[str, str]) -> tuple[Figure, list[str]]:
    """The figure that a query describes, and a sentence for everything in it that is refused."""
    texts, refused = dict(texts), []
    names = [name for name in texts.pop("algorithms", "").split(",") if name]
    known = tuple(dict.fromkeys(name for name in names if name in ALGORITHMS))
    for name in names:
        if name not in ALGORITHMS:
            refused.append(
                f"algorithms names {name[:40]!r}; it must name some of {', '.join(ALGORITHMS)}."
            )
    config = Config()
    for name, text in texts.items():  # one by one, so that one bad value spoils only itself
        try:
            config = Config.from_strings(config.to_strings() | {name: text})
        except ValueError as error:
            refused.append(str(error))
    try:  # values that only fit each other together, such as a long run's interval
        config = Config.from_strings(texts)
        refused = [sentence for sentence in refused if sentence.startswith("algorithms")]
    except ValueError:
        pass
    algorithms = known or DEFAULT.algorithms
    return Figure(algorithms, config.replace(algorithm=algorithms[0])), refused


PRESETS = (
    ("Lab", LAB, ":material/science:", "The lab notebook's three tasks and last chart, as written"),
    ("Defaults", DEFAULT, ":material/restart_alt:", "The same, with the notebook's bugs corrected"),
)


# --- the session's settings and the URL ---


def settings() -> dict:
    """The session's settings: every field of Config but the algorithm, and the page's own."""
    if "settings" not in st.session_state:
        st.session_state["settings"] = {"band": "std", "kept": None}
        _adopt(DEFAULT)
    return st.session_state["settings"]


def _adopt(figure: Figure) -> None:
    values = {name: getattr(figure.config, name) for name in FIELDS if name != "algorithm"}
    st.session_state["settings"] |= values | {"algorithms": list(figure.algorithms)}
    for name in values | {"algorithms": None}:
        st.session_state.pop(f"set_{name}", None)


def adopt(figure: Figure) -> None:
    """Show this figure from now on (a preset, or a link)."""
    settings()
    _adopt(figure)


def read_link() -> None:
    """Take the settings from the URL, once a session."""
    if st.session_state.get("link_read"):
        return
    st.session_state["link_read"] = True
    state = settings()
    query = dict(st.query_params)
    version = query.pop("v", str(LINK_VERSION))
    refused = []
    if version != str(LINK_VERSION):
        refused.append(
            f"the link is of version {version[:10]!r} and this lab reads {LINK_VERSION}; "
            "what it still understands is shown."
        )
    band, kept = query.pop("band", "std"), query.pop("kept", "")
    for name in [name for name in query if name in PAGE_KEYS]:
        state[name] = query.pop(name)
    if band in BANDS:
        state["band"] = band
    else:
        refused.append(f"band is {band[:40]!r}; it must be one of {', '.join(BANDS)}.")
    if kept:
        state["kept"], problems = parse_figure(dict(urllib.parse.parse_qsl(kept)))
        refused += problems
    figure, problems = parse_figure(query)
    _adopt(figure)
    st.session_state["refused"] = refused + problems


PAGE_KEYS: set[str] = set()  # further URL parameters, each read and checked by its own page


def write_link() -> None:
    """Keep the page's state in its URL."""
    with suppress(ValueError):  # settings that do not fit together are said on the page
        st.query_params.from_dict(link_values(whole=False))


def link_values(whole: bool) -> dict[str, str]:
    """The parameters of a link; `whole` writes every value and the version."""
    state = settings()
    values = figure().to_query(whole)
    if whole:
        values["v"] = str(LINK_VERSION)
    if whole or state["band"] != "std":
        values["band"] = state["band"]
    if state["kept"]:
        values["kept"] = urllib.parse.urlencode(state["kept"].to_query())
    values |= {name: str(state[name]) for name in sorted(PAGE_KEYS) if state.get(name) is not None}
    return values


def link() -> str:
    """A link that reproduces this page, here or on another server of this version."""
    base = st.context.url or ""
    return base.split("?")[0] + "?" + urllib.parse.urlencode(link_values(whole=True))


def show_refusals() -> None:
    """Say, once, what the link asked for and could not have."""
    refused = st.session_state.pop("refused", [])
    if refused:
        sentences = "\n".join(f"- {sentence}" for sentence in refused)
        st.warning(f"From the link, with the default in its place:\n{sentences}")


def figure() -> Figure:
    """The figure of the current settings.

    Raises: ValueError, one sentence, if the settings do not fit together.
    """
    state = settings()
    algorithms = tuple(key for key in ALGORITHMS if key in state["algorithms"])
    if not algorithms:
        raise ValueError("No algorithm is chosen; choose at least one above the chart.")
    values = {name: state[name] for name in FIELDS if name != "algorithm"}
    return Figure(algorithms, Config(algorithm=algorithms[0], **values))


# --- widgets ---


def algorithm_picker() -> None:
    """One or several algorithms, by name."""
    state = settings()
    st.session_state.setdefault("set_algorithms", state["algorithms"])
    state["algorithms"] = st.pills(
        "Algorithms",
        list(ALGORITHMS),
        format_func=lambda key: ALGORITHMS[key].name,
        selection_mode="multi",
        key="set_algorithms",
        label_visibility="collapsed",
    )


def field_widget(name: str) -> None:
    """The widget of one of Config's fields, from its `setting(...)` line."""
    spec, state, key = FIELDS[name], settings(), f"set_{name}"
    bounds, label = spec.metadata, spec.metadata["help"]
    value: object
    st.session_state.setdefault(key, state[name])
    if isinstance(spec.default, bool):
        value = st.toggle(label, key=key)
    elif bounds["choices"]:
        value = st.selectbox(label, bounds["choices"], key=key)
    elif isinstance(spec.default, str):
        value = st.text_input(label, key=key, max_chars=200)
    elif bounds["log"]:
        options = sorted({*log_grid(name), state[name], st.session_state[key]})
        value = st.select_slider(label, options, key=key, format_func=lambda x: f"{x:,}")
    elif isinstance(spec.default, int):
        value = st.number_input(label, bounds["low"], bounds["high"], step=bounds["step"], key=key)
    else:
        value = st.slider(
            label, bounds["low"], bounds["high"], step=bounds["step"], key=key, format="%g"
        )
    state[name] = value


def log_grid(name: str) -> list:
    """1, 2, 5, 10, ... within a field's bounds, its default and ends included."""
    spec = FIELDS[name]
    low, high = spec.metadata["low"], spec.metadata["high"]
    kind: Callable = type(spec.default)  # type: ignore[assignment]
    if name == "batch_size" or name == "hidden_dim":  # powers of two, as everybody writes them
        grid = [2**k for k in range(12)]
    else:
        grid = [digit * 10.0**power for power in range(-6, 7) for digit in (1, 2, 5)]
        grid = [float(f"{value:.0e}") for value in grid]
    return [kind(x) for x in sorted({*grid, low, high, spec.default}) if low <= x <= high]


def field_widgets(names: Sequence[str]) -> None:
    """Several fields side by side."""
    for column, name in zip(st.columns(len(names)), names, strict=True):
        with column:
            field_widget(name)


def more_settings(names: Sequence[str]) -> None:
    """Fields behind a button."""
    with st.popover("More settings", icon=":material/tune:"):
        for name in names:
            # The browser makes these widgets when it opens: only a value set in the last run of
            # the page reaches them then, and without one they would show their least.
            key = f"set_{name}"
            st.session_state[key] = st.session_state.get(key, settings()[name])
            field_widget(name)


def toolbar(in_sight: Sequence[str]) -> tuple[Figure, DeltaGenerator]:
    """Further settings, band, presets, keep. Stops the page with a sentence if settings clash.

    Returns: the figure that the settings describe, and a place for the Run button.
    """
    state = settings()
    with st.container(horizontal=True, vertical_alignment="center"):
        more_settings([name for name in FIELDS if name not in [*in_sight, "algorithm"]])
        st.session_state.setdefault("set_band", state["band"])
        state["band"] = st.segmented_control(
            "Band", list(BANDS), key="set_band", label_visibility="collapsed", required=True
        )
        for label, preset, icon, text in PRESETS:
            st.button(label, icon=icon, help=text, on_click=adopt, args=(preset,))
        try:
            shown = figure()
        except ValueError as error:
            st.error(str(error))
            st.stop()
        if state["kept"]:
            st.button("Drop kept", icon=":material/close:", on_click=keep, args=(None,))
        text = "Keep these curves on the chart, dashed, to compare the next ones with"
        st.button("Keep", icon=":material/push_pin:", help=text, on_click=keep, args=(shown,))
        return shown, st.empty()


def keep(shown: Figure | None) -> None:
    """Keep a figure's curves on the chart, to compare the next one with; None drops them."""
    settings()["kept"] = shown


def python_code(figure: Figure) -> str:
    """The Python that reproduces the figure's numbers."""
    base = figure.config.replace(algorithm=Config().algorithm)
    inside = base.to_python()[len("Config(") : -1]
    arguments = f"algorithm=key, {inside}" if inside else "algorithm=key"
    return (
        "from pgcore import Config, train\n\n"
        f"for key in {list(figure.algorithms)!r}:\n"
        f"    history = train(Config({arguments}))\n"
        "    print(key, history.final_returns.mean(), history.final_returns.std(ddof=1))\n"
    )


def command_lines(figure: Figure) -> str:
    """The command line that does the same and writes CSV."""
    changed = figure.to_query()
    changed.pop("algorithms")
    flags = "".join(
        f" --{name.replace('_', '-')} {_quoted(text)}" for name, text in changed.items()
    )
    return "\n".join(
        f"python -m pgcore train --algorithm {key}{flags} --csv {key}.csv"
        for key in figure.algorithms
    )


def _quoted(text: str) -> str:
    return text if text.replace(".", "").replace("-", "").isalnum() else f'"{text}"'
