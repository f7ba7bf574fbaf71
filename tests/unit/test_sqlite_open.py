from __future__ import annotations

import difflib  # noqa: F401 (imported before a child gives up its rights)
import os
import shutil
import signal
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backends.errors import NotAStore, StoreBusy, StoreError, StoreReplaced, StoreUnreachable
from backends.sqlite import SqliteStore
from tests.sqlite_files import as_nobody, connect, digest, fork, make, put


@pytest.fixture
def common() -> Iterator[Path]:
    """A directory that every user can reach, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="lgtop-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    directory.chmod(0o755)
    shutil.rmtree(directory)


def threads(store: SqliteStore) -> list[str]:
    return [head.thread_id for batch in store.heads() for head in batch]


def look_at_everything(store: SqliteStore) -> None:
    ids = threads(store)
    store.newest_heads(10)
    store.counts()
    store.created_ids(ids)
    store.poll(store.cursor())
    for head in store.heads_of(ids).values():
        store.namespaces(head.thread_id)
        store.history(head.thread_id)
        store.writes(head.thread_id, values=True)
        store.raw([head.key])
    list(store.sample(10))


@pytest.mark.parametrize("journal", ["wal", "delete", "truncate", "persist"])
def test_looking_leaves_the_file_and_its_directory_as_they_were(tmp_path: Path, journal: str) -> None:
    path = make(tmp_path / "x.db", journal=journal)
    before, names, modified = digest(path), sorted(os.listdir(tmp_path)), path.stat().st_mtime_ns
    with closing(SqliteStore(str(path))) as store:
        look_at_everything(store)
        assert sorted(os.listdir(tmp_path)) == names
    assert (digest(path), sorted(os.listdir(tmp_path)), path.stat().st_mtime_ns) == (before, names, modified)


def test_what_is_in_the_wal_is_seen(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "x.db")) as writer:
        put(writer, "in-the-wal", 1)
        before = digest(tmp_path / "x.db")
        with closing(SqliteStore(str(tmp_path / "x.db"))) as store:
            look_at_everything(store)
            assert threads(store) == ["in-the-wal"]
            assert store.info.warnings == ()
        assert digest(tmp_path / "x.db") == before


def test_a_wal_left_behind_by_a_dead_writer_is_read(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "x.db")) as writer:
        put(writer, "in-the-wal", 1)
        for name in ("x.db", "x.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / f"copy-{name}")
    with closing(SqliteStore(str(tmp_path / "copy-x.db"))) as store:
        assert threads(store) == ["in-the-wal"]


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_writer_that_comes_after_us_is_seen(tmp_path: Path, journal: str) -> None:
    path = make(tmp_path / "x.db", journal=journal)
    with closing(SqliteStore(str(path))) as store:
        cursor = store.poll(store.cursor()).cursor
        with closing(connect(path, journal)) as writer:
            put(writer, "later", 5)
            delta = store.poll(cursor)
            assert (delta.changed, delta.reload) == ({"later"}, False)
            assert threads(store) == ["a", "b", "later"]
        with closing(connect(path, journal)) as writer:
            put(writer, "again", 6)
        delta = store.poll(delta.cursor)
        assert "again" in delta.changed
        assert threads(store) == ["a", "again", "b", "later"]


def test_a_writer_that_came_and_went_is_seen(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db")
    with closing(SqliteStore(str(path))) as store:
        cursor = store.cursor()
        with closing(connect(path)) as writer:
            put(writer, "later", 5)
        assert not (tmp_path / "x.db-wal").exists()
        assert store.poll(cursor).changed == {"later"}
        assert threads(store) == ["a", "b", "later"]
        assert sorted(os.listdir(tmp_path)) == ["x.db"]


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_read_only_file_in_a_read_only_directory(common: Path, journal: str) -> None:
    path = make(common / "x.db", journal=journal)
    path.chmod(0o444)
    common.chmod(0o555)

    def look() -> list[object]:
        with closing(SqliteStore(str(path))) as store:
            look_at_everything(store)
            return [threads(store), store.info.writable, store.info.warnings]

    assert as_nobody(look) == [["a", "b"], False, []]
    assert os.listdir(common) == ["x.db"]


def test_a_wal_out_of_reach_is_told(common: Path) -> None:
    with closing(connect(common / "w.db")) as writer:
        put(writer, "checkpointed", 1)
        writer.execute("pragma wal_checkpoint(truncate)")
        put(writer, "in-the-wal", 2)
        for name in ("w.db", "w.db-wal"):
            shutil.copy(common / name, common / name.replace("w.db", "x.db"))
    common.chmod(0o555)

    def look() -> list[object]:
        with closing(SqliteStore(str(common / "x.db"))) as store:
            look_at_everything(store)
            return [threads(store), *store.info.warnings]

    seen, warning = as_nobody(look)
    assert seen == ["checkpointed"]
    assert "x.db-wal are not visible" in warning
    assert "stale" in warning


def test_a_live_writer_of_another_user_is_followed(common: Path) -> None:
    ready, go = os.pipe(), os.pipe()

    def follow() -> list[object]:
        with closing(SqliteStore(str(common / "x.db"))) as store:
            cursor = store.cursor()
            before = threads(store)
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            return [before, sorted(store.poll(cursor).changed), threads(store), *store.info.warnings]

    def write_when_ready() -> None:
        os.read(ready[0], 1)
        put(writer, "second", 2)
        os.write(go[1], b"x")

    with closing(connect(common / "x.db")) as writer:
        put(writer, "first", 1)
        for name in os.listdir(common):
            (common / name).chmod(0o644)
        common.chmod(0o555)
        meanwhile = threading.Thread(target=write_when_ready, daemon=True)
        meanwhile.start()
        assert as_nobody(follow) == [["first"], ["second"], ["first", "second"]]
        meanwhile.join()


def test_a_link_leads_to_the_wal_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "real" / "x.db")
    with closing(connect(tmp_path / "real" / "x.db")) as writer:
        put(writer, "in-the-wal", 1)
        with closing(SqliteStore(str(link))) as store:
            assert threads(store) == ["in-the-wal"]
            cursor = store.cursor()
            put(writer, "later", 2)
            assert store.poll(cursor).changed == {"later"}
            link.unlink()
            link.symlink_to(make(tmp_path / "other.db"))
            with pytest.raises(StoreReplaced):
                store.poll(cursor)
    assert sorted(os.listdir(tmp_path)) == ["link.db", "other.db", "real"]


@pytest.mark.parametrize(
    "name", ["a b?c#d%e%20.db", "größe '\"`$.db", os.fsdecode(b"no utf-8 \xff.db"), "-wal", "x.db-wal"]
)
def test_any_file_name_opens(tmp_path: Path, name: str) -> None:
    path = make(tmp_path / "x.db").rename(tmp_path / name)
    with closing(SqliteStore(str(path))) as store:
        assert threads(store) == ["a", "b"]
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["nul\0.db", "x" * 5000])
def test_impossible_names_say_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreUnreachable, match="cannot be read"):
        SqliteStore(str(tmp_path / name))


def test_an_unreadable_file_says_so(common: Path) -> None:
    path = make(common / "x.db")
    path.chmod(0o000)

    def look() -> str:
        try:
            SqliteStore(str(path)).close()
        except StoreUnreachable as error:
            return str(error)
        return "opened"

    assert "Permission denied" in as_nobody(look)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"hello, world\n" * 100, "not an SQLite database", id="text"),
        pytest.param(bytes(range(256)) * 32, "encrypted", id="noise"),
        pytest.param(
            b"SQLite format 3\0" + b"\xff" * 4080, "not an SQLite database|damaged|cannot be read", id="damaged"
        ),
        pytest.param(b"SQLite format 3\0", "not an SQLite database|damaged|cannot be read", id="cut"),
    ],
)
def test_other_files_are_refused_with_a_reason(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=says) as raised:
        SqliteStore(str(path))
    assert raised.value.advice
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["x.db"]


def test_a_missing_file_suggests_another(tmp_path: Path) -> None:
    make(tmp_path / "checkpoints.sqlite")
    with pytest.raises(StoreUnreachable, match="does not exist") as raised:
        SqliteStore(str(tmp_path / "checkpoint.sqlite"))
    assert raised.value.advice == "Did you mean checkpoints.sqlite?"
    assert os.listdir(tmp_path) == ["checkpoints.sqlite"]


def test_a_directory_suggests_what_it_holds(tmp_path: Path) -> None:
    make(tmp_path / "checkpoints.sqlite")
    with pytest.raises(NotAStore, match="is a directory") as raised:
        SqliteStore(str(tmp_path))
    assert "checkpoints.sqlite" in raised.value.advice


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.db")
    with pytest.raises(NotAStore, match="not a regular file"):
        SqliteStore(str(tmp_path / "x.db"))


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("create table other(x)", "without checkpoint tables"),
        ("create table checkpoints(id integer primary key, model text); create table writes(x)", "not LangGraph's"),
        (
            "create table checkpoints(thread_id text, thread_ts text, parent_ts text, checkpoint blob, metadata blob)",
            "0.0.x",
        ),
        (
            "create table checkpoints(thread_id text, thread_ts text, checkpoint blob); create table writes(thread_id)",
            "0.0.x",
        ),
        ("create table writes(x)", "not LangGraph's"),
        (
            "create table checkpoints(thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint,"
            " metadata)",
            "not LangGraph's writes table",
        ),
        (
            "create view checkpoints as select '' thread_id, '' checkpoint_ns, '' checkpoint_id,"
            " '' parent_checkpoint_id, '' type, '' checkpoint, '' metadata; create table writes(x)",
            "not LangGraph's",
        ),
        (
            "create table checkpoints(thread_id, checkpoint_ns, checkpoint_id primary key, parent_checkpoint_id, type,"
            " checkpoint, metadata) without rowid;"
            " create table writes(thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value)",
            "WITHOUT ROWID",
        ),
    ],
)
def test_other_tables_are_refused_with_a_reason(tmp_path: Path, schema: str, says: str) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.executescript(schema)
    with pytest.raises(NotAStore, match=says) as raised:
        SqliteStore(str(tmp_path / "x.db"))
    assert raised.value.advice


def test_tables_without_their_key_are_read_with_a_warning(tmp_path: Path) -> None:
    make(tmp_path / "x.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        copy.execute("attach ? as source", (str(tmp_path / "x.db"),))
        for table in ("checkpoints", "writes"):
            copy.execute(f"create table {table} as select * from source.{table}")
        copy.commit()
    with closing(SqliteStore(str(tmp_path / "copy.db"))) as store:
        look_at_everything(store)
        assert threads(store) == ["a", "b"]
        assert len(store.info.warnings) == 2


def test_a_hot_journal_is_left_to_its_owner(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db", journal="delete")

    def die_in_the_middle() -> None:
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("pragma cache_size = 5")
        writer.execute("begin immediate")
        for number in range(2000):
            put(writer, "x" * 500, number)
        os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(fork(die_in_the_middle), 0)
    before = digest(path)
    assert (tmp_path / "x.db-journal").exists()
    with pytest.raises(StoreUnreachable, match="rolled back"):
        SqliteStore(str(path))
    assert digest(path) == before


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.sqlite_open.BUSY_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_holds_the_file_makes_it_busy(tmp_path: Path) -> None:
    path = make(tmp_path / "x.db", journal="delete")
    with closing(SqliteStore(str(path))) as store, closing(sqlite3.connect(path, isolation_level=None)) as writer:
        cursor = store.cursor()
        writer.execute("begin exclusive")
        with pytest.raises(StoreBusy):
            store.counts()
        with pytest.raises(StoreBusy):
            store.poll(cursor)
        with pytest.raises(StoreBusy):
            SqliteStore(str(path))
        put(writer, "later", 9)
        writer.execute("commit")
        assert store.poll(cursor).changed == {"later"}


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = SqliteStore(str(make(tmp_path / "x.db")))
    store.close()
    store.close()
    store.interrupt()
    with pytest.raises(StoreUnreachable, match="closed"):
        store.counts()
