"""Who may import whom. Files that are not there yet are held to it as soon as they are."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = (  # from the ground up; a unit imports from its own floor and those below
    {"pgcore.machine_code", "pgcore.compilation", "pgcore.control", "pgcore.limits"}
    | {"pgcore.seeding"},
    {"pgcore.batch", "pgcore.returns", "pgcore.networks", "pgcore.losses"}
    | {"pgcore.stats", "pgcore.formula", "pgcore.exact", "pgcore.lecture"},
    {"pgcore.envs", "pgcore.algorithms"},
    {"pgcore.config", "pgcore.plotting"},  # plotting takes histories, and does not make them
    {"pgcore.rollout", "pgcore.history"},
    {"pgcore.evaluation"},
    {"pgcore.learners"},
    {"pgcore.train", "pgcore.gradients", "pgcore.episodes", "pgcore.render", "pgcore.exhibits"}
    | {"pgcore.comparison"},
    {"pgcore.exercises"},
    {"pgcore.jobs", "pgcore.worker", "pgcore.warmup", "pgcore.runs", "pgcore.sweep"},
    {"pgcore.classroom"},
    {"pgcore", "pgcore.__main__"},  # the facade and the command line
    {"ui"},
    {"pages"},
    {"app"},
)
FLOOR = {unit: number for number, units in enumerate(FLOORS) for unit in units}
OURS = {"pgcore", "ui", "pages", "app"}
FORBIDDEN = {  # libraries that a unit does without, everything below it included
    "pgcore": {"streamlit", "playwright"},
    "pgcore.exact": {"numba", "torch", "gymnasium", "pandas", "altair"},
    "pgcore.plotting": {"torch", "numba", "gymnasium", "scipy"},
    "charts": {"streamlit"},  # the files of a lesson that draw, and that say results in words
    "ui": {"torch", "numba", "gymnasium", "scipy"},
    "pages": {"numpy", "torch", "numba", "altair", "pandas", "scipy", "gymnasium"},
    "app": {"numpy", "torch", "numba", "altair", "pandas", "scipy", "gymnasium"},
}


def modules(root: Path) -> dict[str, Path]:
    """Every module of the house: dotted name -> file."""
    files = [root / "app.py"] + [f for unit in OURS for f in sorted((root / unit).rglob("*.py"))]
    names = {}
    for file in filter(Path.exists, files):
        parts = file.relative_to(root).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return names


def statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements wherever they stand, but for those that only the type checker sees."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from statements(child)


def imports(root: Path) -> dict[str, set[str]]:
    """What each module imports: our own by full name, libraries by their first."""
    known = modules(root)
    found: dict[str, set[str]] = {}
    for name, file in known.items():
        found[name] = set()
        for statement in statements(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(statement, ast.Import):
                names = [alias.name for alias in statement.names]
            else:
                assert not statement.level, f"{name} has a relative import"
                package = statement.module or ""
                inside = [f"{package}.{alias.name}" for alias in statement.names]
                names = [full if full in known else package for full in inside]
            found[name] |= {n if n.split(".")[0] in OURS else n.split(".")[0] for n in names}
    return found


def unit(module: str) -> str:
    """The part of the house that a module belongs to: pgcore's own parts, ui, pages, app."""
    return ".".join(module.split(".")[: 2 if module.startswith("pgcore.") else 1])


def parts(module: str) -> tuple[str, str, str]:
    """The parts of the house whose rules bind a module."""
    kind = "charts" if module.endswith(("charts", "words")) else ""
    return unit(module), module.split(".")[0], kind


def offences(graph: Mapping[str, set[str]]) -> list[str]:
    """Every breach of the rules above, in words."""
    found = []
    for module, imported in sorted(graph.items()):
        if unit(module) not in FLOOR:
            found.append(f"{module} stands on no floor; give it one in FLOORS")
            continue
        for target in sorted(imported):
            if target.split(".")[0] in OURS:
                if FLOOR.get(unit(target), -1) > FLOOR[unit(module)]:
                    found.append(f"{module} reaches up to {target}")
            elif any(target in FORBIDDEN.get(part, ()) for part in parts(module)):
                found.append(f"{module} does without {target}")
    try:
        TopologicalSorter({m: i & set(graph) - {m} for m, i in graph.items()}).prepare()
    except CycleError as error:
        found.append(f"a circle: {' -> '.join(error.args[1])}")
    return found


def test_the_house_stands() -> None:
    graph = imports(ROOT)
    assert len(graph) > 20
    assert offences(graph) == []


@pytest.mark.parametrize(
    ("file", "text", "offence"),
    [
        ("pgcore/returns.py", "from pgcore import train", "reaches up to pgcore.train"),
        ("pgcore/config.py", "def f():\n    import pgcore.learners.compiled", "reaches up to"),
        ("pgcore/jobs.py", "from pgcore import Config", "reaches up to pgcore"),
        ("pgcore/train.py", "from ui import controls", "reaches up to ui"),
        ("ui/live.py", "import pages.train", "reaches up to pages.train"),
        ("pgcore/sweep.py", "import streamlit.testing", "does without streamlit"),
        ("pages/new.py", "from numpy import array", "does without numpy"),
        ("pgcore/plotting/new.py", "import torch", "does without torch"),
        ("ui/cloud/charts.py", "import streamlit", "does without streamlit"),
        ("ui/cloud/words.py", "import streamlit", "does without streamlit"),
        ("pgcore/envs/gym.py", "import pgcore.envs.cartpole", "a circle"),
        ("pgcore/utils.py", "", "stands on no floor"),
    ],
)
def test_a_breach_is_seen(tmp_path: Path, file: str, text: str, offence: str) -> None:
    def write(name: str, source: str) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)

    for name in ("pgcore/train.py", "pgcore/learners/compiled.py", "ui/controls.py"):
        write(name, "")
    write("pgcore/envs/cartpole.py", "import pgcore.envs.gym")
    assert offences(imports(tmp_path)) == []
    write(file, text)
    (found,) = offences(imports(tmp_path))
    assert offence in found


def test_types_alone_may_look_up(tmp_path: Path) -> None:
    for name in ("algorithms", "config"):
        (tmp_path / "pgcore").mkdir(exist_ok=True)
        (tmp_path / f"pgcore/{name}.py").write_text("import pgcore.algorithms")
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pgcore import config"
    (tmp_path / "pgcore/algorithms.py").write_text(text)
    assert offences(imports(tmp_path)) == []


def test_importing_pgcore_is_light() -> None:
    """Neither torch (seconds) nor Streamlit, and a compiled run needs neither."""
    program = (
        "import sys, pgcore, pgcore.__main__\n"
        "pgcore.train(pgcore.Config(num_seeds=1, total_timesteps=64, eval_interval=64))\n"
        "print({'torch', 'streamlit'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"
