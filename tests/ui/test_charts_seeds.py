"""The Seeds page's charts: every one serialises, and its values are those of pgcore.stats."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pgcore import Config, stats, train
from ui.seeds import charts as seeds
from ui.seeds import coverage_charts as coverage
from ui.seeds import noise_charts as noise
from ui.seeds import study_charts as studies
from ui.seeds import words

CONFIG = Config(num_seeds=30, total_timesteps=2000, first_seed=7)
KEYS = ("policy_gradient", "batch_mean", "actor_critic")
HISTORIES = {key: train(CONFIG.replace(algorithm=key)) for key in KEYS}
FINAL = seeds.scores(HISTORIES, "final")
AREA = seeds.scores(HISTORIES, "area")
RNG = np.random.default_rng(5)
POOLS = {  # far enough apart that conclusions differ with n
    "policy_gradient": RNG.normal(100, 40, 120),
    "batch_mean": RNG.normal(130, 40, 120),
    "actor_critic": RNG.normal(190, 40, 120),
}
CLOSE, FAR = ("policy_gradient", "batch_mean"), ("policy_gradient", "actor_critic")
SPECS = {
    "lines": lambda: seeds.lines_spec(2000, 500, 30, 0.0, 500.0),
    "distribution": lambda: seeds.distribution_spec(0.0, 500.0, "final return"),
    "band": lambda: seeds.band_spec(2000, 500, 0.0, 500.0),
    "risk": studies.risk_spec,
    "outcome": studies.outcome_spec,
    "power": studies.power_spec,
    "first": studies.first_spec,
    "conclusion": studies.conclusion_spec,
    "error": noise.error_spec,
    "variance": noise.variance_spec,
    "dance": lambda: coverage.dance_spec(0.0, 500.0),
    "coverage": coverage.coverage_spec,
}


@pytest.mark.parametrize("build", SPECS.values(), ids=SPECS)
def test_a_spec_is_constant_serialisable_and_without_rows(build):
    text = json.dumps(build())
    assert build() is build()
    assert '"values": [{' not in text
    assert '"datasets"' not in text


# --- Every seed ----------------------------------------------------------------------------------


def test_the_lines_are_the_seeds_each_with_a_gap_after_it():
    history = HISTORIES["batch_mean"]
    rows = seeds.line_rows(history)
    lines = rows[rows.kind == "seed"]
    assert len(lines) == 30 * (4 + 1)
    for place, seed in enumerate(CONFIG.seeds):
        line = lines[lines.seed == seed]
        assert line["value"].iloc[:-1].to_numpy() == pytest.approx(history.eval_returns[:, place])
        assert np.isnan(line["value"].iloc[-1])
    for kind, share in seeds.FAN.items():
        band = stats.quantile_band(history.eval_returns.T, share)
        fan = rows[rows.kind == kind]
        assert fan["value"].to_numpy() == pytest.approx(band.low)
        assert fan["high"].to_numpy() == pytest.approx(band.high)
    median = rows[rows.kind == "median"]["value"].to_numpy()
    assert median == pytest.approx(np.median(history.eval_returns, axis=1))


def test_the_picked_line_is_that_seed_and_none_is_empty():
    history = HISTORIES["actor_critic"]
    rows = seeds.picked_rows(history, 9)
    assert rows["value"].to_numpy() == pytest.approx(history.eval_returns[:, 2])
    assert rows["step"].tolist() == list(history.eval_steps)
    assert seeds.picked_rows(history, None).empty


def test_a_thousand_seeds_are_clicked_at_few_points_the_last_among_them():
    text = json.dumps(seeds.lines_spec(10_000, 500, 1000, 0.0, 500.0))
    assert "(10000 - datum.step) % 2500 == 0" in text
    uneven = json.dumps(seeds.lines_spec(10_000, 300, 10, 0.0, 500.0))
    assert "(9900 - datum.step) % 300 == 0" in uneven  # the last evaluation is not the last step


def test_a_thousand_seeds_of_three_algorithms_are_less_than_3_megabytes():
    history = HISTORIES["batch_mean"]
    a_row = seeds.line_rows(history).memory_usage(index=False, deep=True).sum() / (30 * 5)
    assert 3 * 1000 * 21 * a_row < 3e6


def test_presets_are_the_worst_median_and_best_seed():
    pool = np.array([5.0, 1, 9, 7, 9])
    assert seeds.presets(pool) == {"unlucky": 1, "median": 3, "lucky": 4}
    assert [words.rank(pool, place) for place in range(5)] == [4, 5, 1, 3, 1]


def test_the_distribution_counts_every_seed_once():
    rows = seeds.distribution_rows(AREA, 0.0, 100.0, 31.5)
    for key, pool in AREA.items():
        bars = rows[(rows.algorithm == key) & (rows.kind == "share")]
        assert bars["share"].sum() == pytest.approx(1)
        first, last = bars["score"].iloc[[3, 4]]
        assert bars["share"].iloc[3] == pytest.approx(((pool >= first) & (pool < last)).mean())
        mean = rows[(rows.algorithm == key) & (rows.kind == "mean")]
        assert mean["score"].item() == pytest.approx(pool.mean())
    assert rows[rows.kind == "picked"]["score"].tolist() == [31.5]


def test_scores_are_the_history_s():
    assert FINAL["batch_mean"] == pytest.approx(HISTORIES["batch_mean"].final_returns)
    assert AREA["batch_mean"] == pytest.approx(HISTORIES["batch_mean"].area_under_curve)
    assert seeds.limits("CartPole-v1") == (0, 500)
    assert seeds.limits("Acrobot-v1") == (-500, 0)


# --- Bands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("band", "interval"),
    [
        ("std", stats.std_band),
        ("error", stats.standard_error_band),
        ("95%", stats.mean_t_interval),
        ("bootstrap", stats.bootstrap_interval),
        ("iqm", stats.iqm_interval),
    ],
)
def test_each_band_is_what_stats_says_of_the_first_seeds(band, interval):
    rows = seeds.band_rows(HISTORIES, band, 5)
    for key, history in HISTORIES.items():
        expected = interval(history.eval_returns.T[:5].astype(float))
        line = rows[rows.algorithm == key]
        assert line["value"].to_numpy() == pytest.approx(expected.estimate)
        assert line["low"].to_numpy() == pytest.approx(expected.low)
        assert line["high"].to_numpy() == pytest.approx(expected.high)
    pool = HISTORIES["actor_critic"].eval_returns.T.astype(float)
    truth = stats.iqm(pool) if band == "iqm" else pool.mean(0)
    assert rows[rows.algorithm == "actor_critic"]["pool"].to_numpy() == pytest.approx(truth)
    final = interval(FINAL["batch_mean"][:5])
    words = f"Batch mean {final.estimate:.0f} [{final.low:.0f}, {final.high:.0f}]"
    assert words in seeds.band_numbers(FINAL, band, 5)


def test_one_seed_has_no_interval_and_that_is_said():
    assert "no interval from n = 1" in seeds.band_numbers(FINAL, "95%", 1)[0]
    assert seeds.band_rows(HISTORIES, "bootstrap", 1)["low"].isna().all()


# --- The lottery ---------------------------------------------------------------------------------


def test_the_risk_curve_and_the_hundred_studies_are_the_lottery_s():
    curve = stats.lottery_curve(POOLS, 50)
    rows = studies.risk_rows(curve, 10)
    wrong = rows[rows.risk == "wrong winner"]
    assert wrong["share"].to_numpy() == pytest.approx(curve.wrong_winner.estimate)
    assert wrong["high"].to_numpy() == pytest.approx(curve.wrong_winner.high)
    order = rows[rows.risk == "wrong ranking"]
    assert order["low"].to_numpy() == pytest.approx(curve.wrong_ranking.low)
    assert rows[rows.chosen]["n"].tolist() == [10, 10]


def test_of_a_hundred_studies_each_has_one_outcome():
    rows = studies.outcome_rows(wrong_winner=0.196, wrong_ranking=0.243)
    assert rows["outcome"].value_counts().to_dict() == {
        "ranking right": 76,
        "winner right, ranking wrong": 4,
        "winner wrong": 20,
    }
    assert not rows.duplicated(["column", "row"]).any()
    two = studies.outcome_rows(0.5, 0.5)["outcome"].unique()
    assert list(two) == ["ranking right", "winner wrong"]


# --- How many seeds ------------------------------------------------------------------------------


def test_the_power_table_is_stats_s_and_closest_pairs_come_first():
    table = studies.power_table({"final return": POOLS})
    assert table["pair"].tolist() == [
        "Batch mean − Policy gradient",
        "Actor-critic − Batch mean",
        "Actor-critic − Policy gradient",
    ]
    x, y = POOLS["policy_gradient"], POOLS["batch_mean"]
    effect = stats.effect_size(x, y)
    assert table["seeds each"][0] == str(stats.seeds_needed(effect.estimate))
    low, high = stats.seeds_needed(effect.high), stats.seeds_needed(effect.low)
    assert table["over d's interval"][0] == f"{low} to {high}"
    difference = stats.difference_interval(x, y)
    assert table["difference [95%]"][0].startswith(
        f"{difference.estimate:.1f} [{difference.low:.1f}, "
    )


def test_seeds_needed_says_when_it_cannot():
    assert studies.seeds_needed(stats.Interval(0.5, 0.0, 1.0, 9)) == ("64", "17 to any number")
    assert studies.seeds_needed(stats.Interval(-0.8, -1.0, -0.5, 9)) == ("26", "17 to 64")
    assert studies.seeds_for(1e-9) == "over a billion"
    assert studies.seeds_for(np.nan) == "cannot tell"


def test_power_is_drawn_for_the_difference_in_each_score_s_own_spread():
    wide = {key: 3 * pool for key, pool in POOLS.items()}
    effects = studies.detectable({"narrow": POOLS, "wide": wide}, CLOSE, 30.0)
    assert effects["narrow"] == pytest.approx(3 * effects["wide"])
    rows = studies.power_rows(effects)
    narrow = rows[rows.score == "narrow"].set_index("n")["power"]
    assert narrow[20] == pytest.approx(stats.power_two_sample_t(effects["narrow"], 20))
    level = {"level": dict.fromkeys(KEYS, np.full(9, 3.0))}
    assert studies.detectable(level, CLOSE, 30.0) == {}  # no spread, no effect size


# --- Comparing -----------------------------------------------------------------------------------


def test_the_comparison_is_stats_s_with_holm_over_the_pairs():
    table = studies.comparison_table(POOLS, 10)
    x, y = POOLS["policy_gradient"][:10], POOLS["batch_mean"][:10]
    assert table["Welch p"][0] == studies.p_text(stats.welch_test(x, y).p)
    assert table["permutation p"][0] == studies.p_text(stats.permutation_test(x, y, 2000).p)
    wins = stats.probability_of_improvement(x, y)
    expected = f"{wins.estimate:.2f} [{wins.low:.2f}, {wins.high:.2f}]"
    assert table["P(better wins) [95%]"][0] == expected
    raw = [
        stats.welch_test(POOLS[worse][:10], POOLS[better][:10]).p
        for worse, better in studies.pairs(POOLS)
    ]
    assert table["Holm p"].tolist() == [studies.p_text(p) for p in stats.holm(raw)]
    assert set(table["n"]) == {"10 + 10"}
    difference = stats.difference_interval(x, y)
    assert table["verdict"][0] == (
        "Batch mean is better" if difference.low > 0 else "not told apart with 10 seeds"
    )


def test_two_algorithms_need_no_holm_and_one_seed_tells_nothing():
    two = {key: POOLS[key] for key in CLOSE}
    assert "Holm p" not in studies.comparison_table(two, 10)
    alone = studies.comparison_table(POOLS, 1)
    assert set(alone["Welch p"]) == {"cannot tell"}
    assert (studies.p_text(0.0004), studies.p_text(0.0416)) == ("< 0.001", "0.042")


def test_the_first_seeds_give_welch_s_interval_and_its_conclusion():
    rows = studies.first_rows(POOLS, FAR, [3, 120])
    for n, row in zip((3, 120), rows.itertuples(), strict=True):
        interval = stats.difference_interval(POOLS[FAR[0]][:n], POOLS[FAR[1]][:n])
        assert (row.difference, row.low, row.high) == pytest.approx(interval[:3])
    assert rows["conclusion"].iloc[-1] == "better"
    assert studies.conclusion(-2, 3) == "not told apart"
    assert studies.conclusion(-2, -1) == "worse"


def test_separate_studies_share_no_seed_and_are_all_counted():
    pool = np.arange(11.0)
    cut = studies.separate(pool, 3)
    assert cut.shape == (3, 3)
    assert sorted(cut.ravel()) == list(range(9))
    assert cut[:, 0].tolist() == [0, 1, 2]
    rows = studies.conclusion_rows(POOLS, FAR, [3, 10])
    assert rows.groupby("n")["share"].sum().tolist() == pytest.approx([1, 1])
    counted = 0
    for first in range(0, 120, 10):
        x, y = (POOLS[key][first : first + 10] for key in FAR)
        counted += stats.difference_interval(x, y).low > 0
    better = rows[(rows.n == "n = 10") & (rows.conclusion == "better")]
    expected = stats.proportion_interval(counted, 12)
    assert better[["share", "low", "high"]].to_numpy().ravel() == pytest.approx(expected[:3])
    assert better["studies"].item() == 12


# --- Noise ---------------------------------------------------------------------------------------


def test_the_variances_are_the_random_effects_with_an_interval():
    for history in HISTORIES.values():
        effects = stats.random_effects(history.eval_episode_returns[-1])
        between, evaluation = noise.variances(history).values()
        assert between.estimate == pytest.approx(effects.seed_variance, rel=1e-5)
        assert evaluation.estimate == pytest.approx(effects.episode_variance / 5, rel=1e-5)
        assert between.low < between.estimate < between.high
        assert between.n == 30


def test_the_interval_of_the_seeds_variance_holds_it_about_as_often_as_it_says():
    """Normal seeds and episodes: of 400 runs some 95% hold the true variance of 1."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        returns = rng.normal(0, 1, (100, 1)) + rng.normal(0, 1.5, (100, 5))
        between, _ = noise.parts(returns)
        held += between.low <= 1 <= between.high
    assert 0.90 <= held / 400 <= 0.98


