"""A class by HTTP: what each key opens, what is refused, and that nothing of others is told."""

from __future__ import annotations

import json
import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from pgcore import Config, classroom, episodes, train
from pgcore.classroom import (
    MISSES_AT_ONCE,
    MOST_PHONES,
    POSTS_AT_ONCE,
    Asked,
    Room,
    Rooms,
    Truth,
)
from pgcore.jobs import Busy
from pgcore.lecture import Lecture, Slide
from ui.classroom import phone_words as words
from ui.server import classroom as server
from ui.server.headers import Headers

SLIDES = (
    Slide("One", "train", 2.0, "What?", "This.", "A note."),
    Slide("Two", "cloud", 3.0, "Why?", "That.", ""),
)
ASKED = Asked("which", "Which <b>?", ("first", "second", "third"), usual=1)
NUMBER = Asked("many", "How many?", low=0.0, high=100.0, step=1.0, unit="%", usual=(20.0, 40.0))


@pytest.fixture
def rooms(monkeypatch, clock) -> Rooms:
    found = Rooms(clock)
    monkeypatch.setattr(server, "ROOMS", found)
    return found


@pytest.fixture
def room(rooms) -> Room:
    return rooms.open(Lecture("A lecture", SLIDES))


@pytest.fixture
def client(rooms) -> TestClient:
    app = Starlette(routes=server.ROUTES, middleware=[Middleware(Headers)])
    return TestClient(app, follow_redirects=False)


class Student:
    """A phone."""

    def __init__(self, client: TestClient, room: Room) -> None:
        self.client, self.at = client, f"/room/{room.code}"
        self.key = client.post(f"{self.at}/join").json()["phone"]
        self.headers = {"authorization": f"Bearer {self.key}"}
        self.order = 0

    def get(self, what: str = "state"):
        return self.client.get(f"{self.at}/{what}", headers=self.headers)

    def post(self, what: str, **body):
        return self.client.post(f"{self.at}/{what}", headers=self.headers, json=body)

    def vote(self, said: float, sure: bool = True, turn: int = 1, question: str = "which", **more):
        self.order += 1
        body = dict(question=question, turn=turn, said=said, sure=sure, order=self.order)
        return self.post("vote", **body | more)


@pytest.fixture
def student(client, room) -> Student:
    return Student(client, room)


@pytest.fixture
def act(client, room):
    def acts(action: str, value=None):
        return client.post(f"/room/host/{room.host}/act", json={"action": action, "value": value})

    return acts


@pytest.fixture
def host(client, room):
    return lambda: client.get(f"/room/host/{room.host}/state").json()


def refused(answer, status: int) -> str:
    assert answer.status_code == status, answer.text
    (sentence,) = answer.json().values()
    assert [*answer.json()] == ["error"]
    assert sentence.endswith((".", "?")) and sentence.isprintable() and len(sentence) < 300
    assert answer.headers["cache-control"] == "no-store"
    return sentence


# --- the way of a question ---


def test_a_question_from_the_asking_to_the_truth(room, student, act, host):
    other = Student(student.client, room)
    assert student.get().json()["question"] is None
    room.ask(ASKED)
    assert student.get().json()["question"] is None  # not before the host opens it
    assert act("open").json() == {}
    asked = student.get().json()["question"]
    assert asked["text"] == "Which <b>?" and asked["options"] == ["first", "second", "third"]
    assert (asked["status"], asked["turn"], asked["mine"]) == ("open", 1, None)
    assert student.vote(0).json() == {}
    assert student.vote(2, sure=False).json() == {}
    assert student.get().json()["question"]["mine"] == {"said": 2, "sure": False}
    other.vote(1)
    seen = host()["question"]
    assert (seen["answered"], seen["rounds"], seen["discuss"]) == (2, [], None)

    act("close")
    asked = student.get().json()["question"]
    assert asked["status"] == "closed" and not {"class", "truth"} & {*asked}
    seen = host()["question"]
    assert [bar["votes"] for bar in seen["rounds"][0]] == [0, 1, 1]
    assert seen["discuss"].startswith("50% are right.")

    act("open")
    assert student.get().json()["question"]["mine"] is None
    assert [bar["votes"] for bar in host()["question"]["rounds"][0]] == [0, 1, 1]
    assert len(host()["question"]["rounds"]) == 1  # the open round stays hidden
    student.vote(1, turn=2)
    act("close")
    assert len(host()["question"]["rounds"]) == 2

    act("reveal")
    assert student.get().json()["question"]["truth"] is None
    room.tell(Truth("It was the second.", option=1))
    asked = student.get().json()["question"]
    assert asked["truth"] == {
        "text": "It was the second.", "option": 1, "right": True
    }  # fmt: skip
    assert [bar["votes"] for bar in asked["class"]] == [0, 1, 0]
    assert other.get().json()["question"]["truth"]["right"] is None  # no answer in this round
    act("anew")
    assert student.get().json()["question"] is None


