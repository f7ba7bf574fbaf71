"""Following a run's events as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .events import Event, Kind
from .read import EventTail, RunReader

_POLL = 0.05
"""Seconds between two looks."""


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
    tail, reader = EventTail(folder), RunReader(folder)
    live = True
    while not stop():
        told = False
        for event in tail.news():
            yield event
            told = True
            if event.kind is Kind.END:
                return
        if not told:  # who tells something lives; to look at that, too, would take the processor from a run in a hurry
            if not live:
                return
            live = reader.read().live
        if live:
            time.sleep(_POLL)
