"""Where compiled code is kept: a file for each kernel and signature.

The folder is NUMBA_CACHE_DIR if that is set; else `__pycache__` here, or the user's cache if that
cannot be written. A file's name holds a digest of all that the code depends on, so an edit compiles
anew just what depends on it. A file begins with a checksum of its name and content: what is
damaged, or another's, is thrown away and made anew. It appears whole, so that any number of
processes may compile at once. Where nothing can be written, code is still loaded if it is there;
what is missing is compiled in memory at each start, and the log says so once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any
from uuid import uuid4

import numba
from numba.core import compiler, serialize
from numba.misc.appdirs import AppDirs

log = logging.getLogger(__name__)
_complaints: list[str] = []


def folders() -> list[Path]:
    """Where code may lie, the first choice first."""
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(named)]
    known: Any = AppDirs
    of_user = Path(known("pgcore", appauthor=False).user_cache_dir)
    beside = Path(__file__).parent / "__pycache__"
    return [beside, of_user] if of_user.is_absolute() else [beside]  # not so without a home


class Kept:
    """The machine code of one kernel on disk. It stands where Numba has a cache of its own, which
    asks only whether the kernel's own file has changed, and which a damaged file breaks."""

    cache_path = None  # Numba's own statistics name it

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function: Any = function

    @cached_property
    def _name(self) -> str:
        """Of the kernel in this place, for this Python."""
        code, module = self._function.__code__, self._function.__module__
        name = f"{module}.{self._function.__qualname__}".replace("<", "").replace(">", "")
        return f"{name}-{sys.implementation.cache_tag}-{_short(code.co_filename)}"

    @cached_property
    def _version(self) -> str:
        return f"{self._name}-{digest(self._function)}"

    def _file(self, signature: Any, codegen: Any) -> str:
        return f"{self._version}-{_short(repr((str(signature), codegen.magic_tuple())))}.nbc"

    def exists(self) -> bool:
        """Whether there is a whole file of today's sources."""
        for folder in folders():
            for path in folder.glob(f"{self._version}-*.nbc"):
                with suppress(OSError, ValueError):
                    return bool(_read(path))
        return False

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """What was compiled for this signature; None if it is not there, or damaged."""
        target_context.refresh()
        rebuild: Any = compiler.CompileResult._rebuild
        for folder in folders():
            path = folder / self._file(signature, target_context.codegen())
            try:
                parts = pickle.loads(_read(path))
                return rebuild(target_context, *parts)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except Exception as error:
                log.info("%s is made anew: %s", path, error)
                _remove(path)
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep what was compiled, and forget what came from other sources."""
        if compiled.library.has_dynamic_globals:  # addresses, which mean nothing to others
            return
        why = "no folder is known"
        for folder in folders():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                _write(folder / self._file(signature, compiled.codegen), compiled)
            except OSError as error:
                why = str(error)
                continue
            for old in folder.glob(f"{self._name}-*"):
                if not old.name.startswith(f"{self._version}-"):
                    _remove(old)
            return
        if not _complaints:
            _complaints.append(why)
            log.warning(
                "The compiled code cannot be kept (%s), so each start compiles it again. To keep "
                "it, name a folder that can be written in NUMBA_CACHE_DIR.",
                why,
            )


def _write(path: Path, compiled: Any) -> None:
    pickled: Any = serialize.dumps
    data = pickled(compiled._reduce())
    unfinished = path.with_suffix(f".{uuid4().hex}")
    try:
        unfinished.write_bytes(_checksum(path, data) + data)
        unfinished.replace(path)
    except OSError:
        _remove(unfinished)
        raise


def _read(path: Path) -> bytes:
    content = path.read_bytes()
    check, data = content[:32], content[32:]
    if check != _checksum(path, data):
        raise ValueError("it is damaged, or another's")
    return data


def _checksum(path: Path, data: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + data).digest()


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def digest(function: Any) -> str:
    """Of a function's code and all that it names: constants, functions, parts and kernels.

    Raises: TypeError if it names a module of ours, whose contents are not followed.
    """
    codes = list(_codes(function.__code__))
    names = {name for code in codes for name in code.co_names} & set(function.__globals__)
    named = [(name, _text(function.__globals__[name])) for name in sorted(names)]
    return _short(repr([HOW, [_instructions(code) for code in codes], named]))


def _text(value: Any) -> str:
    function = getattr(value, "py_func", value)
    if isinstance(function, FunctionType):
        return f"{digest(function)} {sorted(getattr(value, 'targetoptions', ()))}"
    if isinstance(value, ModuleType) and value.__name__.startswith("pgcore"):
        raise TypeError(f"A kernel must import what it takes from {value.__name__} by its name.")
    return repr(value)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _instructions(code: CodeType) -> tuple[Any, ...]:
    constants = [c for c in code.co_consts if not isinstance(c, CodeType)]
    return code.co_code, constants, code.co_names, code.co_varnames


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


HOW = numba.__version__, _short(Path(__file__).with_name("compilation.py").read_text("utf-8"))
