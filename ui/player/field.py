"""The field: every agent's cart at once, while training time runs and the curves grow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from pgcore import envs
from pgcore.history import History
from pgcore.learners import shape_of
from pgcore.plotting.bands import BANDS
from ui.player.episodes import encode, inline

BAND = BANDS["95%"]

_component = st.components.v2.component(
    "field_of_carts",
    html=inline("field.html"),
    css=inline("field.css"),
    js=inline("physics.js", "policy.js", "scene.js", "field.js"),
)


class Group(NamedTuple):
    """The agents of one estimator; the groups of a field have the same settings and steps."""

    key: str  # of ALGORITHMS
    name: str
    note: str  # what it does, in a few words
    colour: int  # a place in the theme's categorical colours
    history: History


class Picked(NamedTuple):
    """The agent that the reader wants to watch."""

    agent: str
    seed: int
    checkpoint: int


def field(data: Mapping[str, Any], groups: Sequence[Group], key: str) -> Picked | None:
    """All agents of some groups at play.

    Args:
        data: the groups' `payload`.

    Returns: the agent that was clicked, in the run that follows the click.
    """
    clicked = _component(data=data, key=key, on_watch_change=lambda: None).watch
    return picked(clicked, groups)


def payload(
    groups: Sequence[Group], said: Sequence[str], references: Mapping[str, float | None]
) -> dict[str, Any]:
    """What the browser gets, about 26 kB an agent: to be built once, not at each rerun.

    Args:
        said: a sentence for each checkpoint, the untrained one first.  [K + 1]
        references: heights in the chart that are marked, by name; None is not.
    """
    config = groups[0].history.config
    steps = [0, *groups[0].history.eval_steps.tolist()]
    size = shape_of(config).policy_size
    checkpoints = [group.history.checkpoints[:, :, :size] for group in groups]  # [K + 1, S, P]
    weights = encode(np.concatenate(checkpoints, axis=1))
    shown = [_group(group) for group in groups]
    return {
        "id": hashlib.sha256(f"{weights} {shown} {said}".encode()).hexdigest()[:16],
        "weights": weights,
        "hidden": config.hidden_dim,
        "limit": envs.describe(config.env_id).max_episode_steps,
        "steps": steps,
        "groups": shown,
        "said": list(said),
        "references": [[name, x] for name, x in references.items() if x is not None],
    }


def _group(group: Group) -> dict[str, Any]:
    """Its curve is pgcore's: the mean over seeds of each evaluation, with the 95% t interval."""
    returns = group.history.eval_returns
    band = BAND.of(returns.T)
    return {
        "key": group.key,
        "name": group.name,
        "note": group.note,
        "colour": group.colour,
        "seeds": list(group.history.config.seeds),
        "returns": returns.T.round(2).tolist(),  # [S, K]
        "mean": band.estimate.tolist(),
        "low": band.low.tolist(),
        "high": band.high.tolist(),
        "ends": [f"{mean:.0f}" for mean in band.estimate],
    }


def picked(clicked: Any, groups: Sequence[Group]) -> Picked | None:
    """What the browser says was clicked, if there is such an agent: it may say anything."""
    if not isinstance(clicked, Mapping):
        return None
    agent, seed, checkpoint = (clicked.get(name) for name in Picked._fields)
    history = {group.key: group.history for group in groups}.get(str(agent))
    if history is None or type(seed) is not int or type(checkpoint) is not int:
        return None
    if seed not in history.config.seeds or not 0 <= checkpoint <= len(history.eval_steps):
        return None
    return Picked(str(agent), seed, checkpoint)
