"""What the projector draws of a class: every vote is there once, every agent in its place."""

from __future__ import annotations

import numpy as np
import pytest

from pgcore import Config, train
from pgcore.classroom import Asked, Poll, Truth, Vote
from ui.classroom import charts, words

OPTIONS = Asked("q", "?", ("yes", "no", "an option whose text is far too long for one line of it"))
NUMBER = Asked("n", "?", (), 0.0, 100.0, 1.0, "%")


def poll(asked: Asked, *rounds: list[tuple[float, bool]]) -> Poll:
    votes = [{str(k): Vote(*vote) for k, vote in enumerate(votes)} for votes in rounds]
    return Poll(asked, "closed", votes)


def test_a_code_is_a_picture_that_names_no_other_host():
    drawn = charts.qr("http://192.168.1.20:8501/room/BCDFGH")
    assert drawn.startswith("data:image/svg+xml")
    assert "href" not in drawn
    assert drawn != charts.qr("http://192.168.1.20:8501/room/BCDFGJ")


@pytest.mark.parametrize("asked", [OPTIONS, NUMBER], ids=["options", "number"])
def test_every_vote_is_drawn_once_in_its_round_and_shade(asked):
    far = 1 if asked.options else 10
    first = [(0, True), (far, False), (2 * far, False)]
    rows = charts.vote_rows(poll(asked, first, [(2 * far, True), (2 * far, True)]))
    parts = rows[rows["kind"] == "vote"]
    assert parts["votes"].sum() == 5
    assert parts[parts["how"] == "sure"]["votes"].sum() == 3
    length = (parts["x2"] - parts["x"]) if asked.options else (parts["y2"] - parts["y"])
    assert length.max() == 1  # the longest bar's part
    np.testing.assert_allclose(length, parts["votes"] / parts["votes"].max())


def test_a_second_round_has_its_name():
    texts = set(charts.vote_rows(poll(OPTIONS, [(0, True)], [(1, True)]))["text"])
    assert {"1 at first", "1 then"} <= texts
    assert "1" in set(charts.vote_rows(poll(OPTIONS, [(0, True)]))["text"])
    assert "at first" in set(charts.vote_rows(poll(NUMBER, [(0, True)], [(1, True)]))["text"])


def test_the_measured_answer_is_marked_and_no_other():
    known = poll(OPTIONS, [(0, True), (1, True)])
    assert not charts.vote_rows(known)["kind"].str.startswith("right").any()
    known.truth = Truth("", 1)
    rows = charts.vote_rows(known)
    assert rows[rows["kind"] == "right name"]["text"].tolist() == ["✓ no"]
    assert rows[rows["kind"] == "right"]["votes"].sum() == 1
    number = poll(NUMBER, [(30, True)])
    number.truth = Truth("", None, 58.42, 57.0, 59.9, 4)
    rows = charts.vote_rows(number)
    assert rows[rows["kind"] == "truth"]["text"].tolist() == ["58.4% [57, 59.9]"]
    assert rows[rows["kind"] == "range"][["x", "x2"]].to_numpy().tolist() == [[57.0, 59.9]]


def test_bars_stand_below_their_option_and_nothing_overlaps():
    rows = charts.vote_rows(poll(OPTIONS, [(0, True)], [(1, True)]))
    names = rows[rows["kind"] == "vote name"].reset_index()
    parts = rows[rows["kind"] == "vote"]
    for place, name in names.iterrows():
        end = names["y"].get(place + 1, -charts._tops(OPTIONS)[-1])
        lines = name["text"].count("\n") + 1
        own = parts.iloc[place * 4 : place * 4 + 4]
        assert (own["y"] <= name["y"] - lines * charts.ROW).all()
        assert (own["y2"] >= end).all()


@pytest.mark.parametrize("asked", [OPTIONS, NUMBER], ids=["options", "number"])
def test_a_vote_s_spec_holds_no_data_and_large_type(asked):
    spec = charts.vote_spec(asked, 2)
    assert "datasets" not in spec
    assert spec["config"]["axis"]["labelFontSize"] >= 16
    assert spec["config"]["legend"]["labelFontSize"] >= 16


# --- the gathering ---


@pytest.mark.parametrize("agents", [1, 2, 10, 11, 28, 118, 500])
def test_agents_gather_one_by_one_and_then_faster(agents):
    states = charts.gathering(agents)
    assert states[:10] == list(range(1, min(agents, 10) + 1))
    assert states[-1] == agents
    assert (np.diff(states) > 0).all()
    assert len(states) <= charts.FRAMES


@pytest.fixture(scope="module")
def history():
    return train(Config(algorithm="batch_mean", num_seeds=12, total_timesteps=2000))


def test_every_curve_ends_in_a_dot_at_its_final_return(history):
    rows = charts.curve_rows(history)
    ends = rows[rows["kind"] == "end"].sort_values("agent")
    np.testing.assert_array_equal(ends["value"], history.final_returns)
    assert ends["step"].min() > history.eval_steps[-1]
    curves = rows[(rows["kind"] == "curve") & rows["value"].notna()]
    for agent in range(12):
        own = curves[curves["agent"] == agent]["value"]
        np.testing.assert_array_equal(own, history.eval_returns[:, agent])
    places = list(zip(ends["step"], (ends["value"] // 1e-9), strict=True))
    assert len(set(places)) == 12  # no dot lies on another


def test_the_gathering_shows_the_first_agents_and_at_last_their_mean(history):
    rows = charts.curve_rows(history)
    five = charts.gathered_rows(rows, 5, mean=False)
    assert sorted(five["agent"].unique()) == [0, 1, 2, 3, 4]
    whole = charts.gathered_rows(rows, 12, mean=True)
    (mean,) = whole[whole["kind"] == "mean"].to_dict("records")
    assert mean["value"] == pytest.approx(history.final_returns.mean())
    assert mean["low"] < mean["value"] < mean["high"]


def test_a_study_s_rows_are_drawn_with_their_conclusions():
    study = words.study(np.array([9.0, 9, 8, 1, 1, 2]), np.array([1.0, 1, 1, 9, 9, 9]), 3)
    rows = charts.study_rows(study)
    assert rows["place"].tolist() == [0, 1, 2]
    assert rows["conclusion"].tolist() == ["undecided", "helps", "hurts"]
    assert rows["difference"].tolist()[1] == pytest.approx(23 / 3)
    for name in charts.CONCLUSIONS:
        assert name in str(charts.study_spec(3, 2, 500.0, 280))
    assert charts.curve_spec(10_000, 28, 0.0, 500.0, 400)["height"] == 400
