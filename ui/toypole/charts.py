"""ToyPole, drawn: the chain, estimates beside their truths, bias against length and lambda.

Everything exact is a sum over all windows; everything sampled comes from windows that were
played. Lengths along the gradient are in units of |g|, so that 1 is unbiased.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.exact import batch_gradients
from pgcore.exact.toypole import START, STATES, ToyPole, Windows
from pgcore.plotting.theme import HEIGHT, colour, spec

LIBRARY = ("policy_gradient", "constant", "batch_mean", "leave_one_out", "actor_critic")
STATE_OPTIMUM = "b*(s)"
GREY, ORANGE = "#888888", "#D06000"  # readable on white and on black
LENGTHS = range(1, 13)  # listed; beyond, sampled
LONG = (16, 32, 64)
LAMBDAS = np.round(np.linspace(0, 1, 101), 2)
CRITIC_ERROR = np.array([1.0, -1.0, 1.0, -1.0, 1.0])


@lru_cache(maxsize=64)
def pole(theta: tuple[float, ...], gamma: float) -> ToyPole:
    """The laboratory with these policy logits."""
    return ToyPole(theta, gamma)


@lru_cache(maxsize=16)
def listed(lab: ToyPole, length: int = 8) -> Windows:
    """All its windows."""
    return lab.windows(length)


@lru_cache(maxsize=16)
def played(lab: ToyPole, n: int, length: int, draw: int) -> Windows:
    """n windows, sampled; `draw` is the seed."""
    return lab.sample_windows(n, length, np.random.default_rng(draw))


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
    node["text"] = [f"{mu:.3f}" for mu in lab.occupancy]
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


@lru_cache(maxsize=32)
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
            scale=alt.Scale(domain=[-0.62 * top, 1.08 * top], nice=False),
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
        part("value")
        .mark_point(size=150, strokeWidth=2.6, filled=False, opacity=1)
        .encode(
            color=kind,
            shape=shape,
            tooltip=[alt.Tooltip("name:N"), alt.Tooltip("x:Q"), alt.Tooltip("y:Q", format=".5f")],
        ),
        arrows.mark_rule(color=GREY).encode(x2="x2:Q", strokeWidth=width),
        *(
            arrows.transform_filter(f"datum.name == '{way}'")
            .mark_point(shape=f"triangle-{way}", filled=True, size=90, color=GREY, opacity=1)
            .encode(x=alt.X("x2:Q"))
            for way in ("left", "right")
        ),
        *(
            arrows.transform_filter(f"datum.name == '{way}'")
            .transform_calculate(middle="(datum.x + datum.x2) / 2")
            .mark_text(dy=dy, fontSize=12)
            .encode(x="middle:Q", text="text:N", color=alt.value(GREY))
            for way, dy in (("left", 12), ("right", -11))
        ),
        part("node")
        .mark_point(filled=True, opacity=0.55)
        .encode(
            size=alt.Size("mu:Q", scale=alt.Scale(domain=[0, 0.5], range=[0, 2600]), legend=None),
            tooltip=[alt.Tooltip("x:Q"), alt.Tooltip("mu:Q", title="occupancy", format=".5f")],
        ),
        part("node")
        .transform_calculate(label="'μ ' + datum.text")
        .mark_text(dy=34, fontSize=12, fontWeight=600, color=GREY)
        .encode(text="label:N"),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT + 40, width="container"))


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


def weights(lab: ToyPole, windows: Windows, constant: float) -> dict[str, np.ndarray]:
    """Psi [W, T] of every estimator: the library's own functions, and the best state baseline."""
    psi = {
        key: ALGORITHMS[key].weight(
            windows.batch, Config(algorithm=key, gamma=lab.gamma, baseline=constant)
        )
        for key in LIBRARY
    }
    return psi | {STATE_OPTIMUM: windows.q_values - lab.optimal_state_baseline[windows.states]}


def name_of(key: str, constant: float) -> str:
    """The estimator in words, with its baseline."""
    if key == "constant":
        return f"Constant {constant:g}"
    return {
        "policy_gradient": "None",
        "actor_critic": "V(s)",
        STATE_OPTIMUM: STATE_OPTIMUM,
    }.get(key) or ALGORITHMS[key].name


@lru_cache(maxsize=64)
def exact_rows(lab: ToyPole, constant: float, length: int = 8) -> pd.DataFrame:
    """Every estimator, all windows enumerated: kept (share of g that the mean keeps along g),
    relative bias |mean - g| / |g|, and tr Var."""
    windows, g = listed(lab, length), lab.gradient
    rows = []
    for key, psi in weights(lab, windows, constant).items():
        measured = lab.measure(windows, psi)
        rows.append(
            {
                "key": key,
                "estimator": name_of(key, constant),
                "kept": float(measured.mean @ g / (g @ g)),
                "relative_bias": measured.relative_bias,
                "tr_var": measured.tr_var,
            }
        )
    return pd.DataFrame(rows)


