"""How an agent thinks: policy and critic over angle and angular velocity, the episode on top."""

from __future__ import annotations

import math

import altair as alt
import numpy as np
import pandas as pd

from pgcore.episodes import Episode, Landscape
from pgcore.plotting.theme import built_once, spec

DEGREES = 180 / math.pi
HEIGHT = 280
OVERLAP = 1.1  # of neighbouring cells, so that no seam shows
TITLES = {"prob": "probability of pushing right", "value": "critic's value V"}
COLOURS = {
    "prob": alt.Scale(domain=[0, 0.5, 1], range=["#B35806", "#F7F7F7", "#2166AC"]),
    "value": alt.Scale(scheme="viridis", zero=False),
}
COLUMNS = ("kind", "angle", "speed", "angle2", "speed2", "prob", "value", "step")


def rows(over: Landscape, episode: Episode, step: int) -> pd.DataFrame:
    """Cells of the maps, the episode's path and where it stands at `step`; angles in degrees."""
    angles, speeds = (np.asarray(axis) * DEGREES for axis in (over.angles, over.velocities))
    angle, speed = np.meshgrid(angles, speeds)
    wide, high = (OVERLAP * (axis[1] - axis[0]) for axis in (angles, speeds))
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


def policy_spec(over: Landscape) -> dict:
    """The probability of pushing right; a constant spec, the rows come from `rows`."""
    return _map("prob", *_ends(over))


def value_spec(over: Landscape) -> dict:
    """The critic's value, its colours spanning what it says here."""
    return _map("value", *_ends(over))


def numbers(over: Landscape) -> pd.DataFrame:
    """Both maps as a table, a row a cell."""
    angle, speed = np.meshgrid(over.angles * DEGREES, over.velocities * DEGREES)
    columns = {
        "angle, degrees": angle,
        "angular velocity, degrees/s": speed,
        TITLES["prob"]: over.probs,
        TITLES["value"]: over.values,
    }
    return pd.DataFrame({name: np.ravel(numbers).round(3) for name, numbers in columns.items()})


def _ends(over: Landscape) -> tuple[float, float]:
    return float(over.angles[-1] * DEGREES), float(over.velocities[-1] * DEGREES)


def description(over: Landscape) -> str:
    """The maps in words, for readers who do not see the chart."""
    leaning = {
        side: over.probs[:, half].mean()
        for side, half in (("left", over.angles < 0), ("right", over.angles > 0))
    }
    return (
        "Policy and critic over angle and angular velocity: the probability of pushing right is "
        f"{leaning['left']:.2f} on average where the pole leans left and {leaning['right']:.2f} "
        f"where it leans right; V runs from {over.values.min():.0f} to {over.values.max():.0f}."
    )


@built_once(maxsize=8)
def _map(field: str, widest: float, fastest: float) -> dict:
    axis = alt.Axis(grid=False, tickCount=5)
    across, up = (alt.Scale(domain=[-end, end], nice=False) for end in (widest, fastest))
    base = alt.Chart().encode(
        x=alt.X("angle:Q", scale=across, axis=axis, title="angle, degrees"),
        y=alt.Y("speed:Q", scale=up, axis=axis, title="angular velocity, degrees/s"),
    )
    heat = base.transform_filter("datum.kind == 'cell'").mark_rect(clip=True)
    path = base.transform_filter("datum.kind == 'path'").encode(order="step:Q")
    now = base.transform_filter("datum.kind == 'now'").mark_point(
        shape="circle", filled=True, size=110, color="black", stroke="white", opacity=1, clip=True
    )
    legend = alt.Legend(title=None, gradientLength=200)
    cells = heat.encode(
        x2="angle2:Q",
        y2="speed2:Q",
        color=alt.Color(f"{field}:Q", scale=COLOURS[field], legend=legend),
        tooltip=[
            alt.Tooltip("prob:Q", title="P(right)", format=".2f"),
            alt.Tooltip("value:Q", title="V", format=".1f"),
        ],
    )
    halo = path.mark_line(clip=True, color="white", strokeWidth=2.4, opacity=0.8)
    line = path.mark_line(clip=True, color="black", strokeWidth=1)
    layers = alt.layer(cells, halo, line, now)
    return spec(layers.properties(width="container", height=HEIGHT, title=TITLES[field]))
