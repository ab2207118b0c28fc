"""The museum, drawn: both versions' curves, shares, and all verdicts at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from pgcore.exhibits import EXHIBITS
from pgcore.exhibits.results import Measured
from pgcore.plotting.theme import GROUND, bounds_aloud, built_once, named, place, spec
from ui.museum import words

HEIGHT = 250
SIDES = {"written": "as written", "corrected": "corrected"}
PLACES = {"written": "1", "corrected": "0"}  # of the palette
KIND_PLACES = {"Silent harm": "1", "Harmless": "0"}
TOP = 500.0  # the highest return
GREY = "#888888"


# --- one exhibit ---


def curve_rows(measured: Measured, shown: str) -> pd.DataFrame:
    """A row an evaluation and version: step, mean, low, high; a label at the end.

    Args:
        shown: the version that the switch has chosen, drawn stronger.
    """
    parts = []
    for side, curve in measured.curves.items():
        part = pd.DataFrame({"step": measured.steps, "mean": curve.mean})
        part["low"], part["high"] = curve.low, curve.high
        part["side"], part["colour"] = SIDES[side], PLACES[side]
        part["shown"], part["label"] = side == shown, ""
        part.loc[len(part) - 1, "label"] = f"{SIDES[side]}, n = {measured.n:,}"
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    low, high = label_rows(measured)
    frame.loc[frame["label"] != "", "label_y"] = [high, low]
    return frame


def label_rows(measured: Measured) -> tuple[float, float]:
    """Heights of the two labels, in a corner without lines: top left if free, else bottom right.

    Returns: the lower and the upper row, as returns.
    """
    top, early = axis_top(measured), len(measured.steps) // 2
    highest = max(max(curve.high[:early]) for curve in measured.curves.values())
    return (0.83 * top, 0.94 * top) if highest < 0.72 * top else (0.06 * top, 0.17 * top)


def axis_top(measured: Measured) -> float:
    """Where the axis of returns ends: a round number above every band."""
    highest = max(max(curve.high) for curve in measured.curves.values())
    return next(top for top in (50.0, 100.0, 200.0, 300.0, 400.0, TOP) if highest <= top)


@built_once(maxsize=16)
def curve_spec(last: int, top: float) -> dict[str, Any]:
    """The constant spec of `curve_rows`."""
    x = alt.X(
        "step:Q", title="environment steps", scale=alt.Scale(domain=[0, last], nice=False),
        axis=alt.Axis(format="~s", grid=False, tickCount=6),
    )  # fmt: skip
    scale = alt.Scale(domain=[0, top], nice=False)
    strong = alt.condition("datum.shown", alt.value(1.0), alt.value(0.35))
    base = alt.Chart().encode(x=x, color=place())
    band = base.mark_area(opacity=0.16, clip=True, aria=False).encode(
        y=alt.Y("low:Q", scale=scale, title="episodic return"), y2="high:Q"
    )
    y = alt.Y("mean:Q", scale=scale, title="episodic return")
    line = base.mark_line(strokeWidth=2.8, aria=False).encode(y=y, opacity=strong)
    points = named(
        base,
        "datum.side + ' at ' + format(datum.step, ',') + ' steps: ' + format(datum.mean, '.1f') "
        f"+ {bounds_aloud('.1f')}",
    ).mark_point(size=70, opacity=0)
    tooltip = [
        alt.Tooltip("side:N"),
        alt.Tooltip("step:Q", format=","),
        *(alt.Tooltip(f"{name}:Q", format=".1f") for name in ("mean", "low", "high")),
    ]
    left = f"datum.label_y > {top / 2}"
    label = base.transform_filter("datum.label").encode(
        x=alt.XValue(alt.expr(f"{left} ? 8 : width - 8")),
        y=alt.Y("label_y:Q", scale=scale),
        text="label:N",
        opacity=alt.value(1),
    )
    align = alt.ExprRef(f"{left} ? 'left' : 'right'")
    style: Any = dict(align=align, baseline="middle", fontSize=14, fontWeight=600, aria=False)
    halo = label.mark_text(stroke=GROUND, strokeWidth=4, strokeOpacity=0.8, **style)
    layers = [band, line, points.encode(y=y, tooltip=tooltip), halo, label.mark_text(**style)]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


def share_rows(measured: Measured) -> pd.DataFrame:
    """A row a version: the share of the first outcome with its interval."""
    one = measured.outcomes[0]
    return pd.DataFrame(
        {
            "side": SIDES[side],
            "colour": PLACES[side],
            "estimate": getattr(one, side).estimate,
            "low": getattr(one, side).low,
            "high": getattr(one, side).high,
            "n": getattr(one, side).n,
        }
        for side in SIDES
    )


@built_once(maxsize=8)
def share_spec(title: str) -> dict[str, Any]:
    """Two shares with their intervals, from 0 to 1."""
    scale = alt.Scale(domain=[0, 1], nice=False)
    y = alt.Y("side:N", title=None, sort=None, axis=alt.Axis(labelFontSize=14))
    base = alt.Chart().encode(y=y, color=place())
    bar = base.mark_bar(opacity=0.35, size=34, aria=False).encode(
        x=alt.X("estimate:Q", scale=scale, title=title, axis=alt.Axis(format=".0%"))
    )
    rule = base.mark_rule(strokeWidth=4, aria=False).encode(
        x=alt.X("low:Q", scale=scale, title=title), x2="high:Q"
    )
    point = named(
        base,
        f"datum.side + ': ' + format(datum.estimate, '.0%') + {bounds_aloud('.0%')} + "
        "', n = ' + format(datum.n, ',')",
    ).mark_point(filled=True, size=110, opacity=1)
    tooltip = [
        alt.Tooltip("side:N"),
        *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("estimate", "low", "high")),
        alt.Tooltip("n:Q", format=","),
    ]
    dots = point.encode(x=alt.X("estimate:Q", scale=scale, title=title), tooltip=tooltip)
    return spec(alt.layer(bar, rule, dots).properties(height=150, width="container"))


def table(measured: Measured) -> pd.DataFrame:
    """Every outcome of an exhibit with its intervals."""
    return pd.DataFrame(
        {
            "outcome": one.name,
            "as written": words.number(one, "written"),
            "corrected": words.number(one, "corrected"),
            "difference": words.number(one, "difference"),
            "called harmless within": f"± {words.margin(one)}",
            "n": f"{int(one.difference.n):,}",
        }
        for one in measured.outcomes
    )


# --- all of them ---


def effect_rows(measured: Mapping[str, Measured]) -> pd.DataFrame:
    """A row an exhibit with learning curves: the outcome that decides, as written less corrected.

    Sorted from the greatest loss to the greatest gain.
    """
    rows = []
    for key, one in measured.items():
        decides = one.verdict.outcome
        if decides is None or decides.is_share:
            continue
        kind = words.NAMES[one.verdict.kind]
        rows.append(
            {
                "exhibit": EXHIBITS[key].title,
                "outcome": decides.name,
                "verdict": kind,
                "how": one.verdict.how,
                "colour": KIND_PLACES[kind],
                "estimate": decides.difference.estimate,
                "low": decides.difference.low,
                "high": decides.difference.high,
                "n": decides.difference.n,
            }
        )
    return pd.DataFrame(rows).sort_values("estimate", ignore_index=True)


def effect_ends(rows: pd.DataFrame) -> tuple[int, int]:
    """Where the axis of `effect_rows` ends: whole multiples of 50 beyond every interval."""
    low, high = rows["low"].min(), rows["high"].max()
    return 50 * math.floor(low / 50 - 0.2), 50 * math.ceil(high / 50 + 0.2)


@built_once(maxsize=4)
def effect_spec(count: int, margin: float, ends: tuple[int, int]) -> dict[str, Any]:
    """All effects on returns below each other; grey: the margin within which nothing is harm."""
    y = alt.Y(
        "exhibit:N", title=None, sort=None,
        axis=alt.Axis(labelLimit=260, labelFontSize=13, labelOverlap=False, labelFlush=False),
    )  # fmt: skip
    title = "episodic return, as written less corrected"
    scale = alt.Scale(domain=list(ends), nice=False)
    x = alt.X("low:Q", title=title, scale=scale, axis=alt.Axis(orient="top", tickCount=8))
    base = alt.Chart().encode(y=y, color=place())
    once = alt.Chart().transform_aggregate(rows="count()")
    zone = once.mark_rect(color=GREY, opacity=0.18, aria=False).encode(
        x=alt.XDatum(-margin, scale=scale), x2=alt.X2Datum(margin)
    )
    zero = once.mark_rule(color=GREY, strokeDash=[3, 3], aria=False).encode(x=alt.XDatum(0))
    rule = base.mark_rule(strokeWidth=3, aria=False).encode(x=x, x2="high:Q")
    tooltip = [
        alt.Tooltip("exhibit:N"),
        alt.Tooltip("verdict:N"),
        alt.Tooltip("how:N"),
        alt.Tooltip("outcome:N"),
        *(alt.Tooltip(f"{name}:Q", format=".1f") for name in ("estimate", "low", "high")),
        alt.Tooltip("n:Q", format=","),
    ]
    point = named(
        base,
        "datum.exhibit + ': ' + datum.verdict + ', ' + format(datum.estimate, '.1f') + "
        + bounds_aloud(".1f"),
    ).mark_point(filled=True, size=80, opacity=1)
    layers = [
        zone,
        zero,
        rule,
        point.encode(x=alt.X("estimate:Q", title=title, scale=scale), tooltip=tooltip),
    ]
    return spec(alt.layer(*layers).properties(height=22 * count, width="container"))


def other_table(measured: Mapping[str, Measured]) -> pd.DataFrame:
    """The exhibits whose verdict is no difference of returns: crashes and shares."""
    rows = []
    for key, one in measured.items():
        decides = one.verdict.outcome
        if decides is not None and not decides.is_share:
            continue
        shown = (
            words.last_line(one.traceback)
            if decides is None
            else f"{decides.name}: {words.number(decides, 'written')} as written, "
            f"{words.number(decides, 'corrected')} corrected, n = {int(decides.difference.n):,}"
        )
        rows.append(
            {
                "exhibit": EXHIBITS[key].title,
                "verdict": words.NAMES[one.verdict.kind],
                "measured": shown,
            }
        )
    return pd.DataFrame(rows).set_index("exhibit")


def verdict_table(keys: Sequence[str], measured: Mapping[str, Measured]) -> pd.DataFrame:
    """What the measurement says of each card, for a reader who sorted none."""
    return pd.DataFrame(
        {
            "card": EXHIBITS[key].title,
            "measured": words.name_of(key, measured),
            "because": words.because(measured[key]),
        }
        for key in keys
    )


def sorted_table(said: Mapping[str, str], measured: Mapping[str, Measured]) -> pd.DataFrame:
    """Each sorted card: what the reader said, what the measurement says."""
    return pd.DataFrame(
        {
            "card": EXHIBITS[key].title,
            "sorted as": option,
            "measured": words.name_of(key, measured),
            "right": option == words.name_of(key, measured),
        }
        for key, option in said.items()
    )
