"""What a run does, told on standard error while it happens: a line an event, safe to print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backends.runs.events import Kind
from backends.text import one_line

from . import output

if TYPE_CHECKING:
    from backends.runs.events import Event

_LIMIT = 240
"""Characters of a line that are told; the run's record holds more."""

_TRACEBACK = 12
"""Last lines of a traceback that are told."""

_SILENT = (Kind.LOCKED, Kind.CHECKPOINT)
"""Kinds that tell a reader of the log nothing that the tasks do not."""


class Narrator:
    """Tells the events of a run; keeps when its tasks began.

    Args:
        since: Unix time; what happened before is not told.
    """

    def __init__(self, since: float = 0.0) -> None:
        self._since = since
        self._began: dict[str, float] = {}

    def tell(self, events: Sequence[Event]) -> None:
        """Say what happened, as far as a person would want to know."""
        output.narrate_lines([line for event in events for line in self._told(event)])

    def _told(self, event: Event) -> Iterator[str]:
        if event.kind is Kind.TASK and event.data.get("phase") == "start":
            self._began[str(event.data.get("id"))] = event.t
        if event.t >= self._since and event.kind not in _SILENT:
            yield from self._lines(event)

    def _lines(self, event: Event) -> Iterator[str]:
        from tui.run_events import clock, say

        for part in _parts(event):
            if said := say(part, self._began):
                yield one_line(f"{clock(event.t)}  {said.sign} {said.subject}  {said.text}".rstrip(), _LIMIT)


def _parts(event: Event) -> Iterator[Event]:
    """The event once more for each line of what was printed, and of the end of a traceback."""
    match event.kind:
        case Kind.LOG:
            lines = str(event.data.get("text", "")).splitlines()
        case Kind.ERROR:
            yield from _traceback(event)
            lines = []
        case _:
            lines = []
    if not lines:
        yield event
    for line in lines:
        yield replace(event, data={**event.data, "text": line})


def _traceback(event: Event) -> Iterator[Event]:
    """The end of a traceback but for its last line, which is the error itself."""
    lines = str(event.data.get("traceback") or "").rstrip().splitlines()[:-1]
    if len(lines) > _TRACEBACK:
        lines = [f"… {len(lines) - _TRACEBACK} more lines in the run's record", *lines[-_TRACEBACK:]]
    for line in lines:
        yield replace(event, kind=Kind.LOG, data={"stream": "traceback", "text": line})
