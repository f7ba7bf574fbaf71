"""What could stand at the cursor of a filter: names of fields, and the values that the store really holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .model import StatusName, ThreadRow
from .query_pattern import Pattern
from .query_terms import FIELDS, META, NUMBERS, PLUMBING, scalar_text, written_name

_TOKEN: Final = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*"?)*$')
_PARTS: Final = re.compile(
    r"(?P<bangs>!*)(?:(?P<name>[^\W\d][\w.\-/@]*)(?P<sign>[:=]!*)(?P<before>.*,)?)?(?P<partial>.*)", re.DOTALL
)
_NAMES: Final = (
    "status:",
    "node:",
    "id:",
    "reason:",
    "source:",
    "age<",
    "age>",
    "step>",
    "checkpoints>",
    "interrupts>",
)
_LONGEST_VALUE: Final = 60
"""Characters; longer values are text to read, not to pick."""


@dataclass(frozen=True, slots=True)
class Facets:
    """What a store holds, most frequent first.

    Attributes:
        statuses: Status names that occur.
        nodes: Names of next nodes.
        sources: Sources of head checkpoints.
        metadata: Metadata key -> values.
    """

    statuses: tuple[str, ...] = tuple(StatusName)
    nodes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ("input", "loop", "update", "fork")
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def collect_facets(rows: Iterable[ThreadRow], keys: int = 50, values: int = 50) -> Facets:
    """Count what some rows hold; parses their metadata (2 µs a row).

    Args:
        rows: The rows to look at; a few thousand say enough.
        keys: At most so many metadata keys.
        values: At most so many values of each key and nodes.
    """
    statuses: Counter[str] = Counter()
    nodes: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    metadata: dict[str, Counter[str]] = {}
    for row in rows:
        if row.summary is not None:
            statuses[row.summary.status] += 1
            nodes.update(row.summary.next)
        if row.head.source is not None:
            sources[row.head.source] += 1
        for key, value in row.head.metadata.items():
            if key in PLUMBING or isinstance(value, dict | list) or (key not in metadata and len(metadata) >= keys):
                continue
            text = scalar_text(value)
            if len(text) <= _LONGEST_VALUE:
                metadata.setdefault(key, Counter())[text] += 1
    return Facets(
        statuses=_frequent(statuses, len(StatusName)) or tuple(StatusName),
        nodes=_frequent(nodes, values),
        sources=_frequent(sources, values),
        metadata={key: _frequent(seen, values) for key, seen in metadata.items()},
    )


def complete(text: str, cursor: int, facets: Facets) -> list[str]:
    """Whole filters that the text could become by completing the term that the cursor is in or behind.

    Args:
        text: The filter as typed.
        cursor: Index of the cursor in it, 0 to ``len(text)``.
        facets: What the store holds.

    Returns:
        Texts, most likely first; empty where nothing is known to fit or the term is complete.
    """
    before, after = text[:cursor], text[cursor:]
    found = _TOKEN.search(before)
    token = found[0] if found else ""
    stem = before[: len(before) - len(token)]
    return [stem + choice + after for choice in _choices(token, facets) if choice != token]


def _choices(token: str, facets: Facets) -> list[str]:
    parts = _PARTS.fullmatch(token)
    if parts is None:
        return []
    name, partial = parts["name"], parts["partial"].strip('"').lower()
    if name is None:
        names = [*_NAMES, *(f"{written_name(META + key)}:" for key in facets.metadata)]
        return [parts["bangs"] + known for known in names if known.startswith(partial)]
    lead = f"{parts['bangs']}{name}{parts['sign']}{parts['before'] or ''}"
    used = {value.strip('"').lower() for value in (parts["before"] or "").split(",")}
    values = [value for value in _values(name, facets) if value.lower() not in used]
    starting = [value for value in values if value.lower().startswith(partial)]
    holding = [value for value in values if partial in value.lower() and value not in starting]
    return [lead + str(Pattern((value,))) for value in starting + holding]


def _values(name: str, facets: Facets) -> tuple[str, ...]:
    key = name.removeprefix("metadata.").removeprefix(META)
    known = FIELDS.get(name.lower())
    if known is None:
        return facets.metadata.get(key, ())
    if known in NUMBERS:
        return ()
    return {"status": facets.statuses, "next": facets.nodes, "source": facets.sources}.get(known, ())


def _frequent(counter: Counter[str], limit: int) -> tuple[str, ...]:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return tuple(value for value, _ in ordered[:limit])
