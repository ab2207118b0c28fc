"""Gymnasium's own picture of an episode, made into a file in another process."""

from __future__ import annotations

import base64
import hashlib
from functools import partial

import numpy as np
import streamlit as st

from pgcore import render, worker
from pgcore.control import Control
from pgcore.jobs import AGAIN, ENGINE, Busy, Job, Progress
from ui.shell import live, visitors

FORMATS = {"GIF": (render.gif, "for slides"), "WebP": (render.webp, "every frame, lossless")}
BYTES = 200_000  # of a film of 500 frames, about


def identity(states: np.ndarray, format: str) -> tuple[str, str, str]:
    """The key of a film: its format and what it shows."""
    return "film", format, hashlib.sha256(np.ascontiguousarray(states).tobytes()).hexdigest()


def order(states: np.ndarray, format: str) -> Job[bytes]:
    """The film of these states, begun if nobody has asked for it yet.

    Raises: Busy if too many films wait, or too much for this browser.
    """
    make, states = FORMATS[format][0], states.copy()

    def work(progress: Progress, control: Control) -> bytes:
        return worker.call(make, (states,), control, hear=progress)

    return ENGINE.ask(Job(identity(states, format), work, "film", BYTES), visitors.me())


def panel(states: np.ndarray, name: str) -> None:
    """Buttons that make the files, progress while they are made, downloads when they are."""
    for format, (_, purpose) in FORMATS.items():
        film, place = ENGINE.get(identity(states, format)), st.empty()
        if film is not None and film.status in AGAIN:
            st.error(
                f"The {format} could not be made; the player and the picture still work. "
                f"{film.error}"
            )
        again = film is None or film.status in AGAIN
        if again and place.button(f"Make the {format}: {purpose}", icon=":material/movie:"):
            try:
                film = order(states, format)
            except Busy as busy:
                place.warning(str(busy))
        if film is not None and film.live:
            with place.container():
                live.until_finished(film, partial("{}: {:.0%}".format, format))
        elif film is not None and film.result is not None:
            with place.container():
                _download(film.result, format, name)


def _download(data: bytes, format: str, name: str) -> None:
    kind = format.lower()
    st.download_button(
        f"Download the {format}, {len(data) / 1000:.0f} kB",
        data,
        f"{name}.{kind}",
        f"image/{kind}",
        icon=":material/download:",
        on_click="ignore",
    )


def moving(states: np.ndarray) -> str | None:
    """The film as a data URL, if one has been made."""
    for format in ("WebP", "GIF"):
        film = ENGINE.get(identity(states, format))
        if film is not None and film.result is not None:
            coded = base64.b64encode(film.result).decode()
            return f"data:image/{format.lower()};base64,{coded}"
    return None
