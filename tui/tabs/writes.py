"""Writes: the rows that the tasks of the step stored, task by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backends.decode import Decoder
from backends.model import NULL_TASK, Write
from backends.outline import Node, Tone
from backends.reader import Reader
from backends.unfold import ranged, value_node

from ..words import size
from .request import Answer, Request, note
from .states import States


def load(reader: Reader, request: Request, states: States) -> Answer:
    """Read the rows of the step that starts from a checkpoint.

    Raises:
        NotFound: The checkpoint is not in the store any more.
        StoreError: The store cannot be read.
    """
    thread_id, ns, checkpoint_id = request.key
    writes = [write for _, write in reader.store.writes(thread_id, ns, [checkpoint_id], values=True)]
    names = {task.id: task.name for task in reader.analysis(request.key).tasks if task.id}
    nodes = write_nodes(writes, names, reader.decoder, request.width)
    return Answer(tuple(nodes), sum(len(write.blob.data or b"") for write in writes))


def write_nodes(writes: Sequence[Write], names: Mapping[str, str], decoder: Decoder, width: int) -> list[Node]:
    """Make a row of each task, with its write rows below.

    Args:
        writes: In stored order.
        names: Node by task id, as far as known.
        decoder: Decodes the values.
        width: Cells of a row.
    """
    by_task: dict[str, list[Write]] = {}
    for write in writes:
        by_task.setdefault(write.task_id, []).append(write)
    if not by_task:
        return [note("No task has written anything from here.")]
    return [_task_node(task, rows, names, decoder, width) for task, rows in by_task.items()]


def _task_node(task: str, writes: list[Write], names: Mapping[str, str], decoder: Decoder, width: int) -> Node:
    path = ("task", task)
    values = [decoder.decode(write.blob) for write in writes]

    def rows(start: int, stop: int) -> list[Node]:
        return [
            _write_node(path, write, value, width)
            for write, value in zip(writes[start:stop], values[start:stop], strict=True)
        ]

    name = "command" if task == NULL_TASK else names.get(task, "?")
    return Node(
        path,
        name,
        task,
        label=f"{len(writes)} row{'' if len(writes) == 1 else 's'}",
        text=writes[0].task_path or task,
        tone=Tone.QUIET,
        unfold=lambda: ranged(path, len(writes), rows),
        open=True,
        find=f"{task} {writes[0].task_path or ''}",
    )


def _write_node(path: tuple[str, str], write: Write, value: object, width: int) -> Node:
    data = write.blob.data
    label = f"#{write.idx} {write.blob.type or '-'} {size(len(data)) if data is not None else 'NULL'}"
    return replace(value_node((*path, write.idx), write.channel, value, width), label=label)
