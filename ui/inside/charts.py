"""One update in slow motion: one batch, stage by stage, aligned over its steps.

The film has a moment for the actions, one for every step of the return's recursion, and one each
for the baseline, the weight and the step of the policy. What has not happened yet is not drawn.
"""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from pgcore.gradients import Update
from pgcore.plotting.strips import domain, parameters, strip
from pgcore.plotting.theme import FAINT, built_once, colour, named, spec

STAGES = {
    "actions": "Act",
    "returns": "Return",
    "baseline": "Baseline",
    "weight": "Weight",
    "step": "Step",
}
ORDER = [*STAGES]
CHANGES = {
    "gradient": "sgd_change",
    "Adam": "adam_change",
}  # along the gradient, or as training takes it
UP, DOWN, GREY = "#2A9D5C", "#A461D8", "#888888"  # legible on white and black, no algorithm's
ROOMY = 64  # steps up to which every reward is written as a number
HEIGHT = 320
MARGIN = 46  # pixels for the vertical axes, so that the panels align


# --- the film --------------------------------------------------------------------------------


def forward(stage: str, at: int, steps: int) -> tuple[str, int]:
    """The next moment of the film; the last one stays."""
    if stage == "returns" and at > 0:
        return stage, at - 1
    later = ORDER[min(ORDER.index(stage) + 1, len(ORDER) - 1)]
    return later, steps - 1 if later == "returns" else at


def back(stage: str, at: int, steps: int) -> tuple[str, int]:
    """The moment before; the first one stays."""
    if stage == "returns" and at < steps - 1:
        return stage, at + 1
    earlier = ORDER[max(ORDER.index(stage) - 1, 0)]
    return earlier, 0 if earlier == "returns" else at


# --- the chart -------------------------------------------------------------------------------


def rows(update: Update, algorithm: str, stage: str, at: int, step: str) -> pd.DataFrame:
    """A row for every step of the batch, with what the film has shown by now and nothing else."""
    steps, reached = update.steps, ORDER.index(stage)
    t, ended = np.arange(len(steps)), steps["terminated"] | steps["truncated"]
    change = steps[CHANGES[step]]
    frame = pd.DataFrame(
        {
            "t": t,
            "low": t - 0.5,
            "high": t + 0.5,
            "left": t - 0.38,
            "right": t + 0.38,
            "side": np.where(steps["action"] == 1, "right", "left"),
            "prob": steps["prob"],
            "reward": steps["reward"],
            "end": np.select([steps["terminated"], steps["truncated"]], ["fell", "clock"], ""),
            "episode": np.cumsum(ended) - ended,
            "q": steps["q_value"],
            "cut": np.where(steps["bootstrapped"], steps["next_value"], np.nan),
            "baseline": steps["baseline"],
            "psi": steps["psi"],
            "change": change,
            "after": steps["prob"] * np.exp(change),
            "pushed": np.select([steps["pushed"] > 0, steps["pushed"] < 0], ["up", "down"], "not"),
            "algorithm": algorithm,
            "now": t == at,
        }
    )
    hidden = t < at if stage == "returns" else np.full(len(t), reached < 1)
    frame.loc[hidden, ["q", "cut"]] = np.nan
    for name, since in (("baseline", 2), ("psi", 3), ("change", 4), ("after", 4)):
        if reached < since:
            frame[name] = np.nan
    return frame


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """What is drawn of `rows`, a line a step: what has not happened yet is empty."""
    shown = frame[["t", "side", *NUMBERS]]
    return shown.rename(columns={"t": "step t", "side": "pushed the cart"} | NUMBERS)


def ranges(update: Update, plain: Update, step: str) -> tuple[tuple[float, float], ...]:
    """Ends of the axes for Q, for Psi and for the change.

    Psi keeps plain policy gradient's axis, so that two estimators' bars can be compared; weights
    on another scale altogether get an axis of their own.
    """
    own, all_q = update.steps["psi"], update.steps[["q_value", "baseline"]].stack()
    both = pd.concat([own, plain.steps["psi"]])
    small = np.ptp([0, *own]) < 0.25 * np.ptp([0, *both])
    return tuple(_ends(x) for x in (all_q, own if small else both, update.steps[CHANGES[step]]))


def _ends(values: pd.Series) -> tuple[float, float]:
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    room = 0.07 * (high - low) or 1.0
    return float(low - room if low else low), float(high + room if high else high)


def film_spec(steps: int, axes: tuple[tuple[float, float], ...]) -> dict:
    """The panels of `rows`: actions, returns and baseline, weights, and what became of them.

    Args:
        axes: the ends of the last three, from `ranges`.
    """
    return _film(steps) | {"params": parameters(axes)}


