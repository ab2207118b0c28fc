"""The command line, from Config's fields: `pgcore train --algorithm batch_mean`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import NoReturn

from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.gradients import summary
from pgcore.train import stream


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.  -> exit status"""
    try:
        options = _parser().parse_args(arguments)
        status: int = options.run(options)
        sys.stdout.flush()  # so that a closed pipe shows here
        return status
    except BrokenPipeError:  # `pgcore algorithms | head -1`: the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 0
    except (ValueError, OSError) as error:
        print(f"pgcore: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\npgcore: stopped.", file=sys.stderr)
        return 130


def command() -> None:
    """The console command `pgcore`."""
    sys.exit(main())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help.")  # one sentence, no usage text


MEASURED = {  # the columns of `pgcore gradients`, and what each means
    "tr_sigma": "variance of one update, summed over the parameters",
    "ratio": "tr_sigma as a multiple of plain policy gradient's",
    "snr": "squared length of the mean update / tr_sigma",
    "right_way": "share of the updates within 90 degrees of the true gradient",
    "bias_along": "mean update less the true gradient, along it, in its lengths: -0.3 is 30% short",
}


EXIT_CODES = (
    "Exit code: 0 if every task of every file passed; 1 if one failed or could not be checked; "
    "3 if none failed and one is not written yet; 2 for a wrong command."
)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pgcore", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    train = commands.add_parser("train", help="train agents and print their evaluations")
    train.set_defaults(run=_train)
    train.add_argument("--csv", type=Path, help="write every evaluation to this file")
    train.add_argument("--threads", type=int, help="how many; the result is the same for any")
    _add_settings(train)
    gradients = commands.add_parser("gradients", help="measure gradient variance at one policy")
    gradients.set_defaults(run=_gradients)
    gradients.add_argument("--checkpoint", type=int, default=-1, help="0 is before training")
    gradients.add_argument("--seed-index", type=int, default=0, help="which of the seeds")
    gradients.add_argument("--windows", type=int, default=4000, help="batches to measure")
    gradients.add_argument("--json", action="store_true", help="everything, for another program")
    _add_settings(gradients)
    algorithms = commands.add_parser("algorithms", help="list the estimators")
    algorithms.set_defaults(run=_algorithms)
    exercises = commands.add_parser("exercises", help="tasks to write yourself")
    steps = exercises.add_subparsers(required=True, metavar="new")
    new = steps.add_parser("new", help="write the file tasks.py, never over an existing one")
    new.set_defaults(run=_new)
    new.add_argument("folder", nargs="?", type=Path, default=Path(), help="where (default: here)")
    check = commands.add_parser("check", help="check your exercises", epilog=EXIT_CODES)
    check.set_defaults(run=_check)
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="several give a table")
    check.add_argument("--json", action="store_true", help="everything, for another program")
    check.add_argument("--quick", action="store_true", help="without the seeds at the end")
    check.add_argument("--watch", action="store_true", help="again at each change; quick")
    check.add_argument("--hint", nargs="+", metavar=("TASK", "1-3"), help="a hint for one task")
    return parser


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--lab", action="store_true", help="start from the lab's settings")
    for spec in fields(Config):
        choices = ALGORITHMS if spec.name == "algorithm" else spec.metadata["choices"] or ()
        allowed = f": {', '.join(choices)}" if choices else ""
        flag = "--" + spec.name.replace("_", "-")
        text = f"{spec.metadata['help']}{allowed} (default {spec.default})".replace("%", "%%")
        command.add_argument(flag, help=text, metavar=type(spec.default).__name__)


def _config(options: argparse.Namespace) -> Config:
    given = {
        spec.name: value
        for spec in fields(Config)
        if (value := getattr(options, spec.name)) is not None
    }
    of = {"algorithm": given["algorithm"]} if "algorithm" in given else {}
    base = Config.lab(**of) if options.lab else Config()  # the lab's critic depends on the agent
    return Config.from_strings(base.to_strings() | given)


