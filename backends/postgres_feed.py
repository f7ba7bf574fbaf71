"""What changed in two heaps since a transaction snapshot, without an index, a trigger, or a counter that is exact.

A row carries the id of the transaction that wrote it (``xmin``), and a snapshot (``pg_current_snapshot``) says which
transactions it sees. So a row is new when the present snapshot sees its writer and the previous one did not, however
late that writer committed. What is left is to look in few places:

- the *tail*: blocks appended since the oldest transaction that has newly finished had begun;
- *hot* blocks: where rows appeared lately, since a server process goes on filling the block that it knows;
- everywhere, in slices, when the server's row counters say that more was written than was found there (freed space was
  used again, a row was updated in place), and once in a while in any case. The counters lag by one to ten seconds. So
  a table of moderate size is searched on a hunch, too: when transactions have ended of which no row was found. They may
  have written to other tables; the more often nothing is found, the longer nothing is searched.

Deleted rows leave nothing to find: there the counters ask for a reload.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .postgres_xids import Found, Heap, Probe, Scan, Xids

MARGIN = 64
"""Blocks before the known end of a heap that may still be empty: PostgreSQL extends by up to 64 at a time."""

HOT_RANGES = 16
"""Hot places remembered for each heap."""

AHEAD = 32
"""Blocks after a hot one where its writer is likely to go next."""

URGENT_SLICE, CALM_SLICE = 8192, 512
"""Blocks swept in one poll: about 20 ms and 1 ms when cached."""

RECENT, LARGEST_STUDY = 1000, 1 << 16
"""Where rows were deleted, the first sweep also learns which blocks the last so many transactions wrote to, in heaps of
up to so many blocks (512 MB). Hunches are followed where all heaps together are no larger."""

FIRST_REST = 0.5
"""Seconds after a hunch that was wrong until the next is followed; doubles each time, up to ``SWEEP_EVERY``."""

SWEEP_EVERY = 60.0
"""Seconds between sweeps that nothing asked for, while there is activity."""

RELOAD_EVERY = 300.0
"""Seconds between reloads on a server without counters, while there is activity."""

RELOAD_UNSEEN_EVERY = 15.0
"""The same for tables without a heap of their own (partitions, views), of which nothing else tells."""

MOST_REPORTED = 4096
"""Writers remembered while an older transaction runs; rows of others are reported once more when it ends."""

LARGEST_SWEEP = 1 << 20
"""Blocks (8 GiB) above which a heap is never swept: that would empty the server's cache."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A walk over everything.

    Attributes:
        begun: What it will have covered.
        heap: Table it is in.
        block: Next block.
        urgent: Something is known, or suspected, to be missing.
        hunch: It is only suspected.
        fruitful: Something was found.
    """

    begun: Xids
    heap: int
    block: int
    urgent: bool
    hunch: bool = False
    fruitful: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """All that is known of one heap between two polls.

    Attributes:
        heap: As last probed.
        base: ``written`` when watching began.
        found: Rows found since.
        excess: How many more the counters were seen to count than were found, already looked into.
        hot: (Writer, block) where rows appeared below the tail, latest last.
    """

    heap: Heap
    base: int
    found: int = 0
    excess: int = 0
    hot: tuple[tuple[int, int], ...] = ()

    @property
    def missing(self) -> bool:
        """Whether more was written than was found."""
        return self.heap.written - self.base - self.found > self.excess

    def looked_into(self) -> Watch:
        """The same, with what is missing now no longer a reason to sweep."""
        return replace(self, excess=max(self.excess, self.heap.written - self.base - self.found))


@dataclass(frozen=True, slots=True)
class Position:
    """The cursor: everything that ``xids`` sees has been reported, or was there when the watch began.

    Attributes:
        xids: The snapshot.
        watches: One for each heap.
        marks: (``xmax``, length of each heap) at earlier probes, oldest first: rows of a transaction lie behind the
            last mark that is not younger than it.
        covered: What the last complete sweep, or the first cursor, has covered.
        reported: Writers not older than ``xids.xmin`` of rows that have been reported. They tell those rows from rows
            of a subtransaction: its id is in no snapshot, so that it seems to have ended while its transaction runs.
        sweep: The one under way.
        swept_at: When the last one ended, monotonic seconds.
        active: Something happened in the cluster since that began.
        unseen: A transaction has ended since then that had begun before the watch: nobody saw where it wrote.
        reloaded_at: When everything was read last.
        hunt_at: When a hunch is followed again.
        rested: Seconds that it was not followed last.
    """

    xids: Xids
    watches: tuple[Watch, ...]
    marks: tuple[tuple[int, tuple[int, ...]], ...]
    covered: Xids
    swept_at: float
    reloaded_at: float
    sweep: Sweep | None = None
    reported: frozenset[int] = frozenset()
    active: bool = False
    unseen: bool = False
    hunt_at: float = 0.0
    rested: float = 0.0

    @property
    def hunting(self) -> bool:
        """Whether a hunch is being followed: worth going on at once, since nothing else will tell soon."""
        return self.sweep is not None and self.sweep.hunch

    @property
    def heaps_known(self) -> bool:
        """Whether there is a heap to look into."""
        return bool(self.watches)


def begin(probe: Probe, now: float, *, writing: bool) -> Position:
    """A cursor at the present.

    Args:
        probe: The present.
        now: Monotonic seconds.
        writing: A transaction that runs has written to the heaps, nobody saw where; without one, whatever runs now can
            only write behind their ends.
    """
    watches = tuple(Watch(heap, heap.written) for heap in probe.heaps)
    mark = (probe.xids.xmax if writing else 0, tuple(heap.blocks for heap in probe.heaps))
    freed = any(heap.deleted > 0 and heap.blocks <= LARGEST_STUDY for heap in probe.heaps)
    study = Sweep(probe.xids, 0, 0, urgent=True) if freed else None
    return Position(probe.xids, watches, (mark,), probe.xids, now, now, sweep=study)


def first_look(position: Position, probe: Probe) -> list[Scan]:
    """Where rows are that are there already, but that look as if a running transaction could have written them."""
    if position.xids.xmin == position.xids.xmax:
        return []
    return list(_tails(position, probe, position.marks[0][1], position.xids.xmin))


def acquainted(position: Position, found: Iterable[Found]) -> Position:
    """Take in what ``first_look`` returned."""
    reported = frozenset(position.xids.widen(row.xid) for row in found)
    return replace(position, reported=reported)


def reason_to_reload(position: Position, probe: Probe, now: float, *, blind: bool) -> str:
    """Why everything must be read again; empty when it need not.

    Args:
        position: The cursor.
        probe: The present.
        now: Monotonic seconds.
        blind: The server does not count rows.
    """
    for watch, heap in zip(position.watches, probe.heaps, strict=True):
        if heap.file != watch.heap.file:
            return "A table was rewritten or truncated."
        if heap.written < watch.heap.written or heap.deleted < watch.heap.deleted:
            return "The server's row counters were reset."
        if heap.deleted > watch.heap.deleted:
            return "Rows were deleted."
        if heap.blocks > LARGEST_SWEEP and replace(watch, heap=heap).missing:
            return "Rows were written in places that a table of this size is not searched for."
    if probe.xids.xmax < position.xids.xmax:
        return "The database was set back."
    if not position.heaps_known:
        if position.active and now - position.reloaded_at > RELOAD_UNSEEN_EVERY:
            return "The tables are partitioned or views: what changed cannot be told."
    elif blind and position.active and now - position.reloaded_at > RELOAD_EVERY:
        return "A server that counts no rows does not tell of deletions."
    return ""


def plan(position: Position, probe: Probe) -> list[Scan]:
    """Decide where to look; nothing when no transaction has ended and no sweep is under way."""
    scans: list[Scan] = []
    earliest = probe.xids.earliest_new(position.xids)
    if earliest is not None:
        lengths = _lengths_before(position, earliest) or position.marks[0][1]
        scans += _tails(position, probe, lengths, earliest)
    if position.sweep is not None:
        scans += _slice(position.sweep, position.covered, probe)
    return scans


def advance(position: Position, probe: Probe, found: Iterable[Found], now: float) -> tuple[Position, frozenset[str]]:
    """Take in what the scans of ``plan`` returned.

    Returns:
        The next cursor, and the threads that changed.
    """
    changed: set[str] = set()
    reported = set(position.reported)
    rows = [0] * len(position.watches)
    explained: set[int] = set()
    fruitful = False
    hot: list[list[tuple[int, int]]] = [list(watch.hot) for watch in position.watches]
    nesting = {swept: min(probe.xids.ended_since(_known(position, swept)), default=None) for swept in (False, True)}
    for row in found:
        xid = probe.xids.widen(row.xid)
        plain = not _known(position, row.swept).sees(xid) and probe.xids.sees(xid)
        parent = nesting[row.swept]
        nested = not plain and parent is not None and xid >= parent and probe.xids.sees(xid)
        new = plain or (nested and (row.swept or xid not in position.reported))
        if new or row.swept:
            hot[row.heap].append((xid, row.block))
        if new:
            changed.add(row.thread_id)
            fruitful |= row.swept
        if new and not row.swept:
            reported.add(xid)
            explained.add(xid)
            rows[row.heap] += row.rows * plain
    lengths = tuple(heap.blocks for heap in probe.heaps)
    watches = tuple(
        replace(watch, heap=heap, found=watch.found + count, hot=_latest(blocks, heap.blocks))
        for watch, heap, count, blocks in zip(position.watches, probe.heaps, rows, hot, strict=True)
    )
    marks = position.marks if position.marks[-1][1] == lengths else (*position.marks, (probe.xids.xmax, lengths))
    earliest = probe.xids.earliest_new(position.xids)
    moved = replace(
        _stepped(position, probe, now, fruitful),
        xids=probe.xids,
        watches=watches,
        marks=_kept(marks, probe.xids.xmin),
        reported=frozenset(sorted(xid for xid in reported if xid >= probe.xids.xmin)[-MOST_REPORTED:]),
        active=position.active or earliest is not None,
        unseen=position.unseen or (earliest is not None and _lengths_before(position, earliest) is None),
    )
    hunch = probe.xids.ended_count(position.xids) > len(explained) and sum(lengths) <= LARGEST_STUDY
    return _with_sweep(moved, now, hunch and now >= moved.hunt_at), frozenset(changed)


def _known(position: Position, swept: bool) -> Xids:
    """What has been reported of the rows that a scan finds."""
    return position.covered if swept else position.xids


def _with_sweep(position: Position, now: float, hunch: bool) -> Position:
    """Begin a sweep where one is due and none is under way."""
    known = position.unseen or any(watch.missing for watch in position.watches)
    due = known or hunch or (position.active and now - position.swept_at > SWEEP_EVERY)
    if position.sweep is not None or not due or not position.heaps_known:
        return position
    watches = tuple(watch.looked_into() for watch in position.watches)
    sweep = Sweep(position.xids, 0, 0, urgent=known or hunch, hunch=hunch and not known)
    return replace(position, sweep=sweep, watches=watches, active=False, unseen=False)


def _lengths_before(position: Position, xid: int) -> tuple[int, ...] | None:
    """Lengths of the heaps before a transaction began; ``None`` when it began before the watch."""
    return next((lengths for xmax, lengths in reversed(position.marks) if xmax <= xid), None)


def _kept(marks: tuple[tuple[int, tuple[int, ...]], ...], xmin: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Drop marks that no transaction still running can need."""
    first = max((index for index, (xmax, _) in enumerate(marks) if xmax <= xmin), default=0)
    return marks[first:]


