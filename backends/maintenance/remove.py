"""Deleting a thread: all its checkpoints, writes and values."""

from __future__ import annotations

from ..control import journal
from ..control.gate import Gate
from ..errors import NotFound, Refused
from ..reader import Reader
from .deletion import Deletion, Extents, delete, logged, weigh
from .size import Sizes

_AT_ONCE = 16_000_000
"""Bytes of a thread that is deleted in one transaction."""


class GoneOn(Refused):
    """A thread is not as it was when it was chosen."""


def plan_removal(reader: Reader, sizes: Sizes, thread_id: str) -> Deletion:
    """Work out what would go; nothing is written.

    Raises:
        NotFound: There is no such thread.
        StoreError: The store cannot be read.
    """
    return _planned(reader, sizes, thread_id)[0]


def remove_thread(
    gate: Gate,
    reader: Reader,
    sizes: Sizes,
    thread_id: str,
    *,
    expected: str = "",
    command: str = "",
    operator: str | None = None,
) -> Deletion:
    """Delete a thread under its lock.

    One transaction for an ordinary thread. A large one would keep other writers waiting too long: it goes in several,
    newest checkpoint first, so that where it stops half-way it is the thread as it was at some time before.

    Args:
        gate: The store.
        reader: The same, open.
        sizes: The same, open.
        thread_id: The thread.
        expected: Its newest checkpoint id when it was chosen, where that was for what it was; empty takes any.
        command: The ``lgtop`` command, for the action log.
        operator: Who asks; ``None`` is the user of this process.

    Returns:
        What has gone.

    Raises:
        AlreadyRunning: Someone holds the thread.
        NotFound: There is no such thread.
        GoneOn: Its newest checkpoint is another one.
        Refused: Nothing may be written here.
        StoreError: The store failed.
    """
    with logged(gate, journal.REMOVE, thread_id, command, operator) as note:
        deletion, extents = _planned(reader, sizes, thread_id)
        if expected not in ("", max((key.checkpoint_id for key in deletion.keys), default="")):
            raise GoneOn("It has gone on since it was chosen.")
        note.intend(deletion, max((key.checkpoint_id for key in deletion.keys if not key.ns), default=None))
        if deletion.bytes > _AT_ONCE:
            delete(gate, deletion, extents)
        with gate.writing() as rows:
            rows.remove_thread(thread_id)
        note.gone(deletion)
        return deletion


def _planned(reader: Reader, sizes: Sizes, thread_id: str) -> tuple[Deletion, Extents]:
    extents = sizes.checkpoints(thread_id)
    if not extents:
        raise NotFound(f"No thread {thread_id!r} in {reader.store.info.name}.")
    return weigh(thread_id, extents, extents, sizes), extents
