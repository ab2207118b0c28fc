"""Gymnasium's own picture of an episode: pygame frames, and GIF and WebP files of them.

No display is needed. One hidden CartPole draws every frame; it holds whatever state it is given.
"""

from __future__ import annotations

import io
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from pgcore.envs.cartpole import TAU

WIDTH, HEIGHT = 600, 400
GIF_STRIDE = 2  # every other state: browsers play 25 frames a second right, and may not 50
LAST_FRAME = 1000  # milliseconds, to see how it ended before it starts again
INKS = ((255, 255, 255), (0, 0, 0), (202, 152, 101), (129, 132, 203))  # sky, cart, pole, axle

_drawing = threading.Lock()


def draw(state: np.ndarray) -> np.ndarray:
    """Gymnasium's frame of one state [4].  [400, 600, 3] uint8"""
    with _drawing:
        env = _artist()
        env.state = state
        return env.render()


@cache
def _artist() -> Any:
    """The hidden CartPole, its pygame surface made."""
    from gymnasium.envs.classic_control.cartpole import CartPoleEnv

    env: Any = CartPoleEnv(render_mode="rgb_array")
    env.state = np.zeros(4)
    with _environment(SDL_VIDEODRIVER="dummy"):
        env.render()  # imports pygame, which looks for a screen
    return env


@contextmanager
def _environment(**wanted: str) -> Iterator[None]:
    """Environment variables for a while, where nobody has set them; then as they were."""
    added = [name for name in wanted if name not in os.environ]
    os.environ.update({name: wanted[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def gif(states: np.ndarray, progress: Callable[[float], None] = lambda share: None) -> bytes:
    """An endless GIF in real time at 25 frames a second, for slides.

    Args:
        states: [T + 1, 4], of an episode of any length.
        progress: told after every frame what share is done; what it raises stops the export.
    """
    kept = np.union1d(np.arange(0, len(states), GIF_STRIDE), len(states) - 1)
    return _Film(states[kept], progress, _palette()).save_as("GIF", GIF_STRIDE)


def webp(states: np.ndarray, progress: Callable[[float], None] = lambda share: None) -> bytes:
    """An endless lossless WebP in real time at 50 frames a second; arguments as for `gif`."""
    return _Film(states, progress).save_as("WEBP", 1, lossless=True, quality=0, method=1)


class _Film(Image.Image):
    """An image sequence that draws a frame when Pillow asks for it: 500 would fill 480 MB."""

    def __init__(
        self,
        states: np.ndarray,
        progress: Callable[[float], None],
        palette: Image.Image | None = None,
    ) -> None:
        super().__init__()
        self._states, self._progress, self._shared = states, progress, palette
        self.n_frames, self._at = len(states), -1
        self._size = (WIDTH, HEIGHT)
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame >= self.n_frames:
            raise EOFError
        if frame == self._at:
            return
        image = Image.fromarray(draw(self._states[frame]))
        if self._shared:
            image = image.quantize(palette=self._shared, dither=Image.Dither.NONE)
        self.im, self._mode, self.palette = image.im, image.mode, image.palette
        if frame > self._at:  # Pillow may rewind at the end
            self._progress((frame + 1) / self.n_frames)
        self._at = frame

    def tell(self) -> int:
        return self._at

    def save_as(self, format: str, stride: int, **options: Any) -> bytes:
        pace = round(1000 * TAU * stride)
        durations = [pace] * (self.n_frames - 1) + [LAST_FRAME]
        file = io.BytesIO()
        self.save(file, format, save_all=True, duration=durations, loop=0, **options)
        return file.getvalue()


@cache
def _palette() -> Image.Image:
    """16 colours: the four inks, and two blends of each pair for the smooth edges."""
    blends = [
        np.round(np.array(a) + (np.array(b) - np.array(a)) * share).astype(int).tolist()
        for a, b in itertools.combinations(INKS, 2)
        for share in (1 / 3, 2 / 3)
    ]
    image = Image.new("P", (1, 1))
    image.putpalette([level for colour in (*INKS, *blends) for level in colour])
    return image
