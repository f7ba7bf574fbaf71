"""How a run's process is known to live: it holds a POSIX record lock on ``alive`` in its record.

The kernel frees the lock when the process is gone, however it went; a process id alone may belong to someone else by
then. Looking never takes the lock, not even for a moment.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys
from pathlib import Path

ALIVE = "alive"
"""Name of the locked file in a record."""

_FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi0q"
"""``struct flock``: start, len, pid, type, whence on macOS (``sys/fcntl.h``); type, whence, start, len, pid on 64-bit
Linux (``asm-generic/fcntl.h``)."""


def hold(folder: str | Path) -> int:
    """Take the lock for the rest of this process's life.

    Returns:
        The descriptor; closing any descriptor of the file would free the lock, so it stays open.

    Raises:
        OSError: The file cannot be made.
    """
    handle = os.open(Path(folder, ALIVE), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.lockf(handle, fcntl.LOCK_EX)
    return handle


def holder_pid(folder: str | Path) -> int | None:
    """Return the process id of a record's live process, ``None`` where there is none.

    A process that cannot be seen from here (another container) is ``0``.

    Raises:
        OSError: The record cannot be read.
    """
    try:
        handle = os.open(Path(folder, ALIVE), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return _locker(handle)
    finally:
        os.close(handle)


def exists(pid: int) -> bool:
    """Whether there is a process with this id; it may be another one than it was."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno != errno.ESRCH
    return True


def _locker(handle: int) -> int | None:
    """Who holds a lock that would stand in the way of an exclusive one (``F_GETLK``)."""
    if sys.platform == "darwin":
        asked = struct.pack(_FLOCK, 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
        _, _, pid, kind, _ = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    else:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else max(0, int(pid))
