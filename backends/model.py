"""Frozen data that crosses threads: what a store holds, and what it means.

The first half is what the rows say; the second half (tasks, status) is what ``status`` concludes from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from .ids import unix_time
from .values import Value


class CheckpointKey(NamedTuple):
    """The primary key of a checkpoint."""

    thread_id: str
    ns: str
    checkpoint_id: str


@dataclass(frozen=True, slots=True)
class Blob:
    """A serialized value as stored.

    Attributes:
        type: The type tag (``msgpack``, ``json``, ``null``, ``msgpack+aes``, ...); ``None`` where the row has none.
        data: The bytes; ``None`` where the row has SQL NULL.
    """

    type: str | None
    data: bytes | None


@dataclass(frozen=True, slots=True)
class ThreadHead:
    """The newest checkpoint of a thread, without its state: what the thread list shows.

    Attributes:
        thread_id: The thread.
        ns: Namespace of the head: ``""``, or the newest namespace of a thread that has no root namespace.
        checkpoint_id: Newest checkpoint in ``ns``.
        newest_id: Newest checkpoint over all namespaces; later than ``checkpoint_id`` when a subgraph is ahead.
        metadata_json: The metadata of the head as stored, UTF-8 JSON; parsed on demand.
        step: Superstep of the head (-1 is the input); ``None`` where the metadata has none.
        source: ``input``, ``loop``, ``update`` or ``fork``; ``None`` where the metadata has none.
    """

    thread_id: str
    ns: str
    checkpoint_id: str
    newest_id: str
    metadata_json: bytes
    step: int | None
    source: str | None

    @property
    def key(self) -> CheckpointKey:
        """The key of the head checkpoint."""
        return CheckpointKey(self.thread_id, self.ns, self.checkpoint_id)

    @property
    def updated_at(self) -> float | None:
        """Unix time of the last activity, from the uuid6 id; ``None`` for ids that carry no time."""
        return unix_time(self.newest_id)

    @property
    def metadata(self) -> Mapping[str, Value]:
        """The metadata as a mapping; empty where it is missing or not a JSON object."""
        return parse_metadata(self.metadata_json)


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """One checkpoint in a thread's history, without its state.

    Attributes:
        key: Thread, namespace and id.
        parent_id: Parent checkpoint in the same namespace.
        metadata_json: As stored.
        step: Superstep, -1 for the input.
        source: ``input``, ``loop``, ``update`` or ``fork``.
        size: Bytes of the stored checkpoint (SQLite: the whole state; Postgres: the row without blobs).
    """

    key: CheckpointKey
    parent_id: str | None
    metadata_json: bytes
    step: int | None
    source: str | None
    size: int

    @property
    def created_at(self) -> float | None:
        """Unix time from the uuid6 id; ``None`` for ids that carry no time."""
        return unix_time(self.key.checkpoint_id)

    @property
    def metadata(self) -> Mapping[str, Value]:
        """The metadata as a mapping."""
        return parse_metadata(self.metadata_json)


@dataclass(frozen=True, slots=True)
class Write:
    """One row of the writes table, attached to the checkpoint that its superstep started from.

    Attributes:
        checkpoint_id: That checkpoint.
        task_id: The task, or ``NULL_TASK`` for a run-level command.
        task_path: Where the task comes from; ``None`` where the table has no such column.
        idx: Position in the task; negative for control rows (``__error__`` -1, ``__interrupt__`` -3).
        channel: Channel name.
        blob: The value; ``Blob(None, None)`` when it was not asked for.
    """

    checkpoint_id: str
    task_id: str
    task_path: str | None
    idx: int
    channel: str
    blob: Blob


NULL_TASK = "00000000-0000-0000-0000-000000000000"
"""Task id of run-level ``Command(resume/update/goto)`` writes."""


@dataclass(frozen=True, slots=True)
class RawCheckpoint:
    """A checkpoint and its writes as the rows hold them, nothing decoded.

    Attributes:
        key: Thread, namespace and id.
        parent_id: Parent checkpoint.
        checkpoint: SQLite: the serialized checkpoint. Postgres: its jsonb text with type ``json``.
        channel_blobs: Postgres: blobs of the channel versions that the checkpoint names; they win over inline values.
            Empty for SQLite.
        metadata_json: As stored.
        writes: Every write row of this checkpoint, ordered by (task_path, task_id, idx).
        parent_sends: Postgres, version < 4: ``__pregel_tasks`` rows of the parent (``postgres/base.py:123-132``).
        complete: False when only control channels were asked for (``Scope.CONTROL``).
    """

    key: CheckpointKey
    parent_id: str | None
    checkpoint: Blob
    channel_blobs: Mapping[str, Blob]
    metadata_json: bytes
    writes: tuple[Write, ...]
    parent_sends: tuple[Blob, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A decoded checkpoint with its pending writes.

    Attributes:
        key: Thread, namespace and id.
        parent_id: Parent checkpoint.
        version: Layout version ``v`` (1 to 4); ``None`` for hand-written rows without one.
        ts: ISO timestamp as stored.
        values: Channel values, internal channels included; DeltaChannel values are absent here unless the
            checkpoint holds a snapshot of them (see ``delta``).
        channel_versions: Version of every channel ever written.
        versions_seen: Per node, the channel versions that it last consumed.
        pending_sends: Sends of layouts < 4, decoded; newer ones are in ``values["__pregel_tasks"]``.
        updated_channels: Channels updated by the superstep, where recorded.
        metadata: Decoded metadata.
        writes: Raw writes; decode one with ``decode.decode``.
        problem: Why the checkpoint itself could not be decoded (encrypted, corrupt); ``None`` when it could.
        complete: False when only control channels were read.
    """

    key: CheckpointKey
    parent_id: str | None
    version: int | None
    ts: str | None
    values: Mapping[str, Value]
    channel_versions: Mapping[str, Value]
    versions_seen: Mapping[str, Mapping[str, Value]]
    pending_sends: tuple[Value, ...]
    updated_channels: tuple[str, ...] | None
    metadata: Mapping[str, Value]
    writes: tuple[Write, ...]
    problem: str | None = None
    complete: bool = True


