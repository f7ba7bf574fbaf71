"""How many bytes a store's rows take: by thread, by checkpoint and by channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..address import Address
from ..model import CheckpointKey


class Extent(NamedTuple):
    """Rows and their bytes."""

    rows: int = 0
    bytes: int = 0

    def plus(self, other: Extent) -> Extent:
        """Both together."""
        return Extent(self.rows + other.rows, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class ThreadSize:
    """What a thread takes; bytes of values as they are stored, without what pages and indexes add.

    Attributes:
        thread_id: The thread; untrusted text.
        checkpoints: Its checkpoints over all namespaces, with their metadata.
        writes: Its write rows.
        blobs: PostgreSQL: its channel values; SQLite keeps them in the checkpoints.
        recent: Bytes of those of its checkpoints and write rows that are younger than was asked for.
    """

    thread_id: str
    checkpoints: Extent
    writes: Extent
    blobs: Extent
    recent: int

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.checkpoints.bytes + self.writes.bytes + self.blobs.bytes


@dataclass(frozen=True, slots=True)
class ChannelSize:
    """What a channel of a thread takes.

    Attributes:
        name: The channel; untrusted text. ``""`` is what belongs to no channel: ids, versions, metadata, and whole
            checkpoints whose bytes cannot be told apart (encrypted ones).
        values: Its values in checkpoints: as often as they are stored.
        writes: Its write rows.
    """

    name: str
    values: Extent
    writes: Extent

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.values.bytes + self.writes.bytes


class Room(NamedTuple):
    """What a store takes on disk.

    Attributes:
        bytes: SQLite: the file and its WAL. PostgreSQL: the tables with indexes and what they keep outside.
        free: SQLite: bytes of pages that nothing uses; ``None`` where it is not known.
    """

    bytes: int
    free: int | None


class Sizes(Protocol):
    """A read-only connection that measures; every method raises ``StoreError`` where it cannot be read."""

    def threads(self, thread_ids: Sequence[str] | None, since: str) -> Iterator[ThreadSize]:
        """Measure threads.

        Args:
            thread_ids: Which; ``None`` is all of them, by one pass over the tables.
            since: Checkpoint id from which on ``recent`` counts.
        """
        ...

    def checkpoints(self, thread_id: str) -> Mapping[CheckpointKey, tuple[Extent, Extent]]:
        """Measure each checkpoint of a thread and its write rows; also write rows that have no checkpoint."""
        ...

    def freed_blobs(self, keys: Sequence[CheckpointKey]) -> Extent:
        """Measure the values that nothing names any more without these checkpoints of one thread."""
        ...

    def channels(self, thread_id: str) -> list[ChannelSize]:
        """Measure the channels of a thread, the largest first."""
        ...

    def room(self) -> Room:
        """Measure the store on disk."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def open_sizes(address: Address) -> Sizes:
    """Connect to a store in order to measure it; nothing is written.

    Raises:
        StoreError: It cannot be opened.
    """
    if address.path is not None:
        from .size_sqlite import SqliteSizes

        return SqliteSizes(address.path)
    from .size_postgres import PostgresSizes

    return PostgresSizes(address.dsn or "")
