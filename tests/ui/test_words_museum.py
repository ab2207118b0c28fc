"""The museum's sentences and charts: sign, numbers, n."""

from __future__ import annotations

from pgcore.exhibits import EXHIBITS, results
from pgcore.exhibits.results import Measured
from pgcore.exhibits.verdict import outcome
from pgcore.stats import Interval
from ui.museum import charts, words


def measured(shift: float, spread: float = 0.0, n: int = 200) -> Measured:
    """An exhibit whose version as written is `shift` above the corrected one."""
    right = [100.0 + 10 * (k % 2) for k in range(n)]
    left = [x + shift + spread * (1 if k % 4 < 2 else -1) for k, x in enumerate(right)]
    return Measured(n, 0, (outcome("final return", left, right),))


def test_the_sentence_follows_the_measurement():
    harm = words.on_verdict(measured(-40))
    assert harm.startswith("**Silent harm.** Final return: 65.0 [64.3, 65.7] as written, 105.0 ")
    assert "The difference is -40.0 [-40.0, -40.0], n = 200 seeds each." in harm
    better = words.on_verdict(measured(40))
    assert better.startswith("**Harmless.** As written it even does better here.")
    assert "The difference is 40.0" in better
    within = words.on_verdict(measured(3))
    assert within.endswith("That is less than 20 either way.")
    unsure = words.on_verdict(measured(0, spread=300))
    assert "not told apart with n = 200 seeds each. That does not prove them equal." in unsure


def test_shares_are_written_as_shares():
    one = Measured(200, 0, (outcome("share of the seeds", [0.0] * 200, [1.0] * 200),))
    text = words.on_verdict(one)
    assert "Share of the seeds: 0% [0%, 2%] as written, 100% [98%, 100%] corrected." in text
    assert words.margin(one.outcomes[0]) == "5%"


def test_a_crash_names_its_error():
    crash = Measured(0, 0, traceback="Traceback:\n  File x\nNameError: name 'a' is not defined")
    assert words.on_verdict(crash) == (
        "**Crash.** The program stops: `NameError: name 'a' is not defined`"
    )
    long = words.last_line("ValueError: " + "x" * 200 + "\ntensor([1])")
    assert len(long) == 110 and long.endswith("...")


def test_the_score_counts_and_names_what_was_missed_most():
    kept = {"a": measured(-40), "b": measured(-50), "c": measured(0)}
    truth = {key: words.name_of(key, kept) for key in kept}
    assert words.on_score(truth, kept) == (
        "**3 of 3** cards lie where the measurement puts them. None is wrong."
    )
    text = words.on_score({"a": "Harmless", "b": "Harmless", "c": "Harmless"}, kept)
    assert text == (
        "**1 of 3** cards lie where the measurement puts them. Most often wrong: 2 cards put "
        "under *Harmless* and measured *Silent harm*."
    )


def test_all_are_counted():
    text = words.on_all({"a": measured(-40), "b": measured(40), "c": measured(0, spread=300)})
    assert text.startswith("Of 3 exhibits, 0 crash, 1 do silent harm and 2 are harmless.")
    assert "1 even do better as written, and 1 are not told apart" in text


def test_the_deck_holds_every_card_once_and_its_first_round_every_kind():
    deck = words.deck()
    assert sorted(deck) == sorted(EXHIBITS)
    kept = results.load().exhibits
    first = [kept[key].verdict.kind for key in deck[: words.DECK]]
    assert set(first) == {"crash", "silent harm", "harmless"}
    assert len(set(first[:6])) >= 2


def test_the_lines_that_are_meant_are_marked():
    marked = [k for k, line in enumerate(words.card(EXHIBITS["log_probs"]).splitlines(), 1)
              if line.startswith(words.MARK)]  # fmt: skip
    assert marked == EXHIBITS["log_probs"].marked == [4]
    assert words.card(EXHIBITS["naive_fix"]).splitlines()[0] == "  for t in reversed(range(B)):"


def test_the_caption_names_seeds_setting_and_date():
    kept = results.load()
    text = words.on_source(EXHIBITS["broadcast"], kept.exhibits["broadcast"], "2026-01-02")
    assert "Seeds 0 to 999, both versions, measured 2026-01-02." in text
    assert text.endswith("The band is the 95% interval of the mean.")
    crash = words.on_source(EXHIBITS["no_reset"], kept.exhibits["no_reset"], "2026-01-02")
    assert crash.startswith("Made by running the code in a process of its own, 2026-01-02.")
    assert words.on_places(EXHIBITS["cleared_too_late"]).endswith(
        "no public thread is known to us."
    )


def test_a_second_measurement_is_said():
    kept = Measured(0, 0, traceback="NameError: a")
    assert "with the same error" in words.on_again(Measured(0, 0, traceback="NameError: a"), kept)
    other = words.on_again(Measured(0, 0, traceback="NameError: b"), kept)
    assert other.endswith("`NameError: b`")
    assert words.on_again(measured(-40), kept).startswith("With the other seeds: **Silent harm.**")


def test_the_labels_stand_in_a_corner_without_lines():
    kept = results.load().exhibits
    for key, one in kept.items():
        if not one.curves:
            continue
        top, (low, high) = charts.axis_top(one), charts.label_rows(one)
        early = len(one.steps) // 2
        if high > top / 2:  # top left
            assert max(max(curve.high[:early]) for curve in one.curves.values()) < low, key
        else:  # bottom right
            assert min(min(curve.low[early:]) for curve in one.curves.values()) > high, key


def test_the_chart_holds_both_versions_and_the_switch_chooses_one():
    kept = results.load().exhibits["broadcast"]
    rows = charts.curve_rows(kept, "corrected")
    assert set(rows["side"]) == {"as written", "corrected"}
    assert set(rows.loc[rows["shown"], "side"]) == {"corrected"}
    assert rows["high"].max() <= charts.axis_top(kept)
    labels = [text for text in rows["label"] if text]
    assert labels == ["as written, n = 1,000", "corrected, n = 1,000"]


def test_all_effects_are_sorted_and_the_rest_stands_in_the_table():
    kept = results.load().exhibits
    rows, rest = charts.effect_rows(kept), charts.other_table(kept)
    assert rows["estimate"].is_monotonic_increasing
    assert len(rows) + len(rest) == len(EXHIBITS)
    harm = rows[rows["verdict"] == "Silent harm"]
    assert (harm["high"] < 0).all()


def test_a_number_has_its_unit():
    share = Interval(0.5, 0.4, 0.6, 200)
    one = outcome("x", [1.0, 0.0], [0.0, 1.0])
    assert words.number(one._replace(written=share), "written") == "50% [40%, 60%]"
