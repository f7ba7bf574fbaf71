"""What a graph keeps in a SQLite file, or in another that is no text, is compared by what it says."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from backends.audit.effects import Effect, observe


def seen(folder: Path) -> Counter[Effect]:
    return observe(folder / "no ledger", folder, "thread-1")


def upsert(path: Path, key: str = "thread-1") -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('create table if not exists "my ""t" (k primary key, v, w)')
        connection.execute('insert or replace into "my ""t" values (?, 1.5, null)', (key,))


def test_a_row_that_is_written_again_is_the_same(tmp_path: Path) -> None:
    upsert(tmp_path / "own.db")
    before, bytes_before = seen(tmp_path), (tmp_path / "own.db").read_bytes()
    assert before == {Effect("own.db", 'my "t (‹thread›, 1.5, null)'): 1}
    upsert(tmp_path / "own.db")
    assert (tmp_path / "own.db").read_bytes() != bytes_before
    assert seen(tmp_path) == before
    upsert(tmp_path / "own.db", "other")
    assert sum(seen(tmp_path).values()) == 2


@pytest.mark.parametrize("journal", ["wal", "truncate"])
def test_files_beside_a_database_are_read_with_it_and_stay_as_they_are(tmp_path: Path, journal: str) -> None:
    path = tmp_path / "own.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"pragma journal_mode = {journal}")
        connection.execute("create table t (k)")
        connection.execute("insert into t values (x'00ff')")
        files = {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("-shm")}
        (effect,) = seen(tmp_path)
        assert effect.where == "own.db"
        assert effect.what.startswith("t (2 bytes ")
        assert {name: (tmp_path / name).read_bytes() for name in files} == files


def test_of_what_is_no_text_no_bytes_are_shown(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"\x89\0\n\0\n")
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"\7" * 200)
    (tmp_path / "note-wal").write_text("a line\n")
    told = {effect.where: str(effect) for effect in seen(tmp_path)}
    assert told == {
        "picture": 'picture "5 bytes"',
        "broken.db": 'broken.db "216 bytes"',
        "note-wal": 'note-wal "a line"',
    }
