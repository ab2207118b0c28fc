"""History: the figures that are read off a run, worked by hand."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from pgcore import Config, History, train

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
