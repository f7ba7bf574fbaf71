"""The PostgreSQL store: ``PostgresSaver``'s tables, read-only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from sys import intern
from typing import TYPE_CHECKING, Any

from . import postgres_queries as queries
from .errors import StoreError
from .model import Blob, CheckpointKey, CheckpointRow, Cursor, Delta, RawCheckpoint, ThreadHead, Write
from .postgres_errors import TablesChanged
from .postgres_open import Row, Session, Statement
from .postgres_schema import Schema, inspect
from .store import Scope, StoreInfo

if TYPE_CHECKING:
    from .postgres_changes import Changes
    from .stored import StoredRow

_FIRST_BATCH, _BATCH = 200, 2000
_RAW_BATCH = 500
_FIRST_BLOCKS, _MOST_BLOCKS = 64, 4096
"""Newest heap blocks to look at for the newest threads: 0.5 to 32 MB."""


class PostgresStore:
    """A read-only view of a PostgreSQL checkpoint store.

    Args:
        address: URL or libpq connection string; ``PG*`` variables and service files fill in what it leaves out.
        brief: It is open for a few reads.

    Attributes:
        session: The connection.

    Raises:
        NotAStore: The database holds no checkpoint tables, or another kind.
        StoreUnreachable: The server cannot be reached, or does not let us read.
    """

    def __init__(self, address: str, *, brief: bool = False) -> None:
        self.session = Session(address, brief=brief)
        self._followed: Changes | None = None
        self._inspected: Schema | None = None
        try:
            self._info = _info(self.schema, self.session)
        except StoreError:
            self.session.close()
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
            (rows,) = self.read(queries.heads_after(self.schema.checkpoints, last, size))
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
            (rows,) = self.read(queries.heads_of(self.schema.checkpoints, batch))
            heads.update((row[0], _head(row)) for row in rows)
        return heads

    def counts(self, thread_ids: Sequence[str] | None = None) -> dict[str, int]:
        """Checkpoints per thread over all namespaces; ``None`` asks for all threads."""
        table = self.schema.checkpoints
        if thread_ids is None:
            return dict(self.read(queries.count_all(table))[0])
        return dict(self.read(queries.count_of(table, _possible(thread_ids)))[0])

    def created_ids(self, thread_ids: Sequence[str]) -> dict[str, str]:
        """Oldest checkpoint id per thread."""
        return dict(self.read(queries.oldest_of(self.schema.checkpoints, _possible(thread_ids)))[0])

    # --- changes -------------------------------------------------------------------------------------------------

    def cursor(self) -> Cursor:
        """The present end of the change feed."""
        return self._changes.cursor()

    def poll(self, cursor: Cursor) -> Delta:
        """What changed since ``cursor``; one constant-cost query when nothing happened in the cluster.

        Rows that were appended are found at once; rows updated in place or written into freed space, and deletions,
        are found when the server has flushed its counters, one to ten seconds later.
        """
        return self._changes.poll(cursor)

    @property
    def _changes(self) -> Changes:
        """Made when first asked: a command that lists threads never does."""
        if self._followed is None:
            from .postgres_changes import Changes

            self._followed = Changes(self)
        return self._followed

    # --- one thread ----------------------------------------------------------------------------------------------

    def namespaces(self, thread_id: str) -> list[str]:
        """Namespaces of a thread, ordered; empty when there is no such thread."""
        if not _is_possible(thread_id):
            return []
        (rows,) = self.read(queries.namespaces(self.schema.checkpoints, thread_id))
        return [ns for (ns,) in rows]

    def history(
        self, thread_id: str, ns: str | None = None, before: str | None = None, limit: int | None = None
    ) -> list[CheckpointRow]:
        """Checkpoints of a thread, newest first, without state."""
        if not _is_possible(thread_id, ns or "", before or ""):
            return []
        (rows,) = self.read(queries.history(self.schema.checkpoints, thread_id, ns, before, limit))
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
        schema = self.schema
        if schema.writes is None or not _is_possible(thread_id, ns or ""):
            return []
        ids = None if checkpoint_ids is None else _possible(checkpoint_ids)
        names = None if channels is None else _possible(channels)
        (rows,) = self.read(queries.writes(schema, schema.writes, thread_id, ns, ids, names, values))
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

    def marked(self, keys: Sequence[CheckpointKey], channels: Sequence[str]) -> set[CheckpointKey]:
        """Those of some checkpoints that have a write row of one of these channels."""
        found: set[CheckpointKey] = set()
        table = self.schema.writes
        if table is None:
            return found
        for batch in _batches([key for key in keys if _is_possible(*key)], _BATCH):
            (rows,) = self.read(queries.marked(table, batch, channels))
            found.update(batch[number - 1] for (number,) in rows)
        return found

    def stored(self, thread_id: str) -> Iterator[StoredRow]:
        """Every row of a thread as it stands, in bounded memory."""
        from .postgres_stored import stored

        return stored(self.read, thread_id, self.schema) if _is_possible(thread_id) else iter(())

    def sample(self, limit: int) -> Iterator[RawCheckpoint]:
        """Newest checkpoints over the whole store with ``Scope.CONTROL``."""
        for batch in _batches(self._newest_checkpoints(limit), _RAW_BATCH):
            yield from self.raw(batch, Scope.CONTROL)

    def interrupt(self) -> None:
        """Cancel the statement that another thread is running on this connection; it raises ``Cancelled`` there."""
        self.session.interrupt()

    def close(self) -> None:
        """Close the connection; calling it twice is allowed."""
        self.session.close()

    def _raw(self, keys: Sequence[CheckpointKey], scope: Scope) -> list[RawCheckpoint]:
        results = self.read(*queries.raw(self.schema, keys, scope))
        rows = {row[0]: row for row in results.pop(0)}
        blobs: dict[int, dict[str, Blob]] = {}
        if self.schema.blobs is not None:
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
        table = self.schema.checkpoints
        if not table.plain:
            return dict(self.read(queries.newest_threads(table, limit))[0])
        newest: dict[str, str] = {}
        for condition in self._newest_blocks():
            for thread_id, checkpoint_id in self.read(queries.threads_in_blocks(table, condition))[0]:
                newest[thread_id] = max(checkpoint_id, newest.get(thread_id, ""))
            if len(newest) >= limit:
                break
        return newest

    def _newest_checkpoints(self, limit: int) -> list[CheckpointKey]:
        table = self.schema.checkpoints
        if not table.plain:
            return [CheckpointKey(*row) for row in self.read(queries.newest_checkpoints(table, limit))[0]]
        keys: list[CheckpointKey] = []
        for condition in self._newest_blocks():
            keys += [CheckpointKey(*row) for row in self.read(queries.checkpoints_in_blocks(table, condition))[0]]
            if len(keys) >= limit:
                break
        return sorted(keys, key=lambda key: key.checkpoint_id, reverse=True)[:limit]

    def _newest_blocks(self) -> Iterator[str]:
        """Conditions for ever more blocks from the end of the heap, disjoint."""
        ((row,),) = self.read(
            Statement(f"SELECT pg_relation_size({self.schema.checkpoints.oid}) / {self.schema.block_size}")
        )
        end, size = int(row[0]), _FIRST_BLOCKS
        lowest = max(0, end - _MOST_BLOCKS)
        while end > lowest:
            first = max(lowest, end - size)
            yield queries.in_blocks(self.session.version, first, end)
            end, size = first, size * 4

    # --- the connection ------------------------------------------------------------------------------------------

    @property
    def schema(self) -> Schema:
        """The tables, looked for again after they have changed."""
        if self._inspected is None:
            self._inspected = inspect(self.session)
        return self._inspected

    def read(self, *statements: Statement) -> list[list[Row]]:
        """See ``Session.read``."""
        try:
            return self.session.read(*statements)
        except TablesChanged:
            self.forget_schema()
            raise

    def forget_schema(self) -> None:
        """Look for the tables again when they are needed next."""
        self._inspected = None


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
    thread_id, ns, checkpoint_id, metadata, step, source, newest_id = row
    return ThreadHead(
        thread_id,
        ns,
        checkpoint_id,
        newest_id or checkpoint_id,
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
