"""The environments against Gymnasium's own, from equal states; and which ones are refused."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from pgcore import Config, envs, seeding
from pgcore.envs import cartpole
from pgcore.envs.cartpole import CartPole
from pgcore.envs.gym import GymEnv
from pgcore.rollout import make_env
from tests.parts import by_python

KEYS = seeding.keys(range(3), "resets")
ALL = np.ones(3, np.bool_)


def gymnasium_make(env_id: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # v0 is deprecated, and wanted
        return gymnasium.make(env_id)


def balancing(state: np.ndarray) -> np.ndarray:
    """A linear policy that keeps the pole up: states [S, 4] -> actions [S]."""
    return (state @ [0.1, 0.5, 10, 2] > 0).astype(int)


# --- CartPole against Gymnasium's ------------------------------------------------------------


@pytest.mark.parametrize("policy", ["random", "balancing", "left"])
def test_cartpole_is_gymnasiums_from_equal_states(policy: str) -> None:
    """Whole episodes, each from its own start state: states, rewards, and how they end.

    A balanced pole doubles a difference in the last bit every few steps, so in those 500 steps
    each one starts from equal states.
    """
    ours, rng, episodes = CartPole(KEYS, 500), np.random.default_rng(0), 0
    theirs = [gymnasium_make("CartPole-v1") for _ in KEYS]
    ended = ALL
    for _ in range(1100):
        for row in np.flatnonzero(ended).tolist():
            theirs[row].reset()
        for row in np.flatnonzero(ended | (policy == "balancing")).tolist():
            theirs[row].unwrapped.state = tuple(ours.state[row])
        choose = {"random": rng.integers(2, size=3), "balancing": balancing(ours.state)}
        actions = choose.get(policy, np.zeros(3, int))
        rewards, terminated, truncated, final_obs = ours.step(actions, ALL)
        ended = terminated | truncated
        for row, env in enumerate(theirs):
            obs, reward, fell, late, _ = env.step(int(actions[row]))
            assert (rewards[row], terminated[row], truncated[row]) == (reward, fell, late)
            np.testing.assert_allclose(final_obs[row], obs, rtol=1e-6, atol=1e-7)
            if not ended[row]:
                state = np.array(env.unwrapped.state)
                np.testing.assert_allclose(ours.state[row], state, rtol=1e-9, atol=1e-12)
        episodes += int(ended.sum())
    assert episodes == 6 if policy == "balancing" else episodes > 100


def test_sine_and_cosine_where_a_pole_stands() -> None:
    angles = np.linspace(-0.7, 0.7, 20_001)
    sine_and_cosine = by_python(cartpole.sine_and_cosine)
    ours = np.array([sine_and_cosine(angle) for angle in angles])
    np.testing.assert_allclose(ours[:, 0], np.sin(angles), rtol=4e-16, atol=0)
    np.testing.assert_allclose(ours[:, 1], np.cos(angles), rtol=4e-16, atol=0)


@pytest.mark.parametrize(
    ("state", "action", "fell"),
    [
        ((2.39, 0.6, 0, 0), 1, True),  # 2.39 + 0.02 * 0.6 = 2.402
        ((2.39, 0.4, 0, 0), 1, False),
        ((-2.39, -0.6, 0, 0), 0, True),
        ((0, 0, 0.2, 0.6), 0, True),  # 0.212 > 12 degrees = 0.20944
        ((0, 0, 0.2, 0.4), 0, False),
        ((0, 0, -0.2, -0.6), 1, True),
    ],
)
def test_where_a_game_ends(state: tuple, action: int, fell: bool) -> None:
    env = gymnasium_make("CartPole-v1")
    env.reset()
    env.unwrapped.state = state
    obs, _, theirs, _, _ = env.step(action)
    *ours, ended = by_python(cartpole.advance)(*map(float, state), action)
    np.testing.assert_allclose(np.array(ours, np.float32), obs, rtol=1e-6)
    assert ended == theirs == fell


@pytest.mark.parametrize(("env_id", "limit"), [("CartPole-v0", 200), ("CartPole-v1", 500)])
def test_the_clock_ends_a_good_episode(env_id: str, limit: int) -> None:
    """v0 after 200 steps and v1 after 500: truncated, not terminated, and a new start."""
    env = make_env(env_id, KEYS)
    theirs = gymnasium_make(env_id)
    theirs.reset()
    theirs.unwrapped.state = tuple(env.state[0])
    for t in range(1, limit + 1):
        actions = balancing(env.state)
        _, terminated, truncated, final_obs = env.step(actions, ALL)
        assert not terminated.any()
        assert (truncated == (t == limit)).all()
        action = balancing(np.array(theirs.unwrapped.state))
        assert theirs.step(int(action))[2:4] == (False, t == limit)
    assert np.abs(env.state).max() < 0.05 < np.abs(final_obs).max()
    assert (env.elapsed == 0).all() and (env.episodes == 1).all()


@pytest.mark.parametrize("env_id", ["CartPole-v0", "CartPole-v1", "Acrobot-v1"])
def test_a_fixed_start_is_gymnasiums_seeded_reset(env_id: str) -> None:
    seeds = [0, 1, 2**31 - 1]
    env, starts = make_env(env_id, KEYS, seeds), []
    for seed in seeds:
        starts.append(gymnasium_make(env_id).reset(seed=seed)[0])
    np.testing.assert_array_equal(env.obs, starts)
    for _ in range(600):
        _, terminated, truncated, _ = env.step(np.zeros(3, int), ALL)
        ended = terminated | truncated
        np.testing.assert_array_equal(env.obs[ended], np.array(starts)[ended])


def test_starts_are_uniform_and_new_each_time() -> None:
    env = CartPole(seeding.keys(range(500), "resets"), 500)
    first = env.state.copy()
    for start in (first, first[:, :1]):
        assert np.abs(start).max() <= 0.05
        assert start.std() == pytest.approx(0.1 / 12**0.5, rel=0.06)
    for _ in range(12):  # always left lasts no longer
        env.step(np.zeros(500, int), env.episodes == 0)
    assert len(np.unique(np.concatenate([first, env.state]))) == 4000


def test_each_episode_of_a_gymnasium_env_starts_anew() -> None:
    """A start of its own for every row and episode, and the same ones each time."""

    def starts() -> np.ndarray:
        env = GymEnv("CartPole-v1", KEYS)
        found = [env.obs.copy()]
        for episode in range(3):
            for _ in range(12):  # always left lasts no longer
                env.step(np.zeros(3, int), env.episodes == episode)
            found.append(env.obs.copy())
        return np.array(found)  # [4, S, D]

    assert len(np.unique(starts())) == 4 * 3 * 4
    np.testing.assert_array_equal(starts(), starts())


def test_a_row_that_waits_stays_where_it_is() -> None:
    for env in (CartPole(KEYS, 500), GymEnv("CartPole-v1", KEYS)):
        before = env.obs.copy()
        rewards, *_ = env.step(np.ones(3, int), np.array([True, False, True]))
        assert rewards.tolist() == [1, 0, 1]
        assert np.any(env.obs != before, axis=1).tolist() == [True, False, True]


# --- Any other environment -------------------------------------------------------------------


def test_acrobot_is_gymnasiums() -> None:
    """The same steps as an environment of its own that starts where ours does."""
    env, rng = GymEnv("Acrobot-v1", KEYS), np.random.default_rng(0)
    theirs = gymnasium_make("Acrobot-v1")
    theirs.reset()
    inside: Any = env._envs[1].unwrapped
    theirs.unwrapped.state = inside.state
    for _ in range(500):
        actions = rng.integers(3, size=3)
        rewards, terminated, truncated, final_obs = env.step(actions, ALL)
        obs, reward, fell, late, _ = theirs.step(int(actions[1]))
        assert (rewards[1], terminated[1], truncated[1]) == (reward, fell, late)
        np.testing.assert_array_equal(final_obs[1], obs)
    assert late  # its 500 steps are over
    assert not np.array_equal(env.obs[1], final_obs[1])  # a new episode, final_obs the old one's


def test_the_generic_env_plays_cartpole_too() -> None:
    """Same fixed starts, same actions: two implementations, one game."""
    ours, theirs = CartPole(KEYS, 500, range(3)), GymEnv("CartPole-v1", KEYS, range(3))
    rng = np.random.default_rng(1)
    for _ in range(300):
        actions, active = rng.integers(2, size=3), rng.random(3) < 0.8
        ends = [env.step(actions, active) for env in (ours, theirs)]
        for mine, other in zip(*ends, strict=True):
            np.testing.assert_allclose(mine[active], other[active], rtol=1e-5, atol=1e-6)


# --- What can be trained, and what is said of the rest ---------------------------------------


def test_what_a_learner_must_know() -> None:
    v1, v0, acrobot = map(envs.describe, ("CartPole-v1", "CartPole-v0", "Acrobot-v1"))
    assert (v1.obs_dim, v1.num_actions, v1.max_episode_steps, v1.reward_threshold) == (
        4, 2, 500, 475,
    )  # fmt: skip
    assert (v0.max_episode_steps, v0.reward_threshold) == (200, 195)
    assert (acrobot.obs_dim, acrobot.num_actions) == (6, 3)
    assert (v1.return_range, v0.return_range) == ((0, 500), (0, 200))
    assert acrobot.return_range == (-500, 0)
    assert v0.compiled and v0.watchable and v1.compiled and v1.watchable
    assert not acrobot.compiled and not acrobot.watchable


@pytest.mark.parametrize("env_id", sorted(gymnasium.envs.registry))
def test_all_that_gymnasium_knows_is_taken_or_refused_in_a_sentence(env_id: str) -> None:
    try:
        assert envs.describe(env_id).num_actions >= 2
    except ValueError as error:
        assert repr(env_id) in str(error) and str(error).endswith(".")


@pytest.mark.parametrize(
    ("env_id", "said"),
    [
        ("CartPole-v2", "must be an environment that Gymnasium knows, perhaps CartPole-v"),
        ("Cartpole-v1", "must be an environment that Gymnasium knows, perhaps CartPole-v1"),
        ("", "must be an environment that Gymnasium knows"),
        ("\n", "must be an environment that Gymnasium knows"),
        ("x" * 100_000, f"env_id is '{'x' * 40}'; it must be"),
        ("Pendulum-v1", "it must have discrete actions"),
        ("MountainCarContinuous-v0", "it must have discrete actions"),
        ("FrozenLake-v1", "a flat vector of observations"),
        ("CarRacing-v3", "packages that are not installed|discrete actions"),
    ],
)
def test_others_are_refused(env_id: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        envs.describe(env_id)
    assert "\n" not in str(caught.value)


def test_an_endless_env_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cartpole_v1 = gymnasium.envs.registry["CartPole-v1"]
    endless = gymnasium.envs.registration.EnvSpec("Endless-v0", cartpole_v1.entry_point)
    monkeypatch.setitem(gymnasium.envs.registry, "Endless-v0", endless)
    with pytest.raises(ValueError, match="and a time limit"):
        envs.describe("Endless-v0")


def test_a_link_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gymnasium reads "module:Env" as an order to import; a link must not give orders."""
    (tmp_path / "tripwire.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for env_id in ("os:Foo-v0", "tripwire:Foo-v0", "tripwire:CartPole-v1"):
        with pytest.raises(ValueError, match="must be an environment that Gymnasium knows"):
            Config(env_id=env_id)
    assert "tripwire" not in sys.modules
    gymnasium.make("tripwire:CartPole-v1")  # the negative control
    assert "tripwire" in sys.modules
    monkeypatch.delitem(sys.modules, "tripwire")
