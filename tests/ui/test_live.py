"""Runs on pages: whose they are, what is refused, what comes back by its link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config, jobs, runs
from pgcore.jobs import Engine
from pgcore.limits import Limits
from ui.shell import live, visitors

ROOT = Path(__file__).parents[2]
LONG = {"algorithms": "gae", "num_seeds": "100", "total_timesteps": "1000000"} | {
    "eval_interval": "5000"
}


@pytest.fixture
def engine(monkeypatch) -> Iterator[Engine]:
    """No runs yet, and none is left behind."""
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 3600.0)
    made = Engine()
    monkeypatch.setattr(runs, "ENGINE", made)
    monkeypatch.setattr(live, "ENGINE", made)
    yield made
    for job in list(made._jobs.values()):
        job.cancel()
        assert job.finished.wait(120)


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in ({"v": "2"} | query).items():
        app.query_params[name] = value
    app.run()
    app.switch_page("pages/train.py").run()
    assert not app.exception
    return app


def run_button(app: AppTest):
    return next((button for button in app.button if button.label.startswith("Run, about")), None)


def only_run(engine: Engine) -> runs.Run:
    (run,) = (job for job in engine._jobs.values() if isinstance(job, runs.Run) and job.live)
    return run


def test_what_the_server_does_not_allow_is_said_and_not_offered(engine, monkeypatch):
    monkeypatch.setattr(runs, "LIMITS", Limits(seeds=50))
    app = opened(algorithms="gae", num_seeds="51", total_timesteps="1000")
    said = [text.value for text in app.text]
    assert any(text.startswith("num_seeds is 51; this server allows up to 50.") for text in said)
    assert run_button(app) is None
    assert runs.get(Config(algorithm="gae", num_seeds=51, total_timesteps=1000)) is None
    allowed = opened(algorithms="gae", num_seeds="50", total_timesteps="1000")
    assert not any("allows up to" in text.value for text in allowed.text)
    assert runs.get(Config(algorithm="gae", num_seeds=50, total_timesteps=1000)).status == "done"
    assert not any(button.label.startswith("Run 300 seeds") for button in allowed.button)


def test_a_run_belongs_to_the_browser_that_asks(engine, monkeypatch):
    monkeypatch.setattr(visitors, "me", lambda: "a browser")
    opened(algorithms="gae", num_seeds="3", total_timesteps="1000")
    run = runs.get(Config(algorithm="gae", num_seeds=3, total_timesteps=1000))
    assert run.owners == {"a browser"}


def test_whoever_waits_for_too_much_reads_it_and_others_go_on(engine, monkeypatch):
    monkeypatch.setattr(visitors, "me", lambda: "a browser")
    engine.most = 1
    app = opened(**LONG)
    run_button(app).click().run()
    assert only_run(engine).status == "running"
    app = opened(**LONG | {"gamma": "0.9"})
    run_button(app).click().run()
    assert any("You wait for 1 results already" in box.value for box in app.warning)
    monkeypatch.setattr(visitors, "me", lambda: "another browser")
    app = opened(**LONG | {"gamma": "0.9"})
    run_button(app).click().run()
    assert not app.warning
    assert len(engine._of("running", "queued")) == 2


def test_a_run_whose_viewer_has_left_comes_back_by_its_link(engine):
    run_button(opened(**LONG)).click().run()
    run = only_run(engine)
    run.asked -= engine.lanes["long"].patience + 1
    engine.sweep()
    assert run.status == "paused"
    opened(**LONG)
    assert run.status == "running"
    assert only_run(engine) is run


def test_pages_look_less_often_the_more_of_them_wait(monkeypatch):
    for waiting, seconds in ((0, 0.15), (15, 0.15), (50, 0.5), (100, 1.0), (1000, 1.0)):
        monkeypatch.setattr(live.ENGINE, "watchers", lambda waiting=waiting: waiting)
        assert live.poll_seconds() == seconds


def test_a_page_whose_result_has_made_room_asks_for_it_again(engine):
    config = Config(algorithm="gae", num_seeds=3, total_timesteps=1000)
    app = opened(algorithms="gae", num_seeds="3", total_timesteps="1000")
    first = runs.get(config)
    first.asked -= jobs.RECENT + 1
    engine.room = 0
    engine.sweep()
    assert (first.status, first.result) == ("abandoned", None)
    engine.room = jobs.ROOM
    next(button for button in app.button if button.label == "Step").click().run()
    assert not app.exception
    assert runs.get(config) is not first
    assert runs.get(config).status == "done"
