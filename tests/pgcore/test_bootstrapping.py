"""Three targets for what follows a batch; with the true value the bootstrap has no bias."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pgcore import Config, episodes, seeding, stats, train
from pgcore.exact import batch_gradients
from pgcore.exact.toypole import ToyPole, Windows
from pgcore.gradients import collect_windows, exact_reference, gradients_of, measure, reference
from pgcore.gradients import windows as windows_module
from pgcore.gradients.bootstrapping import (
    CRITIC,
    CUT,
    EPISODES,
    FOLLOWED,
    bootstrapping,
    brought_back,
    targets,
    whole_episodes,
)
from pgcore.gradients.windows import horizon, tail, target
from tests.parts import by_python

CONFIG = Config(num_seeds=1, total_timesteps=2000)
ROW = train(CONFIG).checkpoints[-1, 0]
WINDOWS = collect_windows(ROW, CONFIG, 1500, 0)
TRUTH = reference(ROW, CONFIG, 1500, 0)
FOUND = bootstrapping(WINDOWS, TRUTH, 0, 2000)

POLE = ToyPole()
TOY = Config(gamma=POLE.gamma)


def holds(interval: stats.Interval, value: float) -> bool:
    return bool(interval.low <= value <= interval.high)


# --- the targets -----------------------------------------------------------------------------


def test_the_targets_differ_in_nothing_but_what_follows_the_batch():
    q, batch = targets(WINDOWS), WINDOWS.batch
    gamma = np.float32(CONFIG.gamma)
    stands = ~batch.ended[:, -1]
    assert (q[CUT][:, -1] == 1).all()
    guess = 1 + gamma * batch.final_values[stands, -1]
    np.testing.assert_allclose(q[CRITIC][stands, -1], guess, rtol=1e-6)
    assert q[FOLLOWED] is WINDOWS.mc_q
    for values in q.values():
        assert (values[batch.terminated] == 1).all()
        goes_on = ~batch.ended[:, :-1]
        follows = (batch.rewards[:, :-1] + gamma * values[:, 1:])[goes_on]
        np.testing.assert_allclose(values[:, :-1][goes_on], follows, rtol=1e-6)
    complete = batch.terminated[:, -1]  # these need no guess
    np.testing.assert_array_equal(q[CUT][complete], q[FOLLOWED][complete])


def test_the_clock_s_cut_is_answered_like_the_batch_s():
    batch = WINDOWS.batch
    truncated = np.zeros_like(batch.truncated)
    truncated[:, 3] = ~batch.terminated[:, 3]
    clocked = replace(WINDOWS, batch=replace(batch, truncated=truncated))
    assert (targets(clocked)[CUT][:, 3] == 1).all()
    lab = replace(clocked, config=CONFIG.replace(bootstrap_truncation=False))
    assert (targets(lab)[CUT][:, 3] == 1).all()


# --- negative controls: the true value has no bias -------------------------------------------


def enumerated(critic: np.ndarray | None, follows: bool = True) -> float:
    """Relative bias of a target on all of ToyPole's windows of 8 steps."""
    windows = POLE.windows(8, critic)
    after = windows.final_values * follows
    psi = target(TOY, windows.batch, after) - POLE.values[windows.states]
    return POLE.measure(windows, psi).relative_bias


def test_on_toypole_only_the_true_value_has_no_bias():
    assert enumerated(None) < 1e-6
    assert enumerated(None, follows=False) > 0.3
    assert 0.05 < enumerated(POLE.values / 2) < enumerated(None, follows=False)


def played(critic: np.ndarray, n: int = 3000, steps: int = 8, seed: int = 0):
    """Gradients of the three targets on windows of ToyPole, sampled; far steps play the tails."""
    rng = np.random.default_rng(seed)
    long: Windows = POLE.sample_windows(n, 160, rng, critic)
    batch = long.batch
    first = {
        name: getattr(batch, name)[:, :steps] for name in ("rewards", "terminated", "truncated")
    }
    short = replace(batch, **first)
    values = POLE.values[long.states[:, :steps]]
    q = {
        CUT: target(TOY, short, np.zeros((n, steps))),
        CRITIC: target(TOY, short, long.final_values[:, :steps]),
        FOLLOWED: long.q_values[:, :steps],
    }
    return {
        key: batch_gradients(psi - values, long.scores[:, :steps]).astype(np.float64)
        for key, psi in q.items()
    }


