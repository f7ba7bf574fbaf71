"""The store as every screen sees it: one index, kept by the feed, and the state of the connection."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Final, NamedTuple

from textual.app import App
from textual.signal import Signal
from textual.timer import Timer

from backends import feed_events as feed
from backends.index import ThreadIndex
from backends.model import ThreadHead
from backends.order import View
from backends.store import StoreInfo

_SMALL: Final = 3000
"""Rows that are sorted and filtered at once; more go to another thread, so that no key waits for them."""

_MANY: Final = 20_000
"""New or changed rows after which the garbage collector is told to leave them alone."""

_AGEING: Final = 10.0
"""Seconds after which a filter by age is worked out anew."""


class State(Enum):
    """What the connection is doing."""

    OPENING = "opening"
    OPEN = "open"
    LOST = "lost"
    RELOADING = "reloading"
    """Open, while everything is read anew."""
    RECOVERED = "recovered"
    """Open, after everything was read anew."""


class Connection(NamedTuple):
    """State of the connection to the store.

    Attributes:
        state: See ``State``.
        since: Unix time from which it is so.
        reason: What is wrong.
        advice: What a person can do.
        retry_at: Unix time of the next attempt.
    """

    state: State = State.OPENING
    since: float = 0.0
    reason: str = ""
    advice: str = ""
    retry_at: float | None = None


class Change(NamedTuple):
    """What looks different now.

    Attributes:
        touched: Threads whose rows changed.
        fresh: Those among them that the application wrote to or deleted just now; the others were read only now.
        replaced: Whether order, filter or everything is new.
    """

    touched: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    replaced: bool = False


class Live:
    """Applies the events of the feed to the index, and tells the screens, not more often than the terminal can bear.

    Lives on the event loop.

    Args:
        app: Owner of signals and timers.
        pace: Least seconds between two announcements.
        clock: Unix time.

    Attributes:
        index: Every thread that has been read so far; replaced when the complete list is ready.
        info: What is known about the store, once it is open.
        connection: State of the connection.
        changed: Published with a ``Change``.
        connected: Published with the ``Connection`` when it changes.
    """

    def __init__(self, app: App[None], pace: float, clock: Callable[[], float] = time.time) -> None:
        self.index = ThreadIndex(clock)
        self.info: StoreInfo | None = None
        self.connection = Connection()
        self.changed: Signal[Change] = Signal(app, "changed")
        self.connected: Signal[Connection] = Signal(app, "connected")
        self._app = app
        self._pace = pace
        self._clock = clock
        self._touched: set[str] = set()
        self._fresh: set[str] = set()
        self._replaced = False
        self._unfrozen = 0
        self._filling = True
        self._last = 0.0
        self._timer: Timer | None = None
        self._request = 0

    # From the feed

    def receive(self, event: feed.Event) -> None:
        """Take in an event."""
        self._apply(event)
        if self._unfrozen >= _MANY and self._filling:
            # A full collection over a large index takes longer than a person waits for a key. What has been read so far
            # is no garbage, once the new garbage is gone; it need not be looked at again. Seldom, because what is on
            # the screen at that moment is kept for good.
            self._filling = not self.index.counts.exact
            self._unfrozen = 0
            gc.collect()
            gc.freeze()

    def _apply(self, event: feed.Event) -> None:
        match event:
            case feed.Opened(info):
                self.info = info
                again = self.connection.state is State.LOST
                state = State.RELOADING if again else State.OPEN
                self._connect(Connection(state, self._clock(), "Connected again." if again else ""))
            case feed.HeadsLoaded(heads, complete):
                self._load(heads, complete)
            case feed.Changed(heads, removed):
                fresh = {head.thread_id for head in heads} | removed
                self.index.upsert(heads)
                self.index.remove(removed)
                self._fresh |= fresh
                self._touch(fresh)
            case feed.Counted(counts):
                self._touch(self.index.set_counts(counts))
            case feed.Analysed(summaries):
                self._touch(self.index.set_summaries(summaries))
            case feed.Lost(reason, advice, retry_in):
                now = self._clock()
                self._connect(Connection(State.LOST, now, reason, advice, now + retry_in))
            case feed.Reloading(reason):
                self._connect(Connection(State.RELOADING, self._clock(), reason))
            case feed.Recovered():
                self._connect(Connection(State.RECOVERED, self._clock()))

    def _load(self, heads: Iterable[ThreadHead], complete: bool) -> None:
        touched = self.index.upsert(heads)
        if complete:
            self.index.complete = True
            if self.connection.state is State.RELOADING:
                self._connect(Connection(State.RECOVERED, self._clock()))
        self._touch(touched, replaced=complete)

    def _connect(self, connection: Connection) -> None:
        self.connection = connection
        self.connected.publish(connection)

    def measured(self, sizes: Mapping[str, int]) -> None:
        """Take in bytes by thread."""
        self._touch(self.index.set_sizes(sizes))

    # To the screens

    def _touch(self, touched: set[str], replaced: bool = False) -> None:
        """Announce changes now, or together with others a little later."""
        if not touched and not replaced:
            return
        self._touched |= touched
        self._unfrozen += len(touched)
        self._replaced |= replaced
        wait = self._last + self._pace - time.monotonic()
        if wait <= 0:
            self._announce()
        elif self._timer is None:
            self._timer = self._app.set_timer(wait, self._announce)

    def _announce(self, replaced: bool = False) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._last = time.monotonic()
        change = Change(frozenset(self._touched), frozenset(self._fresh), replaced or self._replaced)
        self._touched.clear()
        self._fresh.clear()
        self._replaced = False
        self.changed.publish(change)

    # From the screens

    async def show(self, view: View) -> bool:
        """Show other threads, or in another order.

        Returns:
            False if another view was asked for meanwhile.
        """
        self._request = request = self._request + 1
        index = self.index
        arrangement = index.arrangement(view)
        if len(index.rows) <= _SMALL:
            arrangement.compute()
        else:
            await asyncio.to_thread(arrangement.compute, lambda: request != self._request)
        if not index.adopt(arrangement):
            return False
        self._announce(replaced=True)
        return True

    async def grow_older(self) -> None:
        """Work a filter by age out anew; called now and then."""
        if self.index.view.query.needs_now:
            await self.show(self.index.view)

    def pause(self, paused: bool) -> None:
        """Freeze the order, or let it go."""
        self.index.paused = paused
        self._announce(replaced=True)
