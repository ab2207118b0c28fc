"""The chart of Shifted rewards shows Q as it was played."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pgcore import Config, train
from pgcore.gradients.reward_shift import OFFSETS, returns_to_go
from ui.rewards import charts

PARAMS = train("policy_gradient", num_seeds=1, total_timesteps=1000).checkpoints[-1, 0]
FOUND = returns_to_go(PARAMS, Config(), 0, 1000)
ROWS = charts.q_rows(FOUND)


def line(name: str) -> np.ndarray:
    return ROWS.loc[ROWS["line"] == name, "q"].to_numpy()


def test_a_line_an_offset_and_one_less_its_mean():
    assert ROWS["line"].unique().tolist() == ["r", "r − 1", "r − 2", "Q − b"]
    for name, offset in zip(("r", "r − 1", "r − 2"), OFFSETS, strict=True):
        np.testing.assert_array_equal(line(name), FOUND[offset].by_steps_left()[1])
    moved = line("r") - line("Q − b")
    assert moved == pytest.approx(FOUND[0.0].q.mean())  # the same shift everywhere
    assert np.ptp(line("r") - line("r − 2")) > 10  # which a shift of the rewards is not


def test_colours_are_those_of_the_learning_curves_and_names_stand_apart():
    places = ROWS.groupby("line", sort=False)["colour"].unique().str[0].tolist()
    assert places == ["0", "1", "2", "3"]  # Figure's order; the last is drawn grey
    ends = ROWS[ROWS["label"] != ""]
    assert ends["label"].tolist() == ["r", "r − 1", "r − 2", "Q − b"]
    low, high = charts.q_range(FOUND)
    gaps = np.diff(np.sort(ends["label_y"]))
    assert (gaps >= 0.99 * (high - low) * charts.LABEL_SHARE).all()
    assert ends["label_y"].between(low, high).all()


def test_everything_lies_inside_the_axes():
    low, high = charts.q_range(FOUND)
    assert low < ROWS["q"].min() and ROWS["q"].max() < high
    flat = returns_to_go(PARAMS, Config(gamma=0.0), 0, 1000)
    low, high = charts.q_range(flat)
    assert low < -1 and high > 1


def test_the_spec_is_built_once_and_holds_no_data():
    chart = charts.q_spec(120, -70.0, 70.0)
    assert chart is charts.q_spec(120, -70.0, 70.0)
    text = json.dumps(chart)
    assert '"datasets"' not in text
    for layer in chart["layer"]:
        assert layer["mark"].get("aria") is False or layer["mark"].get("description")
