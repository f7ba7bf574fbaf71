"""The change feed on a real server: what is hard to see without an index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver

from backends.model import Cursor, Delta
from backends.postgres import PostgresStore

from .following import Follower, everything
from .population import populate
from .test_untouched import look_at_everything

INSERT = "INSERT INTO checkpoints VALUES (%s, '', %s, NULL, NULL, %s::jsonb, '{}')"
WRITE = (
    "INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob)"
    " VALUES (%s, '', 'x', 'task', -1, '__error__', 'msgpack', %s)"
    " ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO UPDATE SET blob = EXCLUDED.blob"
)
FLUSH = "SELECT pg_stat_force_next_flush()"
"""Counters are flushed with the commit that follows, not up to ten seconds later."""


def put(connection: psycopg.Connection, thread_id: str, checkpoint_id: str = "x", size: int = 0) -> None:
    connection.execute(INSERT, (thread_id, checkpoint_id, f'{{"pad": "{"x" * size}"}}'))


@pytest.fixture
def connection(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(postgres_url)) as opened:
        yield opened


def searched(cursor: Cursor, delta: Delta) -> bool:
    """Whether a poll searched everything: transactions of other tests make it do so, and it tells of threads again."""
    (before,), (after,) = cursor.token, delta.cursor.token
    return before.sweep is not None or after.sweep is not None or after.swept_at != before.swept_at


def test_a_commit_is_seen_by_the_next_poll(store: PostgresStore, connection: psycopg.Connection) -> None:
    cursor, earlier = store.cursor(), set()
    for number in range(300):
        put(connection, f"t{number}", size=500)
        delta = store.poll(cursor)
        assert delta.changed - (earlier if searched(cursor, delta) else set()) == {f"t{number}"}
        earlier.add(f"t{number}")
        cursor = delta.cursor
        idle = store.poll(cursor)
        assert idle.changed <= (earlier if searched(cursor, idle) else set())


def test_a_write_is_seen_by_the_next_poll(store: PostgresStore, connection: psycopg.Connection) -> None:
    cursor = store.cursor()
    connection.execute(WRITE, ("t", b"\xa1x"))
    assert store.poll(cursor).changed == {"t"}


def test_a_transaction_that_commits_late(
    store: PostgresStore, connection: psycopg.Connection, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url) as slow:
        cursor, earlier = store.cursor(), set()
        put(slow, "slow")
        for number in range(400):
            put(connection, f"fast {number}", size=1500)
            delta = store.poll(cursor)
            assert delta.changed - (earlier if searched(cursor, delta) else set()) == {f"fast {number}"}
            earlier.add(f"fast {number}")
            cursor = delta.cursor
        slow.commit()
        last = store.poll(cursor)
        assert last.changed - (earlier if searched(cursor, last) else set()) == {"slow"}


def test_a_transaction_from_before_the_cursor(store: PostgresStore, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as slow:
        put(slow, "slow")
        follower = Follower(store)
        follower.follow()
        slow.commit()
        follower.catch_up()
        assert follower.changed == {"slow"}


def test_a_transaction_that_is_rolled_back(store: PostgresStore, postgres_url: str) -> None:
    cursor = store.cursor()
    with psycopg.connect(postgres_url) as other:
        put(other, "never")
        other.rollback()
    assert not store.poll(cursor).changed


def test_subtransactions(store: PostgresStore, connection: psycopg.Connection, postgres_url: str) -> None:
    """Their ids are in no snapshot, and a row has nothing but its subtransaction's id."""
    cursor = store.cursor()
    with psycopg.connect(postgres_url) as other:
        put(other, "plain")
        for number in range(100):  # more than a server keeps in shared memory
            with other.transaction():
                put(other, f"t{number}")
        put(connection, "meanwhile")
        delta = store.poll(cursor)
        assert delta.changed == {"meanwhile"}
    last = store.poll(delta.cursor)
    earlier = {"meanwhile"} if searched(delta.cursor, last) else set()
    assert last.changed - earlier == {"plain", *(f"t{number}" for number in range(100))}


