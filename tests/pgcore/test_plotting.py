"""Every chart is built and serialised; what it shows is what pgcore computed."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import altair as alt
import numpy as np
import pandas as pd
import pytest

from pgcore import ALGORITHMS, Config, stats, train
from pgcore.plotting import curves, series, theme
from pgcore.plotting.bands import BANDS, Band, areas, quick
from pgcore.plotting.series import Series
from pgcore.plotting.theme import PALETTE, built_once, keys, silent, spec, spread

CONFIG = Config(num_seeds=4, total_timesteps=2000)
KEYS = ("policy_gradient", "gae")
HISTORIES = [train(CONFIG.replace(algorithm=key)) for key in KEYS]
SERIES = series.of_histories(HISTORIES)


@pytest.mark.parametrize("band", BANDS)
def test_rows_are_the_histories(band):
    rows = curves.rows(SERIES, band, 0, 500)
    for one, history in zip(SERIES, HISTORIES, strict=True):
        line = rows[(rows.series == one.label) & (rows.seed < 0)]
        expected = BANDS[band].of(history.eval_returns.T)
        assert line["mean"].to_numpy() == pytest.approx(expected.estimate)
        assert line.label.iloc[-1] == f"{one.label}, n = 4"
        assert set(line.colour) == {str(ALGORITHMS[history.config.algorithm].colour)}
        thin = rows[(rows.series == one.label) & (rows.seed >= 0)]
        if BANDS[band].seed_lines:
            assert sorted(thin["mean"]) == sorted(history.eval_returns.ravel())
            assert line.low.isna().all()
        else:
            assert len(thin) == 0
            assert line.low.to_numpy() == pytest.approx(expected.low)
            assert line.high.to_numpy() == pytest.approx(expected.high)


@pytest.mark.parametrize("band", BANDS)
def test_a_band_says_what_its_line_and_bounds_are(band):
    """The line is what the band says it estimates, and a bound stands either side of it."""
    scores = np.random.default_rng(5).normal(100, 30, (40, 3))
    found = BANDS[band].of(scores)
    assert found.estimate == pytest.approx(BANDS[band].centre(scores))
    assert (found.low < found.estimate).all() and (found.estimate < found.high).all()
    word = {"iqm": "IQM", "quartiles": "median"}.get(band, "mean")
    assert word in BANDS[band].meaning and BANDS[band].lesson.endswith(".")


def test_bands_shrink_with_n_or_say_that_they_do_not():
    rng = np.random.default_rng(0)
    few, many = rng.normal(0, 1, (10, 500)), rng.normal(0, 1, (1000, 500))
    for key in areas():
        widths = [float(np.mean(x.high - x.low)) for x in map(BANDS[key].of, (few, many))]
        assert (widths[1] < widths[0] / 4) != ("do not make it narrower" in BANDS[key].lesson)


def test_the_picker_and_the_areas():
    assert quick() == ["std", "95%", "seeds"]
    assert areas() == ["std", "error", "95%", "bootstrap", "iqm", "quartiles"]


def test_a_registered_band_is_drawn(monkeypatch):
    extremes = Band(
        "Range",
        "mean, lowest and highest seed",
        "Grows with n.",
        lambda x: stats.Interval(np.mean(x, 0), np.min(x, 0), np.max(x, 0), len(x)),
    )
    monkeypatch.setitem(BANDS, "range", extremes)
    rows = curves.rows(SERIES[:1], "range", 0, 500)
    assert rows.low.tolist() == HISTORIES[0].eval_returns.min(1).tolist()
    assert "lowest and highest seed" in json.dumps(curves.chart(SERIES, "range").to_dict())


def test_one_seed_has_a_line_and_no_band():
    alone = series.of_histories([train(CONFIG.replace(algorithm="gae", num_seeds=1))])
    for band in BANDS:
        rows = curves.rows(alone, band, 0, 500)
        assert rows.low.isna().all()
        assert rows["mean"].notna().all()
    table = curves.table(alone, 475)
    assert "no interval from n = 1" in table["final return"][0]


def test_four_gammas_of_one_algorithm_have_a_colour_each():
    gammas = [train(CONFIG.replace(gamma=gamma)) for gamma in (0.5, 0.9, 0.99, 1.0)]
    shown = series.of_histories(gammas)
    assert [one.label for one in shown] == ["gamma 0.5", "gamma 0.9", "gamma 0.99", "gamma 1.0"]
    assert shown[0].colour == ALGORITHMS["actor_critic"].colour
    assert len({one.colour for one in shown}) == 4
    rows = curves.rows(shown, "95%", 0, 500)
    assert rows.groupby("series").size().tolist() == [4, 4, 4, 4]


def test_labels_say_what_differs():
    configs = [Config(), Config(algorithm="ppo", gamma=0.9)]
    assert series.differences(configs) == ["Actor-critic, gamma 0.99", "PPO, gamma 0.9"]
    assert series.differences([Config(), Config(algorithm="gae")]) == ["Actor-critic", "GAE"]
    assert series.differences([Config(algorithm="gae", gamma=0.5)]) == ["GAE"]


def test_a_kept_run_says_which_setting_it_kept():
    kept = Config(algorithm="gae", gamma=0.9, num_seeds=5)
    assert series.kept_label("GAE", kept, Config()) == "GAE, kept: gamma 0.9"
    assert series.kept_label("GAE", kept, kept) == "GAE, kept"
    far = kept.replace(batch_size=64, hidden_dim=16, value_coef=1.0)
    assert series.kept_label("GAE", far, Config()) == (
        "GAE, kept: batch_size 64, hidden_dim 16 and 2 more"
    )


def test_kept_and_new_stand_apart_and_equal_labels_are_refused():
    one = SERIES[0]
    both = [one, Series(one.label, one.colour, one.history, dashed=True)]
    rows = curves.rows(both, "95%", 0, 500)
    assert rows.dashed.value_counts().to_dict() == {False: 4, True: 4}
    ends = rows.label_y.dropna()
    assert abs(ends.iloc[0] - ends.iloc[1]) >= 500 * curves.LINE_SHARE - 1e-9
    with pytest.raises(ValueError, match="Two series have one label"):
        curves.rows([one, one], "95%", 0, 500)


@pytest.mark.parametrize("name", ["{}", "Actor-critic, critic_learning_rate 0.00{}"])
@pytest.mark.parametrize("count", [3, 6, 8, 16])
def test_no_two_labels_are_closer_than_their_lines(count, name):
    """Series that end together, at the top of the chart or anywhere; long labels in two lines."""
    same = [Series(name.format(i), i, HISTORIES[0]) for i in range(count)]
    for bottom, top in ((0, 500), (0, float(HISTORIES[0].final_returns.mean()))):
        rows = curves.rows(same, "95%", bottom, top)
        line = (top - bottom) * curves.LINE_SHARE
        labels = rows[rows.label_y.notna()].sort_values("label_y")
        lines = labels["label"].str.count("\n").to_numpy() + 1
        gaps = np.diff(labels["label_y"])
        assert len(labels) == count
        assert (gaps >= line * (lines[1:] + lines[:-1]) / 2 - 1e-9).all()
        assert labels["label_y"].iloc[0] >= bottom + line * lines[0] / 2 - 1e-9
        assert labels["label_y"].iloc[-1] <= top - line * lines[-1] / 2 + 1e-9
    assert set(lines) == ({2} if len(name) > 2 and count <= 8 else {1})


def test_a_long_label_breaks_after_a_comma_and_the_room_is_its_longest_line():
    short = Series("GAE", 0, HISTORIES[0])
    long = Series("Actor-critic, critic_learning_rate 0.005", 1, HISTORIES[1])
    labels = curves.rows([short, long], "95%", 0, 500)["label"]
    broken = "Actor-critic,\ncritic_learning_rate 0.005, n = 4"
    assert sorted(filter(None, labels)) == [broken, "GAE, n = 4"]
    written = [curves.written(one.label, one.history.config.num_seeds) for one in (short, long)]
    words = curves.room(written) - curves.LABEL_GAP
    assert words == curves.LETTER * len("critic_learning_rate 0.005, n = 4")
    assert curves.room([]) == curves.LABEL_GAP


def test_who_asks_for_a_spec_meanwhile_waits_for_it_and_builds_none():
    begun, go, calls = threading.Event(), threading.Event(), []

    @built_once(maxsize=4)
    def build(name: str) -> str:
        calls.append(name)
        begun.set()
        assert go.wait(60)
        return name.upper()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(build, "a") for _ in range(8)]
        assert begun.wait(60)
        go.set()
        assert [one.result() for one in asked] == ["A"] * 8
    assert calls == ["a"]
    assert build("b") == "B"


def test_nothing_evaluated_yet_is_an_empty_chart():
    rows = curves.rows([Series("GAE", 6, HISTORIES[1].upto(0))], "95%", 0, 500)
    assert list(rows.columns) == [*curves.COLUMNS] and rows.empty


def test_a_chart_carries_its_data_its_colours_and_what_it_shows():
    built = curves.chart(SERIES, "std").to_dict()
    (values,) = built["datasets"].values()
    assert len(values) == 8
    text = json.dumps(built)
    assert json.dumps(list(PALETTE)) in text
    assert BANDS["std"].meaning in built["title"]["subtitle"]
    assert "n counts seeds; an evaluation is 5 episodes" in built["description"]


def test_a_chart_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match="band is 'sem'; it must be one of std, error"):
        curves.chart(SERIES, "sem")


def test_only_named_marks_are_heard_by_a_screen_reader():
    """Vega hides a mark with aria false; each other one has a description of its own."""
    built = curves.curves_spec(10_000, 0.0, 500.0, 475.0, (22.0, 1000), 150.0)
    layers = json.loads(json.dumps(built))["layer"]
    marks = [mark for layer in layers for mark in layer.get("layer", [layer])]
    heard = [mark for mark in marks if mark["mark"].get("aria") is not False]
    assert [mark["mark"]["type"] for mark in heard] == ["text", "text", "point"]
    assert '"random: 22, n = 1,000"' in json.dumps(built)
    assert all("description" in mark["encoding"] for mark in heard)


def test_the_spec_is_constant_serialisable_and_without_data():
    built = curves.curves_spec(10_000, 0.0, 500.0, 475.0, (22.0, 1000), 150.0)
    assert built is curves.curves_spec(10_000, 0.0, 500.0, 475.0, (22.0, 1000), 150.0)
    text = json.dumps(built)
    assert '"datasets"' not in text
    assert '"values"' not in text
    places = json.dumps([str(place) for place in range(len(PALETTE))])
    assert places in text  # every place keeps its colour, shown or not


def test_every_algorithm_has_a_colour_in_both_themes():
    import tomllib
    from pathlib import Path

    theme = tomllib.loads(Path(".streamlit/config.toml").read_text())["theme"]
    for mode in ("light", "dark"):
        colours = theme[mode]["chartCategoricalColors"]
        assert len(set(colours)) == len(colours) == len(keys())
    assert tuple(theme["light"]["chartCategoricalColors"]) == PALETTE  # a notebook's colours


def test_labels_keep_apart_and_in_order():
    placed = spread(pd.Series([100.0, 101.0, 300.0], index=[5, 7, 9]), 20)
    assert placed.sort_values().index.tolist() == [5, 7, 9]
    assert np.diff(placed.sort_values()).min() >= 20 - 1e-9


@pytest.mark.parametrize("ends", [[490.0, 491, 492, 500], [0.0, 1, 2], [0.0, 250, 250, 500]])
def test_labels_stay_on_the_chart(ends):
    placed = spread(pd.Series(ends), 30, 15, 485).sort_values().to_numpy()
    assert placed.min() >= 15 and placed.max() <= 485
    assert np.diff(placed).min() >= 30 - 1e-9


def test_labels_move_no_further_than_they_must():
    """Far from others, a label stays; two that meet part evenly; too many share the room."""
    assert spread(pd.Series([100.0, 104.0, 300.0]), 20).tolist() == [92, 112, 300]
    assert spread(pd.Series([5.0, 5.0, 5.0]), 50, 0, 10).tolist() == [0, 5, 10]
    assert spread(pd.Series([], dtype=float), 50, 0, 10).empty
    assert spread(pd.Series([700.0]), 50, 0, 500).tolist() == [500]


def test_the_table_gives_each_number_its_interval_and_n():
    table = curves.table(SERIES, 475)
    final = stats.mean_t_interval(HISTORIES[1].final_returns)
    assert table["final return"][1] == f"{final.estimate:.1f} [{final.low:.1f}, {final.high:.1f}]"
    assert table["n"].tolist() == [4, 4]
    assert table["seeds whose best evaluation is 475 or more"][0].startswith("0 of 4 [0%, ")


def test_spec_strips_data_at_every_depth():
    frame = pd.DataFrame({"a": [1], "b": [2]})
    chart = alt.layer(alt.Chart(frame).mark_line().encode(x="a", y="b"))
    assert "data" not in json.dumps(spec(chart & chart))


def test_the_table_of_the_curves_holds_line_and_bounds_of_every_evaluation():
    table = curves.numbers(SERIES, "95%")
    assert len(table.columns) == 1 + len(SERIES)
    for one, column in zip(SERIES, table.columns[1:], strict=True):
        drawn = stats.mean_t_interval(one.history.eval_returns.T)
        for k, said in enumerate(table[column].dropna()):
            bounds = drawn.estimate[k], drawn.low[k], drawn.high[k]
            assert said == f"{stats.Interval(*bounds, drawn.n):.1f}"


def test_an_interval_is_read_aloud_as_it_is_written() -> None:
    assert theme.bounds_aloud(".1f", high="top") == (
        "' [' + format(datum.low, '.1f') + ', ' + format(datum.top, '.1f') + ']'"
    )


def test_a_silent_picture_speaks_through_its_alt_alone():
    spoken = {"layer": [{"mark": {"type": "point", "aria": True}}, {"mark": {"type": "line"}}]}
    marks = [layer["mark"] for layer in silent(spoken)["layer"]]
    assert [mark["aria"] for mark in marks] == [False, False]
    assert spoken["layer"][0]["mark"]["aria"] is True  # the spoken one is kept


@pytest.mark.parametrize(("width", "height", "grows"), [
    ("container", 330, True), ("container", 52, False), (200, 330, False),
])  # fmt: skip
def test_a_large_window_makes_the_pages_own_charts_taller(width, height, grows):
    drawn = spec(alt.Chart().mark_point().properties(width=width, height=height))
    names = [parameter["name"] for parameter in drawn.get("params", [])]
    assert ("height" in names) == grows
