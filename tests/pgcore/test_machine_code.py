"""Where compiled code is kept: what an edit compiles anew, and what no fault can break."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pgcore import compilation, machine_code

ROOT = Path(__file__).parents[2]
SOURCE = """
from pgcore.compilation import inlined, kernel, part

SCALE = 2.0


@inlined
def scaled(x):
    return SCALE * x


@part
def moved(x):
    return scaled(x) + 1


@kernel
def first(x):
    return moved(x)


@kernel
def second(x):
    return x - 1
"""
PROGRAM = """
import tiny
values = tiny.first(3.0), tiny.second(3.0)
print((values, [sum(kernel.stats.cache_hits.values()) for kernel in (tiny.first, tiny.second)]))
"""
# The operating system refuses what is longer than 1,000 bytes.
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
LOADED, COMPILED = ((7.0, 2.0), [1, 1]), ((7.0, 2.0), [0, 0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small kernels, and room for what is compiled."""
    (tmp_path / "tiny.py").write_text(SOURCE)
    return tmp_path


def begun(folder: Path, before: str = "", **environment: str) -> subprocess.Popen[str]:
    known = os.environ | {
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "NUMBA_CACHE_DIR": str(folder / "kept"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-c", before + PROGRAM], env=known | environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[Any, str]:
    """What it computed with how many hits, and what it said."""
    out, said = process.communicate()
    assert process.returncode == 0, said
    return ast.literal_eval(out), said


def start(folder: Path, before: str = "", **environment: str) -> tuple[Any, str]:
    return ended(begun(folder, before, **environment))


def files(folder: Path, name: str = "*") -> list[Path]:
    return sorted(path for path in (folder / "kept").rglob(f"tiny.{name}-*"))


def test_the_first_start_compiles_and_the_next_one_loads(folder: Path) -> None:
    assert start(folder) == (COMPILED, "")
    assert [path.suffix for path in files(folder)] == [".nbc", ".nbc"]  # of kernels, not of parts
    assert start(folder) == (LOADED, "")


@pytest.mark.parametrize(
    ("old", "new", "value", "hits"),
    [
        ("SCALE = 2.0", "SCALE = 3.0", 10.0, [0, 1]),  # a constant of a part of a part
        ("SCALE * x", "SCALE * x + 1", 8.0, [0, 1]),
        ("moved(x)\n", "moved(x) + 1\n", 8.0, [0, 1]),
        ("@inlined", "@part", 7.0, [0, 1]),
        ("SCALE = 2.0", "# moved down\n\nSCALE = 2.0", 7.0, [1, 1]),
    ],
)
def test_an_edit_compiles_what_depends_on_it(
    folder: Path, old: str, new: str, value: float, hits: list[int]
) -> None:
    start(folder)
    before = files(folder)
    assert old in SOURCE
    (folder / "tiny.py").write_text(SOURCE.replace(old, new))
    assert start(folder) == (((value, 2.0), hits), "")
    after = files(folder)
    assert len(after) == 2  # what the old source gave has gone
    assert [a == b for a, b in zip(after, before, strict=True)] == [bool(hit) for hit in hits]


def a_flipped_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:40],
        a_flipped_bit,
        lambda content: b"\x80\x04\x8c\x060.61.0\x94." + content,
    ],
    ids=["empty", "truncated", "its head alone", "a flipped bit", "of another program"],
)
def test_a_damaged_file_is_thrown_away_and_made_anew(
    folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    start(folder)
    (file,) = files(folder, "first")
    file.write_bytes(damage(file.read_bytes()))
    assert start(folder) == (((7.0, 2.0), [0, 1]), "")
    assert start(folder) == (LOADED, "")


def test_a_damaged_file_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    kept = machine_code.Kept(machine_code._short)
    path = tmp_path / f"{kept._version}-machine.nbc"
    assert not kept.exists()
    path.write_bytes(machine_code._checksum(path, b"code") + b"code")
    assert kept.exists()
    path.write_bytes(path.read_bytes()[:-1])
    assert not kept.exists()


def test_another_kernel_s_code_is_not_run(folder: Path) -> None:
    start(folder)
    (first,), (second,) = files(folder, "first"), files(folder, "second")
    first.write_bytes(second.read_bytes())
    assert start(folder) == (((7.0, 2.0), [0, 1]), "")


def test_a_folder_that_cannot_be_written_is_told_once(folder: Path) -> None:
    """A file stands where the folder would be, which keeps the superuser out too."""
    (folder / "kept").write_text("")
    found, said = start(folder)
    assert found == COMPILED
    assert said.count("The compiled code cannot be kept (") == said.count("\n") == 1


def test_a_full_disk_is_told_once_and_nothing_is_left_on_it(folder: Path) -> None:
    found, said = start(folder, FULL)
    assert found == COMPILED
    assert said.count("The compiled code cannot be kept (") == said.count("\n") == 1
    assert files(folder) == []
    assert start(folder) == (COMPILED, "")  # and is compiled again when there is room


def test_what_is_kept_is_loaded_where_nothing_can_be_written(folder: Path) -> None:
    start(folder)
    assert start(folder, FULL) == (LOADED, "")


def test_starts_at_once_do_not_disturb_each_other(folder: Path) -> None:
    for found, said in [ended(one) for one in [begun(folder) for _ in range(3)]]:
        values, _ = found  # one may load what another has compiled by then
        assert (values, said) == ((7.0, 2.0), "")
    assert [path.suffix for path in files(folder)] == [".nbc", ".nbc"]
    assert start(folder) == (LOADED, "")


def test_a_module_of_ours_is_not_followed_and_so_is_refused() -> None:
    def function(x):
        return machine_code.digest(x)

    with pytest.raises(TypeError, match=r"from pgcore\.machine_code by its name"):
        machine_code.digest(function)


def test_every_process_finds_the_same_names() -> None:
    program = (
        "from pgcore import episodes, gradients, runs\n"
        "from pgcore.compilation import KERNELS\n"
        "from pgcore.machine_code import digest\n"
        "print(*(f'{k.__module__}.{k.__qualname__} {digest(k.py_func)}' for k in KERNELS))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed}, cwd=ROOT,
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    (answer,) = answers
    named = dict(re.findall(r"(\S+) (\w{12})\b", answer))
    assert len(named) == len(set(named.values())) > 15
    assert "pgcore.learners.compiled._collect" in named


def test_is_kept_asks_for_every_kernel_of_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __init__(self, module: str, there: bool) -> None:
            self.__module__, self._cache, self.there = module, self, there

        def exists(self) -> bool:
            return self.there

    monkeypatch.setattr(
        compilation, "KERNELS", [Fake("a", True), Fake("a", False), Fake("b", True)]
    )
    assert compilation.is_kept("b")
    assert not compilation.is_kept("a")
    assert not compilation.is_kept("a", "b")


def test_python_cannot_call_a_part():
    """Numba alone would end the process."""
    doubled = compilation.part(lambda x: 2 * x)
    with pytest.raises(TypeError, match="called by kernels alone"):
        doubled(1.0)
