"""Paragraphs with a label each, broken to the width: what a dialog has to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment

from backends.text import clean
from backends.wrap import wrap

from .lines import Lines

_LEAST: Final = 20
"""Cells of text that a line has at least."""


class Paragraph(NamedTuple):
    """A text.

    Attributes:
        text: Any number of lines; untrusted.
        label: What it is, in a column of its own at the left; safe.
        look: A spec for ``ink``.
        wide: Whether it takes the column of the labels too.
    """

    text: str = ""
    label: str = ""
    look: str = "foreground"
    wide: bool = False


class Sheet(Lines):
    """Shows paragraphs; there is no cursor, keys scroll."""

    DEFAULT_CSS = "Sheet { background: $surface; }"

    def __init__(self, paragraphs: Sequence[Paragraph] = ()) -> None:
        super().__init__()
        self._paragraphs = tuple(paragraphs)
        self._rows: list[tuple[str, str, str]] = []

    def show(self, paragraphs: Sequence[Paragraph]) -> None:
        """Show other paragraphs."""
        self._paragraphs = tuple(paragraphs)
        self._lay_out()
        self.rows_changed(0)

    def height_at(self, width: int) -> int:
        """Lines that the paragraphs take at a width."""
        return sum(1 for _ in self._broken(width))

    @property
    def line_count(self) -> int:
        """Number of lines."""
        return len(self._rows)

    def on_resize(self) -> None:
        """Break the paragraphs to the width."""
        self._lay_out()
        super().on_resize()

    def _lay_out(self) -> None:
        """Break the paragraphs to the width, once there is one."""
        self._rows = list(self._broken(self.view.width)) if self.view.width else []

    def _broken(self, width: int) -> Iterator[tuple[str, str, str]]:
        """Label, text and look of every line."""
        column = max((cell_len(paragraph.label) + 3 for paragraph in self._paragraphs if paragraph.label), default=1)
        for text, label, look, wide in self._paragraphs:
            indent = 1 if wide else column
            for line in wrap(clean(text), max(_LEAST, width - indent - 2)):
                yield f" {label}".ljust(indent), line, look
                label = ""

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a line."""
        label, text, look = self._rows[y]
        return [Segment(label, self.ink("dim")), Segment(text, self.ink(look))]

    # Keys scroll

    def action_move(self, rows: int) -> None:
        """Scroll by so many lines."""
        self.scroll_to(y=self.scroll_offset.y + rows, force=True)

    def action_page(self, pages: float) -> None:
        """Scroll by so many pages."""
        self.action_move(int(self.view.height * pages))

    def action_first(self) -> None:
        """Go to the beginning."""
        self.scroll_to(y=0, force=True)

    def action_last(self) -> None:
        """Go to the end."""
        self.scroll_to(y=self.line_count, force=True)