def sampled_rows(lab: ToyPole, constant: float, n: int, draw: int, length: int = 8) -> pd.DataFrame:
    """The same from n played windows, the same ones for every estimator, with 95% intervals.

    kept: t interval of the projections on g. tr Var: t interval of n / (n-1) |g_i - mean|^2.
    """
    windows = played(lab, n, length, draw)
    rows = []
    for key, psi in weights(lab, windows, constant).items():
        gradients = batch_gradients(psi, windows.scores)  # [n, 5]
        kept = kept_interval(lab, gradients)
        squares = ((gradients - gradients.mean(0)) ** 2).sum(-1) * (n / (n - 1))
        spread = stats.mean_t_interval(squares)
        rows.append(
            {
                "key": key,
                "estimator": name_of(key, constant),
                "kept": kept.estimate,
                "kept_low": kept.low,
                "kept_high": kept.high,
                "tr_var": spread.estimate,
                "tr_var_low": max(float(spread.low), 1e-6),
                "tr_var_high": spread.high,
            }
        )
    return pd.DataFrame(rows)


def kept_interval(lab: ToyPole, gradients: np.ndarray) -> stats.Interval:
    """Mean length along g, in units of |g|, over windows.  [n, 5]"""
    g = lab.gradient
    return stats.mean_t_interval(gradients @ g / (g @ g))


def estimate_rows(lab: ToyPole, constant: float, n: int, draw: int) -> pd.DataFrame:
    """`exact_rows` and `sampled_rows` on one chart."""
    exact = exact_rows(lab, constant).assign(part="exact")
    return pd.concat(
        [exact, sampled_rows(lab, constant, n, draw).assign(part="sampled")], ignore_index=True
    )


def around(values: pd.Series) -> tuple[float, float]:
    """A logarithmic axis that holds these values with room on both sides."""
    return float(values.min() / 1.6), float(values.max() * 1.6)


PANELS: dict[str, tuple[str, Any]] = {
    "kept": ("mean arrow along g∞ (1: unbiased)", "linear"),
    "tr_var": ("tr Var of one window's arrow", "log"),
}


@lru_cache(maxsize=64)
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
        sampled.mark_rule(strokeWidth=2.5, clip=True).encode(
            x=alt.X(f"{measure}_low:Q", scale=scale, title=title), x2=f"{measure}_high:Q"
        ),
        sampled.mark_point(filled=True, size=70, opacity=1, clip=True).encode(x=x, tooltip=tooltip),
        base.transform_filter("datum.part === 'exact'")
        .mark_tick(thickness=3, size=26, clip=True, opacity=1)
        .encode(x=x, tooltip=tooltip[:3]),
    ]
    if measure == "kept":
        once = alt.Chart().transform_aggregate(rows="count()")
        rule = once.mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=alt.X(datum=1, scale=scale))
        layers.insert(0, rule)
    return spec(alt.layer(*layers).properties(height=HEIGHT - 40, width="container"))


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
    return [f"{middle:.3f} [{low:.3f}, {high:.3f}]" for middle, low, high in columns]


# --- The bias of the batch mean against the window's length ----------------------------------

SHRINKING = ("batch_mean", "leave_one_out")


@lru_cache(maxsize=16)
def length_rows(lab: ToyPole, n: int, draw: int) -> pd.DataFrame:
    """Share of the gradient lost against T: listed up to 12 steps, beyond from n windows."""
    rows = []
    for length in LENGTHS:
        exact = exact_rows(lab, 0.0, length).set_index("key")
        rows += [
            {"part": "exact", "key": key, "T": length, "lost": 1 - exact.loc[key, "kept"]}
            for key in SHRINKING
            if length > 1
        ]
    for length in LONG:
        windows = lab.sample_windows(n, length, np.random.default_rng([draw, length]))
        psi = weights(lab, windows, 0.0)
        for key in SHRINKING:
            kept = kept_interval(lab, batch_gradients(psi[key], windows.scores))
            rows.append(
                {
                    "part": "sampled",
                    "key": key,
                    "T": length,
                    "lost": 1 - kept.estimate,
                    "low": 1 - kept.high,
                    "high": 1 - kept.low,
                }
            )
    frame = pd.DataFrame(rows)
    reference = pd.DataFrame({"part": "1/T", "T": 2.0 ** np.linspace(1, 6, 41)})
    reference["lost"] = 1 / reference["T"]
    reference.loc[28, "text"] = "1/T, for independent samples"
    frame = pd.concat([frame, reference], ignore_index=True)
    frame["name"] = [ALGORITHMS[key].name if key in ALGORITHMS else "" for key in frame["key"]]
    return frame


