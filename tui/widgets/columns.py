"""Which columns of the thread list fit into a width, and where they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

GAP: Final = 2
"""Cells between two columns."""


class Column(NamedTuple):
    """A column of the thread list.

    Attributes:
        name: What it shows, and the name of the order that sorts by it (``backends.order.SORTS``).
        title: Its heading.
        least: Cells without which it is left out.
        best: Cells that it takes before any column takes more.
        most: Cells that it can use.
        right: Numbers and ages end at the right edge.
        rank: Columns are left out in this order, the highest first.
        wide: Cells of the terminal below which it is left out anyway, unless it was asked for by name.
    """

    name: str
    title: str
    least: int
    best: int
    most: int
    right: bool = False
    rank: int = 0
    wide: int = 0


class Placed(NamedTuple):
    """A column in its place.

    Attributes:
        column: The column.
        x: Its first cell.
        width: Its cells, the gap after it not counted.
    """

    column: Column
    x: int
    width: int


COLUMNS: Final = (
    Column("status", "STATUS", 11, 11, 11),
    Column("thread", "THREAD", 12, 26, 64, rank=1),
    Column("next", "NEXT", 10, 14, 24, rank=4),
    Column("step", "STEP", 4, 4, 5, right=True, rank=5),
    Column("active", "ACTIVE", 6, 6, 6, right=True, rank=2),
    Column("checkpoints", "CKPTS", 5, 5, 6, right=True, rank=6),
    Column("size", "SIZE", 5, 5, 5, right=True, rank=7, wide=120),
    Column("reason", "WHY", 21, 32, 10_000, rank=3),
)
"""In the order in which they stand."""

DATED_COLUMNS: Final = tuple(
    column._replace(least=19, best=19, most=19) if column.name == "active" else column for column in COLUMNS
)
"""The same with times as dates."""


def chosen(columns: Sequence[Column], names: Collection[str], sort: str, width: int) -> list[Column]:
    """The columns that are to be placed.

    Args:
        columns: All of them.
        names: Those that a person chose; none leaves the choice to the width.
        sort: Name of the order.
        width: Cells of the terminal.

    Returns:
        In the same order; one for wide terminals that was asked for, by name or by its order, stays as long as others.
    """
    found = []
    for column in columns:
        asked = column.name in names or (bool(column.wide) and column.name == sort)
        if asked or (not names and column.wide <= width):
            found.append(column._replace(rank=1) if asked and column.wide else column)
    return found


def place(
    width: int, start: int, contents: Mapping[str, int] | None = None, columns: Sequence[Column] = COLUMNS
) -> tuple[Placed, ...]:
    """Lay the columns out.

    Columns that do not fit are left out one by one, by rank. The others get what they need least; then, from left to
    right, their best; then what they can use. No column is wider than its contents, but the last one, which takes the
    rest.

    Args:
        width: Cells of the whole row.
        start: First cell that columns may use.
        contents: Cells of the longest content by column name, where that is known.
        columns: The columns.

    Returns:
        At least the status column, however narrow the row.
    """
    most = {column.name: max(len(column.title), (contents or {}).get(column.name, column.most)) for column in columns}
    shown = list(columns)
    for column in sorted(columns[1:], key=lambda column: -column.rank):
        if start + _total(min(column.least, most[column.name]) for column in shown) <= width:
            break
        shown.remove(column)
    widths = {column.name: min(column.least, most[column.name]) for column in shown}
    spare = width - start - _total(widths.values())
    for bounds in ({column.name: column.best for column in shown}, {column.name: column.most for column in shown}):
        for name, bound in bounds.items():
            extra = max(0, min(spare, min(bound, most[name]) - widths[name]))
            widths[name] += extra
            spare -= extra
    placed, x = [], start
    for column in shown:
        placed.append(Placed(column, x, widths[column.name]))
        x += widths[column.name] + GAP
    return tuple(placed)


def _total(widths: Iterable[int]) -> int:
    """Cells of columns with the gaps between them."""
    cells = list(widths)
    return sum(cells) + GAP * max(0, len(cells) - 1)
