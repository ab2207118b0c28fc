"""The Train page in words: what to do where the seeds do not tell."""

from __future__ import annotations

MORE = (300, 1000)  # seeds, the next steps where fewer do not tell


def next_seeds(num_seeds: int) -> int | None:
    """How many seeds to try after so many; None where there is no further step."""
    return next((more for more in MORE if more > num_seeds), None)


def offer(seeds: int, seconds: float) -> str:
    """A button's label: so many seeds of each, and the time that they take."""
    return f"Run {seeds:,} seeds, about {max(seconds, 1):,.0f} s"
