"""Which tasks the superstep after a checkpoint consists of, from its channels alone.

LangGraph asks the compiled graph (``langgraph/pregel/_algo.py:392-510``). The rows say the same, because the trigger
channels of a StateGraph carry the name of the node that they trigger.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from .channels import BRANCH, NOT_NODES, START, available, is_old, is_raw_pregel, target, unseen
from .model import NULL_TASK, Snapshot
from .snapshot import PENDING_SENDS
from .task_ids import parse_path
from .topology import Topology
from .values import Encrypted, Typed, Undecodable, Value

Slot: TypeAlias = tuple[str, str | int]
"""``("pull", node)`` or ``("push", index)``."""


@dataclass(frozen=True, slots=True)
class Due:
    """A task of the superstep that starts from a checkpoint.

    Attributes:
        kind: ``pull`` or ``push`` (a Send).
        name: Node; ``"?"`` for a Send that cannot be read.
        index: Position of the Send in the step; ``None`` for a pull.
        starts: True for the task that consumes a new input.
        inferred: True where it was concluded from other threads or from an old layout.
    """

    kind: str
    name: str
    index: int | None = None
    starts: bool = False
    inferred: bool = False

    @property
    def slot(self) -> Slot:
        """What tells it from the other tasks of its step."""
        return self.kind, self.name if self.index is None else self.index


@dataclass(frozen=True, slots=True)
class Step:
    """The superstep after a checkpoint.

    Attributes:
        due: Its tasks: Sends in their order, then nodes by name, as LangGraph runs them.
        doubt: Why tasks may be missing or misnamed here; empty where the channels tell all.
        unreadable: Why a channel that may hold tasks could not be read; empty where all could.
    """

    due: tuple[Due, ...]
    doubt: str = ""
    unreadable: str = ""


def next_step(snapshot: Snapshot, topology: Topology | None = None, started: Collection[str] = ()) -> Step:
    """Work out the tasks of the superstep that starts from a checkpoint.

    Args:
        snapshot: The checkpoint; with all channels where the layout is old or the graph is no StateGraph.
        topology: What the whole store shows of its graphs; used only where this checkpoint alone does not tell.
        started: Nodes known to have started, from the namespaces of their subgraphs.
    """
    sends = tuple(Due("push", send_node(send), index) for index, send in enumerate(_sends(snapshot)))
    nodes = {name: Due("pull", name) for name in _triggered(snapshot)}
    if START in snapshot.values:
        entry = _entrypoint(snapshot, topology)
        if entry is not None:
            nodes[entry.name] = entry
    doubt = ""
    if is_old(snapshot) or is_raw_pregel(snapshot):
        known = topology or Topology()
        for name, sure in known.triggered(snapshot):
            nodes.setdefault(name, Due("pull", name, inferred=not sure))
        for name in started:
            nodes[name] = Due("pull", name)
        doubt = known.doubt(snapshot)
    return Step(sends + tuple(nodes[name] for name in sorted(nodes)), doubt, _unreadable(snapshot))


def send_node(send: Value) -> str:
    """Return the node that a decoded Send goes to, ``"?"`` where it cannot be read."""
    data = send.data if isinstance(send, Typed) else send
    if isinstance(data, dict) and isinstance(data.get("kwargs"), dict):
        data = data["kwargs"]
    node = data.get("node") if isinstance(data, dict) else data[0] if isinstance(data, list) and data else None
    return node if isinstance(node, str) else "?"


def _unreadable(snapshot: Snapshot) -> str:
    """Why a trigger channel could not be read; with ``langgraph-checkpoint-postgres`` each is encrypted on its own."""
    for channel, value in snapshot.values.items():
        if isinstance(value, Encrypted | Undecodable) and (channel == PENDING_SENDS or target(channel)):
            return f"{channel} cannot be read: {value.reason}"
    return ""


def _sends(snapshot: Snapshot) -> list[Value]:
    """Sends that wait in the checkpoint; a ``Command(goto=Send(...))`` given with a resume replaces them."""
    stored = snapshot.values.get(PENDING_SENDS)
    if isinstance(stored, list) and stored:
        return stored
    return list(snapshot.pending_sends)


def _triggered(snapshot: Snapshot) -> Iterator[str]:
    """Nodes whose own trigger channels are set and not consumed, and targets of a ``Command(goto=...)``."""
    values = snapshot.values
    for channel in snapshot.channel_versions:
        if channel in values:
            node = target(channel)
            if node is not None and available(channel, values[channel]) and unseen(snapshot, channel, node):
                yield node
    for write in snapshot.writes:
        if write.task_id == NULL_TASK and write.channel.startswith(BRANCH):
            yield write.channel[len(BRANCH) :]


def _entrypoint(snapshot: Snapshot, topology: Topology | None) -> Due | None:
    """The task that consumes a new input: ``__start__``, or the entrypoint of a functional graph, by its own name."""
    consumers = [node for node, seen in snapshot.versions_seen.items() if START in seen and node not in NOT_NODES]
    if consumers:
        name = consumers[0]
        return Due("pull", name, starts=True) if any(unseen(snapshot, START, node) for node in consumers) else None
    running = _running_entrypoint(snapshot)
    if running is not None:
        return Due("pull", running, starts=True)
    names = topology.entrypoints(snapshot) if topology is not None else frozenset()
    if not names or names == {START}:
        return Due("pull", START, starts=True)
    return Due("pull", next(iter(names)) if len(names) == 1 else START, starts=True, inferred=True)


def _running_entrypoint(snapshot: Snapshot) -> str | None:
    """The entrypoint that task paths name, before it has finished once."""
    for write in snapshot.writes:
        if write.task_path:
            path = parse_path(write.task_path)
            if path.kind in ("pull", "call") and path.node:
                return path.node
    return None