@lru_cache(maxsize=4)
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
    exact = base.transform_filter("datum.part === 'exact'").encode(color=colour("key", legend=None))
    sampled = base.transform_filter("datum.part === 'sampled'").encode(
        color=colour("key", legend=None)
    )
    reference = base.transform_filter("datum.part === '1/T'")
    last = exact.transform_filter(f"datum.T === {LENGTHS[-1]}")
    words: dict[str, Any] = {"align": "left", "fontSize": 13, "fontWeight": 600}
    layers = [
        reference.mark_line(color=GREY, strokeDash=[5, 4], strokeWidth=2).encode(y=y),
        reference.transform_filter("isValid(datum.text)")
        .mark_text(color=GREY, dy=-14, fontSize=13, fontWeight=600)
        .encode(y=y, text="text:N"),
        exact.mark_line(strokeWidth=2.6).encode(y=y),
        exact.mark_point(filled=True, size=45, opacity=1).encode(y=y, tooltip=tooltip),
        sampled.mark_rule(strokeWidth=2.5).encode(
            y=alt.Y("low:Q", scale=y_scale, title=title), y2="high:Q"
        ),
        sampled.mark_point(size=60, opacity=1, filled=False, strokeWidth=2).encode(
            y=y, tooltip=tooltip
        ),
        last.transform_filter("datum.key === 'batch_mean'")
        .mark_text(dx=8, dy=-8, **words)
        .encode(y=y, text="name:N"),
        last.transform_filter("datum.key === 'leave_one_out'")
        .mark_text(dx=-8, dy=26, **(words | {"align": "right"}))
        .encode(y=y, text="name:N"),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT + 30, width="container"))


def lost_at(rows: pd.DataFrame, length: int) -> dict[str, float]:
    """What each estimator of `length_rows` loses at one length, exactly."""
    exact = rows[(rows["part"] == "exact") & (rows["T"] == length)]
    return dict(zip(exact["key"], exact["lost"], strict=True))


def which_loss(lost: float, length: int) -> int:
    """0 nothing, 1 about 1/T, 2 more than three times that."""
    return 0 if lost < 0.1 / length else 1 if lost < 3 / length else 2


def cosine(lab: ToyPole, key: str, length: int = 8) -> float:
    """Between an estimator's mean and g: a shrink alone has 1."""
    windows = listed(lab, length)
    mean = lab.measure(windows, weights(lab, windows, 0.0)[key]).mean
    g = lab.gradient
    return float(mean @ g / np.linalg.norm(mean) / np.linalg.norm(g))


# --- GAE: bias and noise against lambda ------------------------------------------------------

ERRORS = ("total", "noise", "bias")


