"""Every page of the list opens without an error, alone and in the frame."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config, runs
from pgcore.algorithms import ALGORITHMS
from pgcore.jobs import Engine, Job
from ui.shell import series
from ui.shell.pages import PAGES

ROOT = Path(__file__).parents[2]


def opened(page: str, **query: str) -> AppTest:
    """The app with one page open."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    return app.switch_page(page).run()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_a_page_opens_and_asks_its_question(page):
    app = opened(page.path)
    assert not app.exception
    assert not app.error
    assert any(page.question in text.value for text in app.markdown)


def test_whoever_waits_for_the_compiler_hears_that_it_failed(monkeypatch):
    """And is shown the way on, which leads to the page once the cause has gone."""

    def broken(progress, control):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        failed = Engine().ask(Job("warm-up", broken, "quick"))
        patch.setattr(runs, "warm_up", lambda: failed)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    assert not app.exception
    (told,) = (text.value for text in app.text)
    assert told == (
        "The learner could not be compiled, so nothing can run. The server's system refused "
        "something (No space left on device). Try again later."
    )
    (again,) = (button for button in app.button if button.label == "Try again")
    again.click().run()
    assert not app.exception
    assert all(button.label != "Try again" for button in app.button)


def test_the_list_names_every_file_in_pages():
    assert {page.path for page in PAGES} == {
        f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py")
    }


@pytest.mark.parametrize("key", ALGORITHMS)
def test_train_shows_every_algorithm_with_its_source(key):
    app = opened("pages/train.py", algorithms=key, num_seeds="2", total_timesteps="1000")
    assert not app.exception
    assert any(f"def {ALGORITHMS[key].weight.__name__}(" in code.value for code in app.code)


def test_a_figure_survives_its_own_link():
    figure = series.Figure(("gae", "ppo"), Config(algorithm="gae", gamma=0.9, formula="b = v/2"))
    again, refused = series.parse_figure(figure.to_query(whole=True))
    assert (again, refused) == (figure, [])
    assert series.parse_figure(figure.to_query()) == (figure, [])


def test_one_bad_value_spoils_only_itself():
    figure, refused = series.parse_figure({"gamma": "2", "num_seeds": "7", "algorithms": "gae,x"})
    assert (figure.config.gamma, figure.config.num_seeds) == (0.99, 7)
    assert figure.algorithms == ("gae",)
    assert len(refused) == 2


def test_values_that_fit_only_together_are_taken_together():
    texts = {"eval_interval": "20000", "total_timesteps": "50000"}
    figure, refused = series.parse_figure(texts)
    assert (figure.config.eval_interval, refused) == (20_000, [])


def test_the_exported_python_reproduces_the_figure():
    figure = series.Figure(("gae",), Config(algorithm="gae", num_seeds=2, total_timesteps=1000))
    printed: list[tuple] = []
    exec(figure.to_python(), {"print": lambda *words: printed.append(words)})
    from pgcore import train

    assert printed[0][:2] == ("GAE", train(figure.config).final_returns.mean())


def test_settings_survive_a_change_of_page():
    app = opened("pages/train.py", num_seeds="3", total_timesteps="1000")
    app.switch_page("pages/start.py").run()
    app.switch_page("pages/train.py").run()
    assert app.query_params["num_seeds"] == "3"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_a_comparison_on_train_leaves_every_other_page_as_it_is(page):
    app = opened(
        page.path, algorithms="actor_critic,gae", vary="gamma", values="0.9,0.99", v="2",
        num_seeds="3", total_timesteps="1000",
    )  # fmt: skip
    assert not app.exception
    assert app.session_state["settings"]["vary"] == "gamma"


@pytest.mark.parametrize("own", ["num_seeds=5", "env_id=Acrobot-v1", "total_timesteps=500"])
def test_one_algorithm_alone_may_not_change_what_the_figure_is_drawn_over(own):
    figure, refused = series.parse_figure({"algorithms": f"ppo({own}),batch_mean"})
    assert figure.algorithms == ("ppo", "batch_mean") and not figure.changes
    assert own.split("=")[0] in refused[0] and "one algorithm may have its own" in refused[0]
