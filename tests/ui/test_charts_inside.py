"""The film of one update: it shows what has happened and no more, with the update's numbers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pgcore import Config, train
from pgcore.algorithms import ALGORITHMS
from pgcore.gradients import Update, collect_windows, inside_update
from pgcore.gradients.estimates import preference_gradient
from ui.inside import charts as inside

CONFIG = Config(num_seeds=1, total_timesteps=2000, eval_interval=500)
ROW = train(CONFIG).checkpoints[2, 0]
WINDOWS = collect_windows(ROW, CONFIG, 60, 0)
INDEX = inside.telling(WINDOWS)
STEPS = CONFIG.batch_size
UPDATES = {key: inside_update(WINDOWS, INDEX, CONFIG.replace(algorithm=key)) for key in ALGORITHMS}


def small_update(psi: list[float], change: list[float], gradient: list[float]) -> Update:
    """An update with only what is counted."""
    steps = pd.DataFrame({"psi": psi, "sgd_change": change, "action": [1] * len(psi)})
    steps["pushed"] = np.sign(steps["psi"]).astype(int)
    return Update(steps, np.array(gradient), np.zeros(2), np.zeros(2), np.zeros(2))


def test_the_film_visits_every_moment_and_comes_back():
    moments = [("actions", 5)]
    while moments[-1][0] != "step":
        moments.append(inside.forward(*moments[-1], 8))
    assert [at for stage, at in moments if stage == "returns"] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert len(moments) == len(inside.STAGES) + 8 - 1
    assert inside.forward("step", 0, 8) == ("step", 0)
    for earlier, later in pairwise(moments[1:]):
        assert inside.back(*later, 8) == earlier
    assert inside.back("actions", 3, 8) == ("actions", 3)


@pytest.mark.parametrize(
    ("stage", "shown"),
    [("actions", 0), ("returns", 1), ("baseline", 2), ("weight", 3), ("step", 4)],
)
def test_what_has_not_happened_is_not_drawn(stage, shown):
    update, at = UPDATES["actor_critic"], 20
    rows = inside.rows(update, "actor_critic", stage, at, "gradient")
    for number, name in enumerate(("q", "baseline", "psi", "change"), start=1):
        known = rows[name].notna()
        expected = (rows["t"] >= at) if name == "q" and stage == "returns" else number <= shown
        assert (known == expected).all(), name
    visible = rows["q"].notna()
    assert rows["q"][visible].tolist() == update.steps["q_value"][visible].tolist()
    assert rows.loc[rows["now"], "t"].tolist() == [at]


@pytest.mark.parametrize("key", ALGORITHMS)
def test_every_estimators_film_is_one_view_without_data(key):
    axes = inside.ranges(UPDATES[key], UPDATES["policy_gradient"], "Adam")
    built = inside.film_spec(STEPS, axes)
    assert built["layer"] is inside.film_spec(STEPS, ((0, 1),) * 3)["layer"]  # built once
    text = json.dumps(built)
    assert '"datasets"' not in text
    assert built["width"] == "container"
    assert "concat" not in text
    for (low, high), name in zip(axes, ("q_value", "psi", "adam_change"), strict=True):
        column = UPDATES[key].steps[name]
        assert low < high
        assert low <= column.min()
        assert column.max() <= high


def test_two_estimators_share_the_axis_of_their_weights():
    plain, critic = UPDATES["policy_gradient"], UPDATES["actor_critic"]
    assert inside.ranges(critic, plain, "gradient")[1][1] >= plain.steps["psi"].max()
    own = inside.ranges(UPDATES["normalized"], plain, "gradient")[1]
    assert own[1] < 0.5 * plain.steps["psi"].max()  # another scale, and an axis of its own


def test_the_recursion_is_written_with_its_own_numbers():
    update = UPDATES["policy_gradient"]
    for t, step in update.steps.iterrows():
        text = inside.equation(update, CONFIG, "returns", t, "gradient")
        total = float(text.split("=")[-1].split(r"\qquad")[0])
        assert total == pytest.approx(step["q_value"], abs=0.006)
        if step["terminated"]:
            assert "nothing follows" in text
            assert total == 1
            continue
        follows = float(re.search(r"\\cdot (-?[\d.]+) =", text)[1])
        assert total == pytest.approx(step["reward"] + CONFIG.gamma * follows, abs=0.011)
        assert ("V_" in text) == bool(step["bootstrapped"])
    assert update.steps["terminated"].any()
    assert update.steps["bootstrapped"].any() != update.steps["terminated"].iloc[-1]


def test_a_tail_that_was_played_is_not_called_a_value():
    text = inside.equation(UPDATES["reinforce"], CONFIG, "returns", STEPS - 1, "gradient")
    assert "what followed" in text or "nothing follows" in text
    assert "V_" not in text


@pytest.mark.parametrize("stage", inside.STAGES)
def test_every_stage_has_an_equation_and_words(stage):
    update, config = UPDATES["formula"], CONFIG.replace(algorithm="formula", formula="b = v / 2")
    assert inside.equation(update, config, stage, 3, "Adam")
    words = inside.description(update, "formula", stage, 3, "Adam")
    assert words.count(";") == inside.ORDER.index(stage)
    assert inside.SAID[stage]


def test_the_typed_formula_stands_in_the_equation():
    config = CONFIG.replace(algorithm="formula", formula="b = v / 2")
    assert r"\frac" in inside.equation(UPDATES["formula"], config, "baseline", 3, "Adam")


def test_the_tally_counts_pushes_outcomes_and_contradictions():
    update = small_update([2, 1, -1, 0], [0.1, -0.2, 0.3, -0.1], [0, 0])
    sentence = inside.tally(update, "gradient")
    assert "push 2 of these 4 actions up and 1 down" in sentence
    assert "2 are more probable and 2 less; 2 went against" in sentence


def test_side_by_side_measures_angles_to_the_truth():
    updates = {  # the gradient is the loss's: a step goes against it
        "policy_gradient": small_update([1], [1], [-1, 0]),
        "actor_critic": small_update([1], [1], [0, -2]),
        "gae": small_update([1], [1], [3, 0]),
        "normalized": small_update([0], [0], [0, 0]),
    }
    table = inside.side_by_side(updates, np.array([1.0, 0.0]), "gradient", np.array([1]))
    assert table["angle to the truth"].tolist() == ["0°", "90°", "180°", "nan°"]
    assert table["arrow's length"].tolist() == ["1", "2", "3", "0"]
    assert table["bad ones up"].tolist() == ["1 of 1", "1 of 1", "1 of 1", "0 of 1"]
    assert table["good ones up"].tolist() == ["0 of 0"] * 4


def test_a_window_alone_gives_the_same_update():
    alone = inside.alone(WINDOWS, INDEX)
    for key, update in UPDATES.items():
        again = inside_update(alone, 0, CONFIG.replace(algorithm=key))
        assert again.steps.equals(update.steps)
        assert np.array_equal(again.gradient, update.gradient)


def test_the_telling_window_has_an_end_in_its_middle():
    ended = WINDOWS.batch.ended[INDEX]
    assert ended[STEPS // 4 : STEPS - STEPS // 4].any()
    assert not WINDOWS.batch.ended[:INDEX, STEPS // 4 : STEPS - STEPS // 4].any()


# --- in hindsight ---


def test_worse_needs_a_clear_difference():
    q = np.array([[10.0, 9.0], [10.0, 9.0], [3.0, 4.0], [5.0, 5.0]])
    found = inside.Hindsight(q, np.array([0.4, 0.6, 0.1, 0.0]), 100)
    assert found.worse.tolist() == [1, -1, 0, -1]


def test_hindsight_starts_from_every_state_and_takes_both_actions():
    found = inside.hindsight(WINDOWS, INDEX, 0)
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
    found = inside.hindsight(windows, 0, 0)
    assert (found.q.max(1) <= np.arange(8, 0, -1)).all()


def test_carried_is_the_slope_of_the_preference():
    size = 7 * CONFIG.hidden_dim + 2
    truth = np.random.default_rng(0).normal(size=size)
    truth /= np.linalg.norm(truth)
    slopes = inside.carried(WINDOWS, INDEX, truth)
    d = np.empty(size, np.float32)
    for obs, slope in zip(WINDOWS.batch.obs[INDEX], slopes, strict=True):
        preference_gradient(ROW, CONFIG.hidden_dim, *obs, d)
        assert slope == pytest.approx(float(d @ truth), abs=1e-4)


def test_the_average_pushes_the_worse_action_down():
    found = inside.hindsight(WINDOWS, INDEX, 0)
    plain = UPDATES["policy_gradient"]
    worse = plain.steps["action"].to_numpy() == found.worse
    assert worse.any()
    text = inside.average(found, plain)
    at = int(np.flatnonzero(worse)[0])
    p, low, high = plain.steps["prob"][at], found.q[at].min(), found.q[at].max()
    assert float(text.split("=")[-1]) == pytest.approx(p * (1 - p) * (low - high), abs=0.006)
    assert float(text.split("=")[-1]) < 0
    slopes = np.where(found.worse == 1, 1.0, -1.0)
    answer = inside.answer(found, plain, slopes)
    assert f"pushes {worse.sum()} of these up" in answer
    clear = (found.worse >= 0).sum()
    assert f"raises the worse action in {clear} of the {clear}" in answer
    assert f"in 0 of the {clear}" in inside.answer(found, plain, -slopes)


def test_a_batch_without_a_worse_action_says_so():
    nothing = inside.Hindsight(np.ones((STEPS, 2)), np.ones(STEPS), 10)
    assert inside.average(nothing, UPDATES["policy_gradient"]) is None
    assert "another batch" in inside.answer(nothing, UPDATES["policy_gradient"], np.ones(STEPS))
