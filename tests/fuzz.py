"""100,000 inputs from outside, through every door: a valid value or a sentence of ours.

`python -m tests.fuzz` makes them from a fixed seed. Anything else is a fault: another exception, a
sentence that a library wrote, one that is long or holds what cannot be printed, more than CPU
seconds of processor time, more than ROOM bytes of memory. Each fault is printed with its number,
and `--first NUMBER --count 1` makes the same input again.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import pickle
import random
import resource
import struct
import sys
import tempfile
import time
import traceback
import urllib.parse
import warnings
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from starlette.routing import Router

from pgcore import Config, History, envs, formula, lecture
from pgcore.algorithms import ALGORITHMS
from pgcore.classroom import Asked, Rooms, Truth, Vote
from pgcore.history import FILE_FORMAT, FILE_VERSION
from pgcore.learners import shape_of
from pgcore.lecture import Lecture, Slide
from ui.path import progress
from ui.player import episodes, field
from ui.server import classroom, owner
from ui.shell import link
from ui.shell.pages import PARAMETERS
from ui.shell.series import FIELDS

ROOT = Path(__file__).parent.parent
COUNT, SEED = 100_000, 11
CPU, ROOM = 2.0, 1 << 30  # seconds and bytes that one input may take
LONGEST = 1000  # characters of a sentence
MEGABYTE = 1_000_000
TOKEN = "the token of the owner"

Random = random.Random


class Fault(Exception):
    """What must not come back through a door."""


class Door(NamedTuple):
    """Where something comes in: what may come, and what takes it."""

    make: Callable[[Random], Any]
    enter: Callable[[Any], Sequence[str]]  # -> sentences, none for a valid value; may raise one


# --- inputs ---

NUMBERS = (
    "nan", "inf", "-inf", "1e999", "-1e400", "1e-400", "0x10", "1_000", "１２", "²", "-0", "0.1.2",
    "1e", "+-1", "9" * 400, "9" * 5000, "1" * MEGABYTE, "1." + "3" * MEGABYTE, "1e" + "9" * 1000,
)  # fmt: skip
STRANGE = (
    "", " ", "\t", "\0", "a\0b", "\ud800", "\udfff\ud800", "\u202eabc\u202c", "\u200f", "\u2028",
    "e\u0301" * 30, "👩‍👩‍👧", "\x1b[31m", "\r\nSet-Cookie: a=b", "None", "True", "../../etc/passwd",
    "os:system", "module:CartPole-v1", "<script>alert(1)</script>", "![](//evil.example)",
    "{0.__class__}", "%s%n", "__import__('os')", "'; --", "a" * MEGABYTE, "é" * MEGABYTE,
)  # fmt: skip
NESTED = ("(", "[", "{", "-", "b=", "abs(", "a(", "(((", '{"a":', "[[", ",", ";", "=", "&", "a,")
NUL_TO_LAST = (0x20, 0x7F, 0xFF, 0x2FFF, 0xD7FF, 0x10FFFF)


def text(rng: Random, *known: str) -> str:
    """Something that somebody could type: one of the known texts, bent or not, or nonsense."""
    kind = rng.random()
    if known and kind < 0.1:
        return rng.choice(known)
    if known and kind < 0.5:
        found = rng.choice(known)
        return found if rng.random() < 0.3 else bent(rng, found)
    if kind < 0.7:
        return rng.choice((*NUMBERS, *STRANGE)) if rng.random() < 0.2 else number(rng)
    if kind < 0.8:
        return rng.choice(NESTED) * rng.choice((1, 2, 31, 33, 200, 3000))
    if kind < 0.9:
        last = rng.choice(NUL_TO_LAST)
        return "".join(chr(rng.randint(0, last)) for _ in range(rng.randint(0, 60)))
    return bent(rng, rng.choice((*NUMBERS[:16], *STRANGE[:-2])))


def number(rng: Random) -> str:
    """A number of any size, in one of the ways to write it."""
    size = rng.choice((1, 10, 1000, 1e6, 1e12, 1e300))
    value = rng.uniform(-size, size)
    return rng.choice((str(value), str(int(value)), f"{abs(value):.0f}", f"{value:.3e}"))


def bent(rng: Random, found: str) -> str:
    """A text with a few letters changed, doubled, left out, or brought in from elsewhere."""
    for _ in range(rng.randint(1, 4)):
        at, to = sorted(rng.randint(0, len(found)) for _ in range(2))
        brought = rng.choice((*STRANGE[:22], *NESTED, *"()+-*/^,=;:.&%", "1e999", "nan"))
        middle = rng.choice((brought, "", found[at:to] * 2, found[at:to][::-1]))
        found = found[:at] + middle + found[to:]
    return found


def thing(rng: Random, *known: Any, depth: int = 3) -> Any:
    """What a browser may send as JSON: numbers, texts, lists and mappings in each other."""
    kind = rng.randrange(9 if depth else 6)
    if kind < 2 and known:
        return rng.choice(known)
    if kind < 6:
        numbers = (0, -1, 1, True, False, None, 2**53, 10**400, -(2**63), 1e308, 0.5)
        return rng.choice((*numbers, float("nan"), float("inf"), -float("inf"), text(rng)))
    inside = [thing(rng, *known, depth=depth - 1) for _ in range(rng.randint(0, 4))]
    if kind == 6:
        return inside if rng.random() < 0.8 else [rng.choice((0, "", None, "a"))] * 5000
    if kind == 7:
        return {text(rng, *(k for k in known if isinstance(k, str))): one for one in inside}
    for _ in range(rng.choice((1, 10, 200))):
        inside = [inside]
    return inside


def message(rng: Random, **usual: Any) -> Any:
    """What one of our components sends, a field or two of it changed; or anything at all."""
    if rng.random() < 0.2:
        return thing(rng, *usual, *usual.values())
    sent = dict(usual)
    for name in rng.sample([*sent], rng.randint(0, len(sent))):
        sent[name] = thing(rng, *usual.values())
        if rng.random() < 0.2:
            del sent[name]
    return sent


# --- links, settings, formulas, environments ---

FIGURE = ("algorithms", "band", "kept", "vary", "values", "v")
SETTINGS = [name for name in FIELDS if name != "algorithm"]


def setting(rng: Random, name: str) -> str:
    """A text for one of Config's fields."""
    spec = FIELDS[name]
    ends = (spec.metadata[end] for end in ("low", "high"))
    known = [*map(str, (spec.default, *ends)), *(spec.metadata["choices"] or ())]
    return text(rng, *known, *(FORMULAS if name == "formula" else ()))


