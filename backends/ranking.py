"""A sorted sequence of threads that takes changes in microseconds: short sorted lists in a row.

Inserting into one list of 100,000 places moves up to 800 kB; into a list of a thousand, 8 kB. What a thread is
sorted by and its id stand in two parallel lists: a tuple for every thread would cost more memory than both.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice
from typing import Any, Final, TypeAlias, overload

Key: TypeAlias = tuple[Any, str]
"""What a thread is sorted by, of one type within a ranking, and the thread id, which makes keys unique."""

_SHORT: Final = 1000
"""Threads in a fresh list; it splits when it has twice as many."""


class Ranking(Sequence[str]):
    """Thread ids in the order of their keys.

    Args:
        keys: Sorted keys.
        reverse: Whether the sequence runs from the largest key to the smallest.
    """

    __slots__ = ("_ids", "_leads", "_reverse", "_starts")

    def __init__(self, keys: Iterable[Key] = (), reverse: bool = False) -> None:
        self._reverse = reverse
        self._starts: list[int] | None = None
        self._fill(keys)

    def sorted_keys(self) -> Iterator[Key]:
        """The keys in ascending order."""
        return chain.from_iterable(map(zip, self._leads, self._ids))

    def copy(self) -> Ranking:
        """An independent ranking of the same keys."""
        twin = Ranking(reverse=self._reverse)
        twin._leads = [leads[:] for leads in self._leads]
        twin._ids = [ids[:] for ids in self._ids]
        return twin

    def add(self, key: Key) -> None:
        """Insert a key; nothing happens if it is there already."""
        at, place, found = self._seek(key)
        if found:
            return
        leads, ids = self._leads[at], self._ids[at]
        leads.insert(place, key[0])
        ids.insert(place, key[1])
        if len(ids) > 2 * _SHORT:
            self._leads[at : at + 1] = [leads[:_SHORT], leads[_SHORT:]]
            self._ids[at : at + 1] = [ids[:_SHORT], ids[_SHORT:]]
        self._starts = None

    def discard(self, key: Key) -> None:
        """Remove a key if it is there."""
        at, place, found = self._seek(key)
        if not found:
            return
        del self._leads[at][place], self._ids[at][place]
        if not self._ids[at] and len(self._ids) > 1:
            del self._leads[at], self._ids[at]
        self._starts = None

    def update(self, keys: Iterable[Key]) -> None:
        """Insert many keys that are not there yet; sorts anew where that is cheaper than one by one."""
        fresh = list(keys)
        if len(fresh) * 4 > len(self):
            self._fill(sorted(chain(self.sorted_keys(), fresh)))
            return
        for key in fresh:
            self.add(key)

    def holds(self, key: Key) -> bool:
        """Whether a key is there."""
        return self._seek(key)[2]

    def place(self, key: Key) -> int | None:
        """Index of a key in the sequence, in logarithmic time; ``None`` if it is not there."""
        at, place, found = self._seek(key)
        return self._turned(self._offsets()[at] + place) if found else None

    def __len__(self) -> int:
        return self._offsets()[-1]

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        size = len(self)
        if not -size <= index < size:
            raise IndexError(index)
        place = self._turned(index % size)
        starts = self._offsets()
        at = bisect_right(starts, place) - 1
        return self._ids[at][place - starts[at]]

    def __iter__(self) -> Iterator[str]:
        if not self._reverse:
            return chain.from_iterable(self._ids)
        return chain.from_iterable(map(reversed, reversed(self._ids)))

    def _turned(self, place: int) -> int:
        return len(self) - 1 - place if self._reverse else place

    def _seek(self, key: Key) -> tuple[int, int, bool]:
        """Number of the list where ``key`` belongs, its place in there, and whether it is there."""
        lead, thread_id = key
        low, high = 0, len(self._ids) - 1
        while low < high:
            middle = (low + high) // 2
            last = self._leads[middle][-1]
            if last < lead or (last == lead and self._ids[middle][-1] < thread_id):
                low = middle + 1
            else:
                high = middle
        leads, ids = self._leads[low], self._ids[low]
        first = bisect_left(leads, lead)
        after = bisect_right(leads, lead, first)
        place = bisect_left(ids, thread_id, first, after)
        return low, place, place < after and ids[place] == thread_id

    def _fill(self, keys: Iterable[Key]) -> None:
        self._leads: list[list[Any]] = []
        self._ids: list[list[str]] = []
        rest = iter(keys)
        while (cut := list(islice(rest, _SHORT))) or not self._ids:
            self._leads.append([lead for lead, _ in cut])
            self._ids.append([thread_id for _, thread_id in cut])
        self._starts = None

    def _offsets(self) -> list[int]:
        """Start of every list, and the total at the end."""
        if self._starts is None:
            self._starts = list(accumulate(map(len, self._ids), initial=0))
        return self._starts
