"""The heads that a feed has told of, by thread id, at eight bytes a thread on top of the shared heads."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from operator import attrgetter

from .model import ThreadHead

_id = attrgetter("thread_id")


class Roster:
    """Heads sorted by thread id."""

    __slots__ = ("_heads",)

    def __init__(self, heads: Iterable[ThreadHead] = ()) -> None:
        self._heads = sorted(heads, key=_id)

    def __len__(self) -> int:
        return len(self._heads)

    def __iter__(self) -> Iterator[ThreadHead]:
        return iter(self._heads)

    def get(self, thread_id: str) -> ThreadHead | None:
        """The head of a thread, if it is there."""
        at = bisect_left(self._heads, thread_id, key=_id)
        if at < len(self._heads) and self._heads[at].thread_id == thread_id:
            return self._heads[at]
        return None

    def put(self, head: ThreadHead) -> None:
        """Add a thread, or replace its head."""
        at = bisect_left(self._heads, head.thread_id, key=_id)
        if at < len(self._heads) and self._heads[at].thread_id == head.thread_id:
            self._heads[at] = head
        else:
            self._heads.insert(at, head)

    def discard(self, thread_id: str) -> None:
        """Remove a thread if it is there."""
        at = bisect_left(self._heads, thread_id, key=_id)
        if at < len(self._heads) and self._heads[at].thread_id == thread_id:
            del self._heads[at]

    def after(self, thread_id: str | None, limit: int) -> list[ThreadHead]:
        """The next heads whose id is greater than ``thread_id``; from the first for ``None``."""
        start = 0 if thread_id is None else bisect_right(self._heads, thread_id, key=_id)
        return self._heads[start : start + limit]
