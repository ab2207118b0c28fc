"""The examples run from any folder, and every number they print has an interval and its n."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

from pgcore import Config, stats, train

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NUMBER = r"-?\d[\d.,]*%?"
INTERVAL = rf"{NUMBER} \[{NUMBER}, {NUMBER}\]"


@lru_cache
def printed(name: str) -> str:
    """What an example prints, run from another folder."""
    done = subprocess.run(
        [sys.executable, str(ROOT / f"examples/{name}.py")],
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def line(name: str, start: str, holding: str = "") -> str:
    """The last line of an example's output that begins so and holds a text."""
    lines = map(str.strip, printed(name).splitlines())
    return [text for text in lines if text.startswith(start) and holding in text][-1]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_runs_and_its_numbers_have_intervals_and_n(example: Path) -> None:
    lines = printed(example.stem).splitlines()
    told = [text for text in lines if "[" in text and "[95%]" not in text]
    assert len(told) >= 5
    for text in told:
        assert re.search(INTERVAL, text), text
        assert re.search(r"n = [\d,]+|\b\d+$", text), text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_reads_like_a_lesson(example: Path) -> None:
    text = example.read_text()
    assert text.startswith("# %% [markdown]\n# # ")
    assert text.count("# %% [markdown]\n# ## ") >= 2
    assert len(text.splitlines()) <= 80


def test_the_lab_prints_what_training_gives() -> None:
    final = [
        train(Config(algorithm=key, num_seeds=100)).final_returns
        for key in ("policy_gradient", "actor_critic")
    ]
    assert f"{stats.mean_t_interval(final[1]):.1f}" in line(
        "reproduce_the_lab", "Actor-critic ", "of 100"
    )
    gain = stats.difference_interval(*final)
    assert gain.low > 0
    assert line("reproduce_the_lab", "Actor-critic less") == (
        f"Actor-critic less policy gradient: {gain:.0f}, told apart with n = 100 seeds each"
    )


def test_the_value_baseline_halves_the_variance_and_adds_no_bias() -> None:
    ratio = re.search(rf"x {NUMBER} \[{NUMBER}, ({NUMBER})\]", line("measure_a_baseline", "actor"))
    assert ratio and float(ratio[1]) < 0.5
    plain = line("measure_a_baseline", "policy_gradient")
    assert "bias added 0% [0%, " in plain and float(plain.split("p = ")[1].split(",")[0]) > 0.05
    assert float(line("measure_a_baseline", "batch_mean").split("p = ")[1].split(",")[0]) < 0.001


def test_an_estimator_of_one_s_own_is_measured_trained_and_judged() -> None:
    assert "variance x" in line("your_own_estimator", "half_and_half")
    assert "told apart with n = 200 seeds each" in line("your_own_estimator", "Half and half less")
