"""The exact bandit, drawn: arrows on the simplex, the parabola, the fates of many runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore.exact.bandit import Bandit, never_good_arm, simplex_points
from pgcore.exact.fates import (
    FATES,
    REWARDS,
    FirstStep,
    baselines,
    fates,
    first_steps,
    never_pulled,
    shares,
)
from pgcore.plotting.theme import FAINT, HEIGHT, bounds_aloud, built_once, named, spec
from pgcore.stats import Interval
from ui.bandit.words import DRAWN

ARMS = ("arm 1", "arm 2", "arm 3")
MEAN = "expected arrow"
# The theme's first three colours for the arms, its ninth, the ink, for what is exact.
COLOURS = alt.Scale(domain=[*ARMS, *"45678", MEAN])
GREY, ORANGE = "#888888", "#D06000"  # readable on white and on black
ARROW_ALOUD = (
    "upper(slice(datum.name, 0, 1)) + slice(datum.name, 1)"
    " + ', probability ' + format(datum.probability, '.2f')"
    " + ': arrow of length ' + format(datum.length, '.3f')"
    " + ', Q − b is ' + format(datum.weight, '.3f')"
)
START = np.full((1, 1, 3), 1 / 3)  # a run that has not moved: policies for `path_rows`
FRAME = (-0.12, 1.12), (-0.15, 0.98)  # the part of the plane that is drawn


# --- One pull: the simplex -------------------------------------------------------------------


def reach(bandit: Bandit) -> float:
    """The step with which, without baseline and noise, the longest arrow ends in its corner."""
    return float(1 / max(np.abs(bandit.q_values).max(), 1e-9))


def arrow(tail: np.ndarray, tip: np.ndarray, head: float = 0.035) -> np.ndarray:
    """The stroke tail, tip, barb, tip, barb of an arrow in the plane.  [2], [2] -> [5, 2]"""
    along = tip - tail
    length = np.linalg.norm(along)
    if length < 1e-9:
        return np.stack([tail, tip, tip, tip, tip])
    along = along / length * min(head, length / 2)
    across = np.array([-along[1], along[0]]) * 0.6
    return np.stack([tail, tip, tip - along + across, tip, tip - along - across])


def simplex_rows(bandit: Bandit, b: float) -> pd.DataFrame:
    """Everything on the simplex: edges, corners, the policy, each arm's arrow and their mean.

    An arrow psi_a (Q_a - b) is read as a displacement of the policy, `reach` times its length.
    """
    step = reach(bandit)
    here = simplex_points(bandit.policy)
    corners = simplex_points(np.eye(3))
    arrows = simplex_points(bandit.arrows(b)) * step  # [3, 2]
    mean = simplex_points(bandit.gradient) * step
    parts = [_stroke("edge", "", corners[[0, 1, 2, 0]])]
    for a, name in enumerate(ARMS):
        facts = dict(
            probability=bandit.policy[a],
            length=float(np.linalg.norm(bandit.arrows(b)[a])),
            weight=bandit.q_values[a] - b,
        )
        parts.append(_stroke("arrow", name, arrow(here, here + arrows[a])).assign(**facts))
        if bandit.noise[a] > 0:
            low, high = (
                here + simplex_points(bandit.scores[a] * (weight * step))
                for weight in (facts["weight"] - bandit.noise[a], facts["weight"] + bandit.noise[a])
            )
            parts.append(_stroke("noise", name, np.stack([low, high])))
        text = f"{name}: π {bandit.policy[a]:.2f}, Q {bandit.q_values[a]:g}"
        parts.append(_stroke("corner", name, corners[[a]]).assign(text=text))
    facts = dict(probability=1.0, length=float(np.linalg.norm(bandit.gradient)))
    parts.append(_stroke("mean", MEAN, arrow(here, here + mean)).assign(**facts))
    parts.append(_stroke("policy", MEAN, here[None]))
    return pd.concat(parts, ignore_index=True)


def _stroke(part: str, name: str, points: np.ndarray) -> pd.DataFrame:
    rows = pd.DataFrame(points, columns=["x", "y"])
    return rows.assign(part=part, name=name, order=range(len(points)))


@built_once(maxsize=4)
def simplex_spec() -> dict:
    """The simplex of `simplex_rows`; its size is fixed, because its sides are equal."""
    base = _plane()
    coloured = base.encode(color=alt.Color("name:N", scale=COLOURS, legend=None))

    def part(chart: alt.Chart, name: str) -> alt.Chart:
        return chart.transform_filter(f"datum.part == '{name}'")

    tooltip = [
        alt.Tooltip("name:N"),
        alt.Tooltip("probability:Q", format=".3f"),
        alt.Tooltip("weight:Q", title="Q - b", format=".3f"),
        alt.Tooltip("length:Q", format=".3f"),
    ]
    arrows = part(coloured, "arrow").encode(
        strokeWidth=alt.StrokeWidth(
            "probability:Q", scale=alt.Scale(domain=[0, 1], range=[1.5, 5]), legend=None
        ),
        tooltip=tooltip,
        detail="name:N",
        order="order:Q",
    )
    corner = part(coloured, "corner")
    words: dict[str, Any] = {"fontSize": 12, "fontWeight": 600, "aria": False}
    layers = [
        part(base, "edge")
        .mark_line(color=GREY, strokeWidth=1.5, aria=False)
        .encode(order="order:Q"),
        part(coloured, "noise")
        .mark_line(strokeWidth=9, opacity=0.28, clip=True, aria=False)
        .encode(detail="name:N", order="order:Q"),
        named(arrows.mark_line(clip=True), ARROW_ALOUD),
        named(
            part(coloured, "mean")
            .mark_line(strokeWidth=4, clip=True)
            .encode(order="order:Q", tooltip=[tooltip[0], tooltip[3]]),
            "'Mean of the arrows, the gradient g: length ' + format(datum.length, '.3f')",
        ),
        part(coloured, "policy").mark_point(filled=True, size=90, opacity=1, aria=False),
        corner.transform_filter("datum.name == 'arm 1'")
        .mark_text(align="left", dx=-24, dy=16, **words)
        .encode(text="text:N"),
        corner.transform_filter("datum.name == 'arm 2'")
        .mark_text(align="right", dx=24, dy=16, **words)
        .encode(text="text:N"),
        corner.transform_filter("datum.name == 'arm 3'")
        .mark_text(dy=-12, **words)
        .encode(text="text:N"),
    ]
    return spec(alt.layer(*layers).properties(**_size(330)))


def _plane() -> alt.Chart:
    (left, right), (bottom, top) = FRAME
    return alt.Chart().encode(
        x=alt.X("x:Q", axis=None, scale=alt.Scale(domain=[left, right], nice=False)),
        y=alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[bottom, top], nice=False)),
    )


def _size(width: int) -> dict[str, Any]:
    """Width and height that keep the triangle equilateral, with nothing around the plane."""
    (left, right), (bottom, top) = FRAME
    height = round(width * (top - bottom) / (right - left))
    bare = dict.fromkeys(("left", "right", "top", "bottom"), 0)
    return {"width": width, "height": height, "autosize": "none", "padding": bare}


# --- One pull: the parabola ------------------------------------------------------------------


def span(bandit: Bandit) -> tuple[float, float]:
    """The baselines worth showing: round b*, far enough to see both ends of the harmless zone."""
    best = bandit.optimal_baseline
    half = max(1.9 * abs(best), np.abs(bandit.q_values - best).max(), 1.5)
    return round(best - half, 1), round(best + half, 1)


def ceiling(bandit: Bandit) -> float:
    """The greatest variance on the chart."""
    return max(bandit.tr_var(b) for b in span(bandit))


def parabola_rows(bandit: Bandit, b: float) -> pd.DataFrame:
    """tr Var of one pull against b: the curve, the named baselines, b, and the zones of harm."""
    low, high = span(bandit)
    grid = np.linspace(low, high, 161)
    curve = pd.DataFrame({"part": "curve", "b": grid, "tr_var": bandit.parabola(grid)})
    in_sight = {name: value for name, value in baselines(bandit).items() if low <= value <= high}
    marks = []
    last: dict[int, float] = {}  # where each row of names ends
    for name, value in sorted(in_sight.items(), key=lambda item: item[1]):
        row = next(k for k in range(9) if value - last.get(k, -np.inf) > 0.11 * (high - low))
        last[row] = value
        mark = {"b": value, "tr_var": bandit.tr_var(value), "text": name.replace("-", "−")}
        marks.append(mark | {"part": "mark", "below": -(0.045 + 0.07 * row) * ceiling(bandit)})
    here = {"part": "here", "b": b, "tr_var": bandit.tr_var(b), "text": f"{bandit.tr_var(b):.4g}"}
    left, right = bandit.parabola.harmless
    harm = [
        {"part": "harm", "b": low, "b2": left, "text": "worse\nthan none"},
        {"part": "harm", "b": right, "b2": high, "text": "worse\nthan none"},
    ]
    none = {"part": "none", "tr_var": bandit.tr_var(0.0)}
    return pd.concat([curve, pd.DataFrame([*harm, none, *marks, here])], ignore_index=True)


def ticks(top: float) -> list[float]:
    """At most eight round numbers from 0 to `top`."""
    steps = (digit * 10.0**power for power in range(-6, 7) for digit in (1, 2, 5))
    step = next(step for step in steps if top / step < 8)
    return [float(x) for x in np.arange(0, top, step)]


@built_once(maxsize=64)
def parabola_spec(low: float, high: float, top: float) -> dict:
    """The parabola of `parabola_rows` between two baselines; `top` is the highest variance."""
    base = alt.Chart().encode(
        x=alt.X(
            "b:Q",
            title="constant baseline b",
            scale=alt.Scale(domain=[low, high], nice=False),
            axis=alt.Axis(grid=False),
        )
    )
    scale = alt.Scale(domain=[-0.2 * top, top], nice=False)
    y = alt.Y(
        "tr_var:Q",
        title="variance of one pull",
        scale=scale,
        axis=alt.Axis(values=ticks(top)),
    )

    def part(name: str) -> alt.Chart:
        return base.transform_filter(f"datum.part == '{name}'")

    tooltip = [
        alt.Tooltip("text:N", title="baseline"),
        alt.Tooltip("b:Q", format=".4f"),
        alt.Tooltip("tr_var:Q", title="variance", format=".4f"),
    ]
    layers = [
        named(
            part("harm").mark_rect(color=ORANGE, opacity=0.18).encode(x2="b2:Q"),
            "'From b = ' + format(datum.b, '.2f') + ' to ' + format(datum.b2, '.2f')"
            " + ': more variance than without a baseline'",
        ),
        part("harm")
        .mark_text(color=FAINT, fontSize=12, baseline="bottom", dy=-16, lineBreak="\n", aria=False)
        .transform_calculate(middle="(datum.b + datum.b2) / 2")
        .encode(x="middle:Q", y=alt.Y(datum=0, scale=scale), text="text:N"),
        alt.Chart()
        .transform_filter("datum.part == 'none'")
        .mark_rule(color=GREY, strokeDash=[3, 3], aria=False)
        .encode(y=y),
        part("curve").mark_line(strokeWidth=2.6, clip=True, aria=False).encode(y=y),
        named(
            part("mark")
            .mark_point(filled=True, size=45, opacity=1, color=GREY)
            .encode(y=y, tooltip=tooltip),
            "'Baseline ' + datum.text + ' = ' + format(datum.b, '.4f')"
            " + ', variance ' + format(datum.tr_var, '.4f')",
        ),
        part("mark")
        .mark_text(fontSize=12, color=FAINT, aria=False)
        .encode(y=alt.Y("below:Q", scale=scale), text="text:N"),
        part("here")
        .mark_rule(color=ORANGE, strokeWidth=1.5, aria=False)
        .encode(y=alt.Y(datum=0, scale=scale), y2=alt.value(0)),
        named(
            part("here")
            .mark_point(filled=True, size=130, opacity=1, color=ORANGE)
            .encode(y=y, tooltip=tooltip),
            "'Your b = ' + format(datum.b, '.2f') + ', variance ' + format(datum.tr_var, '.4f')",
        ),
        part("here")
        .mark_text(
            dy=-20, dx=6, fontSize=14, fontWeight=600, color=ORANGE, align="left", aria=False
        )
        .encode(y=y, text="text:N"),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT - 30, width="container"))


def numbers(bandit: Bandit, b: float, size: int) -> pd.DataFrame:
    """Every baseline's exact mean and variance, of one pull and of an update of `size` pulls.

    The mean is a share of g.
    """
    named = baselines(bandit)
    rows = [
        (f"{name} = {value:.4f}" if name != "none" else name, 1.0, bandit.tr_var(value))
        for name, value in named.items()
        if name in ("none", "V", "b*")
    ]
    rows.append((f"yours = {b:.4f}", 1.0, bandit.tr_var(b)))
    table = pd.DataFrame(rows, columns=["baseline", "kept", "tr_var"])
    table["batch_tr_var"] = table["tr_var"] / size
    batch = pd.DataFrame(
        [
            ("batch mean", 1 - 1 / size, np.nan, bandit.batch_mean_tr_var(size)),
            ("leave one out", 1.0, np.nan, bandit.leave_one_out_tr_var(size)),
        ],
        columns=table.columns,
    )
    return pd.concat([table, batch], ignore_index=True)


def written(table: pd.DataFrame, size: int) -> pd.DataFrame:
    """`numbers` as text, to be shown."""
    return pd.DataFrame(
        {
            "baseline": table["baseline"],
            "mean": [f"{kept:.3g} g" if kept < 1 else "g" for kept in table["kept"]],
            "tr Var, 1 pull": [f"{v:.4f}" if v == v else "–" for v in table["tr_var"]],
            f"tr Var, {size} pulls": [f"{v:.4f}" for v in table["batch_tr_var"]],
        }
    )


# --- Many pulls: committal behaviour ---------------------------------------------------------


def written_first(first: Mapping[str, FirstStep]) -> pd.DataFrame:
    """`fates.first_steps` as text, to be shown."""
    return pd.DataFrame(
        {
            "baseline": list(first),
            "b at the start": [f"{step.b:.4f}" for step in first.values()],
            "tr Var of the first step": [f"{step.tr_var:.4f}" for step in first.values()],
        }
    )


def written_fates(stories: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """`written_first` with the share of each fate, Wilson's interval and n, to be shown."""
    table = written_first({name: step for name, step in first_steps().items() if name in stories})
    found = [shares(policies) for policies in stories.values()]
    for fate in FATES:
        table[fate] = [f"{of[fate]:.1%}" for of in found]
    return table.assign(n=[of[FATES[0]].n for of in found])


