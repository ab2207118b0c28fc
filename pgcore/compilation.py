"""How the hot loops are compiled: without the GIL, cached on disk, no `parallel=True`.

Threads come from sharding the seeds (train.py). Numba's own parallel loops meet at barriers,
which collapse as soon as another process wants a core.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba import njit

PACKAGE = Path(__file__).parent

# ReLU becomes SIMD code only when NaN need not be ordered; sums may be reassociated into lanes.
# Infinities keep their meaning, and a given binary gives the same bits on every call.
FAST = {"nnan", "nsz", "reassoc", "contract", "arcp", "afn"}


def _digest_of_kernels() -> str:
    sources = [path.read_bytes() for path in sorted(PACKAGE.rglob("*.py"))]
    kernels = [source for source in sources if b"pgcore.compilation" in source]
    return hashlib.sha256(b"".join([Path(__file__).read_bytes(), *kernels])).hexdigest()[:8]


def _forget_other_versions() -> None:
    for path in PACKAGE.rglob("__pycache__/*.nb?"):
        if VERSION not in path.name:
            with suppress(OSError):
                path.unlink()


# Numba's cache asks whether a function's own file has changed, and not those of what it calls.
VERSION = _digest_of_kernels()
_forget_other_versions()


KERNELS: list[Any] = []  # every compiled function


def used() -> bool:
    """Whether any kernel has been compiled, or loaded from the cache, by now."""
    return any(kernel.signatures for kernel in KERNELS)


def found_in_cache() -> bool:
    """Whether any kernel came from the cache on disk."""
    return any(kernel.stats.cache_hits for kernel in KERNELS)


def kernel(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compile `function` with Numba; falls back to memory where no cache folder is writable.

    Nothing asks whether a divisor is 0, which would keep a loop from SIMD code: callers see to it.
    """
    function.__qualname__ += f"_{VERSION}"  # of which Numba makes the name in its cache
    options |= dict(nogil=True, fastmath=FAST, error_model="numpy")
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:  # "no locator available": a read-only install
        compiled = njit(**options)(function)
    KERNELS.append(compiled)
    return compiled


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `kernel`, for the few lines of an innermost loop: a call would take longer than they."""
    return kernel(function, forceinline=True)
