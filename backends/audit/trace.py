"""What one process did, as its events tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..faults import Fault, How, Point
from ..runs.events import Event, Kind

_INTERNAL = "__"
"""What the names of nodes begin with that no application has written."""


@dataclass(slots=True)
class Trace:
    """One process.

    Attributes:
        pid: Its id; ``None`` if it did not come to telling it.
        begun: Nodes, as paths, by task id.
        ended: Ids of tasks that came to their end.
        asked: Nodes that ended with a question.
        seconds: The longest time that each node took.
        functional: Whether the graph is an ``@entrypoint``.
        struck: Whether its fault struck.
        outcome: How it ended, in its own words; empty for a process that is gone without one.
        reason: Why.
    """

    pid: int | None = None
    begun: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)
    functional: bool = False
    struck: bool = False
    outcome: str = ""
    reason: str = ""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes in the order in which they began."""
        return tuple(dict.fromkeys(self.begun.values()))

    @property
    def containers(self) -> frozenset[str]:
        """Nodes whose work others do: those with a subgraph, and an entrypoint, which calls its tasks."""
        nodes = self.nodes
        outer = {node.rpartition("/")[0] for node in nodes} - {""}
        return frozenset(outer | set(nodes[:1] if self.functional else ()))

    def finished(self, fault: Fault | None = None) -> Counter[str]:
        """How often each node came to its end; the one that was struck behind its end is counted too."""
        found = Counter(self.begun[task] for task in self.ended if task in self.begun)
        saved = fault is not None and fault.point in (Point.WRITTEN, Point.COMMITTED)
        if fault is not None and saved and self.struck and fault.node not in self.asked:
            found[fault.node] = max(1, found[fault.node])  # it is saved before the end is told
        return found

    def started(self, fault: Fault | None = None) -> Counter[str]:
        """How often each node began; not counting the one that was struck before it could."""
        found = Counter(self.begun.values())
        if fault is not None and self.struck:
            if fault.point is Point.BEFORE:
                found[fault.node] -= found[fault.node] > self.finished()[fault.node]
            else:
                found[fault.node] = max(1, found[fault.node])
        return found


TOLD = (Kind.STARTED, Kind.GRAPH, Kind.TASK, Kind.FAULT, Kind.END)
"""Kinds of events that a trace is made from."""


def trace(events: Iterable[Event]) -> Trace:
    """Fold the events of a process."""
    found = Trace()
    began: dict[str, float] = {}
    dying = False
    for event in events:
        data = event.data
        match event.kind:
            case Kind.STARTED:
                found.pid = data.get("pid")
            case Kind.TASK if not str(data.get("name", "")).startswith(_INTERNAL):
                task, node = str(data.get("id")), node_path(str(data.get("name")), str(data.get("ns") or ""))
                if data.get("phase") == "start":
                    if not dying:
                        found.begun[task], began[task] = node, event.t
                elif data.get("interrupts"):
                    found.asked.add(node)
                elif data.get("error") is None:
                    found.ended.add(task)
                    found.seconds[node] = max(found.seconds.get(node, 0.0), event.t - began.get(task, event.t))
            case Kind.GRAPH:
                found.functional = bool((data.get("drawing") or {}).get("functional"))
            case Kind.FAULT:
                found.struck = True
                dying = data.get("how") in (How.KILL, How.EXIT)  # what is announced behind it does not come to pass
            case Kind.END:
                found.outcome, found.reason = str(data.get("outcome", "")), str(data.get("reason", ""))
    return found


def node_path(name: str, ns: str) -> str:
    """A node with the nodes whose subgraphs it is in: ``research/search``, as faults name it.

    Args:
        name: Its name.
        ns: Namespace of its graph: ``research:<task id>|…``.
    """
    outer = [part.partition(":")[0] for part in ns.split("|") if part and not part.isdigit()]
    return "/".join([*outer, name])