@built_once(maxsize=16)
def _film(steps: int) -> dict:
    """One view, so that it takes its container's width; each panel has its own strip of it.

    The axes' ends are parameters, so that no batch needs a new chart.
    """
    beyond = max(0.06 * steps, 1.0)  # right of the last step, for what stands in for the rest
    x_scale = alt.Scale(domain=[-0.7, steps - 0.5 + beyond], nice=False)
    x_axis = alt.Axis(grid=False, tickMinStep=1, tickCount=min(16, steps), format="d")
    tooltip = [
        alt.Tooltip("t:Q"),
        alt.Tooltip("side:N", title="pushed the cart"),
        *(alt.Tooltip(f"{f}:Q", title=title, format=".3g") for f, title in NUMBERS.items()),
    ]
    pushed = alt.Color(
        "pushed:N",
        scale=alt.Scale(domain=["up", "down", "not"], range=[UP, DOWN, GREY]),
        legend=None,
    )

    def x(field: str = "t") -> alt.X:
        return alt.X(f"{field}:Q", scale=x_scale, title="step t of the batch", axis=x_axis)

    def y(field: str, panel: str) -> alt.Y:
        ends = domain([RETURNS, WEIGHTS, OUTCOME].index(panel))
        scale = alt.Scale(domain=ends, range=strip(PANELS[panel][::-1], "height"), nice=False)
        axis = alt.Axis(orient="left", tickCount=3, minExtent=MARGIN, titleFontSize=12)
        return alt.Y(f"{field}:Q", title=panel, scale=scale, axis=axis)

    def where(test: str, **texts: str) -> alt.Chart:
        return alt.Chart().transform_filter(test).transform_calculate(**texts)

    def known(field: str, name: str) -> alt.Chart:
        """The steps whose number is known by now, each with a name.

        Vega reads a group without marks aloud as one mark without a name, so the first step is
        always there: unseen, and named "not yet".
        """
        test = f"isValid(datum.{field})"
        number = f"{test} ? format(datum.{field}, '.3g') : 'not yet'"
        return named(
            where(
                f"{test} || datum.t == 0",
                shown=f"{test} ? datum.{field} : 0",
                seen=f"{test} ? 1 : 0",
            ).encode(opacity=alt.Opacity("seen:Q", scale=None)),
            f"'t = ' + datum.t + ', {name} ' + ({number})",
        )

    def panel(*layers: alt.Chart) -> alt.LayerChart:
        return alt.layer(*layers).resolve_scale(color="independent")

    def bars(field: str, name: str) -> alt.LayerChart:
        zero = alt.Chart().transform_aggregate(rows="count()").mark_rule(color=GREY, aria=False)
        bar = known(field, name).mark_rect(clip=True)
        return panel(
            zero.encode(y=alt.YDatum(0)),
            bar.encode(
                x=x("left"), x2="right:Q", y=y("shown", name), y2=alt.Y2Datum(0),
                color=pushed, tooltip=tooltip,
            ),
        )  # fmt: skip

    here = (
        where("datum.now")
        .mark_rect(opacity=0.22, color=GREY, aria=False)
        .encode(x=x("low"), x2="high:Q")
    )
    end = (
        where("datum.end").mark_rule(strokeDash=[4, 3], color=GREY, aria=False).encode(x=x("high"))
    )
    ending = where("datum.end").mark_text(
        align="left", dx=3, dy=-3, baseline="bottom", fontSize=12, color=FAINT, aria=False
    )
    side = alt.Y(
        "side:N",
        title=None,
        scale=alt.Scale(
            domain=["right", "left", "reward"], range=strip(PANELS["actions"], "height")
        ),
        axis=alt.Axis(orient="left", domain=False, ticks=False, grid=False, minExtent=MARGIN),
    )
    turned = alt.Scale(domain=["right", "left"], range=["triangle-right", "triangle-left"])
    acted = alt.Chart().mark_point(
        filled=True, opacity=1, size=min(75, 2500 / steps), color=GREY,
        description=alt.expr("'t = ' + datum.t + ', pushed the cart ' + datum.side"),
    )  # fmt: skip
    paid = where("true", side="'reward'")
    number = paid.mark_text(fontSize=12, color=FAINT, aria=False).encode(
        text=alt.Text("reward:Q", format="~g")
    )
    reward = number if steps <= ROOMY else paid.mark_tick(height=6, color=GREY, aria=False)
    actions = panel(
        acted.encode(
            x=x(), y=side, shape=alt.Shape("side:N", scale=turned, legend=None), tooltip=tooltip
        ),
        reward.encode(x=x(), y=side),
    )

    line, below = where("isValid(datum.q)"), where("isValid(datum.baseline)")
    cut = where(
        "isValid(datum.cut)",
        edge=f"datum.t + 0.5 + {0.4 * beyond}",
        text="'V ' + format(datum.cut, '.1f')",
    ).encode(x=x("edge"), y=y("cut", RETURNS))
    q, subtracted = y("q", RETURNS), y("baseline", RETURNS)
    returns = panel(
        below.mark_rule(strokeWidth=3, aria=False).encode(
            x=x(), y=subtracted, y2="q:Q", color=pushed
        ),
        line.mark_line(strokeWidth=1.5, color=GREY, aria=False).encode(
            x=x(), y=q, detail="episode:N"
        ),
        known("q", "Q")
        .mark_point(filled=True, size=30, color=GREY)
        .encode(x=x(), y=y("shown", RETURNS), tooltip=tooltip),
        cut.mark_point(shape="diamond", size=60, strokeWidth=2, color=GREY, aria=False),
        named(cut, "'after the batch, the critic: ' + datum.text")
        .mark_text(fontSize=12, dy=-11, color=FAINT)
        .encode(text="text:N"),
        below.mark_line(strokeWidth=2.4, interpolate="step", aria=False).encode(
            x=x(), y=subtracted, color=colour(legend=None)
        ),
    )
    layers = [
        here,
        end,
        ending.encode(x=x("high"), y=alt.value(0), text="end:N"),
        actions,
        returns,
        bars("psi", WEIGHTS),
        bars("change", OUTCOME),
    ]
    together = alt.layer(*layers).resolve_scale(y="independent", color="independent")
    return spec(together.properties(height=HEIGHT, width="container"))


RETURNS, WEIGHTS, OUTCOME = "return Q", "weight Ψ", "Δ log π"
PANELS = {  # from top to bottom, in shares of the height
    "actions": (0.0, 0.16),
    RETURNS: (0.2, 0.5),
    WEIGHTS: (0.56, 0.76),
    OUTCOME: (0.82, 1.0),
}
NUMBERS = {
    "prob": "probability",
    "reward": "reward",
    "q": "Q, discounted return",
    "baseline": "baseline",
    "psi": "weight Ψ",
    "change": "Δ log π",
    "after": "probability after",
}
