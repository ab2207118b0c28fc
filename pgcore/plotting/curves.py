"""Learning curves: a line a series, with its band or its seeds, and the reference lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from pgcore import envs, stats
from pgcore.plotting.bands import BANDS
from pgcore.plotting.series import Series
from pgcore.plotting.theme import (
    FAINT,
    HEIGHT,
    PALETTE,
    WORDS,
    bounds_aloud,
    built_once,
    place,
    spec,
    spread,
)

SEED_LINES = 30  # thin lines drawn per series
LINE_SHARE = 1 / 16  # of the plot's height, for a line of a label
LINE_HEIGHT = 15  # pixels; a plot is at least 16 of them high
LETTERS = 26  # of a label, beyond which it has two lines if there is room for them
LETTER = 6.0  # pixels, on average
LABEL_GAP = 14  # pixels between the plot and its labels; a thin line leads across
APP_HEIGHT = 305  # pixels: with verdict and replay it stands on a screen of 720
WIDTH = 620  # pixels, in a notebook; in the app the container's
COLUMNS = (
    *("series", "colour", "dashed", "seed"),  # seed is -1 on the line of all seeds
    *("step", "mean", "low", "high", "label", "label_y"),
)


def rows(series: Sequence[Series], band: str, bottom: float, top: float) -> pd.DataFrame:
    """Tidy rows of the chart between two heights: lines, bands and labels, columns COLUMNS.

    A series without an evaluation has no rows yet.

    Raises: ValueError if two series cannot be told apart.
    """
    names = [(one.label, one.dashed) for one in series]
    if len(set(names)) < len(names):
        raise ValueError(f"Two series have one label: {', '.join(label for label, _ in names)}.")
    parts = [_rows(one, band) for one in series if len(one.history.eval_steps)]
    if not parts:
        return pd.DataFrame(columns=[*COLUMNS])
    frame = pd.concat(parts, ignore_index=True).reindex(columns=[*COLUMNS])
    labelled = frame["label"].fillna("") != ""
    ends, labels = frame.loc[labelled, "mean"], _wrapped(frame.loc[labelled, "label"].tolist())
    lines = max(label.count("\n") + 1 for label in labels)
    gap = (top - bottom) * LINE_SHARE * lines
    frame.loc[labelled, "label"] = labels
    frame.loc[labelled, "label_y"] = spread(ends, gap, bottom + gap / 2, top - gap / 2)
    return frame


def written(label: str, seeds: int) -> str:
    """What stands beside a line."""
    return f"{label}, n = {seeds}"


def _label(series: Series) -> str:
    return written(series.label, series.history.config.num_seeds)


def _wrapped(labels: Sequence[str]) -> list[str]:
    """The labels, long ones in two lines as even as can be, where all find room."""
    if 2 * len(labels) * LINE_SHARE > 1:
        return [*labels]
    return [_halved(label) if len(label) > LETTERS else label for label in labels]


def _halved(label: str) -> str:
    spaces = [place for place, letter in enumerate(label) if letter == " "]
    spaces = [place for place in spaces if label[place - 1] == ","] or spaces
    middle = min(spaces, key=lambda place: abs(2 * place - len(label)))
    return f"{label[:middle]}\n{label[middle + 1 :]}"


def room(labels: Sequence[str]) -> float:
    """Pixels right of the lines that their labels need, each as `written`."""
    lines = "\n".join(_wrapped(labels)).split("\n")
    return LABEL_GAP + LETTER * max(map(len, lines))


def _rows(series: Series, band: str) -> pd.DataFrame:
    """One series: its line, and its band's bounds or its single seeds."""
    steps, returns = series.history.eval_steps, series.history.eval_returns
    seeds = returns.shape[1]
    middle = BANDS[band].of(returns.T)
    line = pd.DataFrame({"step": steps, "mean": middle.estimate, "seed": -1, "label": ""})
    line.loc[len(line) - 1, "label"] = _label(series)
    parts = [line]
    if BANDS[band].seed_lines:
        shown = returns[:, :SEED_LINES]
        thin = pd.DataFrame({"step": np.repeat(steps, shown.shape[1]), "mean": shown.ravel()})
        parts.append(thin.assign(seed=np.tile(range(shown.shape[1]), len(steps)), label=""))
    elif seeds > 1:
        line["low"], line["high"] = middle.low, middle.high
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(
        series=series.label, colour=str(series.colour % len(PALETTE)), dashed=series.dashed
    )


