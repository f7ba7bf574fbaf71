"""The ledger of an experiment: what its nodes did to the world outside, whatever became of their checkpoints.

A graph that keeps one finds its path in the environment, and appends a JSON object a line: ``thread``, ``node`` and
``kind``, which is ``begin`` when the node begins and ``effect`` for each thing done, with ``what`` and perhaps ``key``.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

LEDGER: Final = "LGTOP_LEDGER"
"""Environment variable with the path of the ledger."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one node did on one thread.

    Attributes:
        begun: How often it began.
        effects: How often it did each thing.
        since: Things done since it last began.
    """

    begun: int = 0
    effects: Counter[str] = field(default_factory=Counter)
    since: int = 0

    @property
    def done(self) -> int:
        """Things done."""
        return self.effects.total()

    @property
    def again(self) -> int:
        """Things done that had been done before."""
        return self.effects.total() - len(self.effects)


def read_ledger(path: Path) -> list[Mapping[str, Any]]:
    """The lines of a ledger; one that was being written when its process died is passed over."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [entry for line in lines if isinstance(entry := _parsed(line), dict)]


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def pages(entries: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Page]]:
    """Sort the lines of a ledger.

    Args:
        entries: Its lines.

    Returns:
        A page by thread and by name of the node.
    """
    begun: Counter[tuple[str, str]] = Counter()
    since: Counter[tuple[str, str]] = Counter()
    effects: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for entry in entries:
        place = str(entry.get("thread")), str(entry.get("node"))
        if entry.get("kind") == "begin":
            begun[place] += 1
            since[place] = 0
        elif entry.get("kind") == "effect":
            effects[place][f"{entry.get('key') or ''} {entry.get('what') or ''}"] += 1
            since[place] += 1
    found: dict[str, dict[str, Page]] = {}
    for place in {**begun, **effects}:
        found.setdefault(place[0], {})[place[1]] = Page(begun[place], effects[place], since[place])
    return found
