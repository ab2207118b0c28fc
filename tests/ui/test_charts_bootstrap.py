"""Why bootstrap: what is drawn and what is said, at settings where the answer turns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from pgcore import Config, train
from pgcore.gradients import collect_windows, reference
from pgcore.gradients.bootstrapping import (
    CRITIC,
    CUT,
    FOLLOWED,
    TARGETS,
    Bootstrapping,
    bootstrapping,
)
from pgcore.gradients.measurement import Bias, Measurement
from pgcore.stats import Interval
from ui.bootstrap import charts, words

N = 2000
CONFIG = Config(algorithm="actor_critic", num_seeds=3)


@lru_cache(maxsize=8)
def found(seed: int = 0, checkpoint: int = 4, steps: int = 32, **changes: float):
    """The page's measurement of one policy of the default run, or of one with other settings."""
    config = CONFIG.replace(**changes)
    params = _trained(config).checkpoints[checkpoint, seed]
    batch = config.replace(batch_size=steps)
    windows, truth = collect_windows(params, batch, N, seed), reference(params, batch, N, seed)
    return bootstrapping(windows, truth, seed, checkpoint * config.eval_interval)


@lru_cache(maxsize=4)
def _trained(config: Config):
    return train(config)


def interval(estimate: float, low: float, high: float, n: int = N) -> Interval:
    return Interval(estimate, low, high, n)


def measured(key: str, base: Bootstrapping | None = None, **changes) -> Measurement:
    """A measurement with other numbers: `along` and `whole` are those of its bias."""
    measurement = (base or found()).measurements[key]
    bias = measurement.bias
    along, whole = changes.pop("along", bias.along), changes.pop("whole", bias.relative)
    return replace(measurement, bias=Bias(whole, along, bias.test), **changes)


def altered(share: Interval | None = None, **targets) -> Bootstrapping:
    """The default measurement with some targets, or what comes back, replaced."""
    base = found()
    named = base.measurements | {key: measured(key, **changes) for key, changes in targets.items()}
    return replace(base, measurements=named, brought_back=share or base.brought_back)


NAN = interval(np.nan, np.nan, np.nan)
UNDEFINED = altered(NAN, **{key: {"along": NAN, "whole": NAN} for key in (CUT, CRITIC)})


# --- the answer turns ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        ({}, 2),  # after 2,000 steps the critic has hardly learned
        ({"checkpoint": 0}, 2),
        ({"seed": 1, "checkpoint": 8}, 1),
        ({"checkpoint": 20}, 0),
        ({"steps": 1}, 2),  # a single step, all of it the critic's guess: harm
    ],
)
def test_the_answer_follows_policy_and_batch(settings, option):
    here = found(**settings)
    share = here.brought_back
    assert words.answer(here) == option
    low, high = ((0.8, np.inf), (0.2, 0.8), (-np.inf, 0.2))[option]
    assert low <= share.estimate <= high
    said = words.explanation(here)
    cut, critic = (here.measurements[key].bias.along for key in (CUT, CRITIC))
    assert f"the mean update is {words.off(cut)} of the true gradient" in said
    assert f"With the critic it is {words.off(critic)}." in said
    assert f"The critic brings back {share:.0%} of what is missing (n = 2,000 batches)." in said
    assert ("does harm" in said) == (share.high < 0)


def test_early_the_critic_brings_little_and_late_most():
    shares = [found(checkpoint=k).brought_back for k in (0, 4, 20)]
    assert shares[0].high < shares[1].low and shares[1].high < shares[2].low
    assert "does harm" in words.explanation(found(steps=1))


@pytest.mark.parametrize(
    ("share", "option", "more"),
    [
        ((0.9, 0.85, 0.95), 0, ""),
        ((0.81, 0.7, 0.9), 0, " The interval holds another answer too."),
        ((0.8, 0.7, 0.8), 1, ""),
        ((0.2, 0.2, 0.3), 1, ""),
        ((0.1, 0.05, 0.15), 2, ""),
        ((-0.2, -0.3, -0.1), 2, " Below 0% it does harm."),
        ((1.3, 1.2, 1.4), 0, " Above 100% it does too much."),
        ((1.3, 0.7, 1.9), 0, " The interval holds another answer too."),
    ],
)
def test_the_answer_and_its_remarks_follow_the_interval(share, option, more):
    here = altered(interval(*share))
    assert words.answer(here) == option
    assert words.explanation(here).endswith(f"(n = 2,000 batches).{more}")


