"""The command line, from Config's fields: `python -m pgcore train --algorithm batch_mean`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.train import stream


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.  -> exit status"""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (ValueError, OSError) as error:
        print(f"pgcore: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\npgcore: stopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pgcore", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    train = commands.add_parser("train", help="train agents and print their evaluations")
    train.set_defaults(run=_train)
    train.add_argument("--lab", action="store_true", help="start from the lab notebook's settings")
    train.add_argument("--csv", type=Path, help="write every evaluation to this file")
    train.add_argument("--threads", type=int, help="how many; the result is the same for any")
    for spec in fields(Config):
        flag = "--" + spec.name.replace("_", "-")
        text = f"{spec.metadata['help']} (default {spec.default})".replace("%", "%%")
        train.add_argument(flag, help=text, metavar=type(spec.default).__name__)
    algorithms = commands.add_parser("algorithms", help="list the estimators")
    algorithms.set_defaults(run=_algorithms)
    return parser


def _train(options: argparse.Namespace) -> int:
    given = {
        spec.name: value
        for spec in fields(Config)
        if (value := getattr(options, spec.name)) is not None
    }
    base = Config.lab() if options.lab else Config()
    config = Config.from_strings(base.to_strings() | given)
    if options.csv and not options.csv.parent.is_dir():
        raise ValueError(f"the folder {str(options.csv.parent)!r} for --csv does not exist.")
    started = time.perf_counter()
    for history in stream(config, options.threads):
        _show_progress(len(history.eval_steps) / len(config.eval_steps), started)
    print(file=sys.stderr)
    if options.csv:
        options.csv.write_text(history.to_csv())
    final = stats.mean_t_interval(history.final_returns) if config.num_seeds > 1 else None
    name = ALGORITHMS[config.algorithm].name
    spread = f" [{float(final.low):.1f}, {float(final.high):.1f}]" if final else ""
    print(
        f"{name}: episodic return {history.final_returns.mean():.1f}{spread} after "
        f"{history.eval_steps[-1]:,} steps, n = {config.num_seeds} seeds"
    )
    return 0


def _show_progress(done: float, started: float) -> None:
    elapsed = time.perf_counter() - started
    bar = "#" * round(30 * done)
    left = elapsed / done - elapsed
    print(f"\r[{bar:<30}] {done:4.0%}  {left:5.1f} s left", end="", file=sys.stderr, flush=True)


def _algorithms(options: argparse.Namespace) -> int:
    for key, algorithm in ALGORITHMS.items():
        print(
            f"{key:<16} {(algorithm.weight.__doc__ or '').splitlines()[0]}  ({algorithm.reference})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
