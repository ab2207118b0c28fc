"""A class in memory: who may do what and when, limits, and what is kept of whom."""

from __future__ import annotations

import csv
import threading

import numpy as np
import pytest

from pgcore import Config, train
from pgcore.classroom import (
    A_DAY,
    CODE_LENGTH,
    DISCUSS,
    JOINS_AT_ONCE,
    LETTERS,
    LONGEST,
    MISSES_AT_ONCE,
    MOST_OF_A_PHONE,
    MOST_PHONES,
    MOST_PROPOSALS,
    MOST_ROOMS,
    POSTS_A_SECOND,
    POSTS_AT_ONCE,
    SEED_ALGORITHMS,
    Asked,
    Bucket,
    Phone,
    Poll,
    Refused,
    Room,
    Rooms,
    Slower,
    Stranger,
    Truth,
    Unknown,
    Vote,
    agent_of,
    proposal,
)
from pgcore.lecture import Lecture, Slide

SLIDES = tuple(Slide(name, "train", 1.0, "?", "!", "") for name in "abc")
LECTURE = Lecture("A lecture", SLIDES)
OPTIONS = Asked("which", "Which?", ("first", "second", "third"), usual=1)
NUMBER = Asked("many", "How many?", low=0.0, high=100.0, step=1.0, unit="%", usual=(20.0, 40.0))


@pytest.fixture
def rooms(clock) -> Rooms:
    return Rooms(clock)


@pytest.fixture
def room(rooms) -> Room:
    return rooms.open(LECTURE)


def voting(room: Room, asked: Asked = OPTIONS) -> Poll:
    """A question that is open."""
    poll = room.ask(asked)
    room.open_vote()
    return poll


def say(room: Room, *answers: float, sure: bool = True) -> list[Phone]:
    """As many new phones with these answers."""
    assert room.poll is not None
    phones = [room.join() for _ in answers]
    for phone, answer in zip(phones, answers, strict=True):
        room.vote(phone, room.poll.asked.name, len(room.poll.rounds), Vote(answer, sure))
    return phones


# --- keys ---


def test_three_keys_open_three_doors_and_no_other(rooms, room):
    keys = {"code": room.code, "host": room.host, "screen": room.screen}
    doors = {"code": rooms.by_code, "host": rooms.by_host, "screen": rooms.by_screen}
    phone = room.join().key
    for kind, door in doors.items():
        assert door(keys[kind]) is room
        for other in {*keys.values(), phone, "", "é\ud800"} - {keys[kind]}:
            with pytest.raises(Unknown, match="no such room"):
                door(other)
    with pytest.raises(Stranger):
        room.phone(room.host)
    with pytest.raises(Stranger):
        rooms.open(LECTURE).phone(phone)
    assert room.phone(phone).key == phone


def test_keys_are_long_and_codes_can_be_typed(rooms):
    found = [rooms.open(LECTURE) for _ in range(MOST_ROOMS)]
    secrets = [key for room in found for key in (room.host, room.screen, room.join().key)]
    assert len({*secrets}) == len(secrets) and min(map(len, secrets)) >= 22  # 128 bits
    codes = {room.code for room in found}
    assert len(codes) == MOST_ROOMS
    assert all(len(code) == CODE_LENGTH and {*code} <= {*LETTERS} for code in codes)
    assert rooms.by_code(f" {found[0].code.lower()} ") is found[0]


def test_a_server_holds_so_many_rooms_and_a_room_ends(rooms):
    found = [rooms.open(LECTURE) for _ in range(MOST_ROOMS)]
    with pytest.raises(Refused, match=f"{MOST_ROOMS} rooms"):
        rooms.open(LECTURE)
    rooms.close(found[0])
    rooms.close(found[0])
    with pytest.raises(Unknown):
        rooms.by_host(found[0].host)
    assert rooms.open(LECTURE)


def test_a_room_ends_after_a_day(rooms, room, clock):
    clock.now += A_DAY
    assert rooms.by_code(room.code) is room
    clock.now += 1
    with pytest.raises(Unknown):
        rooms.by_code(room.code)
    for _ in range(MOST_ROOMS):
        rooms.open(LECTURE)


def test_guessing_codes_is_slow_and_does_not_lock_out_those_who_know(rooms, room, clock):
    for _ in range(int(MISSES_AT_ONCE)):
        with pytest.raises(Unknown):
            rooms.by_code("BBBBBB")
    with pytest.raises(Slower):
        rooms.by_host("a guess")
    assert rooms.by_code(room.code) is room
    clock.now += 1
    with pytest.raises(Unknown):
        rooms.by_code("BBBBBB")


