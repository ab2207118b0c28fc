"""The class in words: what phones are asked, and what the projector says of votes and agents."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pgcore import stats
from pgcore.classroom import Asked, Poll, Proposal, Room, Truth, Vote
from pgcore.lecture import Lecture
from pgcore.stats import Interval
from ui.shell.glossary import GLOSSARY
from ui.shell.question import Mark, Question

SIZES = (3, 5, 10)  # neighbours in a study
LONGEST = 200  # characters of an address
LOCAL = ("localhost", "127.", "::1", "0.0.0.0")
NO_PHONES = (
    "Phones cannot reach this address: it leads every device to itself. Start the server with "
    "the option `--server.address 0.0.0.0`. It then prints a Network URL. Type that address here."
)
DISCUSS = (
    "The class is divided. Tell your neighbour why you chose your answer. Then everybody votes "
    "again."
)
WHAT = (
    "Students take part with their phones: they predict, train an agent each, and propose what to "
    "try. They scan a code, and need no account and no app. The projector follows your lecture, "
    "which you steer from a page of your own."
)
OWN = "A file of my own"
FILE = (
    "A text file. Its first line is the title: `# My lecture`. A slide begins with its heading and "
    "its minutes: `## The cloud (4 min)`. Below stand the lines `Link: cloud`, `Ask: ...` and "
    "`Expect: ...`, then your notes. The README has an example."
)
SECRET = (
    "Its link is secret: do not show it on the projector. Keep it open: this page no longer knows "
    "your room after a reload."
)
HOW = (
    "Neighbours are those who joined one after another. A line is a row's mean difference of the "
    "final return, batch mean less policy gradient, with its 95% t interval; both train on the "
    "same seeds. The green band is the interval of the whole class."
)
NOTHING_KEPT = (
    "Nothing is stored. A room lives in the server's memory, without names, and ends after a day, "
    "with the server, or when you end it."
)


# --- questions ---


def plain(text: str) -> str:
    """A text of the lab without its Markdown, for phones."""
    text = re.sub(r":material/\w+: ?", "", text)
    text = re.sub(r"\[\[(\w+)\]\]", lambda found: GLOSSARY[found[1]].name, text)
    text = re.sub(r"\[\[\w+\|([^\]]+)\]\]", r"\1", text)
    text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)
    text = re.sub(r"(?<![\w\\*])(\*+)(?=\S)(.+?)(?<![\s\\])\1", r"\2", text)  # but not b*
    text = re.sub(r"(?<!\\)[$`]", "", text)
    return " ".join(text.replace("\\", "").split())


def asked(question: Question | Mark) -> Asked:
    """A lesson's question as phones see it."""
    name, text = question.name, plain(question.text)
    if isinstance(question, Question):
        return Asked(name, text, tuple(map(plain, question.texts)), usual=question.usual)
    low, high, step, unit = question.low, question.high, question.step, question.unit
    return Asked(name, text, (), low, high, step, unit, question.usual)


def truth(question: Question | Mark, measured: Any, explanation: str) -> Truth:
    """What was measured, as phones see it; a lesson's `measured` is that of `lesson.reveal`."""
    text = plain(f"It is: {question.stated(measured)} {explanation}")
    if isinstance(question, Question):
        return Truth(text, -1 if measured is None else measured)  # -1: nobody can be right
    estimate, low, high = (float(x) for x in measured[:3])
    return Truth(text, None, estimate, low, high, question.near)


def sentences(text: str) -> list[str]:
    """A verdict's sentences, Markdown each: the projector shows as many as it has room for."""
    return re.split(r"(?<=[.?!])\s+(?=[A-Z*\[])", text)


def answered(poll: Poll, phones: int) -> str:
    """How many have answered, and not what."""
    return f"{len(poll.votes)} of {phones} have answered"


def here(phones: int) -> str:
    """How many phones have joined."""
    if not phones:
        return "Nobody is here yet"
    return "1 phone is here" if phones == 1 else f"{phones} phones are here"


