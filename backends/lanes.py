"""Columns for a forest of checkpoints, one row a checkpoint, newest first.

Every checkpoint has at most one parent (``parent_checkpoint_id``), so no line ever has two parents. A branch joins the
line to its left on the row of its oldest checkpoint, which keeps abandoned branches one column wide::

    ○    newest
    ○
    │ ○  newest checkpoint of the branch that was left
    ├─○
    ○    where it branched off
    ◇    where it all began

A line that goes on below the last row leads to a checkpoint that is not among the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from .model import CheckpointRow

MAX_LANES = 8
"""Columns drawn; what is further right shares the last one."""

NODE, START = "○", "◇"
"""A checkpoint, and one where a line ends: it has no parent."""


class Drawn(NamedTuple):
    """A checkpoint and its columns, two cells each: on its own line, and on lines put below it."""

    row: CheckpointRow
    graph: str
    below: str


def draw(rows: Iterable[CheckpointRow]) -> Iterator[Drawn]:
    """Draw the checkpoints of one namespace.

    Args:
        rows: In any order; parents may be missing.

    Yields:
        Each row once, newest first, every parent below its children.
    """
    ordered = _newest_first(rows)
    above: set[str] = set()
    columns: list[bool] = []  # whether a line passes down
    leading: dict[str, list[int]] = {}  # the columns that lead down to a checkpoint
    free: list[int] = []
    for row in ordered:
        above.add(row.key.checkpoint_id)
        if not (arriving := leading.pop(row.key.checkpoint_id, [])):
            arriving = [heappop(free) if free else len(columns)]
            columns[arriving[0] : arriving[0] + 1] = [False]
        arriving.sort()
        lane = arriving[0]
        parent = None if row.parent_id in above else row.parent_id
        trunk = min(leading.get(parent, ()), default=lane) if parent is not None else lane
        near = tuple(index for index in arriving if index < MAX_LANES)
        node = START if parent is None else NODE
        graph = _node_line(tuple(columns[:MAX_LANES]), min(trunk, lane), near, node)
        for index in arriving:
            columns[index] = False
        if parent is not None and trunk >= lane:
            columns[lane] = True
            leading.setdefault(parent, []).append(lane)
            del arriving[0]
        for index in arriving:
            heappush(free, index)
        yield Drawn(row, graph, _passing(tuple(columns[:MAX_LANES]), min(lane + 1, MAX_LANES)))


def _newest_first(rows: Iterable[CheckpointRow]) -> list[CheckpointRow]:
    """Order by id, newest first, but no parent above its child: clocks of several hosts may disagree.

    Rings of parents, which only a damaged store holds, are cut at their newest checkpoint.
    """
    ordered = sorted(rows, key=lambda row: row.key.checkpoint_id, reverse=True)
    if all(row.parent_id is None or row.parent_id < row.key.checkpoint_id for row in ordered):
        return ordered
    rank = {row.key.checkpoint_id: index for index, row in enumerate(ordered)}
    children = Counter(row.parent_id for row in ordered if row.parent_id in rank)
    ready = [index for index, row in enumerate(ordered) if not children[row.key.checkpoint_id]]
    heapify(ready)
    result: list[CheckpointRow] = []
    placed: set[int] = set()
    rest = iter(range(len(ordered)))
    while len(placed) < len(ordered):
        index = heappop(ready) if ready else next(rest)
        if index in placed:
            continue
        placed.add(index)
        row = ordered[index]
        result.append(row)
        if row.parent_id in rank:
            children[row.parent_id] -= 1
            if not children[row.parent_id]:
                heappush(ready, rank[row.parent_id])
    return result


@lru_cache(maxsize=4096)
def _node_line(columns: tuple[bool, ...], trunk: int, arriving: tuple[int, ...], node: str) -> str:
    """Draw a checkpoint.

    Args:
        columns: Whether a line comes from above.
        trunk: The column to its left whose line it joins, or its own.
        arriving: Columns whose lines end in it; the first is its own.
        node: Its glyph.
    """
    if not arriving:
        return _passing(columns[:-1], MAX_LANES - 1) + "…" + node + " "
    lane, last = arriving[0], arriving[-1]
    cells: list[str] = []
    for index in range(max(len(columns), lane + 1)):
        passes = index < len(columns) and columns[index]
        if index == lane:
            cell = node
        elif index in arriving:
            cell = "╯" if index == last else "┴"
        elif index == trunk:
            cell = "├"
        elif trunk < index < last:
            cell = "┼" if passes else "─"
        else:
            cell = "│" if passes else " "
        cells.append(cell + ("─" if trunk <= index < last else " "))
    return "".join(cells).rstrip() + " "


@lru_cache(maxsize=1024)
def _passing(columns: tuple[bool, ...], width: int = 0) -> str:
    """Draw columns between two checkpoints, at least ``width`` columns wide."""
    last = max((index for index, passes in enumerate(columns) if passes), default=-1)
    line = "".join("│ " if passes else "  " for passes in columns[: last + 1])
    return line.ljust(2 * width)
