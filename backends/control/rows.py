"""What may be done to rows without a graph: copying threads, and taking back what was just written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from ..model import CheckpointKey
from ..stored import StoredRow


class Count(NamedTuple):
    """Rows of a thread, over all namespaces."""

    checkpoints: int
    writes: int


class Rows(Protocol):
    """The tables of a store, inside one transaction.

    Every method raises ``StoreError`` when the store fails, and ``Refused`` when it does not let us write.
    """

    def count(self, thread_id: str) -> Count:
        """How many rows a thread has; also write rows without a checkpoint count."""
        ...

    def copy_thread(self, source: str, target: str) -> Count:
        """Copy all rows of a thread; the ids of checkpoints and tasks stay, since they do not depend on the thread."""
        ...

    def copy_checkpoints(
        self, source: str, target: str, keys: Sequence[CheckpointKey], bare: Sequence[CheckpointKey] = ()
    ) -> Count:
        """Copy some checkpoints.

        Args:
            source: Thread to copy from.
            target: Thread to copy to.
            keys: Checkpoints that are copied with their write rows.
            bare: Checkpoints that are copied without them.
        """
        ...

    def insert(self, thread_id: str, rows: Iterable[StoredRow]) -> Count:
        """Add rows to a thread as they stand.

        Args:
            thread_id: The thread; it must not have these rows.
            rows: In the layout of this kind of store; taken one at a time.
        """
        ...

    def newest(self, thread_id: str) -> str | None:
        """Newest checkpoint id of a thread, over all namespaces."""
        ...

    def children(self, key: CheckpointKey) -> int:
        """How many checkpoints have this one for their parent."""
        ...

    def remove_thread(self, thread_id: str) -> Count:
        """Delete all rows of a thread."""
        ...

    def remove_checkpoint(self, key: CheckpointKey) -> None:
        """Delete one checkpoint, its write rows, and what no other checkpoint shares with it."""
        ...

    def remove_checkpoints(self, keys: Sequence[CheckpointKey]) -> Count:
        """Delete checkpoints of one thread, their write rows, and what no other checkpoint shares with them.

        Args:
            keys: Checkpoints; also ones of which only write rows are there.
        """
        ...

    def remove_update(self, key: CheckpointKey, task_ids: Sequence[str]) -> None:
        """Delete the write rows that ``update_state`` left on the checkpoint that it started from.

        They have the path ``~__interrupt__, …`` (``langgraph/pregel/main.py``, ``bulk_update_state``).

        Args:
            key: The checkpoint that the update started from.
            task_ids: Tasks whose rows are its own also where they have no path.
        """
        ...
