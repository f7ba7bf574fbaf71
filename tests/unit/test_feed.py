"""The feed on real SQLite stores that the real saver writes meanwhile."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from backends import feed as feed_module
from backends import feed_session, pace, sqlite
from backends.errors import Cancelled, StoreBusy, StoreReplaced, StoreUnreachable
from backends.feed import Analysed, Changed, Counted, HeadsLoaded, Lost, Opened, Recovered, Reloading
from backends.pace import GAP
from backends.reader import Reader
from backends.sqlite import SqliteStore

from .feed_rig import Gated, Gates, checkpoints_in, following, run, writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with one thread that is done and one that waits."""
    found = tmp_path / "store.sqlite"
    with writer(found) as saver:
        run(saver, "done")
        run(saver, "asking", ask=True)
    return found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts to reopen follow each other at once."""
    monkeypatch.setattr(feed_module, "FIRST_RETRY", 0.01)
    monkeypatch.setattr(feed_module, "LAST_RETRY", 0.05)


# --- reading -----------------------------------------------------------------------------------------------------


def test_tells_of_everything_in_order(path: Path):
    with following(path) as (_, told):
        told.wait(told.settled)
        assert told.status("done") == "done"
        assert told.status("asking") == "waiting"
        assert {key: row.checkpoints for key, row in told.index.rows.items()} == checkpoints_in(path)
        kinds = list(dict.fromkeys(type(event) for event in told.events))
    assert kinds[:2] == [Opened, HeadsLoaded]
    assert {Counted, Analysed} <= set(kinds)
    assert not told.of(Changed)
    assert [event.complete for event in told.of(HeadsLoaded)][-1]
    assert sum(event.complete for event in told.of(HeadsLoaded)) == 1


def test_an_empty_store_is_complete_at_once(tmp_path: Path):
    with writer(tmp_path / "empty.sqlite"), following(tmp_path / "empty.sqlite") as (_, told):
        told.wait(lambda: told.index.complete)
        assert told.index.counts.exact
        assert not told.index.rows


def test_what_is_looked_at_is_analysed_before_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed_session, "NEWEST", 5)
    monkeypatch.setattr(feed_session, "_VISIBLE", 5)
    path = tmp_path / "many.sqlite"
    with writer(path) as saver:
        for n in range(40):
            run(saver, f"thread-{n:02d}")
    gates = Gates()
    counting = gates.closed["counts"] = threading.Event()
    with following(path, lambda: Gated(SqliteStore(str(path)), gates)) as (feed, told):
        assert gates.waiting.wait(20)
        assert told.status("thread-39") == "done"
        assert told.status("thread-20") is None
        feed.prioritise(["thread-20", "thread-21", "nowhere"])
        begun = len(told.events)
        counting.set()
        told.wait(told.settled)
    first = next(iter(told.of(Analysed, begun)))
    assert set(first.summaries) == {"thread-20", "thread-21"}
    analysed = [thread_id for event in told.of(Analysed) for thread_id in event.summaries]
    assert sorted(analysed) == [f"thread-{n:02d}" for n in range(40)], "each once"


def test_a_thread_that_breaks_the_analysis_spoils_no_other(path: Path, monkeypatch: pytest.MonkeyPatch):
    whole = Reader.analyse_heads

    def fragile(self, heads):
        if any(head.thread_id == "asking" for head in heads):
            raise ZeroDivisionError("\x1b[2Jtrouble")
        return whole(self, heads)

    monkeypatch.setattr(Reader, "analyse_heads", fragile)
    with following(path) as (_, told):
        told.wait(told.settled)
        assert told.status("done") == "done"
        assert told.status("asking") == "unknown"
        assert "ZeroDivisionError" in told.index.rows["asking"].summary.reason
        assert "\x1b" not in told.index.rows["asking"].summary.reason
    assert not told.of(Lost)


# --- changes -----------------------------------------------------------------------------------------------------


def test_follows_commits(path: Path):
    with writer(path) as saver, following(path) as (_, told):
        told.wait(told.settled)
        run(saver, "new", ask=True)
        told.wait(lambda: told.status("new") == "waiting")
        told.wait(lambda: told.index.rows["new"].checkpoints == checkpoints_in(path)["new"])
        run(saver, "asking")
        told.wait(lambda: told.status("asking") == "done")
        told.wait(lambda: told.index.rows["asking"].checkpoints == checkpoints_in(path)["asking"])
    assert not told.of(Reloading)


def test_follows_commits_while_it_reads_the_rest(path: Path):
    gates = Gates()
    reading = gates.closed["heads"] = threading.Event()
    with writer(path) as saver, following(path, lambda: Gated(SqliteStore(str(path)), gates)) as (_, told):
        assert gates.waiting.wait(20)
        run(saver, "late", ask=True)
        saver.delete_thread("done")
        reading.set()
        told.wait(told.settled)
        told.wait(lambda: told.status("late") == "waiting" and "done" not in told.index.rows)
        told.wait(told.settled)


def test_a_thread_that_comes_and_goes_while_the_rest_is_read(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite, "_HEADS_AT_ONCE", 1)
    gates = Gates()
    gates.may_read_on = lambda: False
    with writer(path) as saver, following(path, lambda: Gated(SqliteStore(str(path)), gates)) as (_, told):
        told.wait(lambda: len(told.of(HeadsLoaded)) > 2)
        run(saver, "aaa")
        told.wait(lambda: told.status("aaa") == "done")
        gates.may_read_on = lambda: True
        told.wait(told.settled)
        assert set(told.index.rows) == {"aaa", "asking", "done"}
        saver.delete_thread("aaa")
        told.wait(lambda: set(told.index.rows) == {"asking", "done"})


class Third:
    """A gate that only the third call finds closed, until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
        self._calls = 0

    def wait(self, patience: float) -> bool:
        self._calls += 1
        if self._calls != 3:
            return True
        self.reached.set()
        return self.open.wait(patience)


