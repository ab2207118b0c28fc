"""ToyPole, drawn: the chain, estimates beside their truths, bias against length and lambda.

Everything exact is a sum over all windows; everything sampled comes from windows that were
played. Lengths along the gradient are in units of |g|, so that 1 is unbiased.
"""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore.algorithms import ALGORITHMS
from pgcore.exact.toypole import START, STATES, ToyPole
from pgcore.gradients.enumerated import (
    FIELDS,
    SHRINKING,
    STATE_OPTIMUM,
    exact_rows,
    sampled_rows,
)
from pgcore.plotting.theme import FAINT, HEIGHT, bounds_aloud, built_once, colour, named, spec
from pgcore.stats import Interval
from ui.shell.sums import adding_up

GREY, ORANGE = "#888888", "#D06000"  # readable on white and on black


# --- The chain -------------------------------------------------------------------------------


def chain_rows(lab: ToyPole) -> pd.DataFrame:
    """For each state: V, both Q, b*, the occupancy, and the policy as two arrows."""
    top = float(lab.q_values.max())
    floor = -0.34 * top  # where the chain is drawn, below the values
    states = np.arange(STATES)
    marks = {
        "V": lab.values,
        "Q left": lab.q_values[:, 0],
        "Q right": lab.q_values[:, 1],
        STATE_OPTIMUM: lab.optimal_state_baseline,
    }
    aside = {"Q left": -0.12, "Q right": 0.12}  # so that equal values do not hide each other
    parts = [
        pd.DataFrame(
            {"part": "value", "name": name, "x": states + aside.get(name, 0.0), "y": values}
        )
        for name, values in marks.items()
    ]
    node = pd.DataFrame({"part": "node", "x": states, "y": floor, "mu": lab.occupancy})
    node["text"] = [f"{mu:.3f}" for mu in adding_up(lab.occupancy.tolist(), 1, 3)]
    node["name"] = [f"{x}, start" if x == START else f"{x}" for x in states]
    for name, share, way in (("left", 1 - lab.right, -1), ("right", lab.right, 1)):
        height = floor + 0.09 * top * way
        parts.append(
            pd.DataFrame(
                {
                    "part": "arrow",
                    "name": name,
                    "x": states + 0.2 * way,
                    "x2": states + 0.72 * way,
                    "y": height,
                    "share": share,
                    "text": [f"{p:.2f}" for p in share],
                }
            )
        )
    return pd.concat([*parts, node], ignore_index=True)


