"""The estimators: what every entry of ALGORITHMS keeps, and the exact identities of each."""

from __future__ import annotations

import inspect
from dataclasses import fields, replace

import numpy as np
import pytest
from batches import config_for, filled_rollout, random_batch, random_ends
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcore import ALGORITHMS, Batch, Config, returns, train
from pgcore.learners import autograd, compiled, shape_of

EVERY = pytest.mark.parametrize("algorithm", ALGORITHMS)
ENDS = random_ends(4, 24, np.random.default_rng(0))
seeds_of_numpy = st.integers(0, 2**32)


def psi_of(algorithm: str, batch: Batch, **changes) -> np.ndarray:
    return ALGORITHMS[algorithm].weight(batch, Config(algorithm=algorithm, **changes))


def some_batch(algorithm: str = "actor_critic", rng=None, **changes) -> Batch:
    config = config_for(algorithm, ENDS, **changes)
    return random_batch(config, ENDS, rng or np.random.default_rng(1))[1]


def close(psi: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(psi, expected, rtol=1e-5, atol=1e-5)


# --- What every entry keeps ------------------------------------------------------------------


@EVERY
def test_a_weight_is_a_number_a_step(algorithm: str) -> None:
    batch = some_batch(algorithm)
    psi = psi_of(algorithm, batch)
    assert psi.shape == batch.rewards.shape and psi.dtype == np.float32
    assert np.isfinite(psi[batch.valid]).all() and psi[batch.valid].std() > 0


@EVERY
def test_a_weight_leaves_the_batch_as_it_was(algorithm: str) -> None:
    batch = some_batch(algorithm)
    arrays = {f.name: getattr(batch, f.name).copy() for f in fields(batch)}
    psi_of(algorithm, batch)
    assert all(np.array_equal(getattr(batch, name), x) for name, x in arrays.items())


@EVERY
def test_a_seed_is_weighed_by_itself(algorithm: str) -> None:
    """Row by row gives the same bits as all rows at once: nothing looks across seeds."""
    batch = some_batch(algorithm)
    rows = [Batch(*(getattr(batch, f.name)[s : s + 1] for f in fields(batch))) for s in range(4)]
    alone = [psi_of(algorithm, row) for row in rows]
    np.testing.assert_array_equal(np.concatenate(alone), psi_of(algorithm, batch))


@EVERY
def test_what_lies_behind_the_batch_has_no_say(algorithm: str) -> None:
    config = config_for(algorithm, ENDS)
    rollout = filled_rollout(config, ENDS, np.random.default_rng(1))
    values = rollout.obs.sum(-1), rollout.final_obs.sum(-1)
    batch = rollout.batch(*values)
    valid, before = batch.valid, psi_of(algorithm, batch)[batch.valid]
    rollout.past_mean = filled_rollout(config, ENDS, np.random.default_rng(1)).past_mean
    rollout.rewards[~valid] = 1e6
    np.testing.assert_array_equal(psi_of(algorithm, rollout.batch(*values))[valid], before)


@EVERY
def test_an_entry_explains_itself(algorithm: str) -> None:
    entry = ALGORITHMS[algorithm]
    summary = (inspect.getdoc(entry.weight) or "").splitlines()[0]
    assert summary.startswith("Psi_t = ") and summary.endswith("[S, T]")
    assert algorithm.isidentifier()
    assert all((entry.name, entry.psi, entry.bias, entry.reference))
    assert [a.name for a in ALGORITHMS.values()].count(entry.name) == 1


# --- Q minus a baseline ----------------------------------------------------------------------


def test_weights_by_hand() -> None:
    q = np.array([[4, 3, 2, 7], [1, 1, 1, 5]], np.float32)
    v = np.array([[1, 2, 0, 9], [0, 1, 2, 3]], np.float32)
    batch = some_batch()
    batch = Batch(**{f.name: getattr(batch, f.name)[:2] for f in fields(batch)})
    batch = replace(batch, q_values=q, values=v, past_mean=np.array([2, 1], np.float32))
    by_hand = {
        "policy_gradient": q,
        "batch_mean": [[0, -1, -2, 3], [-1, -1, -1, 3]],
        "leave_one_out": [[0, -4 / 3, -8 / 3, 4], [-4 / 3, -4 / 3, -4 / 3, 4]],
        "actor_critic": [[3, 1, 2, -2], [1, 0, -1, 2]],
        "running_mean": [[2, 1, 0, 5], [0, 0, 0, 4]],
        "constant": [[-26, -27, -28, -23], [-29, -29, -29, -25]],  # b = 30
        "normalized": np.array([[2, 0, 1, -3], [0.5, -0.5, -1.5, 1.5]]) / [[3.5**0.5], [1.25**0.5]],
    }
    for algorithm, psi in by_hand.items():
        close(psi_of(algorithm, batch), np.array(psi))


@pytest.mark.parametrize(
    ("formula", "algorithm"),
    [
        ("q", "policy_gradient"),
        ("b = mean(q)", "batch_mean"),
        ("b = v", "actor_critic"),
        ("b = m", "running_mean"),
        ("b = 30", "constant"),
        ("T / (T - 1) * (q - mean(q))", "leave_one_out"),
        ("(q - v - mean(q - v)) / (std(q - v) + 1e-8)", "normalized"),
    ],
)
def test_a_formula_spells_what_is_registered(formula: str, algorithm: str) -> None:
    batch = some_batch()
    close(psi_of("formula", batch, formula=formula), psi_of(algorithm, batch))


def test_the_factor_is_exact() -> None:
    """leave_one_out = T/(T-1) batch_mean: for T = 4 the float nearest to 4/3, for T = 1 none."""
    batch = some_batch()
    four = replace(batch, q_values=batch.q_values[:, :4])
    expected = psi_of("batch_mean", four) * np.float32(4 / 3)
    np.testing.assert_array_equal(psi_of("leave_one_out", four), expected)
    one = replace(batch, q_values=batch.q_values[:, :1])
    np.testing.assert_array_equal(psi_of("leave_one_out", one), one.q_values)


def scores(config: Config, params: np.ndarray, batch: Batch) -> np.ndarray:
    """psi_t = grad log pi(a_t|s_t), a row a step, one seed.  [T, P]"""
    steps = batch.rewards.shape[1]
    index = np.arange(steps)[None]
    unit = np.eye(steps, dtype=np.float32)
    plain = config.replace(algorithm="policy_gradient", value_coef=0.0)
    rows = [autograd.gradient(params, batch, -steps * e[None], index, plain)[0] for e in unit]
    return np.array(rows)


@pytest.mark.parametrize(("algorithm", "ddof"), [("batch_mean", 0), ("leave_one_out", 1)])
def test_a_mean_as_baseline_gives_the_sample_covariance(algorithm: str, ddof: int) -> None:
    """The estimate is the sample covariance of score and Q, with ddof 0 and with ddof 1."""
    config = config_for(algorithm, ENDS[:1], hidden_dim=3, value_coef=0.0)
    params, batch, psi = random_batch(config, ENDS[:1], np.random.default_rng(2))
    score, q = scores(config, params, batch).astype(float), batch.q_values[0].astype(float)
    covariance = [np.cov(column, q, ddof=ddof)[0, 1] for column in score.T]
    estimate = -autograd.gradient(params, batch, psi, np.arange(24)[None], config)[0]
    np.testing.assert_allclose(estimate, covariance, rtol=1e-4, atol=1e-5)
    assert np.abs(covariance).max() > 0.1


def test_the_variance_over_batches_is_a_parabola_in_the_constant() -> None:
    """tr Var at three values of b predicts any other, frozen policy, 64 batches."""
    ends = random_ends(64, 16, np.random.default_rng(3))
    config = config_for("constant", ends, hidden_dim=4, value_coef=0.0)
    params, batch, _ = random_batch(config, ends, np.random.default_rng(3))
    params = np.repeat(params[:1], 64, axis=0)
    index = np.broadcast_to(np.arange(16), (64, 16))

    def trace(b: float) -> float:
        psi = psi_of("constant", batch, baseline=b)
        gradients = autograd.gradient(params, batch, psi, index, config).astype(float)
        return gradients.var(0).sum()

    three = [-4.0, 0.0, 6.0]
    parabola = np.polyfit(three, [trace(b) for b in three], 2)
    for b in (-9.0, 2.0, 20.0):
        assert trace(b) == pytest.approx(np.polyval(parabola, b), rel=1e-3)


def test_running_means_recursion_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """m_0 = 0, m_k = 0.9 m_{k-1} + 0.1 mean_k, and batch k is weighed with m_{k-1}."""
    seen: list[tuple[np.ndarray, ...]] = []
    entry = ALGORITHMS["running_mean"]

    def spy(batch: Batch, config: Config) -> np.ndarray:
        psi = entry.weight(batch, config)
        seen.append((batch.past_mean.copy(), psi, batch.q_values.copy()))
        return psi

    monkeypatch.setitem(ALGORITHMS, "running_mean", replace(entry, weight=spy))
    train(Config(algorithm="running_mean", num_seeds=3, total_timesteps=320, eval_interval=100))
    assert len(seen) == 9  # whole batches of 32 in the 300 steps up to the last evaluation
    m = np.zeros(3)
    for past_mean, psi, q in seen:
        close(past_mean, m)
        close(psi, q - m[:, None])
        m = 0.9 * m + 0.1 * q.mean(-1)
    assert (m > 1).all()


# --- Generalised advantages ------------------------------------------------------------------


@pytest.mark.parametrize("bootstrap", [True, False])
def test_gae_between_its_ends(bootstrap: bool) -> None:
    """lambda = 1 is Q - V, lambda = 0 is delta; with the lab's targets as with ours."""
    batch = some_batch("gae", bootstrap_truncation=bootstrap)
    gae = {x: psi_of("gae", batch, gae_lambda=x, bootstrap_truncation=bootstrap) for x in (0, 1)}
    close(gae[1], psi_of("actor_critic", batch))
    follows = np.where(batch.terminated if bootstrap else batch.ended, 0, batch.final_values)
    close(gae[0], batch.rewards + 0.99 * follows - batch.values)


def test_the_lab_counts_a_truncation_as_a_termination() -> None:
    for algorithm in ("policy_gradient", "gae", "reinforce"):
        ours, labs = (
            psi_of(algorithm, some_batch(algorithm, bootstrap_truncation=b), bootstrap_truncation=b)
            for b in (True, False)
        )
        assert np.array_equal(ours, labs) == (algorithm == "reinforce")  # bootstraps nothing


floats64 = st.floats(-50, 50)


@settings(deadline=None, derandomize=True)
@given(seeds_of_numpy, st.floats(0, 0.99), st.floats(0, 1), floats64)
def test_gae_does_not_see_a_constant_reward(numpy_seed, gamma, gae_lambda, c) -> None:
    """{r + c, V + c/(1-gamma)} leaves every advantage as it is, where nothing terminates."""
    rng = np.random.default_rng(numpy_seed)
    r, v, follows = rng.normal(size=(3, 2, 12))
    truncated, never = rng.random((2, 12)) < 0.2, np.zeros((2, 12), np.bool_)
    worth = c / (1 - gamma)
    plain = returns.gae(r, v, follows, never, truncated, gamma, gae_lambda)
    shifted = returns.gae(r + c, v + worth, follows + worth, never, truncated, gamma, gae_lambda)
    np.testing.assert_allclose(shifted, plain, atol=1e-8)


@settings(deadline=None, derandomize=True)
@given(seeds_of_numpy, st.floats(0, 1), st.floats(0, 1))
def test_gae_does_not_see_potential_shaping(numpy_seed, gamma, gae_lambda) -> None:
    """r + gamma Phi(s') - Phi(s) with V - Phi; Phi is 0 where the episode has terminated."""
    rng = np.random.default_rng(numpy_seed)
    r, v, follows, phi, phi_next = rng.normal(size=(5, 2, 12)) * 10
    how = rng.choice(3, size=(2, 12), p=(0.8, 0.1, 0.1))
    ends = how == 1, how == 2
    phi_next[how == 1] = 0
    plain = returns.gae(r, v, follows, *ends, gamma, gae_lambda)
    shaping = r + gamma * phi_next - phi, v - phi, follows - phi_next
    np.testing.assert_allclose(returns.gae(*shaping, *ends, gamma, gae_lambda), plain, atol=1e-9)
    wrong = r + gamma * phi_next - phi, v, follows  # the negative control: V as it was
    assert not np.allclose(returns.gae(*wrong, *ends, gamma, gae_lambda), plain, atol=1e-3)


# --- Whitening, whole episodes ---------------------------------------------------------------


@settings(deadline=None, derandomize=True)
@given(st.floats(0.1, 100), st.floats(-100, 100))
def test_whitening_forgets_scale_and_shift(c: float, d: float) -> None:
    """white(cA + d) = white(A) for c > 0: mean 0, std 1; a negative c turns it round."""
    batch = some_batch()
    advantages = batch.q_values - batch.values
    white = psi_of("normalized", batch)
    np.testing.assert_allclose(white.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose(white.std(-1), 1, rtol=1e-5)
    for sign in (1, -1):
        moved = replace(batch, q_values=(batch.values + sign * c * advantages + np.float32(d)))
        np.testing.assert_allclose(psi_of("normalized", moved), sign * white, atol=5e-3)


def test_whitening_of_equal_advantages_is_nothing() -> None:
    batch = some_batch()
    level = replace(batch, q_values=np.full_like(batch.values, 3), values=0 * batch.values)
    np.testing.assert_array_equal(psi_of("normalized", level), 0)  # not 0/0
    one = replace(batch, q_values=batch.q_values[:, :1], values=batch.values[:, :1])
    np.testing.assert_array_equal(psi_of("normalized", one), 0)


def test_reinforce_returns_what_each_episode_still_brought() -> None:
    config = config_for("reinforce", ENDS, gamma=0.5)
    rollout = filled_rollout(config, ENDS, np.random.default_rng(4))
    batch = rollout.batch(np.zeros_like(rollout.rewards), np.full_like(rollout.rewards, 99))
    psi = psi_of("reinforce", batch, gamma=0.5)
    assert batch.ended[:, 23].all()
    for s in range(4):
        left = 0.0
        for t in reversed(range(24)):
            left = batch.rewards[s, t] + 0.5 * left * (not batch.ended[s, t])
            assert psi[s, t] == pytest.approx(left, rel=1e-5)


# --- The clipped surrogate -------------------------------------------------------------------


def with_own_probs(config: Config, params: np.ndarray, batch: Batch) -> Batch:
    """The batch as the policy of `params` would have drawn it: rho = 1."""
    probs = autograd._policy(params, config)
    flat = [probs(np.ascontiguousarray(batch.obs[:, t])) for t in range(batch.obs.shape[1])]
    of_all = np.stack(flat, axis=1)  # [S, T, A]
    return replace(batch, probs=np.take_along_axis(of_all, batch.actions[..., None], 2)[..., 0])


@pytest.mark.parametrize("learner", [autograd, compiled])
def test_ppo_on_policy_is_the_policy_gradient(learner) -> None:
    """At rho = 1, which the first minibatch sees, both losses have the same gradient."""
    config = config_for("ppo", ENDS, hidden_dim=8)
    params, batch, psi = random_batch(config, ENDS, np.random.default_rng(5))
    batch, index = with_own_probs(config, params, batch), np.broadcast_to(np.arange(24), (4, 24))
    clipped = learner.gradient(params, batch, psi, index, config)
    plain = learner.gradient(params, batch, psi, index, config.replace(algorithm="gae"))
    np.testing.assert_allclose(clipped, plain, rtol=1e-4, atol=1e-5)
    assert np.abs(plain[:, : shape_of(config).policy_size]).max() > 0.01


@pytest.mark.parametrize("learner", [autograd, compiled])
@settings(deadline=None, derandomize=True)
@given(
    advantage=st.sampled_from([-2.0, -0.1, 0.1, 2.0]),
    log_rho=st.floats(-1, 1),
    clip=st.sampled_from([0.05, 0.2, 0.5]),
    action=st.integers(0, 1),
)
def test_ppo_stops_exactly_where_it_should(learner, advantage, log_rho, clip, action) -> None:
    """No gradient iff (A > 0 and rho > 1 + e) or (A < 0 and rho < 1 - e)."""
    rho = np.exp(log_rho)
    if min(abs(rho - 1 - clip), abs(rho - 1 + clip)) < 1e-4:
        rho += 1e-2  # off the edge, where the last bit decides
    ends = np.zeros((1, 1), int)
    config = config_for("ppo", ends, hidden_dim=4, clip_range=clip, value_coef=0.0)
    params, batch, psi = random_batch(config, ends, np.random.default_rng(6))
    batch.actions[:], psi[:] = action, advantage
    batch = with_own_probs(config, params, batch)
    old = replace(batch, probs=(batch.probs / rho).astype(np.float32))
    gradient = learner.gradient(params, old, psi, np.zeros((1, 1), int), config)
    beyond = rho > 1 + clip if advantage > 0 else rho < 1 - clip
    assert (np.abs(gradient).max() == 0) == beyond
    if not beyond:  # inside, the gradient is rho times the plain one
        plain = config.replace(algorithm="gae")
        expected = rho * learner.gradient(params, batch, psi, np.zeros((1, 1), int), plain)
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("policy_gradient", "psi = q"),
        ("batch_mean", "b = mean(q)"),
        ("actor_critic", "b = v"),
        ("running_mean", "b = m"),
        ("constant", "b = 30"),
        ("leave_one_out", "psi = (q - mean(q)) * (T / (T - 1))"),
        ("normalized", "psi = (q - v - mean(q - v)) / (std(q - v) + 1e-8)"),
    ],
)
def test_a_formula_that_spells_an_estimator_learns_the_same_bits(key: str, text: str) -> None:
    short = Config(num_seeds=5, total_timesteps=3000)
    spelled = train(short.replace(algorithm="formula", formula=text))
    registered = train(short.replace(algorithm=key))
    assert np.array_equal(spelled.checkpoints, registered.checkpoints)
    assert np.array_equal(spelled.eval_episode_returns, registered.eval_episode_returns)


class Watched:
    """A config that remembers what was read of it."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.read: set[str] = set()

    def __getattr__(self, name: str):
        self.read.add(name)
        return getattr(self.config, name)


@pytest.mark.parametrize("key", ALGORITHMS)
def test_an_entry_declares_what_its_weight_reads(key: str) -> None:
    """Pages keep a policy that does not depend on the setting they vary: `reads` says which."""
    rng = np.random.default_rng(0)
    ends = random_ends(4, 8, rng)
    watched = Watched(config_for(key, ends))
    _, batch, _ = random_batch(watched.config, ends, rng)
    ALGORITHMS[key].weight(batch, watched)
    shared = {"gamma", "bootstrap_truncation"}  # of the returns themselves
    assert watched.read - shared == set(ALGORITHMS[key].reads)
