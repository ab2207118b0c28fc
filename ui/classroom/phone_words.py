"""What phones and the lecturer's page say: sentences from numbers."""

from __future__ import annotations

from typing import Any

from pgcore.classroom import DISCUSS, Asked, Proposal, Truth, Vote


def ended(final: float, episodes: int, rank: int, of: int) -> str:
    """What became of one agent, among those of the class."""
    return (
        f"Yours ended at {final:.0f}: rank {rank} of {of}. This number is the mean return of "
        f"{episodes} episodes."
    )


def episode(steps: int, fell: bool) -> str:
    """How the shown episode ended."""
    end = "Then the pole or the cart was out of bounds." if fell else "Then the time was over."
    return f"One episode of your agent after training: {steps} steps. {end}"


def proposed(made: Proposal) -> str:
    """The answer to a proposal that was taken."""
    return f"Sent to the lecturer: {made.text}."


def discuss(right: float | None) -> str:
    """Why the class should vote once more."""
    assert right is not None
    low, high = DISCUSS
    return (
        f"{right:.0%} are right. Between {low:.0%} and {high:.0%}, a class learns most if it "
        "discusses and votes again."
    )


def truth(asked: Asked, found: Truth | None, mine: Vote | None) -> dict[str, Any] | None:
    """What was measured, and what it says of a phone's own answer; None before it is known."""
    if found is None:
        return None
    return {
        "text": found.text,
        "option": found.option,
        "right": None if mine is None else found.holds(mine),
    }
