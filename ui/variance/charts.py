"""Where variance comes from, drawn: its three sources, and the critic against the true value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore.gradients import CriticFit, Decomposition
from pgcore.gradients.critic_worth import share_of_whole
from pgcore.plotting.theme import HEIGHT, built_once, spec
from pgcore.stats import Interval
from ui.variance.words import PARTS

COLOURS = ["#D55E00", "#0072B2", "#8A8A8A"]  # of PARTS
GREY, GREEN = "#888888", "#009E73"
LOWEST = -6.0  # R^2 below is drawn at the edge
BAR = alt.expr(
    "datum.part + ' after ' + format(datum.steps, ',') + ' steps: ' + format(datum.estimate, '.1%')"
)


# --- sources ---------------------------------------------------------------------------------


def source_rows(parts: Mapping[int, Decomposition], baseline: str) -> pd.DataFrame:
    """The three sources of a step's variance at each checkpoint, with one baseline.

    Args:
        parts: by environment steps learned.

    Returns: shares of the whole variance without a baseline, at the same checkpoint.
    """
    rows: list[dict[str, Any]] = []
    for steps, decomposed in parts.items():
        for place, (source, name) in enumerate(PARTS.items()):
            share = share_of_whole(decomposed, baseline, source)
            rows.append({"steps": steps, "part": name, "place": place} | share._asdict())
    frame = pd.DataFrame(rows)
    frame["share"] = frame["estimate"].clip(lower=0)  # below 0 only by subtracted noise
    return frame


@built_once(maxsize=32)
def source_spec(chosen: int, top: float, height: int = 250) -> dict:
    """Stacked bars of `source_rows`; the bar of `chosen` steps is framed."""
    domain = alt.Scale(domain=[*PARTS.values()], range=COLOURS)
    once = alt.Chart().transform_filter(f"datum.steps == {chosen} && datum.place == 0")
    x = alt.X(
        "steps:O", title="steps learned", axis=alt.Axis(format="~s", labelAngle=0, ticks=False),
        scale=alt.Scale(paddingInner=0.2, paddingOuter=0.15),
    )  # fmt: skip
    y_scale = alt.Scale(domain=[0, top], nice=False)
    y = alt.Y(
        "share:Q", title=None, scale=y_scale, stack="zero", axis=alt.Axis(format="%", tickCount=5)
    )
    bars = alt.Chart().mark_bar(clip=True, description=BAR).encode(
        x=x, y=y, order="place:Q", color=alt.Color("part:N", scale=domain, legend=None),
        tooltip=[
            alt.Tooltip("steps:O"), alt.Tooltip("part:N"),
            *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("estimate", "low", "high")),
        ],
    )  # fmt: skip
    mark = once.mark_point(
        shape="triangle-down", filled=True, size=90, color=GREY, opacity=1, aria=False
    )
    rule = once.mark_rule(color=GREY, strokeDash=[3, 3], aria=False).encode(
        y=alt.Y(datum=1, scale=y_scale)
    )
    layers = [bars, rule, mark.encode(x=x, y=alt.value(6))]
    return spec(alt.layer(*layers).properties(width="container", height=height))


def top(parts: Mapping[int, Decomposition]) -> float:
    """The height of the highest bar, and a little more."""
    heights = [
        source.total.estimate / decomposed.sources["none"].total.estimate
        for decomposed in parts.values()
        for source in decomposed.sources.values()
    ]
    return float(np.ceil(max(*heights, 1.0) * 10 + 0.5) / 10)


# --- the critic ------------------------------------------------------------------------------


def critic_rows(fit: CriticFit) -> pd.DataFrame:
    """A row for every state: the true value, its standard error `noise`, and the critic's."""
    frame = pd.DataFrame({"true": fit.true, "predicted": fit.predicted, "noise": fit.noise})
    return frame.astype(np.float32).round(2)