class StatusName(StrEnum):
    """What a thread is doing, as far as it can be known."""

    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    CRASHED = "crashed"
    STALLED = "stalled"
    DONE = "done"
    UNKNOWN = "unknown"


ATTENTION = (
    StatusName.WAITING,
    StatusName.FAILED,
    StatusName.CRASHED,
    StatusName.STALLED,
    StatusName.CANCELLED,
    StatusName.PAUSED,
)
"""Statuses that want a person, most urgent first."""


class TaskState(StrEnum):
    """State of one task of a superstep."""

    DUE = "due"
    FINISHED = "finished"
    WAITING = "waiting"
    FAILED = "failed"
    HANDLED = "handled"


@dataclass(frozen=True, slots=True)
class Interrupt:
    """A pending question.

    Attributes:
        id: Interrupt id, stored or derived (``langgraph/types.py:583-640``); what an answer must name.
        value: The question, decoded.
        node: Node that asks; ``"?"`` where it cannot be told.
        task_id: Task that asks.
        ns: Namespace of that task as far as known.
        response_schema: JSON Schema of the answer, where the application gave one.
    """

    id: str
    value: Value
    node: str
    task_id: str
    ns: str
    response_schema: Value | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One task of the superstep that starts from a checkpoint.

    Attributes:
        id: Task id, where known.
        name: Node name; ``"?"`` where it cannot be told.
        kind: ``pull`` (triggered by channels), ``push`` (a Send), ``call`` (functional ``@task``) or ``handler``.
        path: Stored or derived task path.
        state: See ``TaskState``.
        interrupts: Questions of this task that are still pending.
        error: ``repr`` of the exception as stored, for failed and handled tasks.
        channels: Channels that its finished rows wrote.
        inferred: True where name or state was concluded rather than read.
    """

    id: str | None
    name: str
    kind: str
    path: str
    state: TaskState
    interrupts: tuple[Interrupt, ...] = ()
    error: str | None = None
    channels: tuple[str, ...] = ()
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a head checkpoint and its rows mean.

    Attributes:
        status: See ``StatusName``.
        reason: One line for a person: the question, the error, why it is not known. Untrusted text.
        next: Names of unfinished tasks, in LangGraph's order.
        tasks: Every task of the step.
        interrupts: Pending questions, deduplicated by id.
        errors: ``repr`` strings of unhandled errors.
        inferred: True where the conclusion rests on more than this thread's own rows can decide; shown with a ``?``.
    """

    status: StatusName
    reason: str
    next: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    interrupts: tuple[Interrupt, ...] = ()
    errors: tuple[str, ...] = ()
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """The part of an ``Analysis`` that the thread list keeps for every thread."""

    status: StatusName
    reason: str
    next: tuple[str, ...]
    interrupts: int
    inferred: bool


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread as the index holds it.

    Attributes:
        head: Its newest checkpoint.
        summary: Its status; ``None`` until it has been computed.
        checkpoints: Number of checkpoints over all namespaces; ``None`` until counted.
        size: Bytes of its checkpoints, writes and values as stored; ``None`` until measured.
    """

    head: ThreadHead
    summary: Summary | None = None
    checkpoints: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position in a store's change feed; opaque outside the store that made it."""

    token: tuple[object, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed since a cursor.

    Attributes:
        cursor: Where to go on from.
        changed: Threads with new checkpoints or new writes; their heads must be read again.
        reload: True when the feed cannot tell what changed (rows deleted, file replaced): read everything again.
        reason: Why a reload is needed, for the person.
    """

    cursor: Cursor
    changed: frozenset[str] = frozenset()
    reload: bool = False
    reason: str = ""


def parse_metadata(raw: bytes) -> Mapping[str, Value]:
    """Parse stored metadata.

    Args:
        raw: UTF-8 JSON as stored, possibly empty, possibly hostile.

    Returns:
        The object, or an empty mapping where there is none.
    """
    if not raw:
        return {}
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