def test_a_bucket_fills_at_its_rate_and_not_beyond(clock):
    bucket = Bucket(2.0, 3.0, clock)
    for _ in range(3):
        bucket.take()
    with pytest.raises(Slower):
        bucket.take()
    clock.now += 0.5
    bucket.take()
    clock.now += 1e6
    for _ in range(3):
        bucket.take()
    with pytest.raises(Slower):
        bucket.take()


def test_a_room_holds_so_many_phones(room):
    phones = [room.join() for _ in range(MOST_PHONES)]
    assert [phone.number for phone in phones] == list(range(MOST_PHONES))
    assert len({phone.key for phone in phones}) == MOST_PHONES
    with pytest.raises(Refused, match="full"):
        room.join()


def test_phones_join_at_a_rate(room, clock):
    for _ in range(int(JOINS_AT_ONCE)):
        try:
            room.join()
        except Slower:
            raise
        except Refused:
            pass
    with pytest.raises(Slower):
        room.join()


# --- votes ---


def test_a_vote_is_open_only_between_opening_and_closing(room):
    phone = room.join()

    def refused(words: str, question: str = "which", turn: int = 1) -> None:
        with pytest.raises(Refused, match=words):
            room.vote(phone, question, turn, Vote(0, True))

    refused("closed")
    poll = room.ask(OPTIONS)
    assert poll.status == "ready" and poll.counts() == [0, 0, 0] and poll.right() is None
    refused("closed")
    room.open_vote()
    refused("closed", question="another")
    refused("round is over", turn=0)
    refused("round is over", turn=2)
    room.vote(phone, "which", 1, Vote(0, True))
    room.close_vote()
    refused("closed")
    room.reveal()
    refused("closed")
    assert poll.counts() == [1, 0, 0]


def test_one_vote_a_phone_changed_while_open(room):
    poll = voting(room)
    first, second = say(room, 0, 0)
    room.vote(first, "which", 1, Vote(2, False))
    assert poll.counts() == [1, 0, 1]
    assert poll.votes == {first.key: Vote(2, False), second.key: Vote(0, True)}


def test_a_vote_sent_again_or_overtaken_changes_nothing(room):
    poll = voting(room)
    phone = room.join()
    room.vote(phone, "which", 1, Vote(0, True), order=1)
    room.vote(phone, "which", 1, Vote(1, True), order=2)
    room.vote(phone, "which", 1, Vote(0, True), order=1)  # a replay
    room.vote(phone, "which", 1, Vote(1, True), order=2)
    assert poll.counts() == [0, 1, 0]
    room.close_vote()
    room.vote(phone, "which", 1, Vote(1, True), order=2)  # its answer was lost: it was counted
    with pytest.raises(Refused, match="closed"):
        room.vote(phone, "which", 1, Vote(2, True), order=3)
    assert poll.counts() == [0, 1, 0]


@pytest.mark.parametrize("said", [-1, 3, 0.5, float("nan"), float("inf")])
def test_there_are_only_the_answers_shown(room, said):
    voting(room)
    with pytest.raises(Refused, match="no such answer"):
        say(room, said)


@pytest.mark.parametrize("said", [-0.1, 100.1, float("nan"), float("inf"), -float("inf")])
def test_a_number_lies_on_its_scale(room, said):
    poll = voting(room, NUMBER)
    say(room, 0, 100)
    with pytest.raises(Refused, match="from 0 to 100"):
        say(room, said)
    assert len(poll.votes) == 2


def test_a_phone_sends_so_much_at_once(room, clock):
    voting(room)
    phone, other = room.join(), room.join()
    for _ in range(int(POSTS_AT_ONCE)):
        room.vote(phone, "which", 1, Vote(0, True))
    with pytest.raises(Slower):
        room.vote(phone, "which", 1, Vote(1, True))
    with pytest.raises(Slower):
        room.propose(phone, "gamma", "0.9")
    room.vote(other, "which", 1, Vote(0, True))
    clock.now += 1 / POSTS_A_SECOND
    room.vote(phone, "which", 1, Vote(2, True))


def test_a_second_round_keeps_the_first_and_refuses_its_late_votes(room):
    poll = voting(room)
    first, _ = say(room, 0, 1)
    room.close_vote()
    room.open_vote()
    with pytest.raises(Refused, match="round is over"):
        room.vote(first, "which", 1, Vote(2, True))
    room.vote(first, "which", 2, Vote(1, True))
    room.close_vote()
    assert poll.counts(0) == [1, 1, 0] and poll.counts() == [0, 1, 0]
    assert not poll.worth_discussing  # once


