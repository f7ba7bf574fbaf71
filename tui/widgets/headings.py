"""The headings of the thread list; a click sorts by the column."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import reactive

from .columns import GAP, Placed
from .one_line import OneLine, Piece
from .thread_list import GUTTER


class Headings(OneLine):
    """Titles above the columns, with an arrow at the one that sorts.

    While the filter cannot be understood the line shows why instead, with a caret under the place.
    """

    columns: reactive[tuple[Placed, ...]] = reactive(())
    """The columns as they are laid out."""

    order: reactive[tuple[str, bool]] = reactive(("attention", False))
    """Name of the order and whether it is reversed."""

    problem: reactive[tuple[int, str, bool] | None] = reactive(None)
    """Cell under which a caret stands, what is wrong with the filter there, and whether it is more than unfinished."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Titles, or the problem."""
        if self.problem is not None:
            cell, reason, wrong = self.problem
            style = "error" if wrong else "dim"
            if cell + 2 + len(reason) <= width:
                return [(" " * cell + "▴ " + reason, style)], ()
            return [(f"{reason} ", style), ("▴".rjust(max(0, cell - len(reason))), style)], ()
        sort, reverse = self.order
        pieces: list[Piece] = [(" " * GUTTER, "")]
        for placed in self.columns:
            column = placed.column
            title = column.title.rjust(placed.width) if column.right else column.title
            style = "dim"
            if column.name == sort:
                title, style = title + ("▴" if reverse else "▾"), "accent"
            cells = placed.width if placed is self.columns[-1] else placed.width + GAP
            pieces.append((title.ljust(cells)[:cells], style, f"screen.sort_by('{column.name}')"))
        return pieces, ()
