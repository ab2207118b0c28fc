"""A reader's own baseline: its verdict, measured beside the lab's three estimators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from pgcore import formula as formulas
from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.formula import Formula, Reach
from pgcore.gradients import Measurement, Reference, Windows, gradients_of, measure, weights
from pgcore.gradients.inference import percentile_interval, resampled_means
from pgcore.gradients.windows import Progress, unheard
from pgcore.history import History
from pgcore.plotting.strips import domain, parameters, strip
from pgcore.plotting.theme import colour, spec
from pgcore.stats import Interval
from ui.cloud.charts import paired_ratio

YOURS, PLAIN, CRITIC, TRUTH = "formula", "policy_gradient", "actor_critic", "monte_carlo"
LANDMARKS = (PLAIN, "batch_mean", CRITIC)
STRAIGHT = 0.95  # cosine above which a direction counts as kept
CERTAIN, DOUBTFUL = 0.001, 0.05  # p below which a bias is there; above which none is seen
GREY = "#888888"
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


# --- the measurement -------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What the measurement says of a formula; n counts windows (batches)."""

    formula: Formula
    measured: Measurement
    kept: Interval  # mean update along the truth, over that of an unbiased baseline
    against_critic: Interval  # tr Sigma over actor-critic's, paired

    @property
    def bias(self) -> str:
        """biased, doubtful, none seen, or identical (to the unbiased weight itself)."""
        p = self.measured.added.test.p
        if np.isnan(p):
            return "identical" if self.measured.added.relative.estimate == 0 else "doubtful"
        return "biased" if p < CERTAIN else "doubtful" if p < DOUBTFUL else "none seen"


def judge(
    windows: Windows, reference: Reference, config: Config, progress: Progress = unheard
) -> Verdict:
    """Measure `config.formula` on windows that are there already.

    Its bias is judged against Q - V on the same windows: the same target Q, and a baseline that
    adds none, so that what differs is the formula's own doing.

    Raises: FormulaError if the formula is NaN or overflows on them.
    """
    psi = weights(windows, config, (PLAIN, CRITIC, YOURS))
    psi[TRUTH] = windows.mc_q - windows.batch.values
    clouds = gradients_of(windows, psi, progress=lambda share: progress(0.5 * share))
    measured = measure(clouds, reference, base=PLAIN, unbiased=TRUTH, target=CRITIC)[YOURS]
    progress(1.0)
    direction = reference.directions[0].astype(np.float32)
    return Verdict(
        formulas.parse(config.formula),
        measured,
        _ratio_of_means(clouds[YOURS] @ direction, clouds[CRITIC] @ direction),
        paired_ratio(clouds[YOURS], clouds[CRITIC]),
    )


