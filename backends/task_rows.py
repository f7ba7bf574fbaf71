"""The write rows of a superstep, grouped by task: what each task has left so far.

The rules are those of ``langgraph/pregel/_task_status.py``: a task is finished once it has a row that is not control.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .decode import Decoder
from .due import Slot
from .model import NULL_TASK, Snapshot
from .task_ids import TaskPath, is_synthetic, parse_path
from .values import Value

ERROR = "__error__"
ERROR_SOURCE = "__error_source_node__"
INTERRUPT = "__interrupt__"
RESUME = "__resume__"
RETURN = "__return__"
SCHEDULED = "__scheduled__"

CONTROL = frozenset((ERROR, ERROR_SOURCE, INTERRUPT, RESUME, SCHEDULED))
"""Rows that say what happened to a task, not what it produced (``langgraph/pregel/_task_status.py:79``)."""


@dataclass(slots=True)
class TaskRows:
    """What one task has written.

    Attributes:
        id: Task id.
        path_text: The stored path, or the one that was worked out; empty where neither is known.
        path: The same, taken apart.
        name: Function of a call, name of a handler; empty otherwise, and where it cannot be told.
        inside: Namespace of the task that started it, for a handler or a call; empty where it is not known.
        output: Channels of its output rows, in their order.
        questions: Decoded ``__interrupt__`` row.
        answers: Number of answers that it has received.
        error: Decoded ``__error__`` row.
        failed: Whether there is one.
        source: Name of the task, where its error was passed to an error handler.
        matched: False where the path was not stored but worked out by elimination.
    """

    id: str
    path_text: str
    path: TaskPath
    name: str = ""
    inside: str = ""
    output: list[str] = field(default_factory=list)
    questions: list[Value] = field(default_factory=list)
    answers: int = 0
    error: Value = None
    failed: bool = False
    source: str | None = None
    matched: bool = True

    @property
    def finished(self) -> bool:
        """Whether the task has run to its end, or failed after it had written output."""
        return bool(self.output)

    @property
    def slot(self) -> Slot:
        """Which due task of the step it is (``due.Due.slot``), for kinds ``pull`` and ``push``."""
        path = self.path
        return path.kind, path.node if path.index is None else path.index

    def place(self, path_text: str, name: str = "") -> None:
        """Set the path of a task whose rows have none."""
        self.path_text, self.path, self.name = path_text, parse_path(path_text), name


def read_rows(snapshot: Snapshot, decoder: Decoder) -> dict[str, TaskRows]:
    """Group the rows of a checkpoint by task id, without those of the run as a whole and DeltaChannel copies."""
    tasks: dict[str, TaskRows] = {}
    step = step_after(snapshot)
    for write in snapshot.writes:
        if write.task_id == NULL_TASK or is_synthetic(write.task_id, step):
            continue
        rows = tasks.get(write.task_id)
        if rows is None:
            rows = tasks[write.task_id] = TaskRows(write.task_id, "", TaskPath("other"))
        if write.task_path and rows.path.kind == "other":  # an edit may leave rows under the id of a task
            rows.place(write.task_path)
        if write.channel == INTERRUPT:
            value = decoder.decode(write.blob)
            rows.questions.extend(value if isinstance(value, list) else [value])
        elif write.channel == ERROR:
            rows.error, rows.failed = decoder.decode(write.blob), True
        elif write.channel == RESUME:
            value = decoder.decode(write.blob)
            rows.answers = len(value) if isinstance(value, list) else 1
        elif write.channel == ERROR_SOURCE:
            rows.source = str(decoder.decode(write.blob))
        elif write.channel not in CONTROL:
            rows.output.append(write.channel)
    return tasks


def step_after(snapshot: Snapshot) -> int:
    """Number of the superstep that starts from a checkpoint (``langgraph/pregel/main.py:1263``)."""
    step = snapshot.metadata.get("step", -1)
    return step + 1 if isinstance(step, int) else 0
