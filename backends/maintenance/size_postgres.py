"""Bytes in a PostgreSQL store: as stored, which for large values is compressed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model import CheckpointKey
from ..postgres_open import Session, Statement
from ..postgres_schema import Schema, Table, inspect
from .size import ChannelSize, Extent, Room, ThreadSize

_NOTHING = Extent()
_CHECKPOINT = "coalesce(pg_column_size(checkpoint), 0) + coalesce(pg_column_size(metadata), 0)"
_BLOB = "coalesce(pg_column_size(blob), 0)"
_KEYS = "(c.checkpoint_ns, c.checkpoint_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
_VERSIONS = (
    "jsonb_each_text(CASE WHEN jsonb_typeof(c.checkpoint->'channel_versions') = 'object'"
    " THEN c.checkpoint->'channel_versions' ELSE '{}' END) AS v(channel, version)"
)


class PostgresSizes:
    """Measures the tables of a database; implements ``size.Sizes``.

    Raises:
        StoreError: It cannot be reached.
    """

    def __init__(self, dsn: str) -> None:
        self._session = Session(dsn)
        self._schema: Schema = inspect(self._session)

    def threads(self, thread_ids: Sequence[str] | None, since: str) -> Iterator[ThreadSize]:
        """Measure threads; blobs have no time, so that ``recent`` is without them."""
        found: dict[str, list[Extent]] = defaultdict(lambda: [_NOTHING] * 3)
        recent: Counter[str] = Counter()
        schema = self._schema
        for which, (table, length) in enumerate(
            ((schema.checkpoints, _CHECKPOINT), (schema.writes, _BLOB), (schema.blobs, _BLOB))
        ):
            young = f"sum({length}) FILTER (WHERE checkpoint_id >= %s)" if table is not schema.blobs else "0"
            when = (since,) if table is not schema.blobs else ()
            for thread, rows, size, fresh in self._grouped(table, length, young, when, thread_ids):
                found[thread][which] = Extent(rows, int(size))
                recent[thread] += int(fresh or 0)
        for thread_id, extents in found.items():
            yield ThreadSize(thread_id, extents[0], extents[1], extents[2], recent[thread_id])

    def checkpoints(self, thread_id: str) -> Mapping[CheckpointKey, tuple[Extent, Extent]]:
        """Measure each checkpoint and its write rows; without the blobs that checkpoints share."""
        found: dict[CheckpointKey, list[Extent]] = defaultdict(lambda: [_NOTHING, _NOTHING])
        tables = ((self._schema.checkpoints, _CHECKPOINT), (self._schema.writes, _BLOB))
        for which, (table, length) in enumerate(tables):
            sql = "SELECT checkpoint_ns, checkpoint_id, count(*), sum({}) FROM {} WHERE thread_id = %s GROUP BY 1, 2"
            for ns, checkpoint_id, rows, size in self._read(table, sql, length, (thread_id,)):
                found[CheckpointKey(thread_id, ns, checkpoint_id)][which] = Extent(rows, int(size))
        return {key: (one, other) for key, (one, other) in found.items()}

    def freed_blobs(self, keys: Sequence[CheckpointKey]) -> Extent:
        """Measure the blobs that only these checkpoints name."""
        if not keys:
            return _NOTHING
        thread = keys[0].thread_id
        which = (thread, [key.ns for key in keys], [key.checkpoint_id for key in keys])
        table = self._schema.checkpoints.sql
        named = f"SELECT c.checkpoint_ns, v.channel, v.version FROM {table} c, {_VERSIONS} WHERE c.thread_id = %s AND"
        sql = (
            "SELECT count(*), coalesce(sum({}), 0) FROM {} WHERE thread_id = %s AND (checkpoint_ns, channel, version)"
            f" IN ({named} {_KEYS} EXCEPT {named} NOT {_KEYS})"
        ).replace("'{}'", "'{{}}'")
        for rows, size in self._read(self._schema.blobs, sql, _BLOB, (thread, *which, *which)):
            return Extent(rows, int(size))
        return _NOTHING

    def channels(self, thread_id: str) -> list[ChannelSize]:
        """Measure channels; small values stay in the checkpoint's row, and count as belonging to none."""
        by_channel = "SELECT channel, count(*), sum({}) FROM {} WHERE thread_id = %s GROUP BY channel"
        values = {
            name: Extent(rows, int(size))
            for name, rows, size in self._read(self._schema.blobs, by_channel, _BLOB, (thread_id,))
        }
        writes = {
            name: Extent(rows, int(size))
            for name, rows, size in self._read(self._schema.writes, by_channel, _BLOB, (thread_id,))
        }
        whole = "SELECT count(*), coalesce(sum({}), 0) FROM {} WHERE thread_id = %s"
        for rows, size in self._read(self._schema.checkpoints, whole, _CHECKPOINT, (thread_id,)):
            values[""] = Extent(rows, int(size))
        found = [
            ChannelSize(name, values.get(name, _NOTHING), writes.get(name, _NOTHING)) for name in {*values, *writes}
        ]
        return sorted(found, key=lambda one: (-one.bytes, one.name))

    def room(self) -> Room:
        """The tables with their indexes and what they keep outside."""
        sizes = ", ".join(f"pg_total_relation_size({table.oid}::oid)" for table in self._schema.tables)
        (rows,) = self._session.read(Statement(f"SELECT {sizes}"))
        return Room(int(sum(rows[0])), None)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _grouped(
        self, table: Table | None, length: str, young: str, when: tuple[str, ...], thread_ids: Sequence[str] | None
    ) -> Sequence[tuple[Any, ...]]:
        where = "" if thread_ids is None else " WHERE thread_id = ANY (%s)"
        some = () if thread_ids is None else (list(thread_ids),)
        sql = f"SELECT thread_id, count(*), sum({{}}), {young} FROM {{}}{where} GROUP BY thread_id"
        return self._read(table, sql, length, (*when, *some))

    def _read(self, table: Table | None, sql: str, length: str, values: Sequence[object]) -> Sequence[tuple[Any, ...]]:
        if table is None:
            return ()
        (rows,) = self._session.read(Statement(sql.format(length, table.sql), values))
        return rows
