"""Where a workflow stands: the newest checkpoint of its thread, and what the rows, the locks and the runs say of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from ..address import Address, parse_address
from ..errors import EmptyPlace, NotAStore
from ..ids import unix_time
from ..model import Analysis, CheckpointKey, StatusName, Task, TaskState, ThreadHead
from ..reader import Reader
from ..snapshot import read_snapshot
from ..store import Scope, Store, open_store
from ..witness import Witness
from .tables import are_being_made

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class CheckpointStatus:
    """The newest checkpoint of a thread, and what it means.

    Attributes:
        thread_id: The thread.
        checkpoint_id: Its newest checkpoint.
        version: Layout version of the checkpoint, 1 to 4; ``None`` where it has none.
        status: ``running``, ``waiting``, ``failed``, ``cancelled``, ``paused``, ``crashed``, ``stalled``, ``done`` or
            ``unknown``; compares equal to that text. ``stalled`` is work that is due and that nobody is known to do:
            crashed, stopped at a breakpoint, or run by a process that takes no lock.
        reason: The error, the question, who runs it: one line; untrusted text.
        next: Nodes that are still to run.
        created_at: When its first checkpoint was made; ``None`` for ids that carry no time.
        updated_at: When its newest checkpoint was made, subgraphs included.
    """

    thread_id: str
    checkpoint_id: str
    version: int | None
    status: StatusName
    reason: str
    next: tuple[str, ...]
    created_at: datetime | None
    updated_at: datetime | None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do, and nobody is at work."""
        return self.status is StatusName.DONE


def get_checkpoint_status(thread_id: str, connection_string: str) -> CheckpointStatus | None:
    """Tell where a workflow stands. Nothing is written, and no class that the store names is imported.

    Args:
        thread_id: The thread.
        connection_string: The store: path of the SQLite file, or PostgreSQL address.

    Returns:
        ``None`` where there is no such thread: it never saved a checkpoint, or was deleted.

    Raises:
        StoreError: The store cannot be read. One that was not made yet is one without threads.
    """
    with reading(connection_string, witnessed=True) as reader:
        if reader is None:
            return None
        heads = list(reader.store.heads_of([thread_id]).values())
        return next(iter(described(reader, analysed(reader, heads))), None)


def needs_resume(thread_id: str, connection_string: str) -> bool:
    """Whether a workflow was begun and is not complete: it failed, died, waits, or runs right now.

    Where this is true, starting it anew would throw away what is saved of it. ``resume_workflow`` finds out under the
    lock whether it runs.

    Args:
        thread_id: The thread.
        connection_string: The store.

    Raises:
        StoreError: The store cannot be read.
    """
    found = get_checkpoint_status(thread_id, connection_string)
    return found is not None and not found.is_complete


@contextmanager
def reading(connection_string: str, *, witnessed: bool) -> Iterator[Reader | None]:
    """Open a store read-only.

    Args:
        connection_string: The store.
        witnessed: Whether locks and the records of runs are asked too; rows alone do not tell who runs a thread.

    Yields:
        ``None`` for a place that holds nothing yet: applications ask before they have made their first saver.

    Raises:
        StoreError: It cannot be opened.
    """
    address = parse_address(connection_string, os.environ)
    store = _opened(address.target) if is_made(address) else None
    if store is None:
        yield None
    else:
        with closing(Reader(store, witness=Witness.of(address) if witnessed else None)) as reader:
            yield reader


def is_made(address: Address) -> bool:
    """Whether there may be a store; not where SQLite would make the file, in a directory that is there."""
    return address.path is None or os.path.lexists(address.path) or not os.path.isdir(os.path.dirname(address.path))


def _opened(target: str) -> Store | None:
    """Open a store; while another process makes its tables, half of them are no store, and are waited for."""
    made = False
    while True:
        try:
            return open_store(target)
        except EmptyPlace:
            return None
        except NotAStore:
            if made:
                raise
            made = not are_being_made(target)
        time.sleep(0.02)


def analysed(reader: Reader, heads: Sequence[ThreadHead]) -> list[tuple[ThreadHead, Analysis]]:
    """Heads with what they mean, in the same order; those that are gone meanwhile are left out."""
    found = reader.analyse_heads(heads)
    return [(head, found[head.thread_id]) for head in heads if head.thread_id in found]


def described(reader: Reader, found: Sequence[tuple[ThreadHead, Analysis]]) -> list[CheckpointStatus]:
    """What applications are told about analysed heads, in the same order."""
    oldest = reader.store.created_ids([head.thread_id for head, _ in found])
    versions = dict(_versions(reader, [head.key for head, _ in found]))
    return [
        CheckpointStatus(
            thread_id=head.thread_id,
            checkpoint_id=head.checkpoint_id,
            version=versions.get(head.key),
            status=analysis.status,
            reason=analysis.reason,
            next=analysis.next,
            created_at=_moment(oldest.get(head.thread_id, "")),
            updated_at=_moment(head.newest_id),
        )
        for head, analysis in found
    ]


def skipped_after(analysis: Analysis) -> Task | None:
    """A task that raised after its output was saved, as a conditional edge does that raises.

    LangGraph takes it for finished: a resume would end the workflow there, as if nothing were to follow. While another
    task of the step is unfinished, an error beside an output may as well be that of an earlier attempt.
    """
    raised = [task for task in analysis.tasks if task.kind != "call" and task.state is TaskState.FAILED]
    return next((task for task in raised if task.channels and not analysis.next), None)


def _versions(reader: Reader, keys: Sequence[CheckpointKey]) -> Iterator[tuple[CheckpointKey, int | None]]:
    """Layout versions; a few checkpoints at a time, since an SQLite row holds the whole state."""
    for start in range(0, len(keys), _AT_ONCE):
        for raw in reader.store.raw(keys[start : start + _AT_ONCE], Scope.CONTROL):
            yield raw.key, read_snapshot(raw, reader.decoder).version


def _moment(checkpoint_id: str) -> datetime | None:
    time = unix_time(checkpoint_id)
    return None if time is None else datetime.fromtimestamp(time, UTC)
