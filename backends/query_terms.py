"""The terms of a filter: what one of them asks of a thread, and how it is written."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from .model import StatusName, Summary, ThreadHead, ThreadRow
from .query_pattern import ESCAPED, Pattern
from .values import Value

Test: TypeAlias = Callable[[ThreadRow], bool]
"""Answers a question about a row; ``now`` is already part of it."""

FIELDS: Final[Mapping[str, str]] = {
    "id": "id",
    "thread": "id",
    "status": "status",
    "next": "next",
    "node": "next",
    "reason": "reason",
    "why": "reason",
    "source": "source",
    "step": "step",
    "checkpoints": "checkpoints",
    "ckpts": "checkpoints",
    "interrupts": "interrupts",
    "age": "age",
}
"""Name as written -> field. Every other name is a metadata key."""

NUMBERS: Final = frozenset({"step", "checkpoints", "interrupts", "age"})
"""Fields that hold a number; ``age`` in seconds."""

OF_SUMMARY: Final = frozenset({"status", "next", "reason", "interrupts"})
"""Fields that are not known before the thread has been analysed."""

META: Final = "meta."
"""Prefix of a field that is a metadata key."""

PLUMBING: Final = frozenset({"source", "step", "parents", "writes"})
"""Metadata that LangGraph writes on every checkpoint; plain words do not look there."""

UNITS: Final[Mapping[str, float]] = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Match:
    """``field:pattern,pattern`` or a plain word.

    Attributes:
        field: A field of ``FIELDS``, ``meta.<key>``, or ``""`` for a plain word.
        patterns: The row fits if any of them does.
        negated: Whether the answer is turned round.
    """

    field: str
    patterns: tuple[Pattern, ...]
    negated: bool = False

    def __str__(self) -> str:
        sign = "!" if self.negated else ""
        name = f"{written_name(self.field)}:" if self.field else ""
        return name + sign + ",".join(map(str, self.patterns))

    def test(self, now: float) -> Test:
        """The question that this term asks; ``now`` plays no part in it."""
        if self.field == "status":
            return _guarded(_status_test(self.patterns), self.negated, known=_analysed)
        if self.field.startswith(META):
            return _guarded(_metadata_test(self.field[len(META) :], self.patterns), self.negated)
        if not self.field:
            return _guarded(_word_test(self.patterns[0]), self.negated)
        fits = _any([pattern.inside() if self.field == "reason" else pattern.whole() for pattern in self.patterns])
        if self.field == "id":
            return _guarded(lambda row: fits(row.head.thread_id), self.negated)
        if self.field == "source":
            return _guarded(lambda row: row.head.source is not None and fits(row.head.source), self.negated)
        of = _next_test(fits) if self.field == "next" else _reason_test(fits)
        return _guarded(of, self.negated, known=_analysed)


@dataclass(frozen=True, slots=True)
class Compare:
    """``field<number`` and its kin.

    Attributes:
        field: A field of ``NUMBERS`` or ``meta.<key>``.
        op: ``=``, ``<``, ``<=``, ``>`` or ``>=``.
        numbers: The row fits if it compares so with any of them; ages in seconds.
        negated: Whether the answer is turned round.
    """

    field: str
    op: str
    numbers: tuple[float, ...]
    negated: bool = False

    def __str__(self) -> str:
        spell = _written_age if self.field == "age" else _written_number
        sign = "!" if self.negated else ""
        return f"{sign}{written_name(self.field)}{self.op}{','.join(map(spell, self.numbers))}"

    def test(self, now: float) -> Test:
        """The question that this term asks at the Unix time ``now``; a row without such a number does not fit."""
        compare, numbers = _OPERATORS[self.op], self.numbers
        read = _number_reader(self.field, now)

        def fits(row: ThreadRow) -> bool:
            value = read(row)
            return value is not None and any(compare(value, number) for number in numbers)

        known = {"interrupts": _analysed, "checkpoints": _counted}.get(self.field)
        return _guarded(fits, self.negated, known)


Term: TypeAlias = Match | Compare


def written_name(field: str) -> str:
    """The name of a field as one writes it: metadata keys need their prefix only where a field has the same name."""
    key = field.removeprefix(META)
    hidden = key in FIELDS or key.startswith((META, "metadata."))
    return field if field.startswith(META) and hidden else key


def metadata_texts(metadata: Mapping[str, Value]) -> Iterator[str]:
    """The texts and numbers in an application's own metadata, nested ones included."""
    open_values = [value for key, value in metadata.items() if key not in PLUMBING]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            open_values.extend(value.values())
        elif isinstance(value, list):
            open_values.extend(value)
        else:
            yield scalar_text(value)