def _tails(position: Position, probe: Probe, lengths: Sequence[int], earliest: int) -> Iterable[Scan]:
    for index, (watch, heap, length) in enumerate(zip(position.watches, probe.heaps, lengths, strict=True)):
        if heap.blocks == 0:
            continue
        tail = max(0, min(length, heap.blocks) - MARGIN)
        ranges = [(block, min(block + AHEAD, heap.blocks)) for _, block in watch.hot if block < heap.blocks]
        yield Scan(index, _merged([*ranges, (tail, heap.blocks)]), min(earliest, position.xids.xmin))


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((first, end))
    return tuple(merged)


def _latest(hot: Iterable[tuple[int, int]], length: int) -> tuple[tuple[int, int], ...]:
    """The places of the latest writers below the tail, one for each neighbourhood."""
    latest: dict[int, tuple[int, int]] = {}
    for xid, block in sorted(hot, reverse=True):
        if block < length - MARGIN:
            latest.setdefault(block // AHEAD, (xid, block))
        if len(latest) == HOT_RANGES:
            break
    return tuple(reversed(latest.values()))


def _slice(sweep: Sweep, covered: Xids, probe: Probe) -> Iterable[Scan]:
    end = min(sweep.block + _step(sweep), probe.heaps[sweep.heap].blocks)
    if sweep.block < end <= LARGEST_SWEEP:
        oldest = covered.xmin if sweep.hunch else min(covered.xmin, sweep.begun.xmin - RECENT)
        yield Scan(sweep.heap, ((sweep.block, end),), max(oldest, 0), swept=True)


def _step(sweep: Sweep) -> int:
    return URGENT_SLICE if sweep.urgent else CALM_SLICE


def _stepped(position: Position, probe: Probe, now: float, fruitful: bool) -> Position:
    """The same with the sweep one slice further; ``fruitful``: this slice has shown something."""
    if position.sweep is None:
        return position
    sweep = replace(position.sweep, fruitful=position.sweep.fruitful or fruitful)
    block = sweep.block + _step(sweep)
    if block < min(probe.heaps[sweep.heap].blocks, LARGEST_SWEEP):
        return replace(position, sweep=replace(sweep, block=block))
    if sweep.heap + 1 < len(probe.heaps):
        return replace(position, sweep=replace(sweep, heap=sweep.heap + 1, block=0))
    ended = replace(position, sweep=None, covered=sweep.begun, swept_at=now)
    if sweep.fruitful:
        return replace(ended, hunt_at=now, rested=0.0)
    if not sweep.hunch:
        return ended
    rest = min(max(FIRST_REST, 2 * position.rested), SWEEP_EVERY)
    return replace(ended, hunt_at=now + rest, rested=rest)
