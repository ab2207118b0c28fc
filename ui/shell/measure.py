"""Measure: choose the policy that is held still, and what is measured of it, once for everybody.

    policy, beside = measure.choose_policy()             # widgets, in the session and the link
    batch_size = measure.choose_batch_size(policy, beside)
    found = measure.findings(policy, batch_size)         # None while a progress bar stands there

A measurement belongs to this module and not to the session that asked: it is made off the page's
thread, shared by all who ask for the same one, dropped when nobody waits for it any more, and
forgotten when others need its room.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgcore import envs, runs
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.gradients import SampledParabola
from pgcore.gradients.findings import Findings, find
from pgcore.jobs import ENGINE, Busy, Job
from ui.shell import controls, link, live, visitors
from ui.shell.notice import notice
from ui.shell.series import FIELDS, Figure

Result = TypeVar("Result")
Progress = Callable[[float], None]

BATCH_SIZES = [2**k for k in range(9)]  # 1 to 256
WINDOWS = [1000, 2000, 4000, 8000]
NUM_WINDOWS = 4000
MAX_STEPS = 2**19  # of one measurement's windows: longer batches, fewer of them

STEP_BYTES = 80  # that a recorded step takes in a result
FIRST_PAINT_SECONDS = 0.9  # what is quicker stands in the first paint, without a bar


# --- the policy that is held still ---


@dataclass(frozen=True)
class Policy:
    """One seed of one run at one checkpoint: policy and critic, frozen."""

    config: Config  # of the run: its algorithm is the agent
    seed: int
    checkpoint: int  # 0 is before training, k after evaluation k
    params: np.ndarray  # [P] float32

    @property
    def steps(self) -> int:
        """Environment steps that it has learned for."""
        return self.checkpoint * self.config.eval_interval

    @property
    def name(self) -> str:
        when = f"after {self.steps:,} steps" if self.checkpoint else "before training"
        return f"{ALGORITHMS[self.config.algorithm].name}, seed {self.seed}, {when}"

    @property
    def identity(self) -> tuple[str, int]:
        """What the parameters depend on: seed k learns the same alone or among a thousand."""
        return _identity(self.config, self.seed), self.checkpoint

    def at(self, checkpoint: int) -> Policy:
        """The same agent earlier or later.

        Raises: ValueError if it has no such checkpoint.
        """
        return frozen(self.config, self.seed, checkpoint)


def frozen(config: Config, seed: int, checkpoint: int) -> Policy:
    """A policy of a run that the registry holds.

    Raises: ValueError if the run has no such seed or checkpoint (yet).
    """
    run = runs.get(config)
    history = run.history if run else None
    known = history is not None and 0 <= checkpoint < len(history.checkpoints)
    if history is None or not known or seed not in config.seeds:
        raise ValueError(f"There is no policy of seed {seed} at checkpoint {checkpoint} yet.")
    params = history.checkpoints[checkpoint, seed - config.first_seed]
    return Policy(config, seed, checkpoint, params)


def _identity(config: Config, seed: int) -> str:
    return runs.identity(config.replace(num_seeds=1, first_seed=seed))


def checkpoints(config: Config) -> range:
    """Checkpoint 0, before training, and one after each evaluation."""
    return range(len(config.eval_steps) + 1)


def as_trained(config: Config) -> Config:
    """The config without the settings of estimators that its own algorithm never reads.

    A page that varies the constant b or the formula keeps the policy it measures.
    """
    read = ALGORITHMS[config.algorithm].reads
    unread = [name for name in ("baseline", "formula") if name not in read]
    return config.replace(**{name: FIELDS[name].default for name in unread})


def choose_policy() -> tuple[Policy, DeltaGenerator]:
    """Agent, training seed and checkpoint of the current settings, trained if need be.

    Stops the page with a sentence, or with the run's progress, while there is no such policy.

    Returns: the policy, and a place right of the widgets for one of the page's own.
    """
    figure = controls.figure_or_stop()
    cartpole_or_stop(figure)
    with st.container(key="choices"):
        who, which, when, beside = st.columns([1.3, 0.8, 2, 2], vertical_alignment="bottom")
    with who:
        agent = choose_agent(
            figure, st.selectbox,
            help="Another agent has learned another policy. It is that policy which is held still. "
            "More agents, and their settings: on Train.",
        )  # fmt: skip
    config = as_trained(figure.configs[agent])
    _truth_or_stop(config)
    with which:
        seed = controls.pick(
            st.selectbox, "seed", "Seed", config.seeds, config.seeds[0],
            help="Another seed is the same agent, trained with other chance.",
        )  # fmt: skip
    with when:
        steps = config.eval_interval
        at = controls.pick(
            st.select_slider, "checkpoint", "Checkpoint: environment steps learned",
            checkpoints(config), -(-len(config.eval_steps) // 5),
            format_func=lambda k: f"{k * steps:,}",
            help="Further right, the policy has learned for longer. At 0 it is untrained.",
        )  # fmt: skip
    _train(config)
    return frozen(config, seed, at), beside


def cartpole_or_stop(figure: Figure) -> None:
    """The page ends with a sentence if the settings name another environment."""
    if not envs.describe(figure.config.env_id).compiled:
        st.info(f"Gradients are measured on CartPole alone, not on {figure.config.env_id}.")
        st.page_link("pages/train.py", label="Choose CartPole on Train")
        st.stop()


def _truth_or_stop(config: Config) -> None:
    """The page ends with a sentence where every true gradient is 0."""
    if config.gamma == 0:
        st.info(
            "With γ = 0 only the next reward counts, and it is the same for both actions. So the "
            "true gradient is 0: there is nothing to measure an update against. Choose a larger γ."
        )
        st.page_link("pages/train.py", label="Choose another γ on Train")
        st.stop()
    if config.reward_offset == -1:
        st.info(
            "With reward_offset at −1 every reward is 0. So every true Q is 0, and so is the true "
            "gradient: there is nothing to measure an update against."
        )
        st.page_link("pages/rewards.py", label="Shifted rewards shows what is learned then")
        st.stop()


def choose_agent(figure: Figure, widget: Callable[..., Any], **details: Any) -> str:
    """One of the figure's algorithms, actor-critic unless the reader says otherwise."""
    usual = "actor_critic" if "actor_critic" in figure.algorithms else figure.algorithms[0]
    agent: str = controls.pick(
        widget, "agent", "Agent", figure.algorithms, usual,
        format_func=lambda key: ALGORITHMS[key].name, **details,
    )  # fmt: skip
    return agent


