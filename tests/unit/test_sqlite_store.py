from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backends.errors import Cancelled, NotAStore
from backends.model import CheckpointKey, ThreadHead
from backends.sqlite import SqliteStore, snapshot
from backends.sqlite_values import step_and_source
from backends.store import Scope
from tests.hostile import hostile_sqlite
from tests.sqlite_files import connect, identifier, make, put, put_write


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(tmp_path / "x.db")) as connection:
        yield connection


@pytest.fixture
def store(writer: sqlite3.Connection, tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(str(tmp_path / "x.db"))) as opened:
        yield opened


def all_heads(store: SqliteStore) -> dict[str, ThreadHead]:
    return {head.thread_id: head for batch in store.heads() for head in batch}


@pytest.mark.parametrize("task_path", [True, False])
def test_every_row_of_a_hostile_store_is_read_as_it_is(tmp_path: Path, task_path: bool) -> None:
    path = tmp_path / "hostile.db"
    canary = hostile_sqlite(path, task_path)
    with closing(sqlite3.connect(path)) as plain:
        plain.text_factory = bytes
        checkpoints = plain.execute(
            "select thread_id, checkpoint_ns, checkpoint_id, metadata from checkpoints"
        ).fetchall()
        writes = plain.execute("select thread_id, channel, value from writes").fetchall()
    with closing(SqliteStore(str(path))) as store:
        heads = all_heads(store)
        assert {thread.encode("utf-8", "surrogateescape") for thread in heads} == {row[0] for row in checkpoints}
        assert store.heads_of(list(heads)) == heads
        assert store.counts(list(heads)) == store.counts()
        assert sum(store.counts().values()) == len(checkpoints)
        assert set(store.created_ids(list(heads))) == set(heads)
        history = [row for thread_id in heads for row in store.history(thread_id)]
        assert sorted(tuple(part.encode("utf-8", "surrogateescape") for part in row.key) for row in history) == sorted(
            row[:3] for row in checkpoints
        )
        assert {row.metadata_json for row in history} == {row[3] or b"" for row in checkpoints}
        assert len(store.raw([row.key for row in history])) == len(checkpoints)
        found = [write for thread_id in {*heads, "orphan"} for _, write in store.writes(thread_id, values=True)]
        assert len(found) == len(writes)
        assert {write.blob.data for write in found} == {row[2] for row in writes}
        assert {write.task_path is None for write in found} == {not task_path}
        for head in heads.values():
            assert {(row.key.ns) for row in store.history(head.thread_id)} == set(store.namespaces(head.thread_id))
        assert len(list(store.sample(10_000))) == len(checkpoints)
        store.poll(store.cursor())
    assert not canary.exists()


def test_text_that_is_no_utf8_names_the_same_row_on_the_way_back(
    writer: sqlite3.Connection, store: SqliteStore
) -> None:
    put(writer, "good", 1)
    for column in ("thread_id", "checkpoint_ns", "checkpoint_id"):
        put(writer, f"bad {column}", 2)
        writer.execute(
            f"update checkpoints set {column} = cast(x'ff00fe41' as text) where thread_id = ?", (f"bad {column}",)
        )
    bad = "\udcff\x00\udcfeA"
    heads = all_heads(store)
    assert set(heads) == {"good", bad, "bad checkpoint_ns", "bad checkpoint_id"}
    assert heads["bad checkpoint_ns"].ns == bad
    assert heads["bad checkpoint_id"].checkpoint_id == bad
    assert store.heads_of(list(heads)) == heads
    assert [raw.key for raw in store.raw([head.key for head in heads.values()])] == [
        head.key for head in heads.values()
    ]
    assert store.history(bad)[0].key == heads[bad].key
    assert store.heads_of(["\ud800", "lone \udfff"]) == {}


