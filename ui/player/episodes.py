"""The episode player: a canvas drawn from states, so that an episode is kilobytes, not a film."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from pgcore.episodes import Episode

HERE = Path(__file__).parent


class Role(NamedTuple):
    """One episode on the stage."""

    episode: Episode
    label: str
    colour: int  # a place in the theme's categorical colours


def inline(*files: str) -> str:
    """Several files of this folder as one script."""
    return "\n".join((HERE / file).read_text(encoding="utf-8") for file in files)


_component = st.components.v2.component(
    "episode_player",
    html=inline("player.html"),
    css=inline("player.css"),
    js=inline("physics.js", "policy.js", "scene.js", "player.js"),
)


def player(roles: Sequence[Role], key: str) -> int:
    """Play episodes side by side under one playhead.

    Returns: the step at which the reader last stopped these episodes.
    """
    shown = [
        {
            "label": role.label,
            "colour": role.colour,
            "terminated": role.episode.terminated,
            "table": encode(table(role.episode)),
        }
        for role in roles
    ]
    name = hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
    data = {"id": name, "episodes": shown}
    sent = _component(data=data, key=key, on_stop_change=lambda: None).stop
    return stopped(sent, name, max(role.episode.length for role in roles))


def stopped(sent: Any, name: str, last: int) -> int:
    """The step that the browser says these episodes stand at, else 0: it may say anything."""
    if not isinstance(sent, Mapping) or sent.get("id") != name:
        return 0
    step = sent.get("step")
    return step if type(step) is int and 0 <= step <= last else 0


def table(episode: Episode) -> np.ndarray:
    """What the player draws, a row a state; the last one only has a state.  [T + 1, 8] float32"""
    rows = np.zeros((episode.length + 1, 8), np.float32)
    rows[:, :4] = episode.states
    rows[:-1, 4:] = np.stack(
        [episode.probs, episode.values, episode.returns, episode.actions], axis=-1
    )
    return rows


def encode(numbers: np.ndarray) -> str:
    """Base64 of little-endian float32."""
    return base64.b64encode(np.ascontiguousarray(numbers, "<f4").tobytes()).decode()
