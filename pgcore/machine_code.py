"""Where compiled code is kept: a file for each kernel and signature, in Numba's cache folder.

The folder is NUMBA_CACHE_DIR, else `__pycache__` beside the source, else the user's cache. A file's
name holds a digest of all that the code depends on, so an edit compiles anew just what depends on
it. A file begins with a checksum of its name and content: what is damaged, or another's, is thrown
away and made anew. It appears whole, so that any number of processes may compile at once. Where
nothing can be written, each start compiles in memory, and the log says so once.
"""

from __future__ import annotations

import hashlib
import logging
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
from numba.core import caching, serialize

log = logging.getLogger(__name__)
_complaints: list[str] = []


class Kept:
    """The machine code of one kernel on disk. It stands where Numba has a cache of its own, which
    asks only whether the kernel's own file has changed, and which a damaged file breaks."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @cached_property
    def _numba(self) -> Any:
        """Finds the folder, takes apart what was compiled, puts it together again."""
        find: Any = caching.CompileResultCacheImpl
        try:
            return find(self._function)
        except RuntimeError:
            _complain("no folder can be written")
            return None

    @property
    def cache_path(self) -> str:
        return self._numba.locator.get_cache_path() if self._numba else ""

    @cached_property
    def _name(self) -> str:
        name = f"{self._function.__module__}.{self._function.__qualname__}"
        return f"{name.replace('<', '').replace('>', '')}-{sys.implementation.cache_tag}"

    @cached_property
    def _version(self) -> str:
        return f"{self._name}-{digest(self._function)}"

    def _path(self, signature: Any, codegen: Any) -> Path:
        of_machine = _short(repr((str(signature), codegen.magic_tuple())))
        return Path(self.cache_path, f"{self._version}-{of_machine}.nbc")

    def exists(self) -> bool:
        """Whether there is any file of today's sources."""
        return any(Path(self.cache_path).glob(f"{self._version}-*.nbc")) if self._numba else False

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """What was compiled for this signature; None if it is not there, or damaged."""
        target_context.refresh()
        if self._numba is None:
            return None
        path = self._path(signature, target_context.codegen())
        try:
            content = path.read_bytes()
            check, data = content[:32], content[32:]
            if check != _checksum(path, data):
                raise ValueError("damaged, or another's")
            return self._numba.rebuild(target_context, pickle.loads(data))
        except FileNotFoundError:
            return None
        except Exception:
            log.info("%s is damaged and is made anew.", path)
            _remove(path)
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep what was compiled, and forget what came from other sources."""
        if self._numba is None or not self._numba.check_cachable(compiled):
            return
        path = self._path(signature, compiled.codegen)
        pickled: Any = serialize.dumps
        data = pickled(self._numba.reduce(compiled))
        unfinished = path.with_suffix(f".{uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(_checksum(path, data) + data)
            unfinished.replace(path)
        except OSError as error:
            _complain(str(error))
            _remove(unfinished)
        for old in path.parent.glob(f"{self._name}-*"):
            if not old.name.startswith(f"{self._version}-"):
                _remove(old)


def _checksum(path: Path, data: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + data).digest()


def _complain(why: str) -> None:
    if not _complaints:
        _complaints.append(why)
        log.warning(
            "The compiled code cannot be kept (%s), so each start compiles it again. To keep it, "
            "name a folder that can be written in NUMBA_CACHE_DIR.",
            why,
        )


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
        return (
            f"{digest(function)}, inlined: {'forceinline' in getattr(value, 'targetoptions', ())}"
        )
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
