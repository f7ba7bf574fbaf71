"""The writing end of a run's record: the child appends one line for each event."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .append import append
from .events import Kind, line, quick_line

EVENTS = "events.jsonl"
"""Name of the file of events in a record."""

_TEXT = 16_000
"""Characters of one text that are kept; the rest is counted."""

_ITEMS = 1_000
"""Items of one list or mapping that are kept."""

_DEPTH = 40
"""Levels of nesting that are kept; JSON's own reader gives up a few hundred further down."""


class Recorder:
    """Appends events to a record; safe to call from any thread.

    The record is a witness: where it cannot be written (a full disk) the run goes on, the events are counted as lost,
    and the next line that can be written says so.

    Args:
        folder: The record's folder; it exists.

    Raises:
        OSError: The file cannot be made.

    Attributes:
        lost: Events that could not be written since the last one that could.
    """

    def __init__(self, folder: str | Path) -> None:
        self._file = os.open(Path(folder, EVENTS), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()
        self._torn = False
        self._waiting: list[tuple[float, Kind, dict[str, Any]]] = []
        self.lost = 0
        self._why = ""

    def write(self, kind: Kind, *, later: bool = False, **data: Any) -> None:
        """Append one event with the present time.

        Args:
            kind: See ``Kind``.
            later: Whether it may wait for the next event, or for ``flush``, because one follows at once: to write each
                by itself would be a tenth of what a step costs. Its data are not to change.
            **data: Its keys. Long texts and lists are cut, what is no JSON is named by its type; a drawing is kept
                whole.
        """
        event = time.time(), kind, data
        if not later:
            told = _line(*event)
        with self._lock:
            if later:
                self._waiting.append(event)
            else:
                self._flush(told)

    def flush(self) -> None:
        """Append what waits."""
        with self._lock:
            if self._waiting:
                self._flush()

    def close(self) -> None:
        """Close the file; nothing can be written any more."""
        self.flush()
        os.close(self._file)

    def _flush(self, *more: bytes) -> None:
        """One write(2), so that a reader or a SIGKILL finds whole lines; a torn line is ended before the next."""
        lines = [*(_line(*event) for event in self._waiting), *more]
        self._waiting.clear()
        if self.lost:
            text = f"{self.lost} events could not be written: {self._why}"
            lines.insert(0, line(time.time(), Kind.LOG, {"stream": "lgtop", "level": "WARNING", "text": text}))
        whole = b"\n".join([*([b""] if self._torn else []), *lines, b""])
        try:
            written = append(self._file, whole)
        except OSError as error:
            self.lost += len(lines) - bool(self.lost)
            self._why = str(error)
            return
        self._torn = written < len(whole)
        if self._torn:
            self.lost += whole[written:].count(b"\n")
            self._why = "the disk is full"
        else:
            self.lost = 0


def _line(now: float, kind: Kind, data: Mapping[str, Any]) -> bytes:
    told = quick_line(now, kind, data)
    if told and len(told) <= _TEXT:  # no part is too long where the whole is not
        return told
    kept = data if kind is Kind.GRAPH else {name: _capped(value, _DEPTH) for name, value in data.items()}
    return line(now, kind, kept)


def _capped(value: Any, depth: int) -> Any:
    """A value as JSON of a bounded size, without calling any code of the value's own class."""
    match value:
        case str():
            text = str.__str__(value)
            return text if len(text) <= _TEXT else f"{text[:_TEXT]}… ({len(text):,} characters)"
        case None | bool() | int() | float():
            return value
        case _ if depth == 0:
            return "…"
        case Mapping():
            pairs = list(value.items())
            kept = {_key(key): _capped(item, depth - 1) for key, item in pairs[:_ITEMS]}
            return kept if len(pairs) <= _ITEMS else kept | {"…": f"{len(pairs) - _ITEMS:,} more"}
        case list() | tuple() | set() | frozenset():
            items = list(value)
            kept_items = [_capped(item, depth - 1) for item in items[:_ITEMS]]
            return kept_items if len(items) <= _ITEMS else [*kept_items, f"… {len(items) - _ITEMS:,} more"]
        case _:
            return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _key(key: Any) -> str:
    return key if type(key) is str else json.dumps(_capped(key, 1))


__all__ = ["EVENTS", "Recorder"]
