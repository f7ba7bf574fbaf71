"""SQL for one thread's history and writes, and for whole checkpoints."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from .model import Blob, CheckpointKey, CheckpointRow, RawCheckpoint, Write
from .sqlite_values import as_bytes, as_int, as_text, bind, step_and_source
from .store import Scope

_NO_BLOB = Blob(None, None)

_KEY = "thread_id = cast(? as text) and checkpoint_ns = cast(? as text) and checkpoint_id = cast(? as text)"

_CONTROL = "(channel like '\\_\\_%' escape '\\' or instr(channel, ':'))"
"""Channels that status rests on: LangGraph's own names start with ``__`` or hold a ``:`` (``branch:to:x``)."""

_SIZE = "case typeof(checkpoint) when 'text' then length(cast(checkpoint as blob)) else length(checkpoint) end"
"""Bytes of the checkpoint; SQLite knows the length of a blob without reading it."""

_WRITE_VALUES = {
    "all": "type, value",
    "control": f"case when {_CONTROL} then type end, case when {_CONTROL} then value end",
    "none": "null, null",
}

_LAST_ROWID = 2**63 - 1

_IDS_AT_ONCE = 500
"""Parameters of one ``in`` list; SQLite's oldest default limit is 999."""


def history(
    connection: sqlite3.Connection, thread_id: str, ns: str | None, before: str | None, limit: int | None
) -> list[CheckpointRow]:
    """Return checkpoints of a thread without their state, newest first."""
    where, values = ["thread_id = cast(? as text)"], [bind(thread_id)]
    if ns is not None:
        where.append("checkpoint_ns = cast(? as text)")
        values.append(bind(ns))
    if before is not None:
        where.append("checkpoint_id < cast(? as text)")
        values.append(bind(before))
    rows = connection.execute(
        f"select checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata, {_SIZE} "
        f"from checkpoints where {' and '.join(where)} order by checkpoint_id desc, checkpoint_ns limit ?",
        (*values, -1 if limit is None else limit),
    )
    return [_checkpoint_row(thread_id, *row) for row in rows]


def _checkpoint_row(
    thread_id: str, ns: Any, checkpoint_id: Any, parent_id: Any, metadata: Any, size: Any
) -> CheckpointRow:
    stored = as_bytes(metadata)
    key = CheckpointKey(thread_id, as_text(ns), as_text(checkpoint_id))
    return CheckpointRow(key, _optional(parent_id), stored, *step_and_source(stored), size or 0)


def writes(
    connection: sqlite3.Connection,
    task_path: bool,
    thread_id: str,
    ns: str | None,
    checkpoint_ids: Sequence[str] | None,
    channels: Sequence[str] | None,
    values: bool,
) -> list[tuple[CheckpointKey, Write]]:
    """Return write rows of a thread, ordered by (ns, checkpoint_id, task_path, task_id, idx)."""
    where, parameters = ["thread_id = cast(? as text)"], [bind(thread_id)]
    if ns is not None:
        where.append("checkpoint_ns = cast(? as text)")
        parameters.append(bind(ns))
    if channels is not None:
        where.append(f"channel in ({', '.join(['cast(? as text)'] * len(channels))})")
        parameters.extend(map(bind, channels))
    found: list[tuple[CheckpointKey, Write]] = []
    columns = _write_columns(task_path, "all" if values else "none")
    for ids in _chunks(checkpoint_ids):
        narrowed = where if ids is None else [*where, f"checkpoint_id in ({', '.join(['cast(? as text)'] * len(ids))})"]
        rows = connection.execute(
            f"select {columns}, checkpoint_ns from writes where {' and '.join(narrowed)}",
            [*parameters, *map(bind, ids or ())],
        )
        for *columns_of_write, ns_of_write in rows:
            write = _write(columns_of_write)
            found.append((CheckpointKey(thread_id, as_text(ns_of_write), write.checkpoint_id), write))
    found.sort(key=lambda item: (item[0].ns, *_order(item[1])))
    return found


def raw(
    connection: sqlite3.Connection, task_path: bool, keys: Sequence[CheckpointKey], scope: Scope
) -> list[RawCheckpoint]:
    """Return checkpoints with their writes, in the order of ``keys``; missing ones are left out."""
    full = scope is Scope.FULL
    select_row = f"select parent_checkpoint_id, type, checkpoint, metadata from checkpoints where {_KEY}"
    select_writes = f"select {_write_columns(task_path, 'all' if full else 'control')} from writes where {_KEY}"
    found = []
    for key in keys:
        parameters = [bind(part) for part in key]
        row = connection.execute(select_row, parameters).fetchone()
        if row is None:
            continue
        rows = sorted(map(_write, connection.execute(select_writes, parameters)), key=_order)
        found.append(
            RawCheckpoint(
                key, _optional(row[0]), _blob(row[1], row[2]), {}, as_bytes(row[3]), tuple(rows), (), complete=full
            )
        )
    return found


def marked(
    connection: sqlite3.Connection, keys: Sequence[CheckpointKey], channels: Sequence[str]
) -> set[CheckpointKey]:
    """Return those of some checkpoints that have a write row of one of these channels."""
    names = ", ".join("?" * len(channels))
    sql = f"select 1 from writes where {_KEY} and cast(channel as text) in ({names}) limit 1"
    return {key for key in keys if connection.execute(sql, [*map(bind, key), *channels]).fetchone()}


def newest_keys(connection: sqlite3.Connection, below: int | None, limit: int) -> tuple[list[CheckpointKey], int]:
    """Return keys of the newest rows of the whole store, and the rowid to go on below.

    Args:
        connection: The store.
        below: Only rows with a smaller rowid; ``None`` starts at the newest.
        limit: At most so many.
    """
    rows = connection.execute(
        "select rowid, thread_id, checkpoint_ns, checkpoint_id from checkpoints where rowid < ? "
        "order by rowid desc limit ?",
        (_LAST_ROWID if below is None else below, limit),
    ).fetchall()
    keys = [CheckpointKey(as_text(row[1]), as_text(row[2]), as_text(row[3])) for row in rows]
    return keys, rows[-1][0] if rows else 0


def _write_columns(task_path: bool, values: str) -> str:
    path = "task_path" if task_path else "null"
    return f"checkpoint_id, task_id, {path}, idx, channel, {_WRITE_VALUES[values]}"


def _write(row: Sequence[Any]) -> Write:
    checkpoint_id, task_id, task_path, idx, channel, kind, value = row
    return Write(
        as_text(checkpoint_id),
        as_text(task_id),
        _optional(task_path),
        as_int(idx),
        as_text(channel),
        _blob(kind, value),
    )


def _order(write: Write) -> tuple[str, str, str, int]:
    """LangGraph's order within a checkpoint (``writes_sort_key``, ``langgraph/checkpoint/base/__init__.py``)."""
    return write.checkpoint_id, write.task_path or "", write.task_id, write.idx


def _blob(kind: Any, value: Any) -> Blob:
    if kind is None and value is None:
        return _NO_BLOB
    return Blob(_optional(kind), None if value is None else as_bytes(value))


def _optional(value: Any) -> str | None:
    return None if value is None else as_text(value)


def _chunks(ids: Sequence[str] | None) -> Iterator[Sequence[str] | None]:
    """Split a list of ids into what one statement takes; ``None`` (no restriction) stays whole."""
    if ids is None:
        yield None
        return
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]
