"""What the store has of a thread: whose work would not be done again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backends.audit.trace import node_path
from backends.channels import START
from backends.errors import NotFound
from backends.model import StatusName, TaskState

if TYPE_CHECKING:
    from backends.reader import Reader

    from .course import Place


@dataclass(frozen=True, slots=True)
class Saved:
    """What the store has of a thread.

    Attributes:
        known: Whether it has anything.
        done: Whether nothing is left to do, so that nothing can be lost.
        steps: The last superstep that has a checkpoint, by namespace.
        tasks: Ids of tasks of the step after it whose writes are saved.
        nodes: Nodes that the rows name, as paths: some of their work is saved. A process that was killed may not have
            told of it.
        asks: Nodes whose questions are in it.
    """

    known: bool = False
    done: bool = False
    steps: Mapping[str, int] = field(default_factory=dict)
    tasks: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()

    def has(self, step: int | None, place: Place) -> bool:
        """Whether a piece of work is in the store: in a checkpoint, or in saved writes before one.

        Args:
            step: Its superstep.
            place: Where it is saved.
        """
        committed = step is not None and place.ns in self.steps and self.steps[place.ns] >= step
        return committed or not self.tasks.isdisjoint(place.tasks)


def read_saved(reader: Reader, thread_id: str) -> Saved:
    """Read what the store has; called on the thread of the connection."""
    rows = sorted(reader.store.history(thread_id), key=lambda row: row.key.checkpoint_id)
    heads = {row.key.ns: row for row in rows}
    if "" not in heads:
        return Saved(bool(heads))  # no release of LangGraph goes on from what only a subgraph has saved
    done, steps, tasks, nodes, asks = False, {}, set(), set(), set()
    for row in heads.values():
        try:
            seen, analysis = reader.snapshot(row.key).versions_seen, reader.analysis(row.key)
        except NotFound:
            continue  # a checkpoint that is being replaced
        if row.step is not None:
            steps[row.key.ns] = row.step
        done |= not row.key.ns and analysis.status is StatusName.DONE
        finished = [task for task in analysis.tasks if task.state is TaskState.FINISHED]
        tasks |= {task.id for task in finished if task.id}
        ran = [name for name, versions in seen.items() if versions and not name.startswith("__")]
        nodes |= {node_path(name, row.key.ns) for name in (*ran, *(task.name for task in finished)) if name != START}
        asks |= {node_path(task.name, row.key.ns) for task in analysis.tasks if task.state is TaskState.WAITING}
    return Saved(True, done, steps, frozenset(tasks), frozenset(nodes), frozenset(asks))
