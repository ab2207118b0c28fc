"""How the hot loops are compiled, and when: without the GIL, kept on disk, no `parallel=True`.

A `kernel` is what Python calls. At its first call its machine code is loaded from the disk
(machine_code.py), or else compiled together with what it calls itself: `part` and `inlined`.
To compile what a run needs takes some 5 s of processor time; warmup.py gives it to two processes.

Threads come from sharding the seeds (train.py). Numba's own parallel loops meet at barriers,
which collapse as soon as another process wants a core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core.registry import CPUDispatcher

from pgcore.machine_code import Kept

# ReLU becomes SIMD code only when NaN need not be ordered; sums may be reassociated into lanes.
# Infinities keep their meaning, and a given binary gives the same bits on every call.
FAST = {"nnan", "nsz", "reassoc", "contract", "arcp", "afn"}

KERNELS: list[Any] = []  # all of them


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function`, which Python calls, and keep the machine code.

    Nothing asks whether a divisor is 0, which would keep a loop from SIMD code: callers see to it.
    """
    compiled: Any = _compiled(function)
    compiled._cache = Kept(function)
    KERNELS.append(compiled)
    return compiled


def part(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compile `function`, which kernels alone call: the way in from Python would cost as much."""
    compiled = _compiled(function, no_cpython_wrapper=True, **options)
    compiled.__class__ = _Part
    return compiled


class _Part(CPUDispatcher):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Without a way in, Numba would end the process."""
        raise TypeError(f"{self.py_func.__name__} is called by kernels alone, not by Python.")


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """A `part` of few lines in an innermost loop: a call would take longer than they."""
    return part(function, forceinline=True)


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    options |= dict(nogil=True, fastmath=FAST, error_model="numpy", no_cfunc_wrapper=True)
    return njit(**options)(function)


def used() -> bool:
    """Whether any kernel has been compiled, or loaded, by now."""
    return any(kernel.signatures for kernel in KERNELS)


def found_on_disk() -> bool:
    """Whether any kernel was loaded, by now."""
    return any(kernel.stats.cache_hits for kernel in KERNELS)


def is_kept(*modules: str) -> bool:
    """Whether machine code of every kernel of these modules lies on disk."""
    return all(kernel._cache.exists() for kernel in KERNELS if kernel.__module__ in modules)
