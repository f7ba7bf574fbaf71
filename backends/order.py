"""The orders of the thread list: what a row is sorted by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from .model import ATTENTION, StatusName, ThreadRow
from .query import EVERYTHING, Query
from .ranking import Key

KeyOf: TypeAlias = Callable[[ThreadRow], Key]

_URGENCY: Final[Mapping[StatusName, int]] = {
    status: rank for rank, status in enumerate([StatusName.RUNNING, *ATTENTION])
}
_CALM: Final = len(_URGENCY)
_STATUSES: Final[Mapping[StatusName, int]] = {
    status: rank for rank, status in enumerate([*_URGENCY, StatusName.DONE, StatusName.UNKNOWN])
}
_ERA: Final = 10**16
"""Microseconds; more than any Unix time before 2286, so that a rank and a time make one number."""
_LARGEST: Final = 10**15
_ABSENT: Final = 10 * _LARGEST
_LONGEST: Final = 40
"""Characters of a text that count for its order; keeps the keys small."""


@dataclass(frozen=True, slots=True)
class View:
    """Which threads are shown, and in which order.

    Attributes:
        query: The filter.
        sort: A name in ``SORTS``.
        reverse: Whether the order is turned round; rows that lack the value stay at the end.
    """

    query: Query = EVERYTHING
    sort: str = "attention"
    reverse: bool = False


def key_of(view: View) -> KeyOf:
    """The key function of a view.

    Keys are stored ascending, and read from the end when the view is reversed. First comes the value that the view
    sorts by; then the last activity, newest first in either direction; then the thread id. A row without the value,
    or without a time, comes last in either direction.

    Raises:
        KeyError: There is no such order.
    """
    if view.sort in _TEXTS:
        return _by_text(_TEXTS[view.sort], view.reverse)
    if view.sort == "active" and view.reverse:
        return lambda row: (-_time(row) or -_ERA, row.head.thread_id)
    return _by_number(_NUMBERS.get(view.sort) or _MEASURED[view.sort], view.reverse)


def _by_number(number_of: Callable[[ThreadRow], int | None], reverse: bool) -> KeyOf:
    absent = -_ABSENT if reverse else _ABSENT
    sign = 1 if reverse else -1

    def key(row: ThreadRow) -> Key:
        number = number_of(row)
        rank = absent if number is None else max(-_LARGEST, min(number, _LARGEST))
        return rank * _ERA + sign * _time(row), row.head.thread_id

    return key


def _by_text(text_of: Callable[[ThreadRow], str | None], reverse: bool) -> KeyOf:
    """Text and time in one string, which takes half the memory of a pair; what is absent sorts after any text."""
    absent = "\x00" if reverse else "\x02"

    def key(row: ThreadRow) -> Key:
        text, time = text_of(row), _time(row)
        tie = time if reverse else _ERA - time
        start = f"\x01{text[:_LONGEST].lower()}" if text else absent
        return f"{start}\x00{tie:014x}", row.head.thread_id

    return key


def _time(row: ThreadRow) -> int:
    """The last activity in microseconds since 1970; 0 where it is unknown, which is older than everything."""
    return max(0, min(int((row.head.updated_at or 0.0) * 1e6), _ERA - 1))


def _urgency(row: ThreadRow) -> int:
    return _CALM if row.summary is None else _URGENCY.get(row.summary.status, _CALM)


_NUMBERS: Final[Mapping[str, Callable[[ThreadRow], int | None]]] = {
    "attention": _urgency,
    "active": lambda row: 0,
    "status": lambda row: None if row.summary is None else _STATUSES[row.summary.status],
    "step": lambda row: None if row.head.step is None else -row.head.step,
    "checkpoints": lambda row: None if row.checkpoints is None else -row.checkpoints,
}
"""Orders that a number leads; large ones of the store come first."""

_MEASURED: Final[Mapping[str, Callable[[ThreadRow], int | None]]] = {
    "size": lambda row: None if row.size is None else -row.size,
}
"""Orders by what is measured on a screen only, thread by thread, and perhaps never of all of them."""

_TEXTS: Final[Mapping[str, Callable[[ThreadRow], str | None]]] = {
    "thread": lambda row: row.head.thread_id,
    "next": lambda row: None if row.summary is None else ", ".join(row.summary.next),
    "reason": lambda row: None if row.summary is None else row.summary.reason,
}

SORTS: Final = (*_NUMBERS, *_TEXTS)
"""The orders that there are wherever threads are listed."""
