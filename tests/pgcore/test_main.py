"""The command line: what it prints and writes, and how it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from pgcore import ALGORITHMS, Config, train
from pgcore.__main__ import main

ROOT = Path(__file__).parents[2]
SHORT = ["train", "--total-timesteps", "128", "--eval-interval", "64", "--num-seeds", "3"]
SHORT_CONFIG = Config(total_timesteps=128, eval_interval=64, num_seeds=3)


def test_train_writes_what_train_returns(tmp_path: Path, capsys) -> None:
    file = tmp_path / "curves.csv"
    assert main([*SHORT, "--csv", str(file)]) == 0
    assert file.read_text() == train(SHORT_CONFIG).to_csv()
    out, progress = capsys.readouterr()
    assert out.startswith("Actor-critic: episodic return ")
    assert out.endswith("after 128 steps, n = 3 seeds\n") and out.count("\n") == 1
    assert "50%" in progress and "100%" in progress


def test_one_seed_has_no_interval(capsys) -> None:
    assert main([*SHORT, "--num-seeds", "1"]) == 0
    assert "[" not in capsys.readouterr().out


def test_the_lab_is_one_flag(tmp_path: Path, capsys) -> None:
    lab = SHORT_CONFIG.replace(bootstrap_truncation=False, fixed_start=True, gamma=0.9)
    assert main([*SHORT, "--lab", "--gamma", "0.9", "--csv", str(tmp_path / "lab.csv")]) == 0
    assert (tmp_path / "lab.csv").read_text() == train(lab).to_csv()


def test_the_labs_second_task_trains_no_critic(tmp_path: Path, capsys) -> None:
    """Unless the caller asks for it: the mended variant."""
    file, task = tmp_path / "lab.csv", [*SHORT, "--lab", "--algorithm", "batch_mean"]
    task += ["--total-timesteps", "2000", "--eval-interval", "1000"]  # the last flag counts
    settings = dict(algorithm="batch_mean", total_timesteps=2000, eval_interval=1000, num_seeds=3)
    written = train(Config.lab(**settings)).to_csv()
    mended = train(Config.lab(**settings, value_coef=0.5)).to_csv()
    assert written != mended
    assert main([*task, "--csv", str(file)]) == 0
    assert file.read_text() == written
    assert main([*task, "--value-coef", "0.5", "--csv", str(file)]) == 0
    assert file.read_text() == mended


@pytest.mark.parametrize("threads", ["1", "4"])
def test_threads_change_nothing(tmp_path: Path, threads: str, capsys) -> None:
    file = tmp_path / "curves.csv"
    assert main([*SHORT, "--num-seeds", "96", "--threads", threads, "--csv", str(file)]) == 0
    assert file.read_text() == train(SHORT_CONFIG.replace(num_seeds=96)).to_csv()


def test_every_setting_has_its_flag(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    for spec in fields(Config):
        assert f"--{spec.name.replace('_', '-')} " in told
        assert str(spec.default) in told


def test_choices_are_listed_in_help(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert f"Estimator: {', '.join(ALGORITHMS)} (default actor_critic)" in told
    assert "compiled, autograd (default compiled)" in told


def test_a_reader_who_leaves_is_no_error() -> None:
    """A pipe whose other end closes, as `head -1` does: no traceback, no message."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "pgcore", "algorithms"]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_every_algorithm_is_listed(capsys) -> None:
    assert main(["algorithms"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*ALGORITHMS]
    assert all(a.reference in line for a, line in zip(ALGORITHMS.values(), lines, strict=True))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("train --algorithm a2c", "algorithm is 'a2c'; it must be one of policy_gradient,"),
        ("train --num-seeds -1", "num_seeds is -1; it must be a whole number from 1 to 1,000."),
        ("train --num-seeds ten", "num_seeds is 'ten'; it must be a whole number"),
        ("train --num-seeds 1.5", "num_seeds is '1.5'; it must be a whole number"),
        (f"train --num-seeds {'9' * 400}", "; it must be a whole number from 1 to 1,000."),
        ("train --gamma nan", "gamma is nan; it must be a number from 0.0 to 1.0."),
        ("train --gamma inf", "gamma is inf; it must be a number from 0.0 to 1.0."),
        ("train --gamma -0.5", "gamma is -0.5; it must be a number from 0.0 to 1.0."),
        ("train --gamma", "argument --gamma: expected one argument"),
        ("train --eval-greedy 2", "eval_greedy is '2'; it must be true or false."),
        ("train --env-id Pendulum-v1", "it must have discrete actions"),
        ("train --env-id os:Foo-v0", "it must be an environment that Gymnasium knows"),
        ("train --formula q+", "formula is 'q+': A number, a name or a bracket is missing"),
        ("train --total-timesteps 300", "eval_interval is 500; it must not exceed"),
        ("train --csv no/such/folder.csv", "the folder 'no/such' for --csv does not exist."),
        ("train --learning-speed 3", "unrecognized arguments: --learning-speed 3"),
        ("train --threads many", "argument --threads: invalid int value: 'many'"),
        ("fly", "invalid choice: 'fly' (choose from 'train', "),
        ("", "the following arguments are required: command"),
    ],
)
def test_refusals_are_one_line(arguments: str, said: str, capsys) -> None:
    assert main(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pgcore: ") and err.endswith(".\n") and err.count("\n") == 1
    assert said in err


def test_a_formula_that_fails_in_mid_run(capsys) -> None:
    formula = ["--algorithm", "formula", "--formula", "log(q - q)"]
    assert main([*SHORT, *formula]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1].startswith("pgcore: The formula gives infinity")


def test_without_torch_its_learner_is_refused_in_a_sentence(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "pgcore.learners.autograd", raising=False)
    assert main([*SHORT, "--learner", "autograd"]) == 2
    assert "torch is not installed: pip install torch==2.13.0.\n" in capsys.readouterr().err


def test_the_module_is_a_command() -> None:
    """A process of its own: the same exit status, and no traceback."""

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "pgcore", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    good, bad = run("algorithms"), run("train", "--gamma", "2")
    assert (good.returncode, good.stderr) == (0, "")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr == "pgcore: gamma is 2.0; it must be a number from 0.0 to 1.0.\n"


# --- gradients --json: docs/gradients-json.md says what it holds ---

SCHEMA = (ROOT / "docs/gradients-json.md").read_text()
MEASURE = ["gradients", "--windows", "50", "--total-timesteps", "500"]


def paths(value: object, above: str = "") -> Iterator[tuple[str, object]]:
    """Every entry's path and value; estimators, baselines and settings stand as a star."""
    if not isinstance(value, dict) or set(value) == {"estimate", "low", "high"}:
        yield above, value
        return
    several = above in ("config", "estimators", "design_effect", "sources")
    for key, entry in value.items():
        name = "*" if several else key
        yield from paths(entry, f"{above}.{name}" if above else name)


def test_the_documented_schema_is_what_comes_out(capsys) -> None:
    """Every path is documented with its type, and none that is not there."""
    assert main([*MEASURE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = dict(re.findall(r"^\| `([\w.*]+)` \| (\w+)", SCHEMA, re.MULTILINE))
    kinds = {
        "integer": int,
        "number": (int, float, type(None)),
        "interval": dict,
        "setting": object,
    }
    written = list(paths(found))
    assert {path for path, _ in written} == set(rows)
    assert all(isinstance(value, kinds[rows[path]]) for path, value in written)
    assert set(found["config"]) == {spec.name for spec in fields(Config)}
    for key in (*found["estimators"], *found["sources"]):
        assert f"`{key}`" in SCHEMA or key in ALGORITHMS


def test_gradients_prints_intervals(capsys) -> None:
    assert main(MEASURE) == 0
    out = capsys.readouterr().out
    first = out.splitlines()[1]
    assert re.fullmatch(r"policy_gradient( +\S+ \[\S+, \S+\]){5}", first), first
    assert "50 batches of 32 steps, seed 0 after 500 steps, 95% intervals" in out
    columns, legend = out.splitlines()[0].split(), out.splitlines()[-5:]
    assert [line.split()[0] for line in legend] == columns  # each column has a line of its own
    assert columns[-1] == "bias_along"  # signed, as in the app
