"""The cloud, drawn: arrows of single updates round the true gradient, and what shrinks them.

One panel an estimator, all to one scale, in lengths of the true gradient, which points right: an
arrow that ends in the right half is within 90 degrees of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore.algorithms import ALGORITHMS
from pgcore.gradients import Cloud, Measurement, Reference, SampledParabola
from pgcore.gradients.inference import moments, percentile_interval, resampled_means
from pgcore.plotting.theme import HEIGHT, colour, spec, spread
from pgcore.stats import Interval, proportion_interval

DRAWN = 300  # arrows in a panel
GREY = "#888888"
TRUTH, MEAN = "#FFC20A", "#FFFFFF"  # each with a black edge: they must show on any cloud
HEAD = "M-0.55,1L0,-1L0.55,1Z"
NAMES = {key: algorithm.name for key, algorithm in ALGORITHMS.items()} | {
    "optimal_constant": "Best constant b*",
    "monte_carlo": "Critic, no bootstrap",
    "score": "Scores alone (Ψ = 1)",
}


# --- arrows ----------------------------------------------------------------------------------


def shadows(cloud: Cloud, key: str, b: float = 0.0) -> np.ndarray:
    """Every window's arrow; `constant` is plain policy gradient less b times the score.  [N, 2]"""
    if key == "constant":
        return cloud.arrows["policy_gradient"] - b * cloud.arrows["score"]
    return cloud.arrows[key]


def right_way(arrows: np.ndarray) -> Interval:
    """The share of arrows within 90 degrees of the true gradient, with Wilson's interval."""
    return proportion_interval(int((arrows[:, 0] > 0).sum()), len(arrows))


def plane_share(
    cloud: Cloud, key: str, b: float, reference: Reference, parabola: SampledParabola
) -> float:
    """The share of tr Sigma that the picture shows."""
    if key != "constant":
        return float(cloud.shares[key].sum())
    squared_length = float(reference.mean @ reference.mean)
    return float(shadows(cloud, key, b).var(0).sum() * squared_length / parabola(b).estimate)


def radius(cloud: Cloud, keys: Sequence[str]) -> float:
    """Half the height of the panels: a round number; the longest arrows of `keys` leave them."""
    reach = max(float(np.quantile(np.abs(cloud.arrows[key]), 0.93)) for key in keys)
    grid = [digit * 10.0**power for power in range(-1, 5) for digit in (1, 1.5, 2, 3, 5, 7)]
    return next((r for r in grid if r >= max(reach, 1.2)), reach)


def arrow_rows(arrows: np.ndarray, drawn: int = DRAWN) -> pd.DataFrame:
    """The first arrows, the mean of all, and the true gradient."""
    mean = pd.DataFrame([arrows.mean(0)], columns=["x", "y"]).assign(part="mean")
    truth = pd.DataFrame({"x": [1.0], "y": [0.0], "part": ["truth"]})
    single = pd.DataFrame(arrows[:drawn], columns=["x", "y"]).assign(part="update")
    frame = pd.concat([single, truth, mean], ignore_index=True)
    frame["angle"] = np.degrees(np.arctan2(frame["x"], frame["y"]))  # clockwise from upwards
    return frame.round(4)


