"""Following a run's events as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from .events import Event, Kind
from .read import EventTail, RunReader

_POLL = 0.05
"""Seconds between two looks at its events."""

_LOOK = 1.0
"""Seconds between two looks at its process while it tells something: that reads the record once more.

What a run leaves behind may go on printing into its record, so that events alone are no sign of life.
"""

_BATCH = 1000
"""Events handed over at a time; a record may hold millions."""


def follow(folder: str | Path, *, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Yield every event of a run, from the first, until its ``end`` or until its process is gone.

    A process that is gone without a word leaves no ``end`` event; ``read.read_run`` then says what is known.

    Args:
        folder: The record's folder.
        stop: Asked between two looks; true ends the iteration.

    Raises:
        FileNotFoundError: There is no such record.
        OSError: It cannot be read.
    """
    for events in follow_in_batches(folder, stop=stop):
        yield from events


def follow_in_batches(folder: str | Path, *, stop: Callable[[], bool] = lambda: False) -> Iterator[Sequence[Event]]:
    """The same, as many at a time as a look has brought: who tells of each by itself slows the run from beside it.

    Args:
        folder: The record's folder.
        stop: As for ``follow``.

    Raises:
        FileNotFoundError: There is no such record.
        OSError: It cannot be read.
    """
    tail, reader = EventTail(folder), RunReader(folder)
    live, quiet, look_at = True, True, 0.0
    while live and not stop():
        if quiet or time.monotonic() >= look_at:
            live, look_at = reader.read().live, time.monotonic() + _LOOK
        quiet, news = True, tail.news()
        while events := list(islice(news, _BATCH)):
            quiet = False
            ends = [place for place, event in enumerate(events, 1) if event.kind is Kind.END]
            yield events[: ends[0]] if ends else events
            if ends:
                return
        if live:
            time.sleep(_POLL)
