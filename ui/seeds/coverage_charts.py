"""What 95% is worth: how often the intervals of studies of n seeds hold the pool's mean."""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt
import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.plotting.theme import built_once, named
from ui.seeds.charts import GREY, compact
from ui.seeds.study_charts import BOUNDS, HALF, RIGHT, SHARE, WRONG, separate

INTERVALS = {"t interval": stats.mean_t_interval, "bootstrap": stats.bootstrap_interval}
DANCERS = 60


def dance_rows(pool: np.ndarray, n: int, interval: str) -> pd.DataFrame:
    """The 95% intervals of separate studies of n seeds, and which of them miss the pool's mean."""
    shown = INTERVALS[interval](separate(pool, n)[:, :DANCERS])
    truth = pool.mean()
    return pd.DataFrame(
        {
            "study": np.arange(len(shown.low)),
            "low": shown.low,
            "high": shown.high,
            "mean": shown.estimate,
            "truth": truth,
            "verdict": np.where((shown.low <= truth) & (truth <= shown.high), "holds", "misses"),
        }
    )


@built_once(maxsize=32)
def dance_spec(low: float, high: float) -> dict:
    """The constant spec of `dance_rows`: one whisker a study, the truth across."""
    scale = alt.Scale(domain=[low, high], nice=False)
    hue = alt.Color(
        "verdict:N", scale=alt.Scale(domain=["holds", "misses"], range=[RIGHT, WRONG]), legend=None
    )
    across = alt.Scale(zero=False, nice=False, padding=6)
    x = alt.X("study:Q", title="study", scale=across, axis=alt.Axis(grid=False))
    base = alt.Chart().encode(x=x, color=hue)
    tooltip = [alt.Tooltip(f"{c}:Q", format=".0f") for c in ("low", "high", "truth")]
    whisker = named(
        base,
        "'Study ' + (datum.study + 1) + ': ' + format(datum.low, '.0f') + ' to ' + "
        "format(datum.high, '.0f') + ', ' + datum.verdict + ' the mean of the pool'",
    )
    truth = named(
        alt.Chart().transform_aggregate(truth="min(truth)"),
        "'Mean of the pool: ' + format(datum.truth, '.0f')",
    )
    layers = [
        whisker.mark_rule(strokeWidth=2, clip=True)
        .encode(y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q", tooltip=tooltip),
        base.mark_point(filled=True, size=14, opacity=1, aria=False)
        .encode(y=alt.Y("mean:Q", scale=scale)),
        truth.mark_rule(color=GREY, strokeWidth=2).encode(y=alt.Y("truth:Q", scale=scale)),
    ]  # fmt: skip
    return compact(alt.layer(*layers), 250)


def coverage_rows(measured: Iterable[stats.Coverage]) -> pd.DataFrame:
    """Shares of the studies whose interval holds the truth, tidy."""
    return pd.DataFrame(
        {"n": c.n, "interval": kind, "share": s.estimate, "low": s.low, "high": s.high}
        for c in measured
        for kind, s in zip(INTERVALS, (c.t, c.bootstrap), strict=True)
    )


@built_once(maxsize=1)
def coverage_spec() -> dict:
    """The constant spec of `coverage_rows`: what 95% is worth."""
    hue = alt.Color(
        "interval:N",
        scale=alt.Scale(domain=list(INTERVALS), range=[RIGHT, HALF]),
        legend=alt.Legend(orient="bottom", title=None),
    )
    scale, axis = alt.Scale(domain=[0.65, 1], clamp=True), alt.Axis(format="%", tickCount=6)
    x = alt.X("n:O", title="seeds in a study, n", axis=alt.Axis(labelAngle=0))
    base = alt.Chart().encode(x=x, xOffset="interval:N", color=hue)
    tooltip: list = ["interval:N", "n:O"] + [alt.Tooltip(f"{c}:Q", format=".1%") for c in BOUNDS]
    y = alt.Y("share:Q", title="studies that hold the truth", scale=scale, axis=axis)
    once = alt.Chart().transform_aggregate(rows="count()")
    point = named(base, f"datum.interval + ', n = ' + datum.n + ': ' + {SHARE}")
    layers = [
        once.mark_rule(color=GREY, strokeDash=[3, 3], aria=False)
        .encode(y=alt.Y(datum=0.95, scale=scale)),
        base.mark_rule(strokeWidth=2.5, aria=False)
        .encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        point.mark_point(filled=True, size=90, opacity=1).encode(y=y, tooltip=tooltip),
    ]  # fmt: skip
    return compact(alt.layer(*layers), 250)
