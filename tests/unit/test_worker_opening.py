"""The store as a run finds it, or makes it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backends.errors import EmptyPlace, NotAStore
from backends.runs.spec import GraphRef, RunSpec, Verb
from backends.worker.opening import open_or_create


def spec(path: Path, *, create: bool) -> RunSpec:
    ref = GraphRef("g.py:graph", str(path.parent), "g")
    return RunSpec("r", str(path.parent), Verb.START, ref, str(path), "t", "ann@host", create_store=create)


@pytest.mark.parametrize("statement", ["create table users (name)", "pragma user_version = 7"])
def test_a_database_of_the_application_is_a_place_for_a_store(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
    with pytest.raises(EmptyPlace):
        open_or_create(spec(path, create=False))
    with closing(open_or_create(spec(path, create=True))) as store:
        assert store.newest_heads(1) == []


def test_tables_that_are_something_else_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table checkpoints (model, weights)")
    with pytest.raises(NotAStore, match="not LangGraph's"):
        open_or_create(spec(path, create=True))
    with closing(sqlite3.connect(path)) as connection:
        assert [row[0] for row in connection.execute("select name from sqlite_master")] == ["checkpoints"]