def test_columns_of_the_wrong_type(writer: sqlite3.Connection, store: SqliteStore) -> None:
    rows = [
        ("number", "", 7, 8, 9, "text instead of bytes", "{}"),
        ("null", "", identifier(1), None, None, None, None),
        ("float", "", identifier(1), 1.5, "json", 2.5, 3.5),
        ("bytes", b"ns", b"id", b"parent", b"json", b"{}", '{"step": 4, "source": "input"}'),
    ]
    writer.executemany("insert into checkpoints values (?, ?, ?, ?, ?, ?, ?)", rows)
    writer.execute(
        "insert into writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value) "
        "values ('null', '', ?, x'01', 'many', x'02', 5, 6.5)",
        (identifier(1),),
    )
    heads = all_heads(store)
    assert heads["number"].checkpoint_id == "7"
    assert heads["bytes"].ns == "ns"
    (null,) = store.raw([heads["null"].key])
    assert (null.checkpoint.type, null.checkpoint.data, null.metadata_json) == (None, None, b"")
    assert (null.writes[0].idx, null.writes[0].channel, null.writes[0].blob.data) == (0, "\x02", b"6.5")
    (number,) = store.raw([heads["number"].key])
    assert number.checkpoint.data == b"text instead of bytes"
    for thread_id in heads:
        store.history(thread_id)
        store.writes(thread_id, values=True)


def test_binary_thread_ids_are_left_out_and_told(writer: sqlite3.Connection, tmp_path: Path) -> None:
    put(writer, "good", 1)
    writer.execute("insert into checkpoints values (x'6162', '', 'id', null, null, null, null)")
    with closing(SqliteStore(str(tmp_path / "x.db"))) as store:
        assert list(all_heads(store)) == ["good"]
        assert store.counts() == {"good": 1}
        assert [head.thread_id for head in store.newest_heads(5)] == ["good"]
        assert "binary" in store.info.warnings[0]


def test_a_store_without_task_path(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("alter table writes drop column task_path")
    with closing(SqliteStore(str(path))) as store:
        assert store.info.schema == "without task_path"
        assert [write.task_path for _, write in store.writes("a")] == [None]
        (raw,) = store.raw([store.heads_of(["a"])["a"].key])
        assert [write.task_path for write in raw.writes] == [None]


def test_a_saver_that_adds_task_path_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db", journal="delete")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("alter table writes drop column task_path")
        with closing(SqliteStore(str(path))) as store:
            assert [write.task_path for _, write in store.writes("a")] == [None]
            connection.execute("alter table writes add column task_path text not null default ''")
            store.cursor()
            assert [write.task_path for _, write in store.writes("a")] == [""]
            assert store.info.schema == "with task_path"
            connection.execute("drop table writes")
            with pytest.raises(NotAStore, match="writes"):
                store.writes("a")


def test_the_size_of_a_checkpoint_is_in_bytes(writer: sqlite3.Connection, store: SqliteStore) -> None:
    put(writer, "a", 1)
    put(writer, "a", 2)
    put(writer, "a", 3)
    for number, content in enumerate((b"x" * 100_000, "größe", None), start=1):
        writer.execute("update checkpoints set checkpoint = ? where checkpoint_id = ?", (content, identifier(number)))
    assert [row.size for row in store.history("a")] == [0, 7, 100_000]


def test_more_threads_than_one_batch(writer: sqlite3.Connection, store: SqliteStore) -> None:
    names = [f"thread {number}" for number in range(2500)]
    random.Random(1).shuffle(names)
    writer.execute("begin")
    for number, name in enumerate(names):
        put(writer, name, number)
    writer.execute("commit")
    batches = list(store.heads())
    assert len(batches) == 3
    assert [head.thread_id for batch in batches for head in batch] == sorted(names)
    assert [head.thread_id for head in store.newest_heads(100)] == names[:-101:-1]


def test_heads_can_be_cancelled_between_batches(writer: sqlite3.Connection, store: SqliteStore) -> None:
    writer.execute("begin")
    for number in range(2500):
        put(writer, f"thread {number}", 1)
    writer.execute("commit")
    seen: list[ThreadHead] = []

    def enough() -> bool:
        return bool(seen)

    for batch in store.heads(enough):
        seen += batch
    assert 0 < len(seen) < 2500


def test_newest_threads_behind_a_busy_one_are_found(
    writer: sqlite3.Connection, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.sqlite_heads._RECENT_ROWS", 10)
    for number in range(20):
        put(writer, f"quiet {number:02}", number)
    for number in range(100, 150):
        put(writer, "busy", number)
    assert [head.thread_id for head in store.newest_heads(3)] == ["busy", "quiet 19", "quiet 18"]
    assert len(store.newest_heads(50)) == 21


def test_no_read_holds_back_the_writer_s_checkpoints(writer: sqlite3.Connection, store: SqliteStore) -> None:
    for number in range(1500):
        put(writer, f"thread {number}", 1)
    batches = store.heads()
    next(batches)
    put(writer, "thread 0", 2)
    busy, _, _ = writer.execute("pragma wal_checkpoint(truncate)").fetchone()
    assert busy == 0
    assert sum(map(len, batches)) == 500


def test_writes_committed_meanwhile_do_not_disturb_a_scan(writer: sqlite3.Connection, store: SqliteStore) -> None:
    for number in range(1500):
        put(writer, f"thread {number:04}", 1)
    batches = store.heads()
    first = next(batches)
    put(writer, "thread 0000 and a half", 2)
    put(writer, "thread 1400", 2)
    second = next(batches)
    assert len(first) + len(second) == 1500
    assert {head.thread_id: head.step for head in second}["thread 1400"] == 2


def test_interrupt_cancels_a_running_statement(store: SqliteStore) -> None:
    started = threading.Event()

    def forever(connection: sqlite3.Connection) -> object:
        connection.create_function("begin", 0, started.set)
        return connection.execute(
            "with recursive n(x) as (select begin() union all select 1 from n) select count(*) from n"
        ).fetchone()

    def cancel() -> None:
        started.wait()
        store.interrupt()

    threading.Thread(target=cancel).start()
    with pytest.raises(Cancelled):
        store._read(forever)
    assert store.counts() == {}


class InterruptedOnce(sqlite3.Connection):
    """Whose first rollback is hit by an interrupt."""

    hits = 1

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql == "rollback" and self.hits:
            self.hits -= 1
            raise sqlite3.OperationalError("interrupted")
        return super().execute(sql, *parameters)


def test_an_interrupted_end_of_a_transaction_leaves_none_open() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None, factory=InterruptedOnce)) as connection:
        for _ in range(2):
            with snapshot(connection):
                connection.execute("select 1").fetchone()
        assert not connection.in_transaction


