"""SQL for thread heads: loose index scans on the primary key, whose cost follows threads, not checkpoints.

The primary key orders rows by thread, namespace and checkpoint id. One seek finds a thread's newest root checkpoint,
one its last namespace; where that is the root namespace ``''``, which sorts first, there is no other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from .model import ThreadHead
from .sqlite_values import as_bytes, as_text, bind, step_and_source

_THREADS = """
with recursive threads(id) as (
  select min(thread_id) from checkpoints where thread_id {after} cast(? as text) and thread_id < x''
  union all
  select (select min(thread_id) from checkpoints where thread_id > threads.id and thread_id < x'')
  from threads where threads.id is not null
  limit ?)
"""
"""Thread ids in order; ``thread_id < x''`` leaves out binary ids, which sort after every text."""

_HEADS = """
select {id}, head.checkpoint_id, head.metadata,
       case when thread.last_ns <> '' then (select max(checkpoint_id) from checkpoints where thread_id = thread.id) end
from (select id, (select max(checkpoint_ns) from checkpoints where thread_id = threads.id) last_ns
      from threads where id is not null) thread
left join checkpoints head on head.rowid = (
  select rowid from checkpoints where thread_id = thread.id and checkpoint_ns = ''
  order by checkpoint_id desc limit 1)
"""
"""Newest root checkpoint of each thread, NULLs where it has none, and the newest id over all namespaces, if another.

That comes from the index entries of the one thread: a seek for each namespace would cost more, as most namespaces are
those of one subgraph call and hold a few checkpoints.
"""

_HEADS_AFTER = _THREADS + _HEADS.replace("{id}", "thread.id")

_HEAD = "with threads(id) as (select cast(? as text))" + _HEADS.replace("{id}", "null")

_NEWEST_IDS = f"""{_THREADS}
select id, (select checkpoint_id from checkpoints where thread_id = threads.id
            order by checkpoint_ns desc, checkpoint_id desc limit 1) from threads where id is not null
"""

_NAMESPACES = """
with recursive spaces(ns) as (
  select min(checkpoint_ns) from checkpoints where thread_id = cast(?1 as text)
  union all
  select (select min(checkpoint_ns) from checkpoints
          where thread_id = cast(?1 as text) and checkpoint_ns > spaces.ns)
  from spaces where spaces.ns is not null)
select ns, (select {edge}(checkpoint_id) from checkpoints
            where thread_id = cast(?1 as text) and checkpoint_ns = spaces.ns)
from spaces where ns is not null
"""
"""Namespaces of a thread, each with its newest (``max``) or oldest (``min``) checkpoint id."""

_ROW = """
select metadata from checkpoints
where thread_id = cast(? as text) and checkpoint_ns = cast(? as text) and checkpoint_id = cast(? as text)
"""

_COUNTS = """
select thread_id, count(*) from checkpoints where thread_id {after} cast(? as text) and thread_id < x''
group by thread_id order by thread_id limit ?
"""

_RECENT = "select thread_id from checkpoints order by rowid desc limit ?"
_RECENT_ROWS = 20_000
"""Newest rows to look at before giving up on finding enough threads among them (about 20 ms)."""

_SHARED_METADATA = 4096
"""Distinct metadata kept for sharing: most threads of a store have one of a few."""


class HeadBuilder:
    """Makes heads out of rows, sharing equal strings and equal metadata between them."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[bytes, int | None, str | None]] = {}

    def build(self, thread_id: str, checkpoint_id: Any, metadata: Any, newest_id: Any, ns: str = "") -> ThreadHead:
        """Make one head out of columns as SQLite gives them; ``newest_id`` is NULL where it is the head's own."""
        stored = metadata if type(metadata) is bytes else as_bytes(metadata)
        known = self._known.get(stored)
        if known is None:
            known = (stored, *step_and_source(stored))
            if len(self._known) >= _SHARED_METADATA:
                self._known.clear()
            self._known[stored] = known
        if type(checkpoint_id) is not str:
            checkpoint_id = as_text(checkpoint_id)
        newest_id = checkpoint_id if newest_id is None or newest_id == checkpoint_id else as_text(newest_id)
        return ThreadHead(thread_id, ns, checkpoint_id, newest_id, *known)


