"""What was done to a store with lgtop, one line an action, the newest first."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from backends.control.journal import Entry
from backends.model import StatusName
from backends.runs.run import RunState
from backends.text import one_line

from ..run_states import like, sign
from ..words import short_id
from .columns import GAP, Column, Placed, place
from .lines import Lines
from .one_line import fit

GUTTER: Final = 2
"""Cells before the first column."""

COLUMNS: Final = (
    Column("when", "WHEN", 14, 14, 14, rank=2),
    Column("verb", "VERB", 6, 6, 7),
    Column("thread", "THREAD", 12, 24, 40, rank=1),
    Column("outcome", "OUTCOME", 11, 11, 11, rank=3),
    Column("operator", "BY", 8, 14, 24, rank=5),
    Column("summary", "WHAT", 20, 32, 10_000, rank=4),
)
"""In the order in which they stand."""


class ActionList(Lines):
    """The list; its cursor stays on its action."""

    DEFAULT_CSS = "ActionList { overflow-y: scroll; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "activate", "read", key_display="↵", id="lines.activate", tooltip="Read all about this action"
        ),
    ]

    columns: reactive[tuple[Placed, ...]] = reactive((), repaint=False, init=False)
    """The columns as they are laid out now."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[Entry] = ()

    @property
    def selected(self) -> Entry | None:
        """The action under the cursor."""
        return self._entries[self.cursor] if self.cursor < len(self._entries) else None

    def show(self, entries: Sequence[Entry]) -> None:
        """Show other actions.

        Args:
            entries: Newest first.
        """
        here = self.selected
        self._entries = entries
        self._lay_out()
        ids = [entry.action_id for entry in entries]
        self.rows_changed(ids.index(here.action_id) if here is not None and here.action_id in ids else None)

    def on_resize(self) -> None:
        """Lay the columns out anew."""
        self._lay_out()
        super().on_resize()

    def _lay_out(self) -> None:
        contents = {
            "thread": max((cell_len(one_line(entry.thread_id, 200)) for entry in self._entries), default=0),
            "operator": max((cell_len(one_line(entry.operator, 60)) for entry in self._entries), default=0),
        }
        self.columns = place(self.view.width, GUTTER, contents, COLUMNS)

    # Drawing

    @property
    def line_count(self) -> int:
        """Number of actions."""
        return len(self._entries)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw an action."""
        cells = self._cells(self._entries[y], selected)
        segments = [Segment("▌ " if selected else "  ", self.ink("accent"))]
        for placed in self.columns:
            text, style = cells[placed.column.name]
            if placed.column.name == "thread":
                text = short_id(text, placed.width)
            segments.append(Segment(fit(text, placed.width, placed.column.right) + " " * GAP, style))
        return segments

    def _cells(self, entry: Entry, selected: bool) -> Mapping[str, tuple[str, Style]]:
        """Text and style of every column of a row."""
        plain = self.ink("strong") if selected else Style.null()
        dim = plain if selected else self.ink("dim")
        text, colour = outcome(entry)
        return {
            "when": (time.strftime("%m-%d %H:%M:%S", time.localtime(entry.when)), dim),
            "verb": (one_line(entry.verb, 20), plain),
            "thread": (one_line(entry.thread_id, 200), plain),
            "outcome": (text, self.ink(colour)),
            "operator": (one_line(entry.operator, 60), dim),
            "summary": (one_line(entry.reason or entry.summary, 400), plain if entry.reason else dim),
        }


def outcome(entry: Entry) -> tuple[str, str]:
    """What became of an action, and the colour of that."""
    if entry.undone:
        return "↶ undone", StatusName.UNKNOWN.value
    if entry.outcome in set(RunState):
        state = RunState(entry.outcome)
        return sign(state), like(state).value
    return one_line(entry.outcome, 20) or "· not known", StatusName.UNKNOWN.value
