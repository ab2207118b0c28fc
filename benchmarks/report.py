"""results.json as a page of tables (RESULTS.md) and a plot (speed.svg)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import pandas as pd

from pgcore.stats import Interval

NAMES = {
    "notebook": "Lab notebook's loop",
    "sb3": "Stable-Baselines3 A2C",
    "torch": "This project, torch",
    "jax": "JAX, jit + vmap",
    "jax_cores": "JAX, one device a core",
    "compiled": "This project, compiled",
}
COLOURS = ("#666666", "#a6761d", "#66a61e", "#7570b3", "#e7298a", "#d95f02")
Row = dict[str, Any]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all but the first column to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def seconds(value: float) -> str:
    """Three figures, or two above a thousand."""
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"


def _verdict(reached: bool) -> str:
    return "reached" if reached else "**not reached**"


def speed_table(rows: list[Row]) -> str:
    """Programs down, seeds across; the final return of the largest size that was measured."""
    sizes = sorted({row["seeds"] for row in rows})
    lines = []
    for program, name in NAMES.items():
        own = {row["seeds"]: row for row in rows if row["program"] == program}
        if own:
            cells = [_time(own[n]) if n in own else "" for n in sizes]
            lines.append([name, *cells, _final_return(list(own.values()))])
    return table(
        ["Program", *[f"{n:,} seed{'s' * (n > 1)}" for n in sizes], "Final return, 95% interval"],
        lines,
    )


def _time(row: Row) -> str:
    taken = row["seconds"]
    if row["extrapolated_from"]:
        return f"*{seconds(taken['median'])}* (x{row['seeds'] / row['extrapolated_from']:g})"
    if taken["repeats"] == 1:
        return seconds(taken["median"])
    return f"{seconds(taken['median'])} ({taken['min']:.3g} to {taken['max']:.3g})"


def _final_return(rows: list[Row]) -> str:
    score = max((row["final_return"] for row in rows), key=lambda score: score["n"])
    if score["low"] is None:
        return f"{score['mean']:.0f}, n = {score['n']}"
    half = (score["high"] - score["low"]) / 2
    return f"{score['mean']:.0f} ± {half:.0f}, n = {score['n']:,}"


def ratio_table(ratios: list[Row]) -> str:
    lines = [
        [
            f"{NAMES[r['ours']]}, {r['seeds']:,} seeds, against {NAMES[r['against']]}"
            + (" *(extrapolated)*" if r["extrapolated"] else ""),
            f"{r['as_run']:,.3g}" if r["as_run"] < 100 else f"{r['as_run']:,.0f}",
            f"{r['lowest']:,.3g} to {r['highest']:,.3g}"
            if r["highest"] < 100
            else f"{r['lowest']:,.0f} to {r['highest']:,.0f}",
            f"{r['same_steps']:,.3g}" if r["same_steps"] < 100 else f"{r['same_steps']:,.0f}",
            f"{r['aim']:,}",
            _verdict(r["same_steps"] >= r["aim"]),
        ]
        for r in ratios
    ]
    head = "Times faster", "As run", "Slowest to fastest", "Per step of equal work", "Aim", ""
    return table(head, lines)


def markdown(results: Row) -> str:
    """The whole page, from whatever parts were measured."""
    machine = results["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    parts = [
        "# Benchmark results",
        "Written by `python -m benchmarks`; do not edit.",
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python "
        f"{machine['python']}; {packages}. Load when it began: {machine['load_before']}.",
    ]
    for part, write in SECTIONS.items():
        if part in results:
            parts.append(write(results[part]))
    return "\n\n".join(parts) + "\n"


def _speed(part: Row) -> str:
    cold = ", ".join(
        f"{NAMES[row['program']]} {seconds(row['first_call'])}"
        for row in part["rows"]
        if row["seeds"] == 10 and row["first_call"]
    )
    return "\n\n".join(
        [
            "## Speed",
            "The lab's actor-critic: 10,000 steps a seed, batches of 32, 20 evaluations of 5 "
            "episodes. Median (fastest to slowest) of the rounds, JAX and Numba warm; times in "
            "italics are extrapolated in proportion from seeds trained one after the other.",
            speed_table(part["rows"]),
            ratio_table(part["ratios"]),
            "A longer episode is more work, so the last ratio divides times by environment steps, "
            "training and evaluation together. The first call at 10 seeds, compilation included "
            f"where there is any: {cold}.",
        ]
    )


def _start(part: Row) -> str:
    lines = [
        [name, seconds(row["import"]), seconds(row["ten_seeds"])] for name, row in part.items()
    ]
    return "## First start\n\n" + table(["Fresh process", "Import", "The lab's 10 seeds"], lines)


def _scaling(part: dict[str, list[Row]]) -> str:
    lines = [
        [
            name.replace("_", " ") if i == 0 else "",
            f"{row['value']:,}",
            seconds(row["seconds"]["median"]),
            f"{row['nanoseconds_per_step']:.0f} ns",
        ]
        for name, rows in part.items()
        for i, row in enumerate(rows)
    ]
    head = "Varied", "Value", "Time", "Per step, training and evaluation"
    return (
        "## How time grows\n\nThe compiled learner on the lab's actor-critic, 100 seeds "
        "(threads: 1,000).\n\n" + table(head, lines)
    )


def _roofline(part: Row) -> str:
    bound, profile = part["bound_seconds"], part["profile"]
    names = {
        "operations": "floating-point operations",
        "sin_and_cos": "pairs of sin and cos",
        "exp": "exponentials",
        "root_and_division": "roots with division",
    }
    needed = [
        [name, f"{part['needed'][key]:.3g}", f"{part['best_per_second'][key]:.3g}",
         seconds(bound[key])]
        for key, name in names.items()
    ]  # fmt: skip
    spent = [
        [name, seconds(value), f"{value / profile['total']:.0%}"]
        for name, value in profile.items()
        if name != "total"
    ]
    return "\n\n".join(
        [
            "## Roofline",
            f"{part['num_seeds']:,} seeds, {part['steps']:,.0f} environment steps.",
            table(["Needed", "Count", "Best a second, all cores", "Bound"], needed),
            f"Bound {seconds(bound['sum'])}, taken {seconds(part['seconds']['median'])}: "
            f"{part['ratio']:.1f} times the bound (aim: 4, {_verdict(part['ratio'] <= 4)}). "
            "Where the time goes, on one thread:",
            table(["Part", "Time", "Share"], spent),
        ]
    )


def _conduct(part: Row) -> str:
    memory, cancel = part["memory_megabytes"], part["cancel_milliseconds"]
    lines = [
        ["Peak memory, 1,000 seeds, fresh process", f"{memory['compiled']:.0f} MB", "500 MB",
         _verdict(memory["compiled"] < 500)],
        ["of which after `import pgcore`", f"{memory['import']:.0f} MB", "", ""],
        ["JAX's peak for the same", f"{memory['jax_cores']:.0f} MB", "", ""],
        [f"Cancel to threads ended, slowest of {cancel['repeats']}", f"{cancel['max']:.0f} ms",
         "200 ms", _verdict(cancel["max"] < 200)],
        ["Cancel, median", f"{cancel['median']:.0f} ms", "", ""],
        *(
            [f"Slowdown beside busy processes ({row['busy_processes']}), 1,000 seeds",
             f"{row['slowdown']:.2f}", f"fair share: {row['fair_slowdown']:.2f}",
             _verdict(row["times_fair"] <= 1)]
            for row in part["beside_busy"]
        ),
    ]  # fmt: skip
    return "## Conduct\n\n" + table(["What", "Measured", "Aim", ""], lines)


def _agreement(part: dict[str, Any]) -> str:
    lines = [
        [
            f"{row['agent']}, {row['score']}" + " (control)" * (row["ours"] != row["agent"]),
            _interval(row["notebook_mean"], row["notebook_mean"]["n"]),
            _interval(row["our_mean"], row["our_mean"]["n"]),
            _interval(row["difference"]),
            f"{row['smallest_visible']:.0f}",
        ]
        for row in part["rows"]
    ]
    head = "Agent", "Notebook's loop", "`Config.lab()`", "Difference", "Would have shown"
    last = max(row["step"] for row in part["curves"])
    ends: dict[str, dict[str, str]] = {}
    for row in part["curves"]:
        if row["step"] == last:
            interval = {"estimate": row["mean"], "low": row["low"], "high": row["high"]}
            ends.setdefault(row["agent"], {})[row["set"]] = _interval(interval, row["n"])
    sets = list(next(iter(ends.values())))
    return (
        "## Agreement with the lab notebook\n\n"
        f"The notebook's own loop, run on {part['date']}. Means and differences with 95% t "
        "intervals (Welch's for differences). The last column is the least difference that these "
        "numbers of seeds show with a probability of 80%. `batch_mean` is task 2 as written, whose "
        "critic is never trained; `batch_mean_with_critic` is the mended variant. Control: task 2 "
        "as written against the mended variant, which must not agree.\n\n"
        + table(head, lines)
        + "\nThe ends of the curves below, final returns with 95% t intervals:\n\n"
        + table(["Agent", *sets], [[agent, *found.values()] for agent, found in ends.items()])
        + "\n![Curves of the three agents: the notebook's loop, pgcore as written, pgcore "
        "corrected](agreement.svg)\n"
    )


def _interval(interval: Row, n: int | None = None) -> str:
    text = f"{Interval(interval['estimate'], interval['low'], interval['high'], n):.1f}"
    return text if n is None else f"{text}, n = {n}"


SECTIONS: dict[str, Callable[[Any], str]] = {
    "speed": _speed,
    "start": _start,
    "scaling": _scaling,
    "roofline": _roofline,
    "conduct": _conduct,
    "agreement": _agreement,
}


def speed_chart(rows: list[Row]) -> alt.LayerChart:
    """Seconds against seeds, both logarithmic; hollow points are extrapolated."""
    frame = pd.DataFrame(
        {
            "program": NAMES[row["program"]],
            "seeds": row["seeds"],
            "seconds": row["seconds"]["median"],
            "low": row["seconds"]["min"],
            "high": row["seconds"]["max"],
            "measured": row["extrapolated_from"] is None,
        }
        for row in rows
    )
    colour = alt.Color("program:N", legend=None).scale(
        domain=list(NAMES.values()), range=list(COLOURS)
    )
    seeds = alt.X("seeds:Q", title="Seeds").scale(type="log")
    taken = alt.Y("seconds:Q", title="Seconds").scale(type="log")
    base = alt.Chart(frame).encode(
        x=seeds.axis(values=[1, 10, 100, 1000], format=",d", grid=False),
        y=taken.axis(format="~g", tickCount=6),
        color=colour,
    )
    names = base.mark_text(align="left", dx=10, fontSize=12).encode(text="program:N")
    layers = (
        base.mark_line(),
        base.mark_rule().encode(y="low:Q", y2="high:Q"),
        base.transform_filter("datum.measured").mark_point(filled=True, size=60, opacity=1),
        base.transform_filter("!datum.measured").mark_point(size=60, fill="white", opacity=1),
        names.properties(data=_labels(frame)),
    )
    return (
        alt.layer(*layers)
        .properties(
            width=440,
            height=340,
            background="white",
            title=alt.Title(
                "The lab's actor-critic, 10,000 steps a seed",
                subtitle="Median; lines span fastest to slowest. Hollow: extrapolated.",
                anchor="start",
            ),
        )
        .configure_view(stroke=None)
    )


def _labels(frame: pd.DataFrame) -> pd.DataFrame:
    """The last point of each program, moved apart where names would overlap."""
    last = frame.sort_values("seeds").groupby("program").tail(1).sort_values("seconds")
    factor = (frame["seconds"].max() / frame["seconds"].min()) ** 0.055
    heights = last["seconds"].tolist()
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] * factor)
    return last.assign(seconds=heights)
