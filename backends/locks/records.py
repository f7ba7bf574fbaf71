"""POSIX record locks on single bytes of a file (``fcntl``, ``F_SETLK``): free as soon as their process is gone.

They are not inherited by forked children, as ``flock`` and open file description locks are: a child that a graph left
behind would hold the thread for ever. And the kernel tells who holds them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

_MAC = sys.platform == "darwin"
_LAYOUT = struct.Struct("@qqihh" if _MAC else "@hhqqi4x")
"""``struct flock``: start, length, pid, type, whence on macOS; type, whence, start, length, pid on Linux."""

_QUESTIONS = tuple(getattr(fcntl, name) for name in ("F_OFD_GETLK", "F_GETLK") if hasattr(fcntl, name))
"""The first asks on behalf of the descriptor, so that locks of this very process are reported too (Linux 3.15)."""


class Record(NamedTuple):
    """A byte that is locked.

    Attributes:
        byte: Its offset.
        pid: The process; ``None`` where it is in another container, or on another host of a network file system.
    """

    byte: int
    pid: int | None


def lock(descriptor: int, byte: int) -> bool:
    """Lock a byte without waiting; false when another process holds it.

    Raises:
        OSError: The file system has no locks, or the descriptor is not open for writing.
    """
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte, os.SEEK_SET)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def unlock(descriptor: int, byte: int) -> None:
    """Unlock a byte."""
    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, byte, os.SEEK_SET)


def locked(descriptor: int, start: int, end: int) -> Iterator[Record]:
    """Find the locked bytes from ``start`` to before ``end`` without locking any; one call where there is none.

    The kernel names any lock of a range, not the first one, so both sides of it are asked for again.

    Raises:
        OSError: The file system has no locks.
    """
    ranges = [(start, end)]
    while ranges:
        low, high = ranges.pop()
        found = _ask(descriptor, low, high - low)
        if found is None:
            continue
        byte, length, pid = found
        yield Record(max(byte, low), pid if pid > 0 else None)
        if low < byte:
            ranges.append((low, byte))
        if length and byte + length < high:
            ranges.append((byte + length, high))


def _ask(descriptor: int, start: int, length: int) -> tuple[int, int, int] | None:
    """Start, length (0: without end) and process of some lock in a range."""
    for question in _QUESTIONS:
        try:
            answer = fcntl.fcntl(descriptor, question, _packed(start, length))
        except OSError as error:
            if error.errno == errno.EINVAL and question != _QUESTIONS[-1]:
                continue  # a kernel that knows only the older question
            raise
        kind, *found = _unpacked(answer)
        return None if kind == fcntl.F_UNLCK else (found[0], found[1], found[2])
    raise AssertionError("F_GETLK is everywhere")


def _packed(start: int, length: int) -> bytes:
    fields = (fcntl.F_WRLCK, os.SEEK_SET)
    return _LAYOUT.pack(start, length, 0, *fields) if _MAC else _LAYOUT.pack(*fields, start, length, 0)


def _unpacked(answer: bytes) -> tuple[int, int, int, int]:
    """Type, start, length, pid."""
    fields = _LAYOUT.unpack(answer)
    return (fields[3], *fields[:3]) if _MAC else (fields[0], *fields[2:])