def test_a_number_is_asked_on_a_scale(room, student, act):
    room.ask(NUMBER)
    act("open")
    asked = student.get().json()["question"]
    assert (asked["options"], asked["scale"], asked["unit"]) == ([], [0, 100, 1], "%")
    refused(student.vote(101, question="many"), 400)
    assert student.vote(37.5, question="many").json() == {}
    act("reveal")
    room.tell(Truth("35 to 40", estimate=37.0, low=35.0, high=40.0))
    asked = student.get().json()["question"]
    assert asked["truth"]["right"]
    assert sum(bar["votes"] for bar in asked["class"]) == 1


def test_a_state_that_is_known_is_not_sent_again(room, student, act, client, clock):
    room.ask(ASKED)
    act("open")
    version = student.get().json()["version"]
    assert student.get(f"state?version={version}").status_code == 204
    Student(client, room).vote(1)  # another's vote: nothing that this phone shows
    answer = student.get(f"state?version={version}")
    assert (answer.status_code, answer.content) == (204, b"")
    student.vote(1)
    assert student.get(f"state?version={version}").status_code == 200
    at = f"/room/host/{room.host}/state"
    version = client.get(at).json()["version"]
    clock.now += 5
    assert client.get(f"{at}?version={version}").status_code == 204  # the clocks do not count
    Student(client, room)
    assert client.get(f"{at}?version={version}").json()["phones"] == 3


def test_a_vote_sent_twice_counts_once_and_an_old_one_not_at_all(room, student, act):
    poll = room.ask(ASKED)
    act("open")
    student.vote(0, order=1)
    student.vote(1, order=2)
    for _ in range(2):
        assert student.vote(0, order=1).json() == {}
    assert poll.counts() == [0, 1, 0]
    act("close")
    assert student.vote(1, order=2).json() == {}
    assert "closed" in refused(student.vote(2, order=3), 400)


# --- the lecturer ---


def test_the_lecturers_page_drives_the_lecture(room, act, host, clock):
    clock.now += 60
    seen = host()
    assert (seen["lecture"], seen["slides"], seen["minutes"]) == ("A lecture", ["One", "Two"], 5)
    assert seen["here"] == SLIDES[0]._asdict() and seen["after"] == "Two"
    act("next")
    clock.now += 5
    assert (host()["slide_seconds"], host()["seconds"]) == (5, 65)
    act("next")
    assert (host()["slide"], host()["after"]) == (1, None)
    act("previous")
    assert host()["slide"] == 0
    act("next")
    act("blank", True)
    act("blank", True)
    assert (host()["slide"], host()["blank"]) == (1, True)


def test_proposals_reach_the_host_and_the_screen(room, student, act, host):
    offered = {name for name, _ in student.get().json()["settings"]}
    assert offered == {*classroom.PROPOSABLE, "formula"}
    said = student.post("propose", kind="learning_rate", value="0.01").json()["said"]
    assert said == "Sent to the lecturer: learning_rate 0.01."
    assert student.post("propose", kind="formula", value="mean(q)").status_code == 200
    for kind, value in (("gamma", "2"), ("formula", "open('x')"), ("num_seeds", "5"), ("", "")):
        refused(student.post("propose", kind=kind, value=value), 400)
    assert host()["proposals"] == [[1, "learning_rate 0.01"], [2, "baseline mean(q)"]]
    act("show", 2)
    assert host()["shown"] == "baseline mean(q)" and host()["proposals"][0][0] == 1
    refused(act("show", 2), 400)


def test_everybody_is_a_seed(room, client, student, act, host):
    refused(student.get("agent"), 400)
    other = Student(client, room)
    assert student.get().json()["run"] is None
    act("seeds")
    assert student.get().json()["run"]["of"] == 2
    late = Student(client, room)
    for run in room.seeds:
        run.finished.wait()
    assert student.get().json()["run"]["status"] == host()["run"]["status"] == "done"
    history = train(Config(algorithm=classroom.SEED_ALGORITHMS[0], num_seeds=2))
    ranks = []
    for number, phone in enumerate((student, other)):
        for _ in range(2):  # the second one is remembered
            found = phone.get("agent").json()
        returns = history.eval_returns[:, number]
        assert found["returns"] == returns.tolist()
        assert found["steps"] == history.eval_steps.tolist() and found["seed"] == number
        policy = episodes.policy_of(history, number, len(history.checkpoints) - 1)
        (played,) = episodes.play(policy, history.config, number, 10_000, 1)
        assert found["states"] == played.states.round(4).tolist()
        assert f"{played.length} steps" in found["episode"]
        assert played.length == history.eval_episode_returns[-1, number, 0]  # the same episode
        said = re.fullmatch(r"Yours ended at (\d+): rank (\d) of 2\. .* 5 .*", found["said"])
        assert said is not None and int(said[1]) == round(float(returns[-1]))
        ranks.append(int(said[2]))
    assert sorted(ranks) == [1, 2]
    assert "before this phone came" in refused(late.get("agent"), 400)


