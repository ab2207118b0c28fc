"""A class: rooms in memory, where phones predict, are a seed each, and propose.

    room = ROOMS.open(lecture)           the lecturer's
    room.code, room.host, room.screen    six letters for the phones; two secrets
    phone = room.join()                  a student's, with a secret of its own
    room.ask(asked); room.open_vote(); room.vote(phone, Vote(1, sure=True)); room.close_vote()
    room.reveal(truth)

Three kinds of people hold three kinds of key. A phone votes, asks for its seed and proposes. The
host steers. The screen, a projector, shows what the host chose: it tells the room what its page
asks and what was measured. Rooms hold no names and no addresses, are bounded in number, size and
time, and end with the server. All that arrives here is untrusted: what is not allowed is refused
with one sentence. Safe for threads.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from pgcore import runs
from pgcore.config import Config
from pgcore.formula import parse
from pgcore.history import History
from pgcore.lecture import Lecture, Slide
from pgcore.runs import Run

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels: no words
CODE_LENGTH = 6
MOST_ROOMS, MOST_PHONES, MOST_PROPOSALS = 20, 500, 200
MOST_OF_A_PHONE = 5  # proposals
LONGEST = 200  # characters of a proposal
BINS = 10  # bars of a histogram of numbers
A_DAY = 24 * 3600.0
# Between 35 and 70% right, a discussion and a second vote teach most (Crouch & Mazur 2001).
DISCUSS = (0.35, 0.70)
SEED_ALGORITHMS = (
    "batch_mean",
    "policy_gradient",
)  # what a phone's seed trains; the first is shown
PROPOSABLE = ("learning_rate", "batch_size", "gamma", "total_timesteps", "hidden_dim")
MISSES_A_SECOND, MISSES_AT_ONCE = 20.0, 60.0  # wrong codes that are looked up, of all visitors
POSTS_A_SECOND, POSTS_AT_ONCE = 2.0, 10.0  # of one phone
JOINS_A_SECOND, JOINS_AT_ONCE = 20.0, 600.0  # of one room

Status = Literal["ready", "open", "closed", "revealed"]


class Refused(ValueError):
    """What a phone or a host may not do; the message is one sentence for them."""


class Unknown(Refused):
    """No such room, or no such phone in it."""


class Stranger(Unknown):
    """The room is there, and does not know this phone."""


class Slower(Refused):
    """Too much at once."""


class Bucket:
    """A rate limit: `burst` at once, `rate` a second in the long run."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self.rate, self.burst, self.clock = rate, burst, clock
        self.left, self.at = burst, clock()

    def take(self) -> None:
        """Raises: Slower, if nothing is left."""
        now = self.clock()
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            raise Slower("That was too much at once. Wait a few seconds and try again.")
        self.left -= 1


# --- what the class is asked ---


class Asked(NamedTuple):
    """A question as phones see it: options to choose from, or a number on a scale."""

    name: str
    text: str
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0
    unit: str = ""
    # What is right with the lab's default settings: an option's place, or the ends of a range.
    usual: int | tuple[float, float] = 0


class Vote(NamedTuple):
    """What one phone said: an option's place or a number."""

    said: float
    sure: bool


class Bar(NamedTuple):
    """Votes for one option, or in one part of the scale, and how many of them were sure."""

    text: str
    votes: int
    sure: int


class Truth(NamedTuple):
    """What was measured: an option's place, or an interval, and a sentence."""

    text: str
    option: int | None = None
    estimate: float = 0.0
    low: float = 0.0
    high: float = 0.0
    near: float = 0.0

    def holds(self, vote: Vote) -> bool:
        """Whether a vote was right, or near enough."""
        if self.option is not None:
            return vote.said == self.option
        near = abs(vote.said - self.estimate) <= self.near
        return near or self.low <= vote.said <= self.high


