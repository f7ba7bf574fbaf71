"""What a whole store shows of its graphs, for checkpoints that alone do not tell which tasks are due.

``versions_seen`` of a checkpoint lists, over the life of its thread, which node consumed which channel: most of the
graph's edges. Threads of the same graph have the same channels, so that one thread's edges complete another's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .channels import JOIN, NOT_NODES, START, is_old, is_raw_pregel, old_target, target, unseen
from .model import Snapshot

_ALIKE = 0.5
"""Share of common channels from which on two threads count as runs of one graph."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one thread, or several with the same channels, shows of its graph.

    Attributes:
        channels: Every channel that was ever written.
        consumed: Pairs (channel, node) of what a node was triggered by.
        functions: ``@task`` functions of a functional graph: they have run but consume nothing.
    """

    channels: frozenset[str]
    consumed: frozenset[tuple[str, str]]
    functions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Topology:
    """The shapes of all graphs in a store; ``learn`` makes one.

    Attributes:
        shapes: One for each set of channels.
    """

    shapes: tuple[Shape, ...] = ()
    _alike: dict[frozenset[str], list[Shape]] = field(default_factory=dict, compare=False, repr=False)

    def triggered(self, snapshot: Snapshot) -> Iterator[tuple[str, bool]]:
        """Nodes that are due by channels that do not name them: old layouts, and graphs that are no StateGraph.

        Yields:
            A node, and whether the thread's own rows say so (otherwise its siblings do).
        """
        own = _shape(snapshot).consumed
        siblings = frozenset[tuple[str, str]]().union(*(shape.consumed for shape in self._related(snapshot)))
        for channel in snapshot.channel_versions:
            if channel not in snapshot.values or channel == START or target(channel):
                continue
            named = old_target(channel) if is_old(snapshot) else None
            for node in [named] if named else _consumers(own | siblings, channel):
                if unseen(snapshot, channel, node):
                    yield node, bool(named) or (channel, node) in own

    def doubt(self, snapshot: Snapshot) -> str:
        """Say why tasks may be missing from ``triggered``; empty where nothing can be."""
        if is_raw_pregel(snapshot):
            return "not a StateGraph: which node runs next is concluded from earlier runs"
        ends = [name for name in finished_nodes(snapshot) if not self._follows(snapshot, name)]
        if not ends:
            return ""
        version = "" if snapshot.version is None else f" v{snapshot.version}"
        return f"old layout{version}: nothing in the store shows what follows {ends[0]!r}"

    def entrypoints(self, snapshot: Snapshot) -> frozenset[str]:
        """Nodes that consume a new input, over all graphs: ``__start__``, or entrypoints of functional graphs."""
        return frozenset(node for shape in self.shapes for channel, node in shape.consumed if channel == START)

    def joins(self, snapshot: Snapshot, node: str) -> frozenset[str]:
        """Join channels that trigger a node, in this thread or its siblings."""
        shapes = (*self._related(snapshot), _shape(snapshot))
        return frozenset(
            name for shape in shapes for name in shape.channels if name.startswith(JOIN) and target(name) == node
        )

    def triggers_of(self, snapshot: Snapshot, node: str) -> list[str]:
        """Channels that a node was ever triggered by, in this thread or its siblings."""
        shapes = (*self._related(snapshot), _shape(snapshot))
        return sorted({name for shape in shapes for name, consumer in shape.consumed if consumer == node})

    def functions(self) -> frozenset[str]:
        """``@task`` functions of all functional graphs."""
        return frozenset[str]().union(*(shape.functions for shape in self.shapes))

    def _follows(self, snapshot: Snapshot, node: str) -> bool:
        shapes = (*self._related(snapshot), _shape(snapshot))
        return any(channel == node for shape in shapes for channel, _ in shape.consumed)

    def _related(self, snapshot: Snapshot) -> list[Shape]:
        names = frozenset(snapshot.channel_versions)
        if names not in self._alike:
            self._alike[names] = [shape for shape in self.shapes if _alike(shape.channels, names)]
        return self._alike[names]


def learn(snapshots: Iterable[Snapshot]) -> Topology:
    """Collect what checkpoints show of their graphs.

    Args:
        snapshots: Checkpoints of the store, in any order; the newest of a thread tells all that the thread knows.
    """
    shapes: dict[frozenset[str], Shape] = {}
    for snapshot in snapshots:
        new = _shape(snapshot)
        known = shapes.get(new.channels)
        shapes[new.channels] = (
            new
            if known is None
            else Shape(new.channels, known.consumed | new.consumed, known.functions | new.functions)
        )
    return Topology(tuple(shapes.values()))


def finished_nodes(snapshot: Snapshot) -> list[str]:
    """Nodes that the last superstep finished, in layouts where each writes a channel of its own name when it does."""
    if not is_old(snapshot):
        return []
    return [name for name in snapshot.versions_seen if name in snapshot.values and name in snapshot.channel_versions]


def _shape(snapshot: Snapshot) -> Shape:
    nodes = {node: seen for node, seen in snapshot.versions_seen.items() if node not in NOT_NODES}
    return Shape(
        frozenset(snapshot.channel_versions),
        frozenset((channel, node) for node, seen in nodes.items() for channel in seen),
        frozenset(node for node, seen in nodes.items() if not seen),
    )


def _consumers(consumed: frozenset[tuple[str, str]], channel: str) -> list[str]:
    return sorted(node for name, node in consumed if name == channel)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    common = len(one & other)
    return common > 0 and (common == min(len(one), len(other)) or common / len(one | other) >= _ALIKE)
