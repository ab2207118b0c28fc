"""Find, start or offer runs, and show them while they run: progress, pause, cancel.

    shown = live.run_or_offer(configs)       # starts what is quick, else a button with its time
    live.follow(shown, "page")               # the bar and the buttons, until all have ended
    histories = live.finished(shown)

The runs belong to the engine and not to the session: sessions that ask for the same run share it.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgcore import runs
from pgcore.config import Config
from pgcore.history import History
from pgcore.jobs import AGAIN, ENGINE, Busy, Job
from pgcore.runs import Run
from ui.shell import visitors
from ui.shell.notice import notice
from ui.shell.series import Figure

LOOKS = 100  # a second, of all pages together, at what runs
SOON, LATE = 0.15, 1.0  # seconds between two looks of a page, at least and at most
FIRST_PAINT_SECONDS = 2.0  # a quick run is waited for, and stands in the first paint
ARRIVAL_SECONDS = 5.0  # whoever arrives, by a link or otherwise, finds this much running

gc.collect()
gc.freeze()  # what is imported by now is never garbage: later collections pass it over


def wait_until_compiled() -> None:
    """Hold the page while the kernels compile, which a machine does once."""
    compiling = runs.warm_up()
    if not compiling.finished.wait(0.3):
        with st.spinner("Compiling the learner: some 5 seconds, at the first start only."):
            compiling.finished.wait()
    if compiling.status == "failed":
        notice(f"The learner could not be compiled, so nothing can run. {compiling.error}", "error")
        st.button("Try again", icon=":material/refresh:")  # every run of the page does
        st.stop()


# --- find, start or offer ---


def find(configs: Mapping[str, Config]) -> dict[str, Run]:
    """The runs that exist already."""
    found = {name: runs.get(config) for name, config in configs.items()}
    return {name: run for name, run in found.items() if run is not None}


def finished(shown: Mapping[str, Run]) -> dict[str, History]:
    """The histories of the runs that are complete."""
    return {name: run.result for name, run in shown.items() if run.result is not None}


def any_live(shown: Mapping[str, Run]) -> bool:
    """Whether any run has yet to end."""
    return any(run.live for run in shown.values())


def run_or_offer(
    configs: Mapping[str, Config],
    place: DeltaGenerator | None = None,
    verb: str = "Run",
    patience: float = runs.QUICK_SECONDS,
) -> dict[str, Run]:
    """The runs of these configs, by name; what is missing is started if all of it is quick.

    For longer ones, and for what was cancelled or has failed, there is a button with the time
    that it will take. Where the server does not allow one of them, a sentence says so.

    Args:
        place: where the button stands; here, if not given.
        verb: what the button says.
        patience: seconds; what takes less starts unasked.
    """
    shown = find(configs)
    missing = {
        name: config
        for name, config in configs.items()
        if name not in shown or shown[name].status in AGAIN
    }
    stopped = any(run.status in AGAIN for run in shown.values())
    patience = math.inf if st.session_state.get("runs_unasked") else patience
    place = place or st.empty()
    try:
        for config in missing.values():
            runs.check(config)
    except ValueError as refused:
        with place.container():
            notice(str(refused), "info")
        return shown
    seconds = sum(map(runs.expected_seconds, missing.values()))
    wanted = bool(missing) and not stopped and seconds < patience
    if missing and not wanted and not any_live(shown):
        label = f"{verb}{' again' if stopped else ''}, about {seconds:,.0f} s"
        wanted = place.button(label, icon=":material/play_arrow:", type="primary")
        if wanted := wanted | taken():
            place.empty()
    if wanted:
        try:
            owner = visitors.me()
            shown |= {name: runs.run(config, owner) for name, config in missing.items()}
        except Busy as busy:
            place.warning(str(busy))
            shown = find(configs)
    _wait_for_quick(shown.values())
    return {name: shown[name] for name in configs if name in shown}


def run_unasked(all_of_them: bool) -> None:
    """Whether runs begin unasked in this session however long they take: nobody stands at it."""
    st.session_state["runs_unasked"] = all_of_them


def take_offer(wanted: bool) -> None:
    """Whether the next thing that the page offers to run begins as if its button were pressed."""
    st.session_state["offer_taken"] = wanted


def taken() -> bool:
    """Whether what stands here is to begin unasked by its own button; only the first of a page."""
    return bool(st.session_state.pop("offer_taken", False))


def _wait_for_quick(shown: Iterable[Run]) -> None:
    until = time.monotonic() + FIRST_PAINT_SECONDS
    for run in shown:
        if run.lane == "quick" and run.status in ("queued", "running"):
            run.finished.wait(max(until - time.monotonic(), 0.0))


def run_figure(figure: Figure, place: DeltaGenerator) -> tuple[dict[str, Run], Figure]:
    """`run_or_offer` for a figure; until it has run, the last one that did, plainly marked.

    Returns: the runs to show, if any, and the figure they belong to.
    """
    state = st.session_state.setdefault("last_figures", {})  # by page
    page = st.session_state.get("page")
    patience = runs.QUICK_SECONDS if page in state else ARRIVAL_SECONDS
    shown = run_or_offer(figure.configs, place, patience=patience)
    if shown:
        state[page] = figure
        return shown, figure
    last = state.get(page)
    if last is None:
        return {}, figure
    st.warning("The settings above have not run yet; the picture below belongs to earlier ones.")
    return find(last.configs), last


def start(configs: Iterable[Config]) -> None:
    """Begin runs that a button asked for; what is refused, the page offers or says as usual."""
    with suppress(ValueError):
        for config in configs:
            runs.run(config, visitors.me())


# --- while they run ---


def follow(shown: Mapping[str, Run], key: str) -> None:
    """Buttons and progress, for a page that shows nothing else until the runs have ended."""
    if shown:
        controls(shown, key)
        watch(shown, lambda: progress(shown))


def watch(shown: Mapping[str, Run], draw: Callable[[], None]) -> None:
    """Call `draw` now and, while any run lives, several times a second."""
    live = any_live(shown)

    def view() -> None:
        for run in shown.values():
            run.touch()
        draw()
        if live and not any_live(shown):
            st.rerun()  # the whole page, once: the timer ends and the buttons change

    st.fragment(view, run_every=poll_seconds() if live else None)()


def until_finished(job: Job[Any], text: Callable[[float], str]) -> None:
    """A bar that follows a job's share; the page runs anew, once, when it has ended.

    Args:
        text: beside the bar, for a share of 0 to 1.
    """

    def view() -> None:
        job.touch()
        if job.finished.is_set():
            st.rerun()
        st.progress(job.share, text=text(job.share))

    st.fragment(view, run_every=poll_seconds())()


def poll_seconds() -> float:
    """Seconds until a page looks again at what it waits for: more, the more of them wait."""
    return min(max(ENGINE.watchers() / LOOKS, SOON), LATE)


def look_again_if_gone(shown: Mapping[str, Run]) -> None:
    """The page runs anew where a result that it showed has made room for those of others."""
    if any(run.status == "abandoned" for run in shown.values()):
        st.rerun()


def progress(shown: Mapping[str, Run]) -> None:
    """One bar for all runs, with the rate and the time left, or how they ended."""
    every = list(shown.values())
    for run in every:
        if run.status == "failed":
            notice(f"The run of {run.config.algorithm} failed. {run.error}", "error")
        if run.status == "abandoned":
            st.warning(
                f"The run of {run.config.algorithm} was stopped: nobody looked at it for long, or "
                "others needed its memory."
            )
    steps = sum(run.share * run.steps for run in every)
    total = sum(run.steps for run in every)
    live = [run for run in every if run.live]
    if live:
        rate = sum(run.steps_per_second for run in live if run.status == "running")
        left = f", {(total - steps) / rate:,.0f} s left" if rate else ""
        paused = " · paused" if any(run.status == "paused" for run in live) else ""
        text = f"{steps:,.0f} of {total:,} steps, {rate:,.0f} steps/s{left}{_queue(live)}{paused}"
        st.progress(steps / total, text=text)
        return
    if any(run.status == "cancelled" for run in every):
        st.caption(f":material/cancel: Cancelled at {steps:,.0f} of {total:,} steps.")
        return
    if all(run.status == "done" for run in every):
        seconds = sum(run.elapsed for run in every)
        rate = total / seconds if seconds else 0.0
        st.caption(
            f":material/check: {total:,} environment steps and every evaluation in "
            f"{seconds:.2f} s ({rate:,.0f} steps/s)"
        )


def _queue(live: list[Run]) -> str:
    """How many of others' runs come first, while none of these has begun."""
    ahead = min(ENGINE.place(run) for run in live)
    waits = all(run.status == "queued" for run in live)
    return f" · waiting behind {ahead}" if ahead and waits else ""


def controls(shown: Mapping[str, Run], key: str) -> None:
    """Pause or resume, and cancel, while anything runs."""
    # The last first: a place that the first leaves must not go to the second.
    live = [run for run in reversed(list(shown.values())) if run.live]
    if not live:
        return
    paused = any(run.status == "paused" for run in live)
    buttons = st.container(horizontal=True)
    label, icon = ("Resume", "play_arrow") if paused else ("Pause", "pause")
    if buttons.button(label, icon=f":material/{icon}:", key=f"{key}_pause"):
        for run in live:
            run.resume() if paused else run.pause()
        st.rerun()
    if buttons.button("Cancel", icon=":material/stop:", key=f"{key}_cancel"):
        for run in live:
            run.cancel()
        for run in live:
            run.finished.wait(1.0)
        st.rerun()
