"""Drawings that have been made, kept in memory and on disk until a source of their graph changes."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from ..errors import Refused
from ..folders import private_folder, state_folder, write_whole
from ..runs.spec import GraphRef
from .draw import draw
from .drawing import Drawing
from .sources import fingerprint

AT_ONCE = 2
"""Children that import graphs at the same time."""


_RETRY = 30.0
"""Seconds for which a refusal holds: something besides the sources may change, such as a package that is missing."""


class _Answer(NamedTuple):
    """What came of the last attempt, and of which state of the sources it tells."""

    state: str
    found: Drawing | Refused
    made: float

    def holds(self) -> bool:
        return isinstance(self.found, Drawing) or time.monotonic() - self.made < _RETRY


class Gallery:
    """Draws each graph once for each state of its sources. Safe to use from any thread."""

    def __init__(self) -> None:
        self._one_each: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._children = threading.BoundedSemaphore(AT_ONCE)
        self._last: dict[str, _Answer] = {}

    def drawing(self, ref: GraphRef) -> Drawing:
        """Return what a graph looks like now; blocks while a child imports it, unless that has been done.

        Raises:
            Refused: It cannot be imported. Within half a minute it is tried again only if a source has changed.
        """
        name = _name(ref)
        with self._one_each[name]:
            state = fingerprint(ref)
            found = self._kept(name, state)
            if found is None:
                with self._children:
                    found = _drawn(ref)
                self._last[name] = _Answer(state, found, time.monotonic())
                if isinstance(found, Drawing):
                    _save(name, state, found)
        if isinstance(found, Refused):
            raise Refused(found.reason, found.advice)
        return found

    def glance(self, ref: GraphRef) -> Drawing | None:
        """Return the last drawing that was made or read in this process, at once, changed or not."""
        last = self._last.get(_name(ref))
        return last.found if last is not None and isinstance(last.found, Drawing) else None

    def _kept(self, name: str, state: str) -> Drawing | Refused | None:
        last = self._last.get(name)
        if last is not None and last.state == state and last.holds():
            return last.found
        if (saved := _saved(name, state)) is not None:
            self._last[name] = _Answer(state, saved, time.monotonic())
        return saved


def _drawn(ref: GraphRef) -> Drawing | Refused:
    try:
        return draw(ref)
    except Refused as refused:
        return refused


def _name(ref: GraphRef) -> str:
    return blake2b(json.dumps([ref.name, ref.target, ref.root, ref.python]).encode(), digest_size=8).hexdigest()


def _folder() -> Path:
    return state_folder() / "drawings"


def _saved(name: str, state: str) -> Drawing | None:
    try:
        return Drawing.from_json(json.loads((_folder() / f"{name}-{state}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _save(name: str, state: str, drawing: Drawing) -> None:
    """Keep a drawing for other processes, in the place of those of earlier sources."""
    with suppress(OSError):  # without it they draw for themselves
        folder = private_folder(_folder())
        for old in folder.glob(f"{name}-*.json"):
            old.unlink(missing_ok=True)
        write_whole(folder / f"{name}-{state}.json", json.dumps(asdict(drawing)))