def on_the_votes(poll: Poll) -> str:
    """How many were right in each round, and how many of those who were sure."""
    assert poll.truth is not None
    if not poll.votes:
        return "Nobody has voted."
    counts = [_right(list(votes.values()), poll.truth) for votes in poll.rounds if votes]
    said = f"{counts[0]} were right."
    if len(counts) > 1:
        said = f"{counts[0]} were right at first, {counts[-1]} after the discussion."
    sure, guessed = ([v for v in poll.votes.values() if v.sure == kind] for kind in (True, False))
    if sure and guessed:
        said += (
            f" Of those who were sure {_right(sure, poll.truth)} were right, of those who guessed "
            f"{_right(guessed, poll.truth)}."
        )
    return said


def _right(votes: list[Vote], truth: Truth) -> str:
    return f"{sum(map(truth.holds, votes))} of {len(votes)}"


def votes_alt(poll: Poll) -> str:
    """The histogram in words."""
    parts = []
    for turn, votes in enumerate(poll.rounds):
        head = f"Round {turn + 1}, {len(votes)} votes: "
        if poll.asked.options:
            pairs = zip(poll.asked.options, poll.counts(turn), strict=True)
            parts.append(head + "; ".join(f"{option}: {count}" for option, count in pairs))
        elif votes:
            said = np.quantile([vote.said for vote in votes.values()], [0.25, 0.5, 0.75])
            low, middle, high = (f"{x:g}{poll.asked.unit}" for x in said)
            parts.append(f"{head}half of them between {low} and {high}, the median is {middle}")
    return ". ".join(parts) + "."


# --- addresses ---


def is_local(address: str) -> bool:
    """Whether an address leads every device to itself."""
    return (urllib.parse.urlsplit(address).hostname or "").startswith(LOCAL)


def typed(text: str) -> str:
    """The lab's address as a lecturer types it: "192.168.1.20:8501" is enough.

    Raises: ValueError, one sentence, if it is none.
    """
    text = text.strip()
    if "://" not in text:
        text = f"http://{text}"
    allowed = re.fullmatch(r"https?://[\w.-]+(\[[0-9a-fA-F:]+\])?(:\d{1,5})?(/[\w./~-]*)?", text)
    if len(text) > LONGEST or allowed is None:
        raise ValueError(
            "This is no address. Type what a browser would need, such as 192.168.1.20:8501."
        )
    return text.rstrip("/") + "/"


def named(lecture: Lecture) -> str:
    """A lecture to choose: its title and its size."""
    return f"{lecture.title}: {len(lecture.slides)} slides, {lecture.minutes:g} minutes"


def of_proposal(shown: Proposal) -> str:
    """The link that shows a student's proposal."""
    page, name = ("baseline", "formula") if shown.kind == "formula" else ("train", shown.kind)
    return f"{page}?{urllib.parse.urlencode({name: shown.value})}"


def proposed(shown: Proposal) -> str:
    """What stands above a proposal that is shown; plain text, for a student wrote it."""
    return f"Somebody here proposes: {shown.text}"


def of_room(room: Room) -> str:
    """The link of what a room's screen shows now, in lecture mode."""
    link = of_proposal(room.shown) if room.shown is not None else room.here.link
    return f"{link}{'&' if '?' in link else '?'}present=1"


# --- everybody is a seed ---


class Row(NamedTuple):
    """A study of neighbours: the mean difference of their agents, and what it concludes."""

    place: int  # from 1, in the order of arrival
    difference: Interval
    conclusion: str  # of CONCLUSIONS


class Study(NamedTuple):
    """All rows of n neighbours, beside the whole class."""

    n: int
    rows: tuple[Row, ...]
    everybody: Interval  # of the mean difference
    left: int  # agents behind the last whole row

    @property
    def conclusion(self) -> str:
        """What the whole class concludes."""
        return conclusion(self.everybody)

    def count(self, conclusion: str) -> int:
        """How many rows conclude so."""
        return sum(row.conclusion == conclusion for row in self.rows)

    @property
    def wrong(self) -> int | None:
        """Rows that conclude the contrary of the class; None while the class cannot tell."""
        contrary = {"helps": "hurts", "hurts": "helps"}.get(self.conclusion)
        return None if contrary is None else self.count(contrary)

    @property
    def misled(self) -> int:
        """Rows whose mean difference has another sign than the class's."""
        sign = np.sign(self.everybody.estimate)
        return sum(bool(np.sign(row.difference.estimate) != sign) for row in self.rows)


