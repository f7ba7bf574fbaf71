"""The PostgreSQL store: ``PostgresSaver``'s tables, read-only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from sys import intern
from typing import Any

from . import postgres_queries as queries
from . import postgres_stored
from .errors import StoreError
from .model import Blob, CheckpointKey, CheckpointRow, Cursor, Delta, RawCheckpoint, ThreadHead, Write
from .postgres_errors import TablesChanged
from .postgres_feed import Position, acquainted, advance, begin, first_look, plan, reason_to_reload
from .postgres_open import Row, Session, Statement
from .postgres_probe import Counters, probe_statement, read_counters, read_probe, scan_statement, writers_statement
from .postgres_schema import Schema, inspect
from .postgres_xids import Found, Probe, Scan
from .store import Scope, StoreInfo
from .stored import StoredRow

_FIRST_BATCH, _BATCH = 200, 2000
_RAW_BATCH = 500
_FIRST_BLOCKS, _MOST_BLOCKS = 64, 4096
"""Newest heap blocks to look at for the newest threads: 0.5 to 32 MB."""

_FILED_COUNTERS_EVERY = 1.0
"""Seconds between looks at the row counters before PostgreSQL 15, where each makes the server write a file."""


class PostgresStore:
    """A read-only view of a PostgreSQL checkpoint store.

    Args:
        address: URL or libpq connection string; ``PG*`` variables and service files fill in what it leaves out.

    Raises:
        NotAStore: The database holds no checkpoint tables, or another kind.
        StoreUnreachable: The server cannot be reached, or does not let us read.
    """

    def __init__(self, address: str) -> None:
        self._session = Session(address)
        self._counted_at = float("-inf")
        self._counters: Counters = ()
        self._inspected: Schema | None = None
        try:
            self._info = _info(self._schema, self._session)
        except StoreError:
            self._session.close()
            raise

    @property
    def info(self) -> StoreInfo:
        """What is known about the store; readable from any thread."""
        return self._info

    # --- threads -------------------------------------------------------------------------------------------------

    def newest_heads(self, limit: int) -> list[ThreadHead]:
        """Heads of about the ``limit`` most recently written threads, newest first.

        Looks at the newest 32 MB of the heap at most, so that a large store of few long threads may give fewer.
        """
        if limit <= 0:
            return []
        newest = sorted(self._newest_threads(limit).items(), key=lambda item: item[1], reverse=True)
        heads = self.heads_of([thread_id for thread_id, _ in newest[:limit]])
        return sorted(heads.values(), key=lambda head: head.newest_id, reverse=True)

    def heads(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[list[ThreadHead]]:
        """Every thread's head in batches, each its own short transaction, in the order of the key."""
        last, size = None, _FIRST_BATCH
        while not cancelled():
            (rows,) = self._read(queries.heads_after(self._schema.checkpoints, last, size))
            if rows:
                last = rows[-1][0]
                yield [_head(row) for row in rows]
            if len(rows) < size:
                return
            size = _BATCH

    def heads_of(self, thread_ids: Sequence[str]) -> dict[str, ThreadHead]:
        """Heads of the given threads; a thread that is gone is absent."""
        heads: dict[str, ThreadHead] = {}
        for batch in _batches(_possible(thread_ids), _BATCH):
            (rows,) = self._read(queries.heads_of(self._schema.checkpoints, batch))
            heads.update((row[0], _head(row)) for row in rows)
        return heads

    def counts(self, thread_ids: Sequence[str] | None = None) -> dict[str, int]:
        """Checkpoints per thread over all namespaces; ``None`` asks for all threads."""
        table = self._schema.checkpoints
        if thread_ids is None:
            return dict(self._read(queries.count_all(table))[0])
        return dict(self._read(queries.count_of(table, _possible(thread_ids)))[0])

    def created_ids(self, thread_ids: Sequence[str]) -> dict[str, str]:
        """Oldest checkpoint id per thread."""
        return dict(self._read(queries.oldest_of(self._schema.checkpoints, _possible(thread_ids)))[0])

    # --- changes -------------------------------------------------------------------------------------------------

    def cursor(self) -> Cursor:
        """The present end of the change feed."""
        self._counted_at = float("-inf")
        self._probe()
        probe = self._probe()
        ((writing,),) = self._read(writers_statement(self._heaps))[0]
        position = begin(probe, time.monotonic(), writing=writing or self._schema.recovering)
        return Cursor((acquainted(position, self._found(first_look(position, probe))),))

    def poll(self, cursor: Cursor) -> Delta:
        """What changed since ``cursor``; one constant-cost query when nothing happened in the cluster.

        Rows that were appended are found at once; rows updated in place or written into freed space, and deletions,
        are found when the server has flushed its counters, one to ten seconds later.
        """
        (position,) = cursor.token
        assert isinstance(position, Position)
        now, probe = time.monotonic(), self._probe()
        blind = self._schema.recovering or not self._schema.counting
        if reason := reason_to_reload(position, probe, now, blind=blind):
            self._inspected = None
            return Delta(self.cursor(), reload=True, reason=reason)
        position, changed = advance(position, probe, self._found(plan(position, probe)), now)
        return Delta(Cursor((position,)), changed)

    def _found(self, scans: Sequence[Scan]) -> list[Found]:
        if not scans:
            return []
        statements = [scan_statement(self._heaps[scan.heap], self._session.version, scan) for scan in scans]
        return [
            Found(scan.heap, thread_id, xid, block, count, scan.swept)
            for scan, rows in zip(scans, self._read(*statements), strict=True)
            for thread_id, xid, block, count in rows
        ]

    def _probe(self) -> Probe:
        """Look at the server's state; the counters read now come with the next probe."""
        now, heaps = time.monotonic(), self._heaps
        due = self._session.version >= 150000 or now - self._counted_at >= _FILED_COUNTERS_EVERY
        ((row,),) = self._read(probe_statement(self._session.version, heaps, self._schema.block_size, due))
        known, fresh = self._counters, read_counters(row, len(heaps))
        if fresh is not None:
            self._counted_at, self._counters = now, fresh
        return read_probe(row, known if len(known) == len(heaps) else self._counters)

    # --- one thread ----------------------------------------------------------------------------------------------

    def namespaces(self, thread_id: str) -> list[str]:
        """Namespaces of a thread, ordered; empty when there is no such thread."""
        if not _is_possible(thread_id):
            return []
        (rows,) = self._read(queries.namespaces(self._schema.checkpoints, thread_id))
        return [ns for (ns,) in rows]

    def history(
        self, thread_id: str, ns: str | None = None, before: str | None = None, limit: int | None = None
    ) -> list[CheckpointRow]:
        """Checkpoints of a thread, newest first, without state."""
        if not _is_possible(thread_id, ns or "", before or ""):
            return []
        (rows,) = self._read(queries.history(self._schema.checkpoints, thread_id, ns, before, limit))
        return [_history_row(thread_id, row) for row in rows]

    def writes(
        self,
        thread_id: str,
        ns: str | None = None,
        checkpoint_ids: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
        values: bool = False,
    ) -> list[tuple[CheckpointKey, Write]]:
        """Write rows of a thread, ordered by (ns, checkpoint_id, task_path, task_id, idx); blobs only if ``values``."""
        schema = self._schema
        if schema.writes is None or not _is_possible(thread_id, ns or ""):
            return []
        ids = None if checkpoint_ids is None else _possible(checkpoint_ids)
        names = None if channels is None else _possible(channels)
        (rows,) = self._read(queries.writes(schema, schema.writes, thread_id, ns, ids, names, values))
        return [(CheckpointKey(thread_id, ns_, row[0]), _write(*row)) for ns_, *row in rows]

    # --- whole checkpoints ---------------------------------------------------------------------------------------

    def raw(self, keys: Sequence[CheckpointKey], scope: Scope = Scope.FULL) -> list[RawCheckpoint]:
        """Checkpoints with their writes, in the order of ``keys``; missing ones are left out.

        With ``Scope.CONTROL``, channels that status does not look into are there with a null for a value, or, where
        their presence means nothing (state of a StateGraph since layout v3), not at all.
        """
        found: list[RawCheckpoint] = []
        for batch in _batches(keys, _RAW_BATCH):
            found += self._raw([key for key in batch if _is_possible(*key)], scope)
        return found

    def stored(self, thread_id: str) -> Iterator[StoredRow]:
        """Every row of a thread as it stands, in bounded memory."""
        return postgres_stored.stored(self._read, thread_id, self._schema) if _is_possible(thread_id) else iter(())

    def sample(self, limit: int) -> Iterator[RawCheckpoint]:
        """Newest checkpoints over the whole store with ``Scope.CONTROL``."""
        for batch in _batches(self._newest_checkpoints(limit), _RAW_BATCH):
            yield from self.raw(batch, Scope.CONTROL)

    def interrupt(self) -> None:
        """Cancel the statement that another thread is running on this connection; it raises ``Cancelled`` there."""
        self._session.interrupt()

    def close(self) -> None:
        """Close the connection; calling it twice is allowed."""
        self._session.close()

    def _raw(self, keys: Sequence[CheckpointKey], scope: Scope) -> list[RawCheckpoint]:
        results = self._read(*queries.raw(self._schema, keys, scope))
        rows = {row[0]: row for row in results.pop(0)}
        blobs: dict[int, dict[str, Blob]] = {}
        if self._schema.blobs is not None:
            for number, channel, type_, data in results.pop(0):
                blobs.setdefault(number, {})[channel] = Blob(type_, data)
        written: dict[int, list[Write]] = {}
        sends: dict[int, list[Blob]] = {}
        if results:
            for number, *row in results[0]:
                written.setdefault(number, []).append(_write(*row))
            for number, type_, data in results[1]:
                sends.setdefault(number, []).append(Blob(type_, data))
        return [
            RawCheckpoint(
                key=key,
                parent_id=rows[number][1],
                checkpoint=Blob("json", rows[number][2]),
                channel_blobs=blobs.get(number, {}),
                metadata_json=rows[number][3] or b"",
                writes=tuple(written.get(number, ())),
                parent_sends=tuple(sends.get(number, ())),
                complete=scope is Scope.FULL,
            )
            for number, key in enumerate(keys, start=1)
            if number in rows
        ]

    # --- the newest rows -----------------------------------------------------------------------------------------

    def _newest_threads(self, limit: int) -> dict[str, str]:
        """Newest checkpoint id of each thread that has rows in the newest heap blocks."""
        table = self._schema.checkpoints
        if not table.plain:
            return dict(self._read(queries.newest_threads(table, limit))[0])
        newest: dict[str, str] = {}
        for condition in self._newest_blocks():
            for thread_id, checkpoint_id in self._read(queries.threads_in_blocks(table, condition))[0]:
                newest[thread_id] = max(checkpoint_id, newest.get(thread_id, ""))
            if len(newest) >= limit:
                break
        return newest

    def _newest_checkpoints(self, limit: int) -> list[CheckpointKey]:
        table = self._schema.checkpoints
        if not table.plain:
            return [CheckpointKey(*row) for row in self._read(queries.newest_checkpoints(table, limit))[0]]
        keys: list[CheckpointKey] = []
        for condition in self._newest_blocks():
            keys += [CheckpointKey(*row) for row in self._read(queries.checkpoints_in_blocks(table, condition))[0]]
            if len(keys) >= limit:
                break
        return sorted(keys, key=lambda key: key.checkpoint_id, reverse=True)[:limit]

    def _newest_blocks(self) -> Iterator[str]:
        """Conditions for ever more blocks from the end of the heap, disjoint."""
        ((row,),) = self._read(
            Statement(f"SELECT pg_relation_size({self._schema.checkpoints.oid}) / {self._schema.block_size}")
        )
        end, size = int(row[0]), _FIRST_BLOCKS
        lowest = max(0, end - _MOST_BLOCKS)
        while end > lowest:
            first = max(lowest, end - size)
            yield queries.in_blocks(self._session.version, first, end)
            end, size = first, size * 4

    # --- the connection ------------------------------------------------------------------------------------------

    @property
    def _heaps(self) -> Sequence[Any]:
        tables = (self._schema.checkpoints, self._schema.writes)
        return [table for table in tables if table is not None and table.plain] if tables[0].plain else []

    @property
    def _schema(self) -> Schema:
        """The tables, looked for again after they have changed."""
        if self._inspected is None:
            self._inspected = inspect(self._session)
        return self._inspected

    def _read(self, *statements: Statement) -> list[list[Row]]:
        try:
            return self._session.read(*statements)
        except TablesChanged:
            self._inspected = None
            raise


