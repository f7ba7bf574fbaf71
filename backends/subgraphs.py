"""What the namespaces of subgraphs add to the status of the graph that called them."""

from __future__ import annotations

from collections.abc import Sequence

from .decode import Decoder
from .model import Analysis, CheckpointKey, Interrupt, Snapshot, Task
from .snapshot import read_snapshot
from .status import analyse
from .store import Scope, Store
from .task_ids import interrupt_id

_SLOTS = 16
"""Questions that one task may have asked, for telling its own from those of its subgraphs."""


def answered_inside(store: Store, decoder: Decoder, snapshot: Snapshot, analysis: Analysis) -> frozenset[str]:
    """Return ids of questions that the rows of a checkpoint show as open, but that their subgraph has left behind.

    A task repeats the question of its subgraph in its own rows, and keeps it there when the run dies after the answer.
    The subgraph's own head tells: it no longer asks.

    Args:
        store: Where the checkpoint comes from.
        decoder: Decodes the heads of the subgraphs.
        snapshot: The checkpoint.
        analysis: What it means by its own rows.
    """
    asked = [(task, one) for task in analysis.tasks for one in task.interrupts if _from_inside(one)]
    if not asked:
        return frozenset()
    spaces = store.namespaces(snapshot.key.thread_id)
    answered: set[str] = set()
    for task, question in asked:
        inside = [ns for ns in spaces if _is_inside(ns, snapshot.key.ns, task)]
        if inside and question.id not in _open_in(store, decoder, snapshot.key.thread_id, inside):
            answered.add(question.id)
    return frozenset(answered)


def started_inside(store: Store, snapshot: Snapshot) -> dict[str, str]:
    """Return the nodes, by task id, whose subgraphs were started from a checkpoint and keep a namespace of their own.

    The namespace is ``node:task_id``; its metadata names the checkpoint that it was started from
    (``langgraph/pregel/_loop.py``, ``checkpoint_map``).

    Args:
        store: Where the checkpoint comes from.
        snapshot: The checkpoint.
    """
    thread_id, ns, checkpoint_id = snapshot.key
    found: dict[str, str] = {}
    for space in store.namespaces(thread_id):
        name, mark, task = space.removeprefix(f"{ns}|" if ns else "").partition(":")
        if mark and "|" not in task and space.startswith(f"{ns}|" if ns else name):
            newest = store.history(thread_id, space, limit=1)
            parents = newest[0].metadata.get("parents") if newest else None
            if isinstance(parents, dict) and parents.get(ns) == checkpoint_id:
                found[task] = name
    return found


def _from_inside(question: Interrupt) -> bool:
    return all(question.id != interrupt_id(question.ns, slot) for slot in range(_SLOTS))


def _is_inside(ns: str, parent: str, task: Task) -> bool:
    """Whether a namespace is of a task's subgraph; one with a checkpointer of its own is named without the task id."""
    space = f"{parent}|{task.name}" if parent else task.name
    return ns == space or ns.startswith((f"{space}:{task.id}", f"{space}|"))


def _open_in(store: Store, decoder: Decoder, thread_id: str, spaces: Sequence[str]) -> set[str]:
    """Ids of the questions that the heads of these namespaces ask themselves, not for a deeper one."""
    keys: list[CheckpointKey] = []
    for ns in spaces:
        keys.extend(row.key for row in store.history(thread_id, ns, limit=1))
    found: set[str] = set()
    for raw in store.raw(keys, Scope.CONTROL):
        analysis = analyse(read_snapshot(raw, decoder), decoder)
        deeper = any(ns != raw.key.ns and ns.startswith(raw.key.ns) for ns in spaces)
        found.update(one.id for one in analysis.interrupts if not deeper or not _from_inside(one))
    return found
