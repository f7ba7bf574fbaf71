"""A caption at the foot of a screen: what has just happened, what proves it, what the next key does."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from ..ink import ink
from .one_line import clip

Proof = tuple[str, bool]
"""What was claimed, and whether it is so."""


class Caption(Widget):
    """A few lines under the list.

    Args:
        lines: Lines that it takes however little it has to say, so that what stands above it stays where it is.
    """

    DEFAULT_CSS = """
    Caption {
        height: auto;
        padding: 0 1;
        background: $panel;
    }
    """

    def __init__(self, lines: int = 1) -> None:
        super().__init__()
        self._lines = lines
        self.styles.height = lines
        self._text = self._cue = ""
        self._proofs: Sequence[Proof] = ()

    def say(self, text: str, proofs: Sequence[Proof] = (), cue: str = "") -> None:
        """Say something.

        Args:
            text: What has happened, in one line.
            proofs: Claims, one a line.
            cue: What comes next, and by which key.
        """
        self._text, self._proofs, self._cue = text, proofs, cue
        self.styles.height = max(self._lines, 1 + len(proofs) + bool(cue))
        self.refresh()

    @property
    def text(self) -> str:
        """Everything that it says."""
        return "\n".join([self._text, *(f"{'✓' if held else '✖'} {said}" for said, held in self._proofs), self._cue])

    def render_line(self, y: int) -> Strip:
        """Draw one of the lines."""
        lines = [(self._text, "bold strong")]
        lines += [(f"{'✓' if held else '✖'} {said}", "done" if held else "failed") for said, held in self._proofs]
        lines.append((self._cue, "accent"))
        text, look = lines[y] if y < len(lines) else ("", "")
        width = self.size.width
        strip = Strip([Segment(clip(text, width), ink(self, look))])
        return strip.adjust_cell_length(width).apply_style(self.rich_style)
