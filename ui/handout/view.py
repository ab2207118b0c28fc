"""The handout in the app: made by a job in another process, then downloaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from pgcore import worker
from pgcore.classroom import Poll
from pgcore.control import Control
from pgcore.jobs import AGAIN, ENGINE, Busy, Job, Progress
from pgcore.lecture import Lecture
from ui.handout.answers import Heard, heard
from ui.shell import link, live, visitors
from ui.shell.notice import notice

BYTES = 150_000  # of a slide, about
HERE = "http://localhost:8501/"  # where Streamlit knows no address


def button(lecture: Lecture, polls: Mapping[str, Poll]) -> None:
    """A button that makes the handout, its progress slide by slide, then the download.

    Args:
        polls: a room's, by the question's name; none without a class.
    """
    wanted = order(lecture, heard(polls), link.base(st.context.url or HERE))
    job, place, count = ENGINE.get(wanted.key), st.empty(), len(lecture.slides)
    if job is not None and job.status in AGAIN:
        notice(f"The handout could not be made. {job.error}", "error")
    again = job is None or job.status in AGAIN
    if again and place.button("Make a handout of this lecture", icon=":material/print:"):
        try:
            job = ENGINE.ask(wanted, visitors.me())
        except Busy as busy:
            place.warning(str(busy))
    if job is not None and job.live:
        with place.container():
            live.until_finished(job, lambda share: _at(share, count))
    elif job is not None and job.result is not None:
        with place.container():
            _download(job.result)


def order(lecture: Lecture, every: tuple[Heard, ...], address: str) -> Job[bytes]:
    """The job that makes it; whoever asks for the same handout gets the same job."""

    def work(progress: Progress, control: Control) -> bytes:
        made: bytes = worker.call(_make, (lecture, every, address), control, hear=progress)
        return made

    size = BYTES * len(lecture.slides)
    return Job(("handout", lecture, every, address), work, "handout", size)


def _make(
    lecture: Lecture, every: tuple[Heard, ...], address: str, tell: Callable[[float], None]
) -> bytes:
    """In the other process, which alone loads what runs pages and draws charts."""
    from ui.handout.make import make

    return make(lecture, every, address, tell)


def _at(share: float, count: int) -> str:
    """Which slide is being made."""
    return f"Handout: slide {min(round(share * count) + 1, count)} of {count}"


def _download(file: bytes) -> None:
    st.download_button(
        f"Download the handout, {len(file) / 1e6:.1f} MB", file, "handout.html", "text/html",
        icon=":material/download:", on_click="ignore",
        help="One file that opens in any browser. Its print is a PDF of one slide a page.",
    )  # fmt: skip
