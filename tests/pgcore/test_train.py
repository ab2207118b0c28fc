"""The loop: the same bits however it is cut up, a hand on it while it runs, and that it learns."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from pgcore import (
    ALGORITHMS,
    Algorithm,
    Cancelled,
    Config,
    Control,
    History,
    networks,
    stats,
    stream,
    train,
)
from pgcore.learners import shape_of
from pgcore.train import (
    SEEDS_WORTH_A_THREAD,
    final_evaluation,
    learner_of,
    minibatches,
    random_return,
)

loop = importlib.import_module("pgcore.train")  # the module; pgcore.train is its function
EVERY = pytest.mark.parametrize("algorithm", ALGORITHMS)
LEARNERS = pytest.mark.parametrize("learner", ["compiled", "autograd"])
SHORT = Config(num_seeds=5, total_timesteps=150, eval_interval=50, eval_episodes=2, batch_size=16)
SHARDED = SHORT.replace(num_seeds=4 * SEEDS_WORTH_A_THREAD)


def assert_same(a: History, b: History, seeds: slice = slice(None)) -> None:
    """Bit for bit: evaluations and every checkpoint of a, against some seeds of b."""
    np.testing.assert_array_equal(a.eval_steps, b.eval_steps)
    np.testing.assert_array_equal(a.eval_episode_returns, b.eval_episode_returns[:, seeds])
    np.testing.assert_array_equal(a.checkpoints, b.checkpoints[:, seeds])


@pytest.fixture
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


# --- The same bits ---------------------------------------------------------------------------


@EVERY
@LEARNERS
def test_the_same_config_gives_the_same_history(algorithm: str, learner: str) -> None:
    config = SHORT.replace(algorithm=algorithm, learner=learner)
    history = train(config)
    assert_same(history, train(config))
    assert not np.array_equal(history.checkpoints[0], history.checkpoints[1])
    assert np.isfinite(history.checkpoints).all()


@EVERY
@LEARNERS
def test_a_seed_alone_is_that_seed_among_many(algorithm: str, learner: str) -> None:
    """Any part of the seeds, one of them or several, stacked: the same runs as apart."""
    config = SHORT.replace(algorithm=algorithm, learner=learner)
    whole = train(config)
    for seeds in (slice(0, 1), slice(3, 4), slice(2, 5)):
        part = config.replace(first_seed=seeds.start, num_seeds=seeds.stop - seeds.start)
        assert_same(train(part), whole, seeds)


def shares(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many seeds each thread is given, once it has begun."""
    dealt, learn = [], loop.learn

    def spy(config: Config, seeds: range, control: Control, learner: object):
        dealt.append(len(seeds))
        return learn(config, seeds, control, learner)

    monkeypatch.setattr(loop, "learn", spy)
    return dealt