def algorithms(rng: Random) -> str:
    """Some algorithms, a few with settings of their own."""
    named = []
    for _ in range(rng.choice((1, 2, 3, 9, 2000 if rng.random() < 0.05 else 4))):
        own = [rng.choice(SETTINGS) for _ in range(rng.choice((0, 0, 1, 2)))]
        changes = ";".join(f"{name}={setting(rng, name)[:50]}" for name in own)
        named.append(rng.choice([*ALGORITHMS]) + (f"({changes})" if own else ""))
    return ",".join(named) if rng.random() < 0.8 else bent(rng, ",".join(named))


def parameter(rng: Random, name: str) -> str:
    """A text for one of the pages' parameters."""
    one = PARAMETERS[name]
    known = [*map(str, one.options or (one.low, one.high))]
    return text(rng, *known, ",".join(known[:6]))


def query(rng: Random, deep: bool = True) -> dict[str, str]:
    """What stands behind the question mark of a link."""
    found: dict[str, str] = {}
    if rng.random() < 0.2:  # one that the lab could have written
        name, other, value = rng.choice([*PARAMETERS]), rng.choice(SETTINGS), rng.choice("129")
        one = PARAMETERS[name]
        found = {name: one.write(rng.sample(one.options, one.most)) if one.most > 1 else
                 str(rng.choice(one.options or (one.low, one.high))), "v": "2", "vary": other,
                 "values": f"{value},0.{value}"}  # fmt: skip
        if rng.random() < 0.5:
            return found | {"algorithms": ",".join(rng.sample([*ALGORITHMS], 2))}
    for _ in range(rng.choice((1, 2, 5, 12))):
        kind = rng.randrange(4)
        if kind == 0:
            name = rng.choice([*PARAMETERS])
            found[name] = parameter(rng, name)
        elif kind == 1:
            name = rng.choice(SETTINGS)
            found[name] = setting(rng, name)
        elif kind == 2:
            found["algorithms"] = algorithms(rng)
        else:
            found[text(rng, *FIGURE)] = text(rng, "1", "2", "std", "gamma", "0.5,0.9,1", "v=1&v=2")
    if deep and rng.random() < 0.2:
        found["kept"] = urllib.parse.urlencode(query(rng, deep=False), errors="surrogatepass")
    if rng.random() < 0.01:
        found |= {f"{text(rng)[:20]}{n}": "1" for n in range(20_000)}
    return found


