"""The parabola, drawn: variance against a constant baseline, and what training makes of it.

Variance is relative to that without a baseline, so harm begins where the curve passes 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.config import Config
from pgcore.gradients import SampledParabola, Windows, gradients_of, weights
from pgcore.gradients.inference import percentile_interval
from pgcore.history import History
from pgcore.plotting.theme import HEIGHT, spec, spread
from pgcore.stats import Interval
from ui.cloud.charts import paired_ratio, written

NONE, BEST, YOURS = "none", "b*", "b"
COLOURS = alt.Scale(domain=[NONE, BEST, YOURS], range=["#888888", "#2A9D5C", "#D55E00"])
HARM, GREY = "#D55E00", "#888888"


# --- variance --------------------------------------------------------------------------------


def relative(parabola: SampledParabola, b: float) -> Interval:
    """tr Var(b) / tr Var(0)."""
    curvature, covariance, at_zero = parabola.draws.T
    resampled = 1 + (b**2 * curvature - 2 * b * covariance) / at_zero
    estimate = parabola.curve(b) / parabola.curve.at_zero
    return percentile_interval(float(estimate), resampled, parabola.n)


def span(parabola: SampledParabola, b: float) -> tuple[float, float]:
    """The baselines worth showing: the harmless zone, as much again on its sides, and b."""
    best = parabola.vertex.estimate
    low, high = sorted((-best, 3 * best))
    return min(low, b), max(high, b)


def measured_points(windows: Windows, config: Config, constants: Sequence[float]) -> pd.DataFrame:
    """The estimator itself at several constants, on windows that the curve has not seen."""
    psi = weights(windows, config, ["policy_gradient"])
    for b in constants:
        psi[f"{b}"] = weights(windows, config.replace(baseline=b), ["constant"])["constant"]
    gradients = gradients_of(windows, psi)
    plain = gradients.pop("policy_gradient")
    ratios = [paired_ratio(g, plain) for g in gradients.values()]
    rows = [interval._asdict() for interval in ratios]
    return pd.DataFrame(rows).rename(columns={"estimate": "ratio"}).assign(b=list(constants))


def rows(
    parabola: SampledParabola, b: float, averages: Mapping[str, float], points: pd.DataFrame | None
) -> pd.DataFrame:
    """The curve, its marks, the measured points, b, and the zones of harm.

    Args:
        averages: constants that have a name, such as the mean return.
    """
    low, high = span(parabola, b)
    grid = np.linspace(low, high, 121)
    curve = pd.DataFrame({"part": "curve", "b": grid})
    curve["ratio"] = parabola.curve(grid) / parabola.curve.at_zero
    best, here = parabola.vertex.estimate, relative(parabola, b)
    near = high - low < 8 * abs(best)  # from afar, their names would lie on each other
    named = {f"{key} {x:.3g}": x for key, x in averages.items() if near}
    marks = [
        {
            "part": "mark",
            "b": x,
            "ratio": relative(parabola, x).estimate,
            "text": text,
            "side": "inside" if x == best else "left" if x < best else "right",
        }
        for text, x in ({f"b* = {best:.3g}": best} | named).items()
        if low <= x <= high
    ]
    left, right = parabola.curve.harmless
    zones = [(low, left), (right, high)]
    harm = [
        {
            "part": "harm",
            "b": x,
            "b2": x2,
            "text": "worse than none" if x2 - x > (high - low) / 5 else "",
        }
        for x, x2 in zones
    ]
    yours = {"part": "here", "b": b, "ratio": here.estimate, "low": here.low, "high": here.high}
    yours |= {"text": f"b = {b:g}: {here.estimate:.3g}", "side": "left" if b > best else "right"}
    frames = [curve, pd.DataFrame([*harm, *marks, yours])]
    if points is not None:
        frames.append(points.assign(part="point"))
    return pd.concat(frames, ignore_index=True)


@lru_cache(maxsize=256)
def parabola_spec(low: float, high: float, top: float, background: str = "#FFFFFF") -> dict:
    """The chart of `rows` from `low` to `high`; `top` is the highest variance shown."""
    base = alt.Chart().encode(
        x=alt.X(
            "b:Q", title="constant baseline b", axis=alt.Axis(grid=False),
            scale=alt.Scale(domain=[low, high], nice=False),
        )
    )  # fmt: skip
    scale, title = alt.Scale(domain=[0, top], nice=False), "tr Σ / tr Σ without a baseline"
    y = alt.Y("ratio:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5))

    def part(name: str) -> alt.Chart:
        return base.transform_filter(f"datum.part == '{name}'")

    def tooltip(*fields: str) -> list[alt.Tooltip]:
        return [alt.Tooltip(f"{field}:Q", format=".3~f") for field in fields]

    beside: dict[str, dict[str, Any]] = {
        "left": {"align": "right", "dx": -8},
        "right": {"align": "left", "dx": 8},
    }
    harm, mark, point, here = part("harm"), part("mark"), part("point"), part("here")
    layers = [
        harm.mark_rect(color=HARM, opacity=0.14).encode(x2="b2:Q"),
        harm.mark_text(color=HARM, fontSize=12, baseline="top", dy=6)
        .transform_calculate(middle="(datum.b + datum.b2) / 2")
        .encode(x="middle:Q", y=alt.value(0), text="text:N"),
        harm.transform_aggregate(count="count()")
        .mark_rule(color=GREY, strokeDash=[3, 3])
        .encode(y=alt.Y(datum=1)),
        part("curve").mark_line(strokeWidth=2.6, clip=True).encode(y=y),
        point.mark_rule(strokeWidth=1.5, color=GREY, clip=True).encode(
            y=alt.Y("low:Q", scale=scale, title=title), y2="high:Q"
        ),
        point.mark_point(filled=True, size=45, opacity=1, color=GREY, clip=True).encode(
            y=y, tooltip=tooltip("b", "ratio", "low", "high")
        ),
        mark.mark_point(shape="diamond", filled=True, size=80, opacity=1, color="#2A9D5C").encode(
            y=y, tooltip=tooltip("b", "ratio")
        ),
        *_beside(mark.encode(y=y, text="text:N"), background),
        here.mark_rule(color=HARM, strokeWidth=1.5),
        here.mark_point(filled=True, size=140, opacity=1, color=HARM).encode(
            y=y, tooltip=tooltip("b", "ratio", "low", "high")
        ),
        *(
            here.transform_filter(f"datum.side == '{side}'")
            .mark_text(fontSize=15, fontWeight=600, color=HARM, **place)
            .encode(y=alt.value(36), text="text:N")
            for side, place in beside.items()
        ),
    ]  # fmt: skip
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


def _beside(text: alt.Chart, background: str) -> list[alt.Chart]:
    """Labels where the curve leaves room: b* in the bowl, the others below it, to their side."""
    places = {
        "inside": dict(align="center", dy=-14),
        "left": dict(align="right", dx=-7, dy=9),
        "right": dict(align="left", dx=7, dy=9),
    }
    layers = []
    for side, place in places.items():
        here = text.transform_filter(f"datum.side == '{side}'")
        words: dict[str, Any] = place | dict(fontSize=12, fontWeight=600)
        layers.append(here.mark_text(stroke=background, strokeWidth=4, strokeOpacity=0.8, **words))
        layers.append(here.mark_text(color="#2A9D5C", **words))
    return layers


def top(parabola: SampledParabola, b: float) -> float:
    """How high the chart must reach: over the curve's ends and over b."""
    ends = parabola.curve(np.array(span(parabola, b))) / parabola.curve.at_zero
    return float(np.ceil(max(ends.max(), 1.2) * 11) / 10)