def test_a_status_worked_out_before_a_change_is_not_told_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed_session, "NEWEST", 1)
    monkeypatch.setattr(feed_session, "_VISIBLE", 1)
    monkeypatch.setattr(pace, "_BUSY", 0.001)
    path = tmp_path / "many.sqlite"
    with writer(path) as saver:
        run(saver, "first", ask=True)
        for n in range(40):
            run(saver, f"thread-{n:02d}")
        gates = Gates()
        gates.closed["raw"] = third = Third()
        with following(path, lambda: Gated(SqliteStore(str(path)), gates)) as (_, told):
            assert third.reached.wait(20), "the newest thread is analysed, then the first of all, then this"
            run(saver, "first")
            third.open.set()
            told.wait(told.settled)
            assert told.status("first") == "done"
    statuses = [event.summaries["first"].status for event in told.of(Analysed) if "first" in event.summaries]
    assert statuses == ["done"]


@pytest.mark.parametrize("victim", ["first", "middle", "last"])
def test_notices_deletions(tmp_path: Path, victim: str):
    path = tmp_path / "store.sqlite"
    with writer(path) as saver:
        for name in ("first", "middle", "last"):
            run(saver, name)
        with following(path) as (_, told):
            told.wait(told.settled)
            saver.delete_thread(victim)
            told.wait(lambda: victim not in told.index.rows)
            told.wait(told.settled)
            assert len(told.index.rows) == 2
            assert not told.of(Lost)


def test_many_commits_are_told_of_together(path: Path):
    with writer(path) as saver, following(path) as (_, told):
        told.wait(told.settled)
        begun = len(told.events)
        for n in range(40):
            run(saver, f"burst-{n}")
        told.wait(lambda: all(told.status(f"burst-{n}") == "done" for n in range(40)))
        told.wait(lambda: told.index.rows["burst-39"].checkpoints == checkpoints_in(path)["burst-39"])
    times = [when for when, event in zip(told.times, told.events, strict=True) if isinstance(event, Changed)]
    assert len(told.of(Changed, begun)) <= (times[-1] - times[0]) / GAP + 1
    assert len(told.of(Counted, begun)) <= (told.times[-1] - told.times[begun]) / 0.25 + 2


# --- loss --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
def test_another_file_in_its_place(path: Path, tmp_path: Path):
    other = tmp_path / "other.sqlite"
    with writer(other) as saver:
        run(saver, "asking")
        run(saver, "other")
    with following(path) as (_, told):
        told.wait(told.settled)
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        os.replace(other, path)
        told.wait(lambda: told.of(Reloading) and set(told.index.rows) == {"asking", "other"})
        told.wait(lambda: told.status("other") == "done" and told.status("asking") == "done")
        told.wait(told.settled)


@pytest.mark.usefixtures("impatient")
def test_a_file_that_goes_and_comes_back(path: Path, tmp_path: Path):
    aside = tmp_path / "aside.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.execute("pragma journal_mode=delete")
    connection.close()
    with following(path) as (_, told):
        told.wait(told.settled)
        shutil.copy(path, aside)
        path.unlink()
        lost = told.wait(lambda: told.of(Lost))[-1]
        assert "store.sqlite" in lost.reason
        assert set(told.index.rows) == {"done", "asking"}, "what was known stays on the screen"
        begun = len(told.events)
        with writer(aside) as saver:
            run(saver, "since")
            saver.delete_thread("done")
        os.replace(aside, path)
        told.wait(lambda: told.of(Recovered, begun))
        told.wait(told.settled)
        assert set(told.index.rows) == {"since", "asking"}
        assert told.status("since") == "done"
    loaded = [head.thread_id for event in told.of(HeadsLoaded, begun) for head in event.heads]
    assert loaded == ["since"], "only what differs is told again"


