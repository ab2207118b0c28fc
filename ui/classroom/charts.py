"""What the projector draws of a class: codes, votes, curves that gather, rows that conclude.

All of it is larger than elsewhere in the lab, for it is read from the last row. The picture's `alt`
tells it in full. Free of Streamlit.
"""

from __future__ import annotations

import textwrap
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import segno

from pgcore import stats
from pgcore.classroom import BINS, Asked, Poll
from pgcore.history import History
from pgcore.plotting.theme import GROUND, built_once, colour, silent, spec
from pgcore.stats import Interval
from ui.classroom.words import Study
from ui.shell.axis import GREEN

BLUE, GREY, RED = "#4C8FCB", "#909090", "#C8324A"
SURE = {True: "sure", False: "guessing"}
ROUNDS = ("at first", "then")
LETTER, TICK = 18, 16  # pixels
LINE, LINES = 30, 3  # characters of an option's line, and its lines
ROW, BARS, GAP = 22, 34, 12  # pixels: of a line, of an option's bars below it, and behind them
ROUND = 80  # pixels of a round's histogram
LEGEND, AXIS = 60, 40  # pixels that they take of a chart's height
HALO: tuple[dict[str, Any], ...] = ({"stroke": GROUND, "strokeWidth": 6}, {})  # behind a word
CONCLUSIONS = {"helps": BLUE, "undecided": GREY, "hurts": RED}
STRIP = 0.35  # of the curves' width: where the final returns pile up
PLACES = 30  # of a final return in the strip
ONE_BY_ONE, FRAMES = 10, 40  # agents that come alone; states of the whole gathering, at most


def qr(address: str) -> str:
    """A QR code as a picture's address; black on white, with the quiet edge that cameras need."""
    code = segno.make(address, error="m", micro=False)
    return code.svg_data_uri(scale=8, border=3, dark="#000", light="#fff")


def _large(chart: Any, height: int) -> dict[str, Any]:
    chart = chart.properties(height=height, width="container").configure_view(stroke=None)
    chart = chart.configure_axis(labelFontSize=TICK, titleFontSize=LETTER, titleFontWeight=500)
    chart = chart.configure_legend(labelFontSize=LETTER, titleFontSize=LETTER)
    return silent(spec(chart))


# --- votes: bars and words, placed here; the spec only draws them ---


def vote_rows(poll: Poll) -> pd.DataFrame:
    """What was said in each round, and after the reveal what was measured.

    A row is a bar's part (`kind` "vote", or "right" for a measured option), a word, or the measured
    interval and its middle ("range", "truth"). Options stand below one another, each with a bar a
    round; numbers stand in BINS bins of their axis, one histogram a round.
    """
    place = _options if poll.asked.options else _numbers
    columns = ["kind", "x", "x2", "y", "y2", "how", "text", "votes"]
    return pd.DataFrame(place(poll), columns=columns)


def _tally(poll: Poll) -> np.ndarray:
    """Votes by round, sure before guessing, and option or bin.  [rounds, 2, places]"""
    tally = [
        [[bar.sure for bar in bars], [bar.votes - bar.sure for bar in bars]]
        for bars in map(poll.histogram, range(len(poll.rounds)))
    ]
    return np.array(tally, int).reshape(len(poll.rounds), 2, len(poll.asked.options) or BINS)


def _wrapped(option: str) -> list[str]:
    return textwrap.wrap(option, LINE, max_lines=LINES, placeholder=" …")


def _tops(asked: Asked) -> list[int]:
    """Where each option begins, in pixels from the top; last, where all of them end."""
    heights = [ROW * len(_wrapped(f"✓ {option}")) + BARS + GAP for option in asked.options]
    return [sum(heights[:place]) for place in range(len(heights) + 1)]


