"""From a graph to layers: every edge leads down by one layer, or through stand-ins in the layers between."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from backends.graphs.drawing import Edge

_SWEEPS: Final = 6
"""Rounds of sorting each layer by its neighbours; more change nothing on graphs of the size that people draw."""

Spot = tuple[str, int]
"""A node's name and 0; or, for a stand-in, the name of its edge and its layer."""


@dataclass(frozen=True, slots=True)
class Link:
    """A piece of an edge, from one layer to the next.

    Attributes:
        top: Where it begins, in the upper layer.
        bottom: Where it ends, in the layer below.
        down: Whether something flows down here.
        up: Whether something flows up here: an edge that leads back.
        conditional: Whether a router decides about it.
    """

    top: Spot
    bottom: Spot
    down: bool
    up: bool
    conditional: bool


@dataclass(slots=True)
class Layered:
    """A graph in layers.

    Attributes:
        layers: Spots from the top, each layer from the left.
        gaps: For each layer but the last, the links to the one below.
        loops: Nodes with an edge to themselves.
        passing: Stand-ins with what flows through them.
    """

    layers: list[list[Spot]]
    gaps: list[list[Link]]
    loops: frozenset[str]
    passing: dict[Spot, Link] = field(default_factory=dict)


@dataclass(slots=True)
class _Pair:
    """All edges between two nodes, drawn as one line."""

    down: bool = False
    up: bool = False
    conditional: bool = False


def arrange(nodes: Sequence[str], edges: Iterable[Edge]) -> Layered:
    """Put a graph into layers.

    Args:
        nodes: Names, in the order of their definition; the first ones lead the way where the graph goes in circles.
        edges: Between them; others are left out.

    Returns:
        Every node once; as few crossings as a few rounds of sorting give.
    """
    known = set(nodes)
    real = [edge for edge in edges if edge.source in known and edge.target in known]
    loops = frozenset(edge.source for edge in real if edge.source == edge.target)
    pairs = _pairs(nodes, [edge for edge in real if edge.source != edge.target])
    depth = _depths(nodes, pairs)
    layers: list[list[Spot]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in nodes:
        layers[depth[name]].append((name, 0))
    layered = Layered(layers, [[] for _ in layers[1:]], loops)
    for (top, bottom), pair in pairs.items():
        _lay(layered, top, bottom, pair, depth)
    _sort(layered)
    return layered


def _pairs(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[tuple[str, str], _Pair]:
    """Turn edges that lead back, so that no circle is left; keyed by upper and lower node."""
    back = _leading_back(nodes, edges)
    pairs: dict[tuple[str, str], _Pair] = {}
    for edge in edges:
        turned = (edge.source, edge.target) in back
        key = (edge.target, edge.source) if turned else (edge.source, edge.target)
        pair = pairs.setdefault(key, _Pair())
        if turned <= (not pair.down):  # the way down decides how the line looks
            first = not (pair.up if turned else pair.down)
            pair.conditional = edge.conditional and (first or pair.conditional)
        pair.up |= turned
        pair.down |= not turned
    return pairs


def _leading_back(nodes: Sequence[str], edges: Sequence[Edge]) -> set[tuple[str, str]]:
    """Edges to a node that is still being gone through, depth first."""
    targets: dict[str, list[str]] = {name: [] for name in nodes}
    for edge in edges:
        targets[edge.source].append(edge.target)
    back: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for root in nodes:
        if root in seen:
            continue
        seen.add(root)
        path, inside = [(root, iter(targets[root]))], {root}
        while path:
            name, pending = path[-1]
            target = next(pending, None)
            if target is None:
                inside.discard(name)
                path.pop()
            elif target in inside:
                back.add((name, target))
            elif target not in seen:
                seen.add(target)
                inside.add(target)
                path.append((target, iter(targets[target])))
    return back


def _depths(nodes: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The layer of each node: one below the lowest that leads to it."""
    targets: dict[str, list[str]] = {name: [] for name in nodes}
    waiting = dict.fromkeys(nodes, 0)
    for top, bottom in pairs:
        targets[top].append(bottom)
        waiting[bottom] += 1
    depth = dict.fromkeys(nodes, 0)
    ready = [name for name in nodes if not waiting[name]]
    for name in ready:
        for target in targets[name]:
            depth[target] = max(depth[target], depth[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return depth


def _lay(layered: Layered, top: str, bottom: str, pair: _Pair, depth: Mapping[str, int]) -> None:
    """Lay a line from a node to a lower one, with a stand-in in every layer that it passes."""
    first, last = depth[top], depth[bottom]
    above: Spot = (top, 0)
    for layer in range(first + 1, last + 1):
        below: Spot = (bottom, 0) if layer == last else (f"{top}\0{bottom}", layer)
        link = Link(above, below, pair.down, pair.up, pair.conditional)
        layered.gaps[layer - 1].append(link)
        if layer != last:
            layered.layers[layer].append(below)
            layered.passing[below] = link
        above = below


def _sort(layered: Layered) -> None:
    """Sort each layer by the mean place of its neighbours, downwards and upwards in turn; keep the best."""
    best, fewest = [list(layer) for layer in layered.layers], _crossings(layered)
    for sweep in range(_SWEEPS):
        upwards = bool(sweep % 2)
        numbers = range(len(layered.gaps) - 1, -1, -1) if upwards else range(len(layered.gaps))
        for number in numbers:
            fixed, loose = (number + 1, number) if upwards else (number, number + 1)
            place = {spot: at for at, spot in enumerate(layered.layers[fixed])}
            near: dict[Spot, list[int]] = {}
            for link in layered.gaps[number]:
                mine, other = (link.top, link.bottom) if upwards else (link.bottom, link.top)
                near.setdefault(mine, []).append(place[other])
            here = {spot: float(at) for at, spot in enumerate(layered.layers[loose])}
            wanted = here | {spot: sum(places) / len(places) for spot, places in near.items()}
            layered.layers[loose].sort(key=lambda spot, wanted=wanted: wanted[spot])  # type: ignore[misc]
        if (count := _crossings(layered)) < fewest:
            best, fewest = [list(layer) for layer in layered.layers], count
    layered.layers[:] = best


def _crossings(layered: Layered) -> int:
    """How many pairs of links cross."""
    count = 0
    for number, links in enumerate(layered.gaps):
        above = {spot: at for at, spot in enumerate(layered.layers[number])}
        below = {spot: at for at, spot in enumerate(layered.layers[number + 1])}
        seen: list[int] = []
        for _, end in sorted((above[link.top], below[link.bottom]) for link in links):
            count += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return count
