"""The rows of a SQLite file: its bytes change also where a row is written that was there before."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

_MAGIC = b"SQLite format 3\0"

_BESIDE = ("-wal", "-journal")
"""Files that hold a part of what is in a database, as long as they are there."""

_LONG = 200
"""Bytes of a value that is shown; of a longer one it is only told whether it is the same."""


def is_sqlite(path: Path) -> bool:
    """Whether a file is a SQLite database."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def is_beside_sqlite(path: Path) -> bool:
    """Whether a file belongs to a SQLite database beside it."""
    endings = (*_BESIDE, "-shm")
    return any(path.name.endswith(end) and is_sqlite(path.with_name(path.name.removesuffix(end))) for end in endings)


def rows(path: Path) -> Iterator[str]:
    """Every row as a text, table by table.

    It is read in a copy: after a crash SQLite mends a file when it is opened, and that is for the graph to do.

    Raises:
        sqlite3.Error: It cannot be read.
        OSError: It cannot be copied.
    """
    with tempfile.TemporaryDirectory(prefix="lgtop-audit-") as folder:
        copy = Path(folder, "copy")
        for end in ("", *_BESIDE):
            if (part := path.with_name(path.name + end)).is_file():
                shutil.copyfile(part, f"{copy}{end}")
        with closing(sqlite3.connect(copy)) as connection:
            connection.text_factory = lambda data: data.decode(errors="backslashreplace")
            tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            for (name,) in connection.execute(tables).fetchall():
                quoted = name.replace('"', '""')
                for row in connection.execute(f'SELECT * FROM "{quoted}"'):
                    yield f"{name} ({', '.join(map(_shown, row))})"


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, str) and len(value) <= _LONG:
        return value
    if isinstance(value, str | bytes):
        data = value if isinstance(value, bytes) else value.encode()
        return f"{len(data)} bytes {hashlib.sha256(data).hexdigest()[:12]}"
    return str(value)
