"""The SQL that reads checkpoints. Nothing here runs it.

Every statement is cheap by construction: by primary key, by thread, or by heap block; none sorts or counts the whole
table, except ``count_all``.
"""

from __future__ import annotations

from collections.abc import Sequence

from .model import CheckpointKey
from .postgres_open import Statement
from .postgres_schema import Schema, Table
from .store import Scope

CONTROL_WRITES = ("__error__", "__error_source_node__", "__interrupt__", "__resume__", "__scheduled__")
"""Write rows whose values tell a task's state (``langgraph/pregel/_task_status.py``)."""

_TUPLES_IN_A_BLOCK = 291
"""``MaxHeapTuplesPerPage`` of an 8 kB block."""

_OBJECT = "CASE WHEN jsonb_typeof({0}) = 'object' THEN {0} ELSE '{{}}'::jsonb END"
"""``jsonb_each`` raises on anything else, and a single hand-written row would fail the whole read."""

_KEYS = "unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS k(thread_id, ns, id, n)"
_SAME = "c.thread_id = k.thread_id AND c.checkpoint_ns = k.ns AND c.checkpoint_id = k.id"
_BEFORE_V = "coalesce({0}->'v' < '{1}'::jsonb, true)"
_NEEDED_BLOB = r"(v.key = '__pregel_tasks' OR v.key LIKE 'branch:to:%%' OR v.key LIKE 'join:%%')"


def in_blocks(version: int, first: int, end: int) -> str:
    """A condition on ``ctid`` for heap blocks ``first`` to ``end - 1``, without an index.

    The numbers must stand in the text: computed inside the query they make it read the whole table.
    """
    if version >= 140000:
        return f"ctid >= '({first},0)'::tid AND ctid < '({end},0)'::tid"
    return (
        f"ctid = ANY (ARRAY(SELECT ('(' || b || ',' || i || ')')::tid FROM generate_series({first}, {end - 1}) b,"
        f" generate_series(1, {_TUPLES_IN_A_BLOCK}) i))"
    )


def threads_in_blocks(table: Table, condition: str) -> Statement:
    """(thread id, its newest checkpoint id there) of the rows that a condition selects."""
    return Statement(f"SELECT thread_id, max(checkpoint_id) FROM {table.sql} WHERE {condition} GROUP BY thread_id")


def newest_threads(table: Table, limit: int) -> Statement:
    """The same for tables without heap blocks (partitions, views): reads an index from end to end."""
    return Statement(
        f"SELECT thread_id, max(checkpoint_id) FROM {table.sql} GROUP BY thread_id ORDER BY 2 DESC LIMIT %s", (limit,)
    )


def checkpoints_in_blocks(table: Table, condition: str) -> Statement:
    """Keys of the rows that a condition selects."""
    return Statement(f"SELECT thread_id, checkpoint_ns, checkpoint_id FROM {table.sql} WHERE {condition}")


def newest_checkpoints(table: Table, limit: int) -> Statement:
    """Keys of the newest rows, for tables without heap blocks."""
    return Statement(
        f"SELECT thread_id, checkpoint_ns, checkpoint_id FROM {table.sql} ORDER BY checkpoint_id DESC LIMIT %s",
        (limit,),
    )


# --- heads -------------------------------------------------------------------------------------------------------


def heads_after(table: Table, thread_id: str | None, limit: int) -> Statement:
    """Heads of the ``limit`` threads that follow one, by a loose scan of the primary key.

    Columns: thread id, namespace, checkpoint id, metadata, step, source, and the newest id over all namespaces
    where there are others than the root.
    """
    start, parameters = ("thread_id > %s", [thread_id]) if thread_id is not None else ("true", [])
    threads = f"""
        WITH RECURSIVE t(thread_id, n) AS (
            (SELECT thread_id, 1 FROM {table.sql} WHERE {start} ORDER BY thread_id LIMIT 1)
            UNION ALL
            SELECT (SELECT c.thread_id FROM {table.sql} c WHERE c.thread_id > t.thread_id
                    ORDER BY c.thread_id LIMIT 1), t.n + 1
            FROM t WHERE t.thread_id IS NOT NULL AND t.n < %s
        )"""
    return Statement(f"{threads} {_head_of(table)} WHERE t.thread_id IS NOT NULL ORDER BY t.n", [*parameters, limit])


