"""A store that is open for a few reads, by libpq alone, tells the same as one that stays open, by psycopg."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver

from backends import postgres_libpq, postgres_psycopg
from backends.postgres import PostgresStore
from backends.postgres_open import Session, Statement
from backends.store import Scope
from tests import postgres
from tests.pooler import Pooler

from .following import everything
from .population import populate
from .test_untouched import look_at_everything

ODD = ("it's", 'say "hi" \\ there', "100 % {a,b} %s", "é\u202e\n\t{NULL}", "NULL", "-- /*", "")


def told(store: PostgresStore) -> list[object]:
    """What every reading method returns."""
    heads = everything(store)
    found: list[object] = [store.info, heads, store.newest_heads(100), store.counts(), store.created_ids(list(heads))]
    for thread_id in heads:
        history = store.history(thread_id)
        keys = [row.key for row in history]
        found += [store.namespaces(thread_id), history, store.raw(keys), store.raw(keys, Scope.CONTROL)]
        found += [store.writes(thread_id, values=True), list(store.stored(thread_id))]
    return [*found, list(store.sample(100))]


@pytest.mark.parametrize("form", ["hex", "escape"])
def test_it_tells_the_same(postgres_url: str, form: str) -> None:
    url = postgres.with_parameters(postgres_url, options=f"-c bytea_output={form}")
    with PostgresSaver.from_conn_string(postgres_url) as saver, psycopg.connect(postgres_url) as connection:
        populate(saver)
        for odd in ODD:
            connection.execute("INSERT INTO checkpoints VALUES (%s, %s, 'x', NULL, NULL, '{}', '{}')", (odd, odd))
            connection.execute(
                "INSERT INTO checkpoint_writes VALUES (%s, %s, 'x', 't', 0, 'c', NULL, %s, '')",
                (odd, odd, bytes(range(256)) + b"\\x\\001"),
            )
        connection.commit()
        with closing(PostgresStore(url, brief=True)) as brief, closing(PostgresStore(url)) as lasting:
            assert told(brief) == told(lasting)
            assert brief.counts(ODD) == dict.fromkeys(ODD, 1)
            assert brief.counts([]) == {}


def test_kinds_of_values(postgres_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    with closing(Session(postgres_url, brief=True)) as brief, closing(Session(postgres_url)) as lasting:
        statement = Statement(
            "SELECT true, false, NULL::bool, -7, 1.5::float8, 12345678901234567890.5, '{}'::text[], ''::bytea,"
            " ARRAY['a', NULL, 'NULL', '', 'b \"c\" \\', '{,}'], %s::int - %s, %s::text IS NULL, %s, '[1]'::jsonb,"
            " 'x'::name",
            (1, -1, None, True),
        )
        assert brief.read(statement, Statement("SELECT 1 WHERE false")) == [*lasting.read(statement), []]
        assert brief.read(Statement("DO $$ BEGIN RAISE WARNING 'loud'; END $$")) == []
    assert capfd.readouterr().err == ""


def test_through_a_pooler(postgres_url: str) -> None:
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        populate(saver)
    with Pooler(postgres_url) as pooler:
        path = postgres.with_parameters(pooler.url, options="-c search_path=public")
        with closing(PostgresStore(path, brief=True)) as store:
            look_at_everything(store)
        assert "options" in pooler.refused


@pytest.mark.parametrize("host", ["127.0.0.1,localhost", "nowhere.invalid,127.0.0.1"])
def test_where_several_hosts_are_named_psycopg_tries_them_in_turn(postgres_url: str, host: str) -> None:
    url = postgres_url.replace("127.0.0.1", host)
    with closing(PostgresStore(url, brief=True)) as store:
        assert store.counts() == {}
        assert store.session._library is postgres_psycopg


def test_without_libpq_there_is_psycopg(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_libpq, "available", lambda: False)
    with closing(PostgresStore(postgres_url, brief=True)) as store:
        assert store.session._library is postgres_psycopg


def test_a_list_is_printed_without_psycopg(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        populate(saver)
    code = (
        "import sys; from tui.cli.main import run; assert run(sys.argv[1:]) == 0;"
        " sys.exit(bool({'psycopg', 'psycopg_binary', 'asyncio', 'urllib.parse'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", code, "ls", "-s", postgres_url, "--json", "--limit", "50"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count('"thread_id"') > 3
