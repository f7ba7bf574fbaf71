"""The change feed of an open PostgreSQL store: probes and scans, and the cursor between them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .model import Cursor, Delta
from .postgres_feed import Position, acquainted, advance, begin, first_look, plan, reason_to_reload
from .postgres_probe import Counters, probe_statement, read_counters, read_probe, scan_statement, writers_statement
from .postgres_xids import Found, Probe, Scan

if TYPE_CHECKING:
    from .postgres import PostgresStore
    from .postgres_schema import Table

_FILED_COUNTERS_EVERY = 1.0
"""Seconds between looks at the row counters before PostgreSQL 15, where each makes the server write a file."""


_SLICES = 4
"""Of a sweep, that follow a hunch at once: about 80 ms for 256 MB when cached."""


class Changes:
    """What happens to the tables of a store.

    Args:
        store: Asked through its own connection.
    """

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._counted_at = float("-inf")
        self._counters: Counters = ()

    def cursor(self) -> Cursor:
        """See ``Store.cursor``."""
        self._counted_at = float("-inf")
        self._probe()
        probe = self._probe()
        ((writing,),) = self._store.read(writers_statement(self._heaps))[0]
        position = begin(probe, time.monotonic(), writing=writing or self._store.schema.recovering)
        return Cursor((acquainted(position, self._found(first_look(position, probe))),))

    def poll(self, cursor: Cursor) -> Delta:
        """See ``PostgresStore.poll``."""
        (position,) = cursor.token
        assert isinstance(position, Position)
        now, probe = time.monotonic(), self._probe()
        blind = self._store.schema.recovering or not self._store.schema.counting
        if reason := reason_to_reload(position, probe, now, blind=blind):
            self._store.forget_schema()
            return Delta(self.cursor(), reload=True, reason=reason)
        position, changed = advance(position, probe, self._found(plan(position, probe)), now)
        for _ in range(_SLICES if position.hunting else 0):
            position, more = advance(position, probe, self._found(plan(position, probe)), now)
            changed |= more
        return Delta(Cursor((position,)), changed)

    def _found(self, scans: Sequence[Scan]) -> list[Found]:
        if not scans:
            return []
        statements = [scan_statement(self._heaps[scan.heap], self._store.session.version, scan) for scan in scans]
        return [
            Found(scan.heap, thread_id, xid, block, count, scan.swept)
            for scan, rows in zip(scans, self._store.read(*statements), strict=True)
            for thread_id, xid, block, count in rows
        ]

    def _probe(self) -> Probe:
        """Look at the server's state; the counters read now come with the next probe."""
        now, heaps, version = time.monotonic(), self._heaps, self._store.session.version
        due = version >= 150000 or now - self._counted_at >= _FILED_COUNTERS_EVERY
        ((row,),) = self._store.read(probe_statement(version, heaps, self._store.schema.block_size, due))
        known, fresh = self._counters, read_counters(row, len(heaps))
        if fresh is not None:
            self._counted_at, self._counters = now, fresh
        return read_probe(row, known if len(known) == len(heaps) else self._counters)

    @property
    def _heaps(self) -> Sequence[Table]:
        schema = self._store.schema
        tables = (schema.checkpoints, schema.writes)
        return [table for table in tables if table is not None and table.plain] if schema.checkpoints.plain else []
