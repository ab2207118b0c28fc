"""The museum in words: what each measurement says, and how a reader sorted the cards."""

from __future__ import annotations

from collections.abc import Mapping

from pgcore.exhibits import results
from pgcore.exhibits.exhibit import Exhibit
from pgcore.exhibits.results import Measured
from pgcore.exhibits.verdict import KINDS, Outcome
from ui.shell.question import Option, Question

NAMES = {"crash": "Crash", "silent harm": "Silent harm", "harmless": "Harmless"}
OPTIONS = tuple(NAMES[kind] for kind in KINDS)
INVITATION = (
    "Each card is code that somebody ran; ► marks the line to look at. Does it **crash**, does "
    "something get worse in **silence**, or is it **harmless**?"
)
QUESTION = "What does the code as written do?"
DECK = 12  # cards of the first round
MARK = "►"
ROOM_NONE = (
    "Lines that readers have reported as bugs. The corrected version is what they took for right."
)


WHY = (
    "It does not stop with an error.",
    "No harm that these seeds show, or an error long before.",
    "The measurement shows an error, or a difference beyond the margin.",
)


def question(key: str, measured: Measured) -> Question:
    """The question of one exhibit; its answer is the measurement's."""
    options = tuple(Option(text, why) for text, why in zip(OPTIONS, WHY, strict=True))
    return Question(f"exhibit_{key}", QUESTION, options, usual=place_of(measured))


def place_of(measured: Measured) -> int:
    """The option that is measured."""
    return KINDS.index(measured.verdict.kind)


def name_of(key: str, measured: Mapping[str, Measured]) -> str:
    """ "Crash", "Silent harm" or "Harmless", as the measurement has it."""
    return NAMES[measured[key].verdict.kind]


def number(one: Outcome, side: str) -> str:
    """An interval of one side, or of the difference, in the outcome's own unit."""
    interval = getattr(one, side)
    return f"{interval:.0%}" if one.is_share else f"{interval:.1f}"


def count(one: Outcome) -> str:
    """How many seeds, or studies, an outcome rests on."""
    unit = "studies" if "studies" in one.name else "seeds"
    return f"n = {int(one.difference.n):,} {unit}"


def margin(one: Outcome) -> str:
    """The margin of one outcome with its unit."""
    return f"{one.margin:.0%}" if one.is_share else f"{one.margin:.0f}"


def on_verdict(measured: Measured) -> str:
    """The verdict, and the numbers that it follows from."""
    return f"**{NAMES[measured.verdict.kind]}.** {because(measured)}"


def because(measured: Measured) -> str:
    """The numbers that the verdict follows from."""
    _, how, one = measured.verdict
    if one is None:
        return f"The program stops: `{last_line(measured.traceback)}`"
    gap, n = number(one, "difference"), count(one)
    what = one.name[0].upper() + one.name[1:]
    sides = f"{what}: {number(one, 'written')} as written, {number(one, 'corrected')} corrected."
    if how == "worse":
        return f"{sides} The difference is {gap}, {n} each."
    if how == "better":
        better = "As written it even does better here."
        return f"{better} {sides} The difference is {gap}, {n} each."
    if how == "within the margin":
        return (
            f"{sides} The difference is {gap}, {n} each. That is less than {margin(one)} "
            "either way."
        )
    return (
        f"No harm is seen. {sides} The difference is {gap}: the two are not told apart "
        f"with {n} each. That does not prove them equal."
    )


def on_again(again: Measured, kept: Measured) -> str:
    """What a second measurement says, with other seeds or of the same crash."""
    if not again.traceback:
        return f"With the other seeds: {on_verdict(again)}"
    if again.traceback == kept.traceback:
        return "Run once more, just now: it stops at the same line, with the same error."
    return f"Run once more, just now: {because(again)}"


def last_line(traceback: str) -> str:
    """The line of a traceback that names the error, cut to what fits on a line."""
    lines = [line for line in traceback.splitlines() if line and not line.startswith(" ")]
    line = next(line for line in reversed(lines) if ": " in line and "Error" in line.split(":")[0])
    return line if len(line) <= 110 else f"{line[:107]}..."


def card(exhibit: Exhibit) -> str:
    """The code as written, with a mark before each line that is meant."""
    lines = exhibit.written.splitlines()
    marks = (MARK if number in exhibit.marked else " " for number in range(1, len(lines) + 1))
    return "\n".join(f"{mark} {line}" for mark, line in zip(marks, lines, strict=True))


def on_source(exhibit: Exhibit, measured: Measured, date: str) -> str:
    """What was run, how often and when."""
    if measured.traceback:
        return f"Made by running the code in a process of its own, {date}. Libraries left out."
    last = measured.first_seed + measured.n - 1
    bands = " The band is the 95% interval of the mean." if measured.curves else ""
    return (
        f"{exhibit.setting[0].upper()}{exhibit.setting[1:]}. Seeds {measured.first_seed:,} to "
        f"{last:,}, both versions, measured {date}.{bands}"
    )


def on_places(exhibit: Exhibit) -> str:
    """Where it happened."""
    if not exhibit.seen:
        return "Where it happened: no public thread is known to us."
    return f"Where it happened: {'; '.join(exhibit.seen)}."


def on_intervals(measured: Measured) -> str:
    """What the numbers of the table are."""
    count = len(measured.outcomes)
    if count > 1:
        together = f"The {count} intervals of the differences hold together, at 95% (Bonferroni)."
    else:
        together = "Brackets hold 95% intervals."
    return f"Difference: as written less corrected, seed by seed. {together}"


def on_score(said: Mapping[str, str], measured: Mapping[str, Measured]) -> str:
    """How many cards were sorted as the measurement sorts them, and what was missed most.

    Args:
        said: by exhibit, one of OPTIONS.
    """
    right = sum(option == name_of(key, measured) for key, option in said.items())
    score = f"**{right} of {len(said)}** cards lie where the measurement puts them."
    misses: dict[tuple[str, str], int] = {}
    for key, option in said.items():
        truth = name_of(key, measured)
        if option != truth:
            misses[option, truth] = misses.get((option, truth), 0) + 1
    if not misses:
        return f"{score} None is wrong."
    (option, truth), most = max(misses.items(), key=lambda item: item[1])
    cards = "card" if most == 1 else "cards"
    return f"{score} Most often wrong: {most} {cards} put under *{option}* and measured *{truth}*."


def on_all(measured: Mapping[str, Measured]) -> str:
    """How many exhibits are of each kind."""
    counts = dict.fromkeys(KINDS, 0)
    for one in measured.values():
        counts[one.verdict.kind] += 1
    better = sum(one.verdict.how == "better" for one in measured.values())
    unsure = sum(one.verdict.how == "not told apart" for one in measured.values())
    return (
        f"Of {len(measured)} exhibits, {counts['crash']} crash, {counts['silent harm']} do silent "
        f"harm and {counts['harmless']} are harmless. Of the harmless ones {better} even do better "
        f"as written, and {unsure} are not told apart from the corrected version."
    )


def deck() -> list[str]:
    """All exhibits in the order of the cards: mixed, and the same for everybody."""
    keys = list(results.load().exhibits)
    step = next(k for k in range(7, len(keys) + 7) if _coprime(k, len(keys)))
    return [keys[(3 + i * step) % len(keys)] for i in range(len(keys))]


def _coprime(a: int, b: int) -> bool:
    while b:
        a, b = b, a % b
    return a == 1
