"""Which tables a database has, whose they are, and what the role may do with them.

Layouts: ``langgraph/checkpoint/postgres/base.py:46-94`` (migrations 0 to 9) and ``shallow.py:43-95``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import NotAStore, StoreUnreachable
from .postgres_errors import grants, not_found
from .postgres_open import Row, Session, Statement
from .text import one_line

_NAMES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_migrations")
_REQUIRED = frozenset(("thread_id", "checkpoint_ns", "checkpoint_id", "parent_checkpoint_id", "checkpoint", "metadata"))
_SHALLOW = frozenset(("thread_id", "checkpoint_ns", "checkpoint", "metadata"))

_SERVER = Statement(
    "SELECT pg_is_in_recovery(), current_setting('track_counts') = 'on', current_setting('block_size')::int,"
    " current_setting('server_version'), current_user::text"
)
_TABLES = Statement(
    """
    SELECT n.name, c.oid::bigint, quote_ident(s.nspname) || '.' || quote_ident(c.relname), s.nspname::text,
        c.relkind::text, has_table_privilege(c.oid, 'SELECT'),
        has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE'),
        row_security_active(c.oid),
        ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
    FROM unnest(%s::text[]) AS n(name)
    JOIN pg_class c ON c.oid = to_regclass(n.name)
    JOIN pg_namespace s ON s.oid = c.relnamespace
    """,
    (list(_NAMES),),
)
_ELSEWHERE = Statement(
    """
    SELECT DISTINCT s.nspname::text FROM pg_class c
    JOIN pg_namespace s ON s.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'checkpoint_id'
    WHERE c.relname = 'checkpoints' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND c.oid IS DISTINCT FROM to_regclass('checkpoints') ORDER BY 1
    """
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it stands in the database.

    Attributes:
        name: Qualified and quoted.
        oid: Its identity; a dropped and re-created table has another one.
        schema: Its schema, unquoted.
        plain: An ordinary heap, whose rows have a block number and the id of the transaction that wrote them.
        readable: The role may SELECT.
        writable: The role may INSERT and UPDATE.
        guarded: Row-level security applies to the role.
        columns: Names in their order.
    """

    name: str
    oid: int
    schema: str
    plain: bool
    readable: bool
    writable: bool
    guarded: bool
    columns: tuple[str, ...]

    @property
    def sql(self) -> str:
        """Its name in the text of a ``Statement``, where a percent sign stands for a parameter."""
        return self.name.replace("%", "%%")


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of a store, and the server under them.

    Attributes:
        checkpoints: Always there.
        blobs: ``None`` below migration 2.
        writes: ``None`` below migration 3.
        migration: Newest migration recorded; ``None`` where the role cannot tell.
        recovering: The server is a replica: it keeps no counters of what its primary writes.
        counting: ``track_counts`` is on, so that written rows are counted.
        block_size: Bytes in a heap block.
        server: Version for people.
        role: Who we are.
        elsewhere: Other schemas with a table ``checkpoints``.
    """

    checkpoints: Table
    blobs: Table | None
    writes: Table | None
    migration: int | None
    recovering: bool
    counting: bool
    block_size: int
    server: str
    role: str
    elsewhere: tuple[str, ...]

    @property
    def has_task_path(self) -> bool:
        """Whether write rows name their task's path (migration 9)."""
        return self.writes is not None and "task_path" in self.writes.columns

    @property
    def tables(self) -> tuple[Table, ...]:
        """Those that are there."""
        return tuple(table for table in (self.checkpoints, self.blobs, self.writes) if table is not None)

    @property
    def layout(self) -> str:
        """For people: ``migration 9``, ``migration 8, no task_path``."""
        number = "migration unknown" if self.migration is None else f"migration {self.migration}"
        return number if self.has_task_path else f"{number}, no task_path"

    def warnings(self) -> tuple[str, ...]:
        """Sentences that a person must know."""
        found = []
        if any(table.guarded for table in self.tables):
            found.append(f"Row-level security applies to {one_line(self.role)}: threads may be hidden.")
        if self.elsewhere:
            names = ", ".join(map(one_line, self.elsewhere))
            found.append(
                f"Reading schema {one_line(self.checkpoints.schema)}; other schemas have checkpoints too: {names}."
            )
        if self.recovering:
            found.append("The server is a replica: deletions and late changes show up with a delay.")
        return tuple(found)


def inspect(session: Session) -> Schema:
    """Find the tables.

    Raises:
        NotAStore: There are none, or they are something else's.
        StoreUnreachable: No connection, or no right to read a table.
    """
    (server,), found, elsewhere = session.read(_SERVER, _TABLES, _ELSEWHERE)
    recovering, counting, block_size, version, role = server
    tables = {row[0]: _table(row) for row in found}
    others = tuple(name for (name,) in elsewhere)
    if "checkpoints" not in tables:
        raise not_found(session.place, list(others), "checkpoint_migrations" in tables)
    _check_columns(tables["checkpoints"])
    unreadable = [name for name in _NAMES[:3] if name in tables and not tables[name].readable]
    if unreadable:
        raise StoreUnreachable(
            f"The role {one_line(role)} may not read {' and '.join(unreadable)}.",
            grants(one_line(role), ", ".join(tables[name].name for name in unreadable)),
        )
    return Schema(
        checkpoints=tables["checkpoints"],
        blobs=tables.get("checkpoint_blobs"),
        writes=tables.get("checkpoint_writes"),
        migration=_migration(session, tables.get("checkpoint_migrations")),
        recovering=recovering,
        counting=counting,
        block_size=block_size,
        server=version,
        role=role,
        elsewhere=others,
    )


def _table(row: Row) -> Table:
    _, oid, name, schema, kind, readable, writable, guarded, columns = row
    return Table(name, oid, schema, kind == "r", readable, writable, guarded, tuple(columns))


def _check_columns(table: Table) -> None:
    if table.columns and _REQUIRED.issubset(table.columns):
        return
    if _SHALLOW.issubset(table.columns) and "checkpoint_id" not in table.columns:
        raise NotAStore(
            "The tables are those of ShallowPostgresSaver, which keeps only the last checkpoint of a thread.",
            "lgtop reads PostgresSaver's tables: use PostgresSaver with durability='exit' instead, in a fresh schema.",
        )
    names = ", ".join(one_line(column, 40) for column in table.columns[:8])
    raise NotAStore(
        f"The table {one_line(table.name)} is not LangGraph's: its columns are {names}.",
        "Check the database name, or name the schema with ?options=-csearch_path%3DSCHEMA.",
    )


def _migration(session: Session, table: Table | None) -> int | None:
    if table is None or not table.readable or "v" not in table.columns:
        return None
    ((rows,),) = session.read(Statement(f"SELECT max(v) FROM {table.sql}"))
    return rows[0] if isinstance(rows[0], int) else None
