"""The maps of how an agent thinks show the networks and the episode, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pgcore import Config
from pgcore.episodes import landscape, play
from pgcore.learners import shape_of
from pgcore.networks import initial_parameters
from ui.watch import charts as watch

CONFIG = Config(num_seeds=1)
ROW = initial_parameters(shape_of(CONFIG), [5])[0]
OVER = landscape(ROW, CONFIG, cells=9)
EPISODE = play(ROW, CONFIG, 5, 0, episodes=1)[0]


def test_rows_are_the_landscape_and_the_path():
    rows = watch.rows(OVER, EPISODE, 3)
    cells, path, now = (rows[rows.kind == kind] for kind in ("cell", "path", "now"))
    assert cells.prob.to_numpy() == pytest.approx(OVER.probs.ravel())
    assert cells.value.to_numpy() == pytest.approx(OVER.values.ravel())
    centres = (cells.angle + cells.angle2) / 2
    assert np.radians(centres.iloc[:9]).to_numpy() == pytest.approx(OVER.angles, abs=1e-6)
    heights = (cells.speed + cells.speed2) / 2
    assert np.radians(heights.iloc[::9]).to_numpy() == pytest.approx(OVER.velocities, abs=1e-6)
    assert np.radians(path.angle).to_numpy() == pytest.approx(EPISODE.states[:, 2], abs=1e-6)
    assert now.angle.item() == path.angle.iloc[3]
    assert now.speed.item() == path.speed.iloc[3]


def test_neighbouring_cells_leave_no_seam():
    cells = watch.rows(OVER, EPISODE, 0).query("kind == 'cell'")
    assert np.all(cells.angle2.to_numpy()[:8] > cells.angle.to_numpy()[1:9])


def test_a_step_beyond_the_end_is_the_end():
    rows = watch.rows(OVER, EPISODE, 10_000)
    assert rows[rows.kind == "now"].step.item() == EPISODE.length


@pytest.mark.parametrize("built", [watch.policy_spec, watch.value_spec])
def test_specs_are_constant_serialisable_and_without_data(built):
    assert built(OVER) is built(landscape(ROW * 2, CONFIG, cells=9))
    text = json.dumps(built(OVER))
    assert '"datasets"' not in text
    assert '"values"' not in text


def test_the_table_is_the_map_a_row_a_cell():
    table = watch.numbers(OVER)
    row = table.iloc[9 * 2 + 5]
    assert row["angle, degrees"] == pytest.approx(np.degrees(OVER.angles[5]), abs=1e-3)
    speed = row["angular velocity, degrees/s"]
    assert speed == pytest.approx(np.degrees(OVER.velocities[2]), abs=1e-3)
    assert row["probability of pushing right"] == pytest.approx(OVER.probs[2, 5], abs=1e-3)
    assert row["critic's value V"] == pytest.approx(OVER.values[2, 5], abs=1e-3)
    assert len(table) == 81


def test_the_words_say_what_the_map_shows():
    words = watch.description(OVER)
    assert f"{OVER.probs[:, OVER.angles < 0].mean():.2f} on average where the pole leans" in words
    assert f"to {OVER.values.max():.0f}." in words
