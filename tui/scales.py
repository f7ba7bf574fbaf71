"""How large threads are: measured in the background, those in sight only, and again when they have gone on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Final, TypeAlias

from backends.errors import StoreError

if TYPE_CHECKING:
    from backends.address import Address
    from backends.maintenance.size import Sizes

Marks: TypeAlias = Mapping[str, str]
"""Threads with their newest checkpoints: what a size was measured at."""

_AT_ONCE: Final = 8
"""Threads measured between two looks at whether others are in sight by now."""

_TOLD: Final = 1000
"""Threads whose sizes are told at a time."""

_TURN: Final = 0.02
"""Seconds between two such times, so that keys are heard."""

_SHARE: Final = 4
"""Rests so many times as long as it measured."""

_REST: Final = 0.5
"""Seconds that it rests at least: a thread that is written to all the time is not measured all the time."""

_TROUBLE: Final = 5.0
"""Seconds after which a store that could not be measured is tried again."""


class Scales:
    """Measures threads on a daemon thread of its own, which begins with the first wish.

    Lives on the event loop, but for what is said to be otherwise.

    Args:
        address: The store.
        heard: Called with bytes by thread.
    """

    def __init__(self, address: Address, heard: Callable[[Mapping[str, int]], None]) -> None:
        self._address = address
        self._heard = heard
        self._known: dict[str, str] = {}
        self._wanted: Marks = {}
        self._all: Marks | None = None
        self._news = threading.Condition()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context = Context()

    @property
    def busy(self) -> bool:
        """Whether all threads are being measured."""
        return self._all is not None

    def want(self, marks: Marks) -> None:
        """Say which threads are in sight now, and how far they have come; the others can wait."""
        known = self._known
        self._ask({name: newest for name, newest in marks.items() if known.get(name) != newest}, None)

    def want_all(self, marks: Marks) -> None:
        """Have all threads measured once, by one pass over the store; those that were, are not again."""
        if not self.busy and any(self._known.get(name) != newest for name, newest in marks.items()):
            self._ask({}, marks)

    def close(self) -> None:
        """Measure nothing more."""
        with self._news:
            self._closed = True
            self._news.notify()

    def _ask(self, wanted: Marks, every: Marks | None) -> None:
        if not wanted and every is None:
            return
        if self._loop is None:
            self._loop, self._context = asyncio.get_running_loop(), copy_context()
            threading.Thread(target=self._serve, name="lgtop-scales", daemon=True).start()
        with self._news:
            self._wanted = wanted
            self._all = every or self._all
            self._news.notify()

    def _learn(self, sizes: Mapping[str, int], marks: Marks) -> None:
        self._known.update(marks)
        self._heard(sizes)

    # On the thread

    def _serve(self) -> None:
        sizes: Sizes | None = None
        while self._wait():
            began = time.monotonic()
            try:
                sizes = sizes or self._open()
                for found, marks in self._measured(sizes):
                    self._tell(found, marks)
                rest = max(_REST, _SHARE * (time.monotonic() - began))
            except StoreError:  # the banner says why, if it lasts
                _close(sizes)
                sizes, rest = None, _TROUBLE
            with self._news:
                self._news.wait_for(lambda: self._closed, rest)
        _close(sizes)

    def _wait(self) -> bool:
        with self._news:
            self._news.wait_for(lambda: self._closed or self._wanted or self._all is not None)
            return not self._closed

    def _open(self) -> Sizes:
        from backends.maintenance.size import open_sizes

        return open_sizes(self._address)

    def _measured(self, sizes: Sizes) -> Iterator[tuple[Mapping[str, int], Marks]]:
        """Measure what is wanted, a few threads at a time, until something else is."""
        with self._news:
            every, wanted, self._wanted = self._all, self._wanted, {}
        if every is not None:
            try:
                found = {one.thread_id: one.bytes for one in sizes.threads(None, "~")}
            finally:
                self._all = None
            for some in _some(list(found), _TOLD):
                yield {name: found[name] for name in some}, {name: every[name] for name in some if name in every}
                time.sleep(_TURN)
            return
        left = set(wanted)
        for some in _some(list(wanted), _AT_ONCE):
            yield {one.thread_id: one.bytes for one in sizes.threads(some, "~")}, {name: wanted[name] for name in some}
            left.difference_update(some)
            if self._closed or (self._wanted and left.isdisjoint(self._wanted)):
                return

    def _tell(self, found: Mapping[str, int], marks: Marks) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the app has ended
                self._loop.call_soon_threadsafe(self._learn, found, marks, context=self._context)


def _some(names: Sequence[str], at_once: int) -> Iterator[Sequence[str]]:
    for at in range(0, len(names), at_once):
        yield names[at : at + at_once]


def _close(sizes: Sizes | None) -> None:
    if sizes is not None:
        with suppress(StoreError):
            sizes.close()