def read_link(asked: dict[str, str]) -> Sequence[str]:
    """Every page has all parameters; what is refused is said in sentences."""
    values, refused = link.parse(asked, PARAMETERS)
    for name in set(values) & set(PARAMETERS):
        assert PARAMETERS[name].parse(PARAMETERS[name].write(values[name])) == values[name]
    for figure in filter(None, (values["figure"], values.get("kept"))):
        assert figure.configs and figure.to_query()
    if len(refused) > link.MOST_SAID + 1:
        raise Fault(f"{len(refused)} sentences at once")
    return refused


def read_parameter(asked: tuple[str, str]) -> Sequence[str]:
    name, given = asked
    value = PARAMETERS[name].parse(given)
    assert PARAMETERS[name].parse(PARAMETERS[name].write(value)) == value
    return ()


def named_parameter(rng: Random) -> tuple[str, str]:
    name = rng.choice([*PARAMETERS])
    return name, parameter(rng, name)


def some_settings(rng: Random) -> dict[str, str]:
    names = rng.sample([*FIELDS], rng.choice((1, 1, 2, 5)))
    found = {name: setting(rng, name) for name in names}
    return found if rng.random() < 0.9 else found | {text(rng, *FIELDS): text(rng)}


def read_settings(asked: dict[str, str]) -> Sequence[str]:
    config = Config.from_strings(asked)
    assert Config.from_strings(config.to_strings()) == config
    return ()


FORMULAS = (
    "q - v", "b = v", "psi = (q - mean(q)) / (std(q) + 1e-8)", "roll(q, -3) ^ 2 - m * gamma",
    "clip(q, min(v), max(v)) / T", "exp(-abs(theta)) * sign(dx) + log(p)", "cumsum(r) - b",
    "q - " + "(" * 31 + "v" + ")" * 31, "2 ** 3 ** 2 ** q", "1e308 * 1e308 * q", "q/0", "sqrt(-q)",
)  # fmt: skip


def typed(rng: Random) -> str:
    """A formula, or nearly."""
    if rng.random() < 0.5:
        return text(rng, *FORMULAS)
    words = [*formula.NAMES, *formula.FUNCTIONS, *"()()+-*/^,=·Ψ", "1", "1e9", "b", "psi", "1e400"]
    return rng.choice(("", " ")).join(rng.choices(words, k=rng.randint(1, 60)))


@cache
def batch() -> dict[str, np.ndarray]:
    """A batch of 3 seeds and 16 steps."""
    draws = np.random.default_rng(0).normal(size=(len(formula.NAMES), 3, 16))
    return dict(zip(formula.NAMES, draws, strict=True))


def read_formula(asked: str) -> Sequence[str]:
    """Parsed, written, typeset, and computed."""
    try:
        found = formula.parse(asked)
        assert formula.parse(str(found)) == found and len(str(found)) <= len(asked) + 2
        assert found.latex.isprintable() and found.uses_action in (True, False)
        psi = found(batch())
    except formula.FormulaError as error:
        assert all(line.isprintable() for line in error.pointer().split("\n"))
        raise
    assert psi.shape == (3, 16) and np.isfinite(psi).all()
    return ()