def heads_of(table: Table, thread_ids: Sequence[str]) -> Statement:
    """Heads of named threads; columns as for ``heads_after``."""
    return Statement(
        f"WITH t(thread_id) AS (SELECT DISTINCT unnest(%s::text[])) {_head_of(table)}", (list(thread_ids),)
    )


def _head_of(table: Table) -> str:
    """Head rows of the threads in ``t``.

    The last row of a thread by its key is the head, unless the thread has other namespaces than the root. Only then is
    the root looked up, or, where there is none, the newest row of all.
    """
    columns = "checkpoint_ns, checkpoint_id, metadata"
    rows = f"SELECT {columns} FROM {table.sql} c WHERE c.thread_id = t.thread_id"
    return f"""
        SELECT t.thread_id, h.checkpoint_ns, h.checkpoint_id, h.metadata,
            h.metadata->>'step', h.metadata->>'source',
            CASE WHEN l.checkpoint_ns <> ''
                THEN (SELECT max(c.checkpoint_id) FROM {table.sql} c WHERE c.thread_id = t.thread_id) END
        FROM t
        CROSS JOIN LATERAL ({rows} ORDER BY checkpoint_ns DESC, checkpoint_id DESC LIMIT 1) l
        CROSS JOIN LATERAL (
            (SELECT l.* WHERE l.checkpoint_ns = '')
            UNION ALL
            ({rows} AND c.checkpoint_ns = '' ORDER BY checkpoint_id DESC LIMIT 1)
            UNION ALL
            ({rows} ORDER BY checkpoint_id DESC LIMIT 1)
            LIMIT 1
        ) h"""


# --- one thread --------------------------------------------------------------------------------------------------


def count_all(table: Table) -> Statement:
    """Checkpoints of every thread: an index-only scan of the whole key."""
    return Statement(f"SELECT thread_id, count(*) FROM {table.sql} GROUP BY thread_id")


def count_of(table: Table, thread_ids: Sequence[str]) -> Statement:
    """Checkpoints of named threads."""
    return Statement(
        f"SELECT thread_id, count(*) FROM {table.sql} WHERE thread_id = ANY(%s::text[]) GROUP BY thread_id",
        (list(thread_ids),),
    )


def oldest_of(table: Table, thread_ids: Sequence[str]) -> Statement:
    """Oldest checkpoint id of named threads."""
    return Statement(
        f"SELECT thread_id, min(checkpoint_id) FROM {table.sql} WHERE thread_id = ANY(%s::text[]) GROUP BY thread_id",
        (list(thread_ids),),
    )


def namespaces(table: Table, thread_id: str) -> Statement:
    """Namespaces of a thread."""
    return Statement(
        f'SELECT checkpoint_ns FROM {table.sql} WHERE thread_id = %s GROUP BY 1 ORDER BY checkpoint_ns COLLATE "C"',
        (thread_id,),
    )


def history(table: Table, thread_id: str, ns: str | None, before: str | None, limit: int | None) -> Statement:
    """Checkpoints of a thread, newest first; ``pg_column_size`` does not unpack what it measures."""
    where, parameters = ["thread_id = %s"], [thread_id]
    if ns is not None:
        where.append("checkpoint_ns = %s")
        parameters.append(ns)
    if before is not None:
        where.append("checkpoint_id < %s")
        parameters.append(before)
    count = "" if limit is None else f" LIMIT {int(limit)}"
    return Statement(
        f"""
        SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata, metadata->>'step', metadata->>'source',
            pg_column_size(checkpoint) + pg_column_size(metadata)
        FROM {table.sql} WHERE {" AND ".join(where)}
        ORDER BY checkpoint_id DESC, checkpoint_ns{count}""",
        parameters,
    )


