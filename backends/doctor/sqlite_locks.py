"""Who has an SQLite file open, and who keeps others from writing to it, by SQLite's own locks.

The bytes are those of https://www.sqlite.org/walformat.html#wal_locks and of ``os.h`` of SQLite (``PENDING_BYTE``).
A file is closed again after the look, which drops the locks that SQLite holds on it for this process: so look before
the process opens the store.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from ..locks.records import locked

_WAL_WRITE, _WAL_READERS, _WAL_END = 120, 123, 129
_RESERVED, _SHARED_END = 0x40000001, 0x40000002 + 510

_PATIENCE = 1.0
"""Seconds that a write lock is watched: a commit takes milliseconds."""


class Users(NamedTuple):
    """Who uses a file now.

    Attributes:
        connected: Whether any other process has it open (with a WAL), or reads or writes it at this moment.
        writing: Whether somebody has kept others from writing for as long as was looked.
        writer: Process id of that one; ``None`` where the kernel does not tell.
    """

    connected: bool
    writing: bool
    writer: int | None


def users_of(path: str, wal: bool) -> Users:
    """Look at the locks of a store that this process does not have open.

    Args:
        path: The database file.
        wal: Whether it is in WAL mode, in which the locks are in ``-shm``.

    Raises:
        OSError: They cannot be told.
    """
    place = f"{os.path.realpath(path)}-shm" if wal else path
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Users(connected=False, writing=False, writer=None)
    try:
        start, end = (_WAL_READERS, _WAL_END) if wal else (_RESERVED, _SHARED_END)
        connected = any(True for _ in locked(descriptor, start, end))
        return Users(connected, *_writer(descriptor, _WAL_WRITE if wal else _RESERVED))
    finally:
        os.close(descriptor)


def _writer(descriptor: int, byte: int) -> tuple[bool, int | None]:
    """Whether one process holds a byte all the time, and which."""
    deadline, held = time.monotonic() + _PATIENCE, None
    while True:
        found = next(locked(descriptor, byte, byte + 1), None)
        if found is None or (held is not None and found.pid != held.pid):
            return False, None
        held = found
        if time.monotonic() > deadline:
            return True, held.pid
        time.sleep(0.01)
