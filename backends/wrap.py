"""Long text -> lines of a given width, in cells, without a terminal library."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import combining, east_asian_width

TAB = 4


def wrap(text: str, width: int) -> Iterator[str]:
    """Break text into lines, at spaces where there are any.

    Args:
        text: Clean text; its own newlines are kept as breaks.
        width: Cells a line, at least 2.

    Yields:
        Lines of at most ``width`` cells, without the spaces at which they were broken; all else of the text is there.
    """
    for line in text.split("\n"):
        if "\t" in line:
            line = line.expandtabs(TAB)
        if len(line) <= width and line.isascii():
            yield line
        else:
            yield from _broken(line, max(width, 2))


def cells(text: str) -> int:
    """Width of clean text in cells."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if character < "\u0300":
        return 1
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _broken(line: str, width: int) -> Iterator[str]:
    """Break one line."""
    start, ascii_only = 0, line.isascii()
    while True:
        stop = start + width if ascii_only else _fitting(line, start, width)
        if stop >= len(line):
            yield line[start:]
            return
        space = line.rfind(" ", start + 1, stop + 1)
        if space > 0 and not line[start:space].isspace():
            yield line[start:space]
            start = space + 1
        else:
            yield line[start:stop]
            start = stop


def _fitting(line: str, start: int, width: int) -> int:
    """Index after the last character that fits."""
    used = 0
    for index in range(start, min(len(line), start + 8 * width)):
        used += _cells(line[index])
        if used > width:
            return index
    return min(len(line), start + 8 * width)