def _ratio_of_means(x: np.ndarray, y: np.ndarray) -> Interval:
    columns = np.stack([x, y], 1, dtype=np.float64)
    means, draws = columns.mean(0), resampled_means(columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        return percentile_interval(means[0] / means[1], draws[:, 0] / draws[:, 1], len(x))


# --- the verdict in words --------------------------------------------------------------------


def bias_sentence(verdict: Verdict) -> str:
    """Unbiased, or biased by how much, with the uncertainty and n."""
    measured, kept = verdict.measured, verdict.kept
    added, n = measured.added, f"{measured.ratio.n:,}"
    if verdict.bias == "identical":
        return f"**Unbiased.** On all {n} batches these are the weights Q − V themselves."
    p = "p < 0.001" if added.test.p < 0.001 else f"p = {added.test.p:.3f}"
    test = f"(Hotelling's T²: {p}, n = {n})"
    along = f"along it, it is {times(kept)} times an unbiased one"
    if verdict.bias == "none seen":
        along = along.replace("along it", "along the true gradient")
        return f"**No bias seen** {test} in the mean update: {along}."
    moved = f"the mean update moves by {amount(added.relative)}; {along}."
    if verdict.bias == "doubtful":
        return f"**Perhaps biased** {test}: {moved}"
    if kept.low > 0 and measured.alignment.low > STRAIGHT:
        cosine = measured.alignment
        moved += (
            f" The direction stays (cosine {cosine.estimate:.2f} [{cosine.low:.2f}, "
            f"{cosine.high:.2f}]), and Adam divides a length out."
        )
    return f"**Biased** {test}: {moved}"


def variance_sentence(verdict: Verdict) -> str:
    """The variance against plain policy gradient and against the critic, both paired."""
    plain, critic = times(verdict.measured.ratio), times(verdict.against_critic)
    return f"**Variance**: {plain} of plain policy gradient's, {critic} of actor-critic's."


def learning_sentence(histories: Mapping[str, History]) -> str:
    """What training made of it: the final return, and how far from the critic's and from none."""
    own = histories[YOURS]
    final, n = stats.mean_t_interval(own.final_returns), own.config.num_seeds
    words = f"**Trained**, it ends at {final:.1f} (n = {n} seeds)"
    if n < 2:
        return f"{words}; one seed decides nothing."
    parts = []
    for key in (CRITIC, PLAIN):
        name = ALGORITHMS[key].name.lower()
        if np.array_equal(own.final_returns, histories[key].final_returns):
            parts.append(f"what {name} reaches, seed by seed")
        else:
            gap = stats.difference_interval(histories[key].final_returns, own.final_returns)
            parts.append(f"{gap.estimate:+.0f} [{gap.low:+.0f}, {gap.high:+.0f}] against {name}")
    return f"{words}: {'; '.join(parts)}."


def text_sentence(verdict: Verdict) -> str:
    """What the text alone says of the action, and whether the measurement agrees."""
    formula, bias = verdict.formula, verdict.bias
    if not formula.uses_action:
        if bias == "biased":
            return (
                "**The text** looks at nothing that the action decides, so by theory it adds no "
                "bias: one test in a thousand errs."
            )
        return "**The text** looks at nothing that the action decides: by theory it adds no bias."
    reason = looks_at(formula)
    if bias == "biased":
        return f"**Caught in the act**: {reason}, and the bias is there."
    if bias == "identical":
        return f"**The text** is suspect: {reason}. Here it comes to the same as Q − V."
    return (
        f"**The text** is suspect: {reason}. The measurement sees no bias here: what looks at the "
        "action may add one, and need not."
    )


def looks_at(formula: Formula) -> str:
    """Why the text may depend on the action."""
    inside = formula.psi.parts[1] if formula.is_baseline else formula.psi
    heads = {node.head for node in inside}
    acted = [
        name for name, of in formulas.NAMES.items() if name in heads and of.reach is Reach.ACTION
    ]
    if not formula.is_baseline and formula.psi.head not in ("+", "-"):
        return "the weight is not Q less a baseline, so it may rescale or bend Q"
    if not formula.is_baseline and acted == ["q"]:
        return "Q comes in more than once, and it knows the action"
    if acted:
        listed = ", ".join(f"`{name}`" for name in acted)
        return f"it reads {listed}, which the action {'decides' if len(acted) == 1 else 'decide'}"
    return "it gathers states of other steps, to which the action led"


def times(interval: Interval) -> str:
    """0.251 [0.236, 0.267]"""
    return f"{interval.estimate:.3g} [{interval.low:.3g}, {interval.high:.3g}]"


def amount(interval: Interval) -> str:
    """18% [15%, 21%] of the true gradient; from tenfold on, times."""
    if interval.estimate >= 10:
        return f"{times(interval)} times the true gradient"
    digits = 0 if interval.estimate >= 0.095 else 1
    low, high = f"{interval.low:.{digits}%}", f"{interval.high:.{digits}%}"
    return f"{interval.estimate:.{digits}%} [{low}, {high}] of the true gradient"


# --- the chart -------------------------------------------------------------------------------


QUANTITIES = {  # the bias along the true gradient has a sign, and an interval also at 0
    "variance": lambda m: m.ratio,
    "added bias": lambda m: m.added.along,
    "right way": lambda m: m.right_way,
}
NOTHING = (1.0, 0.0, 0.5)  # plain policy gradient's variance, no bias, a coin
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
        for key in (YOURS, *LANDMARKS)
        if key in measurements
        for quantity, of in QUANTITIES.items()
    )
    return frame[(frame["quantity"] != "variance") | (frame["low"] > 0)]


def ends(frame: pd.DataFrame) -> tuple[tuple[float, float], ...]:
    """Where the axes end: powers of ten round the variances, the widest bias, 0 to 1."""
    variance, bias, _ = (frame[frame["quantity"] == name] for name in QUANTITIES)
    low, high = np.log10([variance["low"].min(), variance["high"].max()])
    return (
        (float(10 ** min(np.floor(low), -1)), float(10 ** max(np.ceil(high), 0))),
        (float(min(-0.5, 1.05 * bias["low"].min())), float(max(0.5, 1.05 * bias["high"].max()))),
        (0.0, 1.0),
    )


def verdict_spec(axes: tuple[tuple[float, float], ...]) -> dict:
    """The intervals of `rows` in three strips side by side, with the `ends` of their axes."""
    return _verdict() | {"params": parameters(axes)}


@lru_cache(maxsize=1)
def _verdict() -> dict:
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
        ruled = own.transform_aggregate(rows="count()").mark_rule(strokeDash=[3, 3], color=GREY)
        x = alt.X("low:Q", title=name, scale=scale, axis=axis)
        spread = own.mark_rule(strokeWidth=3, clip=True).encode(
            x=x, x2="high:Q", y=y, color=colour(legend=None), tooltip=tooltip
        )
        point = own.mark_point(filled=True, size=70, opacity=1, clip=True).encode(
            x=alt.X("estimate:Q", title=name, scale=scale, axis=axis),
            y=y, color=colour(legend=None), tooltip=tooltip,
        )  # fmt: skip
        strips.append(alt.layer(ruled.encode(x=alt.XDatum(nothing)), spread, point))
    together = alt.layer(*strips).resolve_scale(x="independent")
    return spec(together.properties(height=175, width="container"))


def description(frame: pd.DataFrame) -> str:
    """The chart in words."""
    said = [
        f"{row.name_}: {row.quantity} {row.estimate:.3g}"
        for row in frame.rename(columns={"name": "name_"}).itertuples()
    ]
    return "Verdict, with 95% intervals. " + "; ".join(said)


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
