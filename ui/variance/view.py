"""Sources of variance by checkpoint, the critic against the truth, and every seed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pandas as pd
import streamlit as st

from pgcore import runs
from pgcore.config import Config
from pgcore.gradients import Decomposition, collect_windows, decompose
from pgcore.gradients.critic_worth import (
    change_of_r2,
    count_seeds,
    critic_explains,
    critic_worth,
)
from pgcore.stats import Interval
from ui.shell import controls, glossary, lesson, link, live, measure
from ui.variance import charts as variance
from ui.variance import words

MOST_SEEDS = 10
STATES, TAILS = 1000, 8  # of a decomposition
WAITING = 100.0  # the end of the axes of the picture that waits for its states


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


def waiting() -> None:
    """The picture before the reader has predicted: the line of agreement, and no state."""
    st.vega_lite_chart(
        variance.waiting_rows(), variance.critic_spec(0.0, WAITING), key="critic_waiting",
        alt="The critic's value against the true value. Only the line where both agree is drawn.",
    )  # fmt: skip
    glossary.caption(words.POINTS)


def reveal(policy: measure.Policy, here: Decomposition) -> None:
    """The critic's fit beside the reader's prediction."""
    truth = words.answer(here.critic.explained)
    lesson.reveal(words.question(policy.name), truth, words.on_the_critic(here.critic))


def scatter(parts: dict[int, Decomposition], steps: int) -> None:
    """The critic against the true value at the chosen checkpoint."""
    fit = parts[steps].critic
    low, high = variance.critic_range([other.critic for other in parts.values()])
    st.vega_lite_chart(
        variance.critic_rows(fit), variance.critic_spec(low, high), key="critic",
        alt=words.critic_description(fit),
    )  # fmt: skip
    glossary.caption(words.POINTS)


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
    st.html(f"Variance by source: {' &nbsp; '.join(keys)}")
    glossary.say(words.on_what_is_left(parts[steps]))


# --- the lever ---


def lever(policy: measure.Policy) -> None:
    """Does a critic that learns faster predict better? The same seeds with two learning rates."""
    present, checkpoint = policy.config.critic_learning_rate, policy.checkpoint
    asks, picture = st.columns([1, 1.6], gap="medium")
    with asks:
        rate = controls.slider("lever_rate", help="Higher: the other critic takes larger steps.")
    if rate == present or not checkpoint:
        asks.info(words.on_no_lever(present, checkpoint))
        return
    with picture:
        cells = _explained(policy, {present: policy.config})
    if cells is None:
        return
    question = words.lever_question(present, rate, policy.steps)
    with asks:
        asked = lesson.predict(question)
    if asked is not None:
        other = policy.config.replace(critic_learning_rate=rate)
        with picture:
            shown = live.run_or_offer({"lever": other}, verb="Train with this critic")
            if not live.finished(shown):
                live.follow(shown, "lever")
                return
            cells = _explained(policy, {present: policy.config, rate: other})
        if cells is None:
            return
        before, after = (
            [found.estimate for found in measured.values()] for measured in cells.values()
        )
        with asks:
            lesson.reveal(
                question,
                words.lever_answer(change_of_r2(before, after)),
                words.on_the_lever(before, after, present, rate),
            )
            st.button(
                f"Use {rate:g} on the whole page", on_click=_adopt, args=(rate,),
                help="The policy, the bars and all seeds below are then those of this critic.",
            )  # fmt: skip
    with picture:
        st.vega_lite_chart(
            variance.lever_rows(cells, policy.seed),
            variance.lever_spec(f"{present:g}", f"{rate:g}", variance.lever_floor(cells)),
            key="lever", alt=words.lever_description(cells),
        )  # fmt: skip
        st.caption(words.on_the_lines(len(cells[present]), policy.seed, variance.LOWEST))
        if asked is not None:
            with st.expander("Show the numbers", icon=":material/table:"):
                st.dataframe(words.lever_table(cells), hide_index=True, height="content")


def _explained(
    policy: measure.Policy, configs: Mapping[float, Config]
) -> dict[float, dict[int, Interval]] | None:
    """R^2 of every seed's critic at the policy's checkpoint, by learning rate and seed."""
    seeds = _seeds(policy)

    def work(progress: measure.Progress) -> dict[float, dict[int, Interval]]:
        found: dict[float, dict[int, Interval]] = {rate: {} for rate in configs}
        for done, (rate, seed) in enumerate(product(configs, seeds), start=1):
            at = measure.frozen(configs[rate], seed, policy.checkpoint)
            found[rate][seed] = critic_explains(at.params, at.config, seed)
            progress(done / (len(configs) * len(seeds)))
        return found

    name = ("lever", *map(runs.identity, configs.values()), tuple(seeds), policy.checkpoint)
    return measure.measured(name, work, f"Measuring the critics of {len(seeds)} seeds")


def _seeds(policy: measure.Policy) -> list[int]:
    """The seeds that are compared, the policy's own among them."""
    return sorted({*policy.config.seeds[:MOST_SEEDS], policy.seed})


def _adopt(rate: float) -> None:
    link.put("critic_learning_rate", rate)
    st.session_state.pop("set_critic_learning_rate", None)


# --- every seed, and all the numbers ---


def numbers(parts: dict[int, Decomposition], policy: measure.Policy) -> None:
    """Everything measured at this seed, folded."""
    here = parts[policy.steps]
    with st.expander("All the numbers", icon=":material/table:"):
        st.markdown(f"- {words.on_the_sources(here, policy.name)}")
        rows = {baseline: variance.source_rows(parts, baseline) for baseline in words.BASELINES}
        st.dataframe(words.source_table(rows), hide_index=True, height=280)
        total = here.sources["none"].total
        glossary.caption(words.on_the_bars(total.n, TAILS, total))
        st.markdown(f"- {words.on_the_fit(here.critic)}")
        st.dataframe(words.critic_table(parts), hide_index=True, height="content")
        st.caption(
            "The critic against the true value of the same states. "
            r"$R^2 = 1 - E(V - V_\phi)^2 / \mathrm{Var}\,V$: "
            "below 0, the mean of V for every state would be nearer."
        )
        st.dataframe(
            words.state_table(variance.critic_rows(here.critic)), hide_index=True, height=280
        )


def every_seed(policy: measure.Policy) -> None:
    """R^2, and the critic's variance against the best constant's, for other seeds too."""
    config = policy.config
    seeds = _seeds(policy)
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
        (left, "explained", variance.LOWEST, 1.0),
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
    with st.expander("Show the numbers", icon=":material/table:"):
        st.dataframe(words.seed_table(cells), hide_index=True, height=280)
        st.caption(words.on_the_seeds(len(seeds), policy.seed, variance.LOWEST))