def path_rows(policies: np.ndarray, lines: int = DRAWN) -> pd.DataFrame:
    """The first `lines` runs as paths on the simplex, without the steps that do not move."""
    ends = fates(policies)
    points = simplex_points(policies[:, :lines])  # [K, lines, 2]
    parts = [_stroke("edge", "", simplex_points(np.eye(3)[[0, 1, 2, 0]])).assign(run=-1)]
    for run in range(points.shape[1]):
        path = points[:, run]
        moved = np.linalg.norm(np.diff(path, axis=0, prepend=path[:1] - 1), axis=-1) > 2e-3
        part = _stroke("path", ends[run], path[moved])
        parts.append(part.assign(run=run))
    named = _stroke("corner", "", simplex_points(np.eye(3)))
    text = [f"{name}, r = {r:g}" for name, r in zip(ARMS, REWARDS, strict=True)]
    return pd.concat([*parts, named.assign(text=text, run=-1)], ignore_index=True)


@built_once(maxsize=4)
def path_spec(width: int = 176) -> dict:
    """The paths of `path_rows`, coloured by their fate.

    No mark has a name: the shares beside the chart say how the runs end.
    """
    base = _plane()
    fate = alt.Color("name:N", scale=alt.Scale(domain=[*FATES]), legend=None)
    dash = alt.StrokeDash(
        "name:N", scale=alt.Scale(domain=[*FATES], range=[[1, 0], [5, 2], [2, 2]]), legend=None
    )
    paths = base.transform_filter("datum.part == 'path'")
    corner = base.transform_filter("datum.part == 'corner'")
    places: list[dict[str, Any]] = [
        {"align": "left", "dx": -16, "dy": 13},
        {"align": "right", "dx": 16, "dy": 13},
        {"dy": -9},
    ]
    layers = [
        base.transform_filter("datum.part == 'edge'")
        .mark_line(color=GREY, strokeWidth=1.2, aria=False)
        .encode(order="order:Q"),
        paths.mark_line(strokeWidth=1.3, opacity=0.55, aria=False).encode(
            color=fate, strokeDash=dash, detail="run:N", order="order:Q"
        ),
        paths.transform_window(
            last="row_number()", sort=[alt.SortField("order", order="descending")], groupby=["run"]
        )
        .transform_filter("datum.last == 1")
        .mark_point(filled=True, size=40, opacity=0.7, aria=False)
        .encode(color=fate),
        *(
            corner.transform_filter(f"datum.order == {a}")
            .mark_text(fontSize=12, color=FAINT, aria=False, **place)
            .encode(text="text:N")
            for a, place in enumerate(places)
        ),
    ]
    return spec(alt.layer(*layers).properties(**_size(width)))


