"""What an audit is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..address import Address
from ..faults import Fault, How, Point
from ..runs.spec import GraphRef

DURABILITIES = ("sync", "async", "exit")


@dataclass(frozen=True, slots=True)
class Order:
    """An audit.

    Attributes:
        graph: Which graph.
        input: What every run starts with.
        answers: Answers to its questions, in the order in which the undisturbed run asks them; questions of one stop
            by the names of their nodes. Where they run out, waiting is the final state.
        durabilities: Modes to try.
        points: Where to strike.
        hows: Ways to strike.
        nodes: Nodes to strike at, inside subgraphs with their path; empty means all that the undisturbed run passes.
        address: Database in which a schema is made for the audit; ``None`` means temporary SQLite files.
        jobs: Threads that run at the same time.
        patience: Seconds that one process may take; then it is killed.
        config: More keys for ``configurable``.
        context: Run-time context of the graph.
        recursion_limit: ``None`` for LangGraph's own.
    """

    graph: GraphRef
    input: Any
    answers: tuple[Any, ...] = ()
    durabilities: tuple[str, ...] = DURABILITIES
    points: tuple[Point, ...] = tuple(Point)
    hows: tuple[How, ...] = (How.KILL,)
    nodes: tuple[str, ...] = ()
    address: Address | None = None
    jobs: int = 2
    patience: float = 120.0
    config: Mapping[str, Any] = field(default_factory=dict)
    context: Any = None
    recursion_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the table: a fault under a mode."""

    durability: str
    fault: Fault