def test_a_training_that_may_not_run_is_refused(room, client, act, monkeypatch):
    assert "Nobody" in refused(act("seeds"), 400)
    Student(client, room)

    def busy(*_):
        raise Busy("The server has much to do already; try again in a minute.")

    monkeypatch.setattr(classroom.runs, "run", busy)
    refused(act("seeds"), 429)
    assert room.seeds == ()


def test_the_counts_are_a_file(room, client, student, act):
    room.ask(ASKED)
    act("open")
    student.vote(1)
    answer = client.get(f"/room/host/{room.host}/counts.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="counts.csv"'
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == room.counts() and "second" in answer.text


def test_the_host_ends_the_room(room, client, student, act):
    act("end")
    refused(student.get(), 404)
    refused(act("next"), 404)
    refused(client.get(f"/room/screen/{room.screen}"), 404)


# --- addresses and pages ---


def test_the_projector_is_led_to_the_app_below_any_path(room, client):
    answer = client.get(f"/room/screen/{room.screen}")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"../../?screen={room.screen}&present=1"
    assert client.get("/room").headers["location"] == "room/"
    below = TestClient(Starlette(routes=server.routes("lab/")), follow_redirects=False)
    assert below.get("/lab/room/").status_code == 200
    assert below.get("/room/").status_code == 404


def test_the_lecturer_is_led_to_the_page_class(client):
    answer = client.get("/room/lecturer", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "../class")


def test_pages_are_the_same_for_every_key_and_load_nothing(rooms, client, room):
    phone, host = client.get(f"/room/{room.code}"), client.get(f"/room/host/{room.host}")
    assert client.get("/room/").text == client.get("/room/BBBBBB").text == phone.text
    assert client.get("/room/host/x").text == host.text
    for page in (phone, host):
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["content-type"].startswith("text/html")
        assert "content-security-policy" in page.headers
        assert "<style></style>" not in page.text and "<script></script>" not in page.text
        assert not re.findall(r"""(?:src|href)=["'](?!data:,)""", page.text)
        assert "://" not in page.text.replace("http://www.w3.org/2000/svg", "")
        assert "innerHTML" not in page.text
    assert len(phone.content) < 30_000


def test_every_address_below_room_answers_in_a_sentence(client, room):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        for path in ("nothing/at/all", f"{room.code}/nothing", "host/", "screen/"):
            refused(client.request(method, f"/room/{path}"), 404)
    for path in ("join", "vote", "propose"):
        refused(client.get(f"/room/{room.code}/{path}"), 404)
    refused(client.post(f"/room/{room.code}/state"), 404)
    refused(client.get(f"/room/host/{room.host}/act"), 404)


# --- keys ---


def test_no_key_opens_another_door(room, client, student):
    keys = {"code": room.code, "host": room.host, "screen": room.screen, "phone": student.key}
    for name in ("code", "screen", "phone"):
        for path in ("state", "counts.csv"):
            refused(client.get(f"/room/host/{keys[name]}/{path}"), 404)
        refused(client.post(f"/room/host/{keys[name]}/act", json={"action": "end"}), 404)
    for name in ("code", "host", "phone"):
        refused(client.get(f"/room/screen/{keys[name]}"), 404)
    for name in ("host", "screen", "phone"):
        refused(client.post(f"/room/{keys[name]}/join"), 404)
    for name in ("code", "host", "screen"):
        headers = {"authorization": f"Bearer {keys[name]}"}
        refused(client.get(f"/room/{room.code}/state", headers=headers), 403)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic {}", "{}", "Bearer {} ", "\xff"])
def test_a_phone_proves_itself(room, client, student, header):
    given = (
        {} if header is None else {"authorization": header.format(student.key).encode("latin-1")}
    )
    for method, path in (("GET", "state"), ("POST", "vote"), ("POST", "propose"), ("GET", "agent")):
        refused(client.request(method, f"/room/{room.code}/{path}", headers=given), 403)


def test_a_phone_of_another_room_is_a_stranger(rooms, client, student):
    other = rooms.open(Lecture("Another", SLIDES))
    answer = client.get(f"/room/{other.code}/state", headers=student.headers)
    assert "Join it again" in refused(answer, 403)


def test_nothing_of_other_phones_and_no_secret_is_told(room, client, student, act):
    others = [Student(client, room) for _ in range(3)]
    room.ask(ASKED)
    act("open")
    for place, other in enumerate(others):
        other.vote(place)
    act("reveal")
    room.tell(Truth("", option=0))
    told = student.get().text
    for secret in (room.host, room.screen, *(other.key for other in others)):
        assert secret not in told
    told = client.get(f"/room/host/{room.host}/state").text + room.counts()
    assert not any(phone.key in told for phone in [student, *others])


# --- what is wrong, missing, replayed, enormous ---

RIGHT = dict(question="which", turn=1, said=1, sure=True, order=1)
WRONG = [
    ("question", 5), ("question", None), ("turn", "1"), ("turn", True), ("turn", 1.0),
    ("turn", 10**60), ("said", "1"), ("said", True), ("said", None), ("said", 10**400),
    ("said", [1]), ("said", 3), ("said", -1), ("said", 1e308), ("sure", 1), ("sure", "yes"),
    ("order", 0.5), ("order", -(10**30)), ("order", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_field_is_refused(room, student, act, name, value):
    poll = room.ask(ASKED)
    act("open")
    refused(student.post("vote", **RIGHT | {name: value}), 400)
    left = {key: value for key, value in RIGHT.items() if key != name}
    refused(student.post("vote", **left), 400)
    assert poll.votes == {}


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 2000, b'{"a":' * 400, b"\0",
     b'{"said": NaN}', b'{"said": ' + b"9" * 2000 + b"}", b'{"question": "\\ud800"}'],
)  # fmt: skip
def test_what_is_no_request_is_refused(room, client, student, body):
    for path, headers in (
        (f"/room/{room.code}/vote", student.headers),
        (f"/room/{room.code}/propose", student.headers),
        (f"/room/host/{room.host}/act", {}),
    ):
        refused(client.post(path, headers=headers, content=body), 400)


def test_an_enormous_request_is_refused_before_it_is_read(room, client, student):
    read = []

    def enormous():
        for _ in range(1000):
            read.append(1)
            yield b"x" * 1000

    for content in (b"[" * (server.MOST + 1), json.dumps(RIGHT | {"x": "y" * 9000}), enormous()):
        answer = client.post(f"/room/{room.code}/vote", headers=student.headers, content=content)
        assert "2,048" in refused(answer, 413)
    at_most = json.dumps(RIGHT).encode().ljust(server.MOST)
    answer = client.post(f"/room/{room.code}/vote", headers=student.headers, content=at_most)
    assert "closed" in refused(answer, 400)


def test_an_action_that_is_none_is_refused(room, act, host):
    before = host()
    for action in ("", "__init__", "darken", "open_vote", None, 5, ["next"], {"a": 1}):
        refused(act(action), 400)
    for action, value in (
        ("show", "1"),
        ("show", None),
        ("show", True),
        ("show", 1.0),
        ("blank", 1),
    ):
        refused(act(action, value), 400)
    assert host()["version"] == before["version"]


def test_too_much_is_refused(room, rooms, client, student, act):
    room.ask(ASKED)
    act("open")
    for _ in range(int(POSTS_AT_ONCE)):
        student.vote(1)
    refused(student.vote(1), 429)
    assert student.get().status_code == 200  # it may look
    for _ in range(int(MISSES_AT_ONCE)):
        refused(client.post("/room/BBBBBB/join"), 404)
    refused(client.post("/room/BBBBBB/join"), 429)
    assert student.get().status_code == 200
    while len(room.phones) < MOST_PHONES:
        room.join()
    refused(client.post(f"/room/{room.code}/join"), 400)


def test_a_mistake_of_ours_is_a_sentence_too(room, student, monkeypatch, caplog):
    monkeypatch.setattr(server, "run_of", lambda room: 1 / 0)
    assert "mistake" in refused(student.get(), 500)
    assert "ZeroDivisionError" in caplog.text


# --- words ---


def test_the_words_hold_the_numbers():
    assert words.ended(142.6, 5, 61, 118) == (
        "Yours ended at 143: rank 61 of 118. This number is the mean return of 5 episodes."
    )
    assert words.episode(143, True).startswith("One episode of your agent after training: 143 ")
    assert "out of bounds" in words.episode(143, True)
    assert "time was over" in words.episode(500, False)
    assert words.discuss(0.5).startswith("50% are right. Between 35% and 70%")
    assert words.truth(ASKED, None, None) is None
