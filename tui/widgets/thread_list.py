"""The list of threads: one line each, drawn from the index, with a cursor that stays on its thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from backends.index import ThreadIndex
from backends.model import StatusName, ThreadRow
from backends.text import one_line

from ..glyphs import LEGEND, NOT_YET, STATUS, status_word
from ..words import age, short_id, size
from .columns import COLUMNS, DATED_COLUMNS, GAP, Placed, chosen, place
from .lines import Lines
from .one_line import fit

if TYPE_CHECKING:
    from ..scales import Scales

GUTTER: Final = 3
"""Cells before the first column: cursor, mark, a space."""

_LONGEST: Final = {"thread": 64, "next": 24}
"""Cells beyond which the contents of a column no longer widen it."""

_CALM: Final = frozenset({StatusName.DONE, StatusName.UNKNOWN})
"""Statuses whose reason is not worth a bright line."""


class ThreadList(Lines):
    """Rows of a ``ThreadIndex`` in its order.

    Args:
        index: What to show.
        clock: Unix time, for ages.
        columns: Columns to show, by name; empty for all that fit.
    """

    DEFAULT_CSS = "ThreadList { overflow-y: scroll; }"
    LEGEND: ClassVar[Sequence[tuple[str, str]]] = LEGEND

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "open", key_display="↵", id="lines.activate", tooltip="Open this thread"),
    ]

    @dataclass
    class Looked(Message):
        """Rows came into sight whose status is not known yet.

        Attributes:
            thread_ids: Their threads, from the top.
        """

        thread_ids: tuple[str, ...]

        def can_replace(self, message: Message) -> bool:
            """Only what is in sight now matters."""
            return isinstance(message, ThreadList.Looked)

    exact_times: reactive[bool] = reactive(False, repaint=False, init=False)
    """Whether the last activity is written as a date instead of an age."""
    columns: reactive[tuple[Placed, ...]] = reactive((), repaint=False, init=False)
    """The columns as they are laid out now."""

    def __init__(
        self, index: ThreadIndex, clock: Callable[[], float] = time.time, columns: Collection[str] = ()
    ) -> None:
        super().__init__(id="thread-list")
        self.index = index
        self.marked: set[str] = set()
        self.glowing: set[str] = set()
        self._clock = clock
        self._chosen = columns
        self._scales: Scales | None = None
        self._sorted = index.view.sort
        self._selected: str | None = None
        self._settled = False
        self._shown: list[str] = []
        self._ages: dict[int, str] = {}
        self._longest: dict[str, int] = {"thread": 0, "next": 8}

    # Which thread

    @property
    def selected(self) -> str | None:
        """Id of the thread under the cursor; ``None`` when nothing is shown."""
        return self._selected

    def select(self, thread_id: str) -> bool:
        """Put the cursor on a thread; False if it is not shown."""
        if (row := self.index.position(thread_id)) is None:
            return False
        self.cursor = row
        return True

    def watch_cursor(self, old: int, new: int) -> None:
        """Remember the thread rather than the row."""
        self._settled = True
        self._selected = self.index.order[new] if new < self.line_count else None
        super().watch_cursor(old, new)

    def toggle_mark(self) -> None:
        """Mark the thread under the cursor, or take its mark away, and go on to the next."""
        if self._selected is not None:
            self.marked ^= {self._selected}
            self.refresh_row(self.cursor)
            self.action_move(1)

    def unmark(self) -> None:
        """Take every mark away."""
        self.marked.clear()
        self.redraw()

    # What the index says

    def index_changed(self, touched: Collection[str]) -> None:
        """Take up changes: the cursor stays on its thread, and only lines that look different are drawn.

        While the list is first read, and until the person moves it, the cursor stays on the first row instead.

        Args:
            touched: Ids whose rows changed.
        """
        widened = self._widen(touched) or self._sort_changed()
        self.marked -= {thread_id for thread_id in self.marked & set(touched) if thread_id not in self.index.rows}
        old_row, old_shown = self.cursor, self._shown
        row = self.index.position(self._selected) if self._selected is not None and self._settled else None
        if row is None:
            row = min(old_row, max(0, self.line_count - 1))
        moved = self.virtual_size.height != self.line_count or row != old_row
        if moved or widened:
            self.rows_changed(cursor=row)
        top = self.scroll_offset.y
        self._shown = list(self.index.order[top : top + self.view.height])
        if not (moved or widened):
            changed = (
                top + y
                for y, thread_id in enumerate(self._shown)
                if thread_id in touched or y >= len(old_shown) or old_shown[y] != thread_id
            )
            self.rows_moved(changed)
        self._selected = self.index.order[self.cursor] if self.line_count else None
        self._settled = self._settled or self.index.counts.exact
        self._look()

    def glow(self, thread_ids: Collection[str], on: bool) -> None:
        """Lay a background under some rows, or take it away."""
        self.glowing = self.glowing | set(thread_ids) if on else self.glowing - set(thread_ids)
        for y in self.visible_rows:
            if self.index.order[y] in thread_ids:
                self.refresh_row(y)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are in sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            top = self.scroll_offset.y
            self._shown = list(self.index.order[top : top + self.view.height])
            self._look()

    def _look(self) -> None:
        """Ask for what is missing of the rows in sight."""
        rows = self.index.rows
        if wanting := tuple(thread_id for thread_id in self._shown if rows[thread_id].summary is None):
            self.call_after_refresh(self.post_message, self.Looked(wanting))
        self._weigh()

    def weigh_with(self, scales: Scales) -> None:
        """Measure the threads in sight from now on, wherever their sizes have a column."""
        self._scales = scales
        self._weigh_all()
        self._weigh()

    def _weigh(self) -> None:
        if self._scales is None or not self._width_of("size"):
            return
        rows = self.index.rows
        self._scales.want({name: rows[name].head.newest_id for name in self._shown if name in rows})

    def tick(self) -> None:
        """Draw the visible rows whose age reads differently by now."""
        if self.exact_times:
            return
        now = self._clock()
        for y in self.visible_rows:
            if self._ages.get(y) != self._age(self.index.rows[self.index.order[y]], now):
                self.refresh_row(y)

    def watch_exact_times(self) -> None:
        """The column of times needs another width."""
        self.on_resize()

    def on_resize(self) -> None:
        """Lay the columns out anew."""
        self._lay_out()
        super().on_resize()

    def _widen(self, touched: Collection[str]) -> bool:
        """Make columns as wide as their contents; they never get narrower, so that nothing jumps to and fro."""
        before = dict(self._longest)
        for thread_id in touched:
            if (row := self.index.rows.get(thread_id)) is None:
                continue
            self._note("thread", len(thread_id))
            if row.summary is not None and row.summary.next:
                self._note("next", sum(map(len, row.summary.next)) + 2 * len(row.summary.next) - 2)
        if before == self._longest:
            return False
        self._lay_out()
        return True

    def _note(self, column: str, length: int) -> None:
        self._longest[column] = max(self._longest.get(column, 0), min(length, _LONGEST[column]))

    def _weigh_all(self) -> None:
        """Measure every thread, once, where the list is sorted by that."""
        if self._scales is not None and self._sorted == "size":
            self._scales.want_all({name: row.head.newest_id for name, row in self.index.rows.items()})

    def _sort_changed(self) -> bool:
        """Lay the columns out anew where the list is sorted by another one; whether it is."""
        before, self._sorted = self._sorted, self.index.view.sort
        if before == self._sorted:
            return False
        self._lay_out()
        self._weigh_all()
        return True

    def _lay_out(self) -> None:
        columns = DATED_COLUMNS if self.exact_times else COLUMNS
        self.columns = place(
            self.view.width, GUTTER, self._longest, chosen(columns, self._chosen, self._sorted, self.app.size.width)
        )

    # Drawing

    @property
    def line_count(self) -> int:
        """Number of shown threads."""
        return len(self.index.order)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a thread."""
        thread_id = self.index.order[y]
        row = self.index.rows[thread_id]
        marked = thread_id in self.marked
        under = self.ink("on glow") if thread_id in self.glowing else Style.null()
        accent = self.ink("accent")
        segments = [
            Segment("▌" if selected else " ", accent),
            Segment("◆ " if marked else "  ", accent + under),
        ]
        cells = self._cells(y, row, selected)
        for placed in self.columns:
            text, style = cells[placed.column.name]
            segments.append(Segment(fit(text, placed.width, placed.column.right) + " " * GAP, style + under))
        return segments

    def _cells(self, y: int, row: ThreadRow, selected: bool) -> Mapping[str, tuple[str, Style]]:
        """Text and style of every column of a row."""
        plain = self.ink("strong") if selected else Style.null()
        dim = plain if selected else self.ink("dim")
        head, summary = row.head, row.summary
        self._ages[y] = active = self._age(row, self._clock())
        thread_id = one_line(head.thread_id, 200)
        gone = head.thread_id in self.index.gone
        if gone:
            status, colour, reason = "✖ deleted", dim, "deleted; goes when the order is released"
        elif summary is None:
            status, colour, reason = NOT_YET, self.ink("faint"), ""
        else:
            status = f"{STATUS[summary.status]} {status_word(summary)}"
            colour = self.ink(summary.status.value)
            reason = one_line(summary.reason, 400)
        calm = gone or summary is None or summary.status in _CALM
        return {
            "status": (status, colour),
            "thread": (short_id(thread_id, self._width_of("thread")), dim if gone else plain),
            "next": (one_line(", ".join(summary.next), 200) if summary else "", dim if calm else plain),
            "step": ("" if head.step is None else str(head.step), dim),
            "active": (active, dim),
            "checkpoints": (NOT_YET if row.checkpoints is None else str(row.checkpoints), dim),
            "size": (NOT_YET if row.size is None else size(row.size), dim),
            "reason": (reason, dim if calm else plain),
        }

    def _width_of(self, column: str) -> int:
        return next((placed.width for placed in self.columns if placed.column.name == column), 0)

    def _age(self, row: ThreadRow, now: float) -> str:
        """The last activity as an age or as local time."""
        updated = row.head.updated_at
        if updated is None:
            return "-"
        if self.exact_times:
            return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(updated))
        return age(now - updated)
