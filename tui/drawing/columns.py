"""Where the spots of each layer stand: near their neighbours, in order, without touching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import floor
from typing import Final

from .layers import Layered, Spot

_GAP: Final = 3
"""Cells between two nodes."""

_ROUNDS: Final = (8, 40)
"""Times, at least and at most, that every layer is put near the one above and the one below it."""

_EFFORT: Final = 20_000
"""Spots that are put somewhere, in all rounds together, where that is not too few rounds."""

_YIELDING: Final = 0.02
"""How much a line that passes a layer pushes the nodes there aside; a node pushes with 1."""


def place(layered: Layered, widths: Mapping[Spot, int]) -> dict[Spot, int]:
    """Find the column of each spot's middle.

    Args:
        layered: The graph, its layers sorted.
        widths: Cells of each spot.

    Returns:
        Columns; the leftmost cell of all is 0.
    """
    near = _neighbours(layered, above=True), _neighbours(layered, above=False)
    columns: dict[Spot, float] = {}
    for layer in layered.layers:
        columns |= _apart(layer, [0.0] * len(layer), widths)
    least, most = _ROUNDS
    rounds = max(least, min(most, _EFFORT // max(1, len(widths))))
    for number in range(rounds):
        down = number % 2 == 0
        sides = near if number > 1 else near[:1] if down else near[1:]
        for layer in layered.layers if down else reversed(layered.layers):
            columns |= _apart(layer, [_wanted(spot, columns, sides) for spot in layer], widths)
            if number >= rounds - 2:
                columns |= {spot: float(floor(columns[spot] + 0.5)) for spot in layer}
    left = min((round(columns[spot]) - widths[spot] // 2 for spot in columns), default=0)
    return {spot: round(column) - left for spot, column in columns.items()}


def _neighbours(layered: Layered, above: bool) -> dict[Spot, list[Spot]]:
    """The spots that each should stand near, in the layer above or in the one below: nodes by nodes, lines by lines."""
    near: dict[Spot, list[Spot]] = {}
    for links in layered.gaps:
        for link in links:
            mine, other = (link.bottom, link.top) if above else (link.top, link.bottom)
            near.setdefault(mine, []).append(other)
    return {
        spot: [other for other in others if bool(other[1]) == bool(spot[1])] or others for spot, others in near.items()
    }


def _wanted(spot: Spot, columns: Mapping[Spot, float], sides: Sequence[Mapping[Spot, Sequence[Spot]]]) -> float:
    """Where a spot wants to stand: in the middle of its neighbours, on each side."""
    found = [near[spot] for near in sides if spot in near]
    if spot[1]:  # a line goes straight on as long as it can
        found = [others for others in found if others[0][1]] or found
    places = [[columns[other] for other in others] for others in found]
    middles = [(min(side) + max(side)) / 2 for side in places]
    return sum(middles) / len(middles) if middles else columns[spot]


def _apart(layer: Sequence[Spot], wanted: Sequence[float], widths: Mapping[Spot, int]) -> dict[Spot, float]:
    """Put the spots of a layer as near as possible to where they want to be, in order and apart.

    What is left when the least distances are taken off must only never fall from left to right: isotonic regression,
    by pooling neighbours that are in the wrong order (Barlow et al., 1972). Rounding all of a layer keeps it apart.
    """
    offsets = [0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + widths[left] - widths[left] // 2 + _GAP + widths[right] // 2)
    pools: list[tuple[float, float, int]] = []  # mean, weight, number of spots
    for spot, want, offset in zip(layer, wanted, offsets, strict=True):
        pool = (want - offset, _YIELDING if spot[1] else 1.0, 1)
        while pools and pools[-1][0] >= pool[0]:
            mean, weight, count = pools.pop()
            total = weight + pool[1]
            pool = ((mean * weight + pool[0] * pool[1]) / total, total, count + pool[2])
        pools.append(pool)
    bases = [mean for mean, _, count in pools for _ in range(count)]
    return {spot: base + offset for spot, base, offset in zip(layer, bases, offsets, strict=True)}
