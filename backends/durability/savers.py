"""Where LangGraph's savers come from: one connection to a file, or a pool of connections to a server."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..address import parse_address
from ..errors import StoreBusy
from ..sqlite_open import explain
from .tables import alone, make_postgres_tables

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.checkpoint.serde.base import SerializerProtocol

_BUSY_SECONDS = 30.0
"""How long a commit waits for another writer of the file; Python's default is 5."""

_GRACE = 1.0
"""How long closing waits for what is being read or written."""


class Settings(NamedTuple):
    """How a store is connected to.

    Attributes:
        min_conn: Connections that are kept open to a server.
        max_conn: Connections to a server at most.
        connection_timeout: Seconds to wait for a free one.
        serde: How values are written; ``None`` is LangGraph's default.
    """

    min_conn: int
    max_conn: int
    connection_timeout: float
    serde: SerializerProtocol | None


class Source(Protocol):
    """Gives savers until it is closed; may be shared between threads."""

    def saver(self) -> BaseCheckpointSaver[Any]:
        """A saver that is ready to use."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


def open_source(connection_string: str, settings: Settings) -> Source:
    """Connect to a store, and make its tables where they are missing or older than the installed saver.

    Raises:
        StoreError: It cannot be reached, or something else stands in its place.
        Refused: It cannot be written to.
    """
    address = parse_address(connection_string, os.environ)
    if address.path is not None:
        return SqliteSource(address.path, settings)
    return PostgresSource(address.target, settings)


class SqliteSource:
    """One connection for all threads: a file has one writer at a time, and LangGraph's saver lines them up itself."""

    def __init__(self, path: str, settings: Settings) -> None:
        from langgraph.checkpoint.sqlite import SqliteSaver

        with alone(path), ExitStack() as opened:
            try:
                connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
                opened.callback(connection.close)
                self._saver = SqliteSaver(connection, serde=settings.serde)
                self._saver.setup()
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                    reason = f"{os.path.basename(path)} is locked by a writer for more than {_BUSY_SECONDS:g} s."
                    raise StoreBusy(reason, "Try again when it has committed.") from error
                raise explain(error, path) from error
            opened.pop_all()

    def saver(self) -> BaseCheckpointSaver[Any]:
        """See ``Source.saver``; the same one each time."""
        return self._saver

    def close(self) -> None:
        """See ``Source.close``."""
        idle = self._saver.lock.acquire(timeout=_GRACE)  # whoever iterates over ``list`` has it until the last item
        self._saver.conn.close()
        if idle:
            self._saver.lock.release()


class PostgresSource:
    """A pool of connections, each looked at before it is used: the server may have been restarted.

    Nothing is prepared: behind a transaction pooler the next statement may meet another server process.
    """

    def __init__(self, dsn: str, settings: Settings) -> None:
        from psycopg import Connection
        from psycopg.rows import DictRow, dict_row
        from psycopg_pool import ConnectionPool

        make_postgres_tables(dsn)
        self._serde = settings.serde
        self._pool: ConnectionPool[Connection[DictRow]] = ConnectionPool(
            dsn,
            kwargs={"autocommit": True, "prepare_threshold": None, "row_factory": dict_row},
            min_size=settings.min_conn,
            max_size=settings.max_conn,
            timeout=settings.connection_timeout,
            check=ConnectionPool.check_connection,
            open=True,
        )

    def saver(self) -> BaseCheckpointSaver[Any]:
        """See ``Source.saver``. A new one each time, since each holds a lock while it talks to the server.

        ``checkpoint/postgres/__init__.py:485``: the pool alone would not let two graphs go on at once.
        """
        from langgraph.checkpoint.postgres import PostgresSaver

        return PostgresSaver(self._pool, serde=self._serde)

    def close(self) -> None:
        """See ``Source.close``."""
        self._pool.close()
