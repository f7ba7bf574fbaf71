"""The events of a run for a screen: read on a thread of their own, handed over in turns that no key notices."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from backends.runs.events import Event
from backends.runs.follow import follow

_TURN: Final = 2000
"""Events handed over at a time; more follow in the next turn of the event loop."""

_FULL: Final = 20_000
"""Events that wait to be handed over; the thread waits until they are fewer."""


class Tail:
    """Follows one run, from its first event to its end.

    Args:
        folder: Its record.
        heard: Called on the event loop with events, in order.
        ended: Called on the event loop when nothing more will come: with an empty text, or with what is wrong.
        pace: Least seconds between two calls of ``heard``, once everything that is there has been read.
    """

    def __init__(
        self, folder: str, heard: Callable[[Sequence[Event]], None], ended: Callable[[str], None], pace: float
    ) -> None:
        self._folder = folder
        self._heard = heard
        self._ended = ended
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Event] = deque()
        self._flushing = False
        self._room = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, name="lgtop-tail", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop soon; nothing is handed over any more."""
        self._stopping.set()
        self._room.set()

    def _read(self) -> None:
        """Body of the thread."""
        problem = ""
        try:
            for event in follow(self._folder, stop=self._stopping.is_set):
                self._waiting.append(event)
                if not self._flushing:
                    self._flushing = True
                    self._call(self._flush_soon)
                if len(self._waiting) >= _FULL:
                    self._room.clear()
                    self._room.wait(1.0)
        except OSError as error:
            problem = f"The record of this run cannot be read: {error.strerror or error}."
        self._call(lambda: self._finish(problem))

    def _call(self, function: Callable[[], object]) -> None:
        """Have the event loop do something; it may have ended before the thread notices."""
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            self._stopping.set()

    # On the event loop

    def _flush_soon(self) -> None:
        self._loop.call_later(self._pace, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._stopping.is_set():
            self._waiting.clear()
            return
        events = [self._waiting.popleft() for _ in range(min(_TURN, len(self._waiting)))]
        self._room.set()
        if self._waiting:
            self._flushing = True
            self._loop.call_soon(self._flush)
        if events:
            self._heard(events)

    def _finish(self, problem: str) -> None:
        """The thread is done; what it has read comes first."""
        if self._waiting:
            self._flush()
            self._loop.call_soon(self._finish, problem)
        elif not self._stopping.is_set():
            self._ended(problem)