def test_a_true_critic_brings_everything_back_and_a_poor_one_does_not():
    truth = exact_reference(POLE.gradient)
    gradients = played(POLE.values)
    assert holds(brought_back(gradients, truth), 1)
    measured = measure(gradients, truth, base=FOLLOWED, unbiased=FOLLOWED, target=CUT)
    assert holds(measured[CRITIC].bias.along, 0)
    assert measured[CUT].bias.along.high < -0.2
    half = brought_back(played(POLE.values / 2), truth)
    assert 0 < half.low < half.high < 1
    nothing = brought_back(played(np.zeros(5)), truth)
    assert nothing[:3] == pytest.approx((0, 0, 0), abs=1e-9)
    away = brought_back(played(-POLE.values), truth)
    assert away.high < 0


def test_the_interval_of_what_comes_back_holds_the_truth_as_often_as_it_says():
    truth = exact_reference(POLE.gradient)
    exact = POLE.windows(8, POLE.values / 2)
    values = POLE.values[exact.states]
    bias = {}
    for key, follows in ((CRITIC, exact.final_values), (CUT, 0 * exact.final_values)):
        mean = POLE.measure(exact, target(TOY, exact.batch, follows) - values).mean
        bias[key] = mean @ POLE.gradient / (POLE.gradient @ POLE.gradient) - 1
    share = 1 - bias[CRITIC] / bias[CUT]
    held = sum(
        holds(brought_back(played(POLE.values / 2, 400, seed=seed), truth, draws=400), share)
        for seed in range(60)
    )
    assert held >= 51  # of 60: fewer happen once in 1,000 times at 95%


def true_values(windows: windows_module.Windows, tails: int = 32) -> np.ndarray:
    """The value of every state after a batch, from tails of its own.  [N]"""
    config, last = windows.config, windows.batch.final_obs[:, -1].astype(np.float64)
    play_on = by_python(tail)
    streams = seeding.fold(seeding.keys([77], "measurement"), np.arange(tails, dtype=np.uint64))

    def value(i: int, state: np.ndarray) -> float:
        steps, numbers = horizon(config.gamma), np.uint64([i])
        return float(
            np.mean(
                [
                    play_on(
                        windows.params, config.hidden_dim, config.gamma, 1.0, key, steps, *state
                    )
                    for key in seeding.fold(streams, numbers)
                ]
            )
        )

    return np.array([value(i, state) for i, state in enumerate(last)])


def test_on_cartpole_the_true_value_leaves_no_bias_and_the_learned_critic_does():
    assert FOUND.measurements[CUT].bias.along.high < -0.5
    assert FOUND.measurements[CRITIC].bias.along.high < -0.4
    assert 0 < FOUND.brought_back.low < FOUND.brought_back.high < 0.2
    batch = WINDOWS.batch
    known = batch.final_values.copy()
    known[:, -1] = true_values(WINDOWS)
    batch = replace(batch, final_values=known)
    batch = replace(batch, q_values=target(CONFIG, batch, known))
    control = bootstrapping(replace(WINDOWS, batch=batch), TRUTH, 0)
    assert holds(control.measurements[CRITIC].bias.along, 0)
    assert control.measurements[CRITIC].bias.relative.low == 0
    assert holds(control.brought_back, 1)
    assert holds(control.gap, 0)
    assert control.measurements[CRITIC].ratio.high < 1  # an average has less variance than a tail


# --- the numbers -----------------------------------------------------------------------------


def test_what_comes_back_is_one_less_the_ratio_of_the_biases():
    critic, cut = (FOUND.measurements[key].bias.along.estimate for key in (CRITIC, CUT))
    assert FOUND.brought_back.estimate == pytest.approx(1 - critic / cut, rel=1e-4)
    assert FOUND.brought_back.n == len(WINDOWS)


