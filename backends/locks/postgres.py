"""One writer per thread of a PostgreSQL store: an advisory lock of a session of its own.

The server frees it as soon as the session's process is gone. Nothing is written, and no table is touched: any role that
may connect can take it.

A pooler such as pgbouncer hands a session out for one transaction at a time, so behind one the lock is held by a
transaction that stays open (``pg_try_advisory_xact_lock``). It takes no snapshot that would hold VACUUM back, since it
does nothing (READ COMMITTED, no transaction id).
"""

from __future__ import annotations

import os
import select
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import AlreadyRunning, StoreError
from ..postgres_errors import not_answered
from ..postgres_open import Row, Session, Statement
from .holder import Holder, this_host
from .key import thread_number
from .lock import Lock
from .postgres_board import SCHEMA, Holding, holder_of, holding
from .postgres_label import application_name, comment
from .process import this_process

if TYPE_CHECKING:
    import psycopg

_PATIENCE = 1.0
"""Seconds to wait for the server to notice that a holder on this host is dead; it takes milliseconds, as a rule."""

_SETTINGS = (
    ("idle_session_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("transaction_timeout", "0"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
)
"""The session does nothing for as long as a run takes; but when its host is gone, the server is to notice."""

_WANTED = ", ".join(["(%s, %s)"] * len(_SETTINGS))
_PREPARE = f"""
    SELECT {SCHEMA}, set_config('application_name', %s, %s), ARRAY(
        SELECT set_config(s.name, w.value, %s) FROM pg_settings s JOIN (VALUES {_WANTED}) AS w(name, value) USING (name)
    )
"""
"""Settings that this server does not know are left out: which it knows depends on its version."""


class PostgresLock(Lock):
    """An advisory lock and the connection that holds it."""

    __slots__ = ("_connection", "_mutex", "_pid", "_undo")

    def __init__(self, thread_id: str, connection: psycopg.Connection[Row], undo: str) -> None:
        super().__init__(thread_id)
        self._connection = connection
        self._undo = undo
        self._mutex = threading.Lock()
        self._pid = os.getpid()
        socket = connection.fileno()
        this_process().sockets[socket] = os.fstat(socket).st_ino

    def held(self) -> bool:
        """See ``Lock.held``. A session that was ended, or whose network is gone, is noticed by what its socket says.

        A network that just goes silent is noticed by keepalives, within about a minute.
        """
        import psycopg

        if self._pid != os.getpid():
            return False
        with self._mutex:
            connection = self._connection
            try:
                while not connection.closed and _readable(connection.fileno()):
                    connection.pgconn.consume_input()
            except psycopg.Error:
                connection.close()
            return not connection.closed

    def release(self) -> None:
        """See ``Lock.release``."""
        import psycopg

        if not self.held():
            return
        with self._mutex:
            this_process().sockets.pop(self._connection.fileno(), None)
            with suppress(psycopg.Error):  # a session that is gone holds nothing
                self._connection.execute(self._undo.encode())
            self._connection.close()


def take_postgres(dsn: str, holder: Holder) -> Lock:
    """Lock a thread.

    Args:
        dsn: As for ``Session``.
        holder: Who we are.

    Raises:
        AlreadyRunning: Someone else holds it, or this process does.
        StoreError: No connection, or the server could not answer.
    """
    import psycopg

    session = Session(dsn)
    connection, settings = session.own_connection()
    lock: Lock | None = None
    failure: StoreError | None = None  # raised outside of the handler: psycopg's error may quote the password
    try:
        lock = _taken(connection, settings, holder)
        return lock
    except psycopg.Error as error:
        failure = not_answered(error, session.place, lost=connection.closed)
    finally:
        if lock is None:
            with suppress(psycopg.Error):
                connection.rollback()  # a pooler wants its session back as it was
            connection.close()
    raise failure


def _taken(connection: psycopg.Connection[Row], settings: Statement | None, holder: Holder) -> Lock:
    pooled = settings is not None or _pooled(connection)
    kind, undo = ("xact_lock", "ROLLBACK") if pooled else ("lock", "SELECT pg_advisory_unlock_all()")
    if pooled:
        _rows(connection, Statement("BEGIN ISOLATION LEVEL READ COMMITTED"))
    if settings is not None:
        _rows(connection, settings)
    given = [text for pair in _SETTINGS for text in pair]
    ((schema, *_),) = _rows(connection, Statement(_PREPARE, (application_name(holder), pooled, pooled, *given)))
    number = thread_number(schema, holder.thread_id)
    told = comment(holder).replace("%", "%%")
    attempt = Statement(f"SELECT pg_try_advisory_{kind}(%s) {told}", (number,))
    deadline = time.monotonic() + _PATIENCE
    while not _rows(connection, attempt)[0][0]:
        sessions = [Holding.of(row) for row in _rows(connection, holding(number))]
        other = holder_of(sessions[0], holder.thread_id) if sessions else Holder(holder.thread_id)
        if (sessions and not _dead(other)) or time.monotonic() > deadline:
            raise AlreadyRunning(holder.thread_id, str(other))
        time.sleep(0.02)
    return PostgresLock(holder.thread_id, connection, undo)


def _pooled(connection: psycopg.Connection[Row]) -> bool:
    """Whether something stands before the server that made up the process id that it told us while connecting."""
    ((pid,),) = _rows(connection, Statement("SELECT pg_backend_pid()"))
    return bool(pid != connection.info.backend_pid)


def _dead(holder: Holder) -> bool:
    """Whether the process of a holder is gone already; one on another host is taken for alive."""
    if holder.host != this_host() or holder.pid is None:
        return False
    try:
        os.kill(holder.pid, 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False


def _rows(connection: psycopg.Connection[Row], statement: Statement) -> list[Row]:
    cursor = connection.execute(statement.sql.encode(), statement.parameters)
    return cursor.fetchall() if cursor.description is not None else []


def _readable(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
