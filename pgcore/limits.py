"""What one server does for its viewers: limits that its owner sets in the environment.

    PGLAB_PUBLIC=1 PGLAB_SEEDS=100 streamlit run app.py

`PGLAB_PUBLIC=1` takes the lower column, for a server that strangers use; a variable of its own
says otherwise for one limit. docs/deploy.md has the table. In the library, cores and memory hold;
what a run may be is asked for by the app alone (runs.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

PREFIX = "PGLAB_"
PUBLIC = "PGLAB_PUBLIC"


def limit(default: int, public: int, least: int, meaning: str) -> Any:
    """One limit: among friends, for strangers, the least that is possible, and what it bounds."""
    values = dict(default=default, public=public, least=least, meaning=meaning)
    return field(default=default, metadata=MappingProxyType(values))


@dataclass(frozen=True)
class Limits:
    """Each field is the environment's variable PGLAB_ and its name in capitals."""

    seeds: int = limit(1000, 1000, 1, "seeds of a run")  # as many as the pages show
    steps: int = limit(1_000_000, 100_000, 32, "environment steps of each seed")
    hidden: int = limit(256, 64, 1, "hidden units")
    minutes: int = limit(120, 5, 1, "minutes that a run may take, as expected before it begins")
    runs: int = limit(48, 24, 11, "runs and measurements that one browser may wait for")
    sessions: int = limit(300, 150, 1, "open pages at once")
    memory: int = limit(1024, 512, 64, "megabytes that results may take together")
    cores: int = limit(0, 0, 0, "processor cores for training; 0 takes all")


def read(environment: Mapping[str, str]) -> Limits:
    """The limits that these variables ask for.

    Raises: ValueError, one sentence, for what is no whole number or too small.
    """
    public = environment.get(PUBLIC, "") not in ("", "0")
    values: dict[str, int] = {}
    for spec in fields(Limits):
        name, least = PREFIX + spec.name.upper(), spec.metadata["least"]
        values[spec.name] = spec.metadata["public" if public else "default"]
        if name in environment:
            text = environment[name]
            if not text.isdecimal() or int(text) < least:
                raise ValueError(
                    f"{name} is {text[:40]!r}; it must be a whole number from {least} up."
                )
            values[spec.name] = int(text)
    return Limits(**values)


LIMITS = read(os.environ)


def cores() -> int:
    """Threads that training may use."""
    return LIMITS.cores or os.cpu_count() or 1
