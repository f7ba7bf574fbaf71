"""Rows of a PostgreSQL store, in one write transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import Refused, StoreError
from ..model import CheckpointKey
from ..postgres_errors import Place, not_answered
from ..postgres_open import Row, Session
from ..postgres_schema import Schema, Table, inspect
from ..stored import StoredBlob, StoredCheckpoint, StoredRow
from ..text import one_line
from .rows import Count

if TYPE_CHECKING:
    import psycopg

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE; SET LOCAL lock_timeout = '5s'"
_CHECKPOINT = "checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata"
_WRITE = "checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob"
_BLOB = "checkpoint_ns, channel, version, type, blob"
_KEYS = "(checkpoint_ns, checkpoint_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
_OF_CHECKPOINT = "thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = %s"
_VERSIONS = (
    "jsonb_each_text(CASE WHEN jsonb_typeof(c.checkpoint->'channel_versions') = 'object'"
    " THEN c.checkpoint->'channel_versions' ELSE '{}' END) AS v(channel, version)"
)


@contextmanager
def writing_postgres(dsn: str) -> Iterator[PostgresRows]:
    """Connect, and run one transaction.

    Raises:
        Refused: The role may not write, or the server does not take these rows.
        StoreError: It cannot be reached, or gave up. No psycopg error is its context: that may quote the DSN.
    """
    import psycopg

    with closing(Session(dsn)) as session:
        schema = inspect(session)
        connection, settings = session.own_connection()
        failure: psycopg.Error | None = None
        with closing(connection):
            try:
                connection.execute(_BEGIN.encode())
                if settings is not None:
                    connection.execute(settings.sql.encode(), settings.parameters)
                yield PostgresRows(connection, schema)
                connection.execute(b"COMMIT")
            except psycopg.Error as error:
                failure = error
        if failure is not None:
            raise _explain(failure, session.place)


class PostgresRows:
    """The tables of a database; implements ``rows.Rows``.

    Args:
        connection: In a transaction.
        schema: Its tables.
    """

    def __init__(self, connection: psycopg.Connection[Row], schema: Schema) -> None:
        self._connection = connection
        self._schema = schema
        self._write = f"{_WRITE}, task_path" if schema.has_task_path else _WRITE

    def count(self, thread_id: str) -> Count:
        """How many rows a thread has."""
        _require_possible(thread_id)
        return Count(*(self._count(table, thread_id) for table in (self._schema.checkpoints, self._schema.writes)))

    def copy_thread(self, source: str, target: str) -> Count:
        """Copy all rows of a thread."""
        of_source, who = "WHERE thread_id = %s", (target, source)
        schema = self._schema
        return self._copied(
            self._run(_copy(schema.blobs, _BLOB, of_source), who),
            self._run(_copy(schema.checkpoints, _CHECKPOINT, of_source), who),
            self._run(_copy(schema.writes, self._write, of_source), who),
        )

    def copy_checkpoints(
        self, source: str, target: str, keys: Sequence[CheckpointKey], bare: Sequence[CheckpointKey] = ()
    ) -> Count:
        """Copy some checkpoints, and those blobs that they name."""
        schema, without = self._schema, frozenset(bare)
        every = [*without, *(key for key in keys if key not in without)]
        where = f"WHERE thread_id = %s AND {_KEYS}"
        some = (target, source, *_columns(every))
        named = (
            f"WHERE thread_id = %s AND (checkpoint_ns, channel, version) IN (SELECT c.checkpoint_ns, v.channel,"
            f" v.version FROM {schema.checkpoints.sql} c, {_VERSIONS} WHERE c.thread_id = %s AND {_KEYS})"
        )
        with_writes = (target, source, *_columns(every[len(without) :]))
        return self._copied(
            self._run(_copy(schema.blobs, _BLOB, named), (target, source, *some[1:])),
            self._run(_copy(schema.checkpoints, _CHECKPOINT, where), some),
            self._run(_copy(schema.writes, self._write, where), with_writes),
        )

    def insert(self, thread_id: str, rows: Iterable[StoredRow]) -> Count:
        """Add rows to a thread as they stand; a task path is left out where the table has no column for it."""
        checkpoints = writes = 0
        for row in rows:
            if isinstance(row, StoredCheckpoint):
                texts = (thread_id, row.ns, row.checkpoint_id, row.parent_id, None)
                body, metadata = _json_text(row.body.data or b"null"), _json_text(row.metadata or b"{}")
                self._put(self._schema.checkpoints, _CHECKPOINT, (*texts, body, metadata))
                checkpoints += 1
            elif isinstance(row, StoredBlob):
                named = (thread_id, row.ns, row.channel, row.version, row.blob.type, row.blob.data)
                self._put(self._schema.blobs, _BLOB, named)
            else:
                write, path = row.write, (row.write.task_path or "",) if self._schema.has_task_path else ()
                key = (thread_id, row.ns, write.checkpoint_id, write.task_id, write.idx)
                value = (write.channel, write.blob.type, write.blob.data)
                self._put(self._schema.writes, self._write, (*key, *value, *path))
                writes += 1
        return Count(checkpoints, writes)

    def newest(self, thread_id: str) -> str | None:
        """Newest checkpoint id of a thread."""
        sql = f"SELECT max(checkpoint_id) FROM {self._schema.checkpoints.sql} WHERE thread_id = %s"
        found: str | None = self._one(sql, (thread_id,))
        return found

    def children(self, key: CheckpointKey) -> int:
        """How many checkpoints have this one for their parent."""
        of_parent = _OF_CHECKPOINT.replace("checkpoint_id", "parent_checkpoint_id")
        return int(self._one(f"SELECT count(*) FROM {self._schema.checkpoints.sql} WHERE {of_parent}", key))

    def remove_thread(self, thread_id: str) -> Count:
        """Delete all rows of a thread."""
        tables = (self._schema.blobs, self._schema.checkpoints, self._schema.writes)
        return self._copied(*(self._run(_delete(table, "thread_id = %s"), (thread_id,)) for table in tables))

    def remove_checkpoint(self, key: CheckpointKey) -> None:
        """Delete one checkpoint, its write rows, and the blobs that no other checkpoint names."""
        schema, table = self._schema, self._schema.checkpoints.sql
        named = f"SELECT v.channel, v.version FROM {table} c, {_VERSIONS} WHERE c.thread_id = %s"
        own = f"{named} AND c.checkpoint_ns = %s AND c.checkpoint_id = %s"
        others = f"{named} AND c.checkpoint_ns = %s AND c.checkpoint_id <> %s"
        self._run(
            _delete(
                schema.blobs, f"thread_id = %s AND checkpoint_ns = %s AND (channel, version) IN ({own} EXCEPT {others})"
            ),
            (key.thread_id, key.ns, *key, *key),
        )
        self._run(_delete(schema.checkpoints, _OF_CHECKPOINT), key)
        self._run(_delete(schema.writes, _OF_CHECKPOINT), key)

    def remove_checkpoints(self, keys: Sequence[CheckpointKey]) -> Count:
        """Delete checkpoints of one thread, their write rows, and the blobs that no other checkpoint names."""
        if not keys:
            return Count(0, 0)
        schema, thread = self._schema, keys[0].thread_id
        which = (thread, *_columns(keys))
        named = (
            f"SELECT c.checkpoint_ns, v.channel, v.version FROM {schema.checkpoints.sql} c, {_VERSIONS}"
            " WHERE c.thread_id = %s AND"
        )
        orphans = f"({named} {_KEYS} EXCEPT {named} NOT {_KEYS})"
        unnamed = f"thread_id = %s AND (checkpoint_ns, channel, version) IN {orphans}"
        blobs = self._run(_delete(schema.blobs, unnamed), (thread, *which, *which))
        checkpoints = self._run(_delete(schema.checkpoints, f"thread_id = %s AND {_KEYS}"), which)
        writes = self._run(_delete(schema.writes, f"thread_id = %s AND {_KEYS}"), which)
        return self._copied(blobs, checkpoints, writes)

    def remove_update(self, key: CheckpointKey, task_ids: Sequence[str]) -> None:
        """Delete the write rows that ``update_state`` left on the checkpoint that it started from."""
        path = r" OR task_path LIKE '~\_\_interrupt\_\_,%%'" if self._schema.has_task_path else ""
        where = f"{_OF_CHECKPOINT} AND (task_id = ANY (%s){path})"
        self._run(_delete(self._schema.writes, where), (*key, list(task_ids)))

    def _put(self, table: Table | None, columns: str, values: Sequence[str | int | bytes | None]) -> None:
        if table is None:
            raise Refused("The database has no table for these rows: its schema is too old.", "Run setup() on it.")
        for value in values:
            if isinstance(value, str):
                _require_possible(value)
        marks = ", ".join(["%s"] * len(values))
        self._run(f"INSERT INTO {table.sql} (thread_id, {columns}) VALUES ({marks})", values)

    def _count(self, table: Table | None, thread_id: str) -> int:
        if table is None:
            return 0
        return int(self._one(f"SELECT count(*) FROM {table.sql} WHERE thread_id = %s", (thread_id,)))

    def _one(self, sql: str, parameters: Sequence[object]) -> Any:
        row = self._connection.execute(sql.encode(), parameters).fetchone()
        return None if row is None else row[0]

    def _run(self, sql: str, parameters: Sequence[object]) -> int:
        return self._connection.execute(sql.encode(), parameters).rowcount if sql else 0

    @staticmethod
    def _copied(_blobs: int, checkpoints: int, writes: int) -> Count:
        return Count(checkpoints, writes)


def _copy(table: Table | None, columns: str, where: str) -> str:
    """Copy rows to another thread; nothing to do where an old store has no such table."""
    if table is None:
        return ""
    return f"INSERT INTO {table.sql} (thread_id, {columns}) SELECT %s, {columns} FROM {table.sql} {where}"


def _delete(table: Table | None, where: str) -> str:
    return "" if table is None else f"DELETE FROM {table.sql} WHERE {where}"


def _json_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _impossible("bytes that are no UTF-8") from error


def _require_possible(text: str) -> None:
    """Make sure that PostgreSQL can hold a text.

    Raises:
        Refused: It cannot.
    """
    if "\x00" in text:
        raise _impossible("a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _impossible("half a surrogate pair") from error


def _impossible(what: str) -> Refused:
    return Refused(f"PostgreSQL cannot hold {what} in text.", "The thread can be kept in an SQLite store.")


def _columns(keys: Sequence[CheckpointKey]) -> tuple[list[str], list[str]]:
    return [key.ns for key in keys], [key.checkpoint_id for key in keys]


def _explain(error: psycopg.Error, place: Place) -> StoreError | Refused:
    detail = place.mask(str(error).splitlines()[0] if str(error) else type(error).__name__)
    match error.sqlstate or "":
        case "42501":
            return Refused(
                f"The role {one_line(place.user)} may not write: {detail}.",
                "The owner of the tables can GRANT INSERT, UPDATE, DELETE on them.",
            )
        case "25006":
            return Refused(f"The server at {place} takes no writes: {detail}.", "It may be a replica.")
        case state if state[:2] in ("22", "23"):
            return Refused(f"The database does not take these rows: {detail}.", "Nothing was written.")
    return not_answered(error, place, lost=error.sqlstate is None)
