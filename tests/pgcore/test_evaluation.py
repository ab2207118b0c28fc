"""Evaluation: whole episodes from streams of their own, the same whatever else is evaluated."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from pgcore import Config, evaluation, networks, seeding, train
from pgcore.envs.cartpole import start
from pgcore.learners import autograd, compiled, shape_of
from tests.parts import by_python

CONFIG = Config(num_seeds=4, eval_episodes=6)
PARAMS = networks.initial_parameters(shape_of(CONFIG), CONFIG.seeds)
LEARNERS = pytest.mark.parametrize("learner", [autograd, compiled])


@LEARNERS
def test_an_episode_is_gymnasiums_played_by_hand(learner) -> None:
    """Start and draws by their addresses, the policy in numpy, the game in Gymnasium."""
    returns = learner.evaluate(PARAMS, CONFIG, CONFIG.seeds, at=1500)
    keys = evaluation.episode_keys(CONFIG.seeds, 1500, 6)
    first, uniform = by_python(start), by_python(seeding.uniform_kernel)
    env: Any = gymnasium.make("CartPole-v1")
    for s, e in np.ndindex(4, 6):
        env.reset()
        env.unwrapped.state = first(keys[s, e], 0)
        obs, total, over = np.array(env.unwrapped.state, np.float32), 0.0, False
        while not over:
            policy = shape_of(CONFIG).policy(PARAMS[s : s + 1])
            z = networks.forward(policy, obs[None, None])[0, 0]
            draw = uniform(keys[s, e], 4 + int(total))
            obs, reward, fell, late, _ = env.step(int(draw < 1 / (1 + np.exp(z[0] - z[1]))))
            total, over = total + float(reward), fell or late
        assert returns[s, e] == total
    assert returns.std() > 1


@LEARNERS
def test_an_evaluation_stands_alone(learner) -> None:
    """Neither other seeds, nor more episodes, nor an earlier evaluation changes an episode."""
    whole = learner.evaluate(PARAMS, CONFIG, CONFIG.seeds, 500)
    one = learner.evaluate(PARAMS[2:3], CONFIG, CONFIG.seeds[2:3], 500)
    few = learner.evaluate(PARAMS, CONFIG.replace(eval_episodes=2), CONFIG.seeds, 500)
    np.testing.assert_array_equal(one, whole[2:3])
    np.testing.assert_array_equal(few, whole[:, :2])
    assert not np.array_equal(learner.evaluate(PARAMS, CONFIG, CONFIG.seeds, 1000), whole)


@pytest.mark.parametrize("greedy", [True, False])
@pytest.mark.parametrize("env_id", ["CartPole-v0", "CartPole-v1"])
def test_both_learners_evaluate_alike(env_id: str, greedy: bool) -> None:
    """Trained policies, whose episodes reach the clock.

    In half a thousand steps the last bit may once turn an action round: one episode in twenty.
    """
    config = Config(env_id=env_id, num_seeds=8, eval_greedy=greedy, eval_episodes=4)
    params = train(config.replace(total_timesteps=8000, eval_interval=8000)).checkpoints[-1]
    returns = [x.evaluate(params, config, config.seeds, 7) for x in (autograd, compiled)]
    assert (returns[0] == returns[1]).mean() >= 0.95
    assert returns[0].max() == (200 if env_id == "CartPole-v0" else 500) > returns[0].min()


@LEARNERS
def test_greedy_takes_the_most_probable_action(learner) -> None:
    """Biases alone: always right, or always left, fall within eleven steps; so does a tie."""
    config = CONFIG.replace(eval_greedy=True, num_seeds=3)
    params = np.zeros((3, PARAMS.shape[1]), np.float32)
    shape_of(config).policy(params).b2[:] = [[0, 1e-3], [1e-3, 0], [0, 0]]
    returns = learner.evaluate(params, config, config.seeds, 0)
    assert ((returns >= 8) & (returns <= 11)).all()
    sampled = learner.evaluate(params, config.replace(eval_greedy=False), config.seeds, 0)
    assert sampled.max() > 11
