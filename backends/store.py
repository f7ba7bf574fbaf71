"""The Store protocol: what every kind of checkpoint store can do, read-only, with nothing decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from .address import parse_address
from .model import CheckpointKey, CheckpointRow, Cursor, Delta, RawCheckpoint, ThreadHead, Write

if TYPE_CHECKING:
    from .stored import StoredRow


class Scope(Enum):
    """How much of a checkpoint to read."""

    CONTROL = "control"
    """Only what status needs. Postgres leaves state blobs alone; SQLite keeps all in one blob and reads it anyway."""
    FULL = "full"


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What is known about an open store.

    Attributes:
        kind: ``sqlite`` or ``postgres``.
        name: Short name for titles, e.g. ``checkpoints.sqlite`` or ``app@db.example``; never a password.
        location: Full address for messages; never a password.
        schema: Layout, e.g. ``with task_path``, ``migration 9``.
        writable: Whether control verbs could write here (file and directory permissions, role rights).
        warnings: Sentences that a person must know, e.g. that ``immutable`` hides the WAL.
    """

    kind: str
    name: str
    location: str
    schema: str
    writable: bool
    warnings: tuple[str, ...] = ()


class Store(Protocol):
    """A read-only connection to a checkpoint store.

    An instance belongs to one thread at a time; only ``interrupt`` may be called from another. Nothing is written.
    Every method raises ``StoreUnreachable``, ``StoreReplaced`` or ``StoreBusy`` when the store cannot be read.
    """

    @property
    def info(self) -> StoreInfo:
        """What is known about the store."""
        ...

    def newest_heads(self, limit: int) -> list[ThreadHead]:
        """Heads of about the ``limit`` most recently written threads, newest first; costs milliseconds on any size."""
        ...

    def heads(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[list[ThreadHead]]:
        """Every thread's head in batches, ordered by thread id; cost follows threads, not checkpoints."""
        ...

    def heads_of(self, thread_ids: Sequence[str]) -> dict[str, ThreadHead]:
        """Heads of the given threads; a thread that is gone is absent."""
        ...

    def counts(self, thread_ids: Sequence[str] | None = None) -> dict[str, int]:
        """Checkpoints per thread over all namespaces; ``None`` asks for all threads."""
        ...

    def created_ids(self, thread_ids: Sequence[str]) -> dict[str, str]:
        """Oldest checkpoint id per thread."""
        ...

    def cursor(self) -> Cursor:
        """The present end of the change feed; take it before reading heads, so that nothing is missed between."""
        ...

    def poll(self, cursor: Cursor) -> Delta:
        """What changed since ``cursor``; microseconds to a few milliseconds when nothing did."""
        ...

    def namespaces(self, thread_id: str) -> list[str]:
        """Namespaces of a thread, ordered; empty when there is no such thread."""
        ...

    def history(
        self, thread_id: str, ns: str | None = None, before: str | None = None, limit: int | None = None
    ) -> list[CheckpointRow]:
        """Checkpoints of a thread, newest first, without state.

        Args:
            thread_id: The thread.
            ns: One namespace, or ``None`` for all.
            before: Only checkpoints with a smaller id.
            limit: At most so many.
        """
        ...

    def writes(
        self,
        thread_id: str,
        ns: str | None = None,
        checkpoint_ids: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
        values: bool = False,
    ) -> list[tuple[CheckpointKey, Write]]:
        """Write rows of a thread, ordered by (ns, checkpoint_id, task_path, task_id, idx); blobs only if ``values``."""
        ...

    def raw(self, keys: Sequence[CheckpointKey], scope: Scope = Scope.FULL) -> list[RawCheckpoint]:
        """Checkpoints with their writes, in the order of ``keys``; missing ones are left out."""
        ...

    def marked(self, keys: Sequence[CheckpointKey], channels: Sequence[str]) -> set[CheckpointKey]:
        """Those of some checkpoints that have a write row of one of these channels; a look into an index for each."""
        ...

    def stored(self, thread_id: str) -> Iterator[StoredRow]:
        """Every row of a thread as it stands, in bounded memory: checkpoints, then blobs, then writes."""
        ...

    def sample(self, limit: int) -> Iterator[RawCheckpoint]:
        """Newest checkpoints of the whole store with ``Scope.CONTROL``: what the store shows of its graphs."""
        ...

    def interrupt(self) -> None:
        """Cancel the statement that another thread is running on this connection; it raises ``Cancelled`` there."""
        ...

    def close(self) -> None:
        """Close the connection; calling it twice is allowed."""
        ...


def open_store(address: str, *, brief: bool = False) -> Store:
    """Open a checkpoint store read-only; nothing is written, nothing is created.

    Args:
        address: A path, ``sqlite:///path``, ``postgresql://…`` or a libpq connection string (``host=… dbname=…``).
        brief: It is for a command that reads and ends: what takes long to load is not used where it can be avoided.

    Raises:
        NotAStore: The file or database holds something else.
        StoreUnreachable: It cannot be reached or read.
    """
    parsed = parse_address(address, {})
    if parsed.dsn is not None:
        from .postgres import PostgresStore

        return PostgresStore(parsed.dsn, brief=brief)
    from .sqlite import SqliteStore

    return SqliteStore(address)