def env_id(rng: Random) -> str:
    return text(rng, *gymnasium.envs.registry, "ALE/Pong-v5", "CartPole", "gymnasium.envs:Foo-v0")


def read_env_id(asked: str) -> Sequence[str]:
    assert envs.describe(asked).num_actions >= 1
    return ()


# --- files ---


@cache
def run() -> History:
    """A small history: 2 evaluations of 2 seeds, 3 episodes each."""
    config = Config(num_seeds=2, total_timesteps=64, eval_interval=32, hidden_dim=1)
    config = config.replace(eval_episodes=3)
    steps, returns = np.array([32, 64]), np.ones((2, 2, 3), np.float32)
    return History(config, steps, returns, np.ones((3, 2, shape_of(config).size), np.float32))


@cache
def saved() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        run().save(Path(folder) / "run")
        return (Path(folder) / "run").read_bytes()


def header(rng: Random) -> bytes:
    """The JSON of a history, changed or not."""
    config: dict[str, Any] = {name: getattr(run().config, name) for name in FIELDS}
    for name in rng.sample([*FIELDS], rng.choice((0, 0, 1, 3))):
        config[name] = thing(rng, FIELDS[name].metadata["high"], FIELDS[name].metadata["low"])
    whole: dict[Any, Any] = {"format": FILE_FORMAT, "version": FILE_VERSION, "config": config}
    if rng.random() < 0.3:
        whole[rng.choice(("format", "version", "config", text(rng)))] = thing(rng, config, "1", 2)
    said = json.dumps(whole if rng.random() < 0.95 else thing(rng, whole))
    said = said if rng.random() < 0.9 else bent(rng, said)
    return npy(rng, np.array(said if rng.random() < 0.98 else '{"a":' * 100_000))


KINDS = ("f8", "f2", "i1", "u8", "c16", "U3", "S2", "M8[s]", "?")


