"""A graph with the graphs inside it drawn along, and every node under the path that a fault names it by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from backends.channels import START
from backends.graphs.drawing import END, Drawing, Edge, Node

_DEEPEST = 4
"""Levels of graphs inside graphs."""


def unfold(drawing: Drawing, seen: Iterable[str] = ()) -> Drawing:
    """Draw what is inside of nodes behind them: ``plan → research → research/search → … → write``.

    Args:
        drawing: A graph.
        seen: Paths of nodes that have run. Those that the graph does not name, such as what an ``@entrypoint`` calls,
            are hung on the node that they ran in, or on the first one.
    """
    nodes = [replace(node, name=path, subgraph=None) for path, node in drawing.walk(_DEEPEST)]
    edges = list(_edges(drawing, "", _DEEPEST))
    known = [node.name for node in nodes]
    first = next((node.name for node in nodes if node.written), "")
    for path in dict.fromkeys(seen):
        if path not in known and first:
            outer = path.rpartition("/")[0]
            nodes.append(Node(path))
            edges.append(Edge(outer if outer in known else first, path, conditional=True))
            known.append(path)
    return replace(drawing, nodes=tuple(nodes), edges=tuple(edges))


def paths(drawing: Drawing) -> list[str]:
    """Nodes of an unfolded drawing that a person has written, in their order."""
    return [node.name for node in drawing.nodes if node.written]


def second(drawing: Drawing) -> str:
    """A node with another one before it, so that there is something to keep; the first one where there is none such."""
    names = paths(drawing)
    begun = {edge.target for edge in drawing.edges if edge.source == START}
    after = {edge.target for edge in drawing.edges if edge.source in begun} - begun
    return next((name for name in (*filter(after.__contains__, names), *names)), "")


def _edges(drawing: Drawing, prefix: str, levels: int) -> Iterator[Edge]:
    """Edges with paths; those that leave a graph begin at the nodes that it ends with."""
    inner = {node.name: node.subgraph for node in drawing.nodes if node.subgraph is not None and levels}
    for edge in drawing.edges:
        sources = _ends(inner[edge.source], f"{prefix}{edge.source}/") if edge.source in inner else ()
        if prefix and edge.target == END:
            continue  # told by the edges of the graph around it
        source = prefix.removesuffix("/") if prefix and edge.source == START else prefix + edge.source
        for begin in sources or (source,):
            yield replace(edge, source=begin, target=prefix + edge.target)
    for name, graph in inner.items():
        yield from _edges(graph, f"{prefix}{name}/", levels - 1)


def _ends(drawing: Drawing, prefix: str) -> tuple[str, ...]:
    """Paths of the nodes after which a graph may be over."""
    found: list[str] = []
    inner = {node.name: node.subgraph for node in drawing.nodes if node.subgraph is not None}
    for edge in drawing.edges:
        if edge.target == END and edge.source != START:
            deeper = inner.get(edge.source)
            found += _ends(deeper, f"{prefix}{edge.source}/") if deeper is not None else [prefix + edge.source]
    return tuple(dict.fromkeys(found))
