"""What the owner of a server sees: sessions, jobs, memory, errors and the slowest pages.

Off unless the environment holds a token, PGLAB_OWNER_TOKEN, of 16 characters or more. A browser
asks for it as a password (any name) at /owner; Prometheus gets the same figures as text at
/owner/metrics. Nothing of a visitor is in them: no name, no address, no setting.
"""

from __future__ import annotations

import base64
import hmac
import os
import resource
import sys
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from streamlit.runtime.stats import GaugeStat

from pgcore.jobs import ENGINE

TOKEN = "PGLAB_OWNER_TOKEN"
SHORTEST = 16
REMEMBERED = 500  # runs of a page
REFRESH = 5  # seconds

_errors: Counter[str] = Counter()  # by the exception's name
_seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))  # by page
_runs: Counter[str] = Counter()


class Figure(NamedTuple):
    """One number: Prometheus' name and labels, and what it means."""

    name: str
    value: float
    meaning: str
    labels: Mapping[str, str] = {}


@contextmanager
def timed(page: str) -> Iterator[None]:
    """Remember how long a run of the page takes, however it ends."""
    started = time.perf_counter()
    try:
        yield
    finally:
        _seconds[page].append(time.perf_counter() - started)
        _runs[page] += 1


def note_error(error: Exception) -> None:
    """Count an exception that a page did not catch; Streamlit shows it as it always does."""
    _errors[type(error).__name__] += 1


def figures() -> list[Figure]:
    """All numbers, as they are now."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found = [
        Figure("pglab_sessions", _sessions(), "Open sessions"),
        Figure("pglab_results_bytes", ENGINE.bytes, "Memory that results take, as accounted"),
        Figure("pglab_resident_bytes", _resident(), "Memory of the process"),
        Figure("pglab_cpu_seconds_total", usage.ru_utime + usage.ru_stime, "Processor time used"),
        Figure("pglab_threads", threading.active_count(), "Threads"),
        Figure("pglab_cores", os.cpu_count() or 1, "Cores of the machine"),
        Figure("pglab_load", os.getloadavg()[0], "Load of the machine, mean of a minute"),
    ]
    for (lane, status), count in sorted(ENGINE.counts().items()):
        found.append(Figure("pglab_jobs", count, "Jobs", {"lane": lane, "status": status}))
    for name, count in sorted(_errors.items()):
        found.append(Figure("pglab_errors_total", count, "Uncaught exceptions", {"error": name}))
    middle, slow = (
        {page: float(np.quantile(list(times), q)) for page, times in list(_seconds.items())}
        for q in (0.5, 0.95)
    )
    for page in sorted(slow, key=slow.__getitem__, reverse=True):
        label = {"page": page}
        found += [
            Figure("pglab_page_runs_total", _runs[page], "Runs of a page", label),
            Figure("pglab_page_seconds_p50", middle[page], "Seconds a run, median", label),
            Figure("pglab_page_seconds_p95", slow[page], "Seconds a run, 95th percentile", label),
        ]
    return found


def as_prometheus(found: list[Figure]) -> str:
    """The text format of Prometheus, version 0.0.4: a family's lines stand together."""
    families: dict[str, list[Figure]] = defaultdict(list)
    for figure in found:
        families[figure.name].append(figure)
    lines = []
    for name, family in families.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# HELP {name} {family[0].meaning}", f"# TYPE {name} {kind}"]
        for figure in family:
            labels = ",".join(f'{key}="{value}"' for key, value in figure.labels.items())
            lines.append(f"{name}{{{labels}}} {figure.value:.12g}")
    return "\n".join(lines) + "\n"


def as_page(found: list[Figure]) -> str:
    """A plain page that loads itself anew."""
    rows = "\n".join(
        f"<tr><td>{escape(meaning)}<td>{escape(' '.join(labels.values()))}<td>{value:,.6g}"
        for _, value, meaning, labels in found
    )
    return PAGE.format(refresh=REFRESH, rows=rows)


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>This server</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="{refresh}">
<style>
  body {{ font: 16px/1.5 system-ui; margin: 2rem; color-scheme: light dark }}
  td {{ padding-right: 1.5rem }}
  td:last-child {{ text-align: right }}
</style>
<h1>This server</h1>
<table>{rows}</table>
"""


# --- routes ---


def allowed(authorization: str | None, token: str | None) -> bool:
    """Whether a request's Authorization header holds the token, as a password or a bearer's."""
    if not authorization or not token or len(token) < SHORTEST:
        return False
    kind, _, given = authorization.partition(" ")
    if kind.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:  # no base64, or no text in it
            return False
    return hmac.compare_digest(given.encode(), token.encode())


def answer(request: Request) -> Response:
    """The page or the text; 404 where there is no owner, 401 without the token."""
    token = os.environ.get(TOKEN)
    if not token or len(token) < SHORTEST:
        return PlainTextResponse("Not found.", 404)
    if not allowed(request.headers.get("authorization"), token):
        ask = {"www-authenticate": 'Basic realm="The owner of this server"'}
        return PlainTextResponse("This page asks for the owner's token.", 401, ask)
    if request.url.path.endswith("/metrics"):
        return PlainTextResponse(as_prometheus(figures()), media_type="text/plain; version=0.0.4")
    return HTMLResponse(as_page(figures()), headers={"cache-control": "no-store"})


ROUTES = [Route(path, answer) for path in ("/owner", "/owner/metrics")]


def _sessions() -> float:
    found = st.runtime.get_instance().stats_mgr.get_stats(["active_sessions"])
    gauges = (stat for family in found.values() for stat in family if isinstance(stat, GaugeStat))
    return sum(gauge.value for gauge in gauges)


def _resident() -> int:
    """Bytes of this process in memory; its peak where the system has no /proc."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
