"""Deleting the history of a thread that nothing needs any more."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..control import journal
from ..control.gate import Gate
from ..errors import NotFound
from ..model import CheckpointKey, CheckpointRow, StatusName
from ..reader import Reader
from .deletion import Deletion, Extents, delete, logged, weigh
from .leaning import Leaning
from .needed import needed
from .policy import Policy
from .size import Sizes


def plan_prune(reader: Reader, sizes: Sizes, thread_id: str, policy: Policy) -> Deletion:
    """Work out what would go; nothing is written.

    Args:
        reader: The open store.
        sizes: The same.
        thread_id: The thread.
        policy: What is to stay.

    Raises:
        NotFound: There is no such thread.
        StoreError: The store cannot be read.
    """
    return _planned(reader, sizes, thread_id, policy)[0]


def prune_thread(
    gate: Gate,
    reader: Reader,
    sizes: Sizes,
    thread_id: str,
    policy: Policy,
    *,
    command: str = "",
    operator: str | None = None,
) -> Deletion:
    """Delete what nothing needs, under the thread's lock.

    Everything is worked out anew once the lock is held. Where it stops half-way, by an error or by a signal, every
    checkpoint that is left still means what it did.

    Args:
        gate: The store.
        reader: The same, open.
        sizes: The same, open.
        thread_id: The thread.
        policy: What is to stay.
        command: The ``lgtop`` command, for the action log.
        operator: Who asks; ``None`` is the user of this process.

    Returns:
        What has gone; nothing where there was nothing to delete.

    Raises:
        AlreadyRunning: Someone holds the thread.
        NotFound: There is no such thread.
        Refused: Nothing may be written here.
        StoreError: The store failed.
    """
    with logged(gate, journal.PRUNE, thread_id, command, operator) as note:
        deletion, extents = _planned(reader, sizes, thread_id, policy)
        if deletion:
            note.intend(deletion, reader.head(thread_id).checkpoint_id)
            delete(gate, deletion, extents)
            note.gone(deletion)
        return deletion


def _planned(reader: Reader, sizes: Sizes, thread_id: str, policy: Policy) -> tuple[Deletion, Extents]:
    rows = reader.store.history(thread_id)
    if not rows:
        raise NotFound(f"No thread {thread_id!r} in {reader.store.info.name}.")
    if policy.finished and not _is_finished(reader, thread_id):
        return Deletion(thread_id, kept=len(rows)), {}
    extents = sizes.checkpoints(thread_id)
    kept = needed(rows, policy, time.time(), Leaning(reader.store, reader.decoder, rows))
    going = {row.key for row in rows} - kept | _lost_writes(extents, rows)
    return weigh(thread_id, going, extents, sizes), extents


def _is_finished(reader: Reader, thread_id: str) -> bool:
    """By its rows: whoever holds the thread now is the one who prunes it."""
    found = Reader(reader.store, reader.decoder).analyse_heads([reader.head(thread_id)]).get(thread_id)
    return found is not None and found.status is StatusName.DONE


def _lost_writes(extents: Extents, rows: Sequence[CheckpointRow]) -> set[CheckpointKey]:
    """Write rows whose checkpoint was never saved, and never will be: later ones of the namespace are there.

    With durability ``async`` a node's rows can be committed before the checkpoint that its step starts from.
    """
    newest: dict[str, str] = {}
    for row in rows:
        newest[row.key.ns] = max(newest.get(row.key.ns, ""), row.key.checkpoint_id)
    return {
        key
        for key, (checkpoint, _) in extents.items()
        if not checkpoint.rows and key.checkpoint_id < newest.get(key.ns, "")
    }
