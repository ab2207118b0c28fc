"""A class by plain HTTP: what phones, the lecturer and the projector ask of a room.

    /room/CODE                    a student's page; CODE/join, state, vote, propose, agent below it
    /room/host/SECRET             the lecturer's; SECRET/state, act, counts.csv below it
    /room/screen/SECRET           leads the projector to the app
    /room/lecturer                leads to the page Class, in the process that has the rooms

A phone proves itself with `Authorization: Bearer` and the secret that it got when it joined. There
is no cookie, so no foreign site can make a browser vote. Answers are pages or JSON, and what is
refused is one sentence: `{"error": ...}`. A state carries its `version`; whoever has it already
(`?version=`) gets 204.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pgcore import episodes
from pgcore.classroom import (
    PROPOSABLE,
    ROOMS,
    Phone,
    Poll,
    Refused,
    Room,
    Slower,
    Stranger,
    Unknown,
    Vote,
    agent_of,
)
from pgcore.history import History
from pgcore.jobs import LIVE, Busy
from pgcore.runs import Run, identity
from ui.classroom import phone_words as words
from ui.shell.series import FIELDS

MOST = 2048  # bytes of a request's body
LARGEST = 2**53  # of a number in it
NO_STORE = {"cache-control": "no-store"}

Handler = Callable[[Request], Awaitable[Response]]
log = logging.getLogger(__name__)


class TooLong(Refused):
    """More than MOST bytes."""


# --- what comes in ---


def in_a_sentence(handler: Handler) -> Handler:
    """The handler; what it refuses is answered with its sentence."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return refusal("The connection was lost.", 400)
        except ValueError as error:
            return refusal(str(error), status_of(error))
        except Exception:
            log.exception("A request to a room failed.")
            return refusal("The lab made a mistake. Try again.", 500)

    return answer


def status_of(error: ValueError) -> int:
    """The HTTP status of what was refused."""
    kinds = ((Stranger, 403), (Unknown, 404), (TooLong, 413), ((Slower, Busy), 429))
    return next((status for kind, status in kinds if isinstance(error, kind)), 400)