# --- Two arms: the closed form ---------------------------------------------------------------

NEVER_BASELINES = (-3.0, -2.0, -1.5, -1.0, -0.75, -0.5)


@lru_cache(maxsize=64)
def never_rows(step_size: float, b: float, count: int) -> pd.DataFrame:
    """P(the good arm is never pulled) against b: the closed form, simulations with Wilson's
    interval, and the closed form at the reader's b."""
    grid = np.round(np.arange(-3.0, 0.505, 0.02), 2)
    curve = pd.DataFrame({"part": "exact", "b": grid})
    curve["share"] = [never_good_arm(step_size, x) for x in grid]
    simulated = []
    for seed, x in enumerate(NEVER_BASELINES):  # each with noise of its own
        share = never_pulled(step_size, x, count, seed)
        simulated.append(
            {"part": "sampled", "b": x, "share": share.estimate}
            | {"low": share.low, "high": share.high}
        )
    here = {"part": "here", "b": b, "share": never_good_arm(step_size, b)}
    return pd.concat([curve, pd.DataFrame([*simulated, here])], ignore_index=True)


def never_table(rows: pd.DataFrame, step_size: float) -> pd.DataFrame:
    """The simulated points of `never_rows` and the reader's own, to be shown."""
    points = rows[rows["part"] != "exact"].sort_values("b")
    simulated = [
        f"{Interval(row.share, row.low, row.high, None):.1%}" if row.part == "sampled" else ""
        for row in points.itertuples()
    ]
    exact = [never_good_arm(step_size, b) for b in points["b"]]
    return pd.DataFrame({"b": points["b"], "exact": exact, "simulated": simulated})


