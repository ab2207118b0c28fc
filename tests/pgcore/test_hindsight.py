"""One batch in hindsight, and the outcome of its update."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pgcore import Config, train
from pgcore.gradients import Update, collect_windows, inside_update
from pgcore.gradients.estimates import measurable, preference_gradient
from pgcore.gradients.hindsight import (
    Hindsight,
    expected_push,
    hindsight,
    instructive_window,
    one_window,
    preference_slopes,
    worse_actions,
)
from pgcore.gradients.outcome import counted_up, length_and_angle, outcome
from tests.parts import by_python

CONFIG = Config(num_seeds=1, total_timesteps=2000, eval_interval=500)
ROW = train(CONFIG).checkpoints[2, 0]
WINDOWS = collect_windows(ROW, CONFIG, 60, 0)
INDEX = instructive_window(WINDOWS)
STEPS = CONFIG.batch_size
PLAIN = inside_update(WINDOWS, INDEX, CONFIG.replace(algorithm="policy_gradient"))


def small_update(psi: list[float], change: list[float], gradient: list[float]) -> Update:
    """An update with only what is counted."""
    steps = pd.DataFrame({"psi": psi, "sgd_change": change, "action": [1] * len(psi)})
    steps["adam_change"] = -steps["sgd_change"]
    steps["pushed"] = np.sign(steps["psi"]).astype(int)
    return Update(steps, np.array(gradient), np.zeros(2), np.zeros(2), np.zeros(2))


def test_a_window_alone_gives_the_same_update():
    alone = one_window(WINDOWS, INDEX)
    for key in measurable():
        config = CONFIG.replace(algorithm=key)
        alone_made, among_made = (
            inside_update(alone, 0, config),
            inside_update(WINDOWS, INDEX, config),
        )
        assert alone_made.steps.equals(among_made.steps)
        assert np.array_equal(alone_made.gradient, among_made.gradient)


def test_the_instructive_window_has_an_end_in_its_middle():
    ended = WINDOWS.batch.ended[INDEX]
    assert ended[STEPS // 4 : STEPS - STEPS // 4].any()
    assert not WINDOWS.batch.ended[:INDEX, STEPS // 4 : STEPS - STEPS // 4].any()


def test_worse_needs_a_clear_difference():
    q = np.array([[10.0, 9.0], [10.0, 9.0], [3.0, 4.0], [5.0, 5.0]])
    found = Hindsight(q, np.array([0.4, 0.6, 0.1, 0.0]), 100)
    assert found.worse.tolist() == [1, -1, 0, -1]


def test_hindsight_starts_from_every_state_and_takes_both_actions():
    found = hindsight(WINDOWS, INDEX, 0)
    assert found.q.shape == (STEPS, 2)
    falling = WINDOWS.batch.terminated[INDEX]
    taken = WINDOWS.batch.actions[INDEX]
    assert falling.any()
    assert (found.q[falling, taken[falling]] == 1).all()  # it fell there, whatever came later
    assert (found.q >= 1).all()
    assert (found.q <= 1 / (1 - CONFIG.gamma)).all()


def test_hindsight_keeps_the_labs_clock():
    """Where truncation ends the value, a tail ends with its episode's clock."""
    lab = Config.lab(num_seeds=1, gamma=1.0, batch_size=8)
    windows = collect_windows(ROW, lab, 2, 0)
    late = windows.elapsed.copy()
    late[0] = 500 - 8  # eight steps are left
    windows = replace(windows, elapsed=late)
    windows.batch.terminated[0], windows.batch.truncated[0] = False, False
    found = hindsight(windows, 0, 0)
    assert (found.q.max(1) <= np.arange(8, 0, -1)).all()