def writes(
    schema: Schema,
    table: Table,
    thread_id: str,
    ns: str | None,
    checkpoint_ids: Sequence[str] | None,
    channels: Sequence[str] | None,
    values: bool,
) -> Statement:
    """Write rows of a thread: ns, checkpoint id, task id, task path, idx, channel, type, blob."""
    where: list[str] = ["w.thread_id = %s"]
    parameters: list[object] = [thread_id]
    if ns is not None:
        where.append("w.checkpoint_ns = %s")
        parameters.append(ns)
    for column, wanted in (("checkpoint_id", checkpoint_ids), ("channel", channels)):
        if wanted is not None:
            where.append(f"w.{column} = ANY(%s::text[])")
            parameters.append(list(wanted))
    blob = "w.type, w.blob" if values else "NULL::text, NULL::bytea"
    return Statement(
        f"""
        SELECT w.checkpoint_ns, w.checkpoint_id, w.task_id, {_task_path(schema)}, w.idx, w.channel, {blob}
        FROM {table.sql} w WHERE {" AND ".join(where)}
        ORDER BY w.checkpoint_ns COLLATE "C", w.checkpoint_id COLLATE "C", {_task_order(schema)}""",
        parameters,
    )


def _task_path(schema: Schema) -> str:
    return "w.task_path" if schema.has_task_path else "NULL::text"


def _task_order(schema: Schema) -> str:
    path = 'w.task_path COLLATE "C", ' if schema.has_task_path else ""
    return path + 'w.task_id COLLATE "C", w.idx'


# --- whole checkpoints -------------------------------------------------------------------------------------------


def raw(schema: Schema, keys: Sequence[CheckpointKey], scope: Scope) -> list[Statement]:
    """Four statements: checkpoints, blobs, writes, Sends of the parent; the first column numbers the key from 1.

    With ``Scope.CONTROL`` state stays in the server: of a channel that status does not look into, only its presence
    comes along, as a null.
    """
    columns = tuple(list(column) for column in zip(*keys, strict=True)) if keys else ([], [], [])
    statements = [_raw_checkpoints(schema, scope)]
    if schema.blobs is not None:
        statements.append(_raw_blobs(schema, schema.blobs, scope))
    if schema.writes is not None:
        statements += [_raw_writes(schema, schema.writes, scope), _raw_parent_sends(schema, schema.writes)]
    return [Statement(statement, columns) for statement in statements]


def marked(table: Table, keys: Sequence[CheckpointKey], channels: Sequence[str]) -> Statement:
    """Numbers, from 1, of the keys that have a write row of one of some channels; LIMIT forbids a join."""
    columns = (list(column) for column in zip(*keys, strict=True)) if keys else ([], [], [])
    return Statement(
        f"""
        SELECT k.n FROM {_KEYS} CROSS JOIN LATERAL (
            SELECT FROM {table.sql} w
            WHERE w.thread_id = k.thread_id AND w.checkpoint_ns = k.ns AND w.checkpoint_id = k.id
                AND w.channel = ANY(%s::text[]) LIMIT 1
        ) w""",
        (*columns, list(channels)),
    )


def _raw_checkpoints(schema: Schema, scope: Scope) -> str:
    checkpoint = "c.checkpoint"
    if scope is Scope.CONTROL:
        inline = _OBJECT.format("c.checkpoint->'channel_values'")
        needed = _NEEDED_BLOB
        checkpoint = f"""
            CASE WHEN pg_column_size(c.checkpoint) < 16384 OR jsonb_typeof(c.checkpoint) <> 'object' THEN c.checkpoint
            ELSE c.checkpoint || jsonb_build_object('channel_values', (
                SELECT coalesce(jsonb_object_agg(v.key, CASE WHEN {needed} THEN v.value ELSE 'null'::jsonb END), '{{}}')
                FROM jsonb_each({inline}) v)) END"""
    return f"""
        SELECT k.n, c.parent_checkpoint_id, {checkpoint}, c.metadata
        FROM {_KEYS} JOIN {schema.checkpoints.sql} c ON {_SAME}"""


