"""Whatever tables a database has: every migration of the saver, other owners, other shapes, other tables."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg.types.json import Jsonb

from backends.errors import NotAStore, StoreUnreachable
from backends.model import CheckpointKey
from backends.postgres import PostgresStore
from backends.store import Scope
from tests import postgres

from .following import Follower, everything
from .population import populate
from .test_untouched import look_at_everything

Database = Callable[..., str]
Role = Callable[..., str]

KEY = CheckpointKey("a", "", "1ef00000-0000-6000-8000-000000000001")
CHECKPOINT = {"v": 4, "id": KEY.checkpoint_id, "channel_values": {"n": 1}, "channel_versions": {"n": "1", "big": "1"}}


def insert(connection: psycopg.Connection, key: CheckpointKey = KEY) -> None:
    connection.execute(
        "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, checkpoint, metadata)"
        " VALUES (%s, %s, %s, %s, '{\"step\": 1}')",
        (*key, Jsonb(CHECKPOINT)),
    )


def admin(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True)


@pytest.mark.parametrize("version", range(1, postgres.LATEST + 1))
def test_every_migration_can_be_read(postgres_database: Database, version: int) -> None:
    url = postgres_database(version)
    with closing(PostgresStore(url)) as store, admin(url) as connection:
        assert store.info.schema == f"migration {version}" + ("" if version >= 9 else ", no task_path")
        follower = Follower(store)
        insert(connection)
        if version >= 2:
            connection.execute("INSERT INTO checkpoint_blobs VALUES ('a', '', 'big', '1', 'msgpack', '\\x90')")
        if version >= 3:
            connection.execute(
                "INSERT INTO checkpoint_writes"
                " (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob)"
                " VALUES ('a', '', %s, 'task', 0, 'n', 'msgpack', '\\x02')",
                (KEY.checkpoint_id,),
            )
        follower.catch_up()
        look_at_everything(store)
        (raw,) = store.raw([KEY])
        assert set(raw.channel_blobs) == ({"big"} if version >= 2 else set())
        paths = [write.task_path for write in raw.writes]
        assert paths == [write.task_path for _, write in store.writes("a")]
        assert paths == ([] if version < 3 else ["" if version >= 9 else None])
        assert store.raw([KEY], Scope.CONTROL)


def test_only_the_first_migration(postgres_database: Database) -> None:
    with pytest.raises(NotAStore, match="checkpoint_migrations, but no checkpoints table"):
        PostgresStore(postgres_database(0))


def test_the_saver_migrates_while_we_look(postgres_database: Database) -> None:
    url = postgres_database(6)
    with closing(PostgresStore(url)) as store, PostgresSaver.from_conn_string(url) as saver:
        follower = Follower(store)
        saver.setup()
        populate(saver)
        follower.catch_up()
        look_at_everything(store)


def test_no_tables(postgres_database: Database) -> None:
    with pytest.raises(NotAStore, match="no table named checkpoints") as caught:
        PostgresStore(postgres_database(None))
    assert "setup()" in caught.value.advice


def test_an_empty_store(postgres_url: str) -> None:
    with closing(PostgresStore(postgres_url)) as store:
        assert everything(store) == store.counts() == {}
        assert store.newest_heads(10) == list(store.sample(10)) == []
        assert not store.poll(store.cursor()).changed


def test_a_shallow_saver(postgres_database: Database) -> None:
    url = postgres_database(None)
    postgres.migrate_shallow(url)
    with pytest.raises(NotAStore, match="ShallowPostgresSaver") as caught:
        PostgresStore(url)
    assert "PostgresSaver" in caught.value.advice


def test_another_table_of_that_name(postgres_database: Database) -> None:
    url = postgres_database(None)
    with admin(url) as connection:
        connection.execute('CREATE TABLE checkpoints (id int, "\x1b[31mred" text)')
    with pytest.raises(NotAStore, match="is not LangGraph's: its columns are id, ") as caught:
        PostgresStore(url)
    assert "\x1b" not in str(caught.value)


def test_a_schema_named_in_the_url(postgres_database: Database) -> None:
    url = postgres_database(None)
    for schema in ("one", "two"):
        postgres.migrate(url, postgres.LATEST, schema=schema)
    with pytest.raises(NotAStore, match="not on the search path: one, two") as caught:
        PostgresStore(url)
    assert "?options=-csearch_path%3Done" in caught.value.advice
    with admin(url) as connection:
        connection.execute("SET search_path TO two")
        insert(connection)
    with closing(PostgresStore(postgres.with_parameters(url, options="-csearch_path=two"))) as store:
        assert store.counts() == {"a": 1}
        assert store.info.location.endswith("schema two")
        assert store.info.warnings == ("Reading schema two; other schemas have checkpoints too: one.",)
        follower = Follower(store)
        with admin(url) as connection:
            connection.execute("SET search_path TO one")
            insert(connection, KEY._replace(thread_id="elsewhere"))
            connection.execute("SET search_path TO two")
            insert(connection, KEY._replace(thread_id="here"))
        follower.catch_up()
        assert follower.changed == {"here"}


def test_a_name_that_must_be_quoted(postgres_database: Database) -> None:
    url = postgres_database(None)
    postgres.migrate(url, postgres.LATEST, schema="Tenant %s 1")
    with closing(PostgresStore(postgres.with_parameters(url, options='-csearch_path="Tenant\\ %s\\ 1"'))) as store:
        look_at_everything(store)
        assert store.info.location.endswith("schema Tenant %s 1")


# --- rights ------------------------------------------------------------------------------------------------------


def test_a_role_that_may_only_select(postgres_url: str, postgres_role: Role) -> None:
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        populate(saver)
        url = postgres_role(postgres_url, "GRANT SELECT ON checkpoints, checkpoint_blobs, checkpoint_writes TO {role}")
        with closing(PostgresStore(url)) as store, closing(PostgresStore(postgres_url)) as owner:
            assert not store.info.writable
            assert store.info.schema == "migration unknown"
            assert list(store.heads()) == list(owner.heads())
            look_at_everything(store)
            follower = Follower(store)
            populate(saver)
            follower.catch_up()


def test_a_role_without_rights_on_some_tables(postgres_url: str, postgres_role: Role) -> None:
    url = postgres_role(postgres_url, "GRANT SELECT ON checkpoints TO {role}")
    with pytest.raises(StoreUnreachable, match="may not read checkpoint_blobs and checkpoint_writes") as caught:
        PostgresStore(url)
    assert "GRANT SELECT ON public.checkpoint_blobs, public.checkpoint_writes TO" in caught.value.advice


def test_a_role_without_rights_on_the_schema(postgres_database: Database, postgres_role: Role) -> None:
    url = postgres_database(None)
    postgres.migrate(url, postgres.LATEST, schema="closed")
    role = postgres_role(url, "GRANT SELECT ON ALL TABLES IN SCHEMA closed TO {role}")
    with pytest.raises(NotAStore) as caught:
        PostgresStore(postgres.with_parameters(role, options="-csearch_path=closed"))
    assert "USAGE" in caught.value.advice


def test_row_level_security_is_mentioned(postgres_url: str, postgres_role: Role) -> None:
    with admin(postgres_url) as connection:
        connection.execute("ALTER TABLE checkpoints ENABLE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY visible ON checkpoints USING (thread_id = 'a')")
        insert(connection)
        insert(connection, KEY._replace(thread_id="b"))
    url = postgres_role(postgres_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    with closing(PostgresStore(url)) as store:
        assert store.counts() == {"a": 1}
        assert "threads may be hidden" in store.info.warnings[0]


# --- tables that are no ordinary heaps ---------------------------------------------------------------------------

PARTITIONED = """
    DROP TABLE checkpoints;
    CREATE TABLE checkpoints (
        thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', checkpoint_id text NOT NULL,
        parent_checkpoint_id text, type text, checkpoint jsonb NOT NULL, metadata jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)) PARTITION BY HASH (thread_id);
    CREATE TABLE part0 PARTITION OF checkpoints FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE part1 PARTITION OF checkpoints FOR VALUES WITH (MODULUS 2, REMAINDER 1);
"""
VIEW = """
    ALTER TABLE checkpoints RENAME TO stored;
    CREATE VIEW checkpoints AS SELECT * FROM stored;
"""


@pytest.mark.parametrize("statements", [PARTITIONED, VIEW], ids=["partitioned", "a view"])
def test_tables_without_a_heap_of_their_own(
    postgres_url: str, statements: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.postgres_feed.RELOAD_UNSEEN_EVERY", 0)
    with admin(postgres_url) as connection:
        connection.execute(statements.encode())
    with PostgresSaver.from_conn_string(postgres_url) as saver, closing(PostgresStore(postgres_url)) as store:
        follower = Follower(store)
        populate(saver)
        follower.catch_up()
        look_at_everything(store)
        heads = everything(store)
        assert {head.thread_id for head in store.newest_heads(1000)} == set(heads)
        assert len(list(store.sample(5))) == 5
