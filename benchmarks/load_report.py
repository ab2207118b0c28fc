"""docs/load.md from load.json: a table of the scenarios, and the curve of those who come and go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("load.json")
DOCUMENT = Path(__file__).parents[1] / "docs" / "load.md"

OPENING = """\
# Many viewers at once

`python -m benchmarks.load` measures this, and writes this page from
[load.json](../benchmarks/load.json). Each scenario has a fresh server on loopback; the last two
have two server processes behind nginx, which gives each viewer to one of them. The viewers are
websocket sessions that speak Streamlit's own messages, with the widgets' states, the address and
the fragments' timers of a browser ([viewer.py](../benchmarks/viewer.py)). Each opens Train, waits
until its picture stands, and then moves the discount factor every 10 seconds. With own changes,
nobody has been where it moves to: each change trains three algorithms with ten seeds each. With a
common change, all move to the same value at the same moment.

*Script*: seconds from the click until the page's script has run. *Picture*: seconds from the click
until the curves of the new settings stand. p50 and p95 are percentiles over all clicks, n.
*Refused* are clicks that got the sentence of a full queue. *Lost* are clicks whose connection
ended, that showed an exception, or whose picture did not stand within 60 seconds.

Viewers and server share the machine. *Load* is its load average before and after: above the number
of cores, somebody else worked too, and the times are longer than those of a quiet machine. *Cores*
is the processor time of all server processes, and of all viewers together, for each second.
"""


LEARNED = """
## What the measurements changed

All on two cores that had other work, too.

- A rerun of Train took 23.7 ms of processor time and takes 16.7 ms (`python -m benchmarks.rerun`,
  medians of five rounds of 60). What is folded is built once it is opened, and the settings' figure
  is built and checked once for all viewers.
- 100 viewers with own changes, whose runs waited: each built the same chart spec, and the scripts
  took 32 s, at a load of 19. Now one viewer builds it and the others wait: 2.6 s, at a load of 24.
- 100 viewers with one common change: p95 7.5 s before, at a load of 23; 3.7 s at a load of 8 and
  5.2 s at a load of 16 after. The loads differ, so the gain is not known from these. The scripts
  alone cost 100 times 16.7 ms, and one process runs them on one core. Several processes share the
  work ([deploy.md](deploy.md)).
- The soak's memory, from the third of ten minutes on: 467 to 481 MB, and a line through it rises
  by 0.9 MB a minute (plus or minus 0.7, two standard errors, 29 readings). Seven minutes with 64 MB
  for results: 407 to 423 MB, 0.2 plus or minus 1.4 (19 readings). A slow growth is not ruled out.
  Known is Streamlit's own: its caches keep a lock for each key that they ever had, some 300 a
  minute here.
- Runs and films that wait are asked for once in 0.15 s, and once a second when a hundred wait.
- A short run takes Python's lock hundreds of times, and waits for each page that runs. Once several
  viewers wait for runs, a second process trains them. It takes 0.65 s to start and 75 MB of its
  own. 100 viewers with own changes: p95 0.80 s before, 0.27 and 0.38 s after, within four minutes
  and with little other work (n = 300 each).
- Measurements have a lower priority than pages (nice 10). Ten viewers beside somebody who measures
  one policy after the other, at a load of 5: p50 0.53 s before, 0.31 and 0.32 s after; without the
  neighbour 0.16 s. The rest is Python's lock: scipy's eigenvalues hold it for 20 ms at a time.
"""


def document(found: dict[str, Any]) -> str:
    """The page in Markdown."""
    parts = [OPENING]
    if machine := found.get("machine"):
        parts.append(f"\nMachine: {machine['processor']}, {machine['cores']} cores.\n")
    if scenarios := found.get("scenarios"):
        parts.append(_scenarios(scenarios))
    if soak := found.get("soak"):
        parts.append(_soak(soak))
    return "".join([*parts, LEARNED])


def _scenarios(scenarios: dict[str, Any]) -> str:
    lines = [
        "",
        "| scenario | n | script p50 | script p95 | picture p50 | picture p95 | refused | lost "
        "| load | cores: server, viewers |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in scenarios.items():
        before, after = row["load_average"]
        lines.append(
            f"| {name} | {_figures(row)} | {before} to {after} "
            f"| {row['server_cores']}, {row['viewers_cores']} |"
        )
        if "without" in row:
            lines.append(f"| the same ten just before | {_figures(row['without'])} | | |")
    return "\n".join([*lines, ""])


def _figures(row: dict[str, Any]) -> str:
    times = ("script_p50", "script_p95", "picture_p50", "picture_p95")
    words = [f"{row[key]:.2f}" if row[key] is not None else "none" for key in times]
    return " | ".join([str(row["n"]), *words, str(row["refused"]), str(row["lost"])])


def _soak(soak: dict[str, Any]) -> str:
    curve = soak["curve"]
    lines = [
        "",
        "## Viewers who come and go",
        "",
        f"Fifty at once for {curve[-1]['minute']:.1f} minutes. Each stays for one to six changes, "
        "10 seconds apart. Then another takes its place. The last columns are those of the clicks "
        "since the row before.",
        "",
        "Memory grows with the results, some 1.1 MB for each change here, until they take "
        f"`PGLAB_MEMORY` together: {soak['results_megabytes']:,} MB here. Streamlit keeps the "
        "session of a viewer who has left, with three open files, for `disconnectedSessionTTL`, "
        "five minutes, and 128 of them at most.",
        "",
        "| minute | memory, MB | threads | open files | n | picture p50 | picture p95 | refused "
        "| lost | load |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in curve:
        times = [
            f"{row[key]:.2f}" if row[key] is not None else "none"
            for key in ("picture_p50", "picture_p95")
        ]
        cells = [row["minute"], row["megabytes"], row["threads"], row["files"], row["n"], *times]
        cells += [row["refused"], row["lost"], row["load_average"]]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])
