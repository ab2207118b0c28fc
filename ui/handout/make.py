"""A lecture's handout: every slide's link is opened, and what it shows becomes a page.

Runs where no server is: `python -m ui.handout`, or pgcore.worker's process.
"""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Callable, Sequence

from pgcore.lecture import Lecture, Slide
from ui.handout.answers import Heard
from ui.handout.capture import Shown, shown
from ui.handout.document import Sheet, based, document
from ui.shell import link
from ui.shell.pages import FRAME

MOST_SECONDS = 900
ROOM = "class"  # the page of a class that will have gone when the handout is read


def make(
    lecture: Lecture,
    every: Sequence[Heard],
    address: str,
    tell: Callable[[float], None] = lambda share: None,
) -> bytes:
    """The handout, UTF-8.

    Args:
        every: what a class answered, if there was one.
        address: where readers find the lab: "https://lab.example.org".
        tell: hears the share that is done.

    Raises: ValueError, one sentence, if the address is none, or if it takes too long.
    """
    until = time.monotonic() + MOST_SECONDS
    base, waiting, sheets = based(address), {one.name: one for one in every}, []
    slides = [slide for slide in lecture.slides if link.split(slide.link)[0] != ROOM]
    for place, slide in enumerate(slides):
        tell(place / len(slides))
        if time.monotonic() > until:
            raise ValueError(
                f"It took more than {MOST_SECONDS // 60} minutes. Choose fewer slides, or links "
                "with shorter runs."
            )
        there = _link(slide)
        found = shown(there)
        told = tuple(waiting.pop(name) for name in found.questions if name in waiting)
        sheets.append(Sheet(slide.title, base + there if found.page else "", found, told))
    if waiting:
        nothing = Shown(None, {}, (), ())
        sheets.append(Sheet("What the class was also asked", "", nothing, tuple(waiting.values())))
    return document(lecture.title, sheets, base).encode()


def _link(slide: Slide) -> str:
    """A slide's link as a reader opens it, of this version of the lab."""
    page, query = link.split(slide.link)
    projected = {parameter.name for parameter in FRAME}  # a reader does without
    kept = {name: value for name, value in query.items() if name not in projected}
    return f"{page}?{urllib.parse.urlencode({'v': str(link.VERSION)} | kept)}"
