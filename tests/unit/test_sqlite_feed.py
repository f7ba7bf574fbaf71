from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from backends.errors import StoreBusy
from backends.model import Cursor, Delta, ThreadHead
from backends.sqlite import SqliteStore
from tests.sqlite_files import connect, fork, identifier, put, put_write


class Follower:
    """Keeps all heads by following the feed, as the live index does."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.cursor: Cursor = store.cursor()
        self.heads: dict[str, ThreadHead] = {}
        self.reload()

    def reload(self) -> None:
        self.heads = {head.thread_id: head for batch in self.store.heads() for head in batch}

    def follow(self) -> Delta:
        delta = self.store.poll(self.cursor)
        self.cursor = delta.cursor
        if delta.reload:
            self.reload()
        found = self.store.heads_of(sorted(delta.changed))
        for thread_id in delta.changed:
            if thread_id in found:
                self.heads[thread_id] = found[thread_id]
            else:
                self.heads.pop(thread_id, None)
        return delta


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(tmp_path / "x.db")) as connection:
        for thread_id in ("a", "b"):
            put(connection, thread_id, 1)
            put_write(connection, thread_id, 1)
        yield connection


@pytest.fixture
def follower(writer: sqlite3.Connection, tmp_path: Path) -> Iterator[Follower]:
    with closing(SqliteStore(str(tmp_path / "x.db"))) as store:
        follower = Follower(store)
        follower.follow()
        yield follower


@pytest.fixture(autouse=True)
def _count_at_every_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.sqlite_feed._COUNT_SHARE", 0)


def test_nothing_new_is_nothing(follower: Follower) -> None:
    before = follower.cursor
    delta = follower.follow()
    assert delta == Delta(before)


def test_a_table_of_the_application_is_no_change(writer: sqlite3.Connection, follower: Follower) -> None:
    writer.execute("create table mine(x)")
    writer.execute("insert into mine values (1)")
    delta = follower.follow()
    assert (delta.changed, delta.reload) == (frozenset(), False)


def test_a_checkpoint_names_its_thread_only(writer: sqlite3.Connection, follower: Follower) -> None:
    put(writer, "a", 2)
    put(writer, "new", 3)
    assert follower.follow().changed == {"a", "new"}
    put(writer, "a", 4)
    assert follower.follow().changed == {"a"}


def test_a_write_names_its_thread(writer: sqlite3.Connection, follower: Follower) -> None:
    put_write(writer, "a", 1, "another task")
    assert follower.follow().changed == {"a"}


def test_the_last_row_replaced_is_noticed(writer: sqlite3.Connection, follower: Follower) -> None:
    for _ in range(3):
        put_write(writer, "b", 1)
        delta = follower.follow()
        assert (delta.changed, delta.reload) == ({"b"}, False)


def test_the_last_row_moved_behind_another_is_no_deletion(writer: sqlite3.Connection, follower: Follower) -> None:
    put_write(writer, "a", 1, "another task")
    put_write(writer, "b", 1)
    delta = follower.follow()
    assert (delta.changed, delta.reload) == ({"a", "b"}, False)


def test_an_older_write_replaced_is_no_deletion(writer: sqlite3.Connection, follower: Follower) -> None:
    put_write(writer, "a", 1)
    delta = follower.follow()
    assert (delta.changed, delta.reload) == ({"a"}, False)


@pytest.mark.parametrize("thread_id", ["a", "b"])
def test_a_deleted_thread_is_noticed(writer: sqlite3.Connection, follower: Follower, thread_id: str) -> None:
    writer.execute("delete from checkpoints where thread_id = ?", (thread_id,))
    writer.execute("delete from writes where thread_id = ?", (thread_id,))
    delta = follower.follow()
    assert delta.reload
    assert "deleted" in delta.reason
    assert thread_id not in follower.heads
    assert not follower.follow().reload


def test_a_deletion_while_the_index_loads_is_noticed(writer: sqlite3.Connection, tmp_path: Path) -> None:
    for number in range(200):
        put(writer, f"c{number}", 1, metadata={"pad": "x" * 2000})
    put(writer, "last", 1)
    with closing(SqliteStore(str(tmp_path / "x.db"))) as store:
        cursor = store.cursor()
        writer.execute("delete from checkpoints where thread_id like 'c%'")
        assert store.poll(cursor).reload


def test_a_rowid_used_again_is_noticed(writer: sqlite3.Connection, follower: Follower) -> None:
    writer.execute("delete from checkpoints where thread_id = 'b'")
    put(writer, "c", 9)
    assert follower.follow().reload
    assert set(follower.heads) == {"a", "c"}


def test_an_emptied_store_and_its_first_row(writer: sqlite3.Connection, follower: Follower) -> None:
    for table in ("checkpoints", "writes"):
        writer.execute(f"delete from {table}")
    assert follower.follow().reload
    assert follower.heads == {}
    put(writer, "c", 1)
    assert follower.follow().changed == {"c"}


def test_a_large_table_is_counted_rarely(
    writer: sqlite3.Connection, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.sqlite_feed._COUNT_SHARE", 1e9)
    put(writer, "c", 2)
    follower.follow()  # counts, and is then not due for a long time
    counted: list[str] = []
    follower.store._file.connection.set_trace_callback(lambda sql: counted.append(sql) if "count(*)" in sql else None)
    put(writer, "d", 3)
    assert follower.follow().changed == {"d"}
    assert counted == []


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_process_that_opens_and_closes_the_store_again_and_again(tmp_path: Path, journal: str) -> None:
    """Each close writes the WAL back into the file under our eyes and deletes it."""
    path = tmp_path / "x.db"
    connect(path, journal).close()

    def write() -> None:
        for number in range(1000):
            with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as mine:
                mine.execute("pragma synchronous = off")
                put(mine, f"thread {number % 50}", number, metadata={"step": number, "pad": "x" * 3000})

    child = fork(write)
    with closing(SqliteStore(str(path))) as store:
        follower = Follower(store)
        ended, seen = (0, 0), dict[str, int]()
        while ended == (0, 0):
            ended = os.waitpid(child, os.WNOHANG)
            try:
                follower.follow()
                with closing(SqliteStore(str(path))) as fresh:
                    heads = {head.thread_id: head.step or 0 for batch in fresh.heads() for head in batch}
                assert len(heads) >= len(seen)
                assert all(heads[name] >= step for name, step in seen.items())
                seen = heads
            except StoreBusy:
                continue
        assert ended == (child, 0)
        follower.follow()
        assert {name: head.step for name, head in follower.heads.items()} == {
            f"thread {number % 50}": number for number in range(950, 1000)
        }


class Everything(RuleBasedStateMachine):
    """Whatever writers do, following the feed gives what reading everything gives."""

    thread_ids = st.sampled_from(["a", "b", "c", "d", ""])
    numbers = st.integers(0, 6)

    @initialize(journal=st.sampled_from(["wal", "delete"]))
    def begin(self, journal: str) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.path, self.journal = Path(self.directory.name) / "x.db", journal
        self.writer = connect(self.path, journal)
        self.follower = Follower(SqliteStore(str(self.path)))

    @rule(thread_id=thread_ids, number=numbers, ns=st.sampled_from(["", "sub:1", "sub:2|in:3"]))
    def put_checkpoint(self, thread_id: str, number: int, ns: str) -> None:
        put(self.writer, thread_id, number, ns)

    @rule(thread_id=thread_ids, number=numbers)
    def rewrite_checkpoint(self, thread_id: str, number: int) -> None:
        put(self.writer, thread_id, number, metadata={"source": "update", "step": 77})

    @rule(thread_id=thread_ids, number=numbers, task=st.sampled_from(["t", "u"]))
    def put_write(self, thread_id: str, number: int, task: str) -> None:
        put_write(self.writer, thread_id, number, task)

    @rule(thread_id=thread_ids)
    def delete_thread(self, thread_id: str) -> None:
        self.writer.execute("begin")
        for table in ("checkpoints", "writes"):
            self.writer.execute(f"delete from {table} where thread_id = ?", (thread_id,))
        self.writer.execute("commit")

    @rule(number=numbers)
    def prune(self, number: int) -> None:
        self.writer.execute("delete from checkpoints where checkpoint_id = ?", (identifier(number),))

    @rule()
    def vacuum(self) -> None:
        self.writer.execute("vacuum")

    @rule()
    def reopen_writer(self) -> None:
        self.writer.close()
        self.writer = connect(self.path, self.journal)

    @rule()
    def follow(self) -> None:
        self.follower.follow()

    @rule()
    def catch_up(self) -> None:
        self.follower.follow()
        truth = {head.thread_id: head for batch in self.follower.store.heads() for head in batch}
        assert self.follower.heads == truth
        assert not self.follower.follow().changed

    @invariant()
    def counts_agree(self) -> None:
        if hasattr(self, "writer"):
            rows = self.writer.execute("select thread_id, count(*) from checkpoints group by 1").fetchall()
            assert self.follower.store.counts() == dict(rows)

    def teardown(self) -> None:
        if hasattr(self, "writer"):
            self.catch_up()
            self.follower.store.close()
            self.writer.close()
            self.directory.cleanup()


TestEverything = Everything.TestCase
TestEverything.settings = settings(max_examples=60, stateful_step_count=30)
