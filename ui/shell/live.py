"""Show runs while they run: poll, progress, pause, cancel. The runs belong to the registry."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgcore import runs
from pgcore.config import Config
from ui.shell.series import Figure

AGAIN = ("cancelled", "failed")
POLL_SECONDS = 0.15
FIRST_PAINT_SECONDS = 2.0  # a quick run is waited for, and stands in the first paint
ARRIVAL_SECONDS = 5.0  # whoever arrives, by a link or otherwise, finds this much running

gc.collect()
gc.freeze()  # what is imported by now is never garbage: later collections pass it over


def wait_until_compiled() -> None:
    """Hold the page while the kernels compile, which a machine does once."""
    ready = runs.warm_up()
    if not ready.wait(0.3):
        with st.spinner("Compiling the learner: some 30 seconds, at the first start only."):
            ready.wait()


def find(configs: Mapping[str, Config]) -> dict[str, runs.Run]:
    """The runs that exist already."""
    found = {key: runs.REGISTRY.get(config) for key, config in configs.items()}
    return {key: run for key, run in found.items() if run is not None}


def start(configs: Mapping[str, Config]) -> dict[str, runs.Run]:
    """Submit every config; wait a moment for those that are quick.

    Raises: runs.Busy.
    """
    started = {key: runs.REGISTRY.submit(config) for key, config in configs.items()}
    for run in started.values():
        if runs.expected_seconds(run.config) < runs.QUICK_SECONDS:
            run.finished.wait(FIRST_PAINT_SECONDS)
    return started


def expected_seconds(configs: Mapping[str, Config]) -> float:
    """How long the configs that have no history yet will take together."""
    return sum(
        runs.expected_seconds(config)
        for config in configs.values()
        if (run := runs.REGISTRY.get(config)) is None or run.outcome != "done"
    )


def run_or_offer(figure: Figure, place: DeltaGenerator) -> tuple[dict[str, runs.Run], Figure]:
    """Run at once what is quick; for the rest put a Run button, with its time, at `place`.

    Returns: the runs to show and the figure they belong to. Before the button is pressed that is
    the last figure that ran, plainly marked; nothing if there is none.
    """
    shown = find(figure.configs)
    stopped = any(run.outcome in AGAIN for run in shown.values())
    if len(shown) < len(figure.configs) or stopped:
        seconds = expected_seconds(figure.configs)
        patience = runs.QUICK_SECONDS if "last_figure" in st.session_state else ARRIVAL_SECONDS
        wanted = seconds < patience and not stopped
        if not wanted and not any(run.live for run in shown.values()):
            label = f"{'Run again' if stopped else 'Run'}, about {seconds:,.0f} s"
            wanted = place.button(label, icon=":material/play_arrow:", type="primary")
        if wanted:
            try:
                shown = start(figure.configs)
                place.empty()
            except runs.Busy as busy:
                st.warning(str(busy))
    if shown:
        st.session_state["last_figure"] = figure
        return shown, figure
    last = st.session_state.get("last_figure")
    if last is None:
        return {}, figure
    st.warning("The settings above have not run yet; the picture below belongs to earlier ones.")
    return find(last.configs), last


def watch(shown: Mapping[str, runs.Run], draw: Callable[[], None]) -> None:
    """Call `draw` now and, while any run lives, several times a second."""
    live = any(run.live for run in shown.values())

    def view() -> None:
        draw()
        if live and not any(run.live for run in shown.values()):
            st.rerun()  # the whole page, once: the timer ends and the buttons change

    st.fragment(view, run_every=POLL_SECONDS if live else None)()


def progress(shown: Mapping[str, runs.Run]) -> None:
    """One bar for all runs, with the rate and the time left, or how they ended."""
    every = list(shown.values())
    for run in every:
        if run.status == "failed":
            st.error(f"The run of {run.config.algorithm} failed ({run.error}). Try it again.")
    steps = sum(r.progress * r.config.total_timesteps * r.config.num_seeds for r in every)
    total = sum(r.config.total_timesteps * r.config.num_seeds for r in every)
    rate = sum(run.steps_per_second for run in every if run.status == "running")
    if any(run.live for run in every):
        left = f", {(total - steps) / rate:,.0f} s left" if rate else ""
        waiting = [run for run in every if run.status == "queued"]
        ahead = max((runs.REGISTRY.place(run) for run in waiting), default=0)
        queue = f" · waiting behind {ahead}" if ahead and len(waiting) == len(every) else ""
        paused = " · paused" if any(run.status == "paused" for run in every) else ""
        text = f"{steps:,.0f} of {total:,} steps, {rate:,.0f} steps/s{left}{queue}{paused}"
        st.progress(steps / total, text=text)
        return
    cancelled = [run for run in every if run.status == "cancelled"]
    if cancelled:
        st.caption(f":material/cancel: Cancelled at {steps:,.0f} of {total:,} steps.")
        return
    seconds = sum(run.elapsed for run in every)
    rate = total / seconds if seconds else 0.0
    st.caption(
        f":material/check: {total:,} environment steps and every evaluation in {seconds:.2f} s "
        f"({rate:,.0f} steps/s)"
    )


def controls(shown: Mapping[str, runs.Run], key: str) -> None:
    """Pause or resume, and cancel, while anything runs."""
    live = [run for run in shown.values() if run.live]
    if not live:
        return
    paused = any(run.control.paused for run in live)
    buttons = st.container(horizontal=True)
    label, icon = ("Resume", "play_arrow") if paused else ("Pause", "pause")
    if buttons.button(label, icon=f":material/{icon}:", key=f"{key}_pause"):
        for run in live:
            run.control.resume() if paused else run.control.pause()
        st.rerun()
    if buttons.button("Cancel", icon=":material/stop:", key=f"{key}_cancel"):
        for run in live:
            run.control.cancel()
        for run in live:
            run.finished.wait(1.0)
        st.rerun()