def scalar_text(value: Value) -> str:
    """A JSON scalar as one writes it in a filter: ``t3``, ``7``, ``true``, ``null``."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def lookup(metadata: Mapping[str, Value], key: str) -> Value:
    """The metadata under ``key``; where there is no such key, dots lead into nested objects. ``KeyError`` if absent."""
    while key not in metadata:
        head, dot, key = key.partition(".")
        nested = metadata[head] if dot else None
        if not isinstance(nested, dict):
            raise KeyError(head)
        metadata = nested
    return metadata[key]


def _guarded(test: Test, negated: bool, known: Test | None = None) -> Test:
    """Turn a test round if ``negated``; a row of which the fact is not known yet fits neither way."""
    if known is None:
        return (lambda row: not test(row)) if negated else test
    return lambda row: known(row) and test(row) is not negated


def _analysed(row: ThreadRow) -> bool:
    return row.summary is not None


def _counted(row: ThreadRow) -> bool:
    return row.checkpoints is not None


def _any(tests: list[Callable[[str], bool]]) -> Callable[[str], bool]:
    if len(tests) == 1:
        return tests[0]
    return lambda text: any(test(text) for test in tests)


def _status_test(patterns: tuple[Pattern, ...]) -> Test:
    fits = _any([pattern.whole() for pattern in patterns])
    wanted = frozenset(status for status in StatusName if fits(status))
    return lambda row: row.summary is not None and row.summary.status in wanted


def _next_test(fits: Callable[[str], bool]) -> Test:
    return lambda row: row.summary is not None and any(fits(name) for name in row.summary.next)


def _reason_test(fits: Callable[[str], bool]) -> Test:
    return lambda row: row.summary is not None and fits(row.summary.reason)


def _metadata_test(key: str, patterns: tuple[Pattern, ...]) -> Test:
    """Parse only metadata whose bytes can hold the key and one of the values: parsing costs ten times the search."""
    fits = _any([pattern.whole() for pattern in patterns])
    present = any(not any(pattern.pieces) and len(pattern.pieces) > 1 for pattern in patterns)
    key_anchor = None if ESCAPED.search(key) else key.partition(".")[0].encode()
    anchors = [pattern.anchor for pattern in patterns]
    sought = [anchor for anchor in anchors if anchor is not None] if None not in anchors else []

    def test(row: ThreadRow) -> bool:
        raw = row.head.metadata_json
        if b"\\" not in raw:
            if key_anchor is not None and key_anchor not in raw:
                return False
            if sought:
                lower = raw.lower()
                if not any(anchor in lower for anchor in sought):
                    return False
        try:
            value = lookup(row.head.metadata, key)
        except KeyError:
            return False
        if isinstance(value, dict):
            return present
        values = value if isinstance(value, list) else [value]
        return present or any(fits(scalar_text(v)) for v in values if not isinstance(v, dict | list))

    return test


def _word_test(pattern: Pattern) -> Test:
    """A word is looked for in id, status, next nodes, reason and the application's metadata."""
    fits = pattern.inside()
    anchor = pattern.anchor or b""
    needle = anchor.decode()
    statuses = frozenset(status for status in StatusName if fits(status))
    literal = len(pattern.pieces) == 1 and bool(needle)

    def of_summary(summary: Summary) -> bool:
        return summary.status in statuses or fits(summary.reason) or any(map(fits, summary.next))

    def of_metadata(head: ThreadHead) -> bool:
        return any(map(fits, metadata_texts(head.metadata)))

    def test(row: ThreadRow) -> bool:
        head, summary = row.head, row.summary
        return fits(head.thread_id) or (summary is not None and of_summary(summary)) or of_metadata(head)

    def literal_test(row: ThreadRow) -> bool:
        """The same without a call for most rows: this runs over all of them on every key typed."""
        head, summary = row.head, row.summary
        if needle in head.thread_id.lower():
            return True
        if summary is not None:
            if summary.status in statuses or (summary.reason and needle in summary.reason.lower()):
                return True
            for name in summary.next:
                if needle in name.lower():
                    return True
        raw = head.metadata_json
        return (anchor in raw.lower() or b"\\" in raw) and of_metadata(head)

    return literal_test if literal else test


def _number_reader(field: str, now: float) -> Callable[[ThreadRow], float | None]:
    if field == "step":
        return lambda row: row.head.step
    if field == "checkpoints":
        return lambda row: row.checkpoints
    if field == "interrupts":
        return lambda row: None if row.summary is None else row.summary.interrupts
    if field == "age":

        def age(row: ThreadRow) -> float | None:
            updated = row.head.updated_at
            return None if updated is None else now - updated

        return age
    key = field.removeprefix(META)

    def of_metadata(row: ThreadRow) -> float | None:
        try:
            value = lookup(row.head.metadata, key)
        except KeyError:
            return None
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    return of_metadata


def _written_number(number: float) -> str:
    return str(int(number)) if number.is_integer() else f"{number!r}"


def _written_age(seconds: float) -> str:
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % UNITS[unit] == 0:
            return f"{int(seconds / UNITS[unit])}{unit}"
    return f"{_written_number(seconds)}s"