def description(parabola: SampledParabola, b: float) -> str:
    """The chart in words."""
    return (
        f"Variance of the update against a constant baseline: least, "
        f"{written(parabola.least)} of that without one, at b* = {written(parabola.vertex)}; "
        f"at b = {b:g} it is {written(relative(parabola, b))} times that without one. "
        "Harm begins below 0 and above twice b*."
    )


# --- training --------------------------------------------------------------------------------


def training_rows(histories: Mapping[str, History], names: Mapping[str, str]) -> pd.DataFrame:
    """Learning curves of none, b* and b: the mean over seeds with its 95% t interval.

    Args:
        names: the label of each curve.
    """
    parts = []
    for key, history in histories.items():
        middle = stats.mean_t_interval(history.eval_returns.T)
        line = pd.DataFrame({"step": history.eval_steps, "mean": middle.estimate})
        line["low"], line["high"] = middle.low, middle.high
        line["label"] = np.where(line.index == len(line) - 1, names[key], "")
        parts.append(line.assign(baseline=key))
    if not parts:
        return pd.DataFrame(columns=["step", "mean", "low", "high", "label", "baseline", "label_y"])
    frame = pd.concat(parts, ignore_index=True)
    ends = frame["label"] != ""
    frame.loc[ends, "label_y"] = spread(frame.loc[ends, "mean"], 34)
    return frame


@lru_cache(maxsize=16)
def training_spec(last_step: int, highest: float, background: str = "#FFFFFF") -> dict:
    """The chart of `training_rows`."""
    x = alt.X(
        "step:Q", title="environment steps", axis=alt.Axis(format="~s", grid=False, tickCount=5),
        scale=alt.Scale(domain=[0, last_step], nice=False),
    )  # fmt: skip
    scale, title = alt.Scale(domain=[0, highest], nice=False), "episodic return"
    base = alt.Chart().encode(x=x, color=alt.Color("baseline:N", scale=COLOURS, legend=None))
    y = alt.Y("mean:Q", title=title, scale=scale)
    label = base.transform_filter("datum.label").encode(
        y=alt.Y("label_y:Q", scale=scale), text="label:N"
    )
    words: dict[str, Any] = dict(align="right", dx=-4, dy=-9, fontSize=13, fontWeight=600)
    layers = [
        base.transform_filter("isValid(datum.low)")
        .mark_area(opacity=0.16, clip=True)
        .encode(y=alt.Y("low:Q", scale=scale, title=title), y2="high:Q"),
        base.mark_line(strokeWidth=2.6, clip=True).encode(y=y),
        label.mark_text(stroke=background, strokeWidth=4, strokeOpacity=0.8, **words),
        label.mark_text(**words),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


def training_description(histories: Mapping[str, History]) -> str:
    """The chart in words."""
    ends = [f"{key} at {history.final_returns.mean():.0f}" for key, history in histories.items()]
    return f"Episodic return against environment steps: {', '.join(ends)}."


def gained(plain: History, other: History) -> Interval:
    """Mean return over training with a baseline, less that without: the area between curves."""
    return stats.difference_interval(plain.area_under_curve, other.area_under_curve)


def told(gap: Interval, name: str) -> str:
    """A difference in return over training, in words that its interval allows."""
    difference = f"differs from that without a baseline by {gap.estimate:+.0f}"
    if np.isnan(gap.low):
        return (
            f"With {name} the return, averaged over training, {difference}: one seed tells nothing"
        )
    words = "no difference can be told"
    if gap.low > 0:
        words = "learning is faster"
    if gap.high < 0:
        words = "learning is slower"
    return (
        f"With {name} the return, averaged over training, {difference} "
        f"[{gap.low:+.0f}, {gap.high:+.0f}]: {words}"
    )
