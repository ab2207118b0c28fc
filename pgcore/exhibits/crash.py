"""A program that crashes, run in a child process, and its traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]  # from where pgcore can be imported
SECONDS = 120.0


def traceback_of(program: str, seconds: float = SECONDS) -> str:
    """What a fresh Python says when the program fails, paths shortened; "" if it ends well.

    Args:
        program: Python, complete with its imports.
        seconds: the child is ended after so long.

    Raises: ValueError if it does not end in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "lab.py"
        script.write_text(program, encoding="utf-8")
        command = [sys.executable, "-W", "ignore", str(script)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHON_COLORS": "0"}
        try:
            ended = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True,
                timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ValueError(f"The program did not end within {seconds:.0f} s.") from None
    if ended.returncode == 0:
        return ""
    return plain(ended.stderr, folder)


def plain(traceback: str, folder: str) -> str:
    """The traceback without the folders of this machine, and without frames inside libraries."""
    kept, skipping = [], False
    for line in traceback.strip().splitlines():
        if line.startswith("  File "):
            skipping = "site-packages" in line or "/lib/python" in line
        elif not line.startswith("  "):
            skipping = False
        if not skipping:
            kept.append(line.replace(f"{folder}/", "").replace(f"{ROOT}/", ""))
    return "\n".join(kept)


def program(code: str, agent: str) -> str:
    """A program that defines an agent of the notebook as `code` does, and trains it for 96 steps.

    Args:
        code: a class with the notebook's `PolicyGradient` as its parent.
        agent: its name.
    """
    return (
        "import torch\n"
        "from pgcore.exhibits.lab import PolicyGradient, train\n\n\n"
        f"{code}\n\n"
        "torch.manual_seed(0)\n"
        f"train({agent}(), seed=0, timesteps=96)\n"
    )
