"""Who holds what, as each holder notes it in the sidecar file: JSON objects, one a line.

A note never says that a lock is held (the kernel does), only by whom: it is the last one written for a byte that is
locked now. Its text comes from other processes and is untrusted.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection

from .holder import Holder, moment
from .key import THREADS_END, thread_byte
from .records import lock, locked, unlock

ROOM = 64 * 1024
"""Bytes of notes above which those of released locks are thrown away."""

_PEN = THREADS_END
"""Byte that is locked by who writes a note."""


def written(holder: Holder) -> str:
    """The note of a holder, one line without its end."""
    fields = {
        "thread": holder.thread_id,
        "pid": holder.pid,
        "who": holder.who,
        "host": holder.host,
        "run": holder.run_id,
        "since": holder.since,
    }
    return json.dumps({name: value for name, value in fields.items() if value})


def read(line: str) -> Holder | None:
    """The holder that a note is about; ``None`` for what is no note."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("thread"), str):
        return None
    pid = found.get("pid")
    return Holder(
        found["thread"],
        pid if isinstance(pid, int) else None,
        str(found.get("who", "")),
        str(found.get("host", "")),
        str(found["run"]) if "run" in found else None,
        moment(found.get("since")),
    )


def append(descriptor: int, line: str) -> None:
    """Add a note to a file that is open for appending, and throw old ones away when there are too many."""
    pen = _pen_taken(descriptor)
    try:
        if pen and os.fstat(descriptor).st_size > ROOM:
            needed = latest(descriptor, {record.byte for record in locked(descriptor, 0, THREADS_END)})
            kept = map(written, needed.values())
            os.ftruncate(descriptor, 0)
            line = "\n".join((*kept, line))
        os.write(descriptor, f"\n{line}".encode())  # a note begins a line also after one that a full disk cut short
    finally:
        if pen:
            unlock(descriptor, _PEN)


def latest(descriptor: int, bytes_: Collection[int]) -> dict[int, Holder]:
    """The last note for each of the given bytes, as far as there are any."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - 4 * ROOM)
    found: dict[int, Holder] = {}
    for line in reversed(os.pread(descriptor, size - start, start).decode(errors="replace").splitlines()):
        if len(found) == len(bytes_):
            break
        holder = read(line)
        if holder is not None and (byte := thread_byte(holder.thread_id)) in bytes_:
            found.setdefault(byte, holder)
    return found


def _pen_taken(descriptor: int) -> bool:
    """Whether we may write alone; one who was stopped while writing is not waited for longer than a tenth of a second.

    A note that is written without the pen may be thrown away by who has it; the lock it tells of is held all the same.
    """
    deadline = time.monotonic() + 0.1
    while not lock(descriptor, _PEN):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True