def test_an_update_in_place(store: PostgresStore, connection: psycopg.Connection) -> None:
    connection.execute(WRITE, ("old", b"\xa1x"))
    for number in range(3000):
        connection.execute(WRITE, (f"t{number}", b"x" * 500))
    connection.execute(FLUSH)
    follower = Follower(store)
    connection.execute(f"BEGIN; {FLUSH}; UPDATE checkpoint_writes SET blob = '' WHERE thread_id = 'old'; COMMIT")
    follower.follow_until(lambda: "old" in follower.changed)


def test_rows_in_freed_space(store: PostgresStore, connection: psycopg.Connection) -> None:
    with connection.transaction():
        for number in range(3000):
            put(connection, f"t{number:04}", size=500)
    connection.execute("DELETE FROM checkpoints WHERE thread_id < 't0500'")
    connection.execute("VACUUM checkpoints")
    connection.execute(FLUSH)
    follower = Follower(store)
    for number in range(100):
        connection.execute(f"BEGIN; {FLUSH}".encode())
        put(connection, f"new{number}", size=500)
        connection.execute("COMMIT")
    block = connection.execute("SELECT max(((ctid::text::point)[0])::int) FROM checkpoints WHERE thread_id ~ 'new'")
    assert block.fetchone() < (100,), "the server used the freed space"
    follower.catch_up()


@pytest.mark.parametrize("statement", ["DELETE FROM checkpoints WHERE thread_id = 'a'", "TRUNCATE checkpoints"])
def test_deletions(store: PostgresStore, connection: psycopg.Connection, statement: str) -> None:
    put(connection, "a")
    put(connection, "b")
    follower = Follower(store)
    connection.execute(f"BEGIN; {FLUSH}; {statement}; COMMIT".encode())
    follower.catch_up()
    assert "a" not in follower.heads


def test_a_rewritten_table(store: PostgresStore, connection: psycopg.Connection) -> None:
    put(connection, "a")
    cursor = store.cursor()
    connection.execute("VACUUM FULL checkpoints")
    delta = store.poll(cursor)
    assert delta.reload
    assert delta.reason
    put(connection, "b")
    later = store.poll(delta.cursor)
    assert (later.changed, later.reason) == ({"b"}, "")


def test_the_cursor_is_taken_before_the_heads(store: PostgresStore, connection: psycopg.Connection) -> None:
    cursor = store.cursor()
    put(connection, "between")
    assert set(everything(store)) == {"between"}
    assert store.poll(cursor).changed == {"between"}


def test_an_old_server_without_range_scans_of_blocks(
    store: PostgresStore, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(500):
        put(connection, f"t{number}", f"{number:04}", size=300)
    newest, sample = store.newest_heads(50), [raw.key for raw in store.sample(50)]
    assert len(newest) == 50
    monkeypatch.setattr(store.session, "version", 120000)
    assert store.newest_heads(50) == newest
    assert [raw.key for raw in store.sample(50)] == sample
    cursor = store.cursor()
    put(connection, "new")
    assert "new" in store.poll(cursor).changed


def test_nothing_is_written(postgres_url: str, connection: psycopg.Connection) -> None:
    """By the server's own count, of every table and of the whole cluster's transaction ids."""
    counters = (
        "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, pg_relation_filenode(relid)"
        " FROM pg_stat_user_tables ORDER BY relname"
    )

    def count() -> list[tuple[object, ...]]:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        return connection.execute(counters).fetchall()

    with PostgresSaver.from_conn_string(postgres_url) as saver:
        populate(saver)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while connection.execute(others).fetchone() != (0,):
        pass  # a server process counts what it has written when it ends, after its client has gone
    before = count()
    assert sum(row[1] for row in before if isinstance(row[1], int)) > 0
    with closing(PostgresStore(postgres_url)) as store:
        look_at_everything(store)
        with psycopg.connect(postgres_url) as other:
            ours = other.execute(
                "SELECT backend_xid FROM pg_stat_activity WHERE application_name = 'lgtop'"
                " AND datname = current_database()"
            )
            assert all(row == (None,) for row in ours)
        connection.execute(FLUSH)
    while connection.execute(others).fetchone() != (0,):
        pass
    assert count() == before