@lru_cache(maxsize=64)
def gae_curve(lab: ToyPole, error: float, length: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Relative bias and tr Var at LAMBDAS under V + error (1, -1, 1, -1, 1).  [L], [L]"""
    return lab.gae_curve(lab.values + error * CRITIC_ERROR, LAMBDAS, length)


def lambda_rows(lab: ToyPole, error: float, averaged: int) -> pd.DataFrame:
    """Error of a mean of `averaged` windows, in units of |g|: bias, noise and both together."""
    bias, tr_var = gae_curve(lab, error)
    noise = np.sqrt(tr_var / averaged) / np.linalg.norm(lab.gradient)
    curves = {"bias": bias, "noise": noise, "total": np.hypot(bias, noise)}
    frame = pd.concat(
        [
            pd.DataFrame({"part": "curve", "kind": kind, "lambda": LAMBDAS, "error": values})
            for kind, values in curves.items()
        ],
        ignore_index=True,
    )
    best = int(curves["total"].argmin())
    low = {"part": "best", "kind": "total", "lambda": LAMBDAS[best], "error": curves["total"][best]}
    low["text"] = f"least error at λ = {LAMBDAS[best]:.2f}"
    return pd.concat([frame, pd.DataFrame([low])], ignore_index=True)


def best_lambda(lab: ToyPole, error: float, averaged: int) -> float:
    """The lambda of least total error, to .01."""
    rows = lambda_rows(lab, error, averaged)
    return float(rows.loc[rows["part"] == "best", "lambda"].iloc[0])


def which_lambda(best: float) -> int:
    """0 if lambda = 0 is best, 2 if lambda = 1 is, else 1."""
    return {0.0: 0, 1.0: 2}.get(best, 1)


def ceiling(values: pd.Series) -> float:
    """The top of an axis that starts at 0."""
    return float(np.ceil(values.max() * 5) / 5)


def lambda_words(lab: ToyPole) -> str:
    """How to read the curves, and what the exact critic does."""
    _, tr_var = gae_curve(lab, 0.0)
    least = int(tr_var.argmin())
    return (
        "All 1,280 windows of 8 steps, enumerated under the critic V + e (1, −1, 1, −1, 1). "
        "noise: the standard deviation of the averaged arrow; total² = bias² + noise². With the "
        f"exact critic (e = 0) there is no bias, and still λ = 0 is not quite the quietest: "
        f"tr Var is {tr_var[0]:.5f} at λ = 0, {tr_var[least]:.5f} at λ = {LAMBDAS[least]:.2f} and "
        f"{tr_var[-1]:.5f} at λ = 1."
    )


@lru_cache(maxsize=64)
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
            "error:Q", title="error, in units of |g∞|", scale=alt.Scale(domain=[0, top], nice=False)
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
    words: dict[str, Any] = {"fontSize": 13, "fontWeight": 600, "dy": -14, "color": ORANGE}
    sides: dict[str, dict[str, Any]] = {
        "datum.lambda < 0.6": {"align": "left"},
        "datum.lambda >= 0.6": {"align": "right"},
    }
    layers = [
        curve.mark_line(strokeWidth=2.6, clip=True).encode(color=kind, strokeDash=dash),
        curve.mark_point(size=60, opacity=0, clip=True).encode(tooltip=tooltip),
        best.mark_point(filled=True, size=130, opacity=1, color=ORANGE).encode(tooltip=tooltip),
        *(
            best.transform_filter(where).mark_text(**words, **place).encode(text="text:N")
            for where, place in sides.items()
        ),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


# --- Two gradients ---------------------------------------------------------------------------

FIELDS = {"g∞": lambda lab: lab.gradient, "∇J": lambda lab: lab.discounted_gradient}


def field_rows(lab: ToyPole) -> pd.DataFrame:
    """Both gradients by state, each scaled to length 1."""
    parts = []
    for name, field in FIELDS.items():
        values = field(lab)
        part = pd.DataFrame({"field": name, "x": range(STATES), "value": values})
        parts.append(part.assign(share=values / np.linalg.norm(values)))
    return pd.concat(parts, ignore_index=True)


@lru_cache(maxsize=4)
def field_spec() -> dict:
    """The chart of `field_rows`."""
    unit = alt.Scale(domain=[-1, 1], nice=False)
    chart = (
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
    return spec(chart.properties(height=HEIGHT, width="container"))


def _field_colour() -> alt.Color:
    return alt.Color(
        "field:N",
        scale=alt.Scale(domain=[*FIELDS]),
        legend=alt.Legend(orient="top", title=None, symbolType="circle", symbolSize=90),
    )


@lru_cache(maxsize=16)
def climb_rows(lab: ToyPole, states: tuple[int, int], radius: float) -> pd.DataFrame:
    """Height on a walk round theta under both fields, each in units of its own swing."""
    parts = []
    for name, field in FIELDS.items():
        height = lab.climb(field, states, radius)
        swing = np.ptp(height)
        part = pd.DataFrame({"field": name, "lap": np.linspace(0, 1, len(height))})
        part["height"] = height / swing
        part.loc[part.index[-1], "text"] = f"{round(height[-1] / swing, 3) + 0.0:.3f}"
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


@lru_cache(maxsize=4)
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
    layers = [
        once.mark_rule(color=GREY, strokeDash=[3, 3]).encode(y=alt.Y(datum=0)),
        base.mark_line(strokeWidth=2.6),
        base.transform_filter("isValid(datum.text)").mark_point(filled=True, size=90, opacity=1),
        base.transform_filter("isValid(datum.text)")
        .mark_text(align="left", dx=8, fontSize=13, fontWeight=600)
        .encode(text="text:N"),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


def asymmetries(lab: ToyPole) -> dict[str, float]:
    """|J - J'| / |J + J'| of both fields: 0 iff it is the gradient of a function."""
    return {name: lab.asymmetry(field) for name, field in FIELDS.items()}


def angle_between(lab: ToyPole) -> float:
    """Degrees between the two gradients."""
    a, b = (field(lab) for field in FIELDS.values())
    return float(np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))