def test_where_nothing_can_be_said_no_option_is_the_answer():
    unsure = altered(cut={"along": interval(-0.1, -0.3, 0.1)})
    assert words.answer(unsure) is None
    assert words.explanation(unsure).startswith(words.NOTHING_MISSING)
    assert "brings back" not in words.explanation(unsure)
    assert "is off by -10% [-30%, +10%] of the true gradient" in words.explanation(unsure)
    without = altered(interval(0.5, np.nan, np.nan))
    assert words.answer(without) is None
    assert words.answer(found(gamma=0.0)) is None
    assert words.answer(UNDEFINED) is None
    assert words.explanation(UNDEFINED) == (
        f"{words.NO_GRADIENT} With n = 2,000 batches its length is not told apart from 0."
    )


@pytest.mark.parametrize(
    ("bias", "said"),
    [
        ((-0.6, -0.7, -0.5), "too short by 60% [50%, 70%]"),
        ((0.6, 0.5, 0.7), "too long by 60% [50%, 70%]"),
        ((0.1, -0.1, 0.3), "off by +10% [-10%, +30%]"),
        ((-0.1, -0.3, 0.1), "off by -10% [-30%, +10%]"),
    ],
)
def test_a_bias_has_a_side_only_where_its_interval_has_one(bias, said):
    assert words.off(interval(*bias)) == said


# --- below the figures -----------------------------------------------------------------------


def test_the_fall_of_the_cut_return_is_quoted():
    q = found().mean_q[CUT]
    first = f"{q.estimate[0]:.1f} [{q.low[0]:.1f}, {q.high[0]:.1f}]"
    said = words.on_returns(found())
    assert said.startswith(f"The cut return falls from {first} at the first step to 1, its own")
    single = words.on_returns(found(steps=1))
    assert single.startswith("The cut return of a single step is its own reward, 1. ")


@pytest.mark.parametrize(
    ("offset", "said"),
    [
        (0.5, "falls from 26.4 [25.8, 27.0] at the first step to 1.5, its own reward, at the last"),
        (-2.0, "rises from -17.6 [-18.0, -17.2] at the first step to -1, its own reward, at the"),
    ],
)
def test_the_cut_return_ends_at_the_reward_that_is_paid(offset, said):
    """A shift of every reward multiplies what CartPole pays, and so each cut return."""
    q, paid = found().mean_q[CUT], 1 + offset
    low, high = sorted((paid * q.low, paid * q.high), key=lambda bound: bound[0])
    shifted = Interval(paid * q.estimate, low, high, q.n)
    assert said in words.on_returns(replace(found(), mean_q=found().mean_q | {CUT: shifted}))
    single = Interval(*(bound[-1:] for bound in shifted[:3]), q.n)
    alone = replace(found(), mean_q=found().mean_q | {CUT: single}, batch_size=1)
    assert f"of a single step is its own reward, {paid:g}." in words.on_returns(alone)


def test_where_no_later_reward_counts_the_cut_return_does_not_move():
    ones = np.ones(32)
    flat = replace(found(), mean_q=found().mean_q | {CUT: Interval(ones, ones, ones, N)})
    assert "The cut return is its own reward, 1, at every step." in words.on_returns(flat)


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        ((-17.1, -17.6, -16.7), "17.1 [16.7, 17.6] too low on average"),
        ((5.1, 4.4, 5.9), "5.1 [4.4, 5.9] too high on average"),
        ((0.2, -0.3, 0.7), "is not told apart from that of what followed: +0.2 [-0.3, +0.7]"),
        ((-0.2, -0.7, 0.3), "is not told apart from that of what followed: -0.2 [-0.7, +0.3]"),
    ],
)
def test_the_critic_s_error_has_its_sign(gap, said):
    text = words.on_gap(interval(*gap))
    assert said in text and text.endswith("(n = 2,000 batches).")


def test_the_critic_is_too_low_early_and_too_high_late():
    assert "too low" in words.on_returns(found())
    assert "too high" in words.on_returns(found(checkpoint=20))


@pytest.mark.parametrize(
    ("cut", "critic", "said"),
    [
        ((0.2, 0.1, 0.3), (0.3, 0.2, 0.4), "no bias and the most variance"),
        ((1.6, 1.5, 1.7), (0.6, 0.5, 0.7), "the cut has the most, and a bias too"),
        ((1.6, 1.5, 1.7), (1.6, 1.5, 1.7), "the least variance too"),
        ((0.9, 0.8, 1.1), (0.6, 0.5, 0.7), "Not every variance is told apart"),
        ((0.6, 0.5, 0.7), (0.9, 0.8, 1.1), "Not every variance is told apart"),
    ],
)
def test_who_pays_with_variance(cut, critic, said):
    assert said in words.verdict(interval(*cut), interval(*critic))


