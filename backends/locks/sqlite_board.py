"""Who holds which thread of an SQLite store: the locked bytes of its sidecar file, and the notes in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from .holder import Holder, this_host
from .key import THREADS_END, thread_byte
from .process import this_process
from .records import Record, locked
from .sidecar import no_locks_told, opened_to_look, sidecar_of


class SqliteBoard:
    """Looks at the locks of one store.

    Args:
        store: The database file; it need not exist, and is not touched.
    """

    def __init__(self, store: str) -> None:
        self._path = sidecar_of(store)

    def holders(self, threads: Callable[[], Iterable[str]]) -> dict[str, Holder]:
        """See ``LockBoard.holders``; a few system calls when nobody holds anything."""
        with this_process().mutex:
            descriptor = opened_to_look(self._path)
            if descriptor is None:
                return {}
            records = _records(descriptor, self._path)
            if not records:
                return {}
            from .notes import latest  # nobody holds anything, as a rule

            noted = latest(descriptor, records.keys())
        names = {byte: holder.thread_id for byte, holder in noted.items()}
        if unnamed := records.keys() - names.keys():
            names |= {byte: thread for thread in threads() if (byte := thread_byte(thread)) in unnamed}
        return {thread: holder_of(records[byte], noted.get(byte), thread) for byte, thread in names.items()}

    def close(self) -> None:
        """Nothing: the process keeps the sidecar file open (see ``Process.files``)."""


def holder_of(record: Record, noted: Holder | None, thread_id: str) -> Holder:
    """Who holds a byte.

    Args:
        record: What the kernel says.
        noted: The last note for it. That of a process that is gone does not count; a holder in a container noted the
            process id that it has there; and where the kernel tells none, the note must do.
        thread_id: The thread that the byte stands for.
    """
    if noted is not None and (record.pid in (None, noted.pid) or noted.host != this_host()):
        return noted
    return Holder(thread_id, record.pid, host=this_host() if record.pid else "")


def _records(descriptor: int, path: str) -> dict[int, Record]:
    """What is locked, by us too: kernels that know only ``F_GETLK`` do not tell that."""
    own = {byte: Record(byte, os.getpid()) for place, byte in this_process().held if place == path}
    try:
        return own | {record.byte: record for record in locked(descriptor, 0, THREADS_END)}
    except OSError as error:
        raise no_locks_told(path, error) from error
