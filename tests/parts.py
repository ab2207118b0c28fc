"""Parts of kernels, called from Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def by_python(part: Callable[..., Any]) -> Callable[..., Any]:
    """A part with the way in from Python that it does without."""
    return njit(lambda *arguments: part(*arguments))
