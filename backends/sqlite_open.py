"""Open an SQLite checkpoint store so that nothing is written: not in it, and not beside it where that can be avoided.

A plain ``mode=ro`` connection to a WAL file that nobody uses creates ``-wal`` and ``-shm`` files and leaves them
behind, owned by whoever looked, which may lock the application out of its own store. Such a file is opened
``immutable`` instead: without a WAL the database file is all there is. SQLite then takes no locks and notices nothing,
so whatever is read counts only if the file is the same before and after.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import EmptyPlace, NotAStore, StoreBusy, StoreError, StoreUnreachable
from .sqlite_file import SETTLING, WHICH_FILE, FileState, replaced, suggestion, uses_wal

BUSY_SECONDS = 2.0
"""How long a statement waits for a writer that holds a rollback-journal file exclusively."""

ATTEMPTS = 10
"""Tries to read an immutable file that changes meanwhile."""

_READONLY_ROLLBACK = 776
"""``SQLITE_READONLY_ROLLBACK``: a hot journal, and no permission to replay it."""

_NO_WAL_INDEX = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
"""How opening fails where there is a WAL, but its index (``-shm``) can be neither read nor made."""

_CHECKPOINTS = {"thread_id", "checkpoint_ns", "checkpoint_id", "parent_checkpoint_id", "type", "checkpoint", "metadata"}
_WRITES = {"thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "idx", "channel", "type", "value"}


@dataclass(frozen=True, slots=True)
class Layout:
    """Which of the known table layouts a store has.

    Attributes:
        version: ``PRAGMA schema_version``, which changes with any table.
        task_path: ``writes.task_path`` exists (langgraph-checkpoint-sqlite 3.1.2 and later).
        warnings: What is unusual about the tables.
    """

    version: int
    task_path: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A connection and how it sees the file.

    Attributes:
        connection: Read-only, in autocommit mode.
        state: The file when it was opened.
        immutable: True when SQLite takes the file for unchangeable: no locks, no WAL.
        layout: Its tables.
        warning: What a person must know about how it is read; empty when all is visible.
    """

    connection: sqlite3.Connection
    state: FileState
    immutable: bool
    layout: Layout
    warning: str = ""

    def blind(self, now: FileState) -> bool:
        """Whether the connection has to be replaced to see the present file.

        That is so when an immutable file, or its WAL, has changed; and when the WAL of a live one is another file by
        now: SQLite would follow the deleted one for ever.
        """
        if self.immutable:
            return now != self.state
        return self.state.wal is not None and (now.wal is None or now.wal[0] != self.state.wal[0])

    def torn(self, now: FileState) -> bool:
        """Whether what has just been read may be a mixture of old and new."""
        if not self.immutable:
            return False
        return not now.same_content(self.state) or (self.state.wal is None and now.wal is not None)


def open_file(path: str) -> OpenFile:
    """Connect to a checkpoint store without writing anything.

    Raises:
        NotAStore: It holds something else.
        StoreUnreachable: It does not exist or cannot be read.
        StoreBusy: A writer holds it, or changes it faster than it can be read.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            state, wal_mode = FileState.of(path), uses_wal(path)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error
        quiet = wal_mode and state.wal is None and attempt < ATTEMPTS
        try:
            if not quiet and (file := _open_live(path, wal_mode)):
                return file
            if state.settled:
                return _open_immutable(path, state)
        except sqlite3.Error as error:
            if not quiet or _same(path, state):
                raise explain(error, path) from error
        except NotAStore:
            if not quiet or _same(path, state):
                raise
        time.sleep(SETTLING / 2)
    raise busy(path)


def _open_live(path: str, wal_mode: bool) -> OpenFile | None:
    """Open with all of SQLite's locks; ``None`` where there is a WAL that is out of reach."""
    try:
        connection = _connect(path, immutable=False)
    except sqlite3.OperationalError as error:
        if wal_mode and error.sqlite_errorcode & 0xFF in _NO_WAL_INDEX:
            return None
        raise
    return _opened(connection, path, FileState.of(path), immutable=False)


def _open_immutable(path: str, state: FileState) -> OpenFile:
    warning = ""
    if state.wal is not None:
        newer = f"{_size(state.wal[1])} of newer changes" if state.wal[1] else "Newer changes"
        warning = (
            f"{newer} in {os.path.basename(path)}-wal are not visible: reading them needs write permission in the "
            "directory. What is shown may be stale."
        )
    return _opened(_connect(path, immutable=True), path, state, immutable=True, warning=warning)


def _opened(
    connection: sqlite3.Connection, path: str, state: FileState, immutable: bool, warning: str = ""
) -> OpenFile:
    try:
        return OpenFile(connection, state, immutable, read_layout(connection, path), warning)
    except (sqlite3.Error, StoreError):
        connection.close()
        raise


def _same(path: str, state: FileState) -> bool:
    """Whether a file still is as it was, so that what went wrong was no writer's doing."""
    try:
        return FileState.of(path) == state
    except OSError:
        return False


