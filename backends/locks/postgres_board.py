"""Who holds which thread of a PostgreSQL store: ``pg_locks`` and what its sessions say about themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from ..postgres_open import Row, Session, Statement
from .holder import Holder
from .key import thread_number
from .postgres_label import PREFIX, read_comment, read_name

if TYPE_CHECKING:
    from ..store import Store

SCHEMA = """
    coalesce((SELECT s.nspname FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
              WHERE c.oid = to_regclass('checkpoints')), current_schema(), '')::text
"""
"""The schema whose tables a store uses: the first on the search path that has them, as for ``postgres_schema``."""

_HELD = """
    SELECT (l.classid::bigint << 32) | l.objid::bigint AS number, a.application_name, a.query,
        extract(epoch FROM coalesce(a.xact_start, a.backend_start))::float8
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""Advisory locks of one 64-bit number: its halves are ``classid`` and ``objid``, and ``objsubid`` is 1."""

_LOOK = (Statement(f"SELECT {SCHEMA}"), Statement(f"{_HELD} AND a.application_name LIKE %s", (f"{PREFIX}%",)))

_AGAIN = 5.0
"""Seconds after which the same source of threads is looked through again for one that was not there."""


class Holding(NamedTuple):
    """A session that holds a lock.

    Attributes:
        number: See ``thread_number``.
        name: Its application name.
        statement: Its last statement, as far as our role may see it.
        since: Unix time of its begin; ``None`` where our role may not see it.
    """

    number: int
    name: str
    statement: str
    since: float | None

    @classmethod
    def of(cls, row: Row) -> Holding:
        """Read a row of ``_HELD``."""
        number, name, statement, since = row
        return cls(number, name or "", statement or "", since)


def holding(number: int) -> Statement:
    """Select the session that holds one lock, whoever it is."""
    return Statement(f"SELECT * FROM ({_HELD}) h WHERE number = %s", (number,))


def holder_of(found: Holding, thread_id: str) -> Holder:
    """Who holds a lock that stands for a thread."""
    told = read_comment(found.statement)
    return told if told and told.thread_id == thread_id else read_name(found.name, thread_id, found.since)


class PostgresBoard:
    """Looks at the locks of one store.

    Args:
        dsn: As for ``Session``.
        beside: See ``LockBoard``.
    """

    def __init__(self, dsn: str, beside: Store | None = None) -> None:
        self._session = Session(dsn) if beside is None else _session_of(beside)
        self._own = beside is None
        self._known: dict[int, str] = {}
        self._unknown: frozenset[int] = frozenset()
        self._searched: Callable[[], Iterable[str]] = tuple
        self._searched_at = 0.0

    def holders(self, threads: Callable[[], Iterable[str]]) -> dict[str, Holder]:
        """See ``LockBoard.holders``."""
        (schema,), rows = self._session.read(*_LOOK)
        found = {holding.number: holding for holding in map(Holding.of, rows)}
        self._name(found, schema[0], threads)
        return {
            self._known[number]: holder_of(one, self._known[number])
            for number, one in found.items()
            if number in self._known
        }

    def close(self) -> None:
        """Close the connection, if it is the board's own."""
        if self._own:
            self._session.close()

    def _name(self, found: dict[int, Holding], schema: str, threads: Callable[[], Iterable[str]]) -> None:
        """Find the threads that are held now: what their sessions say is believed if it leads to the same number."""
        self._known = {number: thread for number, thread in self._known.items() if number in found}
        for number, one in found.items():
            told = None if number in self._known else read_comment(one.statement)
            if told is not None and thread_number(schema, told.thread_id) == number:
                self._known[number] = told.thread_id
        unknown = frozenset(found.keys() - self._known.keys())
        again = threads is not self._searched or time.monotonic() > self._searched_at + _AGAIN
        if unknown - self._unknown or (unknown and again):
            self._searched, self._searched_at = threads, time.monotonic()
            wanted = {number: thread for thread in threads() if (number := thread_number(schema, thread)) in unknown}
            self._known |= wanted
        self._unknown = unknown - self._known.keys()


def _session_of(store: Store) -> Session:
    from ..postgres import PostgresStore

    assert isinstance(store, PostgresStore)
    return store.session
