"""``lgtop watch`` beside a writer in another process: a line for every change, and a quiet end."""

import copy
import json
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from demo_graphs import pipeline
from tests import schemas
from tests.holding import Holding
from tui.cli.exits import Exit

ROOT = Path(__file__).resolve().parents[2]
CHANGED = schemas.record(at=schemas.TIME, event={"const": "changed"}, **schemas.THREAD["properties"])
REMOVED = schemas.record(at=schemas.TIME, event={"const": "removed"}, thread_id=schemas.TEXT)
PATIENCE = 30.0


class Watch:
    """A running ``lgtop watch``; its two outputs as queues of lines."""

    def __init__(self, store, *words):
        argv = [sys.executable, "-m", "lgtop", "watch", "-s", str(store), *words]
        self.process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said, self.told = queue.Queue(), queue.Queue()
        for stream, lines in ((self.process.stdout, self.said), (self.process.stderr, self.told)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    def line(self):
        return self.said.get(timeout=PATIENCE)

    def until(self, fits):
        """Lines up to the first that fits."""
        lines = [self.line()]
        while not fits(lines[-1]):
            lines.append(self.line())
        return lines

    def hear(self, word):
        """Wait for a narration that contains a word."""
        while word not in (line := self.told.get(timeout=PATIENCE) or pytest.fail(f"it ended without {word!r}")):
            pass
        return line

    def end(self):
        """Press ctrl+c; give the exit code and what else was said."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        rest = []
        for lines in (self.said, self.told):
            while (line := lines.get(timeout=PATIENCE)) is not None:
                rest.append(line)
        return code, rest


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "app.sqlite"
    move(path, "first")
    return path


@pytest.fixture
def watch(store):
    with watches(store) as start:
        yield start


@contextmanager
def watches(store):
    """Start watches that are ready, and end them."""
    started = []

    def start(*words):
        started.append(one := Watch(store, *words))
        one.hear("Watching")
        return one

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def move(path, thread, down=()):
    """Run the pipeline on a thread."""
    graph = copy.copy(pipeline.graph)
    connection = sqlite3.connect(path, check_same_thread=False)
    graph.checkpointer = SqliteSaver(connection)
    given = {"rows": 10, "pace": 0, "down": list(down)}
    try:
        graph.invoke(given, {"configurable": {"thread_id": thread}}, durability="sync")
    except ConnectionError:
        assert down
    finally:
        connection.close()


def test_changes_come_as_they_are_committed(store, watch):
    one = watch("--jsonl")
    move(store, "second")
    records = [json.loads(line) for line in one.until(lambda line: json.loads(line)["status"] == "done")]
    for record in records:
        schemas.check(record, CHANGED)
    assert {record["thread_id"] for record in records} == {"second"}
    assert (records[-1]["step"], records[-1]["checkpoints"]) == (3, 5)
    assert one.end() == (Exit.INTERRUPTED, [])


def test_a_line_is_told_once(store, watch):
    one = watch("--jsonl", "--interval", "0.5")
    for thread in ("a", "b"):
        move(store, thread)
    lines = one.until(lambda line: '"b"' in line and '"done"' in line)
    assert len(lines) == len(set(lines))
    assert one.end() == (Exit.INTERRUPTED, [])


def test_a_filter_lets_only_its_threads_through(store, watch):
    one = watch("--filter", "status:failed")
    move(store, "fine")
    move(store, "broken", down=["load"])
    line = one.line()
    assert "✖ failed" in line
    assert "broken  step 2  next load  ConnectionError('warehouse.example refused the connection')" in line
    assert one.end() == (Exit.INTERRUPTED, [])


def test_who_takes_and_lets_go_of_a_thread(store, watch):
    one = watch("--jsonl")
    with Holding(str(store), "first") as holding:
        taken = json.loads(one.line())
        schemas.check(taken, CHANGED)
        assert (taken["thread_id"], taken["status"]) == ("first", "running")
        assert taken["running_by"] == f"nightly@batch · pid {holding.pid}"
        holding.kill()
        free = json.loads(one.line())
    assert (free["status"], free["running_by"]) == ("done", None)
    assert one.end() == (Exit.INTERRUPTED, [])


def test_a_thread_that_is_deleted(store, watch):
    one = watch("--jsonl")
    with sqlite3.connect(store) as connection:
        connection.execute("DELETE FROM checkpoints WHERE thread_id = 'first'")
        connection.execute("DELETE FROM writes WHERE thread_id = 'first'")
    record = json.loads(one.line())
    schemas.check(record, REMOVED)
    assert record["thread_id"] == "first"


def test_a_store_that_is_replaced_is_read_again(store, watch, tmp_path):
    one = watch("--jsonl")
    move(tmp_path / "new.sqlite", "other")
    for ending in ("-wal", "-shm"):
        (tmp_path / f"app.sqlite{ending}").unlink(missing_ok=True)
    os.replace(tmp_path / "new.sqlite", store)
    one.hear("lgtop: ")
    records = [json.loads(one.line()), json.loads(one.line())]
    assert {(r["event"], r["thread_id"]) for r in records} == {("changed", "other"), ("removed", "first")}
    move(store, "after")
    one.until(lambda line: '"after"' in line and '"done"' in line)
    assert one.end()[0] == Exit.INTERRUPTED


def test_a_missing_store_is_told_at_once(tmp_path):
    one = Watch(tmp_path / "gone.sqlite")
    assert "gone.sqlite" in one.told.get(timeout=PATIENCE)
    assert one.process.wait(PATIENCE) == Exit.STORE


def test_a_filter_that_cannot_be_understood(store):
    one = Watch(store, "--filter", "status:wating")
    assert "waiting" in one.told.get(timeout=PATIENCE)
    assert one.process.wait(PATIENCE) == Exit.USAGE