@built_once(maxsize=32)
def chain_spec(top: float) -> dict:
    """The chart of `chain_rows`; `top` is the greatest Q."""
    base = alt.Chart().encode(
        x=alt.X(
            "x:Q",
            axis=alt.Axis(values=[*range(STATES)], format="d", grid=False, title="state x"),
            scale=alt.Scale(domain=[-0.8, STATES - 0.2], nice=False),
        ),
        y=alt.Y(
            "y:Q",
            title="value",
            scale=alt.Scale(domain=[-0.68 * top, 1.08 * top], nice=False),
            axis=alt.Axis(values=[*range(0, int(top) + 1, 1 if top < 10 else 10)], grid=True),
        ),
    )

    def part(name: str) -> alt.Chart:
        return base.transform_filter(f"datum.part == '{name}'")

    names = ["V", "Q left", "Q right", STATE_OPTIMUM]
    kind = alt.Color(
        "name:N",
        scale=alt.Scale(domain=names),
        legend=alt.Legend(orient="top", title=None, symbolOpacity=1),
    )
    shape = alt.Shape(
        "name:N",
        scale=alt.Scale(
            domain=names, range=["stroke", "triangle-left", "triangle-right", "diamond"]
        ),
    )
    arrows = part("arrow")
    width = alt.StrokeWidth("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.5, 7]), legend=None)
    layers = [
        named(
            part("value")
            .mark_point(size=150, strokeWidth=2.6, filled=False, opacity=1)
            .encode(
                color=kind,
                shape=shape,
                tooltip=[
                    alt.Tooltip("name:N"),
                    alt.Tooltip("x:Q", format=".0f"),
                    alt.Tooltip("y:Q", format=".5f"),
                ],
            ),
            "'State ' + format(datum.x, '.0f') + ', ' + datum.name + ': ' + format(datum.y, '.3f')",
        ),
        named(
            arrows.mark_rule(color=GREY).encode(x2="x2:Q", strokeWidth=width),
            "'State ' + format(datum.x, '.0f') + ', the policy goes ' + datum.name"
            " + ' with probability ' + datum.text",
        ),
        *(
            arrows.transform_filter(f"datum.name == '{way}'")
            .mark_point(
                shape=f"triangle-{way}", filled=True, size=90, color=GREY, opacity=1, aria=False
            )
            .encode(x=alt.X("x2:Q"))
            for way in ("left", "right")
        ),
        *(
            arrows.transform_filter(f"datum.name == '{way}'")
            .transform_calculate(middle="(datum.x + datum.x2) / 2")
            .mark_text(dy=dy, fontSize=12, color=FAINT, aria=False)
            .encode(x="middle:Q", text="text:N")
            for way, dy in (("left", 12), ("right", -11))
        ),
        named(
            part("node")
            .mark_point(filled=True, opacity=0.55)
            .encode(
                size=alt.Size(
                    "mu:Q", scale=alt.Scale(domain=[0, 0.5], range=[0, 900]), legend=None
                ),
                tooltip=[alt.Tooltip("x:Q"), alt.Tooltip("mu:Q", title="occupancy", format=".5f")],
            ),
            "'State ' + datum.x + ', share of the time: ' + datum.text",
        ),
        part("node")
        .mark_text(dy=38, fontSize=12, fontWeight=600, color=FAINT, aria=False)
        .encode(text="text:N"),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


def chain_table(lab: ToyPole) -> pd.DataFrame:
    """The numbers of `chain_rows`, one row a state."""
    return pd.DataFrame(
        {
            "x": range(STATES),
            "θ": lab.theta,
            "π(right)": lab.right,
            "occupancy μ": lab.occupancy,
            "V": lab.values,
            "Q left": lab.q_values[:, 0],
            "Q right": lab.q_values[:, 1],
            "b*(s)": lab.optimal_state_baseline,
            "g∞": lab.gradient,
            "∇J": lab.discounted_gradient,
        }
    )


# --- Estimates meet truths -------------------------------------------------------------------


def around(values: pd.Series) -> tuple[float, float]:
    """A logarithmic axis that holds these values with room on both sides."""
    return float(values.min() / 1.6), float(values.max() * 1.6)


PANELS: dict[str, tuple[str, Any]] = {
    "kept": ("mean arrow along g∞ (1: unbiased)", "linear"),
    "tr_var": ("variance of one window's arrow", "log"),
}


@built_once(maxsize=64)
def estimate_spec(measure: str, low: float, high: float) -> dict:
    """One panel of `estimate_rows`: exact as a tick, sampled as a dot with its interval."""
    title, kind = PANELS[measure]
    scale = alt.Scale(domain=[low, high], type=kind, nice=False, clamp=kind == "log")
    base = alt.Chart().encode(
        y=alt.Y(
            "estimator:N",
            sort=None,
            title=None,
            axis=alt.Axis(ticks=False, labelLimit=130, labelFontSize=13),
        ),
        color=alt.condition(
            f"datum.key === '{STATE_OPTIMUM}'", alt.value(GREY), colour("key", legend=None)
        ),
    )
    round_numbers = (digit * 10.0**power for power in range(-6, 4) for digit in (1, 2, 5))
    ticks = [x for x in round_numbers if low <= x <= high]
    axis = alt.Axis(values=ticks, format="~g") if kind == "log" else alt.Axis(tickCount=5)
    x = alt.X(f"{measure}:Q", title=title, scale=scale, axis=axis)
    sampled = base.transform_filter("datum.part === 'sampled'")
    tooltip = [alt.Tooltip("estimator:N"), alt.Tooltip("part:N")] + [
        alt.Tooltip(f"{name}:Q", format=".4f")
        for name in (measure, f"{measure}_low", f"{measure}_high")
    ]
    layers = [
        sampled.mark_rule(strokeWidth=2.5, clip=True, aria=False).encode(
            x=alt.X(f"{measure}_low:Q", scale=scale, title=title), x2=f"{measure}_high:Q"
        ),
        named(
            sampled.mark_point(filled=True, size=70, opacity=1, clip=True).encode(
                x=x, tooltip=tooltip
            ),
            f"datum.estimator + ', sampled: ' + format(datum.{measure}, '.3f') + "
            + bounds_aloud(".3f", f"{measure}_low", f"{measure}_high"),
        ),
        named(
            base.transform_filter("datum.part === 'exact'")
            .mark_tick(thickness=3, size=26, clip=True, opacity=1)
            .encode(x=x, tooltip=tooltip[:3]),
            f"datum.estimator + ', exact: ' + format(datum.{measure}, '.4f')",
        ),
    ]
    if measure == "kept":
        once = alt.Chart().transform_aggregate(rows="count()")
        rule = once.mark_rule(color=GREY, strokeDash=[3, 3], aria=False).encode(
            x=alt.X(datum=1, scale=scale)
        )
        layers.insert(0, rule)
    return spec(alt.layer(*layers).properties(height=HEIGHT - 60, width="container"))


def estimate_table(lab: ToyPole, constant: float, n: int, draw: int) -> pd.DataFrame:
    """Truth and estimate as text, one row an estimator."""
    exact, sampled = exact_rows(lab, constant), sampled_rows(lab, constant, n, draw)
    return pd.DataFrame(
        {
            "baseline": exact["estimator"],
            "relative bias, exact": [f"{value:.6f}" for value in exact["relative_bias"].round(9)],
            "along g∞, exact": [f"{value:.4f}" for value in exact["kept"]],
            f"along g∞, {n:,} windows": _with_interval(sampled, "kept"),
            "tr Var, exact": [f"{value:.6f}" for value in exact["tr_var"]],
            f"tr Var, {n:,} windows": _with_interval(sampled, "tr_var"),
        }
    )


def _with_interval(rows: pd.DataFrame, name: str) -> list[str]:
    columns = rows[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False)
    return [f"{Interval(middle, low, high, None):.3f}" for middle, low, high in columns]


# --- The bias of the batch mean against the window's length ----------------------------------


@built_once(maxsize=4)
def length_spec() -> dict:
    """The chart of `length_rows`."""
    base = alt.Chart().encode(
        x=alt.X(
            "T:Q",
            title="steps in a window, T",
            scale=alt.Scale(type="log", base=2, domain=[2, 80], nice=False),
            axis=alt.Axis(values=[2, 4, 8, 16, 32, 64], format="d", grid=False),
        )
    )
    y_scale = alt.Scale(domain=[0, 0.9], nice=False, clamp=True)
    title = "share of the true gradient that is lost"
    y = alt.Y("lost:Q", title=title, scale=y_scale, axis=alt.Axis(format="%", tickCount=6))
    tooltip = [
        alt.Tooltip("name:N", title="estimator"),
        alt.Tooltip("part:N"),
        alt.Tooltip("T:Q"),
        alt.Tooltip("lost:Q", format=".4f"),
        alt.Tooltip("low:Q", format=".4f"),
        alt.Tooltip("high:Q", format=".4f"),
    ]
    names = {key: ALGORITHMS[key].name for key in SHRINKING}
    legend = alt.Legend(
        orient="top", title=None, values=[*names], labelExpr=f"({json.dumps(names)})[datum.value]"
    )
    kind = colour("key", legend=legend)
    exact = base.transform_filter("datum.part === 'exact'").encode(color=kind)
    sampled = base.transform_filter("datum.part === 'sampled'").encode(color=kind)
    reference = base.transform_filter("datum.part === '1/T'")
    layers = [
        reference.mark_line(color=GREY, strokeDash=[5, 4], strokeWidth=2, aria=False).encode(y=y),
        reference.transform_filter("isValid(datum.text)")
        .mark_text(color=FAINT, align="right", baseline="top", dx=-4, fontSize=13, aria=False)
        .encode(x=alt.value("width"), y=alt.value(4), text="text:N"),
        exact.mark_line(strokeWidth=2.6, aria=False).encode(y=y),
        named(
            exact.mark_point(filled=True, size=45, opacity=1).encode(y=y, tooltip=tooltip),
            "datum.name + ', T = ' + datum.T + ', exact: ' + format(datum.lost, '.1%') + ' lost'",
        ),
        sampled.mark_rule(strokeWidth=2.5, aria=False).encode(
            y=alt.Y("low:Q", scale=y_scale, title=title), y2="high:Q"
        ),
        named(
            sampled.mark_point(size=60, opacity=1, filled=False, strokeWidth=2).encode(
                y=y, tooltip=tooltip
            ),
            "datum.name + ', T = ' + datum.T + ', sampled: ' + format(datum.lost, '.1%')"
            f" + ' lost' + {bounds_aloud('.1%')}",
        ),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


def length_table(rows: pd.DataFrame) -> pd.DataFrame:
    """What `length_rows` draws, a row a length and estimator; an exact one has no interval."""
    drawn = rows[rows["part"] != "1/T"]
    lost = [
        f"{Interval(row.lost, row.low, row.high, None):.1%}"
        if row.part == "sampled"
        else f"{row.lost:.2%}"
        for row in drawn.itertuples()
    ]
    return pd.DataFrame(
        {
            "steps T": drawn["T"].astype(int),
            "baseline": drawn["name"],
            "lost": lost,
            "1/T": [f"{1 / length:.2%}" for length in drawn["T"]],
            "how": drawn["part"],
        }
    )


def before_the_answer(rows: pd.DataFrame, part: str, kind: str = "") -> pd.DataFrame:
    """One part of a chart's rows, and one of its kinds if named: what may stand by a question."""
    shown = rows["part"] == part
    return rows[shown & (rows["kind"] == kind)] if kind else rows[shown]


# --- GAE: bias and noise against lambda ------------------------------------------------------

ERRORS = ("total", "noise", "bias")


def ceiling(values: pd.Series) -> float:
    """The top of an axis that starts at 0."""
    return float(np.ceil(values.max() * 5) / 5)


@built_once(maxsize=64)
def lambda_spec(top: float) -> dict:
    """The chart of `lambda_rows`."""
    base = alt.Chart().encode(
        x=alt.X(
            "lambda:Q",
            title="λ",
            scale=alt.Scale(domain=[0, 1], nice=False),
            axis=alt.Axis(grid=False, tickCount=10),
        ),
        y=alt.Y(
            "error:Q", title="error, in lengths of g∞", scale=alt.Scale(domain=[0, top], nice=False)
        ),
    )
    curve = base.transform_filter("datum.part === 'curve'")
    kind = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=[*ERRORS]),
        legend=alt.Legend(orient="top", title=None),
    )
    dash = alt.StrokeDash(
        "kind:N", scale=alt.Scale(domain=[*ERRORS], range=[[1, 0], [6, 3], [2, 2]])
    )
    tooltip = [
        alt.Tooltip("kind:N"),
        alt.Tooltip("lambda:Q", format=".2f"),
        alt.Tooltip("error:Q", format=".4f"),
    ]
    best = base.transform_filter("datum.part === 'best'")
    words: dict[str, Any] = {
        "fontSize": 13,
        "fontWeight": 600,
        "dy": -16,
        "color": ORANGE,
        "aria": False,
    }
    sides: dict[str, dict[str, Any]] = {  # in the middle, where the curve below is flattest
        "datum.lambda < 0.25": {"align": "left"},
        "datum.lambda >= 0.25 && datum.lambda <= 0.75": {"align": "center"},
        "datum.lambda > 0.75": {"align": "right"},
    }
    layers = [
        named(
            curve.mark_line(strokeWidth=2.6, clip=True).encode(color=kind, strokeDash=dash),
            "'Curve against λ: ' + datum.kind",
        ),
        curve.mark_point(size=60, opacity=0, clip=True, aria=False).encode(tooltip=tooltip),
        named(
            best.mark_point(filled=True, size=130, opacity=1, color=ORANGE).encode(tooltip=tooltip),
            "'Least error at ' + datum.text + ', total ' + format(datum.error, '.4f')",
        ),
        *(
            best.transform_filter(where).mark_text(**words, **place).encode(text="text:N")
            for where, place in sides.items()
        ),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT - 25, width="container"))