def _options(poll: Poll) -> list[tuple]:
    tally, tops = _tally(poll), _tops(poll.asked)
    most, several = max(tally.sum(1).max(initial=0), 1), len(tally) > 1
    thick = BARS / max(len(tally), 1)
    rows: list[tuple] = []
    for place, option in enumerate(poll.asked.options):
        kind = "right" if poll.truth is not None and poll.truth.option == place else "vote"
        text = "\n".join(_wrapped(f"✓ {option}" if kind == "right" else option))
        rows.append((f"{kind} name", 0, 0, -tops[place], 0, "sure", text, 0))
        for turn, votes in enumerate(tally[:, :, place]):
            top, end = -(tops[place + 1] - BARS - GAP + turn * thick), 0.0
            for how, count in zip(SURE.values(), votes, strict=True):
                start, end = end, end + count / most
                rows.append((kind, start, end, top, top - thick + 2, how, "", count))
            text = f"{votes.sum()} {ROUNDS[min(turn, 1)] if several else ''}".strip()
            rows.append(("count", end, 0, top - thick / 2 + 1, 0, "sure", text, 0))
    return rows


def _numbers(poll: Poll) -> list[tuple]:
    tally, asked = _tally(poll), poll.asked
    most, several = max(tally.sum(1).max(initial=0), 1), len(tally) > 1
    edges = np.linspace(asked.low, asked.high, BINS + 1)
    rows: list[tuple] = []
    for turn, by_sure in enumerate(tally[::-1]):  # the first round on top
        floor = turn * 1.3
        if several:
            name = ROUNDS[len(tally) - 1 - turn]
            rows.append(("round", asked.low, 0, floor + 1.1, 0, "sure", name, 0))
        for low, high, *votes in zip(edges[:-1], edges[1:], *by_sure, strict=True):
            end = floor
            for how, count in zip(SURE.values(), votes, strict=True):
                start, end = end, end + count / most
                rows.append(("vote", low, high, start, end, how, "", count))
            if sum(votes):
                middle = (low + high) / 2
                rows.append(("total", middle, 0, end, 0, "sure", f"{sum(votes)}", 0))
    if poll.truth is not None:
        truth, top = poll.truth, len(tally) * 1.3 + 0.1
        found = Interval(truth.estimate, truth.low, truth.high, 0)
        text = f"{truth.estimate:.3g}{asked.unit} {found.bounds('.3g')}"
        rows.append(("range", truth.low, truth.high, 0, top, "guessing", "", 0))
        rows.append(("truth", truth.estimate, truth.estimate, 0, top, "sure", text, 0))
    return rows


@built_once(maxsize=64)
def vote_spec(asked: Asked, rounds: int) -> dict[str, Any]:
    """The constant spec of `vote_rows`."""
    if asked.options:
        x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, 1.5]))  # with room for "30 at first"
        bottom, top, height = -float(_tops(asked)[-1]), 0.0, _tops(asked)[-1] + LEGEND
    else:
        scale = alt.Scale(domain=[asked.low, asked.high])
        unit = f"datum.label + '{asked.unit}'"
        axis = alt.Axis(grid=False, tickCount=5, labelExpr=unit, domain=True)
        x = alt.X("x:Q", title=None, axis=axis, scale=scale)
        bottom, top = 0.0, max(rounds, 1) * 1.3 + 0.3
        height = 30 + ROUND * max(rounds, 1) + LEGEND + AXIS
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[bottom, top], nice=False))
    legend = alt.Legend(title=None, orient="top", symbolType="square", symbolFillColor=BLUE)
    how = alt.Opacity(
        "how:N", legend=legend, scale=alt.Scale(domain=list(SURE.values()), range=[1, 0.45])
    )
    base = alt.Chart().encode(x=x, y=y)

    def only(*kinds: str) -> alt.Chart:
        return base.transform_filter(alt.FieldOneOfPredicate("kind", list(kinds)))

    def write(*kinds: str, **style: Any) -> alt.Chart:
        look: dict[str, Any] = {"fontSize": LETTER, "align": "left", "lineBreak": "\n"} | style
        return only(*kinds).mark_text(**look).encode(text="text:N")

    ink = alt.ExprRef("luminance(background) > 0.5 ? '#14161C' : '#FAFAFA'")
    bar = {"x2": "x2:Q", "y2": "y2:Q"}
    layers = [
        only("range").mark_rect(color=GREEN, opacity=0.25).encode(**bar),
        only("vote").mark_rect(color=BLUE).encode(opacity=how, **bar),
        only("right").mark_rect(color=GREEN).encode(opacity=how, **bar),
        only("truth").mark_rule(color=GREEN, strokeWidth=4).encode(y2="y2:Q"),
        write("vote name", baseline="top", color=ink, lineHeight=ROW - 2),
        write("right name", baseline="top", color=GREEN, fontWeight=700, lineHeight=ROW - 2),
        write("count", dx=8, color=ink, fontWeight=600),
        write("round", baseline="top", color=ink),
        write("total", align="center", dy=-12, color=ink, fontWeight=600),
    ]
    if not asked.options:  # the measured number, above its line and inside the chart
        right = f"datum.x > {(asked.low + asked.high) / 2}"
        place: dict[str, Any] = {
            "align": alt.ExprRef(f"{right} ? 'right' : 'left'"),
            "dx": alt.ExprRef(f"{right} ? -8 : 8"),
        }
        text = only("truth").encode(text="text:N", y="y2:Q")
        for halo in HALO:
            layers.append(
                text.mark_text(fontSize=LETTER, fontWeight=700, color=GREEN, **place, **halo)
            )
    return _large(alt.layer(*layers), height)


