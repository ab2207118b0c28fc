"""How an agent thinks: policy and critic over angle and angular velocity, the episode on top."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore.charts import spec
from pgcore.episodes import Episode, Landscape

DEGREES = 180 / math.pi
SIDE = 300  # pixels of a map
COLUMNS = ("kind", "angle", "speed", "angle2", "speed2", "prob", "value", "step")


def rows(over: Landscape, episode: Episode, step: int) -> pd.DataFrame:
    """Cells of the maps, the episode's path and where it stands at `step`; angles in degrees."""
    angles, speeds = (np.asarray(axis) * DEGREES for axis in (over.angles, over.velocities))
    angle, speed = np.meshgrid(angles, speeds)
    wide, high = angles[1] - angles[0], speeds[1] - speeds[0]
    cells = pd.DataFrame(
        {
            "kind": "cell",
            "angle": (angle - wide / 2).ravel(),
            "angle2": (angle + wide / 2).ravel(),
            "speed": (speed - high / 2).ravel(),
            "speed2": (speed + high / 2).ravel(),
            "prob": over.probs.ravel(),
            "value": over.values.ravel(),
        }
    )
    path = pd.DataFrame(episode.states[:, 2:] * DEGREES, columns=["angle", "speed"])
    path = path.assign(kind="path", step=np.arange(len(path)))
    now = path.iloc[[min(step, len(path) - 1)]].assign(kind="now")
    frame = pd.concat([cells, path, now], ignore_index=True).reindex(columns=[*COLUMNS])
    numbers = [*COLUMNS[1:]]
    frame[numbers] = frame[numbers].astype(np.float32)
    return frame.astype({"kind": "category"})


def maps_spec(over: Landscape, lowest: float, highest: float) -> dict:
    """The constant spec of both maps; the rows come from `rows`.

    Args:
        lowest, highest: where the value's colours end, the same at every checkpoint.
    """
    ends = over.angles[-1] * DEGREES, over.velocities[-1] * DEGREES
    return _maps_spec(math.floor(lowest), math.ceil(highest), *map(float, ends))


@lru_cache(maxsize=64)
def _maps_spec(lowest: int, highest: int, widest: float, fastest: float) -> dict:
    speed = alt.Scale(domain=[-fastest, fastest], nice=False)
    angle = alt.Scale(domain=[-widest, widest], nice=False)
    policy = _map(
        "prob:Q",
        "probability of pushing right",
        alt.Scale(domain=[0, 0.5, 1], range=["#B35806", "#F7F7F7", "#2166AC"]),
        angle,
        speed,
    )
    critic = _map(
        "value:Q",
        "critic's value V",
        alt.Scale(domain=[lowest, highest], scheme="viridis", clamp=True),
        angle,
        speed,
    )
    return spec(alt.hconcat(policy, critic, spacing=24).resolve_scale(color="independent"))


def description(over: Landscape) -> str:
    """The maps in words, for who cannot see them."""
    leaning = {
        side: over.probs[:, half].mean()
        for side, half in (("left", over.angles < 0), ("right", over.angles > 0))
    }
    return (
        "Policy and critic over angle and angular velocity: the probability of pushing right is "
        f"{leaning['left']:.2f} on average where the pole leans left and {leaning['right']:.2f} "
        f"where it leans right; V runs from {over.values.min():.0f} to {over.values.max():.0f}."
    )


def _map(field: str, title: str, colours: alt.Scale, angle: alt.Scale, speed: alt.Scale) -> Any:
    axis = dict(grid=False, tickCount=5)
    x = alt.X("angle:Q", scale=angle, title="angle, degrees", axis=alt.Axis(**axis))
    y = alt.Y("speed:Q", scale=speed, title="angular velocity, degrees/s", axis=alt.Axis(**axis))
    base = alt.Chart().encode(x=x, y=y)
    cells = base.transform_filter("datum.kind == 'cell'").mark_rect(clip=True)
    path = base.transform_filter("datum.kind == 'path'").encode(order="step:O")
    halo = path.mark_line(clip=True, color="white", strokeWidth=2.4, opacity=0.8)
    line = path.mark_line(clip=True, color="black", strokeWidth=1)
    now = base.transform_filter("datum.kind == 'now'").mark_point(
        clip=True, shape="circle", filled=True, size=110, color="black", stroke="white", opacity=1
    )
    legend = alt.Legend(orient="bottom", gradientLength=SIDE - 40, title=None, format=".3~g")
    tooltip = [
        alt.Tooltip("prob:Q", title="P(right)", format=".2f"),
        alt.Tooltip("value:Q", title="V", format=".1f"),
    ]
    heat = cells.encode(
        x2="angle2:Q",
        y2="speed2:Q",
        color=alt.Color(field, scale=colours, legend=legend),
        tooltip=tooltip,
    )
    return alt.layer(heat, halo, line, now).properties(width=SIDE, height=SIDE * 0.8, title=title)
