"""A figure is a list of series: each a history with a label, a colour and a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from pgcore.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from pgcore.config import Config
    from pgcore.history import History

SPELLED = 2  # settings that a kept run's label spells out


@dataclass(frozen=True, eq=False)
class Series:
    """One line of a chart. Label and `dashed` together name it within a figure."""

    label: str
    colour: int  # a place in the palette, whoever else is shown
    history: History
    dashed: bool = False  # a run kept from before
    final: np.ndarray | None = None  # [S, E] the last policy over many episodes, if measured


def of_histories(histories: Sequence[History]) -> list[Series]:
    """Series labelled by what sets the histories apart.

    The first line of an algorithm takes the algorithm's own colour; further ones, such as three
    other gammas, take the places that are left.
    """
    owned = [ALGORITHMS[history.config.algorithm].colour for history in histories]
    free = (place for place in count() if place not in owned)
    colours = [own if own not in owned[:i] else next(free) for i, own in enumerate(owned)]
    labels = differences([history.config for history in histories])
    return [
        Series(label, colour, history)
        for label, colour, history in zip(labels, colours, histories, strict=True)
    ]


def kept_label(label: str, config: Config, now: Config) -> str:
    """The label of a run that was kept: "GAE, kept: gamma 0.9", against the settings of now."""
    changed = [
        f"{spec.name} {getattr(config, spec.name)}"
        for spec in fields(config)
        if spec.name not in ("algorithm", "num_seeds")  # the label names both
        and getattr(config, spec.name) != getattr(now, spec.name)
    ]
    more = f" and {len(changed) - SPELLED} more" if len(changed) > SPELLED else ""
    what = f": {', '.join(changed[:SPELLED])}{more}" if changed else ""
    return f"{label}, kept{what}"


def differences(configs: Sequence[Config]) -> list[str]:
    """What sets each config apart from the others: "GAE, gamma 0.9"; one alone has its name."""
    names = [ALGORITHMS[config.algorithm].name for config in configs]
    changed = [
        spec.name
        for spec in fields(configs[0])
        if spec.name != "algorithm" and len({getattr(c, spec.name) for c in configs}) > 1
    ]
    several = len(set(names)) > 1 or not changed
    return [
        ", ".join([name] * several + [f"{key} {getattr(config, key)}" for key in changed])
        for name, config in zip(names, configs, strict=True)
    ]