@built_once(maxsize=4)
def never_spec() -> dict:
    """The chart of `never_rows`."""
    base = alt.Chart().encode(
        x=alt.X(
            "b:Q",
            title="constant baseline b, rewards (1, 0)",
            scale=alt.Scale(domain=[-3, 0.5], nice=False),
            axis=alt.Axis(grid=False),
        )
    )
    y_scale = alt.Scale(domain=[0, 0.5], nice=False)
    y = alt.Y("share:Q", title="probability never to pull it", scale=y_scale)
    tooltip = [
        alt.Tooltip("part:N"),
        alt.Tooltip("b:Q", format=".2f"),
        alt.Tooltip("share:Q", format=".5f"),
        alt.Tooltip("low:Q", format=".4f"),
        alt.Tooltip("high:Q", format=".4f"),
    ]
    sampled = base.transform_filter("datum.part == 'sampled'")
    here = base.transform_filter("datum.part == 'here'")
    layers = [
        base.transform_filter("datum.part == 'exact'")
        .mark_line(strokeWidth=2.6, aria=False)
        .encode(y=y),
        sampled.mark_rule(strokeWidth=2, color=GREY, aria=False).encode(
            y=alt.Y("low:Q", scale=y_scale, title="probability never to pull it"), y2="high:Q"
        ),
        named(
            sampled.mark_point(filled=True, size=55, opacity=1, color=GREY).encode(
                y=y, tooltip=tooltip
            ),
            "'Simulated, b = ' + format(datum.b, '.2f') + ': ' + format(datum.share, '.1%')"
            f" + {bounds_aloud('.1%')}",
        ),
        named(
            here.mark_point(filled=True, size=130, opacity=1, color=ORANGE).encode(
                y=y, tooltip=tooltip
            ),
            "'Exact, your b = ' + format(datum.b, '.2f') + ': ' + format(datum.share, '.3%')",
        ),
        here.mark_text(
            dx=9, dy=-10, align="left", fontSize=14, fontWeight=600, color=ORANGE, aria=False
        )
        .transform_calculate(text="format(datum.share, '.5f')")
        .encode(y=y, text="text:N"),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT - 75, width="container"))
