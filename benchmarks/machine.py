"""What the figures were measured on, and how a figure is taken."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("torch", "numba", "numpy", "gymnasium", "jax", "jaxlib", "stable-baselines3")


def describe() -> dict[str, Any]:
    """Processor, cores and versions; nothing that names one computer."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "load_before": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    """The processor's name, as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def seconds(function: Callable[[], Any]) -> float:
    """Wall-clock time of one call."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def spread(times: list[float]) -> dict[str, Any]:
    """Minimum, median and maximum of repeats."""
    return {
        "min": min(times),
        "median": float(np.median(times)),
        "max": max(times),
        "repeats": len(times),
    }


def fresh(code: str, **environment: str) -> str:
    """What `code` prints in a new Python process."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
