"""Where variance comes from, drawn: its three sources, and the critic against the true value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore.config import Config
from pgcore.gradients import (
    CriticFit,
    Decomposition,
    collect_windows,
    decompose,
    gradients_of,
    weights,
)
from pgcore.gradients.estimates import best_constant
from pgcore.plotting.theme import HEIGHT, spec
from pgcore.stats import Interval, proportion_interval
from ui.cloud.charts import paired_ratio, written

BASELINES = {"none": "No baseline", "critic": "The critic", "value": "The true V(s)"}
PARTS = {"action": "which action", "later": "what followed", "state": "which state"}
COLOURS = ["#D55E00", "#0072B2", "#8A8A8A"]  # of PARTS
GREY = "#888888"
STATES, TAILS = 1000, 8  # of a decomposition
CELL_STATES, CELL_STEPS = 500, 2**17  # of one seed at one checkpoint, when there are many


# --- sources ---------------------------------------------------------------------------------


def source_rows(parts: Mapping[int, Decomposition], baseline: str) -> pd.DataFrame:
    """The three sources of a step's variance at each checkpoint, with one baseline.

    Args:
        parts: by environment steps learned.

    Returns: shares of the whole variance without a baseline, at the same checkpoint.
    """
    rows: list[dict[str, Any]] = []
    for steps, decomposed in parts.items():
        whole = decomposed.sources["none"].total.estimate
        for place, part in enumerate(PARTS):
            interval: Interval = getattr(decomposed.sources[baseline], part)
            shares = {name: getattr(interval, name) / whole for name in ("estimate", "low", "high")}
            rows.append({"steps": steps, "part": PARTS[part], "place": place} | shares)
    frame = pd.DataFrame(rows)
    frame["share"] = frame["estimate"].clip(lower=0)  # below 0 only by subtracted noise
    return frame


@lru_cache(maxsize=32)
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
    bars = alt.Chart().mark_bar(clip=True).encode(
        x=x, y=y, order="place:Q", color=alt.Color("part:N", scale=domain, legend=None),
        tooltip=[
            alt.Tooltip("steps:O"), alt.Tooltip("part:N"),
            *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("estimate", "low", "high")),
        ],
    )  # fmt: skip
    mark = once.mark_point(shape="triangle-down", filled=True, size=90, color=GREY, opacity=1)
    rule = once.mark_rule(color=GREY, strokeDash=[3, 3]).encode(y=alt.Y(datum=1, scale=y_scale))
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


def source_description(decomposed: Decomposition, baseline: str) -> str:
    """A panel's bar at the chosen checkpoint, in words."""
    whole = decomposed.sources["none"].total.estimate
    sources = decomposed.sources[baseline]
    parts = [f"{PARTS[name]} {getattr(sources, name).estimate / whole:.0%}" for name in PARTS]
    return f"{BASELINES[baseline]}: of the variance without a baseline, {', '.join(parts)}."


def share(decomposed: Decomposition, baseline: str, part: str) -> Interval:
    """A source as a share of the whole variance without a baseline."""
    whole = decomposed.sources["none"].total.estimate
    found: Interval = getattr(decomposed.sources[baseline], part)
    return Interval(found.estimate / whole, found.low / whole, found.high / whole, found.n)


# --- the critic ------------------------------------------------------------------------------


def critic_rows(fit: CriticFit) -> pd.DataFrame:
    """A point a state: the true value, known up to `noise`, and the critic's."""
    frame = pd.DataFrame({"true": fit.true, "predicted": fit.predicted, "noise": fit.noise})
    return frame.astype(np.float32).round(2)


@lru_cache(maxsize=64)
def critic_spec(low: float, high: float, height: int = 250) -> dict:
    """V_phi against V, on equal axes from `low` to `high`; on the diagonal the critic is right."""
    scale, axis = alt.Scale(domain=[low, high], nice=False), alt.Axis(grid=False, tickCount=5)
    base = alt.Chart().encode(x=alt.X("true:Q", title="true V(s)", scale=scale, axis=axis))
    ends = alt.Chart().transform_aggregate(n="count()").transform_calculate(a=str(low), b=str(high))
    layers = [
        ends.mark_rule(color=GREY, strokeDash=[4, 4]).encode(
            x=alt.X("a:Q", scale=scale), y=alt.Y("a:Q", scale=scale), x2="b:Q", y2="b:Q"
        ),
        base.mark_point(filled=True, size=16, opacity=0.4, clip=True, color="#009E73").encode(
            y=alt.Y("predicted:Q", title="the critic's V(s)", scale=scale, axis=axis),
            tooltip=[alt.Tooltip(f"{name}:Q") for name in ("true", "predicted", "noise")],
        ),
    ]
    return spec(alt.layer(*layers).properties(width="container", height=height))