@built_once(maxsize=64)
def critic_spec(low: float, high: float, height: int = 300) -> dict:
    """V_phi against V, on equal axes from `low` to `high`; on the diagonal the two agree."""
    scale, axis = alt.Scale(domain=[low, high], nice=False), alt.Axis(grid=False, tickCount=5)
    base = alt.Chart().encode(
        x=alt.X("true:Q", title="true value of the state (discounted)", scale=scale, axis=axis)
    )
    ends = alt.Chart().transform_aggregate(n="count()").transform_calculate(a=str(low), b=str(high))
    layers = [
        ends.mark_rule(color=GREY, strokeDash=[4, 4], aria=False).encode(
            x=alt.X("a:Q", scale=scale), y=alt.Y("a:Q", scale=scale), x2="b:Q", y2="b:Q"
        ),
        base.mark_point(
            filled=True, size=16, opacity=0.4, clip=True, color=GREEN, aria=False
        ).encode(
            y=alt.Y("predicted:Q", title="the critic's value", scale=scale, axis=axis),
            tooltip=[
                alt.Tooltip("true:Q", title="true value"),
                alt.Tooltip("predicted:Q", title="the critic's"),
                alt.Tooltip("noise:Q", title="standard error of the true value"),
            ],
        ),
    ]
    return spec(alt.layer(*layers).properties(width="container", height=height))


def critic_range(fits: Sequence[CriticFit]) -> tuple[float, float]:
    """Axes that hold every state of these fits."""
    values = np.concatenate([part for fit in fits for part in (fit.true, fit.predicted)])
    return float(np.floor(min(values.min(), 0) / 10) * 10), float(np.ceil(values.max() / 10) * 10)


def waiting_rows() -> pd.DataFrame:
    """The picture before the reader has predicted: the line of agreement, and no state."""
    return pd.DataFrame({"true": [None], "predicted": [None], "noise": [None]}, dtype=float)


# --- the lever ------------------------------------------------------------------------------


def lever_rows(cells: Mapping[float, Mapping[int, Interval]], seed: int) -> pd.DataFrame:
    """R^2 of each seed at each learning rate of the critic.

    Args:
        cells: by learning rate, then by seed.
        seed: the one that is marked.
    """
    rows = [
        {"place": place, "rate": f"{rate:g}", "seed": one, "own": one == seed} | found._asdict()
        for place, (rate, measured) in enumerate(cells.items())
        for one, found in measured.items()
    ]
    return pd.DataFrame(rows).drop(columns="n")


@built_once(maxsize=64)
def lever_spec(present: str, other: str, low: float) -> dict:
    """The chart of `lever_rows`: a line for each seed from the present rate to the other one."""
    scale = alt.Scale(domain=[low, 1.05], nice=False, clamp=True)
    rates = alt.Scale(domain=[present, other], padding=0.35)
    x = alt.X(
        "rate:O", title="learning rate of the critic", scale=rates, axis=alt.Axis(labelAngle=0)
    )
    y = alt.Y("estimate:Q", title=TITLES["explained"], scale=scale, axis=alt.Axis(tickCount=6))
    base = alt.Chart().encode(x=x, y=y)
    once = alt.Chart().transform_aggregate(n="count()").encode(x=alt.value(4), y=alt.Y(datum=0))
    said = "'seed ' + datum.seed + ', rate ' + datum.rate + ': R squared ' + "
    name = alt.expr(said + "format(datum.estimate, '.2f')")
    shade = alt.condition("datum.own", alt.value(GREEN), alt.value(GREY))
    layers = [
        once.mark_rule(color="#D55E00", strokeDash=[4, 3], aria=False).encode(
            x2=alt.value("width")
        ),
        once.mark_text(align="left", dy=-9, fontSize=13, color="#D55E00", aria=False).encode(
            text=alt.value(EQUAL["explained"])
        ),
        base.mark_line(strokeWidth=1.6, opacity=0.8, aria=False).encode(
            detail="seed:N", color=shade
        ),
        base.mark_point(filled=True, size=70, opacity=0.9, description=name).encode(
            color=shade,
            tooltip=[
                alt.Tooltip("seed:N"), alt.Tooltip("rate:N", title="learning rate"),
                *(alt.Tooltip(f"{end}:Q", format=".2f") for end in ("estimate", "low", "high")),
            ],
        ),
    ]  # fmt: skip
    return spec(alt.layer(*layers).properties(width="container", height=HEIGHT - 60))


