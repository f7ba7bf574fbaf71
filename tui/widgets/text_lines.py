"""A long text, line by line, broken to the width or not."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment

from .lines import Lines


class TextLines(Lines):
    """Lines of safe text.

    Attributes:
        lines: What is shown.
    """

    DEFAULT_CSS = "TextLines { overflow-x: auto; }"

    def __init__(self) -> None:
        super().__init__(id="text")
        self.lines: Sequence[str] = ()
        self._widest = 0

    def show(self, lines: Sequence[str], widest: int, cursor: int) -> None:
        """Show lines.

        Args:
            lines: Safe text without newlines.
            widest: Cells of the longest, where the list should scroll sideways; else 0.
            cursor: The line to stand on.
        """
        self.lines = lines
        self._widest = widest
        self.rows_changed(cursor)

    @property
    def line_count(self) -> int:
        """Number of lines."""
        return len(self.lines)

    @property
    def content_width(self) -> int:
        """Cells of the longest line, if the list scrolls sideways."""
        return self._widest

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a line."""
        return [Segment("▌" if selected else " ", self.ink("accent")), Segment(self.lines[y])]

    def row_text(self, y: int) -> str:
        """The line without the cursor's mark."""
        return self.lines[y]