@dataclass
class Poll:
    """One question in a room, with a dict of votes by phone for each round."""

    asked: Asked
    status: Status = "ready"
    rounds: list[dict[str, Vote]] = field(default_factory=list)
    truth: Truth | None = None

    @property
    def votes(self) -> dict[str, Vote]:
        return self.rounds[-1] if self.rounds else {}

    def counts(self, turn: int = -1) -> list[int]:
        """Votes for each bar of the histogram of a round.  [bars]"""
        return [bar.votes for bar in self.histogram(turn)]

    def histogram(self, turn: int = -1) -> list[Bar]:
        """A round's votes: a bar for each option, or for each of BINS parts of the scale."""
        asked, votes = self.asked, list(self.rounds[turn].values()) if self.rounds else []
        if asked.options:
            places = [int(vote.said) for vote in votes]
            names = list(asked.options)
        else:
            width = (asked.high - asked.low) / BINS
            places = [min(int((vote.said - asked.low) / width), BINS - 1) for vote in votes]
            edges = [f"{asked.low + width * place:.3g}" for place in range(BINS + 1)]
            names = [f"{low} to {high} {asked.unit}".strip() for low, high in pairwise(edges)]
        said = Counter(places)
        sure = Counter(place for place, vote in zip(places, votes, strict=True) if vote.sure)
        return [Bar(name, said[place], sure[place]) for place, name in enumerate(names)]

    def right(self) -> float | None:
        """The share that was right: by what was measured, before that by what is usual."""
        votes = list(self.votes.values())
        if not votes:
            return None
        truth = self.truth or self._usual()
        return sum(truth.holds(vote) for vote in votes) / len(votes)

    def _usual(self) -> Truth:
        usual = self.asked.usual
        if isinstance(usual, tuple):
            return Truth("", low=usual[0], high=usual[1], estimate=usual[0])
        return Truth("", option=usual)

    @property
    def worth_discussing(self) -> bool:
        """Whether the class should discuss and vote again, once."""
        share = self.right() if self.status == "closed" and len(self.rounds) == 1 else None
        return share is not None and DISCUSS[0] <= share <= DISCUSS[1]

    def check(self, vote: Vote) -> None:
        """Raises: Refused, if there is no such answer."""
        asked = self.asked
        if asked.options:
            if vote.said not in range(len(asked.options)):
                raise Refused("There is no such answer; choose one of those shown.")
        elif not asked.low <= vote.said <= asked.high:
            raise Refused(f"Choose a number from {asked.low:g} to {asked.high:g}.")


class Proposal(NamedTuple):
    """What a student would like to see: a setting with a value, or a formula for a baseline."""

    number: int
    kind: str  # one of PROPOSABLE, or "formula"
    value: str  # as written by the library, not by the student

    @property
    def text(self) -> str:
        return f"baseline {self.value}" if self.kind == "formula" else f"{self.kind} {self.value}"


def proposal(number: int, kind: str, value: str) -> Proposal:
    """A proposal that has been checked.

    Raises: Refused, one sentence, for what the lab could not show.
    """
    if len(value) > LONGEST:
        raise Refused(f"A proposal has at most {LONGEST} characters.")
    if kind == "formula":
        try:
            return Proposal(number, kind, str(parse(value)))
        except ValueError as error:
            raise Refused(str(error)) from None
    if kind not in PROPOSABLE:
        raise Refused(f"Propose one of {', '.join(PROPOSABLE)}, or a formula.")
    try:
        config = Config.from_strings({kind: value})
        runs.check(config)
    except ValueError as error:
        raise Refused(str(error)) from None
    return Proposal(number, kind, config.to_strings()[kind])


# --- a room ---


@dataclass
class Phone:
    """One phone: its secret, its place in the order of arrival, and what it may still send."""

    key: str
    number: int  # from 0; also its seed, in a run of all
    posts: Bucket
    proposals: int = 0  # sent
    order: int = 0  # of the last vote that was counted


