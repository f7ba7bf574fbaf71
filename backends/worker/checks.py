"""What must be true before a verb writes; asked of the store under the lock, by our own read-only connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import NotFound, Refused
from ..model import NULL_TASK, Analysis, Blob, CheckpointKey, Interrupt, TaskState, ThreadHead
from ..reader import Reader
from ..runs.spec import RunSpec
from ..store import Scope
from ..task_rows import RESUME
from .classes import Name, blobs_of, check
from .schema import problem


def head_of(reader: Reader, spec: RunSpec) -> ThreadHead | None:
    """Return the thread's head, ``None`` for a new thread.

    Raises:
        Refused: It is not the head that the person looked at.
    """
    try:
        head = reader.head(spec.thread_id)
    except NotFound:
        head = None
    found = "" if head is None else head.checkpoint_id
    if spec.expected_head is None or spec.expected_head == found:
        return head
    if not spec.expected_head:
        raise Refused(f"There is a thread {spec.thread_id!r} already.", "Name another, or look at it first.")
    if head is None:
        raise Refused(f"The thread {spec.thread_id!r} is gone.")
    raise Refused(f"The thread has moved on since you looked: its head is {found} now.", "Look again.")


def existing(head: ThreadHead | None, spec: RunSpec) -> ThreadHead:
    """Return the head.

    Raises:
        Refused: There is no such thread.
    """
    if head is None:
        raise Refused(f"There is no thread {spec.thread_id!r}.")
    return head


def something_due(analysis: Analysis) -> None:
    """Make sure that resuming would run something.

    Raises:
        Refused: Nothing is due.
    """
    if not analysis.tasks:
        raise Refused("There is nothing to resume: the thread is done.", "Start it with a new input, or fork it.")


def no_stray_answer(reader: Reader, key: CheckpointKey, advice: str) -> None:
    """Make sure that LangGraph holds no answer that it would give to a question nobody has seen.

    ``Command(resume=value)`` without an interrupt's id leaves its value behind under the null task, and the next
    question that is asked from this checkpoint takes it (``langgraph/pregel/_algo.py``, ``_scratchpad``).

    Args:
        reader: The store.
        key: The checkpoint that the run starts from.
        advice: What to do instead.

    Raises:
        Refused: It holds one.
    """
    rows = reader.store.writes(key.thread_id, key.ns, [key.checkpoint_id], [RESUME])
    if any(write.task_id == NULL_TASK for _, write in rows):
        raise Refused(
            "An application answered this thread without naming the question, and LangGraph would give the same answer"
            " to the next one.",
            advice,
        )


def answers(analysis: Analysis, given: Mapping[str, Any]) -> None:
    """Compare answers with the pending questions.

    Raises:
        Refused: None is given, one names no pending question, or one does not fit its question's schema.
    """
    pending = {question.id: question for question in analysis.interrupts}
    if not given:
        raise Refused("No answer is given.")
    for name in given:
        if name not in pending:
            raise Refused(f"No pending question has the id {name}.", _pending(pending, analysis))
    for name, value in given.items():
        wrong = problem(value, pending[name].response_schema)
        if wrong:
            raise Refused(f"The answer to {pending[name].node} is not valid: {wrong}.", "Nothing was sent.")


def _pending(pending: Mapping[str, Interrupt], analysis: Analysis) -> str:
    if pending:
        return f"Pending: {', '.join(f'{name} ({question.node})' for name, question in pending.items())}."
    if analysis.errors:
        return "The thread failed after its questions had been answered: resume it, or fork it to answer anew."
    return "The thread asks nothing."


def classes(reader: Reader, serde: Any, key: CheckpointKey, analysis: Analysis) -> set[Name]:
    """Make sure that every class in what the run would write back can be rebuilt here.

    Looks at the checkpoint, at the newest checkpoints of the subgraphs that its unfinished tasks go on with, and at
    the writes that DeltaChannels are folded from.

    Returns:
        Those that nobody can rebuild, the application neither.

    Raises:
        Refused: One cannot be rebuilt here, but elsewhere; names its module.
    """
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    keys = [key, *_inside(reader, key, analysis)]
    blobs = (blob for raw in reader.store.raw(keys, Scope.FULL) for blob in blobs_of(raw))
    return check((*blobs, *_folded(reader, key)), serde or JsonPlusSerializer(), reader.decoder)


def _inside(reader: Reader, key: CheckpointKey, analysis: Analysis) -> Iterator[CheckpointKey]:
    """Heads of the namespaces below a checkpoint's unfinished tasks, and of subgraphs that keep one history."""
    unfinished = {task.id for task in analysis.tasks if task.state is not TaskState.FINISHED}
    for ns in reader.store.namespaces(key.thread_id):
        task_ids = {part.partition(":")[2] for part in ns.split("|")} - {""}
        if ns != key.ns and (not task_ids or task_ids & unfinished):
            yield from (row.key for row in reader.store.history(key.thread_id, ns, limit=1))


def _folded(reader: Reader, key: CheckpointKey) -> Sequence[Blob]:
    rows = reader.store.history(key.thread_id, key.ns, limit=1)
    channels = list(rows[0].metadata.get("counters_since_delta_snapshot") or ()) if rows else []
    if not channels:
        return ()
    return [write.blob for _, write in reader.store.writes(key.thread_id, key.ns, None, channels, values=True)]
