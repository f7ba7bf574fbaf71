"""Rows of an SQLite store, in one write transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from urllib.parse import quote

from ..errors import Refused, StoreBusy, StoreError, StoreUnreachable
from ..model import CheckpointKey
from ..sqlite_open import read_layout
from ..sqlite_values import bind
from ..stored import StoredCheckpoint, StoredRow, StoredWrite
from .rows import Count

BUSY_SECONDS = 5.0
"""How long a transaction waits for another writer; as long as the saver itself does (``sqlite3.connect``)."""

_TEXT = "cast(? as text)"
_OF_THREAD = "thread_id = cast(? as text)"
_OF_CHECKPOINT = f"{_OF_THREAD} and checkpoint_ns = cast(? as text) and checkpoint_id = cast(? as text)"
_CHECKPOINT = "checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata"
_WRITE = "checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value"


@contextmanager
def writing_sqlite(path: str) -> Iterator[SqliteRows]:
    """Connect to a file that exists, and hold its write lock until the end.

    Raises:
        Refused: The file cannot be written to.
        StoreError: It cannot be opened, or another writer holds it.
    """
    try:
        with closing(_connect(path)) as connection:
            rows = SqliteRows(connection, read_layout(connection, path).task_path)
            connection.execute("begin immediate")
            try:
                yield rows
                connection.execute("commit")
            finally:
                if connection.in_transaction:
                    connection.execute("rollback")
    except sqlite3.Error as error:
        raise _explain(error, path) from error


def vacuum_sqlite(path: str) -> None:
    """Write the file anew without its free pages; nobody else can write meanwhile.

    Raises:
        Refused: The file cannot be written to, or the disk has no room for the copy.
        StoreError: Someone else holds it.
    """
    try:
        with closing(_connect(path)) as connection:
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")
    except sqlite3.Error as error:
        raise _explain(error, path) from error


class SqliteRows:
    """The tables of a file; implements ``rows.Rows``.

    Args:
        connection: In a transaction.
        task_path: Whether ``writes.task_path`` exists.
    """

    def __init__(self, connection: sqlite3.Connection, task_path: bool) -> None:
        self._connection = connection
        self._task_path = task_path
        self._write = f"{_WRITE}, task_path" if task_path else _WRITE

    def count(self, thread_id: str) -> Count:
        """How many rows a thread has."""
        thread = bind(thread_id)
        counts = (
            self._connection.execute(f"select count(*) from {table} where {_OF_THREAD}", (thread,)).fetchone()[0]
            for table in ("checkpoints", "writes")
        )
        return Count(*counts)

    def copy_thread(self, source: str, target: str) -> Count:
        """Copy all rows of a thread, oldest first: the rowid is what tells newer rows from older ones."""
        both = bind(target), bind(source)
        return Count(
            self._run(_copy("checkpoints", _CHECKPOINT, f"{_OF_THREAD} order by rowid"), both),
            self._run(_copy("writes", self._write, f"{_OF_THREAD} order by rowid"), both),
        )

    def copy_checkpoints(
        self, source: str, target: str, keys: Sequence[CheckpointKey], bare: Sequence[CheckpointKey] = ()
    ) -> Count:
        """Copy some checkpoints, in the order of their ids."""
        checkpoints = writes = 0
        without = frozenset(bare)
        for key in sorted({*keys, *without}, key=lambda key: (key.checkpoint_id, key.ns)):
            which = bind(target), bind(source), bind(key.ns), bind(key.checkpoint_id)
            checkpoints += self._run(_copy("checkpoints", _CHECKPOINT, _OF_CHECKPOINT), which)
            if key not in without:
                writes += self._run(_copy("writes", self._write, f"{_OF_CHECKPOINT} order by rowid"), which)
        return Count(checkpoints, writes)

    def insert(self, thread_id: str, rows: Iterable[StoredRow]) -> Count:
        """Add rows to a thread as they stand; a task path is left out where the table has no column for it."""
        checkpoints = writes = 0
        for row in rows:
            if isinstance(row, StoredCheckpoint):
                texts = (thread_id, row.ns, row.checkpoint_id, row.parent_id, row.body.type)
                checkpoints += self._put("checkpoints", _CHECKPOINT, texts, (row.body.data, row.metadata or None))
            elif isinstance(row, StoredWrite):
                write = row.write
                task = (thread_id, row.ns, write.checkpoint_id, write.task_id)
                path = (write.task_path or "",) if self._task_path else ()
                value = (write.idx, write.channel, write.blob.type, write.blob.data, *path)
                writes += self._put("writes", self._write, task, value)
        return Count(checkpoints, writes)

    def newest(self, thread_id: str) -> str | None:
        """Newest checkpoint id of a thread."""
        found = self._connection.execute(
            f"select max(checkpoint_id) from checkpoints where {_OF_THREAD}", (bind(thread_id),)
        ).fetchone()
        return None if found[0] is None else str(found[0])

    def children(self, key: CheckpointKey) -> int:
        """How many checkpoints have this one for their parent."""
        of_parent = _OF_CHECKPOINT.replace("checkpoint_id", "parent_checkpoint_id")
        found = self._connection.execute(f"select count(*) from checkpoints where {of_parent}", _bound(key))
        return int(found.fetchone()[0])

    def remove_thread(self, thread_id: str) -> Count:
        """Delete all rows of a thread."""
        thread = (bind(thread_id),)
        checkpoints = self._run(f"delete from checkpoints where {_OF_THREAD}", thread)
        return Count(checkpoints, self._run(f"delete from writes where {_OF_THREAD}", thread))

    def remove_checkpoint(self, key: CheckpointKey) -> None:
        """Delete one checkpoint and its write rows."""
        self._run(f"delete from checkpoints where {_OF_CHECKPOINT}", _bound(key))
        self._run(f"delete from writes where {_OF_CHECKPOINT}", _bound(key))

    def remove_checkpoints(self, keys: Sequence[CheckpointKey]) -> Count:
        """Delete checkpoints and their write rows."""
        checkpoints = writes = 0
        for key in keys:
            checkpoints += self._run(f"delete from checkpoints where {_OF_CHECKPOINT}", _bound(key))
            writes += self._run(f"delete from writes where {_OF_CHECKPOINT}", _bound(key))
        return Count(checkpoints, writes)

    def remove_update(self, key: CheckpointKey, task_ids: Sequence[str]) -> None:
        """Delete the write rows that ``update_state`` left on the checkpoint that it started from."""
        own = ["task_id = ?"] * len(task_ids)
        if self._task_path:
            own.append("task_path like '~\\_\\_interrupt\\_\\_,%' escape '\\'")
        if own:
            where = f"{_OF_CHECKPOINT} and ({' or '.join(own)})"
            self._run(f"delete from writes where {where}", (*_bound(key), *task_ids))

    def _put(
        self, table: str, columns: str, texts: Sequence[str | None], more: Sequence[str | int | bytes | None]
    ) -> int:
        """Insert a row: ``texts`` as text, then ``more``, of which only bytes are no text."""
        marks = [_TEXT] * len(texts) + [_TEXT if isinstance(value, str) else "?" for value in more]
        values = [bind(value) if isinstance(value, str) else value for value in (*texts, *more)]
        self._connection.execute(f"insert into {table} (thread_id, {columns}) values ({', '.join(marks)})", values)
        return 1

    def _run(self, sql: str, parameters: Sequence[str | bytes]) -> int:
        return self._connection.execute(sql, parameters).rowcount


def _copy(table: str, columns: str, where: str) -> str:
    return f"insert into {table} (thread_id, {columns}) select cast(? as text), {columns} from {table} where {where}"


def _bound(key: CheckpointKey) -> tuple[str | bytes, ...]:
    return tuple(bind(part) for part in key)


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    connection.execute("pragma trusted_schema = off")
    return connection


def _explain(error: sqlite3.Error, path: str) -> StoreError | Refused:
    name, code = os.path.basename(path), (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(f"Another writer holds {name} for more than {BUSY_SECONDS:g} s.", "Try again.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return Refused(f"{name} cannot be written to: {error}.", "Check its permissions and those of its directory.")
    if code == sqlite3.SQLITE_CONSTRAINT:
        return Refused(f"{name} does not take these rows: {error}.", "Nothing was written.")
    return StoreUnreachable(f"{name} cannot be written to: {error}.", "Nothing was written.")
