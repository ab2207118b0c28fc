"""Two rows of returns: the reader's agents above the reference's, a tick for each seed."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.exercises import Trial
from pgcore.plotting.theme import built_once, silent, spec


def rows(trial: Trial) -> pd.DataFrame:
    """A row for each seed; the first of each side holds the mean and its 95% t interval too."""
    frames = []
    for place, (name, returns) in enumerate(
        (("yours", trial.yours_returns), ("reference", trial.reference_returns))
    ):
        mean = stats.mean_t_interval(np.array(returns))
        frames.append(
            pd.DataFrame({"who": f"{name}, n = {len(returns)}", "return": returns}).assign(
                colour=str(place), mean=mean.estimate, low=mean.low, high=mean.high
            )
        )
    return pd.concat(frames, ignore_index=True)


@built_once(maxsize=1)
def trial_spec() -> dict[str, Any]:
    """Ticks for seeds, a line for the interval of the mean, a dot for the mean."""
    base = alt.Chart().encode(
        y=alt.Y("who:N", title=None, sort=None, axis=alt.Axis(labelFontSize=13)),
        color=alt.Color("colour:N", legend=None),
    )
    ticks = base.mark_tick(opacity=0.25).encode(
        x=alt.X("return:Q", title="mean episodic return of 20 episodes", scale=alt.Scale(zero=True))
    )
    mean = base.transform_aggregate(
        groupby=["who", "colour"], mean="min(mean)", low="min(low)", high="min(high)"
    )
    line = mean.mark_rule(strokeWidth=3).encode(x="low:Q", x2="high:Q")
    dot = mean.mark_point(filled=True, size=90, opacity=1).encode(x="mean:Q")
    chart = alt.layer(ticks, line, dot).properties(height=140, width="container")
    return silent(spec(chart))
