"""The SQL of the change feed: a probe of constant cost, and scans of named heap blocks."""

from __future__ import annotations

from collections.abc import Sequence

from .postgres_open import Row, Statement
from .postgres_queries import in_blocks
from .postgres_schema import Table
from .postgres_xids import Heap, Probe, Scan, Xids

Counters = tuple[tuple[int, int], ...]
"""Rows written and deleted, for each heap."""


def probe_statement(version: int, heaps: Sequence[Table], block_size: int, counters: bool) -> Statement:
    """The transaction snapshot, each heap's file and length, and, when asked for, its row counters.

    The snapshot is taken before the lengths are read, so that every row it sees lies within them.
    """
    columns = ["pg_current_snapshot()::text" if version >= 130000 else "txid_current_snapshot()::text"]
    for oid in (heap.oid for heap in heaps):
        columns += [f"pg_relation_filenode({oid})::bigint", f"pg_relation_size({oid}) / {block_size}"]
    for oid in (heap.oid for heap in heaps if counters):
        columns.append(f"pg_stat_get_tuples_inserted({oid}) + pg_stat_get_tuples_updated({oid})")
        columns.append(f"pg_stat_get_tuples_deleted({oid})")
    return Statement(f"SELECT {', '.join(columns)}")


def read_counters(row: Row, heaps: int) -> Counters | None:
    """The counters in a row of ``probe_statement``; ``None`` when they were not asked for."""
    counts = row[1 + 2 * heaps :]
    return tuple(_pairs(counts)) if counts else None


def read_probe(row: Row, counters: Counters) -> Probe:
    """A row of ``probe_statement`` with the counters of an earlier one."""
    files = row[1 : 1 + 2 * len(counters)]
    heaps = (Heap(file, blocks or 0, *counts) for (file, blocks), counts in zip(_pairs(files), counters, strict=True))
    return Probe(Xids.parse(row[0]), tuple(heaps))


def _pairs(values: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(values[::2], values[1::2], strict=True))


def writers_statement(heaps: Sequence[Table]) -> Statement:
    """Whether any transaction that runs has written to the heaps: it holds a lock on them until it ends."""
    oids = ", ".join(str(heap.oid) for heap in heaps) or "0"
    return Statement(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        f" AND relation IN ({oids}))"
    )


def scan_statement(table: Table, version: int, scan: Scan) -> Statement:
    """(thread id, xmin, block, rows) of the rows in some blocks whose writer is not older than ``scan.oldest``.

    Both ages count back from the same present, so that comparing them is right across a wrap of the 32-bit ids.
    """
    recent = f"age(xmin) <= age('{scan.oldest % (1 << 32)}'::xid)"
    parts = " UNION ALL ".join(
        f"SELECT thread_id, xmin, ctid FROM {table.sql} WHERE {in_blocks(version, first, end)} AND {recent}"
        for first, end in scan.ranges
    )
    return Statement(
        "SELECT thread_id, xmin::text::bigint, ((ctid::text::point)[0])::bigint, count(*)"
        f" FROM ({parts}) rows GROUP BY 1, 2, 3"
    )
