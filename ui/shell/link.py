"""The link: what it may hold, read once a session, kept by it, written after every run.

A page's parameters are declared, typed, where the page is listed (pages.py); the settings of the
figure are Config's fields. A link is the visitor's input: what a type refuses is said in one
sentence, as plain text, and the default stays.

    link.get("window")            the value, or the default
    link.put("window", 3)         from now on, in the session and in the link
    link.follow("cloud?window_steps=256", PARAMETERS)      go there, as a visitor's link would
"""

from __future__ import annotations

import math
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.plotting import bands
from ui.shell.notice import notices
from ui.shell.series import DEFAULT, FIELDS, Figure, parse_figure

PAGES = frozenset(page.stem for page in Path(__file__).parents[2].glob("pages/*.py"))
MANY = 20  # options that a sentence lists
MOST_SAID = 50  # refused values that are said one by one
LONGEST = 20_000  # characters of a link; the longest that the lab writes has some 5,000
VERSION = 2  # of links; raise it when a link that was made before shows something else
_DRAWS = (
    "random streams were numbered anew, so its curves are those of other draws, as different as "
    "another seed's."
)
CHANGED = {
    "1": f"Since this link was made, {_DRAWS}",
    None: f"The link names no version. If it was made before version 2: {_DRAWS}",
}


@dataclass(frozen=True)
class Parameter:
    """One thing that a link may hold: one of some options, several of them, or a number."""

    name: str
    default: Any = None  # None: the page chooses, from what it has trained or measured
    label: str = ""
    options: tuple[Any, ...] = ()
    most: int = 1  # of the options at once; several are written with commas between
    low: float = 0
    high: float = 0
    step: float = 1
    secret: str = ""  # the pattern of a text that stands in this link alone, in no copied one

    @property
    def allowed(self) -> str:
        """What may stand here, in words."""
        if self.secret:
            return "as the lab wrote it"
        if not self.options:
            kind = "a whole number" if isinstance(self.low, int) else "a number"
            return f"{kind} from {self.low:,} to {self.high:,}"
        number = "one" if self.most == 1 else f"up to {self.most}"
        names = list(map(str, self.options))
        if len(names) > MANY:
            names = [*names[:3], f"... ({len(names)} in all)"]
        return f"{number} of {', '.join(names)}"

    def parse(self, text: str) -> Any:
        """The value of a text that nobody has checked.

        Raises: ValueError, one sentence that names parameter, text and what is allowed.
        """
        with suppress(ValueError, OverflowError):
            if self.most > 1:
                return [self._option(part) for part in text.split(",")[: self.most]]
            if self.options:
                return self._option(text)
            if self.secret:
                if re.fullmatch(self.secret, text):
                    return text
                raise ValueError
            value = type(self.low)(text)
            if math.isfinite(value) and self.low <= value <= self.high:
                return value
        raise ValueError(f"{self.name} is {text[:40]!r}; it must be {self.allowed}.")

    def _option(self, text: str) -> Any:
        for option in self.options:
            if str(option) == text:
                return option
        raise ValueError

    def write(self, value: Any) -> str:
        """The text of a value, as `parse` reads it."""
        return ",".join(map(str, value)) if self.most > 1 else str(value)


def choice(name: str, options: Iterable[Any], default: Any = None, label: str = "") -> Parameter:
    """One of some options."""
    return Parameter(name, default, label, tuple(options))


def several(name: str, options: Iterable[Any], most: int) -> Parameter:
    """Up to `most` of some options."""
    return Parameter(name, options=tuple(options), most=most)


def secret(name: str, pattern: str) -> Parameter:
    """A text of a pattern that copied links leave out."""
    return Parameter(name, secret=pattern)


def number(
    name: str, low: float, high: float, default: Any = None, step: float = 1, label: str = ""
) -> Parameter:
    """A number from low to high; whole if `low` is an int."""
    return Parameter(name, default, label, low=low, high=high, step=step)


# --- the session's values ---


def settings() -> dict[str, Any]:
    """The session's values by name: Config's fields, the figure's own, and the pages'."""
    if "settings" not in st.session_state:
        st.session_state["settings"] = {"band": "std", "kept": None}
        adopt(DEFAULT)
    return st.session_state["settings"]


def get(name: str) -> Any:
    """A parameter's value; None stands for its default."""
    return settings().get(name)


def put(name: str, value: Any) -> None:
    """Set a parameter; None puts it back to its default."""
    settings()[name] = value


def adopt(figure: Figure) -> None:
    """Show this figure from now on (a preset, or a link)."""
    values = {name: getattr(figure.config, name) for name in FIELDS if name != "algorithm"}
    values |= {
        "algorithms": list(figure.algorithms),
        "changes": {key: dict(own) for key, own in figure.changes.items()},
        "vary": figure.vary,
        "values": list(figure.values),
    }
    settings().update(values)
    for name in values:  # the widgets show the new values
        st.session_state.pop(f"set_{name}", None)


def figure(**changed: Any) -> Figure:
    """The figure of the session's settings, some of Config's fields changed.

    Raises: ValueError, one sentence, if they do not fit together.
    """
    state = settings()
    algorithms = tuple(key for key in ALGORITHMS if key in state["algorithms"])
    if not algorithms:
        raise ValueError("No algorithm is chosen; choose at least one above the chart.")
    values = {name: state[name] for name in FIELDS if name != "algorithm"} | changed
    changes = {key: own for key, own in state["changes"].items() if key in algorithms and own}
    return _figure(
        algorithms, tuple(values.items()),
        tuple((key, tuple(own.items())) for key, own in changes.items()),
        state["vary"], tuple(state["values"]),
    )  # fmt: skip


