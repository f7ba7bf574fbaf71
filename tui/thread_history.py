"""The history of one thread as it is read: newest page first, then the rest, then what is added."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from backends.lineage import Lineage, build
from backends.model import CheckpointKey, CheckpointRow
from backends.reader import Reader

FIRST_PAGE: Final = 500
"""Checkpoints that are shown at once; each further page is twice as long as the one before."""

_NEWEST: Final = 100
"""Checkpoints that are read again when the thread changed."""


@dataclass(frozen=True, slots=True)
class Page:
    """What has been read so far.

    Attributes:
        lineage: The history.
        total: Checkpoints that the store holds.
        complete: Whether all of them have been read.
        gone: Whether the thread is not in the store any more; ``lineage`` is what it was.
        news: Whether this is what was added after the history had been read.
    """

    lineage: Lineage
    total: int
    complete: bool
    gone: bool = False
    news: bool = False


class ThreadHistory:
    """Reads the history of a thread; its state is only touched on the store's thread.

    Args:
        run: Makes a call on the store's thread.
        thread_id: The thread.
    """

    def __init__(self, run: Callable[[Callable[[Reader], Any]], Awaitable[Any]], thread_id: str) -> None:
        self._run = run
        self._thread_id = thread_id
        self._rows: dict[CheckpointKey, CheckpointRow] = {}
        self._nodes: Mapping[CheckpointKey, tuple[str, ...]] = {}
        self._total = 0
        self._complete = False
        self._gone = False

    async def pages(self) -> AsyncIterator[Page]:
        """Read what has not been read yet: page by page the first time, later what was added.

        Between two pages other calls get their turn.

        Raises:
            StoreError: The store cannot be read.
        """
        size = FIRST_PAGE
        news = self._complete
        page: Page = await self._run(self._fresh if news else partial(self._first, size=size))
        yield replace(page, news=news)
        if not page.gone:
            yield await self._run(self._name)
        while not page.complete:
            size *= 2
            page = await self._run(partial(self._more, size=size))
            yield page

    # On the store's thread

    def _first(self, reader: Reader, size: int) -> Page:
        total = reader.store.counts([self._thread_id]).get(self._thread_id, 0)
        rows = reader.store.history(self._thread_id, limit=size)
        self._gone = not rows
        if rows:
            self._rows = {row.key: row for row in rows}
        self._total = max(total, len(rows))
        self._complete = len(rows) < size
        return self._page()

    def _more(self, reader: Reader, size: int) -> Page:
        oldest = min(key.checkpoint_id for key in self._rows)
        rows = reader.store.history(self._thread_id, before=oldest, limit=size)
        self._rows |= {row.key: row for row in rows}
        self._complete = len(rows) < size
        self._total = max(self._total, len(self._rows))
        return self._page()

    def _fresh(self, reader: Reader) -> Page:
        total = reader.store.counts([self._thread_id]).get(self._thread_id, 0)
        rows = reader.store.history(self._thread_id, limit=_NEWEST)
        overlaps = any(row.key in self._rows for row in rows)
        if not overlaps or (self._complete and total != len(self._rows.keys() | {row.key for row in rows})):
            return self._first(reader, max(FIRST_PAGE, total + _NEWEST))
        self._gone = False
        self._total = total
        self._rows |= {row.key: row for row in rows}
        return self._page()

    def _name(self, reader: Reader) -> Page:
        self._nodes = reader.task_nodes(self._thread_id)
        return self._page()

    def _page(self) -> Page:
        return Page(build(list(self._rows.values()), self._nodes), self._total, self._complete, self._gone)
