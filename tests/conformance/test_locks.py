"""One writer per thread, on every kind of store: real processes, real kills."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from backends.errors import AlreadyRunning
from backends.locks.board import LockBoard
from backends.locks.holder import Holder, this_host, this_user
from backends.locks.key import store_key
from backends.locks.take import take
from tests.conformance.places import Place
from tests.locking import DEADLINE, Contender, within
from tests.sqlite_files import fork


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of each kind; the SQLite file does not exist yet."""
    if request.param == "sqlite":
        return str(tmp_path / "x.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def board(address: str) -> Iterator[LockBoard]:
    with closing(LockBoard(address)) as opened:
        yield opened


def test_a_thread_that_nobody_holds_can_be_taken_and_released(address: str, board: LockBoard):
    assert board.holders() == {}
    before = time.time()
    with take(address, "a", who="you@laptop", run_id="1121-0910-k3f2") as lock:
        assert lock.thread_id == "a"
        assert lock.held()
        (holder,) = board.holders().values()
        assert before - 0.001 <= (holder.since or 0) <= time.time()
        assert holder == Holder("a", os.getpid(), "you@laptop", this_host(), "1121-0910-k3f2", holder.since)
        assert str(holder) == f"run 1121-0910-k3f2 · you@laptop · pid {os.getpid()}"
    assert not lock.held()
    assert board.holders() == {}
    lock.release()  # once more does nothing
    with take(address, "a"):
        lock.release()  # nor does it release what another has taken since
        assert board.holders()["a"].who == this_user()


def test_the_other_process_is_told_who_holds_it(address: str, board: LockBoard):
    with Contender(address, "a", "first") as first, Contender(address, "a", "second") as second:
        assert first.ask("take") == "taken"
        assert second.ask("take") == f"busy: first · pid {first.pid}"
        with pytest.raises(AlreadyRunning, match=f"'a' is already running: first · pid {first.pid}"):
            take(address, "a")
        with take(address, "b"):  # another thread is free
            assert {thread: holder.pid for thread, holder in board.holders().items()} == {
                "a": first.pid,
                "b": os.getpid(),
            }
        assert first.ask("release") == "released"
        assert second.ask("take") == "taken"
        assert board.holders()["a"].who == "second"


def test_the_same_process_cannot_take_it_twice(address: str):
    with take(address, "a", who="me") as lock:
        with pytest.raises(AlreadyRunning, match=f"me · pid {os.getpid()}"):
            take(address, "a")
        assert lock.held()


def test_a_killed_holder_holds_nothing(address: str, board: LockBoard):
    with Contender(address, "a") as dead, Contender(address, "a") as heir:
        assert dead.ask("take") == "taken"
        assert "a" in board.holders()
        dead.kill()
        assert within(1, lambda: board.holders() == {})
        assert heir.ask("take") == "taken"


def test_a_killed_holder_can_be_followed_at_once(address: str):
    with Contender(address, "a") as dead:
        assert dead.ask("take") == "taken"
        dead.kill()
        with take(address, "a") as lock:  # waits until a server has noticed the death
            assert lock.held()


def test_a_child_that_a_dead_holder_left_behind_holds_nothing(address: str, board: LockBoard):
    with Contender(address, "a") as holder:
        assert holder.ask("take") == "taken"
        child = holder.fork()
        assert holder.ask("held") == "True"
        holder.kill()
        os.kill(child, 0)
        assert within(1, lambda: board.holders() == {})


def test_a_forked_child_has_no_part_in_the_lock(address: str, board: LockBoard):
    with take(address, "a") as lock:

        def child() -> None:
            assert not lock.held()
            lock.release()
            with pytest.raises(AlreadyRunning):
                take(address, "a")
            with take(address, "b") as other:
                assert other.held()

        assert os.waitpid(fork(child), 0)[1] == 0
        assert lock.held()
        assert board.holders()["a"].pid == os.getpid()


def test_of_many_that_want_it_at_once_one_has_it(address: str):
    contenders = [Contender(address, "a", f"number {number}") for number in range(4)]
    try:
        for _ in range(25):
            for contender in contenders:
                contender.tell("take")
            answers = [contender.answer() for contender in contenders]
            winners = [contender for contender, answer in zip(contenders, answers, strict=True) if answer == "taken"]
            assert len(winners) == 1, answers
            name = f"number {contenders.index(winners[0])}"
            losers = {answer for answer in answers if answer != "taken"}
            assert losers == {f"busy: {name} · pid {winners[0].pid}"}
            assert winners[0].ask("release") == "released"
    finally:
        for contender in contenders:
            contender.kill()


def test_any_thread_id_and_any_name_will_do(address: str, board: LockBoard):
    names = ["", "%s", "*/ ' \" \\ ; --", "日本 é", "long " * 300, "a\nb", "\x1b[31m"]
    for name in names:
        with take(address, name, who=name, run_id="r 1%'"):
            holder = board.holders(lambda: names)[name]
            assert holder.thread_id == name
            assert holder.pid == os.getpid()
            assert "\x1b" not in str(holder)
            assert len(str(holder)) <= 200


def test_locks_leave_the_store_as_it_is(place: Place):
    place.put("a", 1)
    before = place.fingerprint()
    with closing(LockBoard(place.address)) as board:
        assert board.holders() == {}
        assert place.fingerprint() == before  # looking makes no file either
        with take(place.address, "a"):
            assert set(board.holders()) == {"a"}
    if place.kind == "postgres":
        assert place.fingerprint() == before
    else:
        Path(f"{place.address}-lgtop").unlink()
        assert place.fingerprint() == before


def test_locks_stand_beside_whatever_the_store_is_doing(place: Place):
    """A writer in the middle of a transaction neither waits for a lock nor is waited for."""
    place.put("a", 1)
    writer = psycopg.connect(place.address) if place.kind == "postgres" else sqlite3.connect(place.address)
    with closing(writer), take(place.address, "a") as lock, Contender(place.address, "a") as other:
        if isinstance(writer, sqlite3.Connection):
            writer.execute("begin exclusive")
        else:
            writer.execute("lock table checkpoints in access exclusive mode")
        assert lock.held()
        started = time.monotonic()
        assert other.ask("take").startswith("busy")
        assert time.monotonic() - started < DEADLINE
        writer.rollback()


def test_two_spellings_are_one_store(address: str, board: LockBoard, monkeypatch: pytest.MonkeyPatch):
    if address.startswith("/"):
        folder = Path(address).parent
        (folder / "link.db").symlink_to(address)
        monkeypatch.chdir(folder)
        others = [f"sqlite:///{address}", "x.db", "./link.db", f"file:{address}?mode=rwc"]
    else:
        others = [address.replace("postgresql", "postgres", 1), address.replace("127.0.0.1", "localhost")]
    for other in others:
        assert store_key(other) == store_key(address)
        with take(other, "a"):
            assert "a" in board.holders()
            with pytest.raises(AlreadyRunning):
                take(address, "a")
