"""compare: several runs, one table and one chart."""

from __future__ import annotations

import pytest

import pgcore
from pgcore import Config, compare, train
from pgcore.stats import mean_t_interval, proportion_interval

SHORT = Config(num_seeds=4, total_timesteps=1000)
GAMMAS = [SHORT.replace(gamma=gamma) for gamma in (0.5, 0.99)]


def test_configs_are_trained_and_labelled_by_what_differs() -> None:
    found = compare(GAMMAS)
    assert found.histories == {
        "gamma 0.5": train(GAMMAS[0]),
        "gamma 0.99": train(GAMMAS[1]),
    }
    row = found.table.iloc[1]
    final = mean_t_interval(found.histories["gamma 0.99"].final_returns)
    assert row["series"] == "gamma 0.99" and row["n"] == 4
    assert row["final return"] == f"{final:.1f}"


def test_the_table_counts_the_seeds_whose_last_policy_solves_the_task() -> None:
    """100 episodes on average at 475: not the best of the evaluations, which more seeds reach."""
    config = Config(num_seeds=40)
    found = compare([config, config.replace(total_timesteps=1000)])
    long, short = found.table["solved: last policy, 100 episodes"]
    returns = pgcore.final_evaluation(found.series[0].history)
    count = int((returns.mean(-1) >= 475).sum())
    assert 0 < count < 40 and returns.shape == (40, 100)
    assert long == f"{count} of 40 {proportion_interval(count, 40).bounds('.0%')}"
    assert short.startswith("0 of 40 [0%, ")
    assert long != found.table["seeds whose best evaluation is 475 or more"][0]


def test_histories_are_taken_as_they_are_and_may_have_names() -> None:
    history = train(SHORT)
    found = compare({"as written": Config.lab(**{"num_seeds": 4, "total_timesteps": 1000}),
                     "corrected": history})  # fmt: skip
    assert list(found.histories) == ["as written", "corrected"]
    assert found.histories["corrected"] is history
    assert "corrected, n = 4" in str(found.plot("std").to_dict())


def test_it_shows_itself() -> None:
    found = compare(GAMMAS)
    assert repr(found).count("\n") == 2 and "final return" in repr(found)
    for shown in (found._repr_html_(), str(found._repr_mimebundle_())):
        assert "vega" in shown and "<table" in shown and "gamma 0.99" in shown


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([], "nothing to compare"),
        ([SHORT, SHORT], "Two runs have the same settings"),
        ([SHORT, SHORT.replace(env_id="Acrobot-v1")], "different environments"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs: list, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compare(runs)