@EVERY
def test_threads_change_nothing(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SHARDED.replace(algorithm=algorithm)
    dealt, one = shares(monkeypatch), train(config, threads=1)
    for threads in (2, 4):
        assert_same(train(config, threads=threads), one)
    assert dealt == [96] + [48] * 2 + [24] * 4
    assert_same(train(SHORT.replace(algorithm=algorithm)), one, slice(0, 5))


def test_a_thousand_seeds_hold_each_one() -> None:
    many = train(SHORT.replace(num_seeds=1000))
    assert_same(train(SHORT.replace(first_seed=977, num_seeds=1)), many, slice(977, 978))


@contextmanager
def both_cores_busy() -> Iterator[None]:
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        yield
        assert all(process.poll() is None for process in burning)
    finally:
        for process in burning:
            process.kill()
            process.wait()


def test_a_busy_machine_changes_nothing() -> None:
    quiet = train(SHARDED, threads=2)
    with both_cores_busy():
        for threads in (1, 2, 4):
            assert_same(train(SHARDED, threads=threads), quiet)


@EVERY
@LEARNERS
def test_evaluation_does_not_touch_training(algorithm: str, learner: str) -> None:
    """How often, how long and how greedily one evaluates: the policy at the end is the same."""
    config = SHORT.replace(algorithm=algorithm, learner=learner)
    history = train(config)
    rarely, often = (train(config.replace(eval_interval=n)) for n in (150, 10))
    once, greedily = (
        train(config.replace(**c)) for c in (dict(eval_episodes=1), dict(eval_greedy=True))
    )
    for other in (rarely, often, once, greedily):
        np.testing.assert_array_equal(other.checkpoints[-1], history.checkpoints[-1])
    for other in (rarely, often):  # the evaluation after 150 steps is the same one, too
        np.testing.assert_array_equal(other.final_returns, history.final_returns)
    np.testing.assert_array_equal(once.final_returns, history.eval_episode_returns[-1, :, 0])


@EVERY
def test_settings_that_matter_matter(algorithm: str) -> None:
    """Each of these changes the policy: a setting that nobody reads would not."""
    config = Config(algorithm=algorithm, num_seeds=2, total_timesteps=1200, eval_interval=1200)
    entry, final = ALGORITHMS[algorithm], train(config).checkpoints[-1]
    read: dict[str, Any] = dict(
        batch_size=64, learning_rate=1e-3, critic_learning_rate=1e-3, gamma=0.9, value_coef=0.1,
        entropy_coef=0.1, fixed_start=True, first_seed=1,
    )  # fmt: skip
    if entry.clipped:
        read |= dict(clip_range=0.05, num_epochs=2, minibatch_size=16)
    if entry.weight is ALGORITHMS["gae"].weight:
        read |= dict(gae_lambda=0.5)
    if algorithm == "constant":
        read |= dict(baseline=3.0)
    if algorithm == "formula":
        read |= dict(formula="b = mean(q)")
    for name, value in read.items():
        changed = train(config.replace(**{name: value})).checkpoints[-1]
        assert not np.array_equal(changed, final), name


# --- A run as it grows -----------------------------------------------------------------------


@LEARNERS
def test_a_stream_grows(learner: str) -> None:
    config = SHORT.replace(learner=learner)
    histories, whole = list(stream(config)), train(config)
    assert [h.eval_steps.tolist() for h in histories] == [[50], [50, 100], [50, 100, 150]]
    assert [h.complete for h in histories] == [False, False, True]
    for k, history in enumerate(histories):
        assert_same(history, whole.upto(k + 1))
    start = networks.initial_parameters(shape_of(config), config.seeds)
    np.testing.assert_array_equal(whole.checkpoints[0], start)


def test_what_was_yielded_stays_as_it_was() -> None:
    """A history is read while other threads go on with the run."""
    seen = [(h, h.eval_returns.copy(), h.checkpoints.copy()) for h in stream(SHARDED, threads=4)]
    for history, returns, checkpoints in seen:
        np.testing.assert_array_equal(history.eval_returns, returns)
        np.testing.assert_array_equal(history.checkpoints, checkpoints)


class Reader(threading.Thread):
    """Somebody who reads a run to its end, in a thread of their own."""

    def __init__(self, config: Config, control: Control) -> None:
        super().__init__(daemon=True)
        self.config, self.control = config, control
        self.histories: list[History] = []
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            for history in stream(self.config, threads=4, control=self.control):
                self.histories.append(history)
        except BaseException as error:
            self.error = error


def test_pause_and_resume(no_thread_stays: None) -> None:
    control = Control()
    control.pause()
    assert control.paused
    reader = Reader(SHARDED, control)
    reader.join(0.2)
    assert reader.is_alive() and reader.histories == []
    control.resume()
    reader.join()
    assert reader.error is None and not control.paused
    assert_same(reader.histories[-1], train(SHARDED))


def test_cancel_ends_a_paused_run(no_thread_stays: None) -> None:
    control = Control()
    control.pause()
    reader = Reader(SHARDED, control)
    control.cancel()
    reader.join()
    assert isinstance(reader.error, Cancelled) and reader.histories == []


@LEARNERS
def test_cancel_ends_a_run(learner: str, no_thread_stays: None) -> None:
    """A million steps were asked for; the reader gets no more than was under way."""
    config = SHARDED.replace(total_timesteps=1_000_000, eval_interval=1000, hidden_dim=2)
    control, histories = Control(), []
    with pytest.raises(Cancelled):
        for history in stream(config.replace(learner=learner), threads=4, control=control):
            histories.append(history)
            control.cancel()
    assert histories and not histories[-1].complete


def test_a_reader_who_leaves_takes_the_threads_along(no_thread_stays: None) -> None:
    control = Control()
    reading: Any = stream(SHARDED.replace(total_timesteps=100_000), threads=4, control=control)
    next(reading)
    reading.close()
    with pytest.raises(Cancelled):
        control.check()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_shards_exception_reaches_the_caller(
    threads: int, no_thread_stays: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raised in one thread, while the others train on."""
    config, calls = SHORT.replace(num_seeds=2 * SEEDS_WORTH_A_THREAD + 1), []
    entry = ALGORITHMS["actor_critic"]

    def breaks(batch, config: Config) -> np.ndarray:
        calls.append(len(batch.rewards))
        if len(batch.rewards) >= 25 and calls.count(calls[-1]) == 3:  # the larger share's third
            raise ArithmeticError("a shard broke")
        return entry.weight(batch, config)

    monkeypatch.setitem(ALGORITHMS, "actor_critic", replace(entry, weight=breaks))
    with pytest.raises(ArithmeticError, match="a shard broke"):
        list(stream(config, threads=threads))
    assert max(calls) == (49 if threads == 1 else 25)


def test_a_shards_exception_does_not_wait_for_the_others(
    no_thread_stays: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two shares whose first evaluation is 31,250 updates away, and one breaks at once."""
    seeds = 2 * SEEDS_WORTH_A_THREAD + 1  # the caller's share is the smaller
    config = SHORT.replace(
        num_seeds=seeds, total_timesteps=10**6, eval_interval=10**6, batch_size=32
    )
    entry, calls = ALGORITHMS["actor_critic"], []

    def breaks(batch, config: Config) -> np.ndarray:
        calls.append(len(batch.rewards))
        if len(batch.rewards) > SEEDS_WORTH_A_THREAD:
            raise ArithmeticError("a shard broke")
        return entry.weight(batch, config)

    monkeypatch.setitem(ALGORITHMS, "actor_critic", replace(entry, weight=breaks))
    with pytest.raises(ArithmeticError, match="a shard broke"):
        list(stream(config, threads=2))
    assert calls.count(SEEDS_WORTH_A_THREAD) < 31_250


# --- PPO's parts, other environments ---------------------------------------------------------


def every_step(seeds: int, steps: int) -> np.ndarray:
    return np.tile(np.arange(steps), (seeds, 1))


def test_minibatches_are_shuffled_epochs() -> None:
    """Each epoch takes every step once, in an order of the seed's own and new each time."""
    config = Config(algorithm="ppo", num_epochs=3, minibatch_size=5)
    keys, updates = np.array([3, 4], np.uint64), np.zeros(2, np.int64)
    parts = []
    for index in minibatches(config, keys, updates, every_step(2, 12)):
        parts.append(index)
        updates += 1
    assert [p.shape for p in parts] == [(2, 5), (2, 5), (2, 2)] * 3
    epochs = [np.concatenate(parts[i : i + 3], axis=1) for i in (0, 3, 6)]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.tile(np.arange(12), (2, 1)))
        assert (epoch[0] != epoch[1]).any()
    assert (epochs[0] != epochs[1]).any() and (epochs[1] != epochs[2]).any()
    (alone, *_) = minibatches(config, keys[1:], np.zeros(1, np.int64), every_step(1, 12))
    np.testing.assert_array_equal(alone, parts[0][1:])


def test_all_others_see_all_steps_once() -> None:
    for algorithm in (key for key, entry in ALGORITHMS.items() if not entry.clipped):
        config = Config(algorithm=algorithm)
        keys, updates = np.zeros(2, np.uint64), np.zeros(2, np.int64)
        (index,) = minibatches(config, keys, updates, every_step(2, 3))
        assert index.tolist() == [[0, 1, 2]] * 2


def test_first_orders_are_fair() -> None:
    """Which step comes first is as good as uniform over many seeds."""
    config = Config(algorithm="ppo", minibatch_size=1)
    keys = np.arange(6000, dtype=np.uint64)
    first = next(minibatches(config, keys, np.zeros(6000, np.int64), every_step(6000, 6)))
    assert (np.abs(np.bincount(first[:, 0]) - 1000) < 150).all()


@pytest.mark.parametrize("algorithm", ["actor_critic", "ppo", "reinforce"])
@pytest.mark.parametrize("env_id", ["Acrobot-v1", "CartPole-v0"])
def test_other_environments_train(env_id: str, algorithm: str) -> None:
    config = Config(
        env_id=env_id, algorithm=algorithm, num_seeds=2, total_timesteps=600, eval_interval=600,
        eval_episodes=1,
    )  # fmt: skip
    history = train(config)
    low, high = (-500, -1) if env_id == "Acrobot-v1" else (8, 200)
    assert ((history.final_returns >= low) & (history.final_returns <= high)).all()
    assert (history.checkpoints[0] != history.checkpoints[1]).any(axis=1).all()
    assert_same(train(config.replace(num_seeds=1, first_seed=1)), history, slice(1, 2))


def test_a_formula_of_cartpole_is_refused_elsewhere() -> None:
    config = SHORT.replace(env_id="Acrobot-v1", algorithm="formula", formula="b = theta")
    with pytest.raises(ValueError, match="This batch does not hold theta"):
        train(config)


def test_which_learner_runs() -> None:
    named = {c: learner_of(c).__name__ for c in (SHORT, SHORT.replace(learner="autograd"))}
    assert [name.split(".")[-1] for name in named.values()] == ["compiled", "autograd"]
    acrobot = SHORT.replace(env_id="Acrobot-v1")
    assert learner_of(acrobot).__name__ == "pgcore.learners.autograd"


# --- Learning --------------------------------------------------------------------------------


def test_random_actions_last_some_22_steps() -> None:
    assert 21 < random_return("CartPole-v1") < 23.5


@EVERY
def test_every_estimator_learns(algorithm: str) -> None:
    """With the defaults, the interval of the mean lies above twice what random actions bring."""
    interval = stats.mean_t_interval(train(Config(algorithm=algorithm, num_seeds=24)).final_returns)
    assert interval.low > 2 * random_return("CartPole-v1")


def test_the_first_start_compiles_what_later_ones_load(tmp_path: Path) -> None:
    """A function that is inlined here and called there may round differently, so that a history
    would change as soon as its code comes from the cache."""
    program = (
        "import hashlib; from pgcore import Config, train\n"
        "config = Config(num_seeds=20, total_timesteps=2000, entropy_coef=0.02)\n"
        "histories = [train(config.replace(algorithm=a)) for a in ('actor_critic', 'ppo')]\n"
        "print(*(hashlib.sha256(h.checkpoints).hexdigest() for h in histories))"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    starts = []
    for _ in range(2):
        command = [sys.executable, "-c", program]
        starts.append(subprocess.run(command, env=environment, capture_output=True, check=True))
    assert list(tmp_path.rglob("pgcore.learners.compiled._collect-*.nbc"))
    assert starts[0].stdout == starts[1].stdout != b""


def test_a_critic_helps() -> None:
    """Defaults, 100 seeds: actor_critic ends above policy_gradient, and the interval excludes 0."""
    final = {a: train(Config(algorithm=a, num_seeds=100)).final_returns
             for a in ("policy_gradient", "actor_critic")}  # fmt: skip
    gain = stats.difference_interval(final["policy_gradient"], final["actor_critic"])
    assert gain.low > 0


@pytest.mark.slow
def test_both_learners_draw_the_same_curves() -> None:
    """200 seeds, every estimator, every evaluation: no paired difference survives Holm.

    Rounding parts the two sooner or later, and each then learns from other episodes.
    """

    def curves(learner: str) -> np.ndarray:  # [K of all estimators, S]
        configs = [Config(algorithm=a, num_seeds=200, learner=learner) for a in ALGORITHMS]
        return np.concatenate([train(config).eval_returns for config in configs]).astype(float)

    difference = curves("autograd") - curves("compiled")
    parted = difference[difference.any(axis=1)]
    assert 0 < len(parted) <= len(difference)
    assert stats.holm(ttest_1samp(parted, 0, axis=1).pvalue).min() > 0.05


def test_the_final_policy_is_measured_over_a_hundred_episodes():
    history = train(Config(num_seeds=60))
    returns = final_evaluation(history)
    assert returns.shape == (60, 100)
    own = history.config.eval_episodes
    assert np.array_equal(returns[:, :own], history.eval_episode_returns[-1])  # the same stream
    assert np.array_equal(returns, final_evaluation(history, threads=1))
    # A maximum over evaluations is easier to reach than a mean over a hundred episodes.
    threshold = 300.0
    solved = returns.mean(-1) >= threshold
    assert history.reached(threshold).sum() > solved.sum() > 0


def test_an_estimators_key_and_settings_are_a_config():
    short = dict(num_seeds=2, total_timesteps=1000)
    named = train("ppo", **short)
    assert named.config == Config(algorithm="ppo", **short)
    assert np.array_equal(named.checkpoints, train(Config(algorithm="ppo", **short)).checkpoints)
    assert train(Config(**short), gamma=0.9).config == Config(**short, gamma=0.9)


FIRST_CALL = "import pgcore; pgcore.train(num_seeds=1, total_timesteps=64, eval_interval=64)"


def test_the_first_call_on_a_machine_says_that_it_compiles(tmp_path):
    def said() -> str:
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", FIRST_CALL]
        return subprocess.run(command, env=environment, capture_output=True, text=True).stderr

    assert said() == "pgcore: compiling the learner, some 5 s, once on this machine\n"
    assert said() == ""  # loaded from the cache


def test_the_torch_learner_leaves_torchs_threads_alone():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        train(Config(learner="autograd", num_seeds=1, total_timesteps=64, eval_interval=64))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_an_estimator_registered_at_run_time_trains_and_is_measured_and_drawn(monkeypatch):
    from pgcore.gradients import examine
    from pgcore.plotting.curves import chart
    from pgcore.plotting.series import of_histories

    mine = Algorithm(
        lambda batch, config: batch.q_values - 0.5 * batch.values,
        *("Half", r"Q_t - V_\phi(s_t)/2", "none", "a test"),
    )
    monkeypatch.setitem(ALGORITHMS, "half", mine)
    history = train("half", num_seeds=3, total_timesteps=1000)
    assert history.final_returns.shape == (3,)
    report = examine(history.checkpoints[-1, 0], history.config, 100, algorithms=["half"])
    assert report.measurements["half"].tr_sigma.estimate > 0
    assert "Half, n = 3" in chart(of_histories([history])).to_json()
