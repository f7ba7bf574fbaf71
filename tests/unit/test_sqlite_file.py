"""The file under an open store: other writers, other connections of this process, replacement, truncation."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from backends.errors import StoreError, StoreReplaced
from backends.sqlite import SqliteStore
from backends.sqlite_file import FileState
from tests.sqlite_files import connect, digest, fork, make, put


def threads(store: SqliteStore) -> list[str]:
    return [head.thread_id for batch in store.heads() for head in batch]


@contextmanager
def stepping_writer(path: Path) -> Iterator[Callable[[], None]]:
    """A process that goes one step at each call: writes "first", closes the store, opens it and writes "second"."""
    from_child, to_parent = os.pipe()
    from_parent, to_child = os.pipe()

    def wait() -> None:
        assert os.read(from_parent, 1)

    def write() -> None:
        os.close(to_child)
        for number, thread_id in enumerate(("first", "second")):
            wait()
            with closing(connect(path)) as writer:
                put(writer, thread_id, number)
                os.write(to_parent, b"x")
                wait()
            os.write(to_parent, b"x")

    def step() -> None:
        os.write(to_child, b"x")
        assert os.read(from_child, 1)

    child = fork(write)
    os.close(to_parent)
    yield step
    step()
    os.close(to_child)
    assert os.waitpid(child, 0)[1] == 0


def test_a_second_store_in_the_process_does_not_blind_the_first(tmp_path: Path) -> None:
    """POSIX drops a process's locks on a file when it closes any descriptor of that file."""
    path = tmp_path / "x.db"
    with stepping_writer(path) as step:
        step()
        with closing(SqliteStore(str(path))) as store, closing(SqliteStore(str(path))) as another:
            cursor = store.cursor()
            another.counts()
            step()
            step()
            assert store.poll(cursor).changed == {"second"}
            assert threads(another) == ["first", "second"]


def test_looking_costs_an_application_in_the_same_process_nothing(tmp_path: Path) -> None:
    """An application may ask us about the store that its own saver has open; the next to leave keeps its WAL."""
    path = tmp_path / "x.db"
    with closing(connect(path)) as application:
        put(application, "first", 0)
        with closing(SqliteStore(str(path))) as store:
            assert threads(store) == ["first"]
        statements = "c = sqlite3.connect(sys.argv[1]); c.execute('select count(*) from writes').fetchone(); c.close()"
        subprocess.run([sys.executable, "-c", f"import sqlite3, sys; {statements}", path], check=True)
        put(application, "second", 1)
        with closing(SqliteStore(str(path))) as store:
            assert threads(store) == ["first", "second"]


def test_no_descriptor_is_kept_of_a_file_that_nobody_else_has_open(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    for number in range(5):
        SqliteStore(str(make(tmp_path / f"{number}.db"))).close()
    assert len(os.listdir("/dev/fd")) == before


def test_a_wal_deleted_under_us_is_noticed(tmp_path: Path) -> None:
    """Whoever opens and closes the file in our process makes the last writer believe that it is alone."""
    path = tmp_path / "x.db"
    with stepping_writer(path) as step:
        step()
        with closing(SqliteStore(str(path))) as store:
            cursor = store.cursor()
            digest(path)
            step()
            step()
            assert store.poll(cursor).changed == {"second"}
            assert threads(store) == ["first", "second"]


@pytest.mark.parametrize(
    ("age", "settled"), [(0.0, False), (0.01, False), (0.2, True), (3600.0, True), (-3600.0, True)]
)
def test_a_file_that_was_just_written_is_not_trusted(tmp_path: Path, age: float, settled: bool) -> None:
    path = make(tmp_path / "x.db")
    modified = time.time_ns() - int(age * 1e9) | 1
    os.utime(path, ns=(modified, modified))
    assert FileState.of(str(path)).settled is settled


def test_a_file_system_that_keeps_whole_seconds_is_trusted_later(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db")
    for age, settled in ((1, False), (5, True)):
        modified = (int(time.time()) - age) * 1_000_000_000
        os.utime(path, ns=(modified, modified))
        assert FileState.of(str(path)).settled is settled


def replace_by_copy(path: Path) -> None:
    other = make(path.with_name("other.db"), ["c"])
    os.replace(other, path)


def truncate(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize(
    ("change", "says"), [(os.unlink, "deleted"), (replace_by_copy, "replaced"), (truncate, "truncated")]
)
def test_a_file_that_is_no_longer_the_same_is_noticed_by_every_read(
    tmp_path: Path, change, says: str, journal: str
) -> None:
    path = make(tmp_path / "x.db", journal=journal)
    with closing(SqliteStore(str(path))) as store:
        cursor = store.cursor()
        change(path)
        for read in (lambda: store.poll(cursor), lambda: store.newest_heads(5), lambda: store.history("a")):
            with pytest.raises(StoreReplaced, match=says) as raised:
                read()
            assert raised.value.advice


def test_a_file_cut_short_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db", [f"thread-{number}" for number in range(2000)])
    with closing(SqliteStore(str(path))) as store:
        os.truncate(path, path.stat().st_size // 8 * 4)
        with pytest.raises(StoreError, match=r"damaged|disk|malformed"):
            threads(store)
