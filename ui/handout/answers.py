"""What a class answered: a room's polls as counts, without any phone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from pgcore.classroom import Poll, Vote

MOST_BARS = 8  # of a question whose answer is a number


class Bar(NamedTuple):
    """One answer, or several numbers beside each other, with its votes in each round."""

    label: str
    votes: tuple[int, ...]
    right: bool


class Heard(NamedTuple):
    """One question of a class."""

    name: str
    text: str
    truth: str  # what was measured; nothing, if the host has not revealed it
    bars: tuple[Bar, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        """Votes in each round."""
        return tuple(map(sum, zip(*(bar.votes for bar in self.bars), strict=True)))


def heard(polls: Mapping[str, Poll]) -> tuple[Heard, ...]:
    """What was answered; a question without a vote is left out."""
    return tuple(
        Heard(name, poll.asked.text, poll.truth.text if poll.truth else "", tuple(_bars(poll)))
        for name, poll in polls.items()
        if any(poll.rounds)
    )


def _bars(poll: Poll) -> list[Bar]:
    asked, truth = poll.asked, poll.truth
    if asked.options:
        counts = zip(*map(poll.counts, range(len(poll.rounds))), strict=True)
        return [
            Bar(option, votes, truth is not None and truth.option == place)
            for place, (option, votes) in enumerate(zip(asked.options, counts, strict=True))
        ]
    width = math.ceil((round((asked.high - asked.low) / asked.step) + 1) / MOST_BARS) * asked.step
    places = [
        [math.floor((vote.said - asked.low) / width + 1e-9) for vote in votes.values()]
        for votes in poll.rounds
    ]
    every = [place for votes in places for place in votes]
    bars = []
    for place in range(min(every), max(every) + 1):
        first = asked.low + place * width
        last = min(first + width - asked.step, asked.high)
        label = f"{first:g}{asked.unit}" + (f" to {last:g}{asked.unit}" if last > first else "")
        steps = [first + k * asked.step for k in range(round((last - first) / asked.step) + 1)]
        right = truth is not None and any(truth.holds(Vote(said, True)) for said in steps)
        bars.append(Bar(label, tuple(votes.count(place) for votes in places), right))
    return bars
