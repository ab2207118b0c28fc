"""The film of one update: it shows what has happened and no more, with the update's numbers."""

from __future__ import annotations

import dataclasses
import json
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pgcore import Config, train
from pgcore.gradients import Update, collect_windows, inside_update
from pgcore.gradients.estimates import measurable
from pgcore.gradients.hindsight import ExpectedPush, WorseActions, instructive_window
from pgcore.gradients.outcome import Outcome, outcome
from ui.inside import charts as inside
from ui.inside import words

CONFIG = Config(num_seeds=1, total_timesteps=2000, eval_interval=500)
ROW = train(CONFIG).checkpoints[2, 0]
WINDOWS = collect_windows(ROW, CONFIG, 60, 0)
INDEX = instructive_window(WINDOWS)
STEPS = CONFIG.batch_size
UPDATES = {
    key: inside_update(WINDOWS, INDEX, CONFIG.replace(algorithm=key)) for key in measurable()
}


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


@pytest.mark.parametrize("key", measurable())
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
        text = words.equation(update, CONFIG, "returns", t, "gradient")
        total = float(text.split("=")[-1].split(r"\qquad")[0])
        assert total == pytest.approx(step["q_value"], abs=0.006)
        if step["terminated"]:
            assert "nothing follows" in text
            assert total == 1
            continue
        follows = float(re.search(r"\\cdot (-?[\d.]+) =", text)[1])
        assert follows == pytest.approx(step["next_value"], abs=0.0151)
        assert f"{step['reward'] + CONFIG.gamma * follows:.2f}" == f"{total:.2f}"  # as printed
        assert ("V_" in text) == bool(step["bootstrapped"])
    assert update.steps["terminated"].any()
    assert update.steps["bootstrapped"].any() != update.steps["terminated"].iloc[-1]


@pytest.mark.parametrize("stage", inside.STAGES)
def test_every_stage_has_an_equation_and_words(stage):
    update, config = UPDATES["formula"], CONFIG.replace(algorithm="formula", formula="b = v / 2")
    assert words.equation(update, config, stage, 3, "Adam")
    said = words.description(update, "formula", stage, 3, "Adam")
    assert said.count(";") == inside.ORDER.index(stage)
    assert words.SAID[stage]


def test_the_typed_formula_stands_in_the_equation():
    config = CONFIG.replace(algorithm="formula", formula="b = v / 2")
    assert r"\frac" in words.equation(UPDATES["formula"], config, "baseline", 3, "Adam")


@pytest.mark.parametrize("key", measurable())
def test_the_weight_is_a_sum_that_adds_up_as_printed(key):
    update, config = UPDATES[key], CONFIG.replace(algorithm=key)
    for t, step in update.steps.iterrows():
        text = words.equation(update, config, "weight", t, "gradient")
        q, b, psi = map(float, re.search(SUM, text).groups())
        assert q - b == pytest.approx(psi, abs=1e-9)
        assert q == pytest.approx(step["q_value"], abs=0.00501)
        assert psi == pytest.approx(step["psi"], abs=0.00501)
        assert b == pytest.approx(step["baseline"], abs=0.0101)
        shown = words.equation(update, config, "baseline", t, "gradient")
        assert rf"\Psi_{{{t}}} = {b:.2f}," in shown
        way = "up" if step["psi"] > 0 else "down" if step["psi"] < 0 else "neither way"
        assert f"push {way}" in text


SUM = r"= (-?[\d.]+) - \(?(-?[\d.]+)\)? = ([+-][\d.]+)"


def test_the_step_is_said_in_numbers():
    sentence = words.on_the_step(Outcome(4, 2, 1, 3, 2))
    assert "push 2 of these 4 actions up and 1 down" in sentence
    assert "3 are more probable and 1 are not; 2 moved against" in sentence


def test_the_question_names_its_batch_and_counts_the_positive_returns():
    update = UPDATES["policy_gradient"]
    said = words.question("Actor-critic, seed 0, after 1,000 steps", 7, update)
    assert said.text.startswith("This is batch 7 of one agent (Actor-critic, seed 0, after 1,000")
    assert f"All {STEPS} returns Q are positive" in said.text
    assert (said.name, said.options) == (words.QUESTION.name, words.QUESTION.options)
    steps = update.steps.assign(q_value=[-1.0, *[1.0] * (STEPS - 1)])
    assert (
        f" {STEPS - 1} of the {STEPS} returns"
        in words.question("", 0, dataclasses.replace(update, steps=steps)).text
    )


@pytest.mark.parametrize("key", ["policy_gradient", "actor_critic"])
def test_each_stage_is_said_in_numbers(key):
    update = UPDATES[key]
    steps = update.steps
    said = {stage: words.on_the_stage(update, key, stage, "gradient") for stage in inside.STAGES}
    right, fell = int((steps["action"] == 1).sum()), int(steps["terminated"].sum())
    assert f"pushed right {right} times and left {STEPS - right} times" in said["actions"]
    assert (
        f"The pole fell {'once' if fell == 1 else 'twice' if fell == 2 else fell}"
        in (said["actions"])
    )
    low, high = steps["q_value"].min(), steps["q_value"].max()
    assert f"between {low:.1f} and {high:.1f}" in said["returns"]
    above = int((steps["q_value"] > steps["baseline"]).sum())
    assert f"above it at {above} of {STEPS} steps" in said["baseline"]
    assert ("is 0.0." in said["baseline"]) == (key == "policy_gradient")
    up = int((steps["psi"] > 0).sum())
    assert f"push {up} of these {STEPS} actions up and {STEPS - up} down" in said["weight"]
    assert f"push {up} of these {STEPS} actions up" in said["step"]


