"""The run's sign of life: a heartbeat each second, a look at the lock, and nothing that waits to be told for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from ..runs.events import Kind
from ..runs.recorder import Recorder
from .signals import CANCEL

PERIOD = 1.0
"""Seconds between two heartbeats."""

_LATEST = 0.1
"""Seconds that an event may wait for the next one."""

GRACE = 2.0
"""Seconds that a cancelled run gets to come to its end by itself, unless it awaits what it has to clear away."""


class Pulse:
    """A thread that beats, so that a graph that blocks the event loop is seen to live.

    Args:
        recorder: Takes ``HEARTBEAT`` and ``STOPPING`` events.
        news: Demands to stop, as they come in (see ``signals``).
        running: Names of the nodes that run now.
        held: Whether the thread's lock is ours.
        lost: Called once, in this thread, when it is not.
        overdue: Called once, in this thread, when a cancelled run does not end: what hangs in a thread of its own
            cannot be interrupted, and LangGraph would wait for it.

    Attributes:
        grace: Seconds after which a cancelled run is overdue.
    """

    def __init__(
        self,
        recorder: Recorder,
        news: SimpleQueue[str | None],
        running: Callable[[], Sequence[str]],
        held: Callable[[], bool],
        lost: Callable[[], None],
        overdue: Callable[[], None],
    ) -> None:
        self._recorder = recorder
        self._news = news
        self._running = running
        self._held = held
        self._lost = lost
        self._overdue = overdue
        self._deadline = float("inf")
        self.grace = GRACE
        self._thread = threading.Thread(target=self._beat, name="lgtop-pulse", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it: nothing is written after this. It may never have begun."""
        self._news.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def _beat(self) -> None:
        beat = time.monotonic() + PERIOD
        while True:
            now = time.monotonic()
            if now >= self._deadline:
                self._overdue()
                return
            try:
                how = self._news.get(timeout=max(0.0, min(_LATEST, beat - now, self._deadline - now)))
            except Empty:
                if time.monotonic() < beat:
                    self._recorder.flush()
                    continue
                if not self._held():
                    self._lost()
                    return
                self._recorder.write(Kind.HEARTBEAT, running=list(self._running()))
                beat = time.monotonic() + PERIOD
                continue
            if how is None:
                return
            self._recorder.write(Kind.STOPPING, how=how)
            if how == CANCEL:
                self._deadline = min(self._deadline, time.monotonic() + self.grace)
