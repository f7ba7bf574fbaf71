"""How a run's process is known to live: it keeps a record lock on ``alive`` in its record.

The kernel frees the lock when the process is gone, however it went; a process id alone may belong to someone else by
then. Looking never takes the lock, not even for a moment.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..locks import records

ALIVE = "alive"
"""Name of the locked file in a record."""

_BYTE = 0


def hold(folder: str | Path) -> int:
    """Take the lock for the rest of this process's life.

    Returns:
        The descriptor; closing any descriptor of the file in this process would free the lock, so it stays open.

    Raises:
        OSError: The file cannot be made, or another process holds the lock.
    """
    handle = os.open(Path(folder, ALIVE), os.O_RDWR | os.O_CREAT, 0o600)
    if not records.lock(handle, _BYTE):
        os.close(handle)
        raise BlockingIOError(f"{folder} belongs to another process")
    return handle


def holder_pid(folder: str | Path) -> int | None:
    """Return the process id of a record's live process, ``None`` where there is none.

    A process that cannot be named from here (another container, another host) is ``0``. Not to be asked by that process
    itself, which would lose its lock.

    Raises:
        OSError: The record cannot be read.
    """
    try:
        handle = os.open(Path(folder, ALIVE), os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        found = next(records.locked(handle, _BYTE, _BYTE + 1), None)
    finally:
        os.close(handle)
    return None if found is None else found.pid or 0