# --- everybody is a seed: the curves gather into the distribution ---


def gathering(agents: int) -> list[int]:
    """How many agents are there in each state of the gathering: some alone, then ever more."""
    alone = list(range(1, min(agents, ONE_BY_ONE) + 1))
    if agents <= ONE_BY_ONE:
        return alone
    more = np.geomspace(ONE_BY_ONE, agents, FRAMES - ONE_BY_ONE + 1)[1:]
    return list(dict.fromkeys([*alone, *map(int, more.round())]))


def curve_rows(history: History) -> pd.DataFrame:
    """Every agent's curve, in the order of arrival, and the dot in which it ends.

    `agent` counts from 0; `kind` is "curve", or "end" for the dot, whose `step` piles it up beside
    those that ended as it did before. Behind each curve stands a row without a value: a gap.
    """
    steps, returns = history.eval_steps, history.eval_returns  # [K], [K, S]
    agents = returns.shape[1]
    curves = pd.DataFrame({
        "agent": np.repeat(np.arange(agents), len(steps) + 1),
        "step": np.tile(np.append(steps, steps[-1]).astype(float), agents),
        "value": np.vstack([returns, np.full(agents, np.nan)]).T.ravel(),
        "kind": "curve",
    })  # fmt: skip
    final = history.final_returns
    width = max(final.max() - final.min(), 1.0) / PLACES
    bins = np.floor((final - final.min()) / width)
    pile = pd.Series(bins).groupby(bins).cumcount().to_numpy()
    apart = min(0.02, STRIP * 0.9 / (pile.max() + 1))
    at = steps[-1] * (1.04 + apart * pile)
    ends = pd.DataFrame({"agent": np.arange(agents), "step": at, "value": final, "kind": "end"})
    return pd.concat([curves, ends], ignore_index=True).assign(algorithm=history.config.algorithm)


def gathered_rows(rows: pd.DataFrame, agents: int, mean: bool) -> pd.DataFrame:
    """The first agents of `curve_rows`; with the mean of how they ended, and its interval."""
    shown = rows[rows["agent"] < agents]
    if not mean:
        return shown
    ends = shown[shown["kind"] == "end"]
    found = stats.mean_t_interval(ends["value"].to_numpy())
    line = {"kind": "mean", "value": found.estimate, "low": found.low, "high": found.high}
    line |= {"algorithm": ends["algorithm"].iloc[0], "text": f"mean {found.estimate:.0f}"}
    return pd.concat([shown, pd.DataFrame([line])], ignore_index=True)