def heads_after(
    connection: sqlite3.Connection, builder: HeadBuilder, after: str | None, limit: int
) -> list[ThreadHead]:
    """Return heads of up to ``limit`` threads whose id is greater than ``after``, ordered by id; empty at the end."""
    sql = _HEADS_AFTER.format(after=">=" if after is None else ">")
    rows = connection.execute(sql, (bind(after or ""), limit)).fetchall()
    heads = (builder.build(*row) if row[1] is not None else _rootless(connection, builder, row[0]) for row in rows)
    return [head for head in heads if head is not None]


def heads_of(connection: sqlite3.Connection, builder: HeadBuilder, thread_ids: Iterable[str]) -> dict[str, ThreadHead]:
    """Return the heads of the given threads; a thread that does not exist is absent."""
    heads = {}
    for thread_id in thread_ids:
        _, *row = connection.execute(_HEAD, (bind(thread_id),)).fetchone()
        head = builder.build(thread_id, *row) if row[0] is not None else _rootless(connection, builder, thread_id)
        if head is not None:
            heads[thread_id] = head
    return heads


def newest_heads(connection: sqlite3.Connection, builder: HeadBuilder, limit: int) -> list[ThreadHead]:
    """Return heads of about the ``limit`` most recently written threads, newest first."""
    return list(heads_of(connection, builder, _newest_threads(connection, limit)).values())


def _rootless(connection: sqlite3.Connection, builder: HeadBuilder, thread_id: str) -> ThreadHead | None:
    """Return the newest checkpoint of a thread without a root namespace; ``None`` if there is no such thread."""
    spaces = namespaces(connection, thread_id, "max")
    if not spaces:
        return None
    ns, newest_id = max(spaces, key=lambda space: space[1])
    row = connection.execute(_ROW, (bind(thread_id), bind(ns), bind(newest_id))).fetchone()
    (metadata,) = row or (None,)
    return builder.build(thread_id, newest_id, metadata, None, ns)


def namespaces(connection: sqlite3.Connection, thread_id: str, edge: str) -> list[tuple[str, str]]:
    """Return the namespaces of a thread with the ``max`` or ``min`` checkpoint id of each."""
    rows = connection.execute(_NAMESPACES.format(edge=edge), (bind(thread_id),))
    return [(as_text(ns), as_text(checkpoint_id)) for ns, checkpoint_id in rows]


def created_ids(connection: sqlite3.Connection, thread_ids: Iterable[str]) -> dict[str, str]:
    """Return the oldest checkpoint id of each thread."""
    found = ((thread_id, namespaces(connection, thread_id, "min")) for thread_id in thread_ids)
    return {thread_id: min(oldest for _, oldest in spaces) for thread_id, spaces in found if spaces}


def counts_of(connection: sqlite3.Connection, thread_ids: Iterable[str]) -> dict[str, int]:
    """Return the number of checkpoints of each thread that has any."""
    sql = "select count(*) from checkpoints where thread_id = cast(? as text)"
    found = ((thread_id, connection.execute(sql, (bind(thread_id),)).fetchone()[0]) for thread_id in thread_ids)
    return {thread_id: count for thread_id, count in found if count}


def counts_after(connection: sqlite3.Connection, after: str | None, limit: int) -> list[tuple[str, int]]:
    """Return the number of checkpoints of up to ``limit`` threads whose id is greater than ``after``."""
    sql = _COUNTS.format(after=">=" if after is None else ">")
    return connection.execute(sql, (bind(after or ""), limit)).fetchall()


def _newest_threads(connection: sqlite3.Connection, limit: int) -> list[str]:
    """Return thread ids by their newest row.

    The newest rows of the table name them, unless a few busy threads own all of those: then every thread's newest
    checkpoint id is compared.
    """
    recent = connection.execute(_RECENT, (_RECENT_ROWS,))
    found = list(islice(_distinct(row[0] for row in recent), limit))
    recent.close()
    if len(found) == limit:
        return found
    newest = connection.execute(_NEWEST_IDS.format(after=">="), ("", -1)).fetchall()
    newest.sort(key=lambda row: as_text(row[1]), reverse=True)
    return list(islice(_distinct([*found, *(row[0] for row in newest)]), limit))


def _distinct(thread_ids: Iterable[Any]) -> Iterator[str]:
    seen: set[str] = set()
    for thread_id in thread_ids:
        if isinstance(thread_id, str) and thread_id not in seen:
            seen.add(thread_id)
            yield thread_id
