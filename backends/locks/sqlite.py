"""One writer per thread of an SQLite store: a locked byte in the store's sidecar file."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ..errors import AlreadyRunning
from . import notes
from .holder import Holder
from .key import thread_byte
from .lock import Lock
from .process import this_process
from .records import lock, locked, unlock
from .sidecar import current, not_lockable, opened_to_lock, sidecar_of
from .sqlite_board import holder_of

_PATIENCE = 0.5
"""Seconds to wait for who was quicker to note who it is, a few microseconds as a rule."""


class SqliteLock(Lock):
    """A locked byte of a sidecar file."""

    __slots__ = ("_byte", "_note", "_path", "_pid")

    def __init__(self, path: str, holder: Holder, note: str) -> None:
        super().__init__(holder.thread_id)
        self._path = path
        self._byte = thread_byte(holder.thread_id)
        self._note = note
        self._pid = os.getpid()

    def held(self) -> bool:
        """See ``Lock.held``. A lock that was dropped, and that nobody had meanwhile, is taken back.

        Any part of the process that opens and closes the sidecar file drops it: copying its directory is enough.
        """
        process, byte = this_process(), self._byte
        with process.mutex:
            descriptor = current(self._path)
            if descriptor is None or process.held.get((self._path, byte)) is not self._note:
                return False
            with suppress(OSError):  # a file system that does not answer any more keeps nobody out
                if any(record.pid == self._pid for record in locked(descriptor, byte, byte + 1)):
                    return True
                if lock(descriptor, byte) and notes.latest(descriptor, {byte}).get(byte) == notes.read(self._note):
                    return True
                self.release()
            return False

    def release(self) -> None:
        """See ``Lock.release``."""
        process = this_process()
        place = (self._path, self._byte)
        with process.mutex:
            if process.held.get(place) is self._note:
                del process.held[place]
                if (descriptor := current(self._path)) is not None:
                    unlock(descriptor, place[1])


def take_sqlite(store: str, holder: Holder) -> Lock:
    """Lock a thread.

    Args:
        store: The database file; need not exist.
        holder: Who we are.

    Raises:
        AlreadyRunning: Someone else holds it, or this process does.
        Refused: The sidecar file cannot be made, written or locked.
        StoreUnreachable: There is no such directory.
    """
    path, note = sidecar_of(store), notes.written(holder)
    deadline = time.monotonic() + _PATIENCE
    while (other := _attempt(path, store, holder, note)) is not None:
        if other.since is not None or time.monotonic() > deadline:
            raise AlreadyRunning(holder.thread_id, str(other))
        time.sleep(0.001)
    return SqliteLock(path, holder, note)


def _attempt(path: str, store: str, holder: Holder, note: str) -> Holder | None:
    """Try to lock a thread once.

    Returns:
        ``None`` when it is ours now. Otherwise who has it; without ``since`` where that may be told soon, or may have
        changed already: it has not been noted yet, or is free again, or the file was replaced.
    """
    process, byte = this_process(), thread_byte(holder.thread_id)
    with process.mutex:
        descriptor = opened_to_lock(path, store)
        own = process.held.get((path, byte))
        if own is not None:
            return notes.read(own) or Holder(holder.thread_id)
        try:
            if not lock(descriptor, byte):
                for record in locked(descriptor, byte, byte + 1):
                    return holder_of(record, notes.latest(descriptor, {byte}).get(byte), holder.thread_id)
                return Holder(holder.thread_id)
        except OSError as error:
            raise not_lockable(path, error) from error
        if current(path) != descriptor:  # it was deleted or replaced after we had opened it
            return Holder(holder.thread_id)
        process.held[path, byte] = note
        with suppress(OSError):  # a full disk: others still see that the thread is held, and by which process
            notes.append(descriptor, note)
    return None
