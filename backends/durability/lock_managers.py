"""The locks of a store's threads as an object that an application keeps."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from ..address import parse_address
from ..errors import NotAStore, StoreBusy
from ..locks.board import LockBoard
from ..locks.public import ThreadLock, thread_lock


class LockManager:
    """Holds threads of one store for this process, and tells which are held by anyone.

    The locks are those that lgtop itself takes: a workflow that runs under one shows as running, and neither a command
    nor another process drives it meanwhile. A lock is free again when it is released and when its process ends, however
    it ends: there are no stale ones.

    May be shared between threads. Made by ``PostgresLockManager`` and ``SqliteLockManager``.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._held: set[ExitStack] = set()
        self._mutex = threading.Lock()

    @contextmanager
    def lock(self, key: str, blocking: bool = False, timeout_seconds: float | None = None) -> Iterator[ThreadLock]:
        """Hold a thread while a block runs.

        Args:
            key: The thread's id.
            blocking: Whether to wait for whoever holds it.
            timeout_seconds: How long to wait, where ``blocking``; ``None`` waits for ever.

        Yields:
            The lock; its ``held()`` tells whether it still is ours.

        Raises:
            AlreadyRunning: Someone else holds it, or another part of this process; the message says who.
            Refused: It cannot be locked here, e.g. for lack of permission.
            StoreError: The address leads nowhere.
        """
        patience = (math.inf if timeout_seconds is None else timeout_seconds) if blocking else 0.0
        with ExitStack() as holding:
            self._make_room(holding)
            lock = holding.enter_context(thread_lock(self._target, key, timeout=patience))
            with self._mutex:
                self._held.add(holding)
            try:
                yield lock
            finally:
                with self._mutex:
                    self._held.discard(holding)

    def is_locked(self, key: str) -> bool:
        """Whether anyone holds a thread now, this process included.

        Args:
            key: The thread's id.

        Raises:
            StoreError: It cannot be told.
        """
        with closing(LockBoard(self._target)) as board:
            return key in board.holders(lambda: (key,))

    def cleanup_all_locks(self) -> int:
        """Release every lock that was taken through this object. Use with caution: the blocks inside go on unprotected.

        Other processes keep theirs; one that hangs has to be ended, which frees them.

        Returns:
            How many were released.
        """
        with self._mutex:
            held, self._held = self._held, set()
        for holding in held:
            holding.close()
        return len(held)

    def _make_room(self, holding: ExitStack) -> None:
        """Wait until one more lock may be held; there is room for any number."""


class SqliteLockManager(LockManager):
    """Locks of the threads in an SQLite file, in a file beside it: no connection, and no touch of the database.

    Args:
        connection_string: Path of the file, which need not exist yet.

    Raises:
        NotAStore: It is not the address of an SQLite file.
    """

    def __init__(self, connection_string: str) -> None:
        address = parse_address(connection_string, os.environ)
        if address.path is None:
            raise NotAStore(f"{address.label} is a PostgreSQL database.", "Use PostgresLockManager for it.")
        super().__init__(address.path)


class PostgresLockManager(LockManager):
    """Locks of the threads in a PostgreSQL database: advisory locks, each held by a connection of its own.

    A connection lives as long as its lock, so that the server frees the lock when the process is gone.

    Args:
        connection_string: The address.
        min_conn: At most ``max_conn``; nothing is kept open that holds no lock.
        max_conn: How many locks may be held at once: what this object takes of the server's connections.
        connection_timeout: Seconds that connecting may take, unless the address says otherwise; and that a further lock
            waits while ``max_conn`` are held.

    Raises:
        NotAStore: It is not the address of a PostgreSQL database.
        ValueError: The numbers make no sense.
    """

    def __init__(
        self, connection_string: str, min_conn: int = 2, max_conn: int = 10, connection_timeout: float = 30.0
    ) -> None:
        if not 0 <= min_conn <= max_conn or max_conn < 1:
            raise ValueError(f"max_conn must be 1 or more, and min_conn between 0 and that: {min_conn}, {max_conn}")
        address = parse_address(connection_string, os.environ)
        if address.dsn is None:
            raise NotAStore(f"{address.label} is an SQLite file.", "Use SqliteLockManager for it.")
        super().__init__(_patient(address.dsn, connection_timeout))
        self._timeout = connection_timeout
        self._size = max_conn
        self._room = threading.BoundedSemaphore(max_conn)

    def _make_room(self, holding: ExitStack) -> None:
        if not self._room.acquire(timeout=self._timeout):
            raise StoreBusy(
                f"{self._size} locks are held by this process, and none was released for {self._timeout:g} s.",
                "Give the lock manager a greater max_conn.",
            )
        holding.callback(self._room.release)


def lock_manager_of(connection_string: str) -> LockManager:
    """The lock manager that fits a store.

    Raises:
        StoreUnreachable: No store is named.
        NotAStore: The address is of a kind that cannot be a checkpoint store.
    """
    sqlite = parse_address(connection_string, os.environ).path is not None
    return SqliteLockManager(connection_string) if sqlite else PostgresLockManager(connection_string)


def _patient(dsn: str, seconds: float) -> str:
    """The address with a time limit for connecting; libpq takes whole seconds."""
    if "connect_timeout" in dsn:
        return dsn
    setting = f"connect_timeout={max(1, round(seconds))}"
    if "://" not in dsn:
        return f"{dsn} {setting}"
    return f"{dsn}{'&' if '?' in dsn else '?'}{setting}"
