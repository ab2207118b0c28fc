"""Gymnasium's own picture of an episode, made into a file off the page's thread."""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import numpy as np
import streamlit as st

from pgcore import render

FORMATS = {"GIF": (render.gif, "for slides"), "WebP": (render.webp, "every frame, lossless")}
KEPT = 24  # films, some 200 KB each
MAX_WAITING = 12
POLL_SECONDS = 0.2

_pool = ThreadPoolExecutor(1, thread_name_prefix="film")
_films: OrderedDict[str, Film] = OrderedDict()
_lock = Lock()


class Film:
    """One file in the making."""

    def __init__(self, states: np.ndarray, format: str) -> None:
        self.format, self.share = format, 0.0
        self.file: Future[bytes] = _pool.submit(FORMATS[format][0], states.copy(), self._tell)

    def _tell(self, share: float) -> None:
        self.share = share


def identity(states: np.ndarray, format: str) -> str:
    return hashlib.sha256(format.encode() + np.ascontiguousarray(states).tobytes()).hexdigest()


def order(states: np.ndarray, format: str) -> Film:
    """The film of these states, begun if nobody has asked for it yet.

    Raises: ValueError if too many films wait.
    """
    name = identity(states, format)
    with _lock:
        if name not in _films:
            if sum(not film.file.done() for film in _films.values()) >= MAX_WAITING:
                raise ValueError("Many films are being made; try again in a minute.")
            _films[name] = Film(states, format)
            while len(_films) > KEPT:
                _films.popitem(last=False)
        return _films[name]


def panel(states: np.ndarray, name: str) -> None:
    """Buttons that make the files, progress while they are made, downloads when they are."""
    for format, (_, purpose) in FORMATS.items():
        film, place = _films.get(identity(states, format)), st.empty()
        if film is None and place.button(f"Make the {format}: {purpose}", icon=":material/movie:"):
            try:
                film = order(states, format)
            except ValueError as error:
                place.warning(str(error))
        if film is not None:
            with place.container():
                _show(film, name)


def _show(film: Film, name: str) -> None:
    if not film.file.done():
        st.fragment(lambda: _progress(film), run_every=POLL_SECONDS)()
    elif film.file.exception():
        st.error(f"The {film.format} could not be made; the player and the picture still work.")
    else:
        data, kind = film.file.result(), film.format.lower()
        st.download_button(
            f"Download the {film.format}, {len(data) / 1000:.0f} kB",
            data,
            f"{name}.{kind}",
            f"image/{kind}",
            icon=":material/download:",
            on_click="ignore",
        )


def _progress(film: Film) -> None:
    if film.file.done():
        st.rerun()
    st.progress(film.share, text=f"{film.format}: {film.share:.0%}")


def moving(states: np.ndarray) -> str | None:
    """The film as a data URL, if one has been made."""
    for format in ("WebP", "GIF"):
        film = _films.get(identity(states, format))
        if film is not None and film.file.done() and not film.file.exception():
            coded = base64.b64encode(film.file.result()).decode()
            return f"data:image/{format.lower()};base64,{coded}"
    return None
