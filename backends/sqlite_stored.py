"""SQL for all rows of a thread, page by page; the rowids are remembered, so that rows added meanwhile are left out."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from .model import Blob, Write
from .sqlite_values import as_bytes, as_int, as_text, bind
from .stored import PAGE_BYTES, PAGE_ROWS, StoredCheckpoint, StoredRow, StoredWrite, deleted_meanwhile

T = TypeVar("T")

_CHECKPOINT = "checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata, type, checkpoint"
_WRITE = "checkpoint_ns, checkpoint_id, task_id, {path}, idx, channel, type, value"


def stored(read: Callable[..., Any], thread_id: str, task_path: bool) -> Iterator[StoredRow]:
    """Yield checkpoints, then write rows, in the order in which they were written.

    Args:
        read: Runs one of the functions below in a transaction of its own.
        thread_id: The thread.
        task_path: Whether ``writes.task_path`` exists.

    Raises:
        StoreError: Rows were deleted meanwhile.
    """
    write = _WRITE.format(path="task_path" if task_path else "null")
    for table, columns, make in (("checkpoints", _CHECKPOINT, _checkpoint), ("writes", write, _write)):
        rowids: array[int] = read(_rowids, table, thread_id)
        at = 0
        while at < len(rowids):
            page = read(_page, f"select {columns} from {table}", thread_id, rowids[at : at + PAGE_ROWS])
            at += len(page)
            yield from map(make, page)


def _rowids(connection: sqlite3.Connection, table: str, thread_id: str) -> array[int]:
    """Eight bytes a row; ``+`` keeps SQLite from walking the whole table in its order."""
    rows = connection.execute(
        f"select rowid from {table} where thread_id = cast(? as text) order by +rowid", (bind(thread_id),)
    )
    return array("q", (rowid for (rowid,) in rows))


def _page(connection: sqlite3.Connection, select: str, thread_id: str, rowids: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    size = 0
    for rowid in rowids:
        row = connection.execute(
            f"{select} where rowid = ? and thread_id = cast(? as text)", (rowid, bind(thread_id))
        ).fetchone()
        if row is None:
            raise deleted_meanwhile(thread_id)
        found.append(row)
        size += len(row[-1]) if isinstance(row[-1], bytes | str) else 0
        if size >= PAGE_BYTES:
            break
    return found


def _checkpoint(row: Sequence[Any]) -> StoredCheckpoint:
    ns, checkpoint_id, parent_id, metadata, kind, value = row
    return StoredCheckpoint(
        as_text(ns), as_text(checkpoint_id), _optional(parent_id), _blob(kind, value), as_bytes(metadata)
    )


def _write(row: Sequence[Any]) -> StoredWrite:
    ns, checkpoint_id, task_id, task_path, idx, channel, kind, value = row
    write = Write(
        as_text(checkpoint_id),
        as_text(task_id),
        _optional(task_path),
        as_int(idx),
        as_text(channel),
        _blob(kind, value),
    )
    return StoredWrite(as_text(ns), write)


def _blob(kind: Any, value: Any) -> Blob:
    return Blob(_optional(kind), None if value is None else as_bytes(value))


def _optional(value: Any) -> str | None:
    return None if value is None else as_text(value)