@built_once(maxsize=32)
def curves_spec(
    last_step: int,
    lowest: float,
    highest: float,
    threshold: float | None,
    random: tuple[float, int] | None,
    beside: float,
) -> dict[str, Any]:
    """The constant spec; the data are `rows`. `beside` is their `room`, in pixels.

    `random` is the mean return of random actions, and of how many episodes.
    """
    built = _layers(last_step, lowest, highest, threshold, random, beside)
    edge = {"left": 2, "right": 2, "top": 8, "bottom": 2}
    return spec(built.properties(height=APP_HEIGHT, width="container", padding=edge))


def chart(series: Sequence[Series], band: str = "95%") -> alt.LayerChart:
    """The learning curves with their data and colours, as a notebook shows them.

    Raises: ValueError for a band that is not in BANDS, or where the environments differ.
    """
    if band not in BANDS:
        raise ValueError(f"band is {band!r}; it must be one of {', '.join(BANDS)}.")
    if len({one.history.config.env_id for one in series}) > 1:
        raise ValueError("Returns of different environments do not share an axis.")
    env = envs.describe(series[0].history.config.env_id)
    returns = [x for one in series for x in one.history.eval_returns.ravel().tolist()]
    lowest, highest = min([0.0, *returns]), max([env.reward_threshold or 0.0, *returns])
    last = max(one.history.config.total_timesteps for one in series)
    beside = room([_label(one) for one in series])
    drawn = _layers(last, lowest, highest, env.reward_threshold, None, beside, PALETTE)
    evaluation = series[0].history.config.eval_episodes
    note = f"{BANDS[band].meaning}; n counts seeds; an evaluation is {evaluation} episodes"
    built: alt.LayerChart = drawn.properties(
        data=rows(series, band, lowest, highest),
        height=HEIGHT,
        width=WIDTH,
        background="#FFFFFF",
        title=alt.TitleParams("", subtitle=note, anchor="start", subtitleColor="#555555"),
        description=f"Episodic return against environment steps, {note}",
    )
    return built.configure_axis(**WORDS["axis"])


def _layers(
    last_step: int,
    lowest: float,
    highest: float,
    threshold: float | None,
    random: tuple[float, int] | None,
    beside: float,
    palette: Sequence[str] | None = None,
) -> Any:  # a layered chart; Altair's types say more than one
    """All marks. A screen reader hears the points; what only decorates them is hidden from it.

    The labels stand right of the lines, in at most 60% of the chart's width.
    """
    edge = f"width - min({beside:g}, 0.6 * width)"  # where the lines' part ends
    end = alt.ExprRef(edge)
    x = alt.X(
        "step:Q",
        title="environment steps",
        scale=alt.Scale(domain=[0, last_step], range=[0, end], nice=False),
        axis=alt.Axis(format="~s", grid=False, tickCount=6),
    )
    y_scale = alt.Scale(domain=[lowest, highest], nice=False)
    each = ["series:N", "dashed:N"]  # what names a series
    base = alt.Chart().encode(x=x, color=place(palette=palette))
    y = alt.Y("mean:Q", title="episodic return", scale=y_scale)
    dash = alt.StrokeDash(
        "dashed:N", scale=alt.Scale(domain=[False, True], range=[[1, 0], [5, 4]]), legend=None
    )
    tooltip = [
        alt.Tooltip("series:N"),
        alt.Tooltip("step:Q", format=","),
        alt.Tooltip("mean:Q", format=".1f"),
        alt.Tooltip("low:Q", format=".1f"),
        alt.Tooltip("high:Q", format=".1f"),
    ]
    means = base.transform_filter("datum.seed < 0")
    thin = base.transform_filter("datum.seed >= 0").mark_line(
        strokeWidth=0.8, opacity=0.45, aria=False
    )
    band = means.transform_filter("isValid(datum.low)").mark_area(
        opacity=0.16, clip=True, aria=False
    )
    line = means.mark_line(strokeWidth=2.6, clip=True, aria=False)
    spoken = (
        "datum.series + (datum.dashed ? ', kept' : '') + ' at ' + format(datum.step, ',') + "
        "' steps: ' + format(datum.mean, '.1f') + (isValid(datum.low) ? "
        f"{bounds_aloud('.1f')} : '')"
    )
    points = means.transform_calculate(spoken=spoken).mark_point(size=60, opacity=0, clip=True)
    label = base.transform_filter("datum.label")
    leader = label.mark_rule(strokeWidth=1, opacity=0.5, aria=False).encode(
        x=alt.value(end),
        y=y,
        y2="label_y:Q",
        x2=alt.value(alt.ExprRef(f"{edge} + {LABEL_GAP - 4}")),
    )
    written = label.mark_text(
        align="left",
        dx=LABEL_GAP,
        dy=alt.ExprRef(f"indexof(datum.label, '\\n') < 0 ? 0 : {-LINE_HEIGHT / 2}"),
        limit=alt.ExprRef(f"width - ({edge}) - {LABEL_GAP}"),
        lineBreak="\n",
        lineHeight=LINE_HEIGHT,
        fontSize=13,
        fontWeight=600,
        aria=False,  # the points say it
    )
    references = []
    if threshold is not None:
        references.append(_rule(threshold, f"Gymnasium's threshold {threshold:.0f}", end, -7))
    if random is not None:  # below, for lines begin above it
        mean, episodes = random
        references.append(_rule(mean, f"random: {mean:.0f}, n = {episodes:,}", end, 8))
    layers = [
        *references,
        band.encode(y=alt.Y("low:Q", scale=y_scale, title="episodic return"), y2="high:Q",
                    detail=each),
        thin.encode(y=y, detail=["seed:N", *each], strokeDash=dash),
        line.encode(y=y, strokeDash=dash, detail=each),
        points.encode(y=y, tooltip=tooltip, description="spoken:N"),
        leader,
        written.encode(
            x=alt.value(end), y=alt.Y("label_y:Q", scale=y_scale), text="label:N"
        ),
    ]  # fmt: skip
    return alt.layer(*layers)