def conclusion(difference: Interval) -> str:
    """What a 95% interval of (with the baseline) - (without) says of the baseline."""
    if difference.low > 0:
        return "helps"
    return "hurts" if difference.high < 0 else "undecided"


def study(with_baseline: np.ndarray, without: np.ndarray, n: int) -> Study:
    """Every row of n neighbours as a study of its own.

    Args:
        with_baseline, without: final returns [S] of the same seeds, in the order of arrival.
        n: neighbours in a row; at least 2.
    """
    differences = np.asarray(with_baseline, np.float64) - np.asarray(without, np.float64)
    whole = len(differences) // n
    rows = []
    for place in range(whole):
        interval = stats.mean_t_interval(differences[place * n : (place + 1) * n])
        rows.append(Row(place + 1, interval, conclusion(interval)))
    everybody = stats.mean_t_interval(differences)
    return Study(n, tuple(rows), everybody, len(differences) - whole * n)


def wait(phones: int) -> str:
    """Before the start."""
    if not phones:
        return "Nobody has joined yet. Each phone will have an agent of its own."
    one = "1 agent waits" if phones == 1 else f"{phones} agents wait"
    return f"{one}. Each phone has one, with a seed of its own."


def gathering(agents: int, of: int) -> str:
    """While the curves gather."""
    return f"{agents} of {of} agents have finished" if agents > 1 else f"The first of {of} agents"


def curves_alt(name: str, finals: np.ndarray) -> str:
    """The chart of the curves in words, the same while they gather."""
    return (
        f"Episodic return against environment steps, a curve for each of {len(finals)} agents of "
        f"{name}; beside them a dot for each final return, between {finals.min():.0f} and "
        f"{finals.max():.0f}."
    )


def gathered(name: str, finals: np.ndarray) -> str:
    """How far apart the class's agents ended; terms are linked."""
    mean = stats.mean_t_interval(finals)
    if mean.n == 1:
        return f"One agent of **{name}** ended at {mean.estimate:.0f}. One seed has no interval."
    return (
        f"{mean.n} agents of **{name}** differ only in their [[seed]]. They ended between "
        f"**{finals.min():.0f}** and **{finals.max():.0f}**; the mean is {mean:.0f}."
    )


def on_the_class(study: Study, names: Sequence[str]) -> str:
    """What all agents together say of the baseline; `names` with and without it."""
    difference = study.everybody
    if difference.n == 1:
        return "One agent has no interval, so nothing can be concluded."
    verdict = {
        "helps": "**The whole class concludes: the baseline helps.**",
        "hurts": "**The whole class concludes: the baseline hurts.**",
        "undecided": "**The whole class cannot tell whether the baseline helps.**",
    }[study.conclusion]
    return (
        f"{verdict} {names[0]} less {names[1]}, mean difference of the final return: "
        f"{difference:.0f} (95% [[t_interval]], n = {difference.n} agents)."
    )


def on_the_rows(study: Study) -> str:
    """How many rows conclude what, and how many are wrong."""
    total = len(study.rows)
    if not total:
        return f"There are too few agents for a row of {study.n}."
    said = (
        f"{study.count('helps')} say that it helps, {study.count('hurts')} that it hurts, "
        f"{study.count('undecided')} cannot tell."
    )
    if study.wrong is None:
        decided = total - study.count("undecided")
        verdict = f"{decided} of {total} rows conclude what the class cannot tell"
    else:
        verdict = f"{study.wrong} of {total} rows say the contrary of the class"
    return (
        f"**{verdict}.** {said} By the mean alone, {study.misled} of {total} would name the other "
        "winner."
    )


def studies_alt(study: Study) -> str:
    """The chart of the rows in words."""
    if not study.rows:
        return on_the_rows(study)
    rows = "; ".join(
        f"row {row.place}: {row.difference:.0f}, {row.conclusion}" for row in study.rows
    )
    return f"Mean difference in each row of {study.n}, with its 95% interval. {rows}."


def strip(room: Room) -> str:
    """One line on the projector: the code, who is here, how many have answered."""
    parts = [f"Room **{room.code}**", here(len(room.phones))]
    if room.poll is not None and room.poll.status == "open":
        parts.append(answered(room.poll, len(room.phones)))
    return " · ".join(parts)
