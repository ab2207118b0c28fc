"""Pause and cancel long work from another thread: what a loop asks between two steps."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancelled(Exception):
    """The run was told to stop."""


class Control:
    """Controls a running loop from another thread: pause, resume, cancel."""

    def __init__(self) -> None:
        self._go = threading.Event()
        self._go.set()
        self.cancelled = False
        self.changed: Callable[[], object] = lambda: None  # called after each change

    def pause(self) -> None:
        if not self.cancelled:
            self._go.clear()
            self.changed()

    def resume(self) -> None:
        self._go.set()
        self.changed()

    def cancel(self) -> None:
        self.cancelled = True
        self._go.set()
        self.changed()

    @property
    def paused(self) -> bool:
        return not self._go.is_set()

    def check(self) -> None:
        """Wait while paused; raise `Cancelled` once cancelled."""
        self._go.wait()
        if self.cancelled:
            raise Cancelled
