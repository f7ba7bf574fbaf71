"""A line of styled pieces that act when clicked; the base of every bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from ..ink import ink

Piece: TypeAlias = tuple[str, str] | tuple[str, str, str]
"""Safe text, its look, and the action that a click runs.

The look is a spec for ``ink`` (``bold accent``), a component class of the bar (``bar--key``), or ``""`` for plain text.
"""


class OneLine(Widget):
    """One line with pieces at the left, and pieces at the right that win where there is too little room."""

    DEFAULT_CSS = "OneLine { height: 1; width: 1fr; }"

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """What stands at the left and at the right.

        Args:
            width: Cells that there are.
        """
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        width = self.size.width
        left, right = self.pieces(width)
        tail = self._segments(right)
        room = max(0, width - sum(cell_len(segment.text) for segment in tail))
        head = Strip(self._segments(left))
        if head.cell_length > room:
            head = Strip([*head.crop(0, max(0, room - 2)), Segment("… "[:room])])
        strip = Strip([*head.adjust_cell_length(room), *tail])
        return strip.adjust_cell_length(width).apply_style(self.rich_style)

    def _segments(self, pieces: Sequence[Piece]) -> list[Segment]:
        segments = []
        for text, name, *action in pieces:
            style = self.get_component_rich_style(name, partial=True) if "--" in name else ink(self, name)
            if action:
                style += Style.from_meta({"@click": action[0]})
            segments.append(Segment(text, style))
        return segments


def cells(pieces: Sequence[Piece]) -> int:
    """Cells that some pieces take."""
    return sum(cell_len(piece[0]) for piece in pieces)


def clip(text: str, width: int) -> str:
    """Cut a text to so many cells."""
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)) + "…"


def fit(text: str, width: int, right: bool = False) -> str:
    """Bring a text to a width: cut with an ellipsis, or padded at the left or at the right."""
    if (length := cell_len(text)) > width:
        return set_cell_size(text, max(0, width - 1)) + "…"
    padding = " " * (width - length)
    return padding + text if right else text + padding