def _train(options: argparse.Namespace) -> int:
    config = _config(options)
    if options.csv and not options.csv.parent.is_dir():
        raise ValueError(f"the folder {str(options.csv.parent)!r} for --csv does not exist.")
    started = time.perf_counter()
    for history in stream(config, options.threads):
        _show_progress(len(history.eval_steps) / len(config.eval_steps), started)
    print(file=sys.stderr)
    if options.csv:
        options.csv.write_text(history.to_csv())
    name = ALGORITHMS[config.algorithm].name
    print(
        f"{name}: episodic return "
        f"{stats.mean_t_interval(history.final_returns):.1f} after "
        f"{history.eval_steps[-1]:,} steps, n = {config.num_seeds} seeds"
    )
    return 0


def _gradients(options: argparse.Namespace) -> int:
    started = time.perf_counter()
    found = summary(
        _config(options),
        options.checkpoint,
        options.seed_index,
        options.windows,
        progress=lambda done: _show_progress(done, started),
    )
    print(file=sys.stderr)
    if options.json:
        print(json.dumps(found, indent=2, allow_nan=False))
        return 0

    def interval(named: Mapping[str, float | None]) -> stats.Interval:
        estimate, low, high = (float("nan") if x is None else x for x in named.values())
        return stats.Interval(estimate, low, high, found["num_windows"])

    print(f"{'':<17}" + "".join(f"{name:>32}" for name in MEASURED))
    for key, measured in found["estimators"].items():
        print(
            f"{key:<17}" + "".join(f"{f'{interval(measured[name]):.3g}':>32}" for name in MEASURED)
        )
    print(
        f"b* = {interval(found['parabola']['vertex']):.3g}; {found['num_windows']:,} batches of "
        f"{found['batch_size']} steps, seed {found['seed']} after {found['steps']:,} steps, "
        "95% intervals"
    )
    for name, meaning in MEASURED.items():
        print(f"  {name:<12}{meaning}")
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


def _new(options: argparse.Namespace) -> int:
    from pgcore import exercises

    target = exercises.new(options.folder)
    print(f"Wrote {target}. Open it in an editor, write task 1, and run:")
    print(f"python -m pgcore check {target}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from pgcore import exercises

    if options.hint:
        print(_hint(*options.hint))
        return 0
    if not options.files:
        raise ValueError("name a file to check; see pgcore check --help.")
    if options.watch:
        if len(options.files) > 1 or options.json:
            raise ValueError("--watch takes one file, and no --json.")
        for verdicts in exercises.watch(options.files[0]):
            print(time.strftime("\n--- %H:%M:%S"))
            print("\n".join(map(exercises.text, verdicts)), flush=True)
    show = not options.json and len(options.files) == 1
    if show:
        print(exercises.containment(), flush=True)
        if not options.quick:
            print("Each agent whose numbers are right then trains for some ten seconds.")
            print("--quick leaves this out.")
    found = {
        str(file): exercises.check(
            file,
            not options.quick,
            tell=lambda verdict: print(exercises.text(verdict), flush=True) if show else None,
        )
        for file in options.files
    }
    if options.json:
        answer = [
            {"file": file, "verdicts": [asdict(verdict) for verdict in verdicts]}
            for file, verdicts in found.items()
        ]
        print(json.dumps(answer, indent=2))
    elif not show:
        print(exercises.table(found))
    said = {verdict.status for verdicts in found.values() for verdict in verdicts}
    return 1 if said & {"failed", "stopped"} else 3 if "unwritten" in said else 0


def _hint(key: str, step: str = "1", *rest: str) -> str:
    from pgcore.exercises import TASKS

    if key not in TASKS:
        raise ValueError(f"there is no task {key!r}; the tasks are {', '.join(TASKS)}.")
    if rest or step not in ("1", "2", "3"):
        raise ValueError("a hint has the number 1, 2 or 3.")
    return f"Hint {step} of 3. {TASKS[key].hints[int(step) - 1]}"


if __name__ == "__main__":
    command()
