"""The lines around the panes of a thread: how it is doing, the titles of the panes, and one about the checkpoint."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from textual.reactive import reactive

from backends.model import CheckpointRow, Summary
from backends.text import one_line

from ..glyphs import NOT_YET, STATUS, status_word
from ..words import short_id, size
from .one_line import OneLine, Piece, cells

_KNOWN_METADATA = frozenset(("source", "step", "parents", "writes", "thread_id", "counters_since_delta_snapshot"))
"""Metadata that is shown elsewhere."""


class StatusLine(OneLine):
    """``? waiting  "Approve?"      next review``."""

    DEFAULT_CSS = "StatusLine { padding: 0 1; }"

    summary: reactive[Summary | None] = reactive(None)
    """Status of the thread, as far as it has been worked out."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Status and reason; what runs next at the right."""
        summary = self.summary
        if summary is None:
            return [(f"{NOT_YET} status", "dim")], []
        left: list[Piece] = [
            (f"{STATUS[summary.status]} {status_word(summary)}", summary.status.value),
            (f"  {one_line(summary.reason, 400)}", ""),
        ]
        names = one_line(", ".join(summary.next), max(20, width // 3))
        return left, [("  next ", "dim"), (names, "")] if names else []


@dataclass(frozen=True, slots=True)
class HistoryFacts:
    """What the title of the history says.

    Attributes:
        read: Checkpoints that have been read.
        total: Checkpoints that there are.
        complete: Whether all of them have been read.
        follow: Whether the cursor goes with the head.
        focused: Whether keys go there.
    """

    read: int = 0
    total: int = 0
    complete: bool = False
    follow: bool = False
    focused: bool = True


class PaneTitle(OneLine):
    """Heading of a pane."""

    DEFAULT_CSS = "PaneTitle { padding: 0 1; }"


class HistoryTitle(PaneTitle):
    """``HISTORY  500 of 3,412``."""

    facts: reactive[HistoryFacts] = reactive(HistoryFacts())
    """What to say."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the title out."""
        facts = self.facts
        figure = f"{facts.total:,}" if facts.complete else f"{facts.read:,} of {facts.total:,}"
        if not facts.total:
            figure = "" if facts.complete else NOT_YET
        left = [
            ("HISTORY", "bold accent" if facts.focused else "dim"),
            (f"  {figure}", "dim"),
        ]
        return left, [(" follow", "accent", "screen.follow")] if facts.follow else []


class TabBar(PaneTitle):
    """``1 State  2 Diff  3 Tasks  4 Writes  5 Raw``.

    Args:
        names: The tabs, in order.
    """

    current: reactive[int] = reactive(0)
    """Index of the tab that is shown."""

    focused: reactive[bool] = reactive(False)
    """Whether keys go to the pane below."""

    said: reactive[str] = reactive("")
    """What is going on, at the right: reading, or how many matches a search has."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the tabs out; where there is too little room, the other tabs are numbers only."""
        right = [(f" {one_line(self.said, 60)}", "accent")] if self.said else []
        left: list[Piece] = []
        for gap, named in (("  ", True), (" ", True), ("  ", False)):
            left = [piece for index in range(len(self._names)) for piece in self._tab(index, gap, named)][:-1]
            if cells(left) + cells(right) <= width:
                break
        return left, right

    def _tab(self, index: int, gap: str, named: bool) -> list[Piece]:
        """One tab and the gap behind it."""
        action, look = f"screen.tab({index})", "dim"
        if index == self.current:
            look = "bold accent" if self.focused else "bold strong"
        name = [(f" {self._names[index]}", look, action)] if named or index == self.current else []
        return [(f"{index + 1}", "dim", action), *name, (gap, "")]


class InfoLine(OneLine):
    """``2026-11-20 10:00:00  4.1 k  1ef4…6a  run_id 77``: the checkpoint that the panes show."""

    DEFAULT_CSS = "InfoLine { padding: 0 1; }"

    row: reactive[CheckpointRow | None] = reactive(None)
    """The checkpoint."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Time, size, id and the application's own metadata, as far as they fit."""
        row = self.row
        if row is None:
            return [], []
        created = row.created_at
        when = "no time in this id" if created is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(created))
        left: list[Piece] = [
            (when, ""),
            (f"  {size(row.size)}", "dim"),
            (f"  {short_id(one_line(row.key.checkpoint_id, 60), 15)}", "dim"),
        ]
        if row.key.ns:
            left.append((f"  in {one_line(row.key.ns, 40)}", "dim"))
        for key, value in row.metadata.items():
            if key not in _KNOWN_METADATA and isinstance(value, str | int | float):
                left.append((f"  {one_line(str(key), 30)}=", "dim"))
                left.append((one_line(str(value), 60), ""))
        return left, []
