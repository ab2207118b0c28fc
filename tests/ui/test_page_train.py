"""The Train page: its verdict, the offer of more seeds, the colours of its pills, its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config, train
from pgcore.algorithms import ALGORITHMS
from pgcore.plotting.verdict import verdict
from pgcore.stats import mean_t_interval
from ui.shell.series import LAB_ALGORITHMS

ROOT = Path(__file__).parents[2]


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in ({"v": "2", "num_seeds": "4", "total_timesteps": "1000"} | query).items():
        app.query_params[name] = value
    app.run()
    app.switch_page("pages/train.py").run()
    assert not app.exception
    return app


def finals(**changes) -> dict:
    config = Config(num_seeds=4, total_timesteps=1000, **changes)
    runs = {key: train(config.replace(algorithm=key)) for key in LAB_ALGORITHMS}
    return {ALGORITHMS[key].name: history.final_returns for key, history in runs.items()}


def offers(app: AppTest) -> list[str]:
    return [button.label for button in app.button if button.label.startswith("Run 300 seeds")]


@pytest.mark.parametrize("rate", ["0.005", "1.0"])
def test_the_verdict_is_the_library_s_and_more_seeds_are_offered_where_it_is_not_clear(rate):
    said = verdict(finals(learning_rate=float(rate)))
    app = opened(learning_rate=rate)
    assert said.sentence in [text.value for text in app.markdown]
    assert said.details in [text.value for text in app.caption]
    assert len(offers(app)) == (not said.clear)


def test_where_the_seeds_tell_nothing_is_offered():
    """200 seeds of an agent that learns beside one whose learning rate is nearly 0."""
    query = {"algorithms": "actor_critic,batch_mean(learning_rate=1e-05)", "num_seeds": "200"}
    app = opened(**query, total_timesteps="4000")
    assert any(" ends **" in text.value for text in app.markdown)
    assert offers(app) == []


def test_the_offer_runs_three_hundred_seeds_at_once():
    app = opened()
    (button,) = (button for button in app.button if button.label.startswith("Run 300 seeds"))
    button.click().run()
    assert not app.exception
    assert app.session_state["settings"]["num_seeds"] == 300
    assert not any(button.label.startswith("Run, about") for button in app.button)


def test_a_pill_carries_the_colour_of_its_curve():
    app = opened()
    labels = dict(zip(ALGORITHMS, app.pills[0].options, strict=True))
    colours = [label.split('"')[1] for label in labels.values()]
    assert len(set(colours)) == len({entry.colour for entry in ALGORITHMS.values()})
    assert labels["batch_mean"] == ':color[●]{foreground="#D55E00"} Batch mean'


def test_where_a_setting_varies_a_colour_is_a_value_s_and_no_pill_s():
    app = opened(algorithms="gae", vary="gamma", values="0.5,0.9")
    assert app.pills[0].options == [entry.name for entry in ALGORITHMS.values()]


def test_the_table_holds_what_the_chart_draws():
    app = opened(band="95%")
    assert not app.dataframe  # what is folded is built once it is opened
    app.session_state["fold_numbers"] = True
    app.run()
    table = app.dataframe[1].value
    history = train(Config(algorithm="batch_mean", num_seeds=4, total_timesteps=1000))
    assert table["environment steps"].tolist() == history.eval_steps.tolist()
    drawn = mean_t_interval(history.eval_returns.T)
    assert table["Batch mean, n = 4"].tolist() == [
        f"{drawn.estimate[k]:.1f} [{drawn.low[k]:.1f}, {drawn.high[k]:.1f}]" for k in range(2)
    ]
