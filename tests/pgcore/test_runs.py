"""Runs as jobs: identity, lanes, progress, the same bits wherever they are computed."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pgcore import Config, final_evaluation, jobs, runs, train, warmup, worker
from pgcore.jobs import Engine
from pgcore.limits import Limits
from pgcore.runs import Run

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0
QUICK = Config(num_seeds=2, total_timesteps=500, eval_interval=100)
LONG = Config(num_seeds=100, total_timesteps=1_000_000, eval_interval=5000)
ACROBOT = Config(
    env_id="Acrobot-v1", num_seeds=2, total_timesteps=200, eval_interval=100, eval_episodes=1
)


@pytest.fixture
def engine(monkeypatch) -> Iterator[Engine]:
    made = Engine()
    monkeypatch.setattr(runs, "ENGINE", made)
    yield made
    for job in list(made._jobs.values()):
        job.cancel()
        assert job.finished.wait(PATIENCE)


def done(config: Config) -> Run:
    run = runs.run(config)
    assert run.finished.wait(PATIENCE)
    return run


def test_a_run_is_what_train_gives(engine):
    run = done(QUICK)
    assert (run.status, run.share, run.lane) == ("done", 1.0, "quick")
    assert run.history is run.result
    np.testing.assert_array_equal(run.history.eval_returns, train(QUICK).eval_returns)
    assert run.steps_per_second == pytest.approx(1000 / run.elapsed)


def test_equal_configs_share_one_run_and_others_do_not(engine):
    run = done(QUICK)
    assert runs.run(Config(num_seeds=2, total_timesteps=500, eval_interval=100)) is run
    assert runs.get(QUICK) is run
    assert runs.get(QUICK.replace(gamma=0.9)) is None
    assert runs.identity(QUICK) != runs.identity(QUICK.replace(gamma=0.9))
    assert runs.identity(QUICK) != runs.identity(QUICK.replace(reward_offset=-1))
    assert len(runs.identity(QUICK)) == 16


def test_the_history_of_a_long_run_grows_and_stays_when_it_is_cancelled(engine):
    run = runs.run(LONG)
    assert run.lane == "long"
    while run.history is None:
        assert not run.finished.wait(0.01)
    assert 0 < run.share < 1
    run.cancel()
    assert run.finished.wait(PATIENCE)
    assert run.status == "cancelled"
    assert not run.history.complete
    again = runs.run(LONG)
    assert again is not run
    assert again.live


def test_a_quick_run_passes_long_ones_and_a_paused_quick_one(engine):
    long = [runs.run(LONG.replace(first_seed=k)) for k in range(2)]
    assert [run.status for run in long] == ["running", "queued"]
    stuck = runs.run(QUICK.replace(total_timesteps=20_000, first_seed=9))
    assert stuck.lane == "quick"
    stuck.pause()
    assert done(QUICK).status == "done"
    assert all(run.live for run in long)
    if stuck.status == "paused":  # it may have ended before it was told
        stuck.resume()
    assert stuck.finished.wait(PATIENCE)
    assert stuck.status == "done"


def test_what_several_viewers_wait_for_a_process_that_stands_by_trains(engine, monkeypatch):
    """The same bits; a viewer alone, and the first of several, needs no other process."""
    stand_by = worker.StandBy()
    monkeypatch.setattr(worker, "STAND_BY", stand_by)
    calls = []
    call = stand_by.call

    def counted(function, arguments, *others):
        calls.append(arguments[0])
        return call(function, arguments, *others)

    monkeypatch.setattr(stand_by, "call", counted)
    alone = runs.run(QUICK, "one")
    assert alone.finished.wait(PATIENCE)
    assert not calls
    monkeypatch.setattr(engine, "watchers", lambda: 2)
    done(QUICK.replace(gamma=0.5))
    while not stand_by.ready:
        time.sleep(0.01)
    config = QUICK.replace(gamma=0.9, total_timesteps=3000)
    run = done(config)
    assert calls == [runs.TINY, config]
    assert run.history == train(config)
    assert np.array_equal(run.final, final_evaluation(run.history))
    worker._end(stand_by._free)


@pytest.mark.parametrize("config", [ACROBOT, QUICK.replace(learner="autograd")])
def test_a_history_from_another_process_is_the_same_to_the_bit(engine, config):
    run = done(config)
    assert (run.status, run.error, run.lane) == ("done", "", "process")
    here = train(config)
    for name in ("eval_steps", "eval_episode_returns", "checkpoints"):
        ours, theirs = getattr(here, name), getattr(run.history, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert run.history.config == config


def test_torch_stays_out_of_the_server():
    program = (
        "import sys\n"
        "from pgcore import Config, runs\n"
        "config = Config(env_id='Acrobot-v1', num_seeds=1, total_timesteps=64, eval_interval=64,\n"
        "                eval_episodes=1)\n"
        "run = runs.run(config)\n"
        "assert run.finished.wait(300)\n"
        "print(run.status, 'torch' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "done False\n"


def test_a_failure_is_kept_with_its_run_and_others_go_on(engine, monkeypatch):
    def broken(config, control):
        raise RuntimeError("out of luck")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(runs, "stream", broken)
        failed = done(QUICK)
    assert (failed.status, failed.error) == ("failed", jobs.sentence(RuntimeError("out of luck")))
    assert done(QUICK).status == "done"


def test_a_run_counts_what_its_history_takes(engine):
    history = done(QUICK).history
    arrays = history.checkpoints.nbytes + history.eval_episode_returns.nbytes
    assert arrays <= runs.get(QUICK).bytes < arrays + 2 * jobs.OVERHEAD + 1000
    engine.room = runs.get(QUICK).bytes - 1
    done(QUICK.replace(first_seed=7))
    engine.clock = lambda: time.monotonic() + jobs.RECENT + 1
    engine.sweep()
    assert engine._jobs == {}


def test_a_kernel_that_does_not_compile_is_told_and_tried_again(engine, monkeypatch):
    def broken():
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(warmup, "prepare", broken)
        failed = runs.warm_up()
        assert failed.finished.wait(PATIENCE)
    assert (failed.status, failed.error) == (
        "failed",
        jobs.sentence(OSError("no space left on device")),
    )
    again = runs.warm_up()
    assert again.finished.wait(PATIENCE)
    assert again.status == "done"
    assert runs.warm_up() is again


@pytest.mark.parametrize(
    ("limits", "changes", "said"),
    [
        (Limits(seeds=9), {"num_seeds": 10}, "num_seeds is 10; this server allows up to 9."),
        (Limits(steps=9_999), {}, "total_timesteps is 10,000; this server allows up to 9,999."),
        (Limits(hidden=16), {}, "hidden_dim is 32; this server allows up to 16."),
        (
            Limits(minutes=1),
            {"num_seeds": 1000, "total_timesteps": 1_000_000, "batch_size": 1}
            | {"eval_interval": 100_000},
            "minutes; this server allows up to 1. Choose fewer seeds or steps",
        ),
    ],
)
def test_a_run_beyond_the_server_s_limits_is_refused_in_a_sentence(
    engine, monkeypatch, limits, changes, said
):
    monkeypatch.setattr(runs, "LIMITS", limits)
    monkeypatch.setitem(runs._speed, "measured/guessed", 1.0)  # whatever has run before
    with pytest.raises(ValueError, match=re.escape(said)):
        runs.run(Config(**changes))
    assert engine._jobs == {}
    assert done(QUICK.replace(total_timesteps=500, hidden_dim=16)).status == "done"


def test_a_run_takes_as_much_of_its_owner_s_turn_as_it_takes_time(engine):
    run = runs.run(QUICK, "owner")
    assert run.owners == {"owner"}
    assert run.seconds == pytest.approx(runs.expected_seconds(QUICK), rel=0.5)


def test_the_guess_grows_with_the_work():
    guess = runs.expected_seconds
    assert guess(QUICK) < guess(QUICK.replace(num_seeds=200)) < guess(LONG)
    assert guess(QUICK.replace(learner="autograd")) > guess(QUICK)
    training = QUICK.replace(num_seeds=100, total_timesteps=100_000, eval_interval=100_000)
    assert guess(training.replace(hidden_dim=256)) > 2 * guess(training)
