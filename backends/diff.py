"""What changed between two values, as a list of changes that turns one into the other.

Mappings are compared by key, lists by the identity of their items (the ``id`` of a message or record, else their
content), instances of the same class field by field, sets without order. ``1``, ``1.0`` and ``True`` differ, ``-0.0``
and ``0.0`` differ, NaN equals itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .align import align
from .equality import delta_parts, keys_by_identity, same, same_class
from .literals import is_unordered
from .messages import is_message
from .values import DeltaValue, Typed, Value

Path: TypeAlias = tuple[Value, ...]
"""Keys and indices from the root; the fields of a ``Typed`` are reached without a key of their own."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        op: ``add``, ``remove`` or ``replace``.
        path: Where. For an item that was removed from a list, its index in the old list; otherwise in the new one.
        old: The value before; ``None`` for ``add``.
        new: The value after; ``None`` for ``remove``.
    """

    op: Literal["add", "remove", "replace"]
    path: Path
    old: Value
    new: Value


def diff(a: Value, b: Value) -> list[Change]:
    """Compare two values.

    Args:
        a: The value before.
        b: The value after.

    Returns:
        Changes to be applied in order: ``same(apply(diff(a, b), a), b)``. For each list first what was removed, last
        index first; then what was added, first index first; then what changed inside its items.
    """
    return list(_diff(a, b, ()))


def _diff(a: Value, b: Value, path: Path) -> Iterator[Change]:
    if a is b:
        return
    kind = type(a)
    if kind is not type(b):
        yield Change("replace", path, a, b)
    elif kind is dict:
        yield from _diff_dicts(a, b, path)
    elif kind is list:
        yield from _diff_lists(a, b, path)
    elif kind is Typed and same_class(a, b) and type(a.data) is type(b.data) and type(a.data) in (dict, list):
        if is_unordered(a):
            yield from _diff_sets(a.data, b.data, path)
        else:
            yield from _diff(a.data, b.data, path)
    elif kind is DeltaValue and a.has_seed == b.has_seed and a.complete == b.complete:
        yield from _diff(delta_parts(a), delta_parts(b), path)
    elif not same(a, b):
        yield Change("replace", path, a, b)


def _diff_dicts(a: dict[Value, Value], b: dict[Value, Value], path: Path) -> Iterator[Change]:
    mine, theirs = keys_by_identity(a), keys_by_identity(b)
    for key, name in mine.items():
        if key not in theirs:
            yield Change("remove", (*path, name), a[name], None)
    for key, name in theirs.items():
        if key in mine:
            yield from _diff(a[mine[key]], b[name], (*path, mine[key]))
        else:
            yield Change("add", (*path, name), None, b[name])


def _diff_sets(a: list[Value], b: list[Value], path: Path) -> Iterator[Change]:
    """Compare elements without order; what is new goes to the end."""
    gone, new = Counter(map(repr, a)), Counter(map(repr, b))
    gone, new = gone - new, new - gone
    kept = len(a)
    for index in range(len(a) - 1, -1, -1):
        if gone and gone[repr(a[index])] > 0:
            gone[repr(a[index])] -= 1
            kept -= 1
            yield Change("remove", (*path, index), a[index], None)
    for item in b:
        if new and new[repr(item)] > 0:
            new[repr(item)] -= 1
            yield Change("add", (*path, kept), None, item)
            kept += 1


def _diff_lists(a: list[Value], b: list[Value], path: Path) -> Iterator[Change]:
    start, end = 0, 0
    shorter = min(len(a), len(b))
    while start < shorter and same(a[start], b[start]):
        start += 1
    while end < shorter - start and same(a[-1 - end], b[-1 - end]):
        end += 1
    old, new = a[start : len(a) - end], b[start : len(b) - end]
    pairs = align(old, new) if old and new else []
    paired_old, paired_new = {i for i, _ in pairs}, {j for _, j in pairs}
    for i in range(len(old) - 1, -1, -1):
        if i not in paired_old:
            yield Change("remove", (*path, start + i), old[i], None)
    for j, item in enumerate(new):
        if j not in paired_new:
            yield Change("add", (*path, start + j), None, item)
    for i, j in pairs:
        yield from _diff(old[i], new[j], (*path, start + j))


def apply(changes: Sequence[Change], a: Value) -> Value:
    """Apply the changes from ``diff`` to a value; the value itself is not changed.

    Args:
        changes: In the order in which ``diff`` gave them.
        a: The value that they were computed for.

    Raises:
        LookupError: They were computed for another value.
    """
    for change in changes:
        a = _edited(a, change.path, change)
    return a


def _edited(value: Value, path: Path, change: Change) -> Value:
    """Return a copy of ``value``, as deep as ``path``, with the change made."""
    if not path:
        return change.new
    content, rebuilt = _opened(value)
    copy = content.copy()
    key = path[0]
    if len(path) > 1 or change.op == "replace":
        copy[key] = _edited(copy[key], path[1:], change)
    elif change.op == "remove":
        del copy[key]
    elif isinstance(copy, list):
        copy.insert(key, change.new)
    else:
        copy[key] = change.new
    return rebuilt(copy)


def _opened(value: Value) -> tuple[Value, Callable[[Value], Value]]:
    """The list or mapping that a path goes on in, and what makes the value of an edited one."""
    if isinstance(value, Typed):
        return value.data, lambda data: Typed(value.module, value.name, data, value.form, value.method)
    if isinstance(value, DeltaValue):
        return delta_parts(value), lambda parts: DeltaValue(
            parts["seed"], value.has_seed, tuple(parts["writes"]), value.complete
        )
    if isinstance(value, list | dict):
        return value, lambda data: data
    raise LookupError(f"no path into a {type(value).__name__}")


def channel_summary(changes: Sequence[Change]) -> dict[str, str]:
    """Say in a few words what changed in each channel.

    Args:
        changes: From ``diff`` of two states (mappings of channel to value).

    Returns:
        Channel name to text, e.g. ``+2 messages``, ``+3 −1 items, 1 changed``, ``new``, ``gone``, ``changed``.
    """
    by_channel: dict[str, list[Change]] = {}
    for change in changes:
        if change.path:
            by_channel.setdefault(str(change.path[0]), []).append(change)
    return {channel: _summary(found) for channel, found in by_channel.items()}


def _summary(changes: Sequence[Change]) -> str:
    if len(changes[0].path) == 1:
        return {"add": "new", "remove": "gone", "replace": "changed"}[changes[0].op]
    counts: Counter[tuple[str, str]] = Counter()
    edited: set[str] = set()
    for change in changes:
        kind = _item_kind(change)
        if kind is None:
            edited.add(repr(change.path[1:2]))
        else:
            counts[kind, change.op] += 1
    parts = []
    for kind in dict.fromkeys(kind for kind, _ in counts):
        added, removed = counts[kind, "add"], counts[kind, "remove"]
        signs = " ".join([f"+{added}"] * bool(added) + [f"−{removed}"] * bool(removed))
        parts.append(f"{signs} {kind}{'' if max(added, removed) == 1 else 's'}")
    if edited:
        parts.append(f"{len(edited)} changed")
    return ", ".join(parts)


def _item_kind(change: Change) -> str | None:
    """What was added to or removed from the channel itself; ``None`` for a change further inside."""
    if len(change.path) > 2 or change.op == "replace":
        return None
    if not isinstance(change.path[1], int):
        return "key"
    return "message" if is_message(change.new if change.op == "add" else change.old) else "item"


_MOST_LINES = 2000


def line_diff(old: str, new: str) -> list[tuple[str, str]]:
    """Compare two texts line by line.

    Args:
        old: The text before.
        new: The text after.

    Returns:
        (tag, line) with the tags ``" "``, ``-`` and ``+``. Where more than 2,000 lines differ in one stretch, they are
        not matched with each other: all old ones, then all new ones.
    """
    a, b = old.split("\n"), new.split("\n")
    start = _common(a, b)
    end = _common(a[start:][::-1], b[start:][::-1])
    middle_a, middle_b = a[start : len(a) - end], b[start : len(b) - end]
    lines = [(" ", line) for line in a[:start]]
    if max(len(middle_a), len(middle_b)) > _MOST_LINES:
        lines += [("-", line) for line in middle_a] + [("+", line) for line in middle_b]
    else:
        lines += _matched_lines(middle_a, middle_b)
    return lines + [(" ", line) for line in a[len(a) - end :]]


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    """How many items two lists begin with alike."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _matched_lines(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[str, str]]:
    from difflib import SequenceMatcher

    for op, i1, i2, j1, j2 in SequenceMatcher(None, a, b).get_opcodes():
        if op == "equal":
            yield from ((" ", line) for line in a[i1:i2])
        else:
            yield from (("-", line) for line in a[i1:i2])
            yield from (("+", line) for line in b[j1:j2])
