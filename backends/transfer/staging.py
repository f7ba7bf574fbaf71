"""A thread between file and store, in a temporary database that SQLite keeps on disk and forgets by itself.

So a thread is known to be complete before the store is locked, the store is locked for as short as possible, and
memory does not grow with the thread.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from ..model import Blob, Write
from ..sqlite_values import bind, lossless_text
from ..stored import StoredBlob, StoredCheckpoint, StoredRow, StoredWrite

_TABLES = """
    create table checkpoint (ns, id, parent, type, data, metadata);
    create table blob (ns, channel, version, type, data, primary key (ns, channel, version));
    create table write (ns, id, task, path, idx, channel, type, data);
    create index sends on write (ns, id) where channel = '__pregel_tasks';
    create table placed (ns, channel, version, digest, primary key (ns, channel, version));
"""
_TEXT = "cast(? as text)"
_SENDS = "__pregel_tasks"


class Staging:
    """The rows of one thread.

    Attributes:
        counts: How many ``checkpoint``, ``blob`` and ``write`` rows there are.
        encrypted: Whether any value is.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.encrypted = False
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.text_factory = lossless_text
        self._connection.executescript(f"pragma journal_mode = off; pragma synchronous = off; {_TABLES} begin")

    def __enter__(self) -> Staging:
        """Use it in a ``with`` statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget the rows."""
        self._connection.close()

    def add(self, row: StoredRow) -> None:
        """Take a row; of blobs with the same version the first one counts."""
        match row:
            case StoredCheckpoint(ns, checkpoint_id, parent_id, body, metadata):
                self._insert("checkpoint", (ns, checkpoint_id, parent_id), body, (metadata,))
            case StoredBlob(ns, channel, version, blob):
                self._insert("blob", (ns, channel, version), blob)
            case StoredWrite(ns, write):
                key = (ns, write.checkpoint_id, write.task_id, write.task_path, write.idx, write.channel)
                self._insert("write", key, write.blob)

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """The checkpoints, in the order in which they came."""
        for ns, checkpoint_id, parent_id, kind, data, metadata in self._rows("checkpoint"):
            yield StoredCheckpoint(ns, checkpoint_id, parent_id, Blob(kind, data), metadata)

    def blobs(self) -> Iterator[StoredBlob]:
        """The blobs."""
        for ns, channel, version, kind, data in self._rows("blob"):
            yield StoredBlob(ns, channel, version, Blob(kind, data))

    def writes(self) -> Iterator[StoredWrite]:
        """The write rows, in the order in which they came."""
        for ns, checkpoint_id, task_id, path, idx, channel, kind, data in self._rows("write"):
            yield StoredWrite(ns, Write(checkpoint_id, task_id, path, int(idx), channel, Blob(kind, data)))

    def blob(self, ns: str, channel: str, version: str) -> Blob | None:
        """The value of a channel's version."""
        row = self._one(
            f"select type, data from blob where ns = {_TEXT} and channel = {_TEXT} and version = {_TEXT}",
            (ns, channel, version),
        )
        return None if row is None else Blob(*row)

    def sends(self, ns: str, checkpoint_id: str) -> list[Blob]:
        """The Sends among a checkpoint's writes, in LangGraph's order."""
        rows = self._connection.execute(
            f"select type, data from write where ns = {_TEXT} and id = {_TEXT} and channel = '{_SENDS}'"
            " order by path, task, idx",
            (bind(ns), bind(checkpoint_id)),
        )
        return [Blob(*row) for row in rows]

    def place(self, ns: str, channel: str, version: str, digest: bytes) -> bool | None:
        """Claim a version for a value: ``True`` if it is free, ``None`` if that value has it, ``False`` if another."""
        row = self._one(
            f"select digest from placed where ns = {_TEXT} and channel = {_TEXT} and version = {_TEXT}",
            (ns, channel, version),
        )
        if row is not None:
            return None if row[0] == digest else False
        self._connection.execute(
            f"insert into placed values ({_TEXT}, {_TEXT}, {_TEXT}, ?)",
            (bind(ns), bind(channel), bind(version), digest),
        )
        return True

    def _insert(self, table: str, key: tuple[str | int | None, ...], blob: Blob, more: tuple[bytes, ...] = ()) -> None:
        self.counts[table] += 1
        self.encrypted = self.encrypted or "+" in (blob.type or "")
        texts = [bind(part) if isinstance(part, str) else part for part in (*key, blob.type)]
        marks = ", ".join([_TEXT] * len(texts) + ["?"] * (1 + len(more)))
        self._connection.execute(f"insert or ignore into {table} values ({marks})", (*texts, blob.data, *more))

    def _rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        return iter(self._connection.execute(f"select * from {table} order by rowid"))

    def _one(self, sql: str, texts: tuple[str, ...]) -> Any:
        return self._connection.execute(sql, [bind(text) for text in texts]).fetchone()
