"""What deleting would take away, worked out before anything is deleted, and done in short transactions afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ..address import mask_dsn
from ..control import journal
from ..control.gate import Gate
from ..control.journal import Entry
from ..control.scene import name_of
from ..locks.holder import this_user
from ..locks.key import store_key
from ..locks.take import take
from ..model import CheckpointKey
from .size import Extent, Sizes

_ROWS_AT_ONCE = 200
_BYTES_AT_ONCE = 4_000_000
"""What one transaction deletes at most: some ten milliseconds in which no other writer of an SQLite file gets in."""

_PAUSE = 0.02
"""Least seconds between two transactions; those who wait for an SQLite file look again after 1 to 100 ms.

Where a transaction takes longer, on a slow disk, the pause is as long as it was: half of all looks find the file free.
"""

Extents = Mapping[CheckpointKey, tuple[Extent, Extent]]
"""Bytes of each checkpoint of a thread, and of its write rows."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is to go, or has gone.

    Attributes:
        thread_id: The thread; untrusted.
        keys: What goes, newest first, so that whatever is left when it stops half-way can still be read: nothing
            needs what is younger than itself.
        checkpoints: Their number.
        writes: Write rows that go with them.
        blobs: PostgreSQL: channel values that nothing names afterwards.
        bytes: Of all these, as stored.
        kept: Checkpoints that stay.
    """

    thread_id: str
    keys: tuple[CheckpointKey, ...] = ()
    checkpoints: int = 0
    writes: int = 0
    blobs: int = 0
    bytes: int = 0
    kept: int = 0

    def __bool__(self) -> bool:
        return bool(self.keys)


def weigh(thread_id: str, keys: Iterable[CheckpointKey], extents: Extents, sizes: Sizes) -> Deletion:
    """Measure what is to go.

    Args:
        thread_id: The thread.
        keys: What goes; also checkpoints of which only write rows are there.
        extents: What the thread consists of.
        sizes: The open store.
    """
    going = tuple(sorted(keys, key=lambda key: (key.checkpoint_id, len(key.ns), key.ns), reverse=True))
    checkpoints = writes = Extent()
    for key in going:
        one, other = extents.get(key, (Extent(), Extent()))
        checkpoints, writes = checkpoints.plus(one), writes.plus(other)
    blobs = sizes.freed_blobs(going)
    kept = sum(one.rows for one, _ in extents.values()) - checkpoints.rows
    total = checkpoints.bytes + writes.bytes + blobs.bytes
    return Deletion(thread_id, going, checkpoints.rows, writes.rows, blobs.rows, total, kept)


def delete(gate: Gate, deletion: Deletion, extents: Extents) -> None:
    """Delete it in short transactions, with time for other writers between them; the caller holds the lock.

    Raises:
        Refused: Nothing may be written here.
        StoreError: The store failed; what the transactions before did stays done, and the thread is sound.
    """
    taken = 0.0
    for number, batch in enumerate(_batches(deletion.keys, extents)):
        if number:
            time.sleep(max(_PAUSE, taken))
        begun = time.monotonic()
        with gate.writing() as rows:
            rows.remove_checkpoints(batch)
        taken = time.monotonic() - begun
    if taken > _PAUSE:
        time.sleep(taken)  # the next thread may be deleted at once


def _batches(keys: Sequence[CheckpointKey], extents: Extents) -> Iterator[list[CheckpointKey]]:
    batch: list[CheckpointKey] = []
    rows = weight = 0
    for key in keys:
        one, other = extents.get(key, (Extent(), Extent()))
        if batch and (
            rows + one.rows + other.rows > _ROWS_AT_ONCE or weight + one.bytes + other.bytes > _BYTES_AT_ONCE
        ):
            yield batch
            batch, rows, weight = [], 0, 0
        batch.append(key)
        rows, weight = rows + one.rows + other.rows, weight + one.bytes + other.bytes
    if batch:
        yield batch


@contextmanager
def logged(gate: Gate, verb: str, thread_id: str, command: str, operator: str | None) -> Iterator[Note]:
    """Hold a thread's lock, and write into the action log what is done to it meanwhile.

    Args:
        gate: The store.
        verb: ``journal.REMOVE`` or ``journal.PRUNE``.
        thread_id: The thread.
        command: The same as an ``lgtop`` command.
        operator: Who asks; ``None`` is the user of this process.

    Yields:
        Where to say what is to go, before it goes, and what has gone.

    Raises:
        AlreadyRunning: Someone holds the thread.
        Refused: Nothing may be written here, or the action log cannot be written.
        StoreError: The lock cannot be taken.
    """
    gate.check()
    begun = entry(gate, verb, thread_id, command, operator)
    with take(gate.target, thread_id, who=begun.operator):
        note = Note(begun)
        try:
            yield note
        except BaseException as error:
            note.failed(error)
            raise


class Note:
    """An entry of the action log that is written only where something is done.

    Args:
        entry: Without what is to go.
    """

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._written = False

    def intend(self, deletion: Deletion, head: str | None) -> None:
        """Write down what is to go.

        Raises:
            Refused: The log cannot be written: nothing may be deleted then.
        """
        told = f"delete {deletion.checkpoints} checkpoints of {name_of(deletion.thread_id)}"
        if deletion.kept:
            told = f"{told}, keep {deletion.kept}"
        self._entry = replace(self._entry, summary=told, head_before=head)
        journal.append(self._entry)
        self._written = True

    def gone(self, deletion: Deletion) -> None:
        """Write down that it has gone."""
        known = {"outcome": "done", "reason": f"{deletion.bytes} bytes freed"}
        journal.conclude(self._entry.action_id, **known, checkpoints=deletion.checkpoints, writes=deletion.writes)

    def failed(self, error: BaseException) -> None:
        """Write down that it came to nothing, or to a part of it."""
        if self._written:
            reason = str(error) or type(error).__name__
            journal.conclude(self._entry.action_id, outcome="failed", reason=reason)


def entry(gate: Gate, verb: str, thread_id: str, command: str, operator: str | None) -> Entry:
    """An entry of the action log for something that is about to be done."""
    return Entry(
        action_id=journal.new_id(),
        when=round(time.time(), 3),
        operator=operator or this_user(),
        store=mask_dsn(gate.address.raw),
        store_key=store_key(gate.target),
        verb=verb,
        thread_id=thread_id,
        command=command,
    )
