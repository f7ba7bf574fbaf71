"""What the doctor says of PostgreSQL stores that are broken, each in its own way."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from backends.address import parse_address
from backends.doctor.finding import State
from backends.doctor.installed import ask
from backends.doctor.store import examine_store
from tests.postgres import LATEST, database_url, free_port, migrate, migrate_shallow, role_url

READ = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"


@pytest.fixture(scope="session")
def installed():
    return ask("", Path.cwd())


@pytest.fixture
def faults(installed):
    """Look at a store; give the faults by name."""

    def look(url, readonly=False, state=State.FAULT):
        found = list(examine_store(parse_address(url, {}), readonly, installed))
        text = " ".join(f"{one.told} {one.advice}" for one in found)
        assert "p@ss" not in text
        return {one.name: f"{one.told} {one.advice}" for one in found if one.state is state}

    return look


def execute(url, *statements):
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_a_sound_store(faults, postgres_url):
    assert faults(postgres_url) == {}
    assert faults(postgres_url, state=State.WARNING) == {}
    found = faults(postgres_url, state=State.OK)
    assert {"store", "schema", "rights", "indexes", "size", "clock", "sessions", "locks"} <= found.keys()


def test_a_role_that_may_only_select(faults, postgres_url, postgres_role):
    url = postgres_role(postgres_url, READ)
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON public.checkpoints" in faults(url)["rights"]
    assert faults(url, readonly=True) == {}


def test_a_role_that_may_not_even_select(faults, postgres_url, postgres_role):
    assert "may not read checkpoints" in faults(postgres_role(postgres_url))["store"]


def test_tables_of_the_shallow_saver(faults, postgres_database):
    url = postgres_database(None)
    migrate_shallow(url)
    assert "ShallowPostgresSaver" in faults(url)["store"]


def test_a_schema_older_than_the_saver(faults, postgres_database):
    url = postgres_database(None)
    migrate(url, LATEST - 1)
    found = faults(url)["schema"]
    assert f"at migration {LATEST - 1}; the saver of" in found
    assert "call setup()" in found


def test_a_schema_newer_than_the_saver(faults, postgres_url):
    execute(postgres_url, f"INSERT INTO checkpoint_migrations VALUES ({LATEST + 7})")
    assert f"knows only {LATEST}" in faults(postgres_url)["schema"]


def test_a_database_without_a_store(faults, postgres_database):
    assert "store" in faults(postgres_database(None))


def test_an_index_that_was_never_finished(faults, postgres_url):
    execute(
        postgres_url,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'checkpoint_writes_thread_id_idx'::regclass",
    )
    assert "REINDEX INDEX CONCURRENTLY checkpoint_writes_thread_id_idx" in faults(postgres_url)["indexes"]


def test_a_primary_key_that_is_gone(faults, postgres_url):
    execute(postgres_url, "ALTER TABLE checkpoint_blobs DROP CONSTRAINT checkpoint_blobs_pkey")
    assert "checkpoint_blobs has lost its primary key" in faults(postgres_url)["indexes"]


def test_a_wrong_password_a_wrong_database_and_no_server(faults, postgres_url, postgres_role):
    url = postgres_role(postgres_url, READ)
    name = url.partition("://")[2].partition(":")[0]
    assert "password" in faults(role_url(url, name, "guessed"))["store"]
    assert "nowhere" in faults(database_url(postgres_url, "nowhere"))["store"]
    assert "store" in faults(f"postgresql://me@127.0.0.1:{free_port()}/app")
