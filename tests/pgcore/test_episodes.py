"""Episodes are evaluation's own, and say what really happened."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

from pgcore import Config, networks, train
from pgcore.episodes import Episode, landscape, play, policy_of, typical_best_worst
from pgcore.learners import compiled, shape_of

CONFIG = Config(num_seeds=3, first_seed=7, total_timesteps=2_000, eval_interval=1_000)


@pytest.fixture(scope="module")
def history():
    return train(CONFIG)


def play_last(history, seed=8, **options):
    return play(policy_of(history, seed, 2), CONFIG, seed, 2_000, **options)


def test_the_first_episodes_are_those_behind_the_learning_curve(history):
    for k, step in enumerate(CONFIG.eval_steps):
        for s, seed in enumerate(CONFIG.seeds):
            episodes = play(policy_of(history, seed, k + 1), CONFIG, seed, step, episodes=5)
            lengths = [episode.length for episode in episodes]
            assert lengths == history.eval_episode_returns[k, s].tolist()


def test_greedy_episodes_are_greedy_evaluation_s(history):
    config = CONFIG.replace(eval_greedy=True)
    expected = compiled.evaluate(history.checkpoints[-1], config, CONFIG.seeds, 2_000)[1]
    episodes = play_last(history, episodes=5, greedy=True)
    assert [episode.length for episode in episodes] == expected.tolist()
    for episode in episodes:
        assert np.array_equal(episode.actions, episode.probs > 0.5)


def test_gymnasium_agrees_with_every_state(history):
    episode = play_last(history, episodes=1)[0]
    env = CartPoleEnv()
    env.reset()
    env.state = episode.states[0]
    for t, action in enumerate(episode.actions.tolist()):
        _, _, terminated, _, _ = env.step(action)
        assert np.allclose(env.state, episode.states[t + 1], rtol=0, atol=1e-9)
        assert terminated == (episode.terminated and t == episode.length - 1)
    env.close()


def test_probabilities_and_values_are_the_networks(history):
    params = policy_of(history, 8, 2)
    episode = play_last(history, episodes=1)[0]
    obs = episode.states[None, :-1].astype(np.float32)
    shape = shape_of(CONFIG)
    logits = networks.forward(shape.policy(params[None]), obs)[0]
    values = networks.forward(shape.critic(params[None]), obs)[0, :, 0]
    assert np.allclose(episode.probs, 1 / (1 + np.exp(logits[:, 0] - logits[:, 1])), atol=1e-5)
    assert np.allclose(episode.values, values, rtol=1e-4, atol=1e-4)


def test_sampled_actions_follow_their_probabilities(history):
    episodes = play(policy_of(history, 8, 0), CONFIG, 8, 0, episodes=200)
    actions = np.concatenate([e.actions for e in episodes])
    probs = np.concatenate([e.probs for e in episodes]).astype(float)
    z = (actions - probs).sum() / np.sqrt((probs * (1 - probs)).sum())
    assert abs(z) < 4
    assert 0 < actions.mean() < 1


def test_the_return_that_followed_is_the_geometric_sum(history):
    episode = play_last(history, episodes=1)[0]
    left = episode.length - np.arange(episode.length)
    assert np.allclose(episode.returns, (1 - 0.99**left) / (1 - 0.99), rtol=1e-5)
    shifted = play(policy_of(history, 8, 2), CONFIG.replace(reward_offset=-3), 8, 2_000, 1)[0]
    assert np.allclose(shifted.returns, -2 * episode.returns, rtol=1e-5)
    assert shifted.length == episode.length  # the episodic return stays the environment's


def test_policies_meet_the_same_start_under_the_same_seed_and_step(history):
    before, after = (play(policy_of(history, 8, k), CONFIG, 8, 2_000) for k in (0, 2))
    for first, second in zip(before, after, strict=True):
        assert np.array_equal(first.states[0], second.states[0])
    other = play(policy_of(history, 8, 0), CONFIG, 8, 1_000)
    assert not np.array_equal(before[0].states[0], other[0].states[0])


def test_a_network_of_zeros_is_indifferent_and_a_clock_can_end_the_episode():
    config = Config(env_id="CartPole-v0")
    params = np.zeros(shape_of(config).size, np.float32)
    assert np.all(play(params, config, 0, 0, episodes=1)[0].probs == 0.5)
    keeper = balancing_row(config)
    episode = play(keeper, config, 0, 0, episodes=1, greedy=True)[0]
    assert (episode.length, episode.terminated) == (200, False)
    assert episode.states.shape == (201, 4)


def balancing_row(config: Config) -> np.ndarray:
    """Push to where the pole leans and swings: z = theta + 0.5 theta_dot, through two ReLUs."""
    params = np.zeros((1, shape_of(config).size), np.float32)
    policy = shape_of(config).policy(params)
    policy.w1[0, 2, :2], policy.w1[0, 3, :2] = (1, -1), (0.5, -0.5)
    policy.w2[0, 1, :2] = (1, -1)
    return params[0]


def of_length(steps: int) -> Episode:
    zeros = np.zeros(steps, np.float32)
    return Episode(np.zeros((steps + 1, 4)), zeros.astype(int), zeros, zeros, zeros, True)


@pytest.mark.parametrize(
    ("lengths", "chosen"),
    [
        ([9], (0, 0, 0)),
        ([30, 10], (1, 0, 1)),
        ([30, 10, 20], (2, 0, 1)),
        ([50, 10, 20, 40], (2, 0, 1)),
        ([500, 500, 500], (1, 2, 0)),
    ],
)
def test_typical_best_and_worst(lengths, chosen):
    choice = typical_best_worst([of_length(steps) for steps in lengths])
    assert (choice["typical"], choice["best"], choice["worst"]) == chosen


def test_the_landscape_shows_the_networks_at_the_given_cart(history):
    config = CONFIG
    over = landscape(balancing_row(config), config, cells=5)
    assert over.probs.shape == over.values.shape == (5, 5)
    assert over.probs[2, 2] == 0.5
    assert np.all(np.diff(over.probs, axis=0) > 0)
    assert np.all(np.diff(over.probs, axis=1) > 0)
    episode = play_last(history, episodes=1)[0]
    x, x_dot, _, _ = episode.states[3]
    params = policy_of(history, 8, 2)
    here = landscape(params, config, x, x_dot, cells=3)
    assert not np.allclose(here.values, landscape(params, config, cells=3).values)
    shape = shape_of(config)
    obs = np.array([[[x, x_dot, here.angles[2], here.velocities[0]]]], np.float32)
    value = networks.forward(shape.critic(params[None]), obs)[0, 0, 0]
    assert here.values[0, 2] == pytest.approx(value, rel=1e-4)


def test_what_is_not_there_is_said_in_one_sentence(history):
    with pytest.raises(ValueError, match=r"^Seed 10 is not in this run, which has 7 to 9\.$"):
        policy_of(history, 10, 0)
    with pytest.raises(ValueError, match=r"^Checkpoint 3 does not exist; this run has 0 to 2\.$"):
        policy_of(history, 8, 3)
    with pytest.raises(ValueError, match=r"^Checkpoint -1 does not exist"):
        policy_of(history, 8, -1)
    params = policy_of(history, 8, 0)
    with pytest.raises(ValueError, match="1 to 200 are allowed"):
        play(params, CONFIG, 8, 0, episodes=0)
    with pytest.raises(ValueError, match=r"only CartPole's can\.$"):
        play(params, Config(env_id="Acrobot-v1"), 8, 0)
    with pytest.raises(ValueError, match=r"train it again\.$"):
        landscape(params, CONFIG.replace(hidden_dim=16))
