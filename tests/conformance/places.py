"""Stores to hold the protocol against: a real saver writes, our store reads."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, empty_checkpoint
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from backends.model import CheckpointKey
from backends.store import Store, open_store
from tests.sqlite_files import identifier

KINDS = ("sqlite", "sqlite-journal", "postgres")


@dataclass
class Place:
    """A store that is written to and looked at.

    Attributes:
        kind: One of ``KINDS``.
        address: What lgtop is given.
        saver: The application's saver.
        fingerprint: Changes when anything in the store changes.
    """

    kind: str
    address: str
    saver: BaseCheckpointSaver[Any]
    fingerprint: Callable[[], object]

    def open(self) -> closing[Store]:
        """Open it as lgtop does."""
        return closing(open_store(self.address))

    def tuples(self, thread_id: str | None = None, ns: str | None = None) -> list[CheckpointTuple]:
        """What the saver lists, newest first: the oracle."""
        if thread_id is None:
            return list(self.saver.list(None))
        space = {} if ns is None else {"checkpoint_ns": ns}
        return list(self.saver.list({"configurable": {"thread_id": thread_id, **space}}))

    def put(self, thread_id: str, number: int, ns: str = "", values: dict[str, Any] | None = None) -> CheckpointKey:
        """Save a checkpoint through the saver, without a graph."""
        key = CheckpointKey(thread_id, ns, identifier(number))
        versions = dict.fromkeys(values or {}, f"{number:032}.0")
        checkpoint = empty_checkpoint() | {
            "id": key.checkpoint_id,
            "channel_values": values or {},
            "channel_versions": versions,
        }
        parent = {"checkpoint_id": identifier(number - 1)} if number else {}
        config: Any = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ns, **parent}}
        self.saver.put(config, checkpoint, {"source": "loop", "step": number, "parents": {}}, versions)  # type: ignore[arg-type]
        return key

    def put_write(self, key: CheckpointKey, channel: str = "__error__", value: Any = "Boom()", task: str = "t") -> None:
        """Save a write row through the saver."""
        self.saver.put_writes(config_of(key), [(channel, value)], task, "~__pregel_pull, node")


def config_of(key: CheckpointKey) -> Any:
    """What names a checkpoint to LangGraph."""
    return {"configurable": {"thread_id": key.thread_id, "checkpoint_ns": key.ns, "checkpoint_id": key.checkpoint_id}}


def key_of(found: CheckpointTuple) -> CheckpointKey:
    """The key of what the saver found."""
    settings = found.config["configurable"]
    return CheckpointKey(settings["thread_id"], settings["checkpoint_ns"], settings["checkpoint_id"])


@contextmanager
def sqlite_place(path: Path, journal: str) -> Iterator[Place]:
    """A file that an application has open."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        saver.setup()
        connection.execute(f"pragma journal_mode = {journal}")
        connection.execute("pragma synchronous = off")
        saver.is_setup = True

        def fingerprint() -> object:
            names = sorted(name for name in os.listdir(path.parent) if not name.endswith("-shm"))
            return [(name, hashlib.sha256((path.parent / name).read_bytes()).hexdigest()) for name in names]

        yield Place("sqlite" if journal == "wal" else "sqlite-journal", str(path), saver, fingerprint)


@contextmanager
def postgres_place(url: str) -> Iterator[Place]:
    """A database that an application is connected to."""
    with ExitStack() as stack:
        saver = stack.enter_context(PostgresSaver.from_conn_string(url))
        watcher = stack.enter_context(psycopg.connect(url, autocommit=True))

        def fingerprint() -> object:
            tables = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_migrations")
            rows = [
                watcher.execute(
                    f"select count(*), md5(string_agg(t::text || t.xmin || t.ctid || t.xmax, ',' order by t.ctid))"
                    f" from {table} t".encode()
                ).fetchone()
                for table in tables
            ]
            return rows, watcher.execute("select count(*), sum(relfilenode::bigint) from pg_class").fetchone()

        yield Place("postgres", url, saver, fingerprint)
