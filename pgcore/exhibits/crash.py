"""A program that crashes, run in a child process, and its traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LAB = Path(__file__).parent / "lab.py"  # the notebook's cells above the reader's own
SECONDS = 120.0


def program(code: str, agent: str) -> str:
    """A program that defines an agent of the notebook as `code` does, and trains it for 96 steps.

    Args:
        code: a class with the notebook's `PolicyGradient` as its parent.
        agent: its name.
    """
    return (
        "import torch\n"
        "from notebook import PolicyGradient, train\n\n\n"
        f"{code}\n\n"
        "torch.manual_seed(0)\n"
        f"train({agent}(), seed=0, timesteps=96)\n"
    )


def traceback_of(text: str, seconds: float = SECONDS) -> str:
    """What a fresh Python says when the program fails; "" if it ends well.

    Args:
        text: Python, complete with its imports; `notebook` is the lab's loop.
        seconds: the child is ended after so long.

    Raises: ValueError if it does not end in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(LAB, Path(folder) / "notebook.py")
        (Path(folder) / "cell.py").write_text(text, encoding="utf-8")
        command = [sys.executable, "-W", "ignore", "cell.py"]
        environment = os.environ | {"PYTHON_COLORS": "0", "PYTHONPATH": ""}
        try:
            ended = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True,
                timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ValueError(f"The program did not end within {seconds:.0f} s.") from None
        return plain(ended.stderr, folder) if ended.returncode else ""


def plain(traceback: str, folder: str) -> str:
    """The traceback without the folders of this machine, and without the frames of libraries."""
    kept, skipping = [], False
    for line in traceback.strip().splitlines():
        if line.startswith("  File "):
            skipping = "site-packages" in line or "/lib/python" in line
        elif not line.startswith("  "):
            skipping = False
        if not skipping:
            kept.append(line.replace(f"{Path(folder).resolve()}/", "").replace(f"{folder}/", ""))
    return "\n".join(kept)