class Room:
    """One class."""

    def __init__(self, lecture: Lecture, clock: Callable[[], float] = time.monotonic) -> None:
        self.code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
        self.host, self.screen = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self.lecture = lecture
        self.address = ""  # of the lab, as phones reach it; empty: as the lecturer's browser does
        self.clock, self.began = clock, clock()
        self.slide = 0
        self.slide_began = clock()
        self.blank = False
        self.phones: dict[str, Phone] = {}
        self.polls: dict[str, Poll] = {}  # by the question's name, in the order asked
        self.current: str | None = None  # the question of the page on the screen
        self.asked_here: set[str] = set()  # questions of this slide, since the lecture came to it
        self.proposals: dict[int, Proposal] = {}
        self.shown: Proposal | None = None
        self.seeds: tuple[Run, ...] = ()  # of SEED_ALGORITHMS, once the host has started them
        self._numbers = 0
        self._joins = Bucket(JOINS_A_SECOND, JOINS_AT_ONCE, clock)
        self._lock = threading.RLock()

    # - phones -

    def join(self) -> Phone:
        """A new phone.

        Raises: Refused if the room is full.
        """
        with self._lock:
            self._joins.take()
            if len(self.phones) >= MOST_PHONES:
                raise Refused(f"This room is full: it holds {MOST_PHONES} phones.")
            posts = Bucket(POSTS_A_SECOND, POSTS_AT_ONCE, self.clock)
            phone = Phone(secrets.token_urlsafe(16), len(self.phones), posts)
            self.phones[phone.key] = phone
            return phone

    def phone(self, key: str) -> Phone:
        """Raises: Stranger if this room knows no such phone."""
        found = self.phones.get(key)
        if found is None:
            raise Stranger("This room does not know this phone. Join it again.")
        return found

    def vote(
        self, phone: Phone, question: str, turn: int, vote: Vote, order: int | None = None
    ) -> None:
        """Count a vote, or change it while the vote is open.

        Args:
            turn: the round that it is meant for, so that a vote that arrives late is not counted
                in the next one.
            order: rises with every vote of a phone. A vote that was counted already and is sent
                again changes nothing, nor does one that a later vote has overtaken.

        Raises: Refused if this is not open, or no such answer exists; Slower.
        """
        with self._lock:
            phone.posts.take()
            if order is not None and order <= phone.order:
                return
            poll = self.poll
            if poll is None or poll.asked.name != question or poll.status != "open":
                raise Refused("The vote is closed.")
            if turn != len(poll.rounds):
                raise Refused("That round is over. Vote again.")
            poll.check(vote)
            poll.votes[phone.key] = vote
            phone.order = phone.order if order is None else order

    def propose(self, phone: Phone, kind: str, value: str) -> Proposal:
        """Add a proposal to the host's list.

        Raises: Refused, with a sentence for the student; Slower.
        """
        with self._lock:
            phone.posts.take()
            if phone.proposals >= MOST_OF_A_PHONE or len(self.proposals) >= MOST_PROPOSALS:
                raise Refused("Enough proposals wait. The lecturer will look at them.")
            made = proposal(self._numbers + 1, kind, value)
            self._numbers += 1
            self.proposals[made.number] = made
            phone.proposals += 1
            return made

    # - the host -

    @property
    def here(self) -> Slide:
        """The slide that the lecture stands at."""
        return self.lecture.slides[self.slide]

    def go(self, slide: int) -> None:
        """Go to a slide; what is not in the lecture leads to its nearest end."""
        with self._lock:
            self.slide = min(max(slide, 0), len(self.lecture.slides) - 1)
            self.slide_began = self.clock()
            self._leave(None)

    def step(self, by: int) -> None:
        """Go so many slides on, or back. Several at once all count."""
        with self._lock:
            self.go(self.slide + by)

    def darken(self, dark: bool) -> None:
        """Blank the screen, or show it again."""
        self.blank = dark

    @property
    def poll(self) -> Poll | None:
        """The question of the page that the screen shows."""
        return self.polls.get(self.current) if self.current else None

    def open_vote(self) -> None:
        """Let the class vote; after a vote that is closed, once more.

        Raises: Refused if the page on the screen asks nothing.
        """
        with self._lock:
            poll = self._poll_to_steer()
            if poll.status in ("ready", "closed"):
                poll.rounds.append({})
                poll.status = "open"

    def close_vote(self) -> None:
        """End the vote; the screen shows what was said.

        Raises: Refused if the page on the screen asks nothing.
        """
        with self._lock:
            poll = self._poll_to_steer()
            if poll.status == "open":
                poll.status = "closed"

    def reveal(self) -> None:
        """Let the screen run the experiment and show its answer.

        Raises: Refused if the page on the screen asks nothing.
        """
        with self._lock:
            self._poll_to_steer().status = "revealed"

    def forget_vote(self) -> None:
        """Ask the question of this page anew, without the votes on it.

        Raises: Refused if the page on the screen asks nothing.
        """
        with self._lock:
            poll = self._poll_to_steer()
            poll.status, poll.rounds, poll.truth = "ready", [], None

    def _poll_to_steer(self) -> Poll:
        if self.poll is None:
            raise Refused("The page on the screen asks nothing. Is the screen open?")
        return self.poll

    def show(self, number: int) -> None:
        """Show a proposal on the screen.

        Raises: Refused if there is none of this number.
        """
        with self._lock:
            if number not in self.proposals:
                raise Refused("This proposal is gone.")
            self._leave(self.proposals.pop(number))

    def start_seeds(self) -> None:
        """Train as many seeds as there are phones; phone k's is k.

        Raises: Refused if nobody is here; Busy from the engine.
        """
        with self._lock:
            if not self.phones:
                raise Refused("Nobody has joined yet.")
            base = Config(num_seeds=len(self.phones))
            configs = [base.replace(algorithm=key) for key in SEED_ALGORITHMS]
            self.seeds = tuple(runs.run(config, self.code) for config in configs)

    def counts(self) -> str:
        """What the class said, as CSV: no phone is named."""
        lines = ["question,round,answer,sure,votes"]
        for poll in list(self.polls.values()):
            for turn, votes in enumerate(poll.rounds, 1):
                tally = Counter(list(votes.values()))
                for vote, count in sorted(tally.items()):
                    said = f"{vote.said:g}"
                    if poll.asked.options:
                        said = poll.asked.options[int(vote.said)].replace('"', '""')
                    sure = "sure" if vote.sure else "guessing"
                    lines.append(f'{poll.asked.name},{turn},"{said}",{sure},{count}')
        return "\n".join(lines) + "\n"

    # - the screen -

    def ask(self, asked: Asked) -> Poll:
        """What the page on the screen asks now. Votes on the same question are kept.

        So are votes that were opened on this slide, though its settings have changed the question's
        words since: the poll then keeps the words that the class has seen.
        """
        with self._lock:
            known = self.polls.get(asked.name)
            begun = known is not None and known.status != "ready" and asked.name in self.asked_here
            if known is None or (known.asked != asked and not begun):
                known = self.polls[asked.name] = Poll(asked)
            self.asked_here.add(asked.name)
            self.current = asked.name
            return known

    def tell(self, truth: Truth) -> None:
        """What the experiment on the screen has answered."""
        with self._lock:
            if self.poll is not None:
                self.poll.truth = truth

    def _leave(self, shown: Proposal | None) -> None:
        """Show another page on the screen: a proposal, or the slide."""
        self.shown, self.current, self.blank, self.asked_here = shown, None, False, set()