@built_once(maxsize=16)
def curve_spec(last_step: int, agents: int, low: float, high: float, height: int) -> dict[str, Any]:
    """The constant spec of `gathered_rows`."""
    right = last_step * (1 + STRIP)
    ticks = [0, last_step // 2, last_step]
    axis = alt.Axis(format=",d", grid=False, values=ticks, titleAnchor="start")
    x = alt.X("step:Q", title="environment steps", axis=axis,
              scale=alt.Scale(domain=[0, right], nice=False))  # fmt: skip
    y = alt.Y("value:Q", title="episodic return", axis=alt.Axis(tickCount=5),
              scale=alt.Scale(domain=[low, high], nice=False))  # fmt: skip
    base = alt.Chart().encode(y=y)
    own = base.encode(color=colour(legend=None), x=x)
    mean = base.transform_filter("datum.kind == 'mean'")
    edge: Any = alt.value("width")
    pale = float(np.clip(12 / agents, 0.08, 0.8))
    layers = [
        own.transform_filter("datum.kind == 'curve'")
        .mark_line(strokeWidth=1.6, opacity=pale, order=None).encode(detail="agent:N"),
        own.transform_filter("datum.kind == 'end'").mark_point(filled=True, size=55, opacity=0.8),
        mean.transform_filter("isValid(datum.low)").mark_rect(color=GREEN, opacity=0.3)
        .encode(y=alt.Y("low:Q", title=None), y2="high:Q", x=alt.XDatum(last_step * 1.02), x2=edge),
        mean.mark_rule(color=GREEN, strokeWidth=3)
        .encode(x=alt.XDatum(last_step * 1.02), x2=edge),
        *(mean.mark_text(align="right", baseline="bottom", dx=-4, dy=-3, fontSize=LETTER,
                         fontWeight=700, color=GREEN, **halo).encode(x=edge, text="text:N")
          for halo in HALO),
    ]  # fmt: skip
    built = _large(alt.layer(*layers), height)
    built["usermeta"] = {"embedOptions": {"renderer": "canvas"}}  # hundreds of lines
    return built


# --- what the rows of the auditorium would have concluded ---


def study_rows(study: Study) -> pd.DataFrame:
    """A line for each row of neighbours, and one for the whole class (`place` 0)."""
    everybody = study.everybody
    lines = [(0, everybody.estimate, everybody.low, everybody.high, study.conclusion)]
    lines += [
        (row.place, row.difference.estimate, row.difference.low, row.difference.high,
         row.conclusion)
        for row in study.rows
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=["place", "difference", "low", "high", "conclusion"])


@built_once(maxsize=64)
def study_spec(n: int, rows: int, limit: float, height: int) -> dict[str, Any]:
    """The constant spec of `study_rows`: the class as a band behind the rows.

    Args:
        limit: of the axis of differences, to both sides; longer intervals are cut off.
    """
    scale = alt.Scale(domain=[-limit, limit], nice=False)
    axis = alt.Axis(tickCount=3, grid=False)
    down = alt.Scale(domain=[rows + 0.6, 0.4], nice=False)
    counted = alt.Axis(grid=False, tickMinStep=1, tickCount=min(rows, 6), format="d")
    y = alt.Y("place:Q", title=f"row of {n}", scale=down, axis=counted)
    hue = alt.Color(
        "conclusion:N", legend=None,
        scale=alt.Scale(domain=list(CONCLUSIONS), range=list(CONCLUSIONS.values())),
    )  # fmt: skip
    everybody = alt.Chart().transform_filter("datum.place == 0")
    row = alt.Chart().transform_filter("datum.place > 0").encode(y=y, color=hue)
    thick = float(np.clip(height / rows / 3, 1.5, 5)) if rows else 3.0
    ends: Any = {"x": alt.X("low:Q", title=None, scale=scale, axis=axis), "x2": "high:Q"}
    layers = [
        everybody.mark_rect(color=GREEN, opacity=0.3, clip=True)
        .encode(**ends, y=alt.value(0), y2=alt.value("height")),
        alt.Chart().transform_aggregate(rows="count()")
        .mark_rule(strokeDash=[5, 4], color=GREY).encode(x=alt.XDatum(0)),
        row.mark_rule(strokeWidth=thick, clip=True).encode(**ends),
        row.mark_point(filled=True, size=12 * thick + 20, opacity=1, clip=True)
        .encode(x=alt.X("difference:Q", scale=scale)),
    ]  # fmt: skip
    return _large(alt.layer(*layers), height)
