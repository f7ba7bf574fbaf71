"""Graph: what has become of each node of the graph, as far as the checkpoint shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from backends.model import Analysis, CheckpointKey, CheckpointRow, TaskState
from backends.questions import question_text
from backends.reader import Reader
from backends.text import one_line

from .request import Answer, Request
from .states import States


class NodeState(StrEnum):
    """State of a node; where its tasks differ, the first of these that one of them has."""

    FAILED = "failed"
    WAITING = "waiting"
    RUNNING = "running"
    CRASHED = "crashed"
    """Ran when its process went."""
    NEXT = "next"
    FINISHED = "finished"
    EARLIER = "earlier"
    """Ran in an earlier step, since the last input."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What has become of a node.

    Attributes:
        state: See ``NodeState``.
        tasks: Its tasks in this step; of an earlier one, how often it ran.
        said: Its question or its error, safe to print; empty where it has none.
    """

    state: NodeState
    tasks: int = 1
    said: str = ""


_STATES: Mapping[TaskState, NodeState] = {
    TaskState.DUE: NodeState.NEXT,
    TaskState.FINISHED: NodeState.FINISHED,
    TaskState.HANDLED: NodeState.FINISHED,
    TaskState.WAITING: NodeState.WAITING,
    TaskState.FAILED: NodeState.FAILED,
}

_ORDER = list(NodeState)


def load(reader: Reader, request: Request, states: States) -> Answer:
    """Work out the marks of the nodes at a checkpoint.

    Raises:
        NotFound: It is not in the store any more.
        StoreError: The store cannot be read.
    """
    thread_id, ns, _ = request.key
    analysis = reader.analysis(request.key)
    rows = reader.store.history(thread_id, ns)
    return Answer((), marks=marks_of(analysis, ran_before(request.key, rows, reader.task_nodes(thread_id))))


def marks_of(analysis: Analysis, before: Iterable[str] = ()) -> dict[str, Mark]:
    """Marks by node.

    Args:
        analysis: Of the checkpoint.
        before: Nodes that ran in earlier steps, each as often as it ran.
    """
    marks = {name: Mark(NodeState.EARLIER, times) for name, times in Counter(before).items()}
    tasks = Counter(task.name for task in analysis.tasks)
    for task in analysis.tasks:
        state = _STATES[task.state]
        known = marks.get(task.name)
        if known is not None and _ORDER.index(known.state) <= _ORDER.index(state):
            continue
        said = question_text(task.interrupts[0].value) if task.interrupts else one_line(task.error or "", 200)
        marks[task.name] = Mark(state, tasks[task.name], said)
    return marks


def ran_before(
    key: CheckpointKey, rows: Iterable[CheckpointRow], nodes: Mapping[CheckpointKey, Collection[str]]
) -> list[str]:
    """Nodes that ran on the way to a checkpoint, since the last input.

    Args:
        key: The checkpoint.
        rows: Its namespace's.
        nodes: Nodes that wrote each checkpoint.
    """
    by_id = {row.key.checkpoint_id: row for row in rows}
    found: list[str] = []
    row = by_id.pop(key.checkpoint_id, None)
    while row is not None and row.source != "input":
        found += nodes.get(row.key, ())
        row = by_id.pop(row.parent_id or "", None)
    return found


def with_running(marks: Mapping[str, Mark], running: Mapping[str, int]) -> dict[str, Mark]:
    """Marks in which the nodes that a run has in hand are running instead of next.

    Args:
        marks: By node.
        running: Nodes that run now, with their number.
    """
    return {
        name: Mark(NodeState.RUNNING, running[name]) if mark.state is NodeState.NEXT and name in running else mark
        for name, mark in marks.items()
    }
