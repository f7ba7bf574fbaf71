"""Which item of one list is which item of another, so that an insertion is not a change of all that follows."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

from .values import Typed, Value


def align(a: Sequence[Value], b: Sequence[Value]) -> list[tuple[int, int]]:
    """Pair the items of two lists that are the same item, or its successor; both indices rise.

    The k-th item with an identity in ``a`` belongs to the k-th in ``b``; of these pairs the longest rising run is kept,
    so that it costs n log n however often items repeat. In the gaps, items without an id are paired by position.
    """
    places = {key: i for i, key in enumerate(_numbered(a))}
    candidates = [(places[key], j) for j, key in enumerate(_numbered(b)) if key in places]
    anchors = _longest_rising(candidates)
    pairs: list[tuple[int, int]] = []
    i = j = 0
    for next_i, next_j in [*anchors, (len(a), len(b))]:
        gap = zip(range(i, next_i), range(j, next_j), strict=False)
        pairs.extend((x, y) for x, y in gap if _successor(a[x], b[y]))
        if next_i < len(a):
            pairs.append((next_i, next_j))
        i, j = next_i + 1, next_j + 1
    return pairs


def _numbered(items: Sequence[Value]) -> Iterator[Hashable]:
    seen: Counter[Hashable] = Counter()
    for item in items:
        key = _identity(item)
        seen[key] += 1
        yield key, seen[key]


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Longest subsequence of pairs, given by rising second part, of which the first parts rise too."""
    tails: list[int] = []  # smallest last first-part of a run of each length
    ends: list[int] = []  # which pair that is
    previous: list[int] = []
    for number, (i, _) in enumerate(pairs):
        at = bisect_left(tails, i)
        previous.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [i]
        ends[at : at + 1] = [number]
    run: list[tuple[int, int]] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        run.append(pairs[number])
        number = previous[number]
    return run[::-1]


def _id(value: Value) -> Value:
    """The id that a message or record carries, or ``None``."""
    fields = value.data if type(value) is Typed else value
    found = fields.get("id") if type(fields) is dict else None
    return found if type(found) in (str, int) else None


def _identity(value: Value, depth: int = 2) -> Hashable:
    """What makes an item the same item: its id, else a digest of its content (two different items may share one)."""
    kind = type(value)
    found = _id(value)
    if found is not None:
        return "id", type(found), found
    if kind is str or kind is bytes:
        return kind, value
    if kind is Typed:
        return value.module, value.name, _identity(value.data, depth)
    if kind is dict or kind is list:
        if not depth:
            return kind, len(value)
        parts = [*value.items()] if kind is dict else value
        inner = tuple(_identity(part, depth - 1) for part in ([*parts[:8], *parts[-1:]]))
        return kind, len(value), inner
    if kind is tuple:
        return tuple(_identity(part, depth) for part in value[:4])
    return kind, repr(value)[:64]


def _successor(old: Value, new: Value) -> bool:
    """Whether two items at one place of a gap are shown as one item that changed: neither has an id of its own."""
    return _id(old) is None and _id(new) is None