class Evil:
    """Unpickled, it would run a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return raised, ()


def raised() -> None:
    raise Fault("something was unpickled")


def array(rng: Random, right: np.ndarray) -> bytes:
    """One of a history's arrays, as it is or of another kind, shape or size."""
    kind = rng.randrange(10)
    if kind < 5:
        return npy(rng, right)
    if kind == 5:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NaN becomes any whole number
            return npy(rng, right.astype(rng.choice(KINDS)))
    if kind == 6:
        shape = tuple(rng.choice((0, 1, 2, 3, 17, 40)) for _ in range(rng.randint(0, 4)))
        return npy(rng, np.zeros(shape, rng.choice((right.dtype, np.dtype("f4,i8")))))
    if kind == 7:
        return npy(rng, np.array([Evil(), 1], object))
    if kind == 8:  # says that terabytes follow
        huge = rng.choice((10**9, 10**12, 2**62, 10**30))
        said = {"descr": right.dtype.str, "fortran_order": False, "shape": (huge, 2)}
        return written_header(repr(said)) + bytes(rng.randint(0, 100))
    return written_header(text(rng, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"))


def written_header(said: str) -> bytes:
    """The head of numpy's format with these words, which may be no head at all."""
    words = said.encode("utf-8", "surrogatepass")[:60_000]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(words)) + words


def npy(rng: Random, values: np.ndarray) -> bytes:
    target = io.BytesIO()
    np.lib.format.write_array(target, values)
    data = target.getvalue()
    return data if rng.random() < 0.95 else data[: rng.randint(0, len(data))]


def file(rng: Random) -> bytes:
    """A file: a saved history, damaged or rewritten; or something else altogether."""
    kind = rng.random()
    if kind < 0.2:
        return damaged(rng, saved())
    if kind < 0.3:
        other = (pickle.dumps(Evil()), npy(rng, np.zeros(3)), b"", b"PK\x03\x04", b"\x93NUMPY")
        return rng.choice((*other, text(rng)[:5000].encode("utf-8", "surrogatepass")))
    target = io.BytesIO()
    kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with zipfile.ZipFile(target, "w", rng.choice((*kinds[:2], *kinds))) as members:
        own = ("eval_steps", "eval_episode_returns", "checkpoints")
        for name in own:
            if rng.random() < 0.98:
                members.writestr(f"{name}.npy", array(rng, getattr(run(), name)))
        if rng.random() < 0.95:
            members.writestr("header.npy", header(rng))
        if rng.random() < 0.1:
            members.writestr(rng.choice(("../a", "a" * 5000, "header.npy ", "x.npy")), b"x")
    return target.getvalue() if rng.random() < 0.9 else damaged(rng, target.getvalue())


def damaged(rng: Random, data: bytes) -> bytes:
    """Cut short, or with some bytes changed."""
    if rng.random() < 0.3:
        return data[: rng.randint(0, len(data))]
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def read_file(asked: bytes) -> Sequence[str]:
    with tempfile.NamedTemporaryFile() as target:
        target.write(asked)
        target.flush()
        found = History.load(target.name)
    assert found.eval_returns.shape[1] == found.config.num_seeds and repr(found)
    return ()


LINES = (
    "# A title", "## A slide (4 min)", "Link: cloud?window_steps=256", "Ask: Why?", "",
    "Expect: Nothing.", "## Another (0.5 min)", "A note.", "## None", "## Long (999 min)",
    "Another note.", "Link: a b",
)  # fmt: skip
LECTURE = "\n".join(LINES[:6])


def lecture_file(rng: Random) -> str | bytes:
    """A lecture's file: some of its lines in any order, or a right one, bent or not."""
    found = text(rng, LECTURE)
    if rng.random() < 0.5:
        more = rng.choices(LINES if rng.random() < 0.5 else LINES[4::3], k=rng.randint(0, 9))
        found = rng.choice(("\n", "\r\n")).join([LECTURE, *more])
    data = (found or LECTURE).encode("utf-8", "surrogatepass")
    return found if rng.random() < 0.7 else damaged(rng, data)


def read_lecture(asked: str | bytes) -> Sequence[str]:
    found = lecture.parse(asked)
    assert lecture.parse(lecture.write(found)) == found and found.minutes > 0
    return ()


# --- the browser's components, and the owner's route ---


def groups() -> list[field.Group]:
    return [field.Group("gae", "GAE", "", 0, run())]


def read_click(asked: Any) -> Sequence[str]:
    found = field.picked(asked, groups())
    if found is None:
        return ("Nothing was picked.",)
    assert found.agent == "gae" and found.seed in (0, 1) and 0 <= found.checkpoint <= 2
    return ()


def read_stop(asked: Any) -> Sequence[str]:
    step = episodes.stopped(asked, "an episode", 100)
    assert type(step) is int and 0 <= step <= 100
    return () if step else ("Nothing was stopped.",)


def read_progress(asked: Any) -> Sequence[str]:
    found = progress.known(asked)
    assert found <= progress.NAMES
    return () if found else ("Nothing was answered.",)


def authorization(rng: Random) -> str | None:
    """A header as the server reads it: latin-1."""
    secret = text(rng, TOKEN, f"anybody:{TOKEN}")
    coded = base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode()
    given = rng.choice((secret, coded, bent(rng, coded)))
    kind = text(rng, "Basic", "Bearer", "basic", "BEARER")
    whole = rng.choice((f"{kind} {given}", given, kind, "Basic " + given, "Bearer " + given))
    return whole.encode("utf-8", "surrogatepass").decode("latin-1") if rng.random() < 0.99 else None


def read_authorization(asked: str | None) -> Sequence[str]:
    if not owner.allowed(asked, TOKEN):
        return ("This page asks for the owner's token.",)
    assert asked is not None
    given = asked.partition(" ")[2]
    assert given == TOKEN or base64.b64decode(given).decode().endswith(f":{TOKEN}")
    return ()


# --- a class ---

ASKED = (
    Asked("which", "Which?", ("first", "second", "third")),
    Asked("many", "How many?", low=0.0, high=100.0, usual=(20.0, 40.0)),
)
KEYS = ("CODE", "HOST", "SCREEN", "PHONE")  # stand for those of the room, which are random
STATUSES = (200, 204, 307, 400, 403, 404, 413, 429)


class Request(NamedTuple):
    """What comes to a room: by which address and key, and what is asked there just then."""

    method: str
    path: str
    query: str
    authorization: str
    body: bytes
    asked: Asked
    status: str


def request(rng: Random) -> Request:
    """One that a page would send, bent here and there; or nonsense."""
    route = rng.choice([route for route in classroom.ROUTES if "rest" not in route.path])
    secret = "HOST" if "/host/" in route.path else "SCREEN"
    if rng.random() < 0.2:
        secret = text(rng, *KEYS)[:5000]
    code = "CODE" if rng.random() < 0.9 else text(rng, *KEYS)[:5000]
    path = route.path.replace("{secret}", secret).replace("{code}", code)
    method = next(iter((route.methods or {"GET"}) - {"HEAD"}))
    if rng.random() < 0.1:
        path, method = bent(rng, path), rng.choice(("PUT", "POST", "DELETE", "get", ""))
    key = "Bearer PHONE" if rng.random() < 0.8 else text(rng, "Bearer PHONE", *KEYS)[:5000]
    asked = rng.choice(ASKED)
    if path.endswith("/act"):
        acts = [*classroom.ACTIONS]
        found = message(rng, action=rng.choice(acts), value=rng.choice((0, 1, 2, True, None)))
    elif path.endswith("/propose"):
        name = rng.choice(("learning_rate", "batch_size", "hidden_dim", "formula"))
        found = message(rng, kind=name, value=setting(rng, name))
    else:
        usual = dict(question=asked.name, turn=1, said=rng.choice((0, 2, 50)))
        found = message(rng, **usual, sure=True, order=rng.choice((1, 2)))
    body = json.dumps(found).encode()
    if rng.random() < 0.1:
        body = rng.choice((text(rng).encode("utf-8", "replace"), damaged(rng, body), body * 50))
    status = rng.choice(("ready", "open", "open", "open", "closed", "revealed"))
    return Request(method, path, text(rng, "version=x"), key, body, asked, status)


def read_request(asked: Request) -> Sequence[str]:
    """Sent twice, as one that is replayed: the sentences of both answers."""
    classroom.ROOMS = rooms = Rooms(lambda: 0.0)
    room = rooms.open(Lecture("A lecture", (Slide("a", "train", 1.0, "?", "!", ""),) * 2))
    phone = room.join()
    room.ask(asked.asked)
    if asked.status != "ready":
        room.open_vote()
        room.vote(phone, asked.asked.name, 1, Vote(0, False), order=1)
    if asked.status in ("closed", "revealed"):
        room.close_vote()
    if asked.status == "revealed":
        room.reveal()
        room.tell(Truth("It was the first.", option=0))
    room.propose(phone, "gamma", "0.9")
    keys = dict(zip(KEYS, (room.code, room.host, room.screen, phone.key), strict=True))
    said = []
    for _ in range(2):
        status, body = asyncio.run(answered(asked, keys))
        if status not in STATUSES:
            raise Fault(f"status {status}: {body[:200]!r}")
        if status >= 400:
            (sentence,) = json.loads(body).values()
            said.append(sentence)
    votes = room.polls[asked.asked.name].rounds
    assert len(votes) <= 2 and all({*turn} <= {phone.key} for turn in votes)
    return said


async def answered(asked: Request, keys: dict[str, str]) -> tuple[int, bytes]:
    """The status and the body of what the routes answer, without a server round them."""

    def filled(template: str) -> str:
        for name, key in keys.items():
            template = template.replace(name, key)
        return template.encode("utf-8", "replace").decode()

    path = filled(asked.path).replace("\n", "")  # Starlette leaves a path with one to Streamlit
    path = path if path.startswith("/room/") or path == "/room" else "/room/" + path
    scope = {
        "type": "http", "method": asked.method, "path": path, "root_path": "", "scheme": "http",
        "query_string": filled(asked.query)[:5000].encode(), "server": ("127.0.0.1", 1),
        "headers": [(b"authorization", filled(asked.authorization).encode("latin-1", "replace"))],
    }  # fmt: skip
    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(answer: Any) -> None:
        answers.append(answer)

    await Router(classroom.ROUTES)(scope, receive, send)
    return answers[0]["status"], b"".join(answer.get("body", b"") for answer in answers)


DOORS = {
    "links": Door(query, read_link),
    "one parameter": Door(named_parameter, read_parameter),
    "settings": Door(some_settings, read_settings),
    "formulas": Door(typed, read_formula),
    "environments": Door(env_id, read_env_id),
    "history files": Door(file, read_file),
    "lectures": Door(lecture_file, read_lecture),
    "a click on the field": Door(
        lambda rng: message(rng, agent="gae", seed=1, checkpoint=2), read_click
    ),
    "the player's stop": Door(lambda rng: message(rng, id="an episode", step=7), read_stop),
    "answers kept by a browser": Door(
        lambda rng: thing(rng, *sorted(progress.NAMES)), read_progress
    ),
    "the owner's header": Door(authorization, read_authorization),
    "requests to a room": Door(request, read_request),
}


# --- the judge ---


def attempt(door: Door, given: Any) -> bool:
    """Whether the door took it for a valid value.

    Raises: Fault for anything but that and sentences of ours.
    """
    started = time.thread_time()
    try:
        said = door.enter(given)
    except ValueError as error:
        if isinstance(error, UnicodeError):
            raise Fault(f"{type(error).__name__}: {str(error)[:200]}") from error
        innermost = traceback.extract_tb(error.__traceback__)[-1].filename
        if Path(innermost).parts[len(ROOT.parts)] not in ("pgcore", "ui"):
            raise Fault(f"a sentence of {innermost}: {str(error)[:200]}") from error
        said = (str(error),)
    except Fault:
        raise
    except BaseException as error:
        raise Fault(f"{type(error).__name__}: {str(error)[:200]}") from error
    for sentence in said:
        judge(sentence)
    if (spent := time.thread_time() - started) > CPU:
        raise Fault(f"{spent:.1f} s of processor time")
    return not said


def judge(sentence: str) -> None:
    """Whether a reader can be shown it."""
    if len(sentence) > LONGEST:
        raise Fault(f"a sentence of {len(sentence):,} characters: {sentence[:100]}...")
    if not sentence.isprintable() or not sentence.endswith((".", "?")):
        raise Fault(f"no sentence: {sentence!r}")


def made(number: int, seed: int = SEED) -> tuple[str, Any]:
    """The door and the input of this number."""
    rng = random.Random(f"{seed} {number}")
    name = [*DOORS][number % len(DOORS)]
    return name, DOORS[name].make(rng)


def main() -> int:
    """Print a row a door, and every fault.  -> exit status"""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="inputs")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    options = parser.parse_args()
    limit_memory()
    rows = {name: [0, 0, 0, 0.0] for name in DOORS}  # values, sentences, faults, slowest
    for number in range(options.first, options.first + options.count):
        name, given = made(number)
        started = time.thread_time()
        try:
            rows[name][0 if attempt(DOORS[name], given) else 1] += 1
        except Fault as fault:
            rows[name][2] += 1
            print(f"{number} {name}: {repr(given)[:120]}\n    {fault}", flush=True)
        rows[name][3] = max(rows[name][3], time.thread_time() - started)
    print(f"{'door':<28}{'valid values':>14}{'our sentences':>15}{'faults':>8}{'slowest, s':>12}")
    for name, (values, sentences, faults, slowest) in rows.items():
        print(f"{name:<28}{values:>14,}{sentences:>15,}{faults:>8,}{slowest:>12.2f}")
    return 1 if any(row[2] for row in rows.values()) else 0


def limit_memory() -> None:
    """From now on this process gets no more than ROOM bytes."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + ROOM
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    sys.exit(main())