def test_interrupt_while_nothing_runs_is_forgotten(store: SqliteStore) -> None:
    store.interrupt()
    assert store.counts() == {}


def test_control_scope_leaves_large_values_of_ordinary_channels(writer: sqlite3.Connection, store: SqliteStore) -> None:
    put(writer, "a", 1)
    put_write(writer, "a", 1)
    for idx, channel in enumerate(("answer", "branch:to:next", "__pregel_tasks", "underscore_", "a__b")):
        writer.execute(
            "insert into writes (thread_id, checkpoint_id, task_id, idx, channel, type, value) "
            "values ('a', ?, 't', ?, ?, 'msgpack', x'01')",
            (identifier(1), idx, channel),
        )
    (control,) = store.raw([CheckpointKey("a", "", identifier(1))], Scope.CONTROL)
    (full,) = store.raw([CheckpointKey("a", "", identifier(1))])
    assert {write.channel for write in control.writes if write.blob.data} == {
        "__error__",
        "branch:to:next",
        "__pregel_tasks",
    }
    assert all(write.blob.data for write in full.writes)
    assert (control.complete, full.complete) == (False, True)
    assert control.checkpoint == full.checkpoint


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (b'{"source": "loop", "step": 3, "parents": {}}', (3, "loop")),
        (b'{"source": "input", "step": -1}', (-1, "input")),
        (b'{"source": "loop", "writes": {"a": {"step": 9}}, "step": 1, "parents": {}}', (1, "loop")),
        (b'{"step":2,"source":"fork"}', (2, "fork")),
        (b'{"parents": {"step": 7, "source": "x"}}', (None, None)),
        (b'{"source": "loop", "step": 3', (None, None)),
        (b'{"source": "loop", "step": true}', (None, "loop")),
        (b'{"source": 1, "step": "2"}', (None, None)),
        (b"[1]", (None, None)),
        (b"", (None, None)),
        (b"\xff", (None, None)),
        (b"[" * 100_000, (None, None)),
    ],
)
def test_step_and_source(metadata: bytes, expected: tuple[int | None, str | None]) -> None:
    assert step_and_source(metadata) == expected
