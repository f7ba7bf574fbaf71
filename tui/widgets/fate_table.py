"""What became of each node, a row each: on one thread in full, on several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from backends.text import one_line

from ..lab.fate import LOOKS, Account, Fate
from .lines import Lines
from .one_line import OneLine, Piece, fit

_GUTTER: Final = 2
_LEAST, _MOST = 8, 26
_TIMES: Final = 5
_GAP: Final = 2


class Column(NamedTuple):
    """One thread.

    Attributes:
        title: How it is saved.
        accounts: What became of each node, in the order of the rows.
    """

    title: str
    accounts: tuple[Account, ...]


class FateTitles(OneLine):
    """The headings; of several columns, the one that the graph shows stands out."""

    table: reactive[FateTable | None] = reactive(None)
    """The table below."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Titles above their columns."""
        table = self.table
        if table is None or not table.columns:
            return [], []
        left: list[Piece] = [(" " * _GUTTER, ""), (fit("NODE", table.name_width) + " " * _GAP, "dim")]
        if len(table.columns) == 1:
            return [*left, (f"{'RAN':>{_TIMES}}{'DONE':>{_TIMES + 1}}  WHAT BECAME OF IT", "dim")], []
        for number, column in enumerate(table.columns):
            look = "bold accent" if number == table.chosen else "dim"
            title = ("▸" if number == table.chosen else " ") + column.title
            left.append((fit(title, table.column_width) + " " * _GAP, look, f"screen.choose({number})"))
        return left, []


class FateTable(Lines):
    """The rows.

    Attributes:
        columns: What is shown.
        chosen: The column that the graph shows.
    """

    DEFAULT_CSS = "FateTable { overflow-y: scroll; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "aside(-1)", "Left", show=False, id="fates.left", tooltip="The thread to the left"),
        Binding("l,right", "aside(1)", "Right", show=False, id="fates.right", tooltip="The thread to the right"),
    ]

    @dataclass
    class Chosen(Message):
        """Another column was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.columns: tuple[Column, ...] = ()
        self.chosen = 0

    def show(self, columns: Sequence[Column]) -> None:
        """Show other columns."""
        if tuple(columns) != self.columns:
            self.columns = tuple(columns)
            self.chosen = max(0, min(self.chosen, len(columns) - 1))
            self.rows_changed()

    def choose(self, number: int) -> None:
        """Show another column's thread in the graph."""
        if number != self.chosen and 0 <= number < len(self.columns):
            self.chosen = number
            self.redraw()
            self.post_message(self.Chosen())

    def action_aside(self, columns: int) -> None:
        """Go to the next column."""
        self.choose(self.chosen + columns)

    # Drawing

    @property
    def line_count(self) -> int:
        """Number of nodes."""
        return len(self.columns[0].accounts) if self.columns else 0

    @property
    def name_width(self) -> int:
        """Cells of the longest name, within limits."""
        accounts = self.columns[0].accounts if self.columns else ()
        longest = max((cell_len(one_line(account.path, 100)) for account in accounts), default=0)
        room = self.view.width - _GUTTER - _GAP - len(self.columns) * (_LEAST + _GAP)
        return max(_LEAST, min(longest, _MOST, room))

    @property
    def column_width(self) -> int:
        """Cells of each of several columns."""
        room = self.view.width - _GUTTER - self.name_width - _GAP
        return max(_LEAST, room // max(1, len(self.columns)) - _GAP)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a node."""
        first = self.columns[0].accounts[y]
        name = fit(one_line(first.path, 100), self.name_width)
        dim = self.ink("dim" if first.fate is Fate.UNREACHED else "strong")
        segments = [Segment("▌ " if selected else "  ", self.ink("accent")), Segment(name + " " * _GAP, dim)]
        if len(self.columns) == 1:
            return [*segments, *self._whole(first, width - _GUTTER - self.name_width - _GAP)]
        for column in self.columns:
            account = column.accounts[y]
            text = f"{times(account.ran):>3}  {account.fate}" if account.fate is not Fate.UNREACHED else "  ·"
            segments.append(Segment(fit(text, self.column_width) + " " * _GAP, self.ink(LOOKS[account.fate])))
        return segments

    def _whole(self, account: Account, room: int) -> list[Segment]:
        """How often, what became of it, and what that means where there is room."""
        note = account.note
        if room < 2 * _TIMES + 5 + len(account.fate) + len(note):
            note = ""
        return [
            Segment(f"{times(account.ran):>{_TIMES}}{times(account.done):>{_TIMES + 1}}  "),
            Segment(account.fate.value, self.ink(LOOKS[account.fate])),
            Segment(f": {note}" if note else "", self.ink("dim")),
        ]


def times(number: int) -> str:
    """How often: ``2×``; a dot for never."""
    return f"{number}×" if number else "·"