def test_the_clock_starts_again_after_an_episodes_end():
    """After a fall in the middle of the window, a tail has its episode's whole clock."""
    lab = Config.lab(num_seeds=1, gamma=1.0, batch_size=8)
    windows = collect_windows(ROW, lab, 2, 0)
    late = windows.elapsed.copy()
    late[0] = 500 - 4
    windows = replace(windows, elapsed=late)
    windows.batch.terminated[0], windows.batch.truncated[0] = False, False
    windows.batch.terminated[0, 3] = True
    found = hindsight(windows, 0, 0)
    assert (found.q.max(1)[:4] <= np.arange(4, 0, -1)).all()
    assert found.q[4:].max() > 4  # longer than what was left of the old clock


def test_slopes_are_those_of_the_preference():
    size = 7 * CONFIG.hidden_dim + 2
    direction = np.random.default_rng(0).normal(size=size)
    direction /= np.linalg.norm(direction)
    slopes = preference_slopes(WINDOWS, INDEX, direction)
    push, d = by_python(preference_gradient), np.empty(size, np.float32)
    for obs, slope in zip(WINDOWS.batch.obs[INDEX], slopes, strict=True):
        push(ROW, CONFIG.hidden_dim, *obs, d)
        assert slope == pytest.approx(float(d @ direction), abs=1e-4)


def test_worse_actions_are_counted():
    found = hindsight(WINDOWS, INDEX, 0)
    taken = PLAIN.steps["action"].to_numpy() == found.worse
    clear = int((found.worse >= 0).sum())
    slopes = np.where(found.worse == 1, 1.0, -1.0)
    raised = worse_actions(found, PLAIN, slopes)
    assert raised == (STEPS, clear, taken.sum(), taken.sum(), clear, found.tails)  # every Q > 0
    assert worse_actions(found, PLAIN, -slopes).raised == 0


def test_either_action_can_be_the_worse():
    q = np.array([[9.0, 10.0], [10.0, 9.0], [5.0, 5.0], [9.0, 10.0]])  # worse: 0, 1, neither, 0
    found = Hindsight(q, np.full(4, 0.1), 10)
    update = small_update([1, 1, 1, -1], [0, 0, 0, 0], [0, 0])
    update.steps["action"] = [0, 1, 0, 0]
    slopes = np.array([-1.0, -1.0, -1.0, 1.0])  # below 0: action 0 becomes more probable
    counts = worse_actions(found, update, slopes)
    assert counts == (4, 3, 3, 2, 1, 10)


def test_the_expected_push_on_a_worse_action_is_down():
    found = hindsight(WINDOWS, INDEX, 0)
    push = expected_push(found, PLAIN)
    assert push is not None
    at = int(np.flatnonzero(PLAIN.steps["action"].to_numpy() == found.worse)[0])
    p, low, high = PLAIN.steps["prob"][at], found.q[at].min(), found.q[at].max()
    assert push == (at, pytest.approx(p), low, high, found.error[at])
    assert push.push == pytest.approx(p * (1 - p) * (low - high))
    assert push.push < 0
    nothing = Hindsight(np.ones((STEPS, 2)), np.ones(STEPS), 10)
    assert expected_push(nothing, PLAIN) is None


def test_the_outcome_counts_pushes_changes_and_contradictions():
    update = small_update([2, 1, -1, 0], [0.1, -0.2, 0.3, -0.1], [0, 0])
    assert outcome(update, "sgd_change") == (4, 2, 1, 2, 2)
    assert outcome(update, "adam_change") == (4, 2, 1, 2, 1)


@pytest.mark.parametrize(
    ("gradient", "length", "angle"),  # of the loss: a step goes against it
    [([-1, 0], 1, 0), ([0, -2], 2, 90), ([3, 0], 3, 180), ([0, 0], 0, np.nan)],
)
def test_length_and_angle_are_those_of_the_step(gradient, length, angle):
    found = length_and_angle(small_update([1], [1], gradient), np.array([1.0, 0.0]))
    assert found == pytest.approx((length, angle), nan_ok=True)


def test_bad_and_good_actions_that_are_pushed_up():
    update = small_update([1, -1, 1, 1], [0, 0, 0, 0], [0, 0])
    assert counted_up(update, np.array([1, 1, 0, -1])) == ((1, 2), (1, 1))
