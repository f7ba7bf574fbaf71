"""The checkpointer of an application: on an SQLite file, or on PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any, Final

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

PLACE: Final = "LGTOP_STORE"
"""Environment variable that names the store; it may hold a password, which no command line should."""

_PATIENCE: Final = 30.0
"""Seconds that a writer waits for another one."""


@contextmanager
def open_saver(store: str) -> Iterator[BaseCheckpointSaver[Any]]:
    """Open a store whose tables are there."""
    if not is_postgres(store):
        from langgraph.checkpoint.sqlite import SqliteSaver

        with closing(sqlite3.connect(store, check_same_thread=False, timeout=_PATIENCE)) as connection:
            yield SqliteSaver(connection)
        return
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg_pool import ConnectionPool

    settings = {"autocommit": True, "prepare_threshold": 0}
    with ConnectionPool(store, min_size=1, max_size=4, kwargs=settings) as pool:
        yield PostgresSaver(pool)  # type: ignore[arg-type]  # rows are made dicts by the saver itself


@asynccontextmanager
async def open_async_saver(store: str) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """The same for an event loop."""
    if not is_postgres(store):
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        async with AsyncSqliteSaver.from_conn_string(store) as saver:
            yield saver
        return
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

    async with AsyncPostgresSaver.from_conn_string(store) as saver:
        yield saver


def make_tables(store: str) -> None:
    """Make the tables of a new store."""
    with open_saver(store) as saver:
        saver.setup()  # type: ignore[attr-defined]


def keep_secret(saver: BaseCheckpointSaver[Any]) -> None:
    """Have a saver write its values encrypted from now on, with a key that is in no file and no environment."""
    saver.serde = EncryptedSerializer.from_pycryptodome_aes(key=os.urandom(32))


def is_postgres(store: str) -> bool:
    """Whether a store is behind a server."""
    return store.startswith("postgresql://")
