"""Ids that LangGraph derives from a checkpoint: which task a row belongs to, and which id a question has.

Formulas: ``langgraph/pregel/_algo.py:616-623`` (pull), ``:990-997`` (Send), ``:828-836`` (``@task`` call),
``:1136-1144`` (error handler), ``:1400-1414`` (hash by layout version); ``langgraph/types.py:583-589`` (interrupts).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

PULL = "__pregel_pull"
PUSH = "__pregel_push"
HANDLER = "node_error_handler"

_HEAD = len(f"~{PULL}, ")


@dataclass(frozen=True, slots=True)
class TaskPath:
    """A stored ``task_path``, taken apart.

    Attributes:
        kind: ``pull``, ``push`` (a Send), ``call`` (functional ``@task``), ``handler`` or ``other``.
        node: Node of a pull, node that failed for a handler, entrypoint of a call; empty where the path names none.
        index: Position of a Send in the step, or of a call in its caller; ``None`` otherwise.
        parent: Path of the caller, for a call.
    """

    kind: str
    node: str = ""
    index: int | None = None
    parent: str = ""


def parse_path(text: str) -> TaskPath:
    """Take a stored task path apart (``langgraph/pregel/_algo.py:1417-1424`` writes it).

    Args:
        text: The column as stored, e.g. ``~__pregel_pull, review``.
    """
    if text.startswith(f"~{PULL}, "):
        node, mark, _ = text[_HEAD:].partition(f", {HANDLER}, ")
        return TaskPath("handler" if mark else "pull", node)
    if text.startswith(f"~{PUSH}, ~"):
        parent, _, tail = text[_HEAD:].rpartition(", ")[0].rpartition(", ")
        return TaskPath("call", parse_path(parent).node, _number(tail), parent)
    if text.startswith(f"~{PUSH}, "):
        number = _number(text[_HEAD:].partition(", ")[0])
        if number is not None:
            return TaskPath("handler" if f", {HANDLER}, " in text else "push", "", number)
    return TaskPath("other")


def pull_path(node: str) -> str:
    """Return the path of a pull task, as ``parse_path`` reads it."""
    return f"~{PULL}, {node}"


def push_path(index: int) -> str:
    """Return the path of the task of a Send, as ``parse_path`` reads it."""
    return f"~{PUSH}, {index:010d}, 0000000000"


def call_path(parent: str, index: int) -> str:
    """Return the path of a ``@task`` call, as ``parse_path`` reads it."""
    return f"~{PUSH}, {parent}, {index:010d}, 0000000001"


def task_id(checkpoint_id: str, ns: str, step: int, name: str, kind: str, *rest: str, version: int = 4) -> str:
    """Return the id of a task of the superstep that starts from a checkpoint.

    Args:
        checkpoint_id: The checkpoint, a UUID text.
        ns: Its namespace, ``""`` at the root.
        step: Number of the superstep: the checkpoint's own step + 1.
        name: Node or ``@task`` function.
        kind: ``PULL`` or ``PUSH``.
        rest: PULL: the node's triggers, sorted. Send: its index. Call: parent path and index. Handler: ``HANDLER`` and
            the id of the failed task.
        version: Layout version of the checkpoint; 1 hashed with SHA-1, later ones with XXH3.

    Returns:
        The id as a UUID text; empty for hand-written checkpoint ids, which have no derived task ids.
    """
    try:
        seed = bytes.fromhex(checkpoint_id.replace("-", ""))
    except ValueError:
        return ""
    full = f"{ns}|{name}" if ns else name
    data = seed + "".join((full, str(step), name, kind, *rest)).encode(errors="replace")
    digest = _xxh3(data) if version > 1 else _sha1(data)
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def is_synthetic(task: str, step: int) -> bool:
    """Whether rows are no task's own: copies of DeltaChannel writes that ``durability="exit"`` makes for replaying.

    See ``langgraph/pregel/_checkpoint.py:65-87``.

    Args:
        task: Task id of the rows.
        step: Number of the superstep that starts from their checkpoint.
    """
    return task.startswith((f"{max(step, 0):08d}-", f"{max(step + 1, 0):08d}-", "ffffffff-"))


def applied_ids(checkpoint_id: str) -> tuple[str, ...]:
    """Return ids under which a checkpoint's rows hold what was not written by a task: ``update_state`` and inputs.

    See ``langgraph/pregel/main.py:4376-4386`` and ``langgraph/pregel/_loop.py:1215``.
    """
    try:
        base = UUID(checkpoint_id)
    except ValueError:
        return ()
    names = ("__input__", "__interrupt__", *(f"__interrupt__:{count}" for count in range(1, 8)))
    return tuple(str(uuid5(base, name)) for name in names)


def task_namespace(ns: str, name: str, task: str) -> str:
    """Return the namespace of a task: where its subgraphs keep their checkpoints, and the root of its question ids."""
    return f"{ns}|{name}:{task}" if ns else f"{name}:{task}"


def interrupt_id(task_ns: str, answered: int = 0) -> str:
    """Return the id of the question that a task asks after ``answered`` answers.

    Args:
        task_ns: See ``task_namespace``.
        answered: Answers that the task already has.
    """
    return _xxh3((f"{task_ns}|{answered}" if answered else task_ns).encode(errors="replace"))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _sha1(data: bytes) -> str:
    from hashlib import sha1

    return sha1(data, usedforsecurity=False).hexdigest()


def _xxh3(data: bytes) -> str:
    from xxhash import xxh3_128_hexdigest

    return xxh3_128_hexdigest(data)
