"""The package: what it declares, what it holds, and that importing it changes nothing global."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pgcore

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def lines(name: str) -> set[str]:
    """The requirements of a file, without comments."""
    text = (ROOT / name).read_text().splitlines()
    return {line for line in text if line and not line.startswith(("#", "-r"))}


def test_requirements_are_the_library_s_and_the_app_s():
    extras = PROJECT["optional-dependencies"]
    app = [line for line in extras["app"] if line != "policy-gradient-lab[torch]"]
    assert lines("requirements.txt") == {*PROJECT["dependencies"], *app, *extras["torch"]}
    assert "torch==2.13.0" in extras["torch"]


def test_the_lock_meets_every_requirement_and_names_no_host():
    from packaging.requirements import Requirement

    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?:|file:|--hash|@", text)
    locked = dict(line.split("==") for line in lines("requirements.lock"))
    for line in lines("requirements.txt"):
        wanted = Requirement(line)
        assert wanted.specifier.contains(locked[wanted.name]), line


def test_every_library_that_pgcore_imports_is_declared():
    names = {"PIL": "pillow"}
    found = set()
    for file in (ROOT / "pgcore").rglob("*.py"):
        for line in file.read_text().splitlines():
            if match := re.match(r"\s*(?:import|from) (\w+)", line):
                found.add(match[1])
    foreign = found - set(sys.stdlib_module_names) - {"pgcore", "torch"}
    declared = {re.split("[<>=]", line)[0] for line in PROJECT["dependencies"]}
    assert {names.get(name, name) for name in foreign} <= declared


def test_version_and_licence():
    assert (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1].startswith(pgcore.__version__)
    assert PROJECT["dynamic"] == ["version"]  # said once, in pgcore/__init__.py
    assert "Policy Gradient Lab developers" in (ROOT / "LICENSE").read_text()
    assert (ROOT / "pgcore/py.typed").is_file()


def answer(program: str, **options) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False,
        **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_changes_nothing_global():
    """Every module of the library; what the libraries themselves change comes first."""
    answer(
        "import os, warnings, pkgutil, importlib, logging\n"
        "import altair, gymnasium, numba, numpy, pandas, scipy.stats, torch\n"
        "def state():\n"
        "    return dict(environment=dict(os.environ), theme=altair.theme.active,\n"
        "        renderer=altair.renderers.active, data=altair.data_transformers.active,\n"
        "        threads=torch.get_num_threads(), kind=torch.get_default_dtype(),\n"
        "        errors=numpy.geterr(), random=numpy.random.get_state()[1].sum(),\n"
        "        warnings=list(warnings.filters), logging=logging.root.level,\n"
        "        rows=pandas.get_option('display.max_rows'))\n"
        "before = state()\n"
        "import pgcore\n"
        "for module in pkgutil.walk_packages(pgcore.__path__, 'pgcore.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "changed = {name: now for name, now in state().items() if now != before[name]}\n"
        "assert not changed, changed\n"
    )


def test_modules_are_reached_by_name_and_load_late():
    program = (
        "import sys, pgcore\n"
        "late = {'altair', 'torch', 'pygame', 'pgcore.gradients', 'PIL'}\n"
        "assert not late & set(sys.modules), late & set(sys.modules)\n"
        "assert pgcore.stats.mean_t_interval([1.0, 3.0]).estimate == 2\n"
        "assert pgcore.gradients.examine and pgcore.exact and pgcore.plotting\n"
        "assert {'gradients', 'stats', 'train'} <= set(dir(pgcore))\n"
    )
    answer(program)
    with pytest.raises(AttributeError, match="has no attribute 'gradient'"):
        _ = pgcore.gradient


def test_without_a_folder_to_cache_in_it_still_runs(tmp_path: Path):
    """A read-only install and home: the kernels are compiled in memory. (A file stands where each
    cache's folder would be, which keeps the superuser out too.)"""
    shutil.copytree(ROOT / "pgcore", tmp_path / "pgcore", ignore=no_caches)
    for folder in (tmp_path / "pgcore").rglob("*"):
        if folder.is_dir():
            (folder / "__pycache__").write_text("")
    (tmp_path / "pgcore/__pycache__").write_text("")
    (tmp_path / "home").write_text("")
    home = str(tmp_path / "home")
    program = (
        "import numpy, pgcore.returns as returns\n"
        "rewards, ended = numpy.ones((1, 2)), numpy.zeros((1, 2), bool)\n"
        "print(returns.__file__, returns.monte_carlo(rewards, ended, 0.5).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "HOME": home, "XDG_CACHE_HOME": home, "NUMBA_CACHE_DIR": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'pgcore/returns.py'} [[1.5, 1.0]]\n"
    assert done.stderr.count("The compiled code cannot be kept (") == done.stderr.count("\n") == 1


def no_caches(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]


@pytest.mark.slow
def test_installed_elsewhere_it_trains(tmp_path: Path):
    """A fresh folder of packages beside this environment's, and a console command in it."""
    target = tmp_path / "site"
    install = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([sys.executable, *install, str(target), str(ROOT)], check=True)
    assert (target / "pgcore/py.typed").is_file() and not (target / "ui").exists()
    environment = os.environ | {"PYTHONPATH": str(target)}
    command = [str(target / "bin/pgcore"), "train", "--total-timesteps", "500"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "Actor-critic: episodic return" in done.stdout
