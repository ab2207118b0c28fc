"""A lecture: a list of links with notes, in a text file that a lecturer writes and keeps.

# Baselines in ten minutes

## Big variance (4 min)
Link: cloud?panels=policy_gradient,actor_critic
Ask: How many updates point the right way?
Expect: Most say 80%. It is 64%.

What the lecturer wants to remember. It may have several paragraphs.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST, MOST_SLIDES, MOST_MINUTES = 100_000, 100, 240  # characters of a file; of one slide
MINUTES = re.compile(r"(\d{1,3}(?:\.\d)?) min\)", re.ASCII)
NAMED = re.compile(r"(Link|Ask|Expect):[ \t]*(.*)")
SLIDE = "## The cloud (4 min)"


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

    @property
    def minutes(self) -> float:
        """How long all of it takes."""
        return sum(slide.minutes for slide in self.slides)


def parse(text: str | bytes) -> Lecture:
    """The lecture that a file holds. Its links are not looked into.

    Args:
        text: the file's text, or its bytes.

    Raises: ValueError, one sentence with the number of the line that it is about.
    """
    lines = _lines(text)
    first = next((number for number, line in enumerate(lines) if line), 0)
    if not lines or not re.match(r"# +\S", lines[first]):
        raise ValueError(f"Line {first + 1}: a lecture begins with its title, '# The title'.")
    title = lines[first][2:].strip()
    starts = [number for number, line in enumerate(lines) if line.startswith("## ")]
    if not starts:
        raise ValueError(f"Line {len(lines)}: a lecture needs a slide, such as '{SLIDE}'.")
    if len(starts) > MOST_SLIDES:
        raise ValueError(
            f"Line {starts[MOST_SLIDES] + 1}: a lecture has at most {MOST_SLIDES} slides."
        )
    for number, line in enumerate(lines[first + 1 : starts[0]], first + 2):
        if line:
            raise ValueError(f"Line {number}: text before the first slide; begin with '{SLIDE}'.")
    ends = [*starts[1:], len(lines)]
    slides = (_slide(lines[a:b], a + 1) for a, b in zip(starts, ends, strict=True))
    return Lecture(title, tuple(slides))


def _lines(data: str | bytes) -> list[str]:
    """The lines of a file, without blanks at their ends.

    Raises: ValueError, one sentence, if it is too long or no text.
    """
    if len(data) > LONGEST:
        raise ValueError(f"Line 1: the file is longer than {LONGEST:,} characters.")
    text = _decoded(data) if isinstance(data, bytes) else data
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))]
    for number, line in enumerate(lines, 1):
        if not line.replace("\t", " ").isprintable():
            raise ValueError(f"Line {number}: it holds a character that cannot be printed.")
    return lines


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"Line {line}: the file is no text in UTF-8.") from None


def _slide(lines: list[str], number: int) -> Slide:
    """One slide of a file; its first line, the heading, has this number."""
    title, _, rest = lines[0][3:].rpartition("(")
    found = MINUTES.fullmatch(rest)
    if found is None or not title.strip():
        raise ValueError(
            f"Line {number}: the heading of a slide ends with its minutes, as in '{SLIDE}'."
        )
    minutes = float(found[1])
    if not 0 < minutes <= MOST_MINUTES:
        raise ValueError(f"Line {number}: a slide takes more than 0 and at most 240 minutes.")
    parts, notes = {}, []
    for at, line in enumerate(lines[1:], number + 1):
        named = NAMED.fullmatch(line)
        if named is None:
            notes.append(line)
        elif named[1] in parts:
            raise ValueError(f"Line {at}: the slide has two lines that begin with {named[1]}.")
        elif named[1] == "Link" and (" " in named[2] or "\t" in named[2]):
            raise ValueError(f"Line {at}: a link holds no blanks; write + in their place.")
        else:
            parts[named[1]] = named[2]
    if not parts.get("Link"):
        raise ValueError(f"Line {number}: the slide needs a line such as 'Link: cloud'.")
    ask, expect = (parts.get(name, "") for name in ("Ask", "Expect"))
    text = "\n".join(notes).strip("\n")
    return Slide(title.strip(), parts["Link"], minutes, ask, expect, text)


def write(lecture: Lecture) -> str:
    """The file of a lecture, as `parse` reads it."""
    parts = [f"# {lecture.title}\n"]
    for slide in lecture.slides:
        named = {"Link": slide.link, "Ask": slide.ask, "Expect": slide.expect}
        lines = [f"{name}: {text}\n" for name, text in named.items() if text]
        notes = f"\n{slide.notes}\n" if slide.notes else ""
        parts.append(f"\n## {slide.title} ({slide.minutes:g} min)\n{''.join(lines)}{notes}")
    return "".join(parts)
