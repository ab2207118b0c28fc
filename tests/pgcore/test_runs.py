"""The registry: one config, one run; pause, cancel, failure, and room for all."""

from __future__ import annotations

import numpy as np
import pytest

from pgcore import Config, runs, train

QUICK = Config(num_seeds=2, total_timesteps=500, eval_interval=100)
LONG = Config(num_seeds=100, total_timesteps=1_000_000, eval_interval=5000)


@pytest.fixture
def registry():
    made = runs.Registry()
    yield made
    for run in list(made._runs.values()):
        run.control.cancel()
        assert run.finished.wait(30)


def test_a_run_is_what_train_gives(registry):
    run = registry.submit(QUICK)
    assert run.finished.wait(60)
    assert (run.status, run.progress) == ("done", 1.0)
    assert np.array_equal(run.history.eval_returns, train(QUICK).eval_returns)
    assert run.steps_per_second > 0


def test_equal_configs_share_one_run_and_others_do_not(registry):
    run = registry.submit(QUICK)
    assert (
        registry.submit(Config(**{"num_seeds": 2, "total_timesteps": 500, "eval_interval": 100}))
        is run
    )
    assert registry.get(QUICK) is run
    assert registry.get(QUICK.replace(gamma=0.9)) is None
    assert runs.identity(QUICK) != runs.identity(QUICK.replace(gamma=0.9))


def test_cancel_ends_a_long_run_and_asking_again_starts_anew(registry):
    run = registry.submit(LONG)
    run.control.cancel()
    assert run.finished.wait(30)
    assert run.status == "cancelled"
    assert registry.get(LONG) is run
    again = registry.submit(LONG)
    assert again is not run
    assert again.live


def test_a_paused_run_stands_still_and_goes_on(registry):
    run = registry.submit(QUICK.replace(total_timesteps=1_000_000, eval_interval=1000))
    run.control.pause()
    assert run.status in ("paused", "queued")
    assert not run.finished.wait(0.2)
    run.control.resume()
    assert run.status != "paused"


def test_quick_runs_do_not_wait_for_long_ones(registry):
    long = [registry.submit(LONG.replace(first_seed=k)) for k in range(runs.LANES["long"] + 1)]
    while any(run.status == "queued" for run in long[:-1]):
        pass
    assert registry.submit(QUICK).finished.wait(60)
    assert all(run.live for run in long)
    assert registry.place(long[-1]) == 0  # the only one that waits has nobody before it


def test_too_many_waiting_runs_are_refused_in_a_sentence(registry, monkeypatch):
    monkeypatch.setattr(runs, "MAX_WAITING", 1)
    for k in range(runs.LANES["long"]):
        run = registry.submit(LONG.replace(first_seed=k))
        while run.status == "queued":
            pass
    registry.submit(LONG.replace(first_seed=50))
    with pytest.raises(runs.Busy, match="try again in a minute"):
        registry.submit(LONG.replace(first_seed=51))


def test_a_failure_is_kept_with_its_run_and_others_go_on(registry, monkeypatch):
    def broken(config, control):
        raise RuntimeError("out of luck")
        yield

    monkeypatch.setattr(runs, "stream", broken)
    failed = registry.submit(QUICK)
    assert failed.finished.wait(30)
    assert (failed.status, failed.error) == ("failed", "RuntimeError: out of luck")
    monkeypatch.undo()
    assert registry.submit(QUICK).finished.wait(60)
    assert registry.get(QUICK).status == "done"


def test_old_runs_make_room(registry, monkeypatch):
    first = registry.submit(QUICK)
    assert first.finished.wait(60)
    monkeypatch.setattr(runs, "MAX_BYTES", first.bytes + 1)
    registry.submit(QUICK.replace(first_seed=7))
    assert registry.get(QUICK) is None


def test_the_guess_grows_with_the_work():
    guess = runs.expected_seconds
    assert guess(QUICK) < guess(QUICK.replace(num_seeds=200)) < guess(LONG)
    assert guess(QUICK.replace(learner="autograd")) > guess(QUICK)
