"""`python -m benchmarks`: everything in one run. `--rehearse` for small sizes, or name the parts.

Writes results.json, RESULTS.md and speed.svg beside this file, and prints the tables. A rehearsal
and a run of some parts only print, so that what is kept was measured in one run.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import agreement, conduct, machine, report, roofline, scaling, speed

HERE = Path(__file__).parent
AIMS = (  # whose, against whom, seeds, times faster
    ("torch", "notebook", 10, 40),
    ("compiled", "notebook", 10, 2000),
    ("compiled", "jax", 10, 3),
    ("compiled", "jax", 1000, 6),
    ("compiled", "jax_cores", 10, 3),
    ("compiled", "jax_cores", 1000, 6),
)


def measure_speed(rehearse: bool) -> dict[str, Any]:
    sizes = speed.SIZES[:2] if rehearse else speed.SIZES
    rows = speed.race(rounds=1 if rehearse else 5, sizes=sizes)
    ratios = [
        speed.ratio(rows, other, seeds, ours) | {"aim": aim}
        for ours, other, seeds, aim in AIMS
        if seeds in sizes
    ]
    return {"rows": rows, "ratios": ratios}


def measure_conduct(rehearse: bool) -> dict[str, Any]:
    return {
        "memory_megabytes": conduct.memory(),
        "beside_busy": conduct.beside_busy(1 if rehearse else 3),
        "cancel_milliseconds": conduct.cancellation(3 if rehearse else 20),
    }


PARTS: dict[str, Callable[[bool], Any]] = {
    "speed": measure_speed,
    "start": lambda rehearse: conduct.first_start(),
    "scaling": lambda rehearse: scaling.sweep(1 if rehearse else 2),
    "roofline": lambda rehearse: roofline.measure(1 if rehearse else 5),
    "conduct": measure_conduct,
    "agreement": lambda rehearse: agreement.compare(),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rehearse", action="store_true", help="small and quick, keeps nothing")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")

    results: dict[str, Any] = {"machine": machine.describe()}
    for part in arguments.parts or PARTS:
        started = time.perf_counter()
        results[part] = PARTS[part](arguments.rehearse)
        print(f"{part}: {time.perf_counter() - started:.0f} s", flush=True)
    text = report.markdown(results)
    print(text)
    if not arguments.parts and not arguments.rehearse:
        (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        (HERE / "RESULTS.md").write_text(text)
        report.speed_chart(results["speed"]["rows"]).save(HERE / "speed.svg")
        agreement.chart(results["agreement"]["curves"]).save(HERE / "agreement.svg")


if __name__ == "__main__":
    main()
