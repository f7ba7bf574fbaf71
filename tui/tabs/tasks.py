"""Tasks: the tasks of the step that starts from a checkpoint, what became of them, and what they ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from backends.model import Analysis, Interrupt, StatusName, Task, TaskState
from backends.outline import Node, Tone
from backends.present import preview
from backends.reader import Reader
from backends.text import one_line
from backends.unfold import text_nodes, value_node

from ..glyphs import STATUS
from .request import Answer, Request, note
from .states import States

GLYPHS = {
    TaskState.DUE: "○",
    TaskState.FINISHED: "✓",
    TaskState.WAITING: "?",
    TaskState.FAILED: "✖",
    TaskState.HANDLED: "✓",
}
"""Each stands beside its word."""

_TONES = {
    TaskState.DUE: Tone.PLAIN,
    TaskState.FINISHED: Tone.DONE,
    TaskState.WAITING: Tone.WAITING,
    TaskState.FAILED: Tone.FAILED,
    TaskState.HANDLED: Tone.DONE,
}

_OPEN = (TaskState.WAITING, TaskState.FAILED)
"""States whose rows are unfolded from the start."""

_KINDS = {"push": "Send", "call": "@task", "handler": "error handler"}

_STATUS_TONES = {
    StatusName.FAILED: Tone.FAILED,
    StatusName.CRASHED: Tone.FAILED,
    StatusName.CANCELLED: Tone.FAILED,
    StatusName.STALLED: Tone.CHANGED,
}


def load(reader: Reader, request: Request, states: States) -> Answer:
    """Work out the step that starts from a checkpoint.

    Raises:
        NotFound: It is not in the store any more.
        StoreError: The store cannot be read.
    """
    return Answer(tuple(task_nodes(reader.analysis(request.key), request.width)))


def task_nodes(analysis: Analysis, width: int) -> Iterator[Node]:
    """Yield a row for what the step came to, and one for each task.

    Args:
        analysis: Of the checkpoint.
        width: Cells of a row.
    """
    status = analysis.status
    if status not in (StatusName.WAITING, StatusName.FAILED) or not analysis.tasks:
        word = f"{status.value}?" if analysis.inferred else status.value
        reason = f" · {analysis.reason}" if analysis.reason else ""
        yield note(f"{STATUS[status]} {word}{reason}", _STATUS_TONES.get(status, Tone.QUIET))
    if not analysis.tasks:
        yield note("No task starts from this checkpoint.")
    for index, task in enumerate(analysis.tasks):
        yield _task_node(index, task, width)


def _task_node(index: int, task: Task, width: int) -> Node:
    path = ("task", task.id or index)
    word = f"{task.state.value}?" if task.inferred else task.state.value
    below = list(_details(path, task, width))
    return Node(
        path,
        task.name,
        {"id": task.id, "name": task.name, "state": task.state.value, "path": task.path, "error": task.error},
        label=_KINDS.get(task.kind, ""),
        text=f"{word:<9} {_said(task)}".rstrip(),
        brief=word if task.state in _OPEN else None,
        tone=_TONES[task.state],
        mark=GLYPHS[task.state],
        unfold=(lambda: below) if below else None,
        open=task.state in _OPEN,
        find=f"{task.name} {word}",
    )


def _said(task: Task) -> str:
    """What a task has to say on its own row."""
    if task.interrupts:
        more = f" (and {len(task.interrupts) - 1} more)" if len(task.interrupts) > 1 else ""
        return preview(task.interrupts[0].value) + more
    if task.error is not None:
        return one_line(task.error, 400)
    if task.state is TaskState.FINISHED:
        return f"wrote {', '.join(task.channels)}" if task.channels else "wrote nothing"
    return ""


def _details(path: tuple[object, ...], task: Task, width: int) -> Iterator[Node]:
    """Yield what unfolds below a task."""
    for interrupt in task.interrupts:
        yield from _question(path, interrupt, width)
    if task.error is not None:
        lines = text_nodes((*path, "error"), task.error, width, Tone.FAILED)
        yield Node((*path, "error"), "error", task.error, "", "", unfold=lambda: lines, open=True, find=task.error)
    if task.channels:
        yield Node((*path, "channels"), "wrote", list(task.channels), "", ", ".join(task.channels))
    if task.id:
        yield Node((*path, "id"), "task id", task.id, "", task.id, Tone.QUIET)
    if task.path:
        yield Node((*path, "path"), "path", task.path, "", task.path, Tone.QUIET)
    if task.inferred:
        yield note("? concluded from other rows of this store; its own rows do not say")


def _question(path: tuple[object, ...], interrupt: Interrupt, width: int) -> Iterator[Node]:
    """Yield a question, the form that its answer must have, and its id."""
    where = (*path, "interrupt", interrupt.id)
    yield replace(value_node((*where, "value"), "question", interrupt.value, width), open=True)
    if interrupt.response_schema is not None:
        schema = value_node((*where, "schema"), "answer", interrupt.response_schema, width)
        yield replace(schema, label="JSON Schema")
    yield Node((*where, "id"), "interrupt id", interrupt.id, "", interrupt.id, Tone.QUIET)
