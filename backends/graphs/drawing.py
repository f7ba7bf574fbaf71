"""A graph as data: what the child that imported it says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..channels import START

END = "__end__"


@dataclass(frozen=True, slots=True)
class Node:
    """A node.

    Attributes:
        name: Its name; ``__start__`` and ``__end__`` included.
        subgraph: Drawing of the graph inside, where it has one.
        deferred: Whether it waits for all others.
    """

    name: str
    subgraph: Drawing | None = None
    deferred: bool = False

    @property
    def written(self) -> bool:
        """Whether a person has written it: the start and the end of a graph are LangGraph's own."""
        return self.name not in (START, END)


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge; ``label`` names the branch of a conditional one."""

    source: str
    target: str
    conditional: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph.

    Attributes:
        name: Name of the graph.
        nodes: Nodes, in the order of their definition.
        edges: Edges.
        input_schema: JSON Schema of the input; ``None`` where it has none.
        output_schema: JSON Schema of the output.
        channels: Channel name -> how it takes writes: ``last``, ``reducer``, ``topic``, ``ephemeral``, ``delta``, ...
        interrupt_before: Nodes with a static breakpoint before them; ``("*",)`` is every node.
        interrupt_after: The same after them.
        functional: Whether it is an ``@entrypoint``.
        next_after: Node -> nodes that its plain edges lead to: the consequence of ``as_node``; ``None`` as the value
            where a router decides.
        awaited: Whether it is driven by LangGraph's asynchronous loop, ``astream``, instead of ``stream``.
    """

    name: str
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    input_schema: Mapping[str, Any] | None = None
    output_schema: Mapping[str, Any] | None = None
    channels: Mapping[str, str] = field(default_factory=dict)
    interrupt_before: tuple[str, ...] = ()
    interrupt_after: tuple[str, ...] = ()
    functional: bool = False
    next_after: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    awaited: bool = False

    def walk(self, levels: int | None = None, prefix: str = "") -> Iterator[tuple[str, Node]]:
        """Every node with the path that a fault names it by, such as ``research/search``, each before those inside it.

        Args:
            levels: How many levels of graphs inside this one are walked; ``None`` is all.
            prefix: What their paths begin with.

        Yields:
            Path and node; start and end of this graph included, those of graphs inside it not.
        """
        for node in self.nodes:
            if prefix and not node.written:
                continue
            yield prefix + node.name, node
            if node.subgraph is not None and levels != 0:
                deeper = None if levels is None else levels - 1
                yield from node.subgraph.walk(deeper, f"{prefix}{node.name}/")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Drawing:
        """Read what ``dataclasses.asdict`` and JSON made of a drawing."""
        nodes = tuple(
            Node(
                n["name"], None if n.get("subgraph") is None else cls.from_json(n["subgraph"]), bool(n.get("deferred"))
            )
            for n in data.get("nodes", ())
        )
        after = {name: None if to is None else tuple(to) for name, to in data.get("next_after", {}).items()}
        return cls(
            data.get("name", ""),
            nodes,
            tuple(Edge(**edge) for edge in data.get("edges", ())),
            data.get("input_schema"),
            data.get("output_schema"),
            data.get("channels", {}),
            tuple(data.get("interrupt_before", ())),
            tuple(data.get("interrupt_after", ())),
            bool(data.get("functional")),
            after,
            bool(data.get("awaited")),
        )
