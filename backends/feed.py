"""The live view of a store: a thread that reads everything, follows what changes, and outlives a loss of the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Final

from .address import Address, mask_dsn
from .alarm import Alarm
from .errors import StoreError, StoreReplaced
from .feed_events import (
    Analysed,
    Changed,
    Counted,
    Event,
    HeadsLoaded,
    Lost,
    Opened,
    Recovered,
    Reloading,
)
from .feed_session import Session
from .pace import Pace
from .roster import Roster
from .store import Store, open_store
from .witness import GLANCE_SECONDS, Witness

if TYPE_CHECKING:
    from .decode import Decoder
    from .first_page import FirstPage

__all__ = [
    "Analysed",
    "Changed",
    "Counted",
    "Event",
    "Feed",
    "HeadsLoaded",
    "Lost",
    "Opened",
    "Recovered",
    "Reloading",
]

FIRST_RETRY: Final = 0.5
LAST_RETRY: Final = 15.0
"""Seconds between attempts to open a lost store; doubles from the first to the last."""

_REOPEN_SECONDS: Final = 1.0
"""Between two reopenings without a pause, which a replaced file is granted."""

_STOP_SECONDS: Final = 1.0

_BREATH: Final = 0.1
"""Seconds of rest after the first page, so that the screen draws it before the store is opened and read."""


class Feed:
    """Follows a store on a thread and a connection of its own.

    Tells, in this order: that the store is open; the newest threads; all threads; how many checkpoints they have; what
    they are doing, those that are looked at first. In between, and for good, what changes. When the store is lost it
    says so, tries again, and reads everything anew, telling only of what differs.

    Args:
        address: The store.
        on_event: Takes every event, on the feed's thread; must not raise.
        decoder: Decodes values for statuses; by default with the key in ``LANGGRAPH_AES_KEY``.
        opener: Opens the store; by default ``open_store`` at the address.
        witness: Knows who runs threads, and how their last runs ended; by default one of the address. The feed keeps
            it up to date, so that others may ask it, too.
        first: Gives the newest threads, of which is told before the store is opened.
    """

    def __init__(
        self,
        address: Address,
        on_event: Callable[[Event], None],
        decoder: Decoder | None = None,
        opener: Callable[[], Store] | None = None,
        witness: Witness | None = None,
        first: FirstPage | None = None,
    ) -> None:
        self._address = address
        self._tell = on_event
        self._decoder = decoder
        self._opener = opener or (lambda: open_store(address.dsn or address.path or address.raw))
        self._first = first
        self._witness = witness or Witness.of(address)
        self._roster = Roster()
        self._store: Store | None = None
        self._alarm: Alarm | None = None
        self._wake = threading.Event()
        self._rung = False
        self._looked_at: tuple[str, ...] | None = None
        self._lost = False
        self._retry = FIRST_RETRY
        self._reopened_at = -_REOPEN_SECONDS
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lgtop-feed", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def prioritise(self, thread_ids: Iterable[str]) -> None:
        """Work out the statuses of these threads before others; callable from any thread, the latest call counts."""
        self._looked_at = tuple(thread_ids)
        self._wake.set()

    def stop(self) -> bool:
        """End, interrupting what runs, and tell nothing more.

        Returns:
            Whether the thread ended within a second; otherwise it does so when its connection lets it.
        """
        self._stopping.set()
        self._wake.set()
        deadline = time.monotonic() + _STOP_SECONDS
        while self._thread.is_alive() and time.monotonic() < deadline:
            store = self._store
            if store is not None:
                store.interrupt()
            self._thread.join(0.02)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if self._first is not None:
            self._show(self._first)
        while not self._stopping.is_set():
            session: Session | None = None
            try:
                with closing(self._opener()) as store:
                    session = self._begin(store)
                    self._follow(session)
            except Exception as error:
                if not self._stopping.is_set():
                    self._recover(error, settled=session is not None and session.settled)
            finally:
                self._store = None
                if session is not None:
                    self._roster = session.roster
        self._witness.close()
        if self._alarm is not None:
            self._alarm.stop()

    def _show(self, first: FirstPage) -> None:
        """Tell of the newest threads before the store is opened to be followed."""
        if (page := first()) is not None:
            info, heads = page
            self._roster = Roster(heads)
            self._say(Opened(info))
            self._say(HeadsLoaded(heads, complete=False))
            self._stopping.wait(_BREATH)

    def _begin(self, store: Store) -> Session:
        self._store = store
        if self._alarm is not None and self._alarm.failure is not None:
            self._alarm = None
        session = Session(store, self._decoder, self._witness, self._roster, self._say, self._stopping.is_set)
        self._say(Opened(store.info))
        return session

    def _recover(self, error: Exception, settled: bool) -> None:
        """Say what happened, and wait before another attempt; a replaced file is opened at once, but not twice."""
        now = time.monotonic()
        if settled:
            self._retry = FIRST_RETRY
        if isinstance(error, StoreReplaced) and now - self._reopened_at > _REOPEN_SECONDS:
            self._reopened_at = now
            self._say(Reloading(error.reason))
            return
        self._lost = True
        self._say(_loss(error, self._retry))
        self._rest(self._retry)
        self._retry = min(self._retry * 2, LAST_RETRY)

    def _follow(self, session: Session) -> None:
        """Look for changes when it is time, and work meanwhile, until the feed is stopped or the store is lost."""
        pace = Pace(time.monotonic())
        glance_at = 0.0
        while not self._stopping.is_set():
            if self._looked_at is not None:
                thread_ids, self._looked_at = self._looked_at, None
                session.look_at(thread_ids)
            if time.monotonic() >= glance_at:
                session.look_around()
                glance_at = time.monotonic() + GLANCE_SECONDS
            if time.monotonic() >= pace.due(self._rung):
                rung, self._rung = self._rung, False
                changed = session.poll()
                pace.looked(time.monotonic(), changed, rung)
                continue
            rest = session.work()
            if session.loaded:
                if self._lost:
                    self._lost = False
                    self._say(Recovered())
                pace.alarmed = self._alarm_works()
            pause = min(pace.due(self._rung), glance_at) - time.monotonic()
            if rest is not None:
                pause = min(pause, rest)
            if pause > 0:
                self._wake.wait(pause)
                self._wake.clear()

    def _alarm_works(self) -> bool:
        """Set the alarm where there can be one; called late, because its import takes time from the first paint."""
        path = self._address.path
        if path is None:
            return False
        if self._alarm is None:
            self._alarm = Alarm(path, self._ring)
            self._alarm.start()
        return self._alarm.alive

    def _ring(self) -> None:
        self._rung = True
        self._wake.set()

    def _rest(self, seconds: float) -> None:
        """Wait before another attempt; a change of the file ends it early."""
        began = time.monotonic()
        self._rung = False
        while (waited := time.monotonic() - began) < seconds and not self._stopping.is_set():
            if self._rung and waited >= FIRST_RETRY:
                return
            self._wake.wait(seconds - waited if waited >= FIRST_RETRY else FIRST_RETRY - waited)
            self._wake.clear()

    def _say(self, event: Event) -> None:
        if not self._stopping.is_set():
            self._tell(event)


def _loss(error: Exception, retry: float) -> Lost:
    if isinstance(error, StoreError):
        return Lost(error.reason, error.advice, retry, error)
    reason = f"lgtop failed: {type(error).__name__}: {mask_dsn(str(error))}"
    return Lost(reason, "Please report it.", retry, error)