def lambda_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The curves of `lambda_rows` in steps of 0.05, a column each, in lengths of g∞."""
    curves = rows[rows["part"] == "curve"].pivot(index="lambda", columns="kind", values="error")
    return curves[[*ERRORS]].iloc[::5].reset_index().rename(columns={"lambda": "λ"})


# --- Two gradients ---------------------------------------------------------------------------


@built_once(maxsize=4)
def field_spec() -> dict:
    """The chart of `field_rows`."""
    unit = alt.Scale(domain=[-1, 1], nice=False)
    bars = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=alt.X("x:O", title="state x", axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("field:N", scale=alt.Scale(domain=[*FIELDS])),
            y=alt.Y("share:Q", title="component of the arrow at length 1", scale=unit),
            color=_field_colour(),
            tooltip=[
                alt.Tooltip("field:N"),
                alt.Tooltip("x:Q"),
                alt.Tooltip("value:Q", format=".6f"),
                alt.Tooltip("share:Q", format=".4f"),
            ],
        )
    )
    chart = named(bars, "datum.field + ', state ' + datum.x + ': ' + format(datum.share, '.3f')")
    return spec(chart.properties(height=HEIGHT - 25, width="container"))


def _field_colour() -> alt.Color:
    return alt.Color(
        "field:N",
        scale=alt.Scale(domain=[*FIELDS]),
        legend=alt.Legend(orient="top", title=None, symbolType="circle", symbolSize=90),
    )


@built_once(maxsize=4)
def climb_spec() -> dict:
    """The chart of `climb_rows`."""
    base = alt.Chart().encode(
        x=alt.X(
            "lap:Q",
            title="share of the walk round θ",
            scale=alt.Scale(domain=[0, 1.12], nice=False),
            axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1], grid=False),
        ),
        y=alt.Y(
            "height:Q",
            title="height gained, in units of its swing",
            scale=alt.Scale(domain=[-1, 1], nice=False),
            axis=alt.Axis(grid=True),
        ),
        color=_field_colour(),
    )
    once = alt.Chart().transform_aggregate(rows="count()")
    end = base.transform_filter("isValid(datum.text)")
    layers = [
        once.mark_rule(color=GREY, strokeDash=[3, 3], aria=False).encode(y=alt.Y(datum=0)),
        named(base.mark_line(strokeWidth=2.6), "'Height along the walk: ' + datum.field"),
        named(
            end.mark_point(filled=True, size=90, opacity=1),
            "datum.field + ', end of the walk: height ' + datum.text",
        ),
        end.mark_text(align="left", dx=8, dy=-9, fontSize=13, fontWeight=600, aria=False).encode(
            text="text:N"
        ),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT - 25, width="container"))


def field_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The bars of `field_rows`, a row a state, at length 1."""
    table = rows.pivot(index="x", columns="field", values="share")[[*FIELDS]]
    return table.reset_index().rename(columns={"x": "state x"})


def climb_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The curves of `climb_rows` at each twelfth of the walk or so, a column each."""
    table = rows.pivot(index="lap", columns="field", values="height")[[*FIELDS]]
    places = np.unique(np.linspace(0, len(table) - 1, 13).round().astype(int))
    return table.iloc[places].reset_index().rename(columns={"lap": "share of the walk"})
