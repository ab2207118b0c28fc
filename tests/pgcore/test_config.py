"""Config: what is allowed, what is said of the rest, and the texts that it turns into."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcore import ALGORITHMS, Config
from pgcore.config import MAX_CHECKPOINT_BYTES

SPECS = {spec.name: spec for spec in fields(Config)}
NUMBERS = [name for name, spec in SPECS.items() if type(spec.default) in (int, float)]
CHOICES = [name for name, spec in SPECS.items() if spec.metadata["choices"]]
FITTING: dict[str, Any] = dict(  # with any other
    num_seeds=1, hidden_dim=1, total_timesteps=1_000_000, eval_interval=1_000_000
)


def sentence_about(**changes) -> str:
    """What Config says of a bad setting: one sentence, no more."""
    with pytest.raises(ValueError) as caught:
        Config(**changes)
    said = str(caught.value)
    assert said.endswith(".") and "\n" not in said and len(said) < 400
    return said


def test_defaults_are_the_documented_ones() -> None:
    documented = dict(
        algorithm="actor_critic", env_id="CartPole-v1", num_seeds=10, first_seed=0,
        total_timesteps=10_000, batch_size=32, hidden_dim=32, learning_rate=5e-3,
        critic_learning_rate=5e-3, gamma=0.99, reward_offset=0.0, value_coef=0.5, entropy_coef=0.0,
        eval_interval=500, eval_episodes=5, eval_greedy=False, bootstrap_truncation=True,
        fixed_start=False, learner="compiled",
    )  # fmt: skip
    assert dataclasses.asdict(Config()).items() >= documented.items()


@pytest.mark.parametrize("name", SPECS)
def test_every_setting_explains_itself(name: str) -> None:
    spec = SPECS[name]
    assert spec.metadata["help"]
    if name in NUMBERS:
        assert spec.metadata["low"] <= spec.default <= spec.metadata["high"]
        assert spec.metadata["log"] <= (spec.metadata["low"] > 0)
    if name in CHOICES:
        assert spec.default in spec.metadata["choices"]


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_are_the_first_and_the_last_that_pass(name: str) -> None:
    low, high = SPECS[name].metadata["low"], SPECS[name].metadata["high"]
    kind: Any = type(SPECS[name].default)
    for bound in (low, high):
        fitting = FITTING | ({"eval_interval": 1} if name == "total_timesteps" else {})
        assert getattr(Config(**fitting | {name: kind(bound)}), name) == bound
    for beyond in (low - kind(1e-6 + (kind is int)), high + kind(1e-6 + (kind is int))):
        said = sentence_about(**FITTING | {name: beyond})
        assert f"{name} is {beyond}; it must be a " in said
        assert f"from {low:,} to {high:,}." in said


BAD_NUMBERS = [-1e9, 10**400, -(10**400), math.nan, math.inf, -math.inf, True, False, "3", "", None]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", BAD_NUMBERS, ids=lambda value: str(value)[:9])
def test_no_number_is_named_with_what_is_allowed(name: str, value: object) -> None:
    said = sentence_about(**FITTING | {name: value})
    huge = type(value) is int and abs(value) >= 10**40
    shown = "a number of more than 40 digits" if huge else repr(value)
    assert said.startswith(f"{name} is {shown}; it must be a ")


@pytest.mark.parametrize("name", [n for n in NUMBERS if type(SPECS[n].default) is int])
def test_whole_numbers_are_whole(name: str) -> None:
    assert "must be a whole number from" in sentence_about(**FITTING | {name: 33.5})


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["", "dqn", "Actor_Critic", "x" * 1000])
def test_choices_are_listed(name: str, value: str) -> None:
    said = sentence_about(**{name: value})
    assert said.startswith(f"{name} is {value[:40]!r}; it must be one of ")
    assert all(choice in said for choice in SPECS[name].metadata["choices"])


def test_every_algorithm_is_a_choice() -> None:
    assert SPECS["algorithm"].metadata["choices"] is ALGORITHMS  # what is registered later, too


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (dict(algorithm=3), "algorithm is 3; it must be text."),
        (dict(eval_greedy=1), "eval_greedy is 1; it must be True or False."),
        (dict(fixed_start="true"), "fixed_start is 'true'; it must be True or False."),
        (dict(env_id="Pendulum-v1"), "env_id is 'Pendulum-v1'; it must have discrete actions"),
        (dict(env_id="CartPole-v7"), "env_id is 'CartPole-v7'; it must be an environment that"),
        (dict(formula="q -"), "formula is 'q -': A number"),
        (dict(formula="q" * 999), f"formula is '{'q' * 40}': A formula has at most"),
        (dict(total_timesteps=499), "eval_interval is 500; it must not exceed total_timesteps"),
        (dict(num_seeds=1000, total_timesteps=1_000_000, hidden_dim=256), "MB are allowed"),
    ],
)
def test_what_does_not_fit_together(changes: dict, said: str) -> None:
    assert said in sentence_about(**changes)


def test_what_was_given_is_quoted_in_a_few_characters() -> None:
    for value in (10**5000, "a" * 10**6, [[1] * 10**5] * 10, {"a": {"b" * 1000: 1}}, "a\nb\u202e"):
        for name in ("num_seeds", "gamma", "eval_greedy", "algorithm", "env_id"):
            said = sentence_about(**{name: value})
            assert said.startswith(name) and len(said) < 400 and said.isprintable()
    with pytest.raises(ValueError, match=r"^'a{40}' is no setting"):
        Config.from_strings({"a" * 10**6: "1"})


def test_what_is_kept_stays_below_the_limit() -> None:
    """[K + 1, S, P + E] float32: P = 419 parameters with 32 hidden units, E = 5 episodes."""
    most = MAX_CHECKPOINT_BYTES // (4 * 424 * 1000) - 1
    assert len(Config(num_seeds=1000, total_timesteps=32 * most, eval_interval=32).eval_steps)
    assert "raise eval_interval" in sentence_about(
        num_seeds=1000, total_timesteps=32 * (most + 1), eval_interval=32
    )
    long = dict(total_timesteps=100_000, eval_interval=1, hidden_dim=1, num_seeds=40)
    assert "lower num_seeds, hidden_dim or eval_episodes" in sentence_about(
        **long, eval_episodes=100
    )
    Config(**long, eval_episodes=1)


def test_configs_are_frozen_values() -> None:
    config = Config(gamma=0.9)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.gamma = 1.0  # type: ignore[misc]
    assert config.replace(gamma=0.99) == Config()
    assert {config: "a key"}[Config(gamma=0.9)] == "a key"
    with pytest.raises(ValueError, match="gamma is 2"):
        config.replace(gamma=2)


def test_the_lab_as_written() -> None:
    lab = Config.lab(num_seeds=7)
    assert lab == Config(num_seeds=7, bootstrap_truncation=False, fixed_start=True)
    assert Config.lab(fixed_start=False) == Config(bootstrap_truncation=False)


def test_the_labs_second_task_has_no_value_loss() -> None:
    """Every other agent of the lab trains the critic, and so does the mended second task."""
    weights = {key: Config.lab(algorithm=key).value_coef for key in ALGORITHMS}
    assert weights == {key: 0.0 if key == "batch_mean" else 0.5 for key in ALGORITHMS}
    assert Config.lab(algorithm="batch_mean", value_coef=0.5).value_coef == 0.5


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("gamma", (1, 1.0, np.float64(1), np.float32(1), np.int64(1))),
        ("num_seeds", (7, np.int64(7), np.uint8(7), np.int32(7))),
        ("eval_greedy", (True, np.True_)),
        ("algorithm", ("ppo", np.str_("ppo"))),
    ],
)
def test_one_value_is_one_identity(name: str, values: tuple) -> None:
    """Equal, of one hash, and written alike in links and code, whatever number was given."""
    made = [Config(**{name: value}) for value in values]
    assert len(set(made)) == 1
    assert {type(getattr(config, name)) for config in made} == {type(SPECS[name].default)}
    assert len({str(config.to_strings()) for config in made}) == 1
    assert len({config.to_python() for config in made}) == 1


@pytest.mark.parametrize("value", [np.float64(3.5), np.float64(3), np.True_, np.array([3])])
def test_what_is_no_whole_number_stays_refused(value: object) -> None:
    assert "num_seeds is " in sentence_about(num_seeds=value)


def test_steps_and_seeds() -> None:
    config = Config(total_timesteps=1700, eval_interval=500, first_seed=7, num_seeds=3)
    assert [*config.eval_steps] == [500, 1000, 1500]
    assert [*config.seeds] == [7, 8, 9]


def values_of(spec: dataclasses.Field) -> st.SearchStrategy:
    bounds = spec.metadata
    kind: Any = type(spec.default)
    if kind is bool:
        return st.booleans()
    if bounds["choices"]:
        return st.sampled_from([*bounds["choices"]])
    if kind is str:
        return st.just(spec.default)
    numbers = st.integers if kind is int else st.floats
    return numbers(bounds["low"], bounds["high"])


configs = st.fixed_dictionaries(
    {}, optional={n: values_of(s) for n, s in SPECS.items() if n not in FITTING}
).map(lambda changes: Config(**FITTING | changes))


@settings(deadline=None)
@given(configs)
def test_text_and_python_make_the_same_config(config: Config) -> None:
    assert Config.from_strings(config.to_strings()) == config
    assert eval(config.to_python(), {"Config": Config}) == config


def test_a_link_outlives_a_changed_default() -> None:
    assert Config().to_strings().keys() == SPECS.keys()
    assert Config().to_python() == "Config()"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("num_seeds", "ten", "num_seeds is 'ten'; it must be a whole number from 1 to 1,000."),
        ("num_seeds", "1e2", "num_seeds is '1e2'; it must be a whole number"),
        ("num_seeds", "-3", "num_seeds is -3; it must be a whole number"),
        ("num_seeds", "9" * 5000, f"num_seeds is '{'9' * 40}'; it must be a whole number"),
        ("gamma", "", "gamma is ''; it must be a number from 0.0 to 1.0."),
        ("gamma", "nan", "gamma is nan; it must be a number"),
        ("gamma", "-inf", "gamma is -inf; it must be a number"),
        ("gamma", "1e999", "gamma is inf; it must be a number"),
        ("eval_greedy", "maybe", "eval_greedy is 'maybe'; it must be true or false."),
        ("eval_greedy", "x" * 5000, f"eval_greedy is '{'x' * 40}'; it must be true or false."),
        ("learner", "jax", "learner is 'jax'; it must be one of compiled, autograd."),
        ("learning_speed", "1", "'learning_speed' is no setting; there are algorithm, env_id"),
        ("__init__", "1", "'__init__' is no setting"),
    ],
)
def test_text_is_not_trusted(name: str, text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        Config.from_strings({name: text})
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
def test_true_in_any_case(text: str) -> None:
    assert Config.from_strings({"eval_greedy": text}).eval_greedy is True


@settings(deadline=None)
@given(st.sampled_from(sorted(SPECS)), st.text(max_size=50))
def test_any_text_is_taken_or_refused_in_one_sentence(name: str, text: str) -> None:
    try:
        Config.from_strings({**Config(**FITTING).to_strings(), name: text})
    except ValueError as error:
        assert name in str(error) and "\n" not in str(error)
