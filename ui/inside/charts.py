"""One update in slow motion: one batch, stage by stage, aligned over its steps.

The film has a moment for the actions, one for every step of the return's recursion, and one each
for the baseline, the weight and the step of the policy. What has not happened yet is not drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import altair as alt
import numpy as np
import pandas as pd

from pgcore import formula as formulas
from pgcore import networks
from pgcore.algorithms import ALGORITHMS
from pgcore.batch import Batch
from pgcore.config import Config
from pgcore.gradients import Update, Windows
from pgcore.gradients.decomposition import true_returns
from pgcore.gradients.windows import Progress, unheard
from pgcore.learners import shape_of
from pgcore.plotting.strips import domain, parameters, strip
from pgcore.plotting.theme import colour, spec

STAGES = {
    "actions": "Act",
    "returns": "Return",
    "baseline": "Baseline",
    "weight": "Weight",
    "step": "Step",
}
ORDER = [*STAGES]
CHANGES = {"gradient": "sgd_change", "Adam": "adam_change"}  # along g, or as training takes it
UP, DOWN, GREY = "#2A9D5C", "#A461D8", "#888888"  # legible on white and black, no algorithm's
ROOMY = 64  # steps up to which every reward is written as a number
HEIGHT = 375
MARGIN = 46  # pixels for the vertical axes, so that the panels align
TINY = 1e-4
TAILS, TAIL_BUDGET = 256, 8192  # tails of each action, and of all the batch's states together
CLEAR = 2.0  # standard errors between two actions that count as different


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
    """A row a step of the batch, with what the film has shown by now and nothing else."""
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


@lru_cache(maxsize=16)
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
        axis = alt.Axis(orient="left", tickCount=3, minExtent=MARGIN)
        return alt.Y(f"{field}:Q", title=panel, scale=scale, axis=axis)

    def where(test: str, **texts: str) -> alt.Chart:
        return alt.Chart().transform_filter(test).transform_calculate(**texts)

    def panel(*layers: alt.Chart) -> alt.LayerChart:
        return alt.layer(*layers).resolve_scale(color="independent")

    def bars(field: str, name: str) -> alt.LayerChart:
        zero = alt.Chart().transform_aggregate(rows="count()").mark_rule(color=GREY)
        bar = where(f"isValid(datum.{field})").mark_rect(clip=True)
        return panel(
            zero.encode(y=alt.YDatum(0)),
            bar.encode(
                x=x("left"), x2="right:Q", y=y(field, name), y2=alt.Y2Datum(0),
                color=pushed, tooltip=tooltip,
            ),
        )  # fmt: skip

    here = where("datum.now").mark_rect(opacity=0.22, color=GREY).encode(x=x("low"), x2="high:Q")
    end = where("datum.end").mark_rule(strokeDash=[4, 3], color=GREY).encode(x=x("high"))
    ending = where("datum.end").mark_text(align="left", dx=3, dy=-3, baseline="bottom", color=GREY)
    side = alt.Y(
        "side:N",
        title=None,
        scale=alt.Scale(
            domain=["right", "left", "reward"], range=strip(PANELS["actions"], "height")
        ),
        axis=alt.Axis(orient="left", domain=False, ticks=False, grid=False, minExtent=MARGIN),
    )
    turned = alt.Scale(domain=["right", "left"], range=["triangle-right", "triangle-left"])
    acted = alt.Chart().mark_point(filled=True, opacity=1, size=min(75, 2500 / steps), color=GREY)
    paid = where("true", side="'reward'")
    number = paid.mark_text(fontSize=11, color=GREY).encode(text=alt.Text("reward:Q", format="~g"))
    reward = number if steps <= ROOMY else paid.mark_tick(height=6, color=GREY)
    actions = panel(
        acted.encode(
            x=x(), y=side, shape=alt.Shape("side:N", scale=turned, legend=None), tooltip=tooltip
        ),
        reward.encode(x=x(), y=side),
    )

    known, below = where("isValid(datum.q)"), where("isValid(datum.baseline)")
    cut = where(
        "isValid(datum.cut)",
        edge=f"datum.t + 0.5 + {0.4 * beyond}",
        text="'V ' + format(datum.cut, '.1f')",
    ).encode(x=x("edge"), y=y("cut", RETURNS))
    q, subtracted = y("q", RETURNS), y("baseline", RETURNS)
    returns = panel(
        below.mark_rule(strokeWidth=3).encode(x=x(), y=subtracted, y2="q:Q", color=pushed),
        known.mark_line(strokeWidth=1.5, color=GREY).encode(x=x(), y=q, detail="episode:N"),
        known.mark_point(filled=True, size=30, opacity=1, color=GREY).encode(
            x=x(), y=q, tooltip=tooltip
        ),
        cut.mark_point(shape="diamond", size=60, strokeWidth=2, color=GREY),
        cut.mark_text(fontSize=11, dy=-11, color=GREY).encode(text="text:N"),
        below.mark_line(strokeWidth=2.4, interpolate="step").encode(
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


RETURNS, WEIGHTS, OUTCOME = "Q, baseline", "weight Ψ", "Δ log π"
PANELS = {  # from top to bottom, in shares of the height
    "actions": (0.0, 0.16),
    RETURNS: (0.2, 0.53),
    WEIGHTS: (0.58, 0.77),
    OUTCOME: (0.81, 1.0),
}
NUMBERS = {
    "prob": "probability",
    "reward": "reward",
    "q": "Q",
    "baseline": "baseline",
    "psi": "weight Ψ",
    "change": "Δ log π",
    "after": "probability after",
}


SAID = {
    "actions": "Triangles: which way the cart was pushed. A dashed line: the episode ended there.",
    "returns": "Each Q is its reward and the discounted Q after it. Diamond: the critic stands in "
    "for what the batch has not seen.",
    "baseline": "The line is what is subtracted; the sticks are what is left of Q.",
    "weight": "Each action's own weight: green pushes it up, purple down.",
    "step": "Colour: what the action's own weight asked for. Direction: what became of it, after a "
    "plain step along the gradient or Adam's first one.",
}


def description(update: Update, algorithm: str, stage: str, at: int, step: str) -> str:
    """The chart in words, as far as the film has run."""
    s = update.steps.iloc[at]
    ends = int((update.steps["terminated"] | update.steps["truncated"]).sum())
    words = [
        f"{len(update.steps)} steps of one batch, {ends} of which end an episode, "
        f"{ALGORITHMS[algorithm].name}. At step {at} the cart was pushed "
        f"{'right' if s['action'] == 1 else 'left'}, with probability {s['prob']:.2f}",
        f"Q is {s['q_value']:.2f}",
        f"the baseline {s['baseline']:.2f}",
        f"the weight {s['psi']:.2f}",
        f"log pi changes by {s[CHANGES[step]]:.4f}",
    ]
    return "; ".join(words[: ORDER.index(stage) + 1]) + "."


# --- the numbers -----------------------------------------------------------------------------


def equation(update: Update, config: Config, stage: str, at: int, step: str) -> str:
    """What the film computes at step `at`, in LaTeX, with its numbers."""
    s, last = update.steps.iloc[at], len(update.steps) - 1
    side = "right" if s["action"] == 1 else "left"
    here = rf"\pi_\theta(a_{{{at}}}\!=\!\text{{{side}}} \mid s_{{{at}}})"
    if stage == "actions":
        return rf"{here} = {s['prob']:.3f}, \qquad r_{{{at}}} = {s['reward']:g}"
    if stage == "returns":
        left, total = f"Q_{{{at}}} = r_{{{at}}}", f"{s['q_value']:.2f}"
        if (s["terminated"] or s["truncated"]) and s["next_value"] == 0:
            return rf"{left} = {total} \qquad \text{{the episode ended: nothing follows}}"
        follows = rf"V_\phi(s_{{{at + 1}}})" if s["bootstrapped"] else f"Q_{{{at + 1}}}"
        if (at == last or s["truncated"]) and not s["bootstrapped"]:
            follows = r"\text{what followed}"
        discounted = rf"{config.gamma:g} \cdot {s['next_value']:.2f}"
        return rf"{left} + \gamma\, {follows} = {s['reward']:g} + {discounted} = {total}"
    if stage == "baseline":
        subtracted = rf"b_{{{at}}} = Q_{{{at}}} - \Psi_{{{at}}} = {s['baseline']:.2f}"
        return rf"{subtracted}, \qquad {_psi(config)}"
    if stage == "weight":
        minus = f"{s['baseline']:.2f}" if s["baseline"] >= 0 else f"({s['baseline']:.2f})"
        sums = rf"{s['q_value']:.2f} - {minus} = {s['psi']:+.2f}"
        return rf"{_psi(config, at)} = {sums} \qquad \text{{push {_way(s['pushed'])}}}"
    change = s[CHANGES[step]]
    after = s["prob"] * np.exp(change)
    moved = rf"\log {here}:\ {change:+.4f}"
    return rf"{moved} \qquad {100 * s['prob']:.1f}\% \to {100 * after:.1f}\%"


def _psi(config: Config, at: int | None = None) -> str:
    """The running estimator's weight, for any step or for one."""
    typed = config.algorithm == "formula"
    whole = formulas.parse(config.formula).latex if typed else ""
    whole = whole or rf"\Psi_t = {ALGORITHMS[config.algorithm].psi}"
    return whole if at is None else rf"\Psi_{{{at}}}"