def _info(schema: Schema, session: Session) -> StoreInfo:
    place = session.place
    return StoreInfo(
        kind="postgres",
        name=f"{place.database}@{place.host}",
        location=f"postgresql://{place.user}@{place}/{place.database}, schema {schema.checkpoints.schema}",
        schema=schema.layout,
        writable=not schema.recovering and all(table.writable for table in schema.tables),
        warnings=schema.warnings(),
    )


# --- rows ------------------------------------------------------------------------------------------------------------


def _head(row: Row) -> ThreadHead:
    """A row of ``queries.heads_after``; what is the same in many rows is one object."""
    thread_id, ns, checkpoint_id, parent_id, metadata, step, source, newest_id = row
    return ThreadHead(
        thread_id,
        ns,
        checkpoint_id,
        newest_id or checkpoint_id,
        parent_id,
        metadata or b"",
        _step(step),
        source and intern(source),
    )


def _history_row(thread_id: str, row: Row) -> CheckpointRow:
    ns, checkpoint_id, parent_id, metadata, step, source, size = row
    key = CheckpointKey(thread_id, ns, checkpoint_id)
    return CheckpointRow(key, parent_id, metadata or b"", _step(step), source, size)


def _write(
    checkpoint_id: str,
    task_id: str,
    task_path: str | None,
    idx: int,
    channel: str,
    type_: str | None,
    data: bytes | None,
) -> Write:
    return Write(checkpoint_id, task_id, task_path, idx, channel, Blob(type_, data))


def _step(text: str | None) -> int | None:
    """A step as the server prints a JSON value; hand-written rows may hold anything."""
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _is_possible(*texts: str) -> bool:
    """Whether PostgreSQL can hold them: no NUL, no lone surrogate. Others match no row, but would be an error."""
    try:
        return all(b"\x00" not in text.encode() for text in texts)
    except UnicodeEncodeError:
        return False


def _possible(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if _is_possible(text)]


def _batches(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
