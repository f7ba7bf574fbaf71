"""The graphs that are struck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """A graph that is struck.

    Attributes:
        graph: Module of ``demo_graphs``.
        input: What it is given.
        struck: The node, as a fault names it.
        nodes: Every node that keeps the ledger, as a path.
        calls: For an entrypoint, the type of what each of its tasks returns, by which its rows are known, and how many
            of them there are.
        entry: The entrypoint.
    """

    graph: str
    input: Mapping[str, Any]
    struck: str
    nodes: tuple[str, ...]
    calls: Mapping[str, tuple[type, int]] = field(default_factory=dict)
    entry: str = ""

    @property
    def paths(self) -> dict[str, str]:
        """Path by name, as the ledger has it."""
        return {path.rpartition("/")[2]: path for path in self.nodes}


PIPELINE = Case("pipeline", {"rows": 10, "pace": 0.2, "down": []}, "transform", ("fetch", "transform", "load"))

TASKS = Case(
    "tasks",
    {"pages": ["/a", "/b"], "pace": 0.2, "closed": False},
    "publish",
    ("fetch", "publish"),
    {"fetch": (int, 2), "publish": (str, 1)},
    "report",
)

SUBGRAPH = Case(
    "subgraph",
    {"topic": "tides", "pace": 0.2},
    "research/search",
    ("plan", "research/search", "research/review", "research/digest", "write"),
)
"""Its run ends at its question."""

AWAITED = Case("timeout", {"question": "Rain?", "delay": 0.1, "pace": 0.2}, "answer", ("ask", "answer"))
"""Coroutines."""

ONCE = Case("idempotent", {"booking_id": "b4", "seats": 4, "pace": 0.2}, "charge", ("reserve", "charge", "confirm"))

CASES = {case.graph: case for case in (PIPELINE, TASKS, SUBGRAPH, AWAITED, ONCE)}

USUAL = ["pipeline", "tasks", "subgraph"]
