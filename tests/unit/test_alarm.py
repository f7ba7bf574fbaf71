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


def test_does_not_ring_for_others(rings, tmp_path: Path):
    alarm, rung = rings
    until(lambda: alarm.alive)
    with writer(tmp_path / "another.sqlite") as saver:
        run(saver, "x")
    (tmp_path / "store.sqlite-shm").touch()
    (tmp_path / "store.sqlite.bak").touch()
    marker = tmp_path / "store.sqlite-journal"
    assert not rung.is_set()
    marker.touch()
    assert rung.wait(PATIENCE)


def test_says_when_there_is_nothing_to_watch(tmp_path: Path):
    alarm = Alarm(str(tmp_path / "nowhere" / "store.sqlite"), lambda: None)
    alarm.start()
    until(lambda: alarm.failure is not None)
    assert not alarm.alive
