"""Sources of variance by checkpoint, the critic against the truth, and every seed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pgcore import runs
from pgcore.gradients import Decomposition, collect_windows, decompose
from pgcore.stats import Interval
from ui.cloud.charts import written
from ui.shell import lesson
from ui.shell import policy as measure
from ui.variance import charts as variance

QUESTION = "After 2,000 steps of learning, is the critic a value function?"
MOST_SEEDS = 10


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
    windows = collect_windows(policy.row, one_step, variance.STATES, policy.seed)
    return decompose(windows, policy.seed, num_states=variance.STATES, tails=variance.TAILS)


def reveal(here: Decomposition) -> None:
    """The critic's fit beside the reader's prediction."""
    fit = here.critic
    lesson.reveal(
        "critic", "Is the critic a value function here?", variance.answer(fit.explained),
        f"R² = {written(fit.explained)}, RMSE {written(fit.rmse)}, mean error "
        f"{written(fit.bias)}, correlation {written(fit.correlation)}; n = {fit.explained.n:,} "
        "states of this policy.",
    )  # fmt: skip


def bars(parts: dict[int, Decomposition], steps: int) -> None:
    """A panel a baseline: where the variance of one step comes from, checkpoint by checkpoint."""
    chart = variance.source_spec(steps, variance.top(parts))
    columns = st.columns(len(variance.BASELINES))
    for column, (baseline, name) in zip(columns, variance.BASELINES.items(), strict=True):
        with column:
            st.markdown(f"**{name}**")
            st.vega_lite_chart(
                variance.source_rows(parts, baseline), chart, key=f"sources_{baseline}",
                alt=variance.source_description(parts[steps], baseline),
            )  # fmt: skip
    keys = [
        f'<span style="color:{colour}">■</span> {part}'
        for part, colour in zip(variance.PARTS.values(), variance.COLOURS, strict=True)
    ]
    st.html(f"Variance by source: {' &nbsp; '.join(keys)}. A baseline touches the first alone.")


def scatter(parts: dict[int, Decomposition], steps: int) -> None:
    """The critic against the true value at the chosen checkpoint."""
    fit = parts[steps].critic
    low, high = variance.critic_range([other.critic for other in parts.values()])
    st.markdown(f"**The critic after {steps:,} steps**")
    st.vega_lite_chart(
        variance.critic_rows(fit), variance.critic_spec(low, high), key="critic",
        alt=f"The critic's value against the true one in {len(fit.true):,} states: R squared "
        f"{written(fit.explained)}, root mean square error {written(fit.rmse)}.",
    )  # fmt: skip
    st.caption("A point a state; on the diagonal the critic is right.")


def words(here: Decomposition, name: str) -> None:
    """What the bars say at the chosen checkpoint."""

    def at(baseline: str, part: str) -> str:
        found = variance.share(here, baseline, part)
        return f"{found.estimate:.1%} [{100 * found.low:.1f}, {100 * found.high:.1f}]"

    total = here.sources["none"].total
    st.markdown(
        f"**{name}.** Without a baseline, {at('none', 'action')} of a step's variance comes from "
        f"the action that happened to be drawn. The learned critic leaves "
        f"{at('critic', 'action')} of that whole, the true value would leave "
        f"{at('value', 'action')}. No baseline touches what followed, {at('none', 'later')}, nor "
        f"which state it was, {at('none', 'state')}."
    )
    st.caption(
        f"Variance of one step's gradient ψ(MC - b(s)), tr Cov = {written(total)} without a "
        "baseline, split as in Tucker et al. 2018: Σ_a + Σ_τ + Σ_s. CartPole's physics holds no "
        f"chance, so the state can be set: n = {total.n:,} states, both actions taken in each, "
        f"{variance.TAILS} tails played from either; the tails' own noise is subtracted. Bars are "
        "shares of the whole without a baseline; the triangle marks the checkpoint chosen. "
        "[ ]: 95% bootstrap intervals over states."
    )


def table(parts: dict[int, Decomposition]) -> None:
    """The critic's fit, checkpoint by checkpoint."""
    st.dataframe(variance.critic_table(parts), hide_index=True, height="content")
    st.caption(
        "The critic against the true value of the same states. "
        r"$R^2 = 1 - E(V - V_\phi)^2 / \mathrm{Var}\,V$: "
        "below 0, the mean of V for every state would be nearer."
    )


def every_seed(policy: measure.Policy) -> None:
    """R^2 and the critic's worth as a baseline, for other seeds too."""
    config = policy.config
    seeds = sorted({*config.seeds[:MOST_SEEDS], policy.seed})
    points = variance.grid(measure.checkpoints(config)[-1])

    def work(progress: measure.Progress) -> pd.DataFrame:
        cells = [(seed, checkpoint) for seed in seeds for checkpoint in points]
        rows = []
        for done, (seed, checkpoint) in enumerate(cells, start=1):
            at = measure.frozen(config, seed, checkpoint)
            rows.append({"seed": seed, "steps": at.steps} | variance.cell(at.row, config, seed))
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
                alt=f"{variance.TITLES[quantity]} against steps learned, a line a seed.",
            )  # fmt: skip
    for checkpoint in points[1 :: max(len(points) - 2, 1)]:
        steps = checkpoint * config.eval_interval
        poor, costly = variance.counted(cells, steps)
        st.markdown(
            f"- After {steps:,} steps the critic predicts the value worse than one number for "
            f"every state in {_of(poor)} seeds, and an update with the critic has more variance "
            f"than with the best constant in {_of(costly)}."
        )
    st.caption(
        f"n = {len(seeds)} training seeds, a line each; green: seed {policy.seed} with its 95% "
        f"bootstrap interval. R² below -6 is drawn at the edge. The best constant is fitted on "
        f"other batches of the same policy. Shares of seeds: Wilson's 95% interval."
    )


def _of(share: Interval) -> str:
    hits = round(share.estimate * share.n)
    return f"{hits} of {share.n} [{100 * share.low:.0f}, {100 * share.high:.0f}%]"
