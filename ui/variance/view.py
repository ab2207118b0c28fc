"""Sources of variance by checkpoint, the critic against the truth, and every seed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pgcore import runs
from pgcore.gradients import Decomposition, collect_windows, decompose
from pgcore.gradients.critic_worth import count_seeds, critic_worth
from ui.shell import lesson, measure
from ui.variance import charts as variance
from ui.variance import words

MOST_SEEDS = 10
STATES, TAILS = 1000, 8  # of a decomposition


def sources(policy: measure.Policy) -> dict[int, Decomposition] | None:
    """The decomposition along the agent's training, by steps learned; its own among them."""
    last = measure.checkpoints(policy.config)[-1]
    chosen = sorted({*variance.grid(last), policy.checkpoint})

    def work(progress: measure.Progress) -> dict[int, Decomposition]:
        found = {}
        for done, checkpoint in enumerate(chosen):
            at = policy.at(checkpoint)
            found[at.steps] = _decomposed(at)
            progress((done + 1) / len(chosen))
        return found

    name = ("sources", policy.identity[0], tuple(chosen))
    return measure.measured(name, work, f"Playing both actions at {len(chosen)} checkpoints")


def _decomposed(policy: measure.Policy) -> Decomposition:
    one_step = policy.config.replace(batch_size=1)
    windows = collect_windows(policy.params, one_step, STATES, policy.seed)
    return decompose(windows, policy.seed, num_states=STATES, tails=TAILS)


def reveal(here: Decomposition) -> None:
    """The critic's fit beside the reader's prediction."""
    lesson.reveal(
        words.QUESTION, words.answer(here.critic.explained), words.on_the_fit(here.critic)
    )


def bars(parts: dict[int, Decomposition], steps: int) -> None:
    """A panel for every baseline: the sources of one step's variance at each checkpoint."""
    chart = variance.source_spec(steps, variance.top(parts))
    columns = st.columns(len(words.BASELINES))
    for column, (baseline, name) in zip(columns, words.BASELINES.items(), strict=True):
        with column:
            st.markdown(f"**{name}**")
            st.vega_lite_chart(
                variance.source_rows(parts, baseline), chart, key=f"sources_{baseline}",
                alt=words.source_description(parts[steps], baseline),
            )  # fmt: skip
    keys = [
        f'<span style="color:{colour}">■</span> {part}'
        for part, colour in zip(words.PARTS.values(), variance.COLOURS, strict=True)
    ]
    st.html(f"Variance by source: {' &nbsp; '.join(keys)}. A baseline changes the first alone.")


def scatter(parts: dict[int, Decomposition], steps: int) -> None:
    """The critic against the true value at the chosen checkpoint."""
    fit = parts[steps].critic
    low, high = variance.critic_range([other.critic for other in parts.values()])
    st.markdown(f"**The critic after {steps:,} steps**")
    st.vega_lite_chart(
        variance.critic_rows(fit), variance.critic_spec(low, high), key="critic",
        alt=words.critic_description(fit),
    )  # fmt: skip
    st.caption("Every point is a state. On the diagonal the critic agrees with the true value.")


def explain(here: Decomposition, name: str) -> None:
    """What the bars say at the chosen checkpoint."""
    total = here.sources["none"].total
    st.markdown(words.on_the_sources(here, name))
    st.caption(
        f"Variance of one step's gradient ψ(MC - b(s)), tr Cov = {total} without a baseline, "
        "split as in Tucker et al. 2018: Σ_a + Σ_τ + Σ_s. CartPole's physics holds no chance, so "
        f"every state can be set again: n = {total.n:,} states, both actions taken in each, "
        f"{TAILS} tails played from either; the tails' own noise is subtracted. Shares are of the "
        "whole without a baseline, held at its estimate. The triangle marks the checkpoint "
        "chosen. [ ]: 95% bootstrap intervals over states."
    )


def table(parts: dict[int, Decomposition]) -> None:
    """The critic's fit, checkpoint by checkpoint."""
    st.dataframe(words.critic_table(parts), hide_index=True, height="content")
    st.caption(
        "The critic against the true value of the same states. "
        r"$R^2 = 1 - E(V - V_\phi)^2 / \mathrm{Var}\,V$: "
        "below 0, the mean of V for every state would be nearer."
    )


def every_seed(policy: measure.Policy) -> None:
    """R^2, and the critic's variance against the best constant's, for other seeds too."""
    config = policy.config
    seeds = sorted({*config.seeds[:MOST_SEEDS], policy.seed})
    points = variance.grid(measure.checkpoints(config)[-1])

    def work(progress: measure.Progress) -> pd.DataFrame:
        cells = [(seed, checkpoint) for seed in seeds for checkpoint in points]
        rows = []
        for done, (seed, checkpoint) in enumerate(cells, start=1):
            at = measure.frozen(config, seed, checkpoint)
            worth = critic_worth(at.params, config, seed)
            rows.append({"seed": seed, "steps": at.steps} | worth.to_row())
            progress(done / len(cells))
        return pd.DataFrame(rows)

    name = ("every seed", runs.identity(config), tuple(seeds))
    cells = measure.measured(name, work, f"Measuring {len(seeds)} seeds at {len(points)} points")
    if cells is None:
        return
    last = points[-1] * config.eval_interval
    left, right = st.columns(2)
    highest = max(2.0, float(cells["ratio"].max()) * 1.1)
    least = min(0.8, float(cells["ratio"].min()) * 0.9)
    for column, quantity, low, high in (
        (left, "explained", -6.0, 1.0),
        (right, "ratio", least, highest),
    ):
        with column:
            st.vega_lite_chart(
                cells, variance.seeds_spec(quantity, last, policy.seed, low, high),
                key=f"seeds_{quantity}",
                alt=f"{variance.TITLES[quantity]} against steps learned, one line for every seed.",
            )  # fmt: skip
    for checkpoint in points[1 :: max(len(points) - 2, 1)]:
        steps = checkpoint * config.eval_interval
        st.markdown(f"- {words.on_seeds(*count_seeds(cells, steps), steps)}")
    st.caption(
        f"n = {len(seeds)} training seeds, one line each; green: seed {policy.seed} with its 95% "
        f"bootstrap interval. R² below -6 is drawn at the edge. The best constant is fitted on "
        f"other batches of the same policy. Shares of seeds: Wilson's 95% interval."
    )
