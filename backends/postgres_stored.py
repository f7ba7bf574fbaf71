"""SQL for all rows of a thread, page by page in the order of the key, each page a short transaction.

Checkpoints come first: what is added meanwhile can then only be a blob or a write that no checkpoint here needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from .model import Blob, Write
from .postgres_open import Row, Statement
from .postgres_schema import Schema, Table
from .stored import PAGE_BYTES, PAGE_ROWS, StoredBlob, StoredCheckpoint, StoredRow, StoredWrite, deleted_meanwhile

Read: TypeAlias = Callable[[Statement], list[list[Row]]]

_CHECKPOINT = ("checkpoint_ns", "checkpoint_id")
_BLOB = ("checkpoint_ns", "channel", "version")
_WRITE = ("checkpoint_ns", "checkpoint_id", "task_id", "idx")


def stored(read: Read, thread_id: str, schema: Schema) -> Iterator[StoredRow]:
    """Yield checkpoints, then blobs, then write rows.

    Raises:
        StoreError: Checkpoints were deleted meanwhile.
    """
    checkpoints = schema.checkpoints
    ((number,),) = read(Statement(f"SELECT count(*) FROM {checkpoints.sql} WHERE thread_id = %s", (thread_id,)))[0]
    rest = "parent_checkpoint_id, metadata, checkpoint"
    for ns, checkpoint_id, parent_id, metadata, body in _rows(
        read, thread_id, checkpoints, _CHECKPOINT, rest, "pg_column_size(checkpoint)"
    ):
        number -= 1
        yield StoredCheckpoint(ns, checkpoint_id, parent_id, Blob("json", body), metadata or b"")
    if number > 0:
        raise deleted_meanwhile(thread_id)
    size = "coalesce(octet_length(blob), 0)"
    if schema.blobs is not None:
        for ns, channel, version, kind, data in _rows(read, thread_id, schema.blobs, _BLOB, "type, blob", size):
            yield StoredBlob(ns, channel, version, Blob(kind, data))
    if schema.writes is not None:
        rest = f"{'task_path' if schema.has_task_path else 'NULL::text'} AS path, channel, type, blob"
        for ns, checkpoint_id, task_id, idx, path, channel, kind, data in _rows(
            read, thread_id, schema.writes, _WRITE, rest, size
        ):
            yield StoredWrite(ns, Write(checkpoint_id, task_id, path, idx, channel, Blob(kind, data)))


def _rows(read: Read, thread_id: str, table: Table, key: tuple[str, ...], rest: str, size: str) -> Iterator[Row]:
    """Rows by key; the server sums up the sizes, and sends no more than a page of them and one row."""
    columns, order = f"{', '.join(key)}, {rest}", ", ".join(key)
    after: tuple[object, ...] = ()
    while True:
        beyond = f"AND ({order}) > ({', '.join(['%s'] * len(key))})" if after else ""
        statement = Statement(
            f"""
            SELECT * FROM (
                SELECT {columns}, sum({size}) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING) - {size} AS bytes_before
                FROM (SELECT * FROM {table.sql} WHERE thread_id = %s {beyond} ORDER BY {order} LIMIT {PAGE_ROWS}) page
            ) sized WHERE bytes_before < {PAGE_BYTES} ORDER BY {order}""",
            (thread_id, *after),
        )
        (page,) = read(statement)
        if not page:
            return
        yield from (row[:-1] for row in page)
        after = page[-1][: len(key)]
