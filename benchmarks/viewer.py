"""A viewer without a browser: one websocket session that speaks Streamlit's own messages.

    async with Viewer(url, "train") as viewer:
        await viewer.stands(60)                            # the first picture
        click = await viewer.move("Discount factor", 0.9)  # and until the next one

It does what the front end does: it keeps the widgets' states and the address, sends both with
each rerun, runs the timers of fragments, and keeps large messages by their hash.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.typing import Origin, Subprotocol

DRAWN = "environment steps and every evaluation"  # said below a picture whose runs have ended
EARLIER = "belongs to earlier ones"  # said above a picture of other settings
REFUSED = re.compile("much to do already|waiting already|is full")
KEPT_MESSAGES = 50


@dataclass
class Click:
    """What became of one change; seconds since it was sent."""

    finished: float | None = None  # until the page's script had run
    stood: float | None = None  # until the picture of the new settings stood
    refused: bool = False
    lost: bool = False  # the connection ended, or an exception is shown


class Viewer:
    """One session with a page of the app."""

    def __init__(self, url: str, page: str, query: str = "") -> None:
        self.url, self.page, self.query = url, page, query
        self.click = Click()
        self.sliders: dict[str, str] = {}  # label -> id
        self.buttons: dict[str, str] = {}  # likewise, of what the last run of the page drew
        self._drawn: dict[str, str] = {}  # by the run that goes on
        self.received = 0  # bytes
        self._hash = ""  # of the page, once the server has told
        self._states: dict[str, WidgetState] = {}
        self._large: dict[str, ForwardMsg] = {}  # by hash
        self._timers: dict[str, asyncio.Task] = {}
        self._sent = time.perf_counter()
        self._chart = self._earlier = False
        self._script, self._stands = asyncio.Event(), asyncio.Event()

    async def __aenter__(self) -> Viewer:
        address = re.sub("^http", "ws", self.url) + "/_stcore/stream"
        self._socket = await websockets.connect(
            address, subprotocols=[Subprotocol("streamlit")], max_size=None,
            origin=Origin(self.url), open_timeout=60, ping_timeout=None,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        await self._ask()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.click = Click()  # what follows is no loss
        self._stop_timers()
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader
        await self._socket.close()

    # --- what a person does ---

    async def move(self, label: str, value: float, patience: float = 60.0) -> Click:
        """Move a slider, and wait until the picture of the new settings stands."""
        state = WidgetState(id=self.sliders[label])
        state.double_array_value.data.append(value)
        self._states[state.id] = state
        return await self._act(patience)

    async def press(self, label: str, patience: float = 0.0) -> Click:
        """Press the button whose label begins so."""
        name = next(name for name in self.buttons if name.startswith(label))
        state = WidgetState(id=self.buttons[name], trigger_value=True)
        return await self._act(patience, state)

    async def stands(self, patience: float) -> Click:
        """Wait for a picture whose runs have ended, or until it is refused."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stands.wait(), patience)
        return self.click

    async def ran(self, patience: float) -> Click:
        """Wait until the page's script has run."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._script.wait(), patience)
        return self.click

    async def _act(self, patience: float, *pressed: WidgetState) -> Click:
        self.click = Click(lost=self._reader.done())
        self._sent = time.perf_counter()
        self._script.clear()
        self._stands.clear()
        await self._ask(*pressed)
        return await self.stands(patience) if patience else self.click

    # --- what the front end does ---

    async def _ask(self, *pressed: WidgetState, fragment: str = "") -> None:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string = self.query
        if self._hash:
            rerun.page_script_hash = self._hash
        else:
            rerun.page_name = self.page
        rerun.widget_states.widgets.extend([*self._states.values(), *pressed])
        rerun.cached_message_hashes.extend(self._large)
        rerun.context_info.color_scheme = "light"
        if fragment:
            rerun.fragment_id, rerun.is_auto_rerun = fragment, True
        with suppress(websockets.ConnectionClosed):
            await self._socket.send(message.SerializeToString())

    async def _tick(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._ask(fragment=fragment)

    def _stop_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                self.received += len(data)
                message = ForwardMsg()
                message.ParseFromString(data)
                self._hear(message)
        except websockets.ConnectionClosed:
            pass
        finally:
            self.click.lost = True
            self._script.set()
            self._stands.set()

    def _hear(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            message = self._large[message.ref_hash]
            kind = message.WhichOneof("type")
        if message.metadata.cacheable:
            self._large[message.hash] = message
            while len(self._large) > KEPT_MESSAGES:
                del self._large[next(iter(self._large))]
        if kind == "new_session" and not message.metadata.run.fragment_ids:
            self._stop_timers()
            self._chart = self._earlier = False
            self._drawn = {}
        elif kind == "auto_rerun":
            timer = message.auto_rerun
            self._clear_timer(timer.fragment_id)
            self._timers[timer.fragment_id] = asyncio.create_task(
                self._tick(timer.fragment_id, timer.interval)
            )
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._clear_timer(fragment)
        elif kind == "navigation":
            self._hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self.click.finished = self.click.finished or self._since()
                self.buttons = self._drawn
                self._script.set()
                if self.click.refused:
                    self._stands.set()
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._see(message.delta.new_element)

    def _clear_timer(self, fragment: str) -> None:
        if timer := self._timers.pop(fragment, None):
            timer.cancel()

    def _see(self, element) -> None:
        kind = element.WhichOneof("type")
        if kind == "slider":
            self.sliders[element.slider.label] = element.slider.id
        elif kind in ("button", "download_button"):
            found = getattr(element, kind)
            self._drawn[found.label] = found.id
        elif kind == "vega_lite_chart":
            self._chart = True
        elif kind == "exception":
            self.click.lost = True
        elif kind in ("alert", "markdown", "text"):
            said = getattr(element, kind).body
            self._earlier |= EARLIER in said
            self.click.refused |= kind != "markdown" and bool(REFUSED.search(said))
            if DRAWN in said and self._chart and not self._earlier:
                self.click.stood = self.click.stood or self._since()
                self._stands.set()

    def _since(self) -> float:
        return time.perf_counter() - self._sent
