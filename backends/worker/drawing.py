"""A compiled graph as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..graphs.drawing import Drawing, Edge, Node
from .describe import json_schema

_KINDS = {
    "LastValue": "last",
    "LastValueAfterFinish": "last",
    "AnyValue": "any",
    "BinaryOperatorAggregate": "reducer",
    "Topic": "topic",
    "EphemeralValue": "ephemeral",
    "UntrackedValue": "untracked",
    "DeltaChannel": "delta",
    "NamedBarrierValue": "join",
    "NamedBarrierValueAfterFinish": "join",
}
"""How channels take writes, by class (``langgraph/channels``)."""

_DEPTH = 8
"""Levels of subgraphs that are drawn; a graph may hold itself."""

REDUCERS = ("reducer", "delta")
"""Kinds of channels whose reducer an ``Overwrite`` passes by."""


def draw(graph: Any, name: str, depth: int = _DEPTH) -> Drawing:
    """Describe a ``Pregel``; what it cannot tell about itself is left out."""
    shape = _shape(graph)
    builder = getattr(graph, "builder", None)
    functional = builder is None
    inner = _subgraphs(graph, depth)
    specs: Mapping[str, Any] = getattr(builder, "nodes", {})
    names = list(shape.nodes) if shape is not None else [n for n in graph.nodes if n != "__start__"]
    edges = (
        ()
        if shape is None
        else tuple(
            Edge(e.source, e.target, bool(e.conditional), "" if e.data is None else str(e.data)) for e in shape.edges
        )
    )
    return Drawing(
        name,
        tuple(Node(n, inner.get(n), bool(getattr(specs.get(n), "defer", False))) for n in names),
        edges,
        json_schema(graph, "input"),
        json_schema(graph, "output"),
        channel_kinds(graph),
        _breakpoints(graph.interrupt_before_nodes),
        _breakpoints(graph.interrupt_after_nodes),
        functional,
        {} if functional else _next_after(builder),
    )


def channel_kinds(graph: Any) -> dict[str, str]:
    """Channel name -> how it takes writes; LangGraph's own trigger channels are left out."""
    return {
        name: _KINDS.get(type(channel).__name__, type(channel).__name__)
        for name, channel in graph.channels.items()
        if not name.startswith(("branch:", "join:", "__"))
    }


def _shape(graph: Any) -> Any:
    """Nodes and edges as LangGraph draws them; ``None`` where the graph's own code keeps it from that."""
    try:
        return graph.get_graph()
    except Exception:  # names and types are the user's: one that cannot be drawn can still be run
        return None


def _subgraphs(graph: Any, depth: int) -> dict[str, Drawing]:
    if not depth:
        return {}
    return {name: draw(inner, name, depth - 1) for name, inner in graph.get_subgraphs() if "|" not in name}


def _breakpoints(found: Any) -> tuple[str, ...]:
    return ("*",) if found == "*" else tuple(found or ())


def _next_after(builder: Any) -> dict[str, tuple[str, ...] | None]:
    """Where plain edges lead; ``None`` where a router, a ``Command`` or a join has the say."""
    found: dict[str, tuple[str, ...] | None] = {name: () for name in builder.nodes}
    for source, target in sorted(builder.edges):
        if source in found:
            found[source] = (*(found[source] or ()), target)
    joining = {source for sources, _ in builder.waiting_edges for source in sources}
    commanding = {name for name, spec in builder.nodes.items() if getattr(spec, "ends", ())}
    for name in (joining | commanding | {name for name, routes in builder.branches.items() if routes}) & set(found):
        found[name] = None
    return found
