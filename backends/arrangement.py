"""The order of a view over many rows, computed away from the event loop."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from .model import ThreadRow
from .order import View, key_of
from .ranking import Key, Ranking

_T = TypeVar("_T")

_SLICE: Final = 2000
"""Rows between two looks at ``cancelled``; a few milliseconds of work."""

_PARTS: Final = 128
"""Parts that are sorted one by one."""


class Arrangement:
    """The order of a view over a snapshot of the rows; may be computed on any thread, once.

    Made by ``ThreadIndex.arrangement``, taken back by ``ThreadIndex.adopt``.

    Args:
        view: What to show, and in which order.
        rows: All rows, in any order.
        now: Unix time, for filters by age.
        order: The same rows in the order of the view, where that is known.

    Attributes:
        all: Every row in order, once computed.
        shown: Those that the filter lets through; the same object as ``all`` without a filter.
    """

    __slots__ = ("_now", "_order", "_rows", "all", "shown", "view")

    def __init__(self, view: View, rows: Sequence[ThreadRow], now: float, order: Ranking | None = None) -> None:
        self.view = view
        self.all: Ranking | None = None
        self.shown: Ranking | None = None
        self._rows = rows
        self._now = now
        self._order = order

    def compute(self, cancelled: Callable[[], bool] = lambda: False) -> bool:
        """Sort and filter; whether it ran to its end.

        Args:
            cancelled: Asked every few milliseconds.
        """
        try:
            order = self._order if self._order is not None else self._ranked(self._rows, cancelled)
            shown = self._filtered(order, cancelled) if self.view.query else order
        except _Cancelled:
            return False
        self.all, self.shown = order, shown
        return True

    def _ranked(self, rows: Sequence[ThreadRow], cancelled: Callable[[], bool]) -> Ranking:
        key = key_of(self.view)
        leads = [lead for some in _slices(rows, cancelled) for lead, _ in map(key, some)]
        return Ranking(_sorted(leads, rows, cancelled), self.view.reverse)

    def _filtered(self, order: Ranking, cancelled: Callable[[], bool]) -> Ranking:
        """Look at the rows as they lie in memory, which takes half the time of looking at them in order."""
        test = self.view.query.test(self._now)
        fitting: list[ThreadRow] = []
        for some in _slices(self._rows, cancelled):
            fitting.extend(filter(test, some))
        if len(fitting) * 8 < len(self._rows):
            return self._ranked(fitting, cancelled)
        ids = {row.head.thread_id for row in fitting}
        return Ranking((key for key in order.sorted_keys() if key[1] in ids), self.view.reverse)


def _sorted(leads: Sequence[Any], rows: Sequence[ThreadRow], cancelled: Callable[[], bool]) -> Iterator[Key]:
    """Sort in short steps: one sort of 100,000 keys keeps the interpreter for 0.1 s, and no key press gets through.

    A key is made when its part is sorted: all of them at once would take twice the memory of the order itself.
    """

    def key(at: int) -> Key:
        return leads[at], rows[at].head.thread_id

    borders = sorted(map(key, range(0, len(rows), max(1, len(rows) // (8 * _PARTS)))))[::8]
    parts = [array("L") for _ in range(len(borders) + 1)]
    for some in _slices(range(len(rows)), cancelled):
        for at in some:
            parts[bisect_right(borders, key(at))].append(at)
    for part in parts:
        if cancelled():
            raise _Cancelled
        yield from sorted(map(key, part))


class _Cancelled(Exception):
    """Nobody waits for the result any more."""


def _slices(items: Iterable[_T], cancelled: Callable[[], bool]) -> Iterator[list[_T]]:
    rest = iter(items)
    while some := list(islice(rest, _SLICE)):
        if cancelled():
            raise _Cancelled
        yield some