def agent_of(phone: Phone, history: History) -> tuple[np.ndarray, int, int]:
    """A phone's own agent in the run of all.

    Returns: its curve [K]; its rank by final return, 1 the best, ties sharing the better one; how
        many agents there are.

    Raises: Refused if it came after the run had begun.
    """
    if phone.number >= history.config.num_seeds:
        raise Refused("The agents began before this phone came. The next run has one for it.")
    final = history.final_returns
    better = int((final > final[phone.number]).sum())
    return history.eval_returns[:, phone.number], better + 1, len(final)


# --- all rooms ---


class Rooms:
    """The rooms of this server, by their codes and secrets."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._rooms: dict[str, Room] = {}  # by code
        self._misses = Bucket(MISSES_A_SECOND, MISSES_AT_ONCE, clock)
        self._lock = threading.RLock()

    def open(self, lecture: Lecture) -> Room:
        """A new room.

        Raises: Refused if the server has as many as it holds.
        """
        with self._lock:
            self._sweep()
            if len(self._rooms) >= MOST_ROOMS:
                raise Refused(f"This server holds {MOST_ROOMS} rooms, and all are taken.")
            room = Room(lecture, self.clock)
            while room.code in self._rooms:
                room = Room(lecture, self.clock)
            self._rooms[room.code] = room
            return room

    def by_code(self, code: str) -> Room:
        """The room of six letters, in either case. Raises: Unknown; Slower."""
        return self._found("code", code.strip().upper())

    def by_host(self, secret: str) -> Room:
        """The host's room. Raises: Unknown; Slower."""
        return self._found("host", secret)

    def by_screen(self, secret: str) -> Room:
        """The screen's room. Raises: Unknown; Slower."""
        return self._found("screen", secret)

    def close(self, room: Room) -> None:
        """End a room; all that it held is forgotten."""
        with self._lock:
            self._rooms.pop(room.code, None)

    def _found(self, kind: str, text: str) -> Room:
        wanted = text.encode(errors="replace")
        with self._lock:
            self._sweep()
            for room in self._rooms.values():
                if secrets.compare_digest(getattr(room, kind).encode(), wanted):
                    return room
            self._misses.take()
        raise Unknown("There is no such room. It may have ended; ask for the code again.")

    def _sweep(self) -> None:
        now = self.clock()
        for room in [room for room in self._rooms.values() if now - room.began > A_DAY]:
            self.close(room)


ROOMS = Rooms()
