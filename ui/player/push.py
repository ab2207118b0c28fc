"""Push it: a learned policy plays live in the browser, and the reader disturbs it."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from pgcore.config import Config
from pgcore.learners import shape_of
from ui.player.episodes import encode, inline

_component = st.components.v2.component(
    "push_it",
    html=inline("push.html"),
    css=inline("push.css"),
    js=inline("physics.js", "policy.js", "scene.js", "push.js"),
)


def push(params: np.ndarray, config: Config, colour: int, key: str, greedy: bool = False) -> None:
    """The policy with the parameters `params` [P], at 50 steps a second, to be pushed over.

    Args:
        colour: a place in the theme's categorical colours.
        greedy: which way it acts at first; the reader can change it.
    """
    weights = encode(params[: shape_of(config).policy_size])
    name = hashlib.sha256(f"{weights} {greedy}".encode()).hexdigest()[:16]
    data = {
        "id": name,
        "params": weights,
        "hidden": config.hidden_dim,
        "colour": colour,
        "greedy": greedy,
    }
    _component(data=data, key=key)