@lru_cache(maxsize=128)
def panel_spec(half: float, key: str, height: int = 250) -> dict:
    """One estimator's arrows from `arrow_rows`; x and y have one scale, whatever the width.

    Args:
        half: half the height, in lengths of the true gradient.
        key: whose colour.
    """
    wide = [{"expr": f"{sign}{half} * width / height"} for sign in ("-", "")]
    axis = alt.Axis(grid=False, title=None, tickCount=5, ticks=False)
    x_scale, y_scale = alt.Scale(domain=wide, nice=False), alt.Scale(domain=[-half, half])
    marked = alt.Chart().transform_calculate(
        zero="0", algorithm=f"'{key}'", way="datum.x > 0 ? 'right' : 'wrong'"
    )
    stroke = marked.encode(
        x=alt.X("zero:Q", scale=x_scale, axis=None),
        y=alt.Y("zero:Q", scale=y_scale, axis=axis),
        x2="x:Q",
        y2="y:Q",
    )
    head = marked.encode(
        x=alt.X("x:Q", scale=x_scale, axis=None),
        y=alt.Y("y:Q", scale=y_scale, axis=axis),
        angle=alt.Angle("angle:Q", scale=alt.Scale(domain=[-360, 360], range=[-360, 360])),
        tooltip=[alt.Tooltip("part:N"), alt.Tooltip("x:Q"), alt.Tooltip("y:Q")],
    )

    def part(chart: alt.Chart, name: str) -> alt.Chart:
        return chart.transform_filter(f"datum.part == '{name}'")

    way = alt.condition("datum.way == 'right'", colour(legend=None), alt.value(GREY))
    layers = [
        part(marked, "truth")
        .mark_rect(color="#2A9D5C", opacity=0.1)
        .encode(x=alt.X("zero:Q", scale=x_scale, axis=None), x2=alt.value("width")),
        part(stroke, "update").mark_rule(clip=True, opacity=0.45).encode(color=way),
        part(head, "update")
        .mark_point(shape=HEAD, filled=True, size=30, clip=True, opacity=0.75)
        .encode(color=way),
    ]
    for name, core, width, size in (("truth", TRUTH, 7, 220), ("mean", MEAN, 2, 60)):
        stem, tip = part(stroke, name), part(head, name)
        layers += [
            stem.mark_rule(color="black", strokeWidth=width + 2),
            tip.mark_point(shape=HEAD, size=size, opacity=1, color="black", strokeWidth=2),
            stem.mark_rule(color=core, strokeWidth=width),
            tip.mark_point(shape=HEAD, filled=True, size=size, opacity=1, color=core),
        ]
    return spec(alt.layer(*layers).properties(width="container", height=height))


def description(key: str, arrows: np.ndarray) -> str:
    """A panel in words, for who cannot see it."""
    share, mean = right_way(arrows), arrows.mean(0)
    return (
        f"Single updates of {NAMES[key]}, in lengths of the true gradient: "
        f"{percent(share)} of n = {share.n:,} point the right way; the mean reaches "
        f"{mean[0]:.2f} along the true gradient and {mean[1]:.2f} across it."
    )


# --- the batch size --------------------------------------------------------------------------


