"""Every chart is built and serialised; what it shows is what pgcore computed."""

from __future__ import annotations

import json

import altair as alt
import numpy as np
import pandas as pd
import pytest

from pgcore import Config, stats, train
from pgcore.plotting import curves
from pgcore.plotting.theme import keys, spec, spread

CONFIG = Config(num_seeds=4, total_timesteps=2000)
HISTORIES = {key: train(CONFIG.replace(algorithm=key)) for key in ("policy_gradient", "gae")}


@pytest.mark.parametrize("band", curves.BANDS)
def test_rows_are_the_histories(band):
    rows = curves.joined([curves.rows(HISTORIES, band)], 500, 0)
    for key, history in HISTORIES.items():
        line = rows[(rows.algorithm == key) & (rows.seed < 0)]
        assert line["mean"].to_numpy() == pytest.approx(history.eval_returns.mean(1))
        assert line.label.iloc[-1].endswith("n = 4")
        if band == "std":
            spread_out = history.eval_returns.std(1)
            assert (line.high - line["mean"]).to_numpy() == pytest.approx(spread_out, abs=1e-4)
        if band == "95%":
            interval = stats.mean_t_interval(history.eval_returns.T)
            assert line.low.to_numpy() == pytest.approx(interval.low)
        thin = rows[(rows.algorithm == key) & (rows.seed >= 0)]
        assert len(thin) == (history.eval_returns.size if band == "seeds" else 0)


def test_one_seed_has_a_line_and_no_band():
    alone = {"gae": train(CONFIG.replace(algorithm="gae", num_seeds=1))}
    rows = curves.joined([curves.rows(alone, "95%")], 500, 0)
    assert rows.low.isna().all()
    assert rows["mean"].notna().all()
    table = curves.table(alone, 475)
    assert "no interval from one seed" in table["final return"][0]


def test_the_spec_is_constant_serialisable_and_without_data():
    built = curves.curves_spec(10_000, 0.0, 500.0, 475.0, 22.0)
    assert built is curves.curves_spec(10_000, 0.0, 500.0, 475.0, 22.0)
    text = json.dumps(built)
    assert '"datasets"' not in text
    assert '"values"' not in text
    assert json.dumps(keys()) in text  # every algorithm keeps its colour, shown or not


def test_every_algorithm_has_a_colour_in_both_themes():
    import tomllib
    from pathlib import Path

    theme = tomllib.loads(Path(".streamlit/config.toml").read_text())["theme"]
    for mode in ("light", "dark"):
        colours = theme[mode]["chartCategoricalColors"]
        assert len(set(colours)) == len(colours) == len(keys())


def test_labels_keep_apart_and_in_order():
    placed = spread(pd.Series([100.0, 101.0, 300.0], index=[5, 7, 9]), 20)
    assert placed.sort_values().index.tolist() == [5, 7, 9]
    assert np.diff(placed.sort_values()).min() >= 20 - 1e-9


def test_the_table_gives_each_number_its_interval_and_n():
    table = curves.table(HISTORIES, 475)
    final = stats.mean_t_interval(HISTORIES["gae"].final_returns)
    assert table["final return"][1] == f"{final.estimate:.1f} [{final.low:.1f}, {final.high:.1f}]"
    assert table["n"].tolist() == [4, 4]
    assert table["reached 475"][0].startswith("0 of 4 [0%, ")


def test_spec_strips_data_at_every_depth():
    frame = pd.DataFrame({"a": [1], "b": [2]})
    chart = alt.layer(alt.Chart(frame).mark_line().encode(x="a", y="b"))
    assert "data" not in json.dumps(spec(chart & chart))
