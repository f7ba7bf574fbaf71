"""Take a thread: the right to run or change it, or the name of who has that right."""

from __future__ import annotations

import os
import time

from ..address import parse_address
from .holder import Holder, this_host, this_user
from .lock import Lock

__all__ = ["Lock", "take"]


def take(address: str, thread_id: str, *, who: str = "", run_id: str | None = None) -> Lock:
    """Lock a thread for this process, without waiting. Nothing in the store is read or written.

    The lock is free again when it is released and when the process ends, however it ends. Its holder is shown to others
    by ``LockBoard``.

    Args:
        address: The store, as for ``parse_address``; it need not exist yet.
        thread_id: The thread; it need not exist yet.
        who: What others are told about the holder; ``user@host`` where empty.
        run_id: The run that it is for, if it is one of ours.

    Raises:
        AlreadyRunning: Someone else has it, or another part of this process.
        Refused: It cannot be locked here: no permission, a read-only file system, a file system without locks.
        StoreUnreachable: No such directory, or no connection.
        NotAStore: The address is of a kind that cannot be a checkpoint store.
    """
    store = parse_address(address, os.environ)
    holder = Holder(thread_id, os.getpid(), who or this_user(), this_host(), run_id, round(time.time(), 6))
    if store.path is not None:
        from .sqlite import take_sqlite

        return take_sqlite(store.path, holder)
    from .postgres import take_postgres

    return take_postgres(store.dsn or "", holder)