def test_the_curve_of_errors_is_the_variance_of_the_mean():
    rows = noise.error_rows(HISTORIES, 10, 50)
    effects = stats.random_effects(HISTORIES[KEYS[0]].eval_episode_returns[-1])
    line = rows[rows.algorithm == KEYS[0]].set_index("episodes")
    for episodes in (1, 100):
        expected = stats.variance_of_mean(effects, 10, episodes)
        assert line["error"][episodes] ** 2 == pytest.approx(expected)
    floor = max(effects.seed_variance, 0) / 10
    assert line["floor"][1] ** 2 == pytest.approx(floor)
    assert set(rows["wanted"]) == {50}
    places = rows.groupby("algorithm")["at"].first().sort_values()
    assert np.diff(places).min() >= noise.NAME_HEIGHT * rows["error"].max() * (1 - 1e-9)
    shares = noise.variance_rows(HISTORIES, 5).groupby("estimator")["share"].sum()
    assert shares.to_numpy() == pytest.approx(1)


def test_the_noise_table_says_what_episodes_and_what_seeds_would_buy():
    table = noise.noise_table(HISTORIES, 10, 5, 50)
    effects = stats.random_effects(HISTORIES["batch_mean"].eval_episode_returns[-1])
    row = table[table.estimator == "Batch mean"].iloc[0]
    for column, n, episodes in (
        ("standard error, n = 10", 10, 5),
        ("with 50 episodes", 10, 50),
        ("with n = 20", 20, 5),
    ):
        assert row[column] == f"{np.sqrt(stats.variance_of_mean(effects, n, episodes)):.1f}"


# --- Coverage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", coverage.INTERVALS)
def test_a_study_misses_if_its_interval_leaves_the_pool_s_mean_out(kind):
    pool = POOLS["batch_mean"]
    rows = coverage.dance_rows(pool, 5, kind)
    assert len(rows) == 24
    first = coverage.INTERVALS[kind](studies.separate(pool, 5))
    assert rows["low"].to_numpy() == pytest.approx(first.low)
    outside = (rows["low"] > pool.mean()) | (rows["high"] < pool.mean())
    assert ((rows["verdict"] == "misses") == outside).all()


def test_coverage_rows_are_the_measured_shares():
    measured = stats.coverage(POOLS["batch_mean"], 5, studies=200)
    rows = coverage.coverage_rows([measured]).set_index("interval")
    assert rows["share"].to_dict() == {
        "t interval": measured.t.estimate,
        "bootstrap": measured.bootstrap.estimate,
    }
    assert rows["high"]["bootstrap"] == measured.bootstrap.high
