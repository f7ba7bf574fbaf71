"""A graph as rows of text: labels in layers, and lines between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from backends.graphs.drawing import Edge
from backends.wrap import cells

from .columns import place
from .layers import Layered, Link, Spot, arrange
from .tracks import Net, route

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8

_LINES: Final = {
    _UP: "│", _DOWN: "│", _UP | _DOWN: "│", _LEFT: "─", _RIGHT: "─", _LEFT | _RIGHT: "─",
    _UP | _RIGHT: "└", _UP | _LEFT: "┘", _DOWN | _RIGHT: "┌", _DOWN | _LEFT: "┐",
    _UP | _DOWN | _RIGHT: "├", _UP | _DOWN | _LEFT: "┤", _DOWN | _LEFT | _RIGHT: "┬", _UP | _LEFT | _RIGHT: "┴",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}  # fmt: skip
"""Characters by the sides that they join."""

_DASHED: Final = {"│": "╎", "─": "╌"}
"""The same where a router decides."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a label stands.

    Attributes:
        row: Its row.
        left: Its first cell.
        width: Its cells.
    """

    row: int
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn graph.

    Attributes:
        rows: Each from the left, as pieces: text, and the node whose label it is (empty for lines and blanks).
        boxes: Where the labels stand.
        layers: Nodes by layer, from the top and from the left.
        width: Cells of the widest row.
    """

    rows: tuple[tuple[tuple[str, str], ...], ...] = ()
    boxes: Mapping[str, Box] = field(default_factory=dict)
    layers: tuple[tuple[str, ...], ...] = ()
    width: int = 0


def draw(nodes: Sequence[str], edges: Sequence[Edge], labels: Mapping[str, str]) -> Picture:
    """Draw a graph from top to bottom.

    An arrow above a label says which way the line is gone: ``↓`` into the node, ``↑`` back from it, ``↕`` both. Dashed
    lines are those that a router decides about. Lines that meet in a corner are joined; where one is broken by
    another, they only cross.

    Args:
        nodes: Names, in the order of their definition.
        edges: Between them.
        labels: Safe text for each node.
    """
    layered = arrange(nodes, edges)
    widths = {spot: 1 if spot[1] else cells(labels[spot[0]]) for layer in layered.layers for spot in layer}
    columns = place(layered, widths)
    rows: list[tuple[tuple[str, str], ...]] = []
    boxes: dict[str, Box] = {}
    for number, layer in enumerate(layered.layers):
        for spot in layer:
            if not spot[1]:
                boxes[spot[0]] = Box(len(rows), columns[spot] - widths[spot] // 2, widths[spot])
        rows.append(_layer_row(layered, layer, columns, widths, labels))
        if number < len(layered.gaps):
            rows += [((row, ""),) for row in _gap_rows(layered.gaps[number], columns, widths)]
    names = tuple(tuple(name for name, layer in spots if not layer) for spots in layered.layers)
    width = max((sum(cells(text) for text, _ in row) for row in rows), default=0)
    return Picture(tuple(rows), boxes, names, width)


def _layer_row(
    layered: Layered,
    layer: Sequence[Spot],
    columns: Mapping[Spot, int],
    widths: Mapping[Spot, int],
    labels: Mapping[str, str],
) -> tuple[tuple[str, str], ...]:
    """Labels, and the lines that pass between them."""
    pieces: list[tuple[str, str]] = []
    end = 0
    for spot in layer:
        left = columns[spot] - widths[spot] // 2
        pieces.append((" " * (left - end), ""))
        pieces.append((_passing(layered.passing[spot]), "") if spot[1] else (labels[spot[0]], spot[0]))
        end = left + widths[spot]
    return tuple(piece for piece in pieces if piece[0])


def _passing(link: Link) -> str:
    """What stands in for a line in a layer of labels."""
    if link.up:
        return "↕" if link.down else "↑"
    return "╎" if link.conditional else "│"


def _gap_rows(links: Sequence[Link], columns: Mapping[Spot, int], widths: Mapping[Spot, int]) -> list[str]:
    """The lines between two layers, and below them a row of arrows."""
    nets, height = route(links, columns, widths)
    sheet = _Sheet()
    signs: dict[int, str] = {}
    for net in nets:
        sheet.lay(net, height)
        for column, sign in net.bottoms.items():
            signs[column] = _both(signs.get(column, sign), sign)
    return [*(sheet.row(number) for number in range(height)), _row(signs)]


def _both(one: str, other: str) -> str:
    """The arrow for two lines that meet; one without an arrow goes on to another layer, and says nothing here."""
    return "↕" if {one, other} == {"↓", "↑"} else one if other in "│╎" else other


def _row(signs: Mapping[int, str]) -> str:
    return "".join(signs.get(column, " ") for column in range(max(signs, default=-1) + 1))


class _Sheet:
    """Cells of a gap: the sides that each joins, upright lines apart from level ones that pass behind them."""

    def __init__(self) -> None:
        self._upright: dict[tuple[int, int], tuple[int, bool]] = {}
        self._level: dict[tuple[int, int], bool] = {}

    def lay(self, net: Net, height: int) -> None:
        """Draw a tree."""
        if net.track is None:
            for row in range(height):
                self._join(row, net.tops[0], _UP | _DOWN, net.conditional)
            return
        first, last = net.reach
        ends = {*net.tops, *net.bottoms}
        for column in range(first, last + 1):
            if column not in ends:
                self._level[net.track, column] = net.conditional
                continue
            sides = (_LEFT if column > first else 0) | (_RIGHT if column < last else 0)
            sides |= (_UP if column in net.tops else 0) | (_DOWN if column in net.bottoms else 0)
            self._join(net.track, column, sides, net.conditional)
        for columns, rows in ((net.tops, range(net.track)), (net.bottoms, range(net.track + 1, height))):
            for column in columns:
                for row in rows:
                    self._join(row, column, _UP | _DOWN, net.conditional)

    def _join(self, row: int, column: int, sides: int, conditional: bool) -> None:
        before, dashed = self._upright.get((row, column), (0, True))
        self._upright[row, column] = before | sides, dashed and conditional

    def row(self, number: int) -> str:
        """The characters of a row."""
        signs = {column: "╌" if dashed else "─" for (row, column), dashed in self._level.items() if row == number}
        for (row, column), (sides, dashed) in self._upright.items():
            if row == number:
                sign = _LINES[sides]
                signs[column] = _DASHED.get(sign, sign) if dashed else sign
        return _row(signs)