def _way(pushed: int) -> str:
    return {1: "up", -1: "down"}.get(int(pushed), "neither way")


def alone(windows: Windows, index: int) -> Windows:
    """One window by itself."""
    one = slice(index, index + 1)
    batch = Batch(**{f.name: getattr(windows.batch, f.name)[one] for f in fields(Batch)})
    states, elapsed = windows.states[one], windows.elapsed[one]
    return replace(windows, batch=batch, mc_q=windows.mc_q[one], states=states, elapsed=elapsed)


def telling(windows: Windows, among: int = 200) -> int:
    """The first window that shows most: an episode ends in its middle, if one does anywhere."""
    ended = windows.batch.ended[:among]
    steps = ended.shape[1]
    middle = ended[:, steps // 4 : steps - steps // 4].any(1)
    return int(np.argmax(middle))


def tally(update: Update, step: str) -> str:
    """What the weights asked for and what became of it, in one sentence."""
    pushed, change = update.steps["pushed"], update.steps[CHANGES[step]]
    up, down, rose = (int(x.sum()) for x in (pushed > 0, pushed < 0, change > 0))
    against = int((pushed * change < 0).sum())
    return (
        f"The weights push {up} of these {len(pushed)} actions up and {down} down. After the step "
        f"{rose} are more probable and {len(pushed) - rose} less; {against} went against their own "
        "weight: all steps share one network, and there the pushes add up."
    )


def side_by_side(
    updates: dict[str, Update], truth: np.ndarray, step: str, worse: np.ndarray | None = None
) -> pd.DataFrame:
    """Every estimator on the same batch: pushes, outcome, the arrow's length and direction.

    Args:
        truth: [P] the true gradient's direction, of length 1, over the policy's parameters.
        worse: [T] the worse action of each state, -1 where unclear, if that is known.
    """
    table = []
    for key, update in updates.items():
        arrow = -update.gradient[: len(truth)].astype(np.float64)
        length = np.linalg.norm(arrow)
        angle = np.degrees(np.arccos(np.clip(arrow @ truth / length, -1, 1))) if length else np.nan
        action, pushed = update.steps["action"], update.steps["pushed"].to_numpy()
        row = {
            "estimator": ALGORITHMS[key].name,
            "pushed up": int((pushed > 0).sum()),
            "pushed down": int((pushed < 0).sum()),
            "more probable after": int((update.steps[CHANGES[step]] > 0).sum()),
        }
        if worse is not None:
            bad = action.to_numpy() == worse
            good = (worse >= 0) & ~bad
            row["bad ones up"] = f"{(pushed[bad] > 0).sum()} of {bad.sum()}"
            row["good ones up"] = f"{(pushed[good] > 0).sum()} of {good.sum()}"
        row |= {"arrow's length": f"{length:.3g}", "angle to the truth": f"{angle:.0f}°"}
        table.append(row)
    return pd.DataFrame(table)


# --- in hindsight: which action was the worse ------------------------------------------------


@dataclass(frozen=True)
class Hindsight:
    """The true returns of both actions at every step of one batch, by playing tails from each."""

    q: np.ndarray  # [T, 2]
    error: np.ndarray  # [T] standard error of Q(s, 1) - Q(s, 0)
    tails: int

    @property
    def worse(self) -> np.ndarray:
        """The action of lower return, or -1 where the two are within 2 standard errors.  [T]"""
        gap = self.q[:, 1] - self.q[:, 0]
        return np.where(np.abs(gap) > CLEAR * self.error, (gap < 0).astype(int), -1)


def hindsight(windows: Windows, index: int, seed: int, progress: Progress = unheard) -> Hindsight:
    """Set every state of window `index`, take both actions, and play on from each."""
    batch, steps = windows.batch, windows.mc_q.shape[1]
    age = np.arange(steps) + windows.elapsed[index]
    for t in np.flatnonzero(batch.ended[index]):
        age[t + 1 :] = np.arange(steps - t - 1)
    states = batch.obs[index].astype(np.float64)
    tails = int(np.clip(TAIL_BUDGET // steps, 4, TAILS))
    every = replace(windows, states=states, elapsed=age)
    returns = true_returns(every, seed, steps, tails, progress=progress)  # [T, 2, M]
    error = np.sqrt(returns.var(-1, ddof=1).sum(-1) / tails)
    return Hindsight(returns.mean(-1), error, tails)


def carried(windows: Windows, index: int, truth: np.ndarray) -> np.ndarray:
    """How the odds of action 1 change along the true gradient `truth` [P], per unit step.  [T]"""
    shape = shape_of(windows.config)
    obs = windows.batch.obs[index][None].astype(np.float64)  # [1, T, 4]
    step = np.pad(truth, (0, shape.size - len(truth))) * TINY
    ends = windows.row + step, windows.row - step
    logits = [networks.forward(shape.policy(row[None]), obs)[0] for row in ends]  # [T, 2]
    high, low = (z[:, 1] - z[:, 0] for z in logits)
    return (high - low) / (2 * TINY)


def answer(found: Hindsight, plain: Update, slopes: np.ndarray) -> str:
    """Can one sample push a bad action up, and can the average? What this batch says.

    Args:
        plain: plain policy gradient's update.
        slopes: [T] of `carried` along the true gradient.
    """
    clear = found.worse >= 0
    worse = plain.steps["action"].to_numpy() == found.worse
    up = int((plain.steps["pushed"].to_numpy()[worse] > 0).sum())
    raised = int(((slopes > 0) == (found.worse == 1))[clear].sum())
    if not worse.any():
        return "In this batch no action was clearly the worse of the two; take another batch."
    return (
        f"Both actions of each of the {len(clear)} states were played on {found.tails} times. In "
        f"{clear.sum()} states they differ by more than {CLEAR:g} standard errors; the worse of "
        f"the two was taken in {worse.sum()}, and plain policy gradient pushes {up} of these up. "
        "Averaged over which action is drawn, the worse one falls in every state, whatever "
        "baseline b(s) is subtracted. Carried by the network that all states share, the true "
        f"gradient here raises the worse action in {raised} of the {clear.sum()}."
    )


def average(found: Hindsight, update: Update) -> str | None:
    """A worse action's push, averaged over which action is drawn, in LaTeX; None without one.

    On the logits' difference, per |d|^2: (1 - p) Q if it is drawn, -p Q' if the other one is.
    """
    taken = np.flatnonzero(update.steps["action"].to_numpy() == found.worse)
    if not len(taken):
        return None
    at = int(taken[0])
    worse, p = int(found.worse[at]), float(update.steps["prob"][at])
    low, high = found.q[at, worse], found.q[at, 1 - worse]
    return (
        rf"t = {at}: \quad \underbrace{{{p:.2f} \cdot {1 - p:.2f} \cdot {low:.1f}}}"
        rf"_{{\text{{drawn: up}}}} \;-\; \underbrace{{{1 - p:.2f} \cdot {p:.2f} \cdot {high:.1f}}}"
        rf"_{{\text{{other drawn: down}}}} = {p * (1 - p) * (low - high):+.2f}"
    )