def critic_range(fits: Sequence[CriticFit]) -> tuple[float, float]:
    """Axes that hold every state of these fits."""
    values = np.concatenate([part for fit in fits for part in (fit.true, fit.predicted)])
    return float(np.floor(min(values.min(), 0) / 10) * 10), float(np.ceil(values.max() / 10) * 10)


FITS = {  # R^2 of the critic: what can be predicted, from where
    "Yes: R² above 0.8": 0.8,
    "Roughly: R² from 0.3 to 0.8": 0.3,
    "Barely: R² from 0 to 0.3": 0.0,
    "No: R² below 0, one number for every state would do better": -np.inf,
}


def answer(explained: Interval) -> str:
    """Which of FITS is measured."""
    return next(words for words, low in FITS.items() if explained.estimate >= low)


def critic_table(parts: Mapping[int, Decomposition]) -> pd.DataFrame:
    """The critic's fit at each checkpoint, each number with its 95% interval."""
    columns = {
        "explained": "R²",
        "rmse": "RMSE",
        "bias": "mean error",
        "correlation": "correlation",
    }
    rows = []
    for steps, decomposed in parts.items():
        cells = {
            label: written(getattr(decomposed.critic, name)) for name, label in columns.items()
        }
        rows.append(
            {"steps learned": f"{steps:,}", **cells, "n states": len(decomposed.critic.true)}
        )
    return pd.DataFrame(rows)


# --- every seed ------------------------------------------------------------------------------


def grid(last: int, count: int = 6) -> list[int]:
    """Checkpoints spread over a run, first and last among them."""
    return sorted({round(last * k / (count - 1)) for k in range(count)})


def cell(row: np.ndarray, config: Config, seed: int) -> dict[str, float]:
    """One seed at one checkpoint: R^2 of its critic, and what the critic is worth as a baseline.

    `ratio` is tr Sigma of an update with the critic over that with the best constant, of batches
    as training sees them; the constant is fitted on the other half of the batches.
    """
    windows = collect_windows(row, config, min(1000, CELL_STEPS // config.batch_size), seed)
    psi = weights(windows, config, ["policy_gradient", "actor_critic"])
    psi["score"] = np.ones_like(windows.mc_q)
    gradients = gradients_of(windows, psi)
    constant = best_constant(gradients["policy_gradient"], gradients["score"])
    ratio = paired_ratio(gradients["actor_critic"], constant)
    explained = decompose(windows, seed, num_states=CELL_STATES, tails=TAILS).critic.explained
    return {
        "explained": explained.estimate, "explained_low": explained.low,
        "explained_high": explained.high, "ratio": ratio.estimate, "ratio_low": ratio.low,
        "ratio_high": ratio.high,
    }  # fmt: skip


TITLES = {
    "explained": "R² of the critic",
    "ratio": "tr Σ, critic / best constant",
}


EQUAL = {  # what the dashed line stands for
    "explained": "0: one number for every state does as well",
    "ratio": "1: the best constant does as well",
}


@lru_cache(maxsize=16)
def seeds_spec(quantity: str, last_step: int, seed: int, low: float, high: float) -> dict:
    """A line a seed of `cell`'s rows, the chosen seed's thick with its interval."""
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
        once.mark_rule(color="#D55E00", strokeDash=[4, 3]).encode(x2=alt.value("width")),
        once.mark_text(align="left", dy=-8, fontSize=12, color="#D55E00").encode(
            text=alt.value(EQUAL[quantity])
        ),
        base.mark_line(strokeWidth=1, opacity=0.6, color=GREY).encode(y=y, detail="seed:N"),
        own.mark_rule(strokeWidth=2, color="#009E73").encode(
            y=alt.Y(names[1], type="quantitative", scale=scale, title=title), y2=names[2]
        ),
        own.mark_line(strokeWidth=2.6, color="#009E73").encode(y=y),
        base.mark_point(filled=True, size=35, opacity=0.8, color=GREY).encode(
            y=y, tooltip=tooltip
        ),
    ]  # fmt: skip
    return spec(alt.layer(*layers).properties(width="container", height=HEIGHT - 80))


def counted(cells: pd.DataFrame, steps: int) -> tuple[Interval, Interval]:
    """At `steps`: the share of seeds whose R^2 is below 0, and of those whose critic has more
    variance than the best constant; Wilson's intervals, n counts seeds."""
    here = cells[cells["steps"] == steps]
    n = len(here)
    return (
        proportion_interval(int((here["explained"] < 0).sum()), n),
        proportion_interval(int((here["ratio"] > 1).sum()), n),
    )
