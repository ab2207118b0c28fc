"""History: the figures that are read off a run, worked by hand."""

from __future__ import annotations

import dataclasses
import inspect
import io
import json
import pickle
import re
import textwrap
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pandas as pd
import pytest

from pgcore import Config, History, train
from pgcore.episodes import play, policy_of
from pgcore.stats import mean_t_interval

# Two evaluations of three seeds, two episodes each.
EPISODES = np.array([[[10, 20], [30, 50], [500, 450]], [[100, 300], [20, 20], [60, 80]]], float)
CONFIG = Config(num_seeds=3, first_seed=5, total_timesteps=1000, eval_episodes=2)
HISTORY = History(CONFIG, np.array([500, 1000]), EPISODES, np.zeros((3, 3, 419), np.float32))


def test_figures_by_hand() -> None:
    assert HISTORY.eval_returns.tolist() == [[15, 40, 475], [200, 20, 70]]
    assert HISTORY.final_returns.tolist() == [200, 20, 70]
    assert HISTORY.area_under_curve.tolist() == [107.5, 30, 272.5]
    assert HISTORY.reached(475).tolist() == [False, False, True]
    assert HISTORY.reached(475.5).tolist() == [False, False, False]
    assert HISTORY.reached(40).tolist() == [True, True, True]


def test_as_it_stood() -> None:
    early = HISTORY.upto(1)
    assert HISTORY.complete and not early.complete
    assert early.eval_returns.tolist() == [[15, 40, 475]]
    assert early.checkpoints.shape == (2, 3, 419)
    assert early.final_returns.tolist() == [15, 40, 475]


@pytest.mark.parametrize(("greedy", "label"), [(False, "sampled"), (True, "greedy")])
def test_the_frame_is_tidy(greedy: bool, label: str) -> None:
    history = train(CONFIG.replace(eval_greedy=greedy, total_timesteps=500, eval_interval=250))
    frame = history.to_frame()
    assert frame["step"].tolist() == [250] * 3 + [500] * 3
    assert frame["seed"].tolist() == [5, 6, 7] * 2
    assert frame["eval_return"].tolist() == history.eval_returns.ravel().tolist()
    assert set(frame["evaluation"]) == {label}
    assert set(frame["eval_episodes"]) == {2} and set(frame["algorithm"]) == {"actor_critic"}
    text = history.to_csv()
    assert "\r" not in text
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text)), frame, check_dtype=False)


# --- what a notebook does with it ---

RUN = train(CONFIG.replace(hidden_dim=8))


def test_a_history_says_what_it_is_in_one_line() -> None:
    final = mean_t_interval(HISTORY.final_returns)
    assert repr(HISTORY) == (
        f"History: Actor-critic, n = 3 seeds, 1,000 steps, final return {final:.1f} "
        "(mean, 95% t interval)"
    )
    assert "500 of 1,000 steps" in repr(HISTORY.upto(1))
    assert repr(HISTORY.upto(0)) == "History: Actor-critic, n = 3 seeds, not evaluated yet"


def test_a_notebook_shows_the_curve() -> None:
    html = HISTORY._repr_html_()
    assert "vega" in html and "Actor-critic, n = 3" in html
    bundle = HISTORY._repr_mimebundle_()
    assert "Actor-critic, n = 3" in str(bundle)
    lines = HISTORY.plot(band="seeds").to_dict()["datasets"].popitem()[1]
    assert sorted(row["mean"] for row in lines if row["seed"] == 2) == [70.0, 475.0]


def test_equality_is_of_config_and_arrays() -> None:
    again = train(RUN.config)
    assert again == RUN
    again.eval_episode_returns[0, 0, 0] += 1
    assert again != RUN
    assert RUN.upto(1) != RUN and RUN != "a history"
    assert dataclasses.replace(RUN, config=RUN.config.replace(first_seed=6)) != RUN
    with pytest.raises(TypeError, match="unhashable"):
        hash(RUN)


@pytest.mark.parametrize("evaluations", [0, 1, 2])
def test_saved_and_loaded_it_is_the_same(tmp_path: Path, evaluations: int) -> None:
    file, early = tmp_path / "run", RUN.upto(evaluations)
    early.save(file)
    loaded = History.load(str(file))
    assert loaded == early and loaded.complete == (evaluations == 2)
    assert loaded.checkpoints.dtype == np.float32 and loaded.config == RUN.config


