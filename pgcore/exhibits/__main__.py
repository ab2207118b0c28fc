"""Measure the exhibits and write results.json: `python -m pgcore.exhibits`.

    python -m pgcore.exhibits                  every exhibit, anew
    python -m pgcore.exhibits broadcast done   these alone; the others stay as they are

Two runs of the same code write the same numbers; the date is that of the run.
"""

from __future__ import annotations

import argparse
import datetime
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from pgcore.exhibits import EXHIBITS, results
from pgcore.exhibits.results import Measured


def _measure(key: str) -> tuple[str, Measured, float]:
    """One exhibit, in a process of its own.  -> key, measurement, seconds"""
    started = time.perf_counter()
    measured = results.measure(EXHIBITS[key])
    return key, measured, time.perf_counter() - started


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m pgcore.exhibits", description=__doc__)
    parser.add_argument("exhibits", nargs="*", help="keys; all of them if none is given")
    keys = parser.parse_args(arguments).exhibits or list(EXHIBITS)
    unknown = [key for key in keys if key not in EXHIBITS]
    if unknown:
        parser.error(f"{unknown[0]!r} is no exhibit; there are {', '.join(EXHIBITS)}")
    found = dict(results.load().exhibits) if results.KEPT.exists() else {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for key, measured, seconds in pool.map(_measure, keys):
            kind, how, _ = measured.verdict
            print(f"{key:20} {kind:12} {how:18} {seconds:6.1f} s", flush=True)
            found[key] = measured
            ordered = {key: found[key] for key in EXHIBITS if key in found}
            results.write(ordered, str(datetime.date.today()))


if __name__ == "__main__":
    main()
