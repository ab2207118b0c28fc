"""A reader's own baseline, drawn beside the lab's three estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from pgcore import formula as formulas
from pgcore.algorithms import ALGORITHMS
from pgcore.formula import Reach
from pgcore.gradients import Measurement
from pgcore.gradients.judgement import CRITIC, FORMULA, PLAIN
from pgcore.plotting.strips import domain, parameters, strip
from pgcore.plotting.theme import built_once, colour, spec
from pgcore.stats import Interval

LANDMARKS = (PLAIN, "batch_mean", CRITIC)
GREY = "#888888"
POINT = alt.expr("datum.name + ', ' + datum.quantity + ' ' + format(datum.estimate, '.3~g')")
EXAMPLES = (
    "b = v",
    "b = mean(q)",
    "psi = (q - mean(q)) / (std(q) + 1e-8)",
    "b = 0.5 * q",
    "b = 100",
    "b = (T - t) / 2",
    "b = mean(v)",
    "b = roll(q, 1)",
    "b = 20 * a",
)


# --- the chart -------------------------------------------------------------------------------


QUANTITIES = {  # the bias along the true gradient has a sign, and an interval also at 0
    "variance": lambda m: m.ratio,
    "added bias": lambda m: m.added.along,
    "right way": lambda m: m.right_way,
}
NOTHING = (1.0, 0.0, 0.5)  # plain policy gradient's variance, no bias, chance
STRIPS = ((0.0, 0.29), (0.36, 0.65), (0.72, 1.0))  # from left to right, in shares of the width


def rows(measurements: Mapping[str, Measurement]) -> pd.DataFrame:
    """A row an estimator and quantity: estimate, low, high, n. A variance of 0 has no logarithm."""
    frame = pd.DataFrame(
        {
            "algorithm": key,
            "name": ALGORITHMS[key].name,
            "quantity": quantity,
            "estimate": (interval := of(measurements[key])).estimate,
            "low": interval.low,
            "high": interval.high,
            "n": interval.n,
        }
        for key in (FORMULA, *LANDMARKS)
        if key in measurements
        for quantity, of in QUANTITIES.items()
    )
    return frame[(frame["quantity"] != "variance") | (frame["low"] > 0)]


def written(frame: pd.DataFrame) -> pd.DataFrame:
    """`rows` as text, a row an estimator, to be shown."""
    lines: dict[str, dict[str, str]] = {}
    for row in frame.itertuples(index=False):
        interval = Interval(row.estimate, row.low, row.high, row.n)
        shown = f"{interval}" if row.quantity == "variance" else f"{interval:.1%}"
        lines.setdefault(row.name, {})[row.quantity] = shown
    columns = [*QUANTITIES]
    table = pd.DataFrame.from_dict(lines, orient="index").reindex(columns=columns).fillna("0")
    return table.rename_axis("estimator").reset_index().assign(n=frame["n"].max())


def ends(frame: pd.DataFrame) -> tuple[tuple[float, float], ...]:
    """Where the axes end: powers of ten round the variances, the widest bias, 0 to 1."""
    variance, bias, _ = (frame[frame["quantity"] == name] for name in QUANTITIES)
    low, high = np.log10([variance["low"].min(), variance["high"].max()])
    return (
        (float(10 ** min(np.floor(low), -1)), float(10 ** max(np.ceil(high), 0))),
        (float(min(-0.5, 1.05 * bias["low"].min())), float(max(0.5, 1.05 * bias["high"].max()))),
        (0.0, 1.0),
    )


def judgement_spec(axes: tuple[tuple[float, float], ...]) -> dict:
    """The intervals of `rows` in three strips side by side, with the `ends` of their axes."""
    return _judgement() | {"params": parameters(axes)}


@built_once(maxsize=1)
def _judgement() -> dict:
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelOverlap=False, labelFlush=False))
    tooltip = [
        alt.Tooltip("name:N"),
        alt.Tooltip("quantity:N"),
        *(alt.Tooltip(f"{field}:Q", format=".3g") for field in ("estimate", "low", "high")),
        alt.Tooltip("n:Q", format=",", title="batches"),
    ]
    strips = []
    for at, (name, share, nothing) in enumerate(zip(QUANTITIES, STRIPS, NOTHING, strict=True)):
        kind: Literal["log", "linear"] = "log" if at == 0 else "linear"
        scale = alt.Scale(type=kind, domain=domain(at), range=strip(share, "width"), nice=False)
        axis = alt.Axis(
            orient="bottom",
            format="~g" if at == 0 else ".0%",
            values=alt.expr(f"[low_{at}, {nothing}, high_{at}]"),
            grid=False,
            labelFlush=True,
        )
        own = alt.Chart().transform_filter(f"datum.quantity == '{name}'")
        ruled = own.transform_aggregate(rows="count()").mark_rule(
            strokeDash=[3, 3], color=GREY, aria=False
        )
        x = alt.X("low:Q", title=name, scale=scale, axis=axis)
        spread = own.mark_rule(strokeWidth=3, clip=True, aria=False).encode(
            x=x, x2="high:Q", y=y, color=colour(legend=None), tooltip=tooltip
        )
        point = own.mark_point(
            filled=True, size=70, opacity=1, clip=True, description=POINT
        ).encode(
            x=alt.X("estimate:Q", title=name, scale=scale, axis=axis),
            y=y, color=colour(legend=None), tooltip=tooltip,
        )  # fmt: skip
        strips.append(alt.layer(ruled.encode(x=alt.XDatum(nothing)), spread, point))
    together = alt.layer(*strips).resolve_scale(x="independent")
    return spec(together.properties(height=175, width="container"))


# --- what a formula may say ------------------------------------------------------------------


KNOWS = {Reach.BEFORE: "only the past", Reach.STATE: "the state", Reach.ACTION: "the action"}


def names_table() -> str:
    """The names, as a Markdown table."""
    lines = [
        f"| `{name}` | {_typeset(of.latex)} | {of.meaning} | {KNOWS[of.reach]} |"
        for name, of in formulas.NAMES.items()
    ]
    head = "| name | | what it is | what it knows |\n|---|---|---|---|\n"
    return head + "\n".join(lines)


def functions_table() -> str:
    """The functions and operators, as a Markdown table."""
    letters, lines = ("x", "y", "z"), []
    for (head, count), of in formulas.OPERATIONS.items():
        operands = letters[:count] if head != "roll" else ("x", "-k")
        if head in formulas.FUNCTIONS:
            form = f"{head}({', '.join(operands).replace('-', '')})"
        else:
            form = head.join(operands) if count > 1 else f"{head}x"
        whole = " (other steps too)" if of.gathers else ""
        lines.append(f"| `{form}` | {_typeset(of.latex.format(*operands))}{whole} |")
    return "| function | |\n|---|---|\n" + "\n".join(lines)


def _typeset(latex: str) -> str:
    """For a cell of a Markdown table, in which a bar would end the cell."""
    return "$" + latex.replace("|", r"\vert ") + "$"
