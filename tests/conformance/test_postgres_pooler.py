"""Through a transaction pooler: no startup options, no prepared statements, nothing kept between transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver

from backends.errors import StoreUnreachable
from backends.postgres import PostgresStore
from tests import postgres
from tests.pooler import Pooler

from .following import Follower
from .population import populate
from .test_untouched import look_at_everything


@pytest.fixture
def pooler(postgres_url: str) -> Iterator[Pooler]:
    with Pooler(postgres_url) as running:
        yield running


def test_the_stand_in_is_as_hard_as_a_real_pooler(pooler: Pooler) -> None:
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
        psycopg.connect(pooler.url, options="-c search_path=x")
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        first = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert connection.execute("SELECT pg_backend_pid()").fetchone() != first
        with pytest.raises(psycopg.Error, match="does not exist"):
            connection.execute("SELECT 1", prepare=True)


def test_everything_works_through_it(pooler: Pooler, postgres_url: str) -> None:
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        populate(saver)
        with closing(PostgresStore(pooler.url)) as pooled, closing(PostgresStore(postgres_url)) as direct:
            look_at_everything(pooled)
            assert list(pooled.heads()) == list(direct.heads())
            follower = Follower(pooled)
            populate(saver)
            follower.catch_up()
    assert "options" in pooler.refused


def test_nothing_is_left_in_the_server_connections(pooler: Pooler) -> None:
    settings = ("default_transaction_read_only", "search_path", "lock_timeout", "jit", "application_name")
    query = f"SELECT {', '.join(f'current_setting({name!r})' for name in settings)}".encode()

    def both() -> set[tuple[str, ...]]:
        with psycopg.connect(pooler.url, autocommit=True) as connection:
            return {row for _ in range(2) for row in connection.execute(query).fetchall()}

    before = both()
    with closing(PostgresStore(postgres.with_parameters(pooler.url, options="-c search_path=public"))) as store:
        look_at_everything(store)
    assert both() == before


def test_a_search_path_in_the_url_still_counts(pooler: Pooler, postgres_url: str) -> None:
    postgres.migrate(postgres_url, postgres.LATEST, schema="tenant, a")
    url = postgres.with_parameters(pooler.url, options='-csearch_path="tenant,\\ a" -c statement_timeout=60s')
    with closing(PostgresStore(url)) as store:
        assert store.info.location.endswith("schema tenant, a")


def test_a_failed_statement_leaves_no_transaction_behind(pooler: Pooler, postgres_url: str) -> None:
    with closing(PostgresStore(pooler.url)) as store:
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("ALTER TABLE checkpoints RENAME TO moved")
            with pytest.raises(StoreUnreachable):
                store.counts()
            admin.execute("ALTER TABLE moved RENAME TO checkpoints")
        for _ in range(4):
            assert store.counts() == {}


def test_the_pooler_going_away(postgres_database: Callable[[], str]) -> None:
    with Pooler(postgres_database()) as pooler:
        store = PostgresStore(pooler.url)
    with closing(store):
        for _ in range(2):
            with pytest.raises(StoreUnreachable) as caught:
                store.counts()
            assert caught.value.advice
