"""A lecture: a list of links with notes, in a text file that a lecturer writes and keeps."""

from __future__ import annotations

from typing import NamedTuple


class Slide(NamedTuple):
    """One state of a page, and what the lecturer sees beside it."""

    title: str
    link: str  # relative to the app's address: "cloud?window_steps=256"
    minutes: float
    ask: str  # what to ask the class
    expect: str  # what it will answer, and what will be seen
    notes: str


class Lecture(NamedTuple):
    """The slides in their order."""

    title: str
    slides: tuple[Slide, ...]