def test_the_variances_are_quoted_and_the_verdict_turns_late():
    for here in (found(), found(checkpoint=20)):
        cut, critic = (here.measurements[key].ratio for key in (CUT, CRITIC))
        said = words.on_updates(here)
        assert f"{cut} with the cut, {critic} with the critic (n = 2,000 batches)" in said
        assert said.endswith(words.remarks(here)[0])
    assert words.remarks(found()) == ["What truly followed has no bias and the most variance."]
    late = words.remarks(found(checkpoint=20))
    assert late[-1].startswith("The critic has the least variance")
    whole = found(checkpoint=20).measurements[CRITIC].bias.relative
    assert f"its whole bias is {whole:.0%} of the true gradient's length" in late[0]


def test_an_update_against_the_gradient_is_named_first():
    assert words.remarks(found(steps=1))[0].startswith("The critic's mean update points against")
    against = altered(critic={"along": interval(-1.2, -1.4, -1.01)})
    assert "more than 100%" in words.remarks(against)[0]
    perhaps = altered(critic={"along": interval(-1.2, -1.4, -0.9)})
    assert not any("points against" in said for said in words.remarks(perhaps))
    assert words.remarks(UNDEFINED) == [f"{words.NO_GRADIENT} So no bias can be given."]


@pytest.mark.parametrize(
    ("gap", "along", "said"),
    [
        ((-1.0, -1.5, -0.5), (-0.5, -0.6, -0.4), True),
        ((1.0, 0.5, 1.5), (0.5, 0.4, 0.6), True),
        ((-1.0, -9.0, -0.5), (-0.5, -0.6, -0.4), False),  # perhaps far off
        ((-1.0, -1.5, -0.5), (-0.5, -0.6, -0.1), False),  # perhaps hardly biased
        ((-1.0, -1.5, -0.5), (0.0, -0.6, 0.6), False),
        ((-17.0, -17.5, -16.5), (-0.5, -0.6, -0.4), False),
    ],
)
def test_right_on_average_and_biased_all_the_same(gap, along, said):
    here = replace(altered(critic={"along": interval(*along)}), gap=interval(*gap))
    assert any("nearly right on average" in text for text in words.remarks(here)) == said


def test_episodes_that_fit_are_counted_and_the_notebook_is_held_to_it():
    early, late = found(checkpoint=0), found(checkpoint=20)
    said = words.on_lengths(early)
    assert f"Of n = 200 episodes {early.fitting:.0%} are no longer than a batch of 32 steps" in said
    assert f"{early.whole:.1%} of n = 2,000 batches hold an entire episode; the lab" in said
    assert early.whole.low > 0.3
    assert late.whole.estimate == 0
    assert words.on_lengths(late).endswith(
        f"None of n = 2,000 batches holds an entire episode (at most {late.whole.high:.1%}), as "
        "the lab notebook says."
    )
    assert "notebook" not in words.on_lengths(found(steps=1))
    assert "a batch of 1 step." in words.on_lengths(found(steps=1))


def test_the_table_has_every_target_with_intervals():
    table = words.table(found()).set_index("what follows a batch")
    row = table.loc[words.MEANINGS[CRITIC]]
    critic = found().measurements[CRITIC]
    assert row["bias along the gradient"] == f"{critic.bias.along:+.1%}"
    assert row["whole bias"] == f"{critic.bias.relative:.1%}"
    assert row["variance / what followed"] == f"{critic.ratio}"
    assert row["updates the right way"] == f"{critic.right_way:.0%}"
    assert table.loc[words.MEANINGS[FOLLOWED], "bias along the gradient"] == "0, by theory"
    asked = found().asked
    assert words.on_asked(found()).startswith(f"{asked:.1%} of n = 2,000 batches end while the")


def test_no_sentence_is_long():
    said = [words.QUESTION.text, *words.QUESTION.texts]
    for here in (found(), found(checkpoint=20), found(steps=1), UNDEFINED):
        said += [words.explanation(here), words.on_returns(here), words.on_updates(here)]
        said += [words.on_lengths(here), words.on_asked(here), *words.remarks(here)]
    for text in said:
        plain = re.sub(r"\[[^]]*\]|\(n = [^)]*\)", "", text)
        for sentence in re.split(r"(?<=[.?])\s", plain):
            assert len(sentence.split()) <= 25, sentence


# --- the charts ------------------------------------------------------------------------------


def serialised(spec: dict) -> str:
    """The spec as JSON: without data, every mark named or hidden from a screen reader."""
    text = json.dumps(spec)
    assert '"datasets"' not in text
    for mark in marks(spec):
        assert mark.get("aria") is False or mark.get("description"), mark
    return text


