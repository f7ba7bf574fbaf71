"""The feed on a real PostgreSQL that the real saver writes meanwhile."""

from __future__ import annotations

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver

from backends import feed as feed_module
from backends.feed import Lost, Recovered, Reloading

from .feed_rig import following, run


def test_follows_commits_and_deletions(postgres_url: str):
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        run(saver, "done")
        run(saver, "asking", ask=True)
        with following(postgres_url) as (_, told):
            told.wait(told.settled)
            assert (told.status("done"), told.status("asking")) == ("done", "waiting")
            run(saver, "new", ask=True)
            told.wait(lambda: told.status("new") == "waiting")
            run(saver, "asking")
            told.wait(lambda: told.status("asking") == "done")
            told.wait(told.settled)
            with psycopg.connect(postgres_url) as connection:
                counted = connection.execute("select thread_id, count(*) from checkpoints group by 1").fetchall()
            told.wait(lambda: {key: row.checkpoints for key, row in told.index.rows.items()} == dict(counted))
            saver.delete_thread("done")
            told.wait(lambda: "done" not in told.index.rows)
    assert not told.of(Lost)


def test_a_connection_that_is_cut(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed_module, "FIRST_RETRY", 0.05)
    with PostgresSaver.from_conn_string(postgres_url) as saver, following(postgres_url) as (_, told):
        run(saver, "before")
        told.wait(lambda: told.status("before") == "done")
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and application_name like 'lgtop%'"
            )
        lost = told.wait(lambda: told.of(Lost))[0]
        assert "postgres@" not in lost.reason
        told.wait(lambda: told.of(Recovered))
        run(saver, "after")
        told.wait(lambda: told.status("after") == "done")


def test_the_database_goes_and_comes_back(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed_module, "FIRST_RETRY", 0.05)
    monkeypatch.setattr(feed_module, "LAST_RETRY", 0.1)
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        run(saver, "kept")
        run(saver, "dropped")
    with following(postgres_url) as (_, told), psycopg.connect(postgres_url, autocommit=True) as admin:
        told.wait(told.settled)
        admin.execute("alter table checkpoints rename to aside")
        told.wait(lambda: told.of(Lost) or told.of(Reloading))
        admin.execute("delete from aside where thread_id = 'dropped'")
        admin.execute("alter table aside rename to checkpoints")
        told.wait(lambda: set(told.index.rows) == {"kept"})
        told.wait(told.settled)
