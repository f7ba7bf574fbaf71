"""The one door to writing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from backends.address import parse_address
from backends.control.gate import Gate
from backends.errors import Refused, StoreBusy, StoreError, StoreUnreachable
from backends.store import open_store
from tests.sqlite_files import as_nobody, connect, make


def gate_of(address: object, **options: bool) -> Gate:
    return Gate(parse_address(str(address), {}), **options)


def write(gate: Gate) -> None:
    with gate.writing() as rows:
        rows.copy_thread("a", "copy")


def test_readonly_is_refused_below_the_screen(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db")
    gate = gate_of(path, readonly=True)
    before = path.read_bytes(), sorted(os.listdir(tmp_path))
    assert "--readonly" in gate.refusal(None)
    with pytest.raises(Refused, match="--readonly"):
        gate.check()
    with pytest.raises(Refused, match="--readonly"):
        write(gate)
    assert (path.read_bytes(), sorted(os.listdir(tmp_path))) == before
    assert gate_of(path).refusal() == ""


def test_a_store_that_cannot_be_written_says_so_before_and_when_it_is_tried(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db", journal="delete")
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    for parent in tmp_path.parents[:3]:
        parent.chmod(0o755)

    def look() -> tuple[str, str]:
        store = open_store(str(path))
        said = gate_of(path).refusal(store.info)
        store.close()
        try:
            write(gate_of(path))
        except (Refused, StoreError) as error:
            return said, type(error).__name__
        return said, ""

    said, raised = as_nobody(look)
    tmp_path.chmod(0o755)
    assert "read-only" in said
    assert raised == "Refused"


def test_a_failure_in_the_middle_writes_nothing(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db")
    with pytest.raises(ZeroDivisionError), gate_of(path).writing() as rows:  # noqa: PT012
        assert rows.copy_thread("a", "copy").checkpoints == 2
        raise ZeroDivisionError
    with sqlite3.connect(path) as connection:
        assert connection.execute("select count(*) from checkpoints where thread_id = 'copy'").fetchone() == (0,)


def test_another_writer_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.control.rows_sqlite.BUSY_SECONDS", 0.05)
    path = make(tmp_path / "x.db")
    other = connect(path)
    other.execute("begin immediate")
    with pytest.raises(StoreBusy, match=r"Another writer holds x\.db"):
        write(gate_of(path))
    other.execute("rollback")
    write(gate_of(path))
    other.close()


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but long enough to be looked at"])
def test_what_is_no_store_is_never_made_one(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError):
        write(gate_of(path))
    assert (path.read_bytes() if path.exists() else None) == content


def test_a_role_that_may_only_read_is_refused(postgres_url: str, postgres_role: Callable[..., str]) -> None:
    reader = postgres_role(postgres_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("insert into checkpoints values ('a', '', '1', null, null, '{}', '{}')")
    store = open_store(reader)
    assert "read-only" in gate_of(reader).refusal(store.info)
    store.close()
    with pytest.raises(Refused, match="may not write") as raised:
        write(gate_of(reader))
    assert "GRANT INSERT" in raised.value.advice
    write(gate_of(postgres_url))


def test_an_address_may_ask_for_nothing_to_be_written(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    option = "options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(Refused, match="default_transaction_read_only"):
        write(gate_of(f"{postgres_url}?{option}"))
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    with pytest.raises(Refused, match="default_transaction_read_only"):
        write(gate_of(postgres_url))


def test_a_server_that_is_not_there_shows_no_password(postgres_url: str) -> None:
    with pytest.raises(StoreUnreachable) as raised:
        write(gate_of("postgresql://me:s3cret@127.0.0.1:1/app"))
    assert "s3cret" not in str(raised.value) + repr(raised.value) + repr(raised.value.__cause__)
    assert "s3cret" not in repr(gate_of("postgresql://me:s3cret@127.0.0.1:1/app"))


def test_a_named_schema_is_the_one_that_is_written(postgres_url: str) -> None:
    from tests.postgres import LATEST, migrate

    migrate(postgres_url, LATEST, "app % one")
    insert = "insert into {} values ('a', '', '1', null, null, '{{}}', '{{}}')"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(insert.format('"app % one".checkpoints').encode())
        write(gate_of(f"{postgres_url}?options=-csearch_path%3D%22app%5C%20%25%5C%20one%22"))
        count = connection.execute('select count(*) from "app % one".checkpoints').fetchone()
        assert count == (2,)
        assert connection.execute("select count(*) from public.checkpoints").fetchone() == (0,)


def test_nothing_else_opens_a_connection_that_writes() -> None:
    root = Path(__file__).resolve().parents[2]
    writing = ("sqlite3.connect(", "psycopg.connect(", "Connection.connect(", ".own_connection(", "READ WRITE")
    found = {
        path.relative_to(root / "backends").as_posix()
        for path in (root / "backends").rglob("*.py")
        if "worker" not in path.parts and any(word in path.read_text() for word in writing)
    }
    reading = {"sqlite_open.py", "postgres_psycopg.py"}
    locking = {"locks/postgres.py", "locks/breaking.py"}
    scratch = {"audit/scratch.py", "audit/rows.py", "transfer/staging.py", "doctor/installed.py"}
    applications = {"durability/savers.py", "durability/tables.py"}
    gate = {"control/rows_sqlite.py", "control/rows_postgres.py"}
    assert found == gate | reading | locking | scratch | applications
