"""A plain table: aligned by cells, not by characters, cut to the width of a terminal, whole in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from backends.wrap import cells


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: What stands above it.
        right: Whether it is aligned to the right, as numbers are.
        least: The fewest cells that it may be cut to; 0 means that it is never cut.
        drop: Columns with the highest number are left out first where the terminal is narrow; 0 means never.
        middle: Whether a cell is cut in its middle, as ids are.
        paint: SGR parameters for the text of a cell, or ``""``.
    """

    title: str
    right: bool = False
    least: int = 0
    drop: int = 0
    middle: bool = False
    paint: Callable[[str], str] | None = None


GAP = 2
"""Cells between two columns."""


def draw(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None, coloured: bool) -> Iterator[str]:
    """Lay out a table.

    Args:
        columns: What each cell of a row is; the last column takes what is left of the line.
        rows: Cells, cleaned and without newlines.
        width: Cells to a line; ``None`` cuts nothing.
        coloured: Whether SGR sequences may be used.

    Yields:
        Lines, the titles first.
    """
    natural = [
        max(cells(column.title), max((cells(row[i]) for row in rows), default=0)) for i, column in enumerate(columns)
    ]
    chosen, widths = _fit(columns, natural, width)
    titles = [_aligned(columns[i].title, columns[i], widths[i], last=i == chosen[-1]) for i in chosen]
    yield _styled(_joined(titles), "2" if coloured else "")
    for row in rows:
        line = []
        for i in chosen:
            text = _aligned(row[i], columns[i], widths[i], last=i == chosen[-1])
            paint = columns[i].paint
            line.append(_styled(text, paint(row[i]) if paint and coloured else ""))
        yield _joined(line)


def clip(text: str, width: int, middle: bool = False) -> str:
    """Cut a text to ``width`` cells; ``…`` stands for what is missing."""
    if cells(text) <= width:
        return text
    if width < 1:
        return ""
    tail = _head(text[::-1], (width - 1) // 2)[::-1] if middle else ""
    return f"{_head(text, width - 1 - cells(tail))}…{tail}"


def _head(text: str, width: int) -> str:
    used = 0
    for at, char in enumerate(text):
        used += cells(char)
        if used > width:
            return text[:at]
    return text


def _fit(columns: Sequence[Column], natural: Sequence[int], width: int | None) -> tuple[list[int], list[int]]:
    """Choose the columns that fit, and their widths: first leave out, then cut, the last column before the others."""
    widths, chosen = list(natural), list(range(len(columns)))
    if width is None:
        return chosen, widths

    def least(i: int) -> int:
        return min(natural[i], columns[i].least or natural[i])

    def spare() -> int:
        return width - sum(map(least, chosen)) - GAP * (len(chosen) - 1)

    while spare() < 0 and (droppable := [i for i in chosen if columns[i].drop]):
        chosen.remove(max(droppable, key=lambda i: columns[i].drop))
    left = max(0, spare())
    for i in chosen:
        widths[i] = min(natural[i], least(i) + left)
        left -= widths[i] - least(i)
    return chosen, widths


def _aligned(text: str, column: Column, width: int, last: bool) -> str:
    text = clip(text, width, column.middle)
    padding = " " * (width - cells(text))
    if column.right:
        return padding + text
    return text if last else text + padding


def _joined(parts: Sequence[str]) -> str:
    return (" " * GAP).join(parts)


def _styled(text: str, sgr: str) -> str:
    return f"\x1b[{sgr}m{text}\x1b[0m" if sgr else text
