"""The Seeds page: every view opens, and what it says is what pgcore.stats computes."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config, stats, train
from ui.seeds import charts, words
from ui.seeds import view as seeds
from ui.shell.glossary import linked
from ui.shell.series import LAB_ALGORITHMS

ROOT = Path(__file__).parents[2]
SMALL = {"v": "2", "seeds_pool": "30", "total_timesteps": "1000"}
CONFIG = Config(num_seeds=30, total_timesteps=1000)


def opened(**query: str) -> AppTest:
    """The Seeds page with a small pool, reached by a link."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in (SMALL | query).items():
        app.query_params[name] = value
    app.run()
    return app.switch_page("pages/seeds.py").run()


def said(app: AppTest) -> str:
    """All prose on the page."""
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.info])


def press(app: AppTest, label: str) -> AppTest:
    (button,) = (button for button in app.button if button.label == label)
    return button.click().run()


def pools(score: str = "final") -> dict:
    histories = {key: train(CONFIG.replace(algorithm=key)) for key in LAB_ALGORITHMS}
    return charts.scores(histories, score)


@pytest.mark.parametrize("view", seeds.VIEWS)
def test_every_view_opens_in_both_scores_and_keeps_its_link(view):
    app = opened(seeds_view=view, seeds_score="area", seeds_n="1")
    assert not app.exception
    assert not app.warning
    assert (app.session_state["settings"]["seeds_view"] or "seeds") == view
    app = opened(seeds_view=view, seeds_n="30")
    assert not app.exception


def test_the_first_view_draws_every_seed_and_both_distributions():
    app = opened()
    assert linked(words.spread("Actor-critic", "final return", pools()["actor_critic"])) in said(
        app
    )
    table = app.dataframe[0].value
    assert table["Batch mean, final return"].to_numpy() == pytest.approx(
        pools()["batch_mean"], abs=0.06
    )
    drawn = app.get("vega_lite_chart")
    assert len(drawn) == len(LAB_ALGORITHMS) + len(charts.SCORES)
    assert "a thin line for each of 30 seeds of Batch mean" in drawn[1].proto.alt


def test_presets_pick_the_extreme_seeds_and_the_link_names_them():
    pool = pools()["policy_gradient"]
    app = opened(seeds_agent="policy_gradient", seeds_seed="4")
    assert "**Policy gradient, seed 4**" in said(app)
    for label, place in (("Lucky", pool.argmax()), ("Unlucky", pool.argmin())):
        press(app, label)
        assert f"seed {place}**: final return {pool[place]:.0f}" in said(app)
        assert app.session_state["settings"]["seeds_seed"] == place


def test_watch_takes_the_agent_and_the_pool_along():
    app = opened(seeds_agent="batch_mean", seeds_seed="23")
    press(app, "Watch this agent")
    assert not app.exception
    settings = app.session_state["settings"]
    assert (settings["agent"], str(settings["seed"]), settings["num_seeds"]) == (
        "batch_mean",
        "23",
        30,
    )


def test_a_band_of_n_seeds_names_n_and_follows_it():
    app = opened(seeds_view="band", seeds_n="5")
    for n in (5, 12):
        (slider,) = (slider for slider in app.slider if slider.label == "Seeds in a study, n")
        slider.set_value(n).run()
        mean, low, high, _ = stats.mean_t_interval(pools()["actor_critic"][:n])
        assert f"Actor-critic {mean:.0f} [{low:.0f}, {high:.0f}]" in said(app)
        assert f">95% t interval</button>**  \nn = {n}" in said(app)
        final = pools()["actor_critic"][:n]
        assert words.widths("Actor-critic", "final return", final) in said(app)


def test_the_lottery_asks_first_and_then_says_what_stats_says():
    app = opened(seeds_view="lottery", seeds_n="3")
    assert "wrong algorithm wins" not in said(app)
    question = app.slider(key="say_lottery").label
    assert "The pool holds 30 seeds of each of 3 algorithms." in question
    assert "by their mean final return" in question
    _, axes = app.get("vega_lite_chart")  # of the question, and of the answer: still empty
    assert axes.proto.alt.startswith("The axes of the answer")
    press(app, "Just show")
    curve = stats.lottery_curve(pools(), 50)
    wrong = curve.wrong_winner
    expected = f"{wrong.estimate[2]:.0%} [{wrong.low[2]:.0%}, {wrong.high[2]:.0%}]"
    assert f"wrong algorithm wins **{expected}**" in said(app)
    right = 1 - curve.wrong_ranking.estimate[9]
    assert f"is right {right:.0%} [" in said(app)
    assert words.how_good() in said(app)
    assert words.doubt(curve) in said(app)  # nothing where the order is sure


def test_a_prediction_is_held_against_the_score_it_was_made_of():
    app = opened(seeds_view="lottery")
    app.slider(key="say_lottery").set_value(2).run()
    press(app, "I am guessing")
    assert "You marked 2%. It is higher:" in said(app)
    app.session_state["set_seeds_score_"] = "area"
    app.run()
    assert "With 10 seeds the ranking by area under the curve is right" in said(app)
    assert "The settings have changed since. With the present ones:" in said(app)


def test_the_comparison_is_made_with_the_chosen_number_of_seeds():
    app = opened(seeds_view="compare", seeds_n="8")
    table = app.table[0].value
    assert set(table["n"]) == {"8 + 8"}
    assert len(table) == 3
    assert "Holm p" in table


def test_coverage_at_five_seeds_is_shown():
    app = opened(seeds_view="coverage", seeds_agent="batch_mean")
    measured = stats.coverage(pools()["batch_mean"], 5, studies=1000).bootstrap
    share = f"{measured.estimate:.0%} [{measured.low:.0%}, {measured.high:.0%}]"
    assert f"the 95% bootstrap holds the truth in {share}" in said(app)


@pytest.mark.parametrize("view", ["lottery", "power", "compare"])
def test_one_algorithm_alone_is_told_to_find_company(view):
    app = opened(seeds_view=view, algorithms="gae")
    assert not app.exception
    assert "Choose at least two algorithms" in said(app)


def test_one_episode_an_evaluation_cannot_tell_the_noises_apart():
    app = opened(seeds_view="noise", eval_episodes="1")
    assert not app.exception
    assert "With 1 episode per evaluation" in said(app)


def test_no_algorithm_is_said_and_the_way_on_stays():
    app = opened()
    app.session_state["set_algorithms"] = []
    app.run()
    assert "No algorithm is chosen" in app.text[0].value
    assert not app.exception


def test_a_large_pool_waits_to_be_asked_for():
    app = opened(seeds_pool="1000", total_timesteps="500000", eval_interval="50000")
    assert not app.exception
    assert any(button.label.startswith("Run, about") for button in app.button)
    assert "have not been trained yet" in said(app)