def test_the_film_says_how_it_goes_on_and_what_its_diamond_is():
    update = UPDATES["policy_gradient"]
    asked = update.steps.assign(bootstrapped=[*[False] * (STEPS - 1), True])
    for steps, diamond in ((asked, True), (asked.assign(bootstrapped=False), False)):
        shown = dataclasses.replace(update, steps=steps)
        for stage in inside.ORDER:
            said = words.on_the_film(shown, stage)
            assert ("Play" in said) == (stage != "step")
            assert ("diamond" in said) == (diamond and stage != "actions")


def test_the_clock_is_spoken_of_where_it_ended_an_episode():
    update = UPDATES["policy_gradient"]
    cut = update.steps.assign(truncated=[True, *[False] * (STEPS - 1)], terminated=False)
    said = words.on_the_stage(
        dataclasses.replace(update, steps=cut), "policy_gradient", "actions", "gradient"
    )
    assert "The pole did not fall. The [[terminated|clock]] ended an episode." in said


def test_the_estimators_that_point_the_right_way_are_counted():
    updates = {
        "policy_gradient": small_update([1], [1], [-1, 0]),
        "gae": small_update([1], [1], [3, 0]),
        "normalized": small_update([0], [0], [0, 0]),  # no length, no direction
    }
    said = words.on_the_estimators(updates, np.array([1.0, 0.0]))
    assert " of 1 of 3 estimators" in said and "(n = 1)" in said
    assert said.startswith(words.SHARED)


def test_an_action_that_is_pushed_up_can_become_less_probable_as_the_page_says():
    found = outcome(UPDATES["policy_gradient"], inside.CHANGES["gradient"])
    assert found.pushed_up == STEPS and found.more_probable < STEPS
    assert "still become less probable after the step" in words.SHARED


def test_the_films_table_holds_what_is_drawn():
    update = UPDATES["actor_critic"]
    rows = inside.rows(update, "actor_critic", "weight", 20, "gradient")
    table = inside.numbers(rows)
    assert table["weight Ψ"].tolist() == update.steps["psi"].tolist()
    assert table["Δ log π"].isna().all()
    assert len(table) == STEPS


def test_worse_actions_are_said_in_numbers():
    found = WorseActions(32, 20, 7, 6, 3, 256)
    sentence = words.on_worse_actions(found)
    assert "In 20 of the 32 states one action is clearly worse" in sentence
    assert "took it in 7, and plain policy gradient pushes 6 of these up" in sentence
    assert "a step along the true gradient still raises 3 of the 20 worse actions" in sentence
    details = words.on_the_hindsight(found)
    assert "Each of the 32 states was set again" in details
    assert "played on from it, 256 times each" in details
    assert "lower by more than 2 [[standard_error|standard errors]]" in details
    assert "another batch" in words.on_worse_actions(WorseActions(32, 0, 0, 0, 0, 256))


def test_the_expected_push_adds_up_as_printed():
    push = ExpectedPush(5, 0.3849, 45.31, 47.93, 0.41)
    text = words.expected_push(push)
    up, down = map(float, re.findall(r"underbrace\{(-?[\d.]+)\}", text))
    total = float(text.split("=")[-1])
    assert up - down == pytest.approx(total, abs=1e-9)
    assert total == pytest.approx(push.push, abs=0.00501)
    assert total < 0
    assert up == pytest.approx(0.3849 * 0.6151 * 45.31, abs=0.0101)
    said = words.on_the_expected_push(push, 256)
    assert "drawn with probability 0.38" in said
    assert "is 45.3, that of the other 47.9 (difference 2.6, standard error 0.4" in said
    assert "n = 256 episodes played on from there, each" in said


def test_side_by_side_measures_angles_to_the_truth():
    updates = {  # the gradient is the loss's: a step goes against it
        "policy_gradient": small_update([1], [1], [-1, 0]),
        "actor_critic": small_update([1], [1], [0, -2]),
        "gae": small_update([1], [1], [3, 0]),
        "normalized": small_update([0], [0], [0, 0]),
    }
    table = words.table(updates, np.array([1.0, 0.0]), "gradient", np.array([1]))
    assert table["angle to the true gradient"].tolist() == ["0°", "90°", "180°", "undefined"]
    assert table["gradient's length"].tolist() == ["1", "2", "3", "0"]
    assert table["bad ones up"].tolist() == ["1 of 1", "1 of 1", "1 of 1", "0 of 1"]
    assert table["good ones up"].tolist() == ["0 of 0"] * 4
