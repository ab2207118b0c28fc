"""How the hot loops are compiled: without the GIL, cached on disk, no `parallel=True`.

Threads come from sharding the seeds (train.py). Numba's own parallel loops meet at barriers,
which collapse as soon as another process wants a core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

# ReLU becomes SIMD code only when NaN need not be ordered; sums may be reassociated into lanes.
# Infinities keep their meaning, and a given binary gives the same bits on every call.
FAST = {"nnan", "nsz", "reassoc", "contract", "arcp", "afn"}


def kernel(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compile `function` with Numba; falls back to memory where no cache folder is writable.

    A division by zero gives an infinity, as in NumPy: the check would keep a loop from SIMD code.
    """
    options |= dict(nogil=True, fastmath=FAST, error_model="numpy")
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # "no locator available": a read-only install
        return njit(**options)(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `kernel`, for the few lines of an innermost loop: a call would take longer than they."""
    return kernel(function, forceinline=True)
