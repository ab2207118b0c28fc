"""Lecture mode: a page on a projector, in large type, steered by keys, a clicker or a host.

Any page is in it whose link holds `present=1`. `zoom` is the size of its type, `show` names the
controls that stay in sight; `lecture` and `slide` say where in a lecture it stands.
"""

from __future__ import annotations

import urllib.parse
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgcore.lecture import Lecture, parse
from ui.path import view as path
from ui.path.lessons import LESSONS
from ui.shell import controls, lesson, link, live
from ui.shell.pages import FRAME, LECTURES, PARAMETERS

HERE = Path(__file__).parent
# By command: what the browser calls its keys, and what a reader does.
KEYS = {
    "next": (["ArrowRight", "PageDown", " "], "→, Page down or space"),
    "previous": (["ArrowLeft", "PageUp"], "← or Page up"),
    "run": (["Enter", "r"], "Enter or R"),
    "reset": (["0"], "0"),
    "blank": (["b", "."], "B or a full stop"),
    "leave": (["Escape"], "Escape"),
}
WORDS = {
    "next": "next slide",
    "previous": "slide before",
    "run": "reveal, or run",
    "reset": "the slide as it began",
    "blank": "black screen, and back",
    "leave": "leave lecture mode",
}
HELP = "Large type and no controls, for a projector. Keys:\n" + "\n".join(
    f"- **{said}**: {WORDS[name]}" for name, (_, said) in KEYS.items()
)

_component = st.components.v2.component(
    "present",
    html="<span hidden></span>",
    js=(HERE / "present.js").read_text(encoding="utf-8"),
)
_RULES = (HERE / "present.css").read_text(encoding="utf-8")
BLACK = """[data-testid=stApp]::after {
  content: ""; position: fixed; inset: 0; z-index: 1000000; background: black;
}"""


def on() -> bool:
    """Whether the page is shown in lecture mode."""
    return controls.value_of("present") == 1


def offer(line: DeltaGenerator) -> None:
    """In the line above a page: its way into lecture mode, and the lectures that are included."""
    popover = line.popover("Present", key="path_present", on_change="rerun")
    if not popover.open:
        return
    with popover:
        if st.button("This page", icon=":material/co_present:", width="stretch"):
            link.put("present", 1)
            st.rerun()
        for name in LECTURES:
            lecture = included(name)
            label = f"{lecture.title} ({lecture.minutes:g} min)"
            if st.button(label, key=f"lecture_{name}", width="stretch"):
                link.put("lecture", name)
                _go("", 0)
        st.caption(HELP)


def stage(page: str) -> None:
    """Above the page, in place of the path's line: keys, and the rules of lecture mode."""
    asked = lesson.asked()
    live.take_offer(False)
    pressed = _component(
        data={"keys": {name: keys for name, (keys, _) in KEYS.items()}, "zoom": link.get("zoom")},
        key="present", height=1, on_command_change=lambda: None,
    ).command  # fmt: skip
    steered = lesson.audience() is None  # a class is steered by its host alone
    if steered and isinstance(pressed, str) and pressed in KEYS:
        command(pressed, page, asked)
    _begin(page)
    st.html(f"<style>{_rules()}</style>{_place()}")


def _begin(page: str) -> None:
    """A link of any page that names a lecture opens its slide, once a session."""
    if st.session_state.get("presented"):
        return
    st.session_state["presented"] = True
    if (name := link.get("lecture")) is not None:
        slides = included(name).slides
        place = min(controls.value_of("slide"), len(slides))
        if link.split(slides[place - 1].link)[0] != page:
            _go(page, 0)


def command(name: str, page: str, asked: list[str]) -> None:
    """Do what a key, a clicker or a host asks for; the run ends where another page follows.

    Args:
        name: one of KEYS.
        page: the page that is shown.
        asked: the names of the questions on it.
    """
    black = st.session_state.pop("black", False)
    if name == "blank":
        st.session_state["black"] = not black
    elif name == "run":
        if not lesson.just_show(asked):
            live.take_offer(True)
    elif name == "leave":
        for parameter in FRAME:
            link.put(parameter.name, None)
        st.rerun()
    else:
        if name == "reset":
            lesson.ask_again(asked)
        _go(page, {"next": 1, "previous": -1, "reset": 0}[name])


def _go(page: str, step: int) -> None:
    """So many slides on, or lessons of the path where there is no lecture; not past the ends."""
    shown = {"present": "1"}
    if (name := link.get("lecture")) is not None:
        slides = included(name).slides
        place = min(max(controls.value_of("slide") + step, 1), len(slides))
        address, shown = slides[place - 1].link, shown | {"lecture": name, "slide": str(place)}
    elif (here := path.here(page)) is None and not step:
        address = page
    else:
        place = min(max(step - 1 if here is None else here + step, 0), len(LESSONS) - 1)
        address = path.address(LESSONS[place])
        st.session_state["lesson"] = place
    link.follow(
        f"{address}{'&' if '?' in address else '?'}{urllib.parse.urlencode(shown)}", PARAMETERS
    )


@cache
def included(name: str) -> Lecture:
    """One of the lectures that come with the lab."""
    return parse((HERE / "included" / f"{name}.md").read_bytes())


def _place() -> str:
    """Which slide of how many, small in a corner."""
    name = link.get("lecture")
    if name is None:
        return ""
    place = f"{controls.value_of('slide')} / {len(included(name).slides)}"
    return f'<div class="place">{place}</div>'


def _rules() -> str:
    """The rules of style; the controls that the link names stay in sight."""
    keys = [f"st-key-set_{name}" for name in link.get("show") or ["nothing"]]
    # A control whose options change has them in its key.
    shown = ", ".join(f'.{key}, [class*="{key}_"]' for key in keys)
    return _RULES.replace("SHOWN", shown) + (BLACK if st.session_state.get("black") else "")