async def sent(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body.

    Raises: Refused; TooLong, before more than MOST bytes are read.
    """
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST:
            raise TooLong(f"That was too long: a request has at most {MOST:,} bytes.")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused("This was no JSON.") from None
    if not isinstance(found, dict):
        raise Refused("This was no JSON object.")
    return found


def field(found: dict[str, Any], name: str, *kinds: type) -> Any:
    """One value of a request; True is no number here.

    Raises: Refused if it is missing, of another type, or no number that a page would send.
    """
    value = found.get(name)
    if type(value) not in kinds or (type(value) is int and abs(value) > LARGEST):
        raise Refused(f"{name} is missing, or is not what it should be.")
    return value


def room_of(request: Request) -> Room:
    return ROOMS.by_code(request.path_params["code"])


def host_of(request: Request) -> Room:
    return ROOMS.by_host(request.path_params["secret"])


def phone_of(request: Request, room: Room) -> Phone:
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return room.phone(key if kind.lower() == "bearer" else "")


# --- what goes out ---


def told(found: dict[str, Any], status: int = 200) -> Response:
    """As JSON, all of it ASCII: no text from outside can fail to be encoded."""
    return Response(json.dumps(found), status, NO_STORE, "application/json")


def refusal(sentence: str, status: int) -> Response:
    return told({"error": sentence}, status)


def unless_known(request: Request, state: dict[str, Any], **clocks: float) -> Response:
    """A state with its version, or 204 for a page that has this version; clocks do not count."""
    version = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]
    if request.query_params.get("version") == version:
        return Response(status_code=204, headers=NO_STORE)
    return told({"version": version, **state, **clocks})


def question(poll: Poll) -> dict[str, Any]:
    """A question and where its vote stands; the votes only once it is closed."""
    asked = poll.asked
    return {
        "name": asked.name,
        "text": asked.text,
        "options": asked.options,
        "scale": None if asked.options else [asked.low, asked.high, asked.step],
        "unit": asked.unit,
        "status": poll.status,
        "turn": len(poll.rounds),
    }


def said_by_class(poll: Poll, turn: int) -> list[dict[str, Any]]:
    """A round's histogram."""
    return [bar._asdict() for bar in poll.histogram(turn)]


def run_of(room: Room) -> dict[str, Any] | None:
    """How far the agents of the class are: the first of the room's runs is the one shown."""
    if not room.seeds:
        return None
    for run in room.seeds:
        run.touch()
    shown = room.seeds[0]
    return {
        "name": identity(shown.config),
        "status": shown.status,
        "share": round(shown.share, 2) if shown.status in LIVE else 1.0,
        "of": shown.config.num_seeds,
        "error": shown.error,
    }


# --- phones ---

SETTINGS = [
    *((name, FIELDS[name].metadata["help"]) for name in PROPOSABLE),
    ("formula", "Your own baseline, a formula"),
]


async def phone_page(request: Request) -> Response:
    """The same page for every code, so that this address tells nothing of rooms."""
    return HTMLResponse(page("phone"), headers=NO_STORE)


async def join(request: Request) -> Response:
    return told({"phone": room_of(request).join().key})


async def phone_state(request: Request) -> Response:
    room = room_of(request)
    phone = phone_of(request, room)
    poll = room.poll
    shown = None
    if poll is not None and poll.status != "ready":
        shown = question(poll)
        mine = poll.votes.get(phone.key)
        shown["mine"] = mine._asdict() if mine else None
        if poll.status == "revealed":
            shown["class"] = said_by_class(poll, -1)
            shown["truth"] = words.truth(poll.asked, poll.truth, mine)
    state = {"question": shown, "run": run_of(room), "settings": SETTINGS}
    return unless_known(request, state)


async def vote(request: Request) -> Response:
    room = room_of(request)
    phone = phone_of(request, room)
    found = await sent(request)
    given = Vote(float(field(found, "said", int, float)), field(found, "sure", bool))
    name, turn = field(found, "question", str), field(found, "turn", int)
    room.vote(phone, name, turn, given, field(found, "order", int))
    return told({})


async def propose(request: Request) -> Response:
    room = room_of(request)
    phone = phone_of(request, room)
    found = await sent(request)
    kind, value = field(found, "kind", str), field(found, "value", str)
    made = await run_in_threadpool(room.propose, phone, kind, value)
    return told({"said": words.proposed(made)})


async def agent(request: Request) -> Response:
    """A phone's own agent, once the agents of the class are trained."""
    room = room_of(request)
    phone = phone_of(request, room)
    run = room.seeds[0] if room.seeds else None
    if run is None or run.result is None:
        raise Refused("The agents are not trained yet.")
    known = _agents.setdefault(run, {})
    if phone.number not in known:
        known[phone.number] = await run_in_threadpool(agent_shown, phone, run.result)
    return told(known[phone.number])


_agents: WeakKeyDictionary[Run, dict[int, dict[str, Any]]] = WeakKeyDictionary()  # by phone


def agent_shown(phone: Phone, history: History) -> dict[str, Any]:
    """Curve, final return and rank of a phone's agent, and the pole's motion in one episode.

    The episode is the first of those behind the last point of the curve.
    """
    curve, rank, of = agent_of(phone, history)
    config, last = history.config, int(history.eval_steps[-1])
    seed = config.seeds[phone.number]
    params = episodes.policy_of(history, seed, len(history.checkpoints) - 1)
    played = episodes.play(params, config, seed, last, 1, config.eval_greedy)[0]
    return {
        "said": words.ended(float(curve[-1]), config.eval_episodes, rank, of),
        "steps": history.eval_steps.tolist(),
        "returns": curve.tolist(),
        "seed": seed,
        "states": played.states.round(4).tolist(),
        "episode": words.episode(played.length, played.terminated),
    }


# --- the lecturer ---


async def host_page(request: Request) -> Response:
    """The same page for every secret."""
    return HTMLResponse(page("host"), headers=NO_STORE)


async def host_state(request: Request) -> Response:
    room = host_of(request)
    slides, here, poll = room.lecture.slides, room.here, room.poll
    after = slides[room.slide + 1].title if room.slide + 1 < len(slides) else None
    state = {
        "lecture": room.lecture.title,
        "code": room.code,
        "screen": room.screen,
        "slide": room.slide,
        "slides": [slide.title for slide in slides],
        "here": here._asdict(),
        "after": after,
        "minutes": room.lecture.minutes,
        "blank": room.blank,
        "phones": len(room.phones),
        "question": question_for_host(poll) if poll else None,
        "run": run_of(room),
        "proposals": [[one.number, one.text] for one in list(room.proposals.values())],
        "shown": room.shown.text if room.shown else None,
    }
    now = room.clock()
    return unless_known(
        request, state, seconds=now - room.began, slide_seconds=now - room.slide_began
    )


def question_for_host(poll: Poll) -> dict[str, Any]:
    """As on a phone; with the number of answers, and all rounds once they are closed."""
    ended = len(poll.rounds) - (poll.status == "open")
    return {
        **question(poll),
        "answered": len(poll.votes),
        "rounds": [said_by_class(poll, turn) for turn in range(ended)],
        "discuss": words.discuss(poll.right()) if poll.worth_discussing else None,
        "truth": poll.truth.text if poll.truth else None,
    }


ACTIONS: dict[str, tuple[type | None, Callable[[Room, Any], None]]] = {  # and its value's type
    "next": (None, lambda room, _: room.step(1)),
    "previous": (None, lambda room, _: room.step(-1)),
    "blank": (bool, Room.darken),
    "open": (None, lambda room, _: room.open_vote()),
    "close": (None, lambda room, _: room.close_vote()),
    "reveal": (None, lambda room, _: room.reveal()),
    "anew": (None, lambda room, _: room.forget_vote()),
    "seeds": (None, lambda room, _: room.start_seeds()),
    "show": (int, Room.show),
    "end": (None, lambda room, _: ROOMS.close(room)),
}


async def act(request: Request) -> Response:
    room = host_of(request)
    found = await sent(request)
    action = ACTIONS.get(field(found, "action", str))
    if action is None:
        raise Refused(f"There is no such action; there are {', '.join(ACTIONS)}.")
    kind, carry_out = action
    await run_in_threadpool(carry_out, room, field(found, "value", kind) if kind else None)
    return told({})


async def counts(request: Request) -> Response:
    name = {"content-disposition": 'attachment; filename="counts.csv"'}
    return Response(host_of(request).counts(), 200, NO_STORE | name, "text/csv")


# --- the projector, and all addresses ---


async def screen(request: Request) -> Response:
    """To the app, as seen from here: so it works below any path."""
    room = ROOMS.by_screen(request.path_params["secret"])
    return RedirectResponse(f"../../?screen={room.screen}&present=1", 307, NO_STORE)


async def lecturer(request: Request) -> Response:
    """Behind a proxy with several processes, what is asked below /room/ stays with one of them."""
    return RedirectResponse("../class", 307, NO_STORE)


FOLDER = Path(__file__).parents[1] / "classroom"
PLAYER = FOLDER.parent / "player"


@cache
def page(name: str) -> str:
    """A page with its style and scripts in it: one request."""
    style = (FOLDER / "room.css").read_text()
    scripts = [PLAYER / "physics.js", PLAYER / "scene.js"] if name == "phone" else []
    scripts += [FOLDER / "room.js", FOLDER / f"{name}.js"]
    script = "\n".join(file.read_text() for file in scripts)
    html = (FOLDER / f"{name}.html").read_text()
    return html.replace("<style></style>", f"<style>{style}</style>").replace(
        "<script></script>", f"<script>{script}</script>"
    )


def routes(base: str) -> list[Route]:
    """All addresses of rooms; `base` is the path below which Streamlit serves the app."""
    top = f"/{base.strip('/')}/room".replace("//", "/")
    found: list[tuple[str, str, Handler]] = [
        ("GET", "/", phone_page),
        ("GET", "/host/{secret}", host_page),
        ("GET", "/host/{secret}/state", host_state),
        ("POST", "/host/{secret}/act", act),
        ("GET", "/host/{secret}/counts.csv", counts),
        ("GET", "/screen/{secret}", screen),
        ("GET", "/lecturer", lecturer),
        ("GET", "/{code}", phone_page),
        ("POST", "/{code}/join", join),
        ("GET", "/{code}/state", phone_state),
        ("POST", "/{code}/vote", vote),
        ("POST", "/{code}/propose", propose),
        ("GET", "/{code}/agent", agent),
    ]
    return [
        Route(top, RedirectResponse("room/", 307, NO_STORE)),
        *(
            Route(top + path, in_a_sentence(answer), methods=[method])
            for method, path, answer in found
        ),
        Route(top + "/{rest:path}", refusal("There is nothing at this address.", 404)),
    ]


ROUTES = routes(str(st.get_option("server.baseUrlPath") or ""))
