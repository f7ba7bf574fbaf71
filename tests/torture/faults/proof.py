"""What the rows of the store and the ledger prove of a thread, read with LangGraph's own saver and nothing of ours."""

from __future__ import annotations

import asyncio
import copy
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import StateSnapshot

from demo_graphs import ledger, savers

from .cases import Case

CONTROL = ("__error__", "__interrupt__", "__scheduled__", "__resume__")
"""Channels of writes that are no output."""


@dataclass(frozen=True)
class Proof:
    """How a thread stands.

    Attributes:
        begun: How often each node began, by the ledger.
        effects: How often each had its effect, by the ledger.
        known: Whether the store has anything of the thread.
        saved: Nodes whose work is in the rows: it is not done again.
        failed: Nodes that left an error.
        asks: Nodes that left a question.
        state: Values, due tasks and questions, at every level.
        rows: Numbers of checkpoints and of output writes.
    """

    begun: Counter[str]
    effects: Counter[str]
    known: bool = False
    saved: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()
    state: Any = None
    rows: tuple[int, int] = (0, 0)

    @property
    def due(self) -> Any:
        """What is left to do, at every level; ``None`` where nothing is known."""
        return self.state and _due(self.state)


def undisturbed(case: Case, folder: Path) -> Proof:
    """Run a graph once in this process, in memory."""
    book = folder / f"{case.graph}.jsonl"
    saver = InMemorySaver()
    graph, config = _cast(case, saver, "undisturbed")
    with patch.dict(os.environ, {ledger.PLACE: str(book)}):
        asyncio.run(graph.ainvoke(case.input, config))
    return prove(case, saver, "undisturbed", book)


@contextmanager
def opened(store: str) -> Iterator[BaseCheckpointSaver[Any]]:
    """The application's saver on a store."""
    with savers.open_saver(store) as saver:
        if not savers.is_postgres(store):
            saver.is_setup = True  # type: ignore[attr-defined]  # it would write
        yield saver


def prove(case: Case, saver: BaseCheckpointSaver[Any], thread_id: str, book: Path) -> Proof:
    """Read ledger and rows."""
    entries = ledger.entries(str(book))
    begun, effects = (
        Counter(case.paths[entry["node"]] for entry in entries if entry["kind"] == kind) for kind in ("begin", "effect")
    )
    found = list(saver.list({"configurable": {"thread_id": thread_id}}))
    if not any(one.config["configurable"]["checkpoint_ns"] == "" for one in found):
        return Proof(begun, effects, known=bool(found))  # LangGraph goes on from the root only
    graph, config = _cast(case, saver, thread_id)
    snapshot = graph.get_state(config, subgraphs=True)
    names = dict(_tasks(snapshot))
    heads = _heads(found)
    saved = {node for head in heads for node in _committed(head)}
    writes = [(task, channel, value) for head in heads for task, channel, value in head.pending_writes or ()]
    output = [(task, value) for task, channel, value in writes if channel not in CONTROL]
    saved |= {names[task] for task, _ in output if task in names}
    calls = Counter(type(value) for task, value in output if task not in names)
    for node, (kind, number) in case.calls.items():
        if calls[kind] == number or case.entry in saved:
            saved.add(node)
    return Proof(
        begun,
        effects,
        True,
        frozenset(saved) & frozenset(case.nodes),
        frozenset(names.get(task, case.struck) for task, channel, _ in writes if channel == "__error__"),
        frozenset(names.get(task, case.struck) for task, channel, _ in writes if channel == "__interrupt__"),
        _plain(snapshot),
        (len(found), sum(channel not in CONTROL for one in found for _, channel, _ in one.pending_writes or ())),
    )


def _cast(case: Case, saver: BaseCheckpointSaver[Any], thread_id: str) -> tuple[Any, Any]:
    graph = copy.copy(import_module(f"demo_graphs.{case.graph}").graph)
    graph.checkpointer = saver
    return graph, {"configurable": {"thread_id": thread_id}}


def _heads(found: Iterable[CheckpointTuple]) -> list[CheckpointTuple]:
    """The newest checkpoint of each namespace."""
    heads: dict[str, CheckpointTuple] = {}
    for one in sorted(found, key=lambda one: one.checkpoint["id"]):
        heads[one.config["configurable"]["checkpoint_ns"]] = one
    return list(heads.values())


def _committed(head: CheckpointTuple) -> Iterator[str]:
    """Nodes whose step has a checkpoint: LangGraph notes there what each has seen (``apply_writes``)."""
    outer = _path(head.config["configurable"]["checkpoint_ns"])
    for node, seen in head.checkpoint["versions_seen"].items():
        if seen and not node.startswith("__"):
            yield "/".join([*outer, node])


def _tasks(snapshot: StateSnapshot, outer: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Tasks of the head's step, at every level: id and path."""
    for task in snapshot.tasks:
        path = (*outer, task.name)
        yield task.id, "/".join(path)
        if isinstance(task.state, StateSnapshot):
            yield from _tasks(task.state, path)


def _plain(snapshot: StateSnapshot) -> Any:
    inner = [_plain(task.state) for task in snapshot.tasks if isinstance(task.state, StateSnapshot)]
    asked = [question.value for task in snapshot.tasks for question in task.interrupts]
    due = [task.name for task in snapshot.tasks]  # unlike ``next``, also of a step that has all but its checkpoint
    return {"values": snapshot.values, "due": due, "questions": asked, "inside": inner}


def _due(state: Mapping[str, Any]) -> Any:
    return state["due"], [_due(inner) for inner in state["inside"]]


def _path(ns: str) -> list[str]:
    return [part.partition(":")[0] for part in ns.split("|") if part and not part.isdigit()]
