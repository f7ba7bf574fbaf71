"""Which nodes wrote each checkpoint: the tasks that left output rows on its parent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from .channels import BRANCH, START, target
from .decode import Decoder
from .due import next_step, send_node
from .model import NULL_TASK, CheckpointKey, CheckpointRow, Write
from .snapshot import PENDING_SENDS, read_snapshot
from .store import Scope, Store
from .task_ids import PULL, PUSH, TaskPath, parse_path, task_id
from .task_rows import CONTROL

_MAX_SENDS = 256
_MAX_JOINS = 4


def writers_of(store: Store, decoder: Decoder, thread_id: str) -> dict[CheckpointKey, tuple[str, ...]]:
    """Return the nodes that wrote each checkpoint of a thread; checkpoints that no node wrote are absent.

    Args:
        store: An open store.
        decoder: Decodes Sends, which name their nodes.
        thread_id: The thread.
    """
    history = store.history(thread_id)
    rows: dict[tuple[str, str], list[Write]] = defaultdict(list)
    for key, write in store.writes(thread_id):
        if write.task_id != NULL_TASK and write.channel not in CONTROL:
            rows[key.ns, key.checkpoint_id].append(write)
    names = _Names(store, decoder, thread_id, rows)
    parents = {(row.key.ns, row.key.checkpoint_id): row for row in history}
    found: dict[CheckpointKey, tuple[str, ...]] = {}
    for row in history:
        nodes = _from_metadata(row)
        parent = parents.get((row.key.ns, row.parent_id or ""))
        if not nodes and parent is not None and row.source == "loop" and _is_next(row, parent):
            nodes = names.of(parent, rows[row.key.ns, parent.key.checkpoint_id])
        if nodes:
            found[row.key] = nodes
    return found


def _from_metadata(row: CheckpointRow) -> tuple[str, ...]:
    """Nodes by ``metadata.writes``, which langgraph < 0.6 stored; ``{node: update}``, or ``None`` for nothing."""
    if b'"writes"' not in row.metadata_json:
        return ()
    writes = row.metadata.get("writes")
    if row.source == "input" or not isinstance(writes, dict):
        return ()
    return tuple(writes)


def _is_next(row: CheckpointRow, parent: CheckpointRow) -> bool:
    """Whether one superstep leads from a checkpoint to the next; with ``durability="exit"`` there may be many."""
    return row.step is None or parent.step is None or row.step == parent.step + 1


class _Names:
    """Finds node names for the write rows of one thread, reading as little as it can."""

    def __init__(
        self, store: Store, decoder: Decoder, thread_id: str, rows: Mapping[tuple[str, str], Sequence[Write]]
    ) -> None:
        self._store, self._decoder, self._thread_id = store, decoder, thread_id
        channels = {write.channel for writes in rows.values() for write in writes}
        self._joins = [name for name in channels if name.startswith("join:")]
        self._sends = PENDING_SENDS in channels
        self._targets = {name for name in map(target, channels) if name}
        self._sent: list[str] | None = None
        self._consumers: list[str] | None = None

    def of(self, parent: CheckpointRow, writes: Sequence[Write]) -> tuple[str, ...]:
        """Nodes of the superstep that started from ``parent``, in the order of their rows."""
        nodes: dict[str, None] = {}
        for task, path in {write.task_id: write.task_path for write in writes}.items():
            name = self._name(parent, task, parse_path(path or ""))
            if name:
                nodes[name] = None
        return tuple(nodes)

    def _name(self, parent: CheckpointRow, task: str, path: TaskPath) -> str:
        if path.kind == "pull":
            return path.node
        if path.kind == "handler" and path.node:
            return path.node
        if path.kind in ("push", "handler") and path.index is not None:
            proved = self._sent_to(parent, task, [path.index]) if path.kind == "push" else ""
            return proved or self._due_send(parent, path.index)
        if path.kind != "other":
            return ""
        return self._pulled(parent, task) or self._sent_to(parent, task, range(_MAX_SENDS))

    def _sent_to(self, parent: CheckpointRow, task: str, indexes: Iterable[int]) -> str:
        """The node of a Send, proved by the task id."""
        names = self._send_names()
        for index in indexes if names else ():
            for name in names:
                if _id(parent, name, PUSH, str(index)) == task:
                    return name
        return ""

    def _due_send(self, parent: CheckpointRow, index: int) -> str:
        """The node of a Send that no row holds (``durability="exit"``), read from the checkpoint."""
        raws = self._store.raw([parent.key], Scope.CONTROL)
        due = next_step(read_snapshot(raws[0], self._decoder)).due if raws else ()
        return next((task.name for task in due if task.index == index), "?")

    def _pulled(self, parent: CheckpointRow, task: str) -> str:
        """The node of a pull task without a path, proved by the task id."""
        known = (START, *sorted(self._targets))
        return self._proved(parent, task, known) or self._proved(parent, task, self._all_nodes())

    def _proved(self, parent: CheckpointRow, task: str, names: Iterable[str]) -> str:
        for name in names:
            joins = sorted(join for join in self._joins if target(join) == name)[:_MAX_JOINS]
            lists = [(START,)] + [
                (f"{BRANCH}{name}", *some) for size in range(len(joins) + 1) for some in combinations(joins, size)
            ]
            if any(_id(parent, name, PULL, *sorted(triggers)) == task for triggers in lists):
                return name
        return ""

    def _send_names(self) -> list[str]:
        if self._sent is None:
            rows = self._store.writes(self._thread_id, channels=[PENDING_SENDS], values=True) if self._sends else []
            self._sent = sorted({send_node(self._decoder.decode(write.blob)) for _, write in rows} - {"?"})
        return self._sent

    def _all_nodes(self) -> list[str]:
        """Nodes by ``versions_seen`` of the newest checkpoint, for entrypoints, which no row names."""
        if self._consumers is None:
            head = self._store.history(self._thread_id, limit=1)
            raws = self._store.raw([row.key for row in head], Scope.CONTROL)
            self._consumers = sorted({node for raw in raws for node in read_snapshot(raw, self._decoder).versions_seen})
        return self._consumers


def _id(parent: CheckpointRow, name: str, kind: str, *rest: str) -> str:
    step = (parent.step if parent.step is not None else -1) + 1
    return task_id(parent.key.checkpoint_id, parent.key.ns, step, name, kind, *rest)
