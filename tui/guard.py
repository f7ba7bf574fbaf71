"""The last line before the terminal: no control character and, where the terminal cannot show it, no foreign character.

Texts are made safe where they enter (``backends.text``). Textual itself passes ESC, C1 and bidi controls through every
widget to the terminal, so a forgotten call would hand the terminal to whoever wrote the store; these filters see every
segment that is drawn.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_FOREIGN = re.compile("[^\x20-\x7e]")

_ASCII = str.maketrans(
    {
        "●": "*", "✓": "+", "✖": "x", "†": "X", "⊘": "-", "‖": "=", "↯": "!", "·": ".", "…": "~", "—": "-", "–": "-",
        "▌": ">", "▎": ">", "▏": "|", "▐": "|", "█": "#", "▔": "-", "▁": "_", "◆": "#", "◇": "o", "○": "o", "•": "*",
        "▶": ">", "▸": ">", "▼": "v", "▾": "v", "▲": "^", "▴": "^", "↵": "<", "⏎": "$", "↑": "^", "↓": "v", "→": ">",
        "←": "<", "≈": "~", "×": "x", "−": "-", "‹": "<", "›": ">", "«": "<", "»": ">", "“": '"', "”": '"', "’": "'",
        "│": "|", "┃": "|", "║": "|", "─": "-", "━": "-", "═": "-", "┄": "-", "╌": "-", "╎": "|",
        "↕": "|", "↺": "@", "↶": "~", "⇥": ">", "▂": "_", "▃": "#", "▄": "#", "▅": "#", "▆": "#", "▇": "#",
    }
)  # fmt: skip


class ControlGuard(LineFilter):
    """Replaces what could act on the terminal with U+FFFD."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Filter a line; costs one search a segment where there is nothing to do."""
        if not any(_CONTROL.search(segment.text) for segment in segments):
            return segments
        return [Segment(_CONTROL.sub("\ufffd", text), style, control) for text, style, control in segments]


class AsciiGuard(LineFilter):
    """Draws with ASCII for terminals that are not UTF-8, cell for cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Filter a line."""
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]


@lru_cache(4096)
def to_ascii(text: str) -> str:
    """Say a text in ASCII, with the same width in cells.

    Letters lose their accents, known symbols get a likeness, anything else becomes ``?`` for each cell.
    """
    if text.isascii():
        return text
    return _FOREIGN.sub(_likeness, text.translate(_ASCII))


def _likeness(match: re.Match[str]) -> str:
    """One foreign character in ASCII."""
    character = match.group()
    width = cell_len(character)
    name = unicodedata.name(character, "")
    if name.startswith("BOX DRAWINGS"):
        return "+"
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain if width and len(plain) == width else "?" * width
