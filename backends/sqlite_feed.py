"""The change feed of an SQLite store: ``PRAGMA data_version`` says that something changed, ``rowid`` says what.

Rows are never updated in place: savers use ``INSERT OR REPLACE``, which gives the row a new rowid above all others, and
``INSERT OR IGNORE``. Rowids are reused after deletions and renumbered by VACUUM: the identity of the last row is
checked, and rows are counted now and then, because nothing else tells of a deletion in the middle.
"""

from __future__ import annotations

import sqlite3
import time
from itertools import count
from typing import Any, NamedTuple

from .model import Cursor, Delta
from .sqlite_values import bind

_serials = count(1)

_COUNT_SHARE = 50
"""Counting may take one part in so many of the time."""

_DELETED = "Checkpoints were deleted or replaced."


class _Row(NamedTuple):
    """A row as a cursor remembers it: its rowid and its primary key."""

    rowid: int
    key: tuple[Any, ...]


class _Position(NamedTuple):
    """What a cursor's token holds.

    Attributes:
        connection: Serial number of the feed: ``data_version`` means nothing on another connection.
        version: ``PRAGMA data_version``.
        checkpoint: Last row of ``checkpoints``; ``None`` for an empty table.
        write: Last row of ``writes``.
        free_pages: ``PRAGMA freelist_count``; inserting never makes it grow.
        rows: Rows in ``checkpoints`` as far as known.
    """

    connection: int
    version: int
    checkpoint: _Row | None
    write: _Row | None
    free_pages: int
    rows: int | None


class ChangeFeed:
    """Follows one connection; every call is to run inside one read transaction.

    Cursors carry over to the feed of another connection to the same file.

    Args:
        connection: The connection.
        previous: The feed that this one takes over from.
    """

    def __init__(self, connection: sqlite3.Connection, previous: ChangeFeed | None = None) -> None:
        self._connection = connection
        self._counted: tuple[_Row | None, int] | None = previous._counted if previous else None
        key = ("thread_id", "checkpoint_ns", "checkpoint_id")
        self._checkpoints = _Table(connection, "checkpoints", key)
        self._writes = _Table(connection, "writes", (*key, "task_id", "idx"))
        self._serial = next(_serials)
        self._count_due_at = 0.0
        self._count_wanted = True

    def end(self) -> Cursor:
        """Return the present end of the feed."""
        return Cursor(self._position(rows=None))

    def count(self) -> None:
        """Count the rows, so that any deletion from now on will be noticed; milliseconds for a million rows."""
        self._count(self._checkpoints.last())

    def poll(self, cursor: Cursor) -> Delta:
        """Return what changed since a cursor of this or an earlier feed of the same file."""
        was = _Position(*cursor.token)  # type: ignore[arg-type]
        counting = self._count_wanted and time.monotonic() >= self._count_due_at
        if was.connection == self._serial and was.version == self._pragma("data_version") and not counting:
            return Delta(cursor)
        return self._advance(was)

    def _advance(self, was: _Position) -> Delta:
        now = self._position(was.rows)
        moved = was.connection != self._serial or was.version != now.version
        shrunk = now.free_pages > was.free_pages
        lost = self._checkpoints.lost(was.checkpoint) or self._writes.lost(was.write)
        if lost or (was.rows is None and self._counted is None and moved and shrunk):
            return Delta(Cursor(now._replace(rows=None)), reload=True, reason=lost or "Rows were deleted.")
        changed: set[str] = set()
        if moved:
            added = self._checkpoints.since(was.checkpoint, changed)
            self._writes.since(was.write, changed)
            now = now._replace(rows=self._expected(was, added))
        self._count_wanted |= moved
        if self._count_wanted and (shrunk or time.monotonic() >= self._count_due_at):
            counted = self._count(now.checkpoint)
            if now.rows not in (None, counted):
                return Delta(Cursor(now._replace(rows=counted)), frozenset(changed), True, _DELETED)
            now = now._replace(rows=counted)
        return Delta(Cursor(now), frozenset(changed))

    def _expected(self, was: _Position, added: int) -> int | None:
        """How many checkpoints there must be now, if none was deleted."""
        if was.rows is not None:
            return was.rows + added
        if self._counted is None:
            return None
        last, rows = self._counted
        return rows + self._checkpoints.since(last, set())

    def _position(self, rows: int | None) -> _Position:
        return _Position(
            self._serial,
            self._pragma("data_version"),
            self._checkpoints.last(),
            self._writes.last(),
            self._pragma("freelist_count"),
            rows,
        )

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"pragma {name}").fetchone()[0])

    def _count(self, last: _Row | None) -> int:
        started = time.monotonic()
        (rows,) = self._connection.execute("select count(*) from checkpoints").fetchone()
        now = time.monotonic()
        self._count_due_at = now + _COUNT_SHARE * (now - started)
        self._count_wanted = False
        self._counted = (last, rows)
        return int(rows)


class _Table:
    """One of the two tables, as a sequence of rows that only grows at its end."""

    def __init__(self, connection: sqlite3.Connection, name: str, key: tuple[str, ...]) -> None:
        self._connection = connection
        self._name = name
        self._key = key
        self._select = f"select rowid, {', '.join(key)} from {name}"

    def last(self) -> _Row | None:
        """Return the last row."""
        return self._one(f"{self._select} order by rowid desc limit 1")

    def lost(self, last: _Row | None) -> str:
        """Say how the row that used to be last has gone; empty when it is there, or was replaced by a later row."""
        if last is None:
            return ""
        if found := self._at(last.rowid):
            return "" if found.key == last.key else "Rows were deleted or renumbered."
        same = " and ".join(
            f"{name} = {'cast(? as text)' if isinstance(value, str) else '?'}"
            for name, value in zip(self._key, last.key, strict=True)
        )
        values = [bind(value) if isinstance(value, str) else value for value in last.key]
        return "" if self._one(f"{self._select} where {same}", *values) else "Rows were deleted."

    def since(self, last: _Row | None, changed: set[str]) -> int:
        """Add the threads of all rows after ``last``; return by how many rows the table has grown."""
        first = 0 if last is None else last.rowid
        rows = 0 if last is None or self._at(first) else -1
        for (thread_id,) in self._connection.execute(f"select thread_id from {self._name} where rowid > ?", (first,)):
            rows += 1
            if isinstance(thread_id, str):
                changed.add(thread_id)
        return rows

    def _at(self, rowid: int) -> _Row | None:
        return self._one(f"{self._select} where rowid = ?", rowid)

    def _one(self, sql: str, *values: object) -> _Row | None:
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else _Row(row[0], tuple(row[1:]))
