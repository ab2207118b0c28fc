"""Is `Config.lab()` the notebook? Both learn the lab's three tasks; their curves are compared.

The notebook's loop takes some ten seconds a seed, so its curves are run once and kept with their
date in notebook.json (`python -m benchmarks.notebook` runs them anew, in processes of their own).
Enough seeds are kept that a difference of 60 in the final return would show; that the comparison
can fail is shown by a control, the notebook's second task against the variant that trains a critic.
"""

from __future__ import annotations

import json
from statistics import NormalDist
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from benchmarks.notebook import KEPT
from pgcore import Config, History, stats, train

OUR_SEEDS = 200
POWER, ALPHA = 0.8, 0.05
COLOURS = "#0072B2", "#D55E00", "#222222"  # corrected, as written, the notebook
WRITTEN, CORRECTED = "as written", "corrected"
VARIANTS: dict[str, Config] = {  # by the notebook's agent: what Config calls it
    "policy_gradient": Config.lab(algorithm="policy_gradient"),
    "batch_mean": Config.lab(algorithm="batch_mean"),
    "batch_mean_with_critic": Config.lab(algorithm="batch_mean", value_coef=0.5),
    "actor_critic": Config.lab(algorithm="actor_critic"),
}
CONTROL = (
    "batch_mean",
    "batch_mean_with_critic",
)  # the notebook's, and what it must not be taken for
SCORES = {
    "final return": lambda curves: curves[-1],
    "area under curve": lambda curves: curves.mean(0),
}


def notebook_curves() -> tuple[dict[str, np.ndarray], str]:
    """The kept curves of the notebook's loop, [K, S] by agent, and their date."""
    kept = json.loads(KEPT.read_text())
    curves: dict[str, list[list[float]]] = {}
    for run in kept["runs"]:
        curves.setdefault(run["agent"], []).append(run["returns"])
    return {agent: np.array(runs).T for agent, runs in curves.items()}, kept["date"]


def our_curves(config: Config) -> History:
    return train(config.replace(num_seeds=OUR_SEEDS))


def smallest_visible(x: np.ndarray, y: np.ndarray) -> float:
    """The difference of means that Welch's test at level ALPHA would see with POWER, for these
    spreads and numbers of seeds (normal approximation)."""
    error = np.sqrt(x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y))
    return float((NormalDist().inv_cdf(1 - ALPHA / 2) + NormalDist().inv_cdf(POWER)) * error)


def row(agent: str, ours: str, score: str, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Ours minus the notebook's, with Welch's 95% interval, and what would have been seen."""
    difference = stats.difference_interval(x, y)
    return {
        "agent": agent,
        "ours": ours,
        "score": score,
        "notebook_mean": stats.mean_t_interval(x)._asdict(),
        "our_mean": stats.mean_t_interval(y)._asdict(),
        "difference": difference._asdict(),
        "smallest_visible": smallest_visible(x, y),
    }


def compare() -> dict[str, Any]:
    """Every agent as written, and the control."""
    theirs, date = notebook_curves()
    ours = {agent: our_curves(config).eval_returns for agent, config in VARIANTS.items()}
    pairs = [*((agent, agent) for agent in VARIANTS), CONTROL]
    rows = [
        row(agent, variant, score, of(theirs[agent]), of(ours[variant]))
        for agent, variant in pairs
        for score, of in SCORES.items()
    ]
    return {"date": date, "rows": rows, "curves": curves(theirs).to_dict("records")}


def curves(theirs: dict[str, np.ndarray]) -> pd.DataFrame:
    """Six curve sets, three agents as written and corrected, beside the notebook's own loop."""
    parts = []
    for agent in ("policy_gradient", "batch_mean", "actor_critic"):
        sets = {
            "the notebook's loop": theirs[agent],
            f"pgcore, {WRITTEN}": our_curves(VARIANTS[agent]).eval_returns,
            f"pgcore, {CORRECTED}": our_curves(Config(algorithm=agent)).eval_returns,
        }
        for name, returns in sets.items():
            mean = stats.mean_t_interval(returns.T)
            steps = np.array(Config().eval_steps)
            frame = pd.DataFrame(
                {"step": steps, "mean": mean.estimate, "low": mean.low, "high": mean.high}
            )
            parts.append(frame.assign(agent=agent, set=name, n=returns.shape[1]))
    return pd.concat(parts, ignore_index=True)


def chart(rows: list[dict[str, Any]]) -> alt.FacetChart:
    """The six curve sets and the notebook's, a panel an agent, with 95% t intervals."""
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        x=alt.X("step:Q", title="environment steps", axis=alt.Axis(format="~s")),
        color=alt.Color(
            "set:N", title=None, scale=alt.Scale(range=list(COLOURS)),
            legend=alt.Legend(orient="top"),
        ),
    )  # fmt: skip
    layers = alt.layer(
        base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title="episodic return"), y2="high:Q"),
        base.mark_line().encode(y="mean:Q"),
    )
    return (
        layers.properties(width=240, height=220)
        .facet(column=alt.Column("agent:N", title=None, sort=None))
        .properties(background="white")
    )
