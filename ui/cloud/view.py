"""The cloud's panels and numbers, from what has been measured."""

from __future__ import annotations

import streamlit as st

from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.gradients import by_batch_size, collect_windows
from pgcore.gradients.arrows import arrows_of, mean_along, share_right, share_shown
from pgcore.gradients.findings import ESTIMATORS, Findings
from ui.cloud import charts as cloud
from ui.cloud import words
from ui.shell import glossary, lesson, link, live, measure
from ui.shell.question import percent

PANELS = ("policy_gradient", "constant", "batch_mean", "actor_critic")
MOST_PANELS = 4
WAITING = 3.0  # half the height of the picture that waits for its arrows
LONGEST, ENOUGH = 128, 2000  # steps of the longest batch, and batches, against the batch size


def choose_panels() -> list[str]:
    """The estimators to draw, four at most, in the session and the link."""
    state, key = link.settings(), "set_panels"
    options = [*ESTIMATORS, "constant"]
    if not st.session_state.get(key):  # never none at all
        asked = state.get("panels") or []
        known = [name for name in dict.fromkeys(asked) if name in options][:MOST_PANELS]
        if len(known) < len(asked):
            st.warning(
                f"panels may name up to {MOST_PANELS} of {', '.join(options)}; others are left out."
            )
        st.session_state[key] = known or list(PANELS)
    chosen = st.multiselect(
        "Estimators drawn", [k for k in ALGORITHMS if k in options], key=key,
        format_func=lambda name: ALGORITHMS[name].name, max_selections=MOST_PANELS,
        help="Another estimator gives each step of the same batches another weight. "
        "Up to four are drawn.",
    )  # fmt: skip
    shown = [name for name in ALGORITHMS if name in chosen] or list(PANELS)
    state["panels"] = None if shown == [k for k in ALGORITHMS if k in PANELS] else shown
    return shown


def waiting() -> None:
    """The picture before the reader has predicted: the true gradient, and no update."""
    st.markdown("**Policy gradient**")
    st.vega_lite_chart(
        cloud.truth_row(), cloud.panel_spec(WAITING, "policy_gradient"), key="cloud_waiting",
        alt="The true gradient as an arrow from 0 to 1. No update is drawn yet.",
    )  # fmt: skip
    glossary.caption(words.ARROWS)


def panels(found: Findings, keys: list[str]) -> list[words.Panel]:
    """One cloud an estimator, all to one scale, each with its mean magnified below."""
    half = cloud.radius(found.cloud, [key for key in keys if key != "constant"] or ["score"])
    places = [place for _ in keys[::2] for place in st.columns(min(len(keys), 2))]
    drawn = {}
    for place, key in zip(places, keys, strict=False):
        with place:
            title, picture, below = st.empty(), st.empty(), st.empty()
            b = measure.choose_baseline(found.parabola) if key == "constant" else 0.0
            name = f"Constant, b = {b:g}" if key == "constant" else ALGORITHMS[key].name
            arrows = arrows_of(found.cloud, key, b)
            known = found.measurements.get(key)  # with its bootstrap interval, as in the table
            panel = words.Panel(
                name,
                known.right_way if known else share_right(arrows),
                mean_along(arrows),
                share_shown(found.cloud, key, b, found.reference, found.parabola),
                key in words.UNBIASED,
            )
            title.markdown(words.panel_title(name, panel.right))
            picture.vega_lite_chart(
                cloud.arrow_rows(arrows), cloud.panel_spec(half, key), key=f"cloud_{key}",
                alt=words.description(key, tuple(arrows.mean(0)), panel.right),
            )  # fmt: skip
            drawn[key] = panel, below
    low, high = cloud.mean_range([panel.mean for panel, _ in drawn.values()])
    for key, (panel, below) in drawn.items():
        below.vega_lite_chart(
            cloud.mean_rows(panel.mean), cloud.mean_spec(low, high, key), key=f"mean_{key}",
            alt=words.mean_description(panel),
        )  # fmt: skip
    glossary.caption(f"{words.ARROWS} {words.THE_MEAN}")
    return [panel for panel, _ in drawn.values()]


def reveal(policy: measure.Policy, batch_size: int, found: Findings) -> None:
    """The share of plain PG's updates, and the critic's, beside the reader's prediction."""
    plain, critic = (
        found.measurements[key].right_way for key in ("policy_gradient", "actor_critic")
    )
    question = words.question(policy.name, batch_size)
    lesson.reveal(question, percent(plain), words.explanation(plain, critic))


def numbers(policy: measure.Policy, found: Findings, drawn: list[words.Panel]) -> None:
    """Everything measured, folded."""
    with st.expander("All the numbers", icon=":material/table:"):
        st.markdown("**What the panels show**")
        st.dataframe(words.panel_table(drawn), hide_index=True, height="content")
        glossary.caption(words.on_the_panels(found, min(cloud.DRAWN, len(found.windows))))
        lesson.true_gradient()
        st.markdown("**Every estimator on the same batches**")
        st.dataframe(words.table(found.measurements), hide_index=True, height="content")
        size = found.windows.mc_q.shape[1]
        glossary.caption(words.on_the_table(policy.name, len(found.windows), size))
        for sentence in words.findings(found.measurements, found.ratios, size):
            glossary.say(f"- {sentence}")
        _learning(policy, found)


def _learning(policy: measure.Policy, found: Findings) -> None:
    """Does the share of updates the right way say who learns better?"""
    keys = ("batch_mean", "actor_critic")
    plain = measure.as_trained(policy.config)
    shown = live.run_or_offer(
        {key: measure.as_trained(plain.replace(algorithm=key)) for key in keys},
        verb="Train batch mean and actor-critic",
    )
    ended = live.finished(shown)
    if len(ended) < len(keys):
        live.follow(shown, "learning")
        return
    mean, critic = (found.measurements[key].right_way for key in keys)
    area = stats.difference_interval(
        ended["actor_critic"].area_under_curve, ended["batch_mean"].area_under_curve
    )
    st.markdown(f"- {words.on_learning(mean, critic, area)}")


def against_batch_size(policy: measure.Policy, keys: list[str]) -> None:
    """tr Sigma against T, beside the law that independent steps would obey; folded."""
    with st.expander("Do larger batches help?", icon=":material/stacked_line_chart:"):
        _larger_batches(policy, keys)


def _larger_batches(policy: measure.Policy, keys: list[str]) -> None:
    config = policy.config.replace(batch_size=LONGEST)

    def work(progress: measure.Progress):
        windows = collect_windows(
            policy.params, config, ENOUGH, policy.seed, progress=lambda x: progress(0.4 * x)
        )
        return by_batch_size(
            windows, config, ESTIMATORS, progress=lambda x: progress(0.4 + 0.6 * x)
        )

    frame = measure.measured(
        ("batch sizes", policy.identity), work, f"Measuring batches of 1 to {LONGEST} steps"
    )
    if frame is None:
        return
    rows = cloud.batch_rows(frame, [key for key in keys if key != "constant"])
    st.vega_lite_chart(
        rows, cloud.batch_spec(LONGEST), key="batches", alt=words.batch_description(frame)
    )
    glossary.say(words.law(frame, ENOUGH))
    st.dataframe(words.batch_table(rows), hide_index=True, height=250)
    st.caption(words.on_the_batches(ENOUGH, LONGEST))
