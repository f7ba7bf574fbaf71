"""What a thread did to the world outside, counted so that two threads can be compared.

Two things are looked at. The ledger is a file that only grows, named to the graph in the environment variable
``LGTOP_LEDGER``; each line is a JSON object with ``node``, ``kind`` and ``pid``, of which those with the kind
``effect`` count, with ``what`` and perhaps ``key`` saying what was done. And there is a folder that only this thread
has, named in ``LGTOP_AUDIT``: every line of every file that stands in it is an effect; of a SQLite database every row,
of other files that are no text the whole.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..faults import Fault
from ..text import one_line
from .rows import is_beside_sqlite, is_sqlite, rows
from .trace import Trace

LEDGER = "LGTOP_LEDGER"
"""Environment variable with the path of the ledger."""

FOLDER = "LGTOP_AUDIT"
"""Environment variable with the thread's folder."""

_THREAD = "‹thread›"
_LARGEST = 1 << 20
"""Bytes of a file whose lines are told apart; of a larger one only whether it is the same."""


class Effect(NamedTuple):
    """Something done.

    Attributes:
        where: Node that wrote it into the ledger, or name of the file in the folder.
        what: What was done; empty where only beginnings of nodes are counted.
        key: Names it, where it has a name.
    """

    where: str
    what: str = ""
    key: str = ""

    def __str__(self) -> str:
        """``charge "40 € charged"``."""
        return one_line(f'{self.where} "{self.what}"' if self.what else self.where, 120)


class Doing(NamedTuple):
    """What one process did."""

    trace: Trace
    effects: Counter[Effect]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What a thread did, over all its processes.

    Attributes:
        outside: How often each effect stands in the ledger and the folder at the end.
        starts: How often each node began.
        finished: How often each node came to its end.
    """

    outside: Counter[Effect]
    starts: Counter[str]
    finished: Counter[str]

    def effects(self, observed: bool) -> Counter[Effect]:
        """What to compare: what was observed outside, or else how often each node began."""
        return self.outside if observed else Counter({Effect(node): n for node, n in self.starts.items()})


def deeds(doings: Sequence[Doing], outside: Counter[Effect], fault: Fault | None) -> Deeds:
    """Count what a thread did.

    Args:
        doings: Its processes, in order.
        outside: All that is there at the end.
        fault: What was to strike.
    """
    traces = [doing.trace for doing in doings]
    return Deeds(
        outside,
        sum((trace.started(fault) for trace in traces), Counter()),
        sum((trace.finished(fault) for trace in traces), Counter()),
    )


def observe(ledger: Path, folder: Path, thread_id: str) -> Counter[Effect]:
    """Count what stands in a ledger and a folder; the thread's id, which is always another, is masked."""
    return Counter(Effect(*(mask_thread(text, thread_id) for text in one)) for one in _observed(ledger, folder))


def mask_thread(text: str, thread_id: str) -> str:
    """A text without the id of the thread that wrote it."""
    return text.replace(thread_id, _THREAD)


def _observed(ledger: Path, folder: Path) -> Iterator[Effect]:
    if ledger.exists():
        yield from (_effect(entry) for entry in _entries(ledger) if entry.get("kind") == "effect")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != ledger and not is_beside_sqlite(path):
            name = str(path.relative_to(folder))
            yield from _rows(path, name) if is_sqlite(path) else _lines(path, name)


def _entries(ledger: Path) -> Iterator[dict[str, Any]]:
    """The lines that are objects; what was being written when the process died is passed over."""
    for line in ledger.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def _effect(entry: dict[str, Any]) -> Effect:
    return Effect(str(entry.get("node") or "?"), str(entry.get("what") or "effect"), str(entry.get("key") or ""))


def _rows(path: Path, name: str) -> Sequence[Effect]:
    try:
        return [Effect(name, row) for row in rows(path)]
    except (sqlite3.Error, OSError):
        return [_whole(path.read_bytes(), name)]


def _lines(path: Path, name: str) -> Sequence[Effect]:
    data = path.read_bytes()
    if len(data) > _LARGEST or b"\0" in data:
        return [_whole(data, name)]
    return [Effect(name, line) for line in data.decode(errors="backslashreplace").splitlines() if line.strip()]


def _whole(data: bytes, name: str) -> Effect:
    return Effect(name, f"{len(data)} bytes", hashlib.sha256(data).hexdigest())
