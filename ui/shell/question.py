"""Questions that a reader answers before the experiment, and the words of the reveal.

A `Question` has three options; a `Mark` is a number that the reader sets on an axis. Free of
Streamlit: lessons declare their questions among their words, and tests read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pgcore.stats import Interval


class Option(NamedTuple):
    """One answer, and the sentence for a reader who chose it though it is not what is measured."""

    text: str
    why: str


class Said(NamedTuple):
    """A verdict in Markdown, and whether the prediction was right."""

    text: str
    right: bool


@dataclass(frozen=True)
class Question:
    """A question with three options; each wrong one is a mistake that is known."""

    name: str
    text: str
    options: tuple[Option, ...]
    usual: int  # the option that the lab's default settings give

    @property
    def texts(self) -> list[str]:
        return [option.text for option in self.options]

    def stated(self, truth: int | None) -> str:
        """The measured answer, in Markdown; None where nothing could be measured."""
        return "*not to be measured here*." if truth is None else f"*{self.options[truth].text}*."

    def verdict(self, said: str | None, truth: int | None, explanation: str) -> Said:
        """The answer and the truth in words; `said` is None for a reader who gave none."""
        right = truth is not None and said == self.options[truth].text
        if said is None:
            parts = [f"It is: {self.stated(truth)}", explanation]
        elif truth is None:
            parts = [f"You predicted *{said}*. It is {self.stated(truth)}", explanation]
        elif right:
            parts = [f":material/check: You predicted it: *{said}*.", explanation]
        else:
            head = f":material/close: You predicted *{said}*. It is: {self.stated(truth)}"
            parts = [head, self._why(said), explanation]
        if truth not in (None, self.usual):
            usual = self.stated(self.usual)
            parts.append(f"With the lab's default settings the answer is another: {usual}")
        return Said(" ".join(parts), right)

    def _why(self, said: str) -> str:
        return next(option.why for option in self.options if option.text == said)


def percent(share: Interval) -> Interval:
    """A share on a Mark's axis of percent."""
    return Interval(100 * share.estimate, 100 * share.low, 100 * share.high, share.n)


@dataclass(frozen=True)
class Mark:
    """A question whose answer is a number, marked on an axis."""

    name: str
    text: str
    axis: str  # its title
    low: float
    high: float
    step: float
    unit: str  # written after a number: 64%
    near: float  # a mark within this of the estimate is called near
    usual: tuple[float, float]  # where the answer lies with the lab's default settings

    @property
    def middle(self) -> float:
        """The axis' middle, on a step: where the mark stands at first."""
        return self.low + round((self.high - self.low) / 2 / self.step) * self.step

    def written(self, value: float) -> str:
        """A number with its unit."""
        return f"{value:.3g}{self.unit}"

    def stated(self, truth: Interval) -> str:
        """The measured number with its interval, in Markdown."""
        return f"**{self.written(truth.estimate)}** {truth.bounds('.3g')}."

    def verdict(self, said: float | None, truth: Interval, explanation: str) -> Said:
        """The mark and the truth in words; `said` is None for a reader who set none."""
        found, right = self.stated(truth), said is not None and self.is_near(said, truth)
        if said is None:
            parts = [f"It is {found}", explanation]
        elif right:
            parts = [
                f":material/check: You marked {self.written(said)}. It is {found}", explanation
            ]  # fmt: skip
        else:
            side = "higher" if truth.estimate > said else "lower"
            head = f":material/close: You marked {self.written(said)}. It is {side}:"
            parts = [head, found, explanation]
        low, high = self.usual
        if not low <= truth.estimate <= high:
            parts.append(
                "With the lab's default settings it is another, between "
                f"{self.written(low)} and {self.written(high)}."
            )
        return Said(" ".join(parts), right)

    def is_near(self, said: float, truth: Interval) -> bool:
        """Whether a mark is near the estimate, or inside its interval."""
        return abs(said - truth.estimate) <= self.near or truth.low <= said <= truth.high
