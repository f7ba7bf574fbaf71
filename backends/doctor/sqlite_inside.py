"""An SQLite store from inside: its tables, indexes, size, and whether it is damaged."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

from ..sqlite_open import explain, open_file
from ..text import one_line
from .finding import Finding, State, size
from .installed import Installed
from .schema import compare_columns

_CHECK_SECONDS = 3.0
"""How long damage is looked for."""

_HEAD = "select max(checkpoint_id) from checkpoints where thread_id = ? and checkpoint_ns = ''"
_WRITES = "select 1 from writes where thread_id = ? and checkpoint_ns = '' and checkpoint_id = ?"


def examine_inside(path: str, found: Installed | None) -> Iterator[Finding]:
    """Look at a store that can be opened.

    Args:
        path: The database file.
        found: What is installed where graphs run; ``None`` where it cannot be told.

    Raises:
        StoreError: It cannot be read.
    """
    file = open_file(path)
    try:
        yield _indexes(file.connection)
        columns = {t: _columns(file.connection, t) for t in ("checkpoints", "writes")}
        yield compare_columns(columns, found)
        yield _size(file.connection)
        yield _damage(file.connection, path)
    except sqlite3.Error as error:
        raise explain(error, path) from error
    finally:
        file.connection.close()


def _indexes(connection: sqlite3.Connection) -> Finding:
    plans = [row[3] for sql in (_HEAD, _WRITES) for row in _plan(connection, sql)]
    if bare := [plan for plan in plans if "INDEX" not in plan]:
        told = f"A thread is found by reading a whole table ({one_line(bare[0], 80)}): its primary key is gone."
        advice = "The saver adds rows where it should replace some. Make the table anew, with its key; copy the rows."
        return Finding("indexes", State.FAULT, told, advice)
    return Finding("indexes", State.OK, "Threads and writes are found by their primary keys.")


def _plan(connection: sqlite3.Connection, sql: str) -> list[tuple[int, int, int, str]]:
    return connection.execute(f"explain query plan {sql}", ("",) * sql.count("?")).fetchall()


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"pragma table_info({table})")]


def _size(connection: sqlite3.Connection) -> Finding:
    page, pages, free = (
        int(connection.execute(f"pragma {name}").fetchone()[0])
        for name in ("page_size", "page_count", "freelist_count")
    )
    told = f"{size(page * pages)}, of which {size(page * free)} are free pages."
    if pages and free / pages > 0.5 and page * free > 10_000_000:
        return Finding("size", State.NOTE, told, "lgtop prune --vacuum gives them back.")
    return Finding("size", State.OK, told)


def _damage(connection: sqlite3.Connection, path: str) -> Finding:
    """Look for damage, for a few seconds at most."""
    deadline = time.monotonic() + _CHECK_SECONDS
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 10_000)
    try:
        (told,) = connection.execute("pragma quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return Finding(
                "damage", State.OK, f"No damage was met within {_CHECK_SECONDS:g} s of looking; not all was read."
            )
        told = str(error)
    finally:
        connection.set_progress_handler(None, 0)
    if told == "ok":
        return Finding("damage", State.OK, "The file is sound.")
    recover = f"Restore a backup, or try: sqlite3 {path} .recover"
    return Finding("damage", State.FAULT, f"The file is damaged: {one_line(told, 200)}.", recover)