@lru_cache(maxsize=512)
def _figure(
    algorithms: tuple[str, ...],
    values: tuple[tuple[str, Any], ...],
    changes: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...],
    vary: str | None,
    varied: tuple[Any, ...],
) -> Figure:
    """Built and checked once for all sessions with these settings: a rerun asks several times."""
    config = DEFAULT.config.replace(algorithm=algorithms[0], **dict(values))
    own = {key: dict(changed) for key, changed in changes}
    return Figure(algorithms, config, own, vary, varied)


# --- the URL ---


def read(parameters: Mapping[str, Parameter]) -> None:
    """Take the values from the URL, once a session."""
    if st.session_state.get("link_read"):
        return
    st.session_state["link_read"] = True
    _take(st.query_params.to_dict(), parameters)


def follow(address: str, parameters: Mapping[str, Parameter]) -> None:
    """Go to a page of the lab in this session, in the state that an address names; ends the run.

    The address is the visitor's input, as the browser's is: what is refused is said on the page.
    What it does not name is as the lab begins. Without a version it is of the present one.

    Args:
        address: "cloud?window_steps=256". Of a whole link, "http://...", the end counts.
    """
    page, query = split(address)
    if page not in PAGES:
        st.session_state["refused"] = [f"the lab has no page {page[:40]!r}."]
        st.rerun()
    for name in parameters:
        put(name, None)
        st.session_state.pop(f"set_{name}", None)
    put("kept", None)
    _take({"v": str(VERSION)} | query, parameters)
    st.session_state.pop("set_band", None)
    st.switch_page(f"pages/{page}.py")


def split(address: str) -> tuple[str, dict[str, str]]:
    """The page that an address names, and its query.  "a/cloud?b=1" -> "cloud", {"b": "1"}"""
    path, _, query = address.partition("#")[0].partition("?")
    page = path.rstrip("/").rpartition("/")[2]
    return page, dict(urllib.parse.parse_qsl(query, keep_blank_values=True))


def base(url: str) -> str:
    """The lab's address, from a page's.  "http://a/b/class?x=1" -> "http://a/b/" """
    parts = urllib.parse.urlsplit(url)
    above, _, page = parts.path.rpartition("/")
    path = above if page in PAGES else parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}/"


def _take(query: dict[str, str], parameters: Mapping[str, Parameter]) -> None:
    """Show what a query asks for; what is refused waits in the session until it is read."""
    values, refused = parse(query, parameters)
    adopt(values.pop("figure"))
    settings().update(values)
    st.session_state["refused"] = refused


def parse(
    query: dict[str, str], parameters: Mapping[str, Parameter]
) -> tuple[dict[str, Any], list[str]]:
    """The values of a query, its figure among them, and a sentence for all that is refused."""
    query, values, refused = dict(query), {}, []
    if (length := sum(map(len, (*query, *query.values())))) > LONGEST:
        refused.append(f"the link has {length:,} characters; it must have at most {LONGEST:,}.")
        query = {}
    version = query.pop("v", None)
    for name in [name for name in query if name in parameters]:
        try:
            values[name] = parameters[name].parse(query.pop(name))
        except ValueError as error:
            refused.append(str(error))
    kept, band = query.pop("kept", ""), query.pop("band", "std")
    values["band"] = band if band in bands.quick() else "std"
    if band not in bands.quick():
        refused.append(f"band is {band[:40]!r}; it must be one of {', '.join(bands.quick())}.")
    if kept:
        values["kept"], problems = parse_figure(dict(urllib.parse.parse_qsl(kept)))
        refused += problems
    if version in CHANGED and query:  # a figure is asked for
        refused.append(CHANGED[version])
    elif version not in (None, "1", str(VERSION)):
        refused.append(
            f"the link is of version {version[:10]!r} and this lab reads {VERSION}; what it still "
            "understands is shown."
        )
    values["figure"], problems = parse_figure(query)
    refused += problems
    if len(refused) > MOST_SAID:
        refused[MOST_SAID:] = [f"{len(refused) - MOST_SAID} more of its values are not allowed."]
    return values, refused


def write(parameters: Mapping[str, Parameter]) -> None:
    """Keep the session's values in the URL."""
    with suppress(ValueError):  # settings that do not fit together are said on the page
        values = _values(parameters, whole=False)
        if st.query_params.to_dict() != values:
            st.query_params.from_dict(values)


def address(parameters: Mapping[str, Parameter]) -> str:
    """A link that reproduces this page, here or on another server of this version."""
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urllib.parse.urlencode(_values(parameters, whole=True))}"


def _values(parameters: Mapping[str, Parameter], whole: bool) -> dict[str, str]:
    """The link's parameters; `whole` writes the figure's defaults too."""
    state = settings()
    values = figure().to_query(whole) | {"v": str(VERSION)}
    if whole or state["band"] != "std":
        values["band"] = state["band"]
    if state["kept"]:
        values["kept"] = urllib.parse.urlencode(state["kept"].to_query())
    for name, parameter in parameters.items():
        value = state.get(name)
        if value is not None and value != parameter.default and not (whole and parameter.secret):
            values[name] = parameter.write(value)
    return values


def show_refusals() -> None:
    """Say what the link asked for and could not have, until the visitor has read it."""
    if refused := st.session_state.get("refused"):
        title = "This link asks for values that are not allowed. Their defaults are used:"
        with notices(refused, title=title):
            st.button("Close", key="refused_read", on_click=refused.clear, type="tertiary")
