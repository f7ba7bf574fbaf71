"""A PostgreSQL store: the role's rights, migrations, indexes, size, and the sessions beside ours."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ..postgres_open import Session, Statement
from ..postgres_schema import Schema, inspect
from ..text import one_line
from .finding import Finding, State, size
from .installed import Installed
from .schema import compare_migration

_INDEXES = """
    SELECT t.relname::text, i.relname::text, x.indisprimary, x.indisvalid AND x.indisready
    FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE x.indrelid IN ({})
"""
_SIZES = """
    SELECT pg_total_relation_size(c.oid)::bigint, coalesce(s.n_live_tup, 0)::bigint, coalesce(s.n_dead_tup, 0)::bigint
    FROM pg_class c LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid WHERE c.oid IN ({})
"""
_SERVER = Statement(
    """
    SELECT extract(epoch FROM clock_timestamp())::float8, current_setting('max_connections')::int,
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type IS NULL OR backend_type = 'client backend'),
        (SELECT count(*) FROM pg_stat_activity
         WHERE state LIKE 'idle in transaction%%' AND state_change < now() - interval '5 minutes')
    """
)

_SKEW = 2.0
"""Seconds that our clock and the server's may be apart."""

_BLOATED = 100_000
"""Dead rows from which on they count."""


def examine_postgres(dsn: str, readonly: bool, found: Installed | None) -> Iterator[Finding]:
    """Look at a store that can be opened.

    Args:
        dsn: As for ``Session``.
        readonly: Whether nobody wants to write.
        found: What is installed where graphs run; ``None`` where it cannot be told.

    Raises:
        StoreError: It cannot be reached or read.
    """
    session = Session(dsn)
    try:
        schema = inspect(session)
        oids = ", ".join(str(table.oid) for table in schema.tables)
        began = time.time()
        indexes, sizes, (server,) = session.read(
            Statement(_INDEXES.format(oids)), Statement(_SIZES.format(oids)), _SERVER
        )
        middle = (began + time.time()) / 2
    finally:
        session.close()
    clock, allowed, connected, idle = server
    yield compare_migration(schema.migration, found)
    yield _rights(schema, readonly)
    yield _indexes(schema, [(row[0], row[1], row[2], row[3]) for row in indexes])
    yield _sizes([(row[0], row[1], row[2]) for row in sizes])
    yield _server_clock(clock - middle)
    yield _sessions(allowed, connected, idle)


def _rights(schema: Schema, readonly: bool) -> Finding:
    role = one_line(schema.role)
    closed = [table.name for table in schema.tables if not table.writable]
    if schema.recovering:
        state = State.NOTE if readonly else State.FAULT
        return Finding("rights", state, "The server is a replica: nothing can be written.", "Name its primary.")
    if not closed:
        return Finding("rights", State.OK, f"The role {role} may read and write.")
    told = f"The role {role} may only read {one_line(', '.join(closed))}."
    if readonly:
        return Finding("rights", State.NOTE, told)
    advice = f"To look is all that it can; --readonly says that this is meant. Else: {_more_than_select(role, closed)}"
    return Finding("rights", State.FAULT, told, advice)


def _more_than_select(role: str, tables: list[str]) -> str:
    return f'GRANT SELECT, INSERT, UPDATE, DELETE ON {one_line(", ".join(tables))} TO "{role}";'


def _indexes(schema: Schema, indexes: list[tuple[str, str, bool, bool]]) -> Finding:
    """Primary keys and the indexes by thread (migrations 6 to 8), all of them valid."""
    broken = [name for _, name, _, valid in indexes if not valid]
    if broken:
        name = one_line(broken[0])
        told = f"The index {name} is not valid: making it was interrupted, and no query uses it."
        return Finding("indexes", State.FAULT, told, f"REINDEX INDEX CONCURRENTLY {name};")
    keyed = {table for table, _, primary, _ in indexes if primary}
    names = [table.name.rpartition(".")[2].strip('"') for table in schema.tables]
    if bare := [name for name in names if name not in keyed]:
        told = f"{' and '.join(map(one_line, bare))} has lost its primary key: the saver cannot write, reading is slow."
        return Finding("indexes", State.FAULT, told, "Make it again as langgraph/checkpoint/postgres/base.py has it.")
    present = {name for _, name, _, _ in indexes}
    absent = [f"{name}_thread_id_idx" for name in names if f"{name}_thread_id_idx" not in present]
    if absent:
        told = f"The index {one_line(absent[0])} is missing ({len(absent)} in all)."
        return Finding("indexes", State.WARNING, told, "Let the application call setup() of its saver once.")
    return Finding("indexes", State.OK, f"All {len(indexes)} indexes are there and valid.")


def _sizes(sizes: list[tuple[int, int, int]]) -> Finding:
    total, live, dead = (sum(figures) for figures in zip(*sizes, strict=True))
    told = f"{size(total)}, about {live:,} rows, {dead:,} dead ones."
    if dead > max(_BLOATED, live):
        return Finding("size", State.WARNING, told, "Autovacuum does not keep up: VACUUM (ANALYZE) the tables.")
    return Finding("size", State.OK, told)


def _server_clock(apart: float) -> Finding:
    if abs(apart) <= _SKEW:
        return Finding("clock", State.OK, "The clocks of the server and of this computer agree.")
    told = f"The server's clock is {abs(apart):,.1f} s {'ahead of' if apart > 0 else 'behind'} this computer's."
    return Finding("clock", State.WARNING, told, "Set both by NTP: ids of checkpoints are times, and order them.")


def _sessions(allowed: int, connected: int, idle: int) -> Finding:
    told = f"{connected} of {allowed} connections are in use."
    if connected >= allowed * 0.9:
        return Finding("sessions", State.WARNING, told, "A run needs two more: raise max_connections or use a pooler.")
    if idle:
        told = f"{idle} sessions have been idle in a transaction for more than five minutes; {told}"
        return Finding("sessions", State.WARNING, told, "They hold locks and keep dead rows: end them.")
    return Finding("sessions", State.OK, told)