def test_steps_that_make_no_sense_now_change_nothing(room):
    poll = voting(room)
    room.open_vote()
    assert len(poll.rounds) == 1
    room.close_vote()
    room.close_vote()
    room.reveal()
    for step in (room.open_vote, room.close_vote, room.reveal):
        step()
        assert (poll.status, len(poll.rounds)) == ("revealed", 1)
    room.tell(Truth("measured", option=0))
    room.forget_vote()
    assert (poll.status, poll.rounds, poll.truth) == ("ready", [], None)


def test_where_nothing_is_asked_there_is_nothing_to_steer(room):
    for step in (room.open_vote, room.close_vote, room.reveal, room.forget_vote):
        with pytest.raises(Refused, match="asks nothing"):
            step()
    room.tell(Truth("nobody asked", option=0))
    assert room.polls == {}


def test_the_votes_of_a_question_wait_until_its_page_is_back(room):
    poll = voting(room)
    say(room, 0)
    room.go(1)
    assert room.poll is None
    assert room.ask(NUMBER).rounds == []
    assert room.ask(OPTIONS) is poll and poll.counts() == [1, 0, 0]
    room.go(2)
    changed = OPTIONS._replace(text="Which, with ten?")
    assert room.ask(changed) is not poll


def test_votes_stay_when_the_slide_s_settings_change_the_question_s_words(room):
    moved = OPTIONS._replace(text="Which, from 0 to 3?")
    assert room.ask(OPTIONS) is not room.ask(moved)  # not yet opened: the newest words count
    poll = voting(room, moved)
    say(room, 0, 2)
    for step in (room.close_vote, room.open_vote, room.close_vote, room.reveal):
        step()
        for asked in (OPTIONS, moved, OPTIONS):
            assert room.ask(asked) is poll and room.poll is poll and poll.asked == moved
    assert poll.counts(0) == [1, 0, 1]
    room.forget_vote()
    assert room.ask(OPTIONS).asked == OPTIONS
    room.open_vote()
    room.go(1)
    assert room.ask(moved).status == "ready"  # another slide asks its own question


def test_steps_at_once_all_count(room):
    room.lecture = Lecture("A long lecture", SLIDES * 100)
    threads = [threading.Thread(target=room.step, args=(1,)) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert room.slide == 200
    room.step(-1000)
    assert room.slide == 0


@pytest.mark.parametrize(("right", "discuss"), [(34, False), (35, True), (70, True), (71, False)])
def test_the_class_should_discuss_between_35_and_70_percent(room, right, discuss):
    assert DISCUSS == (0.35, 0.70)
    poll = voting(room)
    say(room, *[1] * right, *[0] * (100 - right))
    assert not poll.worth_discussing  # still open
    room.close_vote()
    assert poll.right() == right / 100
    assert poll.worth_discussing is discuss
    room.reveal()
    assert not poll.worth_discussing


def test_what_was_measured_decides_before_what_is_usual(room):
    poll = voting(room)
    say(room, 1, 1, 0, 2)
    assert poll.right() == 0.5
    room.tell(Truth("the second is not it", option=0))
    assert poll.right() == 0.25


def test_a_number_is_right_in_the_interval_or_near_its_estimate(room):
    truth = Truth("", estimate=30.0, low=25.0, high=35.0, near=10.0)
    for said, right in ((19, False), (20, True), (25, True), (40, True), (41, False)):
        assert truth.holds(Vote(said, True)) is right
    poll = voting(room, NUMBER)
    say(room, 19, 20, 40, 41)
    assert poll.right() == 0.5  # 20 to 40 is usual


def test_the_histogram_counts_every_vote_once(room):
    poll = voting(room)
    assert [bar.votes for bar in poll.histogram()] == [0, 0, 0]
    say(room, 0, 2, 2)
    say(room, 2, sure=False)
    assert poll.histogram() == [("first", 1, 1), ("second", 0, 0), ("third", 3, 2)]
    numbers = voting(room, NUMBER)
    say(room, 0, 9.9, 10, 99, 100)
    found = numbers.histogram()
    assert [bar.votes for bar in found] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert found[0].text == "0 to 10 %" and found[-1].text == "90 to 100 %"


# --- the lecture, proposals, seeds, counts ---


def test_the_lecture_goes_to_its_slides_and_not_beyond(room, clock):
    room.darken(True)
    clock.now += 5
    for asked, slide in ((1, 1), (99, 2), (-5, 0)):
        room.go(asked)
        assert room.slide == slide and room.here is SLIDES[slide] and not room.blank
    assert room.slide_began == clock.now and room.began == clock.now - 5
    room.darken(True)
    room.darken(True)
    assert room.blank
    room.darken(False)
    assert not room.blank


def test_a_proposal_is_written_by_the_library():
    assert proposal(1, "learning_rate", "1e-2").text == "learning_rate 0.01"
    assert proposal(2, "formula", " mean( q )").text == "baseline mean(q)"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("learning_rate", "99"), ("learning_rate", "ten"), ("batch_size", "1.5"), ("gamma", "nan"),
     ("num_seeds", "5"), ("env_id", "os:system"), ("learner", "autograd"), ("", ""),
     ("formula", "__import__('os')"), ("formula", ""), ("formula", "q" * (LONGEST + 1)),
     ("gamma", "<script>"), ("gamma", "9" * LONGEST)],
)  # fmt: skip
def test_what_the_lab_cannot_show_is_refused_in_a_sentence(room, kind, value):
    with pytest.raises(Refused) as refused:
        room.propose(room.join(), kind, value)
    assert str(refused.value).endswith(".") and str(refused.value).isprintable()
    assert room.proposals == {}