@pytest.mark.usefixtures("impatient")
def test_what_is_looked_at_while_everything_is_read_anew(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite, "_HEADS_AT_ONCE", 1)
    gates = Gates()
    with writer(path) as saver, following(path, lambda: Gated(SqliteStore(str(path)), gates)) as (feed, told):
        told.wait(told.settled)
        gates.failing["poll"] = gates.failing["cursor"] = lambda: StoreUnreachable("Nobody answers.")
        told.wait(lambda: told.of(Lost))
        run(saver, "asking")
        begun = len(told.events)
        gates.may_read_on = lambda: False
        gates.failing.clear()
        told.wait(lambda: told.of(HeadsLoaded, begun))
        feed.prioritise(["asking", "done"])
        told.wait(lambda: told.of(Analysed, begun))
        assert told.status("asking") == "done"
        gates.may_read_on = lambda: True
        told.wait(lambda: told.of(Recovered))
        told.wait(lambda: told.of(Counted, begun))
        assert told.status("asking") == "done"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("failure", [StoreUnreachable, StoreBusy, Cancelled, StoreReplaced, OSError])
@pytest.mark.parametrize("where", ["poll", "heads", "cursor", "raw", "counts"])
def test_any_failure_is_told_and_survived(path: Path, failure: type[Exception], where: str):
    gates = Gates()
    with writer(path) as saver, following(path, lambda: Gated(SqliteStore(str(path)), gates)) as (_, told):
        told.wait(told.settled)
        gates.failing["poll"] = lambda: failure("trouble at postgresql://me:secret@db/x")
        gates.failing[where] = gates.failing["poll"]
        told.wait(lambda: told.of(Lost) or told.of(Reloading))
        gates.failing.pop("poll", None)
        begun = len(told.events)
        if where != "poll":
            told.wait(lambda: len(told.of(Lost, begun)) >= 3)
        gates.failing.clear()
        run(saver, "after")
        told.wait(lambda: told.status("after") == "done")
        told.wait(told.settled)
    waits = [event.retry_in for event in told.of(Lost)]
    assert waits == sorted(waits)
    assert all("trouble" in event.reason for event in told.of(Lost))
    if failure is OSError:
        assert all("secret" not in event.reason for event in told.of(Lost))


@pytest.mark.usefixtures("impatient")
def test_retries_ever_more_slowly(path: Path):
    def refuse():
        raise StoreUnreachable("Nobody answers.", "Start it.")

    with following(path, refuse) as (_, told):
        told.wait(lambda: len(told.of(Lost)) >= 5)
    assert [event.retry_in for event in told.of(Lost)][:5] == [0.01, 0.02, 0.04, 0.05, 0.05]
    assert {(event.reason, event.advice) for event in told.of(Lost)} == {("Nobody answers.", "Start it.")}
    assert not told.of(Opened)


# --- the end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["newest_heads", "heads", "counts", "poll"])
def test_stop_interrupts_what_runs(path: Path, where: str):
    gates = Gates()
    gates.closed[where] = gates.interrupted

    def broken_off():
        return Cancelled("Cancelled.")

    gates.failing[where] = broken_off
    with following(path, lambda: Gated(SqliteStore(str(path)), gates)) as (feed, told):
        assert gates.waiting.wait(20)
        assert feed.stop()
        silent = len(told.events)
        assert feed.stop(), "twice is allowed"
    assert len(told.events) == silent
    assert not told.of(Lost)


@pytest.mark.parametrize("where", ["newest_heads", "heads", "counts", "poll"])
def test_nothing_is_told_after_stop(path: Path, where: str):
    gates = Gates()
    gates.closed[where] = gates.interrupted
    with following(path, lambda: Gated(SqliteStore(str(path)), gates)) as (feed, told):
        assert gates.waiting.wait(20)
        begun = len(told.events)
        assert feed.stop()
        assert len(told.events) == begun


def test_stop_while_the_store_is_lost(path: Path):
    def refuse():
        raise StoreUnreachable("Nobody answers.")

    with following(path, refuse) as (feed, told):
        told.wait(lambda: told.of(Lost))
        assert feed.stop()


def test_stop_before_start(path: Path):
    from backends.address import parse_address

    assert feed_module.Feed(parse_address(str(path), {}), lambda event: None).stop()
