"""The sidecar file of an SQLite store: what stands in it, what it survives, and what is said where it cannot be."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backends.errors import AlreadyRunning, Refused, StoreUnreachable
from backends.locks import notes, records, sqlite_board
from backends.locks.board import LockBoard
from backends.locks.holder import Holder, this_host
from backends.locks.key import thread_byte
from backends.locks.records import Record
from backends.locks.take import take
from tests.locking import ROOT, Contender
from tests.sqlite_files import NOBODY, as_nobody, make


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(make(tmp_path / "x.db"))


@pytest.fixture
def sidecar(store: str) -> Path:
    return Path(f"{store}-lgtop")


@pytest.fixture
def board(store: str) -> Iterator[LockBoard]:
    with closing(LockBoard(store)) as opened:
        yield opened


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_the_file_has_the_permissions_and_the_owner_of_the_database(store: str, sidecar: Path):
    os.chmod(store, 0o660)
    if os.geteuid() == 0:
        os.chown(store, NOBODY, NOBODY)
    with take(store, "a"):
        found, database = sidecar.stat(), os.stat(store)
        assert stat.S_IMODE(found.st_mode) == 0o660
        assert (found.st_uid, found.st_gid) == (database.st_uid, database.st_gid)


def test_the_file_of_a_store_that_does_not_exist_yet_obeys_the_umask(tmp_path: Path):
    before = os.umask(0o027)
    try:
        with take(str(tmp_path / "new.db"), "a"):
            assert stat.S_IMODE((tmp_path / "new.db-lgtop").stat().st_mode) == 0o640
            assert not (tmp_path / "new.db").exists()
    finally:
        os.umask(before)


def test_the_file_stands_beside_what_a_link_leads_to(store: str, sidecar: Path, tmp_path: Path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "other.db").symlink_to(store)
    with take(str(tmp_path / "links" / "other.db"), "a"):
        assert sidecar.exists()


def test_a_missing_directory_is_named(tmp_path: Path):
    with pytest.raises(StoreUnreachable, match=f"no directory {tmp_path}/none"):
        take(str(tmp_path / "none" / "x.db"), "a")


def test_a_place_where_we_may_not_write_is_refused(open_folder: Path):
    store = make(open_folder / "x.db")

    def attempt() -> str:
        try:
            take(str(store), "a")
        except Refused as error:
            return str(error)
        return ""

    assert as_nobody(attempt).startswith("The thread cannot be locked: no permission to write x.db-lgtop. ")


def test_a_sidecar_that_we_may_not_read_is_told(open_folder: Path):
    store = make(open_folder / "x.db")
    store.chmod(0o600)

    def look() -> str:
        try:
            LockBoard(str(store)).holders()
        except StoreUnreachable as error:
            return str(error)
        return ""

    with take(str(store), "a"):
        assert as_nobody(look).startswith("Who runs a thread cannot be told: x.db-lgtop cannot be read (Permission")


def test_a_link_in_its_place_is_not_followed(store: str, sidecar: Path, tmp_path: Path, board: LockBoard):
    (tmp_path / "precious").write_text("")
    sidecar.symlink_to(tmp_path / "precious")
    with pytest.raises(Refused, match=r"x\.db-lgtop is a link"):
        take(store, "a")
    with pytest.raises(StoreUnreachable, match="cannot be read"):
        board.holders()
    assert (tmp_path / "precious").read_text() == ""


def test_a_pipe_in_its_place_is_not_waited_for(store: str, sidecar: Path, board: LockBoard):
    os.mkfifo(sidecar)
    with pytest.raises(Refused, match="not a regular file"):
        take(store, "a")
    with pytest.raises(StoreUnreachable, match="not a regular file"):
        board.holders()


def test_looking_first_does_not_keep_one_from_taking(store: str, sidecar: Path, board: LockBoard):
    sidecar.write_text("")
    assert board.holders() == {}
    with take(store, "a"), take(store, "b"):
        assert set(board.holders()) == {"a", "b"}


def test_a_lock_that_a_copied_directory_dropped_is_taken_back(store: str, sidecar: Path, board: LockBoard):
    with take(store, "a") as lock, Contender(store, "a") as other:
        sidecar.read_bytes()  # opened and closed: the kernel lets go of all locks of the process on it
        assert board.holders() == {"a": board.holders()["a"]}
        assert lock.held()
        assert other.ask("take").startswith("busy")


def test_a_dropped_lock_that_another_took_is_lost(store: str, sidecar: Path, board: LockBoard):
    with take(store, "a") as lock, Contender(store, "a", "thief") as other:
        sidecar.read_bytes()
        assert other.ask("take") == "taken"
        assert not lock.held()
        lock.release()
        assert board.holders()["a"].who == "thief"


def test_a_dropped_lock_that_another_had_meanwhile_is_lost(store: str, sidecar: Path):
    with take(store, "a") as lock, Contender(store, "a") as other:
        sidecar.read_bytes()
        assert other.ask("take") == "taken"
        assert other.ask("release") == "released"
        assert not lock.held()
        assert other.ask("take") == "taken"  # and what was taken back to find that out is free again


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_sidecar_that_is_gone_takes_its_locks_along(store: str, sidecar: Path, board: LockBoard, how: str):
    lock = take(store, "a")
    sidecar.unlink()
    if how == "replaced":
        sidecar.write_text("")
    assert not lock.held()
    assert board.holders() == {}
    with take(store, "a", who="next") as other, Contender(store, "a") as third:
        lock.release()
        assert other.held()
        assert third.ask("take") == f"busy: next · pid {os.getpid()}"


def test_a_lock_beside_a_replaced_database_stays(store: str, board: LockBoard, tmp_path: Path):
    with take(store, "a") as lock:
        os.replace(make(tmp_path / "restored.db"), store)
        assert lock.held()
        assert set(board.holders()) == {"a"}


def test_notes_of_processes_that_are_gone_are_never_shown(store: str, sidecar: Path, board: LockBoard):
    with Contender(store, "a", "the dead") as dead:
        assert dead.ask("take") == "taken"
    assert "the dead" in sidecar.read_text()
    assert board.holders() == {}
    with open(sidecar, "r+b") as file:  # someone holds the byte without a note
        child = subprocess.Popen(
            [sys.executable, "-c", _LOCK_ONLY, str(thread_byte("a"))], stdin=file, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"locked\n"
        assert board.holders() == {"a": Holder("a", child.pid, host=this_host())}
        with pytest.raises(AlreadyRunning, match=f"{this_host()} · pid {child.pid}"):
            take(store, "a")
        sidecar.write_text("")
        assert board.holders() == {}  # nothing tells which thread it is
        assert set(board.holders(lambda: ["b", "a"])) == {"a"}
        child.kill()
        child.communicate()
    assert board.holders(lambda: ["a"]) == {}


def test_who_was_quicker_is_waited_for_until_it_has_said_who_it_is(
    store: str, sidecar: Path, monkeypatch: pytest.MonkeyPatch
):
    sidecar.write_text("")
    with open(sidecar, "r+b") as file:
        child = subprocess.Popen(
            [sys.executable, "-c", _LOCK_ONLY, str(thread_byte("a"))], stdin=file, stdout=subprocess.PIPE
        )
    assert child.stdout is not None
    assert child.stdout.readline() == b"locked\n"

    def note(_: float) -> None:
        sidecar.write_text(notes.written(Holder("a", child.pid, "the quicker one", this_host(), since=1.0)))

    monkeypatch.setattr(time, "sleep", note)
    with pytest.raises(AlreadyRunning, match=f"the quicker one · pid {child.pid}"):
        take(store, "a")
    child.kill()
    child.communicate()


_LOCK_ONLY = """
import fcntl, signal, sys
fcntl.lockf(0, fcntl.LOCK_EX, 1, int(sys.argv[1]))
print("locked", flush=True)
signal.pause()
"""


def test_many_notes_are_thrown_away_and_those_of_held_locks_are_not(store: str, sidecar: Path, board: LockBoard):
    with take(store, "kept", who="w" * 200), Contender(store, "other", "far away") as other:
        assert other.ask("take") == "taken"
        for number in range(400):
            with take(store, f"t{number}", who="w" * 200):
                pass
        assert sidecar.stat().st_size < notes.ROOM + 1000
        assert '"t0"' not in sidecar.read_text()
        found = board.holders()
        assert {thread: holder.who for thread, holder in found.items()} == {"kept": "w" * 200, "other": "far away"}


def test_a_holder_that_died_with_the_pen_stops_nobody(store: str, sidecar: Path, board: LockBoard):
    sidecar.write_text("")
    with open(sidecar, "r+b") as file:
        child = subprocess.Popen([sys.executable, "-c", _LOCK_ONLY, str(1 << 62)], stdin=file, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"locked\n"
    with take(store, "a", who="me"):
        assert board.holders()["a"].who == "me"
    child.kill()
    child.communicate()


HOSTILE = {
    "binary": b"\xff\xfe\x00 not text\n" * 50,
    "deep": b"[" * 100_000 + b"\n",
    "other JSON": b'{"thread": 7}\n"a"\nnull\n[]\n',
    "wrong types": b'{"thread": "a", "pid": "x", "since": NaN, "who": {"a": 1}, "host": null}\n',
    "infinite": b'{"thread": "a", "pid": 1, "since": 1e999, "run": "\\u001b[2J"}\n',
    "no end": b"no end of line",
    "endless": b"x" * (5 * notes.ROOM),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_stands_in_the_file_does_no_harm(store: str, sidecar: Path, board: LockBoard, text: bytes):
    sidecar.write_bytes(text)
    with Contender(store, "a", "other") as other, take(store, "b", who="me"):
        assert other.ask("take") == "taken"
        found = board.holders(lambda: ["a", "b"])
        assert {thread: holder.pid for thread, holder in found.items()} == {"a": other.pid, "b": os.getpid()}
        assert all(str(holder).isprintable() for holder in found.values())


def test_a_full_disk_does_not_keep_one_from_locking(store: str, monkeypatch: pytest.MonkeyPatch, board: LockBoard):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(notes.os, "write", full)
        lock = take(store, "a")
    with lock, Contender(store, "a") as other:
        assert lock.held()
        assert other.ask("take") == f"busy: {this_host()} · pid {os.getpid()}"


def test_a_file_system_without_locks_is_refused(store: str, monkeypatch: pytest.MonkeyPatch):
    def unknown(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(records.fcntl, "lockf", unknown)
    with pytest.raises(Refused, match=r"the file system of x\.db-lgtop has no locks"):
        take(store, "a")


def test_a_kernel_with_the_older_question_only(store: str, monkeypatch: pytest.MonkeyPatch, board: LockBoard):
    """``F_GETLK`` says nothing about locks of the process that asks."""
    monkeypatch.setattr(records, "_QUESTIONS", (fcntl.F_GETLK,))
    with Contender(store, "b", "other") as other, take(store, "a", who="me") as lock:
        assert other.ask("take") == "taken"
        assert {thread: holder.who for thread, holder in board.holders().items()} == {"a": "me", "b": "other"}
        assert lock.held()


def test_every_lock_among_many_is_found(store: str, board: LockBoard):
    threads = [f"t{number}" for number in range(300)]
    script = (
        "import sys\nfrom backends.locks.take import take\n"
        f"held = [take(sys.argv[1], f't{{n}}') for n in range({len(threads)})]\nprint('ready', flush=True)\ninput()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, store], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    with take(store, "mine"):
        assert sorted(board.holders()) == sorted([*threads, "mine"])
    child.communicate("\n")
    assert board.holders() == {}


def test_holders_in_containers_are_told_by_their_notes(store: str, sidecar: Path, monkeypatch: pytest.MonkeyPatch):
    """The kernel gives another process id for them, or none, and their notes hold the one inside."""
    inside = {"thread": "a", "pid": 17, "who": "app@c0ffee", "host": "c0ffee", "since": 1.5}
    sidecar.write_text(json.dumps({**inside, "pid": 12, "who": "dead"}) + "\n" + json.dumps(inside) + "\n")
    told = Holder("a", 17, "app@c0ffee", "c0ffee", since=1.5)
    for pid in (5123, None):
        monkeypatch.setattr(sqlite_board, "locked", lambda *_, pid=pid: iter([Record(thread_byte("a"), pid)]))
        assert LockBoard(store).holders() == {"a": told}


def test_descriptors_do_not_leak(store: str, board: LockBoard):
    with take(store, "a"):
        pass
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    for _ in range(50):
        with take(store, "a"):
            board.holders()
    after = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    assert after == before