def test_the_baseline_is_the_same_for_all_three_and_followed_is_the_unit():
    psi = {key: q - WINDOWS.batch.values for key, q in targets(WINDOWS).items()}
    by_hand = measure(
        gradients_of(WINDOWS, psi), TRUTH, base=FOLLOWED, unbiased=FOLLOWED, target=CUT
    )
    for key, measured in FOUND.measurements.items():
        assert measured.tr_sigma == by_hand[key].tr_sigma
        assert measured.bias.along == by_hand[key].bias.along
    assert FOUND.measurements[FOLLOWED].ratio[:3] == pytest.approx((1, 1, 1))
    assert FOUND.measurements[FOLLOWED].bias.along[:3] == (0, 0, 0)


def test_mean_q_falls_for_the_cut_and_not_for_what_followed():
    q = targets(WINDOWS)
    for key, interval in FOUND.mean_q.items():
        expected = stats.mean_t_interval(q[key])
        np.testing.assert_array_equal(interval.estimate, expected.estimate)
        np.testing.assert_array_equal(interval.low, expected.low)
    cut, followed = (FOUND.mean_q[key] for key in (CUT, FOLLOWED))
    assert (np.diff(cut.estimate) < 0).all()
    assert followed.high[0] > followed.low[-1] and followed.high[-1] > followed.low[0]
    assert FOUND.gap.estimate == pytest.approx(
        FOUND.mean_q[CRITIC].estimate[-1] - followed.estimate[-1], rel=1e-4
    )
    assert FOUND.gap.high < 0


def test_without_a_future_nothing_is_missing():
    config = CONFIG.replace(gamma=0.0)
    windows = collect_windows(ROW, config, 200, 0)
    same = targets(windows)
    assert (same[CUT] == same[FOLLOWED]).all() and (same[CRITIC] == same[FOLLOWED]).all()
    gradients = gradients_of(windows, {key: q - windows.batch.values for key, q in same.items()})
    assert np.isnan(brought_back(gradients, TRUTH)[:3]).all()


def test_a_ratio_without_a_certain_sign_has_no_interval():
    rng = np.random.default_rng(0)
    noise = {key: rng.normal(size=(50, 5)) for key in (CUT, CRITIC, FOLLOWED)}
    noise[CUT] = noise[CUT] + POLE.gradient
    share = brought_back(noise, exact_reference(POLE.gradient))
    assert np.isfinite(share.estimate)
    assert np.isnan([share.low, share.high]).all()


def test_an_entire_episode_has_its_start_and_its_end_in_the_batch():
    few = collect_windows(ROW, CONFIG, 5, 0)
    terminated = np.zeros_like(few.batch.terminated)
    truncated = np.zeros_like(terminated)
    terminated[1, 3] = True  # an end alone
    terminated[2, 3] = terminated[2, 9] = True  # from 4 to 9
    terminated[3, 3] = True  # from the first step on, which is a start
    terminated[4, 3] = truncated[4, 8] = True  # the clock's end is an end
    batch = replace(few.batch, terminated=terminated, truncated=truncated)
    elapsed = np.array([0, 7, 7, 0, 7])
    found = whole_episodes(replace(few, batch=batch, elapsed=elapsed))
    assert found.tolist() == [False, False, True, True, True]


def test_episodes_that_fit_are_counted_on_whole_episodes():
    lengths = [e.length for e in episodes.play(ROW, CONFIG, 0, 2000, EPISODES)]
    assert FOUND.lengths.tolist() == lengths
    fit = sum(length <= CONFIG.batch_size for length in lengths)
    assert FOUND.fitting == stats.proportion_interval(fit, EPISODES)
    assert 0 < FOUND.fitting.estimate < 1
    assert FOUND.whole.estimate == whole_episodes(WINDOWS).mean()
    assert FOUND.asked.estimate == 1 - WINDOWS.batch.terminated[:, -1].mean()
