"""Do the tests notice? Small changes to pgcore, one at a time, against the module's own tests.

`python -m tests.mutation` draws 150 mutants with a fixed seed, runs the tests of the mutated
module in a copy of the project, prints each mutant with its fate, and fails below 95% killed. A
mutant is killed when a test fails, or when the tests do not end. It takes an hour or two on a core;
`--first` and `--count` run a part of the same draw. `--only` draws from the modules named alone, as
in `python -m tests.mutation --only exhibits gradients/reward_shift --of 30`.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
AIM, PATIENCE = 0.95, 900  # share killed; seconds for the tests of one mutant
SURVIVED = "SURVIVED"
TESTS = {  # by module, or by file of one: the tests that are its own, the quickest first
    "algorithms": "algorithms",
    "batch": "algorithms",
    "comparison": "comparison",
    "config": "config",
    "control": "jobs",
    "envs": "envs rollout",
    "episodes": "episodes",
    "evaluation": "evaluation",
    "exact": "exact_bandit exact_toypole exact_library words_exact charts_exact",
    "exercises": "exercises_mistakes exercises",
    "exhibits": "exhibits words_museum",
    "formula": "formula",
    "gradients": "findings judgement hindsight charts_exact gradients",
    "gradients/bootstrapping": "bootstrapping",
    "gradients/reward_shift": "reward_shift",
    "gradients/whole_episodes": "whole_episodes",
    "history": "history",
    "jobs": "jobs",
    "learners": "learners train",
    "losses": "losses learners",
    "networks": "networks learners",
    "render": "render",
    "returns": "returns algorithms",
    "rollout": "rollout learners",
    "runs": "runs",
    "seeding": "seeding",
    "stats": "stats",
    "train": "train",
    "worker": "jobs",
}
COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
NAMES = {"min": "max", "max": "min", "argmin": "argmax", "argmax": "argmin", "any": "all"}


class Mutant(NamedTuple):
    """One change."""

    file: Path  # below ROOT
    line: int
    before: str
    after: str
    source: str  # of the whole changed file


def changed(node: ast.AST) -> ast.AST | None:
    """The node with one small change, or None where there is nothing to change."""
    new = copy.deepcopy(node)
    match new:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            new.ops = [COMPARISONS[type(op)]()]
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            new.op = ARITHMETIC[type(op)]()
        case ast.BoolOp():
            new.op = ast.Or() if isinstance(new.op, ast.And) else ast.And()
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            return new.operand
        case ast.Constant(value=bool(value)):
            new.value = not value
        case ast.Constant(value=int(value)):
            new.value = value + 1
        case ast.Name() if new.id in NAMES:
            new.id = NAMES[new.id]
        case ast.Attribute() if new.attr in NAMES:
            new.attr = NAMES[new.attr]
        case _:
            return None
    return new


def mutants_of(file: Path) -> Iterator[Mutant]:
    """Every mutant of one file: changes inside functions, annotations left alone."""
    source = (ROOT / file).read_text()
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for parent in (node for statement in function.body for node in ast.walk(statement)):
            for name, value in ast.iter_fields(parent):
                if name in ("annotation", "returns"):
                    continue
                places = enumerate(value) if isinstance(value, list) else [(None, value)]
                for index, child in places:
                    new = changed(child) if isinstance(child, ast.expr) else None
                    if new is None:
                        continue
                    _put(parent, name, index, new)
                    text = ast.unparse(ast.fix_missing_locations(tree))
                    _put(parent, name, index, child)
                    yield Mutant(file, child.lineno, ast.unparse(child), ast.unparse(new), text)


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def drawn(count: int, seed: int, only: Collection[str] = ()) -> list[Mutant]:
    """`count` mutants of all of pgcore that has tests in TESTS, or of the modules in `only`; each
    module by its size. All there are, if they are fewer."""
    files = [file.relative_to(ROOT) for file in sorted((ROOT / "pgcore").rglob("*.py"))]
    every = [
        mutant
        for file in files
        if module_of(file) in (only or TESTS)
        for mutant in {(m.line, m.after): m for m in mutants_of(file)}.values()
    ]
    return random.Random(seed).sample(every, min(count, len(every)))


def module_of(file: Path) -> str:
    """The key of TESTS that a file belongs to, its own if it has one: stats, gradients, ..."""
    whole = "/".join(file.parts[1:]).removesuffix(".py")
    return whole if whole in TESTS else file.parts[1].removesuffix(".py")


def fate(mutant: Mutant, project: Path) -> str:
    """Whether the tests of its module fail, do not end, or pass, in a copy of the project."""
    target = project / mutant.file
    original = target.read_bytes()
    times = target.stat()
    names = TESTS[module_of(mutant.file)].split()
    tests = [str(path) for name in names for path in (project / "tests").rglob(f"test_{name}.py")]
    target.write_text(mutant.source)
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        ran = subprocess.run(command, cwd=project, capture_output=True, timeout=PATIENCE)
        return "killed" if ran.returncode else SURVIVED
    except subprocess.TimeoutExpired:
        return "no end"  # counted as killed; on a busy machine look again
    finally:
        target.write_bytes(original)
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))  # the cache goes by it


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutate pgcore and ask the tests.")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--first", type=int, default=0, help="of the same draw, where to begin")
    parser.add_argument("--of", type=int, default=150, help="mutants in the draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=(), choices=TESTS, metavar="MODULE")
    options = parser.parse_args()
    every = drawn(options.of, options.seed, options.only)
    chosen = every[options.first : options.first + options.count]
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "lab"
        ignored = shutil.ignore_patterns(".git", ".venv*", ".hypothesis", "browser")
        shutil.copytree(ROOT, project, ignore=ignored)
        for number, mutant in enumerate(chosen, start=options.first):
            met = fate(mutant, project)
            survivors += [mutant] * (met == SURVIVED)
            where = f"{mutant.file}:{mutant.line}"
            print(f"{number:>3} {met:<8} {where}: {mutant.before} -> {mutant.after}", flush=True)
    share = 1 - len(survivors) / len(chosen)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants killed: {share:.0%}")
    return int(share < AIM)


if __name__ == "__main__":
    sys.exit(main())