def read_layout(connection: sqlite3.Connection, path: str) -> Layout:
    """Find out which layout the tables have.

    Raises:
        EmptyPlace: There are no checkpoint tables.
        NotAStore: There are tables of that name that are something else.
        sqlite3.Error: The file cannot be read.
    """
    name = os.path.basename(path)
    kinds = dict(connection.execute("select name, type from sqlite_master where name in ('checkpoints', 'writes')"))
    columns = {table: {row[1] for row in connection.execute(f"pragma table_info({table})")} for table in kinds}
    if not kinds:
        raise EmptyPlace(f"{name} is an SQLite database without checkpoint tables.", WHICH_FILE)
    checkpoints, writes = columns.get("checkpoints", set()), columns.get("writes", set())
    if "thread_ts" in checkpoints:
        raise NotAStore(
            f"{name} was written by LangGraph 0.0.x (its checkpoints are named by thread_ts).",
            "No current release reads that layout; open it with the release that wrote it.",
        )
    missing = sorted(_CHECKPOINTS - checkpoints)
    if missing or kinds.get("checkpoints") != "table":
        what = f"no column {missing[0]}" if checkpoints and missing else "no such table"
        raise NotAStore(f"The checkpoints table in {name} is not LangGraph's ({what}).", WHICH_FILE)
    if kinds.get("writes") != "table" or not writes >= _WRITES:
        raise NotAStore(f"{name} has checkpoints but not LangGraph's writes table.", WHICH_FILE)
    if not (_has_rowid(connection, "checkpoints") and _has_rowid(connection, "writes")):
        raise NotAStore(f"The tables in {name} are not LangGraph's (made WITHOUT ROWID).", WHICH_FILE)
    return Layout(schema_version(connection), "task_path" in writes, tuple(_oddities(connection)))


def schema_version(connection: sqlite3.Connection) -> int:
    """Return a number that changes whenever a table is made, changed or dropped, e.g. by a newer saver's ``setup``."""
    return int(connection.execute("pragma schema_version").fetchone()[0])


def explain(error: sqlite3.Error, path: str, expected: FileState | None = None) -> StoreError:
    """Turn an SQLite error into one that a person can act on.

    Args:
        error: What SQLite raised.
        path: The file.
        expected: Its state when it was opened, to tell damage from replacement.
    """
    name = os.path.basename(path)
    if expected is not None and (gone := replaced(path, expected)):
        return gone
    code = getattr(error, "sqlite_errorcode", None) or 0
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(
            f"{name} is locked by a writer for more than {BUSY_SECONDS:g} s.",
            "It is read as soon as the writer commits.",
        )
    if code & 0xFF == sqlite3.SQLITE_NOTADB:
        return NotAStore(f"{name} is not an SQLite database, or it is encrypted.", WHICH_FILE)
    if code & 0xFF == sqlite3.SQLITE_CORRUPT:
        return StoreUnreachable(f"{name} is damaged: {error}.", f"Try: sqlite3 {name} .recover")
    if code == _READONLY_ROLLBACK:
        return StoreUnreachable(
            f"A writer of {name} died in the middle of a transaction, which must be rolled back first.",
            "Let the application open it once.",
        )
    return StoreUnreachable(f"{name} cannot be read: {error}.", "Check its permissions and those of its directory.")


_UNQUOTED = frozenset("/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def _quoted(path: str) -> str:
    """A path for a URI; ``urllib.parse`` does the same, and takes longer to load than the file to open."""
    return "".join(chr(byte) if chr(byte) in _UNQUOTED else f"%{byte:02X}" for byte in os.fsencode(path))


def _connect(path: str, immutable: bool) -> sqlite3.Connection:
    """Connect, and read the schema once, so that what cannot be read fails here."""
    connection = sqlite3.connect(
        f"file:{_quoted(path)}?mode=ro&immutable={int(immutable)}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma temp_store = memory")
        connection.execute("select count(*) from sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def busy(path: str) -> StoreBusy:
    """Say that an immutable file never kept still."""
    return StoreBusy(f"{os.path.basename(path)} changes faster than it can be read.", "It is tried again.")


def _unreadable(path: str, error: OSError | ValueError) -> StoreError:
    """Say why a file cannot be looked at."""
    if isinstance(error, FileNotFoundError):
        return StoreUnreachable(f"{path} does not exist.", suggestion(path) or "Check the path.")
    reason = getattr(error, "strerror", None) or str(error)
    return StoreUnreachable(f"{path} cannot be read: {reason}.", "Check the path and its permissions.")


def _has_rowid(connection: sqlite3.Connection, table: str) -> bool:
    try:
        connection.execute(f"select rowid from {table} limit 0")
    except sqlite3.OperationalError:
        return False
    return True


def _oddities(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield warnings about tables that no saver made as they are."""
    key = ["thread_id", "checkpoint_ns", "checkpoint_id"]
    for table in ("checkpoints", "writes"):
        indexes = [row[1] for row in connection.execute(f"pragma index_list({table})")]
        columns = [
            [row[2] for row in connection.execute("select * from pragma_index_info(?)", (index,))] for index in indexes
        ]
        if not any(names[:3] == key for names in columns):
            yield f"The {table} table has lost its primary key: reading is slow."
    if connection.execute("select 1 from checkpoints where thread_id >= x'' limit 1").fetchone():
        yield "Some rows have binary thread ids, which no saver can read; they are not shown."


def _size(count: int) -> str:
    return f"{count / 1024:,.0f} kB" if count >= 1024 else f"{count} bytes"
