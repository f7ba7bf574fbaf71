"""Drawings that have been made, kept in memory and on disk until a source of their graph changes."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from ..errors import Refused
from ..folders import private_folder, state_folder, write_whole
from ..runs.spec import GraphRef
from .draw import draw_each
from .drawing import Drawing
from .sources import fingerprints

_CHILDREN = 2
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
        self._children = threading.BoundedSemaphore(_CHILDREN)
        self._last: dict[str, _Answer] = {}

    def drawing(self, ref: GraphRef) -> Drawing:
        """Return what a graph looks like now; blocks while a child imports it, unless that has been done.

        Raises:
            Refused: It cannot be imported. Within half a minute it is tried again only if a source has changed.
        """
        (found,) = self.drawings([ref])
        if isinstance(found, Refused):
            raise Refused(found.reason, found.advice)
        return found

    def drawings(self, refs: Sequence[GraphRef]) -> list[Drawing | Refused]:
        """Return what graphs look like now, or why that cannot be told; those of one project take one child."""
        places = {_name(ref): ref for ref in refs}
        with ExitStack() as stack:
            for name in sorted(places):  # whoever waits for one of several holds only such as come before it
                stack.enter_context(self._one_each[name])
            states = dict(zip(places, fingerprints(list(places.values())), strict=True))
            found = {name: self._kept(name, state) for name, state in states.items()}
            missing = [name for name, kept in found.items() if kept is None]
            if missing:
                with self._children:
                    drawn = draw_each([places[name] for name in missing])
                found.update(zip(missing, drawn, strict=True))
            for name in missing:
                self._keep(name, states[name], found[name])
        return [kept for ref in refs if (kept := found[_name(ref)]) is not None]

    def glance(self, ref: GraphRef) -> Drawing | None:
        """Return the last drawing that was made or read in this process, at once, changed or not."""
        last = self._last.get(_name(ref))
        return last.found if last is not None and isinstance(last.found, Drawing) else None

    def _keep(self, name: str, state: str, found: Drawing | Refused | None) -> None:
        if found is not None:
            self._last[name] = _Answer(state, found, time.monotonic())
        if isinstance(found, Drawing):
            _save(name, state, found)

    def _kept(self, name: str, state: str) -> Drawing | Refused | None:
        last = self._last.get(name)
        if last is not None and last.state == state and last.holds():
            return last.found
        if (saved := _saved(name, state)) is not None:
            self._last[name] = _Answer(state, saved, time.monotonic())
        return saved


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