def test_a_file_from_before_a_setting_was_there_has_its_default(tmp_path: Path) -> None:
    file = tmp_path / "run"
    RUN.save(file)
    with np.load(file) as saved:
        arrays = {name: saved[name] for name in saved.files}
    header = json.loads(str(arrays["header"]))
    assert header["config"].pop("reward_offset") == 0
    with file.open("wb") as target:
        np.savez(target, **(arrays | {"header": np.array(json.dumps(header))}))
    assert History.load(file) == RUN


def rewritten(file: Path, header: dict | None = None, **arrays: Any) -> None:
    """The saved run with something changed."""
    RUN.save(file)
    with np.load(file) as saved:
        kept = {name: saved[name] for name in saved.files} | arrays
    if header:
        kept["header"] = np.array(json.dumps(json.loads(str(kept["header"])) | header))
    with file.open("wb") as target:
        np.savez(target, **{name: array for name, array in kept.items() if array is not None})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"header": {"version": 99}}, "is a history of version 99; this pgcore reads 1."),
        ({"header": {"format": "other"}}, "is not a history that was saved by pgcore"),
        ({"header": {"version": "1"}}, "is not a history that was saved by pgcore"),
        ({"header": {"config": {"speed": 1}}}, "is not a whole history: 'speed' is no setting."),
        ({"header": {"config": [1]}}, "is not a history that was saved by pgcore"),
        ({"header": {"config": {"gamma": 7.0}}}, "gamma is 7.0"),
        ({"checkpoints": None}, "is not a whole history: it has no sound checkpoints."),
        ({"checkpoints": np.zeros((3, 3, 10_000))}, "it has no sound checkpoints."),
        ({"eval_steps": np.array(500)}, "do not fit its config"),
        ({"eval_steps": np.zeros((2, 2))}, "do not fit its config"),
        ({"checkpoints": np.zeros((3, 3, 5))}, "do not fit its config"),
        ({"eval_steps": np.array([1, 2])}, "do not fit its config"),
        ({"eval_episode_returns": np.zeros((2, 3, 9))}, "do not fit its config"),
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, changes: dict, said: str) -> None:
    rewritten(tmp_path / "run", **changes)
    with pytest.raises(ValueError, match=re.escape(said)):
        History.load(tmp_path / "run")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    rewritten(tmp_path / "run", checkpoints=np.array([Trap()], dtype=object))
    for name, content in (("bare", pickle.dumps(Trap())), ("text", b"no"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
    for name in ("run", "bare", "text", "empty"):
        with pytest.raises(ValueError, match=r"is not a (whole )?history"):
            History.load(tmp_path / name)
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(FileNotFoundError):
        History.load(tmp_path / "none")


@pytest.mark.parametrize("checkpoint", [0, 1, -1])
def test_a_policy_says_what_the_compiled_one_says(checkpoint: int) -> None:
    number = range(3)[checkpoint]
    episode = play(policy_of(RUN, 6, number), RUN.config, 6, 0, episodes=1)[0]
    probabilities = RUN.policy(6, checkpoint)(episode.states[:-1])
    assert probabilities.shape == (episode.length, 2)
    assert probabilities[:, 1] == pytest.approx(episode.probs, abs=1e-6)
    assert probabilities.sum(-1) == pytest.approx(1)
    assert RUN.policy(6, checkpoint)(episode.states[0]).tolist() == probabilities[0].tolist()


def test_a_policy_plays_in_gymnasium_as_its_docstring_says() -> None:
    lines = (inspect.getdoc(History.policy) or "").partition("Args:")[0].splitlines()
    code = textwrap.dedent("\n".join(line for line in lines if line.startswith("    ")))
    code = code.replace("seed=0)", "seed=6)", 1)
    names: dict[str, Any] = {"history": RUN, "gymnasium": gymnasium, "np": np}
    exec(code, names)
    assert names["ended"] is True


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: RUN.policy(4), "seed is 4; this run has 5 to 7."),
        (lambda: RUN.policy(5, 3), "checkpoint is 3; it must be from -3 to 2."),
        (lambda: RUN.policy(5)([1.0, 2.0]), "observations are [2]; they must be [4] or [N, 4]."),
        (lambda: RUN.policy(5)(np.zeros((1, 1, 4))), "observations are [1, 1, 4]"),
    ],
)
def test_a_policy_refuses_in_a_sentence(call: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        call()