def _raw_blobs(schema: Schema, blobs: Table, scope: Scope) -> str:
    """Blobs of the versions that a checkpoint names; those of layouts before v3 all matter, as do other graphs'.

    A blob is looked up by its whole key (LIMIT forbids a join): planned from what a thread has on average, a join would
    read all blobs of the few threads that have very many. ``OFFSET`` makes a row's checkpoint be unpacked once.
    """
    versions = _OBJECT.format("c.body->'channel_versions'")
    value, needed = "b.type, b.blob", "true"
    if scope is Scope.CONTROL:
        value = "CASE WHEN needed THEN b.type ELSE 'null' END, CASE WHEN needed THEN b.blob ELSE '' END"
        needed = f"(needed OR v.key = '__start__' OR {_BEFORE_V.format('c.body', 3)} OR NOT c.versions ? '__start__')"
    return f"""
        SELECT c.n, v.key, {value}
        FROM (SELECT c.*, {versions} AS versions FROM ({_bodies(schema)}) c OFFSET 0) c
        CROSS JOIN LATERAL jsonb_each_text(c.versions) v
        CROSS JOIN LATERAL (SELECT {_NEEDED_BLOB} AS needed) w
        CROSS JOIN LATERAL (
            SELECT b.type, b.blob FROM {blobs.sql} b
            WHERE b.thread_id = c.thread_id AND b.checkpoint_ns = c.ns AND b.channel = v.key AND b.version = v.value
                AND {needed} LIMIT 1
        ) b
        WHERE b.type <> 'empty'"""


def _bodies(schema: Schema) -> str:
    """The checkpoints of the keys, unpacked: ``#>`` with an empty path copies the whole."""
    return f"""
        SELECT k.n, k.thread_id, k.ns, c.parent_checkpoint_id, c.checkpoint #> '{{}}' AS body
        FROM {_KEYS} JOIN {schema.checkpoints.sql} c ON {_SAME} OFFSET 0"""


def _raw_writes(schema: Schema, table: Table, scope: Scope) -> str:
    value = "w.type, w.blob"
    if scope is Scope.CONTROL:
        names = ", ".join(f"'{name}'" for name in CONTROL_WRITES)
        needed = f"w.channel IN ({names}) OR (w.channel = '__pregel_tasks' AND w.task_path = '')"
        if not schema.has_task_path:
            needed = f"w.channel IN ({names}, '__pregel_tasks')"
        value = f"CASE WHEN {needed} THEN w.type END, CASE WHEN {needed} THEN w.blob END"
    return f"""
        SELECT k.n, w.checkpoint_id, w.task_id, {_task_path(schema)}, w.idx, w.channel, {value}
        FROM {_KEYS} JOIN {table.sql} w
            ON w.thread_id = k.thread_id AND w.checkpoint_ns = k.ns AND w.checkpoint_id = k.id
        ORDER BY k.n, {_task_order(schema)}"""


def _raw_parent_sends(schema: Schema, table: Table) -> str:
    """Before layout v4 the Sends of a checkpoint are write rows of its parent (``postgres/base.py:123-132``)."""
    return f"""
        SELECT c.n, w.type, w.blob
        FROM ({_bodies(schema)}) c
        JOIN {table.sql} w ON w.thread_id = c.thread_id AND w.checkpoint_ns = c.ns
            AND w.checkpoint_id = c.parent_checkpoint_id AND w.channel = '__pregel_tasks'
        WHERE {_BEFORE_V.format("c.body", 4)}
        ORDER BY c.n, {_task_order(schema)}"""