def batch_rows(measured: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """tr Sigma against the batch size for `keys`, and how plain PG would fall if steps were
    independent: tr Sigma(1) / B."""
    shown = measured[measured["algorithm"].isin([*keys, "score"]) & (measured["tr_sigma"] > 0)]
    lines = shown.assign(name=shown["algorithm"].map(NAMES), part="measured")
    plain = measured[measured["algorithm"] == "policy_gradient"]
    law = pd.DataFrame(
        {
            "algorithm": "law",
            "batch_size": plain["batch_size"],
            "tr_sigma": plain["tr_sigma"].iloc[0] / plain["batch_size"],
            "name": "1/B, if steps were independent",
            "part": "law",
        }
    )
    frame = pd.concat([lines, law], ignore_index=True)
    last = frame["batch_size"] == frame["batch_size"].max()
    ends = np.log(frame.loc[last, "tr_sigma"])
    room = (np.log(frame["tr_sigma"]).max() - np.log(frame["tr_sigma"]).min()) / 10
    frame["label"] = np.where(last, frame["name"], "")
    frame.loc[last, "label_y"] = np.exp(spread(ends, room))
    return frame


@lru_cache(maxsize=8)
def batch_spec(longest: int, background: str = "#FFFFFF") -> dict:
    """The chart of `batch_rows` for batches of 1 to `longest` steps, on logarithmic axes.

    `background` is the page's, behind labels.
    """
    base = alt.Chart().encode(
        x=alt.X(
            "batch_size:Q",
            title="steps in a batch, B",
            scale=alt.Scale(type="log", base=2, domain=[1, longest], nice=False),
            axis=alt.Axis(grid=False, values=[2**k for k in range(longest.bit_length())]),
        ),
        color=alt.condition(
            "indexof(domain('color'), datum.algorithm) < 0", alt.value(GREY), colour(legend=None)
        ),
    )
    y_scale = alt.Scale(type="log")
    title = "tr Σ of an update"
    ticks = alt.Axis(format="~g", values=[10.0**power for power in range(-6, 9)])
    y = alt.Y("tr_sigma:Q", title=title, scale=y_scale, axis=ticks)
    tooltip = [
        alt.Tooltip("name:N"),
        alt.Tooltip("batch_size:Q"),
        *(
            alt.Tooltip(f"{name}:Q", format=".3~g")
            for name in ("tr_sigma", "tr_sigma_low", "tr_sigma_high", "design_effect")
        ),
    ]
    measured = base.transform_filter("datum.part == 'measured'")
    law = base.transform_filter("datum.part == 'law'")
    label = base.transform_filter("datum.label").encode(
        y=alt.Y("label_y:Q", scale=y_scale), text="label:N"
    )
    placed: dict[str, Any] = dict(align="right", dx=-8, dy=-14, fontSize=12, fontWeight=600)
    layers = [
        measured.mark_area(opacity=0.18).encode(
            y=alt.Y("tr_sigma_low:Q", scale=y_scale, title=title),
            y2="tr_sigma_high:Q",
            detail="name:N",
        ),
        law.mark_line(strokeDash=[5, 4], strokeWidth=1.6).encode(y=y),
        measured.mark_line(strokeWidth=2.4).encode(y=y, detail="name:N"),
        measured.mark_point(filled=True, size=40, opacity=1).encode(y=y, tooltip=tooltip),
        label.mark_text(stroke=background, strokeWidth=4, strokeOpacity=0.8, **placed),
        label.mark_text(**placed),
    ]
    return spec(alt.layer(*layers).properties(height=HEIGHT, width="container"))


def batch_description(measured: pd.DataFrame) -> str:
    """The chart in words."""
    longest = measured[measured["batch_size"] == measured["batch_size"].max()]
    parts = [
        f"{NAMES[row.algorithm]} {row.tr_sigma:.3g}"
        for row in longest.itertuples()
        if row.algorithm != "score"
    ]
    return (
        f"tr Sigma against the batch size; at {longest['batch_size'].iloc[0]}: {', '.join(parts)}"
    )


def law(measured: pd.DataFrame) -> str:
    """Whether larger batches pay as 1/B says, in Markdown."""

    def at(size: int, key: str, name: str) -> str:
        chosen = (measured["batch_size"] == size) & (measured["algorithm"] == key)
        row = measured[chosen].iloc[0]
        return written(Interval(row[name], row[f"{name}_low"], row[f"{name}_high"], 0))

    longest = int(measured["batch_size"].max())
    fall = {
        key: f"from {at(1, key, 'tr_sigma')} to {at(longest, key, 'tr_sigma')}"
        for key in ("policy_gradient", "actor_critic")
    }
    return (
        f"**Is it 1/B?** For the scores alone, yes: a batch of {longest} has "
        f"{at(longest, 'score', 'design_effect')} times the variance of {longest} independent "
        "steps. With returns as weights, two things change. The steps of one trajectory know of "
        "each other: for the same returns, plain policy gradient has "
        f"{at(longest, 'policy_gradient', 'design_effect')} times the variance of independent "
        "steps. And the returns themselves change: in a short batch they are mostly the critic's "
        f"guess, in a long one mostly real rewards. From B = 1 to {longest}, tr Σ goes "
        f"{fall['policy_gradient']} for plain policy gradient, {fall['actor_critic']} with the "
        "critic."
    )


# --- numbers and words -----------------------------------------------------------------------


def written(interval: Interval) -> str:
    """A number with its uncertainty, to three digits."""
    if not np.isfinite(interval.estimate):
        return "undefined"
    size = float(f"{abs(interval.estimate):.3g}")  # 0.9999 is written as 1.00
    digits = max(2 - math.floor(math.log10(size)), 0) if size else 2
    text, low, high = (f"{value:.{digits}f}" for value in interval[:3])
    if low == high == text:
        return text if size else "0"
    return f"{text} [{low}, {high}]"


def percent(share: Interval) -> str:
    """A share with its uncertainty."""
    return f"{share.estimate:.0%} [{100 * share.low:.0f}, {100 * share.high:.0f}]"


SHARES = {  # of updates that point the right way: what can be predicted, up to where
    "Up to 55%: hardly better than chance": 0.55,
    "55% to 70%": 0.70,
    "70% to 85%": 0.85,
    "More than 85%": 1.0,
}


def answer(share: Interval) -> str:
    """Which of SHARES is measured."""
    return next(words for words, top in SHARES.items() if share.estimate <= top)


COLUMNS = {
    "ratio": "variance / plain PG's",
    "snr": "signal / noise",
    "cosine": "mean cosine",
    "right_way": "right way",
    "bias": "bias of the mean",
    "added": "bias that Ψ adds",
}


def table(measurements: Mapping[str, Measurement]) -> pd.DataFrame:
    """Every estimator on the same batches, each number with its 95% interval."""
    rows = []
    for key, measured in measurements.items():
        found = measured.intervals()
        cells = {label: written(found[name]) for name, label in COLUMNS.items()}
        cells[COLUMNS["right_way"]] = percent(measured.right_way)
        if key == "monte_carlo" or (key in ALGORITHMS and ALGORITHMS[key].whole_episodes):
            cells[COLUMNS["added"]] = "other target"
        rows.append({"estimator": NAMES[key]} | cells)
    return pd.DataFrame(rows)


def verdict(ratio: Interval) -> str:
    """What the ratio of the critic's variance to the best constant's allows to say."""
    if ratio.high < 1:
        return "the critic earns its keep"
    return "one good number does better" if ratio.low > 1 else "they cannot be told apart"


def findings(
    measurements: Mapping[str, Measurement],
    ratios: Mapping[tuple[str, str], Interval],
    batch_size: int,
) -> list[str]:
    """What this policy's measurements say, good and bad, in Markdown."""
    plain, critic = measurements["policy_gradient"], measurements["actor_critic"]
    constant = ratios["actor_critic", "optimal_constant"]
    mean, others = measurements["batch_mean"], measurements["leave_one_out"]
    steadiest = min(measurements, key=lambda key: measurements[key].ratio.estimate)
    best = max(measurements, key=lambda key: measurements[key].right_way.estimate)
    return [
        "**What a baseline does to the mean.** Plain policy gradient, the running mean and the "
        "critic have one mean and differ in scatter alone. That mean misses the true gradient "
        f"by {written(critic.bias.relative)} of its length, whatever the baseline: it is the "
        "critic's guess where the batch ends. The batch's own mean adds "
        f"{written(mean.added.relative)}, since it contains what the action caused.",
        "**The learned critic against one good number.** It has "
        f"{written(critic.ratio)} times the variance of plain policy gradient, and "
        f"{written(constant)} times that of the best constant (b* of other batches): "
        f"{verdict(constant)}.",
        "**Leave one out against the batch mean.** It is the batch mean times B/(B - 1): the "
        "same directions, "
        f"{written(ratios['leave_one_out', 'batch_mean'])} times the variance, and the bias that "
        f"it adds is {written(others.added.relative)} instead of "
        f"{written(mean.added.relative)}: the steps of one trajectory are not independent."
        if batch_size > 1
        else "**A batch of one step** has no others: its mean is its own return, Ψ is 0, and "
        "nothing is learned. Leave one out falls back on no baseline.",
        f"**Least variance is not most signal.** {NAMES[steadiest]} scatters least "
        f"({written(measurements[steadiest].ratio)} of plain PG's variance) with "
        f"{percent(measurements[steadiest].right_way)} of its updates the right way; "
        f"{NAMES[best]} has most of them, {percent(measurements[best].right_way)}, where plain "
        f"PG has {percent(plain.right_way)}.",
    ]


def paired_ratio(g: np.ndarray, other: np.ndarray) -> Interval:
    """tr Sigma of one cloud [N, P] over another's, on the same windows."""
    columns = np.stack([moments(g)[0], moments(other)[0]], 1)
    means, draws = columns.mean(0), resampled_means(columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        return percentile_interval(means[0] / means[1], draws[:, 0] / draws[:, 1], len(g))
