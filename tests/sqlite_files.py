"""SQLite stores for tests: the saver's tables with rows of our own, in whatever shape a file can be in."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from backends.ids import checkpoint_id_at

NOBODY = 65534
_TAIL = "8001-0123456789ab"


def identifier(number: int) -> str:
    """A uuid6 checkpoint id that rises with ``number``."""
    return f"{checkpoint_id_at(1_700_000_000 + number)}-{_TAIL}"


def connect(path: Path, journal: str = "wal") -> sqlite3.Connection:
    """Connect as an application does, with the saver's newest tables."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    SqliteSaver(connection).setup()
    connection.execute(f"pragma journal_mode = {journal}")
    connection.execute("pragma synchronous = off")
    return connection


def put(connection: sqlite3.Connection, thread_id: str, number: int, ns: str = "", metadata: object = None) -> None:
    """Insert a checkpoint as the saver does."""
    stored = json.dumps({"source": "loop", "step": number, "parents": {}} if metadata is None else metadata)
    connection.execute(
        "insert or replace into checkpoints values (?, ?, ?, ?, ?, ?, ?)",
        (thread_id, ns, identifier(number), identifier(number - 1), "msgpack", b"\x80", stored.encode()),
    )


def put_write(connection: sqlite3.Connection, thread_id: str, number: int, task_id: str = "task", idx: int = 0) -> None:
    """Insert a write row as the saver does for control channels: replacing the earlier one."""
    connection.execute(
        "insert or replace into writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value) "
        "values (?, '', ?, ?, ?, '__error__', 'msgpack', ?)",
        (thread_id, identifier(number), task_id, idx, b"\xa1x"),
    )


def make(path: Path, threads: Iterable[str] = ("a", "b"), journal: str = "wal") -> Path:
    """Make a store that nobody has open."""
    connection = connect(path, journal)
    for thread_id in threads:
        put(connection, thread_id, 1)
        put(connection, thread_id, 2)
        put_write(connection, thread_id, 2)
    connection.close()
    return path


def digest(path: Path) -> str:
    """Checksum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fork(work: Callable[[], object]) -> int:
    """Run something in a forked child, which ends with status 0 if it went well; return its process id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def as_nobody(work: Callable[[], Any]) -> Any:
    """Run something in a forked child without root's rights and return its JSON-able result.

    Everything that it imports must have been imported before: the interpreter may be out of the child's reach.
    """
    reading, writing = os.pipe()

    def answer() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        os.write(writing, json.dumps(work()).encode())

    child = fork(answer)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(told)
