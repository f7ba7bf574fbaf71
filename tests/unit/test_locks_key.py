"""Names of stores and threads: two processes, two releases and two spellings agree on them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.errors import NotAStore, StoreUnreachable
from backends.locks.key import THREADS_END, store_key, thread_byte, thread_number
from tests.sqlite_files import make

NOWHERE = "postgresql://you@db.example:5433/app"
"""Nobody answers there: nothing may be opened."""


def test_numbers_of_threads_are_those_of_every_release():
    """A release that reckons otherwise would run a thread beside one that another release runs."""
    assert thread_byte("doc-7f3a") == 4_404_112_253_924_778_128
    assert thread_number("public", "doc-7f3a") == -3_579_933_872_225_972_432


@pytest.mark.parametrize("thread_id", ["", "a", "日本", "\ud800", "x" * 10_000])
def test_numbers_of_threads_fit(thread_id: str):
    assert 0 <= thread_byte(thread_id) < THREADS_END
    assert -(1 << 63) <= thread_number("public", thread_id) < 1 << 63


def test_numbers_of_threads_differ():
    names = [f"t{number}" for number in range(10_000)]
    assert len({thread_byte(name) for name in names}) == len(names)
    assert len({thread_number(schema, name) for schema in ("a", "b") for name in names}) == 2 * len(names)


def test_a_file_has_one_name_before_it_exists_and_after_it_was_restored(tmp_path: Path):
    path = tmp_path / "x.db"
    before = store_key(str(path))
    make(path)
    assert store_key(str(path)) == before
    os.replace(make(tmp_path / "y.db"), path)
    assert store_key(str(path)) == before
    assert store_key(str(tmp_path / "y.db")) != before


def test_a_file_has_one_name_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = make(tmp_path / "x.db")
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "folder").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    spellings = ["x.db", "./x.db", "link", "folder/x.db", f"sqlite:///{path}", f"file:{path}?mode=ro", str(path)]
    assert len({store_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    "other",
    [
        "postgres://you@db.example:5433/app",
        "postgresql://app:secret@DB.example:5433/app?sslmode=disable&connect_timeout=3",
        "host=db.example port=5433 dbname=app user=me",
        "postgresql+psycopg://you@db.example:5433/app",
    ],
)
def test_a_database_has_one_name_whoever_asks(other: str):
    assert store_key(other) == store_key(NOWHERE)


@pytest.mark.parametrize(
    "other",
    [
        "postgresql://you@db.example/app",
        "postgresql://you@db.example:5433/other",
        "postgresql://you@other.example:5433/app",
        f"{NOWHERE}?options=-csearch_path%3Dteam",
    ],
)
def test_another_database_has_another_name(other: str):
    assert store_key(other) != store_key(NOWHERE)


def test_a_search_path_has_one_name_however_it_is_given(monkeypatch: pytest.MonkeyPatch):
    team = store_key(f"{NOWHERE}?options=-csearch_path%3Dteam")
    assert store_key(f"{NOWHERE}?options=--search-path%3D%22team%22") == team
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=5s -c search_path=team")
    assert store_key(NOWHERE) == team


def test_this_host_has_one_name(monkeypatch: pytest.MonkeyPatch):
    for variable in ("PGHOST", "PGHOSTADDR", "PGPORT"):
        monkeypatch.delenv(variable, raising=False)
    hosts = ("localhost", "127.0.0.1", "[::1]", "")
    assert len({store_key(f"postgresql://you@{host}/app") for host in hosts}) == 1


def test_a_name_tells_no_secret_and_can_name_a_file():
    for address in (f"{NOWHERE}?password=secret", "/some/where/x.db"):
        name = store_key(address)
        kind, _, digits = name.partition(":")
        assert kind in ("sqlite", "postgres")
        assert len(digits) == 16
        assert set(digits) <= set("0123456789abcdef")


def test_what_is_no_store_has_no_name():
    with pytest.raises(NotAStore):
        store_key(":memory:")
    with pytest.raises(StoreUnreachable):
        store_key("postgresql://you:p@ss/word@db/app")
