"""compare: several runs, one table and one chart."""

from __future__ import annotations

import pytest

from pgcore import Config, compare, train
from pgcore.stats import mean_t_interval

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