def _train(config: Config) -> None:
    """Have the run of this config; stop the page until there is one."""
    shown = live.run_or_offer({"run": config}, verb="Train this agent")
    if live.finished(shown):
        return
    if not live.any_live(shown):
        st.info("This agent has not learned yet; there is no policy to measure.")
    live.follow(shown, "measured")
    st.stop()


def choose_batch_size(policy: Policy, place: DeltaGenerator) -> int:
    """Steps in a measured batch: the run's own unless the reader wants to know of others."""
    own = policy.config.batch_size
    sizes = sorted({*BATCH_SIZES, own}) if own * WINDOWS[0] <= MAX_STEPS else BATCH_SIZES
    usual = min(own, sizes[-1])
    with place:
        return controls.pick(
            st.select_slider, "window_steps", f"Steps in a batch (trained with {own})", sizes,
            usual, format_func=lambda steps: f"{steps:,}",
            help="More steps in a batch: less scatter, and in training fewer updates.",
        )  # fmt: skip


def choose_num_windows(batch_size: int) -> int:
    """How many batches are measured; fewer of long ones."""
    most = MAX_STEPS // batch_size
    options = [n for n in WINDOWS if n <= most] or [most]
    usual = min(NUM_WINDOWS, options[-1])
    return controls.pick(
        st.select_slider, "num_windows", "Batches measured", options, usual,
        format_func=lambda n: f"{n:,}", help="More of them narrow every interval.",
    )  # fmt: skip


def choose_baseline(
    parabola: SampledParabola, label_visibility: Literal["visible", "collapsed"] = "collapsed"
) -> float:
    """The constant b, a setting of the lab, on a slider round the harmless zone, 0 to 2 b*."""
    state, key = link.settings(), "set_baseline"
    spec = FIELDS["baseline"]
    b, bounds = st.session_state.get(key, state["baseline"]), spec.metadata
    best = max(abs(parabola.curve.covariance / (parabola.curve.curvature or 1)), 0.1)
    unit = next(unit for unit in (0.1, 1.0, 10.0, 100.0) if 4 * best <= 200 * unit)
    low, high = -math.ceil(best / unit) * unit, math.ceil(3 * best / unit) * unit
    while low > min(b, spec.default) or high < max(b, spec.default):
        low, high = 2 * low, 2 * high
    low, high = max(low, bounds["low"]), min(high, bounds["high"])
    st.session_state[key] = float(b)
    state["baseline"] = st.slider(
        "Constant baseline b", float(low), float(high), step=unit, key=key, format="%g",
        label_visibility=label_visibility,
        help="Subtracts another number from every Q. The mean update stays, the scatter changes.",
    )  # fmt: skip
    return state["baseline"]


# --- measurements, made once and off the page's thread ---


def measured(
    key: Hashable, work: Callable[[Progress], Result], label: str, steps: int = 1000
) -> Result | None:
    """What `work(progress)` returns, made once for each `key`, whoever asks.

    Waits a moment; after that a progress bar stands here until the page runs again.

    Args:
        key: everything that the result depends on, and a name for what it is.
        work: must touch nothing of Streamlit.
        label: said beside the bar.
        steps: a result's size, in recorded steps.

    Returns: None while it is being made, or when it cannot be; that is said on the page.
    """
    wanted = Job(key, lambda progress, control: work(progress), "measurement", STEP_BYTES * steps)
    try:
        job = ENGINE.ask(wanted, visitors.me())
    except Busy as busy:
        st.error(str(busy))
        return None
    job.finished.wait(FIRST_PAINT_SECONDS)
    if job.status == "done":
        return job.result
    if job.status == "failed":
        notice(job.error, "error")
    else:
        live.until_finished(job, lambda share: f"{label}: {share:.0%}")
    return None


# --- the measurement that the pages share ---


def findings(policy: Policy, batch_size: int, num_windows: int = NUM_WINDOWS) -> Findings | None:
    """Every estimator at one policy, on `num_windows` batches; None while it is being measured."""
    count = min(num_windows, MAX_STEPS // batch_size)
    return measured(
        ("findings", policy.identity, count, batch_size),
        lambda progress: find(
            policy.params,
            policy.config.replace(batch_size=batch_size),
            count,
            policy.seed,
            progress,
        ),
        f"Measuring {count:,} batches of {batch_size} steps",
        steps=count * (batch_size + 4),
    )