def lever_floor(cells: Mapping[float, Mapping[int, Interval]]) -> float:
    """The bottom of the axis of R^2: all seeds, but none below LOWEST."""
    least = min(found.estimate for measured in cells.values() for found in measured.values())
    return float(np.floor(min(max(least, LOWEST), -0.5) * 1.1))


# --- every seed ------------------------------------------------------------------------------


def grid(last: int, count: int = 6) -> list[int]:
    """Checkpoints spread over a run, first and last among them."""
    return sorted({round(last * k / (count - 1)) for k in range(count)})


TITLES = {
    "explained": "R² of the critic",
    "ratio": "variance, best constant = 1",
}


EQUAL = {  # what the dashed line stands for
    "explained": "0: one number for every state does as well",
    "ratio": "1: the best constant does as well",
}


def _of_seed(quantity: str) -> alt.ExprRef:
    value = f"format(datum.{quantity}, '.2f')"
    return alt.expr(f"'seed ' + datum.seed + ' after ' + datum.steps + ' steps: ' + {value}")


@built_once(maxsize=16)
def seeds_spec(quantity: str, last_step: int, seed: int, low: float, high: float) -> dict:
    """A line for every seed (`CriticWorth.to_row`); the chosen one is thick, with its interval."""
    level = {"explained": 0, "ratio": 1}[quantity]
    kind: dict[str, Any] = {"type": "log"} if quantity == "ratio" else {}
    scale = alt.Scale(domain=[low, high], nice=False, clamp=True, **kind)
    base = alt.Chart().encode(
        x=alt.X(
            "steps:Q", title="steps learned", scale=alt.Scale(domain=[0, last_step], nice=False),
            axis=alt.Axis(format="~s", grid=False, tickCount=5),
        )
    )  # fmt: skip
    title = TITLES[quantity]
    y = alt.Y(f"{quantity}:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5, format="~g"))
    own = base.transform_filter(f"datum.seed == {seed}")
    names = [quantity, f"{quantity}_low", f"{quantity}_high"]
    tooltip = [alt.Tooltip("seed:N"), *(alt.Tooltip(f"{name}:Q", format=".2f") for name in names)]
    once = base.transform_aggregate(n="count()").encode(x=alt.value(4), y=alt.Y(datum=level))
    layers = [
        once.mark_rule(color="#D55E00", strokeDash=[4, 3], aria=False).encode(
            x2=alt.value("width")
        ),
        once.mark_text(align="left", dy=-8, fontSize=12, color="#D55E00", aria=False).encode(
            text=alt.value(EQUAL[quantity])
        ),
        base.mark_line(strokeWidth=1, opacity=0.6, color=GREY, aria=False).encode(
            y=y, detail="seed:N"
        ),
        own.mark_rule(strokeWidth=2, color=GREEN, aria=False).encode(
            y=alt.Y(names[1], type="quantitative", scale=scale, title=title), y2=names[2]
        ),
        own.mark_line(strokeWidth=2.6, color=GREEN, aria=False).encode(y=y),
        base.mark_point(
            filled=True, size=35, opacity=0.8, color=GREY, description=_of_seed(quantity)
        ).encode(
            y=y, tooltip=tooltip
        ),
    ]  # fmt: skip
    return spec(alt.layer(*layers).properties(width="container", height=HEIGHT - 80))
