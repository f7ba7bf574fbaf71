"""Bytes in an SQLite store."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

from ..model import CheckpointKey
from ..sqlite_open import explain, open_file
from ..sqlite_values import as_bytes, as_text, bind, lossless_text
from .size import ChannelSize, Extent, Room, ThreadSize
from .spans import channel_spans

_NOTHING = Extent()


def _length(column: str) -> str:
    """Bytes of a column of any type; SQLite knows the length of a blob without reading it."""
    text = f"length(cast({column} as blob))"
    return f"case typeof({column}) when 'blob' then length({column}) when 'null' then 0 else {text} end"


_TABLES = (
    ("checkpoints", f"{_length('checkpoint')} + {_length('metadata')}"),
    ("writes", _length("value")),
)


class SqliteSizes:
    """Measures a file; implements ``size.Sizes``.

    Raises:
        StoreError: It cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        open_file(path).connection.close()

    def threads(self, thread_ids: Sequence[str] | None, since: str) -> Iterator[ThreadSize]:
        """Measure threads: all by one pass over the tables in the order of the file, some by their key."""
        found: dict[str, list[Extent]] = defaultdict(lambda: [_NOTHING, _NOTHING])
        recent: Counter[str] = Counter()
        for which, (table, length) in enumerate(_TABLES):
            for thread, rows, size, young in self._per_thread(table, length, thread_ids, since):
                found[as_text(thread)][which] = Extent(rows, size or 0)
                recent[as_text(thread)] += young or 0
        for thread_id, (checkpoints, writes) in found.items():
            yield ThreadSize(thread_id, checkpoints, writes, _NOTHING, recent[thread_id])

    def checkpoints(self, thread_id: str) -> Mapping[CheckpointKey, tuple[Extent, Extent]]:
        """Measure each checkpoint and its write rows."""
        found: dict[CheckpointKey, list[Extent]] = defaultdict(lambda: [_NOTHING, _NOTHING])
        for which, (table, length) in enumerate(_TABLES):
            rows = self._read(
                f"select checkpoint_ns, checkpoint_id, count(*), sum({length}) from {table}"
                " where thread_id = cast(? as text) group by 1, 2",
                (bind(thread_id),),
            )
            for ns, checkpoint_id, count, size in rows:
                key = CheckpointKey(thread_id, as_text(ns), as_text(checkpoint_id))
                found[key][which] = Extent(count, size or 0)
        return {key: (one, other) for key, (one, other) in found.items()}

    def freed_blobs(self, keys: Sequence[CheckpointKey]) -> Extent:
        """Nothing: each checkpoint holds its values itself."""
        return _NOTHING

    def channels(self, thread_id: str) -> list[ChannelSize]:
        """Measure channels; each checkpoint is read, one at a time."""
        values: dict[str, Extent] = defaultdict(Extent)
        thread = (bind(thread_id),)
        for kind, checkpoint, metadata in self._read(
            "select type, checkpoint, metadata from checkpoints where thread_id = cast(? as text)", thread
        ):
            data = as_bytes(checkpoint)
            spans = channel_spans(data) if kind == "msgpack" else {}
            for name, size in spans.items():
                values[name] = values[name].plus(Extent(1, size))
            rest = len(data) - sum(spans.values()) + len(as_bytes(metadata))
            values[""] = values[""].plus(Extent(1, rest))
        written = self._read(
            f"select channel, count(*), sum({_length('value')}) from writes where thread_id = cast(? as text)"
            " group by channel",
            thread,
        )
        writes = {as_text(name): Extent(count, size or 0) for name, count, size in written}
        found = [
            ChannelSize(name, values.get(name, _NOTHING), writes.get(name, _NOTHING)) for name in {*values, *writes}
        ]
        return sorted(found, key=lambda one: (-one.bytes, one.name))

    def room(self) -> Room:
        """The file, its WAL, and the pages that nothing uses."""
        used = 0
        for name in (self._path, f"{self._path}-wal"):
            with suppress(FileNotFoundError):
                used += os.stat(name).st_size
        ((free,),) = self._read("pragma freelist_count")
        ((page,),) = self._read("pragma page_size")
        return Room(used, free * page)

    def close(self) -> None:
        """Nothing is kept open."""

    def _per_thread(
        self, table: str, length: str, thread_ids: Sequence[str] | None, since: str
    ) -> Iterator[tuple[Any, int, int, int]]:
        young = f"sum(case when checkpoint_id >= ? then {length} end)"
        what = f"select thread_id, count(*), sum({length}), {young} from {table}"
        if thread_ids is None:
            # Not by the index: every row would be fetched from another place of the file.
            yield from self._read(f"{what} not indexed group by thread_id", (since,))
            return
        for thread_id in thread_ids:
            where = "where thread_id = cast(? as text) group by thread_id"
            yield from self._read(f"{what} {where}", (since, bind(thread_id)))

    def _read(self, sql: str, parameters: Sequence[str | bytes] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows by a connection of their own: one that is kept may see a file without a WAL as it once was."""
        with closing(open_file(self._path).connection) as connection:
            connection.text_factory = lossless_text
            try:
                yield from connection.execute(sql, parameters)
            except sqlite3.Error as error:
                raise explain(error, self._path) from error
