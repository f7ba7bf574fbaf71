"""The titles above a list, and what is to be said about all of it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import reactive

from .columns import GAP, Placed
from .one_line import OneLine, Piece, fit


class Titles(OneLine):
    """``STATE  THREAD  …      2 live``.

    Args:
        gutter: Cells before the first column.
    """

    columns: reactive[tuple[Placed, ...]] = reactive(())
    """The columns as they are laid out."""

    note: reactive[tuple[str, str]] = reactive(("", ""))
    """Safe text at the right, and its look."""

    def __init__(self, gutter: int = 2) -> None:
        super().__init__()
        self._gutter = gutter

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Titles at the left, the note at the right."""
        titles = (fit(placed.column.title, placed.width, placed.column.right) for placed in self.columns)
        left = " " * self._gutter + (" " * GAP).join(titles).rstrip()
        text, look = self.note
        return [(left, "dim")], [(f"  {text} ", look)] if text else []
