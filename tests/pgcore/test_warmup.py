"""The first start: what every run needs is compiled by two processes, or here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgcore import compilation, warmup, worker

ROOT = Path(__file__).parents[2]


def answer(program: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ | environment,
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_what_start_shows_needs_nothing_more() -> None:
    """Training, the last policy's episodes, random actions: no signature beyond the halves'."""
    program = (
        "from pgcore import Config, train, warmup\n"
        "from pgcore.compilation import KERNELS\n"
        "from pgcore.train import final_evaluation, random_return\n"
        "def compiled(): return {k.__qualname__ for k in KERNELS for _ in k.signatures}, sum(\n"
        "    len(k.signatures) for k in KERNELS)\n"
        "for half in warmup.HALVES.values(): half()\n"
        "before = compiled()\n"
        "for key in ('policy_gradient', 'batch_mean', 'actor_critic'):\n"
        "    history = train(Config(algorithm=key, num_seeds=60, total_timesteps=500))\n"
        "final_evaluation(history), random_return('CartPole-v1')\n"
        "print(before == compiled(), *sorted(before[0]))"
    )
    names = "_assess _close _collect _evaluate _gradient _step bootstrapped_q"
    assert answer(program) == f"True {names}\n"


def test_what_another_process_cannot_compile_is_compiled_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    def dead(function, arguments, control, nice):
        tried.append(arguments[0])
        raise ValueError("The process that computed this died")

    monkeypatch.setattr(worker, "call", dead)
    monkeypatch.setattr(compilation, "is_kept", lambda *modules: False)
    monkeypatch.setattr(
        warmup, "HALVES", {"one": lambda: tried.append("here"), "two": lambda: None}
    )
    warmup.prepare()
    assert sorted(tried[:2]) == ["one", "two"] and tried[2:] == ["here"]


def test_later_starts_begin_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "call", None)
    monkeypatch.setattr(compilation, "is_kept", lambda *modules: True)
    warmup.prepare()


def test_what_fails_here_reaches_whoever_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(compilation, "is_kept", lambda *modules: True)
    monkeypatch.setattr(warmup, "HALVES", {"one": broken})
    with pytest.raises(OSError, match="no space left"):
        warmup.prepare()


@pytest.mark.slow
def test_two_first_starts_at_once_compile_the_same_bits(tmp_path: Path) -> None:
    """Two servers on one empty folder, each with its two processes, and a third that compiles in
    its own; one history."""
    train = (
        "import hashlib, sys\n"
        "from pgcore import Config, runs, train\n"
        "from pgcore.compilation import KERNELS\n"
        "if sys.argv[1:]:\n"
        "    job = runs.warm_up(); job.finished.wait(); assert job.status == 'done', job.error\n"
        "    assert not any(k.stats.cache_misses for k in KERNELS), 'the server compiled'\n"
        "history = train(Config(num_seeds=20, total_timesteps=2000, entropy_coef=0.02))\n"
        "print(hashlib.sha256(history.checkpoints).hexdigest())"
    )
    known = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "shared")}
    servers = [
        subprocess.Popen([sys.executable, "-c", train, "server"], cwd=ROOT, env=known, text=True,
                         stdout=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    found = {server.communicate()[0] for server in servers}
    assert [server.returncode for server in servers] == [0, 0]
    assert found == {answer(train, NUMBA_CACHE_DIR=str(tmp_path / "own"))}
