"""A made-up graph for the thread in ``thread_stores``, as the child that imported it would describe it."""

from __future__ import annotations

from typing import Any

import pytest

from backends.graphs.drawing import Drawing, Edge, Node
from backends.runs.spec import GraphRef
from tui.control import Control

REF = GraphRef("./loans.py:graph", "/data", "loans")

INSIDE = Drawing(
    "review",
    (Node("__start__"), Node("ask"), Node("note"), Node("__end__")),
    (Edge("__start__", "ask"), Edge("ask", "note", True, "yes"), Edge("ask", "__end__", True, "no"),
     Edge("note", "__end__")),
)  # fmt: skip

LOANS = Drawing(
    "loans",
    (Node("__start__"), Node("plan"), Node("lookup"), Node("score"), Node("review", INSIDE), Node("write"),
     Node("__end__")),
    (
        Edge("__start__", "plan"),
        Edge("plan", "lookup"),
        Edge("plan", "score"),
        Edge("lookup", "review"),
        Edge("score", "review"),
        Edge("review", "write", True, "approved"),
        Edge("review", "plan", True, "again"),
        Edge("write", "__end__"),
    ),
    interrupt_before=("write",),
)  # fmt: skip


def know(monkeypatch: pytest.MonkeyPatch, drawing: Drawing = LOANS, refs: tuple[GraphRef, ...] = (REF,)) -> None:
    """Let every app know this graph."""

    async def fitting(self: Control, thread_id: str) -> list[GraphRef]:
        return list(refs)

    async def draw(self: Control, graph: GraphRef) -> Drawing:
        return drawing

    monkeypatch.setattr(Control, "fitting", fitting)
    monkeypatch.setattr(Control, "drawing", draw)


def facts(**changes: Any) -> Drawing:
    """The same graph with something changed."""
    from dataclasses import replace

    return replace(LOANS, **changes)
