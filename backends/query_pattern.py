"""Patterns of the filter language: text in which ``*`` stands for any characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_PLAIN: Final = re.compile(r'[^\s"*,!:<>=]+')
ESCAPED: Final = re.compile(r'["\\\x00-\x1f\x7f-\U0010ffff]')
"""Characters that JSON may spell in more than one way, so that stored bytes cannot be searched for them."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text to compare with, case-insensitively.

    Attributes:
        pieces: The text, split where ``*`` stands for any characters. One piece is a literal.
    """

    pieces: tuple[str, ...]

    def __str__(self) -> str:
        written = "*".join(_quoted(piece) if piece else "" for piece in self.pieces)
        return written or '""'

    def whole(self) -> Callable[[str], bool]:
        """A test that all of a text fits the pattern."""
        first, *rest = (piece.lower() for piece in self.pieces)
        if not rest:
            return lambda text: text.lower() == first
        last = rest.pop()

        def fits(text: str) -> bool:
            text = text.lower()
            if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
                return False
            return _in_order(rest, text[len(first) : len(text) - len(last)])

        return fits

    def inside(self) -> Callable[[str], bool]:
        """A test that some part of a text fits the pattern."""
        pieces = [piece.lower() for piece in self.pieces if piece]
        if len(pieces) == 1:
            needle = pieces[0]
            return lambda text: needle in text.lower()
        return lambda text: _in_order(pieces, text.lower())

    @property
    def anchor(self) -> bytes | None:
        """Lower-case ASCII that stored JSON contains where the pattern fits; ``None`` if it has other spellings."""
        longest = max(self.pieces, key=len).lower()
        return None if not longest or ESCAPED.search(longest) else longest.encode()


def _in_order(pieces: list[str], text: str) -> bool:
    start = 0
    for piece in pieces:
        found = text.find(piece, start)
        if found < 0:
            return False
        start = found + len(piece)
    return True


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
