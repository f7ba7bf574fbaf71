"""The alarm clock: rings for the database's own files, and says when it cannot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.alarm import Alarm

from .feed_rig import PATIENCE, run, writer


def until(true: Callable[[], object], act: Callable[[], object] = lambda: None) -> None:
    """Act again and again until something holds: an event may come before the watch is set up."""
    deadline = time.monotonic() + PATIENCE
    tick = threading.Event()
    while not true():
        assert time.monotonic() < deadline
        act()
        tick.wait(0.02)


@pytest.fixture
def rings(tmp_path: Path):
    """An alarm on a store that does not exist yet."""
    rung = threading.Event()
    alarm = Alarm(str(tmp_path / "store.sqlite"), rung.set)
    alarm.start()
    yield alarm, rung
    alarm.stop()
    until(lambda: not alarm.alive)


def test_rings_for_a_commit(rings, tmp_path: Path):
    alarm, rung = rings
    with writer(tmp_path / "store.sqlite") as saver:
        until(rung.is_set, lambda: run(saver, "x"))
        until(lambda: alarm.alive)
        rung.clear()
        run(saver, "x")
        assert rung.wait(PATIENCE)


@pytest.mark.parametrize(
    ("name", "concerns"),
    [
        ("store.sqlite", True),
        ("store.sqlite-wal", True),
        ("store.sqlite-journal", True),
        ("store.sqlite-shm", False),
        ("store.sqlite.bak", False),
        ("another.sqlite-wal", False),
    ],
)
def test_rings_for_the_database_alone(tmp_path: Path, name: str, concerns: bool):
    alarm = Alarm(str(tmp_path / "store.sqlite"), lambda: None)
    assert alarm.concerns(str(tmp_path / name)) is concerns


def test_follows_links_to_where_the_log_is_written(tmp_path: Path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.sqlite"
    link.symlink_to(tmp_path / "real" / "store.sqlite")
    rung = threading.Event()
    alarm = Alarm(str(link), rung.set)
    alarm.start()
    with writer(tmp_path / "real" / "store.sqlite") as saver:
        until(rung.is_set, lambda: run(saver, "x"))
    alarm.stop()


def test_says_when_there_is_nothing_to_watch(tmp_path: Path):
    alarm = Alarm(str(tmp_path / "nowhere" / "store.sqlite"), lambda: None)
    alarm.start()
    until(lambda: alarm.failure is not None)
    assert not alarm.alive
