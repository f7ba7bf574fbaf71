"""The SQLite store: files written by ``SqliteSaver`` and ``AsyncSqliteSaver``, of any release since 0.1."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from . import sqlite_heads, sqlite_rows
from .address import sqlite_path
from .errors import Cancelled, StoreUnreachable
from .model import CheckpointKey, CheckpointRow, Cursor, Delta, RawCheckpoint, ThreadHead, Write
from .sqlite_feed import ChangeFeed
from .sqlite_file import FileState, replaced
from .sqlite_open import ATTEMPTS, OpenFile, busy, explain, open_file, read_layout, schema_version
from .sqlite_values import lossless_text
from .store import Scope, StoreInfo

if TYPE_CHECKING:
    from .stored import StoredRow

P = ParamSpec("P")
T = TypeVar("T")

_HEADS_AT_ONCE = 1000
_COUNTS_AT_ONCE = 20_000
_KEYS_AT_ONCE = 200
"""Rows in one statement, so that no read transaction is long (it holds back WAL checkpoints)."""


class SqliteStore:
    """A read-only connection to a checkpoint file; implements ``store.Store``.

    Args:
        address: A path, ``sqlite:///path`` or a ``file:`` URI.

    Raises:
        NotAStore: The file holds something else.
        StoreUnreachable: It does not exist or cannot be read.
        StoreBusy: A writer holds it.
    """

    def __init__(self, address: str) -> None:
        self._path = sqlite_path(address)
        self._cancelled = False
        self._closed = False
        self._lossless = False
        self._builder = sqlite_heads.HeadBuilder()
        self._file = open_file(self._path)
        self._feed = ChangeFeed(self._file.connection)

    @property
    def info(self) -> StoreInfo:
        """What is known about the store."""
        directory = os.path.dirname(self._path)
        warning = (self._file.warning,) if self._file.warning else ()
        return StoreInfo(
            kind="sqlite",
            name=os.path.basename(self._path),
            location=self._path,
            schema="with task_path" if self._file.layout.task_path else "without task_path",
            writable=os.access(self._path, os.W_OK) and os.access(directory, os.W_OK),
            warnings=warning + self._file.layout.warnings,
        )

    # --- heads -------------------------------------------------------------------------------------------------

    def newest_heads(self, limit: int) -> list[ThreadHead]:
        """Heads of about the ``limit`` most recently written threads, newest first."""
        return self._read(sqlite_heads.newest_heads, self._builder, limit)

    def heads(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[list[ThreadHead]]:
        """Every thread's head in batches, ordered by thread id; each batch is a transaction of its own."""
        after: str | None = None
        self._read(lambda _: self._feed.count())
        while not cancelled():
            batch = self._read(sqlite_heads.heads_after, self._builder, after, _HEADS_AT_ONCE)
            if not batch:
                return
            yield batch
            after = batch[-1].thread_id

    def heads_of(self, thread_ids: Sequence[str]) -> dict[str, ThreadHead]:
        """Heads of the given threads; a thread that is gone is absent."""
        return self._read(sqlite_heads.heads_of, self._builder, thread_ids)

    def counts(self, thread_ids: Sequence[str] | None = None) -> dict[str, int]:
        """Checkpoints per thread over all namespaces; ``None`` asks for all threads."""
        if thread_ids is not None:
            return self._read(sqlite_heads.counts_of, thread_ids)
        counts: dict[str, int] = {}
        after: str | None = None
        while rows := self._read(sqlite_heads.counts_after, after, _COUNTS_AT_ONCE):
            counts.update(rows)
            after = rows[-1][0]
        return counts

    def created_ids(self, thread_ids: Sequence[str]) -> dict[str, str]:
        """Oldest checkpoint id per thread."""
        return self._read(sqlite_heads.created_ids, thread_ids)

    # --- changes -----------------------------------------------------------------------------------------------

    def cursor(self) -> Cursor:
        """The present end of the change feed."""
        return self._read(lambda _: self._feed.end())

    def poll(self, cursor: Cursor) -> Delta:
        """What changed since ``cursor``."""
        return self._read(lambda _: self._feed.poll(cursor))

    # --- one thread --------------------------------------------------------------------------------------------

    def namespaces(self, thread_id: str) -> list[str]:
        """Namespaces of a thread, ordered; empty when there is no such thread."""
        return [ns for ns, _ in self._read(sqlite_heads.namespaces, thread_id, "max")]

    def history(
        self, thread_id: str, ns: str | None = None, before: str | None = None, limit: int | None = None
    ) -> list[CheckpointRow]:
        """Checkpoints of a thread, newest first, without state."""
        return self._read(sqlite_rows.history, thread_id, ns, before, limit)

    def writes(
        self,
        thread_id: str,
        ns: str | None = None,
        checkpoint_ids: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
        values: bool = False,
    ) -> list[tuple[CheckpointKey, Write]]:
        """Write rows of a thread, ordered by (ns, checkpoint_id, task_path, task_id, idx)."""
        task_path = self._file.layout.task_path
        return self._read(sqlite_rows.writes, task_path, thread_id, ns, checkpoint_ids, channels, values)

    def raw(self, keys: Sequence[CheckpointKey], scope: Scope = Scope.FULL) -> list[RawCheckpoint]:
        """Checkpoints with their writes, in the order of ``keys``; missing ones are left out."""
        found: list[RawCheckpoint] = []
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            found += self._read(sqlite_rows.raw, self._file.layout.task_path, some, scope)
        return found

    def marked(self, keys: Sequence[CheckpointKey], channels: Sequence[str]) -> set[CheckpointKey]:
        """Those of some checkpoints that have a write row of one of these channels."""
        found: set[CheckpointKey] = set()
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            found |= self._read(sqlite_rows.marked, keys[start : start + _KEYS_AT_ONCE], channels)
        return found

    def stored(self, thread_id: str) -> Iterator[StoredRow]:
        """Every row of a thread as it stands, in bounded memory."""
        from .sqlite_stored import stored

        return stored(self._read, thread_id, self._file.layout.task_path)

    def sample(self, limit: int) -> Iterator[RawCheckpoint]:
        """Newest checkpoints over the whole store with ``Scope.CONTROL``."""
        below: int | None = None
        while limit > 0:
            keys, below = self._read(sqlite_rows.newest_keys, below, min(limit, _KEYS_AT_ONCE))
            yield from self.raw(keys, Scope.CONTROL)
            limit = limit - len(keys) if keys else 0

    # --- the connection ----------------------------------------------------------------------------------------

    def _read(self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query in one short transaction on the file as it is now.

        An immutable connection is replaced when the file has changed, and what it read while that happened is read
        again.
        """
        self._cancelled = False
        for _ in range(ATTEMPTS):
            try:
                file = self._present_file()
                with snapshot(file.connection):
                    result = query(file.connection, *args, **kwargs)
                if not file.immutable or not file.torn(FileState.of(self._path)):
                    break
            except (sqlite3.Error, OSError) as error:
                self._recover(error)
        else:
            raise busy(self._path)
        if self._cancelled:
            raise Cancelled("Cancelled.")
        return result

    def _present_file(self) -> OpenFile:
        """Make sure that the connection sees the present file, and that we know its present layout.

        Raises:
            StoreReplaced: It is another file by now.
        """
        if self._closed:
            raise StoreUnreachable("The store is closed.")
        if gone := replaced(self._path, self._file.state):
            raise gone
        if self._file.blind(FileState.of(self._path)):
            self._file.connection.close()  # first: connections of a process share what they know of a WAL
            self._file = open_file(self._path)
            self._feed = ChangeFeed(self._file.connection, self._feed)
            if self._lossless:
                self._file.connection.text_factory = lossless_text
        elif self._file.layout.version != schema_version(self._file.connection):
            self._file = dataclasses.replace(self._file, layout=read_layout(self._file.connection, self._path))
        return self._file

    def _recover(self, error: sqlite3.Error | OSError) -> None:
        """Return where reading once more may help; raise what the error means where it may not."""
        if gone := replaced(self._path, self._file.state):
            raise gone from error
        if isinstance(error, OSError):
            raise StoreUnreachable(f"{self.info.name} cannot be read: {error.strerror}.") from error
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise Cancelled("Cancelled.") from error
        if not self._lossless and "decode to UTF-8" in str(error):
            self._lossless = True
            self._file.connection.text_factory = lossless_text
        elif not self._file.torn(FileState.of(self._path)):
            raise explain(error, self._path, self._file.state) from error

    def interrupt(self) -> None:
        """Cancel the statement that another thread is running on this connection."""
        self._cancelled = True
        with suppress(sqlite3.ProgrammingError):  # closed already
            self._file.connection.interrupt()

    def close(self) -> None:
        """Close the connection; calling it twice is allowed."""
        self._closed = True
        self._file.connection.close()


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Let several statements see one state of the store; keep it short, it holds back WAL checkpoints."""
    connection.execute("begin")
    try:
        yield
    finally:
        while connection.in_transaction:
            with suppress(
                sqlite3.OperationalError
            ):  # interrupted: a transaction left open would make the next one fail
                connection.execute("rollback")
