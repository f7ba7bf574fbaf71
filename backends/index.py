"""Every thread of a store in memory: ordered, filtered, counted, and kept so by small changes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from .arrangement import Arrangement
from .model import StatusName, Summary, ThreadHead, ThreadRow
from .order import View, key_of
from .query import Query
from .ranking import Ranking

if TYPE_CHECKING:
    from .query_complete import Facets


@dataclass(frozen=True, slots=True)
class Counts:
    """How many threads there are.

    Attributes:
        by_status: Threads per status, as far as analysed.
        total: Threads.
        shown: Threads that the filter lets through.
        pending: Threads whose status is not known yet.
        complete: False while the list of threads is still being read.
    """

    by_status: Mapping[StatusName, int]
    total: int
    shown: int
    pending: int
    complete: bool

    @property
    def exact(self) -> bool:
        """Whether ``by_status`` is the whole truth; otherwise it is printed with ``≈``."""
        return self.complete and not self.pending


@dataclass(frozen=True, slots=True)
class _Held:
    """What happened since the order was frozen.

    Attributes:
        placed: Changed thread -> the row by which it has its place; ``None`` for one that has no place yet.
        gone: Threads that were removed and are still shown.
        arrived: New threads that the filter lets through.
    """

    placed: dict[str, ThreadRow | None] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    arrived: set[str] = field(default_factory=set)


class ThreadIndex:
    """All threads of a store, in the order and under the filter of a view.

    Belongs to one thread (the event loop); a call costs microseconds for each row that it names. What costs more, a new
    view over many rows, is computed elsewhere: ``arrangement`` here, ``Arrangement.compute`` there, ``adopt`` here.

    Args:
        clock: Unix time, for filters by age.

    Attributes:
        rows: Thread id -> row, whether the filter lets it through or not; read only.
        view: The present view.
        complete: Whether every thread of the store has been read; set by the owner.
        revision: Grows with every change.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.rows: dict[str, ThreadRow] = {}
        self.view = View()
        self.complete = False
        self.revision = 0
        self._clock = clock
        self._key = key_of(self.view)
        self._test = self.view.query.test(0.0)
        self._all = self._shown = Ranking()
        self._by_status: Counter[StatusName] = Counter()
        self._pending = 0
        self._uncounted = 0
        self._held: _Held | None = None
        self._asked: tuple[Arrangement, dict[str, ThreadRow | None]] | None = None

    @classmethod
    def built(cls, heads: Iterable[ThreadHead], view: View | None = None) -> ThreadIndex:
        """A complete index of some heads."""
        index = cls()
        index.upsert(heads)
        index.complete = True
        if view is not None:
            index.set_view(view.query, view.sort, view.reverse)
        return index

    # What it holds.

    @property
    def order(self) -> Sequence[str]:
        """Ids of the shown threads in order. It follows every change, so do not keep it across one."""
        return self._shown

    def position(self, thread_id: str) -> int | None:
        """Index of a thread in ``order``, in logarithmic time; ``None`` if it is not shown."""
        row = self.rows.get(thread_id)
        if self._held is not None:
            row = self._held.placed.get(thread_id, row)
        return None if row is None else self._shown.place(self._key(row))

    @property
    def counts(self) -> Counts:
        """How many threads there are."""
        return Counts(
            by_status=dict(self._by_status),
            total=len(self.rows) - len(self.gone),
            shown=len(self._shown),
            pending=self._pending,
            complete=self.complete,
        )

    @property
    def approximate(self) -> bool:
        """Whether threads may be missing because the filter asks for what is not known of all of them yet."""
        query = self.view.query
        unanswered = (query.needs_status and self._pending) or (query.needs_counts and self._uncounted)
        return not self.complete or bool(unanswered)

    def facets(self, limit: int = 2000) -> Facets:
        """What the first ``limit`` rows hold, to complete a filter with; 2 µs a row."""
        from .query_complete import collect_facets

        return collect_facets(islice(self.rows.values(), limit))

    # What changes it. Each answers with the ids of the rows that look different now.

    def upsert(self, heads: Iterable[ThreadHead]) -> set[str]:
        """Take in new and newer heads; the status of a thread stays until a new one is set."""
        fresh: dict[str, ThreadRow | None] = {}
        for thread_id, head in {head.thread_id: head for head in heads}.items():
            old = self._live(thread_id)
            if old is None:
                fresh[thread_id] = ThreadRow(head)
            elif old.head != head:
                fresh[thread_id] = ThreadRow(head, old.summary, old.checkpoints, old.size)
        return self._change(fresh)

    def set_summaries(self, summaries: Mapping[str, Summary]) -> set[str]:
        """Take in statuses; those of unknown threads are left out."""
        fresh: dict[str, ThreadRow | None] = {}
        for thread_id, summary in summaries.items():
            old = self._live(thread_id)
            if old is not None and old.summary != summary:
                fresh[thread_id] = ThreadRow(old.head, summary, old.checkpoints, old.size)
        return self._change(fresh)

    def set_counts(self, counts: Mapping[str, int]) -> set[str]:
        """Take in numbers of checkpoints; those of unknown threads are left out."""
        fresh: dict[str, ThreadRow | None] = {}
        for thread_id, checkpoints in counts.items():
            old = self._live(thread_id)
            if old is not None and old.checkpoints != checkpoints:
                fresh[thread_id] = ThreadRow(old.head, old.summary, checkpoints, old.size)
        return self._change(fresh)

    def set_sizes(self, sizes: Mapping[str, int]) -> set[str]:
        """Take in bytes of threads; those of unknown threads are left out."""
        fresh: dict[str, ThreadRow | None] = {}
        for thread_id, size in sizes.items():
            old = self._live(thread_id)
            if old is not None and old.size != size:
                fresh[thread_id] = ThreadRow(old.head, old.summary, old.checkpoints, size)
        return self._change(fresh)

    def remove(self, thread_ids: Iterable[str]) -> set[str]:
        """Drop threads; while paused they keep their places as ``gone``."""
        return self._change({thread_id: None for thread_id in thread_ids if self._live(thread_id) is not None})

    # A frozen order.

    @property
    def paused(self) -> bool:
        """Whether rows keep their places. Values still change; new threads wait until it is set to false again."""
        return self._held is not None

    @paused.setter
    def paused(self, paused: bool) -> None:
        if paused and self._held is None:
            self._held = _Held()
        elif not paused and self._held is not None:
            placed = self._held.placed
            self._release()
            self._held = None
            self._move({thread_id: (old, self.rows.get(thread_id)) for thread_id, old in placed.items()})
            self.revision += 1

    @property
    def arrived(self) -> Set[str]:
        """New threads that wait for the end of the pause, as far as the filter lets them through."""
        return self._held.arrived if self._held is not None else frozenset()

    @property
    def gone(self) -> Set[str]:
        """Removed threads that are still in ``order`` and ``rows`` until the end of the pause."""
        return self._held.gone if self._held is not None else frozenset()

    # Another view.

    def set_view(self, query: Query, sort: str = "attention", reverse: bool = False) -> None:
        """Show other threads, or in another order, at once; 0.1 to 0.4 s for 100,000 rows.

        Raises:
            KeyError: There is no such order; see ``order.SORTS``.
        """
        arrangement = self.arrangement(View(query, sort, reverse))
        arrangement.compute()
        self.adopt(arrangement)

    def arrangement(self, view: View | None = None) -> Arrangement:
        """A snapshot to compute a view from on another thread; one at a time, the latest counts.

        Args:
            view: The view; the present one again where time has passed for its ``query.needs_now``.
        """
        view = self.view if view is None else view
        gone = self.gone
        rows = (
            [row for row in self.rows.values() if row.head.thread_id not in gone] if gone else list(self.rows.values())
        )
        in_order = (view.sort, view.reverse) == (self.view.sort, self.view.reverse)
        settled = self._held is None or not self._held.placed
        arrangement = Arrangement(view, rows, self._clock(), self._all.copy() if in_order and settled else None)
        self._asked = (arrangement, {})
        return arrangement

    def adopt(self, arrangement: Arrangement) -> bool:
        """Switch to a computed view, with what has changed since it was asked for; a paused order is frozen anew.

        Returns:
            False if it was not computed to its end, or if another one was asked for since.
        """
        if self._asked is None or self._asked[0] is not arrangement:
            return False
        if arrangement.all is None or arrangement.shown is None:
            return False
        changed = self._asked[1]
        self._asked = None
        if self._held is not None:
            self._release()
            self._held = _Held()
        self.view = arrangement.view
        self._key = key_of(self.view)
        self._test = self.view.query.test(self._clock())
        self._all, self._shown = arrangement.all, arrangement.shown
        self._move({thread_id: (old, self.rows.get(thread_id)) for thread_id, old in changed.items()})
        self.revision += 1
        return True

    def _live(self, thread_id: str) -> ThreadRow | None:
        return None if thread_id in self.gone else self.rows.get(thread_id)

    def _release(self) -> None:
        """Let go of the threads that only the pause kept."""
        for thread_id in self.gone:
            del self.rows[thread_id]

    def _change(self, fresh: Mapping[str, ThreadRow | None]) -> set[str]:
        """Put rows in place of the present ones; ``None`` removes."""
        moves = {}
        for thread_id, row in fresh.items():
            old = self._live(thread_id)
            moves[thread_id] = (old, row)
            self._count(old, -1)
            self._count(row, 1)
            if self._asked is not None:
                self._asked[1].setdefault(thread_id, old)
            if row is not None:
                self.rows[thread_id] = row
            elif self._held is None:
                del self.rows[thread_id]
        if moves:
            self.revision += 1
            if self._held is None:
                self._move(moves)
            else:
                self._hold(self._held, moves)
        return set(moves)

    def _count(self, row: ThreadRow | None, by: int) -> None:
        if row is None:
            return
        if row.summary is None:
            self._pending += by
        else:
            self._by_status[row.summary.status] += by
        if row.checkpoints is None:
            self._uncounted += by

    def _hold(self, held: _Held, moves: Mapping[str, tuple[ThreadRow | None, ThreadRow | None]]) -> None:
        """Remember changes whose places wait for the end of the pause."""
        test = self._current_test()
        for thread_id, (old, row) in moves.items():
            placed = held.placed.setdefault(thread_id, old)
            if row is not None:
                held.gone.discard(thread_id)
            elif placed is not None:
                held.gone.add(thread_id)
            else:
                del self.rows[thread_id]
            if placed is None and row is not None and test(row):
                held.arrived.add(thread_id)
            else:
                held.arrived.discard(thread_id)

    def _move(self, moves: Mapping[str, tuple[ThreadRow | None, ThreadRow | None]]) -> None:
        """Take threads from the places of their old rows to those of their new ones."""
        key_of_row, test = self._key, self._current_test()
        filtered = self._shown is not self._all
        entering, showing = [], []
        for old, row in moves.values():
            old_key = None if old is None else key_of_row(old)
            key = None if row is None else key_of_row(row)
            shows = filtered and row is not None and test(row)
            if key != old_key:
                if old_key is not None:
                    self._all.discard(old_key)
                if key is not None:
                    entering.append(key)
            if filtered and old_key is not None and not (shows and key == old_key):
                self._shown.discard(old_key)
            if shows and key is not None and (key != old_key or not self._shown.holds(key)):
                showing.append(key)
        self._all.update(entering)
        if filtered:
            self._shown.update(showing)

    def _current_test(self) -> Callable[[ThreadRow], bool]:
        if self.view.query.needs_now:
            self._test = self.view.query.test(self._clock())
        return self._test
