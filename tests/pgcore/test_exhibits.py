"""The bug museum: each function differs from the right one by its bug; verdicts are measured."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from pgcore import Config, returns, train
from pgcore.algorithms import ALGORITHMS
from pgcore.exhibits import EXHIBITS, ROOMS, innocent, judging, notebook, public, results
from pgcore.exhibits.__main__ import main
from pgcore.exhibits.crash import plain, traceback_of
from pgcore.exhibits.exhibit import FINAL, Training, short
from pgcore.exhibits.learner import Learner, aiming, fitting, weighing
from pgcore.exhibits.verdict import (
    RETURN_MARGIN,
    SHARE_MARGIN,
    Outcome,
    how,
    outcome,
    share_difference,
    verdict,
)
from pgcore.learners import State, autograd, compiled
from pgcore.stats import Interval
from tests.batches import GOES_ON, TERMINATED, TRUNCATED, config_for, random_batch, random_ends

RNG = np.random.default_rng(5)
TINY = short("actor_critic", 640, num_seeds=3)
CRASHES = [key for key, exhibit in EXHIBITS.items() if exhibit.program]
RUN = [key for key in EXHIBITS if key not in CRASHES]


def batch_of(algorithm: str = "actor_critic", seeds: int = 4, steps: int = 24, **changes):
    ends = random_ends(seeds, steps, RNG)
    config = config_for(algorithm, ends, **changes)
    return config, *random_batch(config, ends, RNG)


def every_step(batch) -> np.ndarray:
    return np.tile(np.arange(batch.rewards.shape[1]), (len(batch.rewards), 1))


# --- the verdict ---


def an_outcome(low: float, high: float, margin: float = RETURN_MARGIN) -> Outcome:
    any_ = Interval(1.0, 0.0, 2.0, 200)
    return Outcome("final return", any_, any_, Interval((low + high) / 2, low, high, 200), margin)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-50, -30, "worse"),
        (-50, -1, "worse"),
        (-19, -1, "within the margin"),
        (-20, 20, "within the margin"),
        (0, 0, "within the margin"),
        (-21, 5, "not told apart"),
        (-5, 21, "not told apart"),
        (1, 21, "better"),
        (30, 50, "better"),
    ],
)
def test_what_an_interval_says(low, high, said):
    assert how(an_outcome(low, high)) == said


def test_the_worst_outcome_decides():
    fine, unsure, bad, good = (
        an_outcome(*ends) for ends in ((-1, 1), (-30, 5), (-60, -40), (40, 60))
    )
    assert verdict([fine, bad, good])[:2] == ("silent harm", "worse")
    assert verdict([fine, bad, good]).outcome is bad
    assert verdict([fine, unsure])[:2] == ("harmless", "not told apart")
    assert verdict([unsure, good])[:2] == ("harmless", "better")
    assert verdict([fine])[:2] == ("harmless", "within the margin")
    assert verdict([bad], "NameError: x")[:2] == ("crash", "stops")
    with pytest.raises(ValueError, match="needs a traceback or at least one outcome"):
        verdict([])


def test_an_outcome_is_paired_by_seed_and_corrected_for_the_number_of_outcomes():
    x = RNG.normal(200, 50, 300)
    alone, among = outcome("r", x - 5, x), outcome("r", x - 5 + RNG.normal(size=300), x, among=4)
    assert alone.difference[:3] == pytest.approx((-5, -5, -5))  # the seeds' spread drops out
    again = outcome("r", x - 5 + RNG.normal(size=300), x)
    width = among.difference.high - among.difference.low
    assert width > 1.15 * (again.difference.high - again.difference.low)
    assert alone.written.n == 300
    assert alone.margin == RETURN_MARGIN


def test_a_share_keeps_a_width_where_all_seeds_agree():
    never, always = np.zeros(200), np.ones(200)
    one = outcome("share", never, always)
    assert one.is_share
    assert one.margin == SHARE_MARGIN
    assert one.difference.estimate == -1
    assert one.difference.low == -1 < one.difference.high < -0.95
    # Newcombe (1998), table II: 56 of 70 against 48 of 80, method 10: .0524 to .3339
    x, y = (np.arange(n) < k for n, k in ((70, 56), (80, 48)))
    gap = share_difference(x.astype(float), y.astype(float), 0.95)
    assert gap[:3] == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


# --- the cards ---


def test_every_exhibit_is_complete():
    assert len(EXHIBITS) >= 20
    assert {exhibit.room for exhibit in EXHIBITS.values()} == set(ROOMS)
    titles = [exhibit.title for exhibit in EXHIBITS.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("key", EXHIBITS)
def test_a_card_has_a_few_lines_a_marked_one_and_a_diff(key):
    exhibit = EXHIBITS[key]
    lines = exhibit.written.splitlines()
    assert 3 <= len(lines) <= 12
    assert max(map(len, [*lines, *exhibit.corrected.splitlines()])) <= 84
    assert exhibit.marked
    assert set(exhibit.marked) <= set(range(1, len(lines) + 1))
    kinds = {line[0] for line in exhibit.diff.splitlines()}
    assert "+" in kinds or "-" in kinds
    rebuilt = [line[1:] for line in exhibit.diff.splitlines() if line[0] != "-"]
    assert rebuilt == exhibit.corrected.splitlines()
    assert bool(exhibit.experiment) != bool(exhibit.program)
    assert bool(exhibit.setting) == bool(exhibit.experiment)


def test_the_source_of_what_differs_is_shown():
    assert "def broadcast(" in EXHIBITS["broadcast"].source
    assert "def leaking(" in EXHIBITS["naive_fix"].source
    assert "def best_of_five(" in EXHIBITS["best_of_five"].source
    assert "def adam_with(" in EXHIBITS["adams_epsilon"].source
    settings = {key for key, exhibit in EXHIBITS.items() if not exhibit.source}
    assert settings == {*CRASHES, "untrained_critic", "done", "one_start", "value_coef"}


@pytest.mark.parametrize("key", EXHIBITS)
def test_the_explanation_has_short_sentences(key):
    for sentence in re.split(r"(?<=[.:?!])\s+", EXHIBITS[key].does):
        assert len(sentence.split()) <= 25, sentence


# --- crashes ---


def without_carets(traceback: str) -> list[str]:
    """The lines but those that only underline, which differ between versions of Python."""
    return [line for line in traceback.splitlines() if line.strip(" ^~")]


@pytest.mark.parametrize("key", CRASHES)
def test_a_crash_is_real_and_the_kept_traceback_is_its_own(key):
    exhibit = EXHIBITS[key]
    assert exhibit.written in exhibit.program
    made, kept = traceback_of(exhibit.program), results.load().exhibits[key].traceback
    assert without_carets(made) == without_carets(kept)


@pytest.mark.parametrize("key", CRASHES)
def test_the_corrected_program_runs_to_its_end(key):
    exhibit = EXHIBITS[key]
    assert traceback_of(exhibit.program.replace(exhibit.written, exhibit.corrected)) == ""


def test_a_program_that_does_not_end_is_ended():
    with pytest.raises(ValueError, match="did not end within 1 s"):
        traceback_of("while True: pass", seconds=1)


def test_a_traceback_shows_neither_folders_nor_libraries():
    text = (
        "Traceback (most recent call last):\n"
        '  File "/tmp/x/cell.py", line 3, in <module>\n    train()\n'
        '  File "/opt/lib/python3.11/site-packages/torch/a.py", line 9, in f\n    g()\n    ^^^\n'
        "ValueError: no\n"
    )
    assert plain(text, "/tmp/x") == (
        'Traceback (most recent call last):\n  File "cell.py", line 3, in <module>\n'
        "    train()\nValueError: no"
    )


# --- a learner of which one function differs ---


def test_an_unchanged_learner_trains_what_train_trains():
    history = Training(TINY).train(TINY, Learner, range(3))
    assert history == train(TINY)


def test_a_weight_replaces_the_algorithms_own():
    own = Training(TINY).train(TINY, weighing(ALGORITHMS["policy_gradient"].weight), range(3))
    plain_one = train(TINY.replace(algorithm="policy_gradient"))
    assert np.array_equal(own.checkpoints, plain_one.checkpoints)


def test_other_targets_reach_the_weight_and_the_critic_or_the_critic_alone():
    def none(batch, config):
        return batch.q_values * 0

    config, params, batch, psi = batch_of()
    right = compiled.gradient(params, batch, psi, every_step(batch), config)
    fitted = fitting(none)().gradient(params, batch, psi, every_step(batch), config)
    policy = np.arange(right.shape[1]) < 7 * config.hidden_dim + 2
    assert np.array_equal(right[:, policy], fitted[:, policy])
    assert not np.allclose(right[:, ~policy], fitted[:, ~policy])
    history = Training(TINY).train(TINY, aiming(none), range(3))
    assert not np.array_equal(history.checkpoints[-1], train(TINY).checkpoints[-1])


# --- each function differs from the right one by its bug ---


def torch_gradient(params, batch, config, loss):
    """d loss / d params with torch, of a loss of log_probs, values, q_values [S, T]."""
    leaf = torch.from_numpy(params).clone().requires_grad_()
    from pgcore import networks
    from pgcore.learners import shape_of

    shape, obs = shape_of(config), torch.from_numpy(batch.obs)
    logits = networks.forward(shape.policy(leaf), obs)
    actions = torch.from_numpy(batch.actions)[..., None]
    log_probs = torch.log_softmax(logits, -1).gather(-1, actions)[..., 0]
    values = networks.forward(shape.critic(leaf), obs)[..., 0]
    loss(log_probs, values, torch.from_numpy(batch.q_values)).sum().backward()
    return leaf.grad.numpy()


def test_not_detached_is_the_gradient_of_the_joint_loss_without_detach():
    config, params, batch, _ = batch_of()
    probs = autograd._policy(params, config)
    chosen = np.stack([probs(batch.obs[:, t]) for t in range(batch.obs.shape[1])], 1)
    chosen = np.take_along_axis(chosen, batch.actions[..., None], -1)[..., 0]
    batch = replace(batch, probs=chosen)  # those with which it acted
    psi = batch.q_values - batch.values
    learner = fitting(notebook.not_detached)()
    ours = learner.gradient(params, batch, psi, every_step(batch), config)

    def joint(log_probs, values, q):
        return -((q - values) * log_probs).mean(-1) + 0.5 * (values - q).pow(2).mean(-1)

    assert np.allclose(ours, torch_gradient(params, batch, config, joint), atol=2e-5)

    def detached(log_probs, values, q):
        return -((q - values.detach()) * log_probs).mean(-1) + 0.5 * (values - q).pow(2).mean(-1)

    assert not np.allclose(ours, torch_gradient(params, batch, config, detached), atol=2e-3)


def test_broadcast_is_the_gradient_of_a_column_against_a_row():
    config, params, batch, psi = batch_of()
    weight = torch.from_numpy(psi)
    learner = fitting(notebook.broadcast)()
    ours = learner.gradient(params, batch, psi, every_step(batch), config)

    def loss(log_probs, values, q):
        table = values[:, :, None] - q[:, None, :]  # [B, 1] against [B]
        return -(weight * log_probs).mean(-1) + 0.5 * table.pow(2).mean((-1, -2))

    assert np.allclose(ours, torch_gradient(params, batch, config, loss), atol=2e-5)


def test_the_naive_fix_leaks_across_a_truncation_and_nowhere_else():
    ends = np.full((1, 6), GOES_ON)
    ends[0, 1], ends[0, 3] = TRUNCATED, TERMINATED
    config = config_for("actor_critic", ends)
    _, batch, _ = random_batch(config, ends, RNG)
    right, leaks = batch.q_values, notebook.leaking(batch, config)
    assert np.array_equal(right[:, 2:], leaks[:, 2:])
    assert leaks[0, 1] == pytest.approx(batch.rewards[0, 1] + 0.99 * right[0, 2], rel=1e-5)
    assert right[0, 1] != leaks[0, 1]


def test_clamped_differs_where_a_probability_is_all_but_certain():
    config, _, batch, psi = batch_of()
    assert np.array_equal(notebook.clamped(batch, config), psi)
    sure = batch.probs.copy()
    sure[0, 0] = 1.0
    assert notebook.clamped(replace(batch, probs=sure), config)[0, 0] == 0
    dist = torch.distributions.Categorical(torch.tensor([0.0, 1.0], requires_grad=True))
    assert dist.logits[1].item() == pytest.approx(-float(notebook.CLAMP), rel=1e-3)


def test_the_last_sixteen_steps_make_one_update_more():
    config = short("actor_critic", 1_000, num_seeds=3, eval_interval=1_000)  # 31 * 32 + 8
    updates = {}
    for name, make in (("written", Learner), ("corrected", notebook.last_steps_used)):
        counts: list[int] = []
        learner = make()
        own = replace(
            learner,
            step=lambda state, g, rows, c, counts=counts: (
                counts.append(int(rows.sum())),
                compiled.step(state, g, rows, c),
            ),
        )
        Training(config).train(config, lambda own=own: own, range(3))
        updates[name] = sum(counts)
    assert updates == {"written": 3 * 31, "corrected": 3 * 32}


def whole_episodes():
    """Two seeds; the first with episodes of 2 and 3 steps, the second with one of 5."""
    ends = np.full((2, 5), GOES_ON)
    ends[0, 1] = ends[:, 4] = TERMINATED
    config = config_for("reinforce", ends)
    _, batch, psi = random_batch(config, ends, RNG)
    return config, batch, psi


def test_sums_and_times_of_whole_episodes():
    _, batch, _ = whole_episodes()
    t = public.step_of_episode(batch)[:, :5]
    assert t.tolist() == [[0, 1, 0, 1, 2], [0, 1, 2, 3, 4]]
    ones = public.sum_of_episode(batch, np.ones_like(batch.rewards))[:, :5]
    assert ones.tolist() == [[2, 2, 3, 3, 3], [5] * 5]


def test_the_weights_of_whole_episodes_by_hand():
    config, batch, g = whole_episodes()
    g, r = g[0, :5], batch.rewards[0, :5].astype(float)
    weights = {
        of.__name__: of(batch, config)[0, :5]
        for of in (
            public.to_go, public.whitened_by_episode, public.sum_times_sum,
            public.discounted_reward, public.whole_return, public.group_of_one,
            public.group_of_all, innocent.discounted_states, public.mean_over_episodes,
        )
    }  # fmt: skip
    first, second = r[0] + 0.99 * r[1], r[2] + 0.99 * r[3] + 0.99**2 * r[4]
    gammas = 0.99 ** np.array([0, 1, 0, 1, 2])
    whole = np.array([first] * 2 + [second] * 3)
    white = np.concatenate([(x - x.mean()) / x.std() for x in (g[:2], g[2:])])
    expected = {
        "to_go": g,
        "whitened_by_episode": white,
        "sum_times_sum": np.repeat([g[:2].sum(), g[2:].sum()], [2, 3]),
        "discounted_reward": gammas * r,
        "whole_return": whole,
        "group_of_one": np.zeros(5),
        "group_of_all": whole - (first + second) / 2,
        "discounted_states": gammas * g,
        "mean_over_episodes": g * 5 / 2,
    }
    for name, weight in expected.items():
        assert np.allclose(weights[name], weight, rtol=1e-4, atol=1e-5), name


def test_a_mask_one_place_late_leaks_at_an_end():
    ends = np.full((1, 6), GOES_ON)
    ends[0, 2] = TERMINATED
    config = config_for("gae", ends)
    _, batch, right = random_batch(config, ends, RNG)
    wrong = public.late_mask(batch, config)
    assert np.allclose(wrong[:, 3:], right[:, 3:], atol=1e-5)
    leak = 0.99 * batch.values[0, 3] + 0.99 * 0.95 * right[0, 3]
    assert wrong[0, 2] - right[0, 2] == pytest.approx(leak, abs=1e-4)
    assert wrong[0, 1] == pytest.approx(batch.rewards[0, 1] - batch.values[0, 1], abs=1e-5)


def test_a_row_less_a_column_leaves_one_number_as_the_baseline():
    config, params, batch, _ = batch_of()
    learner = weighing(public.column_of_values)()
    ours = learner.gradient(params, batch, None, every_step(batch), config)

    def loss(log_probs, values, q):
        table = q[:, None, :] - values.detach()[:, :, None]  # [B] less [B, 1]
        policy = -(table * log_probs[:, None, :]).mean((-1, -2))
        return policy + 0.5 * (values - q).pow(2).mean(-1)

    assert np.allclose(ours, torch_gradient(params, batch, config, loss), atol=2e-5)


def test_of_a_batch_in_parts_only_the_last_counts():
    config, params, batch, psi = batch_of()
    index = every_step(batch)
    ours = public.last_part().gradient(params, batch, psi, index, config)
    alone = compiled.gradient(params, batch, psi, index[:, 3::4].copy(), config)
    assert np.array_equal(ours, alone)
    assert not np.allclose(ours, compiled.gradient(params, batch, psi, index, config))


def test_a_late_reward_is_never_stored_where_it_comes_at_the_end():
    config, _, batch, _ = batch_of()
    late, right = public.pays_one_step_late(batch, config), public.pays_at_the_fall(batch, config)
    fell = batch.terminated
    assert np.all(right[fell] == -1)
    assert np.all(late[fell] == 0)


def test_cartpoles_own_reward_late_misses_the_first_step_of_an_episode():
    ends = np.full((1, 4), GOES_ON)
    ends[0, 1] = TERMINATED
    config = config_for("actor_critic", ends)
    params, batch, _ = random_batch(config, ends, RNG)

    class Filled:
        ready = np.array([True])

    Filled.config = config
    shift = public.late()
    real = compiled.assess
    try:
        compiled.assess = lambda rollout, params: batch
        q = shift.assess(Filled, params).q_values
    finally:
        compiled.assess = real
    assert q[0, 1] == 1  # the last step of an episode: the reward of the step before
    assert q[0, 0] == pytest.approx(0.99)  # the first step itself: 0


def test_zero_grad_too_late_and_never():
    config, params, batch, psi = batch_of()
    given = params, batch, psi, every_step(batch), config
    right = compiled.gradient(*given)
    assert not public.cleared_too_late().gradient(*given).any()
    adding = public.never_cleared()
    assert np.array_equal(adding.gradient(*given), right)
    assert np.allclose(adding.gradient(*given), 2 * right)


def test_over_the_wrong_axis_both_actions_are_alike():
    single = torch.tensor([[0.3, -2.0]])
    assert torch.nn.Softmax(0)(single).tolist() == [[1.0, 1.0]]
    assert torch.distributions.Categorical(torch.ones(1, 2)).probs.tolist() == [[0.5, 0.5]]
    history = Training(TINY).train(TINY, public.wrong_axis, range(3))
    policy = 7 * TINY.hidden_dim + 2
    assert np.array_equal(history.checkpoints[0][:, :policy], history.checkpoints[-1][:, :policy])


def test_adams_epsilon_is_the_one_difference():
    config, params, batch, psi = batch_of()
    gradient = compiled.gradient(params, batch, psi, every_step(batch), config)
    rows = np.array([True, True, False, True])
    ends = {}
    for name, step in (
        ("compiled", compiled.step),
        ("same", public.adam_with(1e-8).step),
        ("large", public.adam_with(1.0).step),
    ):
        state = State(params.copy(), params * 0, params * 0, np.zeros(4, np.int64))
        for _ in range(3):
            step(state, gradient, rows, config)
        ends[name] = state.params
    assert np.allclose(ends["compiled"], ends["same"], atol=1e-6)
    assert np.abs(ends["large"] - ends["compiled"]).max() > 1e-3
    assert np.array_equal(ends["large"][2], params[2])


def test_the_old_probabilities_are_those_of_a_network_with_dropout():
    config = short("ppo", 640, num_seeds=3)
    found = {}

    def seen(learner):
        def assess(rollout, params):
            batch = learner.assess(rollout, params)
            found.setdefault("ratio", compiled.assess(rollout, params).probs / batch.probs)
            return batch

        return replace(learner, assess=assess)

    Training(config).train(config, lambda: seen(public.stale_ratio()), range(3))
    assert 0.3 < found["ratio"].min() < 0.99 < 1.01 < found["ratio"].max() < 3


def test_innocent_lines_are_the_same_numbers():
    config, _, batch, _ = batch_of()
    same = innocent.zero_times_final_value(batch, config)
    assert np.allclose(same, batch.q_values, rtol=1e-5, atol=1e-5)
    negative = -np.log(batch.probs)
    assert np.allclose(np.exp(-negative), batch.probs, rtol=1e-6)
    one, two = (
        Training(TINY).train(TINY, make, range(3)) for make in (Learner, innocent.two_adams)
    )
    assert np.array_equal(one.checkpoints, two.checkpoints)


# --- judgements ---


def test_evaluation_on_the_training_stream_moves_the_agents():
    runs = judging.untouched(range(4))
    moved, still = runs.outcomes["share of the seeds that evaluation leaves as they are"]
    assert still.all()
    assert not moved.all()
    assert np.array_equal(runs.corrected[:, 0], runs.corrected[:, 0])


def test_unseeded_torch_repeats_nothing_and_is_left_as_it_was():
    before = torch.random.get_rng_state()
    (pair,) = judging.repeated(range(2)).outcomes.values()
    assert pair[0].tolist() == [0, 0]
    assert pair[1].tolist() == [1, 1]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_bands_that_overlap_hide_differences_that_an_interval_shows():
    runs = judging.overlap(range(40))
    (pair,) = runs.outcomes.values()
    assert len(pair[0]) == len(pair[1]) == 4
    assert pair[0].sum() <= pair[1].sum()


# --- the results file ---


def test_the_file_holds_every_exhibit_with_its_seeds():
    kept = results.load()
    assert set(kept.exhibits) == set(EXHIBITS)
    for key in RUN:
        one = kept.exhibits[key]
        assert one.n >= 200, key
        assert one.n == EXHIBITS[key].seeds
        assert all(x.difference.low <= x.difference.estimate <= x.difference.high
                   for x in one.outcomes)  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", kept.date)


def test_at_least_four_are_harmless_and_so_is_all_that_is_taken_for_a_bug():
    kinds = {key: one.verdict.kind for key, one in results.load().exhibits.items()}
    assert sum(kind == "harmless" for kind in kinds.values()) >= 4
    assert all(kinds[key] == "harmless" for key, e in EXHIBITS.items() if e.room == "none")
    assert {key for key, kind in kinds.items() if kind == "crash"} == set(CRASHES)


def test_no_exhibit_carries_a_verdict_of_its_own():
    for exhibit in EXHIBITS.values():
        assert not {"kind", "verdict"} & set(vars(exhibit))


@pytest.mark.parametrize(
    "key", ["untrained_critic", "broadcast", "cleared_too_late", "one_adam", "last_steps"]
)
def test_a_second_run_gives_the_kept_numbers_again(key):
    again = results.measure(EXHIBITS[key], results.STARTS)
    assert again.starts == results.load().exhibits[key].starts


def test_the_script_writes_what_load_reads(tmp_path, monkeypatch, capsys):
    kept = results.load()
    monkeypatch.setattr(results, "KEPT", tmp_path / "results.json")
    results.write(kept.exhibits, kept.date, results.KEPT)
    results.load.cache_clear()
    try:
        again = results.load()
    finally:
        results.load.cache_clear()
    assert again.exhibits.keys() == kept.exhibits.keys()
    for key, one in kept.exhibits.items():
        assert again.exhibits[key].verdict == one.verdict
        assert again.exhibits[key].curves == one.curves
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "'nothing' is no exhibit" in capsys.readouterr().err


def test_the_file_stays_small():
    assert results.KEPT.stat().st_size < 120_000


def test_the_notebooks_room_trains_the_configs_that_the_lab_has():
    lab = Config.lab(algorithm="batch_mean")
    assert EXHIBITS["untrained_critic"].experiment.changes["value_coef"] == lab.value_coef
    assert FINAL in results.load().exhibits["untrained_critic"].starts
    assert returns.bootstrapped_q is not None
