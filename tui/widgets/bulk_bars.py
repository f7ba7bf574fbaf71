"""The lines above the threads that something is done to: how far it is, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.reactive import reactive

from backends.bulk.outcome import Progress, State

from ..bulk_words import count_of, look, told
from ..words import age
from .one_line import OneLine, Piece, cells

_ORDER = (*(state for state in State if state is not State.PENDING), State.PENDING)

_WIDEST = 40
"""Cells of the bar at most."""


class BulkLine(OneLine):
    """``resuming 212 threads  ━━━━━━━───────      34 of 212 · 12s``."""

    DEFAULT_CSS = "BulkLine { padding: 0 1; }"

    title: reactive[str] = reactive("")
    """What is done; safe text."""

    progress: reactive[Progress | None] = reactive(None)
    """How far it is."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """What is done and a bar at the left; figures at the right."""
        progress = self.progress
        if progress is None:
            return [], []
        over = progress.total - progress.pending - progress.running
        right = f"{over:,} of {progress.total:,} · {age(progress.elapsed)}"
        room = min(_WIDEST, width - len(self.title) - len(right) - 6)
        left: list[Piece] = [(self.title, "bold strong"), ("  ", "")]
        return [*left, *(bar(progress, room) if room > 5 else ())], [(f"  {right}", "dim")]


class BulkCounts(OneLine):
    """``● 2 running  ✓ 31 done  ✖ 1 failed      4 at a time``."""

    DEFAULT_CSS = "BulkCounts { padding: 0 1; }"

    progress: reactive[Progress | None] = reactive(None)
    """How far it is."""

    note: reactive[tuple[str, str]] = reactive(("", ""))
    """Safe text at the right, and its look."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How many threads are in each state that any is in."""
        if self.progress is None:
            return [], []
        text, style = self.note
        right: list[Piece] = [(text, style)] if text else []
        for gap in ("   ", "  "):
            left = list(self._counted(self.progress, gap))
            if cells(left) + cells(right) <= width:
                return left, right
        return left, []

    def _counted(self, progress: Progress, gap: str) -> Iterator[Piece]:
        """The counts, with so much between them."""
        for state in _ORDER:
            if count := count_of(progress, state):
                glyph, word = told(state).split(" ", 1)
                yield f"{glyph} {count:,} {word}", look(state)
                yield gap, ""


def bar(progress: Progress, width: int) -> list[Piece]:
    """A bar of what has come to an end, well or not, and of what has not."""
    pieces: list[Piece] = []
    before = at = 0
    for count, sign, style in (
        (progress.done + progress.skipped, "━", "done"),
        (progress.failed + progress.refused, "━", "failed"),
        (progress.stopped, "━", "paused"),
        (progress.running, "━", "running"),
        (progress.pending, "─", "faint"),
    ):
        before += count
        end = max(at + bool(count), round(width * before / max(1, progress.total)))
        length = min(width, end) - at
        at += length
        pieces += [(sign * length, style)] if length else []
    return pieces
