"""Rows as they are in the field: tables of old releases, ids that are no UTF-8, servers behind a pooler."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from backends.address import parse_address
from backends.control import journal
from backends.control.copy import copy_thread
from backends.control.gate import Gate
from backends.control.journal import Entry
from backends.errors import NotFound, Refused
from backends.model import CheckpointKey
from backends.reader import Reader
from backends.store import open_store
from tests import postgres
from tests.pooler import Pooler
from tests.sqlite_files import identifier, make


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def gate_of(address: object) -> Gate:
    return Gate(parse_address(str(address), {}))


def without_task_path(path: Path) -> Path:
    """A store as every release before 3.1.2 made it."""
    with closing(sqlite3.connect(make(path))) as connection:
        connection.execute("alter table writes drop column task_path")
        connection.commit()
    return path


def test_a_store_without_task_path_is_copied(tmp_path: Path) -> None:
    path = without_task_path(tmp_path / "old.db")
    assert copy_thread(gate_of(path), "a", "whole").writes == 1
    part = copy_thread(gate_of(path), "a", "part", CheckpointKey("a", "", identifier(1)))
    assert (part.checkpoints, part.writes) == (1, 0)
    with closing(open_store(str(path))) as store:
        assert store.info.schema == "without task_path"
        assert [write for _, write in store.writes("whole")] == [write for _, write in store.writes("a")]


def test_an_edit_whose_rows_cannot_be_told_apart_stays(tmp_path: Path) -> None:
    path = without_task_path(tmp_path / "old.db")
    with closing(sqlite3.connect(path)) as connection:
        base, added = identifier(2), identifier(3)
        insert = "insert into checkpoints values ('a', '', ?, ?, 'msgpack', x'80', ?)"
        connection.execute(insert, (added, base, b'{"source": "update", "step": 3, "lgtop_run": "r"}'))
        connection.execute("insert into writes values ('a', '', ?, 'other', 0, 'x', 'null', x'')", (base,))
        connection.commit()
    done = Entry("1", 1.0, "me", "", "key", "edit", "a", run_id="r", as_node="n")
    with closing(open_store(str(path))) as store:
        with pytest.raises(Refused, match="no task_path"):
            journal.undo(done, gate_of(path), Reader(store))
        assert store.history("a")[0].key.checkpoint_id == added, "the transaction was rolled back"


def test_ids_that_are_no_text_are_copied_as_they_are(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update checkpoints set thread_id = cast(x'61ff' as text) where thread_id = 'a'")
        connection.commit()
    copy_thread(gate_of(path), "a\udcff", "copy")
    copy_thread(gate_of(path), "a\udcff", "part", CheckpointKey("a\udcff", "", identifier(2)))
    with closing(sqlite3.connect(path)) as connection:
        for made in ("copy", "part"):
            assert connection.execute("select count(*) from checkpoints where thread_id = ?", (made,)).fetchone() == (
                2,
            )


def test_a_source_that_goes_away_meanwhile_leaves_no_half_of_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "x.db")
    from backends.control import copy

    def deleting(gate: Gate, upto: CheckpointKey) -> object:
        found = extent(gate, upto)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("delete from checkpoints where checkpoint_id = ?", (identifier(1),))
            connection.commit()
        return found

    extent = copy._extent
    monkeypatch.setattr(copy, "_extent", deleting)
    with pytest.raises(Refused, match="deleted meanwhile"):
        copy_thread(gate_of(path), "a", "new", CheckpointKey("a", "", identifier(2)))
    with closing(open_store(str(path))) as store:
        assert store.history("new") == []
    with pytest.raises(NotFound):
        copy_thread(gate_of(path), "gone", "new")


INSERT = "insert into checkpoints values (%s, '', '1', null, null, '{\"channel_versions\": {\"x\": \"1\"}}', '{}')"


def test_a_copy_works_through_a_pooler_and_keeps_to_the_schema_of_the_address(postgres_url: str) -> None:
    postgres.migrate(postgres_url, postgres.LATEST, "tenant, a")
    with Pooler(postgres_url) as pooler, psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute('set search_path to "tenant, a"')
        connection.execute(INSERT.encode(), ("t",))
        connection.execute("insert into checkpoint_blobs values ('t', '', 'x', '1', 'null', null)")
        gate = gate_of(postgres.with_parameters(pooler.url, options='-csearch_path="tenant,\\ a"'))
        assert copy_thread(gate, "t", "copy").checkpoints == 1
        assert copy_thread(gate, "t", "part", CheckpointKey("t", "", "1")).checkpoints == 1
        for table in ("checkpoints", "checkpoint_blobs"):
            found = connection.execute(f"select thread_id from {table} order by 1".encode()).fetchall()
            assert found == [("copy",), ("part",), ("t",)]
        assert connection.execute("select count(*) from public.checkpoints").fetchone() == (0,)


@pytest.mark.parametrize("version", [4, 8])
def test_tables_of_older_releases_are_copied(postgres_database: Callable[[int], str], version: int) -> None:
    url = postgres_database(version)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(INSERT.encode(), ("t",))
        connection.execute("insert into checkpoint_writes values ('t', '', '1', 'task', 0, 'x', 'null', '')")
        made = copy_thread(gate_of(url), "t", "copy")
        assert (made.checkpoints, made.writes) == (1, 1)
        assert connection.execute("select count(*) from checkpoint_writes where thread_id = 'copy'").fetchone() == (1,)
