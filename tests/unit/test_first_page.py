"""What is shown first comes before the store is opened to be followed, and is put right by what follows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backends.address import parse_address
from backends.errors import StoreUnreachable
from backends.feed import Feed
from backends.feed_events import HeadsLoaded, Opened
from backends.first_page import first_page
from backends.store import open_store
from tests.sqlite_files import make

from .feed_rig import Recorder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make(tmp_path / "s.sqlite", threads=("a", "b", "c"))


def test_the_newest_threads_are_told_of_before_anything_is_opened(path: Path) -> None:
    page = first_page(open_store(str(path)))
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("checkpoints", "writes"):
            connection.execute(f"DELETE FROM {table} WHERE thread_id = 'b'")
    recorder = Recorder()

    def opener() -> None:
        assert [type(event) for event in recorder.events] == [Opened, HeadsLoaded]
        assert {head.thread_id for head in recorder.events[1].heads} == {"a", "b", "c"}  # type: ignore[union-attr]
        return open_store(str(path))  # type: ignore[return-value]

    feed = Feed(parse_address(str(path), {}), recorder, opener=opener, first=page)  # type: ignore[arg-type]
    feed.start()
    try:
        recorder.wait(lambda: recorder.index.complete and set(recorder.index.rows) == {"a", "c"})
    finally:
        assert feed.stop()


def test_a_file_that_breaks_meanwhile_has_no_first_page(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(str(path))

    def lost(limit: int) -> None:
        raise StoreUnreachable("gone")

    monkeypatch.setattr(store, "newest_heads", lost)
    assert first_page(store)() is None


def test_a_server_is_read_when_it_is_asked_for(postgres_url: str) -> None:
    page = first_page(open_store(postgres_url, brief=True))
    found = page()
    assert found is not None
    info, heads = found
    assert (info.kind, heads) == ("postgres", ())
