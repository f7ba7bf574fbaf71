"""Copying a thread's rows: all of them, or those up to one checkpoint. No graph is needed for it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from ..errors import NotFound, Refused
from ..model import CheckpointKey
from ..store import open_store
from .branch import Extent, extent
from .gate import Gate
from .rows import Count


@dataclass(frozen=True, slots=True)
class Copied:
    """A thread that was made.

    Attributes:
        thread_id: Its id.
        checkpoints: Its checkpoints, over all namespaces.
        writes: Its write rows.
    """

    thread_id: str
    checkpoints: int
    writes: int


def copy_thread(gate: Gate, source: str, target: str, upto: CheckpointKey | None = None) -> Copied:
    """Copy a thread in one transaction; the caller holds the lock of the target.

    Args:
        gate: The store.
        source: Thread to copy from; it may be running: what is saved by now is copied.
        target: Thread to make.
        upto: The checkpoint that becomes the new thread's head (see ``branch.extent``); ``None`` copies everything,
            other branches too.

    Raises:
        Refused: There is a thread of that name, or nothing may be written.
        NotFound: There is no such thread or checkpoint.
        StoreError: The store failed; nothing was written.
    """
    gate.check()
    part = None if upto is None else _extent(gate, upto)
    with gate.writing() as rows:
        if any(rows.count(target)):
            raise Refused(f"There is a thread {target!r} already.", "Choose another id.")
        if part is None:
            made = rows.copy_thread(source, target)
        else:
            made = rows.copy_checkpoints(source, target, part.keys, part.bare)
        _require_all(made, part, source)
    return Copied(target, made.checkpoints, made.writes)


def _extent(gate: Gate, upto: CheckpointKey) -> Extent:
    with closing(open_store(gate.target)) as store:
        return extent(store.history(upto.thread_id), upto)


def _require_all(made: Count, part: Extent | None, source: str) -> None:
    """Undo everything, by raising, where the source was deleted meanwhile."""
    if not made.checkpoints:
        raise NotFound(f"No thread {source!r}.")
    if part is not None and made.checkpoints != part.count:
        raise Refused(f"Checkpoints of {source!r} were deleted meanwhile.", "Try again.")
