"""The JSON shapes of what the commands print; values of the application in the lossless form of ``present.to_json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backends.ids import unix_time
from backends.model import Analysis, CheckpointRow, Interrupt, StatusName, Task, ThreadHead

from .output import Record, timestamp
from .selection import Listed

if TYPE_CHECKING:
    from backends.diff import Change


def thread_record(listed: Listed) -> Record:
    """A thread, as ``ls`` and ``watch`` tell it."""
    head, analysis = listed.head, listed.analysis
    return {
        "thread_id": head.thread_id,
        **status_fields(analysis),
        "step": head.step,
        "source": head.source,
        "updated_at": timestamp(head.updated_at),
        "created_at": timestamp(unix_time(listed.created_id)),
        "checkpoints": listed.checkpoints,
        "interrupts": [brief_interrupt(interrupt) for interrupt in analysis.interrupts],
        "error": error_of(analysis),
        "running_by": running_by(analysis),
        "metadata": values(head.metadata),
    }


def status_fields(analysis: Analysis) -> dict[str, Any]:
    """Status, reason, next, and whether they were concluded rather than read."""
    return {
        "status": analysis.status.value,
        "inferred": analysis.inferred,
        "reason": analysis.reason,
        "next": list(analysis.next),
    }


def running_by(analysis: Analysis) -> str | None:
    """Who runs a thread now, in one line."""
    return analysis.reason if analysis.status is StatusName.RUNNING else None


def error_of(analysis: Analysis) -> str | None:
    """The unhandled errors of a thread in one text."""
    return "; ".join(analysis.errors) or None


def brief_interrupt(interrupt: Interrupt) -> Record:
    """A pending question, as a list of threads tells it."""
    return {"id": interrupt.id, "value": values(interrupt.value), "node": interrupt.node}


def inbox_record(head: ThreadHead, interrupt: Interrupt, running: str | None, now: float) -> Record:
    """A pending question with all that is needed to answer it; ``running`` is who runs its thread just now."""
    asked = head.updated_at
    return {
        "thread_id": head.thread_id,
        **brief_interrupt(interrupt),
        "ns": interrupt.ns,
        "asked_at": timestamp(asked),
        "age": None if asked is None else round(max(0.0, now - asked), 3),
        "response_schema": values(interrupt.response_schema),
        "running_by": running,
    }


def checkpoint_record(row: CheckpointRow, nodes: Sequence[str]) -> Record:
    """A checkpoint of a thread's history."""
    return {
        "id": row.key.checkpoint_id,
        "parent": row.parent_id,
        "ns": row.key.ns,
        "step": row.step,
        "source": row.source,
        "nodes": list(nodes),
        "created_at": timestamp(row.created_at),
        "size": row.size,
    }


def task_record(task: Task) -> Record:
    """A task of a step."""
    return {
        "id": task.id,
        "name": task.name,
        "kind": task.kind,
        "path": task.path,
        "state": task.state.value,
        "interrupts": [brief_interrupt(interrupt) for interrupt in task.interrupts],
        "error": task.error,
        "channels": list(task.channels),
        "inferred": task.inferred,
    }


def change_record(change: Change) -> Record:
    """A difference between two states."""
    return {
        "op": change.op,
        "path": [values(part) for part in change.path],
        "old": values(change.old),
        "new": values(change.new),
    }


def values(value: Any) -> Any:
    """A decoded value as JSON; plain and empty ones without loading what the others need."""
    if value is None or value is True or value is False or type(value) is str:
        return value
    if isinstance(value, Mapping) and all(_plain(key, item) for key, item in value.items()):
        return dict(value)
    from backends.present import to_json

    return to_json(value)


def _plain(key: Any, item: Any) -> bool:
    """Whether an entry is the same in JSON; a key with ``$`` would be taken for a mark when it is read back."""
    return type(key) is str and not key.startswith("$") and type(item) in (str, int, bool)
