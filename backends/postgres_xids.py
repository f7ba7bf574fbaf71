"""What a server tells of its state at one moment: which transactions have ended, how long its heaps are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

_WRAP = 1 << 32


@dataclass(frozen=True, slots=True)
class Xids:
    """A transaction snapshot: everything below ``xmax`` that is not running has ended.

    Attributes:
        xmin: Every id below it has ended.
        xmax: The next id to be given.
        running: Ids between them that have not ended.
    """

    xmin: int
    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Xids:
        """Parse ``xmin:xmax:xip,xip,…`` as ``pg_current_snapshot`` prints it."""
        xmin, xmax, running = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(map(int, filter(None, running.split(",")))))

    def sees(self, xid: int) -> bool:
        """Whether a transaction had ended."""
        return xid < self.xmax and xid not in self.running

    def widen(self, xid: int) -> int:
        """The 64-bit id of a row's 32-bit ``xmin``."""
        wide = (self.xmax // _WRAP) * _WRAP + xid
        return wide - _WRAP if wide > self.xmax + _WRAP // 2 else wide

    def ended_since(self, earlier: Xids) -> set[int]:
        """Transactions that ran in an earlier snapshot and have ended.

        A replica's snapshot does not tell what is running, only the oldest of it.
        """
        ended = set(earlier.running - self.running)
        if earlier.xmin < self.xmin and earlier.xmin < earlier.xmax:
            ended.add(earlier.xmin)
        return ended

    def earliest_new(self, earlier: Xids) -> int | None:
        """The oldest transaction that this snapshot sees and an earlier one does not; ``None`` when there is none."""
        begun_since = (xid for xid in range(earlier.xmax, self.xmax) if xid not in self.running)
        return min((*self.ended_since(earlier), *islice(begun_since, 1)), default=None)

    def ended_count(self, earlier: Xids) -> int:
        """How many transactions this snapshot sees and an earlier one does not."""
        begun = self.xmax - earlier.xmax - sum(xid >= earlier.xmax for xid in self.running)
        return max(0, begun) + len(self.ended_since(earlier))


@dataclass(frozen=True, slots=True)
class Heap:
    """A table as a probe sees it.

    Attributes:
        file: ``relfilenode``: changes when the table is rewritten or truncated; ``None`` when it was dropped.
        blocks: Its length.
        written: Rows inserted or updated since the server began to count.
        deleted: Rows deleted.
    """

    file: int | None
    blocks: int
    written: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Probe:
    """The state of the server: constant cost on any size.

    The row counters were read before the snapshot was taken, so that they count no row which it does not see.
    """

    xids: Xids
    heaps: tuple[Heap, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """Blocks to look at.

    Attributes:
        heap: Index of the table.
        ranges: (first, end) of blocks, ascending, disjoint.
        oldest: No newer row has an ``xmin`` below it.
        swept: False for rows that count as found; True for those of a sweep, which may have been found before.
    """

    heap: int
    ranges: tuple[tuple[int, int], ...]
    oldest: int
    swept: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one thread by one transaction in one block, as a scan returns them."""

    heap: int
    thread_id: str
    xid: int
    block: int
    rows: int
    swept: bool
