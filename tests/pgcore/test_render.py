"""Gymnasium's picture: everything stands where the state says, and the files play in real time."""

from __future__ import annotations

import io
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pgcore.render import HEIGHT, INKS, WIDTH, draw, gif, webp

SCALE = WIDTH / 4.8  # pixels a metre: the track is 2.4 m either side
CART, POLE = INKS[1], INKS[2]
SWING = np.array([[0.5 * math.sin(t / 20), 0, 0.2 * math.sin(t / 5), 0] for t in range(8)])


def where(frame: np.ndarray, ink: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the pixels of one colour."""
    y, x = np.nonzero((frame == np.array(ink)).all(-1))
    return x, y


def pole_angle(frame: np.ndarray) -> float:
    """The lean of the pole's long axis, clockwise from upright, in radians."""
    x, y = where(frame, POLE)
    axis = np.linalg.eigh(np.cov(x, y))[1][:, 1]
    return math.atan2(axis[0], -axis[1]) if axis[1] < 0 else math.atan2(-axis[0], axis[1])


@pytest.mark.parametrize("x", [-2.0, -0.37, 0.0, 1.21])
@pytest.mark.parametrize("theta", [-0.2, -0.05, 0.0, 0.1, 0.21])
def test_cart_and_pole_stand_where_the_state_says(x, theta):
    frame = draw(np.array([x, 0.0, theta, 0.0]))
    assert frame.shape == (HEIGHT, WIDTH, 3)
    columns = where(frame[310:311], CART)[0]  # below the track's line, only the cart is black
    assert (columns.min() + columns.max()) / 2 == pytest.approx(WIDTH / 2 + SCALE * x, abs=1)
    assert columns.max() - columns.min() == pytest.approx(50, abs=1)
    assert pole_angle(frame) == pytest.approx(theta, abs=0.01)


def test_the_pole_leans_right_for_a_positive_angle():
    right, left = (
        where(draw(np.array([0.0, 0.0, theta, 0.0])), POLE)[0] for theta in (0.15, -0.15)
    )
    assert right.mean() > WIDTH / 2 + 5
    assert left.mean() < WIDTH / 2 - 5


def test_a_frame_is_nobody_else_s():
    first = draw(SWING[0])
    kept = first.copy()
    draw(SWING[5])
    assert np.array_equal(first, kept)


def test_threads_draw_what_each_was_given():
    alone = [draw(state) for state in SWING]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(draw, np.tile(SWING, (5, 1))))
    assert all(np.array_equal(together[i], alone[i % 8]) for i in range(40))


def frames_of(file: bytes) -> list[tuple[np.ndarray, int]]:
    """Every frame of an animation, and for how many milliseconds it stands."""
    film: Any = Image.open(io.BytesIO(file))
    frames = []
    for i in range(film.n_frames):
        film.seek(i)
        frames.append((np.asarray(film.convert("RGB")), film.info["duration"]))
    return frames


def test_webp_is_every_frame_as_it_was():
    frames = frames_of(webp(SWING))
    assert [pause for _, pause in frames] == [20] * 7 + [1000]
    for (frame, _), state in zip(frames, SWING, strict=True):
        assert np.array_equal(frame, draw(state))


def test_gif_is_every_other_frame_and_the_last_in_close_colours():
    frames = frames_of(gif(SWING))
    assert [pause for _, pause in frames] == [40] * 4 + [1000]
    for (frame, _), state in zip(frames, SWING[[0, 2, 4, 6, 7]], strict=True):
        original = draw(state)
        assert np.abs(frame.astype(int) - original).max() <= 60
        inks = np.isin(original[..., 0], [ink[0] for ink in INKS])
        assert np.mean(np.all(frame == original, -1)[inks]) > 0.995


@pytest.mark.parametrize("export", [gif, webp])
def test_an_episode_of_one_step_has_two_pictures(export):
    assert len(frames_of(export(SWING[:2]))) == 2


@pytest.mark.parametrize(("export", "count"), [(gif, 5), (webp, 8)])
def test_progress_counts_every_frame_once(export, count):
    shares: list[float] = []
    export(SWING, shares.append)
    assert shares == [(i + 1) / count for i in range(count)]


def test_progress_can_stop_an_export():
    class Enough(Exception):
        pass

    def stop(share: float) -> None:
        if share > 0.5:
            raise Enough

    with pytest.raises(Enough):
        webp(SWING, stop)


def test_drawing_changes_no_environment_variable():
    """A process of its own, in which pygame is imported for the first time."""
    program = (
        "import os, numpy, gymnasium\n"  # Gymnasium sets one of its own
        "before = dict(os.environ)\n"
        "import pgcore.render\n"
        "assert dict(os.environ) == before\n"
        "frame = pgcore.render.draw(numpy.zeros(4))\n"
        "assert frame.shape == (400, 600, 3)\n"
        "assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SDL_", "PYGAME_"))}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
