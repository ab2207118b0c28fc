"""The page Class: the lecturer opens a room; the projector shows who is here, and all seeds."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from pgcore.classroom import ROOMS, Refused, Room
from pgcore.lecture import Lecture, parse
from ui.classroom import charts, screen, seeds, words
from ui.handout import view as handout
from ui.lecture import present
from ui.shell import controls, link
from ui.shell.notice import notice
from ui.shell.pages import LECTURES

HOST = "class_room"  # of the session: the host's secret of the room that it opened
CODE = (
    '<div style="font-size: {size}; font-weight: 700; letter-spacing: .12em; line-height: 1.15;'
    ' font-family: monospace">{code}</div>'
)
PICTURE = (
    '<img alt="QR code of {name}" src="{source}" style="width: min(100%, {width}); display: block">'
)


def show() -> None:
    """The lecturer's page, or the view that the lecture's link names on the projector."""
    room, view = screen.room(), controls.value_of("class_view")
    if room is None:
        _lecturer()
    elif view == "seeds" and room.seeds:
        seeds.show(room)
    else:
        _join(room, words.wait if view == "seeds" else words.here)


def _lecturer() -> None:
    secret = st.session_state.get(HOST)
    try:
        room = ROOMS.by_host(secret) if secret else None
    except Refused as refused:
        del st.session_state[HOST]
        notice(str(refused), "info")
        room = None
    if room is None:
        _open()
    else:
        _room(room)


# --- before there is a room ---


def _open() -> None:
    """What a room is, which lecture it follows, and the button that opens it."""
    st.markdown(words.WHAT)
    lecture = _lecture()
    if st.button("Open a room", type="primary", icon=":material/groups:", disabled=not lecture):
        assert lecture is not None
        try:
            st.session_state[HOST] = ROOMS.open(lecture).host
        except Refused as refused:
            notice(str(refused), "info")
        else:
            st.rerun()
    st.caption(words.NOTHING_KEPT)


def _lecture() -> Lecture | None:
    """One that is included, or the lecturer's own file; None until it can be read."""
    included = {words.named(lecture): lecture for lecture in map(present.included, LECTURES)}
    name = st.radio("Lecture", [*included, words.OWN], key="class_lecture")
    if name != words.OWN:
        return included[name]
    given = st.file_uploader(
        "The lecture's file", max_upload_size=1, key="class_file", help=words.FILE
    )
    if given is None:
        return None
    try:
        return parse(given.getvalue())
    except ValueError as error:
        notice(str(error), "error")
        return None


# --- the room, as the lecturer sees it ---


def _room(room: Room) -> None:
    """The code and where phones find it; the projector's link, and the secret one."""
    own = link.base(st.context.url or "http://127.0.0.1:8501/class")
    join, steer = st.columns([1, 1.25], gap="large")
    with steer:
        _address(room, own)
    address = room.address or own
    with join:
        st.html(CODE.format(size="3.4rem", code=room.code))
        _qr(f"{address}room/{room.code}", "the room", "19rem")
        st.code(f"{address}room/{room.code}", language=None, wrap_lines=True)
        screen.watch(lambda: st.markdown(f"**{words.here(len(room.phones))}**"))
    with steer:
        st.markdown("##### The projector")
        st.link_button(
            "Open the projector", f"{own}room/screen/{room.screen}", type="primary",
            icon=":material/present_to_all:",
            help="It opens in a new window. Move it to the projector; it follows the room.",
        )  # fmt: skip
        st.markdown("##### Your own remote control")
        st.caption(words.SECRET)
        host = f"{address}room/host/{room.host}"
        buttons = st.container(horizontal=True)
        buttons.link_button("Open it here", f"{own}room/host/{room.host}", icon=":material/tune:")
        with buttons.popover("Open it on your phone", icon=":material/qr_code:"):
            st.caption(words.SECRET)
            _qr(host, "the secret link", "16rem")
            st.code(host, language=None, wrap_lines=True)
        buttons.button(
            "End the room", icon=":material/logout:", on_click=ROOMS.close, args=(room,),
            help="Phones and projector are told, and all votes are forgotten.",
        )  # fmt: skip
        handout.button(room.lecture, dict(room.polls))
        st.caption(words.NOTHING_KEPT)


def _address(room: Room, own: str) -> None:
    """Where phones reach this server, if it is not where this browser does."""
    if not words.is_local(own):
        return
    said = st.empty()
    text = st.text_input(
        "The address that phones use", key="class_address", placeholder="192.168.1.20:8501"
    )
    try:
        room.address = words.typed(text) if text else ""
    except ValueError as error:
        room.address = ""
        notice(str(error), "error")
    if not room.address:
        said.warning(words.NO_PHONES)


def _qr(address: str, name: str, width: str) -> None:
    source = escape(charts.qr(address))
    st.html(PICTURE.format(name=name, source=source, width=width))


# --- the projector ---


def _join(room: Room, say: Callable[[int], str]) -> None:
    """Code and QR code, as large as the window allows, and what is to `say` of so many phones."""
    own = link.base(st.context.url or "")
    address = f"{room.address or own}room/{room.code}"
    picture, text = st.columns([1, 1.2], gap="large", vertical_alignment="center")
    with picture:
        _qr(address, "the room", "70vh")
    with text:
        st.html(CODE.format(size="min(7vw, 16vh)", code=room.code))
        st.markdown("#### Scan the code, or open")
        st.markdown(f"### {address.partition('://')[2].rpartition('/')[0]}")
        screen.watch(lambda: st.markdown(f"## {say(len(room.phones))}"))