def marks(node: object) -> Iterator[dict]:
    if isinstance(node, dict):
        if isinstance(node.get("mark"), dict):
            yield node["mark"]
        for value in node.values():
            yield from marks(value)
    if isinstance(node, list):
        for value in node:
            yield from marks(value)


@pytest.mark.parametrize("steps", [1, 32])
def test_returns_are_drawn_at_every_position_with_one_label_each(steps):
    here = found(steps=steps)
    rows = charts.return_rows(here)
    assert rows.groupby("target")["t"].apply(list).to_dict() == {
        key: [*range(steps)] for key in TARGETS
    }
    for key in TARGETS:
        own = rows[rows["target"] == key]
        np.testing.assert_array_equal(own["q"], here.mean_q[key].estimate)
        assert (own["low"] <= own["q"]).all() and (own["q"] <= own["high"]).all()
    labels = rows[rows["label"] != ""]
    assert labels["t"].tolist() == [steps - 1] * 3
    gaps = np.diff(np.sort(labels["label_y"]))
    assert (gaps >= charts.return_top(here) / 16 - 1e-9).all()
    assert rows["high"].max() <= charts.return_top(here)
    serialised(charts.return_spec(steps, charts.return_top(here)))


@pytest.mark.parametrize("settings", [{}, {"checkpoint": 20}, {"steps": 1}, {"gamma": 0.0}])
def test_every_point_lies_inside_its_axes(settings):
    here = found(**settings)
    rows = charts.update_rows(here).set_index("target")
    assert rows.loc[FOLLOWED, ["bias", "variance"]].tolist() == [0, 1]
    low, high = charts.bias_range(here)
    quiet, loud = charts.variance_range(here)
    assert low < rows["bias"].min() and rows["bias"].max() < high
    assert quiet < rows["variance_low"].min() and rows["variance_high"].max() < loud
    for key in set(rows.index) - {FOLLOWED}:
        measurement = here.measurements[key]
        assert rows.loc[key, "bias"] == measurement.bias.along.estimate
        assert rows.loc[key, "variance_high"] == measurement.ratio.high
    serialised(charts.update_spec((low, high), (quiet, loud)))


def test_what_cannot_be_measured_is_not_drawn_and_what_is_far_off_is_clipped():
    assert charts.update_rows(UNDEFINED)["target"].tolist() == [FOLLOWED]
    assert charts.bias_range(UNDEFINED) == (-1.1, 0.15)
    far = altered(cut={"along": interval(-2.0, -9.0, 5.0), "ratio": interval(300.0, 250.0, 350.0)})
    assert charts.bias_range(far) == (charts.DEEPEST, charts.HIGHEST)
    quiet, loud = charts.variance_range(far)
    axis = json.loads(serialised(charts.update_spec(charts.bias_range(far), (quiet, loud))))
    ticks = next(
        layer["encoding"]["x"]["axis"]["values"]
        for layer in axis["layer"]
        if "values" in (layer["encoding"].get("x", {}).get("axis") or {})
    )
    assert ticks == [1, 10, 100]


def test_the_lower_of_two_labels_hangs_below_its_point():
    rows = charts.update_rows(found()).set_index("target")
    assert rows["dy"].to_dict() == {CUT: "below", CRITIC: "above", FOLLOWED: "above"}
    assert rows.loc[FOLLOWED, "side"] == "left" and rows.loc[CUT, "side"] == "right"


def test_the_histogram_counts_every_episode_once():
    for settings in ({}, {"checkpoint": 20}):
        here = found(**settings)
        rows = charts.length_rows(here)
        assert rows["count"].sum() == len(here.lengths)
        assert (rows["low"].iloc[1:].to_numpy() == rows["high"].iloc[:-1].to_numpy()).all()
        width = rows["high"].iloc[0] - rows["low"].iloc[0]
        inside = (here.lengths >= width) & (here.lengths < 2 * width)
        assert rows["count"].iloc[1] == inside.sum()
        assert len(rows) <= charts.BINS + 1
    text = serialised(charts.length_spec(500, 60, 32))
    assert "the batch: 32" in text
    assert '"align": "right"' in serialised(charts.length_spec(100, 60, 256))


def test_the_charts_are_said_in_words():
    here = found()
    cut = here.measurements[CUT]
    said = words.updates_description(here)
    assert f"bias {cut.bias.along:+.0%} and variance {cut.ratio}" in said
    assert "nothing follows, from" in words.returns_description(here)
    assert f"median {np.median(here.lengths):.0f}" in words.lengths_description(here)