def test_a_proposal_is_shown_once_and_its_list_has_an_end(room, clock):
    phone = room.join()
    for number in range(1, MOST_OF_A_PHONE + 1):
        assert room.propose(phone, "gamma", f"0.{number}").number == number
    with pytest.raises(Refused, match="Enough"):
        room.propose(phone, "gamma", "0.9")
    voting(room)
    room.show(2)
    assert room.shown is not None and room.shown.text == "gamma 0.2" and room.poll is None
    for number in (2, 99):
        with pytest.raises(Refused, match="gone"):
            room.show(number)
    assert [*room.proposals] == [1, 3, 4, 5]
    while len(room.proposals) < MOST_PROPOSALS:
        other = room.join()
        for _ in range(min(MOST_OF_A_PHONE, MOST_PROPOSALS - len(room.proposals))):
            room.propose(other, "gamma", "0.5")
    with pytest.raises(Refused, match="Enough"):
        room.propose(room.join(), "gamma", "0.5")


def test_a_phones_agent_is_the_seed_of_its_number_bit_for_bit(room):
    with pytest.raises(Refused, match="Nobody"):
        room.start_seeds()
    phones = [room.join() for _ in range(3)]
    room.start_seeds()
    assert [run.config.algorithm for run in room.seeds] == [*SEED_ALGORITHMS]
    late = room.join()
    for run in room.seeds:
        run.finished.wait()
        history = run.result
        assert history is not None
        alone = [
            train(Config(algorithm=run.config.algorithm, num_seeds=1, first_seed=number))
            for number in range(3)
        ]
        finals = [float(one.final_returns[0]) for one in alone]
        for phone in phones:
            curve, rank, of = agent_of(phone, history)
            assert np.array_equal(curve, alone[phone.number].eval_returns[:, 0])
            assert rank == 1 + sum(final > finals[phone.number] for final in finals)
            assert of == 3
        with pytest.raises(Refused, match="before this phone came"):
            agent_of(late, history)


def test_the_counts_are_a_table_without_phones(room):
    asked = OPTIONS._replace(options=('the "first", of three', "second", "third"))
    voting(room, asked)
    phones = say(room, 0, 0, 1) + say(room, 0, sure=False)
    room.close_vote()
    room.open_vote()
    room.vote(phones[0], "which", 2, Vote(1, True))
    voting(room, NUMBER)
    say(room, 12.5)
    text = room.counts()
    rows = list(csv.reader(text.splitlines()))
    assert rows == [
        ["question", "round", "answer", "sure", "votes"],
        ["which", "1", 'the "first", of three', "guessing", "1"],
        ["which", "1", 'the "first", of three', "sure", "2"],
        ["which", "1", "second", "sure", "1"],
        ["which", "2", "second", "sure", "1"],
        ["many", "1", "12.5", "sure", "1"],
    ]
    assert not any(phone.key in text for phone in phones)


def test_many_threads_lose_no_vote(room):
    poll = voting(room)
    phones = [room.join() for _ in range(200)]

    def votes(mine: list[Phone]) -> None:
        for phone in mine:
            for order, said in enumerate((0, 1, 2), 1):
                room.vote(phone, "which", 1, Vote(said, True), order)
                assert sum(poll.counts()) <= len(phones)

    threads = [threading.Thread(target=votes, args=(phones[k::8],)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert poll.counts() == [0, 0, 200]