def _rule(value: float, name: str, end: alt.ExprRef, below: float) -> Any:
    once = alt.Chart().transform_aggregate(rows="count()")  # one mark, not one a row
    at = alt.Y(datum=value)
    rule = once.mark_rule(strokeDash=[2, 3], color="#888888", opacity=0.9, aria=False)
    words = once.mark_text(align="left", dx=4, dy=below, color=FAINT, fontSize=12)
    told = alt.value(f"Reference line: {name}")
    across = rule.encode(y=at, x=alt.value(0), x2=alt.value(end))
    return across + words.encode(y=at, x=alt.value(0), text=alt.value(name), description=told)


def numbers(series: Sequence[Series], band: str) -> pd.DataFrame:
    """What the chart draws, to be read: a row an evaluation, a column a series.

    Each cell holds the line and the band's bounds; single seeds stand as their mean.
    """
    columns = {}
    for one in series:
        middle = BANDS[band].of(one.history.eval_returns.T)
        columns[_label(one) + ", kept" * one.dashed] = pd.Series(
            [
                f"{stats.Interval(mean, low, high, middle.n):.1f}"
                for mean, low, high in zip(middle.estimate, middle.low, middle.high, strict=True)
            ],
            index=one.history.eval_steps,
        )
    return pd.DataFrame(columns).rename_axis("environment steps").reset_index()


def table(series: Sequence[Series], threshold: float | None) -> pd.DataFrame:
    """Final return, area under the curve and seeds at the threshold, each with its interval.

    "Best evaluation" is the highest of many means of few episodes; "solved" is Gymnasium's word
    for a mean of 100 episodes, here of the last policy.
    """
    rows = []
    for one in series:
        history, seeds = one.history, one.history.config.num_seeds
        row: dict[str, Any] = {
            "series": one.label + ", kept" * one.dashed,
            "final return": f"{stats.mean_t_interval(history.final_returns):.1f}",
            "mean return over training": f"{stats.mean_t_interval(history.area_under_curve):.1f}",
        }
        if threshold is not None:
            reached = history.reached(threshold)
            row[f"seeds whose best evaluation is {threshold:.0f} or more"] = _share(reached)
            if one.final is not None:
                solved = one.final.mean(-1) >= threshold
                row[f"solved: last policy, {one.final.shape[1]} episodes"] = _share(solved)
        rows.append(row | {"n": seeds})
    return pd.DataFrame(rows)


def _share(seeds: np.ndarray) -> str:
    """How many of the seeds [S], with Wilson's interval of the share."""
    count = int(seeds.sum())
    share = stats.proportion_interval(count, len(seeds))
    return f"{count} of {len(seeds)} {share.bounds('.0%')}"
