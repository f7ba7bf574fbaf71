"""What a feed does on one connection: follow changes, and between them read everything else in slices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from .errors import StoreError
from .feed_events import Analysed, Changed, Counted, Event, HeadsLoaded, Reloading
from .model import Analysis, StatusName, Summary, ThreadHead
from .roster import Roster
from .store import Store
from .text import one_line

if TYPE_CHECKING:
    from .decode import Decoder
    from .reader import Reader
    from .witness import Witness

NEWEST: Final = 500
"""Threads on the first page."""

_VISIBLE: Final = 50
"""Of them, those whose statuses are worked out before anything else is read."""

_AT_ONCE: Final = 500
"""Changed threads in one event."""

_COUNTED_AT_ONCE: Final = 1000
_SLICE_SECONDS: Final = 0.02
"""Work between two looks at changes and at the stop sign."""

_BREATH: Final = 0.25
"""Rest after the first page, so that the screen draws it before anything else is imported and read."""

_REST_SHARE: Final = 0.5
"""Part of the time that statuses nobody looks at may take: the interpreter is shared with the screen."""

_FLUSH_SECONDS: Final = 0.25
"""Results nobody waits for are told of so often at most."""

_SHARED_SUMMARIES: Final = 4096
_REASON_LENGTH: Final = 200


class Session:
    """One connection of a feed; the roster outlives it.

    Args:
        store: The open store.
        decoder: Decodes values for statuses.
        witness: Knows who runs threads, and how their last runs ended.
        roster: The heads told of so far; empty at first.
        tell: Takes the events.
        stopping: Whether to break off.
    """

    def __init__(
        self,
        store: Store,
        decoder: Decoder | None,
        witness: Witness,
        roster: Roster,
        tell: Callable[[Event], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._store = store
        self._decoder = decoder
        self._witness = witness
        self._made_reader: Reader | None = None
        self._tell = tell
        self._stopping = stopping
        self.roster = roster
        self._cursor = self._store.cursor()
        self._loading: Iterator[float] | None = self._load()
        self._written: dict[str, ThreadHead | None] = {}
        self._urgent: dict[str, ThreadHead] = {}
        self._looked_at: tuple[str, ...] = ()
        self._uncounted: set[str] = set()
        self._counted_at = 0.0
        self._filling: Iterator[float] | None = None
        self._to_analyse = True
        self._analysed_to: str | None = None
        self._early: set[str] = set()
        self._untold: dict[str, Summary] = {}
        self._known: dict[Summary, Summary] = {}

    @property
    def _reader(self) -> Reader:
        """Reads what the rows mean; takes as long to import as the first page to read, and is not needed for it."""
        if self._made_reader is None:
            from .reader import Reader

            self._made_reader = Reader(self._store, self._decoder, self._witness)
            self._witness.renew()
            self._witness.threads = self._ids
            self._witness.glance()
        return self._made_reader

    def _ids(self) -> Iterator[str]:
        return (head.thread_id for head in self.roster)

    @property
    def loaded(self) -> bool:
        """Whether every thread has been told of."""
        return self._loading is None

    @property
    def settled(self) -> bool:
        """Whether everything has been told."""
        return self._loading is None and self._filling is None and not self._urgent

    def poll(self) -> bool:
        """Look for changes and tell of them; whether there were any."""
        delta = self._store.poll(self._cursor)
        self._cursor = delta.cursor
        if delta.reload:
            self._tell(Reloading(delta.reason))
            self._loading = self._load()
        if delta.changed:
            self.look_around()
        changed = iter(delta.changed)
        while some := list(islice(changed, _AT_ONCE)):
            self._read_again(some)
        return bool(delta.changed or delta.reload)

    def look_around(self) -> None:
        """Look at locks and runs, and read the threads again of which they tell something new.

        Their heads, too: who has let go of a thread may have written to it a moment before.
        """
        if self._made_reader is None:
            return
        moved = sorted(self._witness.glance())
        for at in range(0, len(moved), _AT_ONCE):
            some = moved[at : at + _AT_ONCE]
            heads = self._store.heads_of(some)
            self._take_in(heads, [i for i in some if i not in heads and self.roster.get(i) is not None])

    def look_at(self, thread_ids: Iterable[str]) -> None:
        """Work out the statuses of these threads before others, as far as that is still to be done."""
        self._looked_at = tuple(thread_ids)
        found = [self.roster.get(thread_id) for thread_id in self._looked_at if self._is_ahead(thread_id)]
        heads = {head.thread_id: head for head in found if head is not None}
        self._urgent = heads | self._urgent
        self._uncounted.update(heads)

    def work(self) -> float | None:
        """Do a slice of what is to be done; seconds to rest afterwards, ``None`` when nothing is left to do."""
        if self._urgent:
            self._analyse_urgent()
            return 0.0
        wait = self._counted_at + _FLUSH_SECONDS - time.monotonic() if self._uncounted else None
        if wait is not None and wait <= 0:
            self._count_changed()
            return 0.0
        if self._loading is not None:
            rest = next(self._loading, None)
            if rest is None:
                self._loading = None
                self._filling = chain(self._count_all(), self._analyse_all())
            return rest or 0.0
        rest = None if self._filling is None else next(self._filling, None)
        if rest is None:
            self._filling = None
            return wait
        return rest if wait is None else min(rest, wait)

    # Heads.

    def _load(self) -> Iterator[float]:
        """Read every head and tell of those that differ, then of threads that are gone; yields seconds to rest."""
        self._written = {}
        self._filling, self._to_analyse, self._analysed_to = None, True, None
        self._early.clear()
        self._untold = {}
        if not len(self.roster):
            newest = self._store.newest_heads(NEWEST)
            self.roster = Roster(newest)
            self._tell(HeadsLoaded(tuple(newest), complete=False))
            self.look_at([head.thread_id for head in newest[:_VISIBLE]])
            yield _BREATH
        heads: list[ThreadHead] = []
        for batch in self._store.heads(self._stopping):
            heads += batch
            self._tell(HeadsLoaded(tuple(self._different(batch)), complete=False))
            yield 0.0
        if self._stopping():
            return
        roster = Roster(heads)
        for thread_id, head in self._written.items():
            if head is None:
                roster.discard(thread_id)
            else:
                roster.put(head)
        gone = frozenset(head.thread_id for head in self.roster if roster.get(head.thread_id) is None)
        self.roster = roster
        if gone:
            self._tell(Changed((), gone))
        self._tell(HeadsLoaded((), complete=True))
        self.look_at(self._looked_at)

    def _different(self, batch: Iterable[ThreadHead]) -> Iterator[ThreadHead]:
        """Heads that were not told of; known threads are brought up to date: none is to be analysed by an old head."""
        for head in batch:
            known = self.roster.get(head.thread_id)
            if known != head:
                if known is not None:
                    self.roster.put(head)
                yield head

    def _read_again(self, thread_ids: Sequence[str]) -> None:
        """Read the heads of changed threads, and plan the rest of what is told about them."""
        heads = self._store.heads_of(thread_ids)
        self._take_in(heads, [thread_id for thread_id in thread_ids if thread_id not in heads])

    def _take_in(self, heads: Mapping[str, ThreadHead], gone: Sequence[str]) -> None:
        for thread_id in (*heads, *gone):
            self._untold.pop(thread_id, None)
        for thread_id in gone:
            self.roster.discard(thread_id)
            self._urgent.pop(thread_id, None)
        for head in heads.values():
            self.roster.put(head)
        if self._loading is not None:
            self._written.update(heads)
            self._written.update(dict.fromkeys(gone))
        self._urgent.update(heads)
        self._uncounted.update(heads)
        if heads or gone:
            self._tell(Changed(tuple(heads.values()), frozenset(gone)))

    # Counts.

    def _count_changed(self) -> None:
        self._tell(Counted(self._store.counts(list(self._uncounted))))
        self._uncounted.clear()
        self._counted_at = time.monotonic()

    def _count_all(self) -> Iterator[float]:
        """Count the checkpoints of every thread in slices; yields seconds to rest."""
        after: str | None = None
        while heads := self.roster.after(after, _COUNTED_AT_ONCE):
            began = time.monotonic()
            self._tell(Counted(self._store.counts([head.thread_id for head in heads])))
            after = heads[-1].thread_id
            yield _rest_after(time.monotonic() - began)

    # Statuses.

    def _is_ahead(self, thread_id: str) -> bool:
        """Whether the status of a thread has not been worked out yet."""
        passed = self._analysed_to is not None and thread_id <= self._analysed_to
        return self._to_analyse and not passed and thread_id not in self._early

    def _analyse_urgent(self) -> None:
        heads = list(islice(self._urgent.values(), _VISIBLE))
        for head in heads:
            del self._urgent[head.thread_id]
        if self._to_analyse:
            self._early.update(head.thread_id for head in heads)
        self._tell(Analysed(self._analyse_slice(heads)))

    def _analyse_all(self) -> Iterator[float]:
        """Work out the status of every thread in slices; yields seconds to rest."""
        size = _VISIBLE
        told_at = time.monotonic()
        while heads := self.roster.after(self._analysed_to, size):
            began = time.monotonic()
            self._untold |= self._analyse_slice([head for head in heads if head.thread_id not in self._early])
            self._analysed_to = heads[-1].thread_id
            now = time.monotonic()
            if now - told_at >= _FLUSH_SECONDS:
                self._tell_the_rest()
                told_at = now
            size = max(5, min(500, round(size * _SLICE_SECONDS / max(now - began, 0.001))))
            yield _rest_after(now - began)
        self._to_analyse = False
        self._early.clear()
        self._tell_the_rest()

    def _tell_the_rest(self) -> None:
        results, self._untold = self._untold, {}
        if results:
            self._tell(Analysed(results))

    def _analyse_slice(self, heads: Sequence[ThreadHead]) -> dict[str, Summary]:
        from .status import summarise

        return {thread_id: self._shared(summarise(found)) for thread_id, found in self._analyses(heads).items()}

    def _analyses(self, heads: Sequence[ThreadHead]) -> Mapping[str, Analysis]:
        """Analyse heads; one that breaks the analysis is shown so, and spoils no other."""
        try:
            return self._reader.analyse_heads(heads)
        except (StoreError, OSError):
            raise
        except Exception as error:
            if len(heads) == 1:
                reason = one_line(f"lgtop failed on this thread: {type(error).__name__}: {error}", _REASON_LENGTH)
                return {heads[0].thread_id: Analysis(StatusName.UNKNOWN, reason)}
            return {key: found for head in heads for key, found in self._analyses([head]).items()}

    def _shared(self, summary: Summary) -> Summary:
        """The same object for equal summaries: most threads of a store have one of a few."""
        if len(self._known) > _SHARED_SUMMARIES:
            self._known.clear()
        return self._known.setdefault(summary, summary)


def _rest_after(spent: float) -> float:
    return spent / _REST_SHARE - spent
